package promrules

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// The story that the unit tests tell of every objective.
const (
	cleanFor = time.Hour        // no error
	downFor  = 30 * time.Minute // nothing but errors
	fineFor  = time.Hour        // no error again
	perStep  = 1000             // events between two scrapes
	startAt  = 1_000_000        // of all counters, as if they had run for long

	maxStory = 7 * time.Hour    // of one threshold
	often    = 30 * time.Second // rules are evaluated in a test; more often costs too much
)

// AppendTests appends a file for promtool test rules that proves the rules which
// [Generate] writes for the same objectives and options into ruleFile: each alert
// fires at the evaluation at which it must and not at the one before, ends
// likewise, and is silent at a burn of exactly 1; neither silence nor an error
// series that does not exist yet leaves a NaN. The thresholds of each rule are
// tried a thousandth above them and at them, and with only one of its windows
// above, so that no threshold can be half or twice as high. What is expected is
// computed by the rules of package slo, not from the expressions.
//
// Objectives whose events promtool cannot make up are left out and named in a
// comment: native histograms, expressions, and selectors for which no series is
// found that one matches and the other does not. So are slices that are bad
// without data; of other slices the alerts are not tested. A threshold that takes
// more than seven hours to show, for the sake of For, MinCoverage or the short
// window, is not tried; nor are gauges with only one window above.
//
// promtool evaluates all rules of a file for each of its tests, so write a file for
// each objective, or for few. One with the four default rules takes about 13 s of
// processor time if evaluated every 30 s, and 9 s every minute; ten in a file take a
// hundred times as long. Rules that are evaluated more often are tested every 30 s
// where their stages permit.
func AppendTests(dst []byte, ruleFile string, slos []SLO, o Options) ([]byte, error) {
	file, err := Generate(slos, o)
	if err != nil {
		return nil, err
	}
	if o.Scrape == 0 {
		return nil, errors.New("promrules: tests need to know the scrape interval")
	}
	o.Evaluation = cmp.Or(o.Evaluation, often)
	all := make([]generator, len(slos))
	w := tester{b: dst, o: o}
	if often%o.Evaluation == 0 {
		w.o.Evaluation = often
	}
	for i := range slos {
		g := &all[i]
		*g = generator{o: o, slo: &slos[i], file: &File{}}
		g.labels = g.identity()
		g.selector = g.selects()
		if _, err := g.plan(); err != nil {
			return nil, err
		}
		if g.stage%w.o.Evaluation != 0 {
			w.o.Evaluation = o.Evaluation
		}
	}
	w.line("rule_files:")
	w.line("  - ", strconv.Quote(ruleFile))
	w.line("evaluation_interval: ", duration(w.o.Evaluation))
	w.line("group_eval_order:")
	for _, g := range file.Groups {
		w.line("  - ", strconv.Quote(g.Name))
	}
	w.line("tests:")
	for i := range all {
		w.objective(&all[i])
	}
	return w.b, nil
}

type tester struct {
	b []byte
	o Options
}

func (w *tester) line(parts ...string) {
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
	w.b = append(w.b, '\n')
}

// phase is a stretch of constant traffic: events between two scrapes.
type phase struct {
	length    time.Duration
	good, bad uint64
}

func (w *tester) objective(g *generator) {
	good, bad, why := g.slo.Events.examples()
	if why != "" {
		w.line("  # ", strconv.Quote(g.slo.ID), ": not tested, ", why)
		return
	}
	switch {
	case g.slo.Slices != nil && g.slo.Slices.NoData == slo.BadNoData:
		w.line("  # ", strconv.Quote(g.slo.ID), ": not tested, its slices before the first sample are bad")
		return
	case g.slo.Slices != nil:
		w.line("  # ", strconv.Quote(g.slo.ID), ": alerts not tested, they depend on where slices begin")
	default:
		w.story(g, "outage", good, bad, []phase{{cleanFor, perStep, 0}, {downFor, 0, perStep}, {fineFor, perStep, 0}})
		budget := g.slo.Target.Budget().Rat()
		if total := budget.Denom(); total.IsUint64() && total.Uint64() <= 1e6 {
			n := budget.Num().Uint64()
			w.story(g, "burn of exactly 1", good, bad, []phase{{cleanFor, total.Uint64() - n, n}})
		}
		for i := range g.slo.Policy.Rules {
			w.thresholds(g, &g.slo.Policy.Rules[i], good, bad)
		}
	}
	quiet := []phase{{cleanFor, perStep, 0}, {downFor, 0, 0}, {cleanFor, perStep, 0}}
	w.calm(g, "silence", quiet, append(slices.Clone(good), bad...))
	w.calm(g, "no errors yet", quiet[:1], good)
}

