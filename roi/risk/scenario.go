package risk

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/roi"
)

// Scenario is how the world may turn out, whatever is decided.
type Scenario struct {
	Name string `json:"name"`
	// Overrides replace numbers of the model, by path.
	Overrides map[string]float64 `json:"overrides,omitempty"`
}

// Alternative is a decision.
type Alternative struct {
	Name string `json:"name"`
	// Internal is to stay as it is: nothing is paid to a provider and nothing
	// changes. It has no overrides.
	Internal bool `json:"internal,omitempty"`
	// Kept is the share of the internal cost that stays beside the service, 0 to
	// 1: that of a hybrid team. It is added to the retained organisation.
	Kept float64 `json:"kept,omitempty"`
	// Overrides replace numbers of the model, by path.
	Overrides map[string]float64 `json:"overrides,omitempty"`
}

// Row is an alternative in a scenario. Present values are compared with staying
// internal in the same scenario.
type Row struct {
	Scenario    string `json:"scenario"`
	Alternative string `json:"alternative"`
	// PVCosts is what operations cost: the internal team, or the service with
	// what is kept beside it.
	PVCosts float64 `json:"pv_costs"`
	NPV     float64 `json:"npv"`
	// Change is the distance of NPV from that of the same alternative in the
	// first scenario, Regret that from the best alternative of the scenario.
	Change float64 `json:"change"`
	Regret float64 `json:"regret"`
	Best   bool    `json:"best"` // nothing is better in the scenario

	// The others are nil where they are not defined, and for staying internal.
	ROIPercent     *float64 `json:"roi_percent"`
	IRRPercent     *float64 `json:"irr_percent"`
	PaybackYears   *float64 `json:"payback_years"`
	SavingsPercent *float64 `json:"savings_percent"`
}

// Compare values every alternative in every scenario with the sound model. Rows
// are in the order of scenarios and, within, of alternatives. Without scenarios
// there is one, "base", that changes nothing; without alternatives there is one,
// "managed", that is the model's own.
//
// Errors: that of [roi.Model.Validate], [*InputError] for names that are empty or
// twice the same, a share out of range, or a number that both a scenario and an
// alternative override, those of [roi.Model.With], roi.ErrOverflow.
func Compare(m roi.Model, alternatives []Alternative, scenarios []Scenario) ([]Row, error) {
	if len(scenarios) == 0 {
		scenarios = []Scenario{{Name: "base"}}
	}
	if len(alternatives) == 0 {
		alternatives = []Alternative{{Name: "managed"}}
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if err := checkNames(alternatives, scenarios); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(alternatives)*len(scenarios))
	for i := range scenarios {
		first := len(rows)
		for j := range alternatives {
			r, err := row(m, &alternatives[j], &scenarios[i])
			if err != nil {
				return nil, err
			}
			r.Change = r.NPV
			if i > 0 {
				r.Change -= rows[j].NPV
			} else {
				r.Change = 0
			}
			rows = append(rows, r)
		}
		group := rows[first:]
		best := group[0].NPV
		for _, r := range group {
			best = max(best, r.NPV)
		}
		for j := range group {
			group[j].Regret = best - group[j].NPV
			group[j].Best = group[j].NPV == best
		}
	}
	return rows, nil
}

func checkNames(alternatives []Alternative, scenarios []Scenario) error {
	var errs []error
	seen := map[string]bool{}
	check := func(path, name string) {
		if name == "" || seen[path+name] {
			errs = append(errs, &InputError{Path: path + ".name", Value: name, Want: "a name that no other has"})
		}
		seen[path+name] = true
	}
	for _, s := range scenarios {
		check("scenarios", s.Name)
	}
	for i, a := range alternatives {
		check("alternatives", a.Name)
		at := "alternatives[" + strconv.Itoa(i) + "]"
		if !(a.Kept >= 0 && a.Kept <= 1) {
			errs = append(errs, &InputError{Path: at + ".kept", Value: number(a.Kept), Want: "a ratio from 0 to 1"})
		}
		if a.Internal && (a.Kept != 0 || len(a.Overrides) > 0) {
			errs = append(errs, &InputError{Path: at, Value: a.Name, Want: "neither overrides nor a kept share, as it is to stay internal"})
		}
	}
	return errors.Join(errs...)
}

func row(m roi.Model, a *Alternative, s *Scenario) (Row, error) {
	r := Row{Scenario: s.Name, Alternative: a.Name}
	m, err := override(m, a, s)
	if err != nil {
		return r, err
	}
	if a.Kept > 0 {
		pt, err := at(m)
		if err != nil {
			return r, err
		}
		retained := m.Managed.RetainedOrganisationCosts + a.Kept*pt.InternalCost
		if m, err = m.With(map[string]float64{"managed.retained_organisation_costs": retained}); err != nil {
			return r, err
		}
	}
	pt, err := at(m)
	if err != nil {
		return r, err
	}
	if a.Internal {
		r.PVCosts = pt.PVInternalCost
		return r, nil
	}
	v, err := roi.Sound(m)
	if err != nil {
		return r, err
	}
	r.PVCosts, r.NPV = v.PVCosts, v.NPV
	r.ROIPercent, r.IRRPercent, r.PaybackYears = v.ROIPercent, v.IRRPercent, v.PaybackYears
	if savings, ok := pt.Savings(); ok {
		savings *= 100
		r.SavingsPercent = &savings
	}
	return r, nil
}

// override puts the numbers of both into the model.
func override(m roi.Model, a *Alternative, s *Scenario) (roi.Model, error) {
	all := map[string]float64{}
	for _, overrides := range []map[string]float64{a.Overrides, s.Overrides} {
		for _, name := range slices.Sorted(maps.Keys(overrides)) {
			path, _, err := m.Input(name)
			if err != nil {
				return m, err
			}
			if _, twice := all[path]; twice {
				return m, &InputError{Path: path, Value: name, Want: "one override, by " + strconv.Quote(a.Name) + " or by " + strconv.Quote(s.Name)}
			}
			all[path] = overrides[name]
		}
	}
	return m.With(all)
}

// at values a model without open numbers.
func at(m roi.Model) (roi.Point, error) {
	plan, err := roi.Compile(m)
	if err != nil {
		return roi.Point{}, err
	}
	return plan.At(nil)
}
