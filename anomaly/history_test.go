package anomaly

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// The columns of a history are found by name in any order, and all names that do not fit are
// listed at once. Two thousand of them are looked up, not compared with each other.
func TestColumnsByName(t *testing.T) {
	const n = 2000
	var h History
	row := make([]float64, n)
	for j := range n {
		h.Names = append(h.Names, fmt.Sprintf("metric_%04d", j))
		row[j] = float64(j)
	}
	h.Rows = [][]float64{row}
	backwards := slices.Clone(h.Names)
	slices.Reverse(backwards)
	columns, err := h.columns(SchemaOf(backwards...))
	if err != nil {
		t.Fatal(err)
	}
	for j, column := range columns {
		if column[0] != float64(n-1-j) {
			t.Fatalf("column %d of the reversed schema = %v, want %d", j, column, n-1-j)
		}
	}
	h.Names[3], h.Names[1] = "other", "metric_0000"
	_, err = h.columns(SchemaOf(backwards...))
	e, ok := errors.AsType[*SchemaError](err)
	if !ok || !slices.Equal(e.Missing, []string{"metric_0001", "metric_0003"}) || !slices.Equal(e.Unknown, []string{"other"}) ||
		!slices.Equal(e.Duplicate, []string{"metric_0000"}) {
		t.Errorf("columns = %v, want metric_0001 and metric_0003 missing, other unknown, metric_0000 twice", err)
	}
}
