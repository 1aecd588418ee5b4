package continuity

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Purpose is what a runbook is for. Any text will do; these are the usual ones.
type Purpose string

// The purposes. Runbooks for disasters have to be rehearsed; those for key dates are
// judged with the date.
const (
	ForOperation Purpose = "operation"
	ForRestore   Purpose = "restore"
	ForDR        Purpose = "dr"
	ForKeyDate   Purpose = "key_date"
	ForUpdate    Purpose = "update"
)

// Runbook is a procedure for some services.
type Runbook struct {
	ID       string   `json:"id"`
	Services []string `json:"services"`
	Purpose  Purpose  `json:"purpose"`
	Owner    string   `json:"owner,omitempty"`
	URL      string   `json:"url,omitempty"` // where it is to be read
	Steps    []string `json:"steps,omitempty"`

	ReviewedAt  time.Time `json:"reviewed_at,omitzero"`
	RehearsedAt time.Time `json:"rehearsed_at,omitzero"`
	// ReviewEvery is how long a review lasts. Defaults to that of the policy.
	ReviewEvery time.Duration `json:"review_every_ns,omitzero"`
}

// Runbook returns the runbook of an id.
func (r *Register) Runbook(id string) (Runbook, bool) {
	i := slices.IndexFunc(r.catalogue.Runbooks, func(b Runbook) bool { return b.ID == id })
	if i < 0 {
		return Runbook{}, false
	}
	return r.catalogue.Runbooks[i], true
}

func (b Runbook) check(services map[string]bool, p problems) {
	checkServices(b.Services, services, p)
	p.required("purpose", string(b.Purpose), `what it is for, like "dr"`)
	for i, s := range b.Steps {
		p.required(fmt.Sprintf("steps[%d]", i), s, "what to do")
	}
	p.interval("review_every_ns", b.ReviewEvery)
}

// runbookFindings judges a runbook for each of its services.
func (p Policy) runbookFindings(b Runbook, at time.Time) (out []Finding) {
	find := func(code Code, since time.Time, said Clause) {
		for _, s := range b.Services {
			out = append(out, Finding{Code: code, Service: s, Subject: b.ID, Since: since}.saying(said))
		}
	}
	if since, said, lapsed := lapse("runbook_reviewed", b.ReviewedAt, p.reviewEvery(b), at); lapsed {
		find(RunbookStale, since, said)
	}
	if b.Purpose == ForDR {
		if since, said, lapsed := lapse("runbook_rehearsed", b.RehearsedAt, p.RehearseEvery, at); lapsed {
			find(RehearsalOverdue, since, said)
		}
	}
	if b.Owner == "" {
		find(Incomplete, time.Time{}, clause("runbook_no_owner"))
	}
	if len(b.Steps) == 0 {
		find(Incomplete, time.Time{}, clause("runbook_no_steps"))
	}
	return out
}

func (p Policy) reviewEvery(b Runbook) time.Duration { return cmp.Or(b.ReviewEvery, p.ReviewEvery) }

// lapse reports whether something that was done last at an instant has to be done
// again: at [last, last+every) it need not. What is the form without its end. An instant
// that lies ahead is none.
func lapse(what string, last time.Time, every time.Duration, at time.Time) (since time.Time, said Clause, lapsed bool) {
	switch {
	case last.IsZero():
		return time.Time{}, clause(what + "_never"), true
	case last.After(at):
		return time.Time{}, clause(what+"_ahead", last), true
	case at.Before(last.Add(every)):
		return time.Time{}, Clause{}, false
	}
	return last.Add(every), clause(what+"_long", last, at.Sub(last), every), true
}

// checkServices reports a list of services that is empty, has one twice, or one that
// is unknown.
func checkServices(list []string, services map[string]bool, p problems) {
	if len(list) == 0 {
		p.add("services", "", "at least one service")
	}
	seen := map[string]bool{}
	for i, s := range list {
		key := fmt.Sprintf("services[%d]", i)
		if seen[s] {
			p.add(key, s, "each service once")
		}
		seen[s] = true
		p.known(key, s, services)
	}
}
