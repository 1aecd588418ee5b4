package servicenow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Read reads a ticket as it stands.
func (c *Client) Read(ctx context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	r, err := c.on("read", ref, c.config.Table)
	if err != nil {
		return adapters.Ticket{}, err
	}
	row, err := c.row(ctx, r, ref.Type, ref.ID, c.ticketColumns())
	if err != nil {
		return adapters.Ticket{}, err
	}
	if err := c.sameTenant(r, ref, row); err != nil {
		return adapters.Ticket{}, err
	}
	return c.ticket(r, ref.Type, row)
}

var usualColumns = []string{
	"sys_id", "number", "short_description", "description", "priority", "state", "assignment_group", "assigned_to",
	"correlation_id", "correlation_display", "sys_created_on", "sys_updated_on", "sys_updated_by", "sys_mod_count", "resolved_at",
}

func (c *Client) ticketColumns() []string {
	out := append(slices.Clone(usualColumns), c.config.Columns...)
	if c.config.LabelsColumn != "" {
		out = append(out, c.config.LabelsColumn)
	}
	return out
}

// ticket reads a row. Severity is unset if the instance gave no priority.
func (c *Client) ticket(r request, table string, row Record) (adapters.Ticket, error) {
	t := adapters.Ticket{
		Key: row["correlation_id"], Tenant: tenantOf(row["correlation_display"]), Title: row["short_description"], Text: row["description"],
		Target: row["assignment_group"], Assignee: row["assigned_to"], Ref: c.ref(table, row),
		ByUs: c.config.User != "" && row["sys_updated_by"] == c.config.User,
	}
	var problems []error
	note := func(column string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s of %s: %w", column, row["number"], err))
		}
	}
	var err error
	t.State, err = c.config.States.Ours(row["state"])
	note("state", err)
	if priority := row["priority"]; priority != "" {
		t.Severity, err = c.config.Priorities.Ours(priority)
		if err != nil && c.config.DefaultSeverity.IsSet() {
			t.Severity, err = c.config.DefaultSeverity, nil
		}
		note("priority", err)
	}
	t.Created, err = ParseTime(row["sys_created_on"])
	note("sys_created_on", err)
	t.Updated, err = ParseTime(row["sys_updated_on"])
	note("sys_updated_on", err)
	t.Resolved, err = ParseTime(row["resolved_at"])
	note("resolved_at", err)
	if !t.State.Ended() {
		t.Resolved = time.Time{} // a reopened ticket keeps the column
	}
	if column := c.config.LabelsColumn; column != "" && row[column] != "" {
		t.Labels = strings.Split(row[column], ",")
	}
	for _, column := range c.config.Columns {
		if t.Fields == nil {
			t.Fields = map[string]any{}
		}
		t.Fields[column] = row[column]
	}
	if err := errors.Join(problems...); err != nil {
		return adapters.Ticket{}, c.fail(r, adapters.BadResponse, err)
	}
	return t, nil
}

// on begins an operation on a reference, whose table must be one of those given;
// without any it may be any table.
func (c *Client) on(op string, ref adapters.Ref, tables ...string) (request, error) {
	r := request{op: op, tenant: ref.Tenant}
	switch {
	case ref.Provider != provider || !isColumn(ref.Type) || strings.Contains(ref.Type, "."):
		return r, c.fail(r, adapters.Invalid, fmt.Errorf("reference of provider %q and type %q, want a table of %s", ref.Provider, ref.Type, provider))
	case len(tables) > 0 && !slices.Contains(tables, ref.Type):
		return r, c.fail(r, adapters.Unsupported, fmt.Errorf("table %s, want one of %q for %s", ref.Type, tables, op))
	}
	if err := checkID(ref.ID); err != nil {
		return r, c.fail(r, adapters.Invalid, err)
	}
	return r, nil
}

// sameTenant refuses a row that belongs to another tenant than the reference says,
// as if it were not there.
func (c *Client) sameTenant(r request, ref adapters.Ref, row Record) error {
	if owner := tenantOf(row["correlation_display"]); owner != "" && ref.Tenant != "" && owner != ref.Tenant {
		return c.fail(r, adapters.NotFound, errors.New("no such ticket of this tenant"))
	}
	return nil
}

// own refuses a row of another tenant before something is written to it that needs no
// reading. A reference without a tenant is of nobody's and costs no request.
func (c *Client) own(ctx context.Context, r request, ref adapters.Ref) error {
	if ref.Tenant == "" {
		return nil
	}
	r.once, r.body, r.contentType = false, nil, ""
	row, err := c.row(ctx, r, ref.Type, ref.ID, []string{"correlation_display"})
	if err != nil {
		return err
	}
	return c.sameTenant(r, ref, row)
}

