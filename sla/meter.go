package sla

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Meter measures the availability of a period while it runs, event by event, for a
// live status page. At every instant its gauges hold the figures that
// [Agreement.Evaluate] has for the same events. It keeps sums, what is open and the
// windows that are planned, but no history: an event costs the same after a day as
// after a year. It is not safe for concurrent use.
type Meter struct {
	agreement *Agreement
	period    Period
	last      time.Time // of the last event
	events    int
	open      map[meterKey]MeterEvent // outages and gaps that have not ended, windows that may be called off
	gauges    []gauge
}

// meterKey names what is open, by the kind of the event that opened it.
type meterKey struct {
	kind         MeterEventKind
	service, ref string
}

// MeterEvent is something that happened to a service.
type MeterEvent struct {
	Kind MeterEventKind `json:"kind"`
	At   time.Time      `json:"at"`

	// Service is the one concerned; "" and "*" are all. Service and Ref together
	// say what a later event ends or calls off.
	Service string `json:"service,omitempty"`
	Ref     string `json:"ref,omitempty"`

	// Cause and Degraded are those of an outage that begins, see [Outage].
	Cause    Cause `json:"cause,omitempty"`
	Degraded bool  `json:"degraded,omitempty"`

	// Start and End bound planned maintenance, which was announced at the instant
	// of the event. Emergency work is never excluded, so it is no event.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}

// MeterEventKind says what happened.
type MeterEventKind uint8

// The kinds of event.
const (
	OutageOpened         MeterEventKind = iota + 1
	OutageClosed                        // the one of that service and ref
	GapOpened                           // nobody measures the service
	GapClosed                           // the one of that service and ref
	MaintenancePlanned                  // a window that has not begun
	MaintenanceCancelled                // before it begins
)

var meterEventNames = []string{"", "outage_opened", "outage_closed", "gap_opened", "gap_closed", "maintenance_planned", "maintenance_cancelled"}

// String returns the name, such as "outage_opened".
func (k MeterEventKind) String() string { return nameOf(meterEventNames, k) }

// MarshalText writes what String returns; an unknown kind is an error.
func (k MeterEventKind) MarshalText() ([]byte, error) {
	return textOfKind("meter event", meterEventNames, k)
}

// UnmarshalText reads what String returns.
func (k *MeterEventKind) UnmarshalText(text []byte) error {
	return parseKind("meter event", meterEventNames, text, k)
}

// MeterError reports an event that cannot follow those before it.
type MeterError struct {
	Index int // of the event, from 0
	Event MeterEvent
	Want  string // what was expected
}

// Error names the event, its position and what was expected.
func (e *MeterError) Error() string {
	return fmt.Sprintf("sla: meter event %d (%s %q %q at %s): want %s", e.Index, e.Event.Kind, e.Event.Service, e.Event.Ref, e.Event.At.Format(time.RFC3339Nano), e.Want)
}

// ErrBeforeLastEvent means that a [Meter] was asked about an instant that its
// events have left behind.
var ErrBeforeLastEvent = errors.New("sla: instant before the last event")

// NewMeter returns a meter of every service of the availability terms, in the order
// of the contract, in a period in which nothing has happened yet. The error is
// [ErrNotCondensed] for a contract whose downtime cannot be added up as it comes:
// with a measure other than [Uptime], one with units, a minimum, a sum of overlaps,
// whole outages, or outages that begin with a report or an effect, with maintenance
// bounded by the year, and without availability.
func NewMeter(a *Agreement, p Period) (*Meter, error) {
	p, _, err := a.clip(p)
	if err != nil {
		return nil, err
	}
	m := &Meter{agreement: a, period: p, open: map[meterKey]MeterEvent{}}
	for i := range a.contract.Terms {
		t := &a.contract.Terms[i]
		if t.Availability == nil {
			continue
		}
		if u, _ := t.Availability.measure().(Uptime); !t.Availability.additive() || u.FromReport || u.FromEffect || t.Availability.MaintenancePerYear > 0 {
			return nil, fmt.Errorf("sla: term %q: %w", t.ID, ErrNotCondensed)
		}
		for _, s := range t.Availability.measured() {
			m.gauges = append(m.gauges, gauge{term: t, service: s, hours: a.calendars[t.Availability.ServiceHours], end: p.End, last: p.Start})
		}
	}
	if len(m.gauges) == 0 {
		return nil, fmt.Errorf("%w: no term about availability", ErrNotCondensed)
	}
	return m, nil
}

// Period returns the part of the period in which the contract holds.
func (m *Meter) Period() Period { return m.period }

// Apply takes the next event. Events come in the order of time; the same instant is
// allowed, and so are instants before the period, for what is open when it begins.
// What cannot follow is refused with a [*MeterError] and changes nothing. The cost
// depends on the services of the contract and the windows that are planned, not on
// the events before.
func (m *Meter) Apply(e MeterEvent) error {
	if want := m.wants(e); want != "" {
		return &MeterError{Index: m.events, Event: e, Want: want}
	}
	key, opens := e.key()
	opened := e
	if opens {
		m.open[key] = e
	} else {
		opened = m.open[key]
		delete(m.open, key)
	}
	for i := range m.gauges {
		if g := &m.gauges[i]; concerns(e.Service, g.service.ID) {
			m.turn(g, e, opened, opens)
		}
	}
	m.last = e.At
	m.events++
	if e.Kind == MaintenancePlanned {
		m.forget()
	}
	return nil
}

// turn applies to a gauge an event that opens something, or ends what was opened.
func (m *Meter) turn(g *gauge, e, opened MeterEvent, opens bool) {
	n := 1
	if !opens {
		n = -1
	}
	if opened.Kind != MaintenancePlanned {
		g.advance(e.At)
	}
	switch opened.Kind {
	case OutageOpened:
		g.outage(opened, n)
	case GapOpened:
		g.gaps += n
	case MaintenancePlanned:
		w := Maintenance{Start: opened.Start, End: opened.End, Announced: opened.At}
		if promise := *g.term.Availability; slices.Contains(promise.Exclude, CauseMaintenance) && m.agreement.rejected(promise, w) == "" {
			g.plan(windowEdge{w.Start, +1}, opens)
			g.plan(windowEdge{w.End, -1}, opens)
		}
	default: // opens nothing
	}
}

// key names what an event opens, or else ends.
func (e MeterEvent) key() (key meterKey, opens bool) {
	key = meterKey{e.Kind, e.Service, e.Ref}
	switch e.Kind {
	case OutageClosed:
		key.kind = OutageOpened
	case GapClosed:
		key.kind = GapOpened
	case MaintenanceCancelled:
		key.kind = MaintenancePlanned
	default:
		return key, true
	}
	return key, false
}

// wants returns what an event lacks, "" if it can follow.
func (m *Meter) wants(e MeterEvent) string {
	key, opens := e.key()
	opened, isOpen := m.open[key]
	switch {
	case e.Kind == 0 || int(e.Kind) >= len(meterEventNames):
		return "a kind of event: " + strings.Join(meterEventNames[1:], ", ")
	case e.At.IsZero():
		return "the instant of the event"
	case e.At.Before(m.last):
		return "no instant before that of the last event"
	case !slices.ContainsFunc(m.gauges, func(g gauge) bool { return concerns(e.Service, g.service.ID) }):
		return "a service of the contract"
	case opens && isOpen && (e.Kind != MaintenancePlanned || opened.End.After(e.At)):
		return "a ref that is not open for the service"
	case !opens && !isOpen:
		return "a ref that is open for the service"
	case e.Kind == MaintenancePlanned && (e.Start.Before(e.At) || e.End.Before(e.Start)):
		return "a window that begins no earlier than the event and does not end before it begins"
	case e.Kind == MaintenanceCancelled && !e.At.Before(opened.Start):
		return "an instant before the window begins"
	}
	return ""
}

// forget drops the windows that have ended.
func (m *Meter) forget() {
	maps.DeleteFunc(m.open, func(k meterKey, e MeterEvent) bool { return k.kind == MaintenancePlanned && !e.End.After(m.last) })
}

// Gauge is the availability of one service as a [Meter] shows it.
type Gauge struct {
	// Measured holds the figures of the period up to the instant, without its
	// lists of exclusions, downtime and evidence. A target that is missed so far may
	// still be met at the end: Left says so.
	Measured

	// Left is the longest further downtime with which the target of the whole
	// period is met, as in [ServiceOutlook]; negative after a miss.
	Left time.Duration `json:"left_ns"`

	// Band is the one that holds the value of a missed target; nil for none.
	Band *Band `json:"band,omitempty"`

	// Failing reports whether the service is down at the instant, promised time or
	// not.
	Failing bool `json:"failing"`
}

// At returns the gauges at an instant, which is not before the last event, else the
// error is [ErrBeforeLastEvent]. Beyond the end of the period they stay as they
// are. It does not change the meter.
func (m *Meter) At(at time.Time) ([]Gauge, error) {
	if at.Before(m.last) {
		return nil, fmt.Errorf("%w: %s, the event was at %s", ErrBeforeLastEvent, at.Format(time.RFC3339Nano), m.last.Format(time.RFC3339Nano))
	}
	total := min(max(at.Sub(m.period.Start), 0), m.period.Duration())
	out := make([]Gauge, 0, len(m.gauges))
	for _, g := range m.gauges { // a copy, which may advance
		g.advance(at)
		reading := g.reading(total)
		out = append(out, reading)
	}
	return out, nil
}

// gauge sums up the time of one service of a term.
type gauge struct {
	term    *Term
	service Service
	hours   *calendar.Calendar
	end     time.Time // of the period

	last                                  time.Time
	down, degraded, causes, windows, gaps int          // open at that instant
	edges                                 []windowEdge // of accepted windows, in the order of time
	sums                                  gaugeSums
}

// gaugeSums are promised time, by what was the case in it.
type gaugeSums struct {
	Hours    time.Duration `json:"hours_ns"`
	Removed  time.Duration `json:"removed_ns"` // from the promised time
	RawDown  time.Duration `json:"raw_down_ns"`
	Excluded time.Duration `json:"excluded_ns"`
	Down     time.Duration `json:"down_ns"`
	Degraded time.Duration `json:"degraded_ns"`
	Unknown  time.Duration `json:"unknown_ns"`
}

// windowEdge is an instant from which so many more windows are open.
type windowEdge struct {
	at time.Time
	by int
}

// plan adds an edge, or takes one away.
func (g *gauge) plan(edge windowEdge, adds bool) {
	at, _ := slices.BinarySearchFunc(g.edges, edge.at, func(e windowEdge, t time.Time) int { return e.at.Compare(t) })
	if adds {
		g.edges = slices.Insert(g.edges, at, edge)
		return
	}
	for g.edges[at].by != edge.by {
		at++
	}
	g.edges = slices.Delete(g.edges, at, at+1)
}

func (g *gauge) outage(e MeterEvent, n int) {
	if e.Degraded {
		g.degraded += n
		return
	}
	g.down += n
	if e.Cause != "" && e.Cause != CauseProvider && slices.Contains(g.term.Availability.Exclude, e.Cause) {
		g.causes += n
	}
}

// advance adds the time up to an instant, edge by edge.
func (g *gauge) advance(t time.Time) {
	for len(g.edges) > 0 && !g.edges[0].at.After(t) {
		g.add(g.edges[0].at)
		g.windows += g.edges[0].by
		g.edges = g.edges[1:] // a copy of the gauge keeps its own
	}
	g.add(t)
}

func (g *gauge) add(t time.Time) {
	if t.After(g.end) {
		t = g.end
	}
	if !t.After(g.last) {
		return
	}
	d := g.hours.Elapsed(g.last, t, nil)
	g.last = t
	promise := g.term.Availability
	down, excluded, unknown := g.down > 0, g.causes > 0 || g.windows > 0, g.gaps > 0 && g.down == 0
	s := &g.sums
	s.Hours += d
	if down {
		s.RawDown += d
	}
	if down && excluded {
		s.Excluded += d
	}
	if unknown {
		s.Unknown += d
	}
	if g.degraded > 0 {
		s.Degraded += d
	}
	if !excluded && (down || unknown && promise.Unknown == UnknownDown) {
		s.Down += d
	}
	if excluded && promise.ExcludeMode == FromBoth || unknown && promise.Unknown == UnknownExcluded {
		s.Removed += d
	}
}

func (s gaugeSums) promised() time.Duration { return s.Hours - s.Removed }

// reading returns the figures of a gauge that has come to the instant; total is the
// time passed.
func (g *gauge) reading(total time.Duration) Gauge {
	s, promise := g.sums, g.term.Availability
	m := Measured{
		Term: g.term.ID, Service: g.service.ID, Target: promise.target(g.service), Outcome: NoData, Total: total, Promised: s.promised(),
		RawDown: s.RawDown, Excluded: s.Excluded, Down: s.Down, Degraded: s.Degraded, Unknown: s.Unknown,
	}
	if s.Unknown < s.Hours && m.Promised > 0 {
		m.rate(fractionOfCounts(uint64(m.Promised-m.Down), uint64(m.Promised)), promise.Strict)
	}
	out := Gauge{Measured: m, Failing: g.down > 0}
	if m.Outcome == Missed {
		steps := bandSteps{promised: m.Promised, target: m.Target, strict: promise.Strict}
		steps.bands, _ = promise.Remedy.(Bands)
		out.Band = steps.at(m.Down)
	}
	rest := *g // what is promised up to the end if nothing more happens
	rest.down, rest.degraded, rest.causes, rest.gaps = 0, 0, 0, 0
	rest.advance(g.end)
	out.Left = mostDown(rest.sums.promised(), m.Target, promise.Strict) - m.Down
	return out
}

// meterVersion is raised when the form of a snapshot changes.
const meterVersion = 1

// ErrSnapshot is wrapped by the errors of [RestoreMeter]: the snapshot was changed or cut after
// it was written, it does not fit the agreement, or another version wrote it. What it says is
// not to be used.
var ErrSnapshot = errors.New("sla: meter snapshot")

// meterState is a meter as JSON: its sums, and the events that are open.
type meterState struct {
	Contract string       `json:"contract"`
	Period   Period       `json:"period"`
	Last     time.Time    `json:"last,omitzero"`
	Events   int          `json:"events"`
	Open     []MeterEvent `json:"open,omitempty"`
	Gauges   []gaugeState `json:"gauges"`
}

type gaugeState struct {
	Term    string `json:"term"`
	Service string `json:"service,omitempty"`
	gaugeSums
}

// Snapshot writes the meter as JSON, with a checksum, so that [RestoreMeter] can go on from
// it. The same events give the same text.
func (m *Meter) Snapshot() ([]byte, error) {
	m.forget()
	s := meterState{Contract: m.agreement.contract.ID, Period: m.period, Last: m.last, Events: m.events, Open: slices.Collect(maps.Values(m.open))}
	slices.SortFunc(s.Open, func(a, b MeterEvent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Ref, b.Ref))
	})
	for i := range m.gauges {
		g := &m.gauges[i]
		g.advance(m.last)
		s.Gauges = append(s.Gauges, gaugeState{Term: g.term.ID, Service: g.service.ID, gaugeSums: g.sums})
	}
	return sealed.Seal(meterVersion, s)
}

