package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
)

// target is where an issue is to go.
type target struct {
	state      adapters.State
	resolution string // of an end; "" takes that of the state
	reopen     bool   // any status that is no end will do
}

// standing is where an issue stands.
type standing struct {
	status     Status
	resolution string
	resolved   time.Time // zero unless it has a resolution
	updated    time.Time
}

func (c *Client) standing(ctx context.Context, op string, ref adapters.Ref) (standing, error) {
	i, err := c.issue(ctx, op, ref, []string{"status", "resolution", "resolutiondate", "updated"})
	if err != nil {
		return standing{}, err
	}
	if i.Fields.Status == nil {
		return standing{}, c.fail(op, ref.Tenant, adapters.BadResponse, "issue without status", nil)
	}
	s := standing{
		status:   Status{Category: i.Fields.Status.StatusCategory.Key, Name: i.Fields.Status.Name},
		resolved: utc(i.Fields.Resolutiondate), updated: utc(i.Fields.Updated),
	}
	if i.Fields.Resolution != nil {
		s.resolution = i.Fields.Resolution.Name
	}
	return s, nil
}

// move takes an issue to a state by a transition that leads there, and returns
// where it stands then. Being there already is no error. A transition is not
// repeated blindly: after a lost answer the issue is read first.
func (c *Client) move(ctx context.Context, op string, ref adapters.Ref, to target) (standing, error) {
	id, err := c.issueID(op, ref)
	if err != nil {
		return standing{}, err
	}
	want, err := c.config.States.Theirs(to.state)
	if err != nil {
		return standing{}, c.fail(op, ref.Tenant, adapters.Unsupported, fmt.Sprintf("no status is configured for %s", to.state), err)
	}
	const tries = 3
	var failed error
	for n := 0; ; n++ {
		now, err := c.standing(ctx, op, ref)
		switch {
		case err != nil:
			return now, err
		case c.reached(now.status, want, to):
			return now, c.conclude(ctx, op, ref, to, &now)
		case now.status.Category == CategoryDone && want.Category != CategoryDone && !to.reopen:
			return now, c.fail(op, ref.Tenant, adapters.Conflict, fmt.Sprintf("issue has ended in status %q; reopen it first", now.status.Name), nil)
		case n == tries || failed != nil && ctx.Err() != nil:
			if failed == nil {
				failed = c.fail(op, ref.Tenant, adapters.Conflict, fmt.Sprintf("issue stays in status %q", now.status.Name), nil)
			}
			return now, failed
		}
		var list struct {
			Transitions []sdk.Transition `json:"transitions"`
		}
		_, err = c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/api/2/issue/{issue}/transitions", args: []string{id},
			query: url.Values{"expand": {"transitions.fields"}}, into: &list, repeatable: true,
		})
		if err != nil {
			return now, err
		}
		chosen := c.choose(list.Transitions, want, to)
		if chosen == nil && n == 0 {
			continue // somebody may have moved it between the two reads
		}
		if chosen == nil {
			e := &adapters.Error{
				Provider: provider, Op: op, Tenant: ref.Tenant, Kind: adapters.Conflict,
				Message: fmt.Sprintf("no transition leads from status %q to %s", now.status.Name, to.state),
			}
			for _, t := range list.Transitions {
				e.Details = append(e.Details, fmt.Sprintf("%s leads to %s (%s)", t.Name, t.To.Name, t.To.StatusCategory.Key))
			}
			e.Err = errors.New(e.Message)
			return now, e
		}
		body := map[string]any{"transition": map[string]any{"id": chosen.ID}}
		if _, ok := chosen.Fields["resolution"]; ok && want.Category == CategoryDone {
			name, err := c.resolution(op, ref, to)
			if err != nil {
				return now, err
			}
			body["fields"] = map[string]any{"resolution": map[string]any{"name": name}}
		}
		_, failed = c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/api/2/issue/{issue}/transitions", args: []string{id}, body: body, issue: id,
		})
		// A transition that somebody else was faster with is refused with 400 or 409.
		if failed != nil && !mayHaveApplied(failed) && !errors.Is(failed, adapters.Invalid) && !errors.Is(failed, adapters.Conflict) {
			return now, failed
		}
		if errors.Is(failed, adapters.Invalid) {
			n = tries - 1 // look whether it is there all the same, and give up else
		}
		if ctx.Err() != nil && failed != nil {
			return now, failed
		}
	}
}

