package roi_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// article is the worked example of the published calculator.
func article() roi.Model {
	return roi.Model{
		Currency: "EUR",
		Internal: roi.Internal{
			AnnualSalaries:     map[string]float64{"senior_engineer": 120_000, "operations_specialist": 85_000, "team_lead": 140_000, "manager": 160_000},
			OverheadMultiplier: 1.5, TrainingCostPerPerson: 15_000, ToolLicensingCosts: 100_000, InfrastructureCosts: 50_000, RecruitmentCosts: 25_000,
		},
		Managed: roi.Managed{MonthlyServiceFee: 45_000, SetupCosts: 50_000, AdditionalToolCosts: 20_000, ContractLengthMonths: 36},
		Impact: roi.Impact{
			RevenuePerHour: 25_000, DowntimeCostMultiplier: 3,
			CurrentMTTRHours: 4, ImprovedMTTRHours: 1.5,
			CurrentAvailabilityPercent: 99, TargetAvailabilityPercent: 99.5,
		},
	}
}

func evaluate(tb testing.TB, m roi.Model) *roi.Result {
	tb.Helper()
	res, err := roi.Evaluate(m)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

func codes(res *roi.Result) []roi.WarningCode {
	var out []roi.WarningCode
	for _, w := range res.Warnings {
		out = append(out, w.Code)
	}
	return out
}

func find(t *testing.T, res *roi.Result, code roi.WarningCode) roi.Warning {
	t.Helper()
	for _, w := range res.Warnings {
		if w.Code == code {
			return w
		}
	}
	t.Fatalf("no warning %s in %v", code, codes(res))
	return roi.Warning{}
}

func figure(t *testing.T, w roi.Warning, name string) float64 {
	t.Helper()
	for _, f := range w.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("%s has no figure %q: %+v", w.Code, name, w.Figures)
	return 0
}

// A rate that is a finite number but no finite percentage is left out of the
// percentages, and of the warnings, which quote them.
func TestRateBeyondPercent(t *testing.T) {
	m := article()
	m.Managed.SetupCosts = 1e-300 // of some 1e7 a year: a rate of about 1e307
	res := evaluate(t, m)
	if irr := res.Sound.IRR; !irr.Unique || irr.Roots[0] < 1e306 || res.Sound.IRRPercent != nil {
		t.Errorf("IRR = %+v, %v %%, want one near 1e307 and no percentage", irr, res.Sound.IRRPercent)
	}
	if _, err := json.Marshal(res); err != nil {
		t.Error(err)
	}
}

// The rows are those of an independent calculation with 50 digits.
func TestBridgeOfTheArticle(t *testing.T) {
	res := evaluate(t, article())
	want := []struct {
		step     string
		npv, roi float64
		memo     bool
	}{
		{roi.StepPublished, 70956070.38, 3889.1, false},
		{roi.StepCash, 70949022.00, 4751.6, false},
		{roi.StepRecovery, 12964339.79, 868.2, false},
		{roi.StepCostsOnly, 4498576.18, 301.3, true},
	}
	if len(res.Bridge) != len(want) {
		t.Fatalf("bridge has %d steps, want %d: %+v", len(res.Bridge), len(want), res.Bridge)
	}
	for i, w := range want {
		got := res.Bridge[i]
		if got.Step != w.step || got.Memo != w.memo || math.Abs(got.NPV-w.npv) > 0.005 || math.Abs(*got.ROIPercent-w.roi) > 0.05 {
			t.Errorf("step %d = %s %.2f %.2f %% (memo %t), want %+v", i, got.Step, got.NPV, *got.ROIPercent, got.Memo, w)
		}
	}
}

// The changes of the bridge lead exactly from one result to the other.
func TestBridgeAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		m := randomModel(rng)
		res := evaluate(t, m)
		sum, last := res.AsPublished.NPV, 0.0
		for _, s := range res.Bridge {
			if s.Memo {
				continue
			}
			sum, last = sum+s.Change, s.NPV
		}
		scale := 1e-9 * (math.Abs(res.AsPublished.NPV) + math.Abs(res.Sound.NPV) + res.Sound.PVCosts)
		if last != res.Sound.NPV || math.Abs(sum-res.Sound.NPV) > scale {
			t.Errorf("bridge ends at %v and adds up to %v, want %v for %+v", last, sum, res.Sound.NPV, m)
		}
	}
}

