package continuity

import (
	"cmp"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
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
	Steps    []string `json:"steps,omitempty"`

	ReviewedAt  time.Time `json:"reviewed_at,omitzero"`
	RehearsedAt time.Time `json:"rehearsed_at,omitzero"`
	// ReviewEvery is how long a review lasts. Defaults to that of the policy.
	ReviewEvery time.Duration `json:"review_every_ns,omitzero"`
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
	find := func(code Code, since time.Time, text string) {
		for _, s := range b.Services {
			out = append(out, Finding{Code: code, Service: s, Subject: b.ID, Since: since, Text: text})
		}
	}
	if since, why, lapsed := lapse(b.ReviewedAt, p.reviewEvery(b), at); lapsed {
		find(RunbookStale, since, "the runbook was "+fmt.Sprintf(why, "reviewed"))
	}
	if b.Purpose == ForDR {
		if since, why, lapsed := lapse(b.RehearsedAt, p.RehearseEvery, at); lapsed {
			find(RehearsalOverdue, since, "the runbook was "+fmt.Sprintf(why, "rehearsed"))
		}
	}
	if b.Owner == "" {
		find(Incomplete, time.Time{}, "the runbook has no owner")
	}
	if len(b.Steps) == 0 {
		find(Incomplete, time.Time{}, "the runbook has no steps")
	}
	return out
}

func (p Policy) reviewEvery(b Runbook) time.Duration { return cmp.Or(b.ReviewEvery, p.ReviewEvery) }

// lapse reports whether something that was done last at an instant has to be done
// again: at [last, last+every) it need not. Why takes the verb. An instant that lies
// ahead is none.
func lapse(last time.Time, every time.Duration, at time.Time) (since time.Time, why string, lapsed bool) {
	switch {
	case last.IsZero():
		return time.Time{}, "never %s", true
	case last.After(at):
		return time.Time{}, "%s on " + minute(last) + ", which lies ahead", true
	case at.Before(last.Add(every)):
		return time.Time{}, "", false
	}
	return last.Add(every), fmt.Sprintf("%%s on %s, %s ago, less than %s is wanted",
		minute(last), threshold.FormatDuration(at.Sub(last)), threshold.FormatDuration(every)), true
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
