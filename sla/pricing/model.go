package pricing

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sample"
	"github.com/evenkeelops/evenkeel/sla"
)

// Model is what may happen to a service in one period. It is data: write it as a
// literal, or take it from the past with [FromHistory] or [FromStatements]. Either
// Past is set, whose periods are drawn whole, or any of the others, which are
// independent of each other.
type Model struct {
	Name string `json:"name,omitempty"`

	// Outages are those of the provider. Maintenance and outages that a contract
	// excludes have no part in a model.
	Outages []Process `json:"outages,omitempty"`

	// Overlap says what outages at the same time come to. By default they begin
	// anywhere in the period and their union counts, as in a statement. With
	// sla.OverlapSum they are taken to be apart from each other: their lengths
	// add up, at most to the promised time. [Exact] needs the sum.
	Overlap sla.Overlap `json:"overlap,omitzero"`

	// Late are the incidents that miss a target.
	Late []Late `json:"late,omitempty"`

	// Gaps are the stretches without monitoring.
	Gaps []Process `json:"gaps,omitempty"`

	// Past holds periods of the past, each as likely as the others: the bootstrap
	// of Efron (Annals of Statistics 7, 1979). What belongs together in a period
	// stays together.
	Past []Past `json:"past,omitempty"`

	// Basis says what the rates were counted from. Nil is somebody's estimate.
	Basis *Basis `json:"basis,omitempty"`
}

// Process is a Poisson process: stretches that begin independently of each other
// at a constant rate, and have independent lengths. One that runs over the end of
// the period goes on at its start: as much comes over from the period before, in
// the long run. None is longer than the period.
type Process struct {
	// Service is the one concerned. "" and "*" are all at once.
	Service string `json:"service,omitempty"`

	// PerPeriod is the expected number in a whole period. One that the contract
	// cuts has its share.
	PerPeriod float64 `json:"per_period"`

	Length Lengths `json:"length"`
}

// Late is a stream of incidents of one severity under one clause, of which some
// miss their target. The late ones are a Poisson process of rate
// PerPeriod·Probability. Streams are independent: that an incident is late twice,
// with its response and its resolution, is no likelier than chance.
type Late struct {
	Clause   sla.Clause        `json:"clause"` // response, update or resolution
	Severity incident.Severity `json:"severity"`

	PerPeriod   float64 `json:"per_period"`  // expected number of incidents in a whole period
	Probability float64 `json:"probability"` // that one is late, 0 to 1
}

// Basis counts what rates were taken from.
type Basis struct {
	Periods   int `json:"periods"`
	Outages   int `json:"outages"`
	Gaps      int `json:"gaps"`
	Incidents int `json:"incidents"` // clocks that ended
}

// ModelError says what is wrong with a model, or with a model under a contract.
type ModelError struct {
	Path  string // such as "outages[0].length.mean_ns"
	Value string // what stands there
	Want  string // what was expected
	Err   error  // the cause beneath, or nil
}

