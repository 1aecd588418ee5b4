package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
	"github.com/evenkeelops/evenkeel/examples/schema"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "md": "md", "html": "html"} {
		programtest.Golden(t, format, extension)
	}
}

func TestReadme(t *testing.T) { programtest.Readme(t, 15) }

// night is the record of the sample.
func night(t *testing.T) *incident.Incident {
	t.Helper()
	inc, err := incident.New("northwind", "INC-2024-001", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2024, 3, 12, 21, 46, 0, 0, time.UTC)
	for i, e := range []struct {
		minute int
		kind   incident.Kind
		actor  string
		incident.Details
	}{
		{3, incident.Detect, "synthetic-signin", incident.Details{Title: "Sign-in fails", Services: []string{"user_api"}, Started: begin, DetectedBy: incident.ByMonitor}},
		{4, incident.Declare, "duty-desk", incident.Details{Severity: incident.P1}},
		{6, incident.Acknowledge, "Sarah Chen", incident.Details{Role: incident.Lead}},
		{15, incident.PostUpdate, "Mike Johnson", incident.Details{Text: "Sign-in is down, the cause is being looked for"}},
		{21, incident.Escalate, "policy", incident.Details{Level: 2, Person: "Omar Tan"}},
		{34, incident.Note, "Omar Tan", incident.Details{Text: "all connections wait for a lock on the table of profiles"}},
		{45, incident.AddLink, "Omar Tan", incident.Details{Relation: incident.ChangeRelation, Target: "CHG-297"}},
		{52, incident.PostUpdate, "Mike Johnson", incident.Details{Text: "A change is being rolled back"}},
		{68, incident.Resolve, "Sarah Chen", incident.Details{Text: "change CHG-297 rolled back, connections are free again"}},
		{60 * 41, incident.OpenReview, "Priya Nair", incident.Details{Person: "Priya Nair"}},
	} {
		_, err := inc.Apply(incident.Event{Key: fmt.Sprintf("e%02d", i+1), Kind: e.kind, At: begin.Add(time.Duration(e.minute) * time.Minute), Actor: e.actor, Details: e.Details})
		if err != nil {
			t.Fatal(err)
		}
	}
	return inc
}

func exported(t *testing.T, inc *incident.Incident) string {
	t.Helper()
	var b bytes.Buffer
	if err := inc.Timeline().Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The timeline of the sample is that of the night; -update writes it.
func TestSampleTimeline(t *testing.T) {
	const name = "testdata/sample/timeline.jsonl"
	want := exported(t, night(t))
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is not the record of the night: %v", name, err)
	}
}

// Of the sample: 3 minutes to the detection, 2 from the declaration at minute 4 to the
// acknowledgement, 68 from the start to the resolution, on a Tuesday, whose fifth
// business day after is Tuesday the 19th. Of three measures one is done, one overdue
// since 12 April, one not anchored.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	for path, want := range map[string]any{
		"schema": "postmortem/v1", "sample": true, "now": "2024-04-15T08:00:00Z", "incident_id": "INC-2024-001", "tenant": "northwind", "severity": "P1",
		"durations.detect_s": 180, "durations.acknowledge_s": 120, "durations.restore_s": 4080, "durations.resolve_s": 3900,
		"due": "2024-03-20T00:00:00Z", "moderator": "Priya Nair", "detection": "monitor", "anchored": true, "open_measures": 2, "overdue_measures": 1,
		"measures.0.status": "done", "measures.0.overdue": false, "measures.1.overdue": true, "measures.2.anchored": false, "measures.2.anchored_in": nil,
		"timeline.0.who": "monitor", "timeline.2.who": "lead", "timeline_head.seq": 10,
	} {
		programtest.Equal(t, r, path, want)
	}
	for _, key := range []string{"missing", "warnings"} {
		if list := programtest.At(t, r, key).([]any); len(list) > 0 {
			t.Errorf("%s = %v, want none", key, list)
		}
	}
	tokyo := programtest.Result(t, nil, "-tz", "Asia/Tokyo") // resolved on Wednesday 07:54 there
	programtest.Equal(t, tokyo, "due", "2024-03-20T15:00:00Z")
}

