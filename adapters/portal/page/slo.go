package page

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/slo"
)

func (t *Tenant) slo(v *view) {
	if m := t.last(); m != nil {
		month := m.Report.Statement.Period.Label
		v.add("availability", v.t("slo.availability", v.month(month)), t.availabilityTable(v, *m))
		v.add("burndown", v.t("slo.burndown"), t.burnDowns(v, *m)...)
		if excluded := t.exclusionTable(v, *m); excluded.Table != nil {
			v.add("excluded", v.t("slo.excluded"), excluded)
		}
		v.add("map", v.t("slo.map"), t.dayMaps(v)...)
	}
	if t.Budgets != nil {
		v.add("objectives", v.t("slo.objectives"), t.objectiveTable(v))
		for i := range t.Budgets.Budgets {
			b := &t.Budgets.Budgets[i]
			v.add("objective-"+b.Objective.ID, b.Objective.ID, t.objective(v, b)...)
		}
	}
	var computed []block
	if m := t.last(); m != nil {
		computed = append(computed, v.explained(v.t("slo.computed_report"), m.Explain(), func(e report.Explanation) bool {
			return strings.HasPrefix(e.Field, "availability") || strings.HasPrefix(e.Field, "overall")
		}))
	}
	if t.Budgets != nil {
		computed = append(computed, v.explained(v.t("slo.computed_budgets"), t.Budgets.Explain(), func(e report.Explanation) bool {
			return strings.HasSuffix(e.Field, ".sli_percent") || strings.Contains(e.Field, ".budget.")
		}))
	}
	v.add("computed", v.t("computed"), computed...)
}

// availabilityTable holds every service against its target.
func (t *Tenant) availabilityTable(v *view, m report.ServiceReport) block {
	if len(m.Report.Availability) == 0 {
		return block{Text: v.t("slo.no_promise")}
	}
	rows := &table{Caption: v.t("slo.availability", v.month(m.Report.Statement.Period.Label)), Columns: v.columns("service", ">target", ">availability", ">downtime", ">budget.left", ">budget.share", "verdict", "ops.trend")}
	for _, r := range m.Report.Availability {
		left, share := cell{}, cell{}
		if r.Allowed > 0 {
			ratio := slo.NewRatio(int64(r.Left), int64(r.Allowed))
			left, share = text(v.length(r.Left)), text(v.ratioPercent(ratio))
			if r.Outcome != sla.NoData {
				share.Meter = v.meter(ratio)
			}
		}
		rows.Rows = append(rows.Rows, []cell{
			{Text: t.service(v, r.Service)},
			text(v.form.Percent(r.Target.String())), text(v.fraction(r.Value)), text(v.length(r.Down)), left, share,
			{Mark: v.verdict(m, r.Measured)},
			{Drawing: t.spark(v, r.Service)},
		})
	}
	return block{Table: rows}
}

// spark draws the availability of a service over the months.
func (t *Tenant) spark(v *view, service string) template.HTML {
	s := report.Spark{ID: v.id("spark-" + service), Limit: math.NaN(), Title: t.service(v, service)}
	last := v.t("state.no_data")
	for i := range t.Months {
		value := math.NaN()
		if r := v.availability(t, i, service); r != nil && r.Value.IsSet() {
			value, _ = r.Value.Rat().Float64()
			last = v.fraction(r.Value)
		}
		s.Values = append(s.Values, value)
	}
	s.Summary = v.t("ops.trend_message", s.Title, len(t.Months), last)
	return svg(s.SVG())
}

// verdict says what became of a target, and where one was missed without any credit
// for it, that.
func (v *view) verdict(m report.ServiceReport, r sla.Measured) *mark {
	switch r.Outcome {
	case sla.Met:
		return v.mark(report.Good, v.t("verdict.met"))
	case sla.Missed:
		for _, f := range m.Report.Statement.Findings {
			if f.Code == sla.CodeCreditGap && f.Ref == r.Service {
				return v.mark(report.Bad, v.t("verdict.no_band"))
			}
		}
		return v.mark(report.Bad, v.t("verdict.missed"))
	case sla.NoData, sla.Pending, sla.Paused, sla.Cancelled:
	}
	return v.noData()
}

