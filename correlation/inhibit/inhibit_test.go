package inhibit_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

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
}

func TestRuleErrors(t *testing.T) {
	_, err := inhibit.New([]inhibit.Rule{
		{SourceMatchers: []string{"a=b, c=d", "x"}, Equal: []string{"a", ""}},
		{TargetMatchRE: map[string]string{"a": "("}, SourceMatch: map[string]string{"a-b": "1"}},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("New with bad rules = %v, want joined errors", err)
	}
	var got []string
	for _, err := range joined.Unwrap() {
		e, ok := errors.AsType[*inhibit.RuleError](err)
		if !ok {
			t.Fatalf("%T, want a RuleError", err)
		}
		got = append(got, fmt.Sprintf("%d %s", e.Rule, e.Field))
	}
	if want := []string{"0 source_matchers[1]", "0 equal[1]", "1 source_match.a-b", "1 target_match_re.a"}; !slices.Equal(got, want) {
		t.Errorf("errors at %q, want %q", got, want)
	}
	if _, err := inhibit.NewMode([]inhibit.Rule{{Equal: []string{"é"}}}, matcher.Classic); err == nil {
		t.Error("é as the name of a label in classic mode: no error, want one")
	}
}

// One text may hold several matchers, all of which have to hold.
func TestSeveralMatchersInOneText(t *testing.T) {
	in, err := inhibit.New([]inhibit.Rule{{SourceMatchers: []string{"{a=1, b=2}"}, TargetMatchers: []string{"c=3"}}})
	if err != nil {
		t.Fatal(err)
	}
	target := map[string]string{"c": "3"}
	for step, c := range []struct {
		source map[string]string
		want   bool
	}{{map[string]string{"a": "1"}, false}, {map[string]string{"a": "1", "b": "2"}, true}} {
		if err := in.Apply(start, inhibit.Alert{Labels: c.source, Ends: start.Add(1)}); err != nil {
			t.Fatal(err)
		}
		if _, got := in.Mutes(target); got != c.want {
			t.Errorf("source %d: muted = %v, want %v", step, got, c.want)
		}
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
		var parsed [][2][]matcher.Matcher
		for range 1 + rnd.IntN(4) {
			side := func() (texts []string, list []matcher.Matcher) {
				for range rnd.IntN(3) {
					text := fmt.Sprintf("%s%s%q", pick(rnd, "a", "b", "c"), pick(rnd, "=", "=", "!=", "=~", "!~"), pick(rnd, "", "1", "2"))
					m, err := matcher.Parse(text)
					if err != nil {
						t.Fatal(err)
					}
					texts, list = append(texts, text), append(list, m)
				}
				return texts, list
			}
			var r inhibit.Rule
			var p [2][]matcher.Matcher
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
		matches := func(list []matcher.Matcher, l map[string]string) bool {
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
