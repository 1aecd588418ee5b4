package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// figures take every key figure from so many incidents, as many alerts and a tenth
// as many changes and problems.
var figures = []measure.Pair{
	goal("incident/kpis_1k", 2500*time.Microsecond, 1, kpis(1000)),
	goal("incident/kpis_10k", 25*time.Millisecond, 1, kpis(10_000)),
	goal("incident/kpis_100k", 250*time.Millisecond, 1, kpis(100_000)),
}

// meters update incidents eight times each, as their records change on the way from
// the declaration to the closing. Hot ones are a thousand; cold ones a hundred thousand,
// of which each is seen again when all others have been. The meter is new each time,
// so an eighth of the updates makes room. Durations are sorted when somebody reads
// the figures, which has a line of its own.
var meters = []measure.Pair{
	goal("incident/meter_hot", 200*time.Nanosecond, steps*1000, updates(1000, false, false)),
	goal("incident/meter_cold", 200*time.Nanosecond, steps*100_000, updates(100_000, false, false)),
	goal("incident/meter_cold_together", 200*time.Nanosecond, steps*100_000, updates(100_000, true, false)),
	goal("incident/meter_cold_together_and_read", 250*time.Nanosecond, steps*100_000, updates(100_000, true, true)),
	goal("incident/meter_of_changes", 5*time.Microsecond, 4000, changes(1000)),
}

const steps = 8

// story returns the states of a record that ended as r.
func story(r incident.Record) [steps]incident.Record {
	var out [steps]incident.Record
	now := r
	now.Status, now.Escalations, now.Team, now.Score = incident.Open, 0, "", 0
	now.Times = incident.Times{Started: r.Times.Started, Detected: r.Times.Detected, Created: r.Times.Created}
	out[0] = now // declared
	now.Escalations = 1
	out[1] = now
	now.Status, now.Times.Acknowledged = incident.Acknowledged, r.Times.Acknowledged
	out[2] = now
	now.Team = r.Team // handed over
	out[3] = now
	now.Escalations = 2
	out[4] = now
	now.Status, now.Times.Resolved = r.Status, r.Times.Resolved
	out[5] = now
	now.Score = r.Score
	out[6] = now
	if !r.Times.Resolved.IsZero() {
		now.Status, now.Times.Closed = incident.Closed, r.Times.Resolved.Add(time.Hour)
	}
	out[7] = now
	return out
}

var options = incident.FiguresOptions{Targets: incident.DefaultTargets()}

// records makes incidents of October 2026: a seventh is still open, and some were
// acknowledged before they were declared.
func records(n int) []incident.Record {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	out := make([]incident.Record, n)
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for i := range out {
		at := start.Add(time.Duration(r.Int64N(int64(31 * 24 * time.Hour))))
		next := func() time.Time { at = at.Add(time.Duration(r.Int64N(int64(3 * time.Hour)))); return at }
		out[i] = incident.Record{
			Tenant: "acme", ID: fmt.Sprintf("INC-2026-%06d", i), Severity: incident.Severities[r.IntN(4)], Status: incident.Resolved,
			Services: []string{"checkout", "search", "mail"}[i%3 : i%3+1], Team: "blue", Centre: "AMS", DetectedBy: incident.ByMonitor,
			Escalations: r.IntN(2), FirstContact: r.IntN(2) == 0, Score: r.IntN(6),
			Times: incident.Times{Started: next(), Detected: next(), Created: next(), Acknowledged: next(), Resolved: next()},
		}
		if i%7 == 0 {
			out[i].Status, out[i].Times.Resolved = incident.Acknowledged, time.Time{}
		}
		if i%11 == 0 {
			out[i].Times.Acknowledged = out[i].Times.Created.Add(-time.Second)
		}
	}
	return out
}

