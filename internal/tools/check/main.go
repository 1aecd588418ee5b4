// Command check runs everything that must hold before a change lands: formatting,
// vet, the linters and the tests of the root module and of the modules with real
// servers. Run it with `make test`.
//
// On a Debian machine with root it installs the servers that the tests talk to;
// elsewhere it runs what needs none and names what it left out. With CI=true a
// missing server or tool is a failure. The last line is "N passed, N failed".
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// needed maps a program that the checks use to the Debian package that brings it.
var needed = []struct{ program, pkg string }{
	{"gcc", "gcc"},
	{"prometheus", "prometheus"},
	{"prometheus-alertmanager", "prometheus-alertmanager"},
	{"prometheus-node-exporter", "prometheus-node-exporter"},
	{"/usr/lib/postgresql/15/bin/initdb", "postgresql-15"}, // not on the path in Debian
	{"aiosmtpd", "python3-aiosmtpd"},
}

// The modules below internal that are vetted, and the folders in them whose tests
// run too: with the race detector, or without it where one goroutine calculates for
// long.
var (
	vetted = []string{"internal/itest", "internal/contract", "internal/bench", "internal/bench/forecast", "internal/tools"}
	raced  = []string{"internal/itest", "internal/contract"}
	tested = []string{"internal/bench/promql", "internal/bench/alertmanager"}
)

func main() {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := &checks{root: root, strict: os.Getenv("CI") == "true"}
	c.install()
	c.lint()
	c.vet()
	c.test()
	c.report()
	if c.failed > 0 {
		os.Exit(1)
	}
}

// checks counts what ran.
type checks struct {
	root           string
	strict         bool // a thing that cannot run is a failure
	passed, failed int
	skipped        []string // what did not run, and why
	failures       []string
}

// result counts one check and says how it went.
func (c *checks) result(name string, err error, started time.Time) {
	if err != nil {
		c.failed++
		c.failures = append(c.failures, name)
		fmt.Printf("FAIL\t%s\t%v\n", name, err)
		return
	}
	c.passed++
	fmt.Printf("ok\t%s\t%.1fs\n", name, time.Since(started).Seconds())
}

// leftOut records a thing that cannot run here.
func (c *checks) leftOut(name, why string) {
	if c.strict {
		c.result(name, fmt.Errorf("cannot run, and CI=true: %s", why), time.Now())
		return
	}
	c.skipped = append(c.skipped, name+": "+why)
}

// install brings missing programs from Debian, where that is possible.
func (c *checks) install() {
	var programs, packages []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			programs = append(programs, n.program)
			packages = append(packages, n.pkg)
		}
	}
	if len(packages) == 0 {
		return
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		if slices.Contains(packages, "gcc") {
			packages = append(packages, "libc6-dev")
		}
		started := time.Now()
		err := c.run(c.root, "apt-get", "update", "-qq")
		if err == nil {
			err = c.run(c.root, "apt-get", append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)...)
		}
		c.result("install "+strings.Join(packages, " "), err, started)
		return
	}
	for _, program := range programs {
		c.leftOut(program, "not installed, and there is no apt-get or no root to install it")
	}
}

// lint checks formatting (gofumpt, goimports) and runs the linters.
func (c *checks) lint() {
	linter := filepath.Join(c.root, ".cache", "golangci-lint")
	build := exec.Command("go", "build", "-o", linter, "github.com/golangci/golangci-lint/v2/cmd/golangci-lint")
	build.Dir = filepath.Join(c.root, "internal", "tools")
	if out, err := build.CombinedOutput(); err != nil {
		c.leftOut("golangci-lint", "cannot be built: "+strings.TrimSpace(string(out)))
		return
	}
	started := time.Now()
	c.result("gofumpt", c.run(c.root, linter, "fmt", "--diff"), started)
	for _, dir := range slices.Concat([]string{"."}, raced, tested) {
		started = time.Now()
		c.result("golangci-lint "+dir, c.run(filepath.Join(c.root, dir), linter, "run", "--allow-parallel-runners", "./..."), started)
	}
}

func (c *checks) vet() {
	for _, dir := range append([]string{"."}, vetted...) {
		started := time.Now()
		c.result("go vet "+dir, c.run(filepath.Join(c.root, dir), "go", "vet", "./..."), started)
	}
}

func (c *checks) run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Printf("%s", out)
	}
	return err
}

// report ends the output.
func (c *checks) report() {
	for _, name := range c.failures {
		fmt.Println("failed:", name)
	}
	for _, s := range c.skipped {
		fmt.Println("SKIPPED", s)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", c.passed, c.failed, len(c.skipped))
}
