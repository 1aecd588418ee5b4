package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The README shows what the program prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	story, _ := run(t, nil)
	printed := strings.Split(string(story), "\n")
	shown := 0
	for line := range strings.Lines(string(readme)) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if !indented || line == "…" || strings.HasPrefix(line, "go run ") {
			continue
		}
		shown++
		if !slices.Contains(printed, line) {
			t.Errorf("the README shows a line that the program does not print: %q", line)
		}
	}
	if shown < 10 {
		t.Errorf("the README shows %d lines, want an excerpt", shown)
	}
}
