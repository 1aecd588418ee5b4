package sla_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// fullContract is a contract with one of everything.
func fullContract(tb testing.TB) sla.Contract {
	tb.Helper()
	c := sla.Preset("x", sla.Essential, "Europe/Amsterdam", euro(20_000))
	c.Claim = sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 30}
	c.ScopeIn = []string{"production"}
	c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}, {ID: "web"}}
	c.Calendars["shop"] = calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("08:00", "20:00")}
	target, err := incident.ParseTarget("> 95%")
	noError(tb, err)
	c.Terms = append(c.Terms, sla.Term{ID: "changes", Indicator: &sla.Indicator{KPI: sla.KPIChanges, Target: target, Credit: euro(100)}})
	return c
}

func TestCompare(t *testing.T) {
	full, half := money.WholePercent(100), money.WholePercent(50)
	uptime := func(change func(*sla.Availability)) func(*sla.Contract) {
		return func(c *sla.Contract) { change(c.Terms[0].Availability) }
	}
	response := func(i int, change func(*sla.Target)) func(*sla.Contract) {
		return func(c *sla.Contract) { change(&c.Terms[1].Response.Targets[i]) }
	}
	limit := func(text string) incident.Target {
		target, err := incident.ParseTarget(text)
		noError(t, err)
		return target
	}
	bands := func(bands ...sla.Band) func(*sla.Contract) {
		return uptime(func(a *sla.Availability) { a.Remedy = sla.Bands{Bands: bands} })
	}
	band := func(below, from, credit int64) sla.Band {
		return sla.Band{Below: money.WholePercent(below), From: money.WholePercent(from), Credit: money.WholePercent(credit)}
	}
	const reference = "10% from 98% to 99%, 25% from 95% to 98%, 50% from 0% to 95%"
	const remedy = "terms[availability].availability.remedy"
	better, worse, neutral := sla.EffectBetter, sla.EffectWorse, sla.EffectNeutral
	for _, c := range []struct {
		name          string
		base          func(*sla.Contract) // from which the change is made
		change        func(*sla.Contract)
		path          string
		before, after string
		effect        sla.Effect
	}{
		{"lower fee", nil, func(c *sla.Contract) { c.Fee = euro(18_000) }, "fee", "20000.00 EUR", "18000.00 EUR", better},
		{"fee in another currency", nil, func(c *sla.Contract) { c.Fee = money.Must(money.Parse("1.00 USD")) }, "fee", "20000.00 EUR", "1.00 USD", neutral},
		{"customer", nil, func(c *sla.Contract) { c.Customer = "Acme" }, "customer", "", "Acme", neutral},
		{"start", nil, func(c *sla.Contract) { c.From = claimStart }, "from", "", "2026-11-01T00:00:00Z", neutral},
		{"no cap", nil, func(c *sla.Contract) { c.CapPercent = nil }, "cap_percent", "100%", "", better},
		{"lower cap", nil, func(c *sla.Contract) { c.CapPercent = &half }, "cap_percent", "100%", "50%", worse},
		{"cap of nothing", func(c *sla.Contract) { c.CapPercent = nil }, func(c *sla.Contract) { c.CapPercent = new(money.Percent) }, "cap_percent", "", "0%", worse},
		{"first cap in days", nil, func(c *sla.Contract) { c.CapDays = 5 }, "cap_days", "0", "5", worse},
		{"higher cap in days", func(c *sla.Contract) { c.CapDays = 4 }, func(c *sla.Contract) { c.CapDays = 5 }, "cap_days", "4", "5", better},
		{"stack", nil, func(c *sla.Contract) { c.Stack = sla.StackEither }, "stack", "sum", "either", worse},
		{"rounding", nil, func(c *sla.Contract) { c.Rounding = money.Down }, "rounding", "half_up", "down", worse},
		{"scope", nil, func(c *sla.Contract) { c.ScopeIn = []string{"production", "staging"} }, "scope_in", `["production"]`, `["production","staging"]`, better},
		{"another scope", nil, func(c *sla.Contract) { c.ScopeIn = []string{"staging"} }, "scope_in", `["production"]`, `["staging"]`, neutral},
		{"out of scope", nil, func(c *sla.Contract) { c.ScopeOut = []string{"backup"} }, "scope_out", "", `["backup"]`, worse},
		{"longer claim", nil, func(c *sla.Contract) { c.Claim.Days = 60 }, "claim.days", "30", "60", better},
		{"report to be made", nil, func(c *sla.Contract) { c.Claim.NotifyBusinessDays = 5 }, "claim.notify_business_days", "0", "5", worse},

		{"higher target", nil, uptime(func(a *sla.Availability) { a.Target = percent("99.5") }), "terms[availability].availability.target", "99%", "99.5%", better},
		{"strict", nil, uptime(func(a *sla.Availability) { a.Strict = true }), "terms[availability].availability.strict", "false", "true", better},
		{"shorter notice", nil, uptime(func(a *sla.Availability) { a.MinNotice = 48 * time.Hour }), "terms[availability].availability.min_notice_ns", "72h0m0s", "48h0m0s", worse},
		{
			"more excluded", nil, uptime(func(a *sla.Availability) { a.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer} }),
			"terms[availability].availability.exclude", `["maintenance"]`, `["maintenance","customer"]`, worse,
		},
		{"maintenance bounded", nil, uptime(func(a *sla.Availability) { a.MaintenancePerYear = time.Hour }), "terms[availability].availability.maintenance_per_year_ns", "0s", "1h0m0s", better},
		{"unknown time is down", nil, uptime(func(a *sla.Availability) { a.Unknown = sla.UnknownDown }), "terms[availability].availability.unknown", "up", "down", better},
		{"excluded from both", nil, uptime(func(a *sla.Availability) { a.ExcludeMode = sla.FromBoth }), "terms[availability].availability.exclude_mode", "downtime_only", "both", better},
		{
			"lost or left out", uptime(func(a *sla.Availability) { a.Unknown = sla.UnknownDown }), uptime(func(a *sla.Availability) { a.Unknown = sla.UnknownExcluded }),
			"terms[availability].availability.unknown", "down", "exclude", neutral,
		},
		{
			"shorter notice where the whole shrinks", uptime(func(a *sla.Availability) { a.ExcludeMode = sla.FromBoth }), uptime(func(a *sla.Availability) { a.MinNotice = 48 * time.Hour }),
			"terms[availability].availability.min_notice_ns", "72h0m0s", "48h0m0s", neutral,
		},
		{
			"one service more in a mean", uptime(func(a *sla.Availability) { a.Aggregate = sla.Mean }), uptime(func(a *sla.Availability) { a.Services = append(a.Services, sla.Service{ID: "db"}) }),
			"terms[availability].availability.services[db]", "", `{"id":"db"}`, neutral,
		},
		{
			"reports add up", uptime(func(a *sla.Availability) { a.Measure = sla.Uptime{} }), uptime(func(a *sla.Availability) { a.Measure = sla.Uptime{Overlap: sla.OverlapSum} }),
			"terms[availability].availability.measure.overlap", "union", "sum", better,
		},
		{
			"excluded from both, by requests", uptime(func(a *sla.Availability) { a.Measure = sla.Events{} }), uptime(func(a *sla.Availability) { a.ExcludeMode = sla.FromBoth }),
			"terms[availability].availability.exclude_mode", "downtime_only", "both", neutral,
		},
		{"every service pays", nil, uptime(func(a *sla.Availability) { a.Aggregate = sla.PerService }), "terms[availability].availability.aggregate", "worst", "per_service", better},
		{"mean of the services", nil, uptime(func(a *sla.Availability) { a.Aggregate = sla.Mean }), "terms[availability].availability.aggregate", "worst", "mean", neutral},
		{
			"one service more", nil, uptime(func(a *sla.Availability) { a.Services = append(a.Services, sla.Service{ID: "db"}) }),
			"terms[availability].availability.services[db]", "", `{"id":"db"}`, better,
		},
		{
			"first service named", uptime(func(a *sla.Availability) { a.Services = nil }), uptime(func(a *sla.Availability) { a.Services = []sla.Service{{ID: "db"}} }),
			"terms[availability].availability.services[db]", "", `{"id":"db"}`, neutral,
		},
		{
			"target of a service", uptime(func(a *sla.Availability) { a.Services[1].Target = &half }), uptime(func(a *sla.Availability) { a.Services[1].Target = &full }),
			"terms[availability].availability.services[web].target", "50%", "100%", better,
		},
		{"service hours", nil, uptime(func(a *sla.Availability) { a.ServiceHours = "shop" }), "terms[availability].availability.service_hours", "", "shop", neutral},
		{"another measure", nil, uptime(func(a *sla.Availability) { a.Measure = sla.Events{} }), "terms[availability].availability.measure", "", `{"kind":"events"}`, neutral},
		{
			"short outages count", uptime(func(a *sla.Availability) { a.Measure = sla.Uptime{MinOutage: time.Minute} }), uptime(func(a *sla.Availability) { a.Measure = sla.Uptime{} }),
			"terms[availability].availability.measure.min_outage_ns", "1m0s", "0s", better,
		},

		{"higher credit in a band", nil, bands(band(99, 98, 10), band(98, 95, 30), band(95, 0, 50)), remedy, reference, "10% from 98% to 99%, 30% from 95% to 98%, 50% from 0% to 95%", better},
		{"another cut, never less", nil, bands(band(99, 96, 25), band(96, 0, 50)), remedy, reference, "25% from 96% to 99%, 50% from 0% to 96%", better},
		{"another cut, here more and there less", nil, bands(band(99, 94, 20), band(94, 0, 50)), remedy, reference, "20% from 94% to 99%, 50% from 0% to 94%", neutral},
		{
			"the top band extended", nil, uptime(func(a *sla.Availability) { a.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true} }),
			remedy, reference, reference + ", the first up to the target", better,
		},
		{
			"the bound in the lower band", nil, bands(
				sla.Band{Below: money.WholePercent(99), From: money.WholePercent(98), Credit: money.WholePercent(10), NotAtFrom: true},
				sla.Band{Below: money.WholePercent(98), From: money.WholePercent(95), Credit: money.WholePercent(25), AtBelow: true}, band(95, 0, 50)),
			remedy, reference, "10% above 98% to 99%, 25% from 95% to 98% inclusive, 50% from 0% to 95%", better,
		},
		{
			"days for percentages", nil, uptime(func(a *sla.Availability) { a.Remedy = sla.Bands{Bands: []sla.Band{{Below: full, Days: 30}}} }),
			remedy, reference, "30 days from 0% to 100%", neutral,
		},
		{"another remedy", nil, uptime(func(a *sla.Availability) { a.Remedy = sla.LostTime{Times: 2} }), remedy, reference, `{"kind":"lost_time","times":2}`, neutral},
		{"no remedy", nil, uptime(func(a *sla.Availability) { a.Remedy = nil }), remedy, reference, "", worse},
		{
			"more of the lost time", uptime(func(a *sla.Availability) { a.Remedy = sla.LostTime{Times: 2} }), uptime(func(a *sla.Availability) { a.Remedy = sla.LostTime{Times: 10} }),
			remedy + ".times", "2", "10", better,
		},

		{"sooner", nil, response(0, func(x *sla.Target) { x.Within = 5 * time.Minute }), "terms[response].response.targets[P1].within_ns", "15m0s", "5m0s", better},
		{"higher credit", nil, response(0, func(x *sla.Target) { x.Credit = euro(600) }), "terms[response].response.targets[P1].credit", "500.00 EUR", "600.00 EUR", better},
		{"a first credit", nil, response(3, func(x *sla.Target) { x.Credit = euro(50) }), "terms[response].response.targets[P4].credit", "", "50.00 EUR", better},
		{
			"another reading of next day", nil, response(3, func(x *sla.Target) { x.NextDay = &calendar.NextDayRule{Mode: calendar.AtOpening} }),
			"terms[response].response.targets[P4].next_business_day.mode", "receipt_date", "opening", neutral,
		},
		{
			"a severity less", nil, func(c *sla.Contract) { c.Terms[1].Response.Targets = c.Terms[1].Response.Targets[:3] },
			"terms[response].response.targets[P4]", `{"severity":"P4","next_business_day":{},"calendar":"office"}`, "", worse,
		},
		{"from detection", nil, func(c *sla.Contract) { c.Terms[1].Response.Start = sla.FromDetected }, "terms[response].response.start", "opened", "detected", better},
		{"not pausable", nil, func(c *sla.Contract) { c.Terms[2].Resolution.Pausable = false }, "terms[resolution].resolution.pausable", "true", "false", better},
		{"the mean too", nil, func(c *sla.Contract) { c.Terms[2].Resolution.MeanToo = true }, "terms[resolution].resolution.mean_too", "false", "true", worse},
		{"in office hours", nil, response(0, func(x *sla.Target) { x.Calendar = sla.OfficeHours }), "terms[response].response.targets[P1].calendar", "", "office", worse},
		{
			"longer hours", response(0, func(x *sla.Target) { x.Calendar = sla.OfficeHours }), response(0, func(x *sla.Target) { x.Calendar = "shop" }),
			"terms[response].response.targets[P1].calendar", "office", "shop", better,
		},
		{"a holiday", nil, func(c *sla.Contract) {
			h := c.Calendars["shop"]
			h.Holidays = []string{"2026-12-25"}
			c.Calendars["shop"] = h
		}, "calendars.shop", `{"zone":"Europe/Amsterdam","week":{"monday":[{"from":"08:00","to":"20:00"}],"tuesday":[{"from":"08:00","to":"20:00"}],` +
			`"wednesday":[{"from":"08:00","to":"20:00"}],"thursday":[{"from":"08:00","to":"20:00"}],"friday":[{"from":"08:00","to":"20:00"}]}}`, "*", worse},

		{"monitoring", nil, func(c *sla.Contract) { c.Terms[3].Monitoring.Count = sla.StartedHours }, "terms[monitoring].monitoring.count", "prorata", "started_hours", better},
		{"term cap", nil, func(c *sla.Contract) { c.Terms[3].CapPercent = &half }, "terms[monitoring].cap_percent", "", "50%", worse},
		{"minimum", nil, func(c *sla.Contract) { c.Terms[3].MoreThan = euro(1) }, "terms[monitoring].more_than", "", "1.00 EUR", worse},
		{"fewer fees", nil, func(c *sla.Contract) { c.Terms[4].DataLoss.Fees = 6 }, "terms[data-loss].data_loss.fees", "12", "6", worse},
		{"stricter indicator", nil, func(c *sla.Contract) { c.Terms[5].Indicator.Target = limit("> 97%") }, "terms[changes].indicator.target", "> 95%", "> 97%", better},
		{"the limit is enough", nil, func(c *sla.Contract) { c.Terms[5].Indicator.Target = limit(">= 95%") }, "terms[changes].indicator.target", "> 95%", ">= 95%", worse},
		{
			"a term less", nil, func(c *sla.Contract) { c.Terms = c.Terms[:5] },
			"terms[changes]", `{"id":"changes","indicator":{"kpi":"change_success_rate","target":"\u003e 95%","credit":{"amount":"100.00","currency":"EUR"}}}`, "", worse,
		},
		{"a term more", func(c *sla.Contract) { c.Terms = c.Terms[:5] }, func(c *sla.Contract) {
			c.Terms = append(c.Terms, sla.Term{ID: "m", Monitoring: &sla.Monitoring{PercentPerHour: full}})
		}, "terms[m]", "", `{"id":"m","monitoring":{"percent_per_hour":"100%"}}`, better},
	} {
		before, after := fullContract(t), fullContract(t)
		if c.base != nil {
			c.base(&before)
			c.base(&after)
		}
		c.change(&after)
		changes := sla.Compare(before, after)
		if len(changes) != 1 {
			t.Errorf("%s: Compare = %v, want one change", c.name, changes)
			continue
		}
		if c.after == "*" {
			c.after = changes[0].After
		}
		equalText(t, c.name, changes[0], sla.ContractChange{Path: c.path, Before: c.before, After: c.after, Effect: c.effect})
	}
}

