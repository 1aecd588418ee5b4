package correlation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
)

// compareText orders as the printed forms do, also where a value looks like the end of
// the labels or like further ones.
func TestCompareText(t *testing.T) {
	atlas := newAtlas(newIndex(nil))
	record := func(name string, m map[string]string) *alert {
		return &alert{name: atlas.name(name), labels: atlas.compact(LabelsOf(m))}
	}
	list := []*alert{
		record("l.x", map[string]string{"p": "q,r=s"}),
		record("l.x", map[string]string{"p": "q", "r": "s}z"}),
		record("l.x", nil),
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		b := make([]byte, 1+rnd.IntN(4))
		for i := range b {
			b[i] = "a,={}"[rnd.IntN(5)]
		}
		return string(b)
	}
	for range 300 {
		m := map[string]string{}
		for range rnd.IntN(4) {
			m[text()] = text()
		}
		list = append(list, record([]string{"l.x", "l.xa"}[rnd.IntN(2)], m))
	}
	for _, a := range list {
		for _, b := range list {
			if got, want := compareText(a, b), strings.Compare(a.text(), b.text()); got != want {
				t.Fatalf("compareText(%s, %s) = %d, want %d", a.text(), b.text(), got, want)
			}
		}
	}
}

// The heap of what an instance stands on keeps its order when an alert leaves, and
// comes back with another onset.
func TestSupportsInOrder(t *testing.T) {
	atlas := newAtlas(newIndex(nil))
	i := &instance{sp: &space{}, special: &plain, footing: &footing{stands: []support{}}}
	rnd := rand.New(rand.NewPCG(3, 4))
	members := make([]*member, 12)
	for n := range members {
		a := &alert{sp: i.sp, name: atlas.name("l.x"), labels: atlas.compact(LabelsOf(map[string]string{"n": string(rune('a' + n))}))}
		a.members = []member{{a: a, inst: i}}
		members[n] = &a.members[0]
	}
	for now := int64(1); now < 2000; now++ {
		m := members[rnd.IntN(len(members))]
		if m.evidence {
			m.evidence = false
			i.removeSupport(m.a)
		}
		if rnd.IntN(3) > 0 {
			m.a.since = now + rnd.Int64N(50)
			i.addSupport(m.a, m)
			m.evidence = true
		}
		standing := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return !m.evidence })
		if len(standing) == 0 || rnd.IntN(4) > 0 {
			continue
		}
		first := slices.MinFunc(standing, func(a, b *member) int {
			return cmp.Or(cmp.Compare(a.a.since, b.a.since), strings.Compare(a.a.text(), b.a.text()))
		}).a
		if got := i.earliest(); got != first {
			t.Fatalf("at %d: earliest is %s since %d, want %s since %d", now, got.text(), got.since, first.text(), first.since)
		}
	}
}

// An alert that is silenced again and again takes no more room in the heap.
func TestSupportsOfSilenced(t *testing.T) {
	e, err := New([]Rule{{Name: "r", Logic: "IF l.a THEN suppress l.a"}}, Options{StrictSilence: true})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1000, 0)
	for _, host := range []string{"a", "b"} {
		if _, err := e.Apply(at, Event{Alert: "l.a", Labels: map[string]string{"host": host}, Status: Firing, Time: at.Add(-time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		for _, list := range [][]Silence{{{ID: "s", Matchers: []string{"host=b"}}}, nil} {
			if _, err := e.Silence(at, list...); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range e.spaces[""].instances.All() {
		if got := len(i.footing.stands); got == 0 || got > 2*2+17 {
			t.Errorf("%d entries for two alerts, want 1 to 21", got)
		}
		if first := i.earliest(); first == nil || first.text() != "l.a{host=a}" {
			t.Errorf("earliest is %v, want l.a{host=a}", first)
		}
	}
}

// Alerts of one hash stand in a chain, and each is found and removed by itself.
func TestAlertsOfOneHash(t *testing.T) {
	atlas := newAtlas(newIndex(nil))
	labels := func(n int) map[string]string { return map[string]string{"n": string(rune('a' + n))} }
	for gone := range 3 {
		sp := &space{}
		chain := make([]*alert, 3)
		for n := range chain {
			chain[n] = &alert{sp: sp, name: atlas.name("l.x"), labels: atlas.compact(LabelsOf(labels(n)))}
		}
		hash := chain[gone].hash() // as if it were that of all
		for _, a := range chain {
			sp.alerts.Insert(hash, a)
		}
		sp.alerts.Remove(hash, chain[gone])
		for n, a := range chain {
			want := a
			if n == gone {
				want = nil
			}
			x := atlas.identify("l.x", labels(n))
			x.hash = hash
			if got := sp.find(x); got != want {
				t.Errorf("without %d: found %v for %d, want %v", gone, got, n, want)
			}
		}
		if left := slices.Collect(sp.alerts.All()); sp.alerts.Len() != 2 || len(left) != 2 {
			t.Errorf("without %d: %d alerts, counted %d, want 2", gone, len(left), sp.alerts.Len())
		}
	}
}

// Transitions of one instant stand in the order of kind, tenant and printed form, and
// those that are alike in the order in which they were: against a sort by these texts.
func TestSortTransitions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	names := []string{"l.a", "l.a1", "l.a12", "l.ab", "l.abcdefghij", "l.abcdefghik", "l.b", "m.a", "l.é"}
	values := []string{"", "1", "12", "1,b=2", "é", "{", "}", "~"}
	e := &Engine{}
	for range 500 {
		list := make([]Transition, rnd.IntN(40))
		common := rnd.IntN(2) * rnd.IntN(len(names)) // half of them have few names
		for n := range list {
			labels := map[string]string{}
			for _, name := range []string{"a", "ab", "b"} {
				labels[name] = values[rnd.IntN(len(values))]
			}
			name := names[common:][rnd.IntN(len(names)-common)]
			list[n] = Transition{
				Kind: Kind(1 + rnd.IntN(2)), At: instant.Time(int64(n + 1)),
				Alert: Alert{Tenant: []string{"", "t"}[rnd.IntN(2)], Name: name, Labels: LabelsOf(labels)},
			}
		}
		want := slices.Clone(list)
		slices.SortStableFunc(want, func(a, b Transition) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Alert.Tenant, b.Alert.Tenant), strings.Compare(a.Alert.String(), b.Alert.String()))
		})
		e.sortTransitions(list)
		for n := range list {
			if list[n].At != want[n].At {
				t.Fatalf("at %d stands %s, want %s", n, list[n].Alert, want[n].Alert)
			}
		}
	}
}

