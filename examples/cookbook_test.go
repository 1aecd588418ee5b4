package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// The program on each page of the cookbook runs and prints what the page says.
// Where the page ends with "…", it shows the beginning.
func TestCookbook(t *testing.T) {
	pages, err := filepath.Glob("cookbook/*-*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			blocks := regexp.MustCompile("(?s)```(go)?\n(.*?)```").FindAllStringSubmatch(string(text), -1)
			if len(blocks) != 2 || blocks[0][1] != "go" || blocks[1][1] != "" {
				t.Fatalf("%d blocks, want a program and what it prints", len(blocks))
			}
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, []byte(blocks[0][2]), 0o600); err != nil {
				t.Fatal(err)
			}
			got, want := goRun(t, file), blocks[1][2]
			if start, cut := strings.CutSuffix(want, "…\n"); cut && strings.HasPrefix(got, start) {
				return
			}
			if got != want {
				t.Errorf("the program prints\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Every page of the cookbook is on its first page.
func TestCookbookIndex(t *testing.T) {
	pages, err := filepath.Glob("cookbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile("cookbook/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); name != "README.md" && !strings.Contains(string(index), "("+name+")") {
			t.Errorf("%s is not on the first page", page)
		}
	}
}

// The table of terms has every configuration block that there is.
func TestTerms(t *testing.T) {
	dir := filepath.Dir(testutil.SharedFile(t, "data", "articles", "README.md"))
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("cookbook/terms.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		want = append(want, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		got = append(got, row[1])
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("blocks\n%v\nwant\n%v", got, want)
	}
}
