package archtest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestConsumer builds a throwaway module that imports one core package and
// measures what its author pays: packages of others that are linked (none),
// requires (one: ours), go.sum lines (at most six) and bytes of the program.
func TestConsumer(t *testing.T) {
	for _, pkg := range corePackages(t) {
		t.Run(pkg, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "go.mod", fmt.Sprintf("module consumer\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, rootDir(t)))
			write(t, dir, "main.go", fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", module+"/"+pkg))
			if out, err := goCommand(t, dir, "mod", "tidy"); err != nil {
				t.Skipf("skipped: go mod tidy needs the module cache or the network: %v\n%s", err, out)
			}
			program := filepath.Join(dir, "program")
			if out, err := goCommand(t, dir, "build", "-o", program, "."); err != nil {
				t.Fatalf("go build: %v\n%s", err, out)
			}
			if most := weights[pkg]; most > 0 && runtime.GOOS+"/"+runtime.GOARCH == "linux/amd64" {
				if n := size(t, program); n >= most {
					t.Errorf("a program that only imports %s has %d bytes, want less than %d", pkg, n, most)
				}
			}
			deps, err := goCommand(t, dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
			if err != nil {
				t.Fatalf("go list: %v\n%s", err, deps)
			}
			for dep := range strings.FieldsSeq(deps) {
				if dep != "consumer" && !strings.HasPrefix(dep, module+"/") {
					t.Errorf("importing %s links %s", pkg, dep)
				}
			}
			requires, sums := countRequires(t, dir), countLines(t, filepath.Join(dir, "go.sum"))
			if requires != 1 || sums > 6 {
				t.Errorf("importing %s costs %d requires and %d go.sum lines, want 1 and at most 6", pkg, requires, sums)
			}
		})
	}
}

// weights are the bytes that a program on linux/amd64, not stripped, stays below if
// it imports the package and does nothing. An empty one has 1.82 MB, and 2.14 MB with
// fmt. What makes it grow are package variables that are set by a call: find them
// with go build -ldflags=-dumpdep.
var weights = map[string]int64{"slo": 2_500_000, "slo/promrules": 2_500_000}

func size(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// corePackages lists the core packages that stand on the standard library
// alone.
func corePackages(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for file := range sources(t) {
		folder := path.Dir(file)
		if folder != "slo/openslo" && !strings.Contains(folder, "internal") && !strings.HasSuffix(file, "_test.go") && slices.ContainsFunc(core, func(p string) bool { return holds(p, folder) }) {
			found[folder] = true
		}
	}
	if len(found) < 7 {
		t.Fatalf("only %d core packages found", len(found))
	}
	return slices.Sorted(maps.Keys(found))
}

func countRequires(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	n, block := 0, false
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "require ("):
			block = true
		case line == ")":
			block = false
		case block && line != "" || strings.HasPrefix(line, "require "):
			n++
		}
	}
	return n
}

func countLines(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func goCommand(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRequires bounds the root module and says where the requires of others may
// come from at all.
func TestRequires(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(rootDir(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var direct, indirect int
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "replace") || strings.HasPrefix(line, "exclude") {
			t.Errorf("go.mod has %q: no replace and no exclude in the root", line)
		}
		if fields := strings.Fields(strings.TrimPrefix(line, "require ")); len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			if strings.HasSuffix(line, "// indirect") {
				indirect++
			} else {
				direct++
			}
		}
	}
	if direct > 15 || indirect > 30 {
		t.Errorf("go.mod has %d direct and %d indirect requires, want at most 15 and 30", direct, indirect)
	}
}
