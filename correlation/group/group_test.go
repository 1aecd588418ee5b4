package group_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func sec(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

// change is the transition of an alert, written tenant/layer.name host.
func change(s int, kind correlation.Kind, alert string) correlation.Transition {
	alert, host, _ := strings.Cut(alert, " ")
	tenant, name, _ := strings.Cut(alert, "/")
	a := correlation.Alert{Tenant: tenant, Name: name, Labels: correlation.LabelsOf(map[string]string{"host": host}), Active: kind != correlation.Resolve, Since: sec(s)}
	return correlation.Transition{At: sec(s), Kind: kind, Alert: a}
}

func on(s int, alert string) correlation.Transition { return change(s, correlation.Notify, alert) }

func over(s int, alert string) correlation.Transition { return change(s, correlation.Resolve, alert) }

// line prints a notification: when, what, to whom, and +new -ended =firing.
func line(n group.Notification) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s/%s", int(n.At.Sub(start).Seconds()), n.Kind, n.Tenant, n.Receiver)
	for _, x := range n.Alerts {
		fmt.Fprintf(&b, " %s%s", map[group.State]string{group.Begun: "+", group.Ended: "-", group.Still: "="}[x.State], strings.TrimSuffix(strings.Replace(x.Alert.String(), "{host=", " ", 1), "}"))
	}
	if n.Omitted > 0 {
		fmt.Fprintf(&b, " and %d", n.Omitted)
	}
	return b.String()
}

func lines(list []group.Notification) []string {
	var out []string
	for _, n := range list {
		out = append(out, line(n))
	}
	return out
}

