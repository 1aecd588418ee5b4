package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// name is the file of a package, as in sla_calendar.txt.
func name(folder string) string { return strings.ReplaceAll(folder, "/", "_") + ".txt" }

// exceptions is the file of breaks that are meant.
const exceptions = "except.txt"

// current returns the lines of every public package by the name of its file.
func current(m *module) (map[string][]string, error) {
	files := map[string][]string{}
	for _, path := range m.public {
		pkg, err := m.imports.Import(path)
		if err != nil {
			return nil, err
		}
		files[name(m.folder(path))] = features(pkg, m.path)
	}
	return files, nil
}

func writePromise(dir string, m *module) error {
	files, err := current(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if base := filepath.Base(file); base != exceptions && files[base] == nil {
			err = errors.Join(err, os.Remove(file))
		}
	}
	for base, lines := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, base), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
	return err
}

// checkPromise compares the files of dir with the packages. What is new is no difference:
// it is promised with the next release.
func checkPromise(dir string, m *module) error {
	files, err := current(m)
	if err != nil {
		return err
	}
	promise, err := readPromise(dir)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, exceptions))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	except, err := readExceptions(string(text))
	if err != nil {
		return err
	}
	return compare(promise, files, except)
}

// compare returns an error that lists what is gone and in no exception, and exceptions of
// what is not gone. The lines of a file are sorted.
func compare(promise, now map[string][]string, except []string) error {
	var gone []string
	for base, lines := range promise {
		for _, line := range lines {
			if _, found := slices.BinarySearch(now[base], line); !found {
				gone = append(gone, base+": "+line)
			}
		}
	}
	var problems []string
	for _, line := range gone {
		if !slices.Contains(except, line) {
			problems = append(problems, "- "+line)
		}
	}
	for _, line := range except {
		if !slices.Contains(gone, line) {
			problems = append(problems, "needless in "+exceptions+": "+line)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("%d differences from docs/api:\n%s\nA break that is meant has its line in docs/api/%s, with a reason", len(problems), strings.Join(problems, "\n"), exceptions)
}

// readExceptions reads lines of "file: line" below a comment each, which is the reason and
// ends at an empty line.
func readExceptions(text string) ([]string, error) {
	var list []string
	reason := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "#"):
			reason = len(strings.TrimSpace(line)) > 1
		case !reason:
			return nil, fmt.Errorf("docs/api/%s: no reason above %q", exceptions, line)
		default:
			list = append(list, line)
		}
	}
	return list, nil
}

func readPromise(dir string) (map[string][]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	promise := map[string][]string{}
	for _, file := range names {
		if filepath.Base(file) == exceptions {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		promise[filepath.Base(file)] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return promise, nil
}
