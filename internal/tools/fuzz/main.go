// Command fuzz runs the fuzz tests of the root module one after the other. Run it with
// `make fuzz`:
//
//	go run ./fuzz [-time 1m] [-outside 10m] [-only regexp] [-journal file] [-resume]
//
// Targets that take apart bytes of others run for -outside, the rest for -time; outside.txt
// lists the former. It begins with the plan and its total time, and says after each target
// how many inputs it ran. A target that fails keeps its input in testdata/fuzz of its
// package, and the others run all the same. Ctrl-C stops it; with -resume it goes on after
// the targets that ended well for as long as is asked now. The journal of which ended well
// is .cache/fuzz.jsonl; that of the release is internal/tools/fuzz/runs.jsonl.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	each := flag.Duration("time", time.Minute, "how long a target runs")
	outside := flag.Duration("outside", 0, "how long a target runs that takes apart bytes of others (default: that of -time)")
	only := flag.String("only", "", "run the targets that match this regular expression, as in ^sla/money or FuzzParse")
	file := flag.String("journal", filepath.Join("..", "..", ".cache", "fuzz.jsonl"), "the file that keeps which targets ended well, and how many inputs they ran")
	resume := flag.Bool("resume", false, "go on after the targets that ended well last time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		s := session{root: root, journal: *file, each: *each, outside: *outside, resume: *resume, log: os.Stdout}
		if s.outside == 0 {
			s.outside = s.each
		}
		err = s.run(ctx, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1) //nolint:gocritic // stop only takes the handler of signals away
	}
}

// session is one run over many targets.
type session struct {
	root, journal string
	each, outside time.Duration
	resume        bool
	log           io.Writer
}

// time is how long a target runs.
func (s *session) time(t target) time.Duration {
	if t.outside {
		return s.outside
	}
	return s.each
}

func (s *session) run(ctx context.Context, only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all, err := targets(ctx, s.root)
	if err != nil {
		return err
	}
	ended, err := openJournal(s.journal, s.resume)
	if err != nil {
		return err
	}
	defer ended.file.Close()
	var chosen []target
	for _, t := range all {
		if pattern.MatchString(t.String()) && ended.times[t.String()] < s.time(t) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return errors.New("no target is left")
	}
	s.plan(chosen)
	return s.all(ctx, chosen, ended)
}

// plan says what is to run and how long it takes.
func (s *session) plan(chosen []target) {
	var total time.Duration
	outside := 0
	for _, t := range chosen {
		total += s.time(t)
		if t.outside {
			outside++
		}
	}
	fmt.Fprintf(s.log, "%d targets, %d of them take apart bytes of others: %d x %s + %d x %s = %s, and the builds\n",
		len(chosen), outside, outside, s.outside, len(chosen)-outside, s.each, total)
}

// all runs the targets, of which those of one package stand together.
func (s *session) all(ctx context.Context, chosen []target, ended *journal) error {
	var program built
	defer func() { program.remove() }()
	total, failed := int64(0), 0
	for i, t := range chosen {
		if program.pkg != t.pkg {
			program.remove()
			var err error
			if program, err = build(ctx, t); err != nil {
				if ctx.Err() != nil {
					return stopped(i, len(chosen), total)
				}
				return err
			}
		}
		r := program.fuzz(ctx, t, s.time(t))
		total += r.execs
		switch {
		case ctx.Err() != nil:
			return stopped(i, len(chosen), total)
		case r.err != nil:
			failed++
			fmt.Fprintf(s.log, "FAIL\t%s\t%d inputs: %v\n%s", t.label(), r.execs, r.err, r.output)
		default:
			fmt.Fprintf(s.log, "ok\t%s\t%d inputs in %s\n", t.label(), r.execs, s.time(t))
			if err := ended.add(entry{t.String(), s.time(t), r.processor.Round(time.Millisecond), r.execs}); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(s.log, "%d inputs, %d targets passed, %d failed\n", total, len(chosen)-failed, failed)
	if failed > 0 {
		return fmt.Errorf("%d targets failed; their inputs are kept in testdata/fuzz of their packages", failed)
	}
	return nil
}

func stopped(ended, of int, total int64) error {
	return fmt.Errorf("stopped after %d of %d targets and %d inputs; -resume goes on", ended, of, total)
}
