package correlation_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// The counters of three rules, by hand.
func TestRuleStats(t *testing.T) {
	rules := []correlation.Rule{
		{Name: "r1", Logic: `IF a.x THEN suppress a.y`, Linger: 10 * time.Second},
		{Name: "r2", Logic: `IF a.x AND a.y WHERE host=~"h.*" THEN CREATE composite_alert: "c"`, By: []string{"host"}},
		{Name: "off", Logic: `IF *.* THEN CREATE composite_alert: "c"`, Disabled: true},
	}
	e, err := correlation.New(rules, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	step := func(at float64, name, host string, status correlation.Status) {
		t.Helper()
		ev := correlation.Event{Alert: name, Labels: map[string]string{"host": host}, Status: status, Time: sec(at)}
		if _, err := e.Apply(sec(at), ev); err != nil {
			t.Fatal(err)
		}
	}
	step(1, "a.x", "h1", correlation.Firing)   // tests r1, r2; both evaluated; r1 opens
	step(2, "a.y", "g", correlation.Firing)    // tests r1, r2, of which r2 does not match
	step(3, "a.y", "h1", correlation.Firing)   // tests r1, r2; r2 opens
	step(4, "a.x", "h1", correlation.Firing)   // a refresh costs no rule
	step(5, "a.x", "h1", correlation.Resolved) // r1 lingers, r2 closes
	want := []correlation.RuleStat{
		{Rule: "r1", Tests: 3, Evaluations: 4, Opens: 1, Lingering: 1, Alerts: 2},
		{Rule: "r2", Tests: 3, Evaluations: 3, Opens: 1, Alerts: 1},
		{Rule: "off"},
	}
	if got := e.RuleStats(); !reflect.DeepEqual(got, want) {
		t.Errorf("RuleStats()\n got %+v\nwant %+v", got, want)
	}
	// The linger at 15 is the next appointment; a.x is forgotten later.
	if got, want := e.Pending(), (correlation.Pending{Timers: 2, Next: sec(15)}); got != want {
		t.Errorf("Pending() = %+v, want %+v", got, want)
	}
	restored, err := correlation.Restore(rules, correlation.Options{}, snapshot(t, e))
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range restored.RuleStats() {
		if w := want[n]; s.Open != w.Open || s.Lingering != w.Lingering || s.Alerts != w.Alerts || s.Opens != 0 || s.Evaluations != 0 {
			t.Errorf("restored: %+v, want what stands in %+v and no counts", s, w)
		}
	}
	if idle, err := correlation.New(nil, correlation.Options{}); err != nil || idle.Pending() != (correlation.Pending{}) {
		t.Errorf("Pending() of an engine that waits for nothing = %+v, %v", idle.Pending(), err)
	}
}

// Until yields what Step returns, and can be broken off and gone on with.
func TestUntil(t *testing.T) {
	seen := 0
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 37))
		w := newWorld(rnd)
		whole, parts := w.engine(t), w.engine(t)
		for _, b := range w.random(rnd, 10) {
			for _, e := range []*correlation.Engine{whole, parts} {
				if _, err := e.Apply(sec(float64(b.at)), b.events...); err != nil {
					t.Fatal(err)
				}
			}
		}
		end := whole.Now().Add(time.Hour)
		want, err := whole.Step(end)
		if err != nil {
			t.Fatal(err)
		}
		var got []correlation.Transition
		for tr, err := range parts.Until(end) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, tr)
			if !parts.Now().Equal(tr.At) {
				t.Fatalf("seed %d: the engine stands at %v at a transition of %v", seed, parts.Now(), tr.At)
			}
		}
		if g, w2 := asJSON(t, got), asJSON(t, want); g != w2 || !parts.Now().Equal(end) {
			t.Fatalf("seed %d: until %v\n got %s\nwant %s", seed, parts.Now(), g, w2)
		}
		seen += len(got)
	}
	if seen < 50 {
		t.Errorf("%d transitions seen, want more", seen)
	}
	e, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Step(sec(10)); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, err := range e.Until(sec(9)) {
		if count++; !errors.Is(err, correlation.ErrTime) {
			t.Errorf("Until an earlier instant: %v, want ErrTime", err)
		}
	}
	if count != 1 {
		t.Errorf("%d errors, want 1", count)
	}
}
