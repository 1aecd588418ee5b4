package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// wall is a series put on the readings of a clock on the wall: where the clock
// was put forward the skipped readings have no value, where it was put back the
// readings that came twice have the mean. Every day then has the same number of
// steps, so that a season of a day stays one, and models need not know.
type wall struct {
	series  Series // the original, whose instants count
	values  []float64
	ahead   []int // for each step of the horizon, how many readings behind the last one it is, from 0
	horizon int   // the number of readings to forecast
	notes   []string
}

// at is the instant of step i behind the series, from 0.
func (w *wall) at(i int) time.Time { return w.series.At(len(w.series.Values) + i) }

// onWall lays s and its horizon out in a location. Series whose steps are longer than
// half a day, and stretches of time without a change, are taken as they are.
func onWall(s Series, horizon int, loc *time.Location) wall {
	n := len(s.Values)
	w := wall{series: s, values: s.Values, horizon: horizon, ahead: make([]int, horizon)}
	for i := range w.ahead {
		w.ahead[i] = i
	}
	if loc == nil || n == 0 || s.Step > 12*time.Hour {
		return w
	}
	origin := wallclock.At(s.Start, loc)
	place := func(i int) int { return int(wallclock.At(s.At(i), loc).Sub(origin) / s.Step) }
	changed, places := false, make([]int, n+horizon)
	size := 0
	for i := range places {
		places[i] = max(place(i), 0)
		changed = changed || places[i] != i
		if i < n {
			size = max(size, places[i]+1)
		}
	}
	if !changed {
		return w
	}
	w.values = make([]float64, size)
	counts := make([]float64, size)
	for i, v := range s.Values {
		if !math.IsNaN(v) {
			w.values[places[i]] += v
			counts[places[i]]++
		}
	}
	for k, c := range counts {
		if c == 0 {
			w.values[k] = math.NaN()
		} else {
			w.values[k] /= c
		}
	}
	w.horizon = 1
	for i := range horizon {
		w.ahead[i] = max(places[n+i]-size, 0)
		w.horizon = max(w.horizon, w.ahead[i]+1)
	}
	w.notes = append(w.notes, fmt.Sprintf("the clock of %s is changed within the series or the horizon; seasons are those of the clock", loc))
	return w
}
