// Command fuzz runs every fuzz test of the root module, one after the other,
// each for the time given with -time. Run it with `make fuzz`.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", time.Minute, "how long each fuzz test runs")
	flag.Parse()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		err = fuzz(root, *each)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fuzz(root string, each time.Duration) error {
	packages, err := goCommand(root, "list", "./...")
	if err != nil {
		return err
	}
	for pkg := range strings.FieldsSeq(packages) {
		names, err := goCommand(root, "test", "-list", "^Fuzz", pkg)
		if err != nil {
			return err
		}
		for name := range strings.FieldsSeq(names) {
			if !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			fmt.Println(pkg, name)
			// Shrinking an input for long would use up the time, and fail when it ends meanwhile.
			if out, err := goCommand(root, "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "10x", pkg); err != nil {
				return fmt.Errorf("%s %s: %w\n%s", pkg, name, err, out)
			}
		}
	}
	return nil
}

func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return string(out), err
}
