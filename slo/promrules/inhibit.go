package promrules

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/slo"
)

// AppendInhibitions appends the inhibit_rules of an Alertmanager for the alerts of
// some objectives: while a rule fires, the notifications of those with a smaller
// factor of the same objective, and of the same values of Events.By, are muted. It
// says in Alertmanager what [slo.Decision.SuppressedBy] says of a decision, and
// appends nothing but the key where no objective has two burn rate rules.
//
// Muting belongs there and not into the expressions (as `unless`): the slower alert
// keeps its state, its For and its place in ALERTS, is shown as inhibited, and
// notifies at once when the faster one resolves while it still holds. The rules hold
// for all objectives at once; where two policies disagree about which of two names
// is the faster rule, for each of them by its identity.
func AppendInhibitions(dst []byte, slos []SLO, o Options) []byte {
	o.Alert = cmp.Or(o.Alert, "ErrorBudgetBurn")
	w := inhibitions{dst: append(dst, "inhibit_rules:\n"...), alert: o.Alert, identity: "sloth_id"}
	if o.Names == Pyrra {
		w.identity = "slo"
	}
	w.equal = []string{w.identity}
	for i := range slos {
		for _, label := range slos[i].Events.By {
			if !slices.Contains(w.equal, label) {
				w.equal = append(w.equal, label)
			}
		}
	}
	var sources []string
	shared := map[string][]string{} // slower rules by the faster one
	type apart struct {
		slo    *SLO
		source string
		slower []string
	}
	var others []apart
	for i := range slos {
		s := &slos[i]
		for n := range s.Policy.Rules {
			fast := &s.Policy.Rules[n]
			own := apart{slo: s, source: fast.Name}
			for m := range s.Policy.Rules {
				slow := &s.Policy.Rules[m]
				switch {
				case !isFaster(fast, slow):
				case !agree(slos, fast.Name, slow.Name):
					own.slower = append(own.slower, slow.Name)
				case !slices.Contains(shared[fast.Name], slow.Name):
					if shared[fast.Name] == nil {
						sources = append(sources, fast.Name)
					}
					shared[fast.Name] = append(shared[fast.Name], slow.Name)
				}
			}
			if own.slower != nil {
				others = append(others, own)
			}
		}
	}
	for _, source := range sources {
		w.rule("", source, shared[source])
	}
	for _, x := range others {
		id := x.slo.ID
		if o.Names != Pyrra {
			id = x.slo.slothID()
		}
		w.rule(id, x.source, x.slower)
	}
	return w.dst
}

func isFaster(a, b *slo.Rule) bool {
	return a.Kind == slo.BurnRate && b.Kind == slo.BurnRate && a.Factor.Compare(b.Factor) > 0
}

// agree reports whether a rule is the faster one of two wherever there are both.
func agree(slos []SLO, fast, slow string) bool {
	find := func(rules []slo.Rule, name string) *slo.Rule {
		if i := slices.IndexFunc(rules, func(r slo.Rule) bool { return r.Name == name }); i >= 0 {
			return &rules[i]
		}
		return nil
	}
	for i := range slos {
		a, b := find(slos[i].Policy.Rules, fast), find(slos[i].Policy.Rules, slow)
		if a != nil && b != nil && !isFaster(a, b) {
			return false
		}
	}
	return true
}

// inhibitions writes inhibit_rules.
type inhibitions struct {
	dst             []byte
	alert, identity string
	equal           []string
}

func (w *inhibitions) rule(id, source string, slower []string) {
	patterns := make([]string, len(slower))
	for i, name := range slower {
		patterns[i] = regexp.QuoteMeta(name)
	}
	side := func(key, op, rule string) {
		w.dst = append(w.dst, key...)
		w.matcher("alertname", "=", w.alert)
		if id != "" {
			w.matcher(w.identity, "=", id)
		}
		w.matcher("rule", op, rule)
	}
	side("  - source_matchers:\n", "=", source)
	side("    target_matchers:\n", "=~", strings.Join(patterns, "|"))
	w.dst = append(append(append(w.dst, "    equal: ["...), strings.Join(w.equal, ", ")...), "]\n"...)
}

func (w *inhibitions) matcher(label, op, value string) {
	w.dst = append(w.dst, "      - "...)
	w.dst = strconv.AppendQuote(w.dst, label+op+`"`+matcherText.Replace(value)+`"`)
	w.dst = append(w.dst, '\n')
}

// matcherText escapes a value as Alertmanager reads it.
var matcherText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
