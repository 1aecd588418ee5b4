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
func isExpression(text string) bool { return strings.Contains(text, windowWord) }

// validate reports what keeps the events from being counted.
func (e Events) validate(objective string) error {
	fail := func(field, want string) error { return &EventsError{Objective: objective, Field: field, Want: want} }
	counters := 0
	var errs []error
	expression := func(field, text string) {
		if at := unprintable(text); at < len(text) {
			errs = append(errs, &EventsError{Objective: objective, Field: field, Text: text, Offset: at, Want: "printable characters of UTF-8"})
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
		g.orZero(w, e.Bad, other)
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
		g.orZero(w, e.Good, e.Total)
	case e.Up != "":
		g.sum("sum_over_time", e.Up, shortened(w), "")
	case e.Latency.Native:
		// The fraction of nothing is NaN, which one comparison takes out: in a
		// stage it would make a NaN of every sum over it.
		g.open()
		g.str("histogram_fraction(-Inf, ", e.Latency.Limit.Decimal(), ", ")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(") * histogram_count(")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(")")
		g.close(w)
		g.str(" >= 0 or 0 * ")
		g.total(w)
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
		g.orZero(w, e.Bad, e.Good)
		g.str(") + (")
		g.orZero(w, e.Good, e.Bad)
		g.str(")")
	case e.Up != "":
		g.sum("count_over_time", e.Up, shortened(w), "")
	case e.Latency.Native:
		g.open()
		g.str("histogram_count(")
		g.sum("increase", e.Latency.Histogram, g.reach(w), "")
		g.str(")")
		g.close(w)
	default:
		g.increase(w, g.count)
	}
}

// orZero writes an increase that is 0 while its series do not exist but those of
// other do.
func (g *generator) orZero(w time.Duration, selector, other string) {
	g.increase(w, selector)
	g.str(" or 0 * ")
	g.increase(w, other)
}

// increase writes the increase of counters in a window.
func (g *generator) increase(w time.Duration, selector string) {
	switch {
	case isExpression(selector):
		g.open()
		g.str("(")
		g.expression(w, selector)
		g.str(")")
		g.close(w)
	case g.o.Anchored:
		g.sum("increase", selector, w, " anchored")
	case w == g.stage && g.o.Scrape > 0:
		g.difference(w, selector)
	default:
		g.open()
		g.sum("increase", selector, g.reach(w), "")
		g.close(w)
	}
}

// expression writes an expression of the user for a window.
func (g *generator) expression(w time.Duration, text string) {
	g.str(strings.ReplaceAll(strings.TrimSpace(text), windowWord, duration(g.reach(w))))
	if strings.Contains(text, "#") {
		g.str("\n") // ends a comment
	}
}

// difference writes the increase of the window that all sums are made of, from
// its first to its last sample: a counter that was not reset has them as its least
// and greatest. (The function increase would stretch them to the range, unless the
// counter was near 0, and so undercount the first burst of errors by
// scrape/stage.) Around a reset it is the increase after all.
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
	g.str(") * ")
	g.seconds(w)
	g.str(" / ")
	g.seconds(reach)
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

// open and close write what turns the increase over the reach into that over the
// window, in millionths of an event.
func (g *generator) open() {
	if g.o.Scrape > 0 {
		g.str("round(")
	}
}

func (g *generator) close(w time.Duration) {
	if g.o.Scrape > 0 {
		g.str(" * ")
		g.seconds(w)
		g.str(" / ")
		g.seconds(g.reach(w))
		g.str(", 0.000001)")
	}
}
