package promrules

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// checkAppend compares with the ordinary way: the rules as values, and their YAML.
func checkAppend(t *testing.T, slos []SLO, o Options) (written bool) {
	t.Helper()
	const before = "# what was there\n"
	f, wantErr := Generate(slos, o)
	got, err := AppendRules([]byte(before), slos, o)
	switch {
	case (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error():
		t.Fatalf("AppendRules = error\n%v\nwant\n%v\nof\n%+v\n%+v", err, wantErr, slos, o)
	case err == nil && string(got) != before+f.String():
		at := 0
		for want := before + f.String(); at < len(got) && at < len(want) && got[at] == want[at]; {
			at++
		}
		t.Fatalf("AppendRules =\n%s\nwant the rules of\n%+v\n%+v\nfrom byte %d on:\n%s", got, slos, o, at, (before + f.String())[at:])
	}
	return err == nil
}

// chance draws lists of objectives of few shapes with odd texts among them.
type chance struct{ *rand.Rand }

func pick[T any](c chance, of ...T) T { return of[c.IntN(len(of))] }

// text is mostly one that fits into a hole.
func (c chance) text() string {
	if c.IntN(25) > 0 {
		return fmt.Sprintf(pick(c, "x%d", "checkout-%d", "a b/%d", "%d", "*%d", "(%d", "https://example.com/?a=%d&b", "}%d<~'"), c.IntN(1000))
	}
	return pick(c, "", " ", " x", "x ", "a\"b", `a\b`, `\`, "a{b", "{{ x }}", "{", "é", "a\nb", "\t", "a\r", "yes", "null", "~", "`", "`0", "a`1", "#x", "$window", "\xff", "x\u00a0", "-", ": x", "}")
}

func (c chance) selector() string {
	switch c.IntN(12) {
	case 0:
		return "r"
	case 1:
		return fmt.Sprintf(`r{a = "%s", }`, c.text())
	case 2:
		return fmt.Sprintf(`r{a="%s",b!="%s",c=~"%s"}`, c.text(), c.text(), c.text())
	case 3:
		return fmt.Sprintf("r{a='%s'}", c.text())
	case 4:
		return fmt.Sprintf("r{a=`%s`}", c.text())
	case 5:
		return fmt.Sprintf(" r_total {\n\ta=\"%s\"} ", c.text())
	case 6:
		return fmt.Sprintf(`r{b="\"",a="%s"}`, c.text())
	default:
		return fmt.Sprintf(`requests_total{code=~"5..|4..",job="%s"}`, c.text())
	}
}

func (c chance) expression() string {
	return fmt.Sprintf(pick(c, `sum(increase(r{a="%s"}[$window]))`, " sum(increase(r{a=\"%s\"}[$window])) # it's \"%[1]s\"\n", "$window \"%s\"", `f($window) > "%s`), c.text())
}

func (c chance) counter() string {
	if c.IntN(6) == 0 {
		return c.expression()
	}
	return c.selector()
}

// again returns an objective of the same shape as s, or nearly so.
func (c chance) again(s SLO) SLO {
	s.ID, s.Runbook, s.Owner = c.text(), c.text(), c.text()
	if c.IntN(4) > 0 {
		s.Service = c.text()
	}
	named := func(m map[string]string) map[string]string {
		out := map[string]string{}
		for name := range m {
			out[name] = c.text()
		}
		if c.IntN(30) == 0 {
			out[pick(c, "team", "null", "severity", "a-b", "")] = c.text()
		}
		return out
	}
	s.Labels, s.Annotations = named(s.Labels), named(s.Annotations)
	other := func(text *string) {
		if before, rest, ok := strings.Cut(*text, `="`); ok && c.IntN(8) > 0 {
			if _, after, ok := strings.Cut(rest, `"`); ok {
				*text = before + `="` + c.text() + `"` + after
			}
		}
	}
	e := &s.Events
	for _, text := range []*string{&e.Bad, &e.Good, &e.Total, &e.Up, &e.ErrorRatio} {
		other(text)
	}
	if e.Latency != nil {
		l := *e.Latency
		other(&l.Histogram)
		e.Latency = &l
	}
	if c.IntN(4) == 0 {
		s.Policy.Rules = slices.Clone(s.Policy.Rules)
	}
	if c.IntN(10) == 0 {
		c.bend(&s)
	}
	return s
}

// bend changes the shape of an objective.
func (c chance) bend(s *SLO) {
	switch c.IntN(8) {
	case 0:
		s.Windows = []slo.Window{pick(c, slo.Rolling(28*day), slo.Calendar(slo.Quarter, nil), slo.Rolling(-1))}
	case 1:
		s.BudgetPolicy.Actions = append(slices.Clip(s.BudgetPolicy.Actions), slo.BudgetAction{Name: pick(c, "freeze", "review", "x"), Consumed: slo.NewRatio(1, 2)})
	case 2:
		s.Events.By = []string{pick(c, "region", "tier", "owner", "a-b")}
	case 3:
		if l := s.Events.Latency; l != nil {
			l.Limit, l.Native = slo.NewRatio(int64(c.IntN(30)), 10), c.IntN(2) == 0
		}
	case 4:
		s.Policy.MinCoverage = slo.NewRatio(int64(c.IntN(6)), 4)
	case 5:
		s.Target = pick(c, slo.Target{}, slo.MustPercent("100"), slo.MustPercent("95"), slo.MustPercent("99.95"))
	default:
		if len(s.Policy.Rules) > 0 {
			s.Policy.Rules = slices.Clone(s.Policy.Rules)
			c.spoil(&s.Policy.Rules[c.IntN(len(s.Policy.Rules))])
		}
	}
}

// spoil changes a rule, not always for the worse.
func (c chance) spoil(r *slo.Rule) {
	switch c.IntN(8) {
	case 0:
		r.Name = c.text()
	case 1:
		r.Severity = slo.Severity(c.text())
	case 2:
		r.MinEvents, r.MinBad = uint64(c.IntN(3)), uint64(c.IntN(3))
	case 3:
		r.Factor = slo.NewRatio(int64(c.IntN(2000)), 10)
	case 4:
		r.Alpha = slo.NewRatio(1, int64(c.IntN(3)))
	case 5:
		r.For, r.KeepFiringFor = time.Minute, time.Duration(c.IntN(3))*time.Minute
	case 6:
		*r = slo.Rule{Name: "silence", Severity: slo.Page, Kind: slo.Silence, Long: time.Hour}
	default:
		*r = slo.Rule{Name: "count", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 3, AtLeast: slo.NewRatio(1, 100)}
	}
}

func (c chance) objective() SLO {
	window := pick(c, slo.Rolling(30*day), slo.Rolling(30*day), slo.Rolling(7*day), slo.Calendar(slo.Month, nil), slo.Rolling(time.Minute))
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		panic(err)
	}
	s := SLO{Objective: slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}}
	if c.IntN(3) == 0 {
		s.Labels = map[string]string{"owner": "", pick(c, "team", "on", "zone"): ""}
	}
	if c.IntN(4) == 0 {
		s.Annotations = map[string]string{"dashboard": ""}
	}
	if c.IntN(8) == 0 {
		s.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95"), NoData: pick(c, slo.ExcludeNoData, slo.GoodNoData, slo.BadNoData)}
	}
	if c.IntN(8) == 0 {
		s.Policy.MinCoverage = slo.NewRatio(1, 2)
	}
	if c.IntN(8) == 0 {
		s.BudgetPolicy = slo.DefaultBudgetPolicy()
	}
	if c.IntN(6) == 0 {
		s.Events.By = []string{"region", "tier"}[:1+c.IntN(2)]
	}
	e := &s.Events
	switch c.IntN(8) {
	case 0, 1:
		e.Bad, e.Total = c.counter(), c.counter()
	case 2:
		e.Good, e.Total = c.counter(), c.counter()
	case 3:
		e.Bad, e.Good = c.counter(), c.counter()
	case 4, 5:
		e.Latency = &Latency{Histogram: pick(c, "h", `h{a="b"}`, `h { job="x", } `, `h{a=~"x|y",job="b"}`), Limit: slo.NewRatio(3, 10), Native: c.IntN(2) == 0}
	case 6:
		e.Up = c.selector()
	default:
		e.ErrorRatio = c.expression()
	}
	return c.again(s)
}

