// Package stats holds the statistics that several packages below anomaly need.
// Inputs are finite; slices named sorted are in increasing order. Samples that are
// too small for an answer give NaN.
package stats

// Sum adds pairwise in the order of numpy's add.reduce on contiguous data, so
// that results agree with it to the last bit: below 8 values from left to right;
// up to 128 in eight running sums; above that split at half the length rounded
// down to a multiple of 8 (numpy/core/src/umath/loops_utils.h.src, pairwise sum).
func Sum(x []float64) float64 {
	n := len(x)
	switch {
	case n < 8:
		s := 0.0
		for _, v := range x {
			s += v
		}
		return s
	case n <= 128:
		r := [8]float64(x)
		i := 8
		for ; i+8 <= n; i += 8 {
			for j := range r {
				r[j] += x[i+j]
			}
		}
		s := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
		for _, v := range x[i:] {
			s += v
		}
		return s
	default:
		half := n / 2
		half -= half % 8
		return Sum(x[:half]) + Sum(x[half:])
	}
}