// Update changes fields of a ticket. The severity is compared as when opening.
func (c *Client) Update(ctx context.Context, ref adapters.Ref, p adapters.Patch) error {
	r, err := c.on("update", ref)
	if err != nil {
		return err
	}
	d := draft{values: map[string]any{}}
	if err := c.fill(&d, r, p); err != nil {
		return err
	}
	if len(d.values) == 0 {
		return nil
	}
	if err := c.own(ctx, r, ref); err != nil {
		return err
	}
	row, err := c.write(ctx, r, ref.Type, ref.ID, d.values, []string{"priority"})
	if err != nil {
		return err
	}
	d.report(ctx, c, ref, row)
	return c.attachWhole(ctx, r, ref, d.whole)
}

// Acknowledge sets the state to In Progress and, if by is not empty, gives the
// ticket to that user, by user_name, mail address or sys_id. A ticket that has
// ended is a [adapters.Conflict].
func (c *Client) Acknowledge(ctx context.Context, ref adapters.Ref, by string) error {
	r, state, _, err := c.state(ctx, "acknowledge", ref)
	if err != nil {
		return err
	}
	if state.Ended() {
		return c.fail(r, adapters.Conflict, fmt.Errorf("the ticket is %s", state))
	}
	values := map[string]any{}
	if state != adapters.StateAcknowledged {
		values["state"], _ = c.config.States.Theirs(adapters.StateAcknowledged)
	}
	if by != "" {
		if values["assigned_to"], err = c.user(ctx, r, by); err != nil {
			return err
		}
	}
	if len(values) == 0 {
		return nil
	}
	_, err = c.write(ctx, r, ref.Type, ref.ID, values, nil)
	return err
}

// Resolve sets the state to Resolved with close notes and a close code. A ticket
// that has ended stays as it is.
func (c *Client) Resolve(ctx context.Context, ref adapters.Ref, res adapters.Resolution) error {
	r, state, _, err := c.state(ctx, "resolve", ref)
	if err != nil || state.Ended() {
		return err
	}
	values := map[string]any{}
	c.resolution(values, res)
	_, err = c.write(ctx, r, ref.Type, ref.ID, values, nil)
	return err
}

func (c *Client) resolution(values map[string]any, res adapters.Resolution) {
	values["state"], _ = c.config.States.Theirs(adapters.StateResolved)
	values["close_code"] = res.Code
	if res.Code == "" {
		values["close_code"] = c.config.CloseCode
	}
	notes := res.Text
	if strings.TrimSpace(notes) == "" {
		notes = "Resolved" // both are mandatory in a baseline instance
	}
	values["close_notes"], _ = adapters.Cut(defuse(notes), c.config.Lengths["close_notes"])
}

// Close sets the state to Closed, which needs the role itil_admin, and which ends
// the ticket for good: it is followed rather than opened again. A ticket that is not
// resolved is closed with the resolution; one that is canceled is a
// [adapters.Conflict].
func (c *Client) Close(ctx context.Context, ref adapters.Ref, res adapters.Resolution) error {
	return c.end(ctx, "close", ref, adapters.StateClosed, res)
}

// Cancel sets the state to Canceled; the text of the resolution is the reason. A ticket that has ended
// otherwise is a [adapters.Conflict].
func (c *Client) Cancel(ctx context.Context, ref adapters.Ref, res adapters.Resolution) error {
	return c.end(ctx, "cancel", ref, adapters.StateCancelled, adapters.Resolution{Text: res.Text})
}

func (c *Client) end(ctx context.Context, op string, ref adapters.Ref, want adapters.State, res adapters.Resolution) error {
	r, state, _, err := c.state(ctx, op, ref)
	switch {
	case err != nil || state == want:
		return err
	case state.Rank() == want.Rank() || state == adapters.StateResolved && want == adapters.StateCancelled:
		return c.fail(r, adapters.Conflict, fmt.Errorf("the ticket is %s", state))
	}
	values := map[string]any{}
	if state != adapters.StateResolved {
		c.resolution(values, res)
	}
	values["state"], _ = c.config.States.Theirs(want)
	_, err = c.write(ctx, r, ref.Type, ref.ID, values, nil)
	return err
}