func randomModel(rng *rand.Rand) roi.Model {
	m := article()
	u := func(hi float64) float64 { return math.Round(rng.Float64()*hi*100) / 100 }
	m.Internal.OverheadMultiplier = u(2)
	m.Managed.MonthlyServiceFee = u(300_000)
	m.Managed.SetupCosts = u(1_000_000)
	m.Managed.ContractLengthMonths = float64(1 + rng.IntN(60))
	m.Impact.RevenuePerHour = u(50_000)
	m.Impact.ImprovedMTTRHours = u(8)
	m.Impact.TargetAvailabilityPercent = 98 + rng.Float64()*2
	m.Years = new(1 + rng.IntN(10))
	m.DiscountRate = new(rng.Float64()*0.5 - 0.1)
	m.Timing = roi.Timing{Period: roi.Period(rng.IntN(2)), Position: roi.Position(rng.IntN(3))}
	if rng.IntN(2) == 0 {
		m.MTTRWeight = rng.Float64()
		m.Managed.TransitionCosts, m.Managed.ExitCosts = u(100_000), u(100_000)
		m.Managed.ParallelRunningCosts, m.Managed.RetainedOrganisationCosts = u(100_000), u(300_000)
		m.Impact.OtherAnnualBenefits = u(100_000) - 50_000
	}
	return m
}

// Every flow is the sum of its items, the present values follow from the
// flows, and each rate of return makes them zero.
func TestSoundExplainsItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		m := randomModel(rng)
		v, err := roi.Sound(m)
		if err != nil {
			t.Fatal(err)
		}
		discounted := func(rate float64) (npv, benefits, costs float64) {
			for _, f := range v.Flows {
				gain, paid := 0.0, 0.0
				for _, it := range f.Items {
					if it.Cost {
						paid += it.Amount
					} else {
						gain += it.Amount
					}
				}
				if math.Abs(f.Amount-(gain-paid)) > 1e-6 {
					t.Errorf("flow %d = %v, items add up to %v", f.Period, f.Amount, gain-paid)
				}
				x := math.Pow(1+rate, -f.Years)
				npv, benefits, costs = npv+f.Amount*x, benefits+gain*x, costs+paid*x
			}
			return npv, benefits, costs
		}
		npv, benefits, costs := discounted(*m.DiscountRate)
		tolerance := 1e-11 * (math.Abs(v.PVBenefits) + v.PVCosts)
		if math.Abs(npv-v.NPV) > tolerance || math.Abs(benefits-v.PVBenefits) > tolerance || math.Abs(costs-v.PVCosts) > tolerance {
			t.Errorf("flows have the present values %v, %v, %v, want %v, %v, %v", npv, benefits, costs, v.NPV, v.PVBenefits, v.PVCosts)
		}
		for _, r := range v.IRR.Roots {
			npv, benefits, costs := discounted(r)
			if r > -0.999 && math.Abs(npv) > 1e-9*(math.Abs(benefits)+costs) {
				t.Errorf("present value at the rate of return %v = %v, want 0 beside %v", r, npv, benefits+costs)
			}
		}
		want := *m.Years
		if m.Timing.Period == roi.Monthly {
			want *= 12
		}
		if len(v.Flows) != want+1 {
			t.Errorf("%d flows, want %d", len(v.Flows), want+1)
		}
	}
}