// thresholds writes tests that a rule passes with no other thresholds than its own,
// neither half nor twice as high: at a ratio of errors that is the least above it,
// at one that is not above it, and where one of its windows is above and the other
// one below.
func (w *tester) thresholds(g *generator, r *slo.Rule, good, bad []counted) {
	limit := r.Threshold(g.slo.Target)
	if r.Kind == slo.Silence || limit.Sign() <= 0 {
		return
	}
	least := 2 * max(g.stage, w.o.Scrape, w.o.Evaluation)
	lead := max(least, time.Duration(g.stagesWanted(r))*g.stage) + r.For
	if lead > maxStory {
		w.line("  # ", strconv.Quote(g.slo.ID+": "+r.Name), ": its threshold is not tested, that takes ", duration(lead))
		return
	}
	// At n of total errors the rule does not fire yet, at one more it does.
	total, exact := uint64(1), limit.Rat()
	for exact.Cmp(big.NewRat(1000, 1)) < 0 && total < 1e12 {
		total *= 10
		exact.Mul(exact, big.NewRat(10, 1))
	}
	n := new(big.Int).Quo(exact.Num(), exact.Denom()).Uint64()
	w.story(g, r.Name+": just above its threshold", good, bad, []phase{{lead, total - n - 1, n + 1}})
	w.story(g, r.Name+": at its threshold", good, bad, []phase{{lead, total - n, n}})

	// The long window remembers events that the short one has forgotten, and they
	// are ten times as many as those that came later.
	after := r.Short + least
	weight := uint64(10*after/least) + 1
	if r.Short == 0 || lead+after > maxStory || good[0].gauge || total > 1<<53/weight/uint64(lead/w.o.Scrape+1) {
		return
	}
	above, below := n+min(n, total-n)/2, n-n/4
	apart := func(name string, before, later uint64) {
		w.story(g, r.Name+": "+name, good, bad, []phase{{least, weight * (total - before), weight * before}, {after, total - later, later}})
	}
	apart("only the long window above its threshold", above, below)
	apart("only the short window above its threshold", below, above)
}

// story writes a test of the alerts over the phases: at each evaluation at which
// one of them begins or ends, and at the one before.
func (w *tester) story(g *generator, name string, good, bad []counted, phases []phase) {
	w.begin(g, name)
	w.series(good, phases)
	w.series(bad, phases)
	w.line("    promql_expr_test:")
	var end time.Duration
	for _, p := range phases {
		end += p.length
	}
	before := []string(nil)
	states := newForecast(g, phases, w.o)
	for at := time.Duration(0); at <= end; at += w.o.Evaluation {
		now := states.firing(at)
		if changed := !slices.Equal(now, before); changed || at == end {
			if changed && at > 0 {
				w.firing(g, at-w.o.Evaluation, before)
			}
			w.firing(g, at, now)
		}
		before = now
	}
}

// calm writes a test that nothing fires but rules for silence, and that the budget
// is whole.
func (w *tester) calm(g *generator, name string, phases []phase, of []counted) {
	w.begin(g, name)
	w.series(of, phases)
	w.line("    promql_expr_test:")
	states := newForecast(g, phases, w.o)
	var at, end time.Duration
	for _, p := range phases {
		var firing []string
		for end += p.length; at <= end; at += w.o.Evaluation {
			firing = states.firing(at)
		}
		at := at - w.o.Evaluation
		w.firing(g, at, firing)
		w.expr(at, "count("+g.ratioName(g.current)+g.selector+" != "+g.ratioName(g.current)+g.selector+")") // NaN alone differs from itself
		w.line("        exp_samples: []")
		if g.period > 0 && g.o.Names == Sloth {
			w.expr(at, "sum(slo:period_error_budget_remaining:ratio"+g.selector+")")
			w.line("        exp_samples:")
			w.line("          - labels: '{}'")
			w.line("            value: 1")
		}
	}
}

func (w *tester) begin(g *generator, name string) {
	w.line("  - name: ", strconv.Quote(g.slo.ID+": "+name))
	w.line("    interval: ", duration(w.o.Scrape))
	w.line("    input_series:")
}

func (w *tester) expr(at time.Duration, expr string) {
	w.line("      - expr: ", strconv.Quote(expr))
	w.line("        eval_time: ", duration(at))
}

func (w *tester) firing(g *generator, at time.Duration, rules []string) {
	name, value := g.labels[0].Name, g.labels[0].Value
	for _, l := range g.labels {
		if l.Name == "sloth_id" || l.Name == "slo" {
			name, value = l.Name, l.Value
		}
	}
	w.expr(at, `count by (rule) (ALERTS{alertstate="firing",rule!="",`+name+`=`+strconv.Quote(value)+`})`)
	if len(rules) == 0 {
		w.line("        exp_samples: []")
		return
	}
	w.line("        exp_samples:")
	for _, r := range rules {
		w.line("          - labels: ", strconv.Quote("{rule="+strconv.Quote(r)+"}"))
		w.line("            value: 1")
	}
}

// series writes counters over the phases, one sample per scrape and one at 0, which
// gauges have not.
func (w *tester) series(all []counted, phases []phase) {
	for _, c := range all {
		w.line("      - series: ", strconv.Quote(c.String()))
		value := uint64(startAt)
		values := []string{strconv.Itoa(startAt)}
		if c.gauge {
			values[0] = "_" // it would be an event of no phase
		}
		var from time.Duration
		for _, p := range phases {
			n := int((from+p.length)/w.o.Scrape - from/w.o.Scrape)
			from += p.length
			step := c.step(p)
			if c.gauge && p.good+p.bad == 0 {
				values = append(values, fmt.Sprintf("_x%d", n))
				continue
			}
			if c.gauge {
				values = append(values, fmt.Sprintf("%s+0x%d", up(p), n-1))
				continue
			}
			values = append(values, fmt.Sprintf("%d+%dx%d", value+step, step, n-1))
			value += step * uint64(n)
		}
		w.line("        values: ", strconv.Quote(strings.Join(values, " ")))
	}
}

// counted is a series and what it counts.
type counted struct {
	series
	good, bad bool // which events
	gauge     bool // 1 while there are good ones
}

// up is the mean of many gauges that are 1 for good events and 0 for bad ones.
func up(p phase) string {
	return strconv.FormatFloat(float64(p.good)/float64(p.good+p.bad), 'f', -1, 64)
}

func (c counted) step(p phase) uint64 {
	var n uint64
	if c.good {
		n += p.good
	}
	if c.bad {
		n += p.bad
	}
	return n
}

