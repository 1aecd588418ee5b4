package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "html": "html", "md": "md"} {
		programtest.Golden(t, format, extension)
	}
}

// questions are one for each mode, all on the sample.
var questions = [][]string{
	nil,
	{"-at", "2026-10-26T04:00:00Z"},
	{"-gaps", "2026-10-19/2026-10-27"},
	{"-coverage", "2026-10-01/2026-11-01"},
}

// Two runs give the same bytes, whatever the zone of the machine.
func TestDeterministic(t *testing.T) {
	runs := [][]string{{"-ical", "-", "-from", "2026-10-01T00:00:00Z", "-to", "2026-11-01T00:00:00Z"}, {"-ical", "-", "-center", "*", "-from", "2026-10-01T00:00:00Z", "-to", "2026-11-01T00:00:00Z"}}
	for _, q := range questions {
		for _, format := range []string{"text", "json", "html", "md"} {
			runs = append(runs, append([]string{"-explain", "-format", format}, q...))
		}
	}
	for _, args := range runs {
		first := programtest.Run(t, []string{"TZ=UTC", "GOMAXPROCS=1"}, nil, args...)
		second := programtest.Run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=2"}, nil, args...)
		if first.Stdout != second.Stdout || first.Exit != 0 || second.Exit != 0 || first.Stdout == "" {
			t.Errorf("%q: two runs differ, or fail: %s", args, first.Stderr)
		}
		for _, never := range []string{"<script", "NaN", "%!"} {
			if strings.Contains(first.Stdout, never) {
				t.Errorf("%q: prints %q", args, never)
			}
		}
	}
}

// INC-42 comes at 00:10 in Amsterdam, 18:10 in Austin and 07:10 in Singapore: nobody
// who knows kubernetes is at work but for Omar, who begins at eight. Of the two in the
// pool, both principals and free, dana has the smaller id. It is acknowledged half a
// minute after half of its five minutes, and resolved after levels 2 and 3 of P1, 30
// and 60 minutes. INC-43 is nobody's: every clock of a P1 runs out.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "schema", "escalation-timeline/v1")
	programtest.Equal(t, r, "sample", true)
	programtest.Equal(t, r, "until", "2026-10-26T04:00:00Z")
	programtest.Equal(t, r, "incidents.0.assigned", "joy")
	programtest.Equal(t, r, "incidents.0.reason", nil)
	programtest.Equal(t, r, "incidents.0.next_update_due", nil)

	programtest.Equal(t, r, "incidents.1.assigned", "dana")
	programtest.Equal(t, r, "incidents.1.reason", "on_call_pool")
	programtest.Equal(t, r, "incidents.1.candidates.1.engineer", "sarah")
	for i, want := range []struct {
		at, event string
		level     any
	}{
		{"2026-10-25T23:10:00Z", "assigned", nil},
		{"2026-10-25T23:12:30Z", "response_at_risk", nil},
		{"2026-10-25T23:13:00Z", "acknowledged", nil},
		{"2026-10-25T23:40:00Z", "escalate", 2},
		{"2026-10-26T00:10:00Z", "escalate", 3},
		{"2026-10-26T00:55:00Z", "resolved", nil},
	} {
		event := programtest.At(t, r, "incidents.1.timeline").([]any)[i]
		programtest.Equal(t, event, "at", want.at)
		programtest.Equal(t, event, "event", want.event)
		if want.level != nil {
			programtest.Equal(t, event, "level", want.level)
		}
	}
	programtest.Equal(t, r, "incidents.2.next_escalation", "2026-10-26T04:20:00Z")
	programtest.Equal(t, r, "incidents.2.next_update_due", "2026-10-26T03:35:00Z")
	programtest.Equal(t, r, "incidents.2.timeline.2.event", "response_missed")
	programtest.Equal(t, r, "incidents.2.timeline.2.at", "2026-10-26T03:25:00Z")
	// Marcus is on call, so he is available at 22:45.
	programtest.Equal(t, r, "incidents.3.assigned", "marcus")
	// Nobody knows storage, so somebody on shift in the centre in charge is called.
	programtest.Equal(t, r, "incidents.4.assigned", "joy")
	programtest.Equal(t, r, "incidents.4.reason", "owning_centre")
}

