package evidence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Rows come back as a sort of all of them gives them, whatever they hold.
func TestRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, runLength - 1, runLength, 3*runLength + 5} {
		var r runs
		rows := make([]counted, n)
		for i := range rows {
			c := counted{at: random.Int64N(100_000) * 1e9, total: random.Uint64N(1000), service: random.Uint32N(3), line: uint32(i + 2)}
			if random.IntN(100) == 0 {
				c.at, c.total, c.line = int64(random.Uint64()), random.Uint64(), math.MaxUint32-c.line
			}
			c.good = c.total - random.Uint64N(c.total/2+1)
			rows[i] = c
			r.add(c)
		}
		slices.SortFunc(rows, byTime)
		if got := slices.Collect(r.all()); !slices.Equal(got, rows) {
			t.Errorf("%d rows: %d came back, or others", n, len(got))
		}
	}
}
