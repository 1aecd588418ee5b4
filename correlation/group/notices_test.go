package group_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/incident"
)

// stages are all of them, one behind the other.
type stages struct {
	tb       testing.TB
	engine   *correlation.Engine
	silencer *silence.Silencer
	damper   *correlation.Damper
	grouper  *group.Grouper
	told     []group.Notification
}

func newStages(tb testing.TB, rules []correlation.Rule, d correlation.DamperOptions, root *route.Route) *stages {
	tb.Helper()
	engine, err := correlation.New(rules, correlation.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	damper, err := correlation.NewDamper(d)
	if err != nil {
		tb.Fatal(err)
	}
	return &stages{tb: tb, engine: engine, silencer: silence.New(silence.Options{}), damper: damper, grouper: grouper(tb, root, group.Options{})}
}

// step hands what happens at an instant through all stages.
func (s *stages) step(at time.Time, events ...correlation.Event) {
	s.tb.Helper()
	transitions, err := s.engine.Apply(at, events...)
	if err != nil {
		s.tb.Fatal(err)
	}
	rest, err := s.silencer.Apply(at, transitions...)
	if err != nil {
		s.tb.Fatal(err)
	}
	notices := append(s.damper.Filter(rest), s.damper.Step(at)...)
	s.told = append(s.told, apply(s.tb, s.grouper, at, group.Transitions(notices...)...)...)
}

// run steps whenever a stage asks for it before an instant.
func (s *stages) run(until time.Time) {
	s.tb.Helper()
	for {
		next := until
		for _, due := range []func() (time.Time, bool){s.engine.NextWake, s.silencer.NextWake, s.damper.NextWake, s.grouper.NextWake} {
			if at, ok := due(); ok && at.Before(next) {
				next = at
			}
		}
		if !next.Before(until) {
			return
		}
		s.step(next)
	}
}

// play lets lines "t +tenant/alert host severity" and "t -tenant/alert host" happen.
func (s *stages) play(text string) {
	s.tb.Helper()
	for row := range strings.Lines(text) {
		f := strings.Fields(row)
		var at int
		if _, err := fmt.Sscan(f[0], &at); err != nil {
			s.tb.Fatal(err)
		}
		tenant, name, _ := strings.Cut(f[1][1:], "/")
		ev := correlation.Event{Tenant: tenant, Alert: name, Labels: map[string]string{"host": f[2]}, Status: correlation.Firing, Time: sec(at)}
		if f[1][0] == '-' {
			ev.Status = correlation.Resolved
		}
		if len(f) > 3 {
			if err := ev.Severity.UnmarshalText([]byte(f[3])); err != nil {
				s.tb.Fatal(err)
			}
		}
		s.run(sec(at))
		s.step(sec(at), ev)
	}
}

// lines prints what was told, each alert in full.
func (s *stages) lines() []string {
	var out []string
	for _, n := range s.told {
		parts := []string{fmt.Sprintf("%d %s %s/%s", int(n.At.Sub(start).Seconds()), n.Kind, n.Tenant, n.Receiver)}
		for _, x := range n.Alerts {
			parts = append(parts, fmt.Sprintf("%s %s", x.State, x.Alert))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// Engine, silences, damper and groups, with every instant worked out by hand. Groups wait
// 10 s and are looked at every 30 s after that. An alert flaps from 4 changes in 60 s on
// until 1 is left; a storm is 4 onsets in 60 s, until 1 is left. Each tenant shows one part.
func TestAllStages(t *testing.T) {
	const flap = `0 +flap/l.x a
5 -flap/l.x a
10 +flap/l.x a
15 -flap/l.x a`
	for _, c := range []struct {
		name, events string
		want         []string
	}{
		{
			// What was over at 5 was never told; at 10 its group, made at 0, is. The change
			// at 15 is the fourth, so instead of an end the flapping begins. The changes
			// at 0, 5 and 10 leave the window at 60, 65 and 70.
			"flapping, over at its end", flap,
			[]string{"10 first flap/ops new l.x{host=a}", "40 change flap/ops new l.x{flapping=true,host=a} ended l.x{host=a}", "70 resolved flap/ops ended l.x{flapping=true,host=a}"},
		},
		{
			// The same, but it fires again at 20, which is not told. Changes leave at 60, 65,
			// 70 and 75, when the one at 20 is left.
			"flapping, firing at its end", flap + "\n20 +flap/l.x a\n200 -flap/l.x a",
			[]string{
				"10 first flap/ops new l.x{host=a}", "40 change flap/ops new l.x{flapping=true,host=a} ended l.x{host=a}",
				"100 change flap/ops new l.x{host=a} ended l.x{flapping=true,host=a}", "220 resolved flap/ops ended l.x{host=a}",
			},
		},
		{
			// Three onsets are told each in its group; the fourth is a storm, in the group
			// without a host. At 115 it holds back something more severe. The onsets of 100
			// to 103 leave at 160 to 163, and 115 is left: h4 still fires, h5 does not.
			"a storm",
			"100 +s/l.y h1 P3\n101 +s/l.y h2 P3\n102 +s/l.y h3 P3\n103 +s/l.y h4 P3\n115 +s/l.y h5 P1\n120 -s/l.y h5\n130 -s/l.y h1",
			[]string{
				"110 first s/ops new l.y{host=h1}", "111 first s/ops new l.y{host=h2}", "112 first s/ops new l.y{host=h3}",
				"113 first s/ops new storm.all{severity=P3}", "140 resolved s/ops ended l.y{host=h1}",
				"143 change s/ops new storm.all{severity=P1} ended storm.all{severity=P3}",
				"173 first s/ops new l.y{host=h4}", "173 resolved s/ops ended storm.all{severity=P1}",
			},
		},
		{
			// The silence of host q ends at 40; its group is made then. The rule hides the
			// effect of host r until its cause ends, and the next look is at 42.
			"a silence and a rule",
			"1 +m/l.x q\n2 +m/l.cause r\n3 +m/l.effect r\n20 -m/l.cause r",
			[]string{"12 first m/ops new l.cause{host=r}", "42 change m/ops new l.effect{host=r} ended l.cause{host=r}", "50 first m/ops new l.x{host=q}"},
		},
		{
			// Routes see the items as they see alerts: what flaps goes where its alert goes.
			"another receiver", strings.ReplaceAll(flap, "l.x", "db.x"),
			[]string{"10 first flap/dba new db.x{host=a}", "40 change flap/dba new db.x{flapping=true,host=a} ended db.x{host=a}", "70 resolved flap/dba ended db.x{flapping=true,host=a}"},
		},
	} {
		root := tree(t, route.Node{
			Receiver: "ops", GroupBy: []string{"host"}, GroupWait: new(10 * time.Second), GroupInterval: new(30 * time.Second),
			Routes: []route.Node{{Receiver: "dba", Matchers: []string{`alertname=~"db\\..*"`}}},
		})
		s := newStages(t, []correlation.Rule{{Name: "r", By: []string{"host"}, Logic: `IF l.cause THEN suppress l.effect`}}, correlation.DamperOptions{
			Flap: correlation.Limits{Window: time.Minute, High: 4, Low: 1}, Storm: correlation.Limits{Window: time.Minute, High: 4, Low: 1},
		}, root)
		v := silence.Silence{ID: "s", Tenant: "m", Matchers: []string{`host="q"`}, Start: sec(0), End: sec(40), CreatedBy: "ann", Comment: "upkeep"}
		if _, err := s.silencer.Add(sec(0), v); err != nil {
			t.Fatal(err)
		}
		s.play(c.events)
		s.run(sec(300))
		if got := s.lines(); !slices.Equal(got, c.want) {
			t.Errorf("%s: told\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// The item of a storm says what it holds back.
func TestStormItem(t *testing.T) {
	s := correlation.Storm{Tenant: "m", Name: "l.y", Since: sec(3), Held: 5, Names: map[string]int{"l.y": 4, "l.x": 1}, Severity: incident.P2}
	list := group.Transitions(correlation.Notice{At: sec(4), Kind: correlation.StormRise, Storm: &s})
	var got []string
	for _, tr := range list {
		got = append(got, fmt.Sprintf("%s %s", tr.Kind, tr.Alert))
	}
	want := []string{"resolve storm.l.y", "resolve storm.l.y{severity=P4}", "resolve storm.l.y{severity=P3}", "notify storm.l.y{severity=P2}"}
	if !slices.Equal(got, want) {
		t.Errorf("Transitions = %q, want %q", got, want)
	}
	a := list[3].Alert
	if a.Tenant != "m" || !a.Since.Equal(sec(3)) || a.Severity != incident.P2 || a.Annotations["held"] != "5" || a.Annotations["names"] != "l.x 1, l.y 4" {
		t.Errorf("item = %+v, want tenant, since, severity and what is held", a)
	}
}

// With any events: what is told to begin was not told before, what is told to be over was,
// and in the end all is over.
func TestAllStagesTellEnds(t *testing.T) {
	root := tree(t, route.Node{
		Receiver: "ops", GroupBy: []string{"host"}, GroupInterval: new(time.Minute),
		Routes: []route.Node{{Receiver: "storms", Matchers: []string{`alertname=~"storm\\..*"`}, Continue: true}, {Receiver: "dba", Matchers: []string{`host="b"`}}},
	})
	limits := correlation.Limits{Window: 2 * time.Minute, High: 4, Low: 1}
	seen := map[string]int{}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 31))
		s := newStages(t, correlation.StarterRules(), correlation.DamperOptions{Flap: limits, NameStorm: limits, Storm: correlation.Limits{Window: time.Minute, High: 5, Low: 2}}, root)
		names := []string{"infrastructure.cpu_high", "platform.database_down", "application.slow_response"}
		var events strings.Builder
		now := 0
		for range 150 {
			now += 1 + rnd.IntN(20)
			sign := "+-"[rnd.IntN(2)]
			fmt.Fprintf(&events, "%d %cm/%s %c P%d\n", now, sign, names[rnd.IntN(3)], 'a'+rune(rnd.IntN(3)), 1+rnd.IntN(4))
		}
		for n, name := range names {
			for _, host := range []string{"a", "b", "c"} {
				fmt.Fprintf(&events, "%d -m/%s %s\n", now+1+n, name, host)
			}
		}
		s.play(events.String())
		s.run(sec(now + 3600))
		told := map[string]bool{}
		for _, n := range s.told {
			for _, x := range n.Alerts {
				id := n.Receiver + "/" + x.Alert.String()
				if told[id] != (x.State != group.Begun) {
					t.Fatalf("seed %d: %s of %s as %s, told before: %v", seed, id, n.At, x.State, told[id])
				}
				if told[id] = x.State != group.Ended; !told[id] {
					delete(told, id)
				}
				switch {
				case strings.HasPrefix(x.Alert.Name, group.StormLayer+"."):
					seen["storm"]++
				case x.Alert.Labels.Get(group.FlappingLabel) != "":
					seen["flapping"]++
				default:
					seen["plain"]++
				}
			}
		}
		if len(told) > 0 || len(s.grouper.Groups()) > 0 {
			t.Fatalf("seed %d: all is over and told are %v, in groups %v", seed, told, s.grouper.Groups())
		}
	}
	if seen["storm"] == 0 || seen["flapping"] == 0 || seen["plain"] == 0 {
		t.Errorf("seen %v, want some of storms, flapping and plain alerts", seen)
	}
}
