package postmortem_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

var begin = time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC) // a Wednesday

func after(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }

// reviewed is a P1 in review.
func reviewed(tb testing.TB) *incident.Incident {
	tb.Helper()
	inc, err := incident.New("acme", "INC-110", incident.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range []incident.Event{
		{Kind: incident.Detect, At: after(4), Actor: "prometheus", Details: incident.Details{Title: "Checkout | down", Services: []string{"checkout"}, Started: begin, DetectedBy: incident.ByMonitor}},
		{Kind: incident.Declare, At: after(5), Actor: "bot", Details: incident.Details{Severity: incident.P1}},
		{Kind: incident.Acknowledge, At: after(6), Actor: "bob", Details: incident.Details{Role: incident.Lead}},
		{Kind: incident.Notify, At: after(6), Actor: "bot", Details: incident.Details{Ref: "m1"}},
		{Kind: incident.PostUpdate, At: after(30), Actor: "cleo", Details: incident.Details{Text: "lock <found>"}},
		{Kind: incident.Resolve, At: after(600), Actor: "bob", Details: incident.Details{Text: "index rebuilt"}},
		{Kind: incident.OpenReview, At: after(700), Actor: "ann", Details: incident.Details{Person: "ann"}},
		{Kind: incident.RecordMeasure, At: after(710), Actor: "ann", Details: incident.Details{Measure: &incident.Measure{ID: "m1", Text: "Set a lock timeout", Type: incident.Prevent, Owner: "dba", Due: "2026-10-21"}}},
		{Kind: incident.RecordMeasure, At: after(711), Actor: "ann", Details: incident.Details{Measure: &incident.Measure{ID: "m2", Text: "Rehearse rebuilds", Type: incident.Process, Owner: "ops", Due: "2026-10-30", Ref: "RUN-12", Done: true}}},
	} {
		e.Key = string(e.Kind) + e.At.String()
		if _, err := inc.Apply(e); err != nil {
			tb.Fatal(err)
		}
	}
	return inc
}

func draft(tb testing.TB, inc *incident.Incident, o postmortem.Options) postmortem.Document {
	tb.Helper()
	d, err := postmortem.Draft(inc.State(), inc.Timeline().Entries(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestDraft(t *testing.T) {
	d := draft(t, reviewed(t), postmortem.Options{At: after(60 * 24 * 12)})
	for name, f := range map[string]struct {
		got  *int64
		want int64
	}{
		"detect": {d.Durations.Detect, 240}, "acknowledge": {d.Durations.Acknowledge, 60},
		"restore": {d.Durations.Restore, 36000}, "resolve": {d.Durations.Resolve, 35760},
	} {
		if f.got == nil || *f.got != f.want {
			t.Errorf("%s = %v, want %d s", name, f.got, f.want)
		}
	}
	if !d.Anchored || d.Open != 1 || d.Overdue != 1 || !d.Measures[0].Overdue || d.Measures[0].Anchored || d.Measures[1].Overdue {
		t.Errorf("measures = %+v, open %d, overdue %d", d.Measures, d.Open, d.Overdue)
	}
	var lines []string
	for _, l := range d.Timeline {
		lines = append(lines, l.Who+": "+l.Text)
	}
	want := []string{"monitor: detected", "participant: declared P1", "lead: acknowledged", "participant: update: lock <found>", "lead: resolved: index rebuilt"}
	if !slices.Equal(lines, want) {
		t.Errorf("timeline = %q, want %q", lines, want)
	}
	// Five business days after Wednesday the 14th: Wednesday the 21st, to its end.
	if want := time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC); !d.Due.Equal(want) {
		t.Errorf("Due = %v, want %v", d.Due, want)
	}
	if got := strings.Join(d.Missing(), ", "); got != "impact, root cause, contributing factors" {
		t.Errorf("Missing = %s", got)
	}
	// The second was anchored when it was recorded, the first is not yet.
	if since := d.Measures[1].AnchoredAt; !since.Equal(after(711)) || !d.Measures[0].AnchoredAt.IsZero() {
		t.Errorf("anchored at %v and %v", d.Measures[0].AnchoredAt, since)
	}
	if d.Head != reviewed(t).Head() {
		t.Errorf("Head = %+v", d.Head)
	}
}

// TestOverdue: a measure is overdue from the day after its due date, in UTC.
func TestOverdue(t *testing.T) {
	inc := reviewed(t)
	for at, want := range map[time.Time]int{
		time.Date(2026, 10, 21, 23, 59, 59, 0, time.UTC): 0,
		time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC):    1,
	} {
		if d := draft(t, inc, postmortem.Options{At: at}); d.Overdue != want {
			t.Errorf("at %v: %d overdue, want %d", at, d.Overdue, want)
		}
	}
}

func TestNoData(t *testing.T) {
	inc, err := incident.New("acme", "INC-1", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, inc, postmortem.Options{At: begin})
	data, err := json.Marshal(d.Durations)
	if err != nil || string(data) != `{"detect_s":null,"acknowledge_s":null,"restore_s":null,"resolve_s":null}` {
		t.Errorf("durations = %s, %v, want null", data, err)
	}
	if d.Anchored || !d.Due.IsZero() || !strings.Contains(d.Markdown(), "no data") {
		t.Errorf("draft of nothing = %+v", d)
	}
}

func TestCalendar(t *testing.T) {
	cal, err := calendar.New(calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-10-15"}})
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, reviewed(t), postmortem.Options{At: begin, Calendar: cal, BusinessDays: 2})
	if want := time.Date(2026, 10, 19, 16, 0, 0, 0, time.UTC); !d.Due.Equal(want) { // Friday is the first, Monday the second
		t.Errorf("Due = %v, want %v", d.Due, want)
	}
	never, err := calendar.New(calendar.Hours{Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	inc := reviewed(t)
	if _, err := postmortem.Draft(inc.State(), nil, postmortem.Options{Calendar: never}); err == nil {
		t.Error("a calendar that never opens: no error")
	}
	if d, err := postmortem.Draft(inc.State(), nil, postmortem.Options{BusinessDays: -1}); err == nil {
		t.Errorf("-1 business days: due %v, want an error", d.Due)
	}
}

func TestMarkdown(t *testing.T) {
	d := draft(t, reviewed(t), postmortem.Options{At: begin})
	d.RootCause = "\n\n    # not a heading\n[not](a-link) <b>"
	d.Helped = []string{"\t    not a block of code"}
	text := d.Markdown()
	var headings []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			headings = append(headings, strings.TrimSpace(line))
		}
		if strings.HasPrefix(strings.TrimPrefix(line, "- "), "    ") {
			t.Errorf("line %q is a block of code", line)
		}
	}
	want := []string{
		`# Post-mortem INC-110: Checkout \| down`, "## Summary", "## Impact", "## Timeline", "## Figures", "## Root cause",
		"## Contributing factors", "## Detection", "## What helped", "## Measures",
	}
	if !slices.Equal(headings, want) {
		t.Errorf("headings = %q, want %q", headings, want)
	}
	for _, part := range []string{`\# not a heading \[not\]\(a-link\) &lt;b\>`, "| time to resolve | detected | resolved | 9h56m |", `lock &lt;found\>`} {
		if !strings.Contains(text, part) {
			t.Errorf("Markdown lacks %q:\n%s", part, text)
		}
	}
	for _, name := range []string{"bob", "cleo"} {
		if strings.Contains(text, name) {
			t.Errorf("Markdown names %s", name)
		}
	}
}

func TestUnreadableEntry(t *testing.T) {
	inc := reviewed(t)
	entries := inc.Timeline().Entries()
	entries[2].Payload = "{"
	if _, err := postmortem.Draft(inc.State(), entries, postmortem.Options{At: begin}); err == nil {
		t.Error("Draft from a broken entry: no error")
	}
}

// TestSharedReview holds the figures of the sample review against ours.
func TestSharedReview(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "examples", "review", "expect.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Durations struct {
			Detect      int64 `json:"detect_s"`
			Acknowledge int64 `json:"acknowledge_s"`
			Restore     int64 `json:"restore_s"`
			Resolve     int64 `json:"resolve_s"`
		}
		Anchored bool
		Open     int `json:"open_measures"`
		Overdue  int `json:"overdue_measures"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	d := draft(t, reviewed(t), postmortem.Options{At: time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)})
	got := d.Durations
	if *got.Detect != want.Durations.Detect || *got.Acknowledge != want.Durations.Acknowledge || *got.Restore != want.Durations.Restore ||
		*got.Resolve != want.Durations.Resolve || d.Anchored != want.Anchored || d.Open != want.Open || d.Overdue != want.Overdue {
		t.Errorf("draft = %+v, want %+v", d, want)
	}
}

// TestExtract: what people did is in the extract in one line each, what programs did
// beside it is not, and a text that was redacted stays so.
func TestExtract(t *testing.T) {
	inc, err := incident.New("acme", "INC-7", incident.Options{Salts: ones{}})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		kind    incident.Kind
		details incident.Details
		want    string // "" for no line
	}{
		{incident.Declare, incident.Details{Severity: incident.P2, Title: "x"}, "participant: declared P2"},
		{incident.AssignRole, incident.Details{Role: incident.Scribe, Person: "zoe"}, ""},
		{incident.SetFlag, incident.Details{Flag: incident.DataFlag}, "scribe: flag data"},
		{incident.ChangeSeverity, incident.Details{Severity: incident.P1, Text: "more users"}, "scribe: severity is P1: more users"},
		{incident.Escalate, incident.Details{Level: 2}, "scribe: escalated to level 2"},
		{incident.Acknowledge, incident.Details{Person: "bob"}, "scribe: acknowledged"},
		{incident.Notify, incident.Details{Ref: "m"}, ""},
		{incident.RecordResult, incident.Details{Ref: "a"}, ""},
		{incident.Mitigate, incident.Details{}, "scribe: mitigated"},
		{incident.Relapse, incident.Details{Text: "errors again"}, "scribe: the impact is back: errors again"},
		{incident.Resolve, incident.Details{Text: "restarted"}, "scribe: resolved: restarted"},
		{incident.Reopen, incident.Details{Text: "again"}, "scribe: reopened: again"},
		{incident.Note, incident.Details{Text: "a secret"}, "scribe: note, redacted"},
		{incident.Merge, incident.Details{Target: "INC-8"}, "scribe: merged into INC-8"},
	} {
		actor := "zoe"
		if c.kind == incident.Declare {
			actor = "bot"
		}
		entries, err := inc.Apply(incident.Event{Key: strconv.Itoa(i), Kind: c.kind, At: after(i), Actor: actor, Details: c.details})
		if err != nil {
			t.Fatal(err)
		}
		if c.kind == incident.Note {
			if _, _, err := inc.Redact(entries[0].Seq, "zoe", "gone", "it was a secret", after(i)); err != nil {
				t.Fatal(err)
			}
		}
		d := draft(t, inc, postmortem.Options{At: begin})
		got := ""
		if n := len(d.Timeline); n > 0 && d.Timeline[n-1].Seq == entries[0].Seq {
			got = d.Timeline[n-1].Who + ": " + d.Timeline[n-1].Text
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.kind, got, c.want)
		}
	}
	cancelled, err := incident.New("acme", "INC-8", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range []incident.Event{{Kind: incident.Declare, Imported: true}, {Kind: incident.Cancel, Details: incident.Details{Text: "a test"}}} {
		e.Key, e.At, e.Actor = strconv.Itoa(i), after(i), "bob"
		if _, err := cancelled.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	d := draft(t, cancelled, postmortem.Options{At: begin})
	if len(d.Timeline) != 2 || d.Timeline[0].Text != "declared" || d.Timeline[1].Text != "cancelled: a test" {
		t.Errorf("timeline = %+v", d.Timeline)
	}
}

// ones are salts that everybody knows.
type ones struct{}

func (ones) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{1}, len(p))), nil }

// TestAsOf: bringing a document up to date twice is the same as once, and back again
// gives what was.
func TestAsOf(t *testing.T) {
	d := full(t)
	later := d.AsOf(after(60 * 24 * 40))
	if !reflect.DeepEqual(later.AsOf(after(60*24*40)), later) || !reflect.DeepEqual(later.AsOf(after(60*24*12)), d) {
		t.Error("AsOf depends on the instants before it")
	}
	if before := d.AsOf(begin); before.Overdue != 0 || d.Overdue != 1 || !d.Measures[0].Overdue {
		t.Errorf("at the begin %d are overdue, and %d of the document itself", before.Overdue, d.Overdue)
	}
}
