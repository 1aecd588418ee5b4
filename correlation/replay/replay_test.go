package replay_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
)

var start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func sec(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

// log reads the night: seconds, + fires and - resolves.
func log(t *testing.T) (list []replay.Arrival) {
	t.Helper()
	for line := range strings.Lines(night) {
		var at int
		var alert, label string
		if n, err := fmt.Sscan(line, &at, &alert, &label); n < 2 {
			t.Fatalf("%q: %v", line, err)
		}
		a := replay.Arrival{At: sec(at), Event: correlation.Event{Alert: alert[1:], Time: sec(at), Status: correlation.Firing}}
		if alert[0] == '-' {
			a.Status = correlation.Resolved
		}
		if name, value, ok := strings.Cut(label, "="); ok {
			a.Labels = map[string]string{name: value}
		}
		list = append(list, a)
	}
	return list
}

const night = `0 +platform.database_down
5 +application.errors host=a
6 +application.errors host=b
40 -application.errors host=a
60 -platform.database_down
70 -application.errors host=b`

var down = correlation.Rule{Name: "down", Logic: `IF platform.database_down THEN suppress application.errors CREATE composite_alert: "Database"`}

// The errors of host b outlive their cause and are told when it ends.
func TestRun(t *testing.T) {
	r, err := replay.Run([]correlation.Rule{down}, correlation.Options{}, log(t), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, x := range r.Told {
		told = append(told, fmt.Sprint(x.At.Sub(start), x.Over, x.Alert, x.Title))
	}
	want := []string{
		"0s false composite.down Database", "0s false platform.database_down ",
		"1m0s false application.errors{host=b} ", "1m0s true composite.down Database", "1m0s true platform.database_down ",
		"1m10s true application.errors{host=b} ",
	}
	for i, x := range want { // fmt.Sprint puts no blank between texts
		want[i] = strings.ReplaceAll(x, " ", "")
	}
	for i, x := range told {
		told[i] = strings.ReplaceAll(x, " ", "")
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Composites) != 1 {
		t.Fatalf("composites = %+v, want one", r.Composites)
	}
	c := r.Composites[0]
	if !c.Since.Equal(start) || !c.Until.Equal(sec(60)) || !reflect.DeepEqual(c.Suppressed, []string{"application.errors{host=a}", "application.errors{host=b}"}) {
		t.Errorf("composite = %+v, want one minute over both hosts", c)
	}
	var hidden []string
	for _, e := range r.Episodes {
		hidden = append(hidden, fmt.Sprint(e.Alert, e.HiddenBy, e.Told.IsZero()))
	}
	if want := []string{"platform.database_down[] false", "application.errors{host=a}[down] true", "application.errors{host=b}[down] false"}; !reflect.DeepEqual(hidden, want) {
		t.Errorf("episodes = %q, want %q", hidden, want)
	}
}

func TestRunUntil(t *testing.T) {
	r, err := replay.Run([]correlation.Rule{down}, correlation.Options{Settle: 10 * time.Second}, log(t), sec(6))
	if err != nil || r.Stats.Events != 3 || len(r.Told) != 1 || !r.Composites[0].Until.IsZero() {
		t.Errorf("Run until 6 s = %+v, %v, want three events and the open composite told", r, err)
	}
	bad := append(log(t), replay.Arrival{At: sec(3), Event: correlation.Event{Alert: "nonsense"}})
	if r, err = replay.Run(nil, correlation.Options{}, bad, time.Time{}); err != nil || len(r.Refused) != 1 {
		t.Errorf("Run with a bad event = %v, %v, want it in Refused", r, err)
	}
	if _, err := replay.Run([]correlation.Rule{{Name: "x", Logic: "IF"}}, correlation.Options{}, nil, time.Time{}); err == nil {
		t.Error("Run with a bad rule = nil error")
	}
}

// A log in two parts is the log in one, but for the alerts that were told before.
func TestResume(t *testing.T) {
	rules := []correlation.Rule{down}
	events := log(t)
	first, err := replay.Run(rules, correlation.Options{}, events[:3], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := first.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	rest, err := replay.Resume(state, rules, correlation.Options{}, events[3:], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := replay.Run(rules, correlation.Options{}, events, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rest.Composites, whole.Composites) || !reflect.DeepEqual(rest.Alerts, whole.Alerts) || rest.Stats != whole.Stats {
		t.Errorf("Resume = %+v, want what Run made of all: %+v", rest, whole)
	}
	if !reflect.DeepEqual(append(first.Told, rest.Told...), whole.Told) {
		t.Errorf("told %+v and %+v, want %+v", first.Told, rest.Told, whole.Told)
	}
	if _, err := replay.Resume(state, rules, correlation.Options{}, events, time.Time{}); err == nil {
		t.Error("Resume with events of before = nil error")
	}
	why, ok := first.Why(first.Alerts[0])
	if !ok || why.Visible || why.Path[1] != "composite.down" {
		t.Errorf("Why = %+v, %v, want it hidden behind the composite", why, ok)
	}
}

// Where a rule is gone by the second part, its composite ends with the first step.
func TestResumeWithOtherRules(t *testing.T) {
	events := log(t)
	first, err := replay.Run([]correlation.Rule{down}, correlation.Options{}, events[:3], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := first.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other := correlation.Rule{Name: "other", Logic: `IF platform.database_down THEN CREATE composite_alert: "Other"`}
	for _, rules := range [][]correlation.Rule{nil, {other}} {
		rest, err := replay.Resume(state, rules, correlation.Options{}, events[3:], time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(rest.Composites) != 1+len(rules) || rest.Composites[0].Rule != "down" || !rest.Composites[0].Until.Equal(sec(40)) {
			t.Errorf("composites with the rules %v = %+v, want that of the rule that is gone, until 40 s", rules, rest.Composites)
		}
	}
}

// A rule that hides an alert which is hidden already has done something, too.
func TestHiddenTwice(t *testing.T) {
	rules := []correlation.Rule{down, {Name: "net", Logic: `IF network.down THEN suppress application.errors`}}
	net := replay.Arrival{At: sec(10), Event: correlation.Event{Alert: "network.down", Status: correlation.Firing, Time: sec(10)}}
	events := slices.Concat(log(t)[:3], []replay.Arrival{net})
	r, err := replay.Run(rules, correlation.Options{}, events, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Episodes {
		if e.Alert == "application.errors{host=a}" && !reflect.DeepEqual(e.HiddenBy, []string{"down", "net"}) {
			t.Errorf("hidden by %q, want both rules", e.HiddenBy)
		}
	}
	got, err := replay.Test(rules, correlation.Options{}, replay.Scenario{Name: "x", Start: start, Events: events})
	if err != nil || got.Untested != nil {
		t.Errorf("Test = %+v, %v, want no untested rule", got, err)
	}
}

// A rule counts as tested also if it hides, between two instants that anybody looks at, what
// another one hides before and after, or nothing but a composite.
func TestTestedInBetween(t *testing.T) {
	rules := []correlation.Rule{
		down,
		{Name: "net", Logic: `IF network.down THEN suppress application.errors`},
		{Name: "late", Logic: `IF network.down AND NOT network.up THEN suppress application.errors`, Within: time.Minute, Linger: 5 * time.Second},
		{Name: "whole", Logic: `IF network.gone THEN suppress composite.down`},
		{Name: "never", Logic: `IF network.up THEN suppress application.errors`},
	}
	events := slices.Concat(log(t)[:3])
	for n, alert := range []string{"network.down", "network.gone"} {
		for _, status := range []correlation.Status{correlation.Firing, correlation.Resolved} {
			at := sec(10 + 2*n + int(status))
			events = append(events, replay.Arrival{At: at, Event: correlation.Event{Alert: alert, Status: status, Time: at}})
		}
	}
	s := replay.Scenario{Name: "x", Start: start, Events: events, Expect: []replay.Expectation{{At: sec(8)}, {At: sec(30)}}}
	got, err := replay.Test(rules, correlation.Options{}, s)
	if want := []string{"never"}; err != nil || !reflect.DeepEqual(got.Untested, want) {
		t.Errorf("Untested = %q, %v, want %q", got.Untested, err, want)
	}
}

func TestCompare(t *testing.T) {
	run := func(o correlation.Options, rules ...correlation.Rule) *replay.Record {
		r, err := replay.Run(rules, o, log(t), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	none, with := run(correlation.Options{}), run(correlation.Options{}, down)
	d := replay.Compare(none, with)
	// Without rules three alerts are told; with the rule the cause, the composite and
	// what is left of host b.
	if d.Before != 3 || d.After != 3 || len(d.Opened) != 1 || d.Dropped != nil {
		t.Errorf("Compare = %+v, want 3 and 3 pages and one composite more", d)
	}
	if want := []replay.Change{{Alert: "application.errors{host=a}", Since: sec(5), Before: sec(5), Rules: []string{"down"}}}; !reflect.DeepEqual(d.Muted, want) {
		t.Errorf("muted = %+v, want %+v", d.Muted, want)
	}
	if want := []replay.Change{{Alert: "application.errors{host=b}", Since: sec(6), Before: sec(6), After: sec(60), Rules: []string{"down"}}}; !reflect.DeepEqual(d.Moved, want) {
		t.Errorf("moved = %+v, want %+v", d.Moved, want)
	}
	back := replay.Compare(with, none)
	if len(back.Unmuted) != 1 || back.Unmuted[0].Rules[0] != "down" || len(back.Dropped) != 1 || back.Muted != nil {
		t.Errorf("Compare the other way round = %+v, want it undone", back)
	}
	titled := down
	titled.Logic = strings.Replace(down.Logic, "Database", "DB", 1)
	if d := replay.Compare(with, run(correlation.Options{}, titled)); len(d.Retitled) != 1 || d.Retitled[0].Title != "DB" || d.Opened != nil || d.Dropped != nil {
		t.Errorf("Compare with another title = %+v, want the composite retitled", d)
	}
	if d := replay.Compare(with, with); d.Muted != nil || d.Unmuted != nil || d.Moved != nil || d.Opened != nil || d.Retitled != nil {
		t.Errorf("Compare with itself = %+v, want no difference", d)
	}
}

func TestScenario(t *testing.T) {
	unused := correlation.Rule{Name: "unused", Logic: `IF a.b THEN CREATE composite_alert: "x"`}
	s := replay.Scenario{Name: "night", Start: start, Events: log(t), Expect: []replay.Expectation{
		{
			At: sec(10), Visible: []string{"platform.database_down"}, Composites: []string{"Database"}, Untold: []string{"application.errors{host=a}"},
			Suppressed: map[string][]string{"application.errors{host=a}": {"down"}, "application.errors{host=b}": nil},
		},
		{At: sec(60), Composites: []string{}, Suppressed: map[string][]string{}, Told: []string{"Database", "platform.database_down", "application.errors{host=b}"}},
	}}
	got, err := replay.Test([]correlation.Rule{down, unused}, correlation.Options{}, s)
	if err != nil || got.Failures != nil || !reflect.DeepEqual(got.Untested, []string{"unused"}) {
		t.Errorf("Test = %+v, %v, want no failure and one untested rule", got, err)
	}
	s.Expect = []replay.Expectation{
		{
			At: sec(10), Visible: []string{}, Composites: []string{"DB"}, Untold: []string{"Database"},
			Suppressed: map[string][]string{"application.errors{host=a}": {"other"}, "application.errors{host=b}": nil},
		},
		{At: sec(5), Told: []string{}},
	}
	got, err = replay.Test([]correlation.Rule{down}, correlation.Options{}, s)
	var lines []string
	for _, f := range got.Failures {
		lines = append(lines, f.String())
	}
	want := []string{
		"night at 5s: told: Database, platform.database_down, want none",
		"night at 10s: visible: platform.database_down, want none",
		"night at 10s: suppressed: application.errors{host=a} by down, application.errors{host=b}, want application.errors{host=a} by other, application.errors{host=b}",
		"night at 10s: composites: Database, want DB",
		"night at 10s: untold: Database was told, want that it is not",
	}
	if err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("failures, %v:\n%s\nwant\n%s", err, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}
