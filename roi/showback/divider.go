package showback

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// divider holds names as numbers: 0 is nobody, 1 to len(keys) are the pools in declared
// order, then come the centres.
type divider struct {
	keys    []Key
	names   []string
	numbers map[string]int32
	closed  bool // no name may be added
	metrics map[string]*tally
	ignored []string
	order   []int32 // numbers by name, nobody last
	places  []int32 // the place of a number in order
	bases   []base
	// What split needs for each item, kept for the next.
	units []uint64
	rests []remainder
}

// remainder is what a part in minor units was cut by, times the whole.
type remainder struct {
	rest  uint64
	place int32
}

// tally is the usage of a metric by number.
type tally struct {
	units   []uint64
	ignored bool
}

// base is what a key divides by.
type base struct {
	key      *Key
	fallback bool
	parts    []part // by place
	whole    uint64
	err      error
}

type part struct {
	to     int32
	weight uint64
}

// newDivider checks keys and options and numbers their names.
func newDivider(keys []Key, o *Options) (*divider, error) {
	d := &divider{
		keys: keys, names: []string{""}, numbers: map[string]int32{"": 0},
		metrics: map[string]*tally{}, bases: make([]base, len(keys)),
	}
	var bad problems
	for i := range keys {
		pool := keys[i].Pool
		if _, twice := d.numbers[pool]; twice {
			bad.add(fmt.Sprintf("keys[%d].pool", i), pool, "a name, and one that no other key has", nil)
		}
		d.number(pool)
	}
	for i, centre := range o.Centres {
		if _, twice := d.numbers[centre]; twice {
			bad.add(fmt.Sprintf("centres[%d]", i), centre, "a name that no other centre and no pool has", nil)
		}
		d.number(centre)
	}
	d.closed = o.Centres != nil
	for i := range keys {
		path := fmt.Sprintf("keys[%d]", i)
		d.check(&keys[i], path, &bad)
		fallback := keys[i].Fallback
		if fallback == nil {
			continue
		}
		if fallback.Fallback != nil || fallback.Pool != "" {
			bad.add(path+".fallback", fallback.Method, "a key without a pool and without a fallback", nil)
		}
		d.check(fallback, path+".fallback", &bad)
	}
	return d, bad.join()
}

// number returns the number of a name, a new one if need be.
func (d *divider) number(name string) int32 {
	n, found := d.numbers[name]
	if !found && !d.closed {
		n = int32(len(d.names))
		d.names = append(d.names, name)
		d.numbers[name] = n
	}
	return n
}

// check finds what is wrong with a key and notes its names.
func (d *divider) check(k *Key, path string, bad *problems) {
	byUsage := k.Method == ByUsage || k.Method == TieredUsage
	switch {
	case byUsage:
		if len(k.Targets) > 0 {
			bad.add(path+".targets", k.Targets[0].ID, "none, as the usage says who bears what", nil)
		}
		d.metrics[k.Metric] = &tally{}
	case k.Method != Equal && k.Method != Percent && k.Method != Weight:
		bad.add(path+".method", k.Method, "equal, percent, weight, usage or tiered_usage", nil)
		return
	}
	if byUsage != (k.Metric != "") {
		bad.add(path+".metric", k.Metric, "a metric if and only if usage divides", nil)
	}
	if (k.Method == TieredUsage) != (len(k.Bands) > 0) {
		bad.add(path+".bands", len(k.Bands), "bands if and only if the method is tiered_usage", nil)
	}
	last := int64(0)
	for i, b := range k.Bands {
		if open := b.UpTo == 0 && i == len(k.Bands)-1; !open && b.UpTo <= last {
			bad.add(fmt.Sprintf("%s.bands[%d].up_to", path, i), b.UpTo, fmt.Sprintf("more than %d", last), nil)
		}
		if b.Weight < 0 {
			bad.add(fmt.Sprintf("%s.bands[%d].weight", path, i), b.Weight, "0 or more", nil)
		}
		last = b.UpTo
	}
	if n := len(k.Bands); n > 0 && k.Bands[n-1].UpTo != 0 {
		bad.add(fmt.Sprintf("%s.bands[%d].up_to", path, n-1), last, "0 for no end, as units above have no weight otherwise", nil)
	}
	d.checkTargets(k, path, bad)
}

