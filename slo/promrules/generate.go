package promrules

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/slo"
)

const (
	maxStage  = 5 * time.Minute // the longest delay that staging may cost
	stageFrom = 2 * time.Hour   // the shortest window that is staged: that of the fastest page must not lag
	current   = 5 * time.Minute // the window of "the burn rate now", as dashboards expect it
	lookback  = 5 * time.Minute // after which Prometheus forgets a sample (query.lookback-delta)
)

// Generate writes the rules of some objectives, in their order. All problems are
// joined, see [SLO.Validate].
func Generate(slos []SLO, o Options) (*File, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.Evaluation = cmp.Or(o.Evaluation, 30*time.Second)
	o.AbsentFor = cmp.Or(o.AbsentFor, 10*time.Minute)
	o.Alert = cmp.Or(o.Alert, "ErrorBudgetBurn")
	g := generator{o: o, file: &File{Groups: make([]Group, 0, 3*len(slos))}}
	var errs []error
	seen := map[string]bool{}
	for i := range slos {
		s := &slos[i]
		key := s.slothID()
		if o.Names == Pyrra {
			key = s.ID
		}
		if seen[key] {
			errs = append(errs, &RuleError{Objective: s.ID, Want: "series of its own: another objective has the same " + strconv.Quote(key)})
			continue
		}
		seen[key] = true
		if err := errors.Join(s.Validate(), s.blind(o.Scrape)); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := g.objective(s); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return g.file, nil
}

func (o Options) validate() error {
	var errs []error
	if !isInterval(o.Scrape) {
		errs = append(errs, fmt.Errorf("promrules: scrape interval %v: want whole milliseconds, below the %v after which Prometheus forgets a sample", o.Scrape, lookback))
	}
	if !isInterval(o.Evaluation) {
		errs = append(errs, fmt.Errorf("promrules: evaluation interval %v: want whole milliseconds, below the %v after which Prometheus forgets a sample", o.Evaluation, lookback))
	}
	if !utf8.ValidString(o.Alert) {
		errs = append(errs, fmt.Errorf("promrules: alert %q: want text in UTF-8", o.Alert))
	}
	if o.Names > Pyrra {
		errs = append(errs, fmt.Errorf("promrules: names %d: want Sloth or Pyrra", o.Names))
	}
	return errors.Join(errs...)
}

func isInterval(d time.Duration) bool { return d >= 0 && d < lookback && d%time.Millisecond == 0 }

// generator writes the rules of one objective after another. The texts of an
// objective share one buffer.
type generator struct {
	o    Options
	file *File
	text strings.Builder
	from int

	slo           *SLO
	labels        []Label       // of all its series
	selector      string        // that selects them
	by            string        // grouping labels
	metric        string        // base of Pyrra's names
	bucket, count string        // of a classic histogram
	current       time.Duration // the window of its burn rate now
	stage         time.Duration
	period        time.Duration   // the rolling window of its budget, 0 for none
	further       []time.Duration // rolling windows beside it
	rounds        bool            // ratios are compared rounded
	rules         []Rule

	// Texts that are needed more than once.
	windowNames      []windowName
	badText, allText string // of badName and totalName
	objectiveDecimal string
	budgetDecimal    string
	percent          string
	ruleLabels       []Label // of the rules written so far, one behind another
}

// windowName is how a window is written and the series of its error ratio.
type windowName struct {
	window      time.Duration
	text, ratio string
}

// str appends to the text of the current expression.
func (g *generator) str(parts ...string) {
	for _, p := range parts {
		g.text.WriteString(p)
	}
}

// duration and seconds append what the functions of these names write.
func (g *generator) duration(d time.Duration) {
	var b [32]byte
	g.text.Write(appendDuration(b[:0], d))
}

func (g *generator) seconds(d time.Duration) {
	var b [32]byte
	g.text.Write(appendSeconds(b[:0], d))
}

// decimal appends the decimal text of a number.
func (g *generator) decimal(r slo.Ratio) {
	var b [32]byte
	g.text.Write(r.AppendDecimal(b[:0]))
}

// cut returns the text since the last cut.
func (g *generator) cut() string {
	s := g.text.String()[g.from:]
	g.from = g.text.Len()
	return s
}

func (g *generator) objective(s *SLO) error {
	g.slo = s
	g.text = strings.Builder{}
	g.text.Grow(8 << 10)
	g.from = 0
	g.by = strings.Join(s.Events.By, ", ")
	g.bucket, g.count = "", ""
	if l := s.Events.Latency; l != nil && !l.Native {
		g.bucket, g.count = l.bucket(), suffixed(l.Histogram, "_count")
	}
	g.metric = s.metric()
	g.labels = g.identity()
	g.selector = g.selects()
	windows, err := g.plan()
	if err != nil {
		return err
	}
	g.rounds = g.mayRound()
	g.notes(windows)
	g.nameAll(windows)

	n := len(windows) + 12 + len(g.further) + len(s.Policy.Rules)
	g.rules = make([]Rule, 0, n)
	g.ruleLabels = make([]Label, 0, (len(windows)+len(g.further))*(len(g.labels)+1)+len(s.Policy.Rules)*(len(g.labels)+9+len(s.Annotations))+3*len(g.labels)+13)
	g.stageRules()
	for _, w := range windows {
		g.ratioRule(w)
	}
	g.group("sli", g.o.Evaluation)
	g.periodRules(windows)
	// What is summed from stages need not be summed more often than they end, but
	// must not be forgotten in between.
	g.group("budget", max(g.o.Evaluation, min(g.stage, lookback/2)))
	g.alertRules()
	g.group("alerts", g.o.Evaluation)
	return nil
}

// plan chooses windows and stage.
func (g *generator) plan() (windows []time.Duration, err error) {
	s := g.slo
	g.period, g.further, g.current = 0, nil, current
	for _, w := range s.Windows {
		switch length := w.Nominal().Truncate(time.Millisecond); {
		case !w.IsRolling():
		case g.period == 0:
			g.period = length
		case length > 0 && length != g.period && !slices.Contains(g.further, length):
			g.further = append(g.further, length)
		}
	}
	if s.Slices != nil {
		g.current = max(current, s.Slices.Length)
	}
	windows = g.windows()
	if err := g.chooseStage(windows); err != nil {
		return nil, err
	}
	for _, r := range s.Policy.Rules {
		shortest := r.Long
		if r.Short > 0 {
			shortest = r.Short
		}
		switch {
		case shortest < time.Millisecond:
			return nil, &RuleError{Objective: s.ID, Rule: r.Name, Want: "windows of a millisecond and more"}
		case s.Slices != nil && shortest < s.Slices.Length:
			return nil, &RuleError{Objective: s.ID, Rule: r.Name, Want: fmt.Sprintf("no window shorter than a slice of %v", s.Slices.Length)}
		case s.Policy.MinCoverage.Sign() > 0 && r.Kind != slo.Silence && (g.stage == 0 || r.Long < g.stage):
			return nil, &RuleError{Objective: s.ID, Rule: r.Name, Want: "no min_coverage: what is counted are the stages in the long window, and there are none"}
		}
	}
	return windows, nil
}

// nameAll makes the texts that the rules have in common.
func (g *generator) nameAll(windows []time.Duration) {
	g.windowNames = slices.Grow(g.windowNames[:0], len(windows)+1)
	name := func(w time.Duration) {
		g.ratioPrefix()
		prefix := g.text.Len() - g.from
		g.duration(w)
		ratio := g.cut()
		g.windowNames = append(g.windowNames, windowName{w, ratio[prefix:], ratio})
	}
	for _, w := range windows {
		name(w)
	}
	if g.period > 0 && !slices.Contains(windows, g.period) {
		name(g.period)
	}
	for _, w := range g.further {
		if !slices.Contains(windows, w) {
			name(w)
		}
	}
	g.badText, g.allText = g.stageName("bad"), g.stageName("total")
	g.decimal(g.slo.Target.Ratio())
	g.objectiveDecimal = g.cut()
	g.decimal(g.slo.Target.Budget())
	g.budgetDecimal = g.cut()
	g.percent = g.slo.Target.Percent()
}

// group makes a group of the rules written since the last one.
func (g *generator) group(what string, interval time.Duration) {
	if len(g.rules) == 0 {
		return
	}
	g.str("slo-", g.service(), "-", g.slo.ID, "-", what)
	g.file.Groups = append(g.file.Groups, Group{Name: g.cut(), Interval: interval, Rules: g.rules})
	g.rules = g.rules[len(g.rules):]
}

// windows are those of the policy and that of the current burn rate, ascending.
func (g *generator) windows() []time.Duration {
	windows := make([]time.Duration, 1, 1+2*len(g.slo.Policy.Rules))
	windows[0] = g.current
	for _, r := range g.slo.Policy.Rules {
		windows = append(windows, r.Long.Truncate(time.Millisecond))
		if r.Short > 0 {
			windows = append(windows, r.Short.Truncate(time.Millisecond))
		}
	}
	slices.Sort(windows)
	return slices.Compact(windows)
}

// chooseStage takes the longest stage that fits into every long window and is
// made of whole evaluations; 0 if there is none. Slices are their own stage.
func (g *generator) chooseStage(windows []time.Duration) error {
	g.stage = 0
	if s := g.slo.Slices; s != nil {
		if !g.slo.Events.staged() || g.o.Scrape == 0 || s.Length%g.o.Evaluation != 0 || s.Length < g.o.Scrape {
			return &RuleError{Objective: g.slo.ID, Want: fmt.Sprintf("for slices of %v counted events, a scrape interval up to it and an evaluation interval that divides it", s.Length)}
		}
		if s.NoData != slo.ExcludeNoData && len(g.slo.Events.By) > 0 {
			return &RuleError{Objective: g.slo.ID, Want: "no labels to judge apart where slices without data count: nobody knows which are missing"}
		}
		g.stage = s.Length
		return nil
	}
	if g.o.Scrape == 0 || g.o.Direct || !g.slo.Events.staged() {
		return nil
	}
	var common time.Duration
	for _, w := range windows {
		if w >= stageFrom {
			common = gcd(common, w)
		}
	}
	for _, w := range append([]time.Duration{g.period}, g.further...) {
		if w >= stageFrom {
			common = gcd(common, w)
		}
	}
	if common == 0 {
		return nil // nothing is long
	}
	for stage := maxStage; stage >= max(g.o.Scrape, g.o.Evaluation); stage -= time.Second {
		if common%stage == 0 && stage%g.o.Evaluation == 0 {
			g.stage = stage
			return nil
		}
	}
	return nil
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (g *generator) isStaged(w time.Duration) bool {
	return g.stage > 0 && (g.slo.Slices != nil || w >= stageFrom)
}

// notes collects what is unwise.
func (g *generator) notes(windows []time.Duration) {
	note := func(code, text string) {
		g.file.Notes = append(g.file.Notes, slo.Finding{Level: slo.Warning, Code: code, Text: g.slo.ID + ": " + text})
	}
	if g.o.Scrape == 0 {
		note("no_scrape", "the scrape interval is not known: ranges are not compensated and nothing is staged")
	} else if g.stage == 0 && !g.o.Direct && windows[len(windows)-1] >= stageFrom {
		note("not_staged", "the long windows have no common stage of whole evaluations: raw samples are read")
	}
	if g.period == 0 {
		note("calendar", "Prometheus has no calendar: no series about the period are written")
	} else {
		g.windowNotes(note)
	}
	for _, text := range g.slo.Events.rates() {
		note("rate_counted", text)
	}
	for _, r := range g.slo.Policy.Rules {
		if g.o.Scrape > 0 && r.Short > 0 && r.Short < 4*g.o.Scrape {
			note("short_scrape", fmt.Sprintf("rule %s: short window %v is below four scrape intervals of %v", r.Name, r.Short, g.o.Scrape))
		}
	}
}

// windowNotes tell which windows have less than all series: the names of those
// about the period have room for one.
func (g *generator) windowNotes(note func(code, text string)) {
	for _, w := range g.slo.Windows {
		if !w.IsRolling() {
			note("window_not_recorded", "window "+w.Kind()+": Prometheus has no calendar: no series about it are written")
		}
	}
	for _, w := range g.further {
		note("further_window", "window "+duration(w)+": its error ratio is recorded, the series about the period are those of "+duration(g.period))
	}
}

func (g *generator) record(name string, labels []Label) {
	g.rules = append(g.rules, Rule{Record: name, Expr: g.cut(), Labels: labels})
}

// stageRules record what long windows are summed from.
func (g *generator) stageRules() {
	switch {
	case g.stage == 0:
	case g.slo.Slices != nil:
		g.sliceRules()
	default:
		g.total(g.stage)
		g.record(g.totalName(), g.labels)
		g.bad(g.stage)
		g.record(g.badName(), g.labels)
	}
}

// sliceRules record for each slice whether it counts and whether it is bad: if
// its error ratio exceeds what its target leaves.
func (g *generator) sliceRules() {
	s := g.slo.Slices
	filler := func(n string) {
		if s.NoData != slo.ExcludeNoData {
			g.str("\nor on ()\nvector(", n, ")")
		}
	}
	g.str("(\n")
	g.directRatio(s.Length)
	g.str("\n) * 0 + 1")
	filler("1")
	g.record(g.totalName(), g.labels)
	g.str("(\n")
	g.openRatio()
	g.directRatio(s.Length)
	g.closeRatio()
	g.str("\n) > bool ", s.Target.Budget().Decimal())
	bad := "0"
	if s.NoData == slo.BadNoData {
		bad = "1"
	}
	filler(bad)
	g.record(g.badName(), g.labels)
}

// ratioRule records the error ratio of a window. Without events there is none.
func (g *generator) ratioRule(w time.Duration) {
	g.ratio(w)
	g.record(g.ratioName(w), g.with(g.windowLabel(), g.windowText(w)))
}

func (g *generator) windowLabel() string {
	if g.o.Names == Pyrra {
		return "window"
	}
	return "sloth_window"
}

func (g *generator) ratio(w time.Duration) {
	switch {
	case g.slo.Events.ErrorRatio != "":
		g.expression(w, g.slo.Events.ErrorRatio)
	case g.stage == w:
		g.str(g.badName(), g.selector, "\n/\n(", g.totalName(), g.selector, " > 0)")
	case g.isStaged(w):
		g.sumOfStages(g.badName(), w)
		g.str("\n/\n(")
		g.sumOfStages(g.totalName(), w)
		g.str(" > 0)")
	default:
		g.directRatio(w)
	}
}

// openRatio and closeRatio round a ratio before it is compared. A ratio of whole
// numbers needs it not, but what is left of scaling after a reset, in an expression
// or in a native histogram exceeds a threshold in the sixteenth digit where both are
// the same. What is recorded is not rounded.
func (g *generator) openRatio() {
	if g.rounds {
		g.str("round(")
	}
}

func (g *generator) closeRatio() {
	if g.rounds {
		g.str(", 1e-14)")
	}
}

// maxDecimals of a ratio are compared. The inverse of 1e-14 is exact in floating point,
// as the function round needs it, and that of 1e-15 is not.
const maxDecimals = 14

// mayRound reports whether a ratio that equals the threshold of a rule decides the
// same after rounding: a threshold of 0.00046666… would be exceeded.
func (g *generator) mayRound() bool {
	var b [64]byte
	for i := range g.slo.Policy.Rules {
		r := &g.slo.Policy.Rules[i]
		_, decimals, _ := bytes.Cut(r.Threshold(g.slo.Target).AppendDecimal(b[:0]), []byte("."))
		if len(decimals) > maxDecimals && (decimals[maxDecimals] >= '5' || r.Kind == slo.AbsoluteCount) {
			return false
		}
	}
	return true
}

func (g *generator) directRatio(w time.Duration) {
	g.str("(")
	g.bad(w)
	g.str(")\n/\n(")
	if g.slo.Events.Total == "" && g.slo.Events.Good != "" {
		g.str("(")
		g.total(w)
		g.str(")")
	} else {
		g.total(w)
	}
	g.str(" > 0)")
}

// sumOfStages sums a recorded series over a window.
func (g *generator) sumOfStages(name string, w time.Duration) {
	g.str("sum_over_time(", name, g.selector)
	g.subquery(w)
	g.str(")")
}

// subquery appends the range of a sum of stages.
func (g *generator) subquery(w time.Duration) {
	g.str("[")
	g.duration(shortened(w))
	g.str(":")
	g.duration(g.stage)
	g.str("]")
}