// Hold sets the state to On Hold with the reason that Config.HoldReasons has for
// the words, or else with Config.HoldReason and the words as a work note. For the
// reason "caller" the instance wants a comment for the caller, which is public. The
// end goes into follow_up; the instance does not end the hold by itself.
func (c *Client) Hold(ctx context.Context, ref adapters.Ref, h adapters.Hold) error {
	r, state, row, err := c.state(ctx, "hold", ref)
	if err != nil {
		return err
	}
	if state.Ended() {
		return c.fail(r, adapters.Conflict, fmt.Errorf("the ticket is %s", state))
	}
	onHold, _ := c.config.States.Theirs(adapters.StateOnHold)
	reason, err := c.config.HoldReasons.Theirs(h.Reason)
	free := err != nil
	if free {
		reason, _ = c.config.HoldReasons.Theirs(c.config.HoldReason)
	}
	until := FormatTime(h.Until)
	held := func(row Record) bool {
		return row["state"] == onHold && row["hold_reason"] == reason && row["follow_up"] == until
	}
	if held(row) {
		return nil
	}
	values := map[string]any{"state": onHold, "hold_reason": reason, "follow_up": until}
	if caller, err := c.config.HoldReasons.Theirs("caller"); err == nil && reason == caller {
		values["comments"] = "On hold: we wait for your answer."
	}
	if free && strings.TrimSpace(h.Reason) != "" {
		values["work_notes"] = defuse(h.Reason)
	}
	return c.change(ctx, r, ref, values, held)
}

var stateColumns = []string{
	"number", "state", "hold_reason", "follow_up", "resolved_at", "correlation_display", "sys_mod_count", "parent_incident",
}

// state reads where a ticket stands.
func (c *Client) state(ctx context.Context, op string, ref adapters.Ref) (request, adapters.State, Record, error) {
	r, err := c.on(op, ref, c.config.Table)
	if err != nil {
		return r, "", nil, err
	}
	row, err := c.row(ctx, r, ref.Type, ref.ID, stateColumns)
	if err != nil {
		return r, "", nil, err
	}
	if err := c.sameTenant(r, ref, row); err != nil {
		return r, "", nil, err
	}
	state, err := c.config.States.Ours(row["state"])
	if err != nil {
		return r, "", nil, c.fail(r, adapters.BadResponse, fmt.Errorf("state: %w", err))
	}
	return r, state, row, nil
}

// change writes columns among which may be a journal, to which the instance appends
// each time; so it is not repeated before a look at the row.
func (c *Client) change(ctx context.Context, r request, ref adapters.Ref, values map[string]any, applied func(Record) bool) error {
	r.once = values["work_notes"] != nil || values["comments"] != nil
	return c.settle(ctx, func() error {
		_, err := c.write(ctx, r, ref.Type, ref.ID, values, nil)
		return err
	}, func() (bool, error) {
		row, err := c.row(ctx, r, ref.Type, ref.ID, stateColumns)
		return err == nil && applied(row), err
	})
}

// Reopen takes a ticket that was resolved within Config.ReopenWindow back to In
// Progress, with the reason as a work note. One that was resolved earlier, closed or
// canceled is followed by a new ticket, whose parent_incident it is, and the same
// one each time. A ticket that has not ended stays as it is.
func (c *Client) Reopen(ctx context.Context, ref adapters.Ref, reason string) (adapters.Ref, error) {
	r, state, row, err := c.state(ctx, "reopen", ref)
	if err != nil || !state.Ended() {
		return ref, err
	}
	at, err := ParseTime(row["resolved_at"])
	if err != nil {
		return ref, c.fail(r, adapters.BadResponse, err)
	}
	if state == adapters.StateResolved && !at.IsZero() && c.config.Now().Sub(at) <= c.config.ReopenWindow {
		working, _ := c.config.States.Theirs(adapters.StateAcknowledged)
		values := map[string]any{"state": working}
		if strings.TrimSpace(reason) != "" {
			values["work_notes"] = defuse(reason)
		}
		return ref, c.change(ctx, r, ref, values, func(row Record) bool { return row["state"] == working })
	}
	old, err := c.row(ctx, r, ref.Type, ref.ID, c.ticketColumns())
	if err != nil {
		return ref, err
	}
	before, err := c.ticket(r, ref.Type, old)
	if err != nil {
		return ref, err
	}
	text := "Follows " + old["number"] + "."
	if reason != "" {
		text += "\n\n" + reason
	}
	return c.Open(ctx, adapters.Ticket{
		Key: adapters.Key{Tenant: ref.Tenant, Incident: ref.ID, Step: "reopen", Target: provider}.String(), Tenant: ref.Tenant,
		Title: before.Title, Text: text + "\n\n" + before.Text, Severity: before.Severity, Target: before.Target,
		Fields: map[string]any{"parent_incident": ref.ID},
	})
}

