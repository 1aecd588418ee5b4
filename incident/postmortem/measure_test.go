package postmortem_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// TestAnchoredAt: a measure is anchored since its last part came, and not any more
// once a part is gone.
func TestAnchoredAt(t *testing.T) {
	inc := reviewed(t)
	record := func(minute int, m incident.Measure) postmortem.Measure {
		t.Helper()
		m.ID, m.Text = "m3", "Alert on lock waits"
		e := incident.Event{Kind: incident.RecordMeasure, Key: strconv.Itoa(minute), At: after(minute), Actor: "ann", Details: incident.Details{Measure: &m}}
		if _, err := inc.Apply(e); err != nil {
			t.Fatal(err)
		}
		return draft(t, inc, postmortem.Options{At: after(minute)}).Measures[2]
	}
	whole := incident.Measure{Owner: "ops", Due: "2026-11-30", Ref: "OPS-7"}
	if m := record(720, incident.Measure{Owner: "ops", Due: "2026-11-30"}); m.Anchored || !m.AnchoredAt.IsZero() {
		t.Errorf("without a reference: %+v", m)
	}
	if m := record(730, whole); !m.Anchored || !m.AnchoredAt.Equal(after(730)) {
		t.Errorf("with one: %+v", m)
	}
	whole.Done = true
	if m := record(740, whole); m.Status != postmortem.MeasureDone || !m.AnchoredAt.Equal(after(730)) {
		t.Errorf("done: %+v", m)
	}
	if m := record(750, incident.Measure{Owner: "ops"}); m.Anchored || !m.AnchoredAt.IsZero() {
		t.Errorf("without its date: %+v", m)
	}
}

// three are the post-mortems of three incidents: one resolved in September, two in
// October.
func three() []postmortem.Document {
	resolved := func(month time.Month, day int) incident.Times {
		return incident.Times{Resolved: time.Date(2026, month, day, 12, 0, 0, 0, time.UTC)}
	}
	return []postmortem.Document{
		{
			Incident: "INC-1", Title: "Search slow", Times: resolved(9, 30), Detection: "user", RootCause: "No lock timeout.", Contributing: []string{"alert too late"},
			Measures: []postmortem.Measure{
				{Text: "Warn earlier", Type: incident.DetectFast, Owner: "sre", Due: "2026-10-05", Status: postmortem.MeasureDone, Ref: "SRE-1"},
				{Text: "Split the index", Type: incident.Prevent},
			},
		},
		{
			Incident: "INC-2", Title: "Checkout down", Times: resolved(10, 1), Detection: "monitor", Due: time.Date(2026, 10, 9, 0, 0, 0, 0, time.UTC), Contributing: []string{"no  LOCK timeout", "Alert too late!"},
			Measures: []postmortem.Measure{
				{Text: "Set a lock timeout", Type: incident.Prevent, Owner: "dba", Due: "2026-10-21"},
				{Text: "Rehearse rebuilds", Type: incident.Process, Owner: "ops", Due: "2026-10-20", Ref: "RUN-12", Status: postmortem.MeasureOpen},
			},
		},
		{Incident: "INC-3", Tenant: "acme", Title: "Mail late", Times: resolved(10, 31), Detection: "a call of a supplier", RootCause: "no lock timeout", Contributing: []string{"No lock timeout"}},
	}
}

func TestBacklog(t *testing.T) {
	docs := three()
	at := time.Date(2026, 10, 21, 12, 0, 0, 0, time.UTC)
	var got []string
	for _, i := range postmortem.Backlog(append(docs, docs[1]), at) {
		got = append(got, fmt.Sprint(i.Incident, ": ", i.Measure.Text, " ", i.Days))
	}
	if want := []string{"INC-2: Rehearse rebuilds 1", "INC-2: Set a lock timeout 0", "INC-1: Split the index 0"}; !slices.Equal(got, want) {
		t.Errorf("Backlog = %q, want %q", got, want)
	}
	overdue := postmortem.Overdue(docs, at.AddDate(0, 0, 10))
	if len(overdue) != 2 || overdue[0].Days != 11 || overdue[1].Days != 10 {
		t.Errorf("Overdue = %+v, want 11 and 10 days", overdue)
	}
	docs[1].Measures = nil
	if got := postmortem.Backlog(append(three(), docs[1]), at); len(got) != 1 {
		t.Errorf("the last document of INC-2 has no measure, but Backlog = %+v", got)
	}
}

