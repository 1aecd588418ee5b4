// Command check runs everything that must hold before a change lands: formatting,
// vet, the linters and the tests of the root module and of the modules with real
// servers. Run it with `make test`.
//
// On a Debian machine with root it installs the servers that the tests talk to;
// elsewhere it runs what needs none and names what it left out. With CI=true a
// missing server or tool is a failure. The last line is "N passed, N failed".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// needed maps a program or file that the checks use to the Debian package that brings
// it.
var needed = []struct{ program, pkg string }{
	{"gcc", "gcc"},
	{"prometheus", "prometheus"},
	{"prometheus-alertmanager", "prometheus-alertmanager"},
	{"prometheus-node-exporter", "prometheus-node-exporter"},
	{"/usr/lib/postgresql/15/bin/initdb", "postgresql-15"}, // not on the path in Debian
	{"aiosmtpd", "python3-aiosmtpd"},
	{"chromium", "chromium"},
	{"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"},
	{"pdftotext", "poppler-utils"},
	{"/usr/lib/python3/dist-packages/icalendar", "python3-icalendar"},
	{"/usr/lib/python3/dist-packages/feedparser", "python3-feedparser"},
}

// packed are files from npm packages that tests in a browser use, and the variables
// that say where they are. They are fetched into .cache.
var packed = []struct{ pkg, file, variable string }{
	{"axe-core@4.14.1", "axe.min.js", "AXE_JS"},
	{"vnu-jar@26.9.27", "build/dist/vnu.jar", "VNU_JAR"},
}

// The modules below internal that are vetted, and the folders in them whose tests
// run too: with the race detector, or without it where one goroutine calculates for
// long. What is in both skips by itself what is too long with it.
var (
	vetted = []string{"internal/itest", "internal/contract", "internal/e2e", "internal/bench", "internal/bench/forecast", "internal/tools"}
	raced  = []string{"internal/itest", "internal/contract"}
	tested = []string{"internal/itest/soak", "internal/e2e", "internal/bench/promql", "internal/bench/alertmanager", "internal/tools"}
)

func main() {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := &checks{root: root, log: os.Stdout, strict: os.Getenv("CI") == "true"}
	c.install()
	c.fetch()
	c.lint()
	c.vet()
	c.docs()
	c.test()
	c.report()
	if c.failed > 0 {
		os.Exit(1)
	}
}

// checks counts what ran.
type checks struct {
	root           string
	log            io.Writer // what it says
	strict         bool      // a thing that cannot run is a failure
	passed, failed int
	skipped        []string // what did not run, and why
	failures       []failure
}

// failure is a check that failed, and what it printed.
type failure struct{ name, text string }

// commandError is why a program failed, and what it printed.
type commandError struct {
	error
	output string
}

// result counts one check and says how it went.
func (c *checks) result(name string, err error, started time.Time) {
	if err == nil {
		c.passed++
		fmt.Fprintf(c.log, "ok\t%s\t%.1fs\n", name, time.Since(started).Seconds())
		return
	}
	text := err.Error() + "\n"
	if failed := (*commandError)(nil); errors.As(err, &failed) {
		text = failed.output + text
	}
	c.fail(name, text)
}

// fail counts a check that failed.
func (c *checks) fail(name, text string) {
	c.failed++
	c.failures = append(c.failures, failure{name, text})
	fmt.Fprintf(c.log, "FAIL\t%s\n%s", name, text)
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
		if _, err := exec.LookPath(n.program); err != nil && !exists(n.program) {
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

// exists reports whether an absolute path is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return filepath.IsAbs(path) && err == nil
}

// fetch brings the files from npm packages, where that is possible. Tests that want
// one that is missing say so and are skipped.
func (c *checks) fetch() {
	for _, p := range packed {
		name, _, _ := strings.Cut(p.pkg, "@")
		dir := filepath.Join(c.root, ".cache", name)
		file := filepath.Join(dir, "package", p.file)
		if os.Getenv(p.variable) == "" && !exists(file) {
			err := os.MkdirAll(dir, 0o755)
			if err == nil {
				err = c.run(dir, "sh", "-c", `tar xzf "$(npm pack --silent "$0")"`, p.pkg)
			}
			if err != nil {
				c.skipped = append(c.skipped, p.pkg+": cannot be fetched with npm: "+err.Error())
				continue
			}
		}
		if os.Getenv(p.variable) == "" {
			os.Setenv(p.variable, file)
		}
	}
}

// lint checks formatting (gofumpt, goimports) and runs the linters.
func (c *checks) lint() {
	linter := filepath.Join(c.root, ".cache", "golangci-lint")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", linter, "github.com/golangci/golangci-lint/v2/cmd/golangci-lint")
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

// docs checks what is written down of the packages: the API, imports and benchmarks.
func (c *checks) docs() {
	started := time.Now()
	c.result("docs/api and docs/imports.md", c.run(filepath.Join(c.root, "internal", "tools"), "go", "run", "./api"), started)
	started = time.Now()
	c.result("docs/benchmarks.md", c.run(filepath.Join(c.root, "internal", "bench"), "go", "test", "."), started)
}

func (c *checks) run(dir, name string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return &commandError{err, string(out)}
	}
	return nil
}

// report ends the output: what was left out, the last lines of each failure once more,
// as whoever reads the end of a long log has not seen them, and the totals.
func (c *checks) report() {
	for _, s := range c.skipped {
		fmt.Fprintln(c.log, "SKIPPED", s)
	}
	for _, f := range c.failures {
		fmt.Fprintf(c.log, "failed: %s\n%s", f.name, tail(f.text, 40))
	}
	fmt.Fprintf(c.log, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, len(c.skipped))
}

// tail returns the last n lines of text, each with its end.
func tail(text string, n int) string {
	lines := slices.Collect(strings.Lines(text))
	text = strings.Join(lines[max(0, len(lines)-n):], "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}
