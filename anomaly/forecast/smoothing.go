package forecast

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Seasonal is how a season joins the level.
type Seasonal uint8

// The zero value has no season.
const (
	// NoSeason leaves the season out.
	NoSeason Seasonal = iota
	// Additive adds the season to the level.
	Additive
	// Multiplicative multiplies them; the values must be positive.
	Multiplicative
)

var seasonalNames = []string{"none", "additive", "multiplicative"}

// String returns "none", "additive" or "multiplicative".
func (s Seasonal) String() string { return enum.String(seasonalNames, "Seasonal", uint8(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (s Seasonal) MarshalText() ([]byte, error) {
	return enum.Text(seasonalNames, "forecast", "seasonal", uint8(s))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Seasonal) UnmarshalText(text []byte) error {
	n, err := enum.Parse(seasonalNames, "forecast", "seasonal", text)
	*s = Seasonal(n)
	return err
}

// Smoothing is an exponential smoother between two values: its parameters and the
// state that it is in. Its recursions are those of Holt and Winters in the form
// that updates the season with the previous level (Hyndman, Koehler, Ord and
// Snyder, Forecasting with Exponential Smoothing, 2008, chapter 2):
//
//	expected = l + phi b + s                                  (l + phi b) s
//	l' = alpha (y - s) + (1-alpha)(l + phi b)                 y / s
//	b' = beta (l' - l) + (1-beta) phi b
//	s' = gamma (y - l - phi b) + (1-gamma) s                  y / (l + phi b)
//
// The right column is the multiplicative season. Without a trend Beta and Trend
// are 0.
type Smoothing struct {
	// Seasonal says how Season is applied.
	Seasonal Seasonal `json:"seasonal"`
	// Alpha, Beta and Gamma are the weights of the newest value in level, trend and
	// season, 0 to 1.
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	Gamma float64 `json:"gamma"`
	// Phi damps the trend by this factor a step. Defaults to 1, no damping.
	Phi float64 `json:"phi"`
	// Level and Trend (per step) are the state.
	Level float64 `json:"level"`
	Trend float64 `json:"trend"`
	// Season holds the latest seasonal figure of every phase of the cycle; the next
	// value has phase Phase, counted from 0.
	Season []float64 `json:"season,omitempty"`
	Phase  int       `json:"phase"`
}

// Run lets the smoother see y, oldest first. expected are its forecasts of each
// value one step before; after is the state behind the last one. s stays as it is.
// A multiplicative season must not meet a level or seasonal figure of 0.
func (s *Smoothing) Run(y []float64) (expected []float64, after Smoothing) {
	expected = make([]float64, len(y))
	after = *s
	after.Season = slices.Clone(s.Season)
	after.advance(y, expected)
	for i, e := range expected {
		expected[i] = y[i] - e
	}
	return expected, after
}

// Forecast returns the next h values: level and damped trend, joined with the
// latest seasonal figure of each phase.
func (s *Smoothing) Forecast(h int) []float64 {
	out := make([]float64, h)
	phi := s.damping()
	sum, power := 0.0, 1.0
	for i := range out {
		power *= phi
		sum += power
		out[i] = s.Level + float64(sum*s.Trend)
		if m := len(s.Season); m > 0 {
			switch figure := s.Season[(s.Phase+i)%m]; s.Seasonal {
			case Additive:
				out[i] += figure
			case Multiplicative:
				out[i] *= figure
			default:
			}
		}
	}
	return out
}

// damping is phi, 1 where there is none.
func (s *Smoothing) damping() float64 {
	if s.Phi == 0 {
		return 1
	}
	return s.Phi
}

// advance moves s in place, writes its errors one step ahead to errs unless it
// is nil, and returns the sum of their squares. It is where fits spend their
// time, hence a loop for each form; the errors carry the state:
//
//	l' = l + phi b + alpha e    b' = phi b + alpha beta e    s' = s + gamma e
func (s *Smoothing) advance(y, errs []float64) float64 {
	m := len(s.Season)
	l, b, phi := s.Level, s.Trend, s.damping()
	alpha, alphaBeta, gamma := s.Alpha, float64(s.Alpha*s.Beta), s.Gamma
	sse, phase := 0.0, s.Phase
	switch {
	case m == 0 || s.Seasonal == NoSeason:
		for i, v := range y {
			base := l + float64(phi*b)
			e := v - base
			l = base + float64(alpha*e)
			b = float64(phi*b) + float64(alphaBeta*e)
			sse += float64(e * e)
			if errs != nil {
				errs[i] = e
			}
		}
	case s.Seasonal == Additive:
		for i, v := range y {
			base := l + float64(phi*b)
			figure := s.Season[phase]
			e := v - base - figure
			l = base + float64(alpha*e)
			b = float64(phi*b) + float64(alphaBeta*e)
			s.Season[phase] = figure + float64(gamma*e)
			sse += float64(e * e)
			if errs != nil {
				errs[i] = e
			}
			if phase++; phase == m {
				phase = 0
			}
		}
	default:
		for i, v := range y {
			base := l + float64(phi*b)
			figure := s.Season[phase]
			e := v - float64(base*figure)
			next := float64(alpha*v)/figure + float64((1-alpha)*base)
			b = float64(s.Beta*(next-l)) + float64((1-s.Beta)*phi*b)
			l = next
			s.Season[phase] = float64(gamma*v)/base + float64((1-gamma)*figure)
			sse += float64(e * e)
			if errs != nil {
				errs[i] = e
			}
			if phase++; phase == m {
				phase = 0
			}
		}
	}
	s.Level, s.Trend, s.Phase = l, b, phase
	if math.IsNaN(sse) {
		return math.Inf(1)
	}
	return sse
}
