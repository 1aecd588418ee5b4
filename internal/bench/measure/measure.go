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
	// Fresh sets both sides up anew in every round and calls each once, for calls
	// that change what they work on.
	Fresh bool
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
	rounds      = 15
	freshRounds = 7
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
		r, err := p.Measure()
		if err == nil {
			err = out.Encode(r)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", p.Name, err)
			os.Exit(1)
		}
	}
}

// Measure sets the pair up and measures it. GOMAXPROCS is the caller's business.
func (p *Pair) Measure() (Result, error) {
	measure := p.repeated
	if p.Fresh {
		measure = p.fresh
	}
	sides, err := measure()
	if err != nil {
		return Result{}, err
	}
	r := Result{Name: p.Name, Peer: p.Peer, Bar: p.Bar, PeerNS: float64(p.Goal.Nanoseconds())}
	ops := float64(max(p.Ops, 1))
	r.OursNS = Median(sides[0].times) / ops
	r.Ratio = r.PeerNS / r.OursNS
	if len(sides) > 1 {
		r.PeerNS = Median(sides[1].times) / ops
		ratios := slices.Clone(sides[1].times)
		for i := range ratios {
			ratios[i] /= sides[0].times[i]
		}
		r.Ratio = Median(ratios)
	}
	r.OursAllocs = float64(sides[0].allocs()) / ops
	r.Judge(p.NoAllocs)
	return r, nil
}

// Against returns the line of the same measurement beside a fixed figure per
// operation.
func (r Result) Against(name string, goal time.Duration) Result {
	r.Name, r.Peer, r.PeerNS, r.Ratio, r.Bar = name, "goal", float64(goal.Nanoseconds()), float64(goal.Nanoseconds())/r.OursNS, 1
	r.Judge(false)
	return r
}

// Judge rounds the figures to four digits and sets the verdict: met if the ratio reaches
// the bar and, if allocations are a miss, there are none.
func (r *Result) Judge(noAllocs bool) {
	for _, x := range []*float64{&r.OursNS, &r.PeerNS, &r.Ratio, &r.OursAllocs} {
		*x = round4(*x)
	}
	r.Verdict = "met"
	if r.Ratio < r.Bar || noAllocs && r.OursAllocs > 0 {
		r.Verdict = "missed"
	}
}

// repeated measures one set-up over and over.
func (p *Pair) repeated() ([]*side, error) {
	sides, err := p.sides()
	if err != nil {
		return nil, err
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
	return sides, nil
}

// fresh measures the first call after each of several set-ups.
func (p *Pair) fresh() ([]*side, error) {
	var times [2][]float64
	for i := range freshRounds {
		sides, err := p.sides()
		if err != nil {
			return nil, err
		}
		for j := range sides {
			n := (i + j) % len(sides)
			sides[n].round()
			times[n] = append(times[n], sides[n].times...)
		}
	}
	sides, err := p.sides() // to count the allocations of
	for n, s := range sides {
		s.times = times[n]
	}
	return sides, err
}

// sides are ours and, unless the peer is a goal, theirs.
func (p *Pair) sides() ([]*side, error) {
	ours, theirs, err := p.Setup()
	sides := []*side{{run: ours, calls: 1}}
	if theirs != nil {
		sides = append(sides, &side{run: theirs, calls: 1})
	}
	return sides, err
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

// Median returns the middle one of measurements, of which there is at least one; of an even
// number the upper.
func Median(x []float64) float64 {
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
