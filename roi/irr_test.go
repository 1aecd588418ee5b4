package roi_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

// distinctRoots counts the distinct rates above -1 at which whole flows have
// the present value zero, exactly: Sturm's theorem for the polynomial in
// x = 1/(1+rate) on x > 0, in rational arithmetic.
func distinctRoots(flows []int64) int {
	p := make([]*big.Rat, len(flows))
	for i, f := range flows {
		p[i] = big.NewRat(f, 1)
	}
	p = trimRat(p)
	for len(p) > 0 && p[0].Sign() == 0 { // x = 0 is no rate
		p = p[1:]
	}
	if len(p) < 2 {
		return 0
	}
	d := make([]*big.Rat, len(p)-1)
	for i := range d {
		d[i] = new(big.Rat).Mul(p[i+1], big.NewRat(int64(i+1), 1))
	}
	chain := [][]*big.Rat{p, d}
	for {
		r := remainder(chain[len(chain)-2], chain[len(chain)-1])
		if len(r) == 0 {
			break
		}
		for _, c := range r {
			c.Neg(c)
		}
		chain = append(chain, r)
	}
	changes := func(sign func(q []*big.Rat) int) int {
		n, prev := 0, 0
		for _, q := range chain {
			if s := sign(q); s != 0 {
				if prev != 0 && s != prev {
					n++
				}
				prev = s
			}
		}
		return n
	}
	atZero := changes(func(q []*big.Rat) int { return q[0].Sign() })
	atInf := changes(func(q []*big.Rat) int { return q[len(q)-1].Sign() })
	return atZero - atInf
}

func trimRat(p []*big.Rat) []*big.Rat {
	for len(p) > 0 && p[len(p)-1].Sign() == 0 {
		p = p[:len(p)-1]
	}
	return p
}

func remainder(a, b []*big.Rat) []*big.Rat {
	r := make([]*big.Rat, len(a))
	for i := range a {
		r[i] = new(big.Rat).Set(a[i])
	}
	for r = trimRat(r); len(r) >= len(b); r = trimRat(r) {
		q := new(big.Rat).Quo(r[len(r)-1], b[len(b)-1])
		shift := len(r) - len(b)
		for i := range b {
			r[shift+i].Sub(r[shift+i], new(big.Rat).Mul(q, b[i]))
		}
	}
	return r
}

func TestSturmOracle(t *testing.T) {
	for _, tt := range []struct {
		flows []int64
		want  int
	}{
		{[]int64{-1600, 10000, -10000}, 2},
		{[]int64{-1000, 6000, -11000, 6000}, 3},
		{[]int64{1000, -3000, 2500}, 0},
		{[]int64{-100, 220, -121}, 1}, // touches at 10 %
		{[]int64{0, 0, -1, 2, 0}, 1},
		{[]int64{1, 1}, 0},
	} {
		if got := distinctRoots(tt.flows); got != tt.want {
			t.Errorf("distinctRoots(%v) = %d, want %d", tt.flows, got, tt.want)
		}
	}
}

func toFloats(flows []int64) []float64 {
	out := make([]float64, len(flows))
	for i, f := range flows {
		out[i] = float64(f)
	}
	return out
}

// relativeNPV is the present value in relation to the sum of the absolute ones,
// in the direction in which nothing overflows.
func relativeNPV(rate float64, flows []float64) float64 {
	value, size := 0.0, 0.0
	if x := 1 / (1 + rate); x <= 1 {
		for _, a := range slices.Backward(flows) {
			value, size = value*x+a, size*x+math.Abs(a)
		}
	} else {
		for _, a := range flows {
			value, size = value*(1+rate)+a, size*(1+rate)+math.Abs(a)
		}
	}
	return value / size
}

