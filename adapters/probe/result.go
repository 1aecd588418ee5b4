package probe

import (
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// State is what is known of a journey or a step.
type State string

// The states.
const (
	Up      State = "up"
	Down    State = "down"
	NoData  State = "no_data" // the monitor is at fault, or was ended
	Skipped State = "skipped" // a step that was not reached, or has nothing to clean up
)

// Result is what came of one run.
type Result struct {
	Journey string        `json:"journey"`
	At      time.Time     `json:"at"`      // of the beginning
	Took    time.Duration `json:"took_ns"` // of the steps, without the cleanup
	State   State         `json:"state"`
	Failed  string        `json:"failed,omitempty"` // the first step that is not up
	Reason  string        `json:"reason,omitempty"` // why
	Steps   []StepResult  `json:"steps"`
	Cleanup []StepResult  `json:"cleanup,omitempty"`
}

// StepResult is what came of one step.
type StepResult struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Status int    `json:"status,omitempty"` // of the answer; 0 without one
	Reason string `json:"reason,omitempty"` // why it is not up, without the values of variables in the URL
	Timing Timing `json:"timing"`
}

// Timing is how long the parts of a request took, together with its redirects. What
// did not happen is 0: a connection that is used again is not made.
type Timing struct {
	DNS       time.Duration `json:"dns_ns"`
	Connect   time.Duration `json:"connect_ns"`
	TLS       time.Duration `json:"tls_ns"`
	FirstByte time.Duration `json:"first_byte_ns"` // from the request being written to the answer
	Total     time.Duration `json:"total_ns"`      // until the last byte of the answer
	Reused    bool          `json:"reused,omitempty"`
}

// Sample is one event for a tracker of package slo, at the end of the run: good if the
// journey is up, missing if there is no data.
func (r Result) Sample() slo.Sample { return sample(r.At.Add(r.Took), r.State) }

// StepSamples are likewise the samples of the steps by name. A step that was not
// reached is missing.
func (r Result) StepSamples() map[string]slo.Sample {
	all := map[string]slo.Sample{}
	for _, s := range r.Steps {
		all[s.Name] = sample(r.At.Add(r.Took), s.State)
	}
	return all
}

func sample(at time.Time, s State) slo.Sample {
	switch s {
	case Up:
		return slo.Sample{At: at, Counts: slo.Counts{Good: 1, Total: 1}}
	case Down:
		return slo.Sample{At: at, Counts: slo.Counts{Total: 1}}
	default:
		return slo.Sample{At: at, Missing: true}
	}
}

// Clean reports whether nothing was left behind that could have been taken away.
func (r Result) Clean() bool {
	for _, s := range r.Cleanup {
		if s.State == Down || s.State == NoData {
			return false
		}
	}
	return true
}
