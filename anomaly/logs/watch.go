package logs

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// FindingKind is what is odd about a template in a window.
type FindingKind uint8

const (
	// New is a template that was never counted before.
	New FindingKind = iota + 1
	// Rare is a known template of which any line at all had a chance of Alpha.
	Rare
	// Surge is a template with more lines than expected.
	Surge
	// Gone is a template with no line where some were expected.
	Gone
)

var findingNames = []string{"", "new", "rare", "surge", "gone"}

// String returns new, rare, surge or gone.
func (k FindingKind) String() string { return enum.String(findingNames, "finding", uint8(k)) }

// MarshalText returns the text of String; a number without one is an error.
func (k FindingKind) MarshalText() ([]byte, error) {
	return enum.Text(findingNames, "logs", "finding", uint8(k))
}

// UnmarshalText reads what MarshalText writes.
func (k *FindingKind) UnmarshalText(text []byte) error {
	n, err := enum.Parse(findingNames, "logs", "finding", text)
	if err == nil {
		*k = FindingKind(n)
	}
	return err
}

// Finding is the verdict on one template and one window.
type Finding struct {
	Kind FindingKind `json:"kind"`
	ID   ID          `json:"template"`
	// The window is [Start, End). For Gone, Start is that of the first window without
	// a line.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Lines is how many lines there were, and Expected how many were to be expected.
	Lines    int64   `json:"lines"`
	Expected float64 `json:"expected"`
	// P is the chance of so many lines, or so few, if nothing changed. For New it is the
	// chance of so many new templates in a window.
	P float64 `json:"p"`
	// Score is ln P over ln of the share of Alpha that one template has: 1 is the
	// boundary, higher is worse. New and Rare are found below it too, for somebody to
	// read; an alarm on them wants 1.
	Score float64 `json:"score"`
}

// Alert returns logs.template_new, logs.template_rare, logs.template_surge or
// logs.template_gone: the name of the finding as an alert of a layer.
func (f Finding) Alert() string { return "logs.template_" + f.Kind.String() }

// Labels returns the identity of the finding for an alert: the id of the template
// under "template".
func (f Finding) Labels() map[string]string {
	return map[string]string{"template": strconv.FormatUint(uint64(f.ID), 10)}
}

// WatchOptions are the choices of a [Watch]. The zero value is the default of each.
type WatchOptions struct {
	// Window is the length of a window. Windows begin at multiples of it since
	// 1970-01-01 UTC. Defaults to 5 minutes.
	Window time.Duration
	// Alpha is the chance per window that anything scores 1 although nothing changed,
	// shared equally by the templates. Defaults to 0.01.
	Alpha float64
	// HalfLife is after how long what was counted weighs half. Defaults to 24 hours,
	// with a season to 4 seasons.
	HalfLife time.Duration
	// Season is the length of a cycle, such as 24 hours; the expectation then depends on
	// the part of the cycle, once three were seen. It has to be a multiple of Window.
	// Defaults to none.
	Season time.Duration
	// Parts is into how many parts a season is cut, up to 1024. Defaults to 24.
	Parts int
	// Warmup is how many windows pass before anything is found. Defaults to 12.
	Warmup int
	// Keep is for how many windows counts are kept, for Counts. Defaults to 288.
	Keep int
	// MaxTemplates is the number of templates watched; the one not seen for longest is
	// forgotten, and would be new again. Defaults to 10000.
	MaxTemplates int
}

