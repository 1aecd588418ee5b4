package continuity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/markdown"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Readiness is how well the services of a catalogue are prepared.
type Readiness struct {
	At       time.Time  `json:"at"`
	Until    time.Time  `json:"until"` // the end of the look ahead
	Services []Standing `json:"services"`
}

// Standing is one service with all that is known and missing.
type Standing struct {
	Service

	Runbooks []string     `json:"runbooks,omitempty"`     // by id
	KeyDates []Occurrence `json:"key_dates,omitempty"`    // those ahead
	Proof    *Restore     `json:"last_proof,omitempty"`   // the last restore that proved a recovery; nil if none did
	RTO      *Window      `json:"rto,omitempty"`          // of the proof
	RPO      *Window      `json:"rpo,omitempty"`          // of the proof
	DR       *DRTest      `json:"last_dr_test,omitempty"` // passed or not
	Findings []Finding    `json:"findings"`
}

// Ready reports whether there is no finding.
func (s Standing) Ready() bool { return len(s.Findings) == 0 }

// Readiness returns all findings by service, sorted by id: those of
// [Register.Findings] at an instant, and those of [Register.CheckDates] for the key
// dates in [at, at+ahead). The error is that of CheckDates.
func (r *Register) Readiness(at time.Time, ahead time.Duration, plans Plans) (Readiness, error) {
	horizon := calendar.Interval{Start: at, End: at.Add(ahead)}
	planned, err := r.CheckDates(horizon, plans)
	if err != nil {
		return Readiness{}, err
	}
	out := Readiness{At: at.Round(0).UTC(), Until: horizon.End.Round(0).UTC()}
	number := map[string]int{}
	for i, s := range r.catalogue.Services {
		number[s.ID] = i
		out.Services = append(out.Services, r.standing(s, at))
	}
	for _, d := range r.dates {
		dates := d.expand(horizon)
		for _, id := range r.concerned(d.Services) {
			s := &out.Services[number[id]]
			s.KeyDates = append(s.KeyDates, dates...)
		}
	}
	for _, f := range sortFindings(append(r.Findings(at), planned...)) {
		s := &out.Services[number[f.Service]]
		s.Findings = append(s.Findings, f)
	}
	for _, s := range out.Services {
		slices.SortFunc(s.KeyDates, compareOccurrences)
	}
	slices.SortFunc(out.Services, func(a, b Standing) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// standing is what the records say of a service.
func (r *Register) standing(s Service, at time.Time) Standing {
	out := Standing{Service: s, Findings: []Finding{}}
	for _, b := range r.runbooks[s.ID] {
		out.Runbooks = append(out.Runbooks, b.ID)
	}
	slices.Sort(out.Runbooks)
	if proof, ok := lastProof(r.restoresOf(s.ID, at)); ok {
		rto, rpo := proof.RTO(), proof.RPO()
		out.Proof, out.RTO, out.RPO = &proof, &rto, &rpo
	}
	if tests := r.testsOf(s.ID, at); len(tests) > 0 {
		latest := tests[len(tests)-1].clone()
		out.DR = &latest
	}
	return out
}

// Markdown returns the report as CommonMark with tables, times in UTC. All texts are
// escaped: they cannot become markup, links or HTML.
func (r Readiness) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Readiness on %s\n", minute(r.At))
	var rows, open [][]string
	for _, s := range r.Services {
		rows = append(rows, s.row())
		for _, f := range s.Findings {
			since := "always"
			if !f.Since.IsZero() {
				since = minute(f.Since)
			}
			open = append(open, []string{
				markdown.Escape(f.Service), markdown.Escape(string(f.Code)), markdown.Escape(f.Subject), markdown.Escape(f.Text), since,
			})
		}
	}
	fmt.Fprintf(&b, "\n## Services\n\n%s\n\n## Findings\n\n", markdown.Table(
		[]string{"service", "owner", "tier", "last restore", "recovery time", "loss of data", "disaster test", "next key date", "findings"}, rows...))
	if len(open) == 0 {
		b.WriteString("None.\n")
		return b.String()
	}
	b.WriteString(markdown.Table([]string{"service", "finding", "about", "what", "since"}, open...) + "\n")
	return b.String()
}

// row is the service in the table, with "–" for what there is not.
func (s Standing) row() []string {
	const none = "–"
	text := func(t string) string {
		if t == "" {
			return none
		}
		return markdown.Escape(t)
	}
	proof, dr, date := "never proven", "never tested", none
	switch {
	case s.Proof != nil:
		proof = minute(s.Proof.Verified) + ", " + markdown.Escape(string(s.Proof.Kind))
	case s.Stateless:
		proof = "keeps no data"
	case slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == RestoreNeverTested }):
		proof = "never tested"
	}
	if s.DR != nil {
		dr = minute(s.DR.Ended) + ", " + string(s.DR.Result)
	}
	if len(s.KeyDates) > 0 {
		date = minute(s.KeyDates[0].Interval.Start) + ", " + markdown.Escape(s.KeyDates[0].KeyDate)
	}
	return []string{markdown.Escape(s.ID), text(s.Owner), text(s.Tier), proof, s.RTO.text(none), s.RPO.text(none), dr, date, strconv.Itoa(len(s.Findings))}
}

func (w *Window) text(none string) string {
	switch {
	case w == nil:
		return none
	case w.Measured == nil:
		return "no data"
	}
	return fmt.Sprintf("%s of %s, %s", threshold.FormatDuration(*w.Measured), threshold.FormatDuration(w.Agreed), w.Verdict)
}