func (c chance) options() Options {
	return Options{
		Scrape: pick(c, 30*time.Second, 30*time.Second, 30*time.Second, 15*time.Second, 0, time.Duration(c.IntN(2))), Evaluation: pick(c, 0, time.Minute), Direct: c.IntN(5) == 0, Anchored: c.IntN(5) == 0,
		Names: pick(c, Sloth, Sloth, Pyrra), AbsentFor: pick(c, 0, -1, time.Minute), Alert: pick(c, "", "", "Burn", "`0", "é"),
	}
}

func TestAppendRules(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(1, 2))}
	written := 0
	for range 3000 {
		var shapes, slos []SLO
		for range 1 + c.IntN(3) {
			shapes = append(shapes, c.objective())
		}
		for range c.IntN(12) {
			slos = append(slos, c.again(pick(c, shapes...)))
		}
		if checkAppend(t, slos, c.options()) {
			written++
		}
	}
	if written < 600 {
		t.Errorf("%d of 3000 lists had rules, want 600 and more", written)
	}
}

// Two objectives that differ in one thing, which decides whether the second has
// rules, or which ones.
func TestAppendRulesShapes(t *testing.T) {
	for name, change := range map[string]func(s *SLO){
		"nothing":               func(*SLO) {},
		"budget policy":         func(s *SLO) { s.BudgetPolicy.Actions = []slo.BudgetAction{{Name: ""}} },
		"unused":                func(s *SLO) { s.BudgetPolicy.Unused = slo.NewRatio(-1, 1) },
		"native":                func(s *SLO) { s.Events.Latency.Native = true },
		"slices":                func(s *SLO) { s.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95")} },
		"severity":              func(s *SLO) { s.Policy.Rules[0].Severity = "`0" },
		"rule":                  func(s *SLO) { s.Policy.Rules[0].Name = "`0" },
		"no rule":               func(s *SLO) { s.Policy.Rules = nil },
		"no window":             func(s *SLO) { s.Windows = nil },
		"no id":                 func(s *SLO) { s.ID = "" },
		"no service":            func(s *SLO) { s.Service = "" },
		"same service and id":   func(s *SLO) { s.ID, s.Service = "1", "s-o" },
		"another label":         func(s *SLO) { s.Labels = map[string]string{"zone": "x"} },
		"a label that is taken": func(s *SLO) { s.Labels = map[string]string{"severity": "x"} },
		"another annotation":    func(s *SLO) { s.Annotations = map[string]string{"zone": "x"} },
	} {
		t.Run(name, func(t *testing.T) {
			var slos []SLO
			for i := range 6 {
				s := objective(day, Events{Latency: &Latency{Histogram: fmt.Sprintf(`h{job="%d"}`, i), Limit: slo.NewRatio(1, 4)}})
				s.ID = fmt.Sprintf("o-%d", i)
				s.Labels, s.Annotations = map[string]string{"owner": "x"}, map[string]string{"board": "x"}
				if i == 2 || i > 3 {
					change(&s)
				}
				if i > 3 && name == "same service and id" {
					s.ID = strconv.Itoa(i)
				}
				slos = append(slos, s)
			}
			checkAppend(t, slos, Options{Scrape: 30 * time.Second})
			checkAppend(t, slos[4:], Options{Scrape: 30 * time.Second, Names: Pyrra})
		})
	}
}

// A field that is new must be compared, be a text of a shape, or not matter to the
// rules, as does the risk.
func TestShapeFields(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{SLO{}, "Objective Events Labels Annotations"},
		{slo.Objective{}, "ID Service Owner Runbook Target Windows Slices Policy Risk BudgetPolicy"},
		{slo.Policy{}, "Rules MinCoverage"},
		{slo.BudgetPolicy{}, "Actions Unused"},
		{Events{}, "Bad Good Total Latency Up ErrorRatio By"},
		{Latency{}, "Histogram Limit Native"},
	} {
		var names []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(tt.value)) {
			if len(f.Index) == 1 {
				names = append(names, f.Name)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("fields of %T are %s, and shapes know %s", tt.value, got, tt.want)
		}
	}
}