// normal fills in the defaults.
func (o WatchOptions) normal() (WatchOptions, error) {
	bad := func(option string, value any, want string) (WatchOptions, error) {
		return WatchOptions{}, &OptionError{Option: option, Value: value, Want: want}
	}
	switch {
	case o.Window < 0 || o.Window%time.Millisecond != 0:
		return bad("Window", o.Window, "a positive number of whole milliseconds, or 0 for the default")
	case !(o.Alpha >= 0 && o.Alpha < 1):
		return bad("Alpha", o.Alpha, "a number in (0, 1), or 0 for the default")
	case o.HalfLife < 0:
		return bad("HalfLife", o.HalfLife, "a positive duration, or 0 for the default")
	case o.Season < 0:
		return bad("Season", o.Season, "a positive duration, or 0 for none")
	case o.Parts < 0 || o.Parts > 1024:
		return bad("Parts", o.Parts, "1 to 1024, or 0 for the default")
	case o.Warmup < 0 || o.Warmup > 1<<30:
		return bad("Warmup", o.Warmup, "a positive number, or 0 for the default")
	case o.Keep < 0 || o.Keep > 1<<20:
		return bad("Keep", o.Keep, "1 to 1048576, or 0 for the default")
	case o.MaxTemplates < 0 || o.MaxTemplates > 1<<24:
		return bad("MaxTemplates", o.MaxTemplates, "1 to 16777216, or 0 for the default")
	}
	if o.Window == 0 {
		o.Window = 5 * time.Minute
	}
	if o.Season%o.Window != 0 {
		return bad("Season", o.Season, "a multiple of Window")
	}
	if o.Alpha == 0 {
		o.Alpha = 0.01
	}
	if o.HalfLife == 0 {
		o.HalfLife = max(24*time.Hour, 4*o.Season)
	}
	for _, d := range []struct {
		n        *int
		standard int
	}{{&o.Parts, 24}, {&o.Warmup, 12}, {&o.Keep, 288}, {&o.MaxTemplates, 10_000}} {
		if *d.n == 0 {
			*d.n = d.standard
		}
	}
	return o, nil
}

// Watch counts lines per template and window and finds the templates that are new,
// rare, surging or gone. It is not safe for concurrent use. It reads no clock: the
// windows pass with the instants given to Add and Step.
//
// The lines of a template in a window are taken as negative binomial: a Poisson
// count whose rate is known only from a finite history (a gamma distribution from
// Jeffreys' prior), or, where the history scatters more than that, one with the
// variance of the history. A window found odd is remembered as the most lines that
// would not have been, so that an incident does not become the norm at once.
type Watch struct {
	options WatchOptions
	decay   float64 // per window

	open   int64 // number of the open window since 1970
	begun  bool
	passed int64 // windows closed
	late   int64

	series map[ID]*series
	order  []*series // by id
	fresh  history   // of the number of new templates
	births int64

	kept  [][]Count // closed windows, the latest last
	first int64     // number of kept[0]
}

// history is a weighted sum of counts.
type history struct {
	weight, sum, squares float64
}

// add takes the count of a window in, after the others have faded by decay.
func (h *history) add(decay, x float64) {
	h.weight = h.weight*decay + 1
	h.sum = h.sum*decay + x
	h.squares = h.squares*decay + x*x
}

// shape is that of the gamma distribution of the rate, for a mean of lines.
func (h *history) shape(mean float64) float64 {
	shape := h.sum + 0.5
	if h.weight >= 2 {
		m := h.sum / h.weight
		if scatter := h.squares/h.weight - m*m; m > 0 && scatter > m {
			shape = min(shape, mean/(scatter/m-1))
		}
	}
	return max(shape, 1e-3)
}

// mean is the expected count of a window.
func (h *history) mean() float64 { return (h.sum + 0.5) / max(h.weight, 1) }

// series is what is known of one template.
type series struct {
	id     ID
	all    history
	parts  []part // of the season
	lines  int64  // in the open window
	seen   int64  // number of the last window with a line
	missed float64
	isNew  bool
	gone   bool
}

// part is a part of the season.
type part struct{ weight, sum float64 }

// NewWatch returns an empty watch. A nil o means the defaults. The error is an
// [*OptionError].
func NewWatch(o *WatchOptions) (*Watch, error) {
	if o == nil {
		o = &WatchOptions{}
	}
	options, err := o.normal()
	if err != nil {
		return nil, err
	}
	return newWatch(options), nil
}

func newWatch(o WatchOptions) *Watch {
	return &Watch{
		options: o, decay: math.Exp2(-float64(o.Window) / float64(o.HalfLife)),
		series: map[ID]*series{},
	}
}

// Add counts a line that a [Miner] has learned at an instant, and follows the
// merges it made. It returns the findings of the windows that end at or before the
// instant, as Step does. A line before the open window counts in the open one. A
// line of a known template that ends no window costs no allocation.
func (w *Watch) Add(at time.Time, r Result) []Finding {
	findings := w.Step(at)
	if w.number(at) < w.open {
		w.late++
	}
	for _, from := range r.Merged {
		w.merge(from, r.ID)
	}
	s := w.series[r.ID]
	if s == nil {
		s = w.add(r.ID)
	}
	s.lines++
	return findings
}

// Late returns how many lines came after their window was closed.
func (w *Watch) Late() int64 { return w.late }