// kpis takes a scorecard, of which most figures have data.
func kpis(n int) func() (func(), error) {
	return func() (func(), error) {
		basis := incident.Basis{Records: records(n)}
		for i := range basis.Records {
			r := &basis.Records[i]
			r.Impact = []calendar.Interval{{Start: r.Times.Started, End: r.Times.Started.Add(10 * time.Minute)}}
			basis.Alerts = append(basis.Alerts, incident.Alert{ID: r.ID, Fired: r.Times.Detected, Stored: r.Times.Detected, Told: r.Times.Created})
			if i%10 == 0 {
				basis.Changes = append(basis.Changes, incident.Change{
					ID: r.ID, Kind: incident.NormalChange, Result: incident.ChangeOK, Ended: r.Times.Created, Announced: r.Times.Started, Window: r.Impact[0],
				})
				basis.Problems = append(basis.Problems, incident.Problem{ID: r.ID, Opened: r.Times.Created, Closed: r.Times.Resolved})
			}
		}
		o := incident.ScorecardOptions{Figures: options, Targets: incident.DefaultKPITargets()}
		o.Figures.Period, o.Figures.At = incident.Month(2026, time.October, time.UTC), noon
		card, err := incident.Scorecard(basis, o)
		if err != nil {
			return nil, err
		}
		with := 0
		for _, k := range card {
			if k.Value != nil {
				with++
			}
		}
		if with < 15 {
			return nil, fmt.Errorf("%d figures have data, want most of them", with)
		}
		return func() { must(incident.Scorecard(basis, o)) }, nil
	}
}

// updates gives all incidents to a new meter, each time in an order of its own: one
// by one, or as many together as a page of an API has. The records come as a reader
// would decode them, into the same memory, with texts that are copies of those before.
func updates(n int, together, read bool) func() (func(), error) {
	return func() (func(), error) {
		const page, digits = 40, len("INC-2026-000000")
		r := rand.New(rand.NewPCG(5, uint64(n)))
		var ids [steps]string // beside each other in the order in which they come
		for step := range ids {
			var text strings.Builder
			var orders [page][]int // an incident comes at the same place of another page
			for place := range orders {
				orders[place] = r.Perm(n / page)
			}
			for i := range n / page {
				for place := range page {
					fmt.Fprintf(&text, "INC-2026-%06d", orders[place][i]*page+place)
				}
			}
			ids[step] = text.String()
		}
		var states [steps][page]incident.Record
		for i, r := range records(page) {
			for step, state := range story(r) {
				states[step][i] = state
			}
		}
		stream := func() *incident.Meter {
			m := incident.NewMeter(options)
			for step := range states {
				for text := ids[step]; text != ""; {
					records := states[step][:]
					for i := range records {
						records[i].ID, text = text[:digits], text[digits:]
						if !together {
							m.Update(&records[i])
						}
					}
					if together {
						m.UpdateAll(records)
					}
				}
			}
			return m
		}
		var batch []incident.Record
		for range n / page {
			batch = append(batch, states[steps-1][:]...)
		}
		o := options
		o.At = noon
		want, err := incident.FiguresOf(batch, o)
		if got := must(stream().Figures(noon)); err != nil || got.Volume != n || got.Kept != want.Kept || got.MTTR.Mean().Cmp(want.MTTR.Mean()) != 0 {
			return nil, fmt.Errorf("%d incidents, %v kept, want %d and %v, %w", got.Volume, got.Kept, n, want.Kept, err)
		}
		return func() {
			if m := stream(); read {
				must(m.Figures(noon))
			}
		}, nil
	}
}

// changes gives changes to a new meter, four times each: requested, approved,
// announced and ended.
func changes(n int) func() (func(), error) {
	return func() (func(), error) {
		states := make([]incident.Change, 0, 4*n)
		for i := range n {
			c := incident.Change{ID: fmt.Sprint("CHG-", i), Kind: incident.NormalChange, Requested: noon.Add(time.Duration(i) * time.Minute)}
			if i%5 == 0 {
				c.Kind = incident.EmergencyChange
			}
			requested := c
			c.Approved = c.Requested.Add(time.Hour)
			approved := c
			c.Announced, c.Window = c.Approved, calendar.Interval{Start: c.Approved.Add(80 * time.Hour), End: c.Approved.Add(82 * time.Hour)}
			announced := c
			c.Ended, c.Result = c.Window.End, incident.ChangeOK
			states = append(states, requested, approved, announced, c)
		}
		stream := func() *incident.MeterOf[incident.Change, incident.ChangeFigures] {
			m := incident.NewChangeMeter(calendar.Interval{}, incident.DefaultKPITargets())
			for _, c := range states {
				m.Update(c)
			}
			return m
		}
		if got, want := stream().Figures(noon).Success, (incident.Share{Hits: n - n/5, Of: n - n/5}); got != want {
			return nil, fmt.Errorf("success of %v, want %v", got, want)
		}
		return func() { stream() }, nil
	}
}
