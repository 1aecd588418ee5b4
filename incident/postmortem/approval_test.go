package postmortem_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

// heldUp is an incident with approvals and holds; sam, pat and xenia have no role.
func heldUp(tb testing.TB) (*incident.Incident, map[string]uint64) {
	tb.Helper()
	inc, err := incident.New("acme", "INC-9", incident.Options{Salts: ones{}})
	if err != nil {
		tb.Fatal(err)
	}
	seqs := map[string]uint64{}
	for i, c := range []struct {
		key, actor string
		kind       incident.Kind
		imported   bool
		details    incident.Details
	}{
		{"declare", "bot", incident.Declare, false, incident.Details{Severity: incident.P2, Title: "x"}},
		{"lead", "zoe", incident.Acknowledge, false, incident.Details{Role: incident.Lead}},
		{"ask", "zoe", incident.AskApproval, false, incident.Details{Ref: "run/1", Text: "fail over | <b>now</b>"}},
		{"own", "zoe", incident.Approve, true, incident.Details{Ref: "run/1", Text: "it is mine"}},
		{"yes", "sam", incident.Approve, false, incident.Details{Ref: "run/1", Text: "the standby is healthy"}},
		{"late", "pat", incident.Refuse, true, incident.Details{Ref: "run/1", Text: "no"}},
		{"ask again", "runner", incident.AskApproval, false, incident.Details{Ref: "run/2", Text: "reboot"}},
		{"no", "pat", incident.Refuse, false, incident.Details{Ref: "run/2", Text: "not now"}},
		{"unasked", "xenia", incident.Approve, true, incident.Details{Ref: "run/3"}},
		{"vendor", "zoe", incident.StartWait, false, incident.Details{Awaiting: incident.AwaitVendor, Text: "ticket 5"}},
		{"part", "zoe", incident.EndWait, false, incident.Details{Text: "part arrived"}},
		{"customer", "zoe", incident.StartWait, false, incident.Details{}},
		{"answer", "zoe", incident.EndWait, false, incident.Details{}},
		{"twice", "zoe", incident.EndWait, true, incident.Details{}},
		{"change", "zoe", incident.StartWait, false, incident.Details{Awaiting: incident.AwaitChange}},
		{"end", "zoe", incident.Resolve, false, incident.Details{Text: "replaced"}},
	} {
		entries, err := inc.Apply(incident.Event{Key: c.key, Kind: c.kind, At: after(i * i), Actor: c.actor, Imported: c.imported, Details: c.details})
		if err != nil {
			tb.Fatal(err)
		}
		seqs[c.key] = entries[0].Seq
	}
	return inc, seqs
}

func lines(d postmortem.Document) (out []string) {
	for _, l := range d.Timeline {
		out = append(out, l.Who+": "+l.Text)
	}
	return out
}

// TestApprovalsAndHolds: requests, decisions and holds are in the extract, by roles;
// a decision that did not count says so.
func TestApprovalsAndHolds(t *testing.T) {
	inc, seqs := heldUp(t)
	d := draft(t, inc, postmortem.Options{At: begin})
	want := []string{
		"participant: declared P2",
		"lead: acknowledged",
		"lead: approval asked for: fail over | <b>now</b>",
		"lead: approved: fail over | <b>now</b>, because: it is mine (did not count: by whoever had asked)",
		"approver: approved: fail over | <b>now</b>, because: the standby is healthy",
		"approver: refused: fail over | <b>now</b>, because: no (did not count: it was decided already)",
		"participant: approval asked for: reboot",
		"approver: refused: reboot, because: not now",
		"approver: approved: run/3 (did not count: nobody had asked)",
		"lead: on hold, waits for the vendor: ticket 5",
		"lead: no longer on hold, after 19m: part arrived", // 9² to 10² minutes
		"lead: on hold, waits for the customer",
		"lead: no longer on hold, after 23m", // 11² to 12²
		"lead: not on hold",
		"lead: on hold, waits for the change",
		"lead: resolved: replaced",
	}
	if got := lines(d); !slices.Equal(got, want) {
		t.Errorf("timeline = %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for form, c := range map[string]struct{ text, want string }{
		"Markdown": {d.Markdown(), `| approver | approved: fail over \| &lt;b\>now&lt;\/b\>, because: the standby is healthy |`},
		"HTML":     {d.HTML(), `<td>approver</td><td>approved: fail over | &lt;b&gt;now&lt;/b&gt;, because: the standby is healthy</td>`},
		"text":     {d.Text(), `approver     approved: fail over | <b>now</b>, because: the standby is healthy`},
		"JSON":     {string(data), `{"seq":` + strconv.FormatUint(seqs["yes"], 10) + `,"at":"2026-10-14T02:16:00Z","who":"approver","text":"approved: fail over | \u003cb\u003enow\u003c/b\u003e, because: the standby is healthy"}`},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("%s lacks %s:\n%s", form, c.want, c.text)
		}
		for _, name := range []string{"zoe", "sam", "pat", "xenia", "runner"} {
			if strings.Contains(strings.ReplaceAll(c.text, "participant", ""), name) {
				t.Errorf("%s names %s", form, name)
			}
		}
	}
	if again, err := postmortem.Parse(data); err != nil || !slices.Equal(lines(again), want) {
		t.Errorf("Parse = %q, %v", lines(again), err)
	}
}

// TestRedactedApproval: what was to be done stays redacted where the decision tells
// of it.
func TestRedactedApproval(t *testing.T) {
	inc, seqs := heldUp(t)
	if _, _, err := inc.Redact(seqs["ask"], "ann", "gone", "a name", after(400)); err != nil {
		t.Fatal(err)
	}
	d := draft(t, inc, postmortem.Options{At: begin})
	got := strings.Join(lines(d), "\n")
	if !strings.Contains(got, "lead: ask_approval, redacted\n") || strings.Contains(got, "fail over") {
		t.Errorf("timeline = %s", got)
	}
}

// TestDecidersTookPart: who decided on an approval is a person, and not to be blamed
// by name.
func TestDecidersTookPart(t *testing.T) {
	inc, _ := heldUp(t)
	people, err := postmortem.Participants(inc.State(), inc.Timeline().Entries())
	if err != nil || !slices.Equal(people[incident.Approver], []string{"sam", "pat", "xenia"}) {
		t.Errorf("approvers %v, %v, want those who decided", people[incident.Approver], err)
	}
	d, _ := postmortem.Document{RootCause: "Sam approved it"}.Blameless(people)
	if d.RootCause != "the approver approved it" {
		t.Errorf("root cause %q", d.RootCause)
	}
}

// TestRedactedDetection: whoever noticed the incident is told by the state where the
// detection was redacted.
func TestRedactedDetection(t *testing.T) {
	inc, err := incident.New("acme", "INC-9", incident.Options{Salts: ones{}})
	if err != nil {
		t.Fatal(err)
	}
	detected := incident.Event{Key: "a", Kind: incident.Detect, At: after(0), Actor: "desk", Details: incident.Details{Title: "Ann Roe cannot log in", DetectedBy: incident.ByUser}}
	if _, err := inc.Apply(detected); err != nil {
		t.Fatal(err)
	}
	if _, _, err := inc.Redact(1, "desk", "gone", "a name", after(1)); err != nil {
		t.Fatal(err)
	}
	if got := lines(draft(t, inc, postmortem.Options{At: begin})); !slices.Equal(got, []string{"user: detect, redacted"}) {
		t.Errorf("timeline = %q, want it noticed by a user", got)
	}
}
