package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// event is a line of go test -json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

// totals are the lines of a test that belong into a summary.
var totals = regexp.MustCompile(`vectors \S+: \d+/\d+|timers \S+: fired \d+, lost \d+, duplicated \d+|alertmanager \w+: \d+ .*, \d+ differences|spreadsheet \w+: .*`)

// test runs the tests of the root module and of the modules with servers.
func (c *checks) test() {
	args := []string{"test", "-json", "-timeout", "20m"}
	for _, dir := range tested {
		c.testModule(dir, args)
	}
	if _, err := exec.LookPath("gcc"); err == nil {
		args = append(args, "-race")
	} else {
		c.leftOut("race detector", "needs a C compiler")
	}
	for _, dir := range append([]string{"."}, raced...) {
		c.testModule(dir, args)
	}
}

func (c *checks) testModule(dir string, args []string) {
	started, before := time.Now(), c.failed
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = filepath.Join(c.root, dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.result("go test "+dir, err, started)
		return
	}
	output := map[string]*strings.Builder{}
	broken := map[string]bool{} // packages with a failed test
	decoder := json.NewDecoder(stdout)
	for {
		var e event
		if err := decoder.Decode(&e); err != nil {
			break // the end, or the exit status below says what went wrong
		}
		c.count(e, output, broken)
	}
	if err := cmd.Wait(); err != nil && c.failed == before {
		c.result("go test "+dir, errors.New("failed without a failed test: "+err.Error()), started)
	}
}

// count takes one event into the totals.
func (c *checks) count(e event, output map[string]*strings.Builder, broken map[string]bool) {
	key := e.Package + " " + e.Test
	text := output[key]
	if text == nil {
		text = &strings.Builder{}
		output[key] = text
	}
	switch {
	case e.Action == "output" || e.Action == "build-output":
		text.WriteString(e.Output)
		if total := totals.FindString(e.Output); total != "" {
			fmt.Println("\t" + total)
		}
		return
	case e.Action == "pass" && e.Test == "":
		fmt.Printf("ok\t%s\t%.1fs\n", e.Package, e.Elapsed)
	case e.Action == "pass":
		c.passed++
	case e.Action == "fail" && e.Test != "":
		c.failed++
		c.failures = append(c.failures, key)
		broken[e.Package] = true
		fmt.Printf("FAIL\t%s\n%s", key, text)
	case (e.Action == "fail" || e.Action == "build-fail") && !broken[e.Package]:
		c.failed++
		c.failures = append(c.failures, key+e.Action)
		broken[e.Package] = true
		fmt.Printf("FAIL\t%s\n%s", e.Package, text)
	case e.Action == "skip" && e.Test != "":
		c.skipped = append(c.skipped, key+": "+reason(text.String()))
	case e.Action == "start", e.Action == "run", e.Action == "pause", e.Action == "cont":
		return
	}
	delete(output, key)
}

// reason finds what a skipped test said.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if _, why, ok := strings.Cut(line, ".go:"); ok {
			if _, why, ok = strings.Cut(why, ": "); ok {
				return strings.TrimSpace(why)
			}
		}
	}
	return "no reason given"
}
