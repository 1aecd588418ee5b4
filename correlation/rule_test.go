package correlation_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
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
