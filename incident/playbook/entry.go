package playbook

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/key"
)

// EntryKind says what an [Entry] is about.
type EntryKind string

// The kinds of entries.
const (
	RunBegan   EntryKind = "began"
	RunCleared EntryKind = "cleared"
	RunEnded   EntryKind = "ended"
	UndoBegan  EntryKind = "undo"
	Decided    EntryKind = "decided"  // what becomes of an action: Decision, and Text why
	Reported   EntryKind = "reported" // how an attempt ended
	Voted      EntryKind = "voted"    // somebody approved or rejected
	Lapsed     EntryKind = "lapsed"   // nobody approved in time
	Halted     EntryKind = "halted"   // the kill switch is on
	Released   EntryKind = "released" // and off
)

// Entry is one thing that was decided or learnt, for the record.
type Entry struct {
	Kind     EntryKind `json:"kind"`
	At       time.Time `json:"at"`
	Tenant   string    `json:"tenant,omitempty"`
	Run      string    `json:"run,omitempty"` // empty for those that are about all runs
	Number   int       `json:"number"`        // within the run, from 1
	Playbook string    `json:"playbook,omitempty"`
	Service  string    `json:"service,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Step     string    `json:"step,omitempty"`
	Stage    string    `json:"stage,omitempty"`
	Action   string    `json:"action,omitempty"`
	Decision Verdict   `json:"decision,omitempty"`
	Status   Status    `json:"status,omitempty"`
	Attempt  int       `json:"attempt,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"` // of the attempt, if reported
	By       string    `json:"by,omitempty"`      // the person, if one decided
	Text     string    `json:"text"`
}

// Event returns the entry as an event for the timeline of its incident, with the
// whole entry as data. The result of an attempt is a record_result, anything else
// a note. Its key is the same whenever the run is replayed.
func (x Entry) Event() (incident.Event, error) {
	data, err := json.Marshal(x)
	if err != nil {
		return incident.Event{}, err
	}
	e := incident.Event{
		Key: key.Join(x.Tenant, cmp.Or(x.Run, string(x.Kind)), "entry", strconv.Itoa(x.Number)), Kind: incident.Note,
		At: x.At, Actor: cmp.Or(x.By, "playbook"), Details: incident.Details{Text: x.text(), Ref: x.Step, Data: data},
	}
	if x.Kind == Reported {
		e.Kind = incident.RecordResult
	}
	if x.Run == "" {
		e.Key = key.Join(x.Tenant, "all", "entry", string(x.Kind), strconv.FormatInt(x.At.UnixNano(), 10))
	}
	return e, nil
}

// text tells the entry to people.
func (x Entry) text() string {
	switch {
	case x.Run == "":
		return "playbooks: " + x.Text
	case x.Step == "":
		return x.Playbook + " on " + x.Service + " " + string(x.Kind) + ": " + x.Text
	}
	text := x.Playbook + " on " + x.Service + ", " + x.Stage + ", " + x.Action + ": "
	if x.Kind == Decided {
		text += string(x.Decision) + ", "
	}
	return text + x.Text
}

func (e *Engine) record(x Entry) {
	if e.config.Record != nil {
		x.Tenant = e.config.Tenant
		e.config.Record(x)
	}
}

func (e *Engine) recordRun(kind EntryKind, r *Run, at time.Time, by, text string) {
	r.Recorded++
	e.record(Entry{
		Kind: kind, At: at, Run: r.ID, Number: r.Recorded, Playbook: r.Playbook, Service: r.Service, Incident: r.Incident,
		By: by, Text: text,
	})
}

func (e *Engine) recordStep(kind EntryKind, r *Run, s *Step, at time.Time, by, text string) {
	e.record(e.entry(kind, r, s, at, by, text))
}

// recordResult records how an attempt ended.
func (e *Engine) recordResult(r *Run, s *Step, attempt int, at time.Time, outcome Outcome, text string) {
	x := e.entry(Reported, r, s, at, "", strings.TrimSuffix(string(outcome)+": "+text, ": "))
	x.Outcome, x.Attempt = outcome, attempt
	e.record(x)
}

func (e *Engine) entry(kind EntryKind, r *Run, s *Step, at time.Time, by, text string) Entry {
	r.Recorded++
	return Entry{
		Kind: kind, At: at, Run: r.ID, Number: r.Recorded, Playbook: r.Playbook, Service: r.Service, Incident: r.Incident,
		Step: s.Key, Stage: s.Stage, Action: s.Action, Decision: s.Decision, Status: s.Status, Attempt: s.Attempt, By: by, Text: text,
	}
}
