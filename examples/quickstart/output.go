package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// serviceRow is a line of the closing table.
type serviceRow struct {
	Service      string       `json:"service"`
	Target       *string      `json:"target_percent"`
	Actual       *string      `json:"availability_percent"`
	BudgetLeftS  *float64     `json:"budget_left_s"`
	State        string       `json:"state"`
	Credit       money.Amount `json:"credit"`
	BudgetBurned *float64     `json:"slo_budget_consumed_percent"` // of its objective, over the objective's window
}

// services joins what the contract and the objectives say of each service.
func (r *result) services() []serviceRow {
	var rows []serviceRow
	for _, m := range r.statement.Availability {
		row := serviceRow{Service: m.Service, State: string(m.Outcome), Credit: r.statement.Payable.Zero()}
		target := strings.TrimSuffix(m.Target.String(), "%")
		row.Target = &target
		if m.Value.IsSet() {
			actual := m.Value.Percent(6)
			left := m.BudgetLeft.Seconds()
			row.Actual, row.BudgetLeftS = &actual, &left
		}
		for _, line := range r.statement.Lines {
			if line.Service == m.Service {
				if sum, err := row.Credit.Add(line.Amount); err == nil {
					row.Credit = sum
				}
			}
		}
		for _, b := range r.budgets {
			if b.objective.Service == m.Service && b.status.Consumed.IsSet() {
				consumed := b.status.Consumed.Float64() * 100
				row.BudgetBurned = &consumed
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// outage is the time that counts as down, of all services together.
func (r *result) outage() time.Duration {
	var total time.Duration
	for _, m := range r.statement.Availability {
		total += m.Down
	}
	return total
}

func (r *result) filter(only string) []item {
	if only == "" {
		return r.story
	}
	var kept []item
	for _, i := range r.story {
		if i.Stage == only {
			kept = append(kept, i)
		}
	}
	return kept
}

// text writes the story, one line an event, and the closing table.
func (r *result) text(w io.Writer, only string) {
	zone := r.in.night.Zone.Location
	fmt.Fprintf(w, "The embedded recording of %s, in the time of %s (%s UTC).\n\n", r.rec.start.In(zone).Format("2 January 2006"), zone, r.rec.start.Format("15:04"))
	for _, i := range r.filter(only) {
		fmt.Fprintf(w, "%s %-10s %s\n", i.At.In(zone).Format("15:04:05"), i.Stage, i.Text)
		if i.Why != "" {
			fmt.Fprintf(w, "%20s%s\n", "", strings.ReplaceAll(i.Why, "\n", "\n"+strings.Repeat(" ", 20)))
		}
	}
	if only != "" {
		return
	}
	t := r.totals
	fmt.Fprintf(w, "\n%d samples and %d webhooks: %d alerts, %d suppressed under %d composites, %d incidents, %d pages, %d messages.\n\n",
		t.Samples, t.Webhooks, t.Alerts, t.Suppressed, t.Composites, t.Incidents, t.Pages, t.Messages)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "service\ttarget\tactual\tbudget left\tstate\tcredit")
	for _, s := range r.services() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Service, orDash(s.Target), orDash(s.Actual), left(s.BudgetLeftS), stateOf(s.State).Glyph()+" "+s.State, s.Credit)
	}
	table.Flush()
	fmt.Fprintf(w, "\nStatement of %s: %s of %s. Evidence: %s.\n", r.statement.Period.Label, r.statement.Payable, r.statement.Fee, r.quality())
}

func (r *result) quality() string {
	q := r.statement.Quality
	return fmt.Sprintf("%s, %s of %s of service time measured", q.Grade, (q.Of - q.Unknown).Round(time.Second), q.Of.Round(time.Second))
}

func orDash(percent *string) string {
	if percent == nil {
		return "–"
	}
	return *percent + " %"
}

func left(seconds *float64) string {
	if seconds == nil {
		return "–"
	}
	return time.Duration(*seconds * float64(time.Second)).Round(time.Second).String()
}

func stateOf(outcome string) report.State {
	switch outcome {
	case string(sla.Met):
		return report.Good
	case string(sla.NoData):
		return report.NoData
	}
	return report.Bad
}

// document is the JSON result.
type document struct {
	program.Envelope
	Recording recordingInfo `json:"recording"`
	Story     []item        `json:"story"`
	Totals    totalsInfo    `json:"totals"`
	Services  []serviceRow  `json:"services"`
	Explain   []explanation `json:"explain,omitempty"`
}

type recordingInfo struct {
	Name    string    `json:"name"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Servers []string  `json:"servers"`
	SHA256  string    `json:"sha256"`
}

type totalsInfo struct {
	totals
	OutageS float64      `json:"outage_s"`
	Credit  money.Amount `json:"credit"`
}

func (r *result) document(only string) document {
	d := document{
		Envelope:  program.Envelope{Schema: "quickstart/v1", Now: r.now, Sample: true, Inputs: append(r.rec.sources, r.in.sources...), Warnings: r.rec.warnings},
		Recording: recordingInfo{"night", r.rec.start, r.rec.end, []string{"prometheus 2.42.0", "alertmanager 0.25.0", "node_exporter 1.5.0"}, r.rec.sha256()},
		Story:     r.filter(only), Totals: totalsInfo{r.totals, r.outage().Seconds(), r.statement.Payable}, Services: r.services(),
	}
	if d.Warnings == nil {
		d.Warnings = []program.Notice{}
	}
	if d.Story == nil {
		d.Story = []item{}
	}
	return d
}

// html renders the story as a report.
func (r *result) html() ([]byte, error) {
	var page bytes.Buffer
	err := r.report().HTML(&page)
	return page.Bytes(), err
}

func (r *result) report() report.Document {
	t := r.totals
	doc := report.Document{
		Title:     "A recorded night",
		Subtitle:  fmt.Sprintf("%d samples and %d webhooks from real servers, replayed through every package", t.Samples, t.Webhooks),
		Generated: r.now, Zone: r.in.night.Zone.Location,
	}
	for _, s := range append(r.rec.sources, r.in.sources...) {
		doc.Sources = append(doc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	tiles := report.Tiles{
		{Label: "Alerts", Value: strconv.Itoa(t.Alerts), Note: fmt.Sprintf("%d suppressed under %d composites", t.Suppressed, t.Composites)},
		{Label: "Incidents", Value: strconv.Itoa(t.Incidents), Note: fmt.Sprintf("%d pages, %d messages", t.Pages, t.Messages)},
		{Label: "Credit", Value: r.statement.Payable.String(), Note: "of a fee of " + r.statement.Fee.String()},
	}
	services := report.Table{Caption: "Services under the contract", Columns: []report.Column{{Title: "Service"}, {Title: "Target", Numeric: true}, {Title: "Actual", Numeric: true}, {Title: "Budget left", Numeric: true}, {Title: "State"}, {Title: "Credit", Numeric: true}}}
	for _, s := range r.services() {
		services.Rows = append(services.Rows, []report.Cell{
			{Text: s.Service}, {Text: orDash(s.Target)}, {Text: orDash(s.Actual)}, {Text: left(s.BudgetLeftS)}, {Text: s.State, State: stateOf(s.State)}, {Text: s.Credit.String()},
		})
	}
	var story report.Timeline
	for _, i := range r.story {
		story = append(story, report.Event{At: i.At, Stage: i.Stage, Text: i.Text, Why: i.Why})
	}
	doc.Sections = []report.Section{
		{ID: "summary", Title: "Summary", Blocks: []report.Block{tiles, services, report.Text("Evidence: " + r.quality() + ".")}},
		{ID: "measurements", Title: "Measurements", Blocks: r.charts()},
		{ID: "story", Title: "Story", Blocks: []report.Block{story}},
		{ID: "statement", Title: "Statement", Blocks: r.statementBlocks()},
		{ID: "roi", Title: "Value of the service", Blocks: r.valueBlocks()},
	}
	return doc
}

// charts draw what users felt: errors and latency of the web shop, with the
// incidents as marks.
func (r *result) charts() []report.Block {
	errorsChart := report.Chart{
		ID: "errors", Title: "Failed requests", Unit: "%", Start: r.rec.start, End: r.rec.end, Max: 100,
		Summary: fmt.Sprintf("Share of failed requests by service; counted downtime %s.", r.outage().Round(time.Second)),
	}
	latency := report.Chart{ID: "latency", Title: "95th percentile of the response time", Unit: "ms", Start: r.rec.start, End: r.rec.end, Summary: "Response times by service as Prometheus saw them."}
	for _, service := range []string{"shop-web", "shop-api", "shop-db"} {
		e, l := report.Series{Name: service}, report.Series{Name: service}
		for _, row := range r.rec.metrics {
			if row.service == service {
				e.Points = append(e.Points, report.Point{At: row.at, Value: valueOr(row.values, "error_rate")})
				l.Points = append(l.Points, report.Point{At: row.at, Value: valueOr(row.values, "response_time_ms")})
			}
		}
		errorsChart.Series, latency.Series = append(errorsChart.Series, e), append(latency.Series, l)
	}
	for _, i := range r.incidents {
		mark := report.Mark{Name: i.ID + " opened", At: i.Times.Detected}
		errorsChart.Marks, latency.Marks = append(errorsChart.Marks, mark), append(latency.Marks, mark)
	}
	for _, m := range r.statement.Availability {
		for _, down := range m.Downtime {
			errorsChart.Spans = append(errorsChart.Spans, report.Span{Name: m.Service + " down", Start: down.Start, End: down.End, State: report.Bad})
		}
	}
	for _, w := range r.rec.maintenance {
		errorsChart.Spans = append(errorsChart.Spans, report.Span{Name: w.title, Start: w.start, End: w.end, State: report.Maintenance})
	}
	return []report.Block{errorsChart, latency}
}

func valueOr(values map[string]float64, name string) float64 {
	if x, ok := values[name]; ok {
		return x
	}
	return math.NaN()
}

func (r *result) statementBlocks() []report.Block {
	lines := report.Table{Caption: "Credits for " + r.statement.Period.Label, Columns: []report.Column{{Title: "Clause"}, {Title: "Ref"}, {Title: "How it was computed"}, {Title: "Amount", Numeric: true}}}
	for _, l := range r.statement.Lines {
		lines.Rows = append(lines.Rows, []report.Cell{{Text: string(l.Clause)}, {Text: l.Ref}, {Text: l.Explain()}, {Text: l.Amount.String()}})
	}
	blocks := []report.Block{lines, report.Tiles{
		{Label: "Gross", Value: r.statement.Gross.String()}, {Label: "Payable", Value: r.statement.Payable.String(), Note: "state " + string(r.statement.State)},
	}}
	for _, f := range r.statement.Findings {
		blocks = append(blocks, report.Text(f.Code+": "+f.Text))
	}
	return blocks
}

func (r *result) valueBlocks() []report.Block {
	bridge := report.Table{Caption: "From the published figure to a sound one", Columns: []report.Column{{Title: "Step"}, {Title: "NPV", Numeric: true}, {Title: "ROI %", Numeric: true}}}
	for _, s := range r.value.Bridge {
		bridge.Rows = append(bridge.Rows, []report.Cell{{Text: s.Label}, {Text: fmt.Sprintf("%.0f", s.NPV)}, {Text: percentText(s.ROIPercent)}})
	}
	blocks := []report.Block{bridge}
	for _, w := range r.value.Warnings {
		blocks = append(blocks, report.Text(string(w.Code)+": "+w.Message))
	}
	return blocks
}
