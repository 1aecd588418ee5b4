package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// Availability is how often a condition held.
type Availability struct {
	// Counts are the instants of which something is known: good ones had the value 1.
	slo.Counts

	// NoData are the times of which nothing is known, neither good nor bad, in order.
	// An instant stands for the time until the next one.
	NoData []calendar.Interval

	Step     time.Duration
	Warnings []string // of the server: the counts may then be incomplete
}

// defaultStep is the interval at which metrics are collected unless somebody says
// otherwise.
const defaultStep = 30 * time.Second

// Availability asks a condition at from, from+step, … before until, and counts where
// it held. A step of 0 is 30 s; it should not be below the interval of the scrapes.
//
// The expression has to give one series of 0 and 1, such as
//
//	min(up{job="api"})
//	min(probe_success{job="shop"})
//	sum(up{job="api"}) >= bool 2
//
// NaN and missing points are no data. So is the time in which the server did not
// scrape, for which Prometheus goes on giving the last values for five minutes: an
// instant counts only if there was a sample of [Config].Scraped within a step and a
// tenth before it. Ranges of any length are asked for in parts.
//
// Errors are [*adapters.Error] and [*RangeError]; several series and other values are
// of the kind Invalid. With a [*PartialError] comes the availability before its instant,
// and that of the rest can be asked for from there.
func (c *Client) Availability(ctx context.Context, expr string, from, until time.Time, step time.Duration) (Availability, error) {
	const op = "availability"
	if step == 0 {
		step = defaultStep
	}
	start, end, width := from.UnixMilli(), until.UnixMilli(), step.Milliseconds()
	switch {
	case step < 0 || step%time.Millisecond != 0:
		return Availability{}, &RangeError{From: from, Until: until, Step: step, Want: "a step of whole milliseconds above 0"}
	case start >= end:
		return Availability{}, &RangeError{From: from, Until: until, Step: step, Want: "an end after the start"}
	}
	invalid := func(format string, args ...any) error {
		return &adapters.Error{Provider: provider, Op: op, Kind: adapters.Invalid, Message: fmt.Sprintf(format, args...)}
	}
	recent := strconv.FormatInt(width+width/10, 10) + "ms"
	// The lines end what may be a comment.
	form := url.Values{"query": {"(\n" + expr + "\n) and on() count(count_over_time(" + c.config.Scraped + "[" + recent + "]))"}}
	r, broken := c.queryRange(ctx, form, start, start+(end-1-start)/width*width, width)
	if broken != nil {
		partial, ok := errors.AsType[*PartialError](broken)
		if !ok {
			return Availability{}, broken
		}
		end = partial.Until.UnixMilli()
	}
	if len(r.Series) > 1 {
		return Availability{}, invalid("%d series, such as %s and %s, want one: min() or avg() over them", len(r.Series), r.Series[0].Labels, r.Series[1].Labels)
	}
	a := Availability{Step: step, Warnings: r.Warnings}
	var points []Point
	if len(r.Series) == 1 {
		points = r.Series[0].Points
		if len(r.Series[0].Histograms) > 0 {
			return Availability{}, invalid("histograms, want 0 or 1")
		}
	}
	for at := start; at < end; at += width {
		value := math.NaN()
		if len(points) > 0 && points[0].UnixMilli == at {
			value, points = points[0].Value, points[1:]
		}
		switch {
		case math.IsNaN(value):
			a.missing(at, min(at+width, end))
			continue
		case value == 1:
			a.Good++
		case value != 0:
			return Availability{}, invalid("%v at %s, want 0 or 1: compare with >= bool", value, time.UnixMilli(at).UTC().Format(time.RFC3339))
		}
		a.Total++
	}
	if len(points) > 0 {
		return Availability{}, &adapters.Error{Provider: provider, Op: op, Kind: adapters.BadResponse, Message: "a point at an instant that was not asked for: " + points[0].At().Format(time.RFC3339Nano)}
	}
	return a, broken
}

// missing adds a time without data to the last one, or as another.
func (a *Availability) missing(from, until int64) {
	start, end := time.UnixMilli(from).UTC(), time.UnixMilli(until).UTC()
	if n := len(a.NoData); n > 0 && a.NoData[n-1].End.Equal(start) {
		a.NoData[n-1].End = end
		return
	}
	a.NoData = append(a.NoData, calendar.Interval{Start: start, End: end})
}