// number is that of the window of an instant.
func (w *Watch) number(at time.Time) int64 {
	// Milliseconds do for windows and never overflow where time.Time does not.
	ms, size := at.UnixMilli(), int64(w.options.Window/time.Millisecond)
	n := ms / size
	if ms%size < 0 {
		n--
	}
	return n
}

// start is the beginning of a window.
func (w *Watch) start(number int64) time.Time {
	return time.UnixMilli(number * int64(w.options.Window/time.Millisecond)).UTC()
}

// add begins to watch a template.
func (w *Watch) add(id ID) *series {
	if len(w.order) >= w.options.MaxTemplates {
		w.drop(slices.MinFunc(w.order, func(a, b *series) int {
			if a.seen != b.seen {
				return cmp(a.seen, b.seen)
			}
			return cmp(int64(a.id), int64(b.id))
		}))
	}
	s := &series{id: id, seen: w.open, isNew: true}
	if w.options.Season > 0 {
		s.parts = make([]part, w.options.Parts)
	}
	s.all.weight = w.fresh.weight // it had no line in the windows so far
	w.births++
	w.series[id] = s
	i, _ := slices.BinarySearchFunc(w.order, id, byTemplate)
	w.order = slices.Insert(w.order, i, s)
	return s
}

func byTemplate(s *series, id ID) int { return cmp(int64(s.id), int64(id)) }

// drop forgets a template.
func (w *Watch) drop(s *series) {
	delete(w.series, s.id)
	if i, ok := slices.BinarySearchFunc(w.order, s.id, byTemplate); ok {
		w.order = slices.Delete(w.order, i, i+1)
	}
}

// merge counts the lines of one template as those of another.
func (w *Watch) merge(from, to ID) {
	for i, window := range w.kept {
		j, ok := slices.BinarySearchFunc(window, from, byCount)
		if !ok {
			continue
		}
		lines := window[j].Lines
		window = slices.Delete(window, j, j+1)
		j, ok = slices.BinarySearchFunc(window, to, byCount)
		if ok {
			window[j].Lines += lines
		} else {
			window = slices.Insert(window, j, Count{to, lines})
		}
		w.kept[i] = window
	}
	s := w.series[from]
	if s == nil {
		return
	}
	w.drop(s)
	t := w.series[to]
	if t == nil {
		s.id = to
		w.series[to] = s
		i, _ := slices.BinarySearchFunc(w.order, to, byTemplate)
		w.order = slices.Insert(w.order, i, s)
		return
	}
	if s.isNew && w.births > 0 {
		w.births-- // it was none
	}
	// The sum of two counts scatters at least as much as each; their squares are added
	// as if they were independent.
	if t.all.weight > 0 {
		t.all.squares += s.all.squares + 2*t.all.sum*s.all.sum/t.all.weight
	}
	t.all.weight = max(t.all.weight, s.all.weight)
	t.all.sum += s.all.sum
	for i := range t.parts {
		t.parts[i].sum += s.parts[i].sum
		t.parts[i].weight = max(t.parts[i].weight, s.parts[i].weight)
	}
	t.lines += s.lines
	t.seen = max(t.seen, s.seen)
	t.isNew = t.isNew && s.isNew
	t.missed, t.gone = min(t.missed, s.missed), t.gone && s.gone
}

func byCount(c Count, id ID) int { return cmp(int64(c.ID), int64(id)) }

// Step closes the windows that end at or before an instant and returns what is odd
// in them, by window and then by template. An earlier instant changes nothing. After
// a pause of more windows than are kept, those in between are passed over: nothing
// is found in them and nothing is learned from them.
func (w *Watch) Step(at time.Time) []Finding {
	now := w.number(at)
	if !w.begun {
		w.begun, w.open = true, now
		return nil
	}
	var findings []Finding
	for limit := w.open + int64(w.options.Keep); w.open < now && w.open < limit; {
		findings = w.close(findings)
	}
	if w.open < now {
		w.open, w.kept = now, nil
	}
	return findings
}

// close judges the open window, learns from it and opens the next.
func (w *Watch) close(findings []Finding) []Finding {
	ready := w.passed >= int64(w.options.Warmup)
	alpha := w.options.Alpha / float64(max(len(w.order), 1))
	found := Finding{Start: w.start(w.open), End: w.start(w.open + 1)}
	birth := 1.0
	if ready && w.births > 0 {
		mean := w.fresh.mean()
		birth = upperTail(float64(w.births), mean, w.fresh.shape(mean))
	}
	var window []Count
	for _, s := range w.order {
		x := float64(s.lines)
		mean := w.expected(s)
		learned := x
		if ready {
			f := found
			f.ID, f.Lines, f.Expected = s.id, s.lines, mean
			if w.judge(&f, s, mean, alpha, birth) {
				findings = append(findings, f)
				if f.Score >= 1 && f.Kind != New {
					learned = ordinary(x, mean, s.all.shape(mean), alpha)
				}
			}
		}
		if s.lines > 0 {
			window = append(window, Count{s.id, s.lines})
			s.seen, s.gone, s.missed = w.open, false, 0
		}
		s.all.add(w.decay, learned)
		if s.parts != nil {
			p := &s.parts[w.part(w.open)]
			// A part is met once a season and forgets as much in between.
			f := math.Pow(w.decay, float64(w.options.Season/w.options.Window)/w.perPart())
			p.weight, p.sum = p.weight*f+1, p.sum*f+learned
		}
		s.lines, s.isNew = 0, false
	}
	w.fresh.add(w.decay, float64(w.births))
	w.births = 0
	if len(w.kept) == 0 {
		w.first = w.open
	}
	w.kept = append(w.kept, window)
	if n := len(w.kept) - w.options.Keep; n > 0 {
		w.kept = slices.Delete(w.kept, 0, n)
		w.first += int64(n)
	}
	w.open++
	w.passed++
	return findings
}

// judge fills in the finding, if there is one.
func (w *Watch) judge(f *Finding, s *series, mean, alpha, birth float64) bool {
	shape := s.all.shape(mean)
	switch {
	case s.isNew:
		f.Kind, f.Expected, f.P = New, 0, birth
	case s.lines > 0:
		f.P = upperTail(float64(s.lines), mean, shape)
		rare := upperTail(1, mean, shape) <= w.options.Alpha
		if f.P > alpha && !rare {
			return false
		}
		if f.Kind = Surge; rare {
			f.Kind = Rare
		}
	case s.gone:
		return false
	default:
		s.missed += mean
		// No line while so many were expected, at one unknown rate.
		f.P = math.Exp(-shape * math.Log1p(s.missed/shape))
		if f.P > alpha {
			return false
		}
		s.gone = true
		f.Kind, f.Expected, f.Start = Gone, s.missed, w.start(s.seen+1)
	}
	f.Score = math.Log(max(f.P, math.SmallestNonzeroFloat64)) / math.Log(alpha)
	return true
}

// expected is how many lines a template has in the open window.
func (w *Watch) expected(s *series) float64 {
	mean := s.all.mean()
	if s.parts == nil || w.passed < 3*int64(w.options.Season/w.options.Window) {
		return mean
	}
	p := s.parts[w.part(w.open)]
	return (p.sum + mean) / (p.weight + 1) // a part without lines has the mean
}

// part is the part of the season in which a window begins.
func (w *Watch) part(number int64) int {
	per := int64(w.options.Season / w.options.Window)
	at := number % per
	if at < 0 {
		at += per
	}
	return int(at * int64(w.options.Parts) / per)
}

// perPart is how many windows a part has.
func (w *Watch) perPart() float64 {
	return max(1, float64(w.options.Season/w.options.Window)/float64(w.options.Parts))
}

// ordinary is the largest count up to x that would not have been found.
func ordinary(x, mean, shape, alpha float64) float64 {
	low, high := 0.0, x // low is ordinary, high is not
	for high-low > 1 {
		mid := math.Floor((low + high) / 2)
		if upperTail(mid, mean, shape) > alpha {
			low = mid
		} else {
			high = mid
		}
	}
	return max(low, min(x, 1))
}

// Counts returns the lines per template of the closed windows that begin in [from,
// to), by id. Windows no longer kept are missing.
func (w *Watch) Counts(from, until time.Time) []Count {
	sums := map[ID]int64{}
	for i, window := range w.kept {
		if start := w.start(w.first + int64(i)); !start.Before(from) && start.Before(until) {
			for _, c := range window {
				sums[c.ID] += c.Lines
			}
		}
	}
	counts := make([]Count, 0, len(sums))
	for id, lines := range sums {
		counts = append(counts, Count{id, lines})
	}
	slices.SortFunc(counts, func(a, b Count) int { return cmp(int64(a.ID), int64(b.ID)) })
	return counts
}
