package inhibit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

// What becomes of single rules, by hand.
func TestNative(t *testing.T) {
	type kinds = []inhibit.DifferenceKind
	src, dst := []string{`severity="critical"`}, []string{`severity="warning"`}
	for _, c := range []struct {
		name  string
		rule  inhibit.Rule
		logic []string
		kinds []inhibit.DifferenceKind
	}{
		{
			"sides that cannot meet",
			inhibit.Rule{SourceMatchers: src, TargetMatchers: dst, Equal: []string{"b", "a"}},
			[]string{`IF *.* WHERE severity="critical" THEN suppress *.* WHERE severity="warning"`},
			nil,
		},
		{
			"older forms and a set",
			inhibit.Rule{SourceMatch: map[string]string{"a": "1"}, TargetMatchRE: map[string]string{"a": "2|3"}},
			[]string{`IF *.* WHERE a="1" THEN suppress *.* WHERE a=~"2|3"`},
			nil,
		},
		{"sides that can meet", inhibit.Rule{SourceMatchers: src, TargetMatchers: []string{`job="node"`}}, []string{
			`IF *.* WHERE severity="critical", job!="node" THEN suppress *.* WHERE job="node"`,
			`IF *.* WHERE severity="critical", job="node" THEN suppress *.* WHERE job="node", severity!="critical"`,
		}, nil},
		{"no source matchers", inhibit.Rule{TargetMatchers: dst}, []string{`IF *.* WHERE severity!="warning" THEN suppress *.* WHERE severity="warning"`}, nil},
		{"no target matchers", inhibit.Rule{SourceMatchers: src}, []string{`IF *.* WHERE severity="critical" THEN suppress *.* WHERE severity!="critical"`}, nil},
		{"neither", inhibit.Rule{}, nil, kinds{inhibit.Never}},
		{"one side twice", inhibit.Rule{SourceMatchers: src, TargetMatchers: src}, nil, kinds{inhibit.Never}},
		{"a source that is none", inhibit.Rule{SourceMatchers: []string{`a="1", a="2"`}, TargetMatchers: dst}, nil, kinds{inhibit.Never}},
		{
			"quotes",
			inhibit.Rule{SourceMatchers: []string{`a="\"\\"`}, TargetMatchers: []string{`a="x"`}},
			[]string{`IF *.* WHERE a="\"\\" THEN suppress *.* WHERE a="x"`},
			nil,
		},
		{"a label of another alphabet", inhibit.Rule{SourceMatchers: []string{`"a b"="1"`}, TargetMatchers: dst, Equal: []string{"c/d"}}, nil, kinds{inhibit.LabelName, inhibit.LabelName}},
		{"a value of two lines", inhibit.Rule{SourceMatchers: []string{`a="1\n2"`}, TargetMatchers: dst}, nil, kinds{inhibit.LabelValue}},
		{"a value in no encoding", inhibit.Rule{SourceMatch: map[string]string{"a": "\xff"}, TargetMatchers: dst}, nil, kinds{inhibit.LabelValue}},
		{
			"depends_on",
			inhibit.Rule{SourceMatchers: src, TargetMatchers: []string{`severity="warning"`, `depends_on="db"`}},
			[]string{`IF *.* WHERE severity="critical" THEN suppress *.* WHERE severity="warning", depends_on="db"`},
			kinds{inhibit.DependsOn},
		},
		{"depends_on by expression", inhibit.Rule{SourceMatchers: src, TargetMatchers: []string{`depends_on=~"db.*"`}}, nil, kinds{inhibit.DependsOn}},
	} {
		rules, differences, err := inhibit.Native([]inhibit.Rule{c.rule})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var logic []string
		for _, r := range rules {
			logic = append(logic, r.Logic)
			if want := slices.Sorted(slices.Values(c.rule.Equal)); !slices.Equal(r.By, want) {
				t.Errorf("%s: By = %q, want %q", c.name, r.By, want)
			}
		}
		var got []inhibit.DifferenceKind
		for _, d := range differences {
			got = append(got, d.Kind)
			if d.Lost != (c.logic == nil) || d.Detail == "" {
				t.Errorf("%s: %s, want Lost = %v and a detail", c.name, d, c.logic == nil)
			}
		}
		if !slices.Equal(logic, c.logic) || !slices.Equal(got, c.kinds) {
			t.Errorf("%s:\n got %q, %v\nwant %q, %v", c.name, logic, got, c.logic, c.kinds)
		}
	}
}

