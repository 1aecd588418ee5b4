package sla_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// exposures are lines without their texts.
func exposures(tb testing.TB, promise, supplier sla.Contract) (lines []string) {
	tb.Helper()
	found, err := sla.BackToBack(promise, supplier)
	noError(tb, err)
	for _, e := range found {
		lines = append(lines, e.String())
		if e.Text == "" {
			tb.Errorf("%s: no text", e)
		}
	}
	data, err := json.Marshal(found)
	noError(tb, err)
	var back []sla.Exposure
	noError(tb, json.Unmarshal(data, &back))
	equalText(tb.(*testing.T), "after JSON", back, found) //nolint:forcetypeassert // called by tests alone
	return lines
}

// The tier table, read across: 99.9 over 99.5 %, the four response times, and half
// the fee of 100000.00 over half of 45000.00.
func TestBackToBackOfTiers(t *testing.T) {
	contract := func(tier sla.Tier, fee int64) sla.Contract {
		return sla.Preset(tier.String(), tier, "Europe/Amsterdam", euro(fee))
	}
	enterprise, professional, essential := contract(sla.Enterprise, 100_000), contract(sla.Professional, 45_000), contract(sla.Essential, 20_000)
	equalText(t, "enterprise over professional", exposures(t, enterprise, professional), []string{
		"availability: 99.9% promised, 99.5% from the supplier",
		"response P1: 2m promised, 5m from the supplier",
		"response P2: 15m promised, 30m from the supplier",
		"response P3: 1h promised, 2h from the supplier",
		"response P4: 2h promised, 4h from the supplier",
		"credit: 50000.00 EUR promised, 22500.00 EUR from the supplier",
	})
	// The supplier's office hours are Monday to Friday, 9 to 18: of the 8784 hours of
	// 2024 they leave out 8784 − 262·9 = 6426.
	found, err := sla.BackToBack(professional, essential)
	noError(t, err)
	equalText(t, "lines", len(found), 7)
	equalText(t, "hours", found[1], "service_hours P4: around the clock promised, office in Europe/Amsterdam from the supplier")
	equalText(t, "text", found[1].Text, "in 6426h0m0s of the hours compared the supplier promises nothing")
	equalText(t, "P4", found[5], "response P4: 4h promised, next business day from the supplier")
	equalText(t, "less over more", exposures(t, essential, enterprise), []string{})
	equalText(t, "the same", exposures(t, essential, essential), []string{})
}

