package anomaly

import (
	"maps"
	"math"
	"slices"
	"time"
)

// History is a table of past readings to learn from, one row per instant.
type History struct {
	// Names are the features, in the order of the columns.
	Names []string `json:"names"`
	// Rows hold one value per name; NaN is a missing value.
	Rows [][]float64 `json:"rows"`
	// Times are the instants of the rows, in any order. They are needed for seasons only
	// and default to none.
	Times []time.Time `json:"times,omitempty"`
}

// HistoryOf makes a table of readings by name. Columns are sorted by name; a
// name that a reading lacks is missing in its row.
func HistoryOf(readings []map[string]float64) History {
	all := make(map[string]bool)
	for _, r := range readings {
		for name := range r {
			all[name] = true
		}
	}
	h := History{Names: slices.Sorted(maps.Keys(all)), Rows: make([][]float64, len(readings))}
	for i, r := range readings {
		h.Rows[i] = make([]float64, len(h.Names))
		for j, name := range h.Names {
			v, ok := r[name]
			if !ok {
				v = math.NaN()
			}
			h.Rows[i][j] = v
		}
	}
	return h
}

// maxMagnitude bounds the values of a history, so that sums of squares stay
// finite. Readings may be larger.
const maxMagnitude = 1e150

// columns returns the values of the named features, one slice each, in the order
// of schema. It checks the shape, the names and that nothing is infinite or huge; NaN
// is let through.
func (h *History) columns(schema Schema) ([][]float64, error) {
	at := make(map[string]int, len(h.Names))
	var problem SchemaError
	for j, name := range h.Names {
		if _, twice := at[name]; twice {
			problem.Duplicate = append(problem.Duplicate, name)
		}
		at[name] = j
	}
	wanted := make(map[string]bool, len(schema))
	places := make([]int, len(schema))
	for j, f := range schema {
		var ok bool
		if places[j], ok = at[f.Name]; !ok {
			problem.Missing = append(problem.Missing, f.Name)
		}
		wanted[f.Name] = true
	}
	for name := range at {
		if !wanted[name] {
			problem.Unknown = append(problem.Unknown, name)
		}
	}
	if err := problem.orNil(); err != nil {
		return nil, err
	}
	columns := make([][]float64, len(schema))
	for j := range columns {
		columns[j] = make([]float64, len(h.Rows))
	}
	for i, row := range h.Rows {
		if len(row) != len(h.Names) {
			return nil, &RowError{Row: i, Value: len(row), Want: len(h.Names)}
		}
		for j, place := range places {
			v := row[place]
			if math.Abs(v) > maxMagnitude {
				return nil, &ValueError{Feature: schema[j].Name, Row: i, Value: v}
			}
			columns[j][i] = v
		}
	}
	return columns, nil
}

// orNil sorts the lists and returns nil if all are empty.
func (e *SchemaError) orNil() error {
	for _, list := range []*[]string{&e.Missing, &e.Unknown, &e.Duplicate} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if len(e.Missing)+len(e.Unknown)+len(e.Duplicate) == 0 {
		return nil
	}
	return e
}

func finite(x float64) bool { return x-x == 0 }