// Terms are for people, their values must still be those of the result.
func TestTermsCarryTheResult(t *testing.T) {
	res := evaluate(t, article())
	value := func(terms []roi.Term, name string) roi.Term {
		for _, term := range terms {
			if term.Name == name {
				return term
			}
		}
		t.Fatalf("no term %q", name)
		return roi.Term{}
	}
	for _, tt := range []struct {
		terms   []roi.Term
		name    string
		formula string
		value   float64
	}{
		{res.AsPublished.Terms, "salary_and_benefits", "(4 × 120000 + 6 × 85000 + 1 × 140000 + 1 × 160000) × 1.5", 1_935_000},
		{res.AsPublished.Terms, "annual_setup_costs", "50000 / (36 / 12)", 16666.666666666668},
		{res.AsPublished.Terms, "mttr_improvement_value", "120 × (4 − 1.5) × 25000 × 3", 22_500_000},
		{res.AsPublished.Terms, "npv_3_years", "Σ 27533333.33 / 1.08^t, t = 1..3", res.AsPublished.NPV},
		{res.Sound.Terms, "current_downtime_cost", "(100 − 99) / 100 × 365 × 24 × 25000 × 3", 6_570_000},
		{res.Sound.Terms, "net_benefit_per_year", "2325000 (avoided internal cost) + 3285000 (availability) − 540000 (service fees) − 20000 (additional tools)", 5_050_000},
		{res.Sound.Terms, "start", "-50000 (setup)", -50_000},
		{res.Sound.Terms, "npv", "14457514.1 − 1493174.31", res.Sound.NPV},
	} {
		if got := value(tt.terms, tt.name); got.Formula != tt.formula || got.Value != tt.value {
			t.Errorf("term %s = %q, %v, want %q, %v", tt.name, got.Formula, got.Value, tt.formula, tt.value)
		}
	}
}

func TestMethods(t *testing.T) {
	for _, tt := range []struct {
		method           roi.Method
		published, sound bool
	}{
		{roi.MethodBoth, true, true},
		{roi.MethodAsPublished, true, false},
		{roi.MethodSound, false, true},
	} {
		m := article()
		m.Method = tt.method
		res := evaluate(t, m)
		if (res.AsPublished != nil) != tt.published || (res.Sound != nil) != tt.sound {
			t.Errorf("%s: published %t, sound %t, want %t, %t", tt.method, res.AsPublished != nil, res.Sound != nil, tt.published, tt.sound)
		}
		if (len(res.Bridge) > 0) != (tt.published && tt.sound) || (len(res.CashFlows) > 0) != tt.sound {
			t.Errorf("%s: %d bridge steps, %d cash flows", tt.method, len(res.Bridge), len(res.CashFlows))
		}
		if got := slices.Contains(codes(res), roi.SetupTwice); got != tt.published {
			t.Errorf("%s: %s reported %t, want %t", tt.method, roi.SetupTwice, got, tt.published)
		}
	}
}

// Sound results under other timings; the first two figures are those of the
// case mva-01 with the same flows.
func TestTimings(t *testing.T) {
	for _, tt := range []struct {
		timing roi.Timing
		want   float64
	}{
		{roi.Timing{Period: roi.Monthly}, 13434901.96},
		{roi.Timing{Position: roi.AtMiddle}, 13474898.64},
		// −50 000 + 5 050 000 (1 + 1/1.08 + 1/1.08²)
		{roi.Timing{Position: roi.AtBegin}, 14005486.97},
	} {
		m := article()
		m.Timing = tt.timing
		if v, err := roi.Sound(m); err != nil || math.Abs(v.NPV-tt.want) > 0.005 {
			t.Errorf("%s of %s: NPV = %.2f, %v, want %.2f", tt.timing.Position, tt.timing.Period, v.NPV, err, tt.want)
		}
	}
	// An outlay and the first benefit on the same day leave no rate.
	m := article()
	m.Timing.Position = roi.AtBegin
	v, err := roi.Sound(m)
	if err != nil || len(v.IRR.Roots) != 0 || v.IRRPercent != nil || v.Flows[1].Years != 0 {
		t.Errorf("begin of year: IRR = %+v, %v, want none", v.IRR, err)
	}
}