// meter shows a share of 0 to 1 as a bar; what is outside is at its ends.
func (v *view) meter(r slo.Ratio) *meter {
	x := r.Rat()
	if x == nil {
		return nil
	}
	f, _ := x.Float64()
	return &meter{fmt.Sprintf("%.1f", min(max(f*100, 0), 100)), v.ratioPercent(r)}
}

func (t *Tenant) burnDowns(v *view, m report.ServiceReport) []block {
	var list []block
	for _, r := range m.Report.Availability {
		if len(r.Burn) < 2 {
			list = append(list, block{Text: v.t("slo.no_burndown", t.service(v, r.Service))})
			continue
		}
		list = append(list, block{Figure: t.burnDown(v, m, r)})
	}
	return list
}

// burnDown draws what was left of the allowed downtime over the period of the report.
func (t *Tenant) burnDown(v *view, m report.ServiceReport, r sla.ServiceReport) *figure {
	period := m.Report.Statement.Period
	minutes := func(d time.Duration) float64 { return d.Minutes() }
	c := report.Chart{
		ID: v.id("burn-" + r.Service), Title: v.t("slo.burndown_of", t.service(v, r.Service)), Start: period.Start, End: period.End, Unit: "min", Max: minutes(r.Allowed),
		Series: []report.Series{
			{Name: v.t("budget.left")},
			{Name: v.t("budget.even"), Points: []report.Point{{At: period.Start, Value: minutes(r.Allowed)}, {At: period.End, Value: 0}}},
		},
		Limits: []report.Limit{{Name: v.t("budget.exhausted"), Value: 0, Start: true}},
	}
	data := &table{Caption: v.t("slo.burndown_of", t.service(v, r.Service)), Columns: v.columns("time", ">budget.left")}
	for _, p := range r.Burn {
		c.Series[0].Points = append(c.Series[0].Points, report.Point{At: p.At, Value: minutes(p.Left)})
		data.Rows = append(data.Rows, []cell{{Times: []when{v.time(p.At)}}, text(v.length(p.Left))})
	}
	var longest string
	for _, down := range r.Downtime {
		name := v.length(down.Duration())
		for _, o := range v.outagesOf(t, r.Service) {
			if o.Ref != "" && !o.Degraded && o.Start.Before(down.End) && (o.End.IsZero() || o.End.After(down.Start)) {
				name = o.Ref + " " + name
				break
			}
		}
		c.Marks = append(c.Marks, report.Mark{Name: name, At: down.Start})
		longest = name
	}
	c.Spans = t.spans(v, r.Service, period.Start, period.End)
	c.Summary = v.t("slo.burndown_message", v.length(max(r.Left, 0)), v.length(r.Allowed))
	if r.Left < 0 {
		c.Summary = v.t("slo.burndown_over", v.length(-r.Left), v.length(r.Allowed))
	}
	if n := len(r.Downtime); n > 0 {
		c.Summary += " " + v.n("slo.burndown_marks", n, longest)
	}
	return &figure{c.ID, c.Title, c.Summary, svg(c.SVGIn(v.Lang, v.zone)), []string{v.t("budget.left"), v.t("budget.even")}, data}
}

// outagesOf are the outages of a service, in the order of the evidence.
func (v *view) outagesOf(t *Tenant, service string) []*sla.Outage {
	if v.outages == nil {
		v.outages = make(map[string][]*sla.Outage, len(t.Services))
		for i := range t.Evidence.Outages {
			o := &t.Evidence.Outages[i]
			if !concerns(o.Service, "") {
				v.outages[o.Service] = append(v.outages[o.Service], o)
				continue
			}
			for _, s := range t.Services {
				v.outages[s.ID] = append(v.outages[s.ID], o)
			}
		}
	}
	return v.outages[service]
}

// spans are the stretches that count differently: excluded work, and time that nobody
// measured. Time before the evidence stays blank.
func (t *Tenant) spans(v *view, service string, from, to time.Time) []report.Span {
	var list []report.Span
	for i := range t.Maintenance {
		if m := &t.Maintenance[i]; !m.Cancelled && m.Excluded && concerns(m.Service, service) && m.End.After(from) && m.Start.Before(to) {
			list = append(list, report.Span{Name: v.t("state.excluded") + ": " + m.Ref, Start: m.Start, End: m.End, State: report.Maintenance})
		}
	}
	for _, g := range t.Evidence.Gaps {
		end := g.End
		if end.IsZero() {
			end = t.At
		}
		if !g.Before && concerns(g.Service, service) && end.After(from) && g.Start.Before(to) {
			list = append(list, report.Span{Name: v.t("state.no_data"), Start: g.Start, End: end, State: report.NoData})
		}
	}
	return list
}

