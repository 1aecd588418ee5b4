package correlation_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// alarmRow is one row of the telecom alarm set: six days of 439 devices.
type alarmRow struct {
	kind, device string
	start, end   int
}

func readCSV(tb testing.TB, name string) [][]string {
	tb.Helper()
	f, err := os.Open(testutil.SharedFile(tb, "data", "correlation", "alarms-24v-439n", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	if name[len(name)-3:] == ".gz" {
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		r = csv.NewReader(z)
	}
	rows, err := r.ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	return rows[1:]
}

func alarmSet(tb testing.TB) ([]correlation.Rule, *correlation.Topology, []alarmRow) {
	tb.Helper()
	var rules []correlation.Rule
	for _, r := range readCSV(tb, "dag.csv") {
		rules = append(rules, correlation.Rule{
			Name:  fmt.Sprintf("%s-%s", r[0], r[1]),
			Logic: fmt.Sprintf("IF alarm.a%s AS s THEN suppress alarm.a%s WHERE near(s, 1)", r[0], r[1]),
		})
	}
	topology := &correlation.Topology{EntityLabel: "device"}
	for _, r := range readCSV(tb, "topology.csv") {
		topology.Edges = append(topology.Edges, correlation.Edge{Dependent: r[0], Dependency: r[1]})
	}
	var rows []alarmRow
	for _, r := range readCSV(tb, "alarms.csv.gz") {
		row := alarmRow{kind: "alarm.a" + r[0], device: r[1]}
		var err error
		if row.start, err = strconv.Atoi(r[2]); err != nil {
			tb.Fatal(err)
		}
		if row.end, err = strconv.Atoi(r[3]); err != nil {
			tb.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rules, topology, rows
}

// replayAlarms feeds the rows one by one and calls visit with the number of
// each row and what became of it.
func replayAlarms(tb testing.TB, rules []correlation.Rule, topology *correlation.Topology, rows []alarmRow, visit func(k int, duplicate, visible bool)) {
	tb.Helper()
	e, err := correlation.New(rules, correlation.Options{Topology: topology})
	if err != nil {
		tb.Fatal(err)
	}
	var out []correlation.Transition
	until := map[[2]string]int{}
	last, ties := -1, 0
	for k, row := range rows {
		if row.start == last {
			ties++ // rows of one second arrive one after the other
		} else {
			last, ties = row.start, 1
		}
		id := [2]string{row.kind, row.device}
		until[id] = max(until[id], row.end, row.start+300)
		at := time.Unix(int64(row.start), int64(ties)).UTC()
		before := e.Stats().Refreshes
		out, err = e.Append(out[:0], at, correlation.Event{
			Alert: row.kind, Labels: map[string]string{"device": row.device}, Status: correlation.Firing, Time: at,
			Ends: time.Unix(int64(until[id])+1, 0), // until is inclusive, Ends is not
		})
		if err != nil {
			tb.Fatal(err)
		}
		visible := false
		for n := range out {
			tr := &out[n]
			visible = visible || tr.Kind == correlation.Notify && tr.Alert.Name == row.kind && tr.Alert.Labels.Get("device") == row.device && tr.At.Equal(at)
		}
		visit(k, e.Stats().Refreshes > before, visible)
	}
}

// The counts and the hash come with the data set, from a loop over the rows
// that uses nothing of this package.
func TestAlarmReplay(t *testing.T) {
	rules, topology, rows := alarmSet(t)
	var duplicates, suppressed, visible int
	var hash uint64
	replayAlarms(t, rules, topology, rows, func(k int, duplicate, shown bool) {
		switch {
		case duplicate:
			duplicates++
		case shown:
			visible++
			hash = (hash*1000003 + uint64(k)) % (1 << 61) // 2^61 divides 2^64: the overflow does no harm
		default:
			suppressed++
		}
	})
	if duplicates != 34441 || suppressed != 12100 || visible != 18057 || hash != 1095237296807322319 {
		t.Errorf("replay = %d duplicates, %d suppressed, %d visible, hash %d, want 34441, 12100, 18057, 1095237296807322319", duplicates, suppressed, visible, hash)
	}
}

func BenchmarkAlarmReplay(b *testing.B) {
	rules, topology, rows := alarmSet(b)
	b.ReportAllocs()
	for b.Loop() {
		replayAlarms(b, rules, topology, rows, func(int, bool, bool) {})
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
