package escalation

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// occurrence is a window on one of its dates.
type occurrence struct {
	calendar.Interval
	day int64 // local date on which it begins
}

// occurrences returns the windows that overlap a span, cut to it, in order of
// the window and the date on which they begin.
func (h *hours) occurrences(span calendar.Interval) []occurrence {
	var out []occurrence
	z := h.zone
	for i := range h.windows {
		w := &h.windows[i]
		day, last := h.zone.dates(span)
		for ; day <= last; day++ {
			if !w.begins(day) {
				continue
			}
			start, end := w.interval(day, z, z.at(day*secondsPerDay))
			if cut, ok := (calendar.Interval{Start: utc(start), End: utc(end)}).Clip(span); ok && start < end {
				out = append(out, occurrence{cut, day})
			}
		}
	}
	return out
}

// set returns the part of a span in which a window is open, as a set.
func (h *hours) set(span calendar.Interval) []calendar.Interval {
	list := h.occurrences(span)
	spans := make([]calendar.Interval, len(list))
	for i, o := range list {
		spans[i] = o.Interval
	}
	return normal(spans)
}

// dates returns the first and the last local date on which a window may begin
// that overlaps the span.
func (z *zone) dates(span calendar.Interval) (first, last int64) {
	from, to := span.Start.Unix(), span.End.Unix()
	first, _ = date(from + z.at(from).offset - 2*secondsPerDay)
	last, _ = date(to + z.at(to).offset + secondsPerDay)
	return first, last
}

// dateText writes a date as in 2026-04-27.
func dateText(day int64) string { return utc(day * secondsPerDay).Format(time.DateOnly) }

// dateNumber reads a date as in 2026-04-27.
func dateNumber(text string) (day int64, ok bool) {
	at, err := time.Parse(time.DateOnly, text)
	day, _ = date(at.Unix())
	return day, err == nil
}

// parseDate is dateNumber for a value of a configuration.
func parseDate(text string, p problems) int64 {
	day, ok := dateNumber(text)
	if !ok {
		p.add(text, `a date like "2026-04-27"`)
	}
	return day
}

// normal is [calendar.Normalize] for intervals known to be valid: in order, and of
// ten years at most.
func normal(list []calendar.Interval) []calendar.Interval {
	set, _ := calendar.Normalize(list)
	return set
}
