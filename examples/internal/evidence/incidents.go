package evidence

import (
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Detail is what the table says of an incident beyond the figures.
type Detail struct {
	Domain, Engineer string
	Postmortem       string // address
}

// incidents reads the table of incidents. One that was acknowledged and has no
// answer of its own was answered then.
func (r *reader) incidents(name string) error {
	seen := ids{}
	return r.rows(name, []string{"id", "service", "severity", "opened"}, []string{
		"started", "detected", "acknowledged", "responded", "resolved", "domain", "title", "cause", "action", "first_contact", "escalations", "reopened", "csat", "cost",
		"engineer", "postmortem",
	}, func(t *table.Table) {
		t.Required("severity")
		in := sla.Incident{
			ID: text(seen.check(t)), Service: text(t.Required("service")), Severity: t.Severity("severity"), Opened: r.needed(t, "opened"),
			Started: r.time(t, "started"), Detected: r.time(t, "detected"), Acknowledged: r.time(t, "acknowledged"), Responded: r.time(t, "responded"), Resolved: r.time(t, "resolved"),
			Title: text(t.Text("title")), Cause: text(t.Text("cause")), Action: text(t.Text("action")), Satisfaction: score(t, "csat"), Cost: r.amount(t, "cost"),
		}
		if in.Responded.IsZero() {
			in.Responded = in.Acknowledged
		}
		for _, e := range []struct {
			column string
			at     time.Time
		}{{"acknowledged", in.Acknowledged}, {"responded", r.time(t, "responded")}, {"resolved", in.Resolved}} {
			if !e.at.IsZero() && e.at.Before(in.Opened) {
				t.Fail(e.column, "%s is before opened %s", e.at.Format(time.RFC3339), in.Opened.Format(time.RFC3339))
			}
		}
		if is, ok := t.Flag("first_contact"); ok {
			in.FirstContact = &is
		}
		in.Reopened, _ = t.Flag("reopened")
		if t.Text("escalations") != "" {
			n := t.Count("escalations")
			if n > 1<<20 {
				t.Fail("escalations", "found %d, want a number of hand-overs", n)
			}
			times := int(n)
			in.Escalations = &times
		}
		if !r.known(in.Service) {
			return
		}
		r.Evidence.Incidents = append(r.Evidence.Incidents, in)
		if d := (Detail{text(t.Text("domain")), text(t.Text("engineer")), text(t.Text("postmortem"))}); d != (Detail{}) {
			if r.Details == nil {
				r.Details = map[string]Detail{}
			}
			r.Details[in.ID] = d
		}
	})
}

// text keeps a cell beyond its row.
func text(cell string) string { return strings.Clone(cell) }

// score reads an answer from 1 to 5, 0 when absent.
func score(t *table.Table, column string) int {
	cell := t.Text(column)
	if cell == "" {
		return 0
	}
	n, err := strconv.Atoi(cell)
	if err != nil || n < 1 || n > 5 {
		t.Fail(column, "found %q, want a whole number from 1 to 5", cell)
		return 0
	}
	return n
}

// amount reads money, in the currency of the contract where the cell has none.
func (r *reader) amount(t *table.Table, column string) money.Amount {
	cell := t.Text(column)
	if cell == "" {
		return money.Amount{}
	}
	full := cell
	if strings.Trim(cell, "0123456789.") == "" {
		full += " " + string(r.frame.Currency)
	}
	a, err := money.Parse(full)
	switch {
	case err != nil || a.Sign() < 0:
		t.Fail(column, "found %q, want an amount like \"120.00 %s\"", cell, r.frame.Currency)
		return money.Amount{}
	case a.Currency() != r.frame.Currency:
		t.Fail(column, "found %q, want an amount in %s, the currency of the contract", cell, r.frame.Currency)
		return money.Amount{}
	}
	return a
}
