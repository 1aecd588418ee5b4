package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// result is the JSON result.
type result struct {
	head
	Alerts []alert
	tail
}

// head is what comes before the lists composites, alerts and notifications.
type head struct {
	program.Envelope
	At *time.Time `json:"at"` // of the state; null without events
}

// tail is what comes behind them.
type tail struct {
	Stats   stats                `json:"stats"`
	Against *difference          `json:"against,omitempty"`
	Explain []report.Explanation `json:"explain,omitempty"`
}

type composite struct {
	ID         string            `json:"id"`
	Rule       string            `json:"rule"`
	Title      string            `json:"title"`
	Tenant     string            `json:"tenant"`
	By         map[string]string `json:"by"`
	Severity   *string           `json:"severity"`
	Since      time.Time         `json:"since"`
	Until      *time.Time        `json:"until"` // null: it is open
	Evidence   []string          `json:"evidence"`
	Suppressed []string          `json:"suppressed"` // all over its life
}

type alert struct {
	Alert        string    `json:"alert"`
	Tenant       string    `json:"tenant"`
	Active       bool      `json:"active"`
	Since        time.Time `json:"since"`
	SuppressedBy []string  `json:"suppressed_by"`
	Visible      bool      `json:"visible"`
	SilencedBy   []string  `json:"silenced_by,omitempty"` // silences in force; it is visible all the same
}

type stats struct {
	Events         int      `json:"events"`
	Alerts         int      `json:"alerts"` // distinct identities
	Duplicates     int      `json:"dup"`
	Refreshes      int      `json:"refresh"`
	Stale          int      `json:"stale"`
	Suppressed     int      `json:"suppressed"` // now
	Composites     int      `json:"composites"` // opened
	Notified       int      `json:"notified"`   // of the alerts
	NoiseReduction *float64 `json:"noise_reduction_percent"`
}

// difference is what the rules of -against would have made of the log.
type difference struct {
	Before   int         `json:"notified_before"` // by the rules of -config, composites included
	After    int         `json:"notified_after"`
	Muted    []change    `json:"muted"`
	Unmuted  []change    `json:"unmuted"`
	Moved    []change    `json:"moved"`
	Opened   []composite `json:"opened"`
	Dropped  []composite `json:"dropped"`
	Retitled []composite `json:"retitled"`
}

type change struct {
	Alert  string     `json:"alert"`
	Tenant string     `json:"tenant"`
	Since  time.Time  `json:"since"`
	Before *time.Time `json:"notified_before"` // null: never
	After  *time.Time `json:"notified_after"`
	Rules  []string   `json:"rules"` // that hide it, or hid it
}

