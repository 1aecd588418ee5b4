package roi_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

// maxFuzzFlows keeps one run short: time grows with the changes of sign.
const maxFuzzFlows = 60

func fuzzFloats(data []byte) []float64 {
	var out []float64
	for len(data) >= 8 && len(out) < maxFuzzFlows {
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(data)))
		data = data[8:]
	}
	return out
}

func fuzzBytes(flows ...float64) []byte {
	var out []byte
	for _, f := range flows {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(f))
	}
	return out
}

func checkRates(t *testing.T, got roi.Rates, err error) {
	t.Helper()
	if err == nil && len(got.Roots) == 0 {
		t.Errorf("no root and no error: %+v", got)
	}
	if got.Unique != (len(got.Roots) == 1) && err == nil {
		t.Errorf("Unique = %t with the roots %v", got.Unique, got.Roots)
	}
	if len(got.Roots) > got.SignChanges {
		t.Errorf("%d roots of %d sign changes", len(got.Roots), got.SignChanges)
	}
	if !slices.IsSorted(got.Roots) {
		t.Errorf("roots %v are not in order", got.Roots)
	}
	for _, r := range got.Roots {
		if !(r > -1) || math.IsInf(r, 0) {
			t.Errorf("root %v is no rate", r)
		}
	}
}

func FuzzIRR(f *testing.F) {
	f.Add(fuzzBytes(-1000, 300, 420, 680))
	f.Add(fuzzBytes(-1600, 10000, -10000))
	f.Add(fuzzBytes(-1, 4.86, -9.4431, 9.16641, -4.44664, 0.86247))
	f.Add(fuzzBytes(-100, 220, -121))
	f.Add(fuzzBytes(1e308, -1e308, 1e-308, -5e-324))
	f.Add(fuzzBytes(0, math.Inf(1), math.NaN()))
	f.Fuzz(func(t *testing.T, data []byte) {
		flows := fuzzFloats(data)
		got, err := roi.IRR(flows)
		checkRates(t, got, err)
		if err == nil && got.SignChanges == 1 && len(got.Roots) != 1 {
			t.Errorf("IRR(%v) = %v with one sign change", flows, got.Roots)
		}
		for _, r := range got.Roots {
			// The rate itself is rounded, which matters near -1.
			if r > -0.99 && r < 1e6 && len(flows) <= 10 && ordinary(flows) {
				if v := relativeNPV(r, flows); math.Abs(v) > 1e-10 {
					t.Errorf("IRR(%v) has the root %v, where the relative present value is %g", flows, r, v)
				}
			}
		}
	})
}

// ordinary reports whether the non-zero amounts are within 1e200 of 1.
func ordinary(flows []float64) bool {
	return !slices.ContainsFunc(flows, func(a float64) bool {
		a = math.Abs(a)
		return a != 0 && (a < 1e-200 || a > 1e200)
	})
}

func FuzzXIRR(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 100, 0}, fuzzBytes(-1000, 500, 700))
	f.Add([]byte{0, 0, 0, 0, 6, 0}, fuzzBytes(-99995, 0, 97642))
	f.Add([]byte{0, 0, 0, 0}, fuzzBytes(-1, 2))
	f.Fuzz(func(t *testing.T, days, data []byte) {
		amounts := fuzzFloats(data)
		start := time.Date(2020, 2, 28, 0, 0, 0, 0, time.UTC)
		var flows []roi.DatedFlow
		for i, a := range amounts {
			if len(days) < 2*i+2 {
				break
			}
			flows = append(flows, roi.DatedFlow{Date: start.AddDate(0, 0, int(binary.LittleEndian.Uint16(days[2*i:]))), Amount: a})
		}
		got, err := roi.XIRR(flows)
		checkRates(t, got, err)
		slices.Reverse(flows)
		again, errAgain := roi.XIRR(flows)
		if !slices.Equal(got.Roots, again.Roots) || (err == nil) != (errAgain == nil) {
			t.Errorf("reversed rows give %v, %v, want %v, %v", again.Roots, errAgain, got.Roots, err)
		}
	})
}

// A model of any numbers is refused or evaluated, with figures that JSON can hold, and its
// plan says the same where the amounts are of this world.
func FuzzEvaluate(f *testing.F) {
	for _, m := range []roi.Model{plain(), article()} {
		m.RampUp, m.Timing = []float64{0.5}, roi.Timing{Period: roi.Monthly, Position: roi.AtBegin}
		m.Inflation, m.SalaryGrowth, m.TaxRate, m.DepreciationYears, m.StartYear = 0.02, -0.5, 0.25, 5, 2027
		m.Sensitivity = map[string][]float64{"inflation": {0, 0.1}}
		data, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m roi.Model
		if json.Unmarshal(data, &m) != nil {
			return
		}
		res, err := roi.Evaluate(m)
		if err != nil {
			if res != nil || err.Error() == "" {
				t.Errorf("%v beside the error %q", res, err)
			}
			return
		}
		if _, err := json.Marshal(res); err != nil {
			t.Error(err)
		}
		plan, err := roi.Compile(m)
		if err != nil || res.Sound == nil {
			return
		}
		size := 0.0
		for _, flow := range res.Sound.Flows {
			for _, it := range flow.Items {
				size += math.Abs(it.Amount)
			}
		}
		pt, err := plan.At(nil)
		if rate := m.DiscountRate; size < 1e100 && (rate == nil || *rate > -0.5) && (err != nil || math.Abs(pt.NPV-res.Sound.NPV) > 1e-9*(size+1)*math.Pow(2, res.Sound.Flows[len(res.Sound.Flows)-1].Years)) {
			t.Errorf("NPV %v, of the plan %v, %v", res.Sound.NPV, pt.NPV, err)
		}
	})
}