// The week in which the clocks of Amsterdam go forward, Monday 23 to Monday 30 March
// 2026, has 167 hours. The eleventh week since 5 January is that of marcus, from Monday
// 08:00 to Monday 07:00 UTC, and its nights are sarah's: five of eight hours. His nights
// in Chicago, already on summer time, are 03:00 to 11:00 UTC: 3 hours on Monday and six
// times 8; his weekend begins on Saturday 05:00 UTC. Amsterdam is in charge from 09:30
// to 16:30 UTC and on Sunday to 15:30: 6 · 7 + 6; Austin to 22:30: 6 · 6 + 6.5 up to
// the end of the week; Singapore the rest.
func TestMarch(t *testing.T) {
	r := programtest.Result(t, nil, "-coverage", "2026-03-23/2026-03-30")
	programtest.Equal(t, r, "from", "2026-03-22T23:00:00Z")
	programtest.Equal(t, r, "to", "2026-03-29T22:00:00Z")
	people(t, r, map[string][3]int{"marcus": {158, 51, 41}, "nina": {9, 6, 0}, "sarah": {40, 40, 6}})
	centres(t, r, 48, 42.5, 76.5)

	r = programtest.Result(t, nil, "-gaps", "2026-03-23/2026-03-30")
	programtest.Equal(t, r, "schedules.0.schedule", "nights")
	programtest.Equal(t, r, "schedules.0.covered_percent", 23.952095) // 40/167 = 0.2395209…, cut
	programtest.Equal(t, r, "schedules.0.gaps.5.start", "2026-03-28T05:00:00Z")
	programtest.Equal(t, r, "schedules.0.gaps.5.s", 41*3600)
	programtest.Equal(t, r, "schedules.1.covered_percent", 100)
	programtest.Equal(t, r, "centers.covered_percent", 100)

	for at, want := range map[string]string{"2026-03-30T06:59:59Z": "marcus", "2026-03-30T07:00:00Z": "sarah"} {
		r = programtest.Result(t, nil, "-at", at, "-schedule", "primary")
		programtest.Equal(t, r, "schedules.0.on_call", want)
	}
	programtest.Equal(t, r, "schedules.0.source", "layer:weeks")
}

// The week in which they go back, 19 to 26 October 2026, has 169 hours. It is the 41st,
// marcus's again, from Monday 07:00 UTC; his nights are 4 hours on Monday and six times
// 8, his weekend 42 hours to 23:00 UTC on Sunday. Amsterdam is in charge from 09:30 to
// 15:30 UTC and on Sunday to 16:30: 6 · 6 + 7; Austin until 22:30, the half hour in
// which the week begins included: 0.5 + 6 · 7 + 6; Singapore the rest.
func TestOctober(t *testing.T) {
	r := programtest.Result(t, nil, "-coverage", "2026-10-19/2026-10-26")
	programtest.Equal(t, r, "from", "2026-10-18T22:00:00Z")
	programtest.Equal(t, r, "to", "2026-10-25T23:00:00Z")
	people(t, r, map[string][3]int{"marcus": {160, 52, 42}, "nina": {9, 6, 0}, "sarah": {40, 40, 6}})
	centres(t, r, 43, 48.5, 77.5)

	r = programtest.Result(t, nil, "-gaps", "2026-10-19/2026-10-26")
	programtest.Equal(t, r, "schedules.0.covered_percent", 23.668639) // 40/169 = 0.23668639…
	r = programtest.Result(t, nil, "-at", "2026-10-26T07:59:59Z", "-schedule", "primary")
	programtest.Equal(t, r, "schedules.0.on_call", "marcus")
	programtest.Equal(t, r, "schedules.0.shift_start", "2026-10-19T07:00:00Z")
	programtest.Equal(t, r, "schedules.0.shift_end", "2026-10-26T08:00:00Z") // 169 hours
	r = programtest.Result(t, nil, "-at", "2026-10-26T08:00:00Z", "-schedule", "primary")
	programtest.Equal(t, r, "schedules.0.on_call", "dana")
	programtest.Equal(t, r, "schedules.0.source", "override:swap-7")
	programtest.Equal(t, r, "centers.0.responsible", false)
	programtest.Equal(t, r, "centers.2.next_handoff.at", "2026-10-26T09:30:00Z")
}

