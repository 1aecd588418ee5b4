package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

var (
	_ adapters.Exporter = (*Client)(nil)
	_ adapters.Watcher  = (*Client)(nil)
)

// The limits of lists: offset and limit add up to 10,000 at most, and a list of
// incidents covers six months at most.
// https://developer.pagerduty.com/docs/pagination
const (
	maxListed = 10_000
	maxWindow = 30 * 24 * time.Hour
	minWindow = time.Second
	// enough is how many elements are read at once where time can be divided, so that
	// memory does not grow with a list.
	enough = 2_000
	// overlap is what a request asks for beyond both ends of a window: it is not said
	// whether since and until belong to it. What was not meant is left out again.
	overlap = time.Second
)

// timed says how the elements of a list stand in time.
type timed[T any] struct {
	at func(T) time.Time
	id func(T) string
	// less breaks ties of one instant.
	less func(a, b T) int
}

// span is [from, until).
type span struct{ from, until time.Time }

// windows yields the elements of a list in [from, until), in order, each once. A
// window with too many is halved, down to a second; one second with too many is an
// error that names it.
func windows[T any](ctx context.Context, c *Client, r request, key string, whole span, how timed[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		todo := []span{whole} // the next one last
		for len(todo) > 0 {
			w := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !w.from.Before(w.until) {
				continue
			}
			elements, tooMany, err := readWindow(ctx, c, r, key, w, how)
			if err != nil {
				yield(none, err)
				return
			}
			if tooMany {
				middle := w.from.Add(min(max((w.until.Sub(w.from)/2).Truncate(time.Second), minWindow), maxWindow))
				todo = append(todo, span{middle, w.until}, span{w.from, middle})
				continue
			}
			for _, e := range elements {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// readWindow reads a window, or reports that it has to be divided.
func readWindow[T any](ctx context.Context, c *Client, r request, key string, w span, how timed[T]) (elements []T, tooMany bool, err error) {
	divisible := w.until.Sub(w.from) > minWindow
	if divisible && w.until.Sub(w.from) > maxWindow {
		return nil, true, nil
	}
	query := url.Values{}
	maps.Copy(query, r.query)
	query.Set("since", w.from.Add(-overlap).UTC().Format(time.RFC3339))
	query.Set("until", w.until.Add(overlap).UTC().Format(time.RFC3339))
	r.query = query
	seen := map[string]bool{}
	for offset := 0; ; offset += maxPage {
		page, more, total, err := readPage[T](ctx, c, r, key, offset, offset == 0)
		switch {
		case isBeyond(err), err == nil && (total > maxListed || more && offset+maxPage >= maxListed):
			if divisible {
				return nil, true, nil
			}
			return nil, false, &adapters.Error{Provider: provider, Op: r.op, Tenant: r.tenant, Kind: adapters.TooLarge, Err: cmp.Or(err, fmt.Errorf(
				"more than %d %s around [%s, %s), which cannot be listed", maxListed, key, timestamp(w.from), timestamp(w.until)))}
		case err != nil:
			return nil, false, err
		case total > enough && divisible:
			return nil, true, nil
		}
		for _, e := range page {
			at, id := how.at(e), how.id(e)
			if seen[id] || at.Before(w.from) || !at.Before(w.until) {
				continue
			}
			seen[id] = true
			elements = append(elements, e)
		}
		if !more || len(page) == 0 {
			break
		}
	}
	slices.SortFunc(elements, func(a, b T) int { return cmp.Or(how.at(a).Compare(how.at(b)), how.less(a, b)) })
	return elements, false, nil
}

// Export yields the incidents that were created in [from, until), in the order of
// their creation, each once, however many there are: a list of PagerDuty ends at
// 10,000, so time is halved where there are more. More than 10,000 within three
// seconds are an error of kind [adapters.TooLarge], which names them; nothing is
// left out.
//
// A cursor goes on behind its incident, in this process or another. until must not
// lie in the future: what is created meanwhile may be missed.
func (c *Client) Export(ctx context.Context, from, until time.Time, cursor string) iter.Seq2[adapters.Exported, error] {
	const op = "export"
	return func(yield func(adapters.Exported, error) bool) {
		after, number, err := parseCursor(cursor)
		if err != nil {
			yield(adapters.Exported{}, refuse(op, c.config.Tenant, adapters.Invalid, "%w", err))
			return
		}
		if after.After(from) {
			from = after
		}
		r := request{op: op, tenant: c.config.Tenant, path: "/incidents", query: url.Values{"sort_by": {"created_at:asc"}}}
		how := timed[incidentRead]{
			at:   func(i incidentRead) time.Time { return i.CreatedAt },
			id:   func(i incidentRead) string { return i.ID },
			less: func(a, b incidentRead) int { return cmp.Compare(a.Number, b.Number) },
		}
		for i, err := range windows(ctx, c, r, "incidents", span{from, until}, how) {
			var t adapters.Ticket
			if err == nil {
				if i.CreatedAt.Equal(after) && i.Number <= number {
					continue
				}
				t, err = c.ticket(i, c.config.Tenant)
				if err != nil {
					err = refuse(op, c.config.Tenant, adapters.BadResponse, "%w", err)
				}
			}
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			if !yield(adapters.Exported{Ticket: t, Cursor: timestamp(i.CreatedAt) + "/" + strconv.FormatInt(i.Number, 10)}, nil) {
				return
			}
		}
	}
}

var errCursor = errors.New("cursor is none of this list")

// parseCursor reads "<instant>/<number>"; "" is the beginning of time.
func parseCursor(cursor string) (after time.Time, number int64, err error) {
	if cursor == "" {
		return time.Time{}, 0, nil
	}
	instant, last, ok := strings.Cut(cursor, "/")
	after, err = time.Parse(time.RFC3339Nano, instant)
	if err == nil && ok {
		number, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil || !ok {
		return time.Time{}, 0, fmt.Errorf("%w: %q", errCursor, cursor)
	}
	return after, number, nil
}

// CursorAt is the cursor of [Client.Changes] that begins at an instant.
func CursorAt(at time.Time) string { return timestamp(at) + "/" }

// Changes yields the incidents to which something happened since a cursor, as they
// stand now, in the order of what happened last. The cursor "" begins now and so
// yields that of now alone; [CursorAt] begins elsewhere.
//
// PagerDuty has no list by time of change: this reads the log entries of the
// account, and then each incident that they name.
func (c *Client) Changes(ctx context.Context, cursor string) iter.Seq2[adapters.Exported, error] {
	const op = "changes"
	return func(yield func(adapters.Exported, error) bool) {
		if cursor == "" {
			yield(adapters.Exported{Cursor: CursorAt(c.config.Now())}, nil)
			return
		}
		instant, last, ok := strings.Cut(cursor, "/")
		since, err := time.Parse(time.RFC3339Nano, instant)
		if err != nil || !ok {
			yield(adapters.Exported{}, refuse(op, c.config.Tenant, adapters.Invalid, "%w: %q", errCursor, cursor))
			return
		}
		latest := map[string]logEntryRead{} // by incident
		how := timed[logEntryRead]{
			at:   func(l logEntryRead) time.Time { return l.CreatedAt },
			id:   func(l logEntryRead) string { return l.ID },
			less: func(a, b logEntryRead) int { return cmp.Compare(a.ID, b.ID) },
		}
		whole := span{since, c.config.Now().Add(overlap)}
		for l, err := range windows(ctx, c, request{op: op, tenant: c.config.Tenant, path: "/log_entries"}, "log_entries", whole, how) {
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			if l.Incident.ID != "" && (l.ID != last || !l.CreatedAt.Equal(since)) {
				latest[l.Incident.ID] = l
			}
		}
		changed := slices.SortedFunc(maps.Values(latest), func(a, b logEntryRead) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		})
		for _, l := range changed {
			t, err := c.Read(ctx, adapters.Ref{Provider: provider, Tenant: c.config.Tenant, Type: "incident", ID: l.Incident.ID})
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			if !yield(adapters.Exported{Ticket: t, Cursor: timestamp(l.CreatedAt) + "/" + l.ID}, nil) {
				return
			}
		}
	}
}
