package servicenow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// displayPrefix stands before the tenant in correlation_display.
const displayPrefix = "evenkeel/"

// maxCorrelation is the length of correlation_id and correlation_display of table
// task.
const maxCorrelation = 100

func tenantOf(display string) string {
	tenant, _ := strings.CutPrefix(display, displayPrefix)
	if tenant == display {
		return ""
	}
	return tenant
}

// keyColumns are what is read of a row that is looked up by its key.
var keyColumns = []string{"sys_id", "number", "state", "sys_mod_count", "sys_created_on"}

// Open opens a ticket, or returns the one that has its key.
//
// The key is the ticket's correlation_id and the tenant its correlation_display.
// Open looks for them, creates the row, and looks again: of two rows that other
// processes have made at once the one created first stays (of one second, the one
// with the lower number), and the other is resolved as its duplicate. After an
// outcome that is not known it looks before it tries again. After a 503 that is not in
// the form of the API, which is of a balancer, it tries again at once and looks when a
// row is made: should the balancer have been wrong, there are rows that are resolved as
// duplicates. No look finds a row that an instance makes later than that; with
// Config.Staging, where the instance does all that in one request, there is none.
//
// Links are written below the text. A title or text that is longer than its column
// is cut, and the whole is attached as a file; [Config].Notices tells. The severity
// is written as impact and urgency and the priority that the instance derives from
// them is compared. If only attaching has failed, the reference comes with the error;
// opening the ticket again attaches what is missing.
func (c *Client) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	r := request{op: "open", tenant: t.Tenant}
	draft, err := c.draft(ctx, r, t)
	if err != nil {
		return adapters.Ref{}, err
	}
	if c.config.Ledger != nil {
		entry, _, err := c.config.Ledger.Intend(ctx, t.Tenant, t.Key, c.config.Now())
		if err != nil {
			return adapters.Ref{}, c.fail(r, adapters.Unavailable, fmt.Errorf("ledger: %w", err))
		}
		if entry.Settled() {
			return entry.Ref, nil
		}
	}
	row, fresh, err := c.create(ctx, r, c.config.Table, keys(t.Tenant, t.Key), draft.values)
	if err != nil {
		return adapters.Ref{}, err
	}
	ref := c.ref(c.config.Table, row)
	ref.Tenant = t.Tenant
	if fresh {
		draft.report(ctx, c, ref, row)
	}
	if err := c.attachWhole(ctx, r, ref, draft.whole); err != nil {
		return ref, err
	}
	if c.config.Ledger != nil {
		if err := c.config.Ledger.Settle(ctx, t.Tenant, t.Key, ref); err != nil {
			return ref, c.fail(r, adapters.Unavailable, fmt.Errorf("ledger: %w", err))
		}
	}
	return ref, nil
}

// Find looks a ticket up by the key under which it was opened.
func (c *Client) Find(ctx context.Context, tenant, ticketKey string) (adapters.Ref, error) {
	r := request{op: "find", tenant: tenant}
	rows, err := c.twins(ctx, r, c.config.Table, keys(tenant, ticketKey))
	if err != nil {
		return adapters.Ref{}, err
	}
	if len(rows) == 0 {
		return adapters.Ref{}, c.fail(r, adapters.NotFound, errors.New("no ticket of this key"))
	}
	ref := c.ref(c.config.Table, rows[0])
	ref.Tenant = tenant
	return ref, nil
}

func keys(tenant, ticketKey string) []key {
	return []key{{"correlation_id", ticketKey}, {"correlation_display", displayPrefix + tenant}}
}

// twins returns the rows of a key, at most two, the one that stays first.
func (c *Client) twins(ctx context.Context, r request, table string, of []key) ([]Record, error) {
	return c.twinsFrom(ctx, r, 0, table, of)
}

// twinsFrom is twins behind a number of rows.
func (c *Client) twinsFrom(ctx context.Context, r request, offset int, table string, of []key) ([]Record, error) {
	return c.lookUpFrom(ctx, r, offset, table, of, keyColumns, "sys_created_on", "number", "sys_id")
}