// correlate replays the log and writes what came of it.
func (in *inputs) correlate(env *program.Env, until time.Time) error {
	run, err := in.play(until, env.Format == "json")
	if err != nil {
		return err
	}
	if in.state != "" {
		state, err := run.Snapshot()
		if err != nil {
			return err
		}
		env.File(in.state, state)
	}
	r := result{
		head: head{
			Envelope: program.Envelope{Schema: "correlation/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices},
			At:       instant(run.Until),
		},
	}
	if in.Sample && !env.Stated {
		r.Now = run.Until
	}
	r.Stats = run.count()
	for _, a := range run.Alerts {
		visible := a.Active && len(a.SuppressedBy) == 0
		x := alert{Alert: a.String(), Tenant: a.Tenant, Active: a.Active, Since: a.Since, SuppressedBy: append([]string{}, a.SuppressedBy...), Visible: visible}
		if a.Active {
			x.SilencedBy = run.SilencedBy(a)
		}
		r.Alerts = append(r.Alerts, x)
		if visible {
			env.Holds("visible")
		}
		if env.Explain && a.Active && !visible {
			r.Explain = append(r.Explain, why(run.Record, len(r.Alerts)-1, a))
		}
	}
	for _, c := range run.Composites {
		if c.Until.IsZero() {
			env.Holds("composite")
		}
	}
	if env.Explain {
		r.Explain = append(r.Explain, report.Explanation{
			Field: "$.stats.noise_reduction_percent", Formula: "100 * (alerts - notified) / alerts, cut at 6 decimals",
			Values: map[string]any{"alerts": r.Stats.Alerts, "notified": r.Stats.Notified}, Source: in.Sources[len(in.Sources)-1].Name,
		})
	}
	if run.changed != nil {
		r.Against = differences(*run.changed)
	}
	if env.Format == "json" {
		env.Result = func(w io.Writer) error { return r.json(w, run) }
		return nil
	}
	return in.document(env, r, run)
}

// json writes the result as an object, of which the notifications are not held.
func (r *result) json(w io.Writer, run *run) error {
	o := program.NewObject(w)
	o.Fields(r.head)
	o.List("composites", program.Elements(composites(run.Composites)))
	o.List("alerts", program.Elements(slices.Values(r.Alerts)))
	o.List("notifications", run.notifications())
	o.Fields(r.tail)
	return o.Close()
}

// notifications are what people were told: {at, action fire or resolve, alert, tenant, title
// of a composite or null}. What is the same each time is encoded once.
func (r *run) notifications() iter.Seq2[[]byte, error] {
	type about struct {
		Alert  string  `json:"alert"`
		Tenant string  `json:"tenant"`
		Title  *string `json:"title"`
	}
	tails := make([][]byte, len(r.names)) // of those without a title
	return func(yield func([]byte, error) bool) {
		var b []byte
		for n := range r.notices.all() {
			tail := tails[n.about]
			if tail == nil || n.titled {
				x := about{Alert: r.names[n.about].alert, Tenant: r.names[n.about].tenant}
				if n.titled {
					x.Title = &n.title
				}
				text, err := program.Indented("    ", x)
				if err != nil {
					yield(nil, err)
					return
				}
				if tail = text[1:]; !n.titled { // without the brace
					tails[n.about] = tail
				}
			}
			b = append(n.at.AppendFormat(append(b[:0], "{\n      \"at\": \""...), time.RFC3339Nano), "\",\n      \"action\": \""...)
			if n.over {
				b = append(b, "resolve\","...)
			} else {
				b = append(b, "fire\","...)
			}
			if b = append(b, tail...); !yield(b, nil) {
				return
			}
		}
	}
}

// count counts what the log says, whatever the engine has forgotten of it by now.
func (r *run) count() stats {
	s := stats{Events: r.Stats.Events, Duplicates: r.Stats.Duplicates, Refreshes: r.Stats.Refreshes, Stale: r.Stats.Stale, Composites: r.Stats.Composites}
	told := map[evidence.ID]bool{}
	for i := range r.names {
		if id := r.names[i].id; id != (evidence.ID{}) {
			told[id] = true
		}
	}
	for _, a := range r.Alerts {
		if a.Active && len(a.SuppressedBy) > 0 {
			s.Suppressed++
		}
		id := evidence.IDOf(a)
		r.known[id] = true // of a state to go on from
		if a.Notified {
			told[id] = true
		}
	}
	s.Alerts, s.Notified = len(r.known), len(told)
	if s.Alerts > 0 {
		x := percent(s.Alerts-s.Notified, s.Alerts)
		s.NoiseReduction = &x
	}
	return s
}

// percent is 100 a/b, cut at six decimals.
func percent(a, b int) float64 {
	cut := new(big.Int).Quo(new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(100_000_000)), big.NewInt(int64(b)))
	x, _ := new(big.Rat).SetFrac(cut, big.NewInt(1_000_000)).Float64()
	return x
}

func composites(list []replay.Composite) iter.Seq[composite] {
	return func(yield func(composite) bool) {
		for i := range list {
			if !yield(shown(&list[i])) {
				return
			}
		}
	}
}

// shown is a composite as a result has it.
func shown(c *replay.Composite) composite {
	x := composite{
		ID: c.ID, Rule: c.Rule, Title: c.Title, Tenant: c.Tenant, By: map[string]string{}, Since: c.Since, Until: instant(c.Until),
		Evidence: c.Evidence, Suppressed: c.Suppressed,
	}
	for _, l := range c.By {
		x.By[l.Name] = l.Value
	}
	if c.Severity.IsSet() {
		severity := c.Severity.String()
		x.Severity = &severity
	}
	return x
}

func differences(d replay.Diff) *difference {
	list := func(changes []replay.Change) []change {
		out := []change{}
		for _, c := range changes {
			out = append(out, change{c.Alert, c.Tenant, c.Since, instant(c.Before), instant(c.After), append([]string{}, c.Rules...)})
		}
		return out
	}
	return &difference{
		Before: d.Before, After: d.After, Muted: list(d.Muted), Unmuted: list(d.Unmuted), Moved: list(d.Moved),
		Opened: listed(d.Opened), Dropped: listed(d.Dropped), Retitled: listed(d.Retitled),
	}
}

// listed is a list that is there when it is empty.
func listed(list []replay.Composite) []composite {
	return slices.AppendSeq([]composite{}, composites(list))
}

