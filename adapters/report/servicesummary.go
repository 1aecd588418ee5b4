package report

import (
	"cmp"

	"github.com/evenkeelops/evenkeel/sla"
)

func (r serviceDoc) summary() []Block {
	s := r.Report.Statement
	var tiles Tiles
	for _, o := range s.Overall {
		t := Tile{Label: r.t("availability"), Value: r.percent(o.Value), State: stateOf(o.Outcome), Note: r.t("target_verdict", r.target(o.Target.String()), r.outcome(o.Outcome))}
		switch {
		case o.Service != "":
			t.Note = r.t("of_service", r.name("method", o.Method.String()), r.service(o.Service), t.Note)
		case o.Method == sla.Mean || o.Method == sla.Weighted:
			t.Note = r.t("of_services", r.name("method", o.Method.String()), t.Note)
		}
		if r.unpaid(cmp.Or(o.Service, o.Term)) {
			t.Note += ", " + r.t("no_credit_band_reached")
		}
		tiles = append(tiles, t)
	}
	tiles = append(tiles,
		Tile{Label: r.t("credit"), Value: r.amount(s.Payable), Note: r.creditNote(s), State: creditState(s.State)},
		Tile{Label: r.t("incidents"), Value: r.count(r.Report.Incidents.Total), Note: r.t("opened_in_the_period")},
		Tile{Label: r.t("promises_missed"), Value: r.count(len(s.Breaches)), Note: r.t("see_the_list_below"), State: r.breachState()},
	)
	blocks := []Block{tiles}
	if !s.Complete {
		blocks = append(blocks, Text(r.t("not_over", r.clock(s.Through))))
	}
	if !r.judged() {
		blocks = append(blocks, Text(r.t("nothing_measured")))
	}
	if len(s.Breaches) == 0 {
		return blocks
	}
	t := Table{Caption: r.t("promises_missed"), Columns: []Column{
		{Title: r.t("clause")},
		{Title: r.t("ref")},
		{Title: r.t("service")},
		{Title: r.t("severity")},
		{Title: r.t("promised"), Numeric: true},
		{Title: r.t("actual"), Numeric: true},
		{Title: r.t("when")},
		{Title: r.t("credit"), Numeric: true},
	}}
	why := Table{Caption: r.t("why_they_were_missed"), Columns: []Column{{Title: r.t("clause")}, {Title: r.t("ref")}, {Title: r.t("cause")}, {Title: r.t("remedial_action")}, {Title: r.t("credit")}}}
	for _, b := range r.Report.Breaches {
		promised, actual := r.breachTexts(b)
		credit := r.t("due")
		switch {
		case b.Clause == sla.ClauseAvailability && r.unpaid(b.Ref):
			credit = r.t("none_no_credit_band_reached")
		case b.Credit.Sign() == 0:
			credit = r.t("none")
		}
		severity := ""
		if b.Severity.IsSet() {
			severity = b.Severity.String()
		}
		service := ""
		if b.Service != "" {
			service = r.service(b.Service)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: r.name("clause", string(b.Clause)), State: Bad},
			{Text: b.Ref},
			{Text: service},
			{Text: severity},
			{Text: promised},
			{Text: actual},
			{Text: r.clock(b.At)},
			{Text: r.amount(b.Credit)},
		})
		why.Rows = append(why.Rows, []Cell{
			{Text: r.name("clause", string(b.Clause))}, {Text: b.Ref}, {Text: r.orNotGiven(b.Cause)}, {Text: r.orNotGiven(b.Action)}, {Text: credit},
		})
	}
	return append(blocks, t, why)
}

func (r serviceDoc) breachState() State {
	switch {
	case len(r.Report.Statement.Breaches) > 0:
		return Bad
	case !r.judged():
		return NoData
	}
	return Good
}

func (r serviceDoc) breachTexts(b sla.BreachReport) (promised, actual string) {
	switch {
	case b.KeyFigure != nil:
		return r.limit(b.KeyFigure.Target.String()), r.number(string(figure(*b.KeyFigure)))
	case b.Clause == sla.ClauseAvailability:
		return r.target(b.Target.String()), r.percent(b.Value)
	case b.Clause == sla.ClauseMonitoring:
		return r.t("no_gap"), r.duration(b.Actual)
	case b.Promised == 0:
		return r.t("next_business_day"), r.duration(b.Actual)
	}
	return r.duration(b.Promised), r.duration(b.Actual)
}

func (r serviceDoc) creditNote(s sla.Statement) string {
	switch s.State {
	case sla.StateNone:
		return r.t("every_promise_kept_nothing_due")
	case sla.StateBreachNoBand:
		return r.t("missed_unpaid")
	case sla.StateCapped:
		return r.t("due_capped", r.amount(s.Gross), r.amount(s.Cap))
	case sla.StateNoData:
		return r.t("no_data_not_every_service_was_measured")
	default:
		if !s.Complete {
			return r.t("due_now", r.amount(s.Fee))
		}
		return r.t("due_of", r.amount(s.Fee))
	}
}

func creditState(s sla.State) State {
	switch s {
	case sla.StateNone:
		return Good
	case sla.StateNoData:
		return NoData
	default:
		return Bad
	}
}
