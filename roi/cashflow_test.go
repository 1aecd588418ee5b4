package roi_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// The interleaved sum is compared with one in 200-bit arithmetic, over every
// length around the point where the interleaving begins.
func TestNPVAgainstBigFloat(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for n := 1; n <= 400; n += 1 + n/40 {
		flows := randomFlows(rng, n)
		for _, rate := range []float64{0.08, -0.3, 0, 0.0029166666666666667, 5} {
			got, err := roi.NPV(rate, flows)
			if err != nil {
				t.Fatal(err)
			}
			value, size := bigNPV(rate, flows)
			if math.Abs(got-value) > 1e-12*size {
				t.Errorf("NPV(%v, %d flows) = %v, want %v", rate, n, got, value)
			}
		}
	}
}

// At very high rates the powers of 1/(1+rate) underflow where the present value does not:
// 81·2^1000 in the fourth period at 1+rate = 3·2^262 is 2^(1000-4·262), and so on.
func TestNPVAtVeryHighRates(t *testing.T) {
	rate := math.Ldexp(3, 262)
	for period, power := range map[int]float64{1: 3, 2: 9, 3: 27, 4: 81, 5: 243, 6: 729, 7: 2187} {
		flows := make([]float64, period+1)
		flows[period] = math.Ldexp(power, 1000)
		want := math.Ldexp(1, 1000-262*period)
		if got, err := roi.NPV(rate, flows); err != nil || math.Abs(got-want) > 1e-12*want {
			t.Errorf("NPV of %v in period %d = %v, %v, want %v", flows[period], period, got, err, want)
		}
	}
	if got, err := roi.PI(rate, []float64{-1, 0, 0, 0, 0, math.Ldexp(243, 1000)}); err != nil || math.Abs(got-0x1p-310) > 1e-12*got {
		t.Errorf("PI = %v, %v, want 2^-310", got, err)
	}
	if got, err := roi.NPV(math.MaxFloat64, []float64{1, 1}); err != nil || got != 1 {
		t.Errorf("NPV at the largest rate = %v, %v, want 1", got, err)
	}
}

func bigNPV(rate float64, flows []float64) (value, size float64) {
	const bits = 200
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	growth := num(1)
	growth.Add(growth, num(rate))
	factor, sum, abs := num(1), num(0), num(0)
	for _, a := range flows {
		term := new(big.Float).SetPrec(bits).Mul(num(a), factor)
		sum.Add(sum, term)
		abs.Add(abs, term.Abs(term))
		factor.Quo(factor, growth)
	}
	value, _ = sum.Float64()
	size, _ = abs.Float64()
	return value, size
}

func TestCashFlowErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	ok := []float64{-1, 2}
	steep := make([]float64, 400)
	for i := range steep {
		steep[i] = 1
	}
	tests := []struct {
		call string
		got  error
		want error
	}{
		{"NPV of nothing", second(roi.NPV(0.1, nil)), roi.ErrNoFlows},
		{"NPV at -1", second(roi.NPV(-1, ok)), roi.ErrBadRate},
		{"NPV at +Inf", second(roi.NPV(inf, ok)), roi.ErrBadRate},
		{"NPV of NaN", second(roi.NPV(0.1, []float64{1, nan})), roi.ErrBadFlow},
		{"NPV of Inf", second(roi.NPV(0.1, []float64{1, inf})), roi.ErrBadFlow},
		{"NPV that overflows", second(roi.NPV(-0.99, steep)), roi.ErrOverflow},
		{"NPVExcel that overflows", second(roi.NPVExcel(-0.99, []float64{1e308})), roi.ErrOverflow},
		{"MIRR of nothing", second(roi.MIRR(nil, 0.1, 0.1)), roi.ErrNoFlows},
		{"MIRR finance rate", second(roi.MIRR(ok, -1, 0.1)), roi.ErrBadRate},
		{"MIRR reinvestment rate", second(roi.MIRR(ok, 0.1, nan)), roi.ErrBadRate},
		{"MIRR of NaN", second(roi.MIRR([]float64{-1, nan}, 0.1, 0.1)), roi.ErrBadFlow},
		{"MIRR of one sign", second(roi.MIRR([]float64{1, 2}, 0.1, 0.1)), roi.ErrNeedsBothSigns},
		{"MIRR that overflows", second(roi.MIRR([]float64{-1, 1e308, 1e308}, 0.1, 0.1)), roi.ErrOverflow},
		{"Payback of nothing", second(roi.Payback(nil)), roi.ErrNoFlows},
		{"Payback of NaN", second(roi.Payback([]float64{nan})), roi.ErrBadFlow},
		{"Payback that overflows", second(roi.Payback([]float64{1e308, 1e308})), roi.ErrOverflow},
		{"DiscountedPayback of nothing", second(roi.DiscountedPayback(0.1, nil)), roi.ErrNoFlows},
		{"DiscountedPayback at -2", second(roi.DiscountedPayback(-2, ok)), roi.ErrBadRate},
		{"PI of nothing", second(roi.PI(0.1, nil)), roi.ErrNoFlows},
		{"PI without outlay", second(roi.PI(0.1, []float64{0, 1})), roi.ErrNoOutlay},
		{"PI that overflows", second(roi.PI(0.1, []float64{-1e-300, 1e300})), roi.ErrOverflow},
		{"XNPV of nothing", second(roi.XNPV(0.1, nil)), roi.ErrNoFlows},
		{"XNPV at -1", second(roi.XNPV(-1, nil)), roi.ErrBadRate},
		{"EffectiveRate of 0 periods", second(roi.EffectiveRate(0.1, 0)), roi.ErrBadPeriods},
		{"EffectiveRate below -1 a period", second(roi.EffectiveRate(-13, 12)), roi.ErrBadRate},
		{"EffectiveRate that overflows", second(roi.EffectiveRate(1e300, 2)), roi.ErrOverflow},
		{"PeriodicRate of -1 periods", second(roi.PeriodicRate(0.1, -1)), roi.ErrBadPeriods},
		{"PeriodicRate at -1", second(roi.PeriodicRate(-1, 12)), roi.ErrBadRate},
		{"NominalRate at -1", second(roi.NominalRate(-1, 12)), roi.ErrBadRate},
		{"PMT of 0 periods", second(roi.PMT(0.1, 0, 1, 0, roi.EndOfPeriod)), roi.ErrBadPeriods},
		{"PMT at -1", second(roi.PMT(-1, 1, 1, 0, roi.EndOfPeriod)), roi.ErrBadRate},
		{"PMT of NaN", second(roi.PMT(0.1, 1, nan, 0, roi.EndOfPeriod)), roi.ErrBadFlow},
		{"PMT due in the middle", second(roi.PMT(0.1, 1, 1, 0, roi.Due(2))), roi.ErrBadPeriods},
		{"PMT that overflows", second(roi.PMT(0, 1, 1.5e308, 1.5e308, roi.EndOfPeriod)), roi.ErrOverflow},
		{"several rates", second(roi.Rates{Roots: []float64{0.1, 0.2}}.Rate()), roi.ErrMultipleRoots},
		{"no rate", second(roi.Rates{}.Rate()), roi.ErrNoRoot},
	}
	for _, tt := range tests {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: error = %v, want %v", tt.call, tt.got, tt.want)
		}
	}
}

