package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func (t *Tenant) credits(v *view) {
	last := *t.last()
	s := last.Report.Statement
	v.Intro = t.creditSummary(v, last)
	v.add("lines", v.t("credit.lines", v.month(s.Period.Label)), t.creditLines(v, last))
	v.add("breaches", v.t("breach.title", v.month(s.Period.Label)), t.breachTable(v, last))
	v.add("inputs", v.t("credit.inputs"), t.inputs(v, last)...)
	if len(t.Revisions) > 0 {
		v.add("revisions", v.t("revision.title"), t.revisionTable(v))
	}
	if len(t.Months) > 1 {
		v.add("trend", v.t("credit.trend"), block{Figure: t.creditTrend(v)})
	}
	v.add("reports", v.t("credit.reports"), t.reportTable(v))
	v.add("computed", v.t("computed"), v.explained(v.t("slo.computed_report"), last.Explain(), func(report.Explanation) bool { return true }))
}

// creditState is what a statement says, in words.
func (v *view) creditState(m report.ServiceReport) *mark {
	s := m.Report.Statement
	word := v.known("credit.state", string(s.State))
	switch s.State {
	case sla.StateNone:
		return v.mark(report.Good, word)
	case sla.StateNoData:
		return v.mark(report.NoData, word)
	case sla.StateBreachNoBand, sla.StateDue, sla.StateCapped:
	}
	return v.mark(report.Bad, word)
}

func (t *Tenant) creditSummary(v *view, m report.ServiceReport) []block {
	s := m.Report.Statement
	limit := v.t("credit.no_cap")
	if s.Cap.IsSet() {
		limit = v.form.Amount(s.Cap)
	}
	tiles := []tile{
		{Label: v.t("credit.gross"), Value: v.form.Amount(s.Gross)},
		{Label: v.t("credit.cap"), Value: limit},
		{Label: v.t("credit.payable"), Value: v.form.Amount(s.Payable), Note: v.creditState(m).Word, Mark: *v.creditState(m)},
		{Label: v.t("credit.fee"), Value: v.form.Amount(s.Fee)},
	}
	list := []block{{Text: v.t("credit.period", v.month(s.Period.Label))}, {Tiles: tiles}}
	if s.State == sla.StateBreachNoBand {
		list = append(list, block{Notice: v.mark(report.Bad, v.t("credit.no_band"))})
	}
	if !s.Complete {
		list = append(list, block{Notice: v.mark(report.Warning, v.t("credit.estimate", v.time(s.Through).Text))})
	}
	facts := []fact{{v.t("state"), cell{Mark: v.creditState(m)}}, {v.t("credit.report_due"), cell{Times: []when{v.time(m.Report.DueBefore)}}}}
	if !s.ClaimBefore.IsZero() {
		facts = append(facts, fact{v.t("credit.claim_before"), cell{Times: []when{v.time(s.ClaimBefore)}}})
	}
	return append(list, block{Facts: facts})
}

// creditLines shows every line with what it was computed from, and what the clauses get.
func (t *Tenant) creditLines(v *view, m report.ServiceReport) block {
	s := m.Report.Statement
	if len(s.Lines) == 0 {
		return block{Text: v.t("credit.no_lines")}
	}
	rows := &table{Caption: v.t("credit.lines", v.month(s.Period.Label)), Columns: v.columns("clause", "ref", "service", "evidence", ">credit.rate", ">credit.amount")}
	for _, l := range s.Lines {
		rows.Rows = append(rows.Rows, []cell{
			{Text: v.known("clause", string(l.Clause)), Sub: v.known("basis", string(l.Basis))}, text(l.Ref), text(t.service(v, l.Service)), t.evidence(v, m, l), text(v.rate(l)), text(v.form.Amount(l.Amount)),
		})
	}
	return block{Table: rows}
}

// evidence is what a line hangs on: downtime, what was excluded, and the incidents.
func (t *Tenant) evidence(v *view, m report.ServiceReport, l sla.Line) cell {
	var parts []string
	if l.Clause == sla.ClauseAvailability {
		if r := availability(&m, l.Service); r != nil {
			parts = append(parts, v.t("credit.downtime", v.length(r.Down)), v.t("credit.excluded", v.length(r.Excluded)))
		}
	} else if l.Denominator > 0 {
		parts = append(parts, v.t("clock.against", v.length(l.Numerator), v.length(l.Denominator)))
	}
	return cell{Text: strings.Join(parts, ", "), Sub: strings.Join(mapped(l.Evidence, v.stretch), ", ")}
}

// stretch writes the name of a piece of evidence; one that has none is named by its
// interval, "[start, end)", which is shown in the zone of the page.
func (v *view) stretch(ref string) string {
	from, to, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(ref, "["), ")"), ", ")
	start, err := time.Parse(time.RFC3339, from)
	end, err2 := time.Parse(time.RFC3339, to)
	if !ok || err != nil || err2 != nil {
		return ref
	}
	return v.form.Range(start.In(v.zone), end.In(v.zone))
}

func (v *view) rate(l sla.Line) string {
	if text := l.Rate.String(); l.Basis != sla.PerIncident && l.Basis != sla.FixedAmount {
		return v.form.Percent(text)
	}
	return v.known("basis", string(l.Basis))
}

