package promrules

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// window stands for the length of a range in an expression.
const windowWord = "$window"

// isExpression reports whether a text is a whole expression, not a selector.
func isExpression(text string) bool { return windowAt(text, 0) >= 0 }

// windowAt returns where the word of the window stands next, -1 for nowhere. Longer
// words such as $windows are others.
func windowAt(text string, from int) int {
	for {
		at := strings.Index(text[from:], windowWord)
		if at < 0 {
			return -1
		}
		from += at + len(windowWord)
		if from == len(text) || !isNameByte(text[from], true, false) {
			return from - len(windowWord)
		}
	}
}

// variableAt returns where a text has a variable that nobody replaces, such as
// $windows, -1 for nowhere. Quoted text may hold anything.
func variableAt(text string) int {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '#': // a comment, to the end of the line
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return -1
			}
			i += end
		case c == '$' && windowAt(text, i) != i:
			return i
		}
	}
	return -1
}

// rates returns what is to be said of counts that are expressions with rate: an
// increase is longer than a rate by the seconds of the window.
func (e Events) rates() (notes []string) {
	rates, counts := 0, 0
	for _, count := range [...]struct{ field, text string }{{"bad", e.Bad}, {"good", e.Good}, {"total", e.Total}} {
		if count.text == "" {
			continue
		}
		counts++
		if !isExpression(count.text) || !callsRate(count.text) {
			continue
		}
		rates++
		notes = append(notes, count.field+" uses rate, which is events per second: want increase, the events of the window")
	}
	if rates > 0 && rates < counts {
		notes = append(notes, "rates and increases are divided by each other: the error ratio is wrong by a factor of the seconds in the window")
	}
	return notes
}

// callsRate reports whether an expression calls a function that returns a change
// per second.
func callsRate(text string) bool {
	for at, c := range []byte(text) {
		if c != '(' {
			continue
		}
		word := strings.TrimRight(text[:at], " \t\r\n")
		start := len(word)
		for start > 0 && isNameByte(word[start-1], true, true) {
			start--
		}
		switch word[start:] {
		case "rate", "irate", "deriv":
			return true
		}
	}
	return false
}

