package config_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
)

const supportedTeam = `version: 1
timezone: Europe/Amsterdam
last_resort: {id: boss}
engineers:
  - {id: ann, level: senior, primary_skills: [databases], availability_hours: [8, 18], max_open_incidents: 3, fte_percent: 80}
support_lines:
  - line: 1
    name: call centre
    may: [validate_request, escalate]
    timezone: Europe/Amsterdam
    hours: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]
    off_hours: {least_severity: P1, by: duty desk, log_only: true}
    pages: [{engineer: ann}]
    off_hours_pages: [{engineer: boss}]
    training: [{topic: procedures, held: "2026-01-15", every_months: 6}]
  - line: 5
    name: vendor
    may: [fix_product]
    vendor: {name: Acme, procedure: portal, priority_queue: by telephone, response_minutes: {P1: 60}}
policies: {desk: {P1: &desk {steps: [{minutes: 0, targets: [{line: call centre}], stop_on: acknowledged}]}, P2: *desk, P3: *desk, P4: *desk}}
`

// Support lines, a maximum of open incidents and parts of positions are read from
// YAML, and what is wrong with them is told with its place.
func TestTeamWithSupportLines(t *testing.T) {
	roster, _, err := config.ParseTeam("team.yaml", []byte(supportedTeam))
	if err != nil {
		t.Fatal(err)
	}
	ann, lines := roster.Engineers[0], roster.SupportLines
	if ann.MaxOpen != 3 || ann.FTEPercent != 80 || len(lines) != 2 {
		t.Fatalf("roster = %+v, want ann with 3 and 80 %%, two lines", roster)
	}
	if l := lines[0]; l.OffHours.Least != incident.P1 || !l.OffHours.LogOnly || l.Training[0].EveryMonths != 6 || lines[1].Vendor.ResponseMinutes[incident.P1] != 60 {
		t.Errorf("lines = %+v, want what the file says", lines)
	}
	if due, ok := lines[1].Vendor.ResponseDue(incident.P1, time.Unix(0, 0)); !ok || due.Unix() != 3600 {
		t.Errorf("vendor due %s, %t, want after an hour", due, ok)
	}
	for _, c := range []struct{ from, to, want string }{
		{"line: 5", "line: 1", `support_lines[1].line`},
		{"timezone: Europe/Amsterdam\n    hours", "timezone: CEST\n    hours", `support_lines[0].timezone`},
		{"priority_queue: by telephone, ", "", `support_lines[1].vendor.priority_queue`},
		{"P1: 60", "P1: 0", `support_lines[1].vendor.response_minutes.P1`},
		{"log_only", "logs_only", `logs_only`},
		{"pages: [{engineer: ann}]", "pages: [{engineer: anne}]", `support_lines[0].pages[0].engineer: "anne", want an engineer of the roster, or the last resort (did you mean "ann"?)`},
		{"{line: call centre}", "{line: call center}", `policies.desk.P1.steps[0].targets[0].line: "call center", want one of call centre (did you mean "call centre"?)`},
	} {
		text := strings.Replace(supportedTeam, c.from, c.to, 1)
		if _, _, err := config.ParseTeam("team.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %q: %v, want an error at %s", c.to, err, c.want)
		}
	}
}