func TestExtrasAreCounted(t *testing.T) {
	m := article()
	m.DiscountRate = new(0.0)
	base, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Managed.TransitionCosts, m.Managed.ParallelRunningCosts = 1000, 200
	m.Managed.RetainedOrganisationCosts, m.Managed.ExitCosts = 30, 4
	m.Impact.OtherAnnualBenefits = 0.5
	v, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.NPV-base.NPV, -1000-200-3*30-4+3*0.5; math.Abs(got-want) > 1e-6 {
		t.Errorf("further inputs change NPV by %v, want %v", got, want)
	}
	if last := v.Flows[3]; last.Amount != v.Flows[2].Amount-4 || last.Items[len(last.Items)-1].Name != "exit" {
		t.Errorf("last flow = %+v, want the exit in it", last)
	}
	if items := v.Flows[2].Items; slices.ContainsFunc(items, func(it roi.Item) bool { return it.Name == "exit" }) {
		t.Errorf("flow 2 has the exit: %+v", items)
	}
	p, err := roi.AsPublished(m)
	if err != nil || p.NPV != 82_600_000 { // the case seed-08
		t.Errorf("as published with further inputs: NPV = %v, %v, want 82600000: it lacks them", p.NPV, err)
	}
}

func TestWarningsOfTheArticle(t *testing.T) {
	res := evaluate(t, article())
	want := []roi.WarningCode{
		roi.NoT0Outlay, roi.SetupTwice, roi.FeesTwice, roi.MixedDiscount, roi.PaybackUntimed,
		roi.MTTRDoubleCount, roi.SimpleYear, roi.ClaimRange, roi.StaffBelowCoverage, roi.ImplausibleIRR,
	}
	if got := codes(res); !slices.Equal(got, want) {
		t.Errorf("warnings = %v, want %v", got, want)
	}
	for _, tt := range []struct {
		code      roi.WarningCode
		figure    string
		want, tol float64
	}{
		{roi.SetupTwice, "annual_setup_costs", 16667, 0.5},
		{roi.SetupTwice, "charged", 100_000, 1e-6},
		{roi.MTTRDoubleCount, "incident_hours", 480, 0},
		{roi.MTTRDoubleCount, "outage_hours", 87.6, 1e-9},
		{roi.MTTRDoubleCount, "mttr_improvement_value", 22.5e6, 0},
		{roi.MTTRDoubleCount, "current_downtime_cost", 6.57e6, 0},
		{roi.MTTRDoubleCount, "value_to_downtime_cost", 3.4, 0.05},
		{roi.ClaimRange, "cost_savings", 75.2, 0.05},
		{roi.ClaimRange, "payback", 16, 0.5},
		{roi.ClaimRange, "setup_for_claim_low", 27.5e6, 0.05e6},
		{roi.ClaimRange, "setup_for_claim_high", 41.3e6, 0.05e6},
		{roi.ClaimRange, "setup_for_claim_low_sound", 5.05e6, 1},
		{roi.ClaimRange, "setup_for_claim_high_sound", 7.6e6, 0.05e6},
		{roi.StaffBelowCoverage, "seats", 0.77, 0.005},
		{roi.StaffBelowCoverage, "seats_of_all_shift_roles", 1.92, 0.005},
		{roi.ImplausibleIRR, "irr_percent", 10099.99, 0.005},
	} {
		if got := figure(t, find(t, res, tt.code), tt.figure); math.Abs(got-tt.want) > tt.tol {
			t.Errorf("%s: %s = %v, want %v", tt.code, tt.figure, got, tt.want)
		}
	}
}

