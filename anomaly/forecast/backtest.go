package forecast

import (
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Trial is what the backtest found about one model.
type Trial struct {
	Model string `json:"model"`
	// Errors are the mean absolute errors of the folds, oldest first; nil for a model
	// that does not apply.
	Errors []float64 `json:"errors,omitempty"`
	// Score is their mean, each counted as at most three times their median: one
	// fold with an incident in it does not decide. Nil for a model that does not apply.
	Score *float64 `json:"score,omitempty"`
	// Chosen marks the model of the forecast.
	Chosen bool `json:"chosen,omitempty"`
	// Skipped says why a model does not apply.
	Skipped string `json:"skipped,omitempty"`
}

// mostFolds is the number of horizons at the end that are forecast as a test.
const mostFolds = 4

// foldCap is how many medians one fold may weigh.
const foldCap = 3

// foldsOf is how many horizons at the end may be tested: four, or fewer as long as
// the values before them are too few for models of the cycle.
func foldsOf(n, horizon int, c Cycle) int {
	for k := mostFolds; k > 0; k-- {
		if n-k*horizon >= max(2*c.Period, 8) {
			return k
		}
	}
	return 0
}

// skip takes the model out of the choice.
func (t *Trial) skip(why string) { t.Errors, t.Score, t.Skipped = nil, nil, why }

// leastScore is the index of the model with the least score, the earlier one of equals; -1
// if none has one.
func leastScore(trials []Trial) int {
	best := -1
	for i, t := range trials {
		if t.Score != nil && (best < 0 || *t.Score < *trials[best].Score) {
			best = i
		}
	}
	return best
}

// backtest fits every model before the oldest fold and refits it before the others. fits
// are those before the oldest fold.
func backtest(models []Model, y []float64, c Cycle, horizon, folds int) (trials []Trial, fits []Fitted) {
	trials, fits = make([]Trial, len(models)), make([]Fitted, len(models))
	n := len(y)
	for i, m := range models {
		t := &trials[i]
		t.Model = m.Name()
		if folds == 0 {
			t.skip("nothing could be tested")
			continue
		}
		f, err := m.Fit(y[:n-folds*horizon], c)
		fits[i] = f
		for k := folds; k > 0 && err == nil; k-- {
			cut := n - k*horizon
			if k < folds {
				if f, err = f.Refit(y[:cut]); err != nil {
					break
				}
			}
			total := 0.0
			for j, v := range f.Forecast(horizon) {
				total += math.Abs(y[cut+j]-v) / float64(horizon)
			}
			t.Errors = append(t.Errors, total)
		}
		if err != nil {
			t.skip(err.Error())
			continue
		}
		score := scoreOf(t.Errors)
		if math.IsNaN(score) || math.IsInf(score, 0) {
			t.skip("forecasts that are no numbers")
			continue
		}
		t.Score = &score
	}
	return trials, fits
}

func scoreOf(errors []float64) float64 {
	limit := foldCap * stats.Median(errors)
	total := 0.0
	for _, e := range errors {
		total += min(e, limit)
	}
	return total / float64(len(errors))
}
