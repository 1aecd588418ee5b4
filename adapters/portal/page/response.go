package page

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// reply is the first response to an incident.
type reply struct {
	at       time.Time
	took     time.Duration
	promised time.Duration // of a clock of the contract; 0 for the next business day
}

// responseTimes draws the first responses of each severity that had any. The target
// is that of a severity, so all in one drawing would have no line to be held against.
func (t *Tenant) responseTimes(v *view) []block {
	var list []block
	for s := incident.P1; s <= incident.P4; s++ {
		if f := t.responseTime(v, s); f != nil {
			list = append(list, block{Figure: f})
		}
	}
	if len(list) == 0 {
		return []block{{Text: v.t("response.none")}}
	}
	return list
}

// responseTime draws the median and the 95th percentile of the first responses to the
// incidents of a severity, by the month in which they were given, as the report counts
// them; nil where no month has any.
func (t *Tenant) responseTime(v *view, s incident.Severity) *figure {
	replies, clocked := t.replies(s)
	unit, name := unitOf(replies)
	first, last := t.Months[0].Report.Statement.Period, t.last().Report.Statement.Period
	c := report.Chart{
		ID: v.id("response-" + s.String()), Title: v.t("response.title_of", v.severity(s)), Start: first.Start, End: last.End, Unit: name,
		Series: []report.Series{{Name: v.t("journey.p50")}, {Name: v.t("journey.p95"), Dashed: true}},
	}
	data := &table{Caption: c.Title, Columns: v.columns("month", ">response.count", ">journey.p50", ">journey.p95")}
	for _, m := range t.Months {
		period := m.Report.Statement.Period
		label := v.shortMonth(period.Label)
		var took []time.Duration
		for _, r := range replies {
			if period.Contains(r.at) {
				took = append(took, r.took)
			}
		}
		tick := report.Mark{Name: label, At: period.Start.Add(period.Duration() / 2)}
		if len(took) == 0 {
			// Not hatched, as nothing happened that could have been measured.
			tick.Name = report.NoData.Glyph() + " " + label
			c.Ticks = append(c.Ticks, tick)
			data.Rows = append(data.Rows, []cell{text(label), text(v.number(0)), {Mark: v.noData()}, {Mark: v.noData()}})
			continue
		}
		c.Ticks = append(c.Ticks, tick)
		slices.Sort(took)
		p50, p95 := rank(took, 50), rank(took, 95)
		for i, d := range []time.Duration{p50, p95} {
			c.Series[i].Points = append(c.Series[i].Points, report.Point{At: period.Start, Value: in(d, unit)}, report.Point{At: period.End, Value: in(d, unit)}, report.Point{At: period.End, Value: math.NaN()})
		}
		data.Rows = append(data.Rows, []cell{text(label), text(v.number(len(took))), text(v.length(p50)), text(v.length(p95))})
		c.Summary = v.n("response.message", len(took), v.month(period.Label), v.length(p50), v.length(p95))
	}
	if c.Summary == "" {
		return nil
	}
	if clocked {
		c.Summary += " " + v.promises(replies, unit, &c)
	} else {
		c.Summary += " " + v.t("response.elapsed")
	}
	return &figure{c.ID, c.Title, c.Summary, svg(c.SVGIn(v.Lang, v.zone)), []string{c.Series[0].Name, c.Series[1].Name}, data}
}

// unitOf is what the axis counts in: hours where that is more than a few.
func unitOf(replies []reply) (unit time.Duration, name string) {
	for _, r := range replies {
		if max(r.took, r.promised) >= 3*time.Hour {
			return time.Hour, "h"
		}
	}
	return time.Minute, "min"
}

// in is how often the unit fits, to be drawn.
func in(d, unit time.Duration) float64 { return float64(d) / float64(unit) }

// promises draws a line for each target of the replies, and says what was promised.
func (v *view) promises(replies []reply, unit time.Duration, c *report.Chart) string {
	var targets []time.Duration
	for _, r := range replies {
		targets = append(targets, r.promised)
	}
	slices.Sort(targets)
	var words []string
	for _, target := range slices.Compact(targets) {
		if target == 0 {
			words = append(words, v.t("clock.next_day"))
			continue
		}
		words = append(words, v.length(target))
		c.Limits = append(c.Limits, report.Limit{Name: v.t("target") + " " + v.length(target), Value: in(target, unit), Start: true})
	}
	return v.t("response.promised", strings.Join(words, ", "))
}

// replies are the first responses to the incidents of a severity: those of the clocks
// of the contract, in its working time; where it has none for any of them, the time from
// opened to responded, or else to acknowledged.
func (t *Tenant) replies(s incident.Severity) (list []reply, clocked bool) {
	var unclocked []reply
	for _, i := range t.Incidents {
		k := slices.IndexFunc(i.Clocks, func(c sla.ClockState) bool { return c.Clause == sla.ClauseResponse })
		if k >= 0 {
			c := i.Clocks[k]
			withdrawn := !i.Cancelled.IsZero() && !c.Stopped.Before(i.Cancelled)
			if c.Severity == s && !c.Stopped.IsZero() && !withdrawn {
				list = append(list, reply{c.Stopped, c.Elapsed, c.Target})
			}
			continue
		}
		at := i.Responded
		if at.IsZero() {
			at = i.Acknowledged
		}
		if i.CurrentSeverity() == s && !at.IsZero() && !at.After(t.At) {
			unclocked = append(unclocked, reply{at: at, took: max(0, at.Sub(i.Opened))})
		}
	}
	if len(list) > 0 {
		return list, true
	}
	return unclocked, false
}

// rank is the nearest-rank percentile of sorted durations, of which there is one at
// least: always a time that was measured.
func rank(sorted []time.Duration, percent int64) time.Duration {
	seconds, err := incident.Percentile(sorted, big.NewRat(percent, 100), incident.NearestRank)
	if err != nil {
		panic("page: " + err.Error()) // the percentages are constants
	}
	return time.Duration(seconds.Mul(seconds, big.NewRat(int64(time.Second), 1)).Num().Int64())
}