// reached reports whether a status is what is wanted.
func (c *Client) reached(is, want Status, to target) bool {
	switch {
	case to.reopen:
		return is.Category != CategoryDone
	case want.Category == CategoryDone && is.Category == CategoryDone:
		// An issue that is closed is resolved as well, and not the other way round.
		now, err := c.state(is, "")
		return want.Name == "" || is == want || err == nil && now.Rank() >= to.state.Rank()
	case want.Name != "":
		return is == want
	default:
		return is.Category == want.Category && !c.named(is, to.state)
	}
}

// choose takes the transition that leads to the named status, or to the first of
// the category that is not another state's by name. An issue is reopened to a
// status of that state or, failing that, to any that is no end.
func (c *Client) choose(list []sdk.Transition, want Status, to target) *sdk.Transition {
	fits := func(is Status) bool {
		return is == want || want.Name == "" && is.Category == want.Category && !c.named(is, to.state)
	}
	for i := range list {
		if fits(Status{Category: list[i].To.StatusCategory.Key, Name: list[i].To.Name}) {
			return &list[i]
		}
	}
	for i := range list {
		if to.reopen && list[i].To.StatusCategory.Key != CategoryDone {
			return &list[i]
		}
	}
	return nil
}

// resolution is the name of what an issue ends with.
func (c *Client) resolution(op string, ref adapters.Ref, to target) (string, error) {
	if to.resolution != "" {
		return to.resolution, nil
	}
	name, err := c.config.Resolutions.Theirs(to.state)
	if err != nil {
		return "", c.fail(op, ref.Tenant, adapters.Unsupported, fmt.Sprintf("no resolution is configured for %s", to.state), err)
	}
	return name, nil
}

// conclude sees to it that an issue that has ended has a resolution and that one
// that was reopened has none: most filters and reports of Jira go by that and not
// by the status. What a workflow has set is left alone.
func (c *Client) conclude(ctx context.Context, op string, ref adapters.Ref, to target, now *standing) error {
	ended := now.status.Category == CategoryDone
	if ended == (now.resolution != "") || !ended && !to.reopen {
		return nil
	}
	var value any
	if ended {
		name, err := c.resolution(op, ref, to)
		if err != nil {
			return err
		}
		value = map[string]any{"name": name}
	}
	if err := c.edit(ctx, op, ref, map[string]any{"resolution": value}); err != nil {
		if e, ok := errors.AsType[*adapters.Error](err); ok && e.Kind == adapters.Invalid {
			e.Details = append(e.Details, "the status was reached, the resolution was not set: put the field on the screen of the transition")
		}
		return err
	}
	read, err := c.standing(ctx, op, ref)
	if err == nil {
		*now = read
	}
	return err
}

// Acknowledge moves an issue to the status of [adapters.StateAcknowledged]. Who it
// was, if that is known, is noted, because the names of one system mean nothing to
// another; [Client.Assign] takes Jira's. An issue that has ended is a
// [adapters.Conflict]: it is never reopened by a late acknowledgement.
func (c *Client) Acknowledge(ctx context.Context, ref adapters.Ref, by string) error {
	const op = "acknowledge"
	if _, err := c.move(ctx, op, ref, target{state: adapters.StateAcknowledged}); err != nil {
		return err
	}
	if by == "" {
		return nil
	}
	return c.note(ctx, op, ref, adapters.Note{Text: "Acknowledged by " + by, Key: stepKey(ref, op, by)})
}