// RestoreMeter returns the meter of a snapshot. The agreement must be of the same
// contract; the error wraps [ErrSnapshot] and says where the snapshot does not fit it.
func RestoreMeter(a *Agreement, snapshot []byte) (*Meter, error) {
	m, err := restoreMeter(a, snapshot)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return m, nil
}

func restoreMeter(a *Agreement, snapshot []byte) (*Meter, error) {
	state, err := sealed.Open(snapshot, meterVersion)
	if err != nil {
		return nil, err
	}
	var s meterState
	if err := json.Unmarshal(state, &s); err != nil {
		return nil, err
	}
	if s.Contract != a.contract.ID {
		return nil, fmt.Errorf("it is of contract %q, want %q", s.Contract, a.contract.ID)
	}
	m, err := NewMeter(a, s.Period)
	if err != nil {
		return nil, err
	}
	if len(s.Gauges) != len(m.gauges) {
		return nil, fmt.Errorf("it has %d gauges, want %d", len(s.Gauges), len(m.gauges))
	}
	for _, e := range s.Open {
		key, opens := e.key()
		if want := m.wants(e); want != "" || !opens || e.At.After(s.Last) {
			return nil, &MeterError{Index: m.events, Event: e, Want: cmp.Or(want, "an event that opens something, no later than the last one")}
		}
		m.open[key] = e
		for i := range m.gauges {
			if g := &m.gauges[i]; concerns(e.Service, g.service.ID) {
				m.turn(g, e, e, true)
			}
		}
		m.last = e.At
	}
	m.last, m.events = s.Last, s.Events
	for i := range m.gauges {
		g, saved := &m.gauges[i], s.Gauges[i]
		if saved.Term != g.term.ID || saved.Service != g.service.ID {
			return nil, fmt.Errorf("gauges[%d] of term %q service %q, want %q and %q", i, saved.Term, saved.Service, g.term.ID, g.service.ID)
		}
		if g.advance(m.last); !saved.fits(g.sums.Hours) {
			return nil, fmt.Errorf("gauges[%d]: want times of 0 or more within the %s that have passed", i, g.sums.Hours)
		}
		g.sums = saved.gaugeSums
	}
	return m, nil
}

// fits reports whether the sums are possible after so much promised time.
func (s gaugeSums) fits(hours time.Duration) bool {
	for _, part := range []time.Duration{s.Removed, s.RawDown, s.Excluded, s.Down, s.Degraded, s.Unknown} {
		if part < 0 || part > hours {
			return false
		}
	}
	return s.Hours == hours && s.Down <= s.promised()
}
