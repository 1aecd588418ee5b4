package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// streamStep is the time between samples.
const streamStep = 30 * time.Second

// streamUpdates times an update of each detector beside a fixed figure, and one of a registry
// of many series beside one of few.
func streamUpdates() []measure.Pair {
	pairs := []measure.Pair{
		update("bank", func() updater { return must(stream.NewBank(nil)) }),
		update("ewma", func() updater { return must(stream.NewEWMA(nil)) }),
		update("robust", func() updater { return must(stream.NewRobust(nil)) }),
		update("shift", func() updater { return must(stream.NewShift(nil)) }),
		update("spread", func() updater { return must(stream.NewSpread(nil)) }),
		update("flatline", func() updater { return must(stream.NewFlatline(nil)) }),
		update("gap", func() updater { return must(stream.NewGap(nil)) }),
	}
	for _, times := range []int{10, 100} {
		pairs = append(pairs, growth(times))
	}
	return pairs
}

// updater is any detector.
type updater interface {
	Update(at time.Time, x float64) stream.Verdict
}

// update is a pair of one detector that is past its warm-up, beside the microsecond that
// a sample may take.
func update(name string, make func() updater) measure.Pair {
	return measure.Pair{
		Name: "anomaly/stream_" + name + "_goal", Peer: "goal", Bar: 1, Ops: len(streamValues), Goal: time.Microsecond, NoAllocs: true,
		Setup: func() (func(), func(), error) {
			d, at, alarms := make(), streamStart, 0
			values := steadyNoise
			if name == "bank" {
				values = streamValues // it alone knows of times of the day
			}
			ours := func() {
				for _, x := range values {
					if d.Update(at, x).State == stream.Anomalous {
						alarms++
					}
					at = at.Add(streamStep)
				}
			}
			ours()
			alarms = 0
			ours()
			if alarms > len(values)/100 {
				return nil, nil, fmt.Errorf("%s finds %d of %d ordinary samples anomalous", name, alarms, len(values))
			}
			return ours, nil, nil
		},
	}
}

// fewSeries is the number that growth begins with.
const fewSeries = 1000

// growth compares as many updates of few and of many series, each in turn.
func growth(times int) measure.Pair {
	return measure.Pair{
		Name: fmt.Sprintf("anomaly/stream_registry_%dx", times), Peer: fmt.Sprintf("%d series", fewSeries), Bar: 0.5,
		Ops: fewSeries * times, NoAllocs: true,
		Setup: func() (func(), func(), error) {
			many, err := newFleet(fewSeries * times)
			if err != nil {
				return nil, nil, err
			}
			few, err := newFleet(fewSeries)
			if err != nil {
				return nil, nil, err
			}
			return many.scrape, func() {
				for range times {
					few.scrape()
				}
			}, nil
		},
	}
}

// fleet is a registry full of series that are scraped together.
type fleet struct {
	registry *stream.Registry
	names    []string
	at       time.Time
	turn     int
}

// newFleet makes series that are past their warm-up, all from the state of one.
func newFleet(n int) (*fleet, error) {
	f := &fleet{registry: must(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: n})), at: streamStart, names: []string{"series 0"}}
	for range 3000 {
		f.scrape()
	}
	state, err := f.registry.Snapshot("tenant", f.names[0])
	for i := 1; i < n && err == nil; i++ {
		f.names = append(f.names, fmt.Sprint("series ", i))
		err = f.registry.Restore("tenant", f.names[i], state)
	}
	return f, err
}

// scrape gives every series a sample.
func (f *fleet) scrape() {
	for i, name := range f.names {
		f.registry.Update("tenant", name, f.at, streamValues[(f.turn+i)%len(streamValues)])
	}
	f.at, f.turn = f.at.Add(streamStep), f.turn+1
}

var (
	streamStart  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	streamValues = dailyWave(10*2880, 20)
	steadyNoise  = dailyWave(10*2880, 0)
)

// dailyWave is a wave of a day with noise.
func dailyWave(n int, height float64) []float64 {
	r := rand.New(rand.NewPCG(11, 12))
	values := make([]float64, n)
	for i := range values {
		values[i] = 100 + height*math.Sin(float64(i)*2*math.Pi/2880) + 3*r.NormFloat64()
	}
	return values
}
