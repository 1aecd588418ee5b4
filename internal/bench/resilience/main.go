// Command resilience measures adapters/resilience beside failsafe-go and
// go-retryablehttp: what a call costs, and what they make of allowances, faults and
// outages of a server on the loopback. Lines of scenarios have counts in place of
// times; the peers are given the same chances and no more than they can do.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// scenario is a run that is counted.
type scenario struct {
	name string
	run  func(side) (outcome, error)
	met  func(outcome) bool
	only bool // ours alone: the peers are no clients of vendors
}

// side is what sends: ours or a peer.
type side string

const (
	raw       side = "raw"
	ours      side = "ours"
	failsafe  side = "failsafe-go v0.9.8"
	retryable side = "go-retryablehttp v0.7.8"
)

// outcome is a line of output. Figures that a scenario does not have are left out.
type outcome struct {
	Name       string  `json:"name"`
	Side       side    `json:"side"`
	Calls      int     `json:"calls,omitempty"`
	OK         int     `json:"ok,omitempty"`
	Requests   int     `json:"requests,omitempty"`
	Least      int     `json:"least,omitempty"`       // requests of a line without faults
	Refused    *int    `json:"refused,omitempty"`     // 429
	Share      float64 `json:"share,omitempty"`       // of the allowance
	Twice      *int    `json:"twice,omitempty"`       // carried out more than once
	Conns      int     `json:"conns,omitempty"`       // connections
	RecoveryMS float64 `json:"recovery_ms,omitempty"` // from the end of the outage to the first success
	Seconds    float64 `json:"seconds,omitempty"`
	Verdict    string  `json:"verdict,omitempty"` // of our side
}

func main() {
	only := flag.String("only", "", "measure the pairs whose name matches this regular expression")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, m := range []struct {
		name  string
		procs int // 0 for all
		run   func(emit func(measure.Result) error) error
	}{{overheadName, 1, overhead}, {loopbackName, 0, loopback}} {
		if !pattern.MatchString(m.name) {
			continue
		}
		before := runtime.GOMAXPROCS(m.procs)
		if err := m.run(func(r measure.Result) error { return out.Encode(r) }); err != nil {
			return err
		}
		runtime.GOMAXPROCS(before)
	}
	for _, s := range scenarios {
		if !pattern.MatchString(s.name) {
			continue
		}
		sides := []side{ours, failsafe, retryable, raw}
		if s.only {
			sides = sides[:1]
		}
		for _, who := range sides {
			o, err := s.run(who)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, who, err)
			}
			o.Name, o.Side = s.name, who
			if who == ours {
				o.Verdict = "missed"
				if s.met(o) {
					o.Verdict = "met"
				}
			}
			if err := out.Encode(o); err != nil {
				return err
			}
		}
	}
	return nil
}