const review = `{"id": "INC-110", "severity": "p1", "title": "Checkout unavailable", "started": "2026-10-14T02:00:00Z", "detected": "2026-10-14T02:04:00Z",
 "opened": "2026-10-14T02:05:00Z", "resolved": "2026-10-14T12:00:00Z", "root_cause": "Bob rebuilt the index", "lead": "Bob", "moderator": "Ann",
 "measures": [{"text": "Set a lock timeout", "owner": "dba", "due": "2026-10-21"}]}`

const at = "2026-10-22T00:00:00Z"

func TestFileAlone(t *testing.T) {
	files := map[string]string{"i.json": review}
	r := programtest.Result(t, files, "-incident", "i.json", "-now", at)
	for path, want := range map[string]any{
		"durations.detect_s": 240, "durations.acknowledge_s": nil, "durations.restore_s": 36000, "durations.resolve_s": 35760, "timeline_head": nil,
		"root_cause": "the lead rebuilt the index", "warnings.0.code": "name_in_causes", "warnings.0.ref": "root_cause",
		"timeline.0.text": "detected", "timeline.1.text": "declared P1", "timeline.2.text": "resolved", "impact": nil,
		"anchored": false, "overdue_measures": 1, "measures.0.type": nil, "measures.0.status": "open",
	} {
		programtest.Equal(t, r, path, want)
	}
	if _, there := r["sample"]; there {
		t.Error("sample is there for a file of one's own")
	}
	for _, format := range []string{"text", "md", "html"} {
		if o := programtest.Run(t, nil, files, "-incident", "i.json", "-now", at, "-format", format); strings.Contains(o.Stdout, "Bob") || !strings.Contains(o.Stderr, "name_in_causes") {
			t.Errorf("%s: names Bob, or does not say so: %s", format, o.Stderr)
		}
	}
	least := programtest.Result(t, map[string]string{"i.json": `{"id": "INC-1", "moderator": null}`}, "-incident", "i.json")
	for path, want := range map[string]any{"severity": nil, "due": nil, "durations.restore_s": nil, "anchored": false, "warnings.0.code": "no_moderator"} {
		programtest.Equal(t, least, path, want)
	}
}

func TestStdin(t *testing.T) {
	cmd := programtest.Command(t, "-incident", "-", "-now", at, "-json")
	cmd.Stdin = strings.NewReader(review)
	out, err := cmd.Output()
	var r map[string]any
	if err != nil || json.Unmarshal(out, &r) != nil {
		t.Fatalf("%s, %v", out, err)
	}
	programtest.Equal(t, r, "inputs.0.name", "stdin")
	programtest.Equal(t, r, "incident_id", "INC-110")
}

// The timeline counts for times and severity, the file for what people wrote.
func TestTimeline(t *testing.T) {
	record := exported(t, night(t))
	r := programtest.Result(t, map[string]string{"t.jsonl": record}, "-timeline", "t.jsonl", "-now", at)
	for path, want := range map[string]any{"title": "Sign-in fails", "durations.restore_s": 4080, "summary": "change CHG-297 rolled back, connections are free again", "moderator": "Priya Nair", "inputs.0.name": "t.jsonl"} {
		programtest.Equal(t, r, path, want)
	}
	file := `{"id": "INC-2024-001", "severity": "P2", "resolved": "2024-03-12T23:30:00+01:00", "mitigated": "2024-03-12T22:50:00Z", "root_cause": "Omar and the lead", "moderator": "Sarah Chen"}`
	r = programtest.Result(t, map[string]string{"t.jsonl": record, "i.json": file}, "-timeline", "t.jsonl", "-incident", "i.json", "-now", at)
	for path, want := range map[string]any{
		"severity": "P1", "times.resolved": "2024-03-12T22:54:00Z", "times.mitigated": "2024-03-12T22:50:00Z", "root_cause": "the responder and the lead",
		"warnings.0.code": "differs_from_timeline", "warnings.0.ref": "resolved", "warnings.1.ref": "severity", "warnings.2.code": "name_in_causes", "warnings.3.code": "moderator_is_lead",
	} {
		programtest.Equal(t, r, path, want)
	}
}

