package jira

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Open creates an issue, once for each tenant and key: what the ledger knows is
// returned, and where an earlier outcome is unknown the issue is searched for
// before another is created. Text that does not fit is cut and attached whole.
//
// The priority is left out where the form of the project has none; the severity is
// then kept in the issue property alone, and read from there. Fields go by their id
// or by their name on the form; one that the form does not have is refused with
// [adapters.Unsupported] before anything is created.
//
// If the issue was created and something that goes with it failed (an attachment,
// a link, a first state, the end of a twin), both the reference and the error are
// returned, and opening it again completes it.
func (c *Client) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	const op = "open"
	if t.Tenant == "" {
		t.Tenant = c.config.Tenant
	}
	d, err := c.draft(ctx, op, t)
	if err != nil {
		return adapters.Ref{}, err
	}
	done, err := c.alone(ctx, op, t.Tenant, d.label)
	if err != nil {
		return adapters.Ref{}, err
	}
	defer done()
	now := c.config.Now()
	entry, first, err := c.config.Ledger.Intend(ctx, t.Tenant, t.Key, now)
	if err != nil {
		return adapters.Ref{}, c.ledgerError(ctx, op, t.Tenant, err)
	}
	if !first && entry.Settled() {
		return entry.Ref, nil
	}
	var ref adapters.Ref
	if !first || c.lookFirst {
		unsettled := now.Add(-c.config.FindFor) // nobody is known to have tried: one look will do
		var made adapters.Ref
		if !first {
			unsettled, made = c.doubted(d.label, entry)
		}
		if !made.IsZero() { // and may have twins, or ones that have not been ended
			if ref, err = c.untwin(ctx, op, t.Tenant, d.label, made); err != nil {
				return ref, err
			}
			return ref, c.settle(ctx, op, ref, d)
		}
		found, err := c.await(ctx, op, t.Tenant, d.label, unsettled, lookShares)
		switch {
		case err != nil && first:
			return adapters.Ref{}, c.only(errors.Join(err, c.forget(ctx, t))) // nothing was created
		case err != nil:
			return adapters.Ref{}, err
		case first:
			ref = oldest(found) // the others may be of people, whose copies of an issue have its labels
		default:
			if ref, err = c.unite(ctx, op, found); err != nil {
				return ref, err
			}
		}
	}
	if ref.IsZero() {
		if ref, err = c.create(ctx, t, d, !first); err != nil {
			return ref, err
		}
	}
	return ref, c.settle(ctx, op, ref, d)
}

// create posts an issue until one is known to exist or it is known that none was
// made; an issue beside an error has a twin that could not be looked for or closed. doubt
// says that an earlier try may have made one that the search did not show.
func (c *Client) create(ctx context.Context, t adapters.Ticket, d draft, doubt bool) (adapters.Ref, error) {
	const op, tries = "open", 3
	var before error // of the try before
	for n := 1; ; n++ {
		if doubt {
			// Whoever goes on where this process ends waits until a search shows it.
			if err := c.config.Ledger.Try(ctx, t.Tenant, t.Key, c.config.Now()); err != nil {
				return adapters.Ref{}, c.only(errors.Join(before, c.ledgerError(ctx, op, t.Tenant, err)))
			}
		}
		made, err := c.post(ctx, op, t.Tenant, d.body, doubt)
		switch {
		case err == nil && word(made.ID):
			ref := c.ref(t.Tenant, made.ID, made.Key, c.config.IssueType, "")
			c.doubt(d.label, ref)
			if !doubt {
				return ref, nil
			}
			return c.untwin(ctx, op, t.Tenant, d.label, ref)
		case err == nil:
			err = c.unread(op, t.Tenant, "created issue has no id")
		case !mayHaveApplied(err):
			return adapters.Ref{}, c.only(errors.Join(err, c.forget(ctx, t)))
		}
		c.doubt(d.label, adapters.Ref{})
		if ctx.Err() != nil || n == tries {
			return adapters.Ref{}, err // stays intended: the next one looks first
		}
		doubt = true
		shares := lookShares
		if e, ok := errors.AsType[*adapters.Error](err); ok && refused(e.Status) {
			shares = lookShares[len(lookShares)-1:]
		}
		found, lookErr := c.await(ctx, op, t.Tenant, d.label, c.config.Now(), shares)
		if lookErr != nil {
			return adapters.Ref{}, errors.Join(err, lookErr)
		}
		if len(found) > 0 {
			return c.unite(ctx, op, found)
		}
		before = err
	}
}

// created is what an issue is known by once it is there.
type created struct{ ID, Key string }

// post makes one try. With doubt, looks that are due wait for its end, to be shared.
func (c *Client) post(ctx context.Context, op, tenant string, body map[string]any, doubt bool) (made created, err error) {
	if doubt {
		defer c.looks.expect(tenant)()
	}
	_, err = c.do(ctx, request{op: op, tenant: tenant, method: http.MethodPost, route: "rest/api/2/issue", body: body, into: &made})
	return made, err
}