// The number of roots is compared with an exact count, and every root must make
// the present value zero; in 4000 series, in 100000 with EVENKEEL_SOAK=1.
func TestIRRFindsEveryRoot(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	cases := 4000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		cases = 100_000
	}
	for i := range cases {
		flows := make([]int64, 2+rng.IntN(9))
		for j := range flows {
			flows[j] = int64(rng.IntN(2001) - 1000)
			if rng.IntN(6) == 0 {
				flows[j] = 0
			}
		}
		got, err := roi.IRR(toFloats(flows))
		want := distinctRoots(flows)
		switch {
		case slices.Max(flows) == 0 && slices.Min(flows) == 0:
			if !errors.Is(err, roi.ErrAllZero) {
				t.Errorf("IRR(%v) error = %v, want %v", flows, err, roi.ErrAllZero)
			}
			continue
		case want == 0:
			if !errors.Is(err, roi.ErrNoRoot) {
				t.Errorf("IRR(%v) = %v, %v, want %v", flows, got.Roots, err, roi.ErrNoRoot)
			}
			continue
		case err != nil || len(got.Roots) != want:
			t.Errorf("case %d: IRR(%v) = %v, %v, want %d roots", i, flows, got.Roots, err, want)
			continue
		}
		for _, r := range got.Roots {
			if v := relativeNPV(r, toFloats(flows)); math.Abs(v) > 1e-13 {
				t.Errorf("IRR(%v) = %v: relative present value %g, want 0", flows, r, v)
			}
		}
		if got.SignChanges < want || got.Unique != (want == 1) || !slices.IsSorted(got.Roots) {
			t.Errorf("IRR(%v) = %+v, inconsistent", flows, got)
		}
	}
}

// Flows are built from chosen roots, repeated ones included.
func TestIRRRecoversChosenRoots(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 5000 {
		// Growth factors 1+r in quarters keep the products exact.
		k := 1 + rng.IntN(4)
		want := map[float64]bool{}
		flows := []float64{-1}
		repeated := 1
		for range k {
			g := float64(1+rng.IntN(12)) / 4
			if want[g-1] {
				if repeated++; repeated > 2 {
					continue // three-fold roots are ill-conditioned in float64
				}
			}
			want[g-1] = true
			next := make([]float64, len(flows)+1)
			for i, a := range flows { // times (1 − g·x)
				next[i] += a
				next[i+1] -= a * g
			}
			flows = next
		}
		got, err := roi.IRR(flows)
		if err != nil || len(got.Roots) != len(want) {
			t.Errorf("IRR(%v) = %v, %v, want the roots %v", flows, got.Roots, err, want)
			continue
		}
		for _, r := range got.Roots {
			near := false
			for w := range want {
				near = near || math.Abs(r-w) <= 1e-6*max(1, w)
			}
			if !near {
				t.Errorf("IRR(%v) = %v, want the roots %v", flows, got.Roots, want)
			}
		}
	}
}

// Six flows with five changes of sign are looked at everywhere, in exact arithmetic: at
// the rates where 1+rate or 1/(1+rate) is an odd 256th. Between two neighbours with
// different signs is an odd number of roots, between others an even one, and all in all
// there are as many as Sturm counts.
func TestIRRAgainstScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	cases := 600
	if os.Getenv("EVENKEEL_SOAK") != "" {
		cases = 20_000
	}
	type point struct{ num, den int64 } // of 1+rate
	var scan []point
	for k := int64(1); k < 256; k += 2 {
		scan = append(scan, point{k, 256})
	}
	for k := int64(255); k > 0; k -= 2 {
		scan = append(scan, point{256, k})
	}
	series := map[int]int{} // by number of roots
	for i := range cases {
		var flows []int64
		if i%3 == 0 {
			for j := range int64(6) {
				flows = append(flows, (1-j%2*2)*(1+rng.Int64N(10_000)))
			}
		} else {
			flows = product(rng.Perm(200)[:5])
		}
		if i%3 == 1 { // roots are moved, or leave in pairs
			at := rng.IntN(len(flows))
			flows[at] += flows[at] >> (5 + rng.IntN(25))
		}
		got, err := roi.IRR(toFloats(flows))
		if want := distinctRoots(flows); err != nil || got.SignChanges != 5 || len(got.Roots) != want {
			t.Errorf("IRR(%v) = %+v, %v, want %d roots", flows, got, err, want)
			continue
		}
		series[len(got.Roots)]++
		from, before := -1.0, big.NewInt(flows[5]).Sign() // towards -1 the last flow prevails
		for k := range len(scan) + 1 {
			to, sign := math.Inf(1), big.NewInt(flows[0]).Sign()
			if k < len(scan) {
				to, sign = float64(scan[k].num)/float64(scan[k].den)-1, signAt(flows, scan[k].num, scan[k].den)
			}
			between := 0
			for _, r := range got.Roots {
				if r > from && r <= to {
					between++
				}
			}
			if between%2 == 1 != (sign != before) {
				t.Errorf("IRR(%v) = %v, where the present value has the signs %d at %v and %d at %v", flows, got.Roots, before, from, sign, to)
			}
			from, before = to, sign
		}
	}
	if series[1] == 0 || series[3] == 0 || series[5] == 0 {
		t.Errorf("series by number of roots: %v, want some of 1, 3 and 5", series)
	}
}

