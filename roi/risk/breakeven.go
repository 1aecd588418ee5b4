package risk

import (
	"fmt"
	"math"

	"github.com/evenkeelops/evenkeel/roi"
)

// Crossing is where one input gives what was wanted.
type Crossing struct {
	Path string  `json:"path"`
	Base float64 `json:"base"` // what the model has
	// Values are all values that do, ascending; for the horizon the first whole
	// year after each change of sign.
	Values []float64 `json:"values"`
}

// BreakEven finds every value of an input at which the net present value of the
// sound model is zero, while all others stay.
//
// The present value is linear in most inputs, so that there is one value at most. Of
// rates of growth and of inflation they are those from [GrowthLow] to [GrowthHigh] a
// year, found where the sign differs between two of 381 places. Of the discount rate
// they are the internal rates of return. The horizon
// is whole years from 1 to [roi.MaxYears]: a year belongs to the answer if the
// present value of the year before has the other sign, or if its own is zero.
//
// Errors: that of [roi.Model.Validate], [*roi.FieldError] for an unknown input,
// roi.ErrOverflow, and [*NoCrossingError], which has the value that lies outside
// of what the input may be, if one does.
func BreakEven(m roi.Model, input string) (Crossing, error) {
	const want = "net present value 0"
	s, err := newSolver(m, input)
	if err != nil {
		return Crossing{}, err
	}
	c := Crossing{Path: s.path, Base: s.base}
	switch s.path {
	case "discount_rate":
		v, err := roi.Sound(m)
		if err != nil {
			return Crossing{}, err
		}
		for _, rate := range v.IRR.Roots {
			if rate > -1 { // a yearly rate may be nearer to -1 than float64 can tell
				c.Values = append(c.Values, rate)
			}
		}
		if len(c.Values) == 0 {
			return Crossing{}, &NoCrossingError{Path: s.path, Want: want, Why: "there is no internal rate of return"}
		}
	case "years":
		if c.Values, err = s.horizons(); err != nil {
			return Crossing{}, err
		}
		if len(c.Values) == 0 {
			return Crossing{}, &NoCrossingError{Path: s.path, Want: want, Why: fmt.Sprintf("it has one sign from 1 to %d years", roi.MaxYears)}
		}
	default:
		if c.Values, err = s.solve(want, func(pt *roi.Point) float64 { return pt.NPV }); err != nil {
			return Crossing{}, err
		}
	}
	return c, nil
}

// ForPayback finds the value of an input with which the outlay is recovered after
// so many years from the start, as [roi.Payback] interpolates it, while all others
// stay: the fee that a wanted payback allows.
//
// Errors are those of [BreakEven], and [*InputError] for years that are not above
// 0 or beyond the horizon.
func ForPayback(m roi.Model, input string, years float64) (Crossing, error) {
	s, err := newSolver(m, input)
	if err != nil {
		return Crossing{}, err
	}
	_, horizon, err := m.Input("years")
	if err != nil {
		return Crossing{}, err
	}
	if !(years > 0 && years <= horizon) {
		return Crossing{}, &InputError{Path: "years", Value: number(years), Want: "above 0 and within the horizon of " + number(horizon)}
	}
	want := "a payback of " + number(years) + " years"
	if s.path == "years" {
		return Crossing{}, &NoCrossingError{Path: s.path, Want: want, Why: "it does not depend on the horizon"}
	}
	values, err := s.solve(want, func(pt *roi.Point) float64 { return pt.Cumulated(years) })
	if err != nil {
		return Crossing{}, err
	}
	c := Crossing{Path: s.path, Base: s.base}
	for _, v := range values {
		pt, err := s.plan.At([]float64{v})
		if err != nil {
			return Crossing{}, err
		}
		if got, ok := pt.Payback(); ok && math.Abs(got-years) <= 1e-9*years {
			c.Values = append(c.Values, v)
		}
	}
	if len(c.Values) == 0 {
		return Crossing{}, &NoCrossingError{Path: s.path, Want: want, Why: "the flows reach zero before or never"}
	}
	return c, nil
}

// solver varies one input.
type solver struct {
	plan *roi.Plan
	path string
	base float64
}

func newSolver(m roi.Model, input string) (*solver, error) {
	plan, err := roi.Compile(m, input)
	if err != nil {
		return nil, err
	}
	path, base, err := m.Input(input)
	return &solver{plan, path, base}, err
}

// The rates of growth and inflation among which [BreakEven] and [ForPayback] look.
const (
	GrowthLow  = -0.9
	GrowthHigh = 1.0
)

