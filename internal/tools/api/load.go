package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
)

// listed is what go list says of a package.
type listed struct {
	ImportPath, Export string
	Standard           bool
	Deps               []string
	Module             *struct {
		Path string
		Main bool
	}
}

// module is the root module with all that it links, compiled.
type module struct {
	path     string
	packages map[string]*listed
	public   []string // import paths
	imports  types.Importer
}

// load compiles the packages of the module at root and all that they import.
func load(ctx context.Context, root string) (*module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-json=ImportPath,Export,Standard,Deps,Module", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	m := &module{packages: map[string]*listed{}}
	var own []string
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := &listed{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		m.packages[p.ImportPath] = p
		if p.Module != nil && p.Module.Main {
			m.path = p.Module.Path
			own = append(own, p.ImportPath)
		}
	}
	m.public = promised(own, m.path)
	if len(m.public) == 0 {
		return nil, fmt.Errorf("no public package in %s", root)
	}
	m.imports = importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		p := m.packages[path]
		if p == nil {
			return nil, fmt.Errorf("package %s is not linked", path)
		}
		return os.Open(p.Export)
	})
	return m, nil
}

// folder is where a package lies, from the root.
func (m *module) folder(pkg string) string { return strings.TrimPrefix(pkg, m.path+"/") }