// checkTargets finds what is wrong with the targets of a key and notes their names.
func (d *divider) checkTargets(k *Key, path string, bad *problems) {
	seen := make(map[string]bool, len(k.Targets))
	var percent uint64
	for i, t := range k.Targets {
		wrong := func(field string, value any, want string) {
			bad.add(fmt.Sprintf("%s.targets[%d].%s", path, i, field), value, want, nil)
		}
		if n := d.number(t.ID); n == 0 {
			wrong("id", t.ID, "a cost centre or a pool")
		}
		if seen[t.ID] {
			wrong("id", t.ID, "each target once")
		}
		seen[t.ID] = true
		if t.Weight < 0 || k.Method != Weight && t.Weight != 0 {
			wrong("weight", t.Weight, "0 or more, and a weight only where the method is weight")
		}
		if t.Percent < 0 || t.Percent > money.WholePercent(100) || k.Method != Percent && t.Percent != 0 {
			wrong("percent", t.Percent, "0% to 100%, and a percentage only where the method is percent")
			continue
		}
		percent += uint64(t.Percent)
	}
	if percent > uint64(money.WholePercent(100)) {
		bad.add(path+".targets", money.Percent(min(percent, math.MaxInt64)), "at most 100% together", nil)
	}
}

// count adds up the usage of each metric that a key asks for.
func (d *divider) count(usage []Usage) error {
	var metric string
	var t *tally
	for i := range usage {
		row := &usage[i]
		if row.Units < 0 {
			return &FieldError{Path: fmt.Sprintf("usage[%d].units", i), Value: strconv.FormatInt(row.Units, 10), Want: "0 or more", Err: ErrNegativeUsage}
		}
		if t == nil || row.Metric != metric {
			metric = row.Metric
			if t = d.metrics[metric]; t == nil {
				t = &tally{ignored: true}
				d.metrics[metric] = t
				d.ignored = append(d.ignored, metric)
			}
		}
		if t.ignored {
			continue
		}
		n := int(d.number(row.Centre))
		if n >= len(t.units) {
			t.units = append(t.units, make([]uint64, max(len(d.names), 2*len(t.units))-len(t.units))...)
		}
		sum, carry := bits.Add64(t.units[n], uint64(row.Units), 0)
		if carry != 0 {
			return &FieldError{Path: fmt.Sprintf("usage[%d].units", i), Value: strconv.FormatInt(row.Units, 10), Want: "a sum that fits 64 bits", Err: money.ErrOverflow}
		}
		t.units[n] = sum
	}
	slices.Sort(d.ignored)
	return nil
}

