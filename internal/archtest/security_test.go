package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each promise of SECURITY.md names tests that are there.
func TestSecurityPromises(t *testing.T) {
	named := regexp.MustCompile("`([a-z0-9/]+):((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(read(t, "SECURITY.md"), -1)
	if len(named) < 40 {
		t.Fatalf("%d tests named, want those of every promise", len(named))
	}
	sources := map[string]string{} // the tests of a folder
	for _, n := range named {
		folder, test := n[1], n[2]
		if _, ok := sources[folder]; !ok {
			files, err := filepath.Glob(filepath.Join(rootDir(t), folder, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all.Write(text)
			}
			sources[folder] = all.String()
		}
		if !strings.Contains(sources[folder], "\nfunc "+test+"(") {
			t.Errorf("%s has no %s", folder, test)
		}
	}
}

// licenceRow is a module, its licence and the reason for it.
var licenceRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([A-Za-z0-9.-]+) \\| [^|]+ \\|$")

// SECURITY.md lists the modules of go.mod, with a licence and a reason each.
func TestModulesHaveLicences(t *testing.T) {
	var listed, required []string
	for _, row := range licenceRow.FindAllStringSubmatch(read(t, "SECURITY.md"), -1) {
		listed = append(listed, row[1])
	}
	for _, line := range regexp.MustCompile(`(?m)^\t(\S+) v`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		required = append(required, line[1])
	}
	slices.Sort(listed)
	slices.Sort(required)
	if len(required) == 0 || !slices.Equal(listed, required) {
		t.Errorf("SECURITY.md lists\n%q\ngo.mod requires\n%q", listed, required)
	}
}

// The licences are those of the texts in the modules, as far as these are here.
func TestLicenceTexts(t *testing.T) {
	dirs := map[string]string{}
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}", "all")
	list.Dir = rootDir(t)
	out, err := list.Output()
	if err != nil {
		t.Skipf("skipped: go list needs the module cache or the network: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		dirs[path] = dir
	}
	checked := 0
	for _, row := range licenceRow.FindAllStringSubmatch(read(t, "SECURITY.md"), -1) {
		files, err := filepath.Glob(filepath.Join(dirs[row[1]], "LICEN[CS]E*"))
		if err != nil {
			t.Fatal(err)
		}
		if dirs[row[1]] == "" {
			continue // not downloaded
		}
		if len(files) == 0 {
			t.Errorf("%s has no licence", row[1])
			continue
		}
		text, err := os.ReadFile(files[0]) // the first is LICENSE itself
		if err != nil {
			t.Fatal(err)
		}
		checked++
		if got := licenceOf(string(text)); got != row[2] {
			t.Errorf("%s has the text of %s, SECURITY.md says %s", row[1], got, row[2])
		}
	}
	if checked == 0 {
		t.Skip("skipped: no module is in the module cache")
	}
}

// licenceOf knows a licence by words of its own.
func licenceOf(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case strings.Contains(text, "Apache License") && strings.Contains(text, "Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(text, "Permission is hereby granted, free of charge"):
		return "MIT"
	case strings.Contains(text, "Redistributions in binary form") && strings.Contains(text, "endorse or promote products"):
		return "BSD-3-Clause"
	case strings.Contains(text, "Redistributions in binary form"):
		return "BSD-2-Clause"
	}
	return "none that is known"
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(rootDir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
