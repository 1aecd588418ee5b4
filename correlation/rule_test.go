package correlation_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		suggestion   string
	}{
		{"", 1, 1, ""},
		{"WHEN a.b", 1, 1, ""},
		{"IFF a.b THEN suppress c.d", 1, 1, "IF"},
		{"IF a.b\nTHEM suppress c.d", 2, 1, "THEN"},
		{"IF a.b THEN supprss c.d", 1, 13, "suppress"},
		{"IF a.b THEN suppress c.d CREAT composite_alert: \"x\"", 1, 26, "CREATE"},
		{"IF a.b THEN CREATE composite_alrt: \"x\"", 1, 20, "composite_alert"},
		{"IF a.b THEN CREATE composite_alert \"x\"", 1, 36, ""},
		{"IF a.b THEN CREATE composite_alert: x", 1, 37, ""},
		{"IF a.b THEN CREATE composite_alert: \" \"", 1, 37, ""},
		{"IF a.b THEN CREATE composite_alert: \"x\" suppress c.d", 1, 41, ""},
		{"IF NOT a.b THEN suppress c.d", 1, 1, ""},
		{"IF a.b AND THEN suppress c.d", 1, 12, ""},
		{"IF a.b WHERE =\"x\" THEN suppress c.d", 1, 14, ""},
		{"IF a.b WHERE x==\"y\" THEN suppress c.d", 1, 15, ""},
		{"IF a.b WHERE x=y THEN suppress c.d", 1, 16, ""},
		{"IF a.b WHERE x=~\"(\" THEN suppress c.d", 1, 17, ""},
		{"IF a.b WHERE x=~\"a)(b\" THEN suppress c.d", 1, 17, ""},
		{"IF a.b WHERE x=\"\\d\" THEN suppress c.d", 1, 17, ""},
		{"IF a.b WHERE x=\"y\nz\" THEN suppress c.d", 1, 16, ""},
		{"IF a.b WHERE depends_on=~\"x\" THEN suppress c.d", 1, 24, ""},
		{"IF a.b WHERE x=v.y THEN suppress c.d", 1, 16, ""},
		{"IF a.b AS v, THEN suppress c.d", 1, 12, ""},
		{"IF a.b AS host THEN suppress c.d WHERE x=hots.y", 1, 42, "host"},
		{"IF a.b AS v AND c.d AS v THEN suppress e.f", 1, 24, ""},
		{"IF a.b AND NOT c.d AS v THEN suppress e.f", 1, 23, ""},
		{"IF a.b THEN suppress e.f AS v", 1, 29, ""},
		{"IF a.b AS v THEN suppress e.f WHERE x=~v.y", 1, 40, ""},
		{"IF a.b AS v THEN suppress e.f WHERE near(w, 1)", 1, 42, ""},
		{"IF a.b AS v THEN suppress e.f WHERE near(v, -1)", 1, 45, ""},
		{"IF a.b WHERE near(v, 1) THEN suppress e.f", 1, 19, ""},
		{"IF COUNT(a.b) >= 0 THEN suppress e.f", 1, 18, ""},
		{"IF COUNT(a.b) > 2 THEN suppress e.f", 1, 15, ""},
		{"IF COUNT(a.b >= 2 THEN suppress e.f", 1, 14, ""},
		{"IF a.b THEN suppress e.f; DROP", 1, 25, ""},
		{"IF é.* AND ü THEN suppress e.f", 1, 12, ""},
		{"IF a.b THEN suppress e.f \xff", 1, 26, ""},
	} {
		l, err := correlation.Parse(c.text)
		e, ok := errors.AsType[*correlation.RuleError](err)
		if !ok || e.Line != c.line || e.Column != c.column || e.Suggestion != c.suggestion || e.Want == "" {
			t.Errorf("Parse(%q) = %v, %v, want an error at %d:%d with suggestion %q", c.text, l, err, c.line, c.column, c.suggestion)
		}
	}
}

// Problems of meaning are reported together.
func TestParseReportsAll(t *testing.T) {
	_, err := correlation.Parse(`IF a.b WHERE depends_on=~"(" THEN suppress c.d AS v WHERE x=w.y`)
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("Parse = %d problems, want 4:\n%v", n, err)
	}
}