// groupPrefix marks an assignee that is a group.
const groupPrefix = "group:"

// Assign gives a ticket to a user, by user_name, mail address or sys_id, or with
// "group:" before its name or sys_id to a group, which takes it from whoever has it.
func (c *Client) Assign(ctx context.Context, ref adapters.Ref, assignee string) error {
	r, err := c.on("assign", ref)
	if err != nil {
		return err
	}
	return c.assign(ctx, r, ref, assignee)
}

func (c *Client) assign(ctx context.Context, r request, ref adapters.Ref, assignee string) error {
	values := map[string]any{}
	err := c.own(ctx, r, ref)
	if err != nil {
		return err
	}
	if group, ok := strings.CutPrefix(assignee, groupPrefix); ok {
		values["assigned_to"] = ""
		values["assignment_group"], err = c.group(ctx, r, group)
	} else {
		values["assigned_to"], err = c.user(ctx, r, assignee)
	}
	if err != nil {
		return err
	}
	_, err = c.write(ctx, r, ref.Type, ref.ID, values, nil)
	return err
}

// Escalate gives a ticket to the group of a level, from 1.
func (c *Client) Escalate(ctx context.Context, ref adapters.Ref, level int) error {
	r, err := c.on("escalate", ref)
	if err != nil {
		return err
	}
	if len(c.config.Levels) == 0 {
		return c.fail(r, adapters.Unsupported, errors.New("there are no Levels"))
	}
	if level < 1 || level > len(c.config.Levels) {
		return c.fail(r, adapters.Invalid, fmt.Errorf("level %d, want 1 to %d", level, len(c.config.Levels)))
	}
	return c.assign(ctx, r, ref, groupPrefix+c.config.Levels[level-1])
}

// linkColumns are the columns of the plainest relation to a row of a table.
var linkColumns = map[string]string{"incident": "parent_incident", "problem": "problem_id", "change_request": "rfc"}

// Link writes a reference from one row to another into the column that the relation
// names: "parent", "problem_id", "caused_by", or any other reference column. Without
// a relation it is parent_incident, problem_id or rfc by the table of to, else
// parent.
func (c *Client) Link(ctx context.Context, from, to adapters.Ref, relation string) error {
	r, err := c.on("link", from)
	if err != nil {
		return err
	}
	if _, err := c.on("link", to); err != nil {
		return err
	}
	if relation == "" {
		relation = "parent"
		if column := linkColumns[to.Type]; column != "" {
			relation = column
		}
	}
	if owner, own := ownColumns[relation]; own || !isColumn(relation) || strings.Contains(relation, ".") {
		return c.fail(r, adapters.Invalid, fmt.Errorf("relation %q: want a reference column, %s", relation, owner))
	}
	for _, ref := range []adapters.Ref{from, to} {
		if err := c.own(ctx, r, ref); err != nil {
			return err
		}
	}
	row, err := c.write(ctx, r, from.Type, from.ID, map[string]any{relation: to.ID}, []string{relation})
	if err == nil && row[relation] != to.ID {
		err = c.fail(r, adapters.Invalid, fmt.Errorf("the instance did not keep %s.%s; it may not exist", from.Type, relation))
	}
	return err
}

// Merge resolves tickets as duplicates of one, which becomes their
// parent_incident. It may be called again after an error.
func (c *Client) Merge(ctx context.Context, into adapters.Ref, from ...adapters.Ref) error {
	r, target, row, err := c.state(ctx, "merge", into)
	if err != nil {
		return err
	}
	if target.Ended() {
		return c.fail(r, adapters.Conflict, fmt.Errorf("the ticket to merge into is %s", target))
	}
	for _, ref := range from {
		if ref.ID == into.ID {
			return c.fail(r, adapters.Invalid, errors.New("a ticket cannot be merged into itself"))
		}
		if ref.Tenant != into.Tenant {
			return c.fail(r, adapters.Invalid, errors.New("tickets of two tenants cannot be merged"))
		}
		r, state, _, err := c.state(ctx, "merge", ref)
		if err != nil {
			return err
		}
		values := map[string]any{"parent_incident": into.ID}
		if !state.Ended() {
			c.resolution(values, adapters.Resolution{Text: "Duplicate of " + row["number"], Code: c.config.DuplicateCode})
		}
		if _, err := c.write(ctx, r, ref.Type, ref.ID, values, nil); err != nil {
			return err
		}
	}
	return nil
}