// Names come from the rules as far as they are names.
func TestNativeNames(t *testing.T) {
	src, dst := []string{`severity="critical"`}, []string{`severity="warning"`}
	rules, _, err := inhibit.Native([]inhibit.Rule{
		{Name: "node-down", SourceMatchers: src, TargetMatchers: dst}, {Name: "two words", SourceMatchers: src, TargetMatchers: []string{`job="node"`}},
	})
	var got []string
	for _, r := range rules {
		got = append(got, r.Name+"/"+r.Description)
	}
	if want := []string{"inhibit-0-node-down/node-down", "inhibit-1.1/two words", "inhibit-1.2/two words"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("names %q, %v, want %q", got, err, want)
	}
	if _, _, err := inhibit.Native([]inhibit.Rule{{SourceMatchers: []string{"a=~'('"}}}); err == nil {
		t.Error("a rule that cannot be read: no error")
	}
}

// Kinds are read as they are written, and no others are.
func TestDifferenceKindText(t *testing.T) {
	for k := inhibit.Circle; k <= inhibit.Refused; k++ {
		b, err := json.Marshal(k)
		var back inhibit.DifferenceKind
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || back != k {
			t.Errorf("%s: %v, %v", b, back, err)
		}
	}
	var k inhibit.DifferenceKind
	if err := k.UnmarshalText([]byte("odd")); err == nil || !strings.Contains(err.Error(), `"odd"`) {
		t.Errorf("UnmarshalText(odd) = %v, want an error that names it", err)
	}
	if _, err := inhibit.DifferenceKind(9).MarshalText(); err == nil {
		t.Error("DifferenceKind(9).MarshalText() has no error")
	}
}

var (
	nativeNames = []string{"a", "b", "c", "alertname"}
	nativeTexts = []string{`%s="x"`, `%s="y"`, `%s!="x"`, `%s=""`, `%s!=""`, `%s=~"x|y"`, `%s!~"y|z"`, `%s=~".*"`, `%s=~".+"`}
)

// nativeCase draws rules and labels of alerts, no two alike.
func nativeCase(rnd *rand.Rand) (rules []inhibit.Rule, alerts []map[string]string) {
	side := func() (list []string) {
		for range rnd.IntN(3) {
			list = append(list, fmt.Sprintf(nativeTexts[rnd.IntN(len(nativeTexts))], nativeNames[rnd.IntN(len(nativeNames))]))
		}
		return list
	}
	for range 1 + rnd.IntN(3) {
		r := inhibit.Rule{SourceMatchers: side(), TargetMatchers: side()}
		for range rnd.IntN(3) {
			r.Equal = append(r.Equal, nativeNames[rnd.IntN(len(nativeNames))])
		}
		rules = append(rules, r)
	}
	for range 2 + rnd.IntN(8) {
		l := map[string]string{}
		for _, name := range nativeNames {
			if rnd.IntN(4) > 0 {
				l[name] = []string{"x", "y", "z"}[rnd.IntN(3)]
			}
		}
		if !slices.ContainsFunc(alerts, func(o map[string]string) bool { return maps.Equal(o, l) }) {
			alerts = append(alerts, l)
		}
	}
	return rules, alerts
}

