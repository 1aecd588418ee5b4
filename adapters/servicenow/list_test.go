package servicenow

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// history fills an instance with incidents: one each 20 s, and 60 in one second.
func history(in *instance, n int) (from, until time.Time) {
	from = noon.AddDate(0, -2, 0)
	for i := range n {
		at := from.Add(time.Duration(i) * 20 * time.Second)
		if i >= n/2 && i < n/2+60 {
			at = from.Add(time.Duration(n/2) * 20 * time.Second)
		}
		in.Insert("incident", map[string]string{
			"sys_created_on": at.Format(timeLayout), "sys_updated_on": at.Format(timeLayout), "short_description": strconv.Itoa(i),
		})
	}
	return from, from.Add(time.Duration(n) * 20 * time.Second)
}

// 20,000 tickets, 100,000 with EVENKEEL_SOAK=1; a third under the race detector, which
// is many times slower.
func TestExportIsExact(t *testing.T) {
	n := 20_000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		n = 100_000
	}
	if testing.Short() || raceEnabled {
		n /= 3
	}
	in := newInstance(adaptertest.ServiceNowOptions{})
	from, until := history(in, n)
	c := in.client(t, nil)
	seen := map[string]bool{}
	last := ""
	cursor := ""
	kills := 0
	began := time.Now()
	for len(seen) < n {
		killed := false
		for e, err := range c.Export(t.Context(), from, until, cursor) {
			ok(t, err)
			if seen[e.Ticket.Ref.ID] {
				t.Fatalf("%s twice", e.Ticket.Ref.Number)
			}
			if at := FormatTime(e.Ticket.Created); at < last {
				t.Fatalf("%s after %s", at, last)
			} else {
				last = at
			}
			seen[e.Ticket.Ref.ID], cursor = true, e.Cursor
			if len(seen)%(n/14) == 0 { // rows change while it runs
				in.now = in.now.Add(time.Second)
				in.Set("incident", e.Ticket.Ref.ID, map[string]string{"short_description": "changed"})
			}
			if len(seen)%(n/3) == 0 && len(seen) < n {
				killed = true // and it is killed and goes on
				kills++
				break
			}
		}
		if !killed {
			break
		}
	}
	if len(seen) != n || kills < 2 {
		t.Errorf("%d tickets after %d kills, want %d after at least 2", len(seen), kills, n)
	}
	requests := len(in.Requests())
	if most := n/1000 + 10; requests > most {
		t.Errorf("%d requests, want at most %d", requests, most)
	}
	t.Logf("%d tickets in %v, %d requests", n, time.Since(began).Round(time.Millisecond), requests)
}

func TestExportBorders(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	for _, at := range []string{"11:59:59", "12:00:00", "12:00:30", "12:01:00"} {
		in.Insert("incident", map[string]string{"sys_created_on": "2026-11-30 " + at, "short_description": at})
	}
	c := in.client(t, nil)
	for _, window := range []struct {
		from, until time.Time
		want        string
	}{
		{noon, noon.Add(time.Minute), "12:00:00 12:00:30"}, // half-open
		{noon.Add(time.Nanosecond), noon.Add(time.Minute + time.Nanosecond), "12:00:30 12:01:00"},
		{time.Time{}, noon, "11:59:59"},
		{noon.Add(time.Minute), time.Time{}, "12:01:00"},
		{noon.Add(time.Hour), noon.Add(2 * time.Hour), ""},
	} {
		var got []string
		for e, err := range c.Export(t.Context(), window.from, window.until, "") {
			ok(t, err)
			got = append(got, e.Ticket.Title)
		}
		if strings.Join(got, " ") != window.want {
			t.Errorf("[%v, %v) = %q, want %q", window.from, window.until, got, window.want)
		}
	}
	for _, cursor := range []string{"x", "2026/1", "2026-11-30 12:00:00/a b", "/javascript:1"} {
		for _, err := range c.Export(t.Context(), noon, time.Time{}, cursor) {
			wantKind(t, err, adapters.Invalid)
		}
	}
}

// Rights are applied after the limit: pages are short, and many in a row are empty.
func TestRecordsBehindRights(t *testing.T) {
	visible := func(row map[string]string) bool {
		i := 0
		_, _ = fmt.Sscan(row["short_description"], &i)
		return i < 20 || i%100 == 0 && (i < 300 || i > 900)
	}
	in := newInstance(adaptertest.ServiceNowOptions{Hidden: func(table string, row map[string]string) bool {
		return table == "incident" && !visible(row)
	}})
	history(in, 1200)
	var want []string
	for _, row := range in.Records("incident", "") {
		if visible(row) {
			want = append(want, row["sys_id"])
		}
	}
	for _, size := range []int{1, 7, 50, 1000} {
		c := in.client(t, func(c *Config) { c.PageSize = size })
		var got []string
		for row, err := range c.Records(t.Context(), "incident", Query{}, []string{"number"}, "") {
			ok(t, err)
			got = append(got, row.Record["sys_id"])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %d rows, want %d", size, len(got), len(want))
		}
	}
}

