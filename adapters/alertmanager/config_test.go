package alertmanager_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

func sample(tb testing.TB) string {
	tb.Helper()
	data, err := os.ReadFile("testdata/alertmanager.yml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func parse(tb testing.TB, text string) *alertmanager.Config {
	tb.Helper()
	c, err := alertmanager.ParseConfig("am.yml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// The expectations are read off the file by hand.
func TestParseConfig(t *testing.T) {
	c := parse(t, sample(t))
	var routes []string
	for r := range c.Route.All() {
		o := r.Options()
		routes = append(routes, fmt.Sprintf("%s %s %s %q all=%v wait=%s interval=%s repeat=%s mute=%q active=%q labels=%v continue=%v",
			r.Path(), r.Key(), o.Receiver, o.GroupBy, o.GroupByAll, o.GroupWait, o.GroupInterval, o.RepeatInterval, o.MuteTimeIntervals, o.ActiveTimeIntervals, o.Labels, r.Continue()))
	}
	want := []string{
		`route {} default ["alertname" "cluster"] all=false wait=30s interval=5m0s repeat=24h0m0s mute=[] active=[] labels=map[] continue=false`,
		`route.routes[0] {}/{service=~"mysql|postgres",severity!="info"} team-db ["alertname" "cluster"] all=false wait=30s interval=5m0s repeat=24h0m0s mute=["backup"] active=[] labels=map[] continue=true`,
		// A merge adds to the matchers and gives way to all else, as in Alertmanager.
		`route.routes[1] {}/{cluster="b",region="eu",service=~"mysql|postgres",severity!="info"} team-db [] all=true wait=30s interval=5m0s repeat=24h0m0s mute=["backup"] active=[] labels=map[] continue=true`,
		`route.routes[2] {}/{service="nginx",severity=~"^(?:critical|page)$"} team-web [] all=false wait=30s interval=5m0s repeat=24h0m0s mute=[] active=["hours"] labels=map[] continue=false`,
		`route.routes[2].routes[0] {}/{service="nginx",severity=~"^(?:critical|page)$"}/{"label with blanks"="yes"} team-web [] all=false wait=0s interval=5m0s repeat=24h0m0s mute=[] active=[] labels=map[runbook:web] continue=false`,
	}
	for i := range max(len(routes), len(want)) {
		if i >= len(routes) || i >= len(want) || routes[i] != want[i] {
			t.Errorf("routes =\n%s\nwant\n%s", strings.Join(routes, "\n"), strings.Join(want, "\n"))
			break
		}
	}
	rules := []inhibit.Rule{
		{Name: "node", SourceMatchers: []string{`alertname="NodeDown"`}, TargetMatchers: []string{`alertname="PodDown"`}, Equal: []string{"cluster"}},
		{SourceMatch: map[string]string{"severity": "critical"}, TargetMatchRE: map[string]string{"severity": "warning|info"}, Equal: []string{"alertname"}},
	}
	if !reflect.DeepEqual(c.Inhibit, rules) {
		t.Errorf("inhibit rules = %+v, want %+v", c.Inhibit, rules)
	}
	if want := []string{"default", "team-db", "team-web"}; !slices.Equal(c.Receivers, want) || c.ResolveTimeout != 10*time.Minute {
		t.Errorf("receivers %q and resolve timeout %s, want %q and 10m", c.Receivers, c.ResolveTimeout, want)
	}
	if got := fmt.Sprint(c.Intervals["backup"], c.Intervals["hours"]); got != "[times 22:00-24:00] [times 09:00-17:00; weekdays monday:friday; location Europe/Amsterdam days_of_month -1; months december, january:march; years 2026]" {
		t.Errorf("intervals = %s", got)
	}
	global, _ := c.Apart["global"].(map[string]any)
	if len(c.Apart) != 3 || global["smtp_from"] != "alertmanager@example.org" {
		t.Errorf("kept apart: %v, want global, templates and receivers as they are", c.Apart)
	}
	if parse(t, "route: {receiver: a}\nreceivers: [{name: a}]").ResolveTimeout != 5*time.Minute {
		t.Error("the resolve timeout of a file without one is not 5 minutes")
	}
}

func TestInhibitor(t *testing.T) {
	in, err := parse(t, sample(t)).Inhibitor()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := in.Apply(now, inhibit.Alert{Labels: map[string]string{"alertname": "NodeDown", "cluster": "a"}, Ends: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for cluster, want := range map[string]bool{"a": true, "b": false} {
		if _, muted := in.Mutes(map[string]string{"alertname": "PodDown", "cluster": cluster}); muted != want {
			t.Errorf("PodDown in %s is muted = %v, want %v", cluster, muted, want)
		}
	}
}

// valid is a file with a place for one more line, which is in a route, and for one
// more section.
func valid(inRoute, section string) string {
	return "receivers:\n- name: a\nroute:\n  receiver: a\n  routes:\n  - receiver: a\n    " + inRoute + "\n" + section
}

func TestProblems(t *testing.T) {
	interval := func(text string) string {
		return valid("", "time_intervals:\n- name: x\n  time_intervals:\n  - "+text)
	}
	for _, c := range []struct{ name, text, at, path, code, suggestion string }{
		{"empty", "", "1:1", "", "missing_field", ""},
		{"no route", "receivers: [{name: a}]", "1:1", "", "missing_field", ""},
		{"not YAML", "route: {", "2:1", "", "syntax", ""},
		{"second document", valid("", "---\nroute:"), "8:1", "", "second_document", ""},
		{"a list", "- route", "1:1", "", "wrong_type", ""},
		{"unknown section", valid("", "inhibit_rule: []"), "8:1", "inhibit_rule", "unknown_field", "inhibit_rules"},
		{"unknown key of a route", valid("receivr: a", ""), "7:5", "route.routes[0].receivr", "unknown_field", "receiver"},
		{"unknown key of a receiver", "receivers:\n- name: a\n  slack_config: []\nroute: {receiver: a}", "3:3", "receivers[0].slack_config", "unknown_field", "slack_configs"},
		{"unknown key of the settings", valid("", "global: {resolve_timout: 5m}"), "8:10", "global.resolve_timout", "unknown_field", "resolve_timeout"},
		{"key twice", valid("continue: true\n    continue: true", ""), "8:5", "route.routes[0].continue", "duplicate_key", ""},
		{"label twice", valid("match: {a: b, a: c}", ""), "7:19", "route.routes[0].match.a", "duplicate_key", ""},
		{"no root receiver", "receivers: [{name: a}]\nroute:\n  group_wait: 1s", "3:3", "route.receiver", "bad_route", ""},
		{"root with matchers", "receivers: [{name: a}]\nroute:\n  receiver: a\n  matchers: [a=b]", "3:3", "route", "bad_route", ""},
		{"root continues", "receivers: [{name: a}]\nroute:\n  receiver: a\n  continue: on", "4:13", "route.continue", "bad_route", ""},
		{"unknown receiver", valid("routes: [{receiver: b}]", ""), "7:25", "route.routes[0].routes[0].receiver", "undefined_receiver", ""},
		{"unknown interval", valid("mute_time_intervals: [y]", "time_intervals: [{name: yy}]"), "7:27", "route.routes[0].mute_time_intervals[0]", "undefined_interval", ""},
		{"bad matcher", valid("matchers:\n    - a=b\n    - a~b", ""), "9:7", "route.routes[0].matchers[1]", "bad_route", ""},
		{"matchers as text", valid("matchers: a=b", ""), "7:15", "route.routes[0].matchers", "wrong_type", ""},
		{"bad expression", valid("match_re: {a: '('}", ""), "7:19", "route.routes[0].match_re.a", "bad_route", ""},
		{"expression is nothing", valid("match_re: {a: }", ""), "7:19", "route.routes[0].match_re.a", "wrong_type", ""},
		{"group by twice", valid("group_by: [a, a]", ""), "7:19", "route.routes[0].group_by[1]", "bad_route", ""},
		{"group by all and more", valid("group_by: [a, '...']", ""), "7:15", "route.routes[0].group_by", "bad_route", ""},
		{"NULL is read as text", valid("group_wait: NULL", ""), "7:17", "route.routes[0].group_wait", "bad_duration", ""},
		{"no unit", valid("group_wait: 30", ""), "7:17", "route.routes[0].group_wait", "bad_duration", ""},
		{"zero", valid("repeat_interval: 0s", ""), "7:22", "route.routes[0].repeat_interval", "bad_route", ""},
		{"continue as text", valid("continue: 'true'", ""), "7:15", "route.routes[0].continue", "wrong_type", ""},
		{"tag", valid("labels: {a: !!int 5}", ""), "7:17", "route.routes[0].labels.a", "tag", ""},
		{"null item", valid("routes: [~]", ""), "7:14", "route.routes[0].routes[0]", "null_item", ""},
		{"itself", valid("routes: [&x {routes: [*x]}]", ""), "7:27", "route.routes[0].routes[0].routes[0].routes[0]", "alias_limit", ""},
		{"receiver twice", "receivers:\n- name: a\n- name: a\nroute: {receiver: a}", "3:9", "receivers[1].name", "duplicate_name", ""},
		{"receiver without a name", "receivers:\n- name: a\n- labels: {}\nroute: {receiver: a}", "3:3", "receivers[1]", "missing_field", ""},
		{"receiver with another name", "receivers:\n- name: a\n  labels: {name: b}\nroute: {receiver: a}", "3:18", "receivers[0].labels.name", "wrong_type", ""},
		{"interval twice", valid("", "time_intervals: [{name: x}]\nmute_time_intervals: [{name: x}]"), "9:30", "mute_time_intervals[0].name", "duplicate_name", ""},
		{"interval without a name", valid("", "time_intervals: [{}]"), "8:18", "time_intervals[0]", "missing_field", ""},
		{"bad time", interval("times: [{start_time: '9:00', end_time: '10:00'}]"), "11:26", "time_intervals[0].time_intervals[0].times[0].start_time", "bad_interval", ""},
		{"no end", interval("times: [{start_time: '09:00'}]"), "11:13", "time_intervals[0].time_intervals[0].times[0].end_time", "bad_interval", ""},
		{"ends first", interval("times: [{start_time: '10:00', end_time: '09:00'}]"), "11:13", "time_intervals[0].time_intervals[0].times[0]", "bad_interval", ""},
		{"bad weekday", interval("weekdays: [mo]"), "11:16", "time_intervals[0].time_intervals[0].weekdays[0]", "bad_interval", ""},
		{"bad zone", interval("location: Atlantis"), "11:15", "time_intervals[0].time_intervals[0].location", "bad_interval", ""},
		{"unknown part", interval("weekday: [monday]"), "11:5", "time_intervals[0].time_intervals[0].weekday", "unknown_field", "weekdays"},
		{"bad rule", valid("", "inhibit_rules:\n- source_matchers: [a=b, c]"), "9:26", "inhibit_rules[0].source_matchers[1]", "bad_inhibit_rule", ""},
		{"bad label", valid("", "inhibit_rules:\n- equal: ['']"), "9:11", "inhibit_rules[0].equal[0]", "bad_inhibit_rule", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := alertmanager.ParseConfig("am.yml", []byte(c.text))
			problems, ok := errors.AsType[alertmanager.Errors](err)
			if !ok || got != nil {
				t.Fatalf("ParseConfig = %v, %v, want no Config and Errors", got, err)
			}
			for _, p := range problems {
				if p.Path == c.path && p.Code == c.code {
					if at := fmt.Sprintf("%d:%d", p.Line, p.Column); at != c.at || p.Suggestion != c.suggestion {
						t.Errorf("%s, suggestion %q, want it at %s with %q", p, p.Suggestion, c.at, c.suggestion)
					}
					if len(problems) > 1 {
						t.Errorf("more problems than one:\n%v", err)
					}
					return
				}
			}
			t.Errorf("ParseConfig:\n%v\nwant %s at %q", err, c.code, c.path)
		})
	}
}

// All problems of a file come at once, in its order.
func TestAllProblems(t *testing.T) {
	_, err := alertmanager.ParseConfig("am.yml", []byte("route:\n  receiver: b\n  group_wait: 1\n  continue: maybe\ntime_intervals:\n- {}\n"))
	const want = `am.yml:2:13: route.receiver: "b" is not the name of a receiver of the file
am.yml:3:15: route.group_wait: found "1", want a duration like "30s" or "1h30m", units from y w d h m s to ms, at most 292 years
am.yml:4:13: route.continue: found "maybe", want true or false
am.yml:6:3: time_intervals[0]: no name, want one for the time interval`
	if err == nil || err.Error() != want {
		t.Errorf("ParseConfig:\n%v\nwant\n%s", err, want)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "1y1w1d1h1m1s1ms": 373*24*time.Hour + 3661*time.Second + time.Millisecond,
		"106751d": 106751 * 24 * time.Hour, "": -1, "1": -1, "1m1h": -1, "1h1h": -1, "-1s": -1, "1.5h": -1, "1 h": -1, "h": -1, "106752d": -1, "1us": -1,
		"99999999999999999999s": -1, "106751d23h47m17s": -1,
	} {
		c, err := alertmanager.ParseConfig("am.yml", []byte(valid("group_wait: '"+text+"'", "")))
		switch {
		case want < 0 && err == nil:
			t.Errorf("group_wait %q: no error, want one", text)
		case want >= 0 && (err != nil || c.Route.Routes()[0].Options().GroupWait != want):
			t.Errorf("group_wait %q: %v, want %s", text, err, want)
		}
	}
}

func TestModes(t *testing.T) {
	text := []byte(valid("matchers: ['a=b c']\n    group_by: [é]", ""))
	for mode, ok := range []bool{matcher.Fallback: true, matcher.UTF8: false, matcher.Classic: false} {
		if _, err := alertmanager.ParseConfigMode("am.yml", text, matcher.Mode(mode)); (err == nil) != ok {
			t.Errorf("mode %q: %v, want it read = %v", matcher.Mode(mode), err, ok)
		}
	}
}

// A file that expands without end is given up.
func TestAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("receivers: [{name: a}]\nroute:\n  receiver: a\n  routes:\n  - &r0 {receiver: a}\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  - &r%d {receiver: a, routes: [%s]}\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*r%d, ", i), 10), ", "))
	}
	_, err := alertmanager.ParseConfig("am.yml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "expand to too much") {
		t.Errorf("ParseConfig = %v, want an error about aliases", err)
	}
}

// Nothing panics, and every problem has a place, a code and a text.
func FuzzParseConfig(f *testing.F) {
	f.Add(sample(f))
	f.Add(valid("matchers: ['{a=b,c!~\"d\"}']\n    <<: {group_by: ['...']}", "inhibit_rules: [{equal: [a]}]"))
	f.Add("route: &r {receiver: a, routes: [*r]}\nreceivers: [{name: a}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := alertmanager.ParseConfig("am.yml", []byte(text))
		if err == nil {
			if len(c.Route.Match(nil)) == 0 {
				t.Fatal("an alert without labels has no route")
			}
			if _, err := c.Inhibitor(); err != nil {
				t.Fatalf("Inhibitor = %v", err)
			}
			return
		}
		problems, ok := errors.AsType[alertmanager.Errors](err)
		if !ok || len(problems) == 0 || c != nil {
			t.Fatalf("ParseConfig = %v, %v", c, err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" || p.File != "am.yml" {
				t.Fatalf("problem without a place, a code or a text: %+v", p)
			}
		}
	})
}
