package postmortem_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

// full is a document in which every field says something.
func full(tb testing.TB) postmortem.Document {
	tb.Helper()
	d := draft(tb, reviewed(tb), postmortem.Options{At: after(60 * 24 * 12)})
	d.Impact, d.RootCause = "No orders could be paid", "Lock escalation during a rebuild"
	d.Contributing, d.Helped = []string{"no lock timeout"}, []string{"the runbook"}
	d.Recurrence = []incident.Suggestion{{Tenant: "acme", By: "component", Value: "db-7", IDs: []string{"INC-1", "INC-110"}, First: begin, Last: begin, Why: "twice"}}
	return d
}

// TestRoundTrip: what is written is read back, by a reader that knows every key.
func TestRoundTrip(t *testing.T) {
	for name, d := range map[string]postmortem.Document{
		"full": full(t), "least": {Incident: "INC-1", Services: []string{}, Contributing: []string{}, Helped: []string{}, Timeline: []postmortem.Line{}, Recurrence: []incident.Suggestion{}, Measures: []postmortem.Measure{}},
	} {
		data, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got, err := postmortem.Parse(data)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s: Parse = %+v, %v, want %+v", name, got, err, d)
		}
	}
}

// TestJSON: what nobody knows is null, lists are lists, and derived keys are there.
func TestJSON(t *testing.T) {
	data, err := json.Marshal(postmortem.Document{Incident: "INC-1", Measures: []postmortem.Measure{{Text: "x"}}}.AsOf(begin))
	want := `{"incident_id":"INC-1","services":[],"times":{},"contributing":[],"helped":[],` +
		`"durations":{"detect_s":null,"acknowledge_s":null,"restore_s":null,"resolve_s":null},"timeline":[],"recurrence":[],` +
		`"measures":[{"text":"x","status":"open","anchored":false,"overdue":false,"id":null,"type":null,"owner":null,"due":null,"anchored_in":null,"anchored_at":null}],` +
		`"anchored":false,"open_measures":1,"overdue_measures":0,` +
		`"tenant":null,"title":null,"severity":null,"moderator":null,"due":null,"summary":null,"impact":null,"root_cause":null,"detection":null,` +
		`"missing":["moderator","summary","impact","root cause","contributing factors","detection","anchored measure"],"timeline_head":null}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
}

// TestParsePrograms: the head that a program writes before the document is skipped.
func TestParsePrograms(t *testing.T) {
	d, err := postmortem.Parse([]byte(`{"schema": "postmortem/v1", "now": "2026-10-25T00:00:00Z", "sample": true, "inputs": [{"rows": null}], "warnings": [], "incident_id": "INC-1",
		"measures": [{"text": "x", "due": "2026-10-20"}], "missing": ["moderator"], "explain": []}`))
	if err != nil {
		t.Fatal(err)
	}
	if d = d.AsOf(begin.AddDate(0, 0, 30)); d.Incident != "INC-1" || d.Open != 1 || d.Overdue != 1 || d.Measures[0].Status != postmortem.MeasureOpen {
		t.Errorf("document = %+v", d)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // errors, in their order
	}{
		{``, []string{`1:1: unexpected end of JSON input, want one JSON object`}},
		{` null`, []string{`1:2: null, want an object`}},
		{`[]`, []string{`1:1: found [], want an object`}},
		{"{\"incident_id\": \"a\"}\n{}", []string{`2:1: invalid character '{' after top-level value, want one JSON object`}},
		{"{\n \"incident_id\": \"a\",\n \"title\": \"\xff\"}", []string{`3:12: bytes that are not UTF-8, want UTF-8`}},
		{`{"title": "x"}`, []string{`1:1: incident_id: missing, want the id of the incident`}},
		{`{"incident_id": "a", "titel": 1}`, []string{`1:22: titel: unknown key, want "title"`}},
		{`{"incident_id": "a", "incident_id": "b"}`, []string{`1:22: incident_id: the key is there twice, want it once`}},
		{`{"Incident_ID": "a"}`, []string{`1:2: Incident_ID: unknown key`}},
		{"{\"incident_id\": 7,\n\"severity\": \"P9\", \"times\": {\"started\": \"2026-10-14\", \"begun\": null},\n\"measures\": [{\"text\": \"a\"}, {\"due\": 3, \"owner\": null}, null, 4]}", []string{
			`1:17: incident_id: found 7, want a text`,
			`2:13: severity: found "P9", want a severity from "P1" to "P4"`,
			`2:40: times.started: found "2026-10-14", want a time with a zone, like "2026-10-14T02:04:00Z"`,
			`2:54: times.begun: unknown key, want one of started, detected, created, acknowledged, mitigated, resolved, closed`,
			`3:37: measures[1].due: found 3, want a text`,
			`3:56: measures[2]: null, want a value`,
			`3:62: measures[3]: found 4, want an object`,
		}},
		{`{"incident_id": "a", "services": "x", "open_measures": 1.5, "anchored": "yes", "timeline_head": {"seq": 1, "hash": "00"}}`, []string{
			`1:34: services: found "x", want a list`, `1:56: open_measures: found 1.5, want a whole number`, `1:73: anchored: found "yes", want true or false`,
			`1:116: timeline_head.hash: found "00", want 64 hexadecimal digits`,
		}},
		{`{"incident_id": "a", "durations": {"detect_s": -1}, "measures": [{"text": "", "type": "fix", "status": "later", "due": "2026-02-30", "id": "m"}, {"text": "b", "id": "m"}]}`, []string{
			`1:48: durations.detect_s: found -1, want seconds from 0 to 292 years`,
			`1:75: measures[0].text: missing, want what is to be done`,
			`1:87: measures[0].type: found "fix", want prevent, detect, mitigate or process`,
			`1:104: measures[0].status: found "later", want open or done`,
			`1:120: measures[0].due: found "2026-02-30", want a date like "2026-10-21"`,
			`1:166: measures[1].id: "m" is there twice, want an id of its own`,
		}},
	} {
		_, err := postmortem.Parse([]byte(c.text))
		if _, ok := errors.AsType[*postmortem.ParseError](err); !ok {
			t.Errorf("Parse(%s) = %v, want a ParseError", c.text, err)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		for i, want := range c.want {
			if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
				t.Errorf("Parse(%s): line %d of\n%v\nwant %q", c.text, i+1, err, want)
				break
			}
		}
		if len(lines) != len(c.want) {
			t.Errorf("Parse(%s): %d problems, want %d:\n%v", c.text, len(lines), len(c.want), err)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := full(t).Validate(); err != nil {
		t.Errorf("a draft: %v", err)
	}
	err := postmortem.Document{Measures: []postmortem.Measure{{Text: "x", Due: "soon"}}}.Validate()
	want := "incident_id: missing, want the id of the incident\nmeasures[0].due: found \"soon\", want a date like \"2026-10-21\""
	if err == nil || err.Error() != want {
		t.Errorf("Validate = %v, want %s", err, want)
	}
}

// FuzzParse: what is read can be written and read again, is valid, and can be shown;
// what is refused is refused with a place.
func FuzzParse(f *testing.F) {
	data, err := json.Marshal(full(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"incident_id": "a", "measures": [{"text": "b", "due": "2026-10-21", "anchored_at": "2026-10-14T04:00:00+02:00"}]}`))
	f.Add([]byte(`{"incident_id": "a", "times": {"resolved": null}, "durations": {"detect_s": 1e2}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := postmortem.Parse(data)
		if err != nil {
			var place *postmortem.ParseError
			if !errors.As(err, &place) || place.Line < 1 || place.Column < 1 || place.Want == "" {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if err := d.Validate(); err != nil {
			t.Fatalf("accepted and invalid: %v", err)
		}
		written, err := json.Marshal(d)
		if err != nil {
			t.Skip(err) // an instant whose zone has seconds cannot be written
		}
		again, err := postmortem.Parse(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(written) {
			t.Fatalf("%s becomes %s, %v", written, twice, err)
		}
		for _, text := range []string{again.Markdown(), again.HTML(), again.Text()} {
			if !strings.Contains(text, "Measures") {
				t.Fatal("the document has no measures section")
			}
		}
		again.AsOf(time.Date(2026, 10, 21, 0, 0, 0, 0, time.UTC))
	})
}
