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
// The present value is linear in every input but two, so that there is one value
// at most. Of the discount rate they are the internal rates of return. The horizon
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
		v, err := s.linear(want, func(pt *roi.Point) float64 { return pt.NPV })
		if err != nil {
			return Crossing{}, err
		}
		c.Values = []float64{v}
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
	v, err := s.linear(want, func(pt *roi.Point) float64 {
		perYear := 1.0
		if pt.Timing.Period == roi.Monthly {
			perYear = 12
		}
		periods, n := years*perYear, float64(pt.Years)*perYear
		each := (pt.Benefits - pt.Costs) / perYear
		return each*periods - pt.Outlay - pt.ExitCosts*max(0, periods-(n-1))
	})
	if err != nil {
		return Crossing{}, err
	}
	pt, err := s.plan.At([]float64{v})
	if err != nil {
		return Crossing{}, err
	}
	if got, ok := pt.Payback(); !ok || math.Abs(got-years) > 1e-9*years {
		return Crossing{}, &NoCrossingError{Path: s.path, Want: want, Why: "the flows reach zero before or never"}
	}
	return Crossing{Path: s.path, Base: s.base, Values: []float64{v}}, nil
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
				Why: fmt.Sprintf("%s would, and %s to %s is what it may be", number(root), number(lo), number(hi)),
			}
		}
		a = min(max(root, lo), hi)
		step = min(max(math.Abs(a)/8, 1e-3*step), hi-lo)
	}
	return a, nil
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