func TestPaybackRecrossings(t *testing.T) {
	// Cumulated −100, 50, −50, 30: up at 2/3, down at 1.5, up at 2 + 50/80.
	got, err := roi.Payback([]float64{-100, 150, -100, 80})
	if err != nil || !slices.Equal(got.Recrossings, []float64{1.5, 2.625}) {
		t.Errorf("Payback = %+v, %v, want recrossings at 1.5 and 2.625", got, err)
	}
	// Paid back at once, overdrawn from 1.5 on, never again.
	got, err = roi.Payback([]float64{10, 0, -20})
	if err != nil || !got.Reached || got.Periods != 0 || !slices.Equal(got.Recrossings, []float64{1.5}) {
		t.Errorf("Payback = %+v, %v, want 0 and a recrossing at 1.5", got, err)
	}
	// Touching zero is reaching it.
	got, err = roi.Payback([]float64{-10, 5, 5, 0})
	if err != nil || !got.Reached || got.Periods != 2 || got.Recrossings != nil {
		t.Errorf("Payback = %+v, %v, want 2", got, err)
	}
}

// The definitions of the functions tie them to each other.
func TestIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for range 2000 {
		rate := rng.Float64()*0.6 - 0.2
		flows := randomFlows(rng, 2+rng.IntN(40))
		npv, err := roi.NPV(rate, flows)
		_, size := bigNPV(rate, flows)
		pi, err2 := roi.PI(rate, flows)
		if err != nil || err2 != nil || math.Abs(npv-(pi-1)*-flows[0]) > 1e-11*size {
			t.Errorf("NPV = %v, PI = %v do not belong together for %v at %v", npv, pi, flows, rate)
		}
		simple, err := roi.Payback(flows)
		discounted, err2 := roi.DiscountedPayback(0, flows)
		if err != nil || err2 != nil || simple.Periods != discounted.Periods || simple.Reached != discounted.Reached {
			t.Errorf("payback %+v and discounted at 0 %+v differ", simple, discounted)
		}
		periods := 1 + rng.IntN(365)
		nominal, err := roi.NominalRate(rate, periods)
		back, err2 := roi.EffectiveRate(nominal, periods)
		if err != nil || err2 != nil || math.Abs(back-rate) > 1e-13 {
			t.Errorf("EffectiveRate(NominalRate(%v, %d)) = %v", rate, periods, back)
		}
		// A level payment pays the loan off and leaves −fv.
		n, pv, fv := 1+rng.IntN(400), rng.Float64()*1e5, rng.NormFloat64()*1e4
		due := roi.Due(rng.IntN(2))
		payment, err := roi.PMT(rate/12, n, pv, fv, due)
		if err != nil {
			t.Fatal(err)
		}
		plan := make([]float64, n+1)
		plan[0] = pv
		for i := range n {
			plan[i+1-int(due)] += payment
		}
		plan[n] += fv
		left, err := roi.NPV(rate/12, plan)
		_, size = bigNPV(rate/12, plan)
		if err != nil || math.Abs(left) > 1e-10*size {
			t.Errorf("PMT(%v, %d, %v, %v, %d) = %v leaves %v", rate/12, n, pv, fv, due, payment, left)
		}
		// Financing and reinvesting at the internal rate changes nothing.
		rates, err := roi.IRR([]float64{-1000, 300, 420, 680 + rng.Float64()})
		irr, err2 := rates.Rate()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		mirr, err := roi.MIRR([]float64{-1000, 0, 0, 1000 * (1 + irr) * (1 + irr) * (1 + irr)}, rate, rate)
		if err != nil || math.Abs(mirr-irr) > 1e-12 {
			t.Errorf("MIRR of one outlay and one return = %v, %v, want %v", mirr, err, irr)
		}
	}
}
