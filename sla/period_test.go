package sla_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

func TestBillingPeriods(t *testing.T) {
	for _, c := range []struct {
		name    string
		billing sla.Billing
		zone    string
		at      string
		label   string
		start   string
		hours   time.Duration
	}{
		{"spring month", sla.Billing{}, "Europe/Amsterdam", "2026-03-15T00:00:00Z", "2026-03", "2026-02-28T23:00:00Z", 743},
		{"autumn month", sla.Billing{}, "Europe/Amsterdam", "2026-10-31T22:59:59Z", "2026-10", "2026-09-30T22:00:00Z", 745},
		{"next month by local time", sla.Billing{}, "Europe/Amsterdam", "2026-10-31T23:00:00Z", "2026-11", "2026-10-31T23:00:00Z", 720},
		{"leap February", sla.Billing{}, "UTC", "2028-02-29T12:00:00Z", "2028-02", "2028-02-01T00:00:00Z", 696},
		{"anchor before", sla.Billing{AnchorDay: 15}, "UTC", "2026-04-14T23:59:59Z", "2026-03-15", "2026-03-15T00:00:00Z", 744},
		{"anchor at", sla.Billing{AnchorDay: 15}, "UTC", "2026-04-15T00:00:00Z", "2026-04-15", "2026-04-15T00:00:00Z", 720},
		{"anchor in a short month", sla.Billing{AnchorDay: 31}, "UTC", "2026-02-28T12:00:00Z", "2026-02-28", "2026-02-28T00:00:00Z", 31 * 24},
		{"quarter", sla.Billing{Months: 3}, "Europe/Amsterdam", "2026-10-01T00:00:00Z", "2026-Q4", "2026-09-30T22:00:00Z", 92*24 + 1},
		{"year end", sla.Billing{Months: 12}, "UTC", "1999-12-31T23:59:59Z", "1999", "1999-01-01T00:00:00Z", 365 * 24},
		{"half year", sla.Billing{Months: 6}, "UTC", "2026-08-01T00:00:00Z", "2026-07", "2026-07-01T00:00:00Z", 184 * 24},
		{"clock put back over the turn", sla.Billing{}, "America/St_Johns", "2009-11-01T03:00:00Z", "2009-11", "2009-11-01T02:30:00Z", 721},
		{"midnight in a gap", sla.Billing{AnchorDay: 24}, "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-24", "2026-04-23T22:00:00Z", 719},
	} {
		loc := zone(t, c.zone)
		p := c.billing.At(instant(t, c.at), loc)
		if p.Label != c.label || !p.Start.Equal(instant(t, c.start)) || p.Duration() != c.hours*time.Hour {
			t.Errorf("%s: At(%s) = %s %v, %v h, want %s from %s, %d h", c.name, c.at, p.Label, p.Interval, p.Duration().Hours(), c.label, c.start, c.hours)
		}
		if !p.Contains(instant(t, c.at)) {
			t.Errorf("%s: period %v does not contain %s", c.name, p.Interval, c.at)
		}
	}
}

// Periods tile time: each begins where the one before ends, and each instant
// lies in the one that At returns.
func TestPeriodsTile(t *testing.T) {
	for _, billing := range []sla.Billing{{}, {AnchorDay: 31}, {Months: 3}, {Months: 12, AnchorDay: 29}} {
		for _, name := range []string{"Europe/Amsterdam", "America/Havana", "Africa/Cairo", "Asia/Singapore"} {
			loc := zone(t, name)
			p := billing.At(instant(t, "1998-05-05T00:00:00Z"), loc)
			for range 150 {
				next := billing.Following(p.Start, 1, loc)
				if !next.Start.Equal(p.End) || billing.At(p.Start, loc) != p || billing.At(p.End.Add(-1), loc) != p || billing.Following(next.Start, -1, loc) != p {
					t.Fatalf("%+v in %s: %v and %v do not tile", billing, name, p, next)
				}
				p = next
			}
		}
	}
}

func TestParseMonth(t *testing.T) {
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "2026-10-01", "Oct 2026"} {
		if _, err := sla.ParseMonth(bad, time.UTC); err == nil {
			t.Errorf("ParseMonth(%q) = nil, want an error", bad)
		}
	}
}
