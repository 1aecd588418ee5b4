package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Acknowledge marks an incident as being worked on, by the user whose address by is,
// or else by that of Config.From with a note that names by. One that is acknowledged
// or resolved stays as it is: PagerDuty would open a resolved one again.
func (c *Client) Acknowledge(ctx context.Context, ref adapters.Ref, by string) error {
	const op = "acknowledge"
	if err := c.writes(op, ref.Tenant); err != nil {
		return err
	}
	i, err := c.read(ctx, op, ref)
	if err != nil {
		return err
	}
	if i.Status != "triggered" {
		return nil
	}
	from := ""
	if strings.Contains(by, "@") {
		from = by
	}
	if err := settled(c.change(ctx, op, ref, from, incidentWrite{Status: "acknowledged"})); err != nil || by == "" || from != "" {
		return err
	}
	return c.Note(ctx, ref, adapters.Note{Text: "Acknowledged by " + by})
}

// Resolve ends an incident. The code of a resolution stands before its text.
func (c *Client) Resolve(ctx context.Context, ref adapters.Ref, r adapters.Resolution) error {
	return settled(c.change(ctx, "resolve", ref, "", incidentWrite{Status: resolved, Resolution: resolution(r)}))
}

func resolution(r adapters.Resolution) string {
	if r.Code == "" || r.Text == "" {
		return cmp.Or(r.Text, r.Code)
	}
	return r.Code + ": " + r.Text
}

// ResolveAll ends incidents, 250 with a request. An error tells nothing of which of
// those were ended; repeating it is harmless.
func (c *Client) ResolveAll(ctx context.Context, r adapters.Resolution, refs ...adapters.Ref) error {
	const op = "resolve all"
	if err := isIncident(op, refs...); err != nil {
		return err
	}
	for some := range slices.Chunk(refs, maxManaged) {
		writes := make([]incidentWrite, len(some))
		for i, ref := range some {
			writes[i] = incidentWrite{ID: ref.ID, Type: "incident_reference", Status: resolved, Resolution: resolution(r)}
		}
		err := settled(c.do(ctx, request{
			op: op, tenant: some[0].Tenant, method: http.MethodPut, path: "/incidents", from: true, body: map[string]any{"incidents": writes},
		}, nil))
		if err != nil {
			return err
		}
	}
	return nil
}

// Reopen opens a resolved incident again, if it ended within Config.ReopenWindow;
// else it opens one that follows it and says so in both. One that is open stays as
// it is.
func (c *Client) Reopen(ctx context.Context, ref adapters.Ref, reason string) (adapters.Ref, error) {
	const op = "reopen"
	if err := c.writes(op, ref.Tenant); err != nil {
		return adapters.Ref{}, err
	}
	for {
		i, err := c.read(ctx, op, ref)
		if err != nil {
			return adapters.Ref{}, err
		}
		if i.Status != resolved {
			return i.ref(ref.Tenant), nil
		}
		if c.config.Now().Sub(i.ended()) <= c.config.ReopenWindow {
			if err := c.change(ctx, op, ref, "", incidentWrite{Status: "triggered"}); err != nil {
				return adapters.Ref{}, err
			}
			return i.ref(ref.Tenant), c.remark(ctx, ref, reason)
		}
		// It may be followed already: by an earlier try, or by one that has ended too.
		next, err := c.Find(ctx, ref.Tenant, followKey(ref))
		if errors.Is(err, adapters.NotFound) {
			return c.follow(ctx, ref, i, reason)
		}
		if err != nil {
			return adapters.Ref{}, err
		}
		ref = next
	}
}

func (c *Client) follow(ctx context.Context, ref adapters.Ref, i incidentRead, reason string) (adapters.Ref, error) {
	t, err := c.ticket(i, ref.Tenant)
	if err != nil {
		return adapters.Ref{}, refuse("reopen", ref.Tenant, adapters.BadResponse, "%w", err)
	}
	next, err := c.Open(ctx, adapters.Ticket{
		Key: followKey(ref), Tenant: ref.Tenant, Title: t.Title, Text: reason, Severity: t.Severity, Target: t.Target,
		Links: []adapters.WebLink{{Text: fmt.Sprintf("Follows incident #%d", i.Number), URL: i.HTMLURL}},
	})
	if err != nil {
		return next, err
	}
	return next, c.remark(ctx, ref, strings.TrimSpace("Followed by incident #"+next.Number+" "+next.URL))
}

func (c *Client) remark(ctx context.Context, ref adapters.Ref, text string) error {
	if text == "" {
		return nil
	}
	return c.Note(ctx, ref, adapters.Note{Text: text})
}

// Hold snoozes an incident, which acknowledges it, for 1 s to 7 days.
func (c *Client) Hold(ctx context.Context, ref adapters.Ref, h adapters.Hold) error {
	const op = "hold"
	if err := isIncident(op, ref); err != nil {
		return err
	}
	d := h.Until.Sub(c.config.Now()).Round(time.Second)
	if h.Until.IsZero() || d < time.Second || d > maxSnooze {
		return refuse(op, ref.Tenant, adapters.Invalid, "hold until %v, want an end in 1 s to 7 days", h.Until)
	}
	err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, path: incidentPath(ref, "snooze"), from: true,
		body: map[string]int64{"duration": int64(d / time.Second)},
	}, nil)
	if err != nil {
		return err
	}
	return c.remark(ctx, ref, h.Reason)
}
