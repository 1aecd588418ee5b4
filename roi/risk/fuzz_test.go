package risk_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/sample"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// Any distribution is refused or draws values; what is drawn is valued or counted.
func FuzzSimulate(f *testing.F) {
	f.Add([]byte(`{"setup_costs":{"kind":"triangular","min":1,"mode":2,"max":3}}`), 0.5)
	f.Add([]byte(`{"discount_rate":{"kind":"normal","mean":0.1,"sd":2,"from":-1},"years":{"kind":"uniform","min":1,"max":2}}`), -0.9)
	f.Add([]byte(`{"setup_costs":{"kind":"discrete","values":[1e308,0],"weights":[1,2],"sum":3},"exit_costs":{"kind":"lognormal","mean":1e300,"sd":1e305}}`), 1.0)
	f.Add([]byte(`{"staffing.manager":{"kind":"pert","max":9},"mttr_weight":{"kind":"empirical","values":[0,1,2]},"x":{}}`), 0.0)
	f.Fuzz(func(t *testing.T, data []byte, rank float64) {
		var inputs map[string]risk.Distribution
		if json.Unmarshal(data, &inputs) != nil || len(inputs) > 6 {
			return
		}
		o := &risk.Options{Bins: 5}
		names := []string{}
		for name, d := range inputs {
			if d.Sum > 10 || d.From != nil && d.Sum > 1 {
				return // slow
			}
			names = append(names, name)
		}
		if len(names) == 2 && rank != 0 {
			o.Correlations = []risk.Correlation{{A: names[0], B: names[1], Rank: rank}}
		}
		got, err := risk.Simulate(t.Context(), article(), inputs, 50, o)
		if err != nil {
			_, input := errors.AsType[*risk.InputError](err)
			_, field := errors.AsType[*roi.FieldError](err)
			if !input && !field && !errors.Is(err, risk.ErrAllRefused) && !errors.Is(err, sample.ErrExhausted) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		refused := 0
		for _, r := range got.Refused {
			refused += r.Scenarios
		}
		if got.Valid+refused != 50 || got.NPV.N != got.Valid || math.IsNaN(got.NPV.P50) || !(got.NPV.P5 <= got.NPV.P95) {
			t.Errorf("forecast %+v of %s", got, data)
		}
	})
}

// Any override is refused or gives a model that can be valued.
func FuzzCompare(f *testing.F) {
	f.Add([]byte(`{"monthly_service_fee":20000,"years":5}`), 0.25)
	f.Add([]byte(`{"managed.setup_costs":-1,"staffing.manager":1e300,"internal.annual_salaries.manager":1e300}`), 2.0)
	f.Add([]byte(`{"discount_rate":-0.99999,"years":100,"exit_costs":1e300}`), 0.0)
	f.Fuzz(func(t *testing.T, data []byte, kept float64) {
		var overrides map[string]float64
		if json.Unmarshal(data, &overrides) != nil {
			return
		}
		rows, err := risk.Compare(article(), []risk.Alternative{{Name: "stay", Internal: true}, {Name: "go", Kept: kept}}, []risk.Scenario{{Name: "s", Overrides: overrides}})
		if err != nil {
			_, input := errors.AsType[*risk.InputError](err)
			_, field := errors.AsType[*roi.FieldError](err)
			if !input && !field && !errors.Is(err, roi.ErrOverflow) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		for _, r := range rows {
			if math.IsNaN(r.NPV) || math.IsInf(r.NPV, 0) || !(r.Regret >= 0) {
				t.Errorf("row %+v of %s", r, data)
			}
		}
	})
}