func TestBackToBack(t *testing.T) {
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	service := func(c *sla.Contract) *sla.Availability { return c.Terms[0].Availability }
	for _, c := range []struct {
		name   string
		change func(promise, supplier *sla.Contract)
		want   []string
	}{
		{"strict", func(p, _ *sla.Contract) { service(p).Strict = true }, []string{"availability: above 99% promised, 99% from the supplier"}},
		{
			"no availability", func(p, s *sla.Contract) { p.Terms, s.Terms = p.Terms[:1], s.Terms[1:2] },
			[]string{"availability: 99% promised, nothing from the supplier", "credit: 10000.00 EUR promised, 0.00 EUR from the supplier"},
		},
		{
			"an excuse", func(_, s *sla.Contract) { service(s).Exclude = append(service(s).Exclude, sla.CauseForceMajeure) },
			[]string{"exclusion: not excluded promised, force_majeure excluded from the supplier"},
		},
		{"shorter notice", func(_, s *sla.Contract) { service(s).MinNotice = 24 * time.Hour }, []string{"notice: 3d promised, 1d from the supplier"}},
		{
			"notice of what the customer does not excuse", func(p, s *sla.Contract) { service(p).Exclude, service(s).MinNotice = nil, 24*time.Hour },
			[]string{"exclusion: not excluded promised, maintenance excluded from the supplier"},
		},
		{"notice of what the supplier answers for", func(_, s *sla.Contract) { service(s).Exclude, service(s).MinNotice = nil, 0 }, []string{}},
		{"the same service, and one that the supplier does not name", func(p, s *sla.Contract) {
			target := money.WholePercent(100) - 1
			service(p).Services = []sla.Service{{ID: "api", Target: &target}, {ID: "web"}}
			low := money.WholePercent(98)
			service(s).Services = []sla.Service{{ID: "api", Target: &target}, {ID: "db", Target: &low}, {ID: "dns"}}
		}, []string{"availability of web: 99% promised, 98% from the supplier"}},
		{"a service within all", func(p, _ *sla.Contract) { service(p).Services = []sla.Service{{ID: "api"}} }, []string{}},
		{"strict clock", func(p, _ *sla.Contract) { p.Terms[1].Response.Strict = true }, []string{
			"response P1: less than 15m promised, 15m from the supplier",
			"response P2: less than 1h promised, 1h from the supplier",
			"response P3: less than 4h promised, 4h from the supplier",
			"response P4: strictly by the next business day promised, next business day from the supplier",
		}},
		{
			"a severity less", func(_, s *sla.Contract) { s.Terms[2].Resolution.Targets = s.Terms[2].Resolution.Targets[:3] },
			[]string{"resolution P4: less than 3d promised, nothing from the supplier"},
		},
		{"the strictest of two terms", func(_, s *sla.Contract) {
			s.Terms[1].Response.Targets = s.Terms[1].Response.Targets[1:]
			s.Terms = append(s.Terms, sla.Term{ID: "fast", Response: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Minute}}}})
		}, []string{}},
		{"updates", func(p, _ *sla.Contract) {
			p.Terms = append(p.Terms, sla.Term{ID: "u", Update: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour}}}})
		}, []string{"update P1: 1h promised, nothing from the supplier"}},
		{"a clock in hours of another zone", func(_, s *sla.Contract) {
			s.Calendars[sla.OfficeHours] = calendar.Hours{Zone: "Asia/Singapore", Week: calendar.MondayToFriday("09:00", "18:00")}
		}, []string{"service_hours P4: office in Europe/Amsterdam promised, office in Asia/Singapore from the supplier"}},
		{"longer hours behind it", func(_, s *sla.Contract) {
			s.Calendars[sla.OfficeHours] = calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("06:00", "22:00")}
		}, []string{}},

		{"every service pays", func(p, s *sla.Contract) {
			service(p).Services, service(p).Aggregate = []sla.Service{{ID: "a"}, {ID: "b"}}, sla.PerService
			service(s).Services = []sla.Service{{ID: "a"}, {ID: "b"}}
		}, []string{"credit: 20000.00 EUR promised, 10000.00 EUR from the supplier"}},
		{"the cap of the supplier", func(_, s *sla.Contract) { *s.CapPercent = money.WholePercent(15) }, []string{"credit: 10000.00 EUR promised, 3000.00 EUR from the supplier"}},
		// The quarter has 91 days less an hour; the 744 hours of January are
		// 744/2183 · 30000 = 10224.46.
		{"a month of a quarter", func(p, s *sla.Contract) {
			service(p).Remedy, service(s).Remedy = sla.LostTime{Times: 1}, sla.LostTime{Times: 1}
			s.Fee, s.Period, s.Tier = euro(30_000), sla.Billing{Months: 3}, 0
		}, []string{"credit: 20000.00 EUR promised, 10224.46 EUR from the supplier"}},
		// January in Amsterdam is an hour of a day in UTC, 30 whole days and 23 hours of
		// one: 25 % of 600.00 below 23/24 = 95.8 %, then half of it each time.
		{
			"days of a month", func(_, s *sla.Contract) { s.Fee, s.Period, s.Tier, s.Zone = euro(600), sla.Billing{Days: 1}, 0, "UTC" },
			[]string{"credit: 10000.00 EUR promised, 9450.00 EUR from the supplier"},
		},
		{
			"rolling days of a month", func(_, s *sla.Contract) { s.Fee, s.Period, s.Tier = euro(600), sla.Billing{Days: 31, Rolling: true}, 0 },
			[]string{"credit: 10000.00 EUR promised, 300.00 EUR from the supplier"},
		},
		{"another currency", func(p, s *sla.Contract) {
			p.Terms, s.Terms = p.Terms[:1], s.Terms[:1]
			s.Fee = money.Must(money.Parse("20000.00 USD"))
		}, []string{"credit: 10000.00 EUR promised, 10000.00 USD from the supplier"}},
		{"no time together", func(p, s *sla.Contract) { p.Until, s.From = january, january }, []string{"credit: essential promised, nothing from the supplier"}},
		{"the supplier begins later", func(p, s *sla.Contract) { s.From = january.AddDate(0, 0, 10) }, []string{}},
		{"both have ended", func(p, s *sla.Contract) { p.Until, s.Until = january.AddDate(-9, 0, 0), january.AddDate(-9, 0, 0) }, []string{}},
		{
			"a remedy that is not known", func(_, s *sla.Contract) { service(s).Remedy = sla.UnknownRemedy{} },
			[]string{"credit: 10000.00 EUR promised, 0.00 EUR from the supplier"},
		},
		{"counted by requests", func(p, s *sla.Contract) {
			service(p).Measure, service(s).Measure = sla.Events{}, sla.MeanErrorRate{Slot: time.Minute}
		}, []string{}},
	} {
		promise := sla.Preset("essential", sla.Essential, "Europe/Amsterdam", euro(20_000))
		supplier := sla.Preset("supplier", sla.Essential, "Europe/Amsterdam", euro(20_000))
		c.change(&promise, &supplier)
		equalText(t, c.name, exposures(t, promise, supplier), c.want)
	}
}

func TestBackToBackErrors(t *testing.T) {
	good, bad := sla.Preset("a", sla.Essential, "UTC", euro(20_000)), sla.Preset("b", sla.Essential, "", euro(20_000))
	for name, pair := range map[string][2]sla.Contract{"promise": {bad, good}, "supplier": {good, bad}} {
		_, err := sla.BackToBack(pair[0], pair[1])
		var problem *sla.ContractError
		if !errors.As(err, &problem) || problem.Issue.Path != "zone" {
			t.Errorf("%s without a zone: %v", name, err)
		}
	}
}

// A full outage that is evaluated owes what BackToBack says.
func TestBackToBackCreditIsThatOfEvaluate(t *testing.T) {
	for _, tier := range sla.Tiers {
		promise := sla.Preset("p", tier, "Europe/Amsterdam", tier.Offer().FeeFrom)
		promise.Terms = promise.Terms[:1]
		supplier := promise
		supplier.Terms = []sla.Term{{ID: "m", Monitoring: &sla.Monitoring{}}}
		found, err := sla.BackToBack(promise, supplier)
		noError(t, err)
		p, err := sla.ParseMonth("2024-01", time.UTC)
		noError(t, err)
		s, err := sla.Evaluate(promise, p, sla.Evidence{Observed: p.Interval, Outages: []sla.Outage{{Start: p.Start, End: p.End}}})
		noError(t, err)
		equalText(t, "credit", found[len(found)-1].Promise, fmt.Sprint(s.Payable))
	}
}