// Each warning goes away with its cause.
func TestWarningsOnlyWhereTheyApply(t *testing.T) {
	tests := []struct {
		name   string
		change func(*roi.Model)
		gone   []roi.WarningCode
		come   []roi.WarningCode
	}{
		{"no setup", func(m *roi.Model) { m.Managed.SetupCosts = 0 }, []roi.WarningCode{roi.NoT0Outlay, roi.SetupTwice, roi.PaybackUntimed, roi.ImplausibleIRR}, nil},
		{"contract of 12 months", func(m *roi.Model) { m.Managed.ContractLengthMonths = 12 }, nil, []roi.WarningCode{roi.HorizonContract}},
		{"horizon of 5 years", func(m *roi.Model) { m.Years = new(5) }, nil, []roi.WarningCode{roi.HorizonContract}},
		{"rate 0", func(m *roi.Model) { m.DiscountRate = new(0.0) }, []roi.WarningCode{roi.MixedDiscount}, nil},
		{"free service", func(m *roi.Model) { m.Managed = roi.Managed{ContractLengthMonths: 36} }, []roi.WarningCode{roi.FeesTwice, roi.MixedDiscount}, nil},
		{"same recovery", func(m *roi.Model) { m.Impact.ImprovedMTTRHours = 4 }, []roi.WarningCode{roi.MTTRDoubleCount}, nil},
		{"slower recovery", func(m *roi.Model) { m.Impact.ImprovedMTTRHours = 6 }, []roi.WarningCode{roi.PaybackUntimed}, nil},
		{"no outages", func(m *roi.Model) {
			m.Impact.CurrentAvailabilityPercent, m.Impact.TargetAvailabilityPercent = 100, 100
		}, []roi.WarningCode{roi.MTTRDoubleCount}, nil},
		{"missing salary", func(m *roi.Model) { delete(m.Internal.AnnualSalaries, "manager") }, nil, []roi.WarningCode{roi.RoleMissing}},
		{"six seniors", func(m *roi.Model) {
			m.Staffing = map[string]float64{"senior_engineer": 6, "operations_specialist": 6}
		}, []roi.WarningCode{roi.StaffBelowCoverage}, nil},
		{"another shift role", func(m *roi.Model) { m.ShiftRoles = []string{"operations_specialist"} }, []roi.WarningCode{roi.StaffBelowCoverage}, nil},
		{"inside the claims", func(m *roi.Model) {
			m.Impact = roi.Impact{}
			m.Managed.MonthlyServiceFee, m.Managed.SetupCosts = 80_000, 1_600_000
			m.Managed.ContractLengthMonths = 120
		}, []roi.WarningCode{roi.ClaimRange, roi.MTTRDoubleCount, roi.ImplausibleIRR}, nil},
		{"light recovery weight in the sound model", func(m *roi.Model) {
			m.Method, m.MTTRWeight = roi.MethodSound, 0.5
		}, []roi.WarningCode{roi.MTTRDoubleCount, roi.SimpleYear, roi.ClaimRange}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := codes(evaluate(t, article()))
			m := article()
			tt.change(&m)
			got := codes(evaluate(t, m))
			for _, code := range tt.gone {
				if slices.Contains(got, code) || !slices.Contains(before, code) {
					t.Errorf("warnings = %v, want %s gone", got, code)
				}
			}
			for _, code := range tt.come {
				if !slices.Contains(got, code) || slices.Contains(before, code) {
					t.Errorf("warnings = %v, want %s new", got, code)
				}
			}
		})
	}
}

func TestRecoveryWeightOne(t *testing.T) {
	m := article()
	m.Method, m.MTTRWeight = roi.MethodSound, 1
	res := evaluate(t, m)
	// The second row of the bridge of the article: everything but the double count.
	if math.Abs(res.Sound.NPV-70949022.00) > 0.005 {
		t.Errorf("NPV with weight 1 = %.2f, want 70949022.00", res.Sound.NPV)
	}
	find(t, res, roi.MTTRDoubleCount)
	// 480 h of incidents less 87.6 h of outage may be degraded service: 81.75 %.
	m.MTTRWeight = 0.8175
	if got := codes(evaluate(t, m)); slices.Contains(got, roi.MTTRDoubleCount) {
		t.Errorf("weight 0.8175 warns %v", got)
	}
	m.MTTRWeight = 0.8176
	find(t, evaluate(t, m), roi.MTTRDoubleCount)
}

