package servicenow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// ChangeRequest is a row of change_request: what is planned or was done to a
// service, for root causes and for maintenance windows.
type ChangeRequest struct {
	Key    string // as of a ticket; required to put, "" for those of others
	Tenant string
	Title  string
	Text   string
	// Item is the sys_id of the configuration item.
	Item string
	// Kind is the column type: "normal", "standard", "emergency".
	Kind string
	// Start and End are the planned window, [Start, End).
	Start, End time.Time
	// Group is the assignment group, by name or sys_id; reading gives the sys_id.
	Group string

	// What only reading fills:

	State     string // the number; instances have models of their own
	Ref       adapters.Ref
	WorkStart time.Time // when the work began; zero before
	WorkEnd   time.Time // when it ended; zero before
	Created   time.Time
	Updated   time.Time
}

var changeColumns = []string{
	"sys_id", "number", "short_description", "description", "cmdb_ci", "type", "state", "start_date", "end_date", "work_start", "work_end",
	"assignment_group", "correlation_id", "correlation_display", createdOn, updatedOn, "sys_mod_count",
}

// PutChangeRequest makes the change request of a key as it is given: it creates the
// row or brings the one that is there up to date, so that a maintenance window is
// the same on both sides. Times are kept by the second.
func (c *Client) PutChangeRequest(ctx context.Context, ch ChangeRequest) (adapters.Ref, error) {
	r := request{op: "put_change_request", tenant: ch.Tenant}
	if !ch.Start.IsZero() && !ch.End.IsZero() && !ch.Start.Before(ch.End) {
		return adapters.Ref{}, c.fail(r, adapters.Invalid, fmt.Errorf("window from %s to %s: want an end after the start", FormatTime(ch.Start), FormatTime(ch.End)))
	}
	values := map[string]any{
		"short_description": ch.Title, "description": ch.Text, "start_date": FormatTime(ch.Start), "end_date": FormatTime(ch.End),
	}
	if ch.Item != "" {
		values["cmdb_ci"] = ch.Item
	}
	if ch.Kind != "" {
		values["type"] = ch.Kind
	}
	return c.put(ctx, r, "change_request", ch.Key, ch.Group, values)
}

// put creates the row of a key or brings it up to date.
func (c *Client) put(ctx context.Context, r request, table, rowKey, group string, values map[string]any) (adapters.Ref, error) {
	if rowKey == "" || len(rowKey) > maxCorrelation || len(displayPrefix)+len(r.tenant) > maxCorrelation {
		return adapters.Ref{}, c.fail(r, adapters.Invalid, fmt.Errorf("key of %d and tenant of %d bytes, want 1 to %d and at most %d", len(rowKey), len(r.tenant), maxCorrelation, maxCorrelation-len(displayPrefix)))
	}
	if title, _ := values["short_description"].(string); strings.TrimSpace(title) == "" {
		return adapters.Ref{}, c.fail(r, adapters.Invalid, errors.New("no title"))
	}
	d := draft{values: values}
	for _, column := range []string{"description", "short_description"} {
		text, _ := values[column].(string)
		d.text(c, column, text)
	}
	if group != "" {
		id, err := c.group(ctx, r, group)
		if err != nil {
			return adapters.Ref{}, err
		}
		values["assignment_group"] = id
	}
	row, fresh, err := c.create(ctx, r, table, keys(r.tenant, rowKey), values)
	if err != nil {
		return adapters.Ref{}, err
	}
	if !fresh {
		if row, err = c.write(ctx, r, table, row["sys_id"], values, keyColumns); err != nil {
			return adapters.Ref{}, err
		}
	}
	ref := c.ref(table, row)
	ref.Tenant = r.tenant
	for _, n := range d.cuts {
		n.Ref = ref
		c.notice(ctx, n)
	}
	return ref, c.attachWhole(ctx, r, ref, d.whole)
}