// settle completes an issue and notes it in the ledger.
func (c *Client) settle(ctx context.Context, op string, ref adapters.Ref, d draft) error {
	if err := c.complete(ctx, op, ref, d); err != nil {
		return err
	}
	if err := c.config.Ledger.Settle(ctx, d.ticket.Tenant, d.ticket.Key, ref); err != nil {
		return c.ledgerError(ctx, op, d.ticket.Tenant, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.doubts, d.label)
	return nil
}

// doubt is what this process knows of a label that the ledger has not settled.
type doubt struct {
	at   time.Time    // of the last create that there was
	made adapters.Ref // by it; zero if that is not known
}

// doubt notes that there may be an issue from now on that the ledger does not have and
// that a search may not show yet, and which one if that is known. Of that the ledger
// has no more than when the last try began.
func (c *Client) doubt(label string, made adapters.Ref) {
	now := c.config.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.doubts, func(_ string, d doubt) bool { return now.Sub(d.at) > c.config.FindFor })
	c.doubts[label] = doubt{now, made}
}

// doubted returns since when there may be an issue of a label, as far as this process and
// the ledger know, and which one, as far as this process knows. What was made before
// FindFor is for the search to say, which is right about it by now.
func (c *Client) doubted(label string, e adapters.Entry) (time.Time, adapters.Ref) {
	now := c.config.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.doubts[label]
	if now.Sub(d.at) > c.config.FindFor {
		d.made = adapters.Ref{}
	}
	return slices.MaxFunc([]time.Time{d.at, e.Intended, e.Tried}, time.Time.Compare), d.made
}

// refused reports whether a status is of somebody who hardly ever did what was asked; a
// gateway that waited in vain does not know what is behind it.
func refused(status int) bool {
	return status >= http.StatusInternalServerError && status != http.StatusBadGateway && status != http.StatusGatewayTimeout
}

// mayHaveApplied reports whether a write that failed may be there all the same.
func mayHaveApplied(err error) bool {
	e, ok := errors.AsType[*adapters.Error](err)
	return !ok || e.MayHaveApplied || e.Kind == adapters.OutcomeUnknown
}

// only returns the error of a vendor out of several, so that errors keep their one
// form; the others are causes.
func (c *Client) only(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	list := joined.Unwrap()
	if len(list) == 1 {
		return list[0]
	}
	first, ok := errors.AsType[*adapters.Error](list[0])
	if !ok {
		return err
	}
	e := *first
	e.Err = err
	return &e
}

// over is the error of a context that has ended.
func (c *Client) over(ctx context.Context, op, tenant string) error {
	kind, cause := adapters.Canceled, ctx.Err()
	if errors.Is(cause, context.DeadlineExceeded) {
		kind = adapters.Deadline
	}
	if why := context.Cause(ctx); !errors.Is(cause, why) {
		cause = fmt.Errorf("%w: %w", cause, why)
	}
	return c.fail(op, tenant, kind, "stopped between two requests", cause)
}

// untwin looks for twins of an issue that was just created, which the search is told to
// have, and returns the one that is left.
func (c *Client) untwin(ctx context.Context, op, tenant, label string, made adapters.Ref) (adapters.Ref, error) {
	found, err := c.looks.ask(ctx, c, op, tenant, look{label: label, fresh: made, due: time.Now(), patience: c.config.FindFor / lookCompany})
	if err != nil {
		return made, err
	}
	if !slices.ContainsFunc(found, made.Same) {
		found = append(found, made)
	}
	return c.unite(ctx, op, found)
}

// unite closes all but the oldest issue of a label as duplicates of it, and returns the
// oldest; zero of none.
func (c *Client) unite(ctx context.Context, op string, found []adapters.Ref) (adapters.Ref, error) {
	keep := oldest(found)
	for _, ref := range found {
		if !ref.Same(keep) {
			if err := c.merge(ctx, op, keep, ref); err != nil {
				return keep, err
			}
		}
	}
	return keep, nil
}

