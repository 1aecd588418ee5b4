package sla_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// expect collects differences between what a statement says and a case wants.
type expect struct{ errs []error }

func (e *expect) equal(what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		e.errs = append(e.errs, fmt.Errorf("%s = %s, want %s", what, g, w))
	}
}

func (e *expect) err() error { return errors.Join(e.errs...) }

var vectorStart = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func lasting(d time.Duration) sla.Period {
	return sla.Period{Label: "case", Interval: calendar.Interval{Start: vectorStart, End: vectorStart.Add(d)}}
}

// seconds is decimal text of up to nine digits.
type seconds time.Duration

func (s *seconds) UnmarshalJSON(data []byte) error {
	text := string(data)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	n, err := fixed.ParseDecimal(text, 9)
	*s = seconds(n)
	return err
}

func amount(text, currency string) (money.Amount, error) {
	return money.ParseDecimal(text, money.Currency(cmp.Or(currency, "EUR")))
}

// vectorContract is the preset of a tier with the fee of a case; in another
// currency it promises no fixed amounts.
func vectorContract(tier sla.Tier, fee, currency string) (sla.Contract, error) {
	a, err := amount(fee, currency)
	if err != nil {
		return sla.Contract{}, err
	}
	c := sla.Preset("case", tier, "UTC", a)
	if a.Currency() != "EUR" {
		response := c.Terms[1].Response
		for i := range response.Targets {
			response.Targets[i].Credit = money.Amount{}
		}
	}
	return c, nil
}

func down(p sla.Period, d time.Duration) sla.Evidence {
	e := sla.Evidence{Observed: p.Interval}
	if d > 0 {
		e.Outages = []sla.Outage{{Ref: "outage", Start: p.Start, End: p.Start.Add(d)}}
	}
	return e
}

// percentFraction writes a fraction of 1 as a fraction of percent.
func percentFraction(f sla.Fraction) string {
	r := f.Rat()
	return r.Mul(r, big.NewRat(100, 1)).String()
}

func rate(s sla.Statement) string {
	for _, l := range s.Lines {
		if l.Clause == sla.ClauseAvailability {
			return l.Rate.String()
		}
	}
	return "0%"
}

func vectorAvailability(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier          sla.Tier
			Fee, Currency string
			Period        seconds `json:"period_seconds"`
			Downtime      seconds `json:"downtime_seconds"`
		}
		Expect struct {
			Fraction      string `json:"availability_fraction"`
			Display       string `json:"availability_display_floor6"`
			Met           bool   `json:"target_met"`
			PctLiteral    int    `json:"credit_pct_literal"`
			PctExtend     int    `json:"credit_pct_extend_top_band"`
			CreditLiteral string `json:"credit_literal"`
			CreditExtend  string `json:"credit_extend"`
			Gap           bool
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, v.Input.Fee, v.Input.Currency)
	if err != nil {
		return err
	}
	p := lasting(time.Duration(v.Input.Period))
	var e expect
	for _, extend := range []bool{false, true} {
		contract.Terms[0].Availability.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: extend}
		s, err := sla.Evaluate(contract, p, down(p, time.Duration(v.Input.Downtime)))
		if err != nil {
			return err
		}
		pct, credit := v.Expect.PctLiteral, v.Expect.CreditLiteral
		if extend {
			pct, credit = v.Expect.PctExtend, v.Expect.CreditExtend
		} else {
			e.equal("gap", hasFinding(s, sla.CodeCreditGap), v.Expect.Gap)
		}
		m := s.Availability[0]
		want, _ := new(big.Rat).SetString(v.Expect.Fraction)
		e.equal("fraction", percentFraction(m.Value), want)
		e.equal("display", m.Value.Percent(6), v.Expect.Display)
		e.equal("met", m.Outcome == sla.Met, v.Expect.Met)
		e.equal("percent", rate(s), money.WholePercent(int64(pct)))
		e.equal("credit", s.Payable.Decimal(), credit)
	}
	return e.err()
}

