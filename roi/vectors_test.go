package roi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/roi"
)

// num is a number of the case files, where it may also be decimal text.
type num float64

func (n *num) UnmarshalJSON(data []byte) error {
	text := string(data)
	if len(data) > 0 && data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	*n = num(v)
	return err
}

type nums []num

func (ns nums) floats() []float64 {
	out := make([]float64, len(ns))
	for i, n := range ns {
		out[i] = float64(n)
	}
	return out
}

type datedFlows []roi.DatedFlow

func (fs *datedFlows) UnmarshalJSON(data []byte) error {
	var rows [][2]json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	for _, row := range rows {
		var date string
		var amount num
		if err := errors.Join(json.Unmarshal(row[0], &date), json.Unmarshal(row[1], &amount)); err != nil {
			return err
		}
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			return err
		}
		*fs = append(*fs, roi.DatedFlow{Date: day, Amount: float64(amount)})
	}
	return nil
}

var errorNames = map[string]error{
	"no_flows":         roi.ErrNoFlows,
	"bad_rate":         roi.ErrBadRate,
	"no_root":          roi.ErrNoRoot,
	"too_few_flows":    roi.ErrTooFewFlows,
	"all_zero":         roi.ErrAllZero,
	"single_date":      roi.ErrSingleDate,
	"needs_both_signs": roi.ErrNeedsBothSigns,
	"no_outlay":        roi.ErrNoOutlay,
	"multiple_roots":   roi.ErrMultipleRoots,
}

// near compares with a tolerance relative to scale.
func near(what string, got, want, tolerance, scale float64) error {
	if math.Abs(got-want) <= tolerance*scale {
		return nil
	}
	return fmt.Errorf("%s = %v, want %v (tolerance %g of %v)", what, got, want, tolerance, scale)
}

// outcome compares an error with the name of the wanted one; done is true when
// there is nothing further to compare.
func outcome(what string, err error, want string) (done bool, miss error) {
	switch {
	case want == "" && err != nil:
		return true, fmt.Errorf("%s: %w", what, err)
	case want == "":
		return false, nil
	case errorNames[want] == nil:
		return true, fmt.Errorf("error %q of the case is unknown", want)
	case !errors.Is(err, errorNames[want]):
		return true, fmt.Errorf("%s: want %s, got %w", what, want, err)
	}
	return true, nil
}

// presentSize is the sum of the absolute present values, to which the files
// relate their tolerances.
func presentSize(rate float64, flows []float64) float64 {
	size := 0.0
	for t, a := range flows {
		size += math.Abs(a) * math.Pow(1+rate, -float64(t))
	}
	return size
}

func compareRates(what string, got roi.Rates, roots []num, unique bool) error {
	if len(got.Roots) != len(roots) || got.Unique != unique {
		return fmt.Errorf("%s = %v, unique %t, want %v, %t", what, got.Roots, got.Unique, roots, unique)
	}
	for i, want := range roots {
		if err := near(what, got.Roots[i], float64(want), 1e-9, max(1, math.Abs(float64(want)))); err != nil {
			return err
		}
	}
	return nil
}

func maybe(what string, got *float64, want *num, tolerance float64) error {
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil || want == nil:
		return fmt.Errorf("%s = %s, want %s", what, show(got), show((*float64)(want)))
	}
	return near(what, *got, float64(*want), tolerance, max(math.Abs(float64(*want)), 1e-300))
}

func show(v *float64) string {
	if v == nil {
		return "null"
	}
	return fmt.Sprint(*v)
}

func TestVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "roi", "roi.json")
	f.Run(t, testutil.Kinds{
		"seed_roi":                publishedCase,
		"sound_roi":               soundCase,
		"npv":                     npvCase,
		"irr":                     irrCase,
		"mirr":                    mirrCase,
		"xnpv":                    xnpvCase,
		"xirr":                    xirrCase,
		"payback":                 paybackCase,
		"pi":                      piCase,
		"effective_rate":          effectiveRateCase,
		"periodic_from_effective": periodicRateCase,
		"pmt":                     pmtCase,
		"monthly_vs_annual":       timingCase,
	})
}

