// Package measure times pairs of functions side by side in one process.
//
// A pair is measured in interleaved rounds, so that both sides meet the same
// disturbances; each side's figure is its median. The clock counts the
// processor time of the process where the system tells it, garbage collection
// included, with GOMAXPROCS at 1.
package measure

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// Pair is one comparison.
type Pair struct {
	// Name is area/what, without spaces.
	Name string
	// Peer names the other side and its version; "goal" for a fixed figure.
	Peer string
	// Bar is the ratio to reach.
	Bar float64
	// Ops is the number of operations one call of either side makes; figures are
	// per operation. Defaults to 1.
	Ops int
	// Goal is the figure of a peer "goal", per operation.
	Goal time.Duration
	// Setup prepares both sides and checks that they answer sensibly; it is not
	// timed. theirs is nil for a goal.
	Setup func() (ours, theirs func(), err error)
}

// Result is a line of output. Ratio is peer over ours: above 1 ours is faster.
type Result struct {
	Name   string  `json:"name"`
	OursNS float64 `json:"ours_ns"`
	Peer   string  `json:"peer"`
	PeerNS float64 `json:"peer_ns"`
	Ratio  float64 `json:"ratio"`
	Bar    float64 `json:"bar"`
}

const (
	rounds = 15
	// slice is the least time one side runs in a round.
	slice = 25 * time.Millisecond
)

// Main measures the pairs that -only selects and prints a JSON line for each. It
// ends the process with status 1 if one cannot be set up.
func Main(pairs []Pair) {
	only := flag.String("only", "", "measure the pairs whose name matches this regular expression")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	runtime.GOMAXPROCS(1)
	out := json.NewEncoder(os.Stdout)
	for _, p := range pairs {
		if !pattern.MatchString(p.Name) {
			continue
		}
		r, err := p.measure()
		if err == nil {
			err = out.Encode(r)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", p.Name, err)
			os.Exit(1)
		}
	}
}

func (p *Pair) measure() (Result, error) {
	ours, theirs, err := p.Setup()
	if err != nil {
		return Result{}, err
	}
	r := Result{Name: p.Name, Peer: p.Peer, Bar: p.Bar, PeerNS: float64(p.Goal.Nanoseconds())}
	ops := float64(max(p.Ops, 1))
	sides := []*side{{run: ours}}
	if theirs != nil {
		sides = append(sides, &side{run: theirs})
	}
	for _, s := range sides {
		s.calibrate()
	}
	for i := range rounds {
		// The first in a round changes, lest one side always pay for the other's
		// garbage.
		for j := range sides {
			sides[(i+j)%len(sides)].round()
		}
	}
	r.OursNS = sides[0].median() / ops
	if theirs != nil {
		r.PeerNS = sides[1].median() / ops
	}
	r.Ratio = round4(r.PeerNS / r.OursNS)
	r.OursNS, r.PeerNS = round4(r.OursNS), round4(r.PeerNS)
	return r, nil
}

type side struct {
	run   func()
	calls int
	times []float64 // ns per call
}

// calibrate finds the number of calls that fills a slice.
func (s *side) calibrate() {
	s.run() // warm up
	for s.calls = 1; ; s.calls *= 2 {
		if took := s.time(); took >= slice {
			return
		}
	}
}

func (s *side) round() {
	runtime.GC()
	s.times = append(s.times, float64(s.time().Nanoseconds())/float64(s.calls))
}

func (s *side) time() time.Duration {
	start := processorTime()
	for range s.calls {
		s.run()
	}
	return processorTime() - start
}

func (s *side) median() float64 {
	slices.Sort(s.times)
	return s.times[len(s.times)/2]
}

// round4 keeps four significant digits.
func round4(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		return x
	}
	return y
}
