package config_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// quietRules is a rule that counts by day, a silence and maintenance that comes back.
const quietRules = `version: 1
rules:
  - name: down
    by: [region]
    logic: IF platform.database_down THEN suppress application.*
    active:
      timezone: Europe/Amsterdam
      hours: [{days: [Mon, Tue], from: "08:00", to: "18:00"}, {days: [monday], from: "20:00", to: "02:00"}]
      holidays: [2026-12-25]
silences:
  - {id: s1, tenant: acme, matchers: ['cluster="eu"', alertname=~"platform.*"], start: 2026-03-01T02:00:00Z, end: 2026-03-01T04:00:00Z, created_by: ann, comment: new switch}
  - id: upkeep
    matchers: [host="a"]
    hours: {timezone: UTC, hours: [{days: [Sun], from: "02:00", to: "04:00"}]}
    created_by: bob
    comment: every Sunday
options: {strict_silence: true}
`

func TestSilences(t *testing.T) {
	set, _, err := config.ParseRules("r.yaml", []byte(quietRules))
	if err != nil {
		t.Fatal(err)
	}
	evening := calendar.Span{From: "20:00", To: "02:00"}
	day := calendar.Span{From: "08:00", To: "18:00"}
	active := &calendar.Hours{
		Zone: "Europe/Amsterdam", Week: calendar.Week{time.Monday: {day, evening}, time.Tuesday: {day}}, Holidays: []string{"2026-12-25"},
	}
	if got := set.Rules[0].Active; !reflect.DeepEqual(got, active) {
		t.Errorf("Active = %+v, want %+v", got, active)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	want := []silence.Silence{
		{ID: "s1", Tenant: "acme", Matchers: []string{`cluster="eu"`, `alertname=~"platform.*"`}, Start: at, End: at.Add(2 * time.Hour), CreatedBy: "ann", Comment: "new switch"},
		{
			ID: "upkeep", Matchers: []string{`host="a"`}, CreatedBy: "bob", Comment: "every Sunday",
			Hours: &calendar.Hours{Zone: "UTC", Week: calendar.Week{time.Sunday: {{From: "02:00", To: "04:00"}}}},
		},
	}
	if !reflect.DeepEqual(set.Silences, want) || !set.StrictSilence {
		t.Errorf("Silences = %+v, %v, want %+v", set.Silences, set.StrictSilence, want)
	}
}

// Each problem stands where it is, with what was probably meant.
func TestSilenceProblems(t *testing.T) {
	for _, c := range []struct{ old, with, line, path, code, suggestion string }{
		{"[Mon, Tue]", "[Mon, Tuesdy]", "8", "rules[0].active.hours[0].days[1]", "bad_enum", "Tuesday"},
		{`from: "08:00"`, `from: "8 h"`, "8", "rules[0].active.hours[0].from", "out_of_range", ""},
		{`to: "02:00"}]`, `to: "25:00"}]`, "8", "rules[0].active.hours[1].to", "out_of_range", ""},
		{"2026-12-25", "2026-02-30", "9", "rules[0].active.holidays[0]", "out_of_range", ""},
		{"Europe/Amsterdam", "CET", "7", "rules[0].active.timezone", "bad_zone", "Europe/Amsterdam"},
		{"    active:", "    activ:", "6", "rules[0].activ", "unknown_field", "active"},
		{"id: s1,", "", "11", "silences[0].id", "missing_field", ""},
		{"id: upkeep", "id: upkeep\n    tenant: acme\n    end: 2026-03-01T02:00:00", "14", "silences[1].end", "bad_time", ""},
		{"id: upkeep", "id: s1\n    tenant: acme", "12", "silences[1].id", "duplicate_id", ""},
		{"host=\"a\"", "host=~\"(\"", "13", "silences[1].matchers[0]", "bad_matcher", ""},
		{"[host=\"a\"]", "[host!=\"a\"]", "13", "silences[1].matchers", "bad_matcher", ""},
		{"end: 2026-03-01T04:00:00Z", "end: 2026-03-01T01:00:00Z", "11", "silences[0].end", "out_of_range", ""},
		{", end: 2026-03-01T04:00:00Z", "", "11", "silences[0].end", "out_of_range", ""},
		{"comment: every Sunday", `comment: ""`, "16", "silences[1].comment", "out_of_range", ""},
		{"strict_silence", "strict_silences", "17", "options.strict_silences", "unknown_field", "strict_silence"},
	} {
		text := strings.Replace(quietRules, c.old, c.with, 1)
		if text == quietRules {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, d, _ := config.ParseRules("r.yaml", []byte(text))
		problems := d.Problems()
		if len(problems) != 1 {
			t.Errorf("%s: %d problems, want one: %v", c.with, len(problems), problems)
			continue
		}
		p := problems[0]
		if strconv.Itoa(p.Line) != c.line || p.Path != c.path || p.Code != c.code || p.Suggestion != c.suggestion {
			t.Errorf("%s: %+v, want line %s, path %s, code %s, suggestion %q", c.with, p, c.line, c.path, c.code, c.suggestion)
		}
	}
}
