package correlation

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/incident"
)

// Composite is one item that stands for many alerts: an open or lingering
// instance of a rule with CREATE.
type Composite struct {
	// ID depends on the tenant, the rule, the BY values and the event time of
	// the change that opened it, so a replay gives the same.
	ID       string            `json:"id"`
	Rule     string            `json:"rule"`
	Title    string            `json:"title"`
	Tenant   string            `json:"tenant,omitempty"`
	By       Labels            `json:"by"`
	Labels   Labels            `json:"labels"` // of the composite as an alert: By and those of the rule
	Severity incident.Severity `json:"severity,omitempty"`
	Since    time.Time         `json:"since"` // engine time of the opening
	// Lingers is set while the conditions do not hold any more: the instant at
	// which the composite closes unless they hold again.
	Lingers time.Time `json:"lingers,omitzero"`
	// Evidence and Suppressed are printed alerts, sorted. Evidence of a lingering
	// composite is that of its last moment. With [Options].WholeLife they are all
	// that have been since it opened.
	Evidence   []string `json:"evidence"`
	Suppressed []string `json:"suppressed"`
	// SuppressedBy names the rules that hide the composite itself, sorted.
	SuppressedBy []string `json:"suppressed_by,omitempty"`
}

// view copies an instance with a composite for a reader.
func (i *instance) view() *Composite {
	c := &Composite{
		ID: i.id(), Rule: i.rule.Name, Tenant: i.sp.tenant, By: i.by(), Labels: i.composite.labels.list(),
		Severity: i.severity(), Since: instant.Time(i.since), SuppressedBy: i.composite.reasons(),
	}
	if i.state == lingering {
		c.Lingers = instant.Time(i.lingerEnds)
	}
	if i.life != nil {
		c.Evidence, c.Suppressed = sortedNames(i.life.evidence), sortedNames(i.life.suppressed)
		c.Title = i.title(i.witnesses())
		return c
	}
	evidence := i.evidence()
	c.Evidence = make([]string, len(evidence))
	for n := range evidence {
		c.Evidence[n] = evidence[n].text()
	}
	c.Suppressed = []string{}
	for _, m := range i.members {
		if m.hidden && !m.a.released && !i.isMute() {
			c.Suppressed = append(c.Suppressed, m.a.text())
		}
	}
	slices.Sort(c.Suppressed)
	c.Title = i.title(evidence)
	return c
}

// by returns the BY values as labels.
func (i *instance) by() Labels {
	l := make(Labels, 0, len(i.rule.By))
	for n, value := range i.values() {
		if value != "" {
			l = append(l, Label{i.rule.By[n], value})
		}
	}
	l.sort()
	return l
}

// id names the composite: by tenant, rule, BY values and the event that opened it.
func (i *instance) id() string {
	var b []byte
	b = prefixed.Append(b, i.sp.tenant)
	b = prefixed.Append(b, i.rule.Name)
	b = append(b, i.key...)
	b = prefixed.Append(b, strconv.FormatInt(instant.Time(i.opened).UnixNano(), 10))
	return shortHash(b)
}

// text is the printed form of the alert.
func (w *witness) text() string {
	if w.printed == "" {
		w.printed = printed(w.Name, len(w.Labels), w.Labels.all())
	}
	return w.printed
}

// sortWitnesses sorts by printed form, of which each is made once, then exactly.
func sortWitnesses(list []witness) {
	for n := range list {
		list[n].text()
	}
	slices.SortFunc(list, func(a, b witness) int {
		if c := strings.Compare(a.printed, b.printed); c != 0 {
			return c
		}
		return strings.Compare(string(appendKey(nil, a.Name, a.Labels)), string(appendKey(nil, b.Name, b.Labels)))
	})
}

// title fills the template of the rule. {{label}} becomes a BY value, {{d.label}}
// what the evidence bound to d has there: every value once, in order. Unknown
// names become nothing.
func (i *instance) title(evidence []witness) string {
	return expand(i.rule.title, func(name string) string {
		v, label, ok := strings.Cut(name, ".")
		if n := slices.Index(i.rule.By, name); n >= 0 {
			return i.values()[n]
		}
		cond := -1
		if ok {
			cond = i.rule.variable(v)
		}
		if cond < 0 {
			return ""
		}
		var values []string
		for _, w := range evidence {
			if x := w.Labels.Get(label); x != "" && w.Conds&(1<<cond) != 0 {
				values = append(values, x)
			}
		}
		slices.Sort(values)
		return strings.Join(slices.Compact(values), ", ")
	})
}

// variable returns the condition of a variable, -1 if there is none.
func (p *program) variable(name string) int {
	for _, v := range p.vars {
		if v.name == name {
			return v.cond
		}
	}
	return -1
}

// expand replaces every {{name}} of a template. An opening without an end
// stays as it is.
func expand(template string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			b.WriteString("{{")
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(value(strings.TrimSpace(name)))
		template = after
	}
}