func (t *Tenant) exclusionTable(v *view, m report.ServiceReport) block {
	rows := &table{Caption: v.t("slo.excluded"), Columns: v.columns("service", "ref", "reason", ">excluded", "counted")}
	for _, r := range m.Report.Availability {
		row := func(x sla.Exclusion, word *mark) {
			rows.Rows = append(rows.Rows, []cell{{Text: t.service(v, r.Service)}, text(x.Ref), text(v.known("cause", x.Reason)), text(v.length(x.Down)), {Mark: word}})
		}
		for _, x := range r.Exclusions {
			row(x, v.mark(report.Maintenance, v.t("state.excluded")))
		}
		for _, x := range r.Rejected {
			row(x, v.mark(report.Warning, v.t("state.not_excluded")))
		}
	}
	if len(rows.Rows) == 0 {
		return block{}
	}
	return block{Table: rows}
}

// dayMaps has a map of up to twelve months for each service.
func (t *Tenant) dayMaps(v *view) []block {
	list := []block{{Text: v.t("days.scale_map")}}
	for _, s := range t.Services {
		m := report.DayMap{ID: v.id("map"), Title: v.t("slo.map_of", t.service(v, s.ID))}
		var sum daySum
		data := &table{Caption: m.Title, Columns: v.columns("month", ">availability", ">downtime", "days.worst")}
		for i := range t.Months {
			month := &t.Months[i]
			r := v.availability(t, i, s.ID)
			if r == nil {
				continue
			}
			label := month.Report.Statement.Period.Label
			row := report.DayRow{Label: v.shortMonth(label)}
			var worst []sla.Day
			for _, d := range r.Days {
				// A contract may begin within a month: its first day is in its place.
				for len(row.Days)+1 < dayOf(d.Date) {
					row.Days = append(row.Days, report.CalendarDay{Class: report.DayBefore})
				}
				c := t.calendarDay(d)
				row.Days = append(row.Days, c)
				sum.add(c.Class)
				if c.Class >= report.DayFair && c.Class != report.DayNoData {
					worst = append(worst, d)
				}
			}
			m.Months = append(m.Months, row)
			data.Rows = append(data.Rows, []cell{text(v.shortMonth(label)), text(v.fraction(r.Value)), text(v.length(r.Down)), text(v.dayList(worst))})
		}
		m.Summary = v.daySummary(sum)
		list = append(list, block{Figure: &figure{ID: v.id("map-" + s.ID), Title: m.Title, Summary: m.Summary, SVG: svg(m.SVG()), Data: data}})
	}
	return list
}

// dayOf is the day of the month of a date like "2026-10-14".
func dayOf(date string) int {
	day, err := strconv.Atoi(date[max(0, len(date)-2):])
	if err != nil {
		return 1
	}
	return day
}

func (v *view) dayList(days []sla.Day) string {
	list := make([]string, len(days))
	for i, d := range days {
		list[i] = fmt.Sprintf("%d: %s", dayOf(d.Date), v.form.Percent(d.Value.Percent(2)))
	}
	return strings.Join(list, ", ")
}

// objectiveTable sums the objectives up, the one with the least budget first.
func (t *Tenant) objectiveTable(v *view) block {
	if len(t.Budgets.Budgets) == 0 {
		return block{Text: v.t("slo.no_objectives")}
	}
	budgets := slices.Clone(t.Budgets.Budgets)
	slices.SortStableFunc(budgets, func(a, b report.Budget) int { return compareRatio(a.Status.Remaining, b.Status.Remaining) })
	rows := &table{Caption: v.t("slo.objectives"), Columns: v.columns("objective", "service", ">target", "window.length", ">actual", ">budget.share", "state", "budget.exhausts")}
	for i := range budgets {
		b := &budgets[i]
		rows.Rows = append(rows.Rows, []cell{
			to("#"+"objective-"+v.word(b.Objective.ID), b.Objective.ID), text(t.service(v, b.Objective.Service)), text(v.form.Percent(b.Objective.Target.Percent())),
			text(v.window(b)), text(v.sli(b.Status)),
			{Text: v.ratioPercent(b.Status.Remaining), Meter: v.meter(b.Status.Remaining)},
			{Mark: v.budgetState(b)},
			v.exhausts(b),
		})
	}
	return block{Table: rows}
}