// oldest returns the reference with the lowest id: Jira counts up.
func oldest(refs []adapters.Ref) adapters.Ref {
	if len(refs) == 0 {
		return adapters.Ref{}
	}
	return slices.MinFunc(refs, func(a, b adapters.Ref) int {
		if len(a.ID) != len(b.ID) {
			return len(a.ID) - len(b.ID)
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// alone waits until nobody else in this process opens the label.
func (c *Client) alone(ctx context.Context, op, tenant, label string) (func(), error) {
	for {
		c.mu.Lock()
		other, busy := c.opening[label]
		if !busy {
			mine := make(chan struct{})
			c.opening[label] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.opening, label)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, c.over(ctx, op, tenant)
		}
	}
}

func (c *Client) forget(ctx context.Context, t adapters.Ticket) error {
	if err := c.config.Ledger.Forget(context.WithoutCancel(ctx), t.Tenant, t.Key); err != nil {
		return c.ledgerError(ctx, "open", t.Tenant, err)
	}
	return nil
}

func (c *Client) ledgerError(ctx context.Context, op, tenant string, err error) error {
	if ctx.Err() != nil {
		return c.over(ctx, op, tenant)
	}
	return c.fail(op, tenant, adapters.Unavailable, "ledger", err)
}

// mark is the value of the issue property.
type mark struct {
	Tenant   string `json:"tenant,omitempty"`
	Key      string `json:"key"`
	Label    string `json:"label"`
	Severity string `json:"severity,omitempty"`
}

// draft is an issue before it is created.
type draft struct {
	ticket adapters.Ticket
	label  string
	body   map[string]any
	cuts   []Cut
	whole  string // what has to be attached, "" if nothing was cut
}

// draft checks a ticket and writes it as Jira wants it.
func (c *Client) draft(ctx context.Context, op string, t adapters.Ticket) (draft, error) {
	d := draft{ticket: t, label: c.config.Label(t.Tenant, t.Key)}
	refuse := func(format string, args ...any) (draft, error) {
		return draft{}, c.fail(op, t.Tenant, adapters.Invalid, fmt.Sprintf(format, args...), nil)
	}
	title := summaryOf(t.Title)
	project := c.config.Project
	if t.Target != "" {
		project = t.Target
	}
	switch {
	case t.Key == "":
		return refuse("key missing")
	case title == "":
		return refuse("title missing")
	case !word(project):
		return refuse("target %q: want the key of a project", t.Target)
	case t.State != "" && t.State.Rank() < 0:
		return refuse("state %q: want one of %v", t.State, adapters.States)
	}
	labels := append([]string{d.label}, t.Labels...)
	for _, l := range labels {
		if l == "" || strings.ContainsAny(l, " \t\r\n") || units(l) > maxLabel {
			return refuse("label %q: want 1 to %d characters without spaces", clip(l, 100), maxLabel)
		}
	}
	meta, err := c.formOf(ctx, op, t.Tenant, project, c.config.IssueType)
	if err != nil {
		return draft{}, err
	}
	fields := map[string]any{
		"project": map[string]any{"key": project}, "issuetype": map[string]any{"name": c.config.IssueType}, "labels": labels,
	}
	fields["summary"] = d.cut("summary", title, maxSummary, cutMark)
	if t.Text != "" {
		fields["description"] = d.cut("description", t.Text, maxText, cutNote)
	}
	if t.Assignee != "" {
		who, err := c.assignee(ctx, t.Assignee)
		if err != nil {
			return draft{}, err
		}
		fields["assignee"] = who
	}
	property := mark{Tenant: t.Tenant, Key: t.Key, Label: d.label}
	if t.Severity != 0 {
		name, err := c.config.Priorities.Theirs(t.Severity)
		if err != nil {
			return refuse("severity %v: %v", t.Severity, err)
		}
		property.Severity = t.Severity.String()
		if meta.has("priority") {
			fields["priority"] = map[string]any{"name": name}
		}
	}
	if err := meta.put(fields, t.Fields); err != nil {
		return draft{}, c.fail(op, t.Tenant, adapters.Unsupported, err.Error(), err)
	}
	d.body = map[string]any{
		"fields":     fields,
		"properties": []any{map[string]any{"key": c.config.Property, "value": property}},
	}
	return d, nil
}

// cut shortens a text and keeps what it was.
func (d *draft) cut(field, text string, most int, mark string) string {
	short, cut := fit(text, most, mark)
	if cut {
		d.cuts = append(d.cuts, Cut{Field: field, Had: units(text), Kept: units(short)})
		d.whole = d.ticket.Title + "\n\n" + d.ticket.Text
	}
	return short
}

// complete adds what an issue is not created with. All of it can be done again.
func (c *Client) complete(ctx context.Context, op string, ref adapters.Ref, d draft) error {
	if d.whole != "" {
		err := c.attach(ctx, op, ref, adapters.Attachment{Name: fullText, ContentType: "text/plain; charset=utf-8", Content: []byte(d.whole)}, true)
		if err != nil {
			return err
		}
	}
	for _, link := range d.ticket.Links {
		if err := c.remoteLink(ctx, op, ref, link); err != nil {
			return err
		}
	}
	if s := d.ticket.State; s != "" && s != adapters.StateNew {
		if _, err := c.move(ctx, op, ref, target{state: s}); err != nil {
			return err
		}
	}
	if len(d.cuts) > 0 {
		c.config.OnCut(ref, d.cuts)
	}
	return nil
}

// ref makes a reference.
func (c *Client) ref(tenant, id, key, issueType, version string) adapters.Ref {
	ref := adapters.Ref{Provider: provider, Tenant: tenant, Type: issueType, ID: id, Number: key, Version: version}
	if key != "" {
		ref.URL = c.config.SiteURL + "/browse/" + key
	}
	return ref
}
