package correlation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// worlds is the number of random settings that TestModel runs; tests that run
// the engine more than once for each take a third of them.
var worlds = flag.Int("worlds", 200, "random settings to compare with the model")

// world is a random setting: rules, a topology and options.
type world struct {
	rules    []correlation.Rule
	topology *correlation.Topology
	settle   int
	strict   bool
	pods     bool // events have a label pod, which does not count
}

// worldSilence is a silence on one label, or on the name, of alerts of one tenant.
type worldSilence struct{ tenant, label, value string }

// silence is what an engine is told of it.
func (s worldSilence) silence() correlation.Silence {
	return correlation.Silence{Tenant: s.tenant, ID: s.label + s.value, Matchers: []string{fmt.Sprintf("%s=%q", s.label, s.value)}}
}

// holds reports whether the silence concerns an alert.
func (s worldSilence) holds(tenant, name string, labels map[string]string) bool {
	if s.label == correlation.NameLabel {
		return s.tenant == tenant && s.value == name
	}
	return s.tenant == tenant && s.value == labels[s.label]
}

// silences draws those that are in force for a while.
func (w *world) silences(rnd *rand.Rand) (list []worldSilence) {
	for range rnd.IntN(4) {
		s := worldSilence{pick(rnd, worldTenants), "service", pick(rnd, worldServices)}
		switch rnd.IntN(3) {
		case 0:
			s.label, s.value = correlation.NameLabel, pick(rnd, worldAlerts)
		case 1:
			s.label, s.value = correlation.NameLabel, "composite."+pick(rnd, w.rules).Name
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// inForce is what an engine is told of silences.
func inForce(list []worldSilence) (out []correlation.Silence) {
	for _, s := range list {
		out = append(out, s.silence())
	}
	return out
}

var (
	worldServices = []string{"a", "b", "c", "d"}
	worldTenants  = []string{"t1", "t2"}
	worldAlerts   = []string{"l1.x", "l1.y", "l2.x", "l2.y", "l2.z"}
)

func pick[T any](rnd *rand.Rand, list []T) T { return list[rnd.IntN(len(list))] }

func (w *world) selector(rnd *rand.Rand, n int, target bool, vars []string) string {
	patterns := append([]string{"l1.*", "*.x", "l2.*", "*.*"}, worldAlerts...)
	for k := range n {
		if strings.Contains(w.rules[k].Logic, "CREATE") && rnd.IntN(3) == 0 {
			patterns = append(patterns, "composite."+w.rules[k].Name, "composite."+w.rules[k].Name)
		}
	}
	s := pick(rnd, patterns)
	var preds []string
	switch rnd.IntN(7) {
	case 0:
		preds = append(preds, fmt.Sprintf("service=%q", pick(rnd, worldServices)))
	case 1:
		preds = append(preds, fmt.Sprintf("service!=%q", pick(rnd, worldServices)))
	case 2:
		preds = append(preds, `service=~"a|b"`)
	case 3:
		preds = append(preds, fmt.Sprintf("depends_on%s%q", pick(rnd, []string{"=", "!="}), pick(rnd, append(worldServices, "kind"))))
	}
	if target && len(vars) > 0 && rnd.IntN(2) == 0 {
		for range 1 + rnd.IntN(2) {
			v := pick(rnd, vars)
			preds = append(preds, pick(rnd, []string{
				fmt.Sprintf("near(%s, %d)", v, rnd.IntN(3)), "service=" + v + ".service", "host!=" + v + ".host", "depends_on=" + v + ".service",
			}))
		}
	}
	if len(preds) > 0 {
		s += " WHERE " + strings.Join(preds, ", ")
	}
	return s
}

func newWorld(rnd *rand.Rand) *world {
	w := &world{settle: rnd.IntN(2) * rnd.IntN(20)}
	for n := range 1 + rnd.IntN(5) {
		r := correlation.Rule{Name: fmt.Sprintf("r%d", n)}
		var conds, vars []string
		for c := range 1 + rnd.IntN(3) {
			s := w.selector(rnd, n, false, nil)
			if c == 0 || rnd.IntN(3) > 0 {
				if rnd.IntN(2) == 0 {
					v := fmt.Sprintf("v%d", c)
					vars = append(vars, v)
					name, where, _ := strings.Cut(s, " ")
					s = strings.TrimSpace(name + " AS " + v + " " + where)
				}
				if rnd.IntN(3) == 0 {
					s = fmt.Sprintf("COUNT(%s) >= %d", s, 1+rnd.IntN(3))
				}
			} else {
				s = "NOT " + s
			}
			conds = append(conds, s)
		}
		text := "IF " + strings.Join(conds, " AND ") + " THEN"
		action := rnd.IntN(3)
		if action > 0 {
			var targets []string
			for range 1 + rnd.IntN(2) {
				targets = append(targets, w.selector(rnd, n, true, vars))
			}
			text += " suppress " + strings.Join(targets, " AND ")
		}
		if action < 2 {
			text += ` CREATE composite_alert: "c"`
		}
		r.Logic = text
		if rnd.IntN(3) == 0 {
			r.By = []string{pick(rnd, []string{"service", "host"})}
		}
		if rnd.IntN(3) == 0 {
			r.Within = time.Duration(rnd.IntN(30)) * time.Second
		}
		if rnd.IntN(3) == 0 {
			r.Linger = time.Duration(rnd.IntN(20)) * time.Second
		}
		if rnd.IntN(4) == 0 {
			r.Active = &calendar.Hours{Zone: "UTC", Week: calendar.EveryDay(worldClock(rnd.IntN(40)), worldClock(40+rnd.IntN(40)))}
		}
		w.rules = append(w.rules, r)
	}
	if rnd.IntN(2) == 0 {
		w.topology = &correlation.Topology{Kinds: map[string]string{"d": "kind"}}
		for range 1 + rnd.IntN(5) {
			w.topology.Edges = append(w.topology.Edges, correlation.Edge{Dependent: pick(rnd, worldServices), Dependency: pick(rnd, worldServices)})
		}
	}
	return w
}

// worldClock is a time of day early after midnight, at which worlds start.
func worldClock(s int) string { return start.Add(time.Duration(s) * time.Second).Format(time.TimeOnly) }

func (w *world) options() correlation.Options {
	o := correlation.Options{Topology: w.topology, Settle: time.Duration(w.settle) * time.Second, Retention: 1000 * time.Hour, StrictSilence: w.strict}
	if w.pods {
		o.IgnoreLabels = []string{"pod", "replica"}
	}
	return o
}

func (w *world) engine(tb testing.TB) *correlation.Engine {
	tb.Helper()
	e, err := correlation.New(w.rules, w.options())
	if err != nil {
		tb.Fatalf("%v\n%s", err, w)
	}
	return e
}

func (w *world) String() string {
	var b strings.Builder
	for _, r := range w.rules {
		fmt.Fprintf(&b, "%s: %s [by %v within %v linger %v active %+v]\n", r.Name, r.Logic, r.By, r.Within, r.Linger, r.Active)
	}
	fmt.Fprintf(&b, "topology %+v settle %d\n", w.topology, w.settle)
	return b.String()
}

type batch struct {
	at     int
	events []correlation.Event
}

// random makes n batches of events, about as many late ones as a bad network.
func (w *world) random(rnd *rand.Rand, n int) []batch {
	var list []batch
	at := 1
	for range n {
		at += rnd.IntN(8)
		if len(list) > 0 && at == list[len(list)-1].at {
			at++
		}
		b := batch{at: at}
		for range 1 + rnd.IntN(3) {
			labels := map[string]string{"service": pick(rnd, append(worldServices, "")), "host": pick(rnd, []string{"", "h"})}
			if w.pods {
				labels["pod"] = pick(rnd, []string{"", "p1", "p2"})
			}
			if rnd.IntN(4) == 0 {
				labels["depends_on"] = pick(rnd, []string{"a", "b, kind"})
			}
			ev := correlation.Event{
				Tenant: pick(rnd, worldTenants), Alert: pick(rnd, worldAlerts), Labels: labels, Status: correlation.Firing,
				Time: start.Add(time.Duration(max(0, at-rnd.IntN(10)*rnd.IntN(2))) * time.Second),
			}
			if rnd.IntN(5) < 2 {
				ev.Status = correlation.Resolved
			} else if rnd.IntN(4) == 0 {
				ev.Ends = ev.Time.Add(time.Duration(rnd.IntN(40)) * time.Second)
			}
			b.events = append(b.events, ev)
		}
		list = append(list, b)
	}
	return list
}

// printState writes what the model can be compared with.
func printState(e *correlation.Engine) (hidden map[string][]string, composites []string) {
	hidden = map[string][]string{}
	for _, a := range e.Alerts() {
		if a.SuppressedBy != nil {
			hidden[a.Tenant+"/"+a.String()] = a.SuppressedBy
		}
	}
	for _, c := range e.Composites() {
		key := c.Tenant + "/composite." + c.Rule + c.Labels.String()
		if c.SuppressedBy != nil {
			hidden[key] = c.SuppressedBy
		}
		lingers := -1
		if !c.Lingers.IsZero() {
			lingers = int(toSec(c.Lingers))
		}
		composites = append(composites, fmt.Sprintf("%s since %v lingers %d: %q hides %q", key, toSec(c.Since), lingers, c.Evidence, c.Suppressed))
	}
	slices.Sort(composites)
	return hidden, composites
}

func printNotes(list []correlation.Transition) []string {
	var notes []string
	for _, tr := range list {
		if tr.Kind == correlation.Notify || tr.Kind == correlation.Resolve {
			notes = append(notes, fmt.Sprintf("%v %s %s/%s", toSec(tr.At), tr.Kind, tr.Alert.Tenant, tr.Alert))
		}
	}
	return notes
}

func isHidden(m map[string][]string) []string { return slices.Sorted(maps.Keys(m)) }

// The engine gives the answers of the model: random rules, random events.
func TestModel(t *testing.T) {
	testModel(t, world{})
}

// So it does where silenced alerts stand for nobody, with random silences.
func TestModelStrictSilence(t *testing.T) {
	testModel(t, world{strict: true})
}

// So it does where a label does not count.
func TestModelIgnoreLabels(t *testing.T) {
	testModel(t, world{pods: true})
}

// testModel runs worlds of a kind.
func testModel(t *testing.T, kind world) {
	t.Helper()
	strict := kind.strict
	released, lingering, mute := 0, 0, 0
	for seed := range *worlds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		w := newWorld(rnd)
		w.strict, w.pods = strict, kind.pods
		e, m := w.engine(t), newModel(t, w.rules, w.topology, w.settle)
		m.strict = strict
		var log strings.Builder
		for _, b := range w.random(rnd, 12) {
			var got []correlation.Transition
			silences, decides := m.silences, strict && rnd.IntN(2) == 0
			if decides {
				silences = w.silences(rnd)
				fmt.Fprintf(&log, "  at %d: silences %v\n", b.at, silences)
				var err error
				if got, err = e.Silence(sec(float64(b.at)), inForce(silences)...); err != nil {
					t.Fatal(err)
				}
			}
			more, err := e.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, more...)
			before := len(m.notes)
			m.advance(b.at, func() {
				if decides { // the engine does between the silences and the events
					m.silences = silences
					m.evaluate()
				}
				for _, ev := range b.events {
					ends := -1
					if !ev.Ends.IsZero() {
						ends = int(toSec(ev.Ends))
					}
					labels := correlation.LabelsOf(ev.Labels).Map()
					if labels == nil {
						labels = map[string]string{}
					}
					delete(labels, "pod")
					m.event(ev.Tenant, ev.Alert, labels, ev.Status == correlation.Firing, int(toSec(ev.Time)), ends)
					fmt.Fprintf(&log, "  at %d: %s %s/%s%v t=%v ends=%d\n", b.at, ev.Status, ev.Tenant, ev.Alert, labels, toSec(ev.Time), ends)
				}
			})
			hidden, composites := printState(e)
			if !reflect.DeepEqual(hidden, m.hidden) {
				t.Fatalf("seed %d at %d: hidden\n got %v\nwant %v\n%s%s", seed, b.at, hidden, m.hidden, w, log.String())
			}
			if want := m.composites(); !slices.Equal(composites, want) {
				t.Fatalf("seed %d at %d: composites\n got %q\nwant %q\n%s%s", seed, b.at, composites, want, w, log.String())
			}
			notes, want := printNotes(got), slices.Clone(m.notes[before:])
			slices.Sort(notes)
			slices.Sort(want)
			if !slices.Equal(notes, want) {
				t.Fatalf("seed %d at %d: notes\n got %q\nwant %q\n%s%s", seed, b.at, notes, want, w, log.String())
			}
			releasedNow, lingeringNow, muteNow := checkNoBlackHole(t, e, inForce(m.silences))
			released, lingering, mute = released+releasedNow, lingering+lingeringNow, mute+muteNow
			if n := len(isHidden(hidden)); e.Stats().Suppressed != n {
				t.Fatalf("seed %d at %d: Stats.Suppressed = %d, want %d", seed, b.at, e.Stats().Suppressed, n)
			}
			s := e.Stats()
			if got, want := (modelCounts{s.Duplicates, s.Stale, s.Refreshes}), m.counts; got != want || s.Alerts != len(m.alerts) {
				t.Fatalf("seed %d at %d: counters %+v of %d alerts, want %+v of %d\n%s", seed, b.at, got, s.Alerts, want, len(m.alerts), log.String())
			}
			checkRuleStats(t, e, m)
		}
	}
	if released == 0 || lingering == 0 || strict && mute == 0 {
		t.Errorf("seen %d released alerts, %d that a lingering rule stands for and %d of which all is silenced, want some of each", released, lingering, mute)
	}
	t.Logf("%d worlds: %d released alerts, %d behind a lingering rule, %d released for silences", *worlds, released, lingering, mute)
}

// checkRuleStats compares what stands now, rule by rule, with the model.
func checkRuleStats(t *testing.T, e *correlation.Engine, m *model) {
	t.Helper()
	for n, s := range e.RuleStats() {
		r := m.rules[n]
		want := correlation.RuleStat{Rule: r.Name, Tests: s.Tests, Evaluations: s.Evaluations, Opens: s.Opens}
		for _, i := range m.open {
			switch {
			case i.rule != n:
			case i.lingerEnds < 0:
				want.Open++
			default:
				want.Lingering++
			}
		}
		for _, tenant := range m.tenants() {
			for _, a := range m.active(tenant) {
				is := func(s correlation.Selector) bool { return m.matches(s, a) }
				if slices.ContainsFunc(r.logic.If, func(c correlation.Condition) bool { return is(c.Selector) }) || slices.ContainsFunc(r.logic.Suppress, is) {
					want.Alerts++
				}
			}
		}
		if s != want || s.Opens < s.Open+s.Lingering || s.Evaluations < s.Opens {
			t.Fatalf("RuleStats() has %+v, want %+v", s, want)
		}
	}
}

// checkNoBlackHole asks for the representative of every hidden alert. With silences it
// must be one that is not silenced. mute counts alerts that are covered by nothing but
// rules that stand on what is silenced.
func checkNoBlackHole(t *testing.T, e *correlation.Engine, silences []correlation.Silence) (released, lingering, mute int) {
	t.Helper()
	speaks := func(tenant, name string, l correlation.Labels) bool {
		if len(silences) == 0 {
			return true
		}
		x, ok := e.Why(tenant, name, l.Map())
		if !ok {
			t.Fatalf("Why(%s%v) does not know it", name, l)
		}
		return len(x.SilencedBy) == 0
	}
	alerts, visible := e.Alerts(), map[string]bool{} // by tenant and text
	for _, a := range alerts {
		if a.Active && a.SuppressedBy == nil && speaks(a.Tenant, a.Name, a.Labels) {
			visible[a.Tenant+"/"+a.String()] = true
		}
	}
	for _, c := range e.Composites() {
		if c.SuppressedBy == nil && speaks(c.Tenant, "composite."+c.Rule, c.Labels) {
			visible[c.Tenant+"/composite."+c.Rule+c.Labels.String()] = true
		}
	}
	for _, a := range alerts {
		if !a.Active {
			continue
		}
		x, ok := e.Why(a.Tenant, a.Name, a.Labels.Map())
		if !ok {
			t.Fatalf("Why(%s) does not know it", a)
		}
		if len(x.SilencedBy) > 0 && len(silences) == 0 {
			t.Fatalf("Why(%s) = %+v without silences", a, x)
		}
		if x.Released {
			released++
			if !slices.ContainsFunc(x.Reasons, func(r correlation.Reason) bool { return !r.Silent }) {
				mute++
			}
		}
		if x.Visible {
			if !slices.Equal(x.Path, []string{a.String()}) {
				t.Fatalf("Why(%s).Path = %q, want itself", a, x.Path)
			}
			continue
		}
		last := x.Path[len(x.Path)-1]
		if len(x.Path) < 2 || len(x.Reasons) == 0 {
			t.Fatalf("Why(%s) = %+v, want a representative", a, x)
		}
		if strings.HasPrefix(last, "lingering ") {
			lingering++
			continue
		}
		if !visible[a.Tenant+"/"+last] {
			t.Fatalf("Why(%s).Path = %q ends with something hidden", a, x.Path)
		}
	}
	return released, lingering, mute
}

func snapshot(tb testing.TB, e *correlation.Engine) []byte {
	tb.Helper()
	b, err := e.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func asJSON(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// A snapshot at any prefix and the rest give the whole run, byte for byte.
func TestSnapshotAtAnyPrefix(t *testing.T) {
	for seed := range *worlds / 3 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 11))
		w := newWorld(rnd)
		w.pods = seed%3 == 2
		o := w.options()
		o.Retention = 30 * time.Second
		o.ResolveTimeout = time.Duration(rnd.IntN(2)*40) * time.Second
		o.WholeLife = seed%2 == 1
		o.Reorder = time.Duration(rnd.IntN(2)*rnd.IntN(6)) * time.Second
		batches := w.random(rnd, 15)
		whole, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		restored, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		data := snapshot(t, restored)
		for _, b := range batches {
			want, err := whole.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			if restored, err = correlation.Restore(w.rules, o, data); err != nil {
				t.Fatal(err)
			}
			if again := snapshot(t, restored); !bytes.Equal(again, data) {
				t.Fatalf("seed %d at %d: snapshot of the restored engine\n got %s\nwant %s\n%s", seed, b.at, again, data, w)
			}
			got, err := restored.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, got), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d at %d: transitions\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
			data = snapshot(t, restored)
			if want := snapshot(t, whole); !bytes.Equal(data, want) {
				t.Fatalf("seed %d at %d: snapshot\n got %s\nwant %s\n%s", seed, b.at, data, want, w)
			}
		}
	}
}