// compareRatio orders ratios; one that is not set comes first, because nobody knows.
func compareRatio(a, b slo.Ratio) int {
	switch {
	case !a.IsSet() && !b.IsSet():
		return 0
	case !a.IsSet():
		return -1
	case !b.IsSet():
		return 1
	}
	return a.Compare(b)
}

// word is the text as it stands in an id.
func (v *view) word(text string) string {
	return (&view{ids: map[string]int{}}).id(text)
}

func (v *view) window(b *report.Budget) string {
	w, ok := b.Window()
	switch {
	case !ok:
		return ""
	case w.IsRolling():
		return v.t("window.rolling", threshold.FormatDuration(w.Nominal()))
	}
	return v.known("window", w.Kind())
}

func (v *view) sli(s slo.Status) string {
	x := s.SLI.Rat()
	if x == nil {
		return v.t("state.no_data")
	}
	// Cut, so that a missed objective does not show as met.
	n := new(big.Int).Quo(new(big.Int).Mul(x.Num(), big.NewInt(100_000_000)), x.Denom())
	return v.form.Percent(new(big.Rat).SetFrac(n, big.NewInt(1_000_000)).FloatString(6))
}

func (v *view) budgetState(b *report.Budget) *mark {
	fires := slices.ContainsFunc(b.Decisions, func(d slo.Decision) bool { return d.Firing })
	switch s := b.Status.State; {
	case s == slo.Exhausted:
		return v.mark(report.Bad, v.t("budget.exhausted"))
	case s == slo.AtRisk || fires && s == slo.OK:
		return v.mark(report.Warning, v.t("budget.at_risk"))
	case s == slo.OK:
		return v.mark(report.Good, v.t("budget.ok"))
	}
	return v.noData()
}

func (v *view) exhausts(b *report.Budget) cell {
	switch at := b.Forecast.ExhaustsAt; {
	case b.Status.State == slo.NoData:
		return cell{Mark: v.noData()}
	case b.Status.State == slo.Exhausted:
		return text(v.t("budget.exhausted"))
	case at.IsZero():
		return text(v.t("budget.never"))
	default:
		return cell{Times: []when{v.time(at.Truncate(time.Minute))}}
	}
}

// ratioPercent rounds to two decimals for show.
func (v *view) ratioPercent(r slo.Ratio) string {
	x := r.Rat()
	if x == nil {
		if r.IsInf(-1) {
			return v.t("budget.none")
		}
		return v.t("state.no_data")
	}
	return v.form.Percent(x.Mul(x, big.NewRat(100, 1)).FloatString(2))
}

// ratio rounds to two decimals for show.
func (v *view) ratio(r slo.Ratio) string {
	x := r.Rat()
	if x == nil {
		return v.t("state.no_data")
	}
	return v.form.Number(x.FloatString(2))
}

