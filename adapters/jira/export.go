package jira

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// maxSeen is how many issues a cursor of a watch names. With more in the overlap
// the older ones are listed again.
const maxSeen = 200

// cursor is how far a list has come: an instant, and the issues at it, or within
// the overlap before it, that were listed, with the millisecond for which they
// were.
type cursor struct {
	at      int64 // milliseconds since 1970
	overlap int64
	seen    map[string]int64
}

// String writes "<at>;<id>:<at>,…", the latest first.
func (c *cursor) String() string {
	maps.DeleteFunc(c.seen, func(_ string, at int64) bool { return at < c.at-c.overlap })
	ids := slices.SortedFunc(maps.Keys(c.seen), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.seen[b], c.seen[a]), cmp.Compare(a, b))
	})
	if c.overlap > 0 && len(ids) > maxSeen {
		ids = ids[:maxSeen]
	}
	var b strings.Builder
	b.WriteString(strconv.FormatInt(c.at, 10))
	separator := ";"
	for _, id := range ids {
		b.WriteString(separator + id + ":" + strconv.FormatInt(c.seen[id], 10))
		separator = ","
	}
	return b.String()
}

// parseCursor reads what String wrote.
func parseCursor(text string, overlap time.Duration) (*cursor, bool) {
	c := &cursor{overlap: overlap.Milliseconds(), seen: map[string]int64{}}
	head, rest, _ := strings.Cut(text, ";")
	var err error
	if c.at, err = strconv.ParseInt(head, 10, 64); err != nil || c.at < 0 || c.at > maxMilliseconds {
		return nil, false
	}
	if rest == "" {
		return c, true
	}
	for part := range strings.SplitSeq(rest, ",") {
		id, at, ok := strings.Cut(part, ":")
		ms, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil || !word(id) {
			return nil, false
		}
		c.seen[id] = ms
	}
	return c, true
}

// maxMilliseconds is the end of the year 9999.
const maxMilliseconds = 253_402_300_799_999

// pass reports whether an issue is to be listed, and notes it.
func (c *cursor) pass(id string, at int64) bool {
	if at < c.at-c.overlap || c.seen[id] == at {
		return false
	}
	c.seen[id] = at
	c.at = max(c.at, at)
	return true
}

// Export lists the issues of the project that were created in [from, until), each
// once, oldest first. What was created within the last seconds may not be found
// yet. Cursors are the exporter's own; one can be gone on from for as long as wanted.
func (c *Client) Export(ctx context.Context, from, until time.Time, text string) iter.Seq2[adapters.Exported, error] {
	return func(yield func(adapters.Exported, error) bool) {
		at := &cursor{at: from.UnixMilli(), seen: map[string]int64{}}
		if text != "" {
			resumed, ok := parseCursor(text, 0)
			if !ok {
				yield(adapters.Exported{}, c.fail("export", "", adapters.Invalid, "cursor is none of an export", nil))
				return
			}
			at = resumed
		}
		c.walk(ctx, walk{op: "export", field: "created", from: from, until: until, cursor: at}, yield)
	}
}

// Changes lists issues of the project by when they were last changed, oldest
// first, those within [Config].Overlap before the cursor too unless it names them.
// A cursor of "" begins an overlap ago; if nothing is listed then, the cursor of now
// is, without an issue.
func (c *Client) Changes(ctx context.Context, text string) iter.Seq2[adapters.Exported, error] {
	return func(yield func(adapters.Exported, error) bool) {
		at := &cursor{at: c.config.Now().UnixMilli(), overlap: c.config.Overlap.Milliseconds(), seen: map[string]int64{}}
		if text != "" {
			resumed, ok := parseCursor(text, c.config.Overlap)
			if !ok {
				yield(adapters.Exported{}, c.fail("changes", "", adapters.Invalid, "cursor is none of a watch", nil))
				return
			}
			at = resumed
		}
		listed := text != ""
		now := at.String()
		c.walk(ctx, walk{op: "changes", field: "updated", expand: "changelog", cursor: at}, func(e adapters.Exported, err error) bool {
			listed = true
			return yield(e, err)
		})
		if !listed {
			yield(adapters.Exported{Cursor: now}, nil)
		}
	}
}

