package correlation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// compareText orders as the printed forms do, also where a value looks like the end of
// the labels or like further ones.
func TestCompareText(t *testing.T) {
	atlas := newAtlas()
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
	atlas := newAtlas()
	i := &instance{sp: &space{}, run: &run{}, footing: &footing{stands: []support{}}}
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

// Alerts of one hash stand in a chain, and each is found and removed by itself.
func TestAlertsOfOneHash(t *testing.T) {
	atlas := newAtlas()
	labels := func(n int) map[string]string { return map[string]string{"n": string(rune('a' + n))} }
	for gone := range 3 {
		sp := &space{alerts: map[uint64]*alert{}}
		chain := make([]*alert, 3)
		for n := range chain {
			chain[n] = &alert{sp: sp, name: atlas.name("l.x"), labels: atlas.compact(LabelsOf(labels(n)))}
		}
		hash := chain[gone].hash() // as if it were that of all
		for _, a := range chain {
			sp.insert(hash, a)
		}
		sp.remove(chain[gone])
		for n, a := range chain {
			want := a
			if n == gone {
				want = nil
			}
			if got := sp.find(hash, "l.x", labels(n), 1); got != want {
				t.Errorf("without %d: found %v for %d, want %v", gone, got, n, want)
			}
		}
		if left := slices.Collect(sp.all()); sp.count != 2 || len(left) != 2 {
			t.Errorf("without %d: %d alerts, counted %d, want 2", gone, len(left), sp.count)
		}
	}
}
