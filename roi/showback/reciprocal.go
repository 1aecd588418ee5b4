package showback

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
)

// precision is the whole of parts whose exact whole does not fit 64 bits.
const precision = 1_000_000_000_000_000_000

// reciprocate lets pools that pass cost to each other divide what leaves them together.
// With A the shares that pools of such a loop pass to each other and R those that they
// pass to others, a unit of cost of a pool ends in the others as
//
//	(I + A + A² + …) · R = (I − A)⁻¹ · R
//
// says. A loop that nothing leaves has no inverse and stays as it is, a cycle.
func (d *divider) reciprocate() error {
	n := len(d.keys)
	passes := make([][]int, n) // to which pools
	for i := range d.bases {
		for _, p := range d.bases[i].parts {
			if p.to != 0 && int(p.to) <= n {
				passes[i] = append(passes[i], int(p.to)-1)
			}
		}
	}
	reaches := make([][]bool, n)
	for i := range reaches {
		reaches[i] = make([]bool, n)
		for todo := passes[i]; len(todo) > 0; {
			j := todo[0]
			todo = todo[1:]
			if !reaches[i][j] {
				reaches[i][j] = true
				todo = append(slices.Clip(todo), passes[j]...)
			}
		}
	}
	solved := make([]bool, n)
	for i := range n {
		var loop []int // the pools that reach i and that i reaches
		for j := range n {
			if !solved[i] && reaches[i][j] && reaches[j][i] {
				loop = append(loop, j)
			}
		}
		for _, j := range loop {
			solved[j] = true
		}
		if err := d.solve(loop); err != nil {
			return err
		}
	}
	return nil
}

// solve puts the solution of the equations of a loop into its bases. Row by row times the
// whole of the pool they are in integers, and stay so without a common divisor to look for
// (Bareiss, Sylvester's identity and multistep integer-preserving Gaussian elimination,
// Mathematics of Computation 22, 1968).
func (d *divider) solve(loop []int) error {
	m := len(loop)
	rows := make([][]*big.Int, m) // whole − parts | I, then det · I | det · inverse
	open := false
	for r, i := range loop {
		b := &d.bases[i]
		if b.err != nil {
			return b.err
		}
		rows[r] = make([]*big.Int, 2*m)
		for c := range rows[r] {
			rows[r][c] = new(big.Int)
		}
		rows[r][r].SetUint64(b.whole)
		rows[r][m+r].SetInt64(1)
		for _, p := range b.parts {
			if c := slices.Index(loop, int(p.to)-1); c >= 0 {
				rows[r][c].Sub(rows[r][c], new(big.Int).SetUint64(p.weight))
			} else {
				open = true
			}
		}
	}
	if !open {
		return nil
	}
	// Some cost leaves every pool in the end, so that no diagonal becomes zero.
	var left, right big.Int
	det := big.NewInt(1)
	for k := range m {
		pivot := rows[k][k]
		for r := range m {
			if r == k {
				continue
			}
			times := new(big.Int).Set(rows[r][k])
			for c, v := range rows[r] {
				left.Mul(v, pivot)
				right.Mul(times, rows[k][c])
				v.Quo(left.Sub(&left, &right), det)
			}
		}
		det = new(big.Int).Set(pivot) // the next step changes its row
	}
	bases := make([]base, m)
	for r, i := range loop {
		shares := map[int32]*big.Int{}
		for c, j := range loop {
			for _, p := range d.bases[j].parts {
				if slices.Contains(loop, int(p.to)-1) {
					continue
				}
				if shares[p.to] == nil {
					shares[p.to] = new(big.Int)
				}
				shares[p.to].Add(shares[p.to], right.Mul(rows[r][m+c], new(big.Int).SetUint64(p.weight)))
			}
		}
		bases[r] = d.whole(shares, det)
		bases[r].key = &Key{Pool: d.keys[i].Pool, Method: Reciprocal}
	}
	for r, i := range loop {
		d.bases[i] = bases[r]
	}
	return nil
}

// whole turns shares that add up to all into weights that fit.
func (d *divider) whole(shares map[int32]*big.Int, all *big.Int) base {
	divisor, whole := new(big.Int).Set(all), new(big.Int)
	for _, s := range shares {
		divisor.GCD(nil, nil, divisor, s)
		if !whole.Quo(all, divisor).IsUint64() {
			whole.SetUint64(precision)
			break
		}
	}
	b := base{whole: whole.Uint64()}
	left, largest := b.whole, 0
	order := slices.SortedFunc(maps.Keys(shares), func(x, y int32) int { return cmp.Compare(d.places[x], d.places[y]) })
	for _, to := range order {
		weight := new(big.Int).Mul(shares[to], whole)
		p := part{to, weight.Quo(weight, all).Uint64()}
		if left -= p.weight; p.weight == 0 {
			continue
		}
		if b.parts = append(b.parts, p); p.weight > b.parts[largest].weight {
			largest = len(b.parts) - 1
		}
	}
	b.parts[largest].weight += left // what was cut; nothing where they are exact
	return b
}
