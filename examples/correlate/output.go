package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// result is the JSON result.
type result struct {
	program.Envelope
	At            *time.Time     `json:"at"` // of the state; null without events
	Composites    []composite    `json:"composites"`
	Alerts        []alert        `json:"alerts"`
	Notifications []notification `json:"notifications"`
	Stats         stats          `json:"stats"`
	Against       *difference    `json:"against,omitempty"`

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

type notification struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"` // fire or resolve
	Alert  string    `json:"alert"`
	Tenant string    `json:"tenant"`
	Title  *string   `json:"title"` // of a composite
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
	record, err := in.replay(until)
	if err != nil {
		return program.Exit(program.Input, err)
	}
	if in.state != "" {
		state, err := record.Snapshot()
		if err != nil {
			return err
		}
		env.File(in.state, state)
	}
	r := result{
		Envelope:   program.Envelope{Schema: "correlation/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices},
		At:         instant(record.Until),
		Composites: composites(record.Composites), Alerts: []alert{}, Notifications: []notification{},
	}
	if in.Sample && !env.Stated {
		r.Now = record.Until
	}
	r.Stats = in.count(record)
	for _, a := range record.Alerts {
		visible := a.Active && len(a.SuppressedBy) == 0
		x := alert{Alert: a.String(), Tenant: a.Tenant, Active: a.Active, Since: a.Since, SuppressedBy: append([]string{}, a.SuppressedBy...), Visible: visible}
		if a.Active {
			x.SilencedBy = record.SilencedBy(a)
		}
		r.Alerts = append(r.Alerts, x)
		if visible {
			env.Holds("visible")
		}
		if env.Explain && a.Active && !visible {
			r.Explain = append(r.Explain, why(record, len(r.Alerts)-1, a))
		}
	}
	for _, c := range r.Composites {
		if c.Until == nil {
			env.Holds("composite")
		}
	}
	for _, t := range record.Told {
		n := notification{At: t.At, Action: "fire", Alert: t.Alert, Tenant: t.Tenant}
		if t.Over {
			n.Action = "resolve"
		}
		if t.Title != "" {
			n.Title = &t.Title
		}
		r.Notifications = append(r.Notifications, n)
	}
	if env.Explain {
		r.Explain = append(r.Explain, report.Explanation{
			Field: "$.stats.noise_reduction_percent", Formula: "100 * (alerts - notified) / alerts, cut at 6 decimals",
			Values: map[string]any{"alerts": r.Stats.Alerts, "notified": r.Stats.Notified}, Source: in.Sources[len(in.Sources)-1].Name,
		})
	}
	if in.against != "" {
		changed := *in
		changed.rules = in.other
		changed.engine.Settle, changed.engine.StrictSilence = in.other.Settle, in.other.StrictSilence
		after, err := changed.replay(until)
		if err != nil {
			return program.Exit(program.Input, err)
		}
		r.Against = differences(replay.Compare(record, after))
	}
	if env.Format == "json" {
		return env.JSON(r)
	}
	return in.document(env, r, record)
}

func (in *inputs) replay(until time.Time) (*replay.Record, error) {
	s := replay.Setup{Rules: in.rules.Rules, Options: in.engine, Silences: in.rules.Silences, Inhibit: in.rules.Inhibit}
	if in.earlier != nil {
		return s.Resume(in.earlier, in.log, until)
	}
	return s.Run(in.log, until)
}

// count counts what the log says, whatever the engine has forgotten of it by now.
func (in *inputs) count(r *replay.Record) stats {
	s := stats{
		Events: r.Stats.Events, Duplicates: r.Stats.Duplicates, Refreshes: r.Stats.Refreshes, Stale: r.Stats.Stale,
		Suppressed: 0, Composites: r.Stats.Composites,
	}
	known, told := map[string]bool{}, map[string]bool{}
	key := func(tenant, name string, l correlation.Labels) string {
		return correlation.Alert{Tenant: tenant, Name: name, Labels: l}.Key()
	}
	for _, a := range in.log {
		if !a.At.After(r.Until) {
			known[key(a.Tenant, a.Alert, correlation.LabelsOf(a.Labels))] = true
		}
	}
	for _, e := range r.Episodes {
		if name, _, _ := strings.Cut(e.Alert, "{"); !e.Told.IsZero() {
			told[key(e.Tenant, name, e.Labels)] = true
		}
	}
	for _, a := range r.Alerts {
		if a.Active && len(a.SuppressedBy) > 0 {
			s.Suppressed++
		}
		known[a.Key()] = true // of a state to go on from
		if a.Notified {
			told[a.Key()] = true
		}
	}
	s.Alerts, s.Notified = len(known), len(told)
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

func composites(list []replay.Composite) []composite {
	out := []composite{}
	for _, c := range list {
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
		out = append(out, x)
	}
	return out
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
		Opened: composites(d.Opened), Dropped: composites(d.Dropped), Retitled: composites(d.Retitled),
	}
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
func (in *inputs) document(env *program.Env, r result, record *replay.Record) error {
	doc := in.titled("Which alert is the cause", r.Now)
	doc.Sections = append(doc.Sections, in.summary(r), in.table("composites", "Composites", r.Composites), in.states(r), in.notifications(r), in.untold(record))
	if r.Against != nil {
		doc.Sections = append(doc.Sections, in.changes(r)...)
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
	switch env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "md":
		return doc.Markdown(env.Out)
	}
	if in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config and -alerts.\n\n")
	}
	return doc.Text(env.Out)
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

func (in *inputs) table(id, title string, list []composite) report.Section {
	if len(list) == 0 {
		return report.Section{ID: id, Title: title, Blocks: []report.Block{report.Text("None.")}}
	}
	table := report.Table{Caption: title, Columns: report.Columns("Since", "Until", "Tenant", "Title", "Evidence", "Hides")}
	for _, c := range list {
		until := "open"
		if c.Until != nil {
			until = in.clock(*c.Until)
		}
		table.Rows = append(table.Rows, report.Cells(in.clock(c.Since), until, c.Tenant, c.Title, strings.Join(c.Evidence, ", "), strconv.Itoa(len(c.Suppressed))))
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

func (in *inputs) notifications(r result) report.Section {
	table := report.Table{Caption: "What people were told", Columns: report.Columns("At", "Tenant", "What", "Alert")}
	for _, n := range r.Notifications {
		what := map[string]string{"fire": "began", "resolve": "is over"}[n.Action]
		text := n.Alert
		if n.Title != nil {
			text = *n.Title
		}
		table.Rows = append(table.Rows, report.Cells(in.clock(n.At), n.Tenant, what, text))
	}
	return report.Section{ID: "notifications", Title: "Notifications", Blocks: []report.Block{table}}
}

// untold shows of which alerts nobody was told, and why.
func (in *inputs) untold(r *replay.Record) report.Section {
	table := report.Table{Caption: "Alerts of which nobody was told", Columns: report.Columns("Alert", "Tenant", "Since", "Why")}
	add := func(alert, tenant string, since time.Time, why string) {
		table.Rows = append(table.Rows, report.Cells(alert, tenant, in.clock(since), why))
	}
	seen := map[[2]string]bool{}
	for _, e := range r.Episodes {
		seen[[2]string{e.Tenant, e.Alert}] = true
		if !e.Told.IsZero() {
			continue
		}
		var rules []string
		for _, rule := range e.HiddenBy {
			stands := slices.IndexFunc(r.Composites, func(c replay.Composite) bool {
				return c.Rule == rule && c.Tenant == e.Tenant && c.Title != "" && (c.Until.IsZero() || c.Until.After(e.Since)) && slices.Contains(c.Suppressed, e.Alert)
			})
			if stands >= 0 {
				rule += fmt.Sprintf(" (%s)", r.Composites[stands].Title)
			}
			rules = append(rules, rule)
		}
		add(e.Alert, e.Tenant, e.Since, "hidden by "+strings.Join(rules, ", "))
	}
	for _, a := range r.Alerts {
		if id := [2]string{a.Tenant, a.String()}; !a.IsComposite() && !a.Notified && !seen[id] {
			why := "over or not due within " + in.engine.Settle.String()
			if ids := r.SilencedBy(a); a.Active && len(ids) > 0 {
				why = "silenced by " + strings.Join(ids, ", ")
			} else if len(in.rules.Silences) > 0 {
				why += ", or silenced"
			}
			add(id[1], a.Tenant, a.Since, why)
		}
	}
	if len(table.Rows) == 0 {
		return report.Section{ID: "untold", Title: "Not told", Blocks: []report.Block{report.Text("None.")}}
	}
	return report.Section{ID: "untold", Title: "Not told", Blocks: []report.Block{table}}
}

// changes shows what the rules of -against would have made of it.
func (in *inputs) changes(r result) []report.Section {
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
		list      []composite
	}{{"opened", "Composites that only the other rules open", d.Opened}, {"dropped", "Composites that they do not open", d.Dropped}} {
		if len(part.list) > 0 {
			sections = append(sections, in.table(part.id, part.title, part.list))
		}
	}
	return sections
}

func (in *inputs) clock(at time.Time) string {
	return at.In(in.zone).Format("2006-01-02 15:04:05 MST")
}
