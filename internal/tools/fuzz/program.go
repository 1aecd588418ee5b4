package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// built is the test program of a package. The targets run in it and not below go test,
// which would not pass a signal on.
type built struct {
	pkg, dir, cache string
}

// build compiles the tests of the package of t, instrumented for fuzzing.
func build(ctx context.Context, t target) (built, error) {
	dir, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		return built{}, err
	}
	b := built{pkg: t.pkg, dir: dir}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-fuzz", ".", "-o", b.file(), ".")
	cmd.Dir = t.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.remove()
		return built{}, fmt.Errorf("build of %s: %w\n%s", t.pkg, err, out)
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
	b.cache = filepath.Join(strings.TrimSpace(string(out)), "fuzz", filepath.FromSlash(t.pkg)) // as go test has it
	return b, err
}

func (b built) file() string { return filepath.Join(b.dir, "program") }

func (b built) remove() {
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

// result is what a target did: how many inputs it ran, the processor time they took, and
// what failed.
type result struct {
	execs     int64
	processor time.Duration
	err       error
	output    []byte
}

// fuzz runs a target until its time is over or ctx is, of which it is told by a signal.
func (b built) fuzz(ctx context.Context, t target, long time.Duration) result {
	// Shrinking an input for long would use up the time.
	cmd := exec.CommandContext(ctx, b.file(), "-test.run=^$", "-test.fuzz=^"+t.name+"$", "-test.fuzztime="+long.String(),
		"-test.fuzzminimizetime=10x", "-test.fuzzcachedir="+b.cache)
	cmd.Dir = t.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	r := judge(out.Bytes(), err)
	if state := cmd.ProcessState; state != nil {
		r.processor = state.UserTime() + state.SystemTime()
	}
	return r
}

var (
	executions = regexp.MustCompile(`fuzz: elapsed: \S+, execs: (\d+)`)
	kept       = regexp.MustCompile(`Failing input written to (\S+)`)
	deadline   = regexp.MustCompile(`(?m)^--- FAIL: \S+ \([\d.]+s\)\n +context deadline exceeded\n`)
)

// judge reads the output of a target.
func judge(output []byte, err error) result {
	r := result{err: err, output: output}
	if all := executions.FindAllSubmatch(output, -1); all != nil {
		r.execs, _ = strconv.ParseInt(string(all[len(all)-1][1]), 10, 64) // 0 for more digits than there can be
	}
	switch file := kept.FindSubmatch(output); {
	case err == nil && r.execs == 0:
		r.err = errors.New("ran no input")
	case err != nil && file != nil:
		r.err = fmt.Errorf("%w; its input is %s", err, file[1])
	case err != nil && deadline.Match(output):
		r.err = nil // its time was over while an input was shrunk that reaches more code
	}
	return r
}