// Error names the path, the value and what was expected.
func (e *ModelError) Error() string {
	text := fmt.Sprintf("pricing: %s %q: want %s", e.Path, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *ModelError) Unwrap() error { return e.Err }

// MaxRate is the largest expected number of events of one process in a period.
const MaxRate = 10_000

// clocks are the clauses whose incidents can be late, in the order of
// [sla.Clauses].
var clocks = [...]sla.Clause{sla.ClauseResponse, sla.ClauseUpdate, sla.ClauseResolution}

// Validate returns all that is wrong with the model, joined, each of type
// [*ModelError].
func (m Model) Validate() error {
	var problems []error
	check := func(ok bool, path, value, want string) {
		if !ok {
			problems = append(problems, &ModelError{Path: path, Value: value, Want: want})
		}
	}
	processes := func(name string, list []Process) {
		for i, p := range list {
			path := fmt.Sprintf("%s[%d]", name, i)
			check(p.PerPeriod >= 0 && p.PerPeriod <= MaxRate, path+".per_period", number(p.PerPeriod), "0 to "+strconv.Itoa(MaxRate))
			if _, err := p.Length.sampler(path + ".length"); err != nil {
				problems = append(problems, err)
			}
		}
	}
	processes("outages", m.Outages)
	processes("gaps", m.Gaps)
	for i, g := range m.Gaps {
		check(g.Service == "", fmt.Sprintf("gaps[%d].service", i), g.Service, "none: monitoring is that of all services")
	}
	for i, l := range m.Late {
		path := fmt.Sprintf("late[%d]", i)
		check(slices.Contains(clocks[:], l.Clause), path+".clause", string(l.Clause), "response, update or resolution")
		check(l.Severity.IsSet(), path+".severity", l.Severity.String(), "P1 to P4")
		check(l.PerPeriod >= 0 && l.PerPeriod <= MaxRate, path+".per_period", number(l.PerPeriod), "0 to "+strconv.Itoa(MaxRate))
		check(l.Probability >= 0 && l.Probability <= 1, path+".probability", number(l.Probability), "0 to 1")
	}
	check(m.Overlap <= sla.OverlapSum, "overlap", strconv.Itoa(int(m.Overlap)), "union or sum")
	rates := len(m.Outages)+len(m.Late)+len(m.Gaps) > 0
	check(rates || len(m.Past) > 0, "outages", "", "something that may happen, at a rate of 0 if it does not")
	check(!rates || len(m.Past) == 0, "past", fmt.Sprintf("%d periods", len(m.Past)), "none beside rates")
	for i, p := range m.Past {
		problems = append(problems, p.problems(fmt.Sprintf("past[%d]", i))...)
	}
	return errors.Join(problems...)
}

// String describes the model, a line for each of its parts.
func (m Model) String() string {
	var b strings.Builder
	if m.Name != "" {
		fmt.Fprintf(&b, "%s\n", m.Name)
	}
	for _, p := range m.Outages {
		fmt.Fprintf(&b, "outages%s: %s\n", p.of(), p)
	}
	for _, l := range m.Late {
		fmt.Fprintf(&b, "%s %s: %s a period, late with probability %s\n", l.Clause, l.Severity, number(l.PerPeriod), number(l.Probability))
	}
	for _, p := range m.Gaps {
		fmt.Fprintf(&b, "gaps in the monitoring: %s\n", p)
	}
	if n := len(m.Past); n > 0 {
		outages, gaps, incidents := m.counts()
		fmt.Fprintf(&b, "%d past periods, drawn whole: %d outages, %d gaps, %d ended clocks\n", n, outages, gaps, incidents)
	}
	if m.Basis != nil {
		fmt.Fprintf(&b, "counted from %d periods: %d outages, %d gaps, %d ended clocks\n", m.Basis.Periods, m.Basis.Outages, m.Basis.Gaps, m.Basis.Incidents)
	}
	if m.Overlap == sla.OverlapSum {
		b.WriteString("lengths of outages add up, as if none overlapped\n")
	}
	for _, note := range m.Doubts() {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String returns rate and lengths.
func (p Process) String() string {
	return fmt.Sprintf("%s a period, %s", number(p.PerPeriod), p.Length)
}

func (p Process) of() string {
	if p.Service == "" || p.Service == "*" {
		return ""
	}
	return " of " + p.Service
}

// How much of the past there has to be. A percentile that one period in n lies
// above cannot be seen in fewer than n of them.
const (
	periodsForP95 = 20
	periodsForP99 = 100
	fewOutages    = 30
)

// Doubts says where the data behind the model is too little for what a forecast
// reads from it. It is empty for a model of estimates.
func (m Model) Doubts() []string {
	var out []string
	switch n := len(m.Past); {
	case n == 0:
	case n < periodsForP95:
		out = append(out, fmt.Sprintf("little data: %d periods cannot show what happens once in %d, so P95 and P99 are the worst seen", n, periodsForP95))
	case n < periodsForP99:
		out = append(out, fmt.Sprintf("little data: %d periods cannot show what happens once in %d, so P99 is the worst seen", n, periodsForP99))
	}
	if b := m.Basis; b != nil {
		switch {
		case b.Outages == 0:
			// 1 − 0.05^(1/n) ≈ 3/n: Hanley and Lippman-Hand, If nothing goes wrong,
			// is everything all right?, JAMA 249, 1983.
			out = append(out, fmt.Sprintf("no outage in %d periods: up to %s a period are within the 95 %% bound all the same", b.Periods, number(3/float64(b.Periods))))
		case b.Outages < fewOutages:
			out = append(out, fmt.Sprintf("little data: no outage is longer than the longest of %d", b.Outages))
		}
	}
	return out
}

// rate builds the number of events in the share of a period that counts.
func rate(path string, perPeriod, share float64) (sample.Dist, error) {
	d, err := sample.Poisson(perPeriod * share)
	if err != nil {
		return sample.Dist{}, &ModelError{Path: path, Value: number(perPeriod), Want: "a rate", Err: err}
	}
	return d, nil
}

// number prints at most six significant digits.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
