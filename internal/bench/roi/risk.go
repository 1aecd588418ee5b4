package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	gofinancial "github.com/razorpay/go-financial"
	"github.com/shopspring/decimal"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

const peerName = "razorpay/go-financial v1.1.0"

var cashflows = []measure.Pair{
	npv("roi/npv_6", six, 1000),
	npv("roi/npv_361", loan, 250),
	goal("roi/npv_6_goal", 20*time.Nanosecond, 1, npvOf(six)),
	goal("roi/npv_361_goal", 1000*time.Nanosecond, 1, npvOf(loan)),
	goal("roi/irr_6", 400*time.Nanosecond, 1, irrOf(six)),
	goal("roi/irr_all_roots", 3*time.Microsecond, 1, irrOf([]float64{-100, 50, 50, 50, 50, -80})),
	goal("roi/irr_all_roots_5_changes", 3*time.Microsecond, 1, irrOf([]float64{-1, 4.86, -9.4431, 9.16641, -4.44664, 0.86247})),
	goal("roi/irr_360", 20*time.Microsecond, 1, irrOf(loan)),
	goal("roi/xirr_37", 5*time.Microsecond, 1, func() (func(), error) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		flows := []roi.DatedFlow{{Date: start, Amount: -500_000}}
		for i := range 36 {
			flows = append(flows, roi.DatedFlow{Date: start.AddDate(0, i+1, 0), Amount: 20_000})
		}
		_, err := roi.XIRR(flows)
		return func() { must(roi.XIRR(flows)) }, err
	}),
}

// six has a start and five years, loan a start and 360 months.
var (
	six  = []float64{-70_000, 12_000, 15_000, 18_000, 21_000, 26_000}
	loan = func() []float64 {
		flows := make([]float64, 361)
		flows[0] = -300_000
		for i := range flows[1:] {
			flows[i+1] = 1500
		}
		return flows
	}()
)

const rate = 0.004

// inARow are the calls of NPV, on both sides, for one of the clock's: a call through a
// function value takes a quarter of what the sum takes.
const inARow = 16

// npv gives both sides the same flows and rate. The peer works on decimals.
func npv(name string, flows []float64, bar float64) measure.Pair {
	return measure.Pair{
		Name: name, Peer: peerName, Bar: bar, NoAllocs: true, Ops: inARow,
		Setup: func() (func(), func(), error) {
			theirs := make([]decimal.Decimal, len(flows))
			for i, v := range flows {
				theirs[i] = decimal.NewFromFloat(v)
			}
			r := decimal.NewFromFloat(rate)
			ours, err := roi.NPV(rate, flows)
			if err != nil {
				return nil, nil, err
			}
			if other := gofinancial.Npv(r, theirs).InexactFloat64(); math.Abs(other-ours) > 1e-6*math.Abs(ours) {
				return nil, nil, fmt.Errorf("%s has %v, ours %v", peerName, other, ours)
			}
			return func() {
					for range inARow {
						must(roi.NPV(rate, flows))
					}
				}, func() {
					for range inARow {
						gofinancial.Npv(r, theirs)
					}
				}, nil
		},
	}
}

func npvOf(flows []float64) func() (func(), error) {
	return func() (func(), error) {
		_, err := roi.NPV(rate, flows)
		return func() { must(roi.NPV(rate, flows)) }, err
	}
}

func irrOf(flows []float64) func() (func(), error) {
	return func() (func(), error) {
		_, err := roi.IRR(flows)
		return func() { must(roi.IRR(flows)) }, err
	}
}

const scenarios = 200_000

// Two processors that draw 6 and 8 million scenarios a second have 333 and 250 ns
// of each for one; what is measured here is the time of one processor.
var risks = []measure.Pair{
	goal("roi/montecarlo", 333*time.Nanosecond, scenarios, draw),
	goal("roi/montecarlo_stretch", 250*time.Nanosecond, scenarios, draw),
	goal("roi/grid_101x101", 2*time.Millisecond, 1, func() (func(), error) {
		x := risk.Axis{Input: "monthly_service_fee", Values: risk.Steps(20_000, 80_000, 101)}
		y := risk.Axis{Input: "revenue_per_hour", Values: risk.Steps(10_000, 40_000, 101)}
		_, err := risk.Grid(model(), x, y)
		return func() { must(risk.Grid(model(), x, y)) }, err
	}),
}

// draw draws four triangular inputs and values a start and three years.
func draw() (func(), error) {
	triangle := func(lo, mode, hi float64) risk.Distribution {
		return risk.Distribution{Kind: risk.Triangular, Min: lo, Mode: mode, Max: hi}
	}
	inputs := map[string]risk.Distribution{
		"managed.monthly_service_fee":        triangle(40_000, 45_000, 80_000),
		"managed.setup_costs":                triangle(30_000, 50_000, 400_000),
		"impact.revenue_per_hour":            triangle(10_000, 25_000, 40_000),
		"impact.target_availability_percent": triangle(98.9, 99.5, 99.9),
	}
	run := func() (*risk.Forecast, error) {
		return risk.Simulate(context.Background(), model(), inputs, scenarios, &risk.Options{Seed: 1, Workers: 2})
	}
	f, err := run()
	if err == nil && f.Valid != scenarios {
		err = errors.New("scenarios were refused")
	}
	return func() { must(run()) }, err
}

func model() roi.Model {
	return roi.Model{
		Internal: roi.Internal{
			AnnualSalaries:     map[string]float64{"senior_engineer": 120_000, "operations_specialist": 85_000, "team_lead": 140_000, "manager": 160_000},
			OverheadMultiplier: 1.5, TrainingCostPerPerson: 15_000, ToolLicensingCosts: 100_000, InfrastructureCosts: 50_000, RecruitmentCosts: 25_000,
		},
		Managed: roi.Managed{MonthlyServiceFee: 45_000, SetupCosts: 50_000, AdditionalToolCosts: 20_000, ContractLengthMonths: 36},
		Impact: roi.Impact{
			RevenuePerHour: 25_000, DowntimeCostMultiplier: 3, CurrentMTTRHours: 4, ImprovedMTTRHours: 1.5,
			CurrentAvailabilityPercent: 99, TargetAvailabilityPercent: 99.5,
		},
	}
}

func goal(name string, figure time.Duration, ops int, setup func() (func(), error)) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "goal", Bar: 1, Ops: ops, Goal: figure,
		Setup: func() (func(), func(), error) {
			ours, err := setup()
			return ours, nil, err
		},
	}
}

// must is for calls that succeeded in the set-up.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("roi: %v", err))
	}
	return v
}
