package slo_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func TestPeriod(t *testing.T) {
	for _, tt := range []struct {
		name       string
		window     slo.Window
		at         string
		start, end string
		index      int
	}{
		{"rolling", slo.Rolling(90 * time.Minute), "2026-03-01T00:00:00Z", "2026-02-28T22:30:00Z", "2026-03-01T00:00:00Z", 0},
		// Spring gap: 29 March 2026 has 23 hours in Amsterdam, 25 October 25.
		{"short day", slo.Calendar(slo.Day, zone(t, "Europe/Amsterdam")), "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 20541},
		{"long day", slo.Calendar(slo.Day, zone(t, "Europe/Amsterdam")), "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 20751},
		// A bound in the gap is the transition, one in the fold the earlier instant.
		{"bound in the gap", slo.Anchored(wall("2026-03-29T02:30:00"), 1, slo.Week, zone(t, "Europe/Amsterdam")), "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z", 0},
		{"bound in the fold", slo.Anchored(wall("2026-10-25T02:30:00"), 1, slo.Day, zone(t, "Europe/Amsterdam")), "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", 0},
		{"second reading of the fold", slo.Anchored(wall("2026-10-25T02:30:00"), 1, slo.Day, zone(t, "Europe/Amsterdam")), "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", 0},
		{"leap day", slo.Calendar(slo.Day, nil), "2028-02-29T23:59:59Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", 21243},
		{"year end", slo.Calendar(slo.Year, nil), "2026-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 56},
		{"ISO week over the year end", slo.Calendar(slo.Week, nil), "2027-01-01T00:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z", 2973},
		{"before the anchor", slo.Anchored(wall("2026-01-31T00:00:00"), 1, slo.Month, nil), "2025-12-30T00:00:00Z", "2025-11-30T00:00:00Z", "2025-12-31T00:00:00Z", -2},
		{"two weeks", slo.Anchored(wall("2026-01-05T00:00:00"), 2, slo.Week, nil), "2026-01-18T23:59:59Z", "2026-01-05T00:00:00Z", "2026-01-19T00:00:00Z", 0},
		// 30 December 2011 does not exist in Apia: its day is empty, 15338.
		{"skipped day", slo.Calendar(slo.Day, zone(t, "Pacific/Apia")), "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", 15339},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		p := tt.window.Period(at)
		if utc(p.Start) != tt.start || utc(p.End) != tt.end || p.Index != tt.index {
			t.Errorf("%s: Period(%s) = %s %d, want [%s, %s) %d", tt.name, tt.at, p.Interval, p.Index, tt.start, tt.end, tt.index)
		}
	}
}

func wall(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

// Periods tile time: every instant lies in exactly one, and the end of each is
// the start of the next.
func TestPeriodsTile(t *testing.T) {
	// From 1906, and beyond 2037, where zone files end and rules go on, to 2100.
	const first, last = -2_000_000_000, 4_102_444_800
	r := rand.New(rand.NewPCG(5, 5))
	names := []string{"UTC", "Europe/Amsterdam", "America/Havana", "America/Asuncion", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"}
	for range 3000 {
		loc := zone(t, names[r.IntN(len(names))])
		unit := slo.Day + slo.Unit(r.IntN(5))
		w := slo.Calendar(unit, loc)
		if r.IntN(2) == 0 {
			anchor := time.Unix(first+r.Int64N(last-first), 0)
			w = slo.Anchored(anchor, 1+r.IntN(4), unit, loc)
		}
		at := time.Unix(first+r.Int64N(last-first), r.Int64N(1e9))
		p := w.Period(at)
		if !p.Contains(at) {
			t.Fatalf("%s: Period(%v) = %s does not hold it", w, at.UTC(), p.Interval)
		}
		if q := w.Period(p.Start); q != p {
			t.Fatalf("%s: Period of the start of %s is %s", w, p.Interval, q.Interval)
		}
		next, before := w.Period(p.End), w.Period(p.Start.Add(-1))
		if !next.Start.Equal(p.End) || !before.End.Equal(p.Start) {
			t.Fatalf("%s: %s, %s, %s do not touch", w, before.Interval, p.Interval, next.Interval)
		}
		if next.Index <= p.Index || before.Index >= p.Index {
			t.Fatalf("%s: indexes %d, %d, %d do not rise", w, before.Index, p.Index, next.Index)
		}
	}
}

func TestParseWindow(t *testing.T) {
	ams := zone(t, "Europe/Amsterdam")
	for text, want := range map[string]string{
		"30d":              "rolling 30d",
		"4w":               "rolling 28d",
		"1h30m":            "rolling 1h30m",
		"calendar_day":     "calendar_day Europe/Amsterdam",
		"calendar_week":    "calendar_week Europe/Amsterdam",
		"calendar_month":   "calendar_month Europe/Amsterdam",
		"calendar_quarter": "calendar_quarter Europe/Amsterdam",
		"calendar_year":    "calendar_year Europe/Amsterdam",
	} {
		w, err := slo.ParseWindow(text, ams)
		if err != nil || w.String() != want || w.Validate() != nil {
			t.Errorf("ParseWindow(%q) = %s, %v, want %s", text, w, err, want)
		}
	}
	for _, text := range []string{"", "30", "0d", "-1d", "1 month", "1y", "P1M", "calendar_", "calendar_decade", "calendar_month ", "month", "4000d"} {
		w, err := slo.ParseWindow(text, ams)
		if e, ok := errors.AsType[*slo.ParseError](err); !ok || e.Text != text {
			t.Errorf("ParseWindow(%q) = %s, %v, want a ParseError", text, w, err)
		}
	}
}

func TestInvalidWindows(t *testing.T) {
	for name, w := range map[string]slo.Window{
		"zero":         {},
		"negative":     slo.Rolling(-time.Hour),
		"too long":     slo.Rolling(3661 * 24 * time.Hour),
		"no unit":      slo.Calendar(0, nil),
		"unknown unit": slo.Calendar(99, nil),
		"no count":     slo.Anchored(origin, 0, slo.Month, nil),
		"many years":   slo.Anchored(origin, 11, slo.Year, nil),
		"many days":    slo.Anchored(origin, 3661, slo.Day, nil),
		"centuries":    slo.Anchored(origin, 10_000, slo.Year, nil), // does not fit an int64 of nanoseconds
	} {
		if w.Validate() == nil || w.Period(origin) != (slo.Period{}) || w.String() != "invalid window" {
			t.Errorf("%s: Validate() = %v, Period %v, String %q, want an error, the zero Period, invalid window", name, w.Validate(), w.Period(origin), w.String())
		}
	}
}

func TestNominal(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		window slo.Window
		want   time.Duration
	}{
		{slo.Rolling(90 * time.Minute), 90 * time.Minute},
		{slo.Calendar(slo.Day, nil), day},
		{slo.Calendar(slo.Week, nil), 7 * day},
		{slo.Calendar(slo.Month, nil), 30 * day},
		{slo.Calendar(slo.Quarter, nil), 90 * day},
		{slo.Calendar(slo.Year, nil), 365 * day},
		{slo.Anchored(origin, 10, slo.Year, nil), 3650 * day},
		{slo.Anchored(origin, 2, slo.Week, nil), 14 * day},
	} {
		if got := tt.window.Nominal(); got != tt.want || tt.window.Validate() != nil {
			t.Errorf("%s: Nominal() = %v, %v, want %v", tt.window, got, tt.window.Validate(), tt.want)
		}
	}
}

func TestWindowText(t *testing.T) {
	for _, tt := range []struct {
		text string
		want slo.Window
	}{
		{"rolling 30d", slo.Rolling(30 * 24 * time.Hour)},
		{"rolling 1h30m", slo.Rolling(90 * time.Minute)},
		{"30d", slo.Rolling(30 * 24 * time.Hour)},
		{"rolling 3660d", slo.Rolling(3660 * 24 * time.Hour)},
		{"calendar_month UTC", slo.Calendar(slo.Month, nil)},
		{"calendar_week", slo.Calendar(slo.Week, nil)},
		{"calendar_quarter Europe/Amsterdam", slo.Calendar(slo.Quarter, zone(t, "Europe/Amsterdam"))},
		{"every 3 months from 2022-01-01T12:00:00 America/New_York", slo.Anchored(wall("2022-01-01T12:00:00"), 3, slo.Month, zone(t, "America/New_York"))},
		{"every 1 days from 2022-01-01T12:00:00.5", slo.Anchored(wall("2022-01-01T12:00:00").Add(time.Second/2), 1, slo.Day, nil)},
		{"every 2 weeks from 0001-01-01T00:00:00 UTC", slo.Anchored(time.Time{}, 2, slo.Week, nil)},
		{"", slo.Window{}},
	} {
		var got slo.Window
		if err := got.UnmarshalText([]byte(tt.text)); err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got.String() != tt.want.String() || got.Period(origin) != tt.want.Period(origin) {
			t.Errorf("%q reads as %s, %v, want %s, %v", tt.text, got, got.Period(origin), tt.want, tt.want.Period(origin))
		}
		text, err := got.MarshalText()
		var back slo.Window
		if err != nil || back.UnmarshalText(text) != nil || back.String() != got.String() || back.Period(origin) != got.Period(origin) {
			t.Errorf("%q is written as %q, %v, and read back as %s", tt.text, text, err, back)
		}
	}
	for _, text := range []string{
		" ", "rolling", "rolling 30d UTC", "rolling calendar_month", "rolling  30d", "rolling 0s", "rolling 1M", "30d UTC", "calendar_decade UTC",
		"calendar_month Europe/Nowhere", "calendar_month Local", "calendar_month ", "calendar_month ../../etc/passwd", "invalid window",
		"every 0 months from 2022-01-01T12:00:00 UTC", "every x months from 2022-01-01T12:00:00 UTC", "every 3 ages from 2022-01-01T12:00:00 UTC",
		"every 3 months from 2022-01-32T12:00:00 UTC", "every 3 months since 2022-01-01T12:00:00 UTC", "every 3 months from 2022-01-01T12:00:00 UTC UTC",
		"every 99999 years from 2022-01-01T12:00:00 UTC",
	} {
		w := slo.Rolling(time.Hour)
		var parse *slo.ParseError
		if err := w.UnmarshalText([]byte(text)); !errors.As(err, &parse) || w != slo.Rolling(time.Hour) {
			t.Errorf("%q: %v and window %s, want a *ParseError and no change", text, err, w)
		}
	}
	for _, w := range []slo.Window{slo.Rolling(-1), slo.Calendar(slo.Month, time.Local), slo.Anchored(time.Time{}, 0, slo.Day, nil)} {
		if text, err := w.MarshalText(); err == nil {
			t.Errorf("%s is written as %q, want an error", w, text)
		}
	}
}
