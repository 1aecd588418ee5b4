package evidence_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/slo"
)

// observed reads a table of counts and returns what the last observer was handed.
func observed(text string, until time.Time) (rows []string, starts int, r evidence.Result, err error) {
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	r, err = evidence.Indicators(open, "sli.csv", []string{"api", "web"}, until, func() (evidence.Observer, error) {
		rows, starts = nil, starts+1
		return func(service int, at time.Time, c slo.Counts) error {
			rows = append(rows, fmt.Sprintf("%d %s %d/%d", service, at.Format("15:04"), c.Good, c.Total))
			return nil
		}, nil
	})
	return rows, starts, r, err
}

func TestIndicators(t *testing.T) {
	const header = "time,service,good,total\n"
	for _, c := range []struct {
		name, text string
		want       string
		starts     int
		notices    string
	}{
		{"in order within each service", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T01:00:00Z,web,3,4\n2026-10-01T03:00:00Z,web,5,5\n", "0 02:00 1/2, 1 01:00 3/4, 1 03:00 5/5", 1, ""},
		{"sorted", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T03:00:00Z,web,5,5\n2026-10-01T01:00:00Z,web,3,4\n", "1 01:00 3/4, 0 02:00 1/2, 1 03:00 5/5", 2, ""},
		{"after the end", "2026-10-01T04:00:00Z,api,1,2\n2026-10-01T04:00:01Z,api,1,2\n2026-10-01T03:00:00Z,api,0,0\n", "0 03:00 0/0, 0 04:00 1/2", 2, ""},
		{"repeated", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T02:00:00Z,api,1,2\n", "0 02:00 1/2", 1, "repeated_row"},
		{"repeated, sorted", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T01:00:00Z,api,1,2\n2026-10-01T02:00:00Z,api,1,2\n", "0 01:00 1/2, 0 02:00 1/2", 2, "repeated_row"},
		{"other service", "2026-10-01T02:00:00Z,mail,1,2\n", "", 1, "unknown_service"},
	} {
		rows, starts, r, err := observed(header+c.text, day(1, 4, 0))
		var codes []string
		for _, n := range r.Notices {
			codes = append(codes, n.Code)
		}
		if got := strings.Join(rows, ", "); err != nil || got != c.want || starts != c.starts || strings.Join(codes, " ") != c.notices {
			t.Errorf("%s: %s in %d passes, notices %q, %v, want %s in %d, %q", c.name, got, starts, codes, err, c.want, c.starts, c.notices)
		}
		if len(r.Sources) != 1 || *r.Sources[0].Rows != strings.Count(c.text, "\n") {
			t.Errorf("%s: sources %+v, want one with all rows", c.name, r.Sources)
		}
	}
}

func TestIndicatorErrors(t *testing.T) {
	const header = "time,service,good,total\n"
	for _, c := range []struct{ name, text, want string }{
		{"conflict", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T02:00:00Z,api,2,2\n", "sli.csv:3: time: 2 good of 2, but line 2 has 1 of 2"},
		{"conflict, sorted", "2026-10-01T02:00:00Z,api,1,2\n2026-10-01T01:00:00Z,api,2,2\n2026-10-01T02:00:00Z,api,2,2\n", "sli.csv:4: time: 2 good of 2, but line 2 has 1 of 2"},
		{"too many good", "2026-10-01T02:00:00Z,mail,3,2\n", "sli.csv:2: good: found 3, want at most the total of 2"},
		{"far away", "1800-10-01T02:00:00Z,api,1,2\n", "sli.csv:2: time: found"},
	} {
		if _, _, _, err := observed(header+c.text, day(1, 4, 0)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// Objects of an array may share a line.
func TestIndicatorsOfALine(t *testing.T) {
	const row = `{"time":"2026-10-01T0%d:00:00Z","service":"api","good":%[1]d,"total":9}`
	text := "[" + fmt.Sprintf(row, 1) + "," + fmt.Sprintf(row, 3) + "," + fmt.Sprintf(row, 2) + "]"
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	var got []uint64
	_, err := evidence.Indicators(open, "sli.json", []string{"api"}, day(1, 4, 0), func() (evidence.Observer, error) {
		got = nil
		return func(_ int, _ time.Time, c slo.Counts) error { got = append(got, c.Good); return nil }, nil
	})
	if err != nil || !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Errorf("rows %v, %v, want 1, 2, 3", got, err)
	}
}

// A stream can be read only once, so rows out of order need a file.
func TestIndicatorsOfAStream(t *testing.T) {
	stream := strings.NewReader("time,service,good,total\n2026-10-01T02:00:00Z,api,1,2\n2026-10-01T01:00:00Z,api,1,2\n")
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(stream), nil }
	_, err := evidence.Indicators(open, "stdin", []string{"api"}, day(1, 4, 0), func() (evidence.Observer, error) {
		return func(int, time.Time, slo.Counts) error { return nil }, nil
	})
	if err == nil || !strings.Contains(err.Error(), "stdin") {
		t.Errorf("Indicators of a stream out of order: %v, want an error", err)
	}
}

// A million rows of one service, in order and not.
func BenchmarkIndicators(b *testing.B) {
	const n = 1_000_000
	random := rand.New(rand.NewPCG(5, 6))
	var csv, lines bytes.Buffer
	csv.WriteString("time,service,good,total\n")
	for i := range n {
		at, total := start.Add(time.Duration(i)*2*time.Second).Format(time.RFC3339), 1000+random.IntN(100)
		fmt.Fprintf(&csv, "%s,api,%d,%d\n", at, total-random.IntN(3), total)
		fmt.Fprintf(&lines, "{\"time\":\"%s\",\"service\":\"api\",\"good\":%d,\"total\":%d}\n", at, total-random.IntN(3), total)
	}
	head, rows, _ := bytes.Cut(csv.Bytes(), []byte("\n"))
	shuffled := bytes.SplitAfter(rows, []byte("\n"))
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	mixed := append(append(bytes.Clone(head), '\n'), bytes.Join(shuffled, nil)...)
	for name, data := range map[string][]byte{"sli.csv": csv.Bytes(), "sli.jsonl": lines.Bytes(), "shuffled.csv": mixed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
				if _, err := evidence.Indicators(open, name, []string{"api"}, start.AddDate(1, 0, 0), func() (evidence.Observer, error) {
					return func(int, time.Time, slo.Counts) error { return nil }, nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
