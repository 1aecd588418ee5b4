package forecast

// Model is a way to continue a series. Models are values without state; they
// are safe for concurrent use, and so must be those of others.
type Model interface {
	// Name is the word by which results refer to the model.
	Name() string
	// Fit learns from y: finite values, oldest first, which it must not change and
	// may keep. It answers [ErrTooShort], [ErrNoSeason] or [ErrNotPositive], or an
	// error that wraps one, where it does not apply.
	Fit(y []float64, c Cycle) (Fitted, error)
}

// Fitted is a model that has learnt.
type Fitted interface {
	// Forecast returns the next h values.
	Forecast(h int) []float64
	// Refit applies what was learnt once and for all (weights, shapes) to the same
	// series with more or fewer values at its end, and takes the level from them. It is
	// cheaper than Fit.
	Refit(y []float64) (Fitted, error)
}

// Cycle are the lengths of repeating patterns in steps; 0 where there is none.
type Cycle struct {
	// Period is the season that seasonal models use.
	Period int `json:"period"`
	// Week is a week where it is longer than the period and steps divide it.
	Week int `json:"week"`
}

// Models returns the models among which [Of] chooses unless told otherwise.
func Models() []Model {
	return []Model{
		Naive{},
		Drift{},
		SeasonalNaive{},
		WeekAgo{},
		Profile{},
		ETS{},
		ETS{Trend: Linear},
		ETS{Trend: Damped},
		ETS{Trend: Damped, Seasonal: Additive, Rounds: 1},
		ETS{Trend: Damped, Seasonal: Multiplicative, Rounds: 1},
		Theta{},
		STLModel{},
		Harmonic{},
	}
}

// stateless is a Fitted of models that learn nothing but the values.
type stateless struct {
	model interface {
		Model
		next(y []float64, c Cycle, h int) []float64
	}
	y []float64
	c Cycle
}

// Forecast asks the model.
func (s stateless) Forecast(h int) []float64 { return s.model.next(s.y, s.c, h) }

// Refit is a new fit.
func (s stateless) Refit(y []float64) (Fitted, error) { return s.model.Fit(y, s.c) }
