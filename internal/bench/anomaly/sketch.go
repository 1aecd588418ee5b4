package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/caio/go-tdigest/v4"
	influx "github.com/influxdata/tdigest"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// points is how many values a sketch gets.
const points = 100_000

// sketchPeer is another quantile sketch, with the options that it comes with.
type sketchPeer struct {
	name, suffix string
	bar          float64
	// build makes a sketch of values and returns its quantiles.
	build func(values []float64) (quantile func(q float64) float64)
}

var sketchPeers = []sketchPeer{
	{name: "influxdata/tdigest v0.0.1", suffix: "_influx", bar: 1.3, build: func(values []float64) func(float64) float64 {
		t := influx.New()
		for _, v := range values {
			t.Add(v, 1)
		}
		return t.Quantile
	}},
	{name: "caio/go-tdigest v4.0.1", suffix: "_caio", bar: 3, build: func(values []float64) func(float64) float64 {
		t := must(tdigest.New())
		for _, v := range values {
			if err := t.Add(v); err != nil {
				panic(err) // only for weights of 0
			}
		}
		return t.Quantile
	}},
}

// ourSketch builds ours with the default options.
func ourSketch(values []float64) func(float64) float64 {
	var s sketch.Sketch
	for _, v := range values {
		s.Add(v)
	}
	return s.Quantile
}

// sketchAdds times adding, for each shape of series; a new sketch each time, so that
// its youth counts.
func sketchAdds() []measure.Pair {
	var pairs []measure.Pair
	for _, p := range sketchPeers {
		for _, shape := range []string{"normal", "lognormal", "rising", "sine"} {
			pairs = append(pairs, measure.Pair{
				Name: fmt.Sprintf("anomaly/sketch_add_%s%s", shape, p.suffix), Peer: p.name, Bar: p.bar, Ops: points,
				Setup: func() (func(), func(), error) {
					values := seriesOf(shape)
					if err := checkRanks("evenkeel", values, ourSketch(values), 0.001); err != nil {
						return nil, nil, err
					}
					// The peer need only be a sketch at all.
					if err := checkRanks(p.name, values, p.build(values), 0.05); err != nil {
						return nil, nil, err
					}
					return func() { ourSketch(values) }, func() { p.build(values) }, nil
				},
			})
		}
	}
	return pairs
}

// seriesOf returns a series of a shape.
func seriesOf(shape string) []float64 {
	r := rand.New(rand.NewPCG(7, 7))
	values := make([]float64, points)
	for i := range values {
		switch shape {
		case "normal":
			values[i] = r.NormFloat64()
		case "lognormal":
			values[i] = math.Exp(r.NormFloat64())
		case "rising":
			values[i] = float64(i)
		case "sine":
			values[i] = math.Sin(float64(i) * 2 * math.Pi / 2880)
		}
	}
	return values
}

// checkRanks wants every quantile within a bound of its rank.
func checkRanks(name string, values []float64, quantile func(float64) float64, bound float64) error {
	sorted := slices.Sorted(slices.Values(values))
	n := float64(len(sorted))
	for _, q := range []float64{0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999} {
		v := quantile(q)
		lo := float64(sort.SearchFloat64s(sorted, v)) / n
		hi := float64(sort.SearchFloat64s(sorted, math.Nextafter(v, math.Inf(1)))) / n
		if e := max(lo-q, q-hi); !(e <= bound) {
			return fmt.Errorf("%s: quantile %v is %v, off by %.5f of the rank, want at most %v", name, q, v, e, bound)
		}
	}
	return nil
}
