package correlation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// start is the instant that the case files call second 0.
var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func sec(s float64) time.Time { return start.Add(time.Duration(math.Round(s * 1e9))) }

func toSec(t time.Time) float64 { return t.Sub(start).Seconds() }

func TestVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "correlation", "correlation.json")
	f.Run(t, testutil.Kinds{
		"engine":               checkEngine,
		"rule":                 checkRule,
		"threshold":            checkThreshold,
		"auto_topology":        checkTopology,
		"flapping":             checkFlapping,
		"storm":                checkStorm,
		"alertmanager_inhibit": checkInhibit,
	})
}

type ruleCase struct {
	Name, Logic    string
	By             []string
	Within, Linger string
}

func (r ruleCase) rule() (correlation.Rule, error) {
	out := correlation.Rule{Name: r.Name, Logic: r.Logic, By: r.By}
	for text, d := range map[string]*time.Duration{r.Within: &out.Within, r.Linger: &out.Linger} {
		if text == "" {
			continue
		}
		v, err := threshold.ParseDuration(text)
		if err != nil {
			return out, err
		}
		*d = v
	}
	return out, nil
}

type eventCase struct {
	T             float64
	At            *float64
	Alert, Tenant string
	Labels        map[string]string
	Status        correlation.Status
	Ends          *float64
}

func (c eventCase) arrival() float64 {
	if c.At != nil {
		return *c.At
	}
	return c.T
}

func (c eventCase) event() correlation.Event {
	ev := correlation.Event{Tenant: c.Tenant, Alert: c.Alert, Labels: c.Labels, Status: c.Status, Time: sec(c.T)}
	if c.Ends != nil {
		ev.Ends = sec(*c.Ends)
	}
	return ev
}

type compositeCase struct {
	Title, Rule          string
	Since                float64
	Evidence, Suppressed []string
}