func vectorIntervals(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier          sla.Tier
			Fee, Currency string
			TZ            string
			Period        [2]string
			Outages       [][2]*time.Time
			Maintenance   []struct{ Start, End, Announced time.Time }
			NoticeHours   int64           `json:"notice_min_hours"`
			Mode          sla.ExcludeMode `json:"exclusion_mode"`
		}
		Expect struct {
			Period   seconds `json:"period_seconds"`
			Raw      seconds `json:"raw_outage_seconds"`
			Excluded seconds `json:"excluded_seconds"`
			Down     seconds `json:"downtime_seconds"`
			Display  string  `json:"availability_display_floor6"`
			Met      bool    `json:"target_met"`
			Pct      int     `json:"credit_pct_literal"`
			Credit   string  `json:"credit_literal"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, v.Input.Fee, v.Input.Currency)
	if err != nil {
		return err
	}
	contract.Zone = v.Input.TZ
	term := contract.Terms[0].Availability
	term.MinNotice, term.ExcludeMode = time.Duration(v.Input.NoticeHours)*time.Hour, v.Input.Mode
	loc, err := time.LoadLocation(v.Input.TZ)
	if err != nil {
		return err
	}
	p, err := sla.ParseMonth(v.Input.Period[0][:len("2026-04")], loc)
	if err != nil {
		return err
	}
	ev := sla.Evidence{Observed: p.Interval}
	for _, o := range v.Input.Outages {
		out := sla.Outage{Start: *o[0]}
		if o[1] != nil {
			out.End = *o[1]
		}
		ev.Outages = append(ev.Outages, out)
	}
	for _, m := range v.Input.Maintenance {
		ev.Maintenance = append(ev.Maintenance, sla.Maintenance{Start: m.Start, End: m.End, Announced: m.Announced})
	}
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	m := s.Availability[0]
	var e expect
	e.equal("period", p.Duration(), time.Duration(v.Expect.Period))
	e.equal("raw", m.RawDown, time.Duration(v.Expect.Raw))
	e.equal("excluded", m.Excluded, time.Duration(v.Expect.Excluded))
	e.equal("down", m.Down, time.Duration(v.Expect.Down))
	e.equal("display", m.Value.Percent(6), v.Expect.Display)
	e.equal("met", m.Outcome == sla.Met, v.Expect.Met)
	e.equal("percent", rate(s), money.WholePercent(int64(v.Expect.Pct)))
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	return e.err()
}

func vectorResponse(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier     sla.Tier
			Severity incident.Severity
			Response seconds `json:"response_seconds"`
		}
		Expect struct {
			Target   int `json:"target_seconds"`
			Breached bool
			Credit   string
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, "45000.00", "EUR")
	if err != nil {
		return err
	}
	contract.Terms = contract.Terms[1:2]
	p := lasting(30 * 24 * time.Hour)
	s, err := sla.Evaluate(contract, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{{
		ID: "INC", Severity: v.Input.Severity, Opened: p.Start, Responded: p.Start.Add(time.Duration(v.Input.Response)),
	}}})
	if err != nil {
		return err
	}
	var target time.Duration
	for _, t := range contract.Terms[0].Response.Targets {
		if t.Severity == v.Input.Severity {
			target = t.Within
		}
	}
	var e expect
	e.equal("target", target, time.Duration(v.Expect.Target)*time.Second)
	e.equal("breached", len(s.Breaches) == 1, v.Expect.Breached)
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	return e.err()
}

func vectorResolution(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier      sla.Tier
			Fee       string
			Incidents []struct {
				Severity incident.Severity
				TTR      seconds `json:"ttr_seconds"`
			}
		}
		Expect struct {
			Strict    int `json:"breaches_per_incident_strict"`
			Pct       int
			Credit    string
			Inclusive int    `json:"breaches_if_target_inclusive"`
			Gated     int    `json:"breaches_mean_gated"`
			CreditMG  string `json:"credit_mean_gated"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, v.Input.Fee, "EUR")
	if err != nil {
		return err
	}
	contract.Terms = contract.Terms[2:3]
	p := lasting(30 * 24 * time.Hour)
	ev := sla.Evidence{Observed: p.Interval}
	for i, in := range v.Input.Incidents {
		ev.Incidents = append(ev.Incidents, sla.Incident{
			ID: strconv.Itoa(i), Severity: in.Severity, Opened: p.Start, Resolved: p.Start.Add(time.Duration(in.TTR)),
		})
	}
	var e expect
	clock := contract.Terms[0].Resolution
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	sum := money.Percent(0)
	for _, l := range s.Lines {
		sum += l.Rate
	}
	e.equal("breaches", len(s.Breaches), v.Expect.Strict)
	e.equal("percent", sum, money.WholePercent(int64(v.Expect.Pct)))
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)

	clock.MeanToo = true
	if s, err = sla.Evaluate(contract, p, ev); err != nil {
		return err
	}
	e.equal("lines where the mean counts", len(s.Lines), v.Expect.Gated)
	e.equal("credit where the mean counts", s.Payable.Decimal(), v.Expect.CreditMG)

	clock.MeanToo, clock.Strict = false, false
	if s, err = sla.Evaluate(contract, p, ev); err != nil {
		return err
	}
	e.equal("breaches of an inclusive target", len(s.Breaches), v.Expect.Inclusive)
	return e.err()
}