// While changes are read, rows that were read change again and move to the end.
func TestChangesMissNothing(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{Hidden: func(table string, row map[string]string) bool {
		return table == "incident" && strings.HasPrefix(row["short_description"], "hidden")
	}})
	for i := range 300 {
		title := strconv.Itoa(i)
		if i%3 == 0 {
			title = "hidden " + title
		}
		in.now = noon.Add(time.Duration(i/40) * time.Second) // 40 in each second
		in.Insert("incident", map[string]string{"short_description": title})
	}
	c := in.client(t, func(c *Config) { c.PageSize = 20 })
	cursor := CursorAt(noon)
	versions := map[string]string{}
	moved := 0
	for range 3 {
		for e, err := range c.Changes(t.Context(), cursor) {
			ok(t, err)
			versions[e.Ticket.Ref.ID] = e.Ticket.Ref.Version
			cursor = e.Cursor
			if moved < 60 {
				moved++
				in.now = in.now.Add(100 * time.Millisecond)
				rows := in.Records("incident", "")
				in.Set("incident", rows[moved*4]["sys_id"], map[string]string{"impact": "1"})
			}
		}
	}
	for _, row := range in.Records("incident", "") {
		if strings.HasPrefix(row["short_description"], "hidden") {
			continue
		}
		if versions[row["sys_id"]] != row["sys_mod_count"] {
			t.Errorf("%s is at %s, was seen at %q", row["number"], row["sys_mod_count"], versions[row["sys_id"]])
		}
	}
	// What has come may come again within the overlap, and nothing before it.
	again := 0
	for e, err := range c.Changes(t.Context(), cursor) {
		ok(t, err)
		again++
		if at := e.Ticket.Updated; at.Before(in.now.Add(-2 * time.Second)) {
			t.Errorf("%v came again", at)
		}
	}
	if again == 0 {
		t.Error("no overlap")
	}
	for e, err := range c.Changes(t.Context(), "") {
		ok(t, err)
		if e.Ticket.Updated.Before(in.now.Add(-2 * time.Second)) {
			t.Errorf("a change of %v, want none of before now", e.Ticket.Updated)
		}
	}
}

// An instance that ignores a part of the query of a list is noticed at the first row
// that was not asked for.
func TestListsNoticeIgnoredParts(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	from, until := history(in, 50)
	for name, spoil := range map[string]func(string) string{
		"everything":  func(string) string { return "" },
		"the order":   func(q string) string { q, _, _ = strings.Cut(q, "^ORDERBY"); return q },
		"the borders": func(q string) string { _, q, _ = strings.Cut(q, "^ORDERBY"); return "ORDERBY" + q },
	} {
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			values := r.URL.Query()
			values.Set("sysparm_query", spoil(values.Get("sysparm_query")))
			r.URL.RawQuery = values.Encode()
			in.ServeHTTP(w, r)
		}), func(c *Config) { c.PageSize = 10 })
		var last error
		for _, err := range c.Export(t.Context(), from.Add(3*time.Minute), until, "") {
			last = err
		}
		if adapters.KindOf(last) != adapters.BadResponse {
			t.Errorf("%s ignored: %v, want bad_response", name, last)
		}
	}
}

func TestRecordsOfAnyTable(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	for i := range 25 {
		in.Insert("metric_instance", map[string]string{"id": strconv.Itoa(i % 2), "definition": "Incident Open to Close", "duration": "1970-01-01 00:02:17"})
	}
	c := in.client(t, func(c *Config) { c.PageSize = 4 })
	rows := map[string]Record{}
	cursor := ""
	for range 2 {
		for row, err := range c.Records(t.Context(), "metric_instance", Where("id", Equal, "0"), []string{"id", "duration"}, cursor) {
			ok(t, err)
			rows[row.Record["sys_id"]] = row.Record
			cursor = row.Cursor
			if len(rows) == 5 {
				break
			}
		}
	}
	if len(rows) != 13 {
		t.Errorf("%d rows, want 13", len(rows))
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if d, known, err := ParseDuration(rows[id]["duration"]); err != nil || !known || d != 137*time.Second {
			t.Errorf("duration %v, %v", d, err)
		}
	}
	var many []string
	for i := range 1000 {
		many = append(many, "INC00"+strconv.Itoa(10_000+i))
	}
	for _, err := range c.Records(t.Context(), "incident", Where("number", OneOf, many...), nil, "") {
		wantKind(t, err, adapters.TooLarge)
	}
	for _, err := range c.Records(t.Context(), "x;drop", Query{}, nil, "") {
		wantKind(t, err, adapters.Invalid)
	}
	for _, err := range c.Records(t.Context(), "incident", Query{}.OrderBy("number"), nil, "") {
		wantKind(t, err, adapters.Invalid)
	}
}
