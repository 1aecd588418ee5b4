//go:build unix

package program

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe or a device named with -o gets the result and is not replaced by a file.
func TestOutputToAPipe(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pipe, link} {
		before, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		// Open for both ends, so that nobody waits for anybody.
		reader, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		p := sample()
		var stdout, stderr bytes.Buffer
		if exit := p.run([]string{"-o", name}, &stdout, &stderr); exit != OK || stdout.Len() > 0 {
			t.Fatalf("-o %s: exit %d, stdout %q, stderr %q", filepath.Base(name), exit, stdout.String(), stderr.String())
		}
		if after, err := os.Lstat(name); err != nil || after.Mode() != before.Mode() || after.Mode()&(fs.ModeNamedPipe|fs.ModeSymlink) == 0 {
			t.Fatalf("-o %s: it is %v, %v, and was %v", filepath.Base(name), after.Mode(), err, before.Mode())
		}
		got := make([]byte, 100)
		n, err := reader.Read(got)
		if want := "text 2026-10-01T00:00:00Z UTC\n"; err != nil || string(got[:n]) != want {
			t.Errorf("-o %s: the pipe got %q, %v, want %q", filepath.Base(name), got[:n], err, want)
		}
		reader.Close()
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