// rank sorts all names once.
func (d *divider) rank() {
	d.order = make([]int32, len(d.names))
	for i := range d.order {
		d.order[i] = int32(i)
	}
	slices.SortFunc(d.order, func(a, b int32) int {
		if a == 0 || b == 0 {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(d.names[a], d.names[b])
	})
	d.places = make([]int32, len(d.order))
	for place, n := range d.order {
		d.places[n] = int32(place)
	}
}

// base returns what the key of a pool divides by, or its fallback.
func (d *divider) base(i int) base {
	b := d.weigh(&d.keys[i])
	if fallback := d.keys[i].Fallback; errors.Is(b.err, ErrNoUsage) && fallback != nil {
		b = d.weigh(fallback)
		b.fallback = true
	}
	if b.err != nil {
		b.err = &FieldError{Path: fmt.Sprintf("keys[%d]", i), Value: d.keys[i].Pool, Want: "usage or weights whose sum is above 0 and fits 64 bits", Err: b.err}
	}
	return b
}

// weigh returns the parts of a key.
func (d *divider) weigh(k *Key) base {
	b := base{key: k}
	add := func(to int32, weight uint64) {
		if weight == 0 {
			return
		}
		var carry uint64
		if b.whole, carry = bits.Add64(b.whole, weight, 0); carry != 0 {
			b.err = money.ErrOverflow
		}
		b.parts = append(b.parts, part{to, weight})
	}
	switch k.Method {
	case Reciprocal: // refused before
	case Equal:
		for _, t := range k.Targets {
			add(d.numbers[t.ID], 1)
		}
		if len(k.Targets) == 0 && d.closed {
			for n := len(d.keys) + 1; n < len(d.names); n++ {
				add(int32(n), 1)
			}
		}
	case Weight:
		for _, t := range k.Targets {
			add(d.numbers[t.ID], uint64(t.Weight))
		}
	case Percent:
		rest := uint64(money.WholePercent(100))
		for _, t := range k.Targets {
			add(d.numbers[t.ID], uint64(t.Percent))
			rest -= uint64(t.Percent)
		}
		add(0, rest)
	case ByUsage, TieredUsage:
		units := d.metrics[k.Metric].units
		for _, n := range d.order {
			if int(n) >= len(units) {
				continue
			}
			weight := units[n]
			if k.Method == TieredUsage {
				var ok bool
				if weight, ok = banded(weight, k.Bands); !ok {
					b.err = money.ErrOverflow
				}
			}
			add(n, weight)
		}
		if b.err == nil && b.whole == 0 {
			b.err = ErrNoUsage
		}
		return b
	}
	slices.SortFunc(b.parts, func(x, y part) int { return cmp.Compare(d.places[x.to], d.places[y.to]) })
	if b.err == nil && b.whole == 0 {
		b.err = ErrNoUsage
	}
	return b
}

// banded returns the weight of units; ok is false if it does not fit.
func banded(units uint64, bands []Band) (weight uint64, ok bool) {
	below := uint64(0)
	for _, b := range bands {
		end := units
		if b.UpTo != 0 {
			end = min(units, uint64(b.UpTo))
		}
		hi, lo := bits.Mul64(end-below, uint64(b.Weight))
		sum, carry := bits.Add64(weight, lo, 0)
		if hi != 0 || carry != 0 {
			return 0, false
		}
		weight = sum
		if below = end; below == units {
			break
		}
	}
	return weight, true
}

// checkOrder wants every pool to pass cost on to later ones only.
func (d *divider) checkOrder() error {
	var path []int32
	state := make([]uint8, len(d.keys)+1) // 1 on the path, 2 done
	var visit func(n int32) error
	visit = func(n int32) error {
		path, state[n] = append(path, n), 1
		for _, p := range d.bases[n-1].parts {
			if p.to == 0 || int(p.to) > len(d.keys) {
				continue
			}
			switch state[p.to] {
			case 1:
				e := &CycleError{}
				for _, m := range append(path[slices.Index(path, p.to):], p.to) {
					e.Path = append(e.Path, d.names[m])
				}
				return e
			case 0:
				if err := visit(p.to); err != nil {
					return err
				}
			}
		}
		path, state[n] = path[:len(path)-1], 2
		return nil
	}
	for n := range d.keys {
		if state[n+1] == 0 {
			if err := visit(int32(n + 1)); err != nil {
				return err
			}
		}
	}
	for i := range d.bases {
		for _, p := range d.bases[i].parts {
			if p.to != 0 && int(p.to) <= i {
				return &FieldError{Path: fmt.Sprintf("keys[%d]", i), Value: d.names[p.to], Want: fmt.Sprintf("a pool that is declared after %q, which passes cost on to it", d.keys[i].Pool)}
			}
		}
	}
	return nil
}

// divide works off the pools.
func (d *divider) divide(costs []Cost) (*Allocation, error) {
	a := &Allocation{IgnoredMetrics: d.ignored}
	pools := make([]map[string]money.Amount, len(d.keys)+1)
	orphans := map[[2]string]money.Amount{}
	var err error
	for i := range costs {
		c := &costs[i]
		if a.Total, err = plus(a.Total, c.Amount); err != nil {
			return nil, &FieldError{Path: fmt.Sprintf("costs[%d].amount", i), Value: c.Amount.String(), Want: "amounts of one currency whose sum fits", Err: err}
		}
		n := d.numbers[c.Pool]
		if n == 0 || int(n) > len(d.keys) {
			at := [2]string{c.Pool, c.Item}
			orphans[at], err = plus(orphans[at], c.Amount)
		} else {
			err = pour(pools, n, c.Item, c.Amount)
		}
		if err != nil {
			return nil, err
		}
	}
	lines := len(orphans) // exactly, unless pools pass items on
	for i := range d.keys {
		lines += len(d.bases[i].parts) * len(pools[i+1])
	}
	a.Lines = make([]Line, 0, lines)
	totals := make([]money.Amount, len(d.names))
	totals[0] = a.Total.Zero()
	for i := range d.keys {
		b := &d.bases[i]
		if len(pools[i+1]) == 0 {
			continue
		}
		if b.err != nil {
			return nil, b.err
		}
		for _, item := range slices.Sorted(maps.Keys(pools[i+1])) {
			first := len(a.Lines)
			if a.Lines, err = d.split(a.Lines, b, i, item, pools[i+1][item]); err != nil {
				return nil, err
			}
			for j, p := range b.parts {
				line := &a.Lines[first+j]
				if line.Shared {
					err = pour(pools, p.to, item, line.Amount)
				} else {
					totals[p.to], err = plus(totals[p.to], line.Amount)
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(orphans), func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	}) {
		amount := orphans[at]
		a.Lines = append(a.Lines, Line{Item: at[1], Pool: at[0], Part: 1, Whole: 1, Cost: amount, Amount: amount})
		if totals[0], err = plus(totals[0], amount); err != nil {
			return nil, err
		}
	}
	a.Unallocated = totals[0]
	for _, n := range d.order {
		if n != 0 && totals[n].IsSet() {
			a.Centres = append(a.Centres, CentreTotal{d.names[n], totals[n]})
		}
	}
	return a, nil
}

// pour adds an amount to what a pool has of an item.
func pour(pools []map[string]money.Amount, n int32, item string, amount money.Amount) error {
	if pools[n] == nil {
		pools[n] = map[string]money.Amount{}
	}
	sum, err := plus(pools[n][item], amount)
	pools[n][item] = sum
	return err
}

// plus adds to a sum that may not have begun.
func plus(sum, amount money.Amount) (money.Amount, error) {
	if !sum.IsSet() && amount.IsSet() {
		return amount, nil
	}
	return sum.Add(amount)
}

// split appends the lines of an item in a pool.
func (d *divider) split(lines []Line, b *base, pool int, item string, cost money.Amount) ([]Line, error) {
	d.units = slices.Grow(d.units[:0], len(b.parts))[:len(b.parts)]
	d.rests = slices.Grow(d.rests[:0], len(b.parts))[:len(b.parts)]
	units, rests := d.units, d.rests
	whole := uint64(cost.Minor())
	if cost.Sign() < 0 {
		whole = -whole
	}
	left := whole
	for i, p := range b.parts {
		quotient, rest, _ := fixed.MulDiv(whole, p.weight, b.whole) // weight ≤ whole: always fits
		units[i], rests[i] = quotient, remainder{rest, int32(i)}
		left -= quotient
	}
	if left > 0 {
		// What is left is the sum of the remainders over the whole, so there are more
		// remainders above zero than units.
		slices.SortFunc(rests, func(x, y remainder) int {
			return cmp.Or(cmp.Compare(y.rest, x.rest), cmp.Compare(x.place, y.place))
		})
		for _, r := range rests[:left] {
			units[r.place]++
		}
	}
	for i, p := range b.parts {
		minor := int64(units[i])
		if cost.Sign() < 0 {
			minor = int64(-units[i]) // in two's complement, right for the smallest int64 too
		}
		amount, err := money.New(minor, cost.Currency())
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{
			Item: item, Pool: d.keys[pool].Pool, To: d.names[p.to], Shared: p.to != 0 && int(p.to) <= len(d.keys),
			Method: b.key.Method, Metric: b.key.Metric, Fallback: b.fallback,
			Part: p.weight, Whole: b.whole, Cost: cost, Amount: amount,
		})
	}
	return lines, nil
}
