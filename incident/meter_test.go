package incident_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// variedRecords makes reproducible incidents of all kinds around March 2026: open,
// cancelled, merged, undeclared, reopened, with waits, skewed clocks and without
// some of the milestones.
func variedRecords(r *rand.Rand, n int) []incident.Record {
	start := time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)
	records := make([]incident.Record, n)
	for i := range records {
		at := start.Add(time.Duration(r.Int64N(int64(50 * 24 * time.Hour))))
		next := func() time.Time {
			at = at.Add(time.Duration(r.Int64N(int64(4*time.Hour))) - 10*time.Minute)
			if r.IntN(8) == 0 {
				return time.Time{}
			}
			return at
		}
		rec := incident.Record{
			Tenant: []string{"acme", "globex"}[r.IntN(2)], ID: fmt.Sprint("INC-", i, strings.Repeat("x", i%3*18)), Severity: incident.Severity(r.IntN(5)),
			Services: []string{"checkout", "search", "mail"}[:r.IntN(4)], Team: []string{"", "blue", "red"}[r.IntN(3)], Centre: []string{"AMS", "SIN"}[r.IntN(2)],
			Status:     []incident.Status{incident.Open, incident.Resolved, incident.Closed, incident.Cancelled, incident.Merged}[r.IntN(5)],
			Times:      incident.Times{Started: next(), Detected: next(), Created: next(), Acknowledged: next(), Resolved: next()},
			DetectedBy: []incident.Detector{"", incident.ByMonitor, incident.ByUser}[r.IntN(3)], FirstContact: r.IntN(2) == 0,
			Escalations: r.IntN(2), Reopens: r.IntN(2), Score: r.IntN(6),
		}
		if r.IntN(3) == 0 {
			rec.Cost = money.Must(money.New(r.Int64N(100_000), "EUR"))
		}
		if r.IntN(4) == 0 && !rec.Times.Created.IsZero() {
			wait := rec.Times.Created.Add(10 * time.Minute)
			rec.Waits = []calendar.Interval{{Start: wait, End: wait.Add(time.Duration(r.IntN(90)) * time.Minute)}}
		}
		if rec.Reopens > 0 && !rec.Times.Created.IsZero() {
			up := rec.Times.Created.Add(20 * time.Minute)
			rec.Impact = []calendar.Interval{{Start: rec.Times.Created, End: up}, {Start: up.Add(time.Hour), End: rec.Times.Resolved}}
			rec.Gaps = []calendar.Interval{{Start: up, End: up.Add(time.Hour)}}
		}
		records[i] = rec
	}
	return records
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var meterOptions = []incident.FiguresOptions{
	{},
	{Targets: incident.DefaultTargets()},
	{Targets: incident.DefaultTargets(), Resolution: incident.TimeToRestore, Clock: incident.WallTime, Membership: incident.ByCreation},
	{Targets: incident.DefaultTargets(), Resolution: incident.TimeToRepair, Clock: incident.WithWaits, Membership: incident.ByOverlap},
}