// solve finds where a function is zero.
func (s *solver) solve(want string, f func(*roi.Point) float64) ([]float64, error) {
	switch s.path {
	case "inflation", "revenue_growth", "salary_growth", "fee_indexation":
		return s.scan(want, f)
	}
	v, err := s.linear(want, f)
	if err != nil {
		return nil, err
	}
	return []float64{v}, nil
}

// scan finds the rates at which a function is zero, by halves of the steps that have
// both signs.
func (s *solver) scan(want string, f func(*roi.Point) float64) ([]float64, error) {
	const steps = 380
	at := func(rate float64) (float64, error) {
		pt, err := s.plan.At([]float64{rate})
		if err != nil {
			return 0, err
		}
		return f(&pt), nil
	}
	var rates []float64
	lo := GrowthLow
	flo, err := at(lo)
	if err != nil {
		return nil, err
	}
	for i := 1; i <= steps; i++ {
		hi := GrowthLow + (GrowthHigh-GrowthLow)*float64(i)/steps
		fhi, err := at(hi)
		if err != nil {
			return nil, err
		}
		switch {
		case flo == 0 && fhi != 0:
			rates = append(rates, lo)
		case fhi == 0 && i == steps:
			rates = append(rates, hi)
		case flo*fhi < 0:
			a, b := lo, hi
			for range 64 {
				mid := a + (b-a)/2
				v, err := at(mid)
				if err != nil {
					return nil, err
				}
				if (v < 0) == (flo < 0) {
					a = mid
				} else {
					b = mid
				}
			}
			rates = append(rates, b)
		}
		lo, flo = hi, fhi
	}
	if len(rates) == 0 {
		return nil, &NoCrossingError{Path: s.path, Want: want, Why: fmt.Sprintf("none from %s to %s a year does", number(GrowthLow), number(GrowthHigh))}
	}
	return rates, nil
}

// linear finds where a function that is linear in the input is zero: by two
// points, and again by two points about the zero, which leaves the rounding of the
// function alone.
func (s *solver) linear(want string, f func(*roi.Point) float64) (float64, error) {
	lo, hi := s.plan.Limits(0)
	at := func(v float64) (float64, float64, error) {
		pt, err := s.plan.At([]float64{v})
		if err != nil {
			return 0, 0, err
		}
		return f(&pt), math.Abs(pt.PVBenefits) + pt.PVCosts, nil
	}
	a, step := s.base, max(1, math.Abs(s.base))
	if hi <= 1 {
		step = hi / 2 // a share
	}
	for range 3 {
		b := a + step
		if b > hi {
			b = a - step
		}
		a, b = min(max(a, lo), hi), min(max(b, lo), hi)
		fa, scale, err := at(a)
		if err != nil {
			return 0, err
		}
		fb, _, err := at(b)
		if err != nil {
			return 0, err
		}
		if math.Abs(fb-fa) <= 1e-14*scale {
			return 0, &NoCrossingError{Path: s.path, Want: want, Why: "it does not depend on the input"}
		}
		root := a - fa*((b-a)/(fb-fa))
		if slack := 1e-12 * max(1, math.Abs(root)); root < lo-slack || root > hi+slack || math.IsNaN(root) {
			return 0, &NoCrossingError{
				Path: s.path, Want: want, Outside: &root,
				Why: fmt.Sprintf("%s would, and it may be %s", number(root), within(lo, hi)),
			}
		}
		a = min(max(root, lo), hi)
		step = min(max(math.Abs(a)/8, 1e-3*step), hi-lo)
	}
	return a, nil
}

// within says what an input may be whose limits are lo and hi.
func within(lo, hi float64) string {
	switch {
	case hi < math.MaxFloat64:
		return number(lo) + " to " + number(hi)
	case lo == -math.MaxFloat64:
		return "any value"
	case lo == math.SmallestNonzeroFloat64:
		return "any value above 0"
	}
	return "any value from " + number(lo) + " on"
}

// horizons lists the years with another sign than the year before.
func (s *solver) horizons() ([]float64, error) {
	var years []float64
	before := 0.0
	for y := 1.0; y <= roi.MaxYears; y++ {
		pt, err := s.plan.At([]float64{y})
		if err != nil {
			return nil, err
		}
		if pt.NPV == 0 || y > 1 && before != 0 && (pt.NPV < 0) != (before < 0) {
			years = append(years, y)
		}
		before = pt.NPV
	}
	return years, nil
}