// create makes a row of a key unless there is one. Fresh tells whether the row is
// its own, with the priority that the instance gave it.
func (c *Client) create(ctx context.Context, r request, table string, of []key, values map[string]any) (row Record, fresh bool, err error) {
	for _, k := range of {
		values[k.column] = k.value
	}
	look := func() (bool, error) {
		rows, err := c.twins(ctx, r, table, of)
		if err != nil || len(rows) == 0 {
			return false, err
		}
		row, fresh = rows[0], row != nil && row["sys_id"] == rows[0]["sys_id"]
		if len(rows) > 1 {
			return true, c.endDuplicates(ctx, r, table, of, rows)
		}
		return true, nil
	}
	if found, err := look(); err != nil || found {
		return row, false, err
	}
	if c.config.Staging != "" && table == c.config.Table {
		row, err = c.importRow(ctx, r, values)
		return row, err == nil, err
	}
	var created Record
	err = c.settle(ctx, func() error {
		post := r
		post.once, post.ended = true, table == c.config.Table
		var err error
		created, err = c.write(ctx, post, table, "", values, append(slices.Clone(keyColumns), "priority", "correlation_id", "correlation_display"))
		return err
	}, look)
	if err != nil || created == nil {
		return row, false, err
	}
	for _, k := range of {
		if created[k.column] != k.value {
			return nil, false, c.fail(r, adapters.BadResponse, fmt.Errorf("the instance did not keep %s, so the ticket %s cannot be found by its key; the user may lack the right to write the column", k.column, created["number"]))
		}
	}
	row = created
	if _, err := look(); err != nil {
		return nil, false, err
	}
	if fresh {
		row = created
	}
	return row, fresh, nil
}

// endDuplicates resolves the rows of one key but the first, of which there are as many
// as tries whose answer was wrong.
func (c *Client) endDuplicates(ctx context.Context, r request, table string, of []key, rows []Record) (err error) {
	if table != c.config.Table {
		return nil // states of other tables are their own; all rows name the key
	}
	kept, others := rows[0], rows[1:]
	for seen := len(rows); len(others) > 0; seen += len(others) {
		for _, other := range others {
			if err := c.endDuplicate(ctx, r, table, kept, other); err != nil {
				return err
			}
		}
		if others, err = c.twinsFrom(ctx, r, seen, table, of); err != nil {
			return err
		}
	}
	return nil
}

// endDuplicate resolves a younger row of a key, unless it has ended.
func (c *Client) endDuplicate(ctx context.Context, r request, table string, kept, other Record) error {
	state, err := c.config.States.Ours(other["state"])
	if err == nil && state.Ended() {
		return nil
	}
	values := map[string]any{"parent_incident": kept["sys_id"]}
	c.resolution(values, adapters.Resolution{Text: "Duplicate of " + kept["number"], Code: c.config.DuplicateCode})
	if _, err := c.write(ctx, r, table, other["sys_id"], values, keyColumns); err != nil {
		return err
	}
	c.notice(ctx, Notice{Ref: c.ref(table, kept), Kind: NoticeDuplicate, Value: other["number"]})
	return nil
}

// importRow makes a row through an import set whose transform map coalesces on
// correlation_id, which is safe to repeat.
// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_ImportSetAPI.html
func (c *Client) importRow(ctx context.Context, r request, values map[string]any) (Record, error) {
	r.method, r.path, r.body = "POST", "api/now/import/"+c.config.Staging, values
	var answer imported
	if _, err := c.do(ctx, r, &answer); err != nil {
		return nil, err
	}
	id, err := answer.id(c.config.Table)
	if err != nil {
		return nil, c.fail(r, adapters.Invalid, err)
	}
	return c.row(ctx, r, c.config.Table, id, append(slices.Clone(keyColumns), "priority", "correlation_display"))
}

// imported is what an import set says of the rows it was given.
type imported struct {
	Result []struct {
		Table  string `json:"table"`
		Status string `json:"status"`
		ID     string `json:"sys_id"`
		Error  string `json:"error_message"`
	} `json:"result"`
}

