package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The lines of Go in the README run and print what their comment says, the excerpt
// of the demo is what the demo prints, and all of it is on the first screen.
func TestReadme(t *testing.T) {
	text := readme(t)
	blocks := regexp.MustCompile("(?s)```(go)?\n(.*?)```\n").FindAllStringSubmatchIndex(text, -1)
	if len(blocks) != 2 || blocks[0][2] >= 0 || blocks[1][2] < 0 {
		t.Fatalf("%d blocks, want the demo and Go", len(blocks))
	}
	if screen := strings.Index(text, "<picture>"); screen < blocks[1][1] || strings.Count(text[:screen], "\n") >= 40 {
		t.Error("the blocks, the packages and the picture are not within the 40 lines of the first screen")
	}
	lines, want, _ := strings.Cut(text[blocks[1][4]:blocks[1][5]], "// ")
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(`package main

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func main() {
`+lines+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := goRun(t, file); got != want {
		t.Errorf("the lines print\n%s\nwant\n%s", got, want)
	}
	story := goRun(t, "./examples/quickstart")
	for line := range strings.Lines(text[blocks[0][4]:blocks[0][5]]) {
		if line != "…\n" && !strings.HasPrefix(line, "$ ") && !strings.Contains(story, line) {
			t.Errorf("the demo does not print %q", line)
		}
	}
}

// The badges of the README say what they show, and that of Go what go.mod says.
func TestBadges(t *testing.T) {
	badges := regexp.MustCompile(`!\[([^]]+)\]\(([^)]+)\)`).FindAllStringSubmatch(readme(t), -1)
	if len(badges) != 3 {
		t.Fatalf("%d badges, want 3", len(badges))
	}
	for _, badge := range badges {
		svg, err := os.ReadFile("../" + badge[2])
		if err != nil || !strings.Contains(string(svg), "<title>"+badge[1]+"</title>") {
			t.Errorf("%s: %v, want the title %q", badge[2], err, badge[1])
		}
	}
	module, err := os.ReadFile("../go.mod")
	if version, ok := strings.CutPrefix(badges[0][1], "Go "); err != nil || !ok || !strings.Contains(string(module), "\ngo "+version) {
		t.Errorf("the badge says %q, which is not the version of go.mod (%v)", badges[0][1], err)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every link of a document leads to a folder or a file.
func TestLinks(t *testing.T) {
	links := 0
	for _, pattern := range []string{"../*.md", "*/*.md"} {
		documents, err := filepath.Glob(pattern)
		if err != nil || len(documents) < 5 {
			t.Fatalf("%s: %d documents, %v", pattern, len(documents), err)
		}
		for _, document := range documents {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(text), -1) {
				if strings.HasPrefix(link[1], "https://") {
					continue
				}
				links++
				name, _, _ := strings.Cut(link[1], "#")
				if name == "" {
					name = filepath.Base(document)
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(document), name)); err != nil {
					t.Errorf("%s: %v", document, err)
				}
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links, want those of README and cookbook", links)
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