// validate reports what keeps the events from being counted.
func (e Events) validate(objective string) error {
	fail := func(field, want string) error { return &EventsError{Objective: objective, Field: field, Want: want} }
	counters := 0
	var errs []error
	expression := func(field, text string) {
		if at := unprintable(text); at < len(text) {
			errs = append(errs, &EventsError{Objective: objective, Field: field, Text: text, Offset: at, Want: "printable characters of UTF-8"})
		} else if at := variableAt(text); at >= 0 {
			errs = append(errs, &EventsError{Objective: objective, Field: field, Text: text, Offset: at, Want: "no variable but " + windowWord})
		}
	}
	check := func(field, text string) {
		if text == "" {
			return
		}
		if field != "up" && field != "latency.histogram" {
			counters++
			if isExpression(text) {
				expression(field, text)
				return
			}
		}
		if _, err := scanSelector(text, nil); err != nil {
			var at *EventsError
			errors.As(err, &at)
			at.Objective, at.Field = objective, field
			errs = append(errs, at)
		}
	}
	check("bad", e.Bad)
	check("good", e.Good)
	check("total", e.Total)
	check("up", e.Up)
	ways := 0
	for _, set := range [...]bool{counters > 0, e.Latency != nil, e.Up != "", e.ErrorRatio != ""} {
		if set {
			ways++
		}
	}
	switch {
	case ways != 1:
		errs = append(errs, fail("", "one way to count: two of bad, good and total, or latency, or up, or error_ratio"))
	case counters != 0 && counters != 2:
		errs = append(errs, fail("", "two of bad, good and total"))
	}
	if l := e.Latency; l != nil {
		check("latency.histogram", l.Histogram)
		if l.Histogram == "" {
			errs = append(errs, fail("latency.histogram", "the selector of a histogram"))
		}
		s := scan{text: l.Histogram}
		s.word(true)
		for _, suffix := range [...]string{"_bucket", "_count", "_sum"} {
			if strings.HasSuffix(l.Histogram[:s.pos], suffix) {
				errs = append(errs, &EventsError{Objective: objective, Field: "latency.histogram", Text: l.Histogram, Offset: s.pos - len(suffix), Want: "the base name without " + suffix})
			}
		}
		if !l.Limit.IsSet() || l.Limit.IsInf(1) || l.Limit.Sign() <= 0 {
			errs = append(errs, fail("latency.limit", "a number of seconds above 0"))
		}
	}
	if e.ErrorRatio != "" {
		expression("error_ratio", e.ErrorRatio)
		if !isExpression(e.ErrorRatio) {
			errs = append(errs, fail("error_ratio", "an expression with "+windowWord+" in it"))
		}
	}
	for _, label := range e.By {
		if err := checkLabel(objective, "by", label); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// staged reports whether the events can be recorded and summed up.
func (e Events) staged() bool { return e.ErrorRatio == "" }

// presence is what must exist for anything to be counted; ok is false where an
// expression hides it.
func (e Events) presence() (selector string, ok bool) {
	switch {
	case e.Latency != nil && e.Latency.Native:
		return e.Latency.Histogram, true
	case e.Latency != nil:
		return e.Latency.bucket(), true // not _count: a bound that no bucket has must be noticed
	case e.Up != "":
		return e.Up, true
	case e.Total != "":
		return e.Total, !isExpression(e.Total)
	}
	return e.Good, e.Good != "" && !isExpression(e.Good)
}

// suffixed puts a suffix behind the metric name of a checked selector.
func suffixed(selector, suffix string, matchers ...string) string {
	name, _ := scanSelector(selector, nil) // checked before
	tail := strings.TrimSpace(selector[name:])
	if len(matchers) > 0 {
		inner := strings.TrimSuffix(strings.TrimSpace(strings.Trim(tail, "{} \t\r\n")), ",")
		if inner != "" {
			inner += ","
		}
		tail = "{" + inner + strings.Join(matchers, ",") + "}"
	}
	return selector[:name] + suffix + tail
}

// bucket selects the bucket of a classic histogram with the limit, however its
// bound is written.
func (l Latency) bucket() string {
	texts := boundTexts(l.Limit.Float64())
	if len(texts) == 1 {
		return suffixed(l.Histogram, "_bucket", `le="`+texts[0]+`"`)
	}
	for i := range texts {
		texts[i] = regexp.QuoteMeta(texts[i])
	}
	return suffixed(l.Histogram, "_bucket", "le=~"+strconv.Quote(strings.Join(texts, "|")))
}

// boundTexts returns the texts that client libraries and Prometheus write for the
// bound of a bucket: as Go does with %g, where Prometheus 3 makes "1" a "1.0"
// (https://prometheus.io/docs/prometheus/latest/migration/), as Java does with
// Double.toString, and without an exponent. The first has none.
func boundTexts(bound float64) []string {
	texts := make([]string, 1, 4)
	texts[0] = strconv.FormatFloat(bound, 'f', -1, 64)
	add := func(text string) {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if !strings.Contains(texts[0], ".") {
		add(texts[0] + ".0")
	}
	add(strconv.FormatFloat(bound, 'g', -1, 64))
	if bound < 1e-3 || bound >= 1e7 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(bound, 'e', -1, 64), "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent) // written by FormatFloat
		add(mantissa + "E" + strconv.Itoa(n))
	}
	return texts
}

// bad writes the number of bad events in a window, 0 where only other events are
// known.
func (g *generator) bad(w time.Duration) {
	e := g.slo.Events
	switch {
	case e.Bad != "":
		other := e.Total
		if other == "" {
			other = e.Good
		}
		g.increase(w, e.Bad)
		g.orZero(w, other)
	default:
		g.str("clamp_min(")
		g.total(w)
		g.str(" - (")
		g.good(w)
		g.str("), 0)")
	}
}

// good writes the number of good events where bad ones are not counted.
func (g *generator) good(w time.Duration) {
	e := g.slo.Events
	switch {
	case e.Good != "":
		g.increase(w, e.Good)
		g.orZero(w, e.Total)
	case e.Up != "":
		g.sum("sum_over_time", e.Up, shortened(w), "")
	case e.Latency.Native:
		// The fraction of nothing is NaN, which one comparison takes out: in a
		// stage it would make a NaN of every sum over it.
		g.str("histogram_fraction(-Inf, ", e.Latency.Limit.Decimal(), ", ")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(") * histogram_count(")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(")")
		g.scale(w)
		g.str(" >= 0")
		g.orZero(w, e.Latency.Histogram)
	default: // a histogram has all its buckets from the start
		g.increase(w, g.bucket)
	}
}

// total writes the number of all events in a window.
func (g *generator) total(w time.Duration) {
	e := g.slo.Events
	switch {
	case e.Total != "":
		g.increase(w, e.Total)
	case e.Good != "":
		g.str("(")
		g.increase(w, e.Bad)
		g.zeroOf(w, e.Good)
		g.str(") + (")
		g.increase(w, e.Good)
		g.zeroOf(w, e.Bad)
		g.str(")")
	case e.Up != "":
		g.sum("count_over_time", e.Up, shortened(w), "")
	case e.Latency.Native:
		g.str("histogram_count(")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(")")
		g.scale(w)
	default:
		g.increase(w, g.count)
	}
}

// orZero makes a count 0 while there are no series of it. Where labels are judged
// apart, those of other events tell which.
func (g *generator) orZero(w time.Duration, other string) {
	if g.by == "" {
		g.str(" or vector(0)")
		return
	}
	g.zeroOf(w, other)
}

// zeroOf makes a count 0 while there are no series of it but those of other events.
func (g *generator) zeroOf(w time.Duration, other string) {
	g.str(" or 0 * ")
	if isExpression(other) {
		g.increase(w, other)
		return
	}
	g.sum("count_over_time", other, g.reach(w), "")
}

// increase writes the increase of counters in a window.
func (g *generator) increase(w time.Duration, selector string) {
	switch {
	case isExpression(selector):
		g.str("(")
		g.expression(w, selector)
		g.str(")")
		g.scale(w)
	case g.o.Anchored:
		g.sum("increase", selector, w, " anchored")
	case g.o.Scrape == 0:
		g.sum("increase", selector, w, "")
	default:
		g.difference(w, selector)
	}
}

// expression writes an expression of the user for a window.
func (g *generator) expression(w time.Duration, text string) {
	rest := strings.TrimSpace(text)
	for at := windowAt(rest, 0); at >= 0; at = windowAt(rest, 0) {
		g.str(rest[:at])
		g.duration(g.reach(w))
		rest = rest[at+len(windowWord):]
	}
	g.str(rest)
	if strings.Contains(text, "#") {
		g.str("\n") // ends a comment
	}
}

// difference writes the increase of counters from the first to the last sample of
// the reach of a window: a counter that was not reset has them as its greatest and
// least. Whole events stay whole, in a series of any age. (The function increase
// would stretch what lies between the two samples to the range, by an amount that
// depends on how much of the range the series fills and how near to 0 it was.)
//
// A counter that was reset has the function increase after all, scaled to the
// window. If the series fills the range, that undoes the stretching, so that it can
// be added to the others. If it does not, or was near 0 in the beginning, the count
// of this one series is off by the events of a scrape or two. To stretch all series
// as soon as one of them was reset would spoil the counts of those that run on.
func (g *generator) difference(w time.Duration, selector string) {
	reach := g.reach(w)
	ranged := func(before string) {
		g.str(before, selector, "[")
		g.duration(reach)
		g.str("]")
	}
	g.str("sum")
	if g.by != "" {
		g.str(" by (", g.by, ") ")
	}
	ranged("(max_over_time(")
	ranged(") - min_over_time(")
	ranged(") and resets(")
	ranged(") == 0 or increase(")
	g.str(")")
	g.scale(w)
	g.str(")")
}

// shortened is the range that holds w/scrape samples of a gauge, or w/step points
// of a subquery, whether its left end is open or closed.
func shortened(w time.Duration) time.Duration { return w - time.Millisecond }

func (g *generator) sum(function, selector string, reach time.Duration, modifier string) {
	g.str("sum")
	if g.by != "" {
		g.str(" by (", g.by, ") ")
	}
	g.str("(", function, "(", selector, "[")
	g.duration(reach)
	g.str("]", modifier, "))")
}

// reach is the range that holds the increments of a window.
func (g *generator) reach(w time.Duration) time.Duration {
	if g.o.Scrape == 0 {
		return w
	}
	return w + g.o.Scrape - time.Millisecond
}

// scale writes what turns the increase over the reach into that over the window.
func (g *generator) scale(w time.Duration) {
	if g.o.Scrape > 0 {
		g.str(" * ")
		g.seconds(w)
		g.str(" / ")
		g.seconds(g.reach(w))
	}
}