func (i imported) id(table string) (string, error) {
	for _, row := range i.Result {
		switch {
		case row.Table != table:
		case (row.Status == "inserted" || row.Status == "updated" || row.Status == "ignored") && row.ID != "":
			return row.ID, nil
		default:
			return "", fmt.Errorf("import set: status %q: %s", row.Status, cmp.Or(row.Error, "no row was made"))
		}
	}
	return "", fmt.Errorf("import set: no transform map into table %s", table)
}

// draft is a ticket in the columns of its table.
type draft struct {
	values   map[string]any
	severity incident.Severity
	whole    []adapters.Attachment // of texts that were cut
	cuts     []Notice
}

// ownColumns are set by Open and Update from fields of their own, or belong to the
// instance, so that Fields must not name them.
var ownColumns = map[string]string{
	"short_description": "Title", "description": "Text", "impact": "Severity", "urgency": "Severity",
	"priority": "Severity, from which it is derived", "correlation_id": "Key", "correlation_display": "Tenant",
	"assignment_group": "Target", "assigned_to": "Assignee", "state": "the methods for states",
	"work_notes": "Note", "comments": "Note or Publish", "sys_id": "nothing", "number": "nothing",
}

func (c *Client) draft(ctx context.Context, r request, t adapters.Ticket) (draft, error) {
	d := draft{values: map[string]any{}, severity: t.Severity}
	invalid := func(format string, args ...any) (draft, error) {
		return draft{}, c.fail(r, adapters.Invalid, fmt.Errorf(format, args...))
	}
	switch {
	case t.Key == "" || len(t.Key) > maxCorrelation:
		return invalid("ticket: Key of %d bytes, want 1 to %d", len(t.Key), maxCorrelation)
	case len(displayPrefix)+len(t.Tenant) > maxCorrelation:
		return invalid("ticket: Tenant of %d bytes, want at most %d", len(t.Tenant), maxCorrelation-len(displayPrefix))
	case strings.TrimSpace(t.Title) == "":
		return invalid("ticket: no Title")
	}
	if !d.severity.IsSet() {
		d.severity = c.config.DefaultSeverity
	}
	switch t.State {
	case "", adapters.StateNew:
	case adapters.StateAcknowledged:
		d.values["state"], _ = c.config.States.Theirs(t.State) // there is one; see Config.check
	default:
		return invalid("ticket: State %q, want new or acknowledged to open", t.State)
	}
	text := t.Text
	for i, link := range t.Links {
		if i == 0 && text != "" {
			text += "\n\n"
		}
		text += strings.TrimPrefix(link.Text+": "+link.URL, ": ") + "\n"
	}
	labels := &t.Labels
	if len(t.Labels) == 0 {
		labels = nil
	}
	if err := c.fill(&d, r, adapters.Patch{Title: &t.Title, Text: &text, Severity: &d.severity, Labels: labels, Fields: t.Fields}); err != nil {
		return draft{}, err
	}
	var err error
	if group := cmp.Or(t.Target, c.config.Group); group != "" {
		if d.values["assignment_group"], err = c.group(ctx, r, group); err != nil {
			return draft{}, err
		}
	}
	if t.Assignee != "" {
		if d.values["assigned_to"], err = c.user(ctx, r, t.Assignee); err != nil {
			return draft{}, err
		}
	}
	return d, nil
}

