// Package mining reads recorded alerts and proposes rules: which alert tends to
// come shortly before which other one, on the same entity or near by.
//
//	result, err := mining.Mine(events, topology, mining.Options{})
//	for _, p := range result.Proposals {
//		fmt.Println(p, p.Rule().Logic)
//	}
//
// An onset is a firing event whose predecessor, the firing event of the same
// alert on the same entity before it, is older than Quiet. For every ordered
// pair of alerts (cause c, effect e) the miner counts the onsets of e with an
// onset of c in the window before, both ends included, on an entity within Hops:
//
//	support    = their number
//	confidence = support / onsets of e          how often e follows c
//	expected   = sum over onsets of e of p      p: share of the recorded time in which a window
//	                                            of c is open near the entity of the onset
//	lift       = support / expected             1: as often as by chance
//	z          = (support - expected) / sqrt(sum of p(1-p))
//
// Expected and z are those of independent trials with probabilities p (Poisson
// binomial distribution). Confidence ranks the proposals: on a recording with
// known causes it finds them better than lift or counts do.
//
// A proposal is a hint and no finding: two effects of one cause follow each other
// as well, alerts with coarse times tie, and then both directions are proposed.
// Nothing here changes an engine, and [Proposal.Rule] returns rules that are
// disabled. Somebody has to read them first.
package mining

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// The defaults of Options. Thirty seconds are one interval of metric collection:
// a cause and its effect are seen in the same or in neighbouring collections.
// Five minutes are when Prometheus takes a series for gone, so that what comes
// later is new.
const (
	DefaultWindow = 30 * time.Second
	DefaultQuiet  = 5 * time.Minute
	DefaultHops   = 1
)

// Options of [Mine]. The zero value is ready to use.
type Options struct {
	// Window is the longest time from the onset of a cause to that of an effect.
	// Defaults to DefaultWindow.
	Window time.Duration `json:"window_ns,omitempty"`
	// Quiet is how long an alert has to be away before it counts again. Defaults
	// to DefaultQuiet.
	Quiet time.Duration `json:"quiet_ns,omitempty"`
	// Hops is how far, along dependencies in either direction, a cause may be
	// from its effect; negative means the same entity. Defaults to DefaultHops.
	Hops int `json:"hops,omitempty"`
	// The least values of a proposal. All default to 0, so that pairs that were
	// seen once are proposed too; a reader who wants few starts with a MinZ of 3.
	MinSupport    int     `json:"min_support,omitempty"`
	MinConfidence float64 `json:"min_confidence,omitempty"` // 0..1
	MinLift       float64 `json:"min_lift,omitempty"`
	MinZ          float64 `json:"min_z,omitempty"`
}

// withDefaults checks the options and fills them in.
func (o Options) withDefaults() (Options, error) {
	var problems []error
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{{"Window", &o.Window, DefaultWindow}, {"Quiet", &o.Quiet, DefaultQuiet}} {
		if *d.value < 0 {
			problems = append(problems, &correlation.OptionError{Option: d.name, Value: *d.value, Want: "0 or more"})
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	switch {
	case o.Hops == 0:
		o.Hops = DefaultHops
	case o.Hops < 0:
		o.Hops = 0
	}
	if o.MinSupport < 0 {
		problems = append(problems, &correlation.OptionError{Option: "MinSupport", Value: o.MinSupport, Want: "0 or more"})
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"MinConfidence", o.MinConfidence}, {"MinLift", o.MinLift}, {"MinZ", o.MinZ}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) { // NaN too
			problems = append(problems, &correlation.OptionError{Option: f.name, Value: f.value, Want: "0 or more"})
		}
	}
	return o, errors.Join(problems...)
}

// Result is what a recording tells.
type Result struct {
	// Proposals by confidence, then z, then cause and effect.
	Proposals []Proposal `json:"proposals"`
	Events    int        `json:"events"`  // firing events
	Onsets    int        `json:"onsets"`  // of them, onsets
	Skipped   int        `json:"skipped"` // of them, without an entity
	First     time.Time  `json:"from,omitzero"`
	Last      time.Time  `json:"to,omitzero"` // of the first and the last onset
}

// Proposal is a pair of alerts of which one tends to come before the other.
type Proposal struct {
	Cause  string `json:"cause"`  // layer.name
	Effect string `json:"effect"` // layer.name
	Hops   int    `json:"hops"`   // of the options
	// Causes and Effects are the onsets of each, Support those effects that a
	// cause came before.
	Causes     int           `json:"causes"`
	Effects    int           `json:"effects"`
	Support    int           `json:"support"`
	Confidence float64       `json:"confidence"` // 0..1
	Expected   float64       `json:"expected"`   // support by chance
	Lift       float64       `json:"lift"`       // 0 where nothing is expected, as in a recording of one instant
	Z          float64       `json:"z"`          // 0 where chance leaves no room, as when a window is always open
	Lag        time.Duration `json:"lag_ns"`     // mean time from the latest cause to the effect
}

// String returns the pair with its figures.
func (p Proposal) String() string {
	return fmt.Sprintf("%s before %s: %d of %d (confidence %.2f), lift %.1f, z %.1f, mean lag %v",
		p.Cause, p.Effect, p.Support, p.Effects, p.Confidence, p.Lift, p.Z, p.Lag.Round(100*time.Millisecond))
}

// Logic returns the rule: while the cause is active, the effect is suppressed on
// entities that are near.
func (p Proposal) Logic() correlation.Logic {
	return correlation.Logic{
		If:       []correlation.Condition{{Selector: correlation.Selector{Pattern: p.Cause, As: "cause"}}},
		Suppress: []correlation.Selector{{Pattern: p.Effect, Where: []correlation.Predicate{{Op: correlation.Near, Var: "cause", Hops: p.Hops}}}},
	}
}

// Rule returns the proposal as a disabled rule, with its figures as the
// description.
func (p Proposal) Rule() correlation.Rule {
	return correlation.Rule{Name: "mined." + p.Cause + "." + p.Effect, Description: p.String(), Logic: p.Logic().String(), Disabled: true}
}

// Mine counts the pairs in recorded events and proposes rules. Events may come
// in any order; resolved ones do not count. The entity is that of the topology's
// label; a firing event without one cannot be near anything and is skipped.
// Nothing is counted across tenants. Events are checked as an engine would,
// see [correlation.Event.Check]; the first bad one is the error. Those of the options are
// joined [*correlation.OptionError] values.
//
// It takes time of the events times the entities within Hops times the alerts
// that those have seen, and memory of the alerts by entity.
func Mine(events []correlation.Event, t *correlation.Topology, o Options) (Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Result{}, err
	}
	if t == nil {
		t = &correlation.Topology{}
	}
	graph, err := correlation.NewGraph(t)
	if err != nil {
		return Result{}, err
	}
	m := miner{options: o, graph: graph}
	onsets, err := m.onsets(events)
	if err != nil {
		return Result{}, err
	}
	m.count(onsets)
	m.result.Proposals = m.proposals()
	return m.result, nil
}
