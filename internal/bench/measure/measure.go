// Package measure times pairs of functions side by side in one process.
//
// A pair is measured in interleaved rounds, so that both sides meet the same
// disturbances; each side's figure is its median, the ratio the median of those
// of the rounds. The clock counts the processor time of the process where the
// system tells it, garbage collection included, with GOMAXPROCS at 1.
//
// A line says whether the bar is met. To see growth, pair one large input with as
// many small ones: the ratio is then 1 if the cost of an operation stays the same.
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
	// NoAllocs makes every allocation of our side a miss.
	NoAllocs bool
	// Setup prepares both sides and checks that they answer sensibly; it is not
	// timed. theirs is nil for a goal.
	Setup func() (ours, theirs func(), err error)
}

// Result is a line of output. Ratio is peer over ours: above 1 ours is faster.
// Verdict is "met" or "missed".
type Result struct {
	Name       string  `json:"name"`
	OursNS     float64 `json:"ours_ns"`
	OursAllocs float64 `json:"ours_allocs"`
	Peer       string  `json:"peer"`
	PeerNS     float64 `json:"peer_ns"`
	Ratio      float64 `json:"ratio"`
	Bar        float64 `json:"bar"`
	Verdict    string  `json:"verdict"`
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
	r.OursNS = median(sides[0].times) / ops
	r.Ratio = r.PeerNS / r.OursNS
	if theirs != nil {
		r.PeerNS = median(sides[1].times) / ops
		ratios := slices.Clone(sides[1].times)
		for i := range ratios {
			ratios[i] /= sides[0].times[i]
		}
		r.Ratio = median(ratios)
	}
	r.OursNS, r.PeerNS, r.Ratio = round4(r.OursNS), round4(r.PeerNS), round4(r.Ratio)
	r.OursAllocs = round4(float64(sides[0].allocs()) / ops)
	r.Verdict = "met"
	if r.Ratio < p.Bar || p.NoAllocs && r.OursAllocs > 0 {
		r.Verdict = "missed"
	}
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
	start := ProcessorTime()
	for range s.calls {
		s.run()
	}
	return ProcessorTime() - start
}

// allocs is how many a call makes. What the runtime allocates now and then is
// less than one a call.
func (s *side) allocs() uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range s.calls {
		s.run()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / uint64(s.calls)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// round4 keeps four significant digits.
func round4(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		return x
	}
	return y
}