// A credit by percentage in the place of an amount is two changes of which
// neither can be judged.
func TestCompareOfMixedCredits(t *testing.T) {
	before, after := fullContract(t), fullContract(t)
	p1 := &after.Terms[1].Response.Targets[0]
	p1.Credit, p1.CreditPercent = money.Amount{}, money.WholePercent(5)
	equalText(t, "changes", sla.Compare(before, after), []sla.ContractChange{
		{Path: "terms[response].response.targets[P1].credit", Before: "500.00 EUR", Effect: sla.EffectNeutral},
		{Path: "terms[response].response.targets[P1].credit_percent", Before: "0%", After: "5%", Effect: sla.EffectNeutral},
	})
	after = fullContract(t)
	after.Claim = sla.ClaimRule{}
	equalText(t, "automatic", sla.Compare(before, after), []sla.ContractChange{
		{Path: "claim.kind", Before: "days_after_period_end", After: "automatic", Effect: sla.EffectBetter},
		{Path: "claim.days", Before: "30", After: "0", Effect: sla.EffectNeutral},
	})
	// A response by the next business day becomes one within four hours.
	after = fullContract(t)
	p4 := &after.Terms[1].Response.Targets[3]
	p4.NextDay, p4.Within = nil, 4*time.Hour
	equalText(t, "four hours", sla.Compare(before, after), []sla.ContractChange{
		{Path: "terms[response].response.targets[P4].within_ns", Before: "0s", After: "4h0m0s", Effect: sla.EffectBetter},
		{Path: "terms[response].response.targets[P4].next_business_day", Before: "next business day by receipt_date", Effect: sla.EffectBetter},
	})
}

func TestCompareLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	opposite := map[sla.Effect]sla.Effect{sla.EffectBetter: sla.EffectWorse, sla.EffectWorse: sla.EffectBetter, sla.EffectNeutral: sla.EffectNeutral}
	for range 200 {
		a, b := variedContract(r, "a"), variedContract(r, "b")
		if changes := sla.Compare(a, a); len(changes) > 0 {
			t.Fatalf("a contract differs from itself: %v", changes)
		}
		there, back := sla.Compare(a, b), sla.Compare(b, a)
		byPath := func(x, y sla.ContractChange) int { return strings.Compare(x.Path, y.Path) }
		slices.SortFunc(there, byPath)
		slices.SortFunc(back, byPath)
		for i := range back {
			back[i].Before, back[i].After, back[i].Effect = back[i].After, back[i].Before, opposite[back[i].Effect]
		}
		if !reflect.DeepEqual(there, back) {
			t.Fatalf("there and back differ:\n%v\n%v", there, back)
		}
		data, err := json.Marshal(there)
		noError(t, err)
		var read []sla.ContractChange
		noError(t, json.Unmarshal(data, &read))
		equalText(t, "after JSON", read, there)
	}
}

// What is called better never earns less: the same evidence under a contract with
// only better changes.
func TestBetterIsBetter(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	better := 0
	for range 800 {
		before := variedContract(r, "x")
		before.From, before.Stack, before.RoundOnce = time.Time{}, sla.StackSum, false
		before.Terms = before.Terms[:5]
		after := before
		after.Terms = slices.Clone(before.Terms)
		a := *before.Terms[0].Availability
		after.Terms[0].Availability = &a
		switch r.IntN(6) {
		case 0:
			a.Target = money.WholePercent(100) - 1
		case 1:
			a.Unknown = sla.Unknown(r.IntN(3))
		case 2:
			a.ExcludeMode = sla.ExcludeMode(r.IntN(2))
		case 3:
			a.Remedy = sla.Bands{Bands: []sla.Band{{Below: money.WholePercent(100), Credit: money.WholePercent(50)}}}
		case 4:
			a.Exclude = nil
		case 5:
			a.MinNotice *= 2
		}
		changes := sla.Compare(before, after)
		if len(changes) == 0 || slices.ContainsFunc(changes, func(c sla.ContractChange) bool { return c.Effect != sla.EffectBetter }) {
			continue
		}
		better++
		x, err := sla.Compile(before)
		noError(t, err)
		y, err := sla.Compile(after)
		noError(t, err)
		p := x.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		e := variedEvidence(r, p)
		if less, more := evaluate(t, x, p, e), evaluate(t, y, p, e); more.Gross.Minor() < less.Gross.Minor() {
			t.Fatalf("%v: %s becomes %s", changes, less.Gross, more.Gross)
		}
	}
	if better < 100 {
		t.Errorf("only %d of 800 changes were better", better)
	}
}
