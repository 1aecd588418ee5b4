package main

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// assess compares what the file wants compared, and draws scenarios if told to.
func (in *inputs) assess(ctx context.Context, o *options, file *config.CostModel) error {
	var err error
	if len(file.Scenarios)+len(file.Alternatives) > 0 {
		if in.comparison, err = risk.Compare(file.Model, file.Alternatives, file.Scenarios); err != nil {
			return err
		}
	}
	if o.scenarios == 0 {
		return nil
	}
	if in.distributions = file.Distributions; len(in.distributions) == 0 {
		if in.distributions, err = triangles(file.Model); err != nil {
			return err
		}
	}
	in.forecast, err = risk.Simulate(ctx, file.Model, in.distributions, o.scenarios, &risk.Options{
		Seed: o.seed, Workers: runtime.GOMAXPROCS(0), Correlations: file.Correlations,
	})
	if err != nil {
		return fmt.Errorf("-montecarlo %d: %w", o.scenarios, err)
	}
	return nil
}

// triangles makes distributions of the ranges that the file asks for, or else of those of
// -sensitivity: from the low value over the model's own to the high one.
func triangles(m roi.Model) (map[string]risk.Distribution, error) {
	if len(m.Sensitivity) == 0 {
		vary(&m)
	}
	all := map[string]risk.Distribution{}
	for name, values := range m.Sensitivity {
		path, mode, err := m.Input(name)
		if err != nil {
			return nil, err
		}
		low, high := math.Min(values[0], values[1]), math.Max(values[0], values[1])
		all[path] = risk.Distribution{Kind: risk.Triangular, Min: low, Mode: min(max(mode, low), high), Max: high}
	}
	return all, nil
}