// TestTracked: the service review of a period and the backlog name the same measures.
func TestTracked(t *testing.T) {
	october := calendar.Interval{Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	tracked := postmortem.Tracked(append(three(), three()[0]))
	if len(tracked) != 4 {
		t.Fatalf("tracked = %+v, want all four measures", tracked)
	}
	o := incident.ReviewOptions{Measures: tracked}
	o.Figures.Period, o.Figures.At = october, october.End
	r, err := incident.Basis{}.Review(o)
	if err != nil {
		t.Fatal(err)
	}
	backlog := postmortem.Backlog(three(), october.End)
	if len(r.Improvements.Open) != len(backlog) || r.Improvements.Overdue != len(postmortem.Overdue(three(), october.End)) {
		t.Fatalf("review %+v, backlog %+v", r.Improvements.Open, backlog)
	}
	for i, m := range r.Improvements.Open {
		if m.Incident != backlog[i].Incident || m.Text != backlog[i].Measure.Text {
			t.Errorf("%d: the review has %+v, the backlog %+v", i, m, backlog[i])
		}
	}
}

func TestLate(t *testing.T) {
	d := three()[1]
	for at, want := range map[time.Time]bool{d.Due.Add(-1): false, d.Due: true} {
		if d.Late(at) != want {
			t.Errorf("Late(%v) = %v", at, !want)
		}
	}
	d.Times.Closed = d.Due.Add(-time.Hour)
	if d.Late(d.Due) {
		t.Error("closed before it is due, and late")
	}
	if three()[0].Late(d.Due) {
		t.Error("late without being due")
	}
}

func TestLearn(t *testing.T) {
	october := calendar.Interval{Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	l := postmortem.Learn(three(), october, time.Date(2026, 10, 21, 12, 0, 0, 0, time.UTC))
	if l.Reviews != 2 || l.Late != 1 || l.Learnt.String() != "1/2" || l.Anchored.String() != "1/2" || l.Done.String() != "0/2" || l.SeenByUser.String() != "0/1" {
		t.Errorf("October = %+v", l)
	}
	want := []postmortem.TypeCount{{Type: incident.Prevent, N: 1, Open: 1}, {Type: incident.Process, N: 1, Open: 1, Overdue: 1}}
	if !slices.Equal(l.Measures, want) {
		t.Errorf("measures = %+v, want %+v", l.Measures, want)
	}
	if len(l.Factors) != 1 || l.Factors[0].Text != "no  LOCK timeout" || !slices.Equal(l.Factors[0].Incidents, []string{"INC-2", "acme/INC-3"}) {
		t.Errorf("factors = %+v", l.Factors)
	}

	all := postmortem.Learn(three(), calendar.Interval{}, october.End)
	if all.Reviews != 3 || all.Anchored.String() != "2/4" || all.Done.String() != "1/4" || all.SeenByUser.String() != "1/2" || len(all.Backlog) != 3 {
		t.Errorf("all time = %+v", all)
	}
	if len(all.Factors) != 2 || len(all.Factors[0].Incidents) != 3 || !slices.Equal(all.Factors[1].Incidents, []string{"INC-1", "INC-2"}) {
		t.Errorf("factors = %+v", all.Factors)
	}
	// What cannot be said of nothing is null.
	data, err := json.Marshal(postmortem.Learn(nil, october, october.End))
	want2 := `"seen_by_user":{"hits":0,"of":0,"ratio":null},"learnt":{"hits":0,"of":0,"ratio":null},"anchored":{"hits":0,"of":0,"ratio":null},"done":{"hits":0,"of":0,"ratio":null},"measures":[],"factors":[],"open_measures":[]}`
	if err != nil || len(data) < len(want2) || string(data[len(data)-len(want2):]) != want2 {
		t.Errorf("learning of nothing = %s, %v", data, err)
	}
}

// TestRecurrence: the third incident with one fingerprint within 30 days suggests a
// problem; later ones and those of other tenants do not count.
func TestRecurrence(t *testing.T) {
	earlier := func(tenant, id string, days int) incident.Record {
		return incident.Record{Tenant: tenant, ID: id, Fingerprint: "lock-wait", Times: incident.Times{Detected: begin.AddDate(0, 0, -days)}}
	}
	inc, err := incident.New("acme", "INC-9", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inc.Apply(incident.Event{Kind: incident.Detect, Key: "d", At: begin, Actor: "m", Details: incident.Details{Fingerprint: "lock-wait"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		past []incident.Record
		want []string
	}{
		{"three", []incident.Record{earlier("acme", "INC-1", 30), earlier("acme", "INC-2", 1)}, []string{"INC-1", "INC-2", "INC-9"}},
		{"too long ago", []incident.Record{earlier("acme", "INC-1", 31), earlier("acme", "INC-2", 1)}, nil},
		{"another tenant", []incident.Record{earlier("globex", "INC-1", 2), earlier("acme", "INC-2", 1)}, nil},
		{"later", []incident.Record{earlier("acme", "INC-1", -1), earlier("acme", "INC-2", 1)}, nil},
		{"among others", []incident.Record{earlier("acme", "INC-1", 90), earlier("acme", "INC-2", 89), earlier("acme", "INC-3", 88)}, nil},
	} {
		d := draft(t, inc, postmortem.Options{At: begin, Past: c.past})
		var got []string
		for _, s := range d.Recurrence {
			got = append(got, s.IDs...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// Without a detection the declaration counts, and without that the begin.
	for _, past := range []incident.Times{{Created: begin.AddDate(0, 0, 1)}, {Started: begin.AddDate(0, 0, 1)}} {
		late := earlier("acme", "INC-1", 0)
		late.Times = past
		if d := draft(t, inc, postmortem.Options{At: begin, Past: []incident.Record{late, earlier("acme", "INC-2", 1)}}); len(d.Recurrence) > 0 {
			t.Errorf("%+v is later, but %+v", past, d.Recurrence)
		}
	}
	if _, err := postmortem.Draft(inc.State(), nil, postmortem.Options{Recurrence: incident.RecurrenceOptions{Count: 1}}); err == nil {
		t.Error("a recurrence of one: no error")
	}
}
