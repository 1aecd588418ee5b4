// Command recordnight records the sample night of examples/quickstart: a small shop is watched by a real Prometheus, Alertmanager
// and node exporter while a script breaks it on purpose, and what they saw is written as small text files.
//
//	go run ./recordnight -out ../../examples/quickstart/testdata/night
//	go run ./recordnight -out /tmp/rehearsal -scale 0.1
//	go run ./recordnight -check ../../examples/quickstart/testdata/night
//
// A full recording takes 46 minutes. Every file is checked against the script's own record of the faults before the program
// ends with exit code 0. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"syscall"
	"time"

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "recordnight:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("recordnight", flag.ContinueOnError)
	out := fs.String("out", "", "folder to write the recording to")
	scale := fs.Float64("scale", 1, "factor on all times of the script; 0.1 is a rehearsal of five minutes")
	only := fs.String("check", "", "check the recording in this folder and exit")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *scale < 0.05 || *scale > 1 {
		return fmt.Errorf("-scale %g: want 0.05 to 1", *scale)
	}
	p := newPace(*scale)
	if *only != "" {
		return report(Check(*only, p, self()))
	}
	if *out == "" {
		return errors.New("-out is missing: want the folder to write to")
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tools, err := rig.Look()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "recordnight-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	night, err := record(ctx, tools, work, p)
	if err != nil {
		return err
	}
	if err := export(night, *out); err != nil {
		return err
	}
	return report(Check(*out, p, self()))
}

func report(err error) error {
	if err == nil {
		slog.Info("the recording agrees with its faults")
	}
	return err
}

// self are the words that must not be found in a recording.
func self() Identity {
	var id Identity
	id.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		id.User, id.Home = u.Username, u.HomeDir
	}
	return id
}

// pace holds every time of a recording, shrunk by scale where it can be shrunk.
type pace struct {
	Scale  float64
	Scrape time.Duration // scrape and evaluation interval
	Row    time.Duration // distance of the rows in metrics.csv and sli.csv

	Latency time.Duration // rate window of the latency rules
	Rate    time.Duration // rate window of error share and processor rules

	ForPage    time.Duration // pending time of the pages for what is down
	ForLatency time.Duration // pending time of database and web latency, errors, processor, memory
	ForSlow    time.Duration // pending time of one instance's latency: longer than the 40 s fault plus its rate window
	ForQueue   time.Duration // pending time of the queue

	GroupWait, GroupInterval time.Duration

	QueueLimit int     // jobs
	Flaky      float64 // share of requests that fail on a good day
	WarmUp     time.Duration
}

func newPace(scale float64) pace {
	at := func(d time.Duration) time.Duration { return time.Duration(float64(d) * scale).Round(time.Second) }
	p := pace{Scale: scale, Scrape: max(at(5*time.Second), time.Second)}
	p.Row = 3 * p.Scrape
	p.Latency = max(at(30*time.Second), 4*p.Scrape)
	p.Rate = max(at(60*time.Second), 4*p.Scrape)
	p.ForPage = max(at(15*time.Second), p.Scrape)
	p.ForLatency = max(at(30*time.Second), 2*p.Scrape)
	p.ForSlow = at(40*time.Second) + p.Latency + 4*p.Scrape
	p.ForQueue = max(at(time.Minute), 2*p.Scrape)
	p.GroupWait = max(at(2*time.Second), time.Second)
	p.GroupInterval = max(at(6*time.Second), 2*time.Second)
	p.QueueLimit = int(1000 * scale)
	if scale == 1 {
		p.Flaky = flakyShare // over the short windows of a rehearsal a single failure would raise an alert
	}
	p.WarmUp = max(at(time.Minute), 15*time.Second)
	return p
}

// minute turns a time of the script, in minutes, into a duration of this recording.
func (p pace) minute(m float64) time.Duration {
	return time.Duration(m * p.Scale * float64(time.Minute))
}

// lastMinute is the end of the script.
const lastMinute = 45

func write(dir, name string, data []byte) error {
	return os.WriteFile(filepath.Join(dir, name), data, 0o644)
}