// objective is one objective in full.
func (t *Tenant) objective(v *view, b *report.Budget) []block {
	s := b.Status
	list := []block{{Facts: []fact{
		{v.t("state"), cell{Mark: v.budgetState(b)}},
		{v.t("target"), text(v.form.Percent(b.Objective.Target.Percent()) + ", " + v.window(b))},
		{v.t("actual"), text(v.sli(s))},
		{v.t("budget.left"), text(v.t("budget.left_of", v.ratio(s.Left), v.ratio(s.Allowed), v.known("measure", s.Measure.String())))},
		{v.t("budget.share"), text(v.ratioPercent(s.Remaining))},
		{v.t("budget.exhausts"), v.exhausts(b)},
		{v.t("window.range"), cell{Times: []when{v.time(s.Window.Start), v.time(s.Window.End)}}},
		{v.t("budget.coverage"), text(v.ratioPercent(s.Coverage))},
	}}}
	if a, ok := freeze(b); ok {
		list[0].Facts = append(list[0].Facts, fact{v.t("freeze"), v.freezeState(b, a)})
	}
	if len(b.Burns) > 0 {
		rows := &table{Caption: v.t("burn.title"), Columns: v.columns("window.length", ">burn.rate", ">burn.bad", ">burn.total", "history")}
		for _, burn := range b.Burns {
			history := cell{Text: v.t("burn.warm")}
			if burn.Cold {
				history = cell{Mark: v.mark(report.NoData, v.t("burn.cold"))}
			}
			rows.Rows = append(rows.Rows, []cell{text(threshold.FormatDuration(burn.Window)), text(v.ratio(burn.Rate)), text(v.count(burn.Counts.Bad())), text(v.count(burn.Counts.Total)), history})
		}
		list = append(list, block{Table: rows})
	}
	if len(b.Decisions) > 0 {
		rows := &table{Caption: v.t("rule.title"), Columns: v.columns("rule", "window.length", ">rule.factor", "state", "status.since", "history")}
		for _, d := range b.Decisions {
			windows := threshold.FormatDuration(d.Long)
			if d.Short > 0 {
				windows += " / " + threshold.FormatDuration(d.Short)
			}
			state := v.mark(report.Good, v.t("rule.silent"))
			switch {
			case d.Firing && d.Severity == slo.Page:
				state = v.mark(report.Bad, v.t("rule.firing"))
			case d.Firing:
				state = v.mark(report.Warning, v.t("rule.firing"))
			case d.Holds:
				state = v.mark(report.Warning, v.t("rule.pending"))
			case d.Cause == slo.NoEvents:
				state = v.noData()
			}
			history := cell{Text: v.t("burn.warm")}
			if d.Cold {
				history = cell{Mark: v.mark(report.NoData, v.t("burn.cold"))}
			}
			since := cell{}
			if !d.Since.IsZero() {
				since.Times = []when{v.time(d.Since)}
			}
			rows.Rows = append(rows.Rows, []cell{{Text: d.Rule, Sub: v.known("rule", string(d.Severity))}, text(windows), text(v.ratio(d.Factor)), {Mark: state}, since, history})
		}
		list = append(list, block{Table: rows})
	}
	if len(b.History) > 1 {
		list = append(list, block{Figure: t.history(v, b)})
	}
	if len(s.Exclusions) > 0 {
		rows := &table{Caption: v.t("slo.excluded"), Columns: v.columns("reason", "start", "end", ">excluded")}
		for _, x := range s.Exclusions {
			rows.Rows = append(rows.Rows, []cell{text(v.known("cause", x.Reason)), {Times: []when{v.time(x.Start)}}, {Times: []when{v.time(x.End)}}, text(v.length(x.Removed))})
		}
		list = append(list, block{Table: rows})
	}
	return list
}