// product is Π (64 − (m+1)·x), the flows with the rates (m+1)/64 − 1.
func product(ms []int) []int64 {
	flows := []int64{1}
	for _, m := range ms {
		next := make([]int64, len(flows)+1)
		for i, a := range flows {
			next[i] += 64 * a
			next[i+1] -= int64(m+1) * a
		}
		flows = next
	}
	return flows
}

// signAt is the sign of the present value where 1+rate = num/den, exactly.
func signAt(flows []int64, num, den int64) int {
	sum, x, y := new(big.Int), big.NewInt(den), big.NewInt(num)
	for i, a := range flows {
		term := big.NewInt(a)
		term.Mul(term, new(big.Int).Exp(x, big.NewInt(int64(i)), nil))
		term.Mul(term, new(big.Int).Exp(y, big.NewInt(int64(len(flows)-1-i)), nil))
		sum.Add(sum, term)
	}
	return sum.Sign()
}

func TestIRRDoesNotChangeWith(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 2000 {
		flows := randomFlows(rng, 2+rng.IntN(30))
		base, baseErr := roi.IRR(flows)
		for name, variant := range map[string][]float64{
			"scale":       scaled(flows, 0x1p40),
			"tiny scale":  scaled(flows, 0x1p-1000),
			"huge scale":  scaled(flows, 0x1p1000),
			"sign":        scaled(flows, -1),
			"zeros ahead": append([]float64{0, 0}, flows...),
			"zeros after": append(slices.Clone(flows), 0, 0, 0),
		} {
			got, err := roi.IRR(variant)
			if !errors.Is(err, baseErr) || !slices.Equal(got.Roots, base.Roots) {
				t.Errorf("%s: IRR = %v, %v, want %v, %v as for %v", name, got.Roots, err, base.Roots, baseErr, flows)
			}
		}
	}
}

func randomFlows(rng *rand.Rand, n int) []float64 {
	flows := make([]float64, n)
	for i := range flows {
		flows[i] = math.Round(rng.NormFloat64()*1e5) / 100
	}
	flows[0] = -math.Abs(flows[0]) - 1
	return flows
}

func scaled(flows []float64, f float64) []float64 {
	out := slices.Clone(flows)
	for i := range out {
		out[i] *= f
	}
	return out
}

// With one change of sign the present value falls as the rate rises, and the
// root is where it crosses zero.
func TestNPVFallsWithRate(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for range 1000 {
		flows := make([]float64, 3+rng.IntN(60))
		outlays := 1 + rng.IntN(len(flows)-1)
		for i := range flows {
			flows[i] = rng.Float64() * 1000
			if i < outlays {
				flows[i] = -flows[i] - 1
			}
		}
		got, err := roi.IRR(flows)
		rate, err2 := got.Rate()
		if err != nil || err2 != nil || got.SignChanges != 1 {
			t.Errorf("IRR(%v) = %+v, %v, want one root", flows, got, err)
			continue
		}
		prev := math.Inf(1)
		// With several outlays only the sign is monotone, with one the value.
		for _, r := range []float64{-0.5, -0.2, 0, 0.05, 0.1, 0.5, 1, 5} {
			npv, err := roi.NPV(r, flows)
			if err != nil {
				t.Fatal(err)
			}
			if outlays == 1 && npv > prev {
				t.Errorf("NPV(%v, %v) = %v, rises from %v", r, flows, npv, prev)
			}
			prev = npv
			if r < rate-1e-9 && npv < 0 || r > rate+1e-9 && npv > 0 {
				t.Errorf("NPV(%v, %v) = %v on the wrong side of the root %v", r, flows, npv, rate)
			}
		}
	}
}

