package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The program of the README runs and prints what the README says, and the excerpt
// of the demo is what the demo prints.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(go)?\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 3 || blocks[1][1] != "go" {
		t.Fatalf("%d blocks, want the demo, a program and its output", len(blocks))
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(blocks[1][2]), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := goRun(t, file); got != blocks[2][2] {
		t.Errorf("the program prints\n%s\nwant\n%s", got, blocks[2][2])
	}
	story := goRun(t, "./examples/quickstart")
	for line := range strings.Lines(blocks[0][2]) {
		if line != "…\n" && !strings.Contains(story, line) {
			t.Errorf("the demo does not print %q", line)
		}
	}
}

func goRun(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", program)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go run %s: %v", program, err)
	}
	return string(out)
}