// Labels are read alike whatever was read before, in the order of their names and without
// empty ones: against LabelsOf. Alerts of one name have labels of several names here.
func TestIdentify(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	long := strings.Repeat("x", 200) // of which the length takes two bytes
	atlas := newAtlas(newIndex(nil))
	sp := &space{}
	known := map[string]*alert{}
	for range 20_000 {
		m := map[string]string{}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			if rnd.IntN(3) > 0 {
				m[name] = []string{"", "1", "2", long}[rnd.IntN(4)]
			}
		}
		name := []string{"l.x", "l.y"}[rnd.IntN(2)]
		x, want := atlas.identify(name, m), LabelsOf(m)
		list := x.list
		if x.count == 0 || x.names != nil {
			l := labels{x.names, string(x.text)}
			list = l.list()
		}
		if x.count != len(want) || !slices.Equal(list, want) {
			t.Fatalf("identify(%v) = %d labels %v, want %v", m, x.count, list, want)
		}
		text := name + want.String()
		var got *alert
		if x.known {
			got = sp.find(x)
		}
		if got != known[text] {
			t.Fatalf("find(%s) = %v, want %v", text, got, known[text])
		}
		switch {
		case got == nil:
			a := &alert{sp: sp, name: atlas.name(name), labels: x.compact(atlas)}
			sp.alerts.Insert(a.hash(), a)
			known[text] = a
		case rnd.IntN(2) == 0:
			sp.alerts.Remove(got.hash(), got)
			atlas.drop(got)
			delete(known, text)
		}
	}
	if len(known) == 0 {
		t.Error("nothing is left")
	}
}

// What instances share that ask for nothing special stays as it is, even where a snapshot
// says that one of them lingers.
func TestPlainStays(t *testing.T) {
	rules := []Rule{
		{Name: "plain", By: []string{"host"}, Logic: `IF l.a AND NOT l.c THEN suppress l.b`},
		{Name: "lingers", By: []string{"host"}, Linger: time.Minute, Logic: `IF l.a THEN suppress l.b`},
		{Name: "within", By: []string{"host"}, Within: time.Minute, Logic: `IF l.a AND l.d THEN suppress l.b`},
		{Name: "creates", By: []string{"host"}, Logic: `IF l.a THEN CREATE composite_alert: "x"`},
		{Name: "joins", By: []string{"host"}, Logic: `IF l.a AS s THEN suppress l.b WHERE job = s.job`},
		{Name: "many", By: []string{"host"}, Logic: `IF l.a AND l.b AND l.d THEN suppress l.b`},
	}
	e, err := New(rules, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rnd, at := rand.New(rand.NewPCG(7, 8)), time.Unix(1000, 0).UTC()
	step := func() {
		t.Helper()
		at = at.Add(10 * time.Second)
		ev := Event{Alert: "l." + string("abcd"[rnd.IntN(4)]), Status: []Status{Firing, Resolved}[rnd.IntN(2)], Time: at}
		ev.Labels = map[string]string{"host": string("xy"[rnd.IntN(2)]), "job": "j"}
		if _, err := e.Apply(at, ev); err != nil {
			t.Fatal(err)
		}
	}
	opened := 0
	for n := range 2000 {
		step()
		for i := range e.spaces[""].instances.All() {
			if shares := i.special == &plain; shares != (i.rule.Name == "plain") {
				t.Fatalf("an instance of %s shares what is special: %v", i.rule.Name, shares)
			}
			if i.rule.Name == "plain" && i.state == open {
				opened++
			}
		}
		if n%100 == 0 {
			if err := e.Replace(rules); err != nil {
				t.Fatal(err)
			}
		}
	}
	if opened == 0 {
		t.Fatal("the plain rule never opened")
	}

	at = at.Add(time.Minute)
	for _, name := range []string{"a", "b"} {
		if _, err := e.Apply(at, Event{Alert: "l." + name, Labels: map[string]string{"host": "z"}, Status: Firing, Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	before := `"rule":"plain","by":["z"],`
	ends := at.Add(time.Minute).Format(time.RFC3339Nano)
	forged := strings.Replace(string(data), before, before+`"linger_ends":"`+ends+`",`, 1)
	if forged == string(data) {
		t.Fatalf("no %s in %s", before, data)
	}
	forged = strings.Replace(forged[:len(forged)-sumSize], `"version":3`, `"version":2`, 1) // without a checksum
	if e, err = Restore(rules, Options{}, []byte(forged)); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		step()
	}
	if plain.many != nil || plain.onsets != nil || plain.joining != nil || plain.lingerEnds != 0 || plain.past != nil || plain.composite != nil || plain.life != nil {
		t.Errorf("what plain instances share was changed: %+v", plain)
	}
}
