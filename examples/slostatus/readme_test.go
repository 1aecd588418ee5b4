package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The README shows what the program prints, in that order.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.Split(run(t, nil, nil).stdout, "\n")
	shown := 0
	for line := range strings.Lines(string(readme)) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if !indented || line == "…" || strings.HasPrefix(line, "go run ") {
			continue
		}
		shown++
		i := slices.Index(printed, line)
		if i < 0 {
			t.Errorf("the README shows a line that the program does not print, or not there: %q", line)
			continue
		}
		printed = printed[i+1:]
	}
	if shown < 20 {
		t.Errorf("the README shows %d lines, want an excerpt", shown)
	}
}