func tree(tb testing.TB, n route.Node) *route.Route {
	tb.Helper()
	r, err := route.New(n)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func grouper(tb testing.TB, r *route.Route, o group.Options) *group.Grouper {
	tb.Helper()
	g, err := group.New(r, o)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// The times are computed by hand from the documentation of Alertmanager: group_wait
// after the group was made, then every group_interval if something changed, and every
// repeat_interval if nothing did, at a multiple of group_interval. The defaults are 30 s,
// 300 s and 14,400 s.
func TestTiming(t *testing.T) {
	const repeat = 14400
	byName := route.Node{Receiver: "ops", GroupBy: []string{"alertname"}}
	for _, c := range []struct {
		name string
		root *route.Node
		opts group.Options
		in   []correlation.Transition
		end  int
		want []string
	}{
		{
			"wait, then everything in one", nil,
			group.Options{},
			[]correlation.Transition{on(100, "m/l.x"), on(110, "m/l.y"), on(130, "m/l.z")},
			1000,
			[]string{"130 first m/default +l.x +l.y +l.z"},
		},
		{
			"what comes after it waits for the interval", nil,
			group.Options{},
			[]correlation.Transition{on(100, "m/l.x"), on(131, "m/l.y"), on(430, "m/l.z"), on(431, "m/l.w")},
			1000,
			[]string{"130 first m/default +l.x", "430 change m/default +l.y +l.z =l.x", "730 change m/default +l.w =l.x =l.y =l.z"},
		},
		{
			"ends too", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), on(1, "m/l.y"), over(40, "m/l.y"), over(1000, "m/l.x")},
			5000,
			[]string{"30 first m/default +l.x +l.y", "330 change m/default -l.y =l.x", "1230 resolved m/default -l.x"},
		},
		{
			"repeat counts from what was told last", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), on(100, "m/l.y")},
			330 + 2*repeat,
			[]string{"30 first m/default +l.x", "330 change m/default +l.y =l.x", "14730 repeat m/default =l.x =l.y", "29130 repeat m/default =l.x =l.y"},
		},
		{
			"repeat at a multiple of the interval", &route.Node{Receiver: "ops", RepeatInterval: new(700 * time.Second)},
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x")},
			30 + 2000,
			[]string{"30 first m/ops +l.x", "930 repeat m/ops =l.x", "1830 repeat m/ops =l.x"},
		},
		{
			"over before it was told", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), over(10, "m/l.x"), on(20, "m/l.y")},
			1000,
			[]string{"30 first m/default +l.y"}, // the group is the same: its wait began at 0
		},
		{
			"over before it was told, alone", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), over(30, "m/l.x"), on(40, "m/l.y")},
			1000,
			[]string{"70 first m/default +l.y"},
		},
		{
			"over and back between two looks", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), over(40, "m/l.x"), on(50, "m/l.x"), over(800, "m/l.x")},
			5000,
			[]string{"30 first m/default +l.x", "930 resolved m/default -l.x"},
		},
		{
			"back after its end was told", nil,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x"), over(40, "m/l.x"), on(331, "m/l.x")},
			1000,
			[]string{"30 first m/default +l.x", "330 resolved m/default -l.x", "361 first m/default +l.x"},
		},
		{
			"an old alert waits as well", nil,
			group.Options{},
			[]correlation.Transition{aged(on(100, "m/l.x"), 31*time.Second), on(110, "m/l.y")},
			400,
			[]string{"130 first m/default +l.x +l.y"},
		},
		{
			"at once, as Alertmanager", nil,
			group.Options{AtOnce: true},
			[]correlation.Transition{aged(on(100, "m/l.x"), 31*time.Second), on(110, "m/l.y"), aged(on(400, "k/l.x"), 30*time.Second)},
			1000,
			[]string{"100 first m/default +l.x", "400 change m/default +l.y =l.x", "430 first k/default +l.x"},
		},
		{
			"groups and tenants by themselves", &byName,
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x a"), on(5, "m/l.x b"), on(10, "m/l.y a"), on(10, "k/l.x a")},
			200,
			[]string{"30 first m/ops +l.x a +l.x b", "40 first k/ops +l.x a", "40 first m/ops +l.y a"},
		},
		{
			"all labels", &route.Node{Receiver: "ops", GroupBy: []string{"..."}},
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x a"), on(0, "m/l.x b")},
			200,
			[]string{"30 first m/ops +l.x a", "30 first m/ops +l.x b"},
		},
		{
			"routes with waits of their own, and one that goes on",
			&route.Node{Receiver: "ops", Routes: []route.Node{
				{Receiver: "db", Matchers: []string{`alertname="l.x"`}, GroupWait: new(time.Duration(0)), Continue: true},
				{Receiver: "late", Matchers: []string{`host="a"`}, GroupWait: new(time.Minute)},
			}},
			group.Options{},
			[]correlation.Transition{on(0, "m/l.x a"), on(1, "m/l.y a"), on(2, "m/l.y b")},
			200,
			[]string{"0 first m/db +l.x a", "32 first m/ops +l.y b", "60 first m/late +l.x a +l.y a"},
		},
		{
			"opens at three", nil,
			group.Options{OpenAt: 3},
			[]correlation.Transition{on(0, "m/l.x"), on(10, "m/l.y"), over(20, "m/l.y"), on(50, "m/l.y"), on(70, "m/l.z"), over(80, "m/l.x"), over(90, "m/l.y")},
			1000,
			[]string{"70 first m/default +l.x +l.y +l.z", "370 change m/default -l.x -l.y =l.z"},
		},
		{
			"opens at three, not before its wait", nil,
			group.Options{OpenAt: 3},
			[]correlation.Transition{on(0, "m/l.x"), on(1, "m/l.y"), on(2, "m/l.z"), on(3, "k/l.x"), on(4, "k/l.y"), over(60, "k/l.x"), over(61, "k/l.y"), on(62, "k/l.z")},
			1000,
			[]string{"30 first m/default +l.x +l.y +l.z"},
		},
		{
			"opens at two different", nil,
			group.Options{OpenAtDifferent: 2},
			[]correlation.Transition{on(0, "m/l.x a"), on(1, "m/l.x b"), on(2, "m/l.x c"), on(60, "m/l.y a")},
			200,
			[]string{"60 first m/default +l.x a +l.x b +l.x c +l.y a"},
		},
		{
			"either three or two hosts", nil,
			group.Options{OpenAt: 3, OpenAtDifferent: 2, DifferentBy: "host"},
			[]correlation.Transition{on(0, "m/l.x a"), on(1, "m/l.y a"), on(50, "m/l.z a"), on(51, "k/l.x a"), on(90, "k/l.x b")},
			200,
			[]string{"50 first m/default +l.x a +l.y a +l.z a", "90 first k/default +l.x a +l.x b"},
		},
		{
			"at most two are listed", nil,
			group.Options{MaxAlerts: 2},
			[]correlation.Transition{on(0, "m/l.x"), on(0, "m/l.y"), severe(on(0, "m/l.z")), over(50, "m/l.y"), over(400, "m/l.x"), severe(over(400, "m/l.z"))},
			1000,
			[]string{"30 first m/default +l.z +l.x and 1", "330 change m/default -l.y =l.z and 1", "630 resolved m/default -l.z -l.x"},
		},
		{
			"quiet ones are not repeated, others are", nil,
			group.Options{Quiet: func(a correlation.Alert, at time.Time) bool { return a.Tenant == "m" && at.Before(sec(15000)) }},
			[]correlation.Transition{on(0, "m/l.x"), on(0, "k/l.x")},
			15100,
			[]string{"30 first k/default +l.x", "30 first m/default +l.x", "14430 repeat k/default =l.x", "15030 repeat m/default =l.x"},
		},
	} {
		var root *route.Route
		if c.root != nil {
			root = tree(t, *c.root)
		}
		// All in one call, and one by one.
		g := grouper(t, root, c.opts)
		got, err := g.Apply(sec(c.end+1), c.in...)
		if err != nil || !slices.Equal(lines(got), c.want) {
			t.Errorf("%s, in one call:\n got %q, %v\nwant %q", c.name, lines(got), err, c.want)
		}
		g = grouper(t, root, c.opts)
		got = nil
		for n := 0; n < len(c.in); {
			k := n + 1
			for k < len(c.in) && c.in[k].At.Equal(c.in[n].At) {
				k++
			}
			for {
				due, ok := g.NextWake()
				if !ok || !due.Before(c.in[n].At) {
					break
				}
				got = append(got, apply(t, g, due)...)
			}
			got = append(got, apply(t, g, c.in[n].At, c.in[n:k]...)...)
			n = k
		}
		for {
			due, ok := g.NextWake()
			if !ok || due.After(sec(c.end)) {
				break
			}
			got = append(got, apply(t, g, due)...)
		}
		if !slices.Equal(lines(got), c.want) {
			t.Errorf("%s, one by one:\n got %q\nwant %q", c.name, lines(got), c.want)
		}
	}
}