func article(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "articles", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The blocks of the guide load unchanged: each alone, all together, and beside keys
// of our own. What they say is what package escalation has of the same guide.
func TestTeamOfTheGuide(t *testing.T) {
	names := []string{"operations_centers", "handoff_schedule", "escalation", "communication"}
	var blocks []string
	for _, name := range names {
		text := article(t, name)
		blocks = append(blocks, text)
		if _, d, err := config.ParseTeam(name+".yaml", []byte(text)); err != nil || len(d.Problems()) > 6 {
			t.Errorf("%s: %v, problems %v", name, err, d.Problems())
		}
	}
	all := strings.Join(blocks, "")
	o, d, err := config.ParseTeam("guide.yaml", []byte(all))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Problems() {
		if p.Code != "zone_alias" {
			t.Errorf("unexpected %v", p)
		}
	}
	want := escalation.SampleCentres()
	for i, c := range o.Centres {
		w := want[i]
		if c.ID != w.ID || c.Name != w.Name || c.Zone != w.Zone || !reflect.DeepEqual(c.Coverage, w.Coverage) || c.Staffing != w.Staffing || len(c.Specialisations) != 3 {
			t.Errorf("centre %+v, want %+v", c, w)
		}
		if h := c.Handoff; h.To != w.Handoff.To || h.At != w.Handoff.At || h.Minutes != 30 || len(h.Agenda) != 4 {
			t.Errorf("handoff %+v, want %+v", h, w.Handoff)
		}
	}
	if !reflect.DeepEqual(o.Matrix, escalation.DefaultMatrix()) || o.DefaultSeverity != incident.P3 || !slices.Equal(o.Domains, escalation.SampleDomains()) {
		t.Errorf("matrix %+v, unset %v, domains %v", o.Matrix, o.DefaultSeverity, o.Domains)
	}
	sarah := escalation.SampleRoster().Engineers[0]
	sarah.ID, sarah.Zone = "sarah_chen", "" // of the centre
	if !reflect.DeepEqual(o.Engineers[0], sarah) || len(o.Engineers) != 2 {
		t.Errorf("engineers %+v, want %+v first", o.Engineers, sarah)
	}
	if !reflect.DeepEqual(o.Comms.Matrix, comms.DefaultMatrix()) || !reflect.DeepEqual(o.Comms.Cadence, comms.DefaultCadence()) || len(o.Comms.Stakeholders) != 2 || len(o.Comms.Templates) != 1 {
		t.Errorf("communication %+v", o.Comms)
	}

	own, d, err := config.ParseTeam("team.yaml", []byte("version: 1\ntimezone: Europe/Amsterdam\nlast_resort: {id: boss}\nengineers: [{id: ann, level: senior, location: austin, primary_skills: [databases]}]\n"+all))
	if err != nil {
		t.Fatal(err)
	}
	if own.LastResort.ID != "boss" || len(own.Engineers) != 1 || len(own.Centres) != 3 || own.Matrix == nil {
		t.Errorf("roster %+v, want our people and the guide's centres and matrix", own)
	}
	if !slices.ContainsFunc(d.Problems(), func(p config.Diagnostic) bool {
		return p.Code == "overruled" && p.Path == "escalation.engineers"
	}) {
		t.Errorf("problems %v, want a warning that the people of the block do not count", d.Problems())
	}
}

const wholeTeam = `version: 1
timezone: Europe/Amsterdam
last_resort: {id: boss}
technology_domains: [databases, networking]
tier: enterprise
engineers:
  - {id: ann, level: senior, location: ams, primary_skills: [databases], on_call_rotation: true}
  - {id: bob, level: principal, location: ams, timezone: Europe/Lisbon, secondary_skills: [networking], availability_hours: [{days: [Mon], from: "09:00", to: "17:00"}]}
absences: [{engineer: ann, from: 2026-10-07T00:00:00Z, to: 2026-10-08T00:00:00Z, reason: leave}]
teams: {data: [ann, bob]}
centres:
  - {id: ams, timezone: Europe/Amsterdam, coverage: [{from: "06:00", to: "18:00"}], handoff: {to: sin, time: "17:30", minutes: 30, activities: [a]}, manager: bob, regions: [eu]}
  - {id: sin, timezone: Asia/Singapore, coverage: [{from: "06:00", to: "18:00"}]}
latency_ms: {eu: {sin: 160}}
ranking: {junior_first: [P3, p4_low]}
schedules:
  night:
    layers:
      - {name: n, rotation: {tz: Europe/Amsterdam, start_local: "2026-01-05T09:00", unit: weeks, length: 1, users: [ann, bob], changes: [{from: 2026-06-01T00:00:00Z, users: [bob]}]}, windows: [{from: "22:00", to: "06:00"}], holidays: ["2026-12-25"]}
    replacements: [{id: xmas, from: 2026-12-24T00:00:00Z, to: 2026-12-27T00:00:00Z, fallback: boss}]
    overrides: [{id: o1, from: 2026-03-31T10:00:00Z, to: 2026-03-31T14:00:00Z, kind: remove, replaces: ann}]
on_call: night
matrix:
  p1: &all {steps: [{minutes: 5, targets: [{schedule: night}, {team: data}], stop_on: acknowledged, only_in: {timezone: Europe/Amsterdam, windows: [{from: "00:00", to: "24:00"}]}}, {minutes: 20, targets: [{level: management}], stop_on: resolved}], repeat: 1, repeat_every_minutes: 60, ack_timeout_minutes: 30, repage_minutes: 20}
  p2: *all
  p3: {steps: []}
  p4: {steps: []}
policies: {quiet: {P1: {steps: []}, P2: {steps: []}, P3: {steps: []}, P4: {steps: [{minutes: 9, targets: [{webhook: chat}], stop_on: resolved}]}}}
stakeholders: [{name: Lena, role: business_owner, language: de-AT, contact_methods: {email: lena@example.com}}]
templates: [{severity: P2, template_type: initial, subject_template: "{incident_id}", body_template: "{description}", channels: [email]}, {severity: P2, template_type: initial, language: de, subject_template: "Störung", body_template: "alle {update_interval}"}]
language: en
phrases: {de: {unknown_service: s, unknown_time: t, last_message: Ende., severity_now: "Jetzt {severity}.", false_alarm: "Fehlalarm: {reason}", merged: "Weiter in {incident_id}."}}
`

// Everything that a team can say loads, and each mistake is told with its place.
func TestWholeTeam(t *testing.T) {
	o, d, err := config.ParseTeam("team.yaml", []byte(wholeTeam))
	if err != nil || len(d.Problems()) > 0 {
		t.Fatal(err, d.Problems())
	}
	if o.Tier != sla.Enterprise || o.Latency["eu"]["sin"] != 160 || o.Ranking.JuniorFirst[1] != incident.P4 || o.Matrix[incident.P2].Steps[0].Targets[1].Team != "data" ||
		o.Policies["quiet"][incident.P4].Steps[0].Minutes != 9 || o.Schedules["night"].Replacements[0].Fallback != "boss" || o.Comms.Stakeholders[0].Role != comms.BusinessOwner || o.Comms.Language != "en" || o.Comms.Phrases["de"].LastMessage != "Ende." || o.Comms.Templates[1].Language != "de" {
		t.Errorf("organisation %+v", o)
	}
	for _, c := range []struct{ from, to, code, path, suggestion string }{
		{"tier: enterprise", "tier: enterprixe", "bad_enum", "tier", "enterprise"},
		{"location: ams, primary", "location: amx, primary", "bad_reference", "engineers[0].location", "ams"},
		{"primary_skills: [databases]", "primary_skills: [database]", "bad_reference", "engineers[0].primary_skills[0]", "databases"},
		{"level: senior", "level: seniour", "bad_enum", "engineers[0].level", "senior"},
		{"level: senior, ", "", "missing_field", "engineers[0].level", ""},
		{"{id: bob", "{id: ann", "duplicate_id", "engineers[1].id", ""},
		{"timezone: Europe/Lisbon", "timezone: CET", "bad_zone", "engineers[1].timezone", "Europe/Amsterdam"},
		{"timezone: Europe/Lisbon", "timezone: Europe/Lisbun", "bad_zone", "engineers[1].timezone", "Europe/Lisbon"},
		{`days: [Mon]`, `days: [Mun]`, "bad_enum", "engineers[1].availability_hours[0].days[0]", "Mon"},
		{`to: "17:00"`, `to: "25:00"`, "bad_time", "engineers[1].availability_hours[0].to", ""},
		{`to: "17:00"`, `till: "17:00"`, "unknown_field", "engineers[1].availability_hours[0].till", ""},
		{`[{days: [Mon], from: "09:00", to: "17:00"}]`, `[9, 25]`, "bad_enum", "engineers[1].availability_hours", ""},
		{`[{days: [Mon], from: "09:00", to: "17:00"}]`, `{from: 9}`, "wrong_type", "engineers[1].availability_hours", ""},
		{"engineer: ann", "engineer: anna", "bad_reference", "absences[0].engineer", "ann"},
		{"to: 2026-10-08T00:00:00Z", "to: 2026-10-06T00:00:00Z", "out_of_range", "absences[0].to", ""},
		{"to: 2026-10-08T00:00:00Z", "to: 2026-10-08", "bad_time", "absences[0].to", ""},
		{"data: [ann, bob]", "data: [ann, bobby]", "bad_reference", "teams.data[1]", "bob"},
		{"manager: bob", "manager: rob", "bad_reference", "centres[0].manager", "bob"},
		{"handoff: {to: sin", "handoff: {to: sim", "bad_reference", "centres[0].handoff.to", "sin"},
		{`time: "17:30"`, `time: "17:3"`, "bad_time", "centres[0].handoff.time", ""},
		{"{sin: 160}", "{sim: 160}", "bad_reference", "latency_ms.eu.sim", "sin"},
		{"{sin: 160}", "{sin: -1}", "out_of_range", "latency_ms.eu.sin", ""},
		{"ranking: {junior_first", "ranking: {juniors_first", "unknown_field", "ranking.juniors_first", "junior_first"},
		{"length: 1", "length: 0", "out_of_range", "schedules.night.layers[0].rotation.length", ""},
		{"unit: weeks", "unit: week", "bad_enum", "schedules.night.layers[0].rotation.unit", "weeks"},
		{"2026-01-05T09:00", "2026-01-05", "bad_time", "schedules.night.layers[0].rotation.start_local", ""},
		{"users: [bob]}]", "users: [rob]}]", "bad_reference", "schedules.night.layers[0].rotation.changes[0].users[0]", "bob"},
		{`holidays: ["2026-12-25"]`, `holidays: ["2026-12-32"]`, "bad_time", "schedules.night.layers[0].holidays[0]", ""},
		{"fallback: boss", "fallback: bosss", "bad_reference", "schedules.night.replacements[0].fallback", "boss"},
		{"kind: remove", "kind: drop", "bad_enum", "schedules.night.overrides[0].kind", ""},
		{"on_call: night", "on_call: nights", "bad_reference", "on_call", "night"},
		{"{schedule: night}", "{schedule: nigth}", "bad_reference", "matrix.p1.steps[0].targets[0].schedule", "night"},
		{"{team: data}", "{taem: data}", "unknown_field", "matrix.p1.steps[0].targets[1].taem", "team"},
		{"minutes: 20", "minutes: 4", "out_of_range", "matrix.p1.steps[1].minutes", ""},
		{"stop_on: resolved}], repeat", "stop_on: opened}], repeat", "out_of_range", "matrix.p1.steps[1].stop_on", ""},
		{"only_in: {timezone: Europe/Amsterdam", "only_in: {timezone: EST", "bad_zone", "matrix.p1.steps[0].only_in.timezone", "America/New_York"},
		{"  p3: {steps: []}\n", "", "missing_field", "matrix.P3", ""},
		{"  p3: {", "  p5: {", "bad_enum", "matrix.p5", ""},
		{"minutes: 9", "minutes: -1", "out_of_range", "policies.quiet.P4.steps[0].minutes", ""},
		{"role: business_owner", "role: owner", "out_of_range", "stakeholders[0].role", ""},
		{`"{description}"`, `"{descriptiom}"`, "out_of_range", "templates[0].body_template", ""},
		{"alle {update_interval}", "alle {interval}", "out_of_range", "templates[1].body_template", ""},
		{"language: de,", "language: d_,", "out_of_range", "templates[1].language", ""},
		{"language: de-AT", "language: de_AT", "out_of_range", "stakeholders[0].language", ""},
		{"language: en", "language: e n", "out_of_range", "language", ""},
		{"last_message: Ende.", "last_message: ''", "out_of_range", "phrases.de.last_message", ""},
		{"Jetzt {severity}", "Jetzt {severty}", "out_of_range", "phrases.de.severity_now", ""},
		{"merged: ", "merge: ", "unknown_field", "phrases.de.merge", "merged"},
		{"phrases: {de", "phrases: {nl", "out_of_range", "phrases.de", ""},
		{"last_resort: {id: boss}", "last_resort: {name: Boss}", "missing_field", "last_resort.id", ""},
		{"version: 1\n", "", "missing_field", "version", ""},
	} {
		text := strings.Replace(wholeTeam, c.from, c.to, 1)
		if text == wholeTeam {
			t.Fatalf("%q is not in the file", c.from)
		}
		_, d, err := config.ParseTeam("team.yaml", []byte(text))
		found := slices.ContainsFunc(d.Problems(), func(p config.Diagnostic) bool {
			return p.Code == c.code && p.Path == c.path && p.Suggestion == c.suggestion && p.Line > 0 && p.Column > 0
		})
		if err == nil || !found {
			t.Errorf("%s instead of %s:\n%v\nwant %s at %s, suggestion %q", c.to, c.from, err, c.code, c.path, c.suggestion)
		}
	}
}

// A roster as JSON loads as well, and its problems have a place.
func TestTeamFromJSON(t *testing.T) {
	const text = "{\n  \"version\": 1, \"timezone\": \"UTC\", \"last_resort\": {\"id\": \"boss\"},\n  \"engineers\": [{\"id\": \"ann\", \"level\": \"senior\", \"availability_hours\": [8, 18]}],\n" +
		"  \"absences\": [{\"engineer\": \"anne\", \"from\": \"2026-10-07T00:00:00Z\", \"to\": \"2026-10-08T00:00:00Z\"}]\n}\n"
	_, _, err := config.ParseTeam("team.json", []byte(text))
	if want := `team.json:4:29: absences[0].engineer: "anne", want an engineer of the roster (did you mean "ann"?)`; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if _, _, err := config.ParseTeam("team.json", []byte(strings.Replace(text, "anne", "ann", 1))); err != nil {
		t.Error(err)
	}
}

// What the blocks cannot mean is told where it stands.
func TestTeamOfTheGuideErrors(t *testing.T) {
	all := article(t, "operations_centers") + article(t, "handoff_schedule") + article(t, "escalation") + article(t, "communication")
	for _, c := range []struct{ from, to, code, path string }{
		{`timezone: "SGT"`, `timezone: "SGX"`, "bad_zone", "operations_centers.tertiary.timezone"},
		{`"06:00-18:00 SGT"`, `"06:00-18:00 CET"`, "bad_zone", "operations_centers.tertiary.coverage_hours"},
		{`"06:00-18:00 SGT"`, `"6-18"`, "bad_time", "operations_centers.tertiary.coverage_hours"},
		{`"06:00-18:00 SGT"`, `"06:00-28:00 SGT"`, "bad_time", "operations_centers.tertiary.coverage_hours"},
		{"austin_to_singapore:", "austin_to_sydney:", "bad_reference", "handoff_schedule.austin_to_sydney"},
		{"austin_to_singapore:", "dallas_to_singapore:", "bad_reference", "handoff_schedule.dallas_to_singapore"},
		{"austin_to_singapore:", "austin_singapore:", "bad_id", "handoff_schedule.austin_singapore"},
		{`"17:30 CST"`, `"17:30 SGT"`, "bad_zone", "handoff_schedule.austin_to_singapore.time"},
		{`"17:30 CST"`, `"half past five"`, "bad_time", "handoff_schedule.austin_to_singapore.time"},
		{"senior: 2, junior", "senior: 4, junior", "out_of_range", "escalation.candidate_order.level.junior"},
		{`action: "wake_on_call_manager"`, `action: "wait"`, "bad_enum", "escalation.no_engineer_available.action"},
		{"level_2: {minutes: 30,", "level_2: {minutes: 10,", "out_of_range", "escalation.timelines.p1_critical.level_2.minutes"},
		{`location: "austin"`, `location: "dallas"`, "bad_reference", "escalation.engineers[1].location"},
		{"p3: 60", "p3: 90", "out_of_range", "communication.unknown_severity.update_interval_minutes"},
		{`days: ["monday"`, `days: ["moonday"`, "bad_enum", "communication.business_hours.days"},
		{`from: "09:00"`, `from: "9"`, "out_of_range", "communication.business_hours"},
		{"{service_name} - ", "{service} - ", "out_of_range", "communication.templates[0].subject_template"},
		{"%Y-%m-%d", "%d", "bad_enum", "communication.timestamp_format"},
		{"candidate_order:", "candidates_order:", "unknown_field", "escalation.candidates_order"},
	} {
		text := strings.Replace(all, c.from, c.to, 1)
		if text == all {
			t.Fatalf("%q is not in the file", c.from)
		}
		_, d, err := config.ParseTeam("guide.yaml", []byte(text))
		if err == nil || !slices.ContainsFunc(d.Problems(), func(p config.Diagnostic) bool {
			return p.Severity == config.Error && p.Code == c.code && strings.HasPrefix(p.Path, c.path) && p.Line > 1
		}) {
			t.Errorf("%s instead of %s:\n%v\nwant %s at %s", c.to, c.from, err, c.code, c.path)
		}
	}
}