func publishedCase(c testutil.Case) error {
	var in struct {
		Input  roi.Model
		Expect map[string]map[string]*float64
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	p, err := roi.AsPublished(in.Input)
	if err != nil {
		return err
	}
	// The four maps of the file are the fields of the result under its tags.
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var got struct {
		Internal, Managed, Impact map[string]*float64
	}
	var flat map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &got), json.Unmarshal(data, &flat)); err != nil {
		return err
	}
	result := map[string]*float64{}
	for key := range in.Expect["roi"] {
		raw, ok := flat[key]
		if !ok {
			return fmt.Errorf("result has no key %q", key)
		}
		var v *float64
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		result[key] = v
	}
	compared := 0
	for block, have := range map[string]map[string]*float64{"internal": got.Internal, "managed": got.Managed, "impact": got.Impact, "roi": result} {
		if len(have) != len(in.Expect[block]) {
			return fmt.Errorf("%s has %d figures, want %d", block, len(have), len(in.Expect[block]))
		}
		for key, want := range in.Expect[block] {
			compared++
			name := block + "." + key
			if runtime.GOARCH == "amd64" {
				if show(have[key]) != show(want) { // shortest text: equal bits
					return fmt.Errorf("%s = %s, want %s to the bit", name, show(have[key]), show(want))
				}
				continue
			}
			if err := maybe(name, have[key], (*num)(want), 1e-12); err != nil {
				return err
			}
		}
	}
	if compared != 23 { // 5 + 4 + 5 + 9
		return fmt.Errorf("compared %d figures, want 23", compared)
	}
	return nil
}