// The order of events of one instant, and cutting a batch into several calls
// of the same instant, do not change what holds afterwards.
func TestOrderOfArrival(t *testing.T) {
	for seed := range *worlds / 3 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 13))
		w := newWorld(rnd)
		w.settle = 0
		var events []correlation.Event
		for _, b := range w.random(rnd, 10) {
			for _, ev := range b.events {
				ev.Ends = time.Time{} // a duplicate with another end would depend on the order
				same := func(x correlation.Event) bool {
					return x.Tenant == ev.Tenant && x.Alert == ev.Alert && maps.Equal(correlation.LabelsOf(x.Labels).Map(), correlation.LabelsOf(ev.Labels).Map())
				}
				if !slices.ContainsFunc(events, same) {
					events = append(events, ev)
				}
			}
		}
		first := w.engine(t)
		want, err := first.Apply(sec(100), events...)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			e := w.engine(t)
			got, err := e.Apply(sec(100), events...)
			if err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, got), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d: transitions of shuffled events\n got %s\nwant %s\n%s", seed, g, w2, w)
			}
			if g, w2 := snapshot(t, e), snapshot(t, first); !bytes.Equal(g, w2) {
				t.Fatalf("seed %d: snapshot of shuffled events\n got %s\nwant %s\n%s", seed, g, w2, w)
			}
		}
		// One by one, at different instants: the same alerts are hidden.
		e := w.engine(t)
		for n, ev := range events {
			if _, err := e.Apply(sec(float64(100+n)), ev); err != nil {
				t.Fatal(err)
			}
		}
		if slices.ContainsFunc(w.rules, func(r correlation.Rule) bool { return r.Linger > 0 || strings.Contains(r.Logic, "composite.") }) {
			continue // these remember when things happened
		}
		got, _ := printState(e)
		if want, _ := printState(first); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: hidden\n got %v\nwant %v\n%s", seed, got, want, w)
		}
	}
}