func TestHorizonContractFigures(t *testing.T) {
	for _, tt := range []struct{ months, amortised float64 }{
		{12, 150_000}, // three times, and once more as investment
		{60, 30_000},  // only three fifths
	} {
		m := article()
		m.Managed.ContractLengthMonths = tt.months
		if got := figure(t, find(t, evaluate(t, m), roi.HorizonContract), "amortised_in_horizon"); math.Abs(got-tt.amortised) > 1e-6 {
			t.Errorf("%v months: %v amortised, want %v", tt.months, got, tt.amortised)
		}
	}
}

func TestResultIsStableJSON(t *testing.T) {
	m := article()
	m.Internal.AnnualSalaries["architect"] = 1
	m.Sensitivity = map[string][]float64{"revenue_per_hour": {10_000, 40_000}, "monthly_service_fee": {40_000, 50_000}, "discount_rate": {0.04, 0.12}}
	first, err := json.Marshal(evaluate(t, m))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := json.Marshal(evaluate(t, m))
		if err != nil || string(again) != string(first) {
			t.Fatalf("second result differs: %v", err)
		}
	}
	var back map[string]json.RawMessage
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"as_published", "sound", "cash_flows", "bridge", "warnings", "assumptions", "sensitivity"} {
		if len(back[key]) == 0 || string(back[key]) == "null" {
			t.Errorf("key %q is missing", key)
		}
	}
	if got, want := string(back["cash_flows"]), "[-50000,5050000,5050000,5050000]"; got != want {
		t.Errorf("cash_flows = %s, want %s", got, want)
	}
}

func TestNeverIsNull(t *testing.T) {
	m := article()
	m.Managed.MonthlyServiceFee, m.Impact.RevenuePerHour = 300_000, 0
	res := evaluate(t, m)
	if p := res.AsPublished; p.PaybackYears != nil || p.BreakEvenMonths != nil {
		t.Errorf("loss as published: payback %v, break even %v, want nil", p.PaybackYears, p.BreakEvenMonths)
	}
	if v := res.Sound; v.PaybackYears != nil || v.DiscountedPaybackYears != nil || v.IRRPercent != nil || len(v.IRR.Roots) != 0 {
		t.Errorf("loss, sound: payback %v, %v, IRR %v, want none", v.PaybackYears, v.DiscountedPaybackYears, v.IRR)
	}
	m = article()
	m.Managed = roi.Managed{ContractLengthMonths: 36}
	res = evaluate(t, m)
	if res.AsPublished.ROIPercent != nil || res.Sound.ROIPercent != nil || res.Sound.PI != nil {
		t.Errorf("a free service has ROI %v, %v, PI %v, want nil", res.AsPublished.ROIPercent, res.Sound.ROIPercent, res.Sound.PI)
	}
}

func TestAssumptions(t *testing.T) {
	m := article()
	m.Internal.AnnualSalaries["architect"] = 150_000
	m.Years = new(3)
	byPath := map[string]roi.Assumption{}
	for _, a := range evaluate(t, m).Assumptions {
		byPath[a.Path] = a
	}
	for path, want := range map[string]roi.Assumption{
		"years":                    {Path: "years", Value: "3", Given: true},
		"discount_rate":            {Path: "discount_rate", Value: "0.08", Note: "effective, per year"},
		"staffing.senior_engineer": {Path: "staffing.senior_engineer", Value: "4"},
		"mttr_weight":              {Path: "mttr_weight", Value: "0", Note: "sound model: faster recovery is not counted beside availability"},
		"internal.annual_salaries.architect": {
			Path: "internal.annual_salaries.architect", Value: "150000", Given: true, Note: "the role is not staffed: the salary is not used",
		},
	} {
		if got := byPath[path]; got != want {
			t.Errorf("assumption %s = %+v, want %+v", path, got, want)
		}
	}
}