func TestNewReportsAll(t *testing.T) {
	rules := []correlation.Rule{
		{Name: "ok", Logic: `IF a.b THEN CREATE composite_alert: "x"`},
		{Name: "", Logic: "IF a.b THEN suppress c.d"},
		{Name: "ok", Logic: "IF a.b THEN suppress c.d"},
		{Name: "text", Logic: "IF a.b THEN"},
		{Name: "times", Within: -1, Linger: -1, Logic: "IF a.b THEN suppress c.d"},
		{Name: "by", By: []string{"x", "x"}, Logic: "IF a.b THEN suppress c.d"},
		{Name: "severity", Severity: incident.Severity(9), Logic: "IF a.b THEN suppress c.d"},
		{Name: "many", Logic: "IF a.b" + strings.Repeat(" AND a.b", 64) + " THEN suppress c.d"},
	}
	_, err := correlation.New(rules, correlation.Options{})
	for _, want := range []string{`rule "ok": "ok"`, `rule "text": 1:12`, `rule "#1": "": want a name`, `"-1ns": want within`, `"-1ns": want linger`, `rule "by": "x"`, "at most 64", "severity of P1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want a problem with %q", err, want)
		}
	}
	for _, c := range []struct{ name, logic, want string }{
		{"circle", `IF composite.circle THEN CREATE composite_alert: "x"`, "in a circle"},
		{"typo", `IF composite.tipo THEN CREATE composite_alert: "x"`, `did you mean "typo"`},
		{"none", `IF composite.* THEN suppress a.b`, "creates a composite"},
	} {
		_, err := correlation.New([]correlation.Rule{{Name: c.name, Logic: c.logic}}, correlation.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%s) = %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := correlation.New(nil, correlation.Options{Settle: -1, MaxAlerts: -1}); err == nil || !strings.Contains(err.Error(), "Settle") || !strings.Contains(err.Error(), "MaxAlerts") {
		t.Errorf("New with bad options = %v, want both named", err)
	}
	if _, err := correlation.New(nil, correlation.Options{Topology: &correlation.Topology{Edges: []correlation.Edge{{Dependent: "a"}}}}); err == nil {
		t.Error("New with half an edge = nil error, want one")
	}
}

// What is wrong a thousand times is told a hundred times.
func TestManyProblems(t *testing.T) {
	_, err := correlation.Parse("IF a.b THEN suppress c.d WHERE " + strings.Repeat("x=v.y, ", 1000) + `x="1"`)
	if n := len(strings.Split(err.Error(), "\n")); n != 100 {
		t.Errorf("%d problems, want 100", n)
	}
	rules := make([]correlation.Rule, 5000)
	for n := range rules {
		rules[n] = correlation.Rule{Name: "r" + strconv.Itoa(n), Logic: fmt.Sprintf(`IF composite.q%d THEN CREATE composite_alert: "x"`, n)}
	}
	if _, err := correlation.New(rules, correlation.Options{}); len(strings.Split(err.Error(), "\n")) != 5000 {
		t.Error("not every rule with an unknown composite is named")
	}
	for n := range rules {
		rules[n].Logic = "IF a.b THEN suppress *.*" // everything hides everything
	}
	if w := correlation.Lint(rules); len(w) != 10_000 {
		t.Errorf("%d warnings, want two of each rule", len(w))
	}
}

// Parse and String are inverse, whatever the logic.
func TestLogicRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	word := func() string { return pick(rnd, []string{"a", "cpu_high", "x-1", "é", "l.y", "service.name"}) }
	text := func() string {
		return pick(rnd, []string{"", "us-east", `say "hi"`, `back\slash`, "a, b", "# no comment", "{{x}}"})
	}
	selector := func(vars []string, name string) correlation.Selector {
		s := correlation.Selector{Pattern: pick(rnd, []string{"a.b", "*.*", "app*.x*y", "l.m.n"}), As: name}
		for range rnd.IntN(4) {
			p := correlation.Predicate{Label: word(), Op: correlation.PredicateOp(1 + rnd.IntN(4)), Value: text()}
			switch {
			case len(vars) > 0 && rnd.IntN(3) == 0:
				p = correlation.Predicate{Op: correlation.Near, Var: pick(rnd, vars), Hops: rnd.IntN(3)}
			case len(vars) > 0 && rnd.IntN(2) == 0:
				p.Op, p.Value, p.Var, p.VarLabel = correlation.PredicateOp(1+rnd.IntN(2)), "", pick(rnd, vars), word()
			case p.Op == correlation.Matches || p.Op == correlation.MatchesNo:
				p.Value = pick(rnd, []string{"a|b", `x\.y`, ".*", "[a-z]+"})
			}
			s.Where = append(s.Where, p)
		}
		return s
	}
	for range 5000 {
		var l correlation.Logic
		var vars []string
		for k := range 1 + rnd.IntN(3) {
			c := correlation.Condition{Not: k > 0 && rnd.IntN(3) == 0, Count: rnd.IntN(3)}
			name := ""
			if !c.Not && rnd.IntN(2) == 0 {
				name = string(rune('p' + k))
				vars = append(vars, name)
			}
			c.Selector = selector(nil, name)
			l.If = append(l.If, c)
		}
		for range rnd.IntN(3) {
			l.Suppress = append(l.Suppress, selector(vars, ""))
		}
		if l.Suppress == nil || rnd.IntN(2) == 0 {
			l.Composite = "t" + text()
		}
		got, err := correlation.Parse(l.String())
		if err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("Parse(%q)\n got %+v, %v\nwant %+v", l, got, err, l)
		}
	}
}

