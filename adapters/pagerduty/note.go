package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

var (
	_ adapters.Noter      = (*Client)(nil)
	_ adapters.NoteReader = (*Client)(nil)
)

// noteRead is a note, whose author may be a person or an application.
type noteRead struct {
	ID        string        `json:"id"`
	User      sdk.APIObject `json:"user"`
	Content   string        `json:"content"`
	CreatedAt time.Time     `json:"created_at"`
}

// Note adds a remark, in the name of Config.From. PagerDuty cannot tell a repeated
// one: a note with a key carries a mark of it in its last line, and is not written
// if there is one with that mark; after an outcome that is not known it is looked for.
// A note is for those who work on an incident; for
// others there is [Client.Publish], so a public one is [adapters.Unsupported].
func (c *Client) Note(ctx context.Context, ref adapters.Ref, n adapters.Note) error {
	const op = "note"
	if err := c.writes(op, ref.Tenant); err != nil {
		return err
	}
	if err := isIncident(op, ref); err != nil {
		return err
	}
	switch {
	case n.Public:
		return refuse(op, ref.Tenant, adapters.Unsupported, "notes are not for the public, status updates are")
	case n.Text == "":
		return refuse(op, ref.Tenant, adapters.Invalid, "text missing")
	}
	write := func(content string) error {
		return c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodPost, path: incidentPath(ref, "notes"), from: true, once: true,
			body: map[string]any{"note": map[string]string{"content": content}},
		}, nil)
	}
	if n.Key == "" {
		return write(n.Text)
	}
	mark := "[" + adapters.Key{Tenant: ref.Tenant, Incident: ref.ID, Step: "note", Target: n.Key}.String()[:16] + "]"
	written := func() (bool, error) {
		all, err := c.notes(ctx, op, ref)
		return slices.ContainsFunc(all, func(w noteRead) bool { return strings.HasSuffix(w.Content, mark) }), err
	}
	if there, err := written(); err != nil || there {
		return err
	}
	err := write(n.Text + "\n" + mark)
	if errors.Is(err, adapters.OutcomeUnknown) {
		if there, lookErr := written(); lookErr == nil && there {
			return nil
		}
	}
	return err
}

// notes reads all notes, at most 2,000, which come on one page.
func (c *Client) notes(ctx context.Context, op string, ref adapters.Ref) ([]noteRead, error) {
	var answer struct {
		Notes []noteRead `json:"notes"`
	}
	err := c.do(ctx, request{op: op, tenant: ref.Tenant, method: http.MethodGet, path: incidentPath(ref, "notes")}, &answer)
	return answer.Notes, err
}

// Notes yields the notes of an incident, oldest first.
func (c *Client) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		const op = "notes"
		err := isIncident(op, ref)
		var all []noteRead
		if err == nil {
			all, err = c.notes(ctx, op, ref)
		}
		if err != nil {
			yield(adapters.Note{}, err)
			return
		}
		slices.Reverse(all) // of one second the last comes first
		slices.SortStableFunc(all, func(a, b noteRead) int { return a.CreatedAt.Compare(b.CreatedAt) })
		for _, n := range all {
			if !yield(adapters.Note{ID: n.ID, Text: n.Content, Author: cmp.Or(n.User.Summary, n.User.ID), At: n.CreatedAt}, nil) {
				return
			}
		}
	}
}

// LogEntry is something that happened to an incident.
type LogEntry struct {
	ID       string
	Type     string // "trigger", "acknowledge", "escalate", "assign", "snooze", "annotate", "resolve", …
	At       time.Time
	Agent    string // who did it: a user, a service, an integration
	AgentID  string
	Summary  string // in PagerDuty's words
	Text     string // what was written, where something was
	Incident adapters.Ref
}

type logEntryRead struct {
	ID        string        `json:"id"`
	Type      string        `json:"type"` // "acknowledge_log_entry"
	Summary   string        `json:"summary"`
	CreatedAt time.Time     `json:"created_at"`
	Agent     sdk.APIObject `json:"agent"`
	Channel   struct {
		Summary string `json:"summary"`
		Content string `json:"content"`
	} `json:"channel"`
	Incident sdk.APIObject `json:"incident"`
}

func (l logEntryRead) entry(tenant string) LogEntry {
	e := LogEntry{
		ID: l.ID, Type: strings.TrimSuffix(l.Type, "_log_entry"), At: l.CreatedAt, Agent: cmp.Or(l.Agent.Summary, l.Agent.ID), AgentID: l.Agent.ID,
		Summary: l.Summary, Text: cmp.Or(l.Channel.Content, l.Channel.Summary),
	}
	if l.Incident.ID != "" {
		e.Incident = adapters.Ref{Provider: provider, Tenant: tenant, Type: "incident", ID: l.Incident.ID, URL: l.Incident.HTMLURL}
	}
	return e
}

// Log yields what happened to an incident, newest first, as PagerDuty lists it.
func (c *Client) Log(ctx context.Context, ref adapters.Ref) iter.Seq2[LogEntry, error] {
	return func(yield func(LogEntry, error) bool) {
		const op = "log"
		if err := isIncident(op, ref); err != nil {
			yield(LogEntry{}, err)
			return
		}
		r := request{op: op, tenant: ref.Tenant, path: incidentPath(ref, "log_entries"), query: url.Values{"include[]": {"channels"}}}
		for l, err := range list[logEntryRead](ctx, c, r, "log_entries") {
			if err != nil {
				yield(LogEntry{}, err)
				return
			}
			if l.Incident.ID == "" {
				l.Incident.ID = ref.ID
			}
			if !yield(l.entry(ref.Tenant), nil) {
				return
			}
		}
	}
}

// String says when what happened.
func (e LogEntry) String() string { return fmt.Sprintf("%s %s", timestamp(e.At), e.Summary) }