func TestIRRHard(t *testing.T) {
	loan := make([]float64, 361) // 300 000 at 0.5 % a month, see pmt of the textbooks
	payment, err := roi.PMT(0.005, 360, 300_000, 0, roi.EndOfPeriod)
	if err != nil {
		t.Fatal(err)
	}
	loan[0] = 300_000
	for i := 1; i < len(loan); i++ {
		loan[i] = payment
	}
	long := make([]float64, 361)
	for i := range long {
		long[i] = 1000
	}
	long[0], long[360] = -50_000, -200_000
	tests := []struct {
		name  string
		flows []float64
		want  []float64
		err   error
	}{
		{"360 period loan", loan, []float64{0.005}, nil},
		{"double root", []float64{-100, 220, -121}, []float64{0.1}, nil},
		{"double root with decimals", []float64{-1, 2.14, -1.1449}, []float64{0.07}, nil},
		{"triple root", []float64{-1000, 3300, -3630, 1331}, []float64{0.1}, nil},
		{"one period, total loss but a cent", []float64{-1e6, 0.01}, []float64{-0.99999999}, nil},
		{"nearer to -1 than float64", []float64{-1, 1e-30}, []float64{math.Nextafter(-1, 0)}, nil},
		{"beyond float64", []float64{-1e-300, 1e300}, nil, roi.ErrOverflow},
		{"far apart amounts", []float64{-1e300, 1e-300, 1e300}, []float64{0}, nil},
		{"single flow among zeros", []float64{0, 5, 0}, nil, roi.ErrNoRoot},
		{"NaN", []float64{-1, math.NaN()}, nil, roi.ErrBadFlow},
		{"infinite", []float64{-1, math.Inf(1)}, nil, roi.ErrBadFlow},
		{"none", nil, nil, roi.ErrNoFlows},
		{"one", []float64{-1}, nil, roi.ErrTooFewFlows},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := roi.IRR(tt.flows)
			if !errors.Is(err, tt.err) || len(got.Roots) != len(tt.want) {
				t.Fatalf("IRR = %+v, %v, want %v, %v", got, err, tt.want, tt.err)
			}
			for i, want := range tt.want {
				if math.Abs(got.Roots[i]-want) > 1e-7*max(1, math.Abs(want)) {
					t.Errorf("root %d = %v, want %v", i, got.Roots[i], want)
				}
			}
		})
	}

	got, err := roi.IRR(long)
	if err != nil || len(got.Roots) != 2 {
		t.Errorf("IRR of 361 flows with a costly end = %+v, %v, want two roots", got, err)
	}
	for _, r := range got.Roots {
		if v := relativeNPV(r, long); math.Abs(v) > 1e-12 {
			t.Errorf("relative present value at %v = %g, want 0", r, v)
		}
	}
}

func TestXIRRIgnoresOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	start := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
	for range 1000 {
		flows := make([]roi.DatedFlow, 3+rng.IntN(30))
		for i := range flows {
			flows[i] = roi.DatedFlow{Date: start.AddDate(0, 0, rng.IntN(900)), Amount: math.Round(rng.NormFloat64()*1e5) / 100}
		}
		base, baseErr := roi.XIRR(flows)
		npv, npvErr := roi.XNPV(0.07, flows)
		for range 3 {
			rng.Shuffle(len(flows), func(i, j int) { flows[i], flows[j] = flows[j], flows[i] })
			// The time of day does not count.
			for i := range flows {
				y, m, d := flows[i].Date.Date()
				flows[i].Date = time.Date(y, m, d, rng.IntN(24), rng.IntN(60), 0, 0, time.UTC)
			}
			got, err := roi.XIRR(flows)
			if !errors.Is(err, baseErr) || !slices.Equal(got.Roots, base.Roots) {
				t.Fatalf("XIRR of reordered rows = %v, %v, want %v, %v", got.Roots, err, base.Roots, baseErr)
			}
			if v, err := roi.XNPV(0.07, flows); v != npv || !errors.Is(err, npvErr) {
				t.Fatalf("XNPV of reordered rows = %v, %v, want %v, %v", v, err, npv, npvErr)
			}
		}
		for _, r := range base.Roots {
			if r < -0.9999 || r > 1e6 {
				continue // the present value itself overflows out there
			}
			v, err := roi.XNPV(r, flows)
			size := 0.0
			for _, f := range flows {
				size += math.Abs(f.Amount) * math.Max(1, math.Pow(1+r, -900.0/365))
			}
			if err != nil || math.Abs(v) > 1e-12*size {
				t.Errorf("XNPV at the root %v = %v, %v, want 0 (sizes %g)", r, v, err, size)
			}
		}
	}
}

