package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// write writes the judgements.
func (in *inputs) write(env *program.Env, models map[string]model, lines []line, outlooks []outlook) error {
	if env.Format == "json" {
		return in.jsonl(env, lines, outlooks)
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	doc := in.document(models, lines, outlooks)
	switch env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "md":
		return doc.Markdown(env.Out)
	case "svg":
		return doc.SVG(env.Out)
	}
	if in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -train and -score.\n\n")
	}
	return doc.Text(env.Out)
}

// jsonl writes the head, a line for each reading and one for each forecast.
func (in *inputs) jsonl(env *program.Env, lines []line, outlooks []outlook) error {
	enc := json.NewEncoder(env.Out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(program.Envelope{Schema: "anomaly-scores/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices}); err != nil {
		return err
	}
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	for _, x := range outlooks {
		if err := enc.Encode(x); err != nil {
			return err
		}
	}
	return nil
}

// document is the report of a run.
func (in *inputs) document(models map[string]model, lines []line, outlooks []outlook) report.Document {
	doc := report.Document{Title: "Which readings are abnormal", Generated: in.now, Zone: in.zone}
	for _, s := range in.Sources {
		doc.Sources = append(doc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	found := episodes(lines)
	doc.Sections = append(doc.Sections, in.summary(lines, found), in.findings(found))
	if charts := in.charts(models, lines, found); len(charts) > 0 {
		doc.Sections = append(doc.Sections, report.Section{ID: "charts", Title: "Beside the history", Blocks: charts})
	}
	if len(outlooks) > 0 {
		doc.Sections = append(doc.Sections, in.future(outlooks))
	}
	return doc
}

// summary counts what was judged, and tells what could not be.
func (in *inputs) summary(lines []line, found []episode) report.Section {
	judged, odd, invalid := 0, 0, 0
	var unknown []string
	silent := map[string]int{}
	for _, l := range lines {
		switch {
		case l.Error != "":
			if !slices.Contains(unknown, l.Service) {
				unknown = append(unknown, l.Service)
			}
		case l.IsAnomaly != nil:
			judged++
			if *l.IsAnomaly {
				odd++
			}
		default:
			silent[l.Service]++
		}
		if len(l.Invalid) > 0 {
			invalid++
		}
	}
	text := fmt.Sprintf("Readings judged: %d. Abnormal: %d, in %d stretches.", judged, odd, len(found))
	if in.preset == "default" && judged > 0 {
		text += fmt.Sprintf(" Of as many healthy readings about %s would have been called so.", short(float64(judged)*in.alpha))
	}
	if invalid > 0 {
		text += fmt.Sprintf(" Readings with values outside their limits: %d.", invalid)
	}
	blocks := []report.Block{report.Text(text)}
	for _, service := range slices.Sorted(maps.Keys(silent)) {
		blocks = append(blocks, report.Text(fmt.Sprintf("%s: %d readings without any value, which are neither normal nor abnormal.", service, silent[service])))
	}
	for _, service := range unknown {
		blocks = append(blocks, report.Text(service+": no model was trained for this service."))
	}
	return report.Section{ID: "summary", Title: "Summary", Blocks: blocks}
}

// findings lists the stretches with what to look at.
func (in *inputs) findings(found []episode) report.Section {
	s := report.Section{ID: "findings", Title: "Findings"}
	if len(found) == 0 {
		s.Blocks = append(s.Blocks, report.Text("None."))
		return s
	}
	t := report.Table{Columns: report.Columns("From", "To", "Readings", "Service", "Worst", "What to do")}
	t.Columns[2].Numeric = true
	for _, e := range found {
		t.Rows = append(t.Rows, report.Cells(in.clock(e.start), in.clock(e.last), strconv.Itoa(e.readings), e.service, e.worst.blame(), *e.worst.Recommendation))
	}
	s.Blocks = append(s.Blocks, t)
	return s
}

// charts draws, for each service with findings, the metric that was blamed most, with
// the values that alone raise no alarm, or the middle half of its history.
func (in *inputs) charts(models map[string]model, lines []line, found []episode) []report.Block {
	var blocks []report.Block
	var done []string
	for _, e := range found {
		if slices.Contains(done, e.service) {
			continue
		}
		done = append(done, e.service)
		worst := e.worst
		for _, other := range found {
			if other.service == e.service && other.worst.oddness() > worst.oddness() {
				worst = other.worst
			}
		}
		if c, ok := in.chart(models[e.service], worst, lines, found); ok {
			c.ID = "chart-" + strconv.Itoa(len(blocks)+1)
			blocks = append(blocks, c)
		}
	}
	return blocks
}

// chart draws the metric that a reading blames most, over all readings of its service.
func (in *inputs) chart(m model, worst *line, lines []line, found []episode) (report.Chart, bool) {
	if len(worst.verdict.Contributions) == 0 {
		return report.Chart{}, false
	}
	blamed := worst.verdict.Contributions[0]
	c := report.Chart{
		Title:   worst.Service + ": " + blamed.Feature,
		Summary: fmt.Sprintf("%s at %s, usually %s to %s.", short(blamed.Value), in.clock(worst.Time), short(blamed.Expected.Q25), short(blamed.Expected.Q75)),
		Unit:    blamed.Unit,
		Series:  []report.Series{{Name: blamed.Feature}},
	}
	for _, l := range lines {
		if l.Service != worst.Service {
			continue
		}
		value := math.NaN()
		if f, ok := l.Features[blamed.Feature]; ok {
			value = f.Value
		}
		c.Series[0].Points = append(c.Series[0].Points, report.Point{At: l.Time, Value: value})
	}
	slices.SortStableFunc(c.Series[0].Points, func(a, b report.Point) int { return a.At.Compare(b.At) })
	c.Start, c.End = c.Series[0].Points[0].At, c.Series[0].Points[len(c.Series[0].Points)-1].At
	if !c.Start.Before(c.End) {
		return c, false
	}
	c.Bands = []report.Band{in.band(m, blamed, c.Series[0].Points)}
	for _, e := range found {
		if e.service == worst.Service {
			c.Spans = append(c.Spans, report.Span{Name: "abnormal", Start: e.start, End: e.last.Add(in.step(c.Series[0].Points)), State: report.Bad})
		}
	}
	return c, true
}

// band is what raises no alarm by itself: from 0 or the lower limit to the upper one or
// the largest value shown. The preset article has no such limits.
func (in *inputs) band(m model, blamed anomaly.Contribution, points []report.Point) report.Band {
	b := report.Band{Name: "no alarm by itself"}
	if in.preset == "article" {
		b.Name = "the middle half of the history"
	}
	top := 0.0
	for _, p := range points {
		if p.Value > top {
			top = p.Value
		}
	}
	for _, p := range points {
		low, high := blamed.Expected.Q25, blamed.Expected.Q75
		if in.preset != "article" {
			low, high = m.Limits(blamed.Feature, p.At)
		}
		b.Points = append(b.Points, report.Range{At: p.At, Low: max(low, 0), High: min(high, top)})
	}
	return b
}

// step is the shortest distance between two readings, for which a reading speaks.
func (in *inputs) step(points []report.Point) time.Duration {
	least := points[len(points)-1].At.Sub(points[0].At)
	for i := 1; i < len(points); i++ {
		if d := points[i].At.Sub(points[i-1].At); d > 0 && d < least {
			least = d
		}
	}
	return least
}

// future shows the forecasts.
func (in *inputs) future(outlooks []outlook) report.Section {
	s := report.Section{ID: "forecast", Title: "Forecast of " + in.forecast}
	t := report.Table{Columns: report.Columns("Service", "Model", "At the end", "Low", "High", "Limit")}
	for i := 2; i < 5; i++ {
		t.Columns[i].Numeric = true
	}
	var charts []report.Block
	for i := range outlooks {
		x := &outlooks[i]
		end := x.Steps[len(x.Steps)-1]
		row := report.Cells(x.Service, x.Model, short(end.Value), "", "", "")
		for j, limit := range []*float64{end.Low, end.High} {
			if limit == nil {
				row[3+j] = report.Cell{State: report.NoData}
				continue
			}
			row[3+j].Text = short(*limit)
		}
		if x.Exhaustion != nil {
			row[5].Text = x.says(in)
		}
		t.Rows = append(t.Rows, row)
		c := x.chart(in)
		c.ID = "forecast-" + strconv.Itoa(i+1)
		charts = append(charts, c)
	}
	s.Blocks = append(append(s.Blocks, t), charts...)
	return s
}

// chart draws a series and how it goes on.
func (x *outlook) chart(in *inputs) report.Chart {
	end := x.Steps[len(x.Steps)-1]
	c := report.Chart{
		Title: x.Service + ": " + x.Metric, Summary: fmt.Sprintf("%s at %s, by %s.", short(end.Value), in.clock(end.At), x.Model),
		Start: x.series.Start, End: end.At, Series: []report.Series{{Name: "measured"}, {Name: "forecast"}},
		Bands: []report.Band{{Name: "95 % of the forecast"}},
		Marks: []report.Mark{{Name: "forecast", At: x.Steps[0].At}},
	}
	for i, v := range x.series.Values {
		c.Series[0].Points = append(c.Series[0].Points, report.Point{At: x.series.At(i), Value: v})
	}
	for _, step := range x.Steps {
		c.Series[1].Points = append(c.Series[1].Points, report.Point{At: step.At, Value: step.Value})
		if step.Low != nil && step.High != nil {
			c.Bands[0].Points = append(c.Bands[0].Points, report.Range{At: step.At, Low: *step.Low, High: *step.High})
		}
	}
	if in.bound != nil {
		c.Limits = []report.Limit{{Name: "limit", Value: *in.bound}}
	}
	return c
}

// clock writes an instant in the zone of the run.
func (in *inputs) clock(at time.Time) string {
	return at.In(in.zone).Format("2006-01-02 15:04:05 MST")
}

// short writes a number for people, with two decimals at most.
func short(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }
