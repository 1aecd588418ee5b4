package sla_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func meter(tb testing.TB, a *sla.Agreement, p sla.Period) *sla.Meter {
	tb.Helper()
	m, err := sla.NewMeter(a, p)
	noError(tb, err)
	return m
}

func gauges(tb testing.TB, m *sla.Meter, at time.Time) []sla.Gauge {
	tb.Helper()
	out, err := m.At(at)
	noError(tb, err)
	return out
}

// A day of 24 hours under 99 %: the target leaves 14m24s.
func TestMeter(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
	c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}, {ID: "web"}}
	a, err := sla.Compile(c)
	noError(t, err)
	m := meter(t, a, day)
	at := func(h float64) time.Time { start, _ := hoursOf(h, 0); return start }
	apply := func(e sla.MeterEvent) {
		t.Helper()
		noError(t, m.Apply(e))
	}
	apply(sla.MeterEvent{Kind: sla.MaintenancePlanned, At: at(-80), Ref: "CHG-1", Start: at(12), End: at(13)})
	apply(sla.MeterEvent{Kind: sla.MaintenancePlanned, At: at(-80), Ref: "CHG-2", Start: at(14), End: at(15)})
	apply(sla.MeterEvent{Kind: sla.OutageOpened, At: at(-1), Service: "api", Ref: "INC-1"})
	apply(sla.MeterEvent{Kind: sla.OutageClosed, At: at(0.25), Service: "api", Ref: "INC-1"})

	// A quarter of an hour down in half an hour, 36 s more than the day allows.
	g := gauges(t, m, at(0.5))
	same(t, "down", g[0].Down, 15*time.Minute)
	same(t, "value", g[0].Value.String(), "1/2")
	same(t, "left", g[0].Left, -36*time.Second)
	same(t, "band", g[0].Band.Credit, percent("50"))
	same(t, "failing", g[0].Failing, false)
	same(t, "outcome of web", g[1].Outcome, sla.Met)
	same(t, "left of web", g[1].Left, 864*time.Second)

	// All is down from 11:54 on; from 12:00 to 13:00 that is excluded.
	apply(sla.MeterEvent{Kind: sla.MaintenanceCancelled, At: at(11), Ref: "CHG-2"})
	apply(sla.MeterEvent{Kind: sla.OutageOpened, At: at(11.9), Service: "*", Ref: "INC-2"})
	for _, want := range []struct {
		at   float64
		down time.Duration
	}{{11.9, 0}, {12, 6 * time.Minute}, {12.5, 6 * time.Minute}, {13.05, 9 * time.Minute}, {15, 126 * time.Minute}, {24, 666 * time.Minute}, {99, 666 * time.Minute}} {
		g := gauges(t, m, at(want.at))[1]
		if g.Down.Round(time.Millisecond) != want.down || !g.Failing || g.Left != 864*time.Second-g.Down {
			t.Errorf("at %v h: %s down, %s left, failing %t; want %s", want.at, g.Down, g.Left, g.Failing, want.down)
		}
	}
	noError(t, m.Apply(sla.MeterEvent{Kind: sla.OutageClosed, At: at(15), Service: "*", Ref: "INC-2"}))
	if snapshot, err := m.Snapshot(); err != nil || strings.Contains(string(snapshot), "CHG-1") {
		t.Errorf("the snapshot %s (%v) keeps a window that has ended", snapshot, err)
	}
	if _, err := m.At(at(11)); !errors.Is(err, sla.ErrBeforeLastEvent) {
		t.Errorf("error %v, want %v", err, sla.ErrBeforeLastEvent)
	}
}