// Whole years of 365 days make XIRR the same question as IRR.
func TestXIRRAgreesWithIRR(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	start := time.Date(2001, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 2000 {
		flows := randomFlows(rng, 2+rng.IntN(10))
		dated := make([]roi.DatedFlow, len(flows))
		for i, a := range flows {
			dated[i] = roi.DatedFlow{Date: start.AddDate(0, 0, 365*i), Amount: a}
		}
		want, wantErr := roi.IRR(flows)
		got, err := roi.XIRR(dated)
		if !errors.Is(err, wantErr) || len(got.Roots) != len(want.Roots) {
			t.Errorf("XIRR(%v) = %v, %v, want %v, %v", flows, got.Roots, err, want.Roots, wantErr)
			continue
		}
		for i, r := range want.Roots {
			if math.Abs(got.Roots[i]-r) > 1e-9*max(1, math.Abs(r)) {
				t.Errorf("XIRR(%v) = %v, want %v", flows, got.Roots, want.Roots)
			}
		}
	}
}

func TestXIRRDates(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tokyo := time.FixedZone("UTC+9", 9*3600)
	tests := []struct {
		name     string
		from, to time.Time
		days     float64
	}{
		{"leap day", day("2024-02-28"), day("2024-03-01"), 2},
		{"no leap day", day("2023-02-28"), day("2023-03-01"), 1},
		{"century without leap day", day("1900-02-28"), day("1900-03-01"), 1},
		{"century with leap day", day("2000-02-28"), day("2000-03-01"), 2},
		{"year end", day("2025-12-31"), day("2026-01-01"), 1},
		{"before year 0", time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(0, 3, 1, 0, 0, 0, 0, time.UTC), 61},
		// The calendar date where the row was written counts, not the instant.
		{"zones", time.Date(2026, 5, 2, 1, 0, 0, 0, tokyo), time.Date(2026, 5, 3, 1, 0, 0, 0, time.UTC), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// A flow of 1.1^(days/365) at the end gives exactly 10 %.
			flows := []roi.DatedFlow{{Date: tt.from, Amount: -1}, {Date: tt.to, Amount: math.Pow(1.1, tt.days/365)}}
			got, err := roi.XIRR(flows)
			if err != nil || math.Abs(got.Roots[0]-0.1) > 1e-10 {
				t.Errorf("XIRR over %v days = %v, %v, want 0.1", tt.days, got.Roots, err)
			}
		})
	}
}

func TestXIRRErrors(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	later := day.AddDate(0, 1, 0)
	for _, tt := range []struct {
		name  string
		flows []roi.DatedFlow
		want  error
	}{
		{"none", nil, roi.ErrNoFlows},
		{"one", []roi.DatedFlow{{day, -1}}, roi.ErrTooFewFlows},
		{"one date", []roi.DatedFlow{{day, -1}, {day, 2}}, roi.ErrSingleDate},
		{"zeros", []roi.DatedFlow{{day, 0}, {later, 0}}, roi.ErrAllZero},
		{"dates that cancel", []roi.DatedFlow{{day, 1}, {day, -1}, {later, 0}}, roi.ErrAllZero},
		{"one sign", []roi.DatedFlow{{day, 1}, {later, 1}}, roi.ErrNoRoot},
		{"NaN", []roi.DatedFlow{{day, math.NaN()}, {later, 1}}, roi.ErrBadFlow},
		{"sum overflows", []roi.DatedFlow{{day, 1.5e308}, {day, 1.5e308}, {later, -1}}, roi.ErrOverflow},
	} {
		if got, err := roi.XIRR(tt.flows); !errors.Is(err, tt.want) {
			t.Errorf("%s: XIRR = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}