func TestModelIsNotChanged(t *testing.T) {
	m := article()
	m.Sensitivity = map[string][]float64{"annual_salaries.manager": {1, 2}, "staffing.manager": {3, 4}, "discount_rate": {0.1, 0.2}}
	evaluate(t, m)
	want := article()
	want.Sensitivity = m.Sensitivity
	if !reflect.DeepEqual(m, want) {
		t.Errorf("Evaluate changed the model to %+v", m)
	}
}

func TestOverflow(t *testing.T) {
	m := article()
	m.Impact.RevenuePerHour = 1e308
	for name, err := range map[string]error{
		"AsPublished": second(roi.AsPublished(m)),
		"Sound":       second(roi.Sound(m)),
		"Evaluate":    second(roi.Evaluate(m)),
	} {
		if !errors.Is(err, roi.ErrOverflow) {
			t.Errorf("%s error = %v, want %v", name, err, roi.ErrOverflow)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSensitivity(t *testing.T) {
	m := article()
	m.Sensitivity = map[string][]float64{
		"managed.monthly_service_fee": {40_000, 50_000},
		"revenue_per_hour":            {10_000, 40_000},
		"staffing.manager":            {0, 2},
		"annual_salaries.manager":     {100_000, 200_000},
	}
	swings, err := roi.Sensitivity(m)
	if err != nil {
		t.Fatal(err)
	}
	// Σ 1.08^-t, t = 1..3. A manager costs 160 000 × 1.5 + 15 000 + 25 000 × 0.2.
	const annuity = 2.5770969872478789
	want := []struct {
		field string
		width float64
	}{
		{"impact.revenue_per_hour", 30_000 * 43.8 * 3 * annuity},
		{"staffing.manager", 2 * 260_000 * annuity},
		{"internal.annual_salaries.manager", 150_000 * annuity},
		{"managed.monthly_service_fee", 120_000 * annuity},
	}
	if len(swings) != len(want) {
		t.Fatalf("%d swings, want %d", len(swings), len(want))
	}
	for i, w := range want {
		s := swings[i]
		if s.Field != w.field || math.Abs(s.Range()-w.width) > 1e-6 {
			t.Errorf("swing %d = %s %v, want %s %v", i, s.Field, s.Range(), w.field, w.width)
		}
	}
	if fee := swings[3]; fee.NPVAtHigh >= fee.NPVAtLow || *fee.ROIPercentAtHigh >= *fee.ROIPercentAtLow {
		t.Errorf("a higher fee is better: %+v", fee)
	}
}

func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name   string
		change func(*roi.Model)
		paths  []string
	}{
		{"article", func(*roi.Model) {}, nil},
		{"currency", func(m *roi.Model) { m.Currency = "euro" }, []string{"currency"}},
		{"negative salary", func(m *roi.Model) { m.Internal.AnnualSalaries["manager"] = -1 }, []string{"internal.annual_salaries.manager"}},
		{"NaN salary of an unstaffed role", func(m *roi.Model) { m.Internal.AnnualSalaries["x"] = nan }, []string{"internal.annual_salaries.x"}},
		{"multipliers", func(m *roi.Model) { m.Internal.OverheadMultiplier, m.Impact.DowntimeCostMultiplier = -1, -2 }, []string{"internal.overhead_multiplier", "impact.downtime_cost_multiplier"}},
		{"availability", func(m *roi.Model) {
			m.Impact.CurrentAvailabilityPercent, m.Impact.TargetAvailabilityPercent = -0.1, 100.000001
		}, []string{"impact.current_availability_percent", "impact.target_availability_percent"}},
		{"contract", func(m *roi.Model) { m.Managed.ContractLengthMonths = 0 }, []string{"managed.contract_length_months"}},
		{"infinite fee", func(m *roi.Model) { m.Managed.MonthlyServiceFee = inf }, []string{"managed.monthly_service_fee"}},
		{"years", func(m *roi.Model) { m.Years = new(0) }, []string{"years"}},
		{"too many years", func(m *roi.Model) { m.Years = new(101) }, []string{"years"}},
		{"rate", func(m *roi.Model) { m.DiscountRate = new(-1.0) }, []string{"discount_rate"}},
		{"low rate", func(m *roi.Model) { m.DiscountRate = new(-0.99) }, nil},
		{"weight", func(m *roi.Model) { m.MTTRWeight = 1.1 }, []string{"mttr_weight"}},
		{"enums", func(m *roi.Model) { m.Method, m.Timing.Period, m.Timing.Position = 9, 9, -1 }, []string{"method", "timing.period", "timing.position"}},
		{"staffing", func(m *roi.Model) { m.Staffing = map[string]float64{"b": -1, "a": inf} }, []string{"staffing.a", "staffing.b"}},
		{"strict", func(m *roi.Model) { m.Strict = true; delete(m.Internal.AnnualSalaries, "manager") }, []string{"internal.annual_salaries.manager"}},
		{"shift role", func(m *roi.Model) { m.ShiftRoles = []string{"manager", "pilot", "manager"} }, []string{"shift_roles[1]", "shift_roles[2]"}},
		{"sensitivity", func(m *roi.Model) {
			m.Sensitivity = map[string][]float64{"setup_cost": {1, 2}, "setup_costs": {1}, "mttr_weight": {0, 2}, "annual_salaries.pilot": {1, 2}, "years": {1, 2}}
		}, []string{"sensitivity.annual_salaries.pilot", "sensitivity.mttr_weight[1]", "sensitivity.setup_cost", "sensitivity.setup_costs", "sensitivity.years"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := article()
			tt.change(&m)
			err := m.Validate()
			var got []string
			var joined interface{ Unwrap() []error }
			if errors.As(err, &joined) {
				for _, e := range joined.Unwrap() {
					var fe *roi.FieldError
					if !errors.As(e, &fe) {
						t.Fatalf("error %v is no *FieldError", e)
					}
					got = append(got, fe.Path)
				}
			}
			if !slices.Equal(got, tt.paths) {
				t.Errorf("Validate names %q, want %q (%v)", got, tt.paths, err)
			}
			if _, evalErr := roi.Evaluate(m); (evalErr == nil) != (err == nil) {
				t.Errorf("Evaluate error = %v, Validate %v", evalErr, err)
			}
		})
	}
	m := article()
	m.Managed.ContractLengthMonths = -3
	if got, want := m.Validate().Error(), `managed.contract_length_months: "-3", want a finite number > 0`; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}

func TestModelFile(t *testing.T) {
	const file = `{"internal": {"annual_salaries": {"ops": 1}, "overhead_multiplier": 1}, "managed": {"contract_length_months": 12}, "impact": {},
		"years": 5, "discount_rate": 0, "method": "sound", "timing": {"period": "month", "position": "mid"},
		"staffing": {"ops": 2.5}, "incidents_per_year": 10, "mttr_weight": 0.5, "sensitivity": {"setup_costs": [0, 1]}}`
	dec := json.NewDecoder(strings.NewReader(file))
	dec.DisallowUnknownFields()
	var m roi.Model
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	if *m.Years != 5 || *m.DiscountRate != 0 || m.Method != roi.MethodSound || m.Timing != (roi.Timing{Period: roi.Monthly, Position: roi.AtMiddle}) {
		t.Errorf("model = %+v", m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back roi.Model
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("round trip = %+v, %v, want %+v", back, err, m)
	}
	for _, bad := range []string{`{"method": "best"}`, `{"timing": {"period": "week"}}`, `{"timing": {"position": "noon"}}`} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if _, err := roi.Method(7).MarshalText(); err == nil {
		t.Error("Method(7) marshals")
	}
}
