package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// cost is what a program pays that imports a package.
type cost struct {
	own, others int      // packages of ours and of others that it links
	modules     []string // of others
	standard    int      // packages of the standard library
}

func (m *module) cost(pkg string) cost {
	c := cost{own: 1}
	for _, path := range m.packages[pkg].Deps {
		switch p := m.packages[path]; {
		case p == nil || p.Standard: // "unsafe" is compiled into the compiler
			c.standard++
		case p.Module != nil && p.Module.Main:
			c.own++
		default:
			c.others++
			if p.Module != nil && !slices.Contains(c.modules, p.Module.Path) {
				c.modules = append(c.modules, p.Module.Path)
			}
		}
	}
	slices.Sort(c.modules)
	return c
}

// row is the line of a package in docs/imports.md, without the size. The packages of the
// standard library differ from one version of Go to the next and are not in it.
func (m *module) row(pkg string) string {
	c := m.cost(pkg)
	modules := "–"
	if len(c.modules) > 0 {
		modules = "`" + strings.Join(c.modules, "`, `") + "`"
	}
	return fmt.Sprintf("| [`%s`](../%s) | %d | %d | %s |", m.folder(pkg), m.folder(pkg), c.own, c.others, modules)
}

const importsFile = "docs/imports.md"

const importsHead = `# What an import costs

What a program links that imports a package: packages of this module, itself included; packages of others, and their modules. The size is that of a program
that imports the package and does nothing, less that of an empty one, standard library included: what is set up when a program starts. What it calls comes on top.

Written by ` + "`make api`" + `; ` + "`make test`" + ` checks all but the sizes. They were measured with %s on %s/%s.

| package | ours | of others | modules of others | MB |
|---|---|---|---|---|
`

// checkImports compares all of docs/imports.md but the sizes.
func (m *module) checkImports(root string) error {
	text, err := os.ReadFile(filepath.Join(root, importsFile))
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), platform()) {
		return nil // another one links other packages
	}
	var rows []string
	for row := range measured(string(text)) {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	var problems []string
	for _, pkg := range m.public {
		row := m.row(pkg)
		if i := slices.Index(rows, row); i >= 0 {
			rows = slices.Delete(rows, i, i+1)
		} else {
			problems = append(problems, "missing: "+row)
		}
	}
	for _, row := range rows {
		problems = append(problems, "wrong: "+row)
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s differs from what is linked; make api writes it:\n%s", importsFile, strings.Join(problems, "\n"))
}

// platform is the toolchain's, as the page names it.
func platform() string { return " on " + runtime.GOOS + "/" + runtime.GOARCH + "." }

// measured yields the rows of the page without their sizes, and those.
func measured(page string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(page) {
			if !strings.HasPrefix(line, "| [`") {
				continue
			}
			line = strings.TrimSuffix(strings.TrimSpace(line), "|")
			i := strings.LastIndex(line, "|") + 1
			if !yield(line[:i], strings.TrimSpace(line[i:])) {
				return
			}
		}
	}
}

// writeImports measures a program for each package whose row has changed, or all.
func (m *module) writeImports(ctx context.Context, root string, all bool) (err error) {
	old, err := os.ReadFile(filepath.Join(root, importsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	known := map[string]string{}
	if head := fmt.Sprintf(importsHead, runtime.Version(), runtime.GOOS, runtime.GOARCH); !all && strings.HasPrefix(string(old), head) {
		known = maps.Collect(measured(string(old)))
	}
	// The program stands in the module, whose packages it imports, where no pattern finds it.
	cache := filepath.Join(root, ".cache")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cache, "size")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	empty, err := size(ctx, dir, "")
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, importsHead, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, pkg := range m.public {
		row := m.row(pkg)
		megabytes := known[row]
		if megabytes == "" {
			bytes, err := size(ctx, dir, fmt.Sprintf("import _ %q", pkg))
			if err != nil {
				return err
			}
			megabytes = strconv.FormatFloat(float64(bytes-empty)/1e6, 'f', 1, 64)
		}
		fmt.Fprintf(&text, "%s %s |\n", row, megabytes)
	}
	return os.WriteFile(filepath.Join(root, importsFile), []byte(text.String()), 0o644)
}

// size builds a program that imports something and returns its bytes.
func size(ctx context.Context, dir, imports string) (int64, error) {
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\n"+imports+"\n\nfunc main() {}\n"), 0o644); err != nil {
		return 0, err
	}
	program := filepath.Join(dir, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "main.go")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", imports, err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