func TestLint(t *testing.T) {
	for _, c := range []struct {
		rule correlation.Rule
		want string
	}{
		{correlation.Rule{Logic: "IF a.b THEN suppress c.d"}, correlation.RuleWithoutJoin},
		{correlation.Rule{Logic: "IF a.b AS v THEN suppress c.d WHERE x=v.x AND e.f"}, correlation.RuleWithoutJoin},
		{correlation.Rule{Logic: "IF a.b AS v THEN suppress c.d WHERE x=v.x"}, ""},
		{correlation.Rule{By: []string{"x"}, Logic: "IF a.b THEN suppress c.d"}, ""},
		{correlation.Rule{Logic: `IF a.b THEN CREATE composite_alert: "{{x}}"`}, correlation.UnknownTitleName},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b AS v THEN CREATE composite_alert: "{{x}} {{v.y}} {{"`}, ""},
		{correlation.Rule{Logic: `IF a.b* AND a.*c THEN CREATE composite_alert: "x"`}, correlation.OverlappingConditions},
		{correlation.Rule{Logic: `IF a.b* AND a.c* THEN CREATE composite_alert: "x"`}, ""},
		{correlation.Rule{Logic: `IF a.b WHERE x="1" AND a.b WHERE x="2" THEN CREATE composite_alert: "x"`}, ""},
		{correlation.Rule{Logic: `IF a.b AND NOT a.b WHERE x="2" THEN CREATE composite_alert: "x"`}, ""},
		{correlation.Rule{Logic: "broken"}, ""},
		{correlation.Rule{Logic: `IF a.b WHERE x="1", x="2" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b WHERE x="1", x!="1" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b WHERE x=~"a|b", x="c" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b WHERE x="a", x!~"a|b" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b WHERE x=~"a|b", x="a" THEN CREATE composite_alert: "x"`}, ""},
		{correlation.Rule{Logic: `IF a.b WHERE depends_on="x", depends_on="y" THEN CREATE composite_alert: "x"`}, ""}, // a list may hold both
		{correlation.Rule{Logic: `IF a.b AND NOT a.b THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b WHERE x="1" AND NOT a.* THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{Logic: `IF a.b AND NOT COUNT(a.b) >= 2 THEN CREATE composite_alert: "x"`}, ""}, // exactly one
		{correlation.Rule{Logic: `IF COUNT(a.b) >= 2 AND NOT COUNT(*.b) >= 2 THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b WHERE x="1" AND a.c WHERE x="2" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b WHERE x="1" AND a.c WHERE x!="1" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b WHERE x!="1" AND a.c WHERE x="1" THEN CREATE composite_alert: "x"`}, correlation.NeverFires},
		{correlation.Rule{By: []string{"y"}, Logic: `IF a.b WHERE x="1" AND a.c WHERE x="2" THEN CREATE composite_alert: "x"`}, ""},
		{correlation.Rule{By: []string{"x"}, Logic: "IF a.b THEN suppress a.*"}, correlation.SelfSuppression},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b WHERE y="1" THEN suppress a.b WHERE y="1"`}, correlation.SelfSuppression},
		{correlation.Rule{Logic: "IF a.b AS v THEN suppress a.b WHERE x=v.x"}, correlation.SelfSuppression},
		{correlation.Rule{Logic: "IF a.b AS v THEN suppress a.b WHERE x!=v.x"}, ""}, // another one
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b THEN suppress a.b WHERE y="1"`}, ""},
		{correlation.Rule{By: []string{"x"}, Logic: "IF a.b AND c.d THEN suppress c.d"}, ""},
		{correlation.Rule{By: []string{"x"}, Logic: `IF a.b THEN suppress a.b CREATE composite_alert: "x"`}, ""},
	} {
		var got []string
		for _, w := range correlation.Lint([]correlation.Rule{c.rule}) {
			got = append(got, w.Code)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("Lint(%q) = %q, want %q", c.rule.Logic, got, c.want)
		}
	}
}