func TestMeterRefuses(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}}
	a, err := sla.Compile(c)
	noError(t, err)
	noon, one := hoursOf(12, 13)
	m := meter(t, a, day)
	for _, e := range []sla.MeterEvent{
		{Kind: sla.MaintenancePlanned, At: day.Start, Ref: "CHG-1", Start: noon, End: one},
		{Kind: sla.OutageOpened, At: noon, Service: "api", Ref: "INC-1"},
		{Kind: sla.GapOpened, At: noon},
	} {
		noError(t, m.Apply(e))
	}
	before, err := m.Snapshot()
	noError(t, err)
	for _, c := range []struct {
		event sla.MeterEvent
		want  string
	}{
		{sla.MeterEvent{At: one}, "a kind of event"},
		{sla.MeterEvent{Kind: sla.MaintenanceCancelled + 1, At: one}, "a kind of event"},
		{sla.MeterEvent{Kind: sla.OutageOpened}, "the instant"},
		{sla.MeterEvent{Kind: sla.OutageOpened, At: noon.Add(-1), Ref: "INC-2"}, "no instant before"},
		{sla.MeterEvent{Kind: sla.OutageOpened, At: one, Service: "web"}, "a service of the contract"},
		{sla.MeterEvent{Kind: sla.OutageOpened, At: one, Service: "api", Ref: "INC-1"}, "not open"},
		{sla.MeterEvent{Kind: sla.OutageClosed, At: one, Ref: "INC-1"}, "is open for the service"},
		{sla.MeterEvent{Kind: sla.GapOpened, At: one}, "not open"},
		{sla.MeterEvent{Kind: sla.GapClosed, At: one, Ref: "x"}, "is open for the service"},
		{sla.MeterEvent{Kind: sla.MaintenancePlanned, At: noon, Ref: "CHG-1", Start: one, End: one}, "not open"},
		{sla.MeterEvent{Kind: sla.MaintenancePlanned, At: one, Ref: "CHG-2", Start: noon, End: one}, "a window"},
		{sla.MeterEvent{Kind: sla.MaintenancePlanned, At: noon, Ref: "CHG-2", Start: one, End: noon}, "a window"},
		{sla.MeterEvent{Kind: sla.MaintenanceCancelled, At: noon, Ref: "CHG-1"}, "before the window begins"},
		{sla.MeterEvent{Kind: sla.MaintenanceCancelled, At: noon, Ref: "CHG-9"}, "is open for the service"},
	} {
		err := m.Apply(c.event)
		if bad := (*sla.MeterError)(nil); !errors.As(err, &bad) || bad.Index != 3 || !strings.Contains(bad.Want, c.want) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Apply(%+v) = %v, want one that asks for %q", c.event, err, c.want)
		}
	}
	after, err := m.Snapshot()
	noError(t, err)
	same(t, "the meter after events that were refused", string(after), string(before))
	noError(t, m.Apply(sla.MeterEvent{Kind: sla.MaintenancePlanned, At: one, Ref: "CHG-1", Start: one, End: one.Add(1)})) // the first one has ended
}

func TestMeterEventKind(t *testing.T) {
	for k := sla.OutageOpened; k <= sla.MaintenanceCancelled; k++ {
		text, err := k.MarshalText()
		noError(t, err)
		var back sla.MeterEventKind
		noError(t, back.UnmarshalText(text))
		same(t, "kind", back, k)
	}
	for _, k := range []sla.MeterEventKind{0, sla.MaintenanceCancelled + 1} {
		if text, err := k.MarshalText(); err == nil {
			t.Errorf("MarshalText of %d = %s, want an error", k, text)
		}
	}
	for _, text := range []string{"", "outage"} {
		if err := new(sla.MeterEventKind).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("UnmarshalText(%q): want an error", text)
		}
	}
}

func TestNewMeterNotCondensed(t *testing.T) {
	for name, change := range map[string]func(*sla.Contract){
		"measure":  func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.AffectedRatio{} },
		"minimum":  func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{MinOutage: time.Minute} },
		"report":   func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{FromReport: true} },
		"effect":   func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{FromEffect: true} },
		"whole":    func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{WholeOutages: true} },
		"the year": func(c *sla.Contract) { c.Terms[0].Availability.MaintenancePerYear = time.Hour },
		"nothing":  func(c *sla.Contract) { c.Terms = []sla.Term{{ID: "loss", DataLoss: &sla.Liability{Fees: 1}}} },
	} {
		c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
		change(&c)
		a, err := sla.Compile(c)
		noError(t, err)
		if _, err := sla.NewMeter(a, day); !errors.Is(err, sla.ErrNotCondensed) {
			t.Errorf("%s: error %v, want %v", name, err, sla.ErrNotCondensed)
		}
	}
	if _, err := sla.NewMeter(reference(t, sla.Essential), sla.Period{}); !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("error %v, want %v", err, sla.ErrPeriod)
	}
}

