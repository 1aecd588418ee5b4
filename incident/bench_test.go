package incident_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func BenchmarkTimelineAppend(b *testing.B) {
	e := incident.Entry{
		Kind: incident.Note, Key: "alert/4711/note", Actor: "monitor", At: noon, RecordedAt: noon,
		Payload: strings.Repeat("x", 200), Salt: incident.Salt{1},
	}
	b.ReportAllocs()
	const batch = 1000 // a timeline that never ends would measure the growth of its slice
	timeline, n := incident.NewTimeline("acme", "INC-1"), uint64(0)
	for b.Loop() {
		if n == batch {
			timeline.Truncate()
			n = 0
		}
		if _, err := timeline.Append(n, e); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkVerify(b *testing.B) {
	timeline := incident.NewTimeline("acme", "INC-1")
	for i := range uint64(1000) {
		e := incident.Entry{
			Kind: incident.Note, Key: fmt.Sprint("alert/4711/note", i), Actor: "monitor", At: noon, RecordedAt: noon,
			Payload: strings.Repeat("x", 200), Salt: incident.Salt{1},
		}
		if _, err := timeline.Append(i, e); err != nil {
			b.Fatal(err)
		}
	}
	entries := timeline.Entries()
	b.ReportAllocs()
	for b.Loop() {
		if err := incident.Verify("acme", "INC-1", entries); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entries)), "ns/entry")
}

// BenchmarkReadTimeline reads and checks an export of entries with 200 bytes each.
func BenchmarkReadTimeline(b *testing.B) {
	const n = 1000
	timeline := incident.NewTimeline("acme", "INC-1")
	for i := range n {
		e := incident.Entry{Kind: incident.Note, Key: fmt.Sprint("note-", i), Actor: "ann", At: noon, RecordedAt: noon, Payload: strings.Repeat("x", 200)}
		if _, err := timeline.Append(uint64(i), e); err != nil {
			b.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := timeline.Write(&out); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		got, err := incident.ReadTimeline(bytes.NewReader(out.Bytes()))
		if err != nil || got.Len() != n {
			b.Fatalf("%v, want %d entries", err, n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

func BenchmarkApply(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		inc, err := incident.New("acme", "INC-1", incident.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range major() {
			if _, err := inc.Apply(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkFiguresOf(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			records := manyRecords(n)
			o := incident.FiguresOptions{Targets: incident.DefaultTargets()}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := incident.FiguresOf(records, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMeterUpdate feeds each incident four times: when it was declared,
// acknowledged, resolved and closed, a thousand incidents at a time.
func BenchmarkMeterUpdate(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			ids, records := make([]string, n), manyRecords(256)
			for i := range ids {
				ids[i] = fmt.Sprint("INC-", i)
			}
			steps := make([][4]incident.Record, len(records))
			for i, r := range records {
				declared, taken, closed := r, r, r
				declared.Times.Acknowledged, declared.Times.Resolved = time.Time{}, time.Time{}
				taken.Times.Resolved = time.Time{}
				closed.Status, closed.Times.Closed = incident.Closed, r.Times.Resolved
				steps[i] = [4]incident.Record{declared, taken, r, closed}
			}
			b.ReportAllocs()
			i, meter := 0, incident.NewMeter(incident.FiguresOptions{Targets: incident.DefaultTargets()})
			for b.Loop() {
				if i == 4*n {
					b.StopTimer()
					i, meter = 0, incident.NewMeter(incident.FiguresOptions{Targets: incident.DefaultTargets()})
					b.StartTimer()
				}
				turn, step, place := i/4000, i%4000/1000, i%1000
				r := &steps[place%len(steps)][step]
				r.ID = ids[turn*1000+place]
				meter.Update(r)
				i++
			}
		})
	}
}

// BenchmarkMeterWindow slides a window of a week by an hour and reads it.
func BenchmarkMeterWindow(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			meter := incident.NewMeter(incident.FiguresOptions{Targets: incident.DefaultTargets()})
			for i, r := range manyRecords(n) {
				r.ID = fmt.Sprint("INC-", i)
				meter.Update(&r)
			}
			first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			for hours := 0; b.Loop(); hours = (hours + 1) % (24 * 24) {
				start := first.Add(time.Duration(hours) * time.Hour)
				meter.Slide(calendar.Interval{Start: start, End: start.AddDate(0, 0, 7)})
				if _, err := meter.Figures(start); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkScorecard takes every key figure from incidents with an impact each, a
// tenth as many changes, and as many alerts.
func BenchmarkScorecard(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			basis := incident.Basis{Records: manyRecords(n)}
			for i := range basis.Records {
				r := &basis.Records[i]
				r.Services = []string{"checkout", "search", "mail"}[i%3 : i%3+1]
				r.Impact = []calendar.Interval{{Start: r.Times.Started, End: r.Times.Started.Add(10 * time.Minute)}}
				basis.Alerts = append(basis.Alerts, incident.Alert{ID: r.ID, Fired: r.Times.Detected, Stored: r.Times.Detected, Told: r.Times.Created})
				if i%10 == 0 {
					basis.Changes = append(basis.Changes, incident.Change{ID: r.ID, Kind: incident.NormalChange, Result: incident.ChangeOK, Ended: r.Times.Created, Announced: r.Times.Started, Window: r.Impact[0]})
				}
			}
			o := incident.ScorecardOptions{Targets: incident.DefaultKPITargets()}
			o.Figures = incident.FiguresOptions{Period: incident.Month(2026, time.March, time.UTC), Targets: incident.DefaultTargets(), At: basis.Records[0].Times.Created}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := incident.Scorecard(basis, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
