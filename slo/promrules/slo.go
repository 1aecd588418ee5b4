package promrules

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/slo"
)

// SLO is an objective and how Prometheus counts its events. Its owner is the label
// "owner" of its alerts, unless Labels or Events.By have one of that name.
type SLO struct {
	slo.Objective
	Events Events

	// Labels are added to all series and alerts of the objective, Annotations to
	// its alerts. A name that the rules use themselves is refused.
	Labels      map[string]string
	Annotations map[string]string
}

// Events says how events are counted. It is one of
//
//	two of Bad, Good and Total, Latency, Up, ErrorRatio
//
// Bad, Good and Total select counters: `http_requests_total{code=~"5.."}`. A text
// with $window in it is taken as the whole expression instead, an instant vector
// of the increase in that window, with no labels but those in By:
// `sum(increase(a[$window])) + sum(increase(b[$window]))`. For $window stands the
// range that holds the increments of the window, see the package comment.
type Events struct {
	Bad, Good, Total string

	Latency *Latency

	// Up selects gauges that are 1 while the service is up and 0 while it is
	// not; each sample is an event.
	Up string

	// ErrorRatio is an expression with $window in it that gives the share of bad
	// events in that window. It cannot be summed, so every window asks it anew.
	ErrorRatio string

	// By are the labels whose values are judged apart, such as "region".
	By []string
}

// Latency counts a request as good if it took at most Limit.
type Latency struct {
	// Histogram selects a histogram by its base name, without _bucket:
	// `http_request_duration_seconds{job="api"}`.
	Histogram string

	// Limit is in seconds. In a classic histogram it must be the bound of a
	// bucket: if no bucket has it, the alert of missing counters says so. A
	// native one is interpolated by Prometheus.
	Limit slo.Ratio

	// Native takes the histogram as a native one.
	Native bool
}

// Options are what all rules of a file share. The zero value works but cannot
// stage.
type Options struct {
	// Scrape is the interval at which the counters are scraped, below 5 minutes.
	// Defaults to unknown: ranges are then taken as they are, nothing is staged, and
	// the file has the note "no_scrape". A rule with a window below it is refused: it
	// would come and go between scrapes.
	Scrape time.Duration

	// Evaluation is the interval of the rule groups, below the 5 minutes after
	// which Prometheus forgets a sample. Defaults to 30s. The stages are whole
	// multiples of it.
	Evaluation time.Duration

	// Direct reads raw samples for every window.
	Direct bool

	// Anchored uses the anchored ranges of Prometheus 3.7 and later, which need
	// --enable-feature=promql-extended-range-selectors and count increments
	// exactly without compensation. Native histograms and expressions are
	// compensated all the same.
	Anchored bool

	// Names says whose dashboards find the series. Defaults to Sloth.
	Names Names

	// AbsentFor is how long a counter may be missing before an alert says so.
	// Defaults to 10m; negative writes no such alert.
	AbsentFor time.Duration

	// Alert is the name of the alerts. Defaults to ErrorBudgetBurn.
	Alert string
}

// Names is a scheme of series names and labels.
type Names uint8

// The schemes.
const (
	Sloth Names = iota // slo:sli_error:ratio_rate5m{sloth_id="…"}
	Pyrra              // http_requests:burnrate5m{slo="…"}
)

// Validate reports everything that keeps the rules of s from being written with
// any [Options], joined: what [slo.Objective.Validate] says, and [*EventsError] and
// [*RuleError].
func (s SLO) Validate() error {
	if err := s.Objective.Validate(); err != nil {
		return err
	}
	var errs []error
	if s.Target.Budget().Sign() == 0 {
		errs = append(errs, &RuleError{Objective: s.ID, Want: "a target below 100 %: without a budget every error would page"})
	}
	for _, text := range [...]string{s.ID, s.Service, s.Owner, s.Runbook} {
		if !utf8.ValidString(text) {
			errs = append(errs, &RuleError{Objective: s.ID, Want: "text in UTF-8, not " + strconv.Quote(text)})
		}
	}
	for _, r := range s.Policy.Rules {
		if !utf8.ValidString(r.Name) || !utf8.ValidString(string(r.Severity)) {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: "text in UTF-8"})
		}
		if !r.Reachable(s.Target) {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: "a threshold below 1, not " + r.Threshold(s.Target).Decimal() + ": it can never fire"})
		}
		if s.Events.ErrorRatio != "" && (r.MinEvents > 0 || r.MinBad > 0) {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: "no min_events and min_bad: an error ratio tells no counts"})
		}
		if r.Kind == slo.Silence && len(s.Events.By) > 0 {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: "no silence beside labels to judge apart: absent() sees only that all of them are silent"})
		}
		if r.Alpha.IsSet() {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: "no alpha: PromQL has no binomial distribution; min_events and min_bad can be written"})
		}
	}
	for _, label := range s.Events.By {
		if _, ok := s.Labels[label]; ok {
			errs = append(errs, &EventsError{Objective: s.ID, Field: "by", Text: label, Want: "a label that is not set for all series"})
		}
	}
	for _, err := range [...]error{s.Events.validate(s.ID), checkLabels(s.ID, "labels", s.Labels), checkLabels(s.ID, "annotations", s.Annotations)} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// blind reports the rules with a window below the scrape interval: it is empty
// between scrapes, so that the alert comes and goes with them.
func (s SLO) blind(scrape time.Duration) error {
	var errs []error
	for _, r := range s.Policy.Rules {
		if shortest := cmp.Or(r.Short, r.Long); r.Kind != slo.Silence && shortest < scrape {
			errs = append(errs, &RuleError{Objective: s.ID, Rule: r.Name, Want: fmt.Sprintf("windows from the scrape interval of %v on, not %v: see slo.Policy.WithShort", scrape, shortest)})
		}
	}
	return errors.Join(errs...)
}

// RuleError is something that is asked for and cannot be written as a rule.
type RuleError struct {
	Objective string
	Rule      string // of the policy, or empty
	Want      string
}

// Error names the objective and says what is wanted.
func (e *RuleError) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("promrules: objective %q: want %s", e.Objective, e.Want)
	}
	return fmt.Sprintf("promrules: objective %q: rule %q: want %s", e.Objective, e.Rule, e.Want)
}

// EventsError is a fault in how events are counted.
type EventsError struct {
	Objective string
	Field     string // "bad", "good", "total", "latency.histogram", …; "" for all of it
	Text      string
	Offset    int // bytes into Text
	Want      string
}

// Error names the field and the place in it.
func (e *EventsError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("promrules: objective %q: events %s: want %s", e.Objective, e.Field, e.Want)
	}
	return fmt.Sprintf("promrules: objective %q: events %s: %q at byte %d: want %s", e.Objective, e.Field, e.Text, e.Offset, e.Want)
}