// randomStream is a history of a period that a meter takes.
func randomStream(r *rand.Rand, p sla.Period) (events []sla.MeterEvent) {
	upTo := func(most time.Duration) time.Duration {
		return time.Duration(r.Int64N(int64(most))).Truncate(time.Hour / 2)
	}
	at := func() time.Time { return p.Start.Add(upTo(p.Duration()*11/10) - 24*time.Hour) }
	service := func() string { return []string{"api", "web", "", "*"}[r.IntN(4)] }
	ref := func(i int) string { return string(rune('a' + i)) }
	for i := range r.IntN(9) {
		e := sla.MeterEvent{Kind: sla.OutageOpened, At: at(), Service: service(), Ref: ref(i), Degraded: r.IntN(6) == 0}
		e.Cause = []sla.Cause{"", "", sla.CauseProvider, sla.CauseCustomer, sla.CauseForceMajeure}[r.IntN(5)]
		events = append(events, e)
		if r.IntN(6) > 0 {
			events = append(events, sla.MeterEvent{Kind: sla.OutageClosed, At: e.At.Add(upTo(30 * time.Hour)), Service: e.Service, Ref: e.Ref})
		}
	}
	for i := range r.IntN(5) {
		e := sla.MeterEvent{Kind: sla.GapOpened, At: at(), Service: service(), Ref: ref(i)}
		events = append(events, e)
		if r.IntN(6) > 0 {
			events = append(events, sla.MeterEvent{Kind: sla.GapClosed, At: e.At.Add(upTo(40 * time.Hour)), Service: e.Service, Ref: e.Ref})
		}
	}
	for i := range r.IntN(8) {
		e := sla.MeterEvent{Kind: sla.MaintenancePlanned, At: at(), Service: service(), Ref: ref(i)}
		e.Start = e.At.Add(upTo(120 * time.Hour))
		e.End = e.Start.Add(upTo(30 * time.Hour))
		events = append(events, e)
		if r.IntN(3) == 0 && e.At.Before(e.Start) {
			events = append(events, sla.MeterEvent{Kind: sla.MaintenanceCancelled, At: e.At.Add(upTo(e.Start.Sub(e.At))), Service: e.Service, Ref: e.Ref})
		}
	}
	slices.SortStableFunc(events, func(a, b sla.MeterEvent) int { return a.At.Compare(b.At) })
	return events
}

// evidenceOf is what events amount to at an instant that is not before the last.
func evidenceOf(events []sla.MeterEvent, p sla.Period, at time.Time) sla.Evidence {
	e := sla.Evidence{Observed: calendar.Interval{Start: p.Start.AddDate(0, -2, 0), End: at}}
	for i, event := range events {
		closed := func(kind sla.MeterEventKind) (end time.Time) {
			for _, later := range events[i:] {
				if later.Kind == kind && later.Ref == event.Ref && later.Service == event.Service {
					return later.At
				}
			}
			return time.Time{}
		}
		switch event.Kind {
		case sla.OutageOpened:
			e.Outages = append(e.Outages, sla.Outage{Service: event.Service, Start: event.At, End: closed(sla.OutageClosed), Cause: event.Cause, Degraded: event.Degraded})
		case sla.GapOpened:
			e.Gaps = append(e.Gaps, sla.Gap{Service: event.Service, Start: event.At, End: closed(sla.GapClosed)})
		case sla.MaintenancePlanned:
			e.Maintenance = append(e.Maintenance, sla.Maintenance{
				Service: event.Service, Start: event.Start, End: event.End, Announced: event.At, Cancelled: !closed(sla.MaintenanceCancelled).IsZero(),
			})
		default: // ends one of them
		}
	}
	return e
}

// At every instant a meter, restored from its snapshot or not, shows what the
// evaluation and the outlook say about the same events.
func TestMeterAgainstEvaluate(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	seen := map[sla.Outcome]int{}
	bands, lefts := 0, 0
	for range 200 {
		a := randomUptime(t, r)
		for a.Contract().Terms[0].Availability.Measure.(sla.Uptime).FromReport {
			a = randomUptime(t, r)
		}
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		m, events := meter(t, a, p), randomStream(r, p)
		for i, event := range events {
			noError(t, m.Apply(event))
			next := p.End.Add(time.Hour)
			if i+1 < len(events) {
				next = events[i+1].At
			}
			at := event.At.Add(time.Duration(r.Int64N(int64(max(next.Sub(event.At), 1)))))
			if r.IntN(4) == 0 {
				snapshot, err := m.Snapshot()
				noError(t, err)
				m, err = sla.RestoreMeter(a, snapshot)
				noError(t, err)
				again, err := m.Snapshot()
				noError(t, err)
				same(t, "the snapshot of a restored meter", string(again), string(snapshot))
			}
			e := evidenceOf(events[:i+1], p, at)
			s, o := evaluate(t, a, p, e), outlook(t, a, p, e, at)
			for _, got := range gauges(t, m, at) {
				want, band, _ := standing(s, got.Service)
				want.Exclusions, want.Rejected, want.Downtime, want.Evidence = nil, nil, nil, nil
				same(t, "measured", got.Measured, want)
				same(t, "band", got.Band, band)
				for _, ahead := range o.Services {
					if ahead.Service == got.Service {
						same(t, "left", got.Left, ahead.Left)
						lefts++
					}
				}
				seen[got.Outcome]++
				if band != nil {
					bands++
				}
			}
		}
	}
	if seen[sla.Met] < 100 || seen[sla.Missed] < 100 || seen[sla.NoData] < 100 || bands < 100 || lefts < 100 {
		t.Errorf("%v with %d bands and %d lefts are too few to say anything", seen, bands, lefts)
	}
}

