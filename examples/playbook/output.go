package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// result is the JSON result.
type result struct {
	program.Envelope
	DryRun bool     `json:"dry_run"`
	Runs   []played `json:"runs"` // in the order in which they began

	Explain []report.Explanation `json:"explain,omitempty"`
}

type played struct {
	Playbook    string     `json:"playbook"`
	Service     string     `json:"service"`
	TriggeredAt time.Time  `json:"triggered_at"`
	Why         string     `json:"why"`
	ClearedAt   *time.Time `json:"cleared_at"` // null: it still holds
	Steps       []decided  `json:"steps"`      // of the stages that were due, in the order of the file
}

type decided struct {
	Stage    string           `json:"stage"`
	Action   string           `json:"action"`
	At       time.Time        `json:"at"` // of the latest decision
	Decision playbook.Verdict `json:"decision"`
	Why      string           `json:"why"`
	Attempts int              `json:"attempts"`
	Status   playbook.Status  `json:"status"`
	Approved []string         `json:"approved_by"`
}

func (in *inputs) write(env *program.Env, runs []playbook.Run) error {
	out := result{
		Envelope: program.Envelope{Schema: "playbook-run/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices},
		DryRun:   in.dry, Runs: []played{},
	}
	for _, r := range runs {
		p := played{Playbook: r.Playbook, Service: r.Service, TriggeredAt: r.TriggeredAt, Why: r.Why, Steps: []decided{}}
		if !r.ClearedAt.IsZero() {
			p.ClearedAt = &r.ClearedAt
		}
		for _, s := range r.Steps {
			d := decided{Stage: s.Stage, Action: s.Action, At: s.At, Decision: s.Decision, Why: s.Why, Attempts: s.Attempt, Status: s.Status, Approved: []string{}}
			for _, a := range s.Approved {
				d.Approved = append(d.Approved, a.By)
			}
			p.Steps = append(p.Steps, d)
			switch s.Decision {
			case playbook.BlockIt:
				env.Holds("blocked")
			case playbook.AskIt:
				env.Holds("approval")
			default:
			}
		}
		if env.Explain {
			out.Explain = append(out.Explain, in.explanation(len(out.Runs), r))
		}
		out.Runs = append(out.Runs, p)
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	return in.document(env, out)
}

// explanation says how the beginning of a run came about.
func (in *inputs) explanation(i int, r playbook.Run) report.Explanation {
	return report.Explanation{
		Field: fmt.Sprintf("$.runs[%d].triggered_at", i), Formula: "the first breaching sample with t - onset >= the time after \"for\"",
		Values: map[string]any{"condition": in.config.Book.Playbooks[r.Playbook].Trigger.Condition, "seen": r.Why}, Source: in.Sources[0].Name,
	}
}

// document writes the result for people.
func (in *inputs) document(env *program.Env, r result) error {
	title := "Rehearsal of the playbooks"
	if in.dry {
		title = "Dry run of the playbooks"
	}
	doc := report.Document{Title: title, Generated: in.now, Zone: in.zone}
	for _, s := range in.Sources {
		doc.Sources = append(doc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	for i, run := range r.Runs {
		doc.Sections = append(doc.Sections, in.section(i, run))
	}
	if len(r.Runs) == 0 {
		doc.Sections = []report.Section{{ID: "runs", Title: "Runs", Blocks: []report.Block{report.Text("No playbook was triggered.")}}}
	}
	if len(r.Explain) > 0 {
		table := report.Table{Caption: "How the runs began", Columns: []report.Column{{Title: "Figure"}, {Title: "Formula"}, {Title: "Values"}}}
		for _, x := range r.Explain {
			values, err := json.Marshal(x.Values)
			if err != nil {
				return err
			}
			table.Rows = append(table.Rows, report.Cells(x.Field, x.Formula, string(values)))
		}
		doc.Sections = append(doc.Sections, report.Section{ID: "explain", Title: "Explained", Blocks: []report.Block{table}})
	}
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
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config and -context.\n\n")
	}
	return doc.Text(env.Out)
}

func (in *inputs) section(i int, r played) report.Section {
	begun := "Triggered at " + in.clock(r.TriggeredAt) + ": " + r.Why + "."
	if r.ClearedAt != nil {
		begun += " Cleared at " + in.clock(*r.ClearedAt) + "."
	}
	table := report.Table{Caption: "Decisions", Columns: []report.Column{{Title: "At"}, {Title: "Stage"}, {Title: "Action"}, {Title: "Decision"}, {Title: "Attempts"}, {Title: "Why"}}}
	for _, s := range r.Steps {
		row := report.Cells(in.clock(s.At), strings.ReplaceAll(s.Stage, "_", " "), s.Action, "", strconv.Itoa(s.Attempts), s.Why)
		row[3] = report.Cell{Text: strings.ReplaceAll(string(s.Decision), "_", " ") + ", " + strings.ReplaceAll(string(s.Status), "_", " "), State: states[s.Decision]}
		table.Rows = append(table.Rows, row)
	}
	return report.Section{ID: fmt.Sprintf("run-%d", i+1), Title: r.Playbook + " on " + r.Service, Blocks: []report.Block{report.Text(begun), table}}
}

var states = map[playbook.Verdict]report.State{
	playbook.RunIt: report.Good, playbook.AskIt: report.Warning, playbook.QueueIt: report.Warning, playbook.BlockIt: report.Bad,
}

func (in *inputs) clock(at time.Time) string {
	return at.In(in.zone).Format("Mon 2 Jan 2006 15:04:05 MST")
}