// history draws what was left of a budget, with the incidents that were opened
// meanwhile.
func (t *Tenant) history(v *view, b *report.Budget) *figure {
	first, last := b.History[0].At, b.History[len(b.History)-1].At
	c := report.Chart{
		ID: v.id("history-" + b.Objective.ID), Title: v.t("slo.history_of", b.Objective.ID), Start: first, End: last, Unit: "%", Max: 100,
		Series: []report.Series{{Name: v.t("budget.share"), Step: true}},
		Limits: []report.Limit{{Name: v.t("budget.exhausted"), Value: 0, Start: true}},
	}
	if w, ok := b.Window(); ok && !w.IsRolling() {
		c.Series = append(c.Series, report.Series{Name: v.t("budget.even"), Points: []report.Point{{At: b.Status.Window.Start, Value: 100}, {At: b.Status.Window.End, Value: 0}}})
		c.Start, c.End = b.Status.Window.Start, b.Status.Window.End
	}
	for _, p := range b.History {
		value := math.NaN()
		if x := p.Consumed.Rat(); x != nil {
			f, _ := x.Float64()
			value = 100 - 100*f
		}
		c.Series[0].Points = append(c.Series[0].Points, report.Point{At: p.At, Value: value})
	}
	for _, i := range t.Incidents {
		if concerns(i.Service, b.Objective.Service) && !i.Opened.Before(c.Start) && i.Opened.Before(c.End) {
			c.Marks = append(c.Marks, report.Mark{Name: i.ID, At: i.Opened})
		}
	}
	for _, x := range b.Status.Exclusions {
		c.Spans = append(c.Spans, report.Span{Name: x.Reason, Start: x.Start, End: x.End, State: report.Maintenance})
	}
	c.Summary = v.t("slo.history_message", v.ratioPercent(b.Status.Remaining))
	if a, ok := freeze(b); ok {
		c.Summary += " " + v.t("freeze.message", v.ratioPercent(a.Consumed))
		c.Limits = v.freezeLine(a, c.Limits)
	}
	keys := make([]string, len(c.Series))
	for i, s := range c.Series {
		keys[i] = s.Name
	}
	data := &table{Caption: c.Title, Columns: v.columns("time", ">budget.share")}
	// One row for each tenth or so: the changes in between are in the drawing.
	step := max(1, len(b.History)/tableRows)
	for i := 0; i < len(b.History); i += step {
		remaining := slo.Ratio{}
		if x := b.History[i].Consumed.Rat(); x != nil {
			remaining, _ = slo.ParseRatio(x.Sub(big.NewRat(1, 1), x).RatString())
		}
		data.Rows = append(data.Rows, []cell{{Times: []when{v.time(b.History[i].At)}}, text(v.ratioPercent(remaining))})
	}
	return &figure{c.ID, c.Title, c.Summary, svg(c.SVGIn(v.Lang, v.zone)), keys, data}
}

// freeze is the action of the budget policy from which on releases stop.
func freeze(b *report.Budget) (slo.BudgetAction, bool) {
	actions := b.Objective.BudgetPolicy.Actions
	i := slices.IndexFunc(actions, func(a slo.BudgetAction) bool { return a.Name == slo.Freeze })
	if i < 0 {
		return slo.BudgetAction{}, false
	}
	return actions[i], true
}

func (v *view) freezeState(b *report.Budget, a slo.BudgetAction) cell {
	due := slices.ContainsFunc(b.Review().Due, func(d slo.BudgetAction) bool { return d.Name == a.Name })
	c := cell{Mark: v.mark(report.Good, v.t("freeze.off")), Sub: v.t("freeze.from", v.ratioPercent(a.Consumed))}
	switch {
	case b.Status.State == slo.NoData:
		c.Mark = v.noData()
	case due:
		c.Mark = v.mark(report.Warning, v.t("freeze.on"))
	}
	return c
}

// freezeLine adds the line below which releases stop to that of the exhausted budget:
// both are one where they stop with its end, and what stops later is below the axis.
func (v *view) freezeLine(a slo.BudgetAction, exhausted []report.Limit) []report.Limit {
	consumed, all := a.Consumed.Rat(), big.NewRat(1, 1)
	switch {
	case consumed == nil || consumed.Cmp(all) > 0:
		return exhausted
	case consumed.Cmp(all) == 0:
		exhausted[0].Name += ", " + v.t("freeze.line")
		return exhausted
	}
	left, _ := all.Sub(all, consumed).Float64()
	// First, as the name of the later line is left out where both are close.
	return append([]report.Limit{{Name: v.t("freeze.line"), Value: 100 * left, Start: true}}, exhausted...)
}

// tableRows is about how many points of a long history are listed below its drawing.
const tableRows = 40

// explained lists how headline numbers came about.
func (v *view) explained(title string, all []report.Explanation, wanted func(report.Explanation) bool) block {
	rows := &table{Caption: title, Columns: v.columns("computed.figure", "computed.formula", "computed.values", "source")}
	for _, e := range all {
		if !wanted(e) {
			continue
		}
		var values []string
		for _, name := range slices.Sorted(maps.Keys(e.Values)) {
			values = append(values, fmt.Sprintf("%s = %v", name, e.Values[name]))
		}
		rows.Rows = append(rows.Rows, []cell{{Text: e.Field, Code: true}, text(e.In(v.Lang)), text(strings.Join(values, "; ")), text(e.Source)})
	}
	if len(rows.Rows) == 0 {
		return block{Text: v.t("computed.nothing")}
	}
	return block{Details: &details{title, []block{{Table: rows}}}}
}
