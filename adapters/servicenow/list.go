package servicenow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// The columns by which lists are walked, besides sys_id.
const (
	createdOn = "sys_created_on"
	updatedOn = "sys_updated_on"
)

// Row is a record of a list and the cursor from which the list goes on behind it.
type Row struct {
	Record Record
	Cursor string
}

// Records lists the rows of any table that a query finds, in the order in which
// they were created, each once however many are of one second and whatever changes
// meanwhile. A cursor of "" begins, that of a row goes on behind it. An order of the
// query is refused, and so is one with lists that are too long for an address: see
// [Query.Split]. Cost: one request for each Config.PageSize rows.
func (c *Client) Records(ctx context.Context, table string, q Query, columns []string, cursor string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		r := request{op: "records"}
		from, err := parsePlace(cursor)
		if err == nil && len(q.Order) > 0 {
			err = errors.New("query with an order, want none")
		}
		for _, column := range append([]string{table}, columns...) {
			if err == nil && !isColumn(column) {
				err = fmt.Errorf("table or column %q: want a-z, 0-9, _ and dots between", column)
			}
		}
		if err != nil {
			yield(Row{}, c.fail(r, adapters.Invalid, err))
			return
		}
		for row, err := range c.walk(ctx, r, table, q, columns, createdOn, from) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !yield(Row{row, placeOf(row, createdOn).String()}, nil) {
				return
			}
		}
	}
}

// Export lists tickets that were created in [from, until), by the second, oldest
// first, each once.
func (c *Client) Export(ctx context.Context, from, until time.Time, cursor string) iter.Seq2[adapters.Exported, error] {
	q := Query{}
	if !from.IsZero() {
		q = q.And(createdOn, GreaterOrEqual, FormatTime(ceil(from)))
	}
	if !until.IsZero() {
		q = q.And(createdOn, Less, FormatTime(ceil(until)))
	}
	inside := func(row Record) bool {
		return (from.IsZero() || row[createdOn] >= FormatTime(ceil(from))) && (until.IsZero() || row[createdOn] < FormatTime(ceil(until)))
	}
	return c.tickets(ctx, request{op: "export"}, q, createdOn, cursor, 0, inside)
}

// Changes lists tickets that changed since a cursor, oldest change first, up to the
// latest there is. It goes back Config.Overlap behind the cursor, so that the last
// ones may come again: a ticket whose Ref.Version is known is known. A cursor of ""
// begins now, and is listed without a ticket if nothing else is; that of [CursorAt]
// begins at an instant. Keep the last that came.
func (c *Client) Changes(ctx context.Context, cursor string) iter.Seq2[adapters.Exported, error] {
	since := func(cursor string) iter.Seq2[adapters.Exported, error] {
		return c.tickets(ctx, request{op: "changes"}, Query{}, updatedOn, cursor, c.config.Overlap, func(Record) bool { return true })
	}
	if cursor != "" {
		return since(cursor)
	}
	return func(yield func(adapters.Exported, error) bool) {
		now := CursorAt(c.config.Now())
		for e, err := range since(now) {
			now = ""
			if !yield(e, err) {
				return
			}
		}
		if now != "" {
			yield(adapters.Exported{Cursor: now}, nil)
		}
	}
}

// CursorAt begins a list of changes at an instant, by the second.
func CursorAt(at time.Time) string { return place{at: FormatTime(at)}.String() }

func (c *Client) tickets(ctx context.Context, r request, q Query, by, cursor string, overlap time.Duration, inside func(Record) bool) iter.Seq2[adapters.Exported, error] {
	return func(yield func(adapters.Exported, error) bool) {
		from, err := parsePlace(cursor)
		if err != nil {
			yield(adapters.Exported{}, c.fail(r, adapters.Invalid, err))
			return
		}
		if overlap > 0 {
			from = from.back(overlap)
		}
		for row, err := range c.walk(ctx, r, c.config.Table, q, c.ticketColumns(), by, from) {
			if err == nil && !inside(row) {
				err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query and answered with other rows"))
			}
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			t, err := c.ticket(r, c.config.Table, row)
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			if !yield(adapters.Exported{Ticket: t, Cursor: placeOf(row, by).String()}, nil) {
				return
			}
		}
	}
}