func soundCase(c testutil.Case) error {
	var in struct {
		Input  json.RawMessage
		Expect struct {
			Flows        nums
			NPV          num
			IRR          *num
			Payback      *num `json:"payback_years"`
			Discounted   *num `json:"discounted_payback_years"`
			PI           *num
			PVBenefits   num  `json:"pv_benefits"`
			PVCosts      num  `json:"pv_costs"`
			ROI          *num `json:"roi_discounted_pct"`
			Undiscounted *num `json:"roi_undiscounted_pct"`
			Annual       num  `json:"annual_net_benefit"`
			Downtime     num  `json:"downtime_savings"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var m roi.Model
	var rate struct{ Rate num }
	if err := errors.Join(json.Unmarshal(in.Input, &m), json.Unmarshal(in.Input, &rate)); err != nil {
		return err
	}
	m.DiscountRate = new(float64(rate.Rate))
	v, err := roi.Sound(m)
	if err != nil {
		return err
	}
	want := in.Expect
	if len(v.Flows) != len(want.Flows) {
		return fmt.Errorf("%d flows, want %d", len(v.Flows), len(want.Flows))
	}
	for i, f := range v.Flows {
		if err := near(fmt.Sprintf("flow %d", i), f.Amount, float64(want.Flows[i]), 1e-12, math.Abs(f.Amount)); err != nil {
			return err
		}
	}
	var irr *float64
	if r, err := v.IRR.Rate(); err == nil {
		irr = &r
	}
	size := presentSize(*m.DiscountRate, want.Flows.floats())
	return errors.Join(
		near("npv", v.NPV, float64(want.NPV), 1e-12, size),
		near("pv_benefits", v.PVBenefits, float64(want.PVBenefits), 1e-12, float64(want.PVBenefits)),
		near("pv_costs", v.PVCosts, float64(want.PVCosts), 1e-12, float64(want.PVCosts)),
		maybe("irr", irr, want.IRR, 1e-9),
		maybe("payback_years", v.PaybackYears, want.Payback, 1e-12),
		maybe("discounted_payback_years", v.DiscountedPaybackYears, want.Discounted, 1e-12),
		maybe("pi", v.PI, want.PI, 1e-12),
		maybe("roi", v.ROIPercent, want.ROI, 1e-12),
		maybe("roi undiscounted", v.UndiscountedROIPercent, want.Undiscounted, 1e-12),
		near("annual_net_benefit", v.AnnualNetBenefit, float64(want.Annual), 1e-12, math.Abs(float64(want.Annual))),
		near("downtime_savings", v.DowntimeCostSavings, float64(want.Downtime), 1e-12, math.Abs(float64(want.Downtime))),
	)
}

func npvCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Rate  num
			Flows nums
		}
		Expect struct {
			NPV   num
			Excel num `json:"npv_excel_convention"`
			Error string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	rate, flows := float64(in.Input.Rate), in.Input.Flows.floats()
	npv, err := roi.NPV(rate, flows)
	if done, miss := outcome("NPV", err, in.Expect.Error); done {
		_, err = roi.NPVExcel(rate, flows)
		_, missExcel := outcome("NPVExcel", err, in.Expect.Error)
		return errors.Join(miss, missExcel)
	}
	excel, err := roi.NPVExcel(rate, flows)
	size := presentSize(rate, flows)
	return errors.Join(err,
		near("NPV", npv, float64(in.Expect.NPV), 1e-12, size),
		near("NPVExcel", excel, float64(in.Expect.Excel), 1e-12, size/(1+rate)))
}

func irrCase(c testutil.Case) error {
	var in struct {
		Input  struct{ Flows nums }
		Expect struct {
			Roots       []num
			Unique      bool
			SignChanges int    `json:"sign_changes"`
			Error       string // of the search
			ErrorSingle string `json:"error_single"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.IRR(in.Input.Flows.floats())
	_, miss := outcome("IRR", err, in.Expect.Error)
	_, single := got.Rate()
	wantSingle := in.Expect.ErrorSingle
	if in.Expect.Error != "" {
		wantSingle = "no_root"
	}
	_, missSingle := outcome("Rate", single, wantSingle)
	if miss == nil && got.SignChanges != in.Expect.SignChanges {
		miss = fmt.Errorf("sign changes = %d, want %d", got.SignChanges, in.Expect.SignChanges)
	}
	return errors.Join(miss, missSingle, compareRates("IRR", got, in.Expect.Roots, in.Expect.Unique))
}

func mirrCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Flows    nums
			Finance  num `json:"finance_rate"`
			Reinvest num `json:"reinvest_rate"`
		}
		Expect struct {
			MIRR  num
			Error string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.MIRR(in.Input.Flows.floats(), float64(in.Input.Finance), float64(in.Input.Reinvest))
	if done, miss := outcome("MIRR", err, in.Expect.Error); done {
		return miss
	}
	return near("MIRR", got, float64(in.Expect.MIRR), 1e-9, max(1, math.Abs(float64(in.Expect.MIRR))))
}

func xnpvCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Rate  num
			Flows datedFlows
		}
		Expect struct{ XNPV num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.XNPV(float64(in.Input.Rate), in.Input.Flows)
	if err != nil {
		return err
	}
	size, first := 0.0, in.Input.Flows[0].Date
	for _, f := range in.Input.Flows {
		if f.Date.Before(first) {
			first = f.Date
		}
	}
	for _, f := range in.Input.Flows {
		size += math.Abs(f.Amount) * math.Pow(1+float64(in.Input.Rate), -f.Date.Sub(first).Hours()/24/365)
	}
	return near("XNPV", got, float64(in.Expect.XNPV), 1e-12, size)
}