// ChangeRequests lists the change requests whose window or work touches [from,
// until), in the order in which they were created. Those without a window are
// listed by when they were created.
func (c *Client) ChangeRequests(ctx context.Context, from, until time.Time) iter.Seq2[ChangeRequest, error] {
	r := request{op: "change_requests"}
	begin, end := FormatTime(from), FormatTime(until)
	// A window [start, end) touches if it begins before the end and ends after the
	// beginning; the three ways in which rows can are alternatives.
	q := Where("start_date", Less, end).And("end_date", Greater, begin).
		Union(Where("work_start", Less, end).And("work_end", Greater, begin).Or("work_end", Empty)).
		Union(Where("start_date", Empty).And("work_start", Empty).And(createdOn, GreaterOrEqual, begin).And(createdOn, Less, end))
	touches := func(ch ChangeRequest) bool {
		planned := !ch.Start.IsZero() && ch.Start.Before(until) && ch.End.After(from)
		worked := !ch.WorkStart.IsZero() && ch.WorkStart.Before(until) && (ch.WorkEnd.IsZero() || ch.WorkEnd.After(from))
		return planned || worked || ch.Start.IsZero() && ch.WorkStart.IsZero() && !ch.Created.Before(from) && ch.Created.Before(until)
	}
	return func(yield func(ChangeRequest, error) bool) {
		if from.IsZero() || !from.Before(until) {
			yield(ChangeRequest{}, c.fail(r, adapters.Invalid, errors.New("want from before until")))
			return
		}
		for row, err := range c.walk(ctx, r, "change_request", q, changeColumns, createdOn, place{}) {
			var ch ChangeRequest
			if err == nil {
				ch, err = c.changeRequest(r, row)
			}
			if err == nil && !touches(ch) {
				err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query for change requests"))
			}
			if !yield(ch, err) || err != nil {
				return
			}
		}
	}
}

func (c *Client) changeRequest(r request, row Record) (ChangeRequest, error) {
	ch := ChangeRequest{
		Key: row["correlation_id"], Tenant: tenantOf(row["correlation_display"]), Title: row["short_description"], Text: row["description"],
		Item: row["cmdb_ci"], Kind: row["type"], Group: row["assignment_group"], State: row["state"], Ref: c.ref("change_request", row),
	}
	var problems []error
	for column, at := range map[string]*time.Time{
		"start_date": &ch.Start, "end_date": &ch.End, "work_start": &ch.WorkStart, "work_end": &ch.WorkEnd, createdOn: &ch.Created, updatedOn: &ch.Updated,
	} {
		var err error
		if *at, err = ParseTime(row[column]); err != nil {
			problems = append(problems, fmt.Errorf("change_request.%s: %w", column, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return ChangeRequest{}, c.fail(r, adapters.BadResponse, err)
	}
	return ch, nil
}

// Problem is a row of table problem: the cause behind incidents, which name it in
// problem_id; see [Client.Link].
type Problem struct {
	Key    string // as of a ticket; required to put, "" for those of others
	Tenant string
	Title  string
	Text   string
	Cause  string // the column cause_notes
	Fix    string // the column fix_notes
	Group  string // the assignment group, by name or sys_id; reading gives the sys_id

	// What only reading fills:

	State   string // the number; instances have models of their own
	Ref     adapters.Ref
	Created time.Time
	Updated time.Time
}

var problemColumns = []string{
	"sys_id", "number", "short_description", "description", "cause_notes", "fix_notes", "state", "assignment_group",
	"correlation_id", "correlation_display", createdOn, updatedOn, "sys_mod_count",
}

// PutProblem makes the problem of a key as it is given: it creates the row or
// brings the one that is there up to date.
func (c *Client) PutProblem(ctx context.Context, p Problem) (adapters.Ref, error) {
	values := map[string]any{"short_description": p.Title, "description": p.Text}
	if p.Cause != "" {
		values["cause_notes"] = p.Cause
	}
	if p.Fix != "" {
		values["fix_notes"] = p.Fix
	}
	return c.put(ctx, request{op: "put_problem", tenant: p.Tenant}, "problem", p.Key, p.Group, values)
}

// Problems lists the problems that were created in [from, until), oldest first.
func (c *Client) Problems(ctx context.Context, from, until time.Time) iter.Seq2[Problem, error] {
	r := request{op: "problems"}
	begin, end := FormatTime(ceil(from)), FormatTime(ceil(until))
	return func(yield func(Problem, error) bool) {
		if from.IsZero() || !from.Before(until) {
			yield(Problem{}, c.fail(r, adapters.Invalid, errors.New("want from before until")))
			return
		}
		q := Where(createdOn, GreaterOrEqual, begin).And(createdOn, Less, end)
		for row, err := range c.walk(ctx, r, "problem", q, problemColumns, createdOn, place{}) {
			if err == nil && (row[createdOn] < begin || row[createdOn] >= end) {
				err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query for problems"))
			}
			p := Problem{
				Key: row["correlation_id"], Tenant: tenantOf(row["correlation_display"]), Title: row["short_description"], Text: row["description"],
				Cause: row["cause_notes"], Fix: row["fix_notes"], Group: row["assignment_group"], State: row["state"],
			}
			if err == nil {
				p.Ref = c.ref("problem", row)
				if p.Created, err = ParseTime(row[createdOn]); err == nil {
					p.Updated, err = ParseTime(row[updatedOn])
				}
				if err != nil {
					err = c.fail(r, adapters.BadResponse, err)
				}
			}
			if err != nil {
				yield(Problem{}, err)
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}