// TestMeterAgreesWithBatch is the law that the streaming figures are those of the
// batch: for records in any order, with repetitions and with earlier versions of
// them before, and for every dimension.
func TestMeterAgreesWithBatch(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	at := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	for round := range 40 {
		o := meterOptions[round%len(meterOptions)]
		if round%2 == 1 {
			o.Period = incident.Month(2026, time.March, time.UTC)
		}
		records := variedRecords(r, 1+r.IntN(120))
		meter := incident.NewMeter(o)
		for _, earlier := range variedRecords(r, len(records)) {
			meter.Update(&earlier) // another state of an incident with the id of one
			if r.IntN(5) == 0 {
				if _, err := meter.Figures(at); err != nil {
					t.Fatal(err)
				}
			}
			meter.Remove("globex", earlier.ID) // the tenant may differ later
			meter.Remove("acme", earlier.ID)
			if r.IntN(2) == 0 {
				meter.Update(&earlier)
			}
		}
		for _, rec := range records {
			meter.Remove("globex", rec.ID)
			early := rec
			early.Tenant, early.Severity, early.Times.Resolved = "acme", incident.P4, time.Time{}
			meter.Update(&early)
			if rec.Tenant != "acme" {
				meter.Remove("acme", rec.ID)
			}
		}
		stream := slices.Concat(records, records[:r.IntN(len(records))])
		r.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
		for i, rec := range stream {
			meter.Update(&rec)
			if i%50 == 0 {
				if _, err := meter.Figures(at); err != nil {
					t.Fatal(err)
				}
			}
		}
		if meter.Len() != len(records) {
			t.Fatalf("round %d: Len = %d, want %d", round, meter.Len(), len(records))
		}
		o.At = at
		want, err := incident.FiguresOf(records, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := meter.Figures(at)
		if err != nil || asJSON(t, got) != asJSON(t, want) {
			t.Fatalf("round %d: Figures = %s, %v\nwant %s", round, asJSON(t, got), err, asJSON(t, want))
		}
		for _, d := range []incident.Dimension{incident.PerSeverity, incident.PerService, incident.PerTenant, incident.PerTeam, incident.PerCentre} {
			want, err := incident.FiguresBy(records, d, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := meter.FiguresBy(d, at)
			if err != nil || asJSON(t, got) != asJSON(t, want) {
				t.Fatalf("round %d: FiguresBy(%d) = %s, %v\nwant %s", round, d, asJSON(t, got), err, asJSON(t, want))
			}
		}
	}
}

// TestMeterSlides is the law that a window that slides, by any step and in both
// directions, shows what the batch computes for it.
func TestMeterSlides(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for round := range 12 {
		o := meterOptions[round%len(meterOptions)]
		records := variedRecords(r, 150)
		meter := incident.NewMeter(o)
		start := time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC)
		for i := range 30 {
			for range 5 {
				meter.Update(&records[5*i]) // some come while the window moves
				records[5*i], records[5*i+1] = records[5*i+1], records[5*i]
			}
			known := records[:0:0]
			o.Period = calendar.Interval{Start: start, End: start.AddDate(0, 0, 7)}
			if i%7 == 6 {
				o.Period = calendar.Interval{} // all time, and back
			}
			meter.Slide(o.Period)
			o.At = o.Period.End
			seen := map[string]bool{}
			for j := range 5*i + 5 {
				if (j%5 == 0 || j%5 == 1) && !seen[records[j].ID] {
					seen[records[j].ID] = true
					known = append(known, records[j])
				}
			}
			if meter.Len() != len(known) {
				t.Fatalf("round %d, step %d: Len = %d, want %d", round, i, meter.Len(), len(known))
			}
			want, err := incident.FiguresOf(known, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := meter.Figures(o.At)
			if err != nil || asJSON(t, got) != asJSON(t, want) {
				t.Fatalf("round %d, step %d: Figures = %s, %v\nwant %s", round, i, asJSON(t, got), err, asJSON(t, want))
			}
			step := time.Duration(r.Int64N(int64(6*24*time.Hour))) - 24*time.Hour
			if i%10 == 9 {
				step = -20 * 24 * time.Hour
			}
			start = start.Add(step)
		}
	}
}

// TestMeterForgets is the law that incidents which come and go, one by one or many
// together, leave nothing behind: the figures are those of the ones that are there.
func TestMeterForgets(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	o := incident.FiguresOptions{Targets: incident.DefaultTargets(), At: time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)}
	meter := incident.NewMeter(o)
	records := variedRecords(r, 3000)
	for i := range records {
		if i%3 == 0 {
			records[i].Tenant = ""
		}
	}
	there := map[int]bool{}
	for round := range 60 {
		for range 200 {
			i := r.IntN(len(records))
			meter.Remove(records[i].Tenant, records[i].ID)
			delete(there, i)
		}
		from := r.IntN(len(records))
		many := records[from:min(len(records), from+r.IntN(400))]
		meter.UpdateAll(many)
		for i := range many {
			there[from+i] = true
		}
		for range 100 {
			i := r.IntN(len(records))
			meter.Update(&records[i])
			there[i] = true
		}
		if meter.Len() != len(there) {
			t.Fatalf("round %d: Len = %d, want %d", round, meter.Len(), len(there))
		}
		if round%10 != 9 {
			continue
		}
		var left []incident.Record
		for i := range there {
			left = append(left, records[i])
		}
		want, err := incident.FiguresOf(left, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := meter.Figures(o.At)
		if err != nil || asJSON(t, got) != asJSON(t, want) {
			t.Fatalf("round %d: Figures = %s, %v\nwant %s", round, asJSON(t, got), err, asJSON(t, want))
		}
		wantTeams, err := incident.FiguresBy(left, incident.PerTeam, o)
		if err != nil {
			t.Fatal(err)
		}
		teams, err := meter.FiguresBy(incident.PerTeam, o.At)
		if err != nil || asJSON(t, teams) != asJSON(t, wantTeams) {
			t.Fatalf("round %d: FiguresBy = %s, %v\nwant %s", round, asJSON(t, teams), err, asJSON(t, wantTeams))
		}
	}
	for i := range there {
		meter.Remove(records[i].Tenant, records[i].ID)
	}
	if labels := meter.Labels(); labels != 0 || meter.Len() != 0 {
		t.Errorf("%d incidents and labels of %d left, want none", meter.Len(), labels)
	}
	meter.Remove("acme", "unknown")
}

// TestMeterTenants: the same id in several tenants, and in none, is as many incidents.
func TestMeterTenants(t *testing.T) {
	meter := incident.NewMeter(incident.FiguresOptions{})
	for range 3 {
		for _, tenant := range []string{"", "acme", "globex", "acme"} {
			meter.Update(&incident.Record{Tenant: tenant, ID: "INC-1", Times: incident.Times{Created: noon}})
		}
	}
	if f, err := meter.Figures(noon); err != nil || meter.Len() != 3 || f.Volume != 3 {
		t.Errorf("%d incidents, volume %d, %v, want 3", meter.Len(), f.Volume, err)
	}
	meter.Remove("", "INC-1")
	if meter.Len() != 2 {
		t.Errorf("Len = %d, want 2", meter.Len())
	}
}

// TestFarInstants: differences of instants that do not fit into 64 bits of
// nanoseconds since 1970, or whose difference does not, are those of time.Time.
func TestFarInstants(t *testing.T) {
	year := func(n int) time.Time { return time.Date(n, 6, 1, 0, 0, 0, 1, time.UTC) }
	for _, tt := range []struct{ from, to time.Time }{
		{year(1500), year(1501)}, {year(2400), year(2400).Add(time.Hour)}, {year(1700), year(2200)}, {year(1850), year(2100)}, {year(2200), year(1700)}, {year(1), year(9999)},
	} {
		rec := incident.Record{ID: "i", Times: incident.Times{Started: tt.from, Detected: tt.to}}
		f, err := incident.FiguresOf([]incident.Record{rec}, incident.FiguresOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := f.MTTD.Max(); got != max(0, tt.to.Sub(tt.from)) || f.MTTD.N != 1 {
			t.Errorf("%v to %v: %v, want %v", tt.from, tt.to, got, tt.to.Sub(tt.from))
		}
	}
}

// TestMeterKeepsNothingOfTheCaller: figures that were given out do not change, and
// neither does the meter when the caller's record does.
func TestMeterKeepsNothingOfTheCaller(t *testing.T) {
	meter := incident.NewMeter(incident.FiguresOptions{Targets: incident.DefaultTargets()})
	rec := incident.Record{ID: "i", Severity: incident.P1, Times: incident.Times{Detected: noon, Created: noon}, Waits: []calendar.Interval{{Start: minute(10), End: minute(70)}}}
	meter.Update(&rec)
	done := incident.Record{ID: "j", Times: incident.Times{Detected: noon, Created: noon, Resolved: minute(30)}}
	meter.Update(&done)
	before, err := meter.Figures(minute(150))
	if err != nil {
		t.Fatal(err)
	}
	text := asJSON(t, before)
	rec.Waits[0].End = minute(11)
	done.Times.Resolved = minute(40)
	meter.Update(&done)
	after, err := meter.Figures(minute(150))
	if err != nil {
		t.Fatal(err)
	}
	if asJSON(t, before) != text {
		t.Error("figures changed after they were given out")
	}
	if after.Kept != before.Kept || after.Kept.Of != 0 {
		t.Errorf("Kept = %v, want undecided: an hour of 2h30 was a wait", after.Kept)
	}
}

// TestMembership puts one incident into periods by hand: detected at 12:00,
// declared at 12:10, resolved at 14:00.
func TestMembership(t *testing.T) {
	rec := incident.Record{ID: "i", Times: incident.Times{Detected: noon, Created: minute(10), Resolved: minute(120)}}
	hour := func(n int) calendar.Interval { return calendar.Interval{Start: minute(60 * n), End: minute(60*n + 60)} }
	for _, tt := range []struct {
		membership     incident.Membership
		period         calendar.Interval
		volume, timing int
	}{
		{incident.BySpan, hour(0), 1, 0},
		{incident.BySpan, hour(1), 0, 0},
		{incident.BySpan, hour(2), 0, 1},
		{incident.ByCreation, hour(0), 1, 1},
		{incident.ByCreation, hour(2), 0, 0},
		{incident.ByOverlap, hour(-1), 0, 0},
		{incident.ByOverlap, hour(0), 1, 1},
		{incident.ByOverlap, hour(1), 1, 1},
		{incident.ByOverlap, hour(2), 0, 0}, // it ended as this hour began
	} {
		f, err := incident.FiguresOf([]incident.Record{rec}, incident.FiguresOptions{Period: tt.period, Membership: tt.membership})
		if err != nil || f.Volume != tt.volume || f.MTTR.N != tt.timing {
			t.Errorf("membership %d, %v: volume %d, timed %d, %v, want %d, %d", tt.membership, tt.period, f.Volume, f.MTTR.N, err, tt.volume, tt.timing)
		}
	}
}

// TestMonth: March and October have 743 and 745 hours where the clock changes.
func TestMonth(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		year  int
		month time.Month
		loc   *time.Location
		hours int
	}{
		{2026, time.March, time.UTC, 744},
		{2026, time.March, amsterdam, 743},
		{2026, time.October, amsterdam, 745},
		{2028, time.February, amsterdam, 696},
		{2026, time.December, amsterdam, 744},
	} {
		if got := incident.Month(tt.year, tt.month, tt.loc).Duration(); got != time.Duration(tt.hours)*time.Hour {
			t.Errorf("Month(%d, %v, %v) = %v, want %d h", tt.year, tt.month, tt.loc, got, tt.hours)
		}
	}
}

// TestClocks: of three hours from detection to resolution the customer had one to
// answer, and half an hour lay between a resolution and the reopening.
func TestClocks(t *testing.T) {
	rec := incident.Record{
		Times:  incident.Times{Detected: noon, Resolved: minute(180)},
		Waits:  []calendar.Interval{{Start: minute(10), End: minute(70)}},
		Gaps:   []calendar.Interval{{Start: minute(100), End: minute(130)}},
		Impact: []calendar.Interval{{Start: noon, End: minute(100)}, {Start: minute(130), End: minute(180)}},
	}
	for clock, want := range map[incident.Clock]time.Duration{
		incident.NetTime: 90 * time.Minute, incident.WithWaits: 150 * time.Minute, incident.WithGaps: 2 * time.Hour, incident.WallTime: 3 * time.Hour,
	} {
		if l, ok := rec.LapseBy(incident.MTTR, clock); !ok || l.Duration != want {
			t.Errorf("%v: %v, %v, want %v", clock, l.Duration, ok, want)
		}
		f, err := incident.FiguresOf([]incident.Record{rec}, incident.FiguresOptions{Clock: clock})
		if longest, _ := f.MTTR.Max(); err != nil || longest != want {
			t.Errorf("%v: MTTR = %v, %v, want %v", clock, longest, err, want)
		}
	}
	if got := (incident.Durations{Span: incident.MTTR, Clock: incident.WithWaits}).Definition(); got != "detected to resolved, with waits" {
		t.Errorf("Definition = %q", got)
	}
}
