package forecast

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Trend is the slope of an [ETS].
type Trend uint8

// The zero value has no trend.
const (
	// NoTrend stays at the level.
	NoTrend Trend = iota
	// Linear goes on for ever.
	Linear
	// Damped fades.
	Damped
)

var trendNames = []string{"none", "linear", "damped"}

// String returns "none", "linear" or "damped".
func (t Trend) String() string { return enum.String(trendNames, "Trend", uint8(t)) }

// MarshalText implements [encoding.TextMarshaler].
func (t Trend) MarshalText() ([]byte, error) {
	return enum.Text(trendNames, "forecast", "trend", uint8(t))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Trend) UnmarshalText(text []byte) error {
	n, err := enum.Parse(trendNames, "forecast", "trend", text)
	*t = Trend(n)
	return err
}

// ETS is exponential smoothing with additive errors: simple (the zero value), of
// Holt (Linear), damped, or of Holt and Winters (with a season). Weights and
// initial states are those of the least squared error one step ahead.
//
// With additive parts the errors are affine in the initial states, which are
// therefore solved for (up to a period of 200); only the one to four weights are
// searched, from a grid, because the squared error has local minima.
type ETS struct {
	Trend    Trend    `json:"trend"`
	Seasonal Seasonal `json:"seasonal"`
	// Rounds is how often a model with a season turns between its weights and its
	// states at most. One round is within a few percent of the least error.
	// Defaults to 6.
	Rounds int `json:"rounds,omitempty"`
}

// Name is "ses", "holt", "damped", and "holt-winters" with what it consists of.
func (m ETS) Name() string {
	name := [...]string{"ses", "holt", "damped"}[min(m.Trend, Damped)]
	switch m.Seasonal {
	case Additive:
		return "holt-winters additive (" + name + ")"
	case Multiplicative:
		return "holt-winters multiplicative (" + name + ")"
	default:
		return name
	}
}

// FittedETS is an [ETS] with weights and states.
type FittedETS struct {
	// Start is the state before the first value, End that behind the last.
	Start, End Smoothing
	// SSE is the sum of squared errors one step ahead over N values, of which Free
	// parameters were fitted.
	SSE     float64
	N, Free int
}

// Fit needs four values more than parameters, two cycles for a season, and
// positive values for a multiplicative one.
func (m ETS) Fit(y []float64, c Cycle) (Fitted, error) {
	f, err := m.FitETS(y, c.Period)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// FitETS is [ETS.Fit] with the concrete result; period is not used without a
// season.
func (m ETS) FitETS(y []float64, period int) (*FittedETS, error) {
	if m.Seasonal == NoSeason {
		period = 0
	} else if err := needCycles(y, period, 2); err != nil {
		return nil, err
	}
	if m.Seasonal == Multiplicative && slices.Min(y) <= 0 {
		return nil, ErrNotPositive
	}
	b := newBox(m)
	free := len(b.low) + 1 + period
	if m.Trend != NoTrend {
		free++
	}
	if len(y) < len(b.low)+6 {
		return nil, ErrTooShort
	}
	p := problem{m: m, y: y, scratch: make([]float64, period)}
	s := p.first(period)
	var theta []float64
	least := math.Inf(1)
	for _, start := range b.starts {
		p.set(&s, start)
		cost := 0.0
		if period == 0 {
			cost = p.solved(&s)
		} else {
			cost = p.cost(&s)
		}
		if cost < least || theta == nil {
			least, theta = cost, start
		}
	}
	if period == 0 {
		// Few states: solved for at every step of the search.
		theta = search(func(x []float64) float64 {
			p.set(&s, x)
			return p.solved(&s)
		}, theta, b.low, b.high, 20*len(theta))
		p.set(&s, theta)
		p.improve(&s)
	} else {
		// Many states: in turns with the weights.
		p.set(&s, theta)
		least = p.cost(&s)
		rounds := m.Rounds
		if rounds == 0 {
			rounds = 6
		}
		for range rounds {
			p.improve(&s)
			theta = search(func(x []float64) float64 {
				p.set(&s, x)
				return p.cost(&s)
			}, theta, b.low, b.high, 15*len(theta))
			p.set(&s, theta)
			cost := p.cost(&s)
			if cost > least*(1-1e-3) {
				break
			}
			least = cost
		}
		p.improve(&s)
	}
	return newFittedETS(s, y, free), nil
}

func newFittedETS(s Smoothing, y []float64, free int) *FittedETS {
	f := &FittedETS{Start: s, End: s, N: len(y), Free: free}
	f.End.Season = slices.Clone(s.Season)
	f.SSE = f.End.advance(y, nil)
	return f
}

// Forecast continues from the last state.
func (f *FittedETS) Forecast(h int) []float64 { return f.End.Forecast(h) }

// Refit keeps the weights and solves for the states before the first value.
func (f *FittedETS) Refit(y []float64) (Fitted, error) {
	period := len(f.Start.Season)
	if len(y) < max(2*period, 2) {
		return nil, ErrTooShort
	}
	m := ETS{Trend: Linear, Seasonal: f.Start.Seasonal}
	if f.Start.Beta == 0 && f.Start.Trend == 0 {
		m.Trend = NoTrend
	}
	if m.Seasonal == Multiplicative && slices.Min(y) <= 0 {
		return nil, ErrNotPositive
	}
	p := problem{m: m, y: y, scratch: make([]float64, period)}
	s := p.first(period)
	s.Alpha, s.Beta, s.Gamma, s.Phi = f.Start.Alpha, f.Start.Beta, f.Start.Gamma, f.Start.Phi
	if period == 0 {
		p.improve(&s)
	}
	return newFittedETS(s, y, f.Free), nil
}

// LogLikelihood of Gaussian errors:
//
//	-n/2 (ln(2 pi SSE/n) + 1)
func (f *FittedETS) LogLikelihood() float64 {
	n := float64(f.N)
	return -n / 2 * (math.Log(2*math.Pi*f.SSE/n) + 1)
}

// Deviations returns the standard deviation of the error at each of h steps, for
// additive parts (Hyndman et al. 2008, section 6.1):
//
//	sigma² (1 + sum of c_j², j < h)    c_j = alpha + alpha beta (phi + ... + phi^j) + gamma [period divides j]
//
// sigma² is SSE over the values less the fitted parameters. For a multiplicative
// season it is an approximation.
func (f *FittedETS) Deviations(h int) []float64 {
	s := &f.End
	sigma2 := f.SSE / float64(max(f.N-f.Free, 1))
	out := make([]float64, h)
	phi := s.damping()
	sum, powers, power := 1.0, 0.0, 1.0
	for j := range out {
		out[j] = math.Sqrt(sigma2 * sum)
		power *= phi
		powers += power
		c := s.Alpha + float64(s.Alpha*s.Beta*powers)
		if m := len(s.Season); m > 0 && (j+1)%m == 0 {
			c += s.Gamma
		}
		sum += float64(c * c)
	}
	return out
}
