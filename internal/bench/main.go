// Command bench compares evenkeel with other libraries and with fixed goals:
//
//	go run . [-only regexp]
//
// It prints one JSON line per measured pair, named area/what; see package
// measure. Every area is a program of its own, so that only its peers are
// compiled.
package main

import (
	"context"
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
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	if _, err := regexp.Compile(only); err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join("*", "main.go"))
	if err != nil {
		return err
	}
	if len(programs) == 0 {
		return errors.New("no area here: run it in internal/bench")
	}
	for _, area := range chosen(programs, only) {
		cmd := exec.CommandContext(context.Background(), "go", "run", ".", "-only", only)
		cmd.Dir = area // which may be a module of its own
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", area, err)
		}
	}
	return nil
}

// chosen returns the areas that may hold a match. A pattern that names areas, as
// in ^slo/, is for those alone; any other is tried in all.
func chosen(programs []string, only string) []string {
	var all, named []string
	for _, program := range programs {
		area := filepath.Dir(program)
		all = append(all, area)
		if strings.Contains(only, area+"/") {
			named = append(named, area)
		}
	}
	if named != nil {
		return named
	}
	return all
}
