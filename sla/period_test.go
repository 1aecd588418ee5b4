package sla_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

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
		{"anchor in a leap February", sla.Billing{AnchorDay: 31}, "UTC", "2028-03-15T00:00:00Z", "2028-02-29", "2028-02-29T00:00:00Z", 31 * 24},
		{"anchor after a short month", sla.Billing{AnchorDay: 31}, "UTC", "2026-02-27T23:59:59Z", "2026-01-31", "2026-01-31T00:00:00Z", 28 * 24},
		// 00:30 on 1 November in Amsterdam
		{"month of UTC", sla.Billing{UTC: true}, "Europe/Amsterdam", "2026-10-31T23:30:00Z", "2026-10", "2026-10-01T00:00:00Z", 31 * 24},
		{"year of service", sla.Billing{Months: 12, AnchorMonth: 4}, "Europe/Amsterdam", "2026-03-31T21:59:59Z", "2025-04", "2025-03-31T22:00:00Z", 365 * 24},
		{"year of service from a day", sla.Billing{Months: 12, AnchorMonth: 6, AnchorDay: 15}, "UTC", "2028-06-14T12:00:00Z", "2027-06-15", "2027-06-15T00:00:00Z", 366 * 24},
		{"quarter from February", sla.Billing{Months: 3, AnchorMonth: 2}, "UTC", "2026-04-30T12:00:00Z", "2026-02", "2026-02-01T00:00:00Z", (28 + 31 + 30) * 24},
		{"fixed days", sla.Billing{Days: 30, First: vectorStart}, "Europe/Amsterdam", "2026-05-01T00:00:00Z", "2026-05-01+30d", "2026-05-01T00:00:00Z", 30 * 24},
		{"fixed days, the last instant", sla.Billing{Days: 30, First: vectorStart}, "UTC", "2026-04-30T23:59:59Z", "2026-04-01+30d", "2026-04-01T00:00:00Z", 30 * 24},
		{"fixed days before the first", sla.Billing{Days: 30, First: vectorStart}, "UTC", "2026-03-31T23:59:59Z", "2026-03-02+30d", "2026-03-02T00:00:00Z", 30 * 24},
		{"weeks from the base", sla.Billing{Days: 7}, "UTC", "1999-12-31T12:00:00Z", "1999-12-25+7d", "1999-12-25T00:00:00Z", 7 * 24},
		{"month without a date", sla.Billing{}, "Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12", "2011-12-01T10:00:00Z", 30 * 24},
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

// Lord Howe puts its clock back, and on, by half an hour.
func TestHalfHourOfLordHowe(t *testing.T) {
	loc := zone(t, "Australia/Lord_Howe")
	for month, want := range map[string]time.Duration{"2026-03": 744 * time.Hour, "2026-04": 720*time.Hour + 30*time.Minute, "2026-10": 743*time.Hour + 30*time.Minute} {
		p, err := sla.ParseMonth(month, loc)
		if err != nil || p.Duration() != want {
			t.Errorf("%s has %s, %v, want %s", month, p.Duration(), err, want)
		}
	}
}

// Rolling days end at the instant that is asked for.
func TestRollingDays(t *testing.T) {
	b, at := sla.Billing{Days: 30, Rolling: true}, instant(t, "2026-03-31T12:00:00Z")
	p := b.At(at, zone(t, "Europe/Amsterdam"))
	if !p.Start.Equal(instant(t, "2026-03-01T12:00:00Z")) || !p.End.Equal(at) || p.Label != "2026-03-01+30d" {
		t.Errorf("At(%s) = %+v, want the 720 h before", at, p)
	}
	if next := b.Following(at, 1, time.UTC); !next.Start.Equal(at) || next.Duration() != 720*time.Hour {
		t.Errorf("Following = %+v, want the 720 h after", next)
	}
}

func TestParseMonth(t *testing.T) {
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "2026-10-01", "Oct 2026"} {
		if _, err := sla.ParseMonth(bad, time.UTC); err == nil {
			t.Errorf("ParseMonth(%q) = nil, want an error", bad)
		}
	}
}
