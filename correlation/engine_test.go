package correlation_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

func engine(tb testing.TB, o correlation.Options, rules ...correlation.Rule) *correlation.Engine {
	tb.Helper()
	e, err := correlation.New(rules, o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func fire(alert string, t int, labels ...string) correlation.Event {
	ev := correlation.Event{Alert: alert, Status: correlation.Firing, Time: sec(float64(t)), Labels: map[string]string{}}
	for n := 0; n < len(labels); n += 2 {
		ev.Labels[labels[n]] = labels[n+1]
	}
	return ev
}

func resolve(alert string, t int, labels ...string) correlation.Event {
	ev := fire(alert, t, labels...)
	ev.Status = correlation.Resolved
	return ev
}

// apply returns the transitions as "second kind alert".
func apply(tb testing.TB, e *correlation.Engine, at int, events ...correlation.Event) []string {
	tb.Helper()
	list, err := e.Apply(sec(float64(at)), events...)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, tr := range list {
		out = append(out, fmt.Sprintf("%v %s %s", toSec(tr.At), tr.Kind, tr.Alert))
	}
	return out
}

func want(tb testing.TB, what string, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

const downRule = `IF platform.db_down AS d THEN suppress application.* WHERE depends_on=d.service CREATE composite_alert: "{{zone}}: {{d.service}} down, {{nothing}}"`

func TestTransitions(t *testing.T) {
	e := engine(t, correlation.Options{}, correlation.Rule{Name: "down", Logic: downRule, By: []string{"zone"}, Linger: 10 * time.Second})
	app := []string{"depends_on", "db1", "zone", "z"}
	want(t, "symptom first", apply(t, e, 1, fire("application.slow", 1, app...)), "1 notify application.slow{depends_on=db1,zone=z}")
	want(t, "cause", apply(t, e, 2, fire("platform.db_down", 2, "service", "db1", "zone", "z")),
		"2 open composite.down{zone=z}", "2 suppress application.slow{depends_on=db1,zone=z}",
		"2 notify composite.down{zone=z}", "2 notify platform.db_down{service=db1,zone=z}")
	want(t, "another cause", apply(t, e, 3, fire("platform.db_down", 3, "service", "db0", "zone", "z")), "3 notify platform.db_down{service=db0,zone=z}")
	c := e.Composites()
	if len(c) != 1 || c[0].Title != "z: db0, db1 down, " || !slices.Equal(c[0].Suppressed, []string{"application.slow{depends_on=db1,zone=z}"}) || len(c[0].ID) != 32 {
		t.Errorf("Composites() = %+v", c)
	}
	want(t, "causes over", apply(t, e, 4, resolve("platform.db_down", 4, "service", "db1", "zone", "z"), resolve("platform.db_down", 4, "service", "db0", "zone", "z")),
		"4 resolve platform.db_down{service=db0,zone=z}", "4 resolve platform.db_down{service=db1,zone=z}")
	if c := e.Composites(); len(c) != 1 || !c[0].Lingers.Equal(sec(14)) || len(c[0].Evidence) != 2 {
		t.Errorf("lingering Composites() = %+v", c)
	}
	want(t, "symptom over while hidden", apply(t, e, 5, resolve("application.slow", 5, app...)), "5 resolve application.slow{depends_on=db1,zone=z}")
	want(t, "new symptom while lingering", apply(t, e, 6, fire("application.new", 6, app...)), "6 suppress application.new{depends_on=db1,zone=z}")
	if next, ok := e.NextWake(); !ok || next.After(sec(14)) {
		t.Errorf("NextWake() = %v, %v, want the end of the linger", next, ok)
	}
	want(t, "end of linger", apply(t, e, 20), "14 close composite.down{zone=z}", "14 release application.new{depends_on=db1,zone=z}",
		"14 notify application.new{depends_on=db1,zone=z}", "14 resolve composite.down{zone=z}")
	s := e.Stats()
	if s.Events != 7 || s.Alerts != 4 || s.Notified != 4 || s.Composites != 1 || s.Suppressed != 0 {
		t.Errorf("Stats() = %+v", s)
	}
}

func TestSettle(t *testing.T) {
	e := engine(t, correlation.Options{Settle: 30 * time.Second, CompositeSettle: 5 * time.Second}, correlation.Rule{Name: "r", Logic: `IF a.cause THEN suppress b.* CREATE composite_alert: "x"`})
	want(t, "nothing yet", apply(t, e, 0, fire("b.symptom", 0)))
	want(t, "cause in time", apply(t, e, 20, fire("a.cause", 20)), "20 open composite.r", "20 suppress b.symptom")
	want(t, "late notifications", apply(t, e, 100), "25 notify composite.r", "50 notify a.cause")
	want(t, "an old alert is told at once", apply(t, e, 101, fire("c.x", 60)), "101 notify c.x")
	want(t, "a future one waits", apply(t, e, 102, fire("c.y", 110)))
	want(t, "until then", apply(t, e, 200), "140 notify c.y")
	want(t, "over before it was told", apply(t, e, 201, fire("c.z", 201)))
	want(t, "nobody hears of it", apply(t, e, 202, resolve("c.z", 202)))
	want(t, "later neither", apply(t, e, 300))
}

func TestEventErrors(t *testing.T) {
	o := correlation.Options{MaxFuture: time.Minute, MaxLabels: 2, MaxLabelBytes: 10, MaxAnnotationBytes: 10, MaxAlerts: 1}
	good := fire("a.b", 1)
	bad := func(change func(*correlation.Event)) correlation.Event {
		ev := fire("a.b", 1)
		change(&ev)
		return ev
	}
	for _, c := range []struct {
		field string
		event correlation.Event
	}{
		{"Alert", fire("", 1)},
		{"Alert", fire("ab", 1)},
		{"Alert", fire("a.", 1)},
		{"Alert", fire("a.*", 1)},
		{"Alert", fire("a.b c", 1)},
		{"Alert", fire("composite.x", 1)},
		{"Status", bad(func(ev *correlation.Event) { ev.Status = 0 })},
		{"Time", bad(func(ev *correlation.Event) { ev.Time = time.Time{} })},
		{"Time", bad(func(ev *correlation.Event) { ev.Time = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) })},
		{"Time", fire("a.b", 100)},
		{"Ends", bad(func(ev *correlation.Event) { ev.Ends = sec(0) })},
		{"Severity", bad(func(ev *correlation.Event) { ev.Severity = 7 })},
		{"Labels", fire("a.b", 1, "x", "1", "y", "1", "z", "1")},
		{"Labels", fire("a.b", 1, "x", "1234567890")},
		{"Labels", fire("a.b", 1, "", "1")},
		{"Tenant", fire("a.other", 1)},
		{"Alert", fire("a.b2345678901", 1)},
		{"Tenant", bad(func(ev *correlation.Event) { ev.Tenant = "12345678901" })},
		{"Annotations", bad(func(ev *correlation.Event) { ev.Annotations = map[string]string{"x": "1234567890"} })},
	} {
		e := engine(t, o)
		out, err := e.Apply(sec(1), good, c.event, good)
		ee, ok := errors.AsType[*correlation.EventError](err)
		if !ok || ee.Field != c.field || ee.Index != 1 || ee.Want == "" {
			t.Errorf("Apply(%+v) = %v, want an error in %s", c.event, err, c.field)
		}
		if s := e.Stats(); len(out) != 1 || s.Rejected != 1 || s.Events != 3 || s.Duplicates != 1 {
			t.Errorf("beside a bad event: %d transitions, stats %+v, want the others applied", len(out), s)
		}
	}
}

// Whatever somebody sends, the engine keeps little of it and says so in a few words.
func TestBombs(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	labels := map[string]string{}
	for n := range 10_000 {
		labels[fmt.Sprint("label", n)] = "x"
	}
	for _, c := range []struct {
		field, got string
		event      correlation.Event
	}{
		{"Labels", "10000", correlation.Event{Labels: labels}},
		{"Labels", "1048580", correlation.Event{Labels: map[string]string{"text": big}}},
		{"Labels", "1048577", correlation.Event{Labels: map[string]string{big: "x"}}},
		{"Labels", "text=xxx", correlation.Event{Labels: map[string]string{"text": big + "\xff"}}},
		{"Alert", "1048578", correlation.Event{Alert: "a." + big}},
		{"Tenant", "1048576", correlation.Event{Tenant: big}},
		{"Annotations", "1048580", correlation.Event{Annotations: map[string]string{"text": big}}},
		{"Annotations", "98890", correlation.Event{Annotations: labels}}, // 10,000 times label, x and 38,890 digits
	} {
		ev := c.event
		ev.Alert = cmp.Or(ev.Alert, "a.b")
		ev.Status, ev.Time = correlation.Firing, sec(1)
		for _, o := range []correlation.Options{{}, {Reorder: time.Hour}} {
			e := engine(t, o)
			_, err := e.Apply(sec(1), ev)
			bad, ok := errors.AsType[*correlation.EventError](err)
			if !ok || bad.Field != c.field || !strings.HasPrefix(bad.Value, c.got) || len(err.Error()) > 600 {
				t.Errorf("Apply = %.300v, want an error about %s that begins with %s and is short", err, c.field, c.got)
			}
			if again := new(correlation.EventError); !errors.As(ev.Validate(o), &again) || again.Field != c.field {
				t.Errorf("Validate = %v, want the same as Apply", again)
			}
			if s := snapshot(t, e); len(s) > 1000 {
				t.Errorf("the engine keeps %d bytes of %s", len(s), c.field)
			}
		}
	}
}

// Regular expressions that take others forever end here, which is all that can be said of
// time in a test.
func TestHostileRegexps(t *testing.T) {
	for _, re := range []string{"(a*)*b", "(a|aa)+b", "(.*)*(.*)*(.*)*x", strings.Repeat("a?", 500) + strings.Repeat("a", 500) + "b"} {
		e := engine(t, correlation.Options{}, correlation.Rule{Name: "r", Logic: `IF a.b WHERE x=~"` + re + `" THEN CREATE composite_alert: "x"`})
		apply(t, e, 1, fire("a.b", 1, "x", strings.Repeat("a", 16_000)))
		if n := len(e.Composites()); n != 0 {
			t.Errorf("%.20s matches, want not", re)
		}
	}
	for _, re := range []string{"((((a{10}){10}){10}){10})", strings.Repeat("(", 2000) + strings.Repeat(")", 2000), "(?=a)", `\\1`} {
		_, err := correlation.Parse(`IF a.b WHERE x=~"` + re + `" THEN CREATE composite_alert: "x"`)
		if bad, ok := errors.AsType[*correlation.RuleError](err); !ok || bad.Line != 1 || bad.Column != 17 {
			t.Errorf("Parse with %.20s = %.200v, want an error with its place", re, err)
		}
	}
}

func TestTimeGoesBack(t *testing.T) {
	e := engine(t, correlation.Options{})
	apply(t, e, 10, fire("a.b", 10))
	before := snapshot(t, e)
	if out, err := e.Apply(sec(9), fire("a.c", 9)); !errors.Is(err, correlation.ErrTime) || out != nil {
		t.Errorf("Apply(earlier) = %v, %v, want ErrTime", out, err)
	}
	if _, err := e.Step(time.Time{}); !errors.Is(err, correlation.ErrTime) {
		t.Errorf("Step(zero) = %v, want ErrTime", err)
	}
	if !bytes.Equal(snapshot(t, e), before) {
		t.Error("a refused call changed the state")
	}
	if _, err := e.Step(sec(10)); err != nil {
		t.Errorf("Step(same instant) = %v", err)
	}
}

// The Unix epoch is an instant like any other.
func TestEpoch(t *testing.T) {
	e := engine(t, correlation.Options{})
	at := time.Unix(0, 0)
	out, err := e.Apply(at, correlation.Event{Alert: "a.b", Status: correlation.Firing, Time: at, Ends: at.Add(1)})
	if err != nil || len(out) != 1 || !out[0].Alert.Since.Equal(at) {
		t.Errorf("Apply(epoch) = %+v, %v", out, err)
	}
	out, err = e.Apply(at, correlation.Event{Alert: "a.b", Status: correlation.Firing, Time: at, Ends: at.Add(1)})
	if err != nil || len(out) != 0 || e.Stats().Duplicates != 1 {
		t.Errorf("Apply(epoch again) = %+v, %v, stats %+v", out, err, e.Stats())
	}
	e = engine(t, correlation.Options{})
	before := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	if out, err = e.Apply(before, correlation.Event{Alert: "a.b", Status: correlation.Firing, Time: before}); err != nil || len(out) != 1 || !out[0].Alert.Since.Equal(before) {
		t.Errorf("Apply(1900) = %+v, %v", out, err)
	}
}

func TestReorder(t *testing.T) {
	e := engine(t, correlation.Options{Reorder: 10 * time.Second})
	want(t, "held", apply(t, e, 5, resolve("a.b", 4), fire("a.b", 3), fire("a.c", 2)))
	want(t, "applied in order", apply(t, e, 30), "12 notify a.c", "13 notify a.b", "14 resolve a.b")
	want(t, "late", apply(t, e, 31, fire("a.d", 20)), "31 late a.d")
	want(t, "just in time", apply(t, e, 31, fire("a.e", 21)), "31 notify a.e")
	if s := e.Stats(); s.Late != 1 || s.Events != 5 || s.Stale != 0 {
		t.Errorf("Stats() = %+v, want one late event and none stale", s)
	}
}

func TestResolveTimeoutAndRetention(t *testing.T) {
	e := engine(t, correlation.Options{ResolveTimeout: 60 * time.Second, Retention: 100 * time.Second})
	want(t, "fires", apply(t, e, 0, fire("a.b", 0)), "0 notify a.b")
	want(t, "refreshed", apply(t, e, 50, fire("a.b", 50)))
	want(t, "times out", apply(t, e, 150), "110 resolve a.b")
	if a := e.Alerts(); len(a) != 1 || a[0].Active {
		t.Errorf("Alerts() = %+v, want one that ended", a)
	}
	want(t, "forgotten", apply(t, e, 210))
	if a := e.Alerts(); len(a) != 0 {
		t.Errorf("Alerts() = %+v, want none", a)
	}
	if _, ok := e.NextWake(); ok {
		t.Error("NextWake() has an appointment, want none")
	}
}

func TestSeverity(t *testing.T) {
	rule := correlation.Rule{Name: "r", Logic: `IF a.x THEN suppress b.* CREATE composite_alert: "x"`, Labels: map[string]string{"team": "net"}}
	e := engine(t, correlation.Options{}, rule)
	low, high := fire("a.x", 1), fire("b.y", 1)
	low.Severity, high.Severity = incident.P3, incident.P2
	apply(t, e, 1, low, high)
	if c := e.Composites()[0]; c.Severity != incident.P2 || c.Labels.Get("team") != "net" {
		t.Errorf("composite %+v, want P2 of its members and the label of the rule", c)
	}
	rule.Severity = incident.P4
	e = engine(t, correlation.Options{}, rule)
	apply(t, e, 1, low, high)
	if c := e.Composites()[0]; c.Severity != incident.P4 {
		t.Errorf("composite %+v, want P4 of the rule", c)
	}
	raised := fire("a.x", 2)
	raised.Severity = incident.P1
	apply(t, e, 2, raised)
	if x, ok := e.Why("", "a.x", nil); !ok || x.Alert.Severity != incident.P1 || !x.Alert.Since.Equal(sec(1)) {
		t.Errorf("Why = %+v, want the severity of the refresh", x)
	}
}

func TestWhy(t *testing.T) {
	e := engine(t, correlation.Options{},
		correlation.Rule{Name: "a", Logic: "IF infra.down THEN suppress platform.*"},
		correlation.Rule{Name: "b", Logic: `IF platform.db THEN suppress app.* CREATE composite_alert: "x"`},
		correlation.Rule{Name: "c", Logic: `IF infra.down THEN suppress composite.b`},
	)
	apply(t, e, 3, fire("infra.down", 1), fire("platform.db", 2), fire("app.slow", 3))
	x, ok := e.Why("", "app.slow", nil)
	if !ok || x.Visible || x.Released || !slices.Equal(x.Alert.SuppressedBy, []string{"b"}) {
		t.Errorf("Why(app.slow) = %+v", x)
	}
	want(t, "path", x.Path, "app.slow", "composite.b", "infra.down")
	if len(x.Reasons) != 1 || x.Reasons[0].Rule != "b" || !x.Reasons[0].Since.Equal(sec(3)) || !slices.Equal(x.Reasons[0].Evidence, []string{"platform.db"}) || len(x.Reasons[0].Composite) != 32 {
		t.Errorf("Reasons = %+v", x.Reasons)
	}
	if x, ok = e.Why("", "composite.b", nil); !ok || x.Visible || !slices.Equal(x.Path, []string{"composite.b", "infra.down"}) {
		t.Errorf("Why(composite.b) = %+v, %v", x, ok)
	}
	if x, ok = e.Why("", "infra.down", nil); !ok || !x.Visible || !slices.Equal(x.Path, []string{"infra.down"}) {
		t.Errorf("Why(infra.down) = %+v, %v", x, ok)
	}
	if _, ok = e.Why("", "infra.up", nil); ok {
		t.Error("Why of an unknown alert is ok")
	}
	if _, ok = e.Why("other", "infra.down", nil); ok {
		t.Error("Why of another tenant is ok")
	}
}

func TestReplace(t *testing.T) {
	keep := correlation.Rule{Name: "keep", Logic: `IF a.x THEN suppress b.kept CREATE composite_alert: "x"`}
	gone := correlation.Rule{Name: "gone", Logic: `IF a.x THEN suppress b.freed CREATE composite_alert: "x"`}
	fresh := correlation.Rule{Name: "fresh", Logic: `IF a.x THEN suppress b.caught CREATE composite_alert: "x"`}
	e := engine(t, correlation.Options{}, keep, gone)
	apply(t, e, 1, fire("a.x", 1), fire("b.kept", 1), fire("b.freed", 1), fire("b.caught", 1))
	before := e.Composites()
	if err := e.Replace([]correlation.Rule{{Name: "bad"}}); err == nil {
		t.Error("Replace with a bad rule = nil error, want one")
	}
	if err := e.Replace([]correlation.Rule{keep, fresh}); err != nil {
		t.Fatal(err)
	}
	if err := e.Replace([]correlation.Rule{keep, fresh}); err != nil { // twice: nothing gets lost in between
		t.Fatal(err)
	}
	want(t, "after Replace", apply(t, e, 5),
		"5 open composite.fresh", "5 close composite.gone", "5 suppress b.caught", "5 release b.freed",
		"5 notify b.freed", "5 notify composite.fresh", "5 resolve composite.gone")
	after := e.Composites()
	if len(after) != 2 || !reflect.DeepEqual(after[0], before[1]) {
		t.Errorf("Composites() = %+v, want the first as before: %+v", after, before[1])
	}
	want(t, "no more", apply(t, e, 6))
	if s := e.Stats(); s.Suppressed != 2 {
		t.Errorf("Stats().Suppressed = %d, want 2", s.Suppressed)
	}
}

// A composite that lingers when its rule is replaced is over, not lingering.
func TestReplaceLingering(t *testing.T) {
	rule := correlation.Rule{Name: "r", Logic: `IF a.x THEN suppress b.* CREATE composite_alert: "x"`, Linger: 10 * time.Second}
	e := engine(t, correlation.Options{}, rule)
	apply(t, e, 1, fire("a.x", 1), fire("b.y", 1))
	apply(t, e, 2, resolve("a.x", 2))
	rule.Linger *= 2
	if err := e.Replace([]correlation.Rule{rule}); err != nil {
		t.Fatal(err)
	}
	out, err := e.Step(sec(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range out {
		if tr.Composite != nil && !tr.Composite.Lingers.IsZero() {
			t.Errorf("%s of a composite that lingers until %v, want none", tr.Kind, tr.Composite.Lingers)
		}
	}
	var got []string
	for _, tr := range out {
		got = append(got, fmt.Sprint(tr.Kind, " ", tr.Alert))
	}
	want(t, "after Replace", got, "close composite.r", "release b.y", "notify b.y", "resolve composite.r")
}

func TestRestoreErrors(t *testing.T) {
	for _, data := range []string{"", "{}", `{"version":1}`, `{"version":2,"now":"2026-03-01T00:00:00Z","tenants":[{"alerts":1}]}`, `{"version":2,"now":"1800-03-01T00:00:00Z"}`} {
		if _, err := correlation.Restore(nil, correlation.Options{}, []byte(data)); err == nil {
			t.Errorf("Restore(%q) = nil error, want one", data)
		}
	}
}

// Whatever happens to a snapshot, a bit of it changed, its end lost or a byte more, it is refused, with ErrSnapshot, or is
// the same state still. One of version 2, which has no checksum, is read.
func TestDamagedSnapshot(t *testing.T) {
	rules := correlation.StarterRules()
	e := engine(t, correlation.Options{}, rules...)
	apply(t, e, 1, fire("platform.database_down", 1), fire("application.x", 1, "depends_on", "database"), resolve("a.b", 1))
	good := snapshot(t, e)
	refused := func(what string, data []byte) {
		t.Helper()
		again, err := correlation.Restore(rules, correlation.Options{}, data)
		if err == nil && !bytes.Equal(snapshot(t, again), good) {
			t.Fatalf("%s: read as another state", what)
		}
		if err != nil && !errors.Is(err, correlation.ErrSnapshot) {
			t.Fatalf("%s: %v, want ErrSnapshot", what, err)
		}
	}
	for bit := range 8 * len(good) {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		refused(fmt.Sprintf("bit %d changed", bit), bad)
	}
	for n := range good {
		refused(fmt.Sprintf("cut to %d bytes", n), good[:n])
	}
	refused("a byte more", append(bytes.Clone(good), 0))
	for _, version := range []string{"1", "4"} {
		other := bytes.Replace(good, []byte(`{"version":3`), []byte(`{"version":`+version), 1)
		if _, err := correlation.Restore(rules, correlation.Options{}, other); !errors.Is(err, correlation.ErrSnapshot) || !strings.Contains(err.Error(), "has version "+version) {
			t.Errorf("version %s: %v, want ErrSnapshot that says it", version, err)
		}
	}
	second := bytes.Replace(good[:len(good)-4], []byte(`{"version":3`), []byte(`{"version":2`), 1)
	again, err := correlation.Restore(rules, correlation.Options{}, second)
	if err != nil || !bytes.Equal(snapshot(t, again), good) {
		t.Errorf("version 2: %v, want the same state", err)
	}
}

func FuzzRestore(f *testing.F) {
	rules := correlation.StarterRules()
	e := engine(f, correlation.Options{}, rules...)
	apply(f, e, 1, fire("platform.database_down", 1), fire("application.x", 1, "depends_on", "database"), resolve("a.b", 1))
	sound := string(snapshot(f, e)) // as version 2 wrote it, whose lack of a checksum lets everything in
	f.Add(strings.Replace(sound[:len(sound)-4], `{"version":3`, `{"version":2`, 1))
	f.Fuzz(func(t *testing.T, data string) {
		e, err := correlation.Restore(rules, correlation.Options{}, []byte(data))
		if err != nil {
			return
		}
		if _, err := e.Apply(e.Now().Add(time.Hour), correlation.Event{}); err == nil {
			t.Fatal("an empty event was taken")
		}
	})
}

// A key names one thing that is told: equal in a replay, different otherwise.
func TestTransitionKey(t *testing.T) {
	run := func() map[string]int {
		e := engine(t, correlation.Options{}, correlation.Rule{Name: "down", Logic: downRule})
		keys := map[string]int{}
		for at := 1; at < 5; at += 2 {
			for _, b := range [][]correlation.Event{
				{fire("platform.db_down", at, "service", "s"), fire("application.x", at)},
				{resolve("platform.db_down", at+1, "service", "s"), resolve("application.x", at+1)},
			} {
				list, err := e.Apply(sec(float64(at)), b...)
				if err != nil {
					t.Fatal(err)
				}
				for _, tr := range list {
					keys[tr.Key()]++
				}
			}
		}
		return keys
	}
	first := run()
	for key, n := range first {
		if n != 1 || len(key) != 32 {
			t.Errorf("key %q stands for %d transitions, want 1", key, n)
		}
	}
	if again := run(); !reflect.DeepEqual(again, first) {
		t.Error("keys differ in a replay")
	}
	if len(first) != 16 {
		t.Errorf("%d keys, want 16", len(first))
	}
}

func TestTexts(t *testing.T) {
	for _, k := range []correlation.Kind{correlation.Late, correlation.Open, correlation.Close, correlation.Suppress, correlation.Release, correlation.Notify, correlation.Resolve} {
		b, err := k.MarshalText()
		var again correlation.Kind
		if err != nil || again.UnmarshalText(b) != nil || again != k {
			t.Errorf("Kind %v does not survive its text %q", k, b)
		}
	}
	if err := new(correlation.Kind).UnmarshalText([]byte("x")); err == nil {
		t.Error("Kind x = nil error, want one")
	}
	if err := new(correlation.Status).UnmarshalText([]byte("x")); err == nil {
		t.Error("Status x = nil error, want one")
	}
	l := correlation.LabelsOf(map[string]string{"b": "2", "a": "1", "c": ""})
	if got := l.String(); got != "{a=1,b=2}" {
		t.Errorf("Labels = %s, want {a=1,b=2}", got)
	}
	if got := asJSON(t, l); got != `{"a":"1","b":"2"}` {
		t.Errorf("Labels as JSON = %s", got)
	}
	if got := asJSON(t, correlation.Labels(nil)); got != "{}" {
		t.Errorf("no labels as JSON = %s, want {}", got)
	}
	if !strings.Contains((&correlation.RuleError{Rule: "r", Line: 2, Column: 3, Want: "x", Suggestion: "y"}).Error(), `rule "r": 2:3: end of the text: want x; did you mean "y"?`) {
		t.Error("RuleError text changed")
	}
}

// Text that JSON cannot keep would be another alert after a restart.
func TestInvalidUTF8(t *testing.T) {
	for _, c := range []struct {
		field string
		event correlation.Event
	}{
		{"Tenant", correlation.Event{Tenant: "a\xff"}},
		{"Labels", correlation.Event{Labels: map[string]string{"x": "\xff"}}},
		{"Labels", correlation.Event{Labels: map[string]string{"\xff": "x"}}},
		{"Alert", correlation.Event{Alert: "a.\xff"}},
	} {
		ev := c.event
		ev.Status, ev.Time = correlation.Firing, sec(0)
		if ev.Alert == "" {
			ev.Alert = "a.b"
		}
		e := engine(t, correlation.Options{})
		_, err := e.Apply(sec(0), ev)
		if got, ok := errors.AsType[*correlation.EventError](err); !ok || got.Field != c.field {
			t.Errorf("Apply(%+v) = %v, want an EventError of %s", ev, err, c.field)
		}
		if e.Stats().Rejected != 1 {
			t.Errorf("Apply(%+v): %+v, want 1 rejected", ev, e.Stats())
		}
	}
}

func TestRestoreRefusesInstancesTwice(t *testing.T) {
	rules := []correlation.Rule{{Name: "r", Logic: `IF a.b THEN CREATE composite_alert: "x"`}}
	e := engine(t, correlation.Options{}, rules...)
	apply(t, e, 0, fire("a.b", 0))
	data, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	head, alerts, _ := bytes.Cut(data, []byte{'\n'})
	if err := json.Unmarshal(head, &s); err != nil {
		t.Fatal(err)
	}
	tenant := s["tenants"].([]any)[0].(map[string]any)
	list := tenant["instances"].([]any)
	tenant["instances"] = append(list, list[0])
	if data, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"version":3`), []byte(`"version":2`), 1) // without a checksum
	data = slices.Concat(data, []byte{'\n'}, alerts[:len(alerts)-4])
	if _, err := correlation.Restore(rules, correlation.Options{}, data); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("Restore with an instance twice = %v, want an error", err)
	}
}

func TestKindText(t *testing.T) {
	for k := correlation.Late; k <= correlation.Resolve; k++ {
		text, err := k.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back correlation.Kind
		if err := back.UnmarshalText(text); err != nil || back != k {
			t.Errorf("UnmarshalText(%s) = %v, %v, want %v", text, back, err, k)
		}
	}
	for _, k := range []correlation.Kind{0, correlation.Resolve + 1} {
		if text, err := k.MarshalText(); err == nil {
			t.Errorf("%v.MarshalText = %s, want an error", k, text)
		}
	}
}

// Append leaves what is in the list and answers as Apply does, whatever was there.
func TestAppend(t *testing.T) {
	rules := correlation.StarterRules()
	one, err := correlation.New(rules, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := correlation.New(rules, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept := correlation.Transition{At: start.Add(2 * time.Second), Kind: correlation.Notify, Alert: correlation.Alert{Name: "z.z"}}
	list := []correlation.Transition{kept}
	var want []correlation.Transition
	for n, name := range []string{"infrastructure.cpu_high", "infrastructure.memory_high", "platform.db_slow", "application.slow_response"} {
		at := start.Add(time.Duration(n) * time.Second)
		ev := correlation.Event{Alert: name, Status: correlation.Firing, Time: at}
		got, err := one.Apply(at, ev)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, got...)
		if list, err = other.Append(list, at, ev); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) == 0 || !reflect.DeepEqual(list[1:], want) || !reflect.DeepEqual(list[0], kept) {
		t.Errorf("Append gives %v, want %v after %v", list, want, kept)
	}
	if got, err := other.Append(list, start); !errors.Is(err, correlation.ErrTime) || len(got) != len(list) {
		t.Errorf("Append at an earlier instant gives %d transitions and %v, want the same %d and ErrTime", len(got), err, len(list))
	}
}

// AlertOf is the inverse of LabelSet.
func TestAlertOf(t *testing.T) {
	for _, labels := range []map[string]string{
		{correlation.NameLabel: "Down", "host": "a", "env": "prod"},
		{correlation.NameLabel: "Down"},
	} {
		a := correlation.AlertOf(labels)
		if got := a.LabelSet(); !maps.Equal(got, labels) || a.Name != "Down" || !a.Active {
			t.Errorf("AlertOf(%v) = %+v with labels %v", labels, a, got)
		}
	}
}

// An event that is marked as Again comes from a source that repeats the Time of an episode
// that is over, as Alertmanager does for an alert of which it had heard no more. All
// instants follow from the rule: the new episode begins a nanosecond after the end.
func TestAgain(t *testing.T) {
	again := func(ev correlation.Event) correlation.Event {
		ev.Again = true
		return ev
	}
	f, r := func(t int) correlation.Event { return again(fire("a.x", t)) }, func(t int) correlation.Event { return again(resolve("a.x", t)) }
	ends := func(ev correlation.Event, at int) correlation.Event {
		ev.Ends = sec(float64(at))
		return ev
	}
	tests := []struct {
		name   string
		events []correlation.Event // one a second from 100 on
		want   []string
		since  time.Time // of the last episode
	}{
		{"repeats", []correlation.Event{f(10), f(10), f(10)}, []string{"100 notify a.x"}, sec(10)},
		{"fires again", []correlation.Event{f(10), r(60), f(10), f(10)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"}, sec(60).Add(1)},
		{"and is over", []correlation.Event{f(10), r(60), f(10), r(90)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x", "103 resolve a.x"}, sec(60).Add(1)},
		{
			"twice",
			[]correlation.Event{f(10), r(60), f(10), r(90), f(10)},
			[]string{"100 notify a.x", "101 resolve a.x", "102 notify a.x", "103 resolve a.x", "104 notify a.x"},
			sec(90).Add(1),
		},
		{"the end repeated", []correlation.Event{f(10), r(60), r(60)}, []string{"100 notify a.x", "101 resolve a.x"}, sec(10)},
		{"an end that is not marked", []correlation.Event{f(10), r(60), f(10), resolve("a.x", 60)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"}, sec(60).Add(1)},
		{
			"the beginning of another source was late",
			[]correlation.Event{f(10), r(60), f(10), r(60)},
			[]string{"100 notify a.x", "101 resolve a.x", "102 notify a.x", "103 resolve a.x"},
			sec(60).Add(1),
		},
		{"an earlier end", []correlation.Event{f(10), r(60), f(10), r(59)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"}, sec(60).Add(1)},
		{"an end of the time before", []correlation.Event{f(10), r(60), f(70), r(60)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"}, sec(70)},
		{"late and not marked", []correlation.Event{f(10), r(60), fire("a.x", 10)}, []string{"100 notify a.x", "101 resolve a.x"}, sec(10)},
		{"only the end was known", []correlation.Event{r(60), f(10)}, []string{"101 notify a.x"}, sec(60).Add(1)},
		{"a later beginning", []correlation.Event{f(10), r(60), f(70)}, []string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"}, sec(70)},
		{
			"resolved before it would expire",
			[]correlation.Event{ends(f(10), 500), r(60), f(10)},
			[]string{"100 notify a.x", "101 resolve a.x", "102 notify a.x"},
			sec(60).Add(1),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, correlation.Options{})
			var got []string
			for n, ev := range tt.events {
				got = append(got, apply(t, e, 100+n, ev)...)
				// A restart in between changes nothing.
				data, err := e.Snapshot()
				if err == nil {
					e, err = correlation.Restore(nil, correlation.Options{}, data)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			want(t, tt.name, got, tt.want...)
			if a, _ := e.Alert("", "a.x", nil); !a.Since.Equal(tt.since) {
				t.Errorf("since %v, want %v", a.Since, tt.since)
			}
		})
	}
	e := engine(t, correlation.Options{})
	want(t, "expires", append(apply(t, e, 15, ends(f(10), 20)), apply(t, e, 30, f(10))...), "15 notify a.x", "20 resolve a.x", "30 notify a.x")
	if a, _ := e.Alert("", "a.x", nil); !a.Active || !a.Since.Equal(sec(20).Add(1)) {
		t.Errorf("after its expiry it fires since %v, active %t, want %v", a.Since, a.Active, sec(20).Add(1))
	}
	// What is over and fires again before people were told of the end goes on for them: the
	// onset of the resolve is that of the notification.
	e = engine(t, correlation.Options{})
	want(t, "at once", slices.Concat(apply(t, e, 100, f(10)), apply(t, e, 101, r(60), f(10)), apply(t, e, 102, r(90))), "100 notify a.x", "102 resolve a.x")
	if a, _ := e.Alert("", "a.x", nil); !a.Since.Equal(sec(10)) {
		t.Errorf("since %v, want %v", a.Since, sec(10))
	}
}

// TestAgainLaw: an alert is what an ordered source said of it last, however often the source
// repeats the start of an episode that is over, what it says at once and when the engine is
// restarted; and what ends is told with the onset with which it was told.
func TestAgainLaw(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		o := correlation.Options{Retention: time.Duration(1+rnd.IntN(200)) * time.Second, Settle: time.Duration(rnd.IntN(3)) * 5 * time.Second}
		e := engine(t, o)
		at, start, end, fires := 1000, 1000, 0, false
		var onset time.Time // zero: not told
		for range 40 {
			at += 1 + rnd.IntN(20)
			if !fires && rnd.IntN(3) == 0 {
				start = max(at-rnd.IntN(3), end)
			}
			var events []correlation.Event
			for range 1 + rnd.IntN(3) {
				ev := fire("a.x", start)
				if rnd.IntN(2) == 0 {
					if fires {
						end = max(at-rnd.IntN(5), start+1, end+1)
					}
					ev = resolve("a.x", max(end, 1))
				}
				fires = ev.Status == correlation.Firing
				ev.Again = true
				events = append(events, ev)
			}
			list, err := e.Apply(sec(float64(at)), events...)
			if err != nil {
				t.Fatal(err)
			}
			for _, tr := range list {
				switch {
				case tr.Kind == correlation.Notify && onset.IsZero():
					onset = tr.Alert.Since
				case tr.Kind == correlation.Resolve && onset.Equal(tr.Alert.Since):
					onset = time.Time{}
				default:
					t.Fatalf("seed %d: %s of what began at %v, told since %v", seed, tr.Kind, tr.Alert.Since, onset)
				}
			}
			if a, _ := e.Alert("", "a.x", nil); a.Active != fires {
				t.Fatalf("seed %d at %d: active %t, want %t", seed, at, a.Active, fires)
			}
			if rnd.IntN(5) > 0 {
				continue
			}
			data, err := e.Snapshot()
			if err == nil {
				e, err = correlation.Restore(nil, o, data)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
