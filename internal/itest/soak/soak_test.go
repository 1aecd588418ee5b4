package soak

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// TestMain runs the tests, or is a node where a test has started this program again.
func TestMain(m *testing.M) {
	if text := os.Getenv(nodeEnv); text != "" {
		if err := runNode(text); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestReader checks by hand what the reader expects of one outage: from 00:20:40 to 04:10:00, with one complaint that goes on
// until 08:08:00.
func TestReader(t *testing.T) {
	down := outage{service: 3, down: true, severity: incident.P1, begin: 20*60 + 40, end: 4*hour + 10*60, linger: 4*hour - 2*60, alerts: 3}
	w := world{days: 1, outages: []outage{down}}
	got := w.episodes(w.outages)
	want := map[string]episode{
		"platform.down.svc03.all.20261101T002040Z":       {3, 21*60 + 40, 4*hour + 10*60, true, incident.P1, 20*60 + 40},
		"application.slow.svc03.pod000.20261101T002000Z": {3, 4*hour + 10*60, 8*hour + 8*60, false, incident.P3, 20 * 60},
	}
	if !maps.Equal(got, want) {
		t.Errorf("episodes %v, want %v", got, want)
	}
	messages := map[message]bool{}
	for id, e := range want {
		e.messages(0, id, messages)
	}
	for _, m := range []message{
		{"tenant000", "platform.down.svc03.all.20261101T002040Z", "page L1", "person0"},
		{"tenant000", "platform.down.svc03.all.20261101T002040Z", "page L2", "person3"}, // after an hour
		{"tenant000", "platform.down.svc03.all.20261101T002040Z", "resolution", "reader2"},
		{"tenant000", "application.slow.svc03.pod000.20261101T002000Z", "page L2", "person3"}, // after three
		{"tenant000", "application.slow.svc03.pod000.20261101T002000Z", "initial", "reader0"},
	} {
		if !messages[m] {
			t.Errorf("%v is missing of %v", m, messages)
		}
	}
	// 3:49:20 of 720 hours is 99.469 %: a quarter of 1,000.00, and a twentieth for more than two hours.
	if cents := credit(0, w.outages); cents != 300_00 {
		t.Errorf("credit of %d cents, want 30000", cents)
	}
}

// TestMonth runs a month at the smallest size, with a node killed every fifth day, as most of its time is that of nodes that start;
// and some days on PostgreSQL, where to take over is a matter of seconds.
func TestMonth(t *testing.T) {
	if raceEnabled {
		t.Skip("a month of nodes: runs without the race detector")
	}
	t.Run("sqlite", func(t *testing.T) { testMonth(t, 1, 10_000, month, 5, "sqlite") })
	t.Run("postgres", func(t *testing.T) { testMonth(t, 2, 10_000, 3, 1, "postgres") })
}

// TestMonths runs whole months of all sizes with a node killed every day, if asked to by EVENKEEL_SOAK.
func TestMonths(t *testing.T) {
	if os.Getenv("EVENKEEL_SOAK") == "" {
		t.Skip("months of up to 1,000,000 alerts: set EVENKEEL_SOAK=1")
	}
	for _, signals := range []int{10_000, 100_000, 1_000_000} {
		for _, system := range []string{"sqlite", "postgres"} {
			t.Run(fmt.Sprint(system, signals), func(t *testing.T) { testMonth(t, 1, signals, month, 1, system) })
		}
	}
}

func testMonth(t *testing.T, seed uint64, signals, days, every int, system string) {
	t.Helper()
	r := newRun(t, seed, signals, days, system)
	for i := range r.nodes {
		r.start(i)
	}
	r.month(rand.New(rand.NewPCG(seed, 1)), every) //nolint:gosec // a seed is the point
	r.check()
	third := slices.Max(r.cost.heap[:days/3])
	end := slices.Max(r.cost.heap[2*days/3 : days])
	if end > third+third/2+8<<20 {
		t.Errorf("the heap is %d bytes in the last third of the month, and %d in the first", end, third)
	}
	resident, grown := slices.Max(r.cost.resident[:days/3]), slices.Max(r.cost.resident[2*days/3:days])
	if grown > resident+resident/2+32<<10 {
		t.Errorf("%d KiB are resident in the last third of the month, and %d in the first", grown, resident)
	}
	t.Logf("waited %v", r.cost.waits)
	t.Logf("%s %d: processor time of nodes %v, of the server %v, wall %v; %d KiB resident in the first third, %d in the last; heap %d and %d KiB; database %d KiB",
		system, signals, r.cost.nodes.Round(10*time.Millisecond), r.cost.server.Round(10*time.Millisecond), r.cost.wall.Round(10*time.Millisecond),
		resident, grown, third>>10, end>>10, r.size()>>10)
}