func vectorMonitoring(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier    sla.Tier
			Fee     string
			Outages []seconds `json:"outage_seconds"`
		}
		Expect struct {
			Hours            string `json:"hours_fraction"`
			ProRata          string `json:"credit_prorata"`
			FullHours        string `json:"credit_full_hours"`
			StartedHours     string `json:"credit_started_hours"`
			StartedPerOutage string `json:"credit_started_per_outage"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, v.Input.Fee, "EUR")
	if err != nil {
		return err
	}
	contract.Terms = contract.Terms[3:4]
	p := lasting(30 * 24 * time.Hour)
	ev := sla.Evidence{Observed: p.Interval}
	at := p.Start
	for _, d := range v.Input.Outages {
		ev.Gaps = append(ev.Gaps, sla.Gap{Start: at, End: at.Add(time.Duration(d))})
		at = at.Add(time.Duration(d) + time.Hour)
	}
	var e expect
	for count, want := range map[sla.HourCount]string{
		sla.ProRata: v.Expect.ProRata, sla.FullHours: v.Expect.FullHours, sla.StartedHours: v.Expect.StartedHours, sla.StartedPerOutage: v.Expect.StartedPerOutage,
	} {
		contract.Terms[0].Monitoring.Count = count
		s, err := sla.Evaluate(contract, p, ev)
		if err != nil {
			return err
		}
		e.equal(count.String(), s.Payable.Decimal(), want)
		hours := new(big.Rat)
		if len(s.Lines) > 0 {
			hours = big.NewRat(int64(s.Lines[0].Numerator), int64(s.Lines[0].Denominator))
		}
		e.equal("hours", hours, v.Expect.Hours)
	}
	return e.err()
}

func vectorLiability(c testutil.Case) error {
	var v struct {
		Input struct {
			Claim    string
			Invoiced []string `json:"invoiced_fees"`
			Fee      string   `json:"current_fee"`
		}
		Expect struct {
			CapSum         string `json:"cap_sum_last_12"`
			PayableSum     string `json:"payable_sum_last_12"`
			CapCurrent     string `json:"cap_12x_current"`
			PayableCurrent string `json:"payable_12x_current"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(sla.Professional, v.Input.Fee, "EUR")
	if err != nil {
		return err
	}
	contract.Terms = contract.Terms[4:5]
	p := lasting(30 * 24 * time.Hour)
	claim, err := amount(v.Input.Claim, "EUR")
	if err != nil {
		return err
	}
	ev := sla.Evidence{Observed: p.Interval, Losses: []sla.Loss{{Ref: "claim", At: p.Start, Claimed: claim}}}
	for _, text := range v.Input.Invoiced {
		fee, err := amount(text, "EUR")
		if err != nil {
			return err
		}
		ev.Invoiced = append(ev.Invoiced, fee)
	}
	var e expect
	for current, want := range map[bool][2]string{false: {v.Expect.CapSum, v.Expect.PayableSum}, true: {v.Expect.CapCurrent, v.Expect.PayableCurrent}} {
		contract.Terms[0].DataLoss.CurrentFee = current
		s, err := sla.Evaluate(contract, p, ev)
		if err != nil {
			return err
		}
		e.equal("limit", s.Liability[0].Limit.Decimal(), want[0])
		e.equal("payable", s.Liability[0].Payable.Decimal(), want[1])
	}
	return e.err()
}

