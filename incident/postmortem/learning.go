package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Learning is what the post-mortems of a period taught. Shares are exact, and say
// of how many.
type Learning struct {
	Period calendar.Interval `json:"period"`
	At     time.Time         `json:"at"` // for which it speaks

	Reviews    int            `json:"reviews"`
	Late       int            `json:"late_reviews"` // due and not closed
	SeenByUser incident.Share `json:"seen_by_user"` // of the incidents of which it is known
	Learnt     incident.Share `json:"learnt"`       // reviews with an anchored measure, of all

	Anchored incident.Share `json:"anchored"` // measures with owner, due date and reference, of all
	Done     incident.Share `json:"done"`     // measures that are done, of all
	Measures []TypeCount    `json:"measures"` // by type, in the order prevent, detect, mitigate, process, none
	Factors  []Factor       `json:"factors"`  // root causes and contributing factors of several incidents, the most frequent first
	Backlog  []Item         `json:"open_measures"`
}

// TypeCount counts the measures of one type by their state.
type TypeCount struct {
	Type    incident.MeasureType `json:"type"` // "" for measures without one
	N       int                  `json:"n"`
	Done    int                  `json:"done"`
	Open    int                  `json:"open"`    // overdue ones among them
	Overdue int                  `json:"overdue"` // of those that are open
}

// Factor is a cause that several incidents have in common.
type Factor struct {
	Text      string   `json:"text"`      // as the first of them has it
	Incidents []string `json:"incidents"` // in the order of the documents; "tenant/id" where there is a tenant
}

// Learn sums up the documents of the incidents that were resolved in a period, as of
// an instant; an empty period is all time, and takes in those that are not resolved.
// Causes are the same if they differ in case, blanks or the mark at their end
// only. Of several documents of one incident the last counts.
func Learn(docs []Document, period calendar.Interval, at time.Time) Learning {
	l := Learning{Period: period, At: at}
	docs = slices.DeleteFunc(latest(docs), func(d Document) bool { return !period.IsEmpty() && !period.Contains(d.Times.Resolved) })
	var all []Measure
	for i, d := range docs {
		docs[i] = d.AsOf(at)
		all = append(all, docs[i].Measures...)
	}
	l.Reviews = len(docs)
	l.Late = incident.Counted(docs, func(d Document) bool { return d.Late(at) }).Hits
	l.Learnt = incident.Counted(docs, func(d Document) bool { return d.Anchored })
	known := slices.DeleteFunc(slices.Clone(docs), func(d Document) bool {
		return d.Detection != string(incident.ByMonitor) && d.Detection != string(incident.ByUser)
	})
	l.SeenByUser = incident.Counted(known, func(d Document) bool { return d.Detection == string(incident.ByUser) })
	l.Anchored = incident.Counted(all, func(m Measure) bool { return m.Anchored })
	l.Done = incident.Counted(all, func(m Measure) bool { return m.Status == MeasureDone })
	l.Measures, l.Factors, l.Backlog = counts(all), factors(docs), list(Backlog(docs, at))
	return l
}

// counts counts measures by type and state; types without a measure are left out.
func counts(all []Measure) []TypeCount {
	out := []TypeCount{}
	for _, kind := range []incident.MeasureType{incident.Prevent, incident.DetectFast, incident.Soften, incident.Process, ""} {
		c := TypeCount{Type: kind}
		for _, m := range all {
			switch {
			case m.Type != kind:
				continue
			case m.Status == MeasureDone:
				c.Done++
			default:
				c.Open++
			}
			c.N++
			if m.Overdue {
				c.Overdue++
			}
		}
		if c.N > 0 {
			out = append(out, c)
		}
	}
	return out
}

// factors returns the causes that at least two documents have.
func factors(docs []Document) []Factor {
	var out []Factor
	place := map[string]int{}
	for _, d := range docs {
		id := d.Incident
		if d.Tenant != "" {
			id = d.Tenant + "/" + id
		}
		for _, text := range append([]string{d.RootCause}, d.Contributing...) {
			key := strings.TrimRightFunc(strings.ToLower(strings.Join(strings.Fields(text), " ")), unicode.IsPunct)
			if key == "" {
				continue
			}
			i, seen := place[key]
			if !seen {
				i, place[key] = len(out), len(out)
				out = append(out, Factor{Text: text})
			}
			if !slices.Contains(out[i].Incidents, id) {
				out[i].Incidents = append(out[i].Incidents, id)
			}
		}
	}
	out = slices.DeleteFunc(out, func(f Factor) bool { return len(f.Incidents) < 2 })
	slices.SortStableFunc(out, func(a, b Factor) int { return len(b.Incidents) - len(a.Incidents) })
	return list(out)
}

// Markdown returns the report as CommonMark with tables, all texts escaped.
func (l Learning) Markdown() string { return l.page().markdown() }

// HTML returns the report as one self-contained page without scripts, all texts
// escaped.
func (l Learning) HTML() string { return l.page().html() }

// Text returns the report for a terminal, without control characters.
func (l Learning) Text() string { return l.page().text() }

func (l Learning) page() page {
	when := "all time"
	if !l.Period.IsEmpty() {
		when = l.Period.Start.UTC().Format(time.RFC3339) + " to " + l.Period.End.UTC().Format(time.RFC3339)
	}
	share := func(what string, s incident.Share) []string { return []string{what, s.String()} }
	figures := [][]string{
		{"figure", "value"},
		{"reviews", strconv.Itoa(l.Reviews)},
		{"late reviews", strconv.Itoa(l.Late)},
		share("noticed by a user first", l.SeenByUser),
		share("reviews with an anchored measure", l.Learnt),
		share("measures anchored", l.Anchored),
		share("measures done", l.Done),
	}
	measures := [][]string{{"type", "all", "done", "open", "overdue"}}
	for _, c := range l.Measures {
		measures = append(measures, append([]string{cmp.Or(string(c.Type), "none")}, each([]int{c.N, c.Done, c.Open, c.Overdue}, strconv.Itoa)...))
	}
	factors := [][]string{{"cause", "incidents"}}
	for _, f := range l.Factors {
		factors = append(factors, []string{f.Text, fmt.Sprintf("%d: %s", len(f.Incidents), strings.Join(f.Incidents, ", "))})
	}
	backlog := [][]string{{"incident", "measure", "owner", "due", "days overdue"}}
	for _, i := range l.Backlog {
		backlog = append(backlog, []string{i.Incident, i.Measure.Text, i.Measure.Owner, i.Measure.Due, strconv.Itoa(i.Days)})
	}
	return page{title: "Learning report, " + when, sections: []section{
		{heading: "Figures", table: figures},
		{heading: "Recurring causes", table: rows(factors), empty: "None."},
		{heading: "Measures by type", table: rows(measures), empty: "None."},
		{heading: "Open measures", table: rows(backlog), empty: "None."},
	}}
}

// rows is a table that has more than a head.
func rows(table [][]string) [][]string {
	if len(table) < 2 {
		return nil
	}
	return table
}
