package slo

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Level grades a [Finding]. Its zero value means "not set".
type Level uint8

// The levels.
const (
	Warning Level = iota + 1 // works, but probably not as wanted
	Error                    // cannot work
)

var levelNames = [...]string{"", "warning", "error"}

// String returns "warning", "error" or "unset".
func (l Level) String() string {
	switch {
	case l == 0:
		return "unset"
	case int(l) < len(levelNames):
		return levelNames[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// MarshalText writes the name, and nothing for the zero value.
func (l Level) MarshalText() ([]byte, error) { return marshalName("level", levelNames[:], uint8(l)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (l *Level) UnmarshalText(text []byte) error {
	return unmarshalName("level", levelNames[:], text, (*uint8)(l))
}

// Finding is something unwise in a policy that can be evaluated all the same.
type Finding struct {
	Level Level  `json:"level"`
	Code  string `json:"code"` // stable, see [Policy.Lint]
	Rule  string `json:"rule"` // empty when it is about the policy
	Text  string `json:"text"` // with the figure
}

// String returns "level: rule: text".
func (f Finding) String() string {
	if f.Rule == "" {
		return fmt.Sprintf("%s: %s", f.Level, f.Text)
	}
	return fmt.Sprintf("%s: %s: %s", f.Level, f.Rule, f.Text)
}

// Surroundings are what a policy is used in.
type Surroundings struct {
	Period time.Duration // of the objective
	// Scrape is the interval of the samples. Defaults to unknown, which leaves
	// out the checks that need it.
	Scrape time.Duration
	// Retention is how far back samples are kept. Defaults to unknown.
	Retention time.Duration
	// EventsPerHour is the usual traffic, to judge MinEvents, MinBad and Alpha by.
	// Defaults to unknown: they are taken to let everything through.
	EventsPerHour Ratio
	// OutageShare is how much of the budget may be gone before some rule
	// notices a total outage. Defaults to 1/10, the largest share of the default
	// tiers.
	OutageShare Ratio
}

func (in Surroundings) validate() error {
	switch {
	case in.Period <= 0:
		return fmt.Errorf("period %v: want more than 0", in.Period)
	case in.EventsPerHour.IsSet() && (!in.EventsPerHour.isFinite() || in.EventsPerHour.Sign() <= 0):
		return fmt.Errorf("events per hour %s: want more than 0", in.EventsPerHour)
	}
	return nil
}

// Lint returns what is unwise in a policy at a target, in the order of the rules
// and then of the policy as a whole. The codes are:
//
//	no_budget          error    at 100 % every single error fires every rule
//	unreachable        error    factor · budget is 1 or more and never fires
//	factor_below_one   warning  holds although the objective is kept
//	short_window_blind error    a window below a scrape interval, empty between scrapes
//	short_scrape       warning  short window below four scrape intervals
//	gate_unreachable   error    min_events, min_bad or alpha beyond all the traffic
//	beyond_retention   error    long window longer than samples are kept
//	beyond_period      warning  long window longer than the objective's
//	at_least_in_budget warning  an absolute count at a ratio that the budget allows
//	short_silence      warning  a silence, with its For, below two scrape intervals
//	slow_burn_unseen   warning  no rule with a factor up to 1
//	outage_late        warning  no rule fires in an outage before OutageShare is gone
//
// A policy that [Policy.Validate] refuses is an error.
func (p Policy) Lint(target Target, in Surroundings) ([]Finding, error) {
	if err := p.validateAt(target); err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	var found []Finding
	add := func(level Level, code, rule, format string, args ...any) {
		found = append(found, Finding{Level: level, Code: code, Rule: rule, Text: fmt.Sprintf(format, args...)})
	}
	if target.Budget().Sign() == 0 && slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Kind == BurnRate }) {
		add(Error, "no_budget", "", "a target of 100 %% leaves no budget: one error fires every rule")
		return found, nil
	}
	one, slow := NewRatio(1, 1), false
	for _, r := range p.Rules {
		if in.Retention > 0 && r.Long > in.Retention {
			add(Error, "beyond_retention", r.Name, "long window %v is longer than the %v that samples are kept", r.Long, in.Retention)
		}
		if r.Long > in.Period {
			add(Warning, "beyond_period", r.Name, "long window %v is longer than the objective's %v", r.Long, in.Period)
		}
		if r.Kind == AbsoluteCount && r.AtLeast.Compare(target.Budget()) <= 0 {
			add(Warning, "at_least_in_budget", r.Name, "an error ratio of %s is within the budget of %s: the rule holds although the objective is kept",
				r.AtLeast.Decimal(), target.Budget().Decimal())
		}
		if r.Kind == Silence && r.Long+r.For < 2*in.Scrape {
			add(Warning, "short_silence", r.Name, "%v without events is below two scrape intervals of %v", r.Long+r.For, in.Scrape)
		}
		if shortest := cmp.Or(r.Short, r.Long); r.Kind != Silence && shortest < in.Scrape {
			add(Error, "short_window_blind", r.Name, "window %v is below the scrape interval of %v: it is empty between scrapes, and the rule comes and goes", shortest, in.Scrape)
		}
		if in.EventsPerHour.IsSet() && r.Kind != Silence {
			if _, ok := r.least(r.Threshold(target), in.eventsIn(r.Long)); !ok {
				add(Error, "gate_unreachable", r.Name, "the %d events that come in %v are too few for min_events, min_bad or alpha, were they all bad", in.eventsIn(r.Long), r.Long)
			}
		}
		if r.Kind != BurnRate {
			continue
		}
		if !r.Reachable(target) {
			add(Error, "unreachable", r.Name, "threshold %s · %s = %s is never exceeded by an error ratio",
				r.Factor.Decimal(), target.Budget().Decimal(), r.Threshold(target).Decimal())
		}
		if r.Factor.Compare(one) < 0 {
			add(Warning, "factor_below_one", r.Name, "factor %s is below 1: the rule holds although the objective is kept", r.Factor.Decimal())
		}
		slow = slow || r.Factor.Compare(one) <= 0
		if r.Short >= in.Scrape && r.Short > 0 && r.Short < 4*in.Scrape {
			add(Warning, "short_scrape", r.Name, "short window %v is below four scrape intervals of %v", r.Short, in.Scrape)
		}
	}
	if len(p.Rules) == 0 {
		return found, nil
	}
	if !slow {
		add(Warning, "slow_burn_unseen", "", "no rule has a factor of 1 or less: a burn just above 1 exhausts the budget unseen")
	}
	limit := in.OutageShare
	if !limit.IsSet() {
		limit = NewRatio(1, 10)
	}
	if gone := p.outageShare(target, in); gone.Compare(limit) > 0 {
		add(Warning, "outage_late", "", "a rule fires in a total outage when %s of the budget is gone, more than %s", gone.Decimal(), limit.Decimal())
	}
	return found, nil
}

// outageShare is the least share of the budget that is gone when a rule fires in a
// total outage: after its detection time, but not before the next sample, and its
// For. It is +Inf when no rule can.
func (p Policy) outageShare(target Target, in Surroundings) Ratio {
	least := Inf(1)
	for i := range p.Rules {
		r := &p.Rules[i]
		after, ok := r.holdsAfter(target, in, NewRatio(1, 1))
		if !ok {
			continue
		}
		if scrape := seconds(in.Scrape); after.Compare(scrape) < 0 {
			after = scrape
		}
		if gone := after.plus(seconds(r.For)).over(target.AllowedDowntime(in.Period)); gone.Compare(least) < 0 {
			least = gone
		}
	}
	return least
}