func vectorStatement(c testutil.Case) error {
	var v struct {
		Input struct {
			Tier          sla.Tier
			Fee, Currency string
			Period        int64               `json:"period_seconds"`
			Downtime      seconds             `json:"downtime_seconds"`
			Late          []incident.Severity `json:"response_breaches"`
			Slow          int                 `json:"mttr_breaches"`
			Unmonitored   string              `json:"monitoring_outage_hours"`
			Count         sla.HourCount       `json:"monitoring_mode"`
			CapPct        int64               `json:"cap_pct"`
			Rounding      money.Rounding
		}
		Expect struct {
			Lines               [][2]string
			Gross, Cap, Payable string
			Waterfall           [][2]string
			GrossPct            string `json:"gross_pct_of_fee"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract, err := vectorContract(v.Input.Tier, v.Input.Fee, v.Input.Currency)
	if err != nil {
		return err
	}
	limit := money.WholePercent(v.Input.CapPct)
	contract.CapPercent, contract.Rounding = &limit, v.Input.Rounding
	contract.Terms[3].Monitoring.Count = v.Input.Count

	p := lasting(time.Duration(v.Input.Period) * time.Second)
	ev := down(p, time.Duration(v.Input.Downtime))
	hours, err := fixed.ParseDecimal(v.Input.Unmonitored, 9)
	if err != nil {
		return err
	}
	if gap := time.Duration(hours * 3600); gap > 0 {
		ev.Gaps = []sla.Gap{{Start: p.Start, End: p.Start.Add(gap)}}
	}
	for i, severity := range v.Input.Late { // six hours are late for all but the next business day
		answered := p.Start.Add(6 * time.Hour)
		ev.Incidents = append(ev.Incidents, sla.Incident{
			ID: fmt.Sprintf("late-%d", i), Severity: severity, Opened: answered.Add(-lateBy(contract, severity)), Responded: answered, Resolved: answered,
		})
	}
	for i := range v.Input.Slow {
		ev.Incidents = append(ev.Incidents, sla.Incident{
			ID: fmt.Sprintf("slow-%d", i), Severity: incident.P1, Opened: p.Start, Responded: p.Start, Resolved: p.Start.Add(3 * time.Hour),
		})
	}
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	names := map[sla.Clause]string{
		sla.ClauseAvailability: "availability", sla.ClauseResponse: "response", sla.ClauseResolution: "mttr", sla.ClauseMonitoring: "monitoring",
	}
	var lines, waterfall [][2]string
	for _, w := range s.Waterfall {
		lines = append(lines, [2]string{names[w.Clause], w.Gross.Decimal()})
		waterfall = append(waterfall, [2]string{names[w.Clause], w.Payable.Decimal()})
	}
	pct, _, _ := fixed.MulDiv(uint64(s.Gross.Minor()), 1_000_000, uint64(s.Fee.Minor()))
	var e expect
	e.equal("lines", lines, v.Expect.Lines)
	e.equal("gross", s.Gross.Decimal(), v.Expect.Gross)
	e.equal("cap", s.Cap.Decimal(), v.Expect.Cap)
	e.equal("payable", s.Payable.Decimal(), v.Expect.Payable)
	e.equal("waterfall", waterfall, v.Expect.Waterfall)
	e.equal("gross of fee", fixed.FormatDecimal(int64(pct), 4), v.Expect.GrossPct)
	return e.err()
}

// lateBy is a second more than the response target, which is within every
// resolution target.
func lateBy(c sla.Contract, s incident.Severity) time.Duration {
	for _, t := range c.Terms[1].Response.Targets {
		if t.Severity == s {
			return t.Within + time.Second
		}
	}
	return 0
}

func vectorTargetExact(c testutil.Case) error {
	var v struct {
		Input struct {
			Target   money.Percent
			Period   int64         `json:"period_seconds"`
			Downtime time.Duration `json:"downtime_ns"`
		}
		Expect struct {
			Met bool `json:"target_met"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	p := lasting(time.Duration(v.Input.Period) * time.Second)
	s, err := sla.Evaluate(uptime(v.Input.Target, "100.00", nil), p, down(p, v.Input.Downtime))
	if err != nil {
		return err
	}
	if got := s.Availability[0].Outcome == sla.Met; got != v.Expect.Met {
		return fmt.Errorf("met = %v, want %v", got, v.Expect.Met)
	}
	return nil
}

// bandRow is [below, from or null, credit].
type bandRow [3]any

func parseBands(rows []bandRow, days bool) ([]sla.Band, error) {
	var out []sla.Band
	for _, row := range rows {
		var b sla.Band
		var err error
		if b.Below, err = money.ParsePercent(fmt.Sprint(row[0])); err != nil {
			return nil, err
		}
		if row[1] != nil {
			if b.From, err = money.ParsePercent(fmt.Sprint(row[1])); err != nil {
				return nil, err
			}
		}
		credit := int64(row[2].(float64)) // whole numbers in JSON
		if days {
			b.Days = int(credit)
		} else {
			b.Credit = money.WholePercent(credit)
		}
		out = append(out, b)
	}
	return out, nil
}

func vectorPublicBand(c testutil.Case) error {
	var v struct {
		Input struct {
			Target money.Percent
			Bands  []bandRow
			Fee    string
			Metric struct {
				Kind          string
				TotalS        int64         `json:"total_s"`
				DownS         int64         `json:"down_s"`
				Op            string        `json:"op"`
				ErrorRate     string        `json:"error_rate"`
				Errors        [][3]uint64   `json:"errors_total_count_rle"`
				Runs          [][2]int      `json:"runs_minutes_rle"`
				MinRun        int           `json:"min_consecutive_minutes"`
				TotalMinutes  time.Duration `json:"total_minutes"`
				IntervalCount time.Duration `json:"intervals_total"`
			}
		}
		Expect struct {
			Fraction string `json:"uptime_fraction"`
			Display  string `json:"uptime_display_floor6"`
			Pct      int    `json:"credit_pct"`
			Credit   string
			Down     *time.Duration `json:"downtime_minutes"`
			Counted  *time.Duration `json:"counted_minutes"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	bands, err := parseBands(v.Input.Bands, false)
	if err != nil {
		return err
	}
	contract := uptime(v.Input.Target, v.Input.Fee, bands)
	term, metric := contract.Terms[0].Availability, v.Input.Metric
	slot := time.Minute
	var p sla.Period
	switch metric.Kind {
	case "uptime":
		p = lasting(time.Duration(metric.TotalS) * time.Second)
	case "interval_error_rate_mean":
		slot = 5 * time.Minute
		p = lasting(metric.IntervalCount * slot)
		term.Measure = sla.MeanErrorRate{Slot: slot}
	case "bad_minutes":
		p = lasting(metric.TotalMinutes * slot)
		rate, err := fixed.ParseDecimal(metric.ErrorRate, 9)
		if err != nil {
			return err
		}
		term.Measure = sla.BadSlots{Slot: slot, ErrorRate: money.Percent(rate), AtLeast: metric.Op == ">="}
	case "downtime_runs":
		p = lasting(metric.TotalMinutes * slot)
		term.Measure = sla.BadSlots{Slot: slot, MinRun: metric.MinRun}
	default:
		return fmt.Errorf("metric %q", metric.Kind)
	}
	ev := down(p, time.Duration(metric.DownS)*time.Second)
	at := p.Start
	add := func(errors, total uint64) {
		ev.Requests = append(ev.Requests, sla.Requests{Start: at, Total: total, Failed: errors})
		at = at.Add(slot)
	}
	for _, row := range metric.Errors {
		for range row[2] {
			add(row[0], row[1])
		}
	}
	for _, row := range metric.Runs {
		for range row[1] {
			for range row[0] {
				add(1, 1)
			}
			add(0, 1) // ends the run
		}
	}
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	var e expect
	m := s.Availability[0]
	want, _ := new(big.Rat).SetString(v.Expect.Fraction)
	e.equal("fraction", percentFraction(m.Value), want)
	e.equal("display", m.Value.Percent(6), v.Expect.Display)
	e.equal("percent", rate(s), money.WholePercent(int64(v.Expect.Pct)))
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	if counted := cmp.Or(v.Expect.Down, v.Expect.Counted); counted != nil {
		e.equal("minutes", m.Down, *counted*time.Minute)
	}
	return e.err()
}

// GitHub's bands as published: at most 99.9 and above 99.0 pay 10 %, below 99.0
// pays 25 %, and exactly 99.0 nothing.
func vectorGitHub(c testutil.Case) error {
	var v struct {
		Input struct {
			Down  time.Duration `json:"down_minutes"`
			Total time.Duration `json:"total_minutes"`
			Fee   string        `json:"fee_quarter"`
		}
		Expect struct {
			Display         string `json:"uptime_display_floor6"`
			PctPublished    int    `json:"credit_pct_published_wording"`
			PctHalfOpen     int    `json:"credit_pct_half_open"`
			CreditPublished string `json:"credit_published"`
			CreditHalfOpen  string `json:"credit_half_open"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	target := money.WholePercent(100) - money.WholePercent(1)/10
	bands := []sla.Band{
		{Below: target, From: money.WholePercent(99), Credit: money.WholePercent(10)},
		{Below: money.WholePercent(99), Credit: money.WholePercent(25)},
	}
	contract := uptime(target, v.Input.Fee, bands)
	p := lasting(v.Input.Total * time.Minute)
	ev := down(p, v.Input.Down*time.Minute)
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	var e expect
	e.equal("display", s.Availability[0].Value.Percent(6), v.Expect.Display)
	e.equal("half-open percent", rate(s), money.WholePercent(int64(v.Expect.PctHalfOpen)))
	e.equal("half-open credit", s.Payable.Decimal(), v.Expect.CreditHalfOpen)

	term := contract.Terms[0].Availability
	term.Strict = true
	bands[0].AtBelow, bands[0].NotAtFrom = true, true
	hole := func(i sla.Issue) bool { return i.Code == sla.CodeBandHole }
	e.equal("hole reported", slices.ContainsFunc(contract.Issues(), hole), true)
	if s, err = sla.Evaluate(contract, p, ev); err != nil {
		return err
	}
	e.equal("published percent", rate(s), money.WholePercent(int64(v.Expect.PctPublished)))
	e.equal("published credit", s.Payable.Decimal(), v.Expect.CreditPublished)
	return e.err()
}

func vectorDays(c testutil.Case) error {
	var v struct {
		Input struct {
			Down   time.Duration `json:"down_minutes"`
			Total  time.Duration `json:"total_minutes"`
			Fee    string        `json:"monthly_fee"`
			Days   int           `json:"days_in_month"`
			Target money.Percent
			Bands  []bandRow
		}
		Expect struct {
			Days  int
			Value string `json:"monetary_equivalent"`
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	bands, err := parseBands(v.Input.Bands, true)
	if err != nil {
		return err
	}
	p := lasting(v.Input.Total * time.Minute)
	s, err := sla.Evaluate(uptime(v.Input.Target, v.Input.Fee, bands), p, down(p, v.Input.Down*time.Minute))
	if err != nil {
		return err
	}
	var e expect
	e.equal("days", s.Lines[0].Days, v.Expect.Days)
	e.equal("days of the month", s.Lines[0].DaysOf, v.Input.Days)
	e.equal("value", s.Payable.Decimal(), v.Expect.Value)
	return e.err()
}

func vectorTwilio(c testutil.Case) error {
	var v struct {
		Input struct {
			Total, Unavailable, Excluded time.Duration
			Threshold                    money.Percent
			Fee                          string
		}
		Expect struct {
			Display string `json:"uptime_display_floor6"`
			Pct     int    `json:"credit_pct"`
			Credit  string
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract := uptime(v.Input.Threshold, v.Input.Fee, []sla.Band{{Below: v.Input.Threshold, Credit: money.WholePercent(10)}})
	p := lasting(v.Input.Total * time.Minute)
	ev := down(p, v.Input.Unavailable*time.Minute)
	ev.Maintenance = []sla.Maintenance{{Start: p.Start, End: p.Start.Add(v.Input.Excluded * time.Minute)}}
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	var e expect
	e.equal("display", s.Availability[0].Value.Percent(6), v.Expect.Display)
	e.equal("percent", rate(s), money.WholePercent(int64(v.Expect.Pct)))
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	return e.err()
}

func vectorMinimum(c testutil.Case) error {
	var v struct {
		Input struct {
			Fee      string
			Pct      int64  `json:"credit_pct"`
			MoreThan string `json:"min_exclusive"`
		}
		Expect struct{ Computed, Issued string }
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract := uptime(money.WholePercent(99), v.Input.Fee, []sla.Band{{Below: money.WholePercent(99), Credit: money.WholePercent(v.Input.Pct)}})
	contract.Terms[0].MoreThan = money.Must(amount(v.Input.MoreThan, "EUR"))
	p := lasting(time.Hour)
	s, err := sla.Evaluate(contract, p, down(p, time.Hour))
	if err != nil {
		return err
	}
	var e expect
	e.equal("computed", s.Terms[0].Lines.Decimal(), v.Expect.Computed)
	e.equal("issued", s.Payable.Decimal(), v.Expect.Issued)
	return e.err()
}

func vectorClaim(c testutil.Case) error {
	var v struct {
		Input struct {
			Rule struct {
				Kind         sla.ClaimKind
				Days, Cycles int
				Period, Zone string
			}
			Ended time.Time `json:"incident_end"`
			Filed time.Time
		}
		Expect struct{ Accepted bool }
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	if v.Input.Rule.Period != "calendar_month" {
		return fmt.Errorf("period %q", v.Input.Rule.Period)
	}
	loc, err := time.LoadLocation(v.Input.Rule.Zone)
	if err != nil {
		return err
	}
	rule := sla.ClaimRule{Kind: v.Input.Rule.Kind, Days: v.Input.Rule.Days, Periods: v.Input.Rule.Cycles}
	tooLate, ok := rule.Deadline(v.Input.Ended, sla.Billing{}, loc)
	if got := ok && v.Input.Filed.Before(tooLate); got != v.Expect.Accepted {
		return fmt.Errorf("accepted = %v (too late from %v), want %v", got, tooLate, v.Expect.Accepted)
	}
	return nil
}