// instant is null for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// why says what stands for an alert that nobody is told of.
func why(r *replay.Record, n int, a correlation.Alert) report.Explanation {
	x, _ := r.Why(a)
	values := map[string]any{"suppressed_by": a.SuppressedBy}
	if len(x.Path) > 1 {
		values["stands_for_it"] = x.Path[1:]
	}
	for _, reason := range x.Reasons {
		values[reason.Rule] = reason.Evidence
	}
	return report.Explanation{Field: fmt.Sprintf("$.alerts[%d].suppressed_by", n), Formula: "the rules that are open and cover it, with their evidence", Values: values, Source: "rules"}
}

// document writes the result for people.
func (in *inputs) document(env *program.Env, r result, run *run) error {
	doc := in.titled("Which alert is the cause", r.Now)
	doc.Sections = append(doc.Sections, in.summary(r), in.table("composites", "Composites", run.Composites), in.states(r), in.told(run), in.untold(run))
	if r.Against != nil {
		doc.Sections = append(doc.Sections, in.changes(r, run.changed)...)
	}
	if len(r.Explain) > 0 {
		table := report.Table{Caption: "How it came about", Columns: report.Columns("Figure", "Formula", "Values")}
		for _, x := range r.Explain {
			values, err := json.Marshal(x.Values)
			if err != nil {
				return err
			}
			table.Rows = append(table.Rows, report.Cells(x.Field, x.Formula, string(values)))
		}
		doc.Sections = append(doc.Sections, report.Section{ID: "explain", Title: "Explained", Blocks: []report.Block{table}})
	}
	return in.print(env, doc)
}

