package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// policy is what the portal sends with its pages.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// documents are the programs that write a document of one file, and how.
var documents = map[string][]string{
	"slareport":  {"-format", "html"},
	"slostatus":  {"-format", "html"},
	"roi":        {"-format", "html"},
	"postmortem": {"-format", "html"},
	"quickstart": {"-html"},
}

// pages is a folder with every page: the documents, and the static site of the
// portal below portal/.
var pages = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(folder, "pages")
	if err != nil {
		return "", err
	}
	for name, flags := range documents {
		args := append(append([]string{"run", "./examples/" + name}, flags...), filepath.Join(dir, name+".html"))
		if flags[0] == "-format" {
			args = append(args[:len(args)-1], "-o", args[len(args)-1])
		}
		if err := goTool(args...); err != nil {
			return "", err
		}
	}
	if err := goTool("run", "./examples/portal", "-static", filepath.Join(dir, "portal"), "-public-index"); err != nil {
		return "", err
	}
	return dir, executive(dir)
})

// executive puts the report to the management beside the other pages of the sample: it
// has it with a contract of a higher tier.
func executive(dir string) error {
	other, err := os.MkdirTemp(folder, "enterprise")
	if err != nil {
		return err
	}
	sample := filepath.Join(other, "sample")
	if err := os.CopyFS(sample, os.DirFS(filepath.Join("..", "..", "examples", "portal", "testdata", "sample"))); err != nil {
		return err
	}
	contract := filepath.Join(sample, "harbour.yaml")
	text, err := os.ReadFile(contract)
	if err != nil {
		return err
	}
	if err := os.WriteFile(contract, bytes.Replace(text, []byte("tier: professional"), []byte("tier: enterprise"), 1), 0o600); err != nil {
		return err
	}
	if err := goTool("run", "./examples/portal", "-config", filepath.Join(sample, "portal.yaml"), "-static", filepath.Join(other, "site"), "-now", "2026-10-14T09:30:00Z"); err != nil {
		return err
	}
	name := filepath.Join("t", "harbour", "executive-report.html")
	page, err := os.ReadFile(filepath.Join(other, "site", name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "portal", name), page, 0o600)
}

func goTool(args ...string) error {
	cmd := exec.CommandContext(context.Background(), "go", args...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// site serves the pages as the portal would, and lists those in HTML.
func site(t *testing.T) (address string, names []string) {
	t.Helper()
	dir, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	files := http.FileServerFS(os.DirFS(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/portal/") {
			w.Header().Set("Content-Security-Policy", policy)
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".html" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, names
}

// address of a page; the file server answers index.html by its folder.
func at(server, name string) string {
	return server + "/" + strings.TrimSuffix(name, "index.html")
}
