package playbook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict is what becomes of an action before an attempt.
type Verdict string

// The verdicts.
const (
	RunIt   Verdict = "run"
	SkipIt  Verdict = "skip"     // a condition is false
	AskIt   Verdict = "approval" // a person has to agree first
	QueueIt Verdict = "queue"    // it has to wait for others; see Limits
	BlockIt Verdict = "block"    // it must not run, or nobody knows whether it may
)

// worse returns the stricter of two verdicts of safety checks.
func worse(a, b Verdict) Verdict {
	order := []Verdict{RunIt, AskIt, BlockIt}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// SafetyCheck guards actions. It applies if all its conditions hold or are
// unknown. With checks, all of them must hold, else the outcome is OnFailure;
// without, the outcome is Action.
type SafetyCheck struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Conditions  []string `json:"conditions"`
	Checks      []string `json:"checks,omitempty"`
	Action      string   `json:"action,omitempty"` // "require_human_approval"
	// OnFailure is what a check that is false leads to. Defaults to "block". With
	// "note" the action runs and the record says so. An unknown check leads to
	// "approval" at least.
	OnFailure string `json:"on_failure,omitempty"`
}

// requireApproval is the one named action of a safety check.
const requireApproval = "require_human_approval"

// DefaultSafety returns the three checks of the operations guide: high risk in
// business hours needs an approval, scaling needs capacity, rerouting needs
// healthy dependencies. The guide leaves open what a failure of the last two
// means; here it blocks and tells a person.
func DefaultSafety() []SafetyCheck {
	return []SafetyCheck{
		{
			Name:       "business_hours_check",
			Conditions: []string{"action.risk_level == 'high'", "current_time in business_hours"},
			Action:     requireApproval,
		},
		{
			Name:       "resource_availability_check",
			Conditions: []string{"action.type == 'scaling'"},
			Checks:     []string{"available_capacity > required_capacity"},
		},
		{
			Name:       "dependency_health_check",
			Conditions: []string{"action.affects_traffic_routing"},
			Checks:     []string{"all_dependencies.health_status == 'healthy'"},
		},
	}
}

// guard is a compiled safety check.
type guard struct {
	name       string
	conditions []*Condition
	checks     []*Condition
	onFailure  string
}

func compileGuard(s SafetyCheck, path string, v *Vocabulary, bad func(path, value, want string)) guard {
	g := guard{name: s.Name, onFailure: s.OnFailure}
	if s.Name == "" {
		bad(path+".name", "", "a name")
	}
	g.conditions = compileAll(s.Conditions, path+".conditions", v, bad)
	g.checks = compileAll(s.Checks, path+".checks", v, bad)
	for _, c := range slices.Concat(g.conditions, g.checks) {
		if c.watches > 0 {
			bad(path, c.text, `no "for" in a safety check`)
		}
	}
	switch {
	case len(s.Checks) == 0 && s.Action != requireApproval:
		bad(path+".action", s.Action, requireApproval+", or checks")
	case len(s.Checks) > 0 && s.Action != "":
		bad(path+".action", s.Action, "no action beside checks; use on_failure")
	}
	switch s.OnFailure {
	case "":
		g.onFailure = string(BlockIt)
	case string(BlockIt), string(AskIt), "note":
	default:
		bad(path+".on_failure", s.OnFailure, "block, approval or note")
	}
	return g
}

func compileAll(texts []string, path string, v *Vocabulary, bad func(path, value, want string)) []*Condition {
	var out []*Condition
	for i, text := range texts {
		c, err := Compile(text, v)
		if err != nil {
			bad(fmt.Sprintf("%s[%d]", path, i), text, err.Error())
			continue
		}
		out = append(out, c)
	}
	return out
}

// judge returns the verdict of the check and, unless it is to run without more
// ado, why.
func (g guard) judge(e *env) (Verdict, string) {
	applies := True
	for _, c := range g.conditions {
		applies = applies.and(c.root.eval(e))
	}
	if applies == False {
		return RunIt, ""
	}
	if len(g.checks) == 0 {
		return AskIt, g.why(applies, g.conditions, e)
	}
	holds, unknown := True, false
	for _, c := range g.checks {
		t := c.root.eval(e)
		holds, unknown = holds.and(t), unknown || t == Unknown
	}
	why := g.why(holds, g.checks, e)
	switch {
	case holds == True:
		return RunIt, ""
	case g.onFailure == string(AskIt), g.onFailure == "note" && unknown: // also beside one that is false
		return AskIt, why
	case g.onFailure == "note":
		return RunIt, why
	}
	return BlockIt, why
}

func (g guard) why(t Truth, conditions []*Condition, e *env) string {
	var texts, seen []string
	for _, c := range conditions {
		texts = append(texts, c.text)
		if s := c.seen(e); s != "" {
			seen = append(seen, s)
		}
	}
	return fmt.Sprintf("%s: %s is %s (%s)", g.name, strings.Join(texts, " and "), t, strings.Join(seen, ", "))
}

// judge evaluates the conditions of an action and all safety checks.
func (e *Engine) judge(p *compiled, s *service, c *call, at time.Time) (Verdict, string) {
	if e.halted != "" {
		return BlockIt, e.halted
	}
	holds, whys := True, []string(nil)
	for _, condition := range c.conditions {
		env := s.env(at)
		env.memory = s.memoryOf(p, condition)
		t := condition.root.eval(&env)
		holds = holds.and(t)
		if t != True {
			whys = append(whys, fmt.Sprintf("%s is %s (%s)", condition.text, t, condition.seen(&env)))
		}
	}
	switch holds {
	case False:
		return SkipIt, strings.Join(whys, "; ")
	case Unknown:
		return BlockIt, strings.Join(whys, "; ")
	default:
	}
	verdict := RunIt
	if c.spec.Approval == ApproveAlways {
		verdict, whys = AskIt, append(whys, "the action always needs an approval")
	}
	env := s.env(at)
	env.action = &c.spec
	for _, g := range e.guards {
		v, why := g.judge(&env)
		verdict = worse(verdict, v)
		if why != "" {
			whys = append(whys, why)
		}
	}
	if len(whys) == 0 {
		return verdict, "conditions and safety checks hold"
	}
	return verdict, strings.Join(whys, "; ")
}