func (in *inputs) titled(title string, at time.Time) report.Document {
	doc := report.Document{Title: title, Generated: at, Zone: in.zone}
	for _, s := range in.Sources {
		doc.Sources = append(doc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	return doc
}

func (in *inputs) print(env *program.Env, doc report.Document) error {
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	env.Result = func(w io.Writer) error {
		switch env.Format {
		case "html":
			return doc.HTML(w)
		case "md":
			return doc.Markdown(w)
		}
		if in.Sample {
			fmt.Fprint(w, "The embedded sample; name your own files with -config and -alerts.\n\n") // doc meets the same error
		}
		return doc.Text(w)
	}
	return nil
}

func (in *inputs) summary(r result) report.Section {
	text := "There were no alerts."
	if s := r.Stats; s.Alerts > 0 {
		text = fmt.Sprintf("Alerts: %d, of which people were told of %d, which is %s %% less noise. Composites: %d.", s.Alerts, s.Notified, strconv.FormatFloat(*s.NoiseReduction, 'f', -1, 64), s.Composites)
	}
	if r.At != nil {
		text += " This is how it stood at " + in.clock(*r.At) + "."
	}
	return report.Section{ID: "summary", Title: "Summary", Blocks: []report.Block{report.Text(text)}}
}

func (in *inputs) table(id, title string, list []replay.Composite) report.Section {
	if len(list) == 0 {
		return report.Section{ID: id, Title: title, Blocks: []report.Block{report.Text("None.")}}
	}
	table := report.Table{Caption: title, Columns: report.Columns("Since", "Until", "Tenant", "Title", "Evidence", "Hides")}
	table.More = func(yield func([]report.Cell) bool) {
		for i := range list {
			c, until := &list[i], "open"
			if !c.Until.IsZero() {
				until = in.clock(c.Until)
			}
			if !yield(report.Cells(in.clock(c.Since), until, c.Tenant, c.Title, strings.Join(c.Evidence, ", "), strconv.Itoa(len(c.Suppressed)))) {
				return
			}
		}
	}
	return report.Section{ID: id, Title: title, Blocks: []report.Block{table}}
}

func (in *inputs) states(r result) report.Section {
	table := report.Table{Caption: "Alerts", Columns: report.Columns("Alert", "Tenant", "Since", "State")}
	for _, a := range r.Alerts {
		row := report.Cells(a.Alert, a.Tenant, in.clock(a.Since), "over")
		switch {
		case a.Visible && len(a.SilencedBy) > 0:
			row[3] = report.Cell{Text: "silenced by " + strings.Join(a.SilencedBy, ", "), State: report.Warning}
		case a.Visible:
			row[3] = report.Cell{Text: "visible", State: report.Bad}
		case a.Active:
			row[3] = report.Cell{Text: "hidden by " + strings.Join(a.SuppressedBy, ", "), State: report.Warning}
		}
		table.Rows = append(table.Rows, row)
	}
	return report.Section{ID: "alerts", Title: "Alerts", Blocks: []report.Block{table}}
}

func (in *inputs) told(run *run) report.Section {
	table := report.Table{Caption: "What people were told", Columns: report.Columns("At", "Tenant", "What", "Alert")}
	table.More = func(yield func([]report.Cell) bool) {
		row := report.Cells("", "", "", "")
		for n := range run.notices.all() {
			about := &run.names[n.about]
			row[0].Text, row[1].Text, row[2].Text, row[3].Text = in.clock(n.at), about.tenant, "began", about.alert
			if n.over {
				row[2].Text = "is over"
			}
			if n.titled {
				row[3].Text = n.title
			}
			if !yield(row) {
				return
			}
		}
	}
	return report.Section{ID: "notifications", Title: "Notifications", Blocks: []report.Block{table}}
}

// untold shows of which alerts nobody was told, and why.
func (in *inputs) untold(run *run) report.Section {
	table := report.Table{Caption: "Alerts of which nobody was told", Columns: report.Columns("Alert", "Tenant", "Since", "Why")}
	var rest [][]report.Cell // which have no episode
	seen := map[[2]string]bool{}
	for i := range run.names {
		if s := &run.names[i]; s.begun {
			seen[[2]string{s.tenant, s.alert}] = true
		}
	}
	for _, a := range run.Alerts {
		if id := [2]string{a.Tenant, a.String()}; !a.IsComposite() && !a.Notified && !seen[id] {
			why := "over or not due within " + in.engine.Settle.String()
			if ids := run.SilencedBy(a); a.Active && len(ids) > 0 {
				why = "silenced by " + strings.Join(ids, ", ")
			} else if len(in.rules.Silences) > 0 {
				why += ", or silenced"
			}
			rest = append(rest, report.Cells(id[1], a.Tenant, in.clock(a.Since), why))
		}
	}
	if len(run.untold)+len(rest) == 0 {
		return report.Section{ID: "untold", Title: "Not told", Blocks: []report.Block{report.Text("None.")}}
	}
	stands := run.stands()
	table.More = func(yield func([]report.Cell) bool) {
		for _, e := range run.untold {
			about, since := &run.names[e.subject], time.Unix(0, e.since).UTC()
			rules := strings.Split(run.rules.Texts[e.rules], "\x00")
			for i, rule := range rules {
				for _, c := range stands[hiding{rule, about.tenant, about.alert}] {
					if c.Until.IsZero() || c.Until.After(since) {
						rules[i] += fmt.Sprintf(" (%s)", c.Title)
						break
					}
				}
			}
			if !yield(report.Cells(about.alert, about.tenant, in.clock(since), "hidden by "+strings.Join(rules, ", "))) {
				return
			}
		}
		for _, row := range rest {
			if !yield(row) {
				return
			}
		}
	}
	return report.Section{ID: "untold", Title: "Not told", Blocks: []report.Block{table}}
}

// hiding is a rule that hides an alert.
type hiding struct{ rule, tenant, alert string }

// stands returns the composites that stand for hidden alerts, in their order.
func (r *run) stands() map[hiding][]*replay.Composite {
	stands := map[hiding][]*replay.Composite{}
	for i := range r.Composites {
		c := &r.Composites[i]
		if c.Title == "" {
			continue
		}
		for _, alert := range c.Suppressed {
			id := hiding{c.Rule, c.Tenant, alert}
			stands[id] = append(stands[id], c)
		}
	}
	return stands
}

// changes shows what the rules of -against would have made of it.
func (in *inputs) changes(r result, diff *replay.Diff) []report.Section {
	d := r.Against
	table := report.Table{Caption: "Alerts of which people would be told otherwise", Columns: report.Columns("Alert", "Tenant", "Since", "Told", "Then", "Rules")}
	for _, c := range slices.Concat(d.Muted, d.Unmuted, d.Moved) {
		told := func(at *time.Time) string {
			if at == nil {
				return "never"
			}
			return in.clock(*at)
		}
		table.Rows = append(table.Rows, report.Cells(c.Alert, c.Tenant, in.clock(c.Since), told(c.Before), told(c.After), strings.Join(c.Rules, ", ")))
	}
	text := fmt.Sprintf("People were told %d times that something began; with the rules of %s it would have been %d.", d.Before, in.against, d.After)
	sections := []report.Section{{ID: "against", Title: "With the other rules", Blocks: []report.Block{report.Text(text), table}}}
	for _, part := range []struct {
		id, title string
		list      []replay.Composite
	}{{"opened", "Composites that only the other rules open", diff.Opened}, {"dropped", "Composites that they do not open", diff.Dropped}} {
		if len(part.list) > 0 {
			sections = append(sections, in.table(part.id, part.title, part.list))
		}
	}
	return sections
}

func (in *inputs) clock(at time.Time) string {
	return at.In(in.zone).Format("2006-01-02 15:04:05 MST")
}
