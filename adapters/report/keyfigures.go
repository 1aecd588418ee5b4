package report

import (
	"math/big"
	"strconv"

	"github.com/evenkeelops/evenkeel/incident"
)

// KeyFigures returns figures as a table for spreadsheets and programs, one row each in
// their order; [IncidentReview] has the one for people. The columns are
//
//	figure      the key, such as "mttr_p1"
//	value       a decimal number in the unit, empty without data
//	at_least    a lower bound instead, where there is one
//	unit        s, percent (0 to 100), count, score, or the currency
//	target      such as "< 2h", empty without one
//	met         yes, no, or empty while that is not decided
//	count       over how many it was taken
//	definition  what was measured
//
// Numbers are rounded to six decimals, halves away from zero. The same figures give the
// same table, and [Table.CSV] the same bytes.
func KeyFigures(figures []incident.KeyFigure) Table {
	t := Table{Caption: "Key figures", Columns: []Column{
		{Title: "figure"},
		{Title: "value", Numeric: true},
		{Title: "at_least", Numeric: true},
		{Title: "unit"},
		{Title: "target"},
		{Title: "met"},
		{Title: "count", Numeric: true},
		{Title: "definition"},
	}}
	met := map[incident.Verdict]string{incident.Met: "yes", incident.Missed: "no"}
	for _, k := range figures {
		unit := string(k.Unit)
		if k.Currency != "" {
			unit = string(k.Currency)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: string(k.KPI)},
			{Text: decimal(k.Value)},
			{Text: decimal(k.AtLeast)},
			{Text: unit},
			{Text: k.Target.String()},
			{Text: met[k.Verdict]},
			{Text: strconv.Itoa(k.N)},
			{Text: k.Definition},
		})
	}
	return t
}

// decimal is a number with at most six decimals, "" for nil.
func decimal(r *big.Rat) string {
	if r == nil {
		return ""
	}
	return string(short(r.FloatString(6)))
}