func people(t *testing.T, r any, want map[string][3]int) {
	t.Helper()
	list := programtest.At(t, r, "people").([]any)
	if len(list) != len(want) {
		t.Errorf("%d people, want %d", len(list), len(want))
	}
	for _, p := range list {
		hours := want[programtest.At(t, p, "engineer").(string)]
		for i, key := range []string{"on_call_s", "night_s", "weekend_s"} {
			programtest.Equal(t, p, key, hours[i]*3600)
		}
	}
}

func centres(t *testing.T, r any, hours ...float64) {
	t.Helper()
	for i, p := range programtest.At(t, r, "centers").([]any) {
		programtest.Equal(t, p, "owned_s", hours[i]*3600)
	}
}

// October as a whole: nina's leave takes her from two nights and leaves three people
// for databases, dana alone knows security.
func TestCoverage(t *testing.T) {
	r := programtest.Result(t, nil, "-coverage", "2026-10-01/2026-11-01")
	programtest.Equal(t, r, "covered", false)
	programtest.Equal(t, r, "technologies.0.domain", "databases")
	programtest.Equal(t, r, "technologies.0.present", 3)
	programtest.Equal(t, r, "technologies.0.on", "2026-10-26")
	programtest.Equal(t, r, "technologies.3.met", false)
	programtest.Equal(t, r, "technologies.3.below.0.missing", 2)
	programtest.Equal(t, r, "single_points_of_failure.0.engineer", "dana")
	programtest.Equal(t, r, "conflicts.10.kind", "absent_on_call")
	programtest.Equal(t, r, "conflicts.10.engineer", "nina")
}

func TestFailOn(t *testing.T) {
	for _, c := range []struct {
		args string
		exit int
	}{
		{"-fail-on unassigned", 0},
		{"-config team.yaml -incidents i.csv -now 2026-10-26T04:00:00Z -fail-on unassigned", 1},
		{"-config team.yaml -incidents i.csv -now 2026-10-26T04:00:00Z -fail-on gap,coverage", 0},
		{"-gaps 2026-10-19/2026-10-27 -fail-on gap", 1},
		{"-gaps 2026-10-19/2026-10-27 -schedule primary -fail-on gap", 0},
		{"-at 2026-10-26T04:00:00Z -fail-on gap", 1},
		{"-at 2026-10-26T04:00:00Z -schedule primary -fail-on gap", 0},
		{"-coverage 2026-10-01/2026-11-01 -fail-on coverage", 1},
		{"-coverage 2026-10-01/2026-11-01 -fail-on unassigned,gap", 0},
	} {
		o := programtest.Run(t, nil, map[string]string{"team.yaml": smallTeam, "i.csv": "id,severity,domain,opened\nI-1,P2,databases,2026-10-26T03:00:00Z\n"}, strings.Fields(c.args)...)
		if o.Exit != c.exit || o.Stdout == "" {
			t.Errorf("%s: exit %d, want %d; %s", c.args, o.Exit, c.exit, o.Stderr)
		}
	}
}

const smallTeam = `version: 1
timezone: Europe/Amsterdam
last_resort: {id: boss}
engineers: [{id: ann, level: senior, primary_skills: [databases], availability_hours: [8, 18]}]
`

