// Command correlation compares package correlation and its mode for the inhibit_rules of Alertmanager with Alertmanager
// 0.34.2 itself: its inhibitor, and its whole path from provider to dispatcher.
//
// A line has processor time per operation; see package measure. Lines of memory have bytes, and are measured in a process of
// their own, as are the growth of a storm, what is taken in beside a fixed figure, and each side of the whole path. The lines
// correlation/mute_all, mute_plain and mute_storm are geometric means: storms carry the first of them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	only := flag.String("only", "", "measure the pairs whose name matches this regular expression")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is a run of the program.
type bench struct {
	out  *json.Encoder
	only *regexp.Regexp
}

func run(only string) (err error) {
	b := &bench{out: json.NewEncoder(os.Stdout)}
	if b.only, err = regexp.Compile(only); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	if side := os.Getenv(pathEnv); side != "" {
		return b.pathAlone(side)
	}
	for _, s := range alone() {
		if s.lines[0] == os.Getenv(aloneEnv) {
			return s.run(b)
		}
	}
	for _, scenario := range []func(*bench) error{
		(*bench).mutes, (*bench).storms, (*bench).ingests, (*bench).path, (*bench).engine, (*bench).growth, (*bench).apart,
	} {
		if err := scenario(b); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) wants(name string) bool { return b.only.MatchString(name) }

// pairs measures those that are wanted.
func (b *bench) pairs(list ...measure.Pair) error {
	for i := range list {
		p := &list[i]
		if !b.wants(p.Name) {
			continue
		}
		if r, err := p.Measure(); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		} else if err := b.out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// aloneEnv holds the first line of the scenario that a process is for.
const aloneEnv = "EVENKEEL_BENCH_ALONE"

// scenario prints some lines.
type scenario struct {
	lines []string
	run   func(*bench) error
}

// alone are the scenarios that want a process of their own.
func alone() []scenario {
	return append(ingestGoals(), []scenario{
		{[]string{"correlation/storm_growth"}, (*bench).stormGrowth},
		{[]string{"correlation/memory_1_rule"}, func(b *bench) error { return b.memory("correlation/memory_1_rule", 1, 400) }},
		{[]string{"correlation/memory_10_rules"}, func(b *bench) error { return b.memory("correlation/memory_10_rules", 10, 1000) }},
		{[]string{"correlation/million_memory", "correlation/million_apply_p99"}, (*bench).million},
		{[]string{"correlation/million_restore"}, (*bench).restore},
	}...)
}

// apart runs the scenarios of alone that have a wanted line.
func (b *bench) apart() error {
	for _, s := range alone() {
		if !slices.ContainsFunc(s.lines, b.wants) {
			continue
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(context.Background(), self, "-only", b.only.String())
		cmd.Env = append(os.Environ(), aloneEnv+"="+s.lines[0])
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", s.lines[0], err)
		}
	}
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
