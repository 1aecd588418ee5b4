package evidence

import (
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestReadMetrics(t *testing.T) {
	for name, text := range map[string]string{
		"m.csv":   "service,cpu,time,queue\nshop,1.5,2026-10-05T00:00:00Z,\ndb,NaN,2026-10-05T00:00:15Z,7\n",
		"m.jsonl": "{\"time\":\"2026-10-05T00:00:00Z\",\"service\":\"shop\",\"cpu\":1.5}\n{\"queue\":7,\"cpu\":null,\"service\":\"db\",\"time\":\"2026-10-05T00:00:15Z\"}\n",
	} {
		m, r, err := ReadMetrics(func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }, name)
		if err != nil || len(r.Notices) > 0 || len(r.Sources) != 1 || *r.Sources[0].Rows != 2 {
			t.Errorf("%s: %+v, %v, want two rows without a notice", name, r, err)
		}
		if !slices.Equal(m.Features, []string{"cpu", "queue"}) || len(m.Rows) != 2 {
			t.Fatalf("%s: features %q, %d rows, want cpu, queue and 2", name, m.Features, len(m.Rows))
		}
		a, b := m.Rows[0], m.Rows[1]
		if a.Service != "shop" || a.Value(0) != 1.5 || !math.IsNaN(a.Value(1)) || !math.IsNaN(a.Value(-1)) {
			t.Errorf("%s: first row %+v, want cpu 1.5 of shop and no queue", name, a)
		}
		if b.Service != "db" || b.Line < 2 || !math.IsNaN(b.Value(0)) || b.Value(1) != 7 || b.At.Second() != 15 {
			t.Errorf("%s: second row %+v, want queue 7 of db and no cpu", name, b)
		}
	}
}

func TestReadMetricsProblems(t *testing.T) {
	for text, want := range map[string]string{
		"time,cpu\n":         "m.csv:1: service: the column is missing",
		"time,service,a,a\n": "m.csv:1: a: the column stands twice",
		"time,service,a\n2026-10-05 00:00,,+Inf\n": "m.csv:2: service: the cell is empty\nm.csv:2: time: found \"2026-10-05 00:00\", want a time with a zone, " +
			"like 2026-10-01T00:00:00Z\nm.csv:2: a: found \"+Inf\", want a number, NaN or nothing",
	} {
		_, _, err := ReadMetrics(func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }, "m.csv")
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want\n%s", text, err, want)
		}
	}
}