// fill writes a patch into columns.
func (c *Client) fill(d *draft, r request, p adapters.Patch) error {
	if p.Text != nil {
		d.text(c, "description", *p.Text)
	}
	if p.Title != nil {
		d.text(c, "short_description", strings.Join(strings.Fields(*p.Title), " "))
	}
	if p.Severity != nil {
		d.severity = *p.Severity
		level, err := c.config.Severities.Theirs(*p.Severity)
		if err != nil {
			return c.fail(r, adapters.Invalid, fmt.Errorf("severity: %w", err))
		}
		d.values["impact"], d.values["urgency"] = level.Impact, level.Urgency
	}
	if p.Labels != nil {
		if c.config.LabelsColumn == "" {
			return c.fail(r, adapters.Unsupported, errors.New("labels: there is no LabelsColumn"))
		}
		for _, label := range *p.Labels {
			if strings.Contains(label, ",") {
				return c.fail(r, adapters.Invalid, fmt.Errorf("label %q: want none with a comma", label))
			}
		}
		d.values[c.config.LabelsColumn] = strings.Join(*p.Labels, ",")
	}
	for column, value := range p.Fields {
		owner, own := ownColumns[column]
		switch {
		case own:
			return c.fail(r, adapters.Invalid, fmt.Errorf("field %q: want %s for that", column, owner))
		case !isColumn(column) || strings.Contains(column, "."):
			return c.fail(r, adapters.Invalid, fmt.Errorf("field %q: not a column, want a-z, 0-9 and _", column))
		}
		switch v := value.(type) {
		case nil:
			d.values[column] = ""
		case string:
			d.values[column] = v
		case bool:
			d.values[column] = strconv.FormatBool(v)
		case int, int64, float64:
			d.values[column] = fmt.Sprint(v)
		default:
			return c.fail(r, adapters.Invalid, fmt.Errorf("field %q: %T, want a text, a number or a boolean", column, value))
		}
	}
	return nil
}

// text writes a text into its column, cut to its length.
func (d *draft) text(c *Client, column, text string) {
	short, lost := adapters.Cut(text, c.config.Lengths[column])
	d.values[column] = short
	if lost > 0 {
		d.cuts = append(d.cuts, Notice{Kind: NoticeCut, Column: column, Lost: lost})
		sum := sha256.Sum256([]byte(text))
		d.whole = append(d.whole, adapters.Attachment{
			Name: column + "-" + hex.EncodeToString(sum[:4]) + ".txt", ContentType: "text/plain; charset=utf-8", Content: []byte(text),
		})
	}
}

// report tells of what was cut and of a priority that differs.
func (d *draft) report(ctx context.Context, c *Client, ref adapters.Ref, row Record) {
	for _, n := range d.cuts {
		n.Ref = ref
		c.notice(ctx, n)
	}
	if _, set := d.values["impact"]; !set {
		return
	}
	if got, err := c.config.Priorities.Ours(row["priority"]); err != nil || got != d.severity {
		c.notice(ctx, Notice{Ref: ref, Kind: NoticePriority, Column: "priority", Want: d.severity.String(), Value: row["priority"]})
	}
}

func (c *Client) attachWhole(ctx context.Context, r request, ref adapters.Ref, whole []adapters.Attachment) error {
	for _, a := range whole {
		if err := c.attach(ctx, r, ref, a); err != nil {
			return err
		}
	}
	return nil
}

// group returns the sys_id of a group that is named by it or by its name.
func (c *Client) group(ctx context.Context, r request, name string) (string, error) {
	return c.named(ctx, r, "sys_user_group", "name", name)
}

// user returns the sys_id of a user who is named by it, by user_name or by mail
// address.
func (c *Client) user(ctx context.Context, r request, name string) (string, error) {
	column := "user_name"
	if strings.Contains(name, "@") {
		column = "email"
	}
	return c.named(ctx, r, "sys_user", column, name)
}

func (c *Client) named(ctx context.Context, r request, table, column, name string) (string, error) {
	if isSysID(name) {
		return name, nil
	}
	rows, err := c.lookUp(ctx, r, table, []key{{column, name}}, []string{"sys_id"})
	switch {
	case err != nil:
		return "", err
	case len(rows) == 0:
		return "", c.fail(r, adapters.Invalid, fmt.Errorf("no %s with %s %q", table, column, name))
	case len(rows) > 1:
		return "", c.fail(r, adapters.Invalid, fmt.Errorf("several %s with %s %q, want a sys_id", table, column, name))
	}
	return rows[0]["sys_id"], nil
}
