package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// question is what rickar/cal is asked of a case: the deadline of a target, or
// with an end the working time up to there. Both are taken in the zone of the
// calendar, as it computes in the zone of the value. What a case expects beyond
// that, the instant of the breach and the elapsed time, it is not asked for.
type question struct {
	Hours      calendar.Hours
	Start, End time.Time
	Target     time.Duration
}

// questionOf says, like newRickar, what is not expressible. Whatever the settings
// accept is put to it: hours over midnight, and holidays by the start of a shift,
// which are holidays to it as others are. It can also count workdays and tell the
// hours of a date, from which a caller can build the next business day after the
// receipt; as for the functions that tell start and end of any date, that would
// be the work of the caller.
func questionOf(c clockCase) (question, error) {
	q := question{Hours: c.hours, Start: c.Input.Start, End: c.Input.End, Target: c.target()}
	switch {
	case c.Kind == "next_business_day":
		return q, inexpressible("next business day")
	case len(c.Input.Pauses) > 0:
		return q, inexpressible("pauses")
	}
	_, err := newRickar(c.hours)
	return q, err
}

func (q question) answer() (string, error) {
	zone, err := time.LoadLocation(q.Hours.Zone)
	if err != nil {
		return "", err
	}
	c, err := newRickar(q.Hours)
	if err != nil {
		return "", err
	}
	if !q.End.IsZero() {
		return c.WorkHoursInRange(q.Start.In(zone), q.End.In(zone)).String(), nil
	}
	return c.AddWorkHours(q.Start.In(zone), q.Target).Format(time.RFC3339Nano), nil
}

// askedEnv makes the test binary answer the question on its standard input and
// end. A peer that does not return is killed with its process.
const askedEnv = "EVENKEEL_BENCH_ASK_RICKAR"

func TestMain(m *testing.M) {
	if os.Getenv(askedEnv) == "" {
		os.Exit(m.Run())
	}
	var q question
	err := json.NewDecoder(os.Stdin).Decode(&q)
	answer := ""
	if err == nil {
		answer, err = q.answer()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer)
}

// patience is what an answer may take; they come within a tenth of a second.
const patience = 3 * time.Second

var errHung = errors.New("did not return")

// askRickar returns nil for every case that is answered as it expects.
func askRickar(t *testing.T, cases []clockCase) []error {
	t.Helper()
	errs := make([]error, len(cases))
	var wg sync.WaitGroup
	turn := make(chan struct{}, runtime.NumCPU())
	for i, c := range cases {
		q, err := questionOf(c)
		if err != nil {
			errs[i] = err
			continue
		}
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			var answer string
			if answer, errs[i] = q.ask(t.Context()); errs[i] == nil {
				errs[i] = c.checkAnswer(answer)
			}
		})
	}
	wg.Wait()
	return errs
}

func (q question) ask(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), askedEnv+"=1")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(data), os.Stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", errHung
	}
	return strings.TrimSpace(string(out)), err
}

func (c *clockCase) checkAnswer(answer string) error {
	if c.Kind == "elapsed" {
		if got, err := time.ParseDuration(answer); err != nil || got != c.working() {
			return fmt.Errorf("elapsed %s, want %s", answer, c.working())
		}
		return nil
	}
	if c.Expect.Deadline == nil {
		return fmt.Errorf("due %s, want an error", answer)
	}
	if got, err := time.Parse(time.RFC3339Nano, answer); err != nil || !got.Equal(*c.Expect.Deadline) {
		return fmt.Errorf("due %s, want %s", answer, c.Expect.Deadline.In(got.Location()).Format(time.RFC3339Nano))
	}
	return nil
}