func apply(tb testing.TB, g *group.Grouper, at time.Time, in ...correlation.Transition) []group.Notification {
	tb.Helper()
	out, err := g.Apply(at, in...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func aged(t correlation.Transition, d time.Duration) correlation.Transition {
	t.Alert.Since = t.At.Add(-d)
	return t
}

func severe(t correlation.Transition) correlation.Transition {
	t.Alert.Severity = incident.P1
	return t
}

// In a muted time ends are told and nothing else; the rest is told at the first look
// after it. Muted is from 600 to 1200; the looks are at 330, 630, 930 and 1230.
func TestMuted(t *testing.T) {
	root := tree(t, route.Node{Receiver: "ops", Routes: []route.Node{{Matchers: []string{`alertname=~".+"`}, MuteTimeIntervals: []string{"night"}}}})
	o := group.Options{Intervals: interval.Set{"night": {{Times: []interval.Times{{Start: 10, End: 20}}}}}}
	g := grouper(t, root, o)
	got := lines(apply(t, g, sec(2000), on(300, "m/l.x"), on(301, "m/l.y"), on(640, "m/l.z"), on(650, "k/l.x"), over(700, "m/l.x"), over(940, "m/l.y")))
	want := []string{
		"330 first m/ops +l.x +l.y", "930 change m/ops -l.x =l.y",
		"1230 change m/ops +l.z -l.y", "1280 first k/ops +l.x", // looked at at 680, 980 and 1280
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
	// All that was told is over while something new waits.
	g = grouper(t, root, o)
	got = lines(apply(t, g, sec(2000), on(300, "m/l.x"), on(640, "m/l.z"), over(700, "m/l.x")))
	want = []string{"330 first m/ops +l.x", "930 resolved m/ops -l.x", "1230 first m/ops +l.z"}
	if !slices.Equal(got, want) {
		t.Errorf("told %q\nwant %q", got, want)
	}
	_, err := group.New(root, group.Options{OpenAt: -1})
	if o, ok := errors.AsType[*correlation.OptionError](err); !ok || o.Option != "OpenAt" || o.Value != -1 || !errors.Is(err, interval.ErrUnknown) {
		t.Errorf("New = %v, want an unknown interval and an *OptionError of OpenAt", err)
	}
}

// What a notification says besides its alerts.
func TestNotification(t *testing.T) {
	g := grouper(t, tree(t, route.Node{Receiver: "ops", GroupBy: []string{"host"}}), group.Options{OpenAt: 2})
	out := apply(t, g, sec(100), on(0, "m/l.x a"), on(50, "m/l.y a"))
	if len(out) != 1 {
		t.Fatalf("told %v, want one notification", lines(out))
	}
	n := out[0]
	if n.Key != `{}:{host="a"}` || n.Labels["host"] != "a" || n.Route != "route" || !n.Since.Equal(sec(0)) || n.Firing != 2 || n.Ended != 0 {
		t.Errorf("told %+v", n)
	}
	if want := `m/route/{}:{host="a"}/2026-03-01T00:00:50Z/first`; n.ID() != want {
		t.Errorf("ID = %q, want %q", n.ID(), want)
	}
	list := g.Groups()
	if len(list) != 1 || len(list[0].Alerts) != 2 || !list[0].Told.Equal(sec(50)) {
		t.Errorf("Groups = %+v, want one of two alerts, told at 50", list)
	}
	for _, c := range []error{
		second(g.Apply(sec(99))), second(g.Apply(time.Time{})), second(g.Apply(sec(101), on(102, "m/l.x"))), second(g.Apply(sec(110), on(105, "m/l.x"), on(104, "m/l.y"))),
	} {
		if !errors.Is(c, group.ErrTime) {
			t.Errorf("error %v, want ErrTime", c)
		}
	}
}

func second(_ []group.Notification, err error) error { return err }

// random makes transitions as an engine reports them, in batches of one instant.
func random(rnd *rand.Rand, n int) [][]correlation.Transition {
	var list [][]correlation.Transition
	fires := map[string]bool{}
	at := 0
	for range n {
		at += 1 + rnd.IntN(100)
		var batch []correlation.Transition
		for _, a := range []string{"m/l.x a", "m/l.x b", "m/l.y a", "m/l.z", "k/l.x a"} {
			switch {
			case rnd.IntN(4) > 0:
			case fires[a]:
				delete(fires, a)
				batch = append(batch, over(at, a))
			default:
				fires[a] = true
				batch = append(batch, on(at, a))
			}
		}
		if len(batch) > 0 {
			list = append(list, batch)
		}
	}
	return list
}

var lawNode = route.Node{Receiver: "ops", GroupBy: []string{"host"}, RepeatInterval: new(20 * time.Minute), Routes: []route.Node{
	{Receiver: "db", Matchers: []string{`alertname="l.x"`}, GroupBy: []string{}, GroupWait: new(time.Duration(0)), GroupInterval: new(time.Minute), Continue: true},
	{Receiver: "night", Matchers: []string{`alertname="l.x"`}, GroupBy: []string{"..."}, MuteTimeIntervals: []string{"night"}},
}}

// Nothing is told to fire twice to a receiver, nothing to be over that was not told;
// everything that was told and is over is told to be over in the end. Snapshots at any
// prefix and the order of the transitions of an instant change nothing.
func TestLaws(t *testing.T) {
	root := tree(t, lawNode)
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		o := group.Options{
			OpenAt: rnd.IntN(3), OpenAtDifferent: rnd.IntN(3), AtOnce: seed%2 == 0,
			Intervals: interval.Set{"night": {{Times: []interval.Times{{Start: 10, End: 30}}}}},
		}
		whole := grouper(t, root, o)
		told := map[string]bool{}
		ids := map[string]bool{}
		check := func(n group.Notification) {
			if ids[n.ID()] {
				t.Fatalf("seed %d: %s comes twice", seed, n.ID())
			}
			ids[n.ID()] = true
			fires := 0
			for _, x := range n.Alerts {
				id := n.Receiver + n.Key + x.Alert.Tenant + "/" + x.Alert.String()
				if told[id] != (x.State != group.Begun) {
					t.Fatalf("seed %d: %s: %s is told as %s, told before: %v", seed, line(n), x.Alert, x.State, told[id])
				}
				told[id] = x.State != group.Ended
				if told[id] {
					fires++
				} else {
					delete(told, id)
				}
			}
			if fires != n.Firing || len(n.Alerts)-fires != n.Ended || (n.Kind == group.Resolved) != (fires == 0) {
				t.Fatalf("seed %d: %s: %d firing and %d ended are counted", seed, line(n), n.Firing, n.Ended)
			}
		}
		data, err := whole.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		fires := map[string]correlation.Transition{}
		last := sec(0)
		for n, batch := range random(rnd, 60) {
			for _, tr := range batch {
				id := tr.Alert.Tenant + tr.Alert.String()
				if fires[id] = tr; tr.Kind == correlation.Resolve {
					delete(fires, id)
				}
			}
			last = batch[0].At
			got := apply(t, whole, last, batch...)
			for _, x := range got {
				check(x)
			}
			restored, err := group.Restore(root, o, data)
			if err != nil {
				t.Fatal(err)
			}
			if again, _ := restored.Snapshot(); !bytes.Equal(again, data) {
				t.Fatalf("seed %d batch %d: restored\n got %s\nwant %s", seed, n, again, data)
			}
			rnd.Shuffle(len(batch), func(i, k int) { batch[i], batch[k] = batch[k], batch[i] })
			if rest := apply(t, restored, last, batch...); !slices.Equal(lines(rest), lines(got)) {
				t.Fatalf("seed %d batch %d: after a restart, shuffled\n got %q\nwant %q", seed, n, lines(rest), lines(got))
			}
			if data, err = whole.Snapshot(); err != nil {
				t.Fatal(err)
			}
			if again, _ := restored.Snapshot(); !bytes.Equal(again, data) {
				t.Fatalf("seed %d batch %d: snapshot\n got %s\nwant %s", seed, n, again, data)
			}
		}
		var ends []correlation.Transition
		for _, tr := range fires {
			tr.Kind, tr.At = correlation.Resolve, last
			ends = append(ends, tr)
		}
		for _, x := range apply(t, whole, last.Add(time.Hour), ends...) {
			check(x)
		}
		due, ok := whole.NextWake()
		if len(told) > 0 || len(whole.Groups()) > 0 || ok {
			t.Fatalf("seed %d: all is over and told are %v, groups %v, next %v", seed, told, whole.Groups(), due)
		}
	}
}

// A group whose route is gone tells its ends, and one whose route has new times goes on
// with them.
func TestRestoreWithOtherRoutes(t *testing.T) {
	g := grouper(t, tree(t, route.Node{Receiver: "ops", Routes: []route.Node{{Receiver: "db", Matchers: []string{`host="a"`}}}}), group.Options{})
	got := lines(apply(t, g, sec(100), on(0, "m/l.x a"), on(0, "m/l.y b")))
	if want := []string{"30 first m/ops +l.y b", "30 first m/db +l.x a"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	data, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	next, err := group.Restore(tree(t, route.Node{Receiver: "all", GroupInterval: new(time.Minute)}), group.Options{}, data)
	if err != nil {
		t.Fatal(err)
	}
	got = lines(apply(t, next, sec(1000), over(120, "m/l.x a"), on(130, "m/l.z a")))
	if want := []string{"150 change m/all +l.z a =l.y b", "330 resolved m/db -l.x a"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// With other labels to group by, a group goes on by itself: it takes no new alerts and
// keeps its times.
func TestRestoreWithOtherLabels(t *testing.T) {
	g := grouper(t, tree(t, route.Node{Receiver: "ops", GroupBy: []string{"host"}}), group.Options{})
	apply(t, g, sec(100), on(0, "m/l.x a"))
	data, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	next, err := group.Restore(tree(t, route.Node{Receiver: "all", GroupBy: []string{}, GroupInterval: new(time.Minute)}), group.Options{}, data)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(apply(t, next, sec(1000), over(120, "m/l.x a"), on(130, "m/l.z a")))
	if want := []string{"160 first m/all +l.z a", "330 resolved m/ops -l.x a"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A restored group remembers that it was looked at in this very instant.
func TestRestoreAtALook(t *testing.T) {
	root := tree(t, route.Node{Receiver: "ops", Routes: []route.Node{{Matchers: []string{`alertname=~".+"`}, MuteTimeIntervals: []string{"quiet"}}}})
	o := group.Options{Intervals: minutes(0, 10)}
	g := grouper(t, root, o)
	if got := apply(t, g, sec(30), on(0, "m/l.x")); len(got) > 0 {
		t.Errorf("told %q in a muted time", lines(got))
	}
	data, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	next, err := group.Restore(root, o, data)
	if err != nil {
		t.Fatal(err)
	}
	if due, ok := next.NextWake(); !ok || !due.Equal(sec(330)) {
		t.Errorf("NextWake = %v, %v, want 330 s", due, ok)
	}
}

// Whatever happens to a snapshot, it is refused with ErrSnapshot or is the same state still.
func TestDamagedSnapshot(t *testing.T) {
	root := tree(t, route.Node{Receiver: "ops", GroupBy: []string{"host"}})
	g := grouper(t, root, group.Options{})
	apply(t, g, sec(40), on(0, "m/l.x a"), on(10, "m/l.y b"), over(35, "m/l.x a"), on(40, "m/l.z a"))
	good, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range testutil.Damaged(good) {
		again, err := group.Restore(root, group.Options{}, bad)
		if err != nil {
			if !errors.Is(err, group.ErrSnapshot) {
				t.Fatalf("%s: %v, want ErrSnapshot", what, err)
			}
			continue
		}
		if data, _ := again.Snapshot(); !bytes.Equal(data, good) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, good)
		}
	}
	for data, want := range map[string]string{
		strings.Replace(string(good), "00:00:40", "00:00:41", 1): "the checksum of its state is ",
		`{"version":1,"groups":[]}`:                              "it has version 1, want 2",
	} {
		if _, err := group.Restore(root, group.Options{}, []byte(data)); !errors.Is(err, group.ErrSnapshot) || !strings.Contains(err.Error(), want) {
			t.Errorf("Restore(%s) = %v, want ErrSnapshot: %s", data, err, want)
		}
	}
}

// A state that is not one is an error, never a panic or an endless loop.
func FuzzRestore(f *testing.F) {
	g, err := group.New(nil, group.Options{})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := g.Apply(sec(40), on(0, "m/l.x"), over(35, "m/l.x"), on(40, "m/l.y")); err != nil {
		f.Fatal(err)
	}
	data, err := g.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	if data, err = sealed.Open(data, 2); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, state []byte) {
		data, err := sealed.Seal(2, json.RawMessage(state))
		if err != nil {
			return
		}
		g, err := group.Restore(nil, group.Options{}, data)
		if err != nil {
			return
		}
		if again, err := g.Snapshot(); err == nil && !json.Valid(again) {
			t.Errorf("Snapshot = %q", again)
		}
		for range 5 {
			due, ok := g.NextWake()
			if !ok {
				break
			}
			if _, err := g.Apply(due); err != nil && !errors.Is(err, group.ErrTime) {
				t.Errorf("Apply = %v", err)
			}
		}
	})
}

// Many alerts in one group are found, told and forgotten one by one: against a set. Stats
// agrees with Groups.
func TestManyInOneGroup(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	g := grouper(t, nil, group.Options{})
	firing, told := map[string]bool{}, map[string]bool{}
	for s := range 3000 {
		name := fmt.Sprintf("m/l.x h%d", rnd.IntN(60))
		kind := correlation.Notify
		if firing[name] || rnd.IntN(3) == 0 {
			kind = correlation.Resolve
		}
		firing[name] = kind == correlation.Notify
		if s == 1500 { // from here on as it is after a restart
			data, err := g.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if g, err = group.Restore(nil, group.Options{}, data); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range apply(t, g, sec(s), change(s, kind, name)) {
			for _, x := range n.Alerts {
				id := x.Alert.Tenant + "/" + strings.TrimSuffix(strings.Replace(x.Alert.String(), "{host=", " ", 1), "}")
				if told[id] != (x.State != group.Begun) || firing[id] != (x.State != group.Ended) {
					t.Fatalf("at %d %s is told as %s, told before %t, fires %t", s, id, x.State, told[id], firing[id])
				}
				told[id] = x.State != group.Ended
			}
		}
		want := group.Stats{}
		for _, x := range g.Groups() {
			want.Groups++
			want.Alerts += len(x.Alerts)
		}
		count := 0
		for _, is := range firing {
			if is {
				count++
			}
		}
		if got := g.Stats(); got != want || got.Alerts != count {
			t.Fatalf("at %d: Stats = %+v, want %+v with %d alerts", s, got, want, count)
		}
	}
}
