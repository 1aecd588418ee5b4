package correlation_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// contract holds an engine to what it owes to those who are told, from its transitions and
// its state alone.
type contract struct {
	settle   time.Duration
	told     map[string]correlation.Alert // and not yet that it is over
	notified int
	late     int // told after they had been suppressed
	hidden   map[string]bool
	resolved int
	covered  int // of those resolved, suppressed when they ended
}

func newContract(w *world) *contract {
	return &contract{settle: time.Duration(w.settle) * time.Second, told: map[string]correlation.Alert{}, hidden: map[string]bool{}}
}

// owes is whether somebody has to know of an alert that is not over.
func (c *contract) owes(a correlation.Alert, now time.Time) bool {
	settle := c.settle
	if a.IsComposite() {
		settle = 0
	}
	return a.SuppressedBy == nil && !a.Since.Add(settle).After(now)
}

// check looks at one step: nobody is told twice, or of what is suppressed or has not
// settled; the end of what was told, and of nothing else, is told, suppressed or not; and
// what is visible and has settled was told.
func (c *contract) check(t *testing.T, e *correlation.Engine, list []correlation.Transition) {
	t.Helper()
	for _, tr := range list {
		key := tr.Alert.Tenant + "/" + tr.Alert.String()
		_, told := c.told[key]
		switch tr.Kind {
		case correlation.Notify:
			if told || !c.owes(tr.Alert, tr.At) {
				t.Fatalf("%v: notify %+v, told before: %v", toSec(tr.At), tr.Alert, told)
			}
			c.told[key] = tr.Alert
			c.notified++
			if c.hidden[key] {
				c.late++
			}
		case correlation.Resolve:
			if !told {
				t.Fatalf("%v: resolve %+v, of which nobody was told", toSec(tr.At), tr.Alert)
			}
			delete(c.told, key)
			c.resolved++
			if c.hidden[key] {
				c.covered++
			}
		default:
		}
	}
	open := map[string]bool{}
	clear(c.hidden)
	look := func(a correlation.Alert) {
		key := a.Tenant + "/" + a.String()
		open[key] = true
		if a.SuppressedBy != nil {
			c.hidden[key] = true
		}
		if _, told := c.told[key]; !told && c.owes(a, e.Now()) {
			t.Fatalf("%v: nobody was told of %+v", toSec(e.Now()), a)
		}
	}
	for _, a := range e.Alerts() {
		if a.Active {
			look(a)
		}
	}
	for _, x := range e.Composites() {
		look(correlation.Alert{Tenant: x.Tenant, Name: "composite." + x.Rule, Labels: x.Labels, Since: x.Since, SuppressedBy: x.SuppressedBy})
	}
	for key, a := range c.told {
		if !open[key] {
			t.Fatalf("%v: nobody was told of the end of %s", toSec(e.Now()), a)
		}
	}
}

// No alert is hidden without something visible that stands for it, and the notification
// contract holds, after every step of random worlds, a third of them with strict silences
// and a third with a label that does not count: 6,000 steps, with EVENKEEL_SOAK=1 a
// million.
func TestContract(t *testing.T) {
	want := 6_000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		want = 1_000_000
	}
	steps, events, released, lingering, mute := 0, 0, 0, 0, 0
	var sum contract
	for seed := uint64(0); steps < want; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 41))
		w := newWorld(rnd)
		w.strict, w.pods = seed%3 == 1, seed%3 == 2
		e, c := w.engine(t), newContract(w)
		var silences []worldSilence
		for _, b := range w.random(rnd, 40) {
			var list []correlation.Transition
			if w.strict && rnd.IntN(3) == 0 {
				silences = w.silences(rnd)
				var err error
				if list, err = e.Silence(sec(float64(b.at)), inForce(silences)...); err != nil {
					t.Fatal(err)
				}
			}
			more, err := e.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, e, append(list, more...))
			r, l, m := checkNoBlackHole(t, e, inForce(silences))
			released, lingering, mute = released+r, lingering+l, mute+m
			steps, events = steps+1, events+len(b.events)
			if t.Failed() {
				t.Fatalf("seed %d\n%s", seed, w)
			}
		}
		if seed%2500 == 2499 { // 100,000 steps
			t.Logf("%d steps", steps)
		}
		sum.notified, sum.late, sum.resolved, sum.covered = sum.notified+c.notified, sum.late+c.late, sum.resolved+c.resolved, sum.covered+c.covered
	}
	if released == 0 || lingering == 0 || mute == 0 || sum.late == 0 || sum.covered == 0 {
		t.Errorf("seen %d released, %d behind a lingering rule, %d released for silences, %d told late, %d ended while suppressed, want some of each",
			released, lingering, mute, sum.late, sum.covered)
	}
	t.Logf("%d steps, %d events: %d notified, %d of them released; %d resolved, %d of them suppressed; 0 violations", steps, events, sum.notified, sum.late, sum.resolved, sum.covered)
}
