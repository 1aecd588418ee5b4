package evidence

import (
	"io"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// Metrics are rows of readings, as they stand in a file.
type Metrics struct {
	Features []string // in the order of the columns
	Rows     []Reading
}

// Reading is a row: what a service showed at an instant.
type Reading struct {
	Service string
	At      time.Time
	Line    int       // in the file
	Values  []float64 // by feature; NaN is missing. May be shorter: then the rest is missing.
}

// Value returns the i-th feature, NaN where it is missing.
func (r Reading) Value(i int) float64 {
	if i < 0 || i >= len(r.Values) {
		return math.NaN()
	}
	return r.Values[i]
}

// ReadMetrics reads a table of time, service and a column for each feature.
func ReadMetrics(open func(name string) (io.ReadCloser, error), name string) (Metrics, Result, error) {
	var m Metrics
	key := []string{"time", "service"}
	r, err := Table(open, name, key, []string{table.Any}, func(t *table.Table) {
		m.Features = m.Features[:0]
		for _, column := range t.Columns() {
			if !slices.Contains(key, column) {
				m.Features = append(m.Features, column)
			}
		}
		row := Reading{Service: string([]byte(t.Required("service"))), At: t.RequiredTime("time"), Line: t.Line(), Values: make([]float64, len(m.Features))}
		for i, feature := range m.Features {
			x, ok := t.Number(feature)
			if !ok {
				x = math.NaN()
			}
			row.Values[i] = x
		}
		m.Rows = append(m.Rows, row)
	})
	return m, r, err
}
