package inhibit_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestParseMatcher(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`a="b"`, `a="b"`},
		{` a != "" `, `a!=""`},
		{`a=~"x|y"`, `a=~"x|y"`},
		{`a !~ "x.*"`, `a!~"x.*"`},
		{`a=b`, `a="b"`},
		{`a="say \"hi\""`, `a="say \"hi\""`},
		{`a=`, `a=""`},
	} {
		m, err := inhibit.ParseMatcher(c.text)
		if err != nil || m.String() != c.want {
			t.Errorf("ParseMatcher(%q) = %v, %v, want %s", c.text, m, err, c.want)
		}
	}
	for _, text := range []string{"", "a", `="b"`, `a~"b"`, `a="b`, `a=~"("`, `a=~")("`, `a=b c`, `a!b`} {
		if m, err := inhibit.ParseMatcher(text); err == nil {
			t.Errorf("ParseMatcher(%q) = %v, want an error", text, m)
		}
	}
}

func FuzzParseMatcher(f *testing.F) {
	for _, s := range []string{`a="b"`, `a!~"x.*"`, `a=b`, `=~`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := inhibit.ParseMatcher(text)
		if err != nil {
			return
		}
		again, err := inhibit.ParseMatcher(m.String())
		if err != nil || again.String() != m.String() {
			t.Fatalf("ParseMatcher(%q) = %v, %v", m, again, err)
		}
	})
}

func TestLegacyForm(t *testing.T) {
	in, err := inhibit.New([]inhibit.Rule{{
		Name: "old", SourceMatch: map[string]string{"severity": "critical"}, SourceMatchRE: map[string]string{"job": "node|pod"},
		TargetMatch: map[string]string{"severity": "warning"}, TargetMatchRE: map[string]string{"job": "p.*"}, TargetMatchers: []string{`x!="1"`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Apply(start, inhibit.Alert{Labels: map[string]string{"severity": "critical", "job": "node"}, Ends: start.Add(1)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		labels map[string]string
		want   bool
	}{
		{map[string]string{"severity": "warning", "job": "pod"}, true},
		{map[string]string{"severity": "warning", "job": "pod", "x": "1"}, false},
		{map[string]string{"severity": "warning", "job": "xp"}, false},
	} {
		if _, got := in.Mutes(c.labels); got != c.want {
			t.Errorf("Mutes(%v) = %v, want %v", c.labels, got, c.want)
		}
	}
	if err := in.Apply(start.Add(-1)); !errors.Is(err, inhibit.ErrTime) {
		t.Errorf("Apply(earlier) = %v, want ErrTime", err)
	}
	if err := in.Apply(start.Add(1)); err != nil || in.Active() != 0 {
		t.Errorf("Apply at the end = %v with %d alerts, want none", err, in.Active())
	}
	if _, err := inhibit.New([]inhibit.Rule{{SourceMatchers: []string{"x"}}, {TargetMatchRE: map[string]string{"a": "("}}}); err == nil {
		t.Error("New with two bad rules = nil error, want one")
	}
}

// The counters give the answer of looking at every alert.
func TestScan(t *testing.T) {
	pick := func(rnd *rand.Rand, list ...string) string { return list[rnd.IntN(len(list))] }
	random := func(rnd *rand.Rand) map[string]string {
		m := map[string]string{}
		for _, name := range []string{"a", "b", "c"} {
			if v := pick(rnd, "", "1", "2", "-"); v != "-" {
				m[name] = v
			}
		}
		return m
	}
	for seed := range 400 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		var rules []inhibit.Rule
		var parsed [][2][]inhibit.Matcher
		for range 1 + rnd.IntN(4) {
			side := func() (texts []string, list []inhibit.Matcher) {
				for range rnd.IntN(3) {
					text := fmt.Sprintf("%s%s%q", pick(rnd, "a", "b", "c"), pick(rnd, "=", "=", "!=", "=~", "!~"), pick(rnd, "", "1", "2"))
					m, err := inhibit.ParseMatcher(text)
					if err != nil {
						t.Fatal(err)
					}
					texts, list = append(texts, text), append(list, m)
				}
				return texts, list
			}
			var r inhibit.Rule
			var p [2][]inhibit.Matcher
			r.SourceMatchers, p[0] = side()
			r.TargetMatchers, p[1] = side()
			for range rnd.IntN(3) {
				r.Equal = append(r.Equal, pick(rnd, "a", "b", "c"))
			}
			rules, parsed = append(rules, r), append(parsed, p)
		}
		in, err := inhibit.New(rules)
		if err != nil {
			t.Fatal(err)
		}
		held := []inhibit.Alert{}
		same := func(x, y map[string]string) bool {
			for _, name := range []string{"a", "b", "c"} {
				if x[name] != y[name] {
					return false
				}
			}
			return true
		}
		matches := func(list []inhibit.Matcher, l map[string]string) bool {
			for _, m := range list {
				if !m.Matches(l) {
					return false
				}
			}
			return true
		}
		for step := range 30 {
			now := start.Add(time.Duration(step) * time.Second)
			x := inhibit.Alert{Labels: random(rnd), Ends: now.Add(time.Duration(rnd.IntN(20)-2) * time.Second)}
			if err := in.Apply(now, x); err != nil {
				t.Fatal(err)
			}
			var next []inhibit.Alert
			for _, h := range held {
				if !same(h.Labels, x.Labels) {
					next = append(next, h)
				}
			}
			next = append(next, inhibit.Alert{Labels: maps.Clone(x.Labels), Ends: x.Ends})
			held = next
			candidate := random(rnd)
			want := -1
			for n, p := range parsed {
				if !matches(p[1], candidate) {
					continue
				}
				for _, h := range held {
					ok := h.Ends.After(now) && matches(p[0], h.Labels)
					for _, name := range rules[n].Equal {
						ok = ok && h.Labels[name] == candidate[name]
					}
					if ok && matches(p[1], h.Labels) && matches(p[0], candidate) {
						ok = false
					}
					if ok && want < 0 {
						want = n
					}
				}
			}
			if got, muted := in.Mutes(candidate); got != want || muted != (want >= 0) {
				t.Fatalf("seed %d step %d: Mutes(%v) = %d, want %d", seed, step, candidate, got, want)
			}
		}
	}
}