// breachTable has the four things that contracts ask for of each breach, and its credit.
func (t *Tenant) breachTable(v *view, m report.ServiceReport) block {
	if len(m.Report.Breaches) == 0 {
		return block{Text: v.t("breach.none")}
	}
	rows := &table{
		Caption: v.t("breach.title", v.month(m.Report.Statement.Period.Label)),
		Columns: v.columns("clause", "breach.of", "breach.promised", "breach.actual", "cause", "action", ">breach.credit"),
	}
	for _, b := range m.Report.Breaches {
		promised, actual := v.length(b.Promised), v.length(b.Actual)
		switch {
		case b.KeyFigure != nil:
			promised, actual = b.KeyFigure.Limit(), v.form.Number(b.KeyFigure.Value.Decimal(2))+" "+v.known("unit", string(b.KeyFigure.Unit))
		case b.Clause == sla.ClauseAvailability:
			promised, actual = v.form.Percent(b.Target.String()), v.fraction(b.Value)
		case b.Promised == 0 && b.Clause != sla.ClauseMonitoring:
			promised = v.t("clock.next_day")
		}
		of := cell{Text: b.Ref, Sub: strings.Join(b.Incidents, ", ")}
		if b.Ref == b.Service {
			of.Text = t.service(v, b.Service)
		}
		credit := text(v.form.Amount(b.Credit))
		if b.Credit.Sign() == 0 {
			credit.Sub = v.t("verdict.no_credit")
		}
		rows.Rows = append(rows.Rows, []cell{
			{Text: v.known("clause", string(b.Clause)), Sub: v.severity(b.Severity)},
			of, text(promised),
			{Text: actual, Times: []when{v.time(b.At)}},
			v.orNone(b.Cause), v.orNone(b.Action), credit,
		})
	}
	return block{Table: rows}
}

func (v *view) orNone(s string) cell {
	if s == "" {
		return text(v.t("not_recorded"))
	}
	return text(s)
}

// inputs is what a customer needs to contest a statement.
func (t *Tenant) inputs(v *view, m report.ServiceReport) []block {
	s := m.Report.Statement
	facts := []fact{
		{v.t("credit.contract"), cell{Text: s.Contract}},
		{v.t("digest.contract"), v.digest(s.Inputs.Contract)},
		{v.t("digest.evidence"), v.digest(s.Inputs.Evidence)},
	}
	if d, err := s.Digest(); err == nil {
		facts = append(facts, fact{v.t("digest.statement"), v.digest(d)})
	}
	return []block{{Text: v.t("credit.contest")}, {Facts: facts}}
}

func (v *view) digest(d sla.Digest) cell {
	if d.IsZero() {
		return cell{Mark: v.noData()}
	}
	return cell{Text: d.String(), Code: true}
}

func (t *Tenant) revisionTable(v *view) block {
	rows := &table{Caption: v.t("revision.title"), Columns: v.columns("month", ">revision.number", "revision.at", ">revision.before", ">revision.after", "reason", "digest.evidence")}
	for _, r := range t.Revisions {
		rows.Rows = append(rows.Rows, []cell{
			text(v.month(r.Month)), text(v.number(r.Number)), {Times: []when{v.time(r.At)}}, text(v.form.Amount(r.Before)), text(v.form.Amount(r.After)), text(r.Reason), v.digest(r.Evidence),
		})
	}
	return block{Table: rows}
}

// creditTrend draws what was payable by month.
func (t *Tenant) creditTrend(v *view) *figure {
	bars := report.Bars{ID: v.id("credits-chart"), Title: v.t("credit.trend"), Per: v.t("month")}
	data := &table{Caption: bars.Title, Columns: v.columns("month", ">credit.gross", ">credit.payable", "state")}
	var total money.Amount
	for _, m := range t.Months {
		s := m.Report.Statement
		label := v.shortMonth(s.Period.Label)
		bar := report.Bar{Label: label, Value: major(s.Payable), Text: v.form.Amount(s.Payable)}
		if s.State == sla.StateNoData {
			bar.State, bar.Value = report.NoData, math.NaN()
		}
		bars.Bars = append(bars.Bars, bar)
		bars.Unit = string(s.Payable.Currency())
		if sum, err := s.Payable.Add(total); err == nil && total.IsSet() {
			total = sum
		} else if !total.IsSet() {
			total = s.Payable
		}
		data.Rows = append(data.Rows, []cell{text(label), text(v.form.Amount(s.Gross)), text(v.form.Amount(s.Payable)), {Mark: v.creditState(m)}})
	}
	bars.Summary = v.n("credit.trend_message", len(t.Months), v.form.Amount(total))
	return &figure{ID: v.id("credits-figure"), Title: bars.Title, Summary: bars.Summary, SVG: svg(bars.SVGIn(v.Lang)), Data: data}
}

// major is an amount in its main unit, for the height of a bar alone.
func major(a money.Amount) float64 { return float64(a.Minor()) / math.Pow10(a.Currency().Digits()) }

// reportTable links the reports, the latest first.
func (t *Tenant) reportTable(v *view) block {
	if !v.options.Has(Reports) {
		return block{Text: v.t("no_reports")}
	}
	rows := &table{Caption: v.t("credit.reports"), Columns: v.columns("month", "credit.report_due", ">credit.payable", "state", "download.pdf", "download.csv", "download.json")}
	for _, m := range slices.Backward(t.Months) {
		label := m.Report.Statement.Period.Label
		row := []cell{to(v.report(label, "html"), v.month(label)), {Times: []when{v.time(m.Report.DueBefore)}}, text(v.form.Amount(m.Report.Statement.Payable)), {Mark: v.creditState(m)}}
		for _, extension := range []string{"pdf", "csv", "json"} {
			row = append(row, to(v.report(label, extension), fmt.Sprintf("%s %s", v.t("download."+extension), v.shortMonth(label))))
		}
		rows.Rows = append(rows.Rows, row)
	}
	return block{Table: rows}
}