// walk is a list in the order of an instant.
type walk struct {
	op, field, expand string
	from, until       time.Time // of what is listed, half-open; zero: no limit
	cursor            *cursor
}

// walk lists issues in the order of a field. JQL compares whole minutes, so each
// query begins with the minute of the last issue, and what was listed is left out
// by millisecond and id. A new query and not a next page goes on wherever there is
// a later minute, because pages by number lose issues when those before them move
// away, as issues that are changed do. Where the zone is not known a new query would
// begin hours earlier each time, so there pages it is.
func (c *Client) walk(ctx context.Context, w walk, yield func(adapters.Exported, error) bool) {
	zone, slack, err := c.zone(ctx)
	if err != nil {
		yield(adapters.Exported{}, err)
		return
	}
	bound := time.UnixMilli(w.cursor.at - w.cursor.overlap)
	for again := true; again; {
		again = false
		jql := "project = " + quote(c.config.Project) + " AND " + w.field + " >= " + quote(jqlTime(bound.Add(-slack), zone, false))
		if !w.until.IsZero() {
			jql += " AND " + w.field + " <= " + quote(jqlTime(w.until.Add(slack), zone, true))
		}
		jql += " ORDER BY " + w.field + " ASC, key ASC"
		for page, err := range c.searchPages(ctx, query{op: w.op, jql: jql, fields: c.fields(), expand: w.expand}) {
			if err != nil {
				yield(adapters.Exported{}, err)
				return
			}
			var last time.Time
			for _, i := range page {
				t, err := c.ticket(w.op, c.config.Tenant, i)
				if err != nil {
					yield(adapters.Exported{}, err)
					return
				}
				last = t.Created
				if w.field == "updated" {
					last = t.Updated
				}
				if last.Before(w.from) || !w.until.IsZero() && !last.Before(w.until) || !w.cursor.pass(i.ID, last.UnixMilli()) {
					continue
				}
				t.ByUs = c.lastByUs(i, t.Updated)
				if !yield(adapters.Exported{Ticket: t, Cursor: w.cursor.String()}, nil) {
					return
				}
			}
			if slack == 0 && last.Truncate(time.Minute).After(bound) {
				bound, again = last.Truncate(time.Minute), true
				break
			}
		}
	}
}

// lastByUs reports whether the last change in the history is ours and is the last
// change of the issue at all; a comment, which changes an issue too, has no entry.
func (c *Client) lastByUs(i issue, updated time.Time) bool {
	if i.Changelog == nil {
		return false
	}
	var latest time.Time
	ours := false
	for _, h := range i.Changelog.Histories {
		if at, err := h.CreatedTime(); err == nil && at.After(latest) {
			latest, ours = at, c.known().is(&h.Author)
		}
	}
	return ours && updated.Sub(latest).Abs() < time.Second
}

// zone is that of the user who is signed in, in which JQL reads times. Where it
// is not known, bounds are widened by what zones can differ.
func (c *Client) zone(ctx context.Context) (*time.Location, time.Duration, error) {
	self, err := c.myself(ctx)
	if err != nil {
		return nil, 0, err
	}
	if self.TimeZone != "" {
		if zone, err := time.LoadLocation(self.TimeZone); err == nil {
			return zone, 0, nil
		}
	}
	return time.UTC, 15 * time.Hour, nil
}

// jqlTime writes the minute at or before an instant, with up the one at or after.
// In the hour that is read twice when clocks go back it writes one that is read
// once and lies further out.
func jqlTime(at time.Time, zone *time.Location, up bool) string {
	const layout = "2006/01/02 15:04"
	minute := at.Truncate(time.Minute)
	direction := time.Duration(1)
	if up {
		direction = -1
		if minute.Before(at) {
			minute = minute.Add(time.Minute)
		}
	}
	text := minute.In(zone).Format(layout)
	for _, shift := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if minute.Add(direction*shift).In(zone).Format(layout) == text {
			return minute.Add(-direction * shift).In(zone).Format(layout)
		}
	}
	return text
}