// A fleet is written from one shape: 100 objectives cost few allocations, and 200
// no more than those.
func TestAppendRulesAllocs(t *testing.T) {
	var slos []SLO
	for i := range 200 {
		s := objective(day, Events{Bad: fmt.Sprintf(`b{job="%d"}`, i), Total: "t"})
		s.ID = strconv.Itoa(i)
		slos = append(slos, s)
	}
	var text []byte
	allocs := func(n int) float64 {
		return testing.AllocsPerRun(10, func() {
			var err error
			if text, err = AppendRules(text[:0], slos[:n], Options{Scrape: 30 * time.Second}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if a, b := allocs(100), allocs(200); a > 200 || b > a+5 {
		t.Errorf("%v allocations for 100 objectives and %v for 200, want 200 at most and no more", a, b)
	}
}

func FuzzAppendRules(f *testing.F) {
	f.Add("checkout", "shop", "https://example.com/#run", "team a", `job="x"`, "y")
	f.Add("a{{b", "`0", "", `"`, `a="$window",b=~"#"`, "`0")
	f.Fuzz(func(t *testing.T, id, service, runbook, label, matchers, value string) {
		var slos []SLO
		for i := range 4 {
			job := value
			if i%2 == 0 {
				job = "svc"
			}
			s := objective(day, Events{Bad: `b{job="` + job + `",` + matchers + `}`, Total: `t{job="` + job + `"}`})
			s.ID, s.Service = fmt.Sprint("o", i), "s"
			s.Labels, s.Annotations = map[string]string{"owner": "x"}, map[string]string{"board": "x"}
			if i >= 2 {
				s.ID, s.Service, s.Runbook = id[:len(id)*(i-1)/2], service, runbook
				s.Labels["owner"], s.Annotations["board"] = label, value
			}
			slos = append(slos, s)
		}
		for _, names := range []Names{Sloth, Pyrra} {
			checkAppend(t, slos, Options{Scrape: 30 * time.Second, Names: names})
		}
	})
}
