// Command bench compares evenkeel with other libraries and with fixed goals:
//
//	go run . [-only regexp]
//	go run . -page < rows
//
// It prints a JSON line that says where and when, and one per measured pair, named
// area/what; see package measure. Every area is a program of its own, so that only its
// peers are compiled. With -page it measures nothing and makes docs/benchmarks.md of
// such lines.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	only := flag.String("only", "", "measure the pairs whose name matches this regular expression")
	page := flag.Bool("page", false, "read lines from the standard input and write docs/benchmarks.md and docs/growth.svg")
	flag.Parse()
	var err error
	if *page {
		err = writePage(os.Stdin, docs)
	} else {
		err = run(*only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var docs = filepath.Join("..", "..", "docs")

func run(only string) error {
	if _, err := regexp.Compile(only); err != nil {
		return err
	}
	all, err := areas()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(thisMachine()); err != nil {
		return err
	}
	for _, area := range chosen(all, only) {
		cmd := exec.CommandContext(context.Background(), "go", "run", ".", "-only", only)
		cmd.Dir = area // which may be a module of its own
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", area, err)
		}
	}
	return nil
}

// areas are the folders of the programs that measure.
func areas() ([]string, error) {
	programs, err := filepath.Glob(filepath.Join("*", "main.go"))
	for i := range programs {
		programs[i] = filepath.Dir(programs[i])
	}
	if err == nil && len(programs) == 0 {
		err = errors.New("no area here: run it in internal/bench")
	}
	return programs, err
}

// chosen returns the areas that may hold a match. A pattern that names areas, as
// in ^slo/, is for those alone; any other is tried in all.
func chosen(all []string, only string) []string {
	var named []string
	for _, area := range all {
		if strings.Contains(only, area+"/") {
			named = append(named, area)
		}
	}
	if named != nil {
		return named
	}
	return all
}
