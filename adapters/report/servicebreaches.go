package report

import "github.com/evenkeelops/evenkeel/sla/money"

// Breaches returns the table of missed promises that spreadsheets and billing
// systems read: one row each, in the order of the report, figures as in
// [ServiceReport.Data].
func (r ServiceReport) Breaches() Table {
	t := Table{Caption: "Breaches", Columns: []Column{
		{Title: "customer_id"},
		{Title: "period"},
		{Title: "clause"},
		{Title: "ref"},
		{Title: "service"},
		{Title: "severity"},
		{Title: "promised", Numeric: true},
		{Title: "actual", Numeric: true},
		{Title: "unit"},
		{Title: "amount", Numeric: true},
		{Title: "currency"},
	}}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	for _, b := range mapped(r.Report.Breaches, breachData) {
		t.Rows = append(t.Rows, []Cell{
			{Text: r.Contract.Customer},
			{Text: r.Report.Statement.Period.Label},
			{Text: string(b.Clause)},
			{Text: b.Ref},
			{Text: text(b.Service)},
			{Text: text(b.Severity)},
			{Text: string(b.Promised)},
			{Text: string(b.Actual)},
			{Text: b.Unit},
			{Text: b.Credit.Decimal()},
			{Text: currency(b.Credit)},
		})
	}
	return t
}

func currency(a money.Amount) string { return string(a.Currency()) }