// examples returns the series that exist from the start and those that come with
// the first bad event; why says what keeps them from being made up.
func (e Events) examples() (good, bad []counted, why string) {
	read := func(text string) (s selector) {
		if why == "" && isExpression(text) {
			why = "an expression hides what is counted"
		}
		if why == "" {
			if _, err := scanSelector(text, &s); err != nil {
				why = err.Error()
			}
		}
		return s
	}
	series := func(without *selector, match ...selector) (s series) {
		if why != "" {
			return s
		}
		s, ok := example(match, without)
		if !ok {
			why = "no series was found that " + match[0].name + " can be told by"
		}
		return s
	}
	switch {
	case e.ErrorRatio != "":
		return nil, nil, "an expression hides what is counted"
	case e.Latency != nil && e.Latency.Native:
		return nil, nil, "promtool makes up no native histograms"
	case e.Latency != nil:
		le := boundTexts(e.Latency.Limit.Float64())[0]
		count := series(nil, read(suffixed(e.Latency.Histogram, "_count")))
		bucket := count
		bucket.name = strings.TrimSuffix(count.name, "_count") + "_bucket"
		bucket.labels = append(slices.Clone(count.labels), Label{"le", le})
		return []counted{{series: count, good: true, bad: true}, {series: bucket, good: true}}, nil, why
	case e.Up != "":
		up := read(e.Up)
		return []counted{{series: series(nil, up), good: true, gauge: true}}, nil, why
	case e.Total == "":
		b, g := read(e.Bad), read(e.Good)
		return []counted{{series: series(&b, g), good: true}}, []counted{{series: series(&g, b), bad: true}}, why
	case e.Good == "":
		b, t := read(e.Bad), read(e.Total)
		if b.name != t.name {
			return []counted{{series: series(nil, t), good: true, bad: true}}, []counted{{series: series(nil, b), bad: true}}, why
		}
		return []counted{{series: series(&b, t), good: true}}, []counted{{series: series(nil, b, t), bad: true}}, why
	default:
		g, t := read(e.Good), read(e.Total)
		if g.name != t.name {
			return []counted{{series: series(nil, t), good: true, bad: true}, {series: series(nil, g), good: true}}, nil, why
		}
		return []counted{{series: series(nil, g, t), good: true}}, []counted{{series: series(&g, t), bad: true}}, why
	}
}

// forecast says which alerts must fire over some phases, from the definition of
// the rules and the events alone.
type forecast struct {
	g      *generator
	phases []phase
	o      Options
	alerts []alert // by rule
}

func newForecast(g *generator, phases []phase, o Options) *forecast {
	return &forecast{g: g, phases: phases, o: o, alerts: make([]alert, len(g.slo.Policy.Rules))}
}

// firing returns the rules whose alert fires at an evaluation, sorted. The
// evaluations must be asked for in order.
func (f *forecast) firing(at time.Duration) []string {
	var out []string
	for i, r := range f.g.slo.Policy.Rules {
		a := &f.alerts[i]
		decisions, err := slo.Policy{Rules: []slo.Rule{r}}.Decide(f.g.slo.Target, func(w time.Duration) slo.Counts { return f.counts(w, at) })
		a.step(at, err == nil && decisions[0].Holds && f.isCovered(r, at), r)
		if a.fires {
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return out
}

// alert follows one alert as Prometheus does.
type alert struct {
	holds, fires bool
	since        time.Duration // when holds changed last
}

func (a *alert) step(at time.Duration, holds bool, r slo.Rule) {
	if holds != a.holds {
		a.holds, a.since = holds, at
	}
	if holds {
		a.fires = a.fires || at-a.since >= r.For
	} else {
		a.fires = a.fires && at-a.since < r.KeepFiringFor
	}
}

// isCovered reports whether enough of the long window was recorded: the stages
// that end in (at − long, at], from 0 on, where gauges have no sample yet.
func (f *forecast) isCovered(r slo.Rule, at time.Duration) bool {
	n := f.g.stagesWanted(&r)
	if n == 0 {
		return true
	}
	ended := func(until time.Duration) int64 {
		switch {
		case until < 0:
			return 0
		case f.g.slo.Events.Up != "":
			return int64(until / f.g.stage)
		}
		return int64(until/f.g.stage) + 1
	}
	return ended(at)-ended(at-r.Long) >= n
}

// counts returns the events whose scrape lies in the window (at − w, at], where a
// staged window ends with the last whole stage.
func (f *forecast) counts(w, at time.Duration) slo.Counts {
	if f.g.isStaged(w) {
		at -= at % f.g.stage
	}
	var c slo.Counts
	var from time.Duration
	for _, p := range f.phases {
		to := from + p.length
		n := uint64(max(0, f.scrapes(min(at, to))-f.scrapes(max(at-w, from))))
		c.Good += n * p.good
		c.Total += n * (p.good + p.bad)
		from = to
	}
	return c
}

func (f *forecast) scrapes(until time.Duration) int64 { return int64(max(0, until) / f.o.Scrape) }