// Duplicates change counters only.
func TestDuplicatesChangeNothing(t *testing.T) {
	for seed := range 100 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 17))
		w := newWorld(rnd)
		once, twice := w.engine(t), w.engine(t)
		for _, b := range w.random(rnd, 15) {
			want, err := once.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			var events []correlation.Event
			for _, ev := range b.events {
				events = append(events, ev, ev)
			}
			got, err := twice.Apply(sec(float64(b.at)), events...)
			if err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, got), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d: transitions with duplicates\n got %s\nwant %s", seed, g, w2)
			}
		}
	}
}

// A tenant gets what it would get alone, byte for byte, whoever else is there: the same
// alerts at the same instants under another name, or others.
func TestTenantsAreApart(t *testing.T) {
	for seed := range *worlds / 3 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 19))
		w := newWorld(rnd)
		alone, among := w.engine(t), w.engine(t)
		for _, b := range w.random(rnd, 15) {
			var own, all []correlation.Event
			for _, ev := range b.events {
				if ev.Tenant == "t1" {
					own = append(own, ev)
					twin := ev
					twin.Tenant = "twin"
					all = append(all, twin)
				}
				all = append(all, ev)
			}
			want, err := alone.Apply(sec(float64(b.at)), own...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := among.Apply(sec(float64(b.at)), all...)
			if err != nil {
				t.Fatal(err)
			}
			mine := slices.DeleteFunc(got, func(tr correlation.Transition) bool { return tr.Alert.Tenant != "t1" })
			if g, w2 := asJSON(t, append([]correlation.Transition{}, mine...)), asJSON(t, append([]correlation.Transition{}, want...)); g != w2 {
				t.Fatalf("seed %d at %d: transitions among others\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
		}
		of := func(e *correlation.Engine) (list []correlation.Alert) {
			for _, a := range e.Alerts() {
				if a.Tenant == "t1" {
					list = append(list, a)
				}
			}
			return list
		}
		if g, w2 := asJSON(t, of(among)), asJSON(t, of(alone)); g != w2 {
			t.Fatalf("seed %d: alerts among others\n got %s\nwant %s", seed, g, w2)
		}
	}
}

// More rules hide more, as long as nobody asks with NOT and all create composites. The
// time at which things happened does not count: rules are added to a state.
func TestMoreRulesHideMore(t *testing.T) {
	compared := 0
	for seed := range *worlds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 23))
		w := newWorld(rnd)
		more := w.rules
		for n := range more {
			more[n].Logic = strings.ReplaceAll(more[n].Logic, "NOT ", "")
			if more[n].Active = nil; !strings.Contains(more[n].Logic, "CREATE") {
				more[n].Logic += ` CREATE composite_alert: "c"`
			}
		}
		var events []correlation.Event
		for _, b := range w.random(rnd, 10) {
			for _, ev := range b.events {
				ev.Ends, ev.Status = time.Time{}, correlation.Firing
				events = append(events, ev)
			}
		}
		var before map[string][]string
		for n := 1; n <= len(more); n++ {
			w.rules = more[:n]
			e := w.engine(t)
			if _, err := e.Apply(sec(100), events...); err != nil {
				t.Fatal(err)
			}
			hidden, _ := printState(e)
			for alert := range before {
				if hidden[alert] == nil {
					t.Fatalf("seed %d: with rule %d nothing hides %s any more\n%s", seed, n, alert, w)
				}
				compared++
			}
			before = hidden
		}
	}
	if compared < *worlds {
		t.Errorf("compared %d hidden alerts, want more", compared)
	}
}
