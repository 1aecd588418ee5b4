package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// target is one fuzz test.
type target struct {
	pkg, dir string // import path and directory of its package
	folder   string // of the package, from the root
	name     string
	outside  bool // takes apart bytes of others
}

// String is the folder and the name, as in outside.txt.
func (t target) String() string { return t.folder + " " + t.name }

func (t target) label() string {
	if t.outside {
		return t.String() + " (outside)"
	}
	return t.String()
}

//go:embed outside.txt
var outsideText string

// outside are the targets of outside.txt.
func outside() []string {
	var list []string
	for line := range strings.Lines(outsideText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// targets finds the fuzz tests of a module, by package and in the order of their files.
func targets(ctx context.Context, root string) ([]target, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var found []target
	others := outside()
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		folder, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return nil, err
		}
		for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			text, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			for _, d := range declaration.FindAllSubmatch(text, -1) {
				t := target{pkg: p.ImportPath, dir: p.Dir, folder: filepath.ToSlash(folder), name: string(d[1])}
				t.outside = slices.Contains(others, t.String())
				found = append(found, t)
			}
		}
	}
}
