package page

import (
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

func (t *Tenant) maintenance(v *view) {
	v.Intro = []block{{List: []cell{to(v.home+"maintenance.ics", v.t("feed.ical"))}}}
	ahead := &table{Caption: v.t("work.ahead"), Columns: v.columns("window", "service", "start", "end", "work.notice", "state", "excluded")}
	past := &table{Caption: v.t("work.past"), Columns: ahead.Columns}
	for _, m := range t.Maintenance {
		rows := ahead
		if !m.End.After(t.At) {
			rows = past
		}
		rows.Rows = append(rows.Rows, []cell{
			{Text: m.Ref, Sub: m.Title, Struck: m.Cancelled},
			text(t.service(v, m.Service)),
			{Times: []when{v.time(m.Start)}},
			{Times: []when{v.time(m.End)}},
			v.notice(m),
			{Mark: v.workState(m, t.At)},
			v.excluded(m),
		})
	}
	for _, part := range []*table{ahead, past} {
		b := block{Table: part}
		if len(part.Rows) == 0 {
			b = block{Text: v.t("work.none")}
		}
		id := "ahead"
		if part == past {
			id = "past"
		}
		v.add(id, part.Caption, b)
	}
}

// notice is what was given against what the contract asks for.
func (v *view) notice(m Maintenance) cell {
	given := v.t("work.not_announced")
	if !m.Announced.IsZero() {
		given = v.length(m.Start.Sub(m.Announced))
	}
	c := cell{Mark: v.mark(report.Good, v.t("work.in_time")), Sub: given}
	if !m.NoticeOK {
		c.Mark = v.mark(report.Bad, v.t("work.too_late"))
	}
	if m.Required > 0 {
		c.Sub = v.t("clock.against", given, v.length(m.Required))
	}
	return c
}

// excluded says whether a window counts as downtime, and why.
func (v *view) excluded(m Maintenance) cell {
	c := cell{Text: v.t("state.not_excluded"), Sub: v.known("reason", m.Reason)}
	if m.Excluded && !m.Cancelled {
		c.Text = v.t("state.excluded")
	}
	return c
}

func (v *view) workState(m Maintenance, now time.Time) *mark {
	switch {
	case m.Cancelled:
		return v.mark(report.NoData, v.t("work.cancelled"))
	case covers(m.Start, m.End, now):
		return v.mark(report.Maintenance, v.t("work.running"))
	case m.Emergency:
		return v.mark(report.Warning, v.t("work.emergency"))
	case !m.End.After(now):
		return v.mark(report.Good, v.t("work.done"))
	}
	return v.mark(report.Maintenance, v.t("work.planned"))
}