// Resolve ends an issue with a resolution, Code or that of
// [adapters.StateResolved], and notes the text, once for each time that the issue
// was resolved. An issue that has ended keeps its resolution.
func (c *Client) Resolve(ctx context.Context, ref adapters.Ref, r adapters.Resolution) error {
	return c.end(ctx, "resolve", ref, target{state: adapters.StateResolved, resolution: r.Code}, r.Text)
}

// Cancel ends an issue that is no longer wanted, with the resolution of
// [adapters.StateCancelled].
func (c *Client) Cancel(ctx context.Context, ref adapters.Ref, r adapters.Resolution) error {
	return c.end(ctx, "cancel", ref, target{state: adapters.StateCancelled, resolution: r.Code}, r.Text)
}

// Close ends an issue, with the resolution of [adapters.StateClosed].
func (c *Client) Close(ctx context.Context, ref adapters.Ref, r adapters.Resolution) error {
	return c.end(ctx, "close", ref, target{state: adapters.StateClosed, resolution: r.Code}, r.Text)
}

func (c *Client) end(ctx context.Context, op string, ref adapters.Ref, to target, text string) error {
	now, err := c.move(ctx, op, ref, to)
	if err != nil || text == "" {
		return err
	}
	return c.note(ctx, op, ref, adapters.Note{Text: text, Key: stepKey(ref, op, stamp(now.resolved)+text)})
}

// Hold moves an issue to the named status of [adapters.StateOnHold], and notes
// reason and end. Jira wakes nobody at the end. Without such a status it is
// [adapters.Unsupported].
func (c *Client) Hold(ctx context.Context, ref adapters.Ref, h adapters.Hold) error {
	const op = "hold"
	if _, err := c.move(ctx, op, ref, target{state: adapters.StateOnHold}); err != nil {
		return err
	}
	text := h.Reason
	if !h.Until.IsZero() {
		if text != "" {
			text += "\n"
		}
		text += "On hold until " + h.Until.UTC().Format(time.RFC3339)
	}
	if text == "" {
		return nil
	}
	return c.note(ctx, op, ref, adapters.Note{Text: text, Key: stepKey(ref, op, text)})
}

// Reopen opens an issue again that was resolved within [Config].ReopenWindow and
// whose workflow has a way back. For others it opens an issue that follows it and
// is linked to it, and returns that one; the same one when it is asked again. An
// issue that has not ended is returned as it is.
func (c *Client) Reopen(ctx context.Context, ref adapters.Ref, reason string) (adapters.Ref, error) {
	const op = "reopen"
	now, err := c.standing(ctx, op, ref)
	if err != nil || now.status.Category != CategoryDone {
		return ref, err
	}
	ended := now.resolved
	if ended.IsZero() {
		ended = now.updated
	}
	round := stamp(ended)
	if c.config.Now().Sub(ended) <= c.config.ReopenWindow {
		_, err := c.move(ctx, op, ref, target{state: adapters.StateNew, reopen: true})
		if err == nil && reason != "" {
			err = c.note(ctx, op, ref, adapters.Note{Text: reason, Key: stepKey(ref, op, round+reason)})
		}
		if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Kind != adapters.Conflict || e.Status != 0 {
			return ref, err
		}
	}
	t, err := c.Read(ctx, ref)
	if err != nil {
		return ref, err
	}
	next := adapters.Ticket{
		Tenant: t.Tenant, Key: stepKey(ref, op, round), Title: t.Title, Text: t.Text, Severity: t.Severity, Target: t.Target, Labels: t.Labels,
	}
	if reason != "" {
		next.Text = reason + "\n\n" + t.Text
	}
	follower, err := c.Open(ctx, next)
	if err != nil {
		return follower, err
	}
	return follower, c.link(ctx, op, follower, ref, c.config.RelatedLink)
}

// stepKey is the key of something that is done to an issue.
func stepKey(ref adapters.Ref, step, what string) string {
	return adapters.Key{Tenant: ref.Tenant, Incident: ref.ID, Step: step, Target: what}.String()
}