// ceil is the first second that is not before an instant.
func ceil(at time.Time) time.Time {
	second := at.Truncate(time.Second)
	if second.Before(at) {
		second = second.Add(time.Second)
	}
	return second
}

// place is where a walk stands: behind the row of this instant and sys_id. Without
// an instant it is by sys_id alone.
type place struct{ at, id string }

func placeOf(row Record, by string) place { return place{row[by], row["sys_id"]} }

// String returns the cursor that parsePlace reads.
func (p place) String() string { return p.at + "/" + p.id }

func (p place) less(o place) bool { return p.at < o.at || p.at == o.at && p.id < o.id }

func (p place) back(d time.Duration) place {
	at, err := ParseTime(p.at)
	if err != nil || at.IsZero() {
		return p
	}
	return place{at: FormatTime(at.Add(-d))}
}

func parsePlace(cursor string) (place, error) {
	if cursor == "" {
		return place{}, nil
	}
	at, id, ok := strings.Cut(cursor, "/")
	if !ok {
		return place{}, fmt.Errorf("cursor %q: want one that came with a row", cursor)
	}
	if _, err := ParseTime(at); err != nil {
		return place{}, fmt.Errorf("cursor %q: %w", cursor, err)
	}
	if id != "" {
		if err := checkID(id); err != nil {
			return place{}, fmt.Errorf("cursor %q: %w", cursor, err)
		}
	}
	return place{at, id}, nil
}

// behind limits a query to what lies behind a place, in the order of a walk.
func behind(q Query, by string, p place) Query {
	out := q
	switch {
	case p == place{}:
	case by == "":
		out = q.And("sys_id", Greater, p.id)
	case p.id == "":
		out = q.And(by, GreaterOrEqual, p.at)
	default:
		// Later, or of the same instant and behind in sys_id: as a product of sums it is
		// half as long as the union of the two.
		out = q.And(by, GreaterOrEqual, p.at).And(by, Greater, p.at).Or("sys_id", Greater, p.id)
	}
	if by != "" {
		out = out.OrderBy(by)
	}
	return out.OrderBy("sys_id")
}

// walk lists rows by an instant and sys_id, or without one by sys_id alone. Each
// page asks for what lies behind the last row that was seen, because an offset over
// a table that changes loses rows, and so does an instant alone when several rows are
// of one second. The limit counts rows that the user may not see, so a short page is
// not the end, and an empty one is passed by an offset inside the window: by nine
// tenths of a page, as rows before it may move away meanwhile. The end is where the
// instance names no next page.
//
// A row that does not lie behind the one before it means that the instance has
// ignored a part of the query, which is an error.
func (c *Client) walk(ctx context.Context, r request, table string, q Query, columns []string, by string, from place) iter.Seq2[Record, error] {
	columns = append(slices.Clone(columns), "sys_id")
	if by != "" {
		columns = append(columns, by)
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	return func(yield func(Record, error) bool) {
		offset, size := 0, c.config.PageSize
		for {
			rows, more, err := c.page(ctx, r, table, behind(q, by, from), columns, size, offset)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range rows {
				at := place{id: row["sys_id"]}
				if by != "" {
					at.at = row[by]
				}
				if at.id == "" || !from.less(at) {
					yield(nil, c.fail(r, adapters.BadResponse, errors.New("the instance ignored a part of the query and answered with rows that were not asked for")))
					return
				}
				if !yield(row, nil) {
					return
				}
				from = at
			}
			switch {
			case !more:
				return
			case len(rows) == 0:
				offset += max(size*9/10, 1)
			default:
				offset = 0
			}
		}
	}
}
