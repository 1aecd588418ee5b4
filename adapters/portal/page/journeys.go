package page

import (
	"github.com/evenkeelops/evenkeel/adapters/report"
)

// journeys shows what users feel: probes that do what they do.
func (t *Tenant) journeys(v *view) {
	rows := &table{Caption: v.t("page.journeys"), Columns: v.columns("journey", "service", "state", "status.since", "journey.at", ">journey.share", ">journey.p50", ">journey.p95")}
	for _, j := range t.Journeys {
		share := cell{Text: v.fraction(j.Share)}
		if j.Share.IsSet() {
			share.Sub = v.n("journey.runs", j.Runs, v.length(j.Over))
		}
		p50, p95 := v.took(j.P50), v.took(j.P95)
		rows.Rows = append(rows.Rows, []cell{
			to("#journey-"+v.word(j.ID), j.Name), text(t.service(v, j.Service)), {Mark: v.journey(j.State)}, {Times: []when{v.time(j.Since)}}, {Times: []when{v.time(j.At)}}, share, p50, p95,
		})
	}
	v.Intro = []block{{Text: v.t("journey.lead")}, {Table: rows}}
	for _, j := range t.Journeys {
		v.add("journey-"+j.ID, j.Name, t.journey(v, j)...)
	}
}

func (v *view) journey(s report.State) *mark {
	switch s {
	case report.Good:
		return v.mark(s, v.t("journey.works"))
	case report.Bad:
		return v.mark(s, v.t("journey.fails"))
	case "":
		return v.noData()
	default:
		return v.condition(s)
	}
}

func (t *Tenant) journey(v *view, j Journey) []block {
	list := []block{}
	if len(j.History) > 0 {
		strip := report.DayStrip{ID: v.id("runs-" + j.ID), Title: v.t("journey.history", j.Name)}
		data := &table{Caption: strip.Title, Columns: v.columns("time", "state")}
		works := 0
		for _, b := range j.History {
			class := report.DayNoData
			switch b.State {
			case report.Good:
				class = report.DayFull
				works++
			case report.Warning:
				class = report.DayFair
			case report.Bad:
				class = report.DayBad
			default:
			}
			strip.Days = append(strip.Days, report.CalendarDay{Class: class})
			data.Rows = append(data.Rows, []cell{text(b.Label), {Mark: v.journey(b.State), Sub: b.Text}})
		}
		strip.Summary = v.n("journey.history_message", len(j.History), works)
		list = append(list, block{Figure: &figure{ID: v.id("history-" + j.ID), Title: strip.Title, Summary: strip.Summary, SVG: svg(strip.SVG()), Data: data}})
	}
	if len(j.Steps) == 0 {
		return append(list, block{Text: v.t("journey.no_steps")})
	}
	rows := &table{Caption: v.t("journey.steps", j.Name), Columns: v.columns("journey.step", "state", ">journey.took", "journey.text")}
	for _, s := range j.Steps {
		rows.Rows = append(rows.Rows, []cell{text(s.Name), {Mark: v.journey(s.State)}, v.took(s.Took), text(s.Text)})
	}
	return append(list, block{Table: rows})
}

// took is a time to the millisecond; 0 is none.
func (v *view) took(d interface{ Milliseconds() int64 }) cell {
	if ms := d.Milliseconds(); ms > 0 {
		return text(v.t("journey.ms", v.number(int(ms))))
	}
	return cell{Mark: v.noData()}
}