func TestOutOfOrder(t *testing.T) {
	file := `{"id": "INC-1", "moderator": "Ann", "detected": "2026-10-14T02:04:00Z", "opened": "2026-10-14T02:05:00Z", "resolved": "2026-10-14T02:00:00Z"}`
	r := programtest.Result(t, map[string]string{"i.json": file}, "-incident", "i.json", "-now", at)
	programtest.Equal(t, r, "warnings.0.code", "out_of_order")
	programtest.Equal(t, r, "durations.resolve_s", 0)
}

func TestFailOn(t *testing.T) {
	done := `{"id": "INC-1", "measures": [{"text": "x", "owner": "o", "due": "2026-10-01", "anchored_in": "T-1", "status": "done"}]}`
	for _, c := range []struct {
		file, conditions string
		exit             int
	}{
		{review, "open-measures", 1},
		{review, "overdue", 1},
		{review, "not-anchored", 1},
		{done, "open-measures,overdue,not-anchored", 0},
		{`{"id": "INC-1"}`, "open-measures,overdue", 0},
		{`{"id": "INC-1"}`, "overdue,not-anchored", 1},
	} {
		o := programtest.Run(t, nil, map[string]string{"i.json": c.file}, "-incident", "i.json", "-now", at, "-fail-on", c.conditions)
		if o.Exit != c.exit || !strings.Contains(o.Stdout, "Post-mortem") {
			t.Errorf("-fail-on %s: exit %d, want %d, %s", c.conditions, o.Exit, c.exit, o.Stderr)
		}
	}
	o := programtest.Run(t, nil, map[string]string{"i.json": review}, "-incident", "i.json", "-now", "2026-10-21T23:59:59Z", "-fail-on", "overdue")
	if o.Exit != 0 {
		t.Errorf("on the due date itself: exit %d, want 0", o.Exit)
	}
}

