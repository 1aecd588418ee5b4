package slo_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// The figures of this file are those of the worked sample "burst": a gateway
// with 5 % errors for half an hour in the afternoon and 2 % in the last hour of
// the day, one row of counts every five minutes. They were computed
// independently of this package.

type row struct {
	at          time.Time
	good, total uint64
}

var burstEnd = time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)

func burstRows() []row {
	clock := func(text string) time.Time {
		t, err := time.Parse("2006-01-02 15:04", "2026-10-01 "+text)
		if err != nil {
			panic(err)
		}
		return t
	}
	var rows []row
	for at := clock("12:05"); !at.After(burstEnd); at = at.Add(5 * time.Minute) {
		r := row{at, 1000, 1000}
		switch {
		case at.Equal(clock("17:00")):
			r = row{at, 0, 0}
		case !at.Before(clock("14:05")) && !at.After(clock("14:30")):
			r.good = 950
		case at.Equal(burstEnd):
			r.good = 981
		case !at.Before(clock("23:05")):
			r.good = 980
		}
		rows = append(rows, r)
	}
	return rows
}

// feed observes the rows up to an instant and advances to it.
func feed(t *testing.T, tracker *slo.Tracker, rows []row, at time.Time) {
	t.Helper()
	for _, r := range rows {
		if r.at.After(at) {
			break
		}
		if err := tracker.Observe(r.at, slo.Counts{Good: r.good, Total: r.total}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tracker.Advance(at); err != nil {
		t.Fatal(err)
	}
}

func burstTracker(t *testing.T, o slo.Objective) *slo.Tracker {
	t.Helper()
	o.ID = "api"
	tracker, err := slo.NewTracker(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*max(1, math.Abs(want)) }

// utc is RFC 3339 text of an instant, empty for the zero time.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

type alertWant struct {
	rule, severity string
	long, short    int64
	factor         float64
	firing         bool
	since          string
	cold           bool
}

func checkAlerts(t *testing.T, tracker *slo.Tracker, want []alertWant) {
	t.Helper()
	var got []alertWant
	for d := range tracker.Decisions() {
		got = append(got, alertWant{
			d.Rule, string(d.Severity), int64(d.Long / time.Second), int64(d.Short / time.Second),
			d.Factor.Float64(), d.Firing, utc(d.Since), d.Cold,
		})
	}
	if !slices.Equal(got, want) {
		t.Errorf("Decisions() =\n%v, want\n%v", got, want)
	}
}

func checkBurns(t *testing.T, tracker *slo.Tracker, want map[int64]float64) {
	t.Helper()
	n, before := 0, int64(0)
	for b := range tracker.Burns() {
		n++
		window := int64(b.Window / time.Second)
		if rate, ok := want[window]; !ok || !near(b.Rate.Float64(), rate) || window <= before {
			t.Errorf("burn over %d s = %v, want %v (%t), windows ascending", window, b.Rate.Float64(), rate, ok)
		}
		before = window
	}
	if n != len(want) {
		t.Errorf("Burns() yields %d windows, want %d", n, len(want))
	}
}

func exact(num, den int64) string { return slo.NewRatio(num, den).String() }

// figures are the parts of a status that the sample states.
func figures(s slo.Status) string {
	return fmt.Sprintf("%d %d %d sli %s allowed %s left %s burn %s consumed %s remaining %s %s %s elapsed %v of %v coverage %s",
		s.Good, s.Bad, s.Total, s.SLI, s.Allowed, s.Left, s.Burn, s.Consumed, s.Remaining, s.Met, s.State, s.Elapsed, s.Length, s.Coverage)
}

func statusOf(t *testing.T, tracker *slo.Tracker) slo.Status {
	t.Helper()
	s, err := tracker.Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBurstRolling(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	tracker := burstTracker(t, slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy})
	feed(t, tracker, burstRows(), burstEnd)

	s := statusOf(t, tracker)
	// 12 h of 30 days are covered: 1.666666 %.
	want := "142461 539 143000 sli " + exact(142461, 143000) + " allowed 143/1 left -396/1 burn " + exact(539, 143) +
		" consumed " + exact(539, 143) + " remaining " + exact(-396, 143) + " missed exhausted elapsed 720h0m0s of 720h0m0s coverage 1/60"
	if got := figures(s); got != want {
		t.Errorf("Status() = %s\nwant %s", got, want)
	}
	if got := s.Consumed.Float64() * 100; !near(got, 376.9230769230769) {
		t.Errorf("consumed = %v %%, want 376.9230769230769", got)
	}
	if got := utc(s.Window.Start) + " " + utc(s.Window.End); got != "2026-09-02T00:00:00Z 2026-10-02T00:00:00Z" {
		t.Errorf("window = %s", got)
	}
	checkBurns(t, tracker, map[int64]float64{
		300: 19, 1800: 19.833333333333332, 3600: 19.916666666666668, 7200: 9.958333333333334,
		21600: 3.3194444444444446, 86400: 3.769230769230769, 259200: 3.769230769230769,
	})
	checkAlerts(t, tracker, []alertWant{
		{"page-fast", "page", 3600, 300, 14.4, true, "2026-10-01T23:45:00Z", false},
		{"page-slow", "page", 21600, 1800, 6, false, "", false},
		{"ticket-fast", "ticket", 86400, 7200, 3, true, "2026-10-01T23:30:00Z", true},
		{"ticket-slow", "ticket", 259200, 21600, 1, true, "2026-10-01T23:20:00Z", true},
	})
	if rule, ok := tracker.Firing(slo.Page); rule != "page-fast" || !ok {
		t.Errorf("Firing(Page) = %q, %t", rule, ok)
	}
	f, err := tracker.Forecast(time.Hour)
	if err != nil || utc(f.ExhaustsAt) != "2026-10-02T00:00:00Z" {
		t.Errorf("Forecast(1h) = %s, %v, want the instant itself", utc(f.ExhaustsAt), err)
	}
}

func TestBurstBeforeThePage(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	objective := slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}

	tracker := burstTracker(t, objective)
	feed(t, tracker, burstRows(), burstEnd.Add(-20*time.Minute))
	checkBurns(t, tracker, map[int64]float64{
		300: 20, 1800: 20, 3600: 13.333333333333334, 7200: 6.666666666666667,
		21600: 2.2222222222222223, 86400: 3.3093525179856114, 259200: 3.3093525179856114,
	})
	checkAlerts(t, tracker, []alertWant{
		{"page-fast", "page", 3600, 300, 14.4, false, "", false},
		{"page-slow", "page", 21600, 1800, 6, false, "", false},
		{"ticket-fast", "ticket", 86400, 7200, 3, true, "2026-10-01T23:30:00Z", true},
		{"ticket-slow", "ticket", 259200, 21600, 1, true, "2026-10-01T23:20:00Z", true},
	})
	if got := statusOf(t, tracker).Coverage.String(); got != exact(42000, 2592000) {
		t.Errorf("coverage = %s, want 42000 s of 30 days", got)
	}

	tracker = burstTracker(t, objective)
	feed(t, tracker, burstRows(), time.Date(2026, 10, 1, 14, 30, 0, 0, time.UTC))
	checkBurns(t, tracker, map[int64]float64{300: 50, 1800: 50, 3600: 25, 7200: 12.5, 21600: 10, 86400: 10, 259200: 10})
	checkAlerts(t, tracker, []alertWant{
		{"page-fast", "page", 3600, 300, 14.4, true, "2026-10-01T14:20:00Z", false},
		{"page-slow", "page", 21600, 1800, 6, true, "2026-10-01T14:20:00Z", true},
		{"ticket-fast", "ticket", 86400, 7200, 3, true, "2026-10-01T14:10:00Z", true},
		{"ticket-slow", "ticket", 259200, 21600, 1, true, "2026-10-01T14:05:00Z", true},
	})
}

func TestBurstCalendar(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		unit       slo.Unit
		at         time.Time
		bad, total int64
		start, end string
		elapsed    int64
		length     int64
		covered    int64
		met        slo.Verdict
		consumed   float64 // percent
		exhaustsAt string
		allowed    int64
	}{
		{slo.Month, burstEnd, 539, 143000, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", 93600, 2682000, 43200, slo.Met, 2.6308724832214767, "2026-10-09T14:06:31Z", 715},
		{slo.Month, burstEnd.Add(-20 * time.Minute), 460, 139000, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", 92400, 2682000, 42000, slo.Met, 2.2802697439363944, "2026-10-13T08:40:16Z", 695},
		{slo.Month, time.Date(2026, 10, 1, 14, 30, 0, 0, time.UTC), 300, 30000, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", 59400, 2682000, 9000, slo.Missed, 4.429530201342282, "2026-10-07T12:54:00Z", 150},
		{slo.Week, burstEnd, 539, 143000, "2026-09-27T22:00:00Z", "2026-10-04T22:00:00Z", 352800, 604800, 43200, slo.Met, 43.97435897435897, "2026-10-02T23:37:45Z", 715},
		{slo.Year, burstEnd, 539, 143000, "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z", 23677200, 31536000, 43200, slo.Met, 56.59870038637162, "2026-11-10T18:27:55Z", 715},
	} {
		tracker := burstTracker(t, slo.Objective{Target: slo.MustPercent("99.5"), Windows: []slo.Window{slo.Calendar(tt.unit, zone)}})
		feed(t, tracker, burstRows(), tt.at)
		s := statusOf(t, tracker)
		burn := exact(tt.bad*200, tt.total)
		want := fmt.Sprintf("%d %d %d met %s ok allowed %d/1 left %d/1 burn %s in [%s %s] elapsed %v of %v coverage %s",
			tt.total-tt.bad, tt.bad, tt.total, tt.met, tt.allowed, tt.allowed-tt.bad, burn, tt.start, tt.end,
			secs(tt.elapsed), secs(tt.length), exact(tt.covered, tt.elapsed))
		got := fmt.Sprintf("%d %d %d met %s %s allowed %s left %s burn %s in [%s %s] elapsed %v of %v coverage %s",
			s.Good, s.Bad, s.Total, s.Met, s.State, s.Allowed, s.Left, s.Burn, utc(s.Window.Start), utc(s.Window.End),
			s.Elapsed, s.Length, s.Coverage)
		if got != want {
			t.Errorf("%s at %s: Status() =\n%s, want\n%s", tt.unit, utc(tt.at), got, want)
		}
		if got := s.Consumed.Float64() * 100; !near(got, tt.consumed) {
			t.Errorf("%s at %s: consumed = %v %%, want %v", tt.unit, utc(tt.at), got, tt.consumed)
		}
		f, err := tracker.Forecast(time.Hour)
		if err != nil || utc(f.ExhaustsAt) != tt.exhaustsAt {
			t.Errorf("%s at %s: Forecast(1h) exhausts at %s, %v, want %s", tt.unit, utc(tt.at), utc(f.ExhaustsAt), err, tt.exhaustsAt)
		}
	}
}

func TestBurstSlices(t *testing.T) {
	for _, tt := range []struct {
		noData      slo.NoDataPolicy
		at          time.Time
		good, total int64
		since       string
	}{
		{slo.ExcludeNoData, burstEnd, 125, 143, "2026-10-01T23:10:00Z"},
		{slo.GoodNoData, burstEnd, 126, 144, "2026-10-01T23:10:00Z"},
		{slo.BadNoData, burstEnd, 125, 144, "2026-10-01T23:10:00Z"},
		{slo.ExcludeNoData, burstEnd.Add(-20 * time.Minute), 125, 139, "2026-10-01T23:10:00Z"},
		{slo.ExcludeNoData, time.Date(2026, 10, 1, 14, 30, 0, 0, time.UTC), 24, 30, "2026-10-01T14:10:00Z"},
	} {
		tracker := burstTracker(t, slo.Objective{
			Target: slo.MustPercent("95"), Windows: []slo.Window{slo.Rolling(7 * 24 * time.Hour)},
			Slices: &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99"), NoData: tt.noData},
			Policy: slo.Policy{Rules: []slo.Rule{{Name: "fast", Severity: slo.Page, Long: 30 * time.Minute, Short: 10 * time.Minute, Factor: slo.NewRatio(6, 1)}}},
		})
		feed(t, tracker, burstRows(), tt.at)
		s := statusOf(t, tracker)
		bad := tt.total - tt.good
		got := fmt.Sprintf("%d %d %d %s allowed %s left %s burn %s %s %s", s.Good, s.Bad, s.Total, s.Measure, s.Allowed, s.Left, s.Burn, s.Met, s.State)
		want := fmt.Sprintf("%d %d %d slices allowed %s left %s burn %s missed exhausted", tt.good, bad, tt.total,
			exact(tt.total, 20), exact(tt.total-20*bad, 20), exact(20*bad, tt.total))
		if got != want {
			t.Errorf("no data %s at %s: Status() = %s\nwant %s", tt.noData, utc(tt.at), got, want)
		}
		checkBurns(t, tracker, map[int64]float64{600: 20, 1800: 20})
		checkAlerts(t, tracker, []alertWant{{"fast", "page", 1800, 600, 6, true, tt.since, false}})
	}
}

func TestBurstOtherPeriods(t *testing.T) {
	window := slo.Rolling(28 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	tracker := burstTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{window}, Policy: policy})
	feed(t, tracker, burstRows(), burstEnd)
	checkAlerts(t, tracker, []alertWant{
		{"page-fast", "page", 3600, 300, 13.44, false, "", false},
		{"page-slow", "page", 21600, 1800, 5.6, false, "", false},
		{"ticket-fast", "ticket", 86400, 7200, 2.8, false, "", true},
		{"ticket-slow", "ticket", 259200, 21600, 0.9333333333333333, false, "", true},
	})
	s := statusOf(t, tracker)
	if got := s.Consumed.Float64() * 100; s.Met != slo.Met || s.State != slo.OK || !near(got, 37.69230769230769) {
		t.Errorf("28 days at 99: %s %s consumed %v %%, want met ok 37.69230769230769", s.Met, s.State, got)
	}
	if f, err := tracker.Forecast(time.Hour); err != nil || utc(f.ExhaustsAt) != "2026-10-10T18:13:47Z" {
		t.Errorf("Forecast(1h) exhausts at %s, %v, want 2026-10-10T18:13:47Z", utc(f.ExhaustsAt), err)
	}
}

// One error in a thousand at 99.9 % is a burn of exactly 1: nothing may fire, and
// the budget is used up exactly while the objective is met.
func TestBurstBoundary(t *testing.T) {
	var rows []row
	end := time.Date(2026, 10, 1, 23, 55, 0, 0, time.UTC)
	for at := end.Add(-47 * 5 * time.Minute); !at.After(end); at = at.Add(5 * time.Minute) {
		rows = append(rows, row{at, 999, 1000})
	}
	tracker := burstTracker(t, slo.Objective{
		Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "x", Severity: slo.Ticket, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(1, 1)}}},
	})
	feed(t, tracker, rows, end)
	s := statusOf(t, tracker)
	if got, want := figures(s), "47952 48 48000 sli 999/1000 allowed 48/1 left 0/1 burn 1/1 consumed 1/1 remaining 0/1 met exhausted elapsed 720h0m0s of 720h0m0s coverage 1/180"; got != want {
		t.Errorf("Status() = %s\nwant %s", got, want)
	}
	checkBurns(t, tracker, map[int64]float64{300: 1, 3600: 1})
	checkAlerts(t, tracker, []alertWant{{"x", "ticket", 3600, 300, 1, false, "", false}})
}

func TestNothingObserved(t *testing.T) {
	tracker := burstTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)}})
	if _, err := tracker.Status(); err == nil {
		t.Error("Status() before any instant: no error")
	}
	feed(t, tracker, nil, burstEnd)
	want := "0 0 0 sli absent allowed 0/1 left 0/1 burn 0/1 consumed 0/1 remaining 1/1 undecided no_data elapsed 720h0m0s of 720h0m0s coverage 0/1"
	if got := figures(statusOf(t, tracker)); got != want {
		t.Errorf("Status() = %s\nwant %s", got, want)
	}
	f, err := tracker.Forecast(time.Hour)
	if err != nil || !f.ExhaustsAt.IsZero() {
		t.Errorf("Forecast(1h) = %v, %v, want none", f, err)
	}
}