func checkEngine(c testutil.Case) error {
	var in struct {
		Rules    []ruleCase
		Topology *correlation.Topology
		Options  struct{ Settle float64 }
		Events   []eventCase
		Expect   []struct {
			T          float64
			Suppressed map[string][]string
			Composites *[]compositeCase
			Active     *int
			Stats      map[string]int
			Notes      *[][3]any
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var rules []correlation.Rule
	for _, r := range in.Rules {
		rule, err := r.rule()
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	engine, err := correlation.New(rules, correlation.Options{Topology: in.Topology, Settle: time.Duration(in.Options.Settle * 1e9)})
	if err != nil {
		return err
	}
	events := slices.Clone(in.Events)
	sort.SliceStable(events, func(i, j int) bool { return events[i].arrival() < events[j].arrival() })
	var notes []string
	collect := func(list []correlation.Transition, err error) error {
		for _, tr := range list {
			if tr.Composite != nil {
				continue
			}
			switch tr.Kind {
			case correlation.Notify:
				notes = append(notes, fmt.Sprintf("%v fire %s", toSec(tr.At), tr.Alert))
			case correlation.Resolve:
				notes = append(notes, fmt.Sprintf("%v resolve %s", toSec(tr.At), tr.Alert))
			default:
			}
		}
		return err
	}
	for _, want := range in.Expect {
		for len(events) > 0 && events[0].arrival() <= want.T {
			at := events[0].arrival()
			var batch []correlation.Event
			for len(events) > 0 && events[0].arrival() == at {
				batch = append(batch, events[0].event())
				events = events[1:]
			}
			if err := collect(engine.Apply(sec(at), batch...)); err != nil {
				return err
			}
		}
		if err := collect(engine.Step(sec(want.T))); err != nil {
			return err
		}
		suppressed := map[string][]string{}
		active := 0
		for _, a := range engine.Alerts() {
			if a.Active {
				active++
			}
			if a.SuppressedBy != nil {
				suppressed[a.String()] = a.SuppressedBy
			}
		}
		if !reflect.DeepEqual(suppressed, want.Suppressed) {
			return fmt.Errorf("t=%v: suppressed %v, want %v", want.T, suppressed, want.Suppressed)
		}
		if want.Active != nil && *want.Active != active {
			return fmt.Errorf("t=%v: %d active, want %d", want.T, active, *want.Active)
		}
		if want.Composites != nil {
			got := []compositeCase{}
			for _, x := range engine.Composites() {
				got = append(got, compositeCase{x.Title, x.Rule, toSec(x.Since), x.Evidence, x.Suppressed})
			}
			sort.SliceStable(got, func(i, j int) bool {
				a, b := got[i], got[j]
				if a.Title != b.Title {
					return a.Title < b.Title
				}
				if a.Since != b.Since {
					return a.Since < b.Since
				}
				return slices.Compare(a.Evidence, b.Evidence) < 0
			})
			if !reflect.DeepEqual(got, *want.Composites) {
				return fmt.Errorf("t=%v: composites %+v, want %+v", want.T, got, *want.Composites)
			}
		}
		var stats map[string]int
		b, err := json.Marshal(engine.Stats())
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &stats); err != nil {
			return err
		}
		for name, n := range want.Stats {
			if stats[name] != n {
				return fmt.Errorf("t=%v: %s is %d, want %d", want.T, name, stats[name], n)
			}
		}
		if want.Notes != nil {
			var list []string
			for _, n := range *want.Notes {
				list = append(list, fmt.Sprintf("%v %v %v", n[0], n[1], n[2]))
			}
			got := slices.Sorted(slices.Values(notes))
			slices.Sort(list)
			if !slices.Equal(got, list) {
				return fmt.Errorf("t=%v: notes %q, want %q", want.T, got, list)
			}
		}
	}
	return nil
}

// checkRule holds for the lists strings, parse_ok and parse_error.
func checkRule(c testutil.Case) error {
	var in struct {
		Text, Expect string
		Parsed       any
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	l, err := correlation.Parse(in.Text)
	if in.Expect == "error" {
		e, ok := errors.AsType[*correlation.RuleError](err)
		if !ok || e.Line < 1 || e.Column < 1 || e.Want == "" {
			return errors.Join(fmt.Errorf("Parse = %v, want an error with a position", l), err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if got := logicJSON(l); !reflect.DeepEqual(got, in.Parsed) {
		return fmt.Errorf("Parse = %v, want %v", got, in.Parsed)
	}
	again, err := correlation.Parse(l.String())
	if err == nil && !reflect.DeepEqual(again, l) {
		err = fmt.Errorf("Parse(%q) = %+v, want %+v", l, again, l)
	}
	return err
}

// logicJSON writes a logic in the form of the case file.
func logicJSON(l correlation.Logic) any {
	selector := func(s correlation.Selector) map[string]any {
		m := map[string]any{"pattern": s.Pattern}
		if s.As != "" {
			m["as"] = s.As
		}
		var where []any
		for _, p := range s.Where {
			w := map[string]any{"label": p.Label, "op": p.Op.String()}
			switch {
			case p.Op == correlation.Near:
				w = map[string]any{"near": p.Var, "hops": float64(p.Hops)}
			case p.Var != "":
				w["var"] = []any{p.Var, p.VarLabel}
			default:
				w["value"] = p.Value
			}
			where = append(where, w)
		}
		if where != nil {
			m["where"] = where
		}
		return m
	}
	out := map[string]any{}
	var list []any
	for _, c := range l.If {
		m := selector(c.Selector)
		if c.Not {
			m["not"] = true
		}
		if c.Count > 0 {
			m["count"] = float64(c.Count)
		}
		list = append(list, m)
	}
	out["if"] = list
	list = nil
	for _, s := range l.Suppress {
		list = append(list, selector(s))
	}
	if list != nil {
		out["suppress"] = list
	}
	if l.Composite != "" {
		out["composite"] = l.Composite
	}
	return out
}

// checkThreshold holds for the lists strings, parse_ok, parse_error and
// threshold.
func checkThreshold(c testutil.Case) error {
	var in struct {
		Text    string
		Parsed  map[string]any
		Expect  json.RawMessage
		Samples [][]*float64
		Options struct{ Keep, Stale *float64 }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	cond, err := threshold.ParseCondition(in.Text)
	if in.Parsed == nil {
		if e, ok := errors.AsType[*threshold.Error](err); !ok || e.Column < 1 || e.Want == "" {
			return errors.Join(fmt.Errorf("ParseCondition = %v, want an error with a position", cond), err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	got := map[string]any{
		"metric": cond.Metric, "op": cond.Op.String(), "value": cond.Value.Float64(), "unit": cond.Unit,
		"mode": cond.Mode.String(), "ref": cond.Ref, "for_s": cond.For.Seconds(),
	}
	if !maps.Equal(got, in.Parsed) {
		return fmt.Errorf("ParseCondition = %v, want %v", got, in.Parsed)
	}
	if in.Samples == nil {
		return nil
	}
	var o threshold.Options
	if in.Options.Keep != nil {
		o.KeepFiring = time.Duration(*in.Options.Keep * 1e9)
	}
	if in.Options.Stale != nil {
		o.Staleness = time.Duration(*in.Options.Stale * 1e9)
	}
	w, err := threshold.Compile(cond, o)
	if err != nil {
		return err
	}
	var p threshold.Progress
	var rows []string
	for _, s := range in.Samples {
		sample := threshold.Sample{At: sec(*s[0]), Value: threshold.Missing, Reference: threshold.Missing}
		if s[1] != nil {
			sample.Value = *s[1]
		}
		if len(s) > 2 && s[2] != nil {
			sample.Reference = *s[2]
		}
		if p, err = w.Observe(p, sample); err != nil {
			return err
		}
		if !p.Stale.IsZero() {
			rows = append(rows, fmt.Sprintf("%v inactive", toSec(p.Stale)))
		}
		state := p.State
		if state == threshold.NoData || state == threshold.NoReference {
			state = threshold.Inactive // the file does not tell the reasons apart
		}
		rows = append(rows, fmt.Sprintf("%v %v", toSec(p.Last), state))
	}
	var expect [][2]any
	if err := json.Unmarshal(in.Expect, &expect); err != nil {
		return err
	}
	var want []string
	for _, e := range expect {
		want = append(want, fmt.Sprintf("%v %v", e[0], e[1]))
	}
	if !slices.Equal(rows, want) {
		return fmt.Errorf("states %s, want %s", strings.Join(rows, ", "), strings.Join(want, ", "))
	}
	return nil
}

func checkTopology(c testutil.Case) error {
	var in struct {
		Topology *correlation.Topology
		Events   []eventCase
		Options  struct {
			MaxHops int `json:"max_hops"`
		}
		Expect []struct {
			T          float64
			Groups     map[string][]string
			Suppressed []string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	engine, err := correlation.New(nil, correlation.Options{Topology: in.Topology})
	if err != nil {
		return err
	}
	for _, want := range in.Expect {
		for len(in.Events) > 0 && in.Events[0].arrival() <= want.T {
			if _, err := engine.Apply(sec(in.Events[0].arrival()), in.Events[0].event()); err != nil {
				return err
			}
			in.Events = in.Events[1:]
		}
		if _, err := engine.Step(sec(want.T)); err != nil {
			return err
		}
		groups, suppressed := map[string][]string{}, []string{}
		for _, g := range engine.Groups("", in.Options.MaxHops) {
			groups[g.Root] = g.Members
			for _, m := range g.Members {
				if m != g.Root {
					suppressed = append(suppressed, m)
				}
			}
		}
		slices.Sort(suppressed)
		if !reflect.DeepEqual(groups, want.Groups) || !slices.Equal(suppressed, want.Suppressed) {
			return fmt.Errorf("t=%v: groups %v, want %v", want.T, groups, want.Groups)
		}
	}
	return nil
}

func checkFlapping(c testutil.Case) error {
	var in struct {
		Events    [][2]any
		Window    float64
		High, Low int
		History   []int
		Expect    json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if in.History != nil {
		var want struct{ Percent float64 }
		if err := json.Unmarshal(in.Expect, &want); err != nil {
			return err
		}
		if got := correlation.Nagios.Percent(in.History); math.Abs(got-want.Percent) > 1e-9 {
			return fmt.Errorf("percent %v, want %v", got, want.Percent)
		}
		return nil
	}
	var want []struct {
		T        float64
		Flapping bool
	}
	if err := json.Unmarshal(in.Expect, &want); err != nil {
		return err
	}
	f, err := correlation.NewFlapping(time.Duration(in.Window*1e9), in.High, in.Low)
	if err != nil {
		return err
	}
	for _, w := range want {
		for len(in.Events) > 0 && in.Events[0][0].(float64) <= w.T {
			var s correlation.Status
			if err := s.UnmarshalText([]byte(in.Events[0][1].(string))); err != nil {
				return err
			}
			f.Observe(sec(in.Events[0][0].(float64)), s)
			in.Events = in.Events[1:]
		}
		if got := f.Active(sec(w.T)); got != w.Flapping {
			return fmt.Errorf("t=%v: flapping %v, want %v", w.T, got, w.Flapping)
		}
	}
	return nil
}

func checkStorm(c testutil.Case) error {
	var in struct {
		Onsets      []float64
		Window      float64
		Start, Stop int
		Expect      []struct {
			T     float64
			Storm bool
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	f, err := correlation.NewFrequency(time.Duration(in.Window*1e9), in.Start, in.Stop)
	if err != nil {
		return err
	}
	for _, w := range in.Expect {
		for len(in.Onsets) > 0 && in.Onsets[0] <= w.T {
			f.Add(sec(in.Onsets[0]))
			in.Onsets = in.Onsets[1:]
		}
		if got := f.Active(sec(w.T)); got != w.Storm {
			return fmt.Errorf("t=%v: storm %v, want %v", w.T, got, w.Storm)
		}
	}
	return nil
}

func checkInhibit(c testutil.Case) error {
	var in struct {
		Inhibit []struct{ Source, Target, Equal []string }
		Alerts  []struct {
			Labels map[string]string
			Ends   string
		}
		Expect [][2]json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var rules []inhibit.Rule
	for _, r := range in.Inhibit {
		rules = append(rules, inhibit.Rule{SourceMatchers: r.Source, TargetMatchers: r.Target, Equal: r.Equal})
	}
	inhibitor, err := inhibit.New(rules)
	if err != nil {
		return err
	}
	for _, a := range in.Alerts {
		ends := start.Add(-time.Second)
		if a.Ends != "resolved" {
			d, err := threshold.ParseDuration(strings.TrimPrefix(a.Ends, "+"))
			if err != nil {
				return err
			}
			ends = start.Add(d)
		}
		if err := inhibitor.Apply(start, inhibit.Alert{Labels: a.Labels, Ends: ends}); err != nil {
			return err
		}
	}
	for _, e := range in.Expect {
		var labels map[string]string
		var want bool
		if err := errors.Join(json.Unmarshal(e[0], &labels), json.Unmarshal(e[1], &want)); err != nil {
			return err
		}
		if _, got := inhibitor.Mutes(labels); got != want {
			return fmt.Errorf("Mutes(%v) = %v, want %v", labels, got, want)
		}
	}
	return nil
}