func TestRestoreMeterRefuses(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := month(t, a, "2026-04")
	m := meter(t, a, p)
	noError(t, m.Apply(sla.MeterEvent{Kind: sla.OutageOpened, At: p.Start, Ref: "INC-1"}))
	noError(t, m.Apply(sla.MeterEvent{Kind: sla.OutageClosed, At: p.Start.Add(time.Hour), Ref: "INC-1"}))
	noError(t, m.Apply(sla.MeterEvent{Kind: sla.OutageOpened, At: p.Start.Add(time.Hour), Ref: "INC-2"}))
	snapshot, err := m.Snapshot()
	noError(t, err)
	for what, bad := range testutil.Damaged(snapshot) {
		if again, err := sla.RestoreMeter(a, bad); err == nil {
			if data, _ := again.Snapshot(); !bytes.Equal(data, snapshot) {
				t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, snapshot)
			}
		} else if !errors.Is(err, sla.ErrSnapshot) {
			t.Fatalf("%s: %v, want ErrSnapshot", what, err)
		}
	}
	state, err := sealed.Open(snapshot, 1)
	noError(t, err)
	for _, c := range [][2]string{
		{"{", "["},
		{`"ref"`, `"contract"`},
		{`"availability"`, `"uptime"`},
		{`"down_ns":3600000000000`, `"down_ns":3600000000001`},
		{`"hours_ns":3600000000000`, `"hours_ns":1`},
		{`"degraded_ns":0`, `"degraded_ns":-1`},
		{`"kind":"outage_opened"`, `"kind":"outage_closed"`},
		{`"kind":"outage_opened"`, `"kind":"outage"`},
		{`"gauges":[`, `"gauges":[{"term":"x"},`},
		{`"open":[`, `"open":[{"kind":"gap_opened","at":"2026-06-01T00:00:00Z"},`},
	} {
		bad := strings.Replace(string(state), c[0], c[1], 1)
		if bad == string(state) {
			t.Fatalf("%s lacks %s", state, c[0])
		}
		data := []byte(bad)
		if json.Valid(data) {
			data, err = sealed.Seal(1, json.RawMessage(data))
			noError(t, err)
		}
		if _, err := sla.RestoreMeter(a, data); !errors.Is(err, sla.ErrSnapshot) {
			t.Errorf("a snapshot with %s: %v, want ErrSnapshot", c[1], err)
		}
	}
}

func FuzzRestoreMeter(f *testing.F) {
	a := reference(f, sla.Enterprise)
	p := month(f, a, "2026-04")
	m := meter(f, a, p)
	for _, e := range randomStream(rand.New(rand.NewPCG(1, 2)), p) {
		noError(f, m.Apply(e))
	}
	snapshot, err := m.Snapshot()
	noError(f, err)
	state, err := sealed.Open(snapshot, 1)
	noError(f, err)
	f.Add([]byte(state))
	f.Fuzz(func(t *testing.T, state []byte) {
		data, err := sealed.Seal(1, json.RawMessage(state))
		if err != nil {
			return
		}
		m, err := sla.RestoreMeter(a, data)
		if err != nil {
			return
		}
		again, err := m.Snapshot()
		noError(t, err)
		if _, err := sla.RestoreMeter(a, again); err != nil {
			t.Fatalf("the snapshot of a restored meter is refused: %v", err)
		}
		all, err := m.At(m.Period().End.AddDate(300, 0, 0))
		if err != nil && !errors.Is(err, sla.ErrBeforeLastEvent) { // the last may be later still
			t.Fatal(err)
		}
		for _, g := range all {
			if g.Down < 0 || g.Down > g.Promised {
				t.Fatalf("%s down of %s", g.Down, g.Promised)
			}
		}
	})
}
