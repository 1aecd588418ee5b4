package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// event is a line of go test -json. Those of a build name the import path instead of
// the package.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string // the import path of the build without which a package failed
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
	var stderr bytes.Buffer
	cmd := exec.CommandContext(context.Background(), "go", append(args, "./...")...)
	cmd.Dir = filepath.Join(c.root, dir)
	cmd.Stderr = io.MultiWriter(os.Stderr, &stderr)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.result("go test "+dir, err, started)
		return
	}
	c.stream(stdout)
	if err := cmd.Wait(); err != nil && c.failed == before {
		err = fmt.Errorf("failed without a failed test: %w", err)
		c.result("go test "+dir, &commandError{err, stderr.String()}, started)
	}
}

// stream takes the events of one run of go test into the totals.
func (c *checks) stream(events io.Reader) {
	r := run{checks: c, output: map[string]*strings.Builder{}, broken: map[string]bool{}}
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); err != nil {
			return // the end, or the exit status says what went wrong
		}
		r.count(e)
	}
}

// run is what is known of a run of go test that has not ended.
type run struct {
	*checks
	output map[string]*strings.Builder // by package and test that have not ended
	broken map[string]bool             // packages with a failed test, and builds that failed
}

// count takes one event into the totals.
func (r *run) count(e event) {
	pkg := cmp.Or(e.Package, e.ImportPath)
	key := pkg + " " + e.Test
	text := r.output[key]
	if text == nil {
		text = &strings.Builder{}
		r.output[key] = text
	}
	switch {
	case e.Action == "output" || e.Action == "build-output":
		text.WriteString(e.Output)
		if total := totals.FindString(e.Output); total != "" {
			fmt.Fprintln(r.log, "\t"+total)
		}
		return
	case e.Action == "pass" && e.Test == "":
		fmt.Fprintf(r.log, "ok\t%s\t%.1fs\n", pkg, e.Elapsed)
	case e.Action == "pass":
		r.passed++
	case e.Action == "fail" && e.Test != "":
		r.broken[pkg] = true
		r.fail(key, text.String())
	case e.Action == "build-fail":
		r.broken[pkg] = true
		r.fail("build of "+pkg, text.String())
	case e.Action == "fail" && r.broken[e.FailedBuild]:
		fmt.Fprint(r.log, text) // the build is the failure
	case e.Action == "fail":
		r.failPackage(pkg, text.String())
	case e.Action == "skip" && e.Test != "":
		r.skipped = append(r.skipped, key+": "+reason(text.String()))
	case e.Action == "start", e.Action == "run", e.Action == "pause", e.Action == "cont":
		return
	}
	delete(r.output, key)
}

// failPackage says what is left of a package that failed. A process that crashes ends
// no test, and go test takes its trace for the text of a test that was under way.
func (r *run) failPackage(pkg, text string) {
	delete(r.output, pkg+" ")
	var unfinished []string
	for key := range r.output {
		if strings.HasPrefix(key, pkg+" ") {
			unfinished = append(unfinished, key)
		}
	}
	if len(unfinished) == 0 && r.broken[pkg] {
		return // its tests have said it
	}
	slices.Sort(unfinished)
	texts := []string{text}
	for _, key := range unfinished {
		texts = append(texts, r.output[key].String())
		delete(r.output, key)
	}
	r.fail(strings.Join(append([]string{pkg}, unfinished...), ", in "), strings.Join(texts, ""))
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
