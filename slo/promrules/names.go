package promrules

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Label is a name and its value.
type Label struct{ Name, Value string }

// identity returns the labels that tell the series of an objective from others,
// sorted, with its own labels among them.
func (g *generator) identity() []Label {
	labels := make([]Label, 0, 3+len(g.slo.Labels))
	if g.o.Names == Pyrra {
		labels = append(labels, Label{"slo", g.slo.ID})
	} else {
		service := g.service()
		labels = append(labels, Label{"sloth_id", g.slo.slothID()}, Label{"sloth_service", service}, Label{"sloth_slo", g.slo.ID})
	}
	if len(g.slo.Labels) == 0 {
		return labels
	}
	for name, value := range g.slo.Labels {
		labels = append(labels, Label{name, value})
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return labels
}

// selects returns the matchers that select the series of the objective.
func (g *generator) selects() string {
	if g.o.Names == Pyrra {
		return "{slo=" + strconv.Quote(g.slo.ID) + "}"
	}
	return "{sloth_id=" + strconv.Quote(g.slo.slothID()) + "}"
}

func (g *generator) service() string { return cmp.Or(g.slo.Service, g.slo.ID) }

// slothID is the name of an objective among all services.
func (s *SLO) slothID() string { return cmp.Or(s.Service, s.ID) + "-" + s.ID }

// with returns the identity with one more label in its place.
func (g *generator) with(name, value string) []Label {
	at, _ := slices.BinarySearchFunc(g.labels, name, func(l Label, name string) int { return strings.Compare(l.Name, name) })
	from := len(g.ruleLabels)
	g.ruleLabels = append(append(append(g.ruleLabels, g.labels[:at]...), Label{name, value}), g.labels[at:]...)
	return g.labelsFrom(from)
}

// withAll returns the identity with more labels, which are sorted, in their
// places.
func (g *generator) withAll(more []Label) []Label {
	from := len(g.ruleLabels)
	for _, l := range g.labels {
		for len(more) > 0 && more[0].Name < l.Name {
			g.ruleLabels, more = append(g.ruleLabels, more[0]), more[1:]
		}
		g.ruleLabels = append(g.ruleLabels, l)
	}
	g.ruleLabels = append(g.ruleLabels, more...)
	return g.labelsFrom(from)
}

// labelsFrom returns the labels of rules from a place on, as a list of its own.
func (g *generator) labelsFrom(from int) []Label {
	return g.ruleLabels[from:len(g.ruleLabels):len(g.ruleLabels)]
}

// own are the names of labels and annotations that the rules set themselves.
var own = []string{
	"slo", "sloth_id", "sloth_service", "sloth_slo", "sloth_window", "sloth_severity", "sloth_version", "sloth_mode", "sloth_objective", "sloth_spec",
	"alertname", "alertstate", "window", "severity", "rule", "long_window", "short_window", "summary", "description", "runbook_url",
}

func checkLabels(objective, field string, labels map[string]string) error {
	var errs []error
	for name, value := range labels {
		if err := checkLabel(objective, field, name); err != nil {
			errs = append(errs, err)
		} else if !utf8.ValidString(value) {
			errs = append(errs, &EventsError{Objective: objective, Field: field + "." + name, Text: value, Want: "text in UTF-8"})
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// checkLabel reports a name that no label can have or that the rules need.
func checkLabel(objective, field, name string) error {
	s := scan{text: name}
	s.word(false)
	switch {
	case s.pos == 0 || s.pos < len(name) || strings.HasPrefix(name, "__"):
		return &EventsError{Objective: objective, Field: field, Text: name, Offset: s.pos, Want: "a label name"}
	case slices.Contains(own, name):
		return &EventsError{Objective: objective, Field: field, Text: name, Want: "a name that the rules do not set themselves"}
	}
	return nil
}

// ratioName is the series of the error ratio in a window.
func (g *generator) ratioName(w time.Duration) string {
	for i := range g.windowNames {
		if n := &g.windowNames[i]; n.window == w {
			return n.ratio
		}
	}
	if g.o.Names == Pyrra {
		return g.metric + pyrraRatio + duration(w)
	}
	return slothRatio + duration(w)
}

const (
	slothRatio = "slo:sli_error:ratio_rate"
	pyrraRatio = ":burnrate"
)

// ratioPrefix appends what ratioName begins with.
func (g *generator) ratioPrefix() {
	if g.o.Names == Pyrra {
		g.str(g.metric, pyrraRatio)
		return
	}
	g.str(slothRatio)
}

// windowText is how a window is written.
func (g *generator) windowText(w time.Duration) string {
	for i := range g.windowNames {
		if n := &g.windowNames[i]; n.window == w {
			return n.text
		}
	}
	return duration(w)
}

// badName and totalName are the series that long windows are summed from.
func (g *generator) badName() string   { return g.badText }
func (g *generator) totalName() string { return g.allText }

// stageName must be called between two expressions.
func (g *generator) stageName(what string) string {
	g.str("slo:sli_", what)
	if g.slo.Slices != nil {
		g.str(":slices")
	} else {
		g.str(":increase")
	}
	g.duration(g.stage)
	return g.cut()
}

// duration writes a duration as Prometheus and its tools do, "5m29s999ms": whole
// years and weeks are "1y" and "4w", but ten days are "10d". Below a millisecond
// it is cut.
func duration(d time.Duration) string {
	var b [32]byte
	return string(appendDuration(b[:0], d))
}

func appendDuration(dst []byte, d time.Duration) []byte {
	const day = 24 * time.Hour
	switch {
	case d < time.Millisecond:
		return append(dst, "0s"...)
	case d%(365*day) == 0:
		return append(strconv.AppendInt(dst, int64(d/(365*day)), 10), 'y')
	case d%(7*day) == 0:
		return append(strconv.AppendInt(dst, int64(d/(7*day)), 10), 'w')
	}
	unit := func(n time.Duration, name string) {
		if n > 0 {
			dst = append(strconv.AppendInt(dst, int64(n), 10), name...)
		}
	}
	unit(d/day, "d")
	unit(d%day/time.Hour, "h")
	unit(d%time.Hour/time.Minute, "m")
	unit(d%time.Minute/time.Second, "s")
	unit(d%time.Second/time.Millisecond, "ms")
	return dst
}

// appendSeconds writes a duration in decimal seconds, cut to milliseconds:
// "329.999".
func appendSeconds(out []byte, d time.Duration) []byte {
	out = strconv.AppendInt(out, int64(d/time.Second), 10)
	if ms := int64(d % time.Second / time.Millisecond); ms > 0 {
		out = append(out, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		for out[len(out)-1] == '0' {
			out = out[:len(out)-1]
		}
	}
	return out
}
