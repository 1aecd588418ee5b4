package roi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// yearsPath is the one whole number among the inputs.
const yearsPath = "years"

var horizon = limit{1, MaxYears, "a whole number from 1 to 100"}

// With returns a copy of the model with numbers replaced, by their path in the
// model file ("managed.monthly_service_fee", "staffing.manager", "years") or by
// the last part of it. The model itself does not change; what the copy does not
// replace it may share. A conversion of a number that is replaced is left out.
//
// Errors are those of [Model.Validate], for the model before and after, and a
// [*FieldError] for each path that is unknown, named twice, or given a value that
// it cannot have; all joined, in the order of the paths.
func (m Model) With(overrides map[string]float64) (Model, error) {
	if err := m.Validate(); err != nil {
		return Model{}, err
	}
	var bad []error
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		in, v := m.resolve(), overrides[name]
		f, err := in.input(name)
		if err == nil {
			err = f.admit(v)
		}
		if other, twice := seen[f.path]; err == nil && twice {
			err = &FieldError{Path: f.path, Value: name, Want: fmt.Sprintf("one override, not %q too", other)}
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		seen[f.path] = name
		f.set(&m, v)
		m.Conversions = slices.DeleteFunc(slices.Clone(m.Conversions), func(c Conversion) bool {
			g, _ := in.field(c.Path)
			return g.path == f.path
		})
	}
	if err := errors.Join(bad...); err != nil {
		return Model{}, err
	}
	return m, m.Validate()
}

// Input is the path in the model file and the value of a number that is named by
// its path or by the last part of it. Where the model does not say it is the
// default, and 0 for the salary of a role that has none. The model must be valid
// in its staffing; the error is a [*FieldError] for a name that is unknown.
func (m Model) Input(name string) (path string, value float64, err error) {
	in := m.resolve()
	f, err := in.input(name)
	if err != nil {
		return "", 0, err
	}
	return f.path, in.number(f), nil
}

// number is the value of a field, or its default.
func (in *inputs) number(f field) float64 {
	if v, ok := f.get(in.Model); ok {
		return v
	}
	switch f.path {
	case yearsPath:
		return float64(in.years)
	case "discount_rate":
		return in.rate
	case "annual_turnover":
		return in.turnover
	case "incidents_per_year":
		return in.incidents
	}
	for _, r := range in.roles {
		if f.path == staffingPath+r.name {
			return r.count
		}
	}
	return 0
}

// Inputs lists the paths of the numbers of the model, sorted: those that may be
// overridden, varied and drawn. Roles are those that are staffed.
func (m Model) Inputs() []string {
	paths := []string{yearsPath}
	for _, f := range fields {
		paths = append(paths, f.path)
	}
	in := m.resolve()
	for _, r := range in.roles {
		paths = append(paths, salaryPath+r.name, staffingPath+r.name)
	}
	slices.Sort(paths)
	return paths
}

// input is [inputs.field] with the horizon, and an error for what is unknown.
func (in *inputs) input(name string) (field, error) {
	if name == yearsPath {
		return field{
			path:  yearsPath,
			limit: horizon,
			get: func(m *Model) (float64, bool) {
				if m.Years == nil {
					return 0, false
				}
				return float64(*m.Years), true
			},
			set: func(m *Model, v float64) { n := int(v); m.Years = &n },
		}, nil
	}
	if f, ok := in.field(name); ok {
		return f, nil
	}
	return field{}, &FieldError{Path: name, Value: name, Want: "the name of a numeric field or a role of the team"}
}

// admit checks a value for the field.
func (f *field) admit(v float64) error {
	if f.path == yearsPath && v != float64(int(v)) {
		return &FieldError{Path: f.path, Value: exact(v), Want: horizon.want}
	}
	return f.limit.check(f.path, v)
}