func TestErrors(t *testing.T) {
	files := map[string]string{
		"team.yaml": smallTeam, "bad.yaml": strings.Replace(smallTeam, "Europe/Amsterdam", "CEST", 1) + "on_call: nights\n",
		"bad.csv": "id,severity,domain,opened,resolved,odd\nI-1,urgent,,2026-10-26T03:00,,\nI-1,p1,databases,2026-10-26T03:00:00Z,2026-10-26T02:00:00Z,\n",
		"no.csv":  "id,severity,opened\n",
		"gap.yaml": smallTeam + "schedules: {days: {layers: [{name: d, rotation: {tz: Europe/Amsterdam, start_local: \"2026-01-05T09:00\", unit: weeks, length: 1, users: [ann]}, windows: [{from: \"09:00\", to: \"17:00\"}]}]}}\n" +
			"matrix:\n  P1: &p {steps: [{minutes: 0, targets: [{schedule: days}], stop_on: acknowledged}]}\n  P2: *p\n  P3: *p\n  P4: *p\n",
		"old.ics": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
	}
	for _, c := range []struct {
		args string
		exit int
		want []string
	}{
		{"-config bad.yaml -at 2026-10-26T03:00:00Z", 2, []string{`bad.yaml:2:11: timezone: "CEST" is an abbreviation`, `did you mean "Europe/Amsterdam"?`, `bad.yaml:5:10: on_call: "nights", want the name of a schedule`}},
		// From 17:00 in Amsterdam on, now on summer time, nobody is on call.
		{"-config gap.yaml -at 2026-10-20T12:00:00Z -now 2026-10-20T12:00:00Z", 2, []string{"gap.yaml:7:18: matrix.P1.steps: tells nobody at 2026-10-20T15:00:00Z; step 1: schedule days: nobody"}},
		{"-config none.yaml -at 2026-10-26T03:00:00Z", 2, []string{"none.yaml"}},
		{"-config team.yaml -incidents bad.csv", 3, []string{`bad.csv:2: severity: `, `bad.csv:2: domain: the cell is empty`, `bad.csv:2: opened: found "2026-10-26T03:00": want a time with a zone`, `bad.csv:3: id: "I-1" stands already in line 2`, `bad.csv:3: resolved: 2026-10-26T02:00:00Z is before opened`}},
		{"-config team.yaml -incidents no.csv", 3, []string{"no.csv:1: domain: the column is missing"}},
		{"-config team.yaml", 2, []string{"-incidents: missing"}},
		{"-incidents no.csv", 2, []string{"-incidents: wants -config"}},
		{"-at yesterday", 2, []string{`-at "yesterday": want a time with a zone`}},
		{"-at 9999-01-01T00:00:00Z", 2, []string{"between the years"}},
		{"-at 2026-10-26T03:00:00Z -gaps 2026-10-01/2026-10-02", 2, []string{"-at: wants no -gaps beside it"}},
		{"-gaps 2026-10-02/2026-10-01", 2, []string{"want an end after the start"}},
		{"-gaps 2026-10-02", 2, []string{"want two times or dates"}},
		{"-coverage 2026-10-02/2037-10-03", 2, []string{"by 10 years at most"}},
		{"-coverage 2026-10-01/2026-10-02 -schedule nights", 2, []string{"-schedule: not for this question, which is asked by -coverage"}},
		{"-until 2026-10-26T03:00:00Z -at 2026-10-26T03:00:00Z", 2, []string{"-until: not for this question, which is asked by -at"}},
		{"-engineer sarah", 2, []string{"-engineer: not for this question, which is asked by -incidents"}},
		{"-at 2026-10-26T03:00:00Z -schedule night", 2, []string{`-schedule "night": want one of nights, primary`}},
		{"-ical -", 2, []string{"-ical: wants -from and -to"}},
		{"-ical - -from 2026-10-01T00:00:00Z -to 2026-10-02T00:00:00Z -json", 2, []string{"-ical: wants no -format"}},
		{"-ical - -from 2026-10-01T00:00:00Z -to 2026-10-02T00:00:00Z -engineer bob", 2, []string{`-engineer "bob": want an engineer of the team`}},
		{"-ical - -from 2026-10-01T00:00:00Z -to 2026-10-02T00:00:00Z -center paris", 2, []string{`-center "paris": want one of amsterdam, austin, singapore`}},
		{"-ical - -from 2026-10-03T00:00:00Z -to 2026-10-02T00:00:00Z", 2, []string{"-ical: ", "an end after the start"}},
		{"-ical old.ics -from 2026-10-01T00:00:00Z -to 2026-10-02T00:00:00Z", 2, []string{"the document that was published last"}},
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
}

// A calendar in a file is continued: what is the same stays, byte by byte, and what
// changed gets the next number.
func TestCalendarIsContinued(t *testing.T) {
	dir := t.TempDir()
	team, err := os.ReadFile("testdata/sample/team.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run := func(text, now string, more ...string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "team.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := programtest.Command(t, append([]string{"-config", "team.yaml", "-ical", "on.ics", "-from", "2026-10-19T08:00:00Z", "-to", "2026-11-02T08:00:00Z", "-domain", "shop.example", "-now", now}, more...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(filepath.Join(dir, "on.ics"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	first := run(string(team), "2026-10-01T00:00:00Z", "-schedule", "primary")
	if again := run(string(team), "2026-10-02T00:00:00Z", "-schedule", "primary"); again != first {
		t.Errorf("the same shifts are written differently:\n%s", again)
	}
	// Without the swap sarah's week is one shift again, and dana's day is no more.
	before, after, _ := strings.Cut(string(team), "    overrides:\n")
	_, after, _ = strings.Cut(after, "\n")
	changed := run(before+after, "2026-10-03T00:00:00Z", "-schedule", "primary")
	for _, want := range []string{
		"UID:primary-20261019T070000Z@shop.example\r\nDTSTAMP:20261001T000000Z\r\nSEQUENCE:0\r\nDTSTART:20261019T070000Z\r\nDTEND:20261026T080000Z\r\nSUMMARY:Marcus Johnson on call: primary",
		"UID:primary-20261026T080000Z@shop.example\r\nDTSTAMP:20261003T000000Z\r\nSEQUENCE:1\r\nDTSTART:20261026T080000Z\r\nDTEND:20261102T080000Z\r\nSUMMARY:Sarah Chen on call: primary",
		"UID:primary-20261026T170000Z@shop.example\r\nDTSTAMP:20261003T000000Z\r\nSEQUENCE:1\r\nDTSTART:20261026T170000Z\r\nDTEND:20261102T080000Z\r\nSUMMARY:Sarah Chen on call: primary\r\nDESCRIPTION:By layer:weeks\r\nSTATUS:CANCELLED",
	} {
		if !strings.Contains(changed, want) {
			t.Errorf("want\n%s\nin\n%s", want, changed)
		}
	}
	handoffs := run(string(team), "2026-10-03T00:00:00Z", "-center", "austin")
	if !strings.Contains(handoffs, "SUMMARY:Handoff Austin to Singapore") || strings.Contains(handoffs, "Singapore to Amsterdam") {
		t.Errorf("the handoffs of Austin:\n%s", handoffs)
	}
	own := run(string(team), "2026-10-03T00:00:00Z", "-engineer", "dana")
	if !strings.Contains(own, "UID:primary-20261026T080000Z-dana@shop.example") || strings.Count(own, "STATUS:CONFIRMED") != 1 {
		t.Errorf("the shifts of dana:\n%s", own)
	}
}

// Everything is explained, and figures are the same in every format.
func TestExplained(t *testing.T) {
	for _, q := range questions {
		r := programtest.Result(t, nil, append([]string{"-explain"}, q...)...)
		for _, x := range programtest.At(t, r, "explain").([]any) {
			for _, key := range []string{"field", "formula", "source"} {
				if programtest.At(t, x, key) == "" {
					t.Errorf("%q: no %s in %v", q, key, x)
				}
			}
			path := strings.NewReplacer("$.", "", "[", ".", "]", "").Replace(programtest.At(t, x, "field").(string))
			programtest.At(t, r, path)
		}
	}
	for _, format := range []string{"text", "json", "html", "md"} {
		o := programtest.Run(t, nil, nil, "-format", format, "-gaps", "2026-10-19/2026-10-26")
		if !strings.Contains(o.Stdout, "23.668639") {
			t.Errorf("%s lacks 23.668639", format)
		}
	}
}

func TestLastDate(t *testing.T) {
	for end, want := range map[string]string{"2026-10-27": "2026-10-26", "2026-03-01": "2026-02-28", "2027-01-01": "2026-12-31"} {
		if got := lastDate(end); got != want {
			t.Errorf("lastDate(%s) = %s, want %s", end, got, want)
		}
	}
}