func TestErrors(t *testing.T) {
	record := exported(t, night(t))
	files := map[string]string{
		"bad.json": "{\"id\": \"\", \"severty\": \"P1\",\n \"detected\": \"2026-10-14T02:04:00\", \"measures\": [{\"text\": 7}]}",
		"odd.json": "{\"id\": \"\", \"started\": \"0009-10-14T02:04:00Z\", \"services\": [\"\"],\n \"measures\": [{\"type\": \"fix\", \"due\": \"soon\", \"status\": \"late\"}]}",
		"ok.json":  review, "emoji.json": `{"id": "INC-1", "title": "\ud83d\ude00"}`, "t.jsonl": record,
		"forged.jsonl": strings.Replace(record, "all connections", "no connections", 1), "cut.jsonl": record[:len(record)-30],
	}
	for _, c := range []struct {
		args string
		exit int
		want []string
	}{
		{"-incident bad.json", 3, []string{`bad.json:1:12: severty: unknown key, want "severity"`, `bad.json:2:14: detected: found "2026-10-14T02:04:00", want a time with a zone`, `bad.json:2:59: measures[0].text: found 7, want a text`}},
		{"-incident odd.json", 3, []string{
			`odd.json:1:8: id: missing, want the id`, `odd.json:1:23: started: found 0009-10-14T02:04:00Z, want a time between the years 1800 and 2150`, `odd.json:1:60: services[0]: found ""`,
			`odd.json:2:15: measures[0].text: missing`, `odd.json:2:24: measures[0].type: found "fix"`, `odd.json:2:56: measures[0].status: found "late"`, `odd.json:2:38: measures[0].due: found "soon", want a date`,
		}},
		{"-incident none.json", 2, []string{"-incident: ", "none.json"}},
		{"-timeline forged.jsonl", 3, []string{`forged.jsonl:7: timeline entry 6: edited`}},
		{"-timeline cut.jsonl", 3, []string{`cut.jsonl:11:288: unexpected end of JSON input`}},
		{"-incident ok.json -timeline t.jsonl", 3, []string{`t.jsonl: the timeline of "INC-2024-001"`, `want that of "INC-110"`}},
		{"-incident bad.json -timeline forged.jsonl", 3, []string{"bad.json:1:12", "forged.jsonl:7"}},
		{"-config ok.json", 2, []string{"-config: this program has none"}},
		{"-incident ok.json -fail-on late", 2, []string{`-fail-on "late"`}},
		{"-incident ok.json -format pdf", 2, []string{`-format "pdf"`}},
	} {
		o := programtest.Run(t, nil, files, strings.Fields(c.args)...)
		if o.Exit != c.exit || o.Stdout != "" {
			t.Errorf("%s: exit %d, want %d, stdout %q, stderr %s", c.args, o.Exit, c.exit, o.Stdout, o.Stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(o.Stderr, want) {
				t.Errorf("%s: stderr lacks %q:\n%s", c.args, want, o.Stderr)
			}
		}
	}
	programtest.Equal(t, programtest.Result(t, files, "-incident", "emoji.json"), "title", "😀")
}

// Texts stay texts in every form.
func TestInjection(t *testing.T) {
	const evil = `<script>alert(1)</script>| [x](javascript:y)`
	text, err := json.Marshal(map[string]any{
		"id": evil, "title": evil, "services": []string{evil}, "summary": evil, "impact": evil, "root_cause": evil, "contributing": []string{evil}, "detection": evil,
		"helped": []string{evil}, "moderator": evil, "measures": []any{map[string]string{"text": evil, "owner": evil, "anchored_in": evil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"md", "html"} {
		o := programtest.Run(t, nil, map[string]string{"i.json": string(text)}, "-incident", "i.json", "-format", format)
		if o.Exit != 0 || strings.Contains(o.Stdout, "<script") || format == "md" && strings.Contains(o.Stdout, "[x](") || strings.Count(o.Stdout, "alert") < 10 {
			t.Errorf("%s: exit %d\n%s", format, o.Exit, o.Stdout)
		}
	}
}

// Two runs give the same bytes, whatever the zone of the machine.
func TestDeterministic(t *testing.T) {
	for _, format := range []string{"text", "json", "md", "html"} {
		first := programtest.Run(t, []string{"TZ=UTC", "GOMAXPROCS=1"}, nil, "-explain", "-format", format)
		second := programtest.Run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=2"}, nil, "-explain", "-format", format)
		if first.Stdout != second.Stdout || first.Exit != 0 || first.Stdout == "" {
			t.Errorf("%s: two runs differ, or fail: %s", format, first.Stderr)
		}
	}
}

func TestExplained(t *testing.T) {
	r := programtest.Result(t, nil, "-explain")
	explained := programtest.At(t, r, "explain").([]any)
	if len(explained) != 7 {
		t.Errorf("%d explanations, want those of four durations and three figures of measures", len(explained))
	}
	for _, x := range explained {
		path, _ := strings.CutPrefix(programtest.At(t, x, "field").(string), "$.")
		programtest.At(t, r, path)
	}
	programtest.Equal(t, r, "explain.0.values.start", "2024-03-12T21:46:00Z")
	programtest.Equal(t, r, "explain.0.values.detected", "2024-03-12T21:49:00Z")
}

// The schema has the keys that the program reads.
func TestSchema(t *testing.T) {
	type node struct {
		Properties map[string]any  `json:"properties"`
		Defs       map[string]node `json:"$defs"`
		Strict     *bool           `json:"additionalProperties"`
	}
	var root node
	if err := json.Unmarshal(schema.Incident, &root); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of   reflect.Type
		node node
	}{"incident": {reflect.TypeFor[incidentFile](), root}, "measure": {reflect.TypeFor[measureFile](), root.Defs["measure"]}} {
		var want []string
		for f := range c.of.Fields() {
			want = append(want, f.Tag.Get("json"))
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(c.node.Properties)); !slices.Equal(got, want) || c.node.Strict == nil || *c.node.Strict {
			t.Errorf("%s: properties %q, want %q and no others", name, got, want)
		}
	}
	o := programtest.Run(t, nil, nil, "-schema")
	if o.Stdout != string(schema.Incident) || !regexp.MustCompile(`"\$schema"`).MatchString(o.Stdout) {
		t.Errorf("-schema prints something else")
	}
}
