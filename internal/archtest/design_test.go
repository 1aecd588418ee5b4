package archtest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every package has a line among the rooms of DESIGN.md, no line stands there twice,
// and neither does a room among what is not there yet.
func TestDesign(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(rootDir(t), "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rooms, _ := strings.Cut(string(text), "## Rooms\n\n```\n")
	rooms, _, ok := strings.Cut(rooms, "```\n")
	if !ok {
		t.Fatal("DESIGN.md has no list of rooms")
	}
	listed := map[string]bool{}
	for line := range strings.Lines(rooms) {
		for i, word := range strings.Fields(line) {
			if i > 0 && !strings.Contains(word, "/") {
				break // what the room is for
			}
			for _, room := range expand(word) {
				if listed[room] {
					t.Errorf("room %s has two lines", room)
				}
				listed[room] = true
			}
		}
	}
	for file := range sources(t) {
		if folder := path.Dir(file); !strings.HasPrefix(folder, "examples") && !listed[parent(folder)] {
			t.Errorf("%s: folder %s is in no line of the rooms", file, folder)
			listed[parent(folder)] = true // once is enough
		}
	}
	_, missing, ok := strings.Cut(string(text), "## Not there yet\n")
	if !ok {
		t.Fatal("DESIGN.md does not say what is missing")
	}
	seen := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(missing, -1) {
		if seen[row[1]] {
			t.Errorf("%s stands twice among what is not there yet", row[1])
		}
		seen[row[1]] = true
	}
}

// expand returns a/x and a/y for "a/{x,y}".
func expand(word string) []string {
	before, names, ok := strings.Cut(strings.TrimSuffix(word, "}"), "{")
	if !ok {
		return []string{word}
	}
	list := strings.Split(names, ",")
	for i := range list {
		list[i] = before + list[i]
	}
	return list
}

// parent returns the folder that an internal one is a part of.
func parent(folder string) string {
	if before, _, ok := strings.Cut(folder, "/internal/"); ok {
		return before
	}
	return folder
}