func xirrCase(c testutil.Case) error {
	var in struct {
		Input  struct{ Flows datedFlows }
		Expect struct {
			Roots  []num
			Unique bool
			Error  string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.XIRR(in.Input.Flows)
	if done, miss := outcome("XIRR", err, in.Expect.Error); done {
		return miss
	}
	return compareRates("XIRR", got, in.Expect.Roots, in.Expect.Unique)
}

func paybackCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Flows nums
			Rate  num
		}
		Expect struct{ Simple, Discounted *num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	simple, err := roi.Payback(in.Input.Flows.floats())
	if err != nil {
		return err
	}
	discounted, err := roi.DiscountedPayback(float64(in.Input.Rate), in.Input.Flows.floats())
	if err != nil {
		return err
	}
	periods := func(r roi.Recovery) *float64 {
		if !r.Reached {
			return nil
		}
		return &r.Periods
	}
	return errors.Join(
		maybe("Payback", periods(simple), in.Expect.Simple, 1e-12),
		maybe("DiscountedPayback", periods(discounted), in.Expect.Discounted, 1e-12))
}

func piCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Flows nums
			Rate  num
		}
		Expect struct{ PI num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.PI(float64(in.Input.Rate), in.Input.Flows.floats())
	return errors.Join(err, near("PI", got, float64(in.Expect.PI), 1e-12, float64(in.Expect.PI)))
}

func effectiveRateCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Nominal num
			Periods int
		}
		Expect struct{ Effective num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	got, err := roi.EffectiveRate(float64(in.Input.Nominal), in.Input.Periods)
	return errors.Join(err, near("EffectiveRate", got, float64(in.Expect.Effective), 1e-12, math.Abs(float64(in.Expect.Effective))))
}

func periodicRateCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Effective num
			Periods   int
		}
		Expect struct{ Periodic, Nominal num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	periodic, err := roi.PeriodicRate(float64(in.Input.Effective), in.Input.Periods)
	if err != nil {
		return err
	}
	nominal, err := roi.NominalRate(float64(in.Input.Effective), in.Input.Periods)
	return errors.Join(err,
		near("PeriodicRate", periodic, float64(in.Expect.Periodic), 1e-12, float64(in.Expect.Periodic)),
		near("NominalRate", nominal, float64(in.Expect.Nominal), 1e-12, float64(in.Expect.Nominal)))
}

func pmtCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Rate, PV, FV num
			NPer         int
			Type         roi.Due
		}
		Expect struct{ PMT num }
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	i := in.Input
	got, err := roi.PMT(float64(i.Rate), i.NPer, float64(i.PV), float64(i.FV), i.Type)
	return errors.Join(err, near("PMT", got, float64(in.Expect.PMT), 1e-12, math.Abs(float64(in.Expect.PMT))))
}

// timingCase values an investment with one outlay and a level yearly benefit
// under three timings, as a model whose only benefit is one salary.
func timingCase(c testutil.Case) error {
	var in struct {
		Input struct {
			Annual num `json:"annual_net"`
			Setup  num
			Years  int
			Rate   num `json:"effective_annual"`
		}
		Expect struct {
			End     num `json:"npv_annual_end"`
			Monthly num `json:"npv_monthly_end"`
			Mid     num `json:"npv_annual_mid"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	m := roi.Model{
		Years:        &in.Input.Years,
		DiscountRate: new(float64(in.Input.Rate)),
		Staffing:     map[string]float64{"team": 1},
		Internal:     roi.Internal{AnnualSalaries: map[string]float64{"team": float64(in.Input.Annual)}, OverheadMultiplier: 1},
		Managed:      roi.Managed{SetupCosts: float64(in.Input.Setup), ContractLengthMonths: 36},
	}
	var misses []error
	for _, tt := range []struct {
		name   string
		timing roi.Timing
		want   num
	}{
		{"year end", roi.Timing{}, in.Expect.End},
		{"month end", roi.Timing{Period: roi.Monthly}, in.Expect.Monthly},
		{"mid-year", roi.Timing{Position: roi.AtMiddle}, in.Expect.Mid},
	} {
		m.Timing = tt.timing
		v, err := roi.Sound(m)
		misses = append(misses, err, near(tt.name, v.NPV, float64(tt.want), 1e-12, float64(tt.want)))
	}
	return errors.Join(misses...)
}