// An engine with the converted rules suppresses what the inhibitor mutes. Who mutes whom
// is found out with inhibitors that hold a single alert; where that leads in a circle,
// and only there, one alert of each circle that nothing outside mutes stands, and a
// Circle was announced.
func TestNativeAgainstInhibitor(t *testing.T) {
	muted, excepted, stood := 0, 0, 0
	for seed := range uint64(4000) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		rules, alerts := nativeCase(rnd)
		native, differences, err := inhibit.Native(rules)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		all, err := inhibit.New(rules)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := correlation.New(native, correlation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reach := make([][]bool, len(alerts)) // who mutes whom, directly or not
		for n, l := range alerts {
			one, err := inhibit.New(rules)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range []*inhibit.Inhibitor{all, one} {
				if err := in.Apply(at, inhibit.Alert{Labels: l, Ends: at.Add(time.Hour)}); err != nil {
					t.Fatal(err)
				}
			}
			for _, target := range alerts {
				_, mutes := one.Mutes(target)
				reach[n] = append(reach[n], mutes)
			}
			if _, err := engine.Apply(at, correlation.Event{Alert: "am.alert", Labels: l, Status: correlation.Firing, Time: at}); err != nil {
				t.Fatal(err)
			}
		}
		for k := range alerts {
			for i := range alerts {
				for j := range alerts {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		standing := map[int]int{} // by the first of a circle
		for n, l := range alerts {
			_, want := all.Mutes(l)
			a, ok := engine.Alert("", "am.alert", l)
			got := a.SuppressedBy != nil
			if !ok {
				t.Fatalf("seed %d: the engine does not know %v", seed, l)
			}
			// Alerts that nothing mutes but those that it mutes itself.
			closed := reach[n][n]
			for m := range alerts {
				closed = closed && (!reach[m][n] || reach[n][m])
			}
			if closed {
				first := slices.IndexFunc(alerts, func(o map[string]string) bool {
					m := slices.IndexFunc(alerts, func(x map[string]string) bool { return maps.Equal(x, o) })
					return reach[n][m] && reach[m][n]
				})
				if !got {
					standing[first]++
				} else {
					standing[first] += 0
				}
				excepted++
				continue
			}
			if got != want {
				t.Fatalf("seed %d: %v suppressed by %q, muted %v\nrules %+v\nnative %+v\nalerts %v", seed, l, a.SuppressedBy, want, rules, native, alerts)
			}
			if got {
				muted++
			}
		}
		for first, n := range standing {
			announced := slices.ContainsFunc(differences, func(d inhibit.Difference) bool { return d.Kind == inhibit.Circle })
			if n != 1 || !announced {
				t.Fatalf("seed %d: %d alerts stand in the circle of %v, want 1, and announced: %v\nrules %+v\nalerts %v", seed, n, alerts[first], announced, rules, alerts)
			}
			stood++
		}
	}
	if muted < 2000 || stood < 50 {
		t.Errorf("%d muted and %d circles seen, want more of each", muted, stood)
	}
	t.Logf("%d muted alike, %d alerts in %d circles", muted, excepted, stood)
}

// Whatever a rule is, what it becomes is a set of rules that an engine takes, or it is
// lost for a reason.
func FuzzNative(f *testing.F) {
	f.Add(`a="x"`, `b=~"y|z"`, "c")
	f.Add(``, `depends_on!="y"`, "depends_on")
	f.Add(`a!~"("`, `"ä b"="\n\""`, "")
	f.Fuzz(func(t *testing.T, source, target, equal string) {
		r := inhibit.Rule{SourceMatchers: []string{source}, TargetMatchers: []string{target}, Equal: []string{equal}}
		rules, differences, err := inhibit.Native([]inhibit.Rule{r})
		if err != nil {
			return
		}
		lost := slices.ContainsFunc(differences, func(d inhibit.Difference) bool { return d.Lost })
		if lost != (len(rules) == 0) {
			t.Fatalf("Native(%+v) = %+v, %v, want rules or a reason", r, rules, differences)
		}
		if _, err := correlation.New(rules, correlation.Options{}); err != nil {
			t.Fatalf("Native(%+v) = %+v: %v", r, rules, err)
		}
		for _, d := range differences {
			if d.Kind == inhibit.Refused {
				t.Fatalf("Native(%+v): %s", r, d)
			}
		}
	})
}
