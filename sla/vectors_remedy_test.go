package sla_test

import (
	"fmt"
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Lost time, as often as the contract says, weighed by the customers concerned.
func vectorProportional(c testutil.Case) error {
	var v struct {
		Input struct {
			Down         seconds `json:"down_s"`
			Total        int64   `json:"total_s"`
			Fee          string
			Multiplier   int64
			Cap          int64          `json:"cap_pct"`
			Affected     string         `json:"affected_ratio"`
			BeyondTarget *money.Percent `json:"beyond_target"`
			Target       *money.Percent
			MinOutage    int64 `json:"min_outage_s"`
		}
		Expect struct{ Uncapped, Credit string }
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	contract := uptime(money.WholePercent(100), v.Input.Fee, nil)
	term := contract.Terms[0].Availability
	if v.Input.Target != nil {
		term.Target = *v.Input.Target
	}
	remedy := sla.LostTime{Times: v.Input.Multiplier}
	if v.Input.BeyondTarget != nil {
		term.Target, remedy.BeyondTarget = *v.Input.BeyondTarget, true
	}
	term.Remedy = remedy
	limit := money.WholePercent(v.Input.Cap)
	contract.Terms[0].CapPercent = &limit

	p := lasting(time.Duration(v.Input.Total) * time.Second)
	ev := down(p, time.Duration(v.Input.Down))
	term.Measure = sla.Uptime{MinOutage: time.Duration(v.Input.MinOutage) * time.Second}
	share, ok := new(big.Rat).SetString(v.Input.Affected)
	if !ok {
		return fmt.Errorf("affected_ratio %q", v.Input.Affected)
	}
	if share.Cmp(big.NewRat(1, 1)) != 0 {
		share.Mul(share, big.NewRat(1_000_000_000, 1))
		affected := money.Percent(share.Num().Int64()) // 2/5 of the customers and the like
		term.Measure, ev.Outages[0].Affected = sla.AffectedRatio{}, &affected
	}
	s, err := sla.Evaluate(contract, p, ev)
	if err != nil {
		return err
	}
	var e expect
	e.equal("uncapped", s.Terms[0].Lines.Decimal(), v.Expect.Uncapped)
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	return e.err()
}

func vectorPerInterval(c testutil.Case) error {
	var v struct {
		Input struct {
			Outage     string        `json:"outage_minutes"`
			Interval   time.Duration `json:"interval_minutes"`
			Percent    int64
			Partial    string
			Deductible time.Duration `json:"deductible_minutes"`
			Fee        string
			Cap        int64 `json:"cap_pct"`
		}
		Expect struct {
			Intervals int64
			Credit    string
		}
	}
	if err := c.Decode(&v); err != nil {
		return err
	}
	minutes, err := fixed.ParseDecimal(v.Input.Outage, 9)
	if err != nil {
		return err
	}
	contract := uptime(money.WholePercent(100), v.Input.Fee, nil)
	contract.Terms[0].Availability.Remedy = sla.PerInterval{
		Percent: money.WholePercent(v.Input.Percent), Interval: v.Input.Interval * time.Minute,
		Started: v.Input.Partial == "started", Deductible: v.Input.Deductible * time.Minute,
	}
	limit := money.WholePercent(v.Input.Cap)
	contract.Terms[0].CapPercent = &limit
	p := lasting(30 * 24 * time.Hour)
	s, err := sla.Evaluate(contract, p, down(p, 60*time.Duration(minutes)))
	if err != nil {
		return err
	}
	var intervals int64
	for _, l := range s.Lines {
		intervals += l.Intervals
	}
	var e expect
	e.equal("intervals", intervals, v.Expect.Intervals)
	e.equal("credit", s.Payable.Decimal(), v.Expect.Credit)
	return e.err()
}