// Warnings that concern more than one rule.
func TestLintTogether(t *testing.T) {
	rules := []correlation.Rule{
		{Name: "a", By: []string{"x"}, Logic: "IF n.a THEN suppress n.b"},
		{Name: "b", By: []string{"x"}, Logic: "IF n.b AND n.b THEN suppress *.c"},
		{Name: "c", By: []string{"x"}, Logic: "IF n.c THEN suppress n.a"},
		{Name: "into", By: []string{"x"}, Logic: "IF m.z THEN suppress n.a"},
		{Name: "stands", By: []string{"x"}, Logic: `IF m.s THEN suppress m.t CREATE composite_alert: "x"`},
		{Name: "behind", By: []string{"x"}, Logic: "IF m.t THEN suppress m.s"}, // the composite stands for both
		{Name: "off", Disabled: true, Logic: `IF n.q THEN CREATE composite_alert: "x"`},
		{Name: "reads", Logic: `IF composite.off THEN CREATE composite_alert: "y"`},
	}
	got := map[string]string{}
	for _, w := range correlation.Lint(rules) {
		if w.Code == correlation.OverlappingConditions {
			continue
		}
		got[w.Rule] += w.Code
		if w.Rule == "b" && !strings.Contains(w.Text, `with "a", "c"`) {
			t.Errorf("warning of b = %q, want the other two named", w.Text)
		}
	}
	want := map[string]string{"a": correlation.SuppressionCycle, "b": correlation.SuppressionCycle, "c": correlation.SuppressionCycle, "reads": correlation.NeverFires}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Lint = %v, want %v", got, want)
	}
	if _, err := correlation.New(rules, correlation.Options{}); err != nil {
		t.Errorf("New = %v, want warnings alone", err)
	}
	// What never fires does not fire, and what hides itself leaves one.
	for _, logic := range []string{`IF a.b AND NOT a.* THEN CREATE composite_alert: "x"`, `IF a.b WHERE x="1", x="2" THEN CREATE composite_alert: "x"`} {
		e := engine(t, correlation.Options{}, correlation.Rule{Name: "r", Logic: logic})
		apply(t, e, 1, fire("a.b", 1, "x", "1"), fire("a.b", 1, "x", "2"))
		if c := e.Composites(); len(c) > 0 {
			t.Errorf("%s fires: %+v", logic, c)
		}
	}
	e := engine(t, correlation.Options{}, correlation.Rule{Name: "r", Logic: "IF a.b THEN suppress a.*"})
	apply(t, e, 2, fire("a.b", 2), fire("a.c", 1), fire("a.d", 2))
	if x, ok := e.Why("", "a.b", nil); !ok || !x.Visible || e.Stats().Suppressed != 2 {
		t.Errorf("Why(a.b) = %+v, %d hidden, want it alone visible", x, e.Stats().Suppressed)
	}
}

func TestStarterRules(t *testing.T) {
	rules := correlation.StarterRules()
	if _, err := correlation.New(rules, correlation.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(rules) != 3 {
		t.Errorf("%d starter rules, want 3", len(rules))
	}
	codes := map[string]int{}
	for _, w := range correlation.Lint(rules) {
		codes[w.Code]++
	}
	if codes[correlation.RuleWithoutJoin] != 2 {
		t.Errorf("Lint = %v, want two rules without a join", codes)
	}
}

// Ten thousand rules compile in a time that a service can start in.
func TestManyRules(t *testing.T) {
	var rules []correlation.Rule
	for n := range 10_000 {
		rules = append(rules, correlation.Rule{Name: "r" + string(rune('a'+n%26)) + time.Duration(n).String(), Logic: "IF a.b THEN suppress c.d"})
	}
	if _, err := correlation.New(rules, correlation.Options{}); err != nil {
		t.Fatal(err)
	}
	if w := correlation.Lint(rules); len(w) != len(rules) {
		t.Errorf("%d warnings, want one about the join of each rule", len(w))
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range correlation.StarterRules() {
		f.Add(r.Logic)
	}
	for _, s := range []string{
		`IF COUNT(a.b AS v WHERE r="x") >= 3 AND NOT c.* THEN suppress *.* WHERE near(v, 2), depends_on=v.service CREATE composite_alert: "{{v.x}}"`,
		"if a.b # c\nthen suppress c.d", `IF a.b WHERE x=~"(" THEN`, "IF a.b AND near(x, 1)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := correlation.Parse(text)
		if err != nil {
			if e, ok := errors.AsType[*correlation.RuleError](err); !ok || e.Line < 1 || e.Column < 1 {
				t.Fatalf("Parse = %v, want errors with positions", err)
			}
			return
		}
		again, err := correlation.Parse(l.String())
		if err != nil || !reflect.DeepEqual(again, l) {
			t.Fatalf("Parse(%q)\n got %+v, %v\nwant %+v", l, again, err, l)
		}
		correlation.Lint([]correlation.Rule{{Name: "r", Logic: text}})
		if _, err := correlation.New([]correlation.Rule{{Name: "r", Logic: text}}, correlation.Options{}); err != nil {
			if _, ok := errors.AsType[*correlation.RuleError](err); !ok {
				t.Fatal(err)
			}
		}
	})
}
