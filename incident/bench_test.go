package incident_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
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

func BenchmarkCompute(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			records := manyRecords(n)
			o := incident.FiguresOptions{Targets: incident.DefaultTargets()}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := incident.Compute(records, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
