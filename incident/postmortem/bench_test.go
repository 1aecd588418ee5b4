package postmortem_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// BenchmarkDraft drafts from a timeline of a long night.
func BenchmarkDraft(b *testing.B) {
	inc := reviewed(b)
	for i := range 1000 {
		e := incident.Event{Kind: incident.Note, Key: strconv.Itoa(i), At: after(712 + i), Actor: "cleo", Details: incident.Details{Text: "looked at the locks again"}}
		if _, err := inc.Apply(e); err != nil {
			b.Fatal(err)
		}
	}
	state, entries := inc.State(), inc.Timeline().Entries()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := postmortem.Draft(state, entries, postmortem.Options{At: begin}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLearn sums up ten thousand documents with three measures each.
func BenchmarkLearn(b *testing.B) {
	docs := make([]postmortem.Document, 10_000)
	for i := range docs {
		docs[i] = postmortem.Document{Incident: strconv.Itoa(i), Times: incident.Times{Resolved: begin}, Contributing: []string{fmt.Sprint("cause ", i%100)}}
		for n, kind := range []incident.MeasureType{incident.Prevent, incident.DetectFast, incident.Process} {
			docs[i].Measures = append(docs[i].Measures, postmortem.Measure{Text: "x", Type: kind, Owner: "o", Due: fmt.Sprintf("2026-10-%02d", 1+(i+n)%28)})
		}
	}
	period := calendar.Interval{Start: begin, End: begin.Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		if l := postmortem.Learn(docs, period, begin); l.Reviews != len(docs) || len(l.Factors) != 100 {
			b.Fatal(l.Reviews, len(l.Factors))
		}
	}
}
