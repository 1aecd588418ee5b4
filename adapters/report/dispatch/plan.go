package dispatch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/sla"
)

// Customer is who is sent reports, and what is known of them without reading figures.
type Customer struct {
	ID    string         // the tenant of all keys; required
	Zone  *time.Location // of the contract. Defaults to UTC.
	Kinds []Kind         // Defaults to none.

	// CutOff is how long after the end of a period evidence of it may still come in. At
	// most 14 days, so that a monthly report is in time; 0 is none. Defaults to 24 hours.
	CutOff *time.Duration

	// Since is when the sending began: periods that end later are sent, also when
	// nothing ran at their cut-off, up to 60 of them of each kind. Defaults to the latest
	// period of each kind that is over.
	Since time.Time

	// To is who is told, by role. All of [sla.ReportRecipients] are required, each with
	// one target or more.
	To map[string][]notify.Target
}

const (
	usualCutOff = 24 * time.Hour
	mostCutOff  = 14 * 24 * time.Hour
	mostPeriods = 60
)

// InputError is what cannot be planned or sent.
type InputError struct {
	Customer     string
	Field, Value string // what was found, and where
	Want         string
}

// Error says all of it on one line.
func (e *InputError) Error() string {
	return fmt.Sprintf("dispatch: customer %q: %s: %q, want %s", e.Customer, e.Field, e.Value, e.Want)
}

// Validate returns all that is wrong, joined, as [*InputError].
func (c Customer) Validate() error {
	var problems []error
	bad := func(field, text, want string) { problems = append(problems, &InputError{c.ID, field, text, want}) }
	if c.ID == "" {
		bad("id", "", "the name of the tenant")
	}
	for i, k := range c.Kinds {
		if !k.Known() {
			bad("kinds["+strconv.Itoa(i)+"]", string(k), "one of monthly_report, weekly_service_review, monthly_service_review, executive_report and quarterly_business_review")
		} else if slices.Index(c.Kinds, k) < i {
			bad("kinds["+strconv.Itoa(i)+"]", string(k), "each kind once")
		}
	}
	if cutOff := c.cutOff(); cutOff < 0 || cutOff > mostCutOff {
		bad("cut_off", cutOff.String(), "0 to 14 days")
	}
	for _, role := range sla.ReportRecipients {
		if len(c.To[role]) == 0 {
			bad("to."+role, "", "somebody to tell")
		}
	}
	for role, targets := range c.To {
		if !slices.Contains(sla.ReportRecipients[:], role) {
			bad("to", role, "one of customer_stakeholders, account_manager and service_delivery_manager")
		}
		for i, t := range targets {
			if t.Address == "" || t.Channel == "" {
				bad("to."+role+"["+strconv.Itoa(i)+"]", t.Address, "a channel and an address")
			}
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// Due is a report that is to be sent.
type Due struct {
	Customer string
	Kind     Kind
	Period   sla.Period

	// Revision is 0 for the report and counts its corrections from 1.
	Revision int

	// At is when it became due: the end of the period and the cut-off. Before is the
	// first instant that is too late for a monthly report, see [sla.ReportDue]; zero for
	// reviews, of which nothing is promised.
	At, Before time.Time
}

// Key is what the report is for, such as "monthly_report/2026-10/0". It does not have
// the customer, who is the tenant of all that is stored.
func (d Due) Key() string {
	return key.Join(string(d.Kind), d.Period.Label, strconv.Itoa(d.Revision))
}

// Late reports whether it is sent too late at an instant.
func (d Due) Late(at time.Time) bool { return !d.Before.IsZero() && !at.Before(d.Before) }

// Plan returns the reports that are due at an instant, whether they were sent or not, by
// the instant at which they became so, then customer and kind in their order. It is a
// function of its arguments.
func Plan(customers []Customer, at time.Time) []Due {
	var all []Due
	for _, c := range customers {
		for _, k := range c.Kinds {
			all = append(all, c.due(k, at)...)
		}
	}
	slices.SortStableFunc(all, func(a, b Due) int { return a.At.Compare(b.At) })
	return all
}

// Next returns the instant after at, at which the next report becomes due; false if
// nothing is ever sent.
func Next(customers []Customer, at time.Time) (time.Time, bool) {
	var next time.Time
	for _, c := range customers {
		for _, k := range c.Kinds {
			// The first period whose cut-off is later is the one of that long ago, or a later one.
			p := k.PeriodAt(at.Add(-c.cutOff()), c.zone())
			if due := p.End.Add(c.cutOff()); next.IsZero() || due.Before(next) {
				next = due
			}
		}
	}
	return next, !next.IsZero()
}

// due returns the periods of a kind that are over by the cut-off, oldest first.
func (c Customer) due(k Kind, now time.Time) []Due {
	before := func(p sla.Period) sla.Period { return k.PeriodAt(p.Start.Add(-1), c.zone()) }
	last := before(k.PeriodAt(now.Add(-c.cutOff()), c.zone()))
	if c.Since.IsZero() {
		return []Due{c.at(k, last, 0)}
	}
	var list []Due
	for p := last; len(list) < mostPeriods && p.End.After(c.Since); p = before(p) {
		list = append(list, c.at(k, p, 0))
	}
	slices.Reverse(list)
	return list
}

// at is what is due for a period.
func (c Customer) at(k Kind, p sla.Period, revision int) Due {
	d := Due{Customer: c.ID, Kind: k, Period: p, Revision: revision, At: p.End.Add(c.cutOff())}
	if k == MonthlyReport {
		d.Before = sla.ReportDue(p, c.zone())
	}
	return d
}

// Correction returns a report of the past as its correction of that number, which counts
// from 1. The period is named by its label, such as "2026-10", "2026-W42" or "2026-Q4".
func (c Customer) Correction(k Kind, label string, revision int, at time.Time) (Due, error) {
	if revision < 1 {
		return Due{}, &InputError{c.ID, "revision", strconv.Itoa(revision), "the number of the correction, from 1"}
	}
	if !slices.Contains(c.Kinds, k) {
		return Due{}, &InputError{c.ID, "kind", string(k), "a kind that the customer is sent"}
	}
	const years = 10
	for p := k.PeriodAt(at, c.zone()); p.End.After(at.AddDate(-years, 0, 0)); p = k.PeriodAt(p.Start.Add(-1), c.zone()) {
		if p.Label == label {
			return c.at(k, p, revision), nil
		}
	}
	return Due{}, &InputError{c.ID, "period", label, "the label of a past period, like 2026-10, 2026-W42 or 2026-Q4"}
}

func (c Customer) cutOff() time.Duration {
	if c.CutOff == nil {
		return usualCutOff
	}
	return *c.CutOff
}

func (c Customer) zone() *time.Location { return cmp.Or(c.Zone, time.UTC) }
