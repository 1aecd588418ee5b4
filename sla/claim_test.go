package sla_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/sla"
)

func TestClaimDeadline(t *testing.T) {
	days := func(n int) sla.ClaimRule { return sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: n} }
	months := func(n int) sla.ClaimRule { return sla.ClaimRule{Kind: sla.MonthsAfterPeriodEnd, Months: n} }
	for _, c := range []struct {
		name    string
		rule    sla.ClaimRule
		billing sla.Billing
		zone    string
		ended   string
		want    string // the first instant that is too late
	}{
		{"no claim needed", sla.ClaimRule{}, sla.Billing{}, "UTC", "2026-01-15T00:00:00Z", ""},
		{"the 30th day after January is 2 March", days(30), sla.Billing{}, "UTC", "2026-01-15T00:00:00Z", "2026-03-03T00:00:00Z"},
		{"the last instant of a month", days(1), sla.Billing{}, "UTC", "2026-01-31T23:59:59Z", "2026-02-02T00:00:00Z"},
		{"the first of the next", days(1), sla.Billing{}, "UTC", "2026-02-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		// A month of UTC ends at 19:00 on 31 January in New York, at 01:00 on 1
		// February in Amsterdam; the first date after it is 1 or 2 February.
		{"month of UTC in the west", days(1), sla.Billing{UTC: true}, "America/New_York", "2026-01-15T00:00:00Z", "2026-02-02T05:00:00Z"},
		{"month of UTC in the east", days(1), sla.Billing{UTC: true}, "Europe/Amsterdam", "2026-01-15T00:00:00Z", "2026-02-02T23:00:00Z"},
		// In Amsterdam 31 March 2026 begins in summer time, two hours before UTC.
		{"days over a change of the clock", sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 2}, sla.Billing{}, "Europe/Amsterdam", "2026-03-28T22:30:00Z", "2026-03-30T22:00:00Z"},
		// Apia had no 30 December 2011: the first date after the 29th is the 31st.
		{"days over a date that is not there", sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 1}, sla.Billing{}, "Pacific/Apia", "2011-12-29T20:00:00Z", "2011-12-31T10:00:00Z"},
		{"days up to a date that is not there", sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 1}, sla.Billing{}, "Pacific/Apia", "2011-12-28T20:00:00Z", "2011-12-30T10:00:00Z"},
		{"days after a date that is not there", sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 1}, sla.Billing{}, "Pacific/Apia", "2011-12-30T20:00:00Z", "2012-01-01T10:00:00Z"},
		{"a month after January", months(1), sla.Billing{}, "UTC", "2026-01-15T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"a month after 31 January", months(1), sla.Billing{AnchorDay: 31}, "UTC", "2026-01-15T00:00:00Z", "2026-02-28T00:00:00Z"},
		{"months over a change of the clock", months(2), sla.Billing{}, "Europe/Amsterdam", "2026-01-15T00:00:00Z", "2026-03-31T22:00:00Z"},
		{"two quarters", sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 2}, sla.Billing{Months: 3}, "UTC", "2026-02-15T00:00:00Z", "2026-10-01T00:00:00Z"},
		{"a week of fixed days", sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 1}, sla.Billing{Days: 7, First: vectorStart}, "UTC", "2026-04-03T00:00:00Z", "2026-04-15T00:00:00Z"},
	} {
		got, ok := c.rule.Deadline(instant(t, c.ended), c.billing, zone(t, c.zone))
		if ok != (c.want != "") || ok && !got.Equal(instant(t, c.want)) {
			t.Errorf("%s: Deadline = %s, %v, want %s", c.name, got.UTC(), ok, c.want)
		}
	}
}

func TestNotifyBefore(t *testing.T) {
	for _, c := range []struct {
		name  string
		days  int
		zone  string
		ended string
		want  string
	}{
		{"no report asked for", 0, "UTC", "2026-04-02T10:00:00Z", ""},
		// Thursday; Friday, Monday to Thursday. Holidays count as any day, as Easter
		// Monday does here.
		{"five days over a weekend", 5, "UTC", "2026-04-02T10:00:00Z", "2026-04-10T00:00:00Z"},
		{"from a Saturday to Monday", 1, "UTC", "2026-04-04T10:00:00Z", "2026-04-07T00:00:00Z"},
		{"from a Friday night over a change of the clock", 1, "Europe/Amsterdam", "2026-03-27T22:30:00Z", "2026-03-30T22:00:00Z"},
		{"already Saturday there", 1, "Asia/Singapore", "2026-03-27T16:00:00Z", "2026-03-30T16:00:00Z"},
		{"over a leap day", 2, "UTC", "2028-02-28T00:00:00Z", "2028-03-02T00:00:00Z"}, // Monday; Tuesday the 29th, Wednesday
		// Apia had no Friday, 30 December 2011: from Thursday on Monday is the first.
		{"over a Friday that is not there", 1, "Pacific/Apia", "2011-12-29T20:00:00Z", "2012-01-02T10:00:00Z"},
	} {
		got, ok := sla.ClaimRule{NotifyBusinessDays: c.days}.NotifyBefore(instant(t, c.ended), zone(t, c.zone))
		if ok != (c.want != "") || ok && !got.Equal(instant(t, c.want)) {
			t.Errorf("%s: NotifyBefore = %s, %v, want %s", c.name, got.UTC(), ok, c.want)
		}
	}
}
