package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Forecast is what [Simulate] found. Shares are of the valid scenarios, from 0 to
// 1.
type Forecast struct {
	Currency string `json:"currency,omitempty"`
	Seed     uint64 `json:"seed"`
	// Drawn is the number of scenarios that were drawn, fewer than asked for if
	// the standard error was small enough. Valid are those with a value.
	Drawn int `json:"drawn"`
	Valid int `json:"valid"`
	// Refused says what the others were refused for, by path.
	Refused []Refusal `json:"refused"`

	// NPV sums up the net present values; nil without a valid scenario.
	NPV *Summary `json:"npv"`
	// Loss is the share with a net present value below zero.
	Loss float64 `json:"loss"`
	// ValueAtRisk is the loss that one scenario in twenty exceeds, −P5; negative
	// where even that one gains. ExpectedShortfall is the mean loss of the
	// scenarios from P5 down (Rockafellar and Uryasev, Journal of Risk 2, 2000).
	ValueAtRisk       float64 `json:"value_at_risk"`
	ExpectedShortfall float64 `json:"expected_shortfall"`
	// NoIRR is the share in which no rate makes the present value zero, NoPayback
	// that in which the outlay is not recovered within the horizon.
	NoIRR     float64 `json:"no_irr"`
	NoPayback float64 `json:"no_payback"`
	// Claims are how often what providers claim is missed.
	Claims []ClaimShare `json:"claims"`
	// Histogram has columns of equal width from the least to the greatest value.
	Histogram []Bin `json:"histogram"`
	// Drivers are the drawn inputs by how much the result depends on them.
	Drivers []Driver `json:"drivers"`
}

// Summary describes values.
type Summary struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	// SD is the standard deviation of the values (of a sample, by n − 1) and
	// StandardError that of the mean; nil for one value.
	SD            *float64 `json:"sd"`
	StandardError *float64 `json:"standard_error"`

	Min float64 `json:"min"`
	// The percentiles are interpolated linearly between the values next to
	// 1 + (n − 1)p, as spreadsheets do (type 7 of Hyndman and Fan, The American
	// Statistician 50, 1996).
	P5  float64 `json:"p5"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

// Refusal counts scenarios without a value.
type Refusal struct {
	// Path is the input whose value cannot be; empty where the result is out of
	// the range of float64.
	Path      string `json:"path"`
	Scenarios int    `json:"scenarios"`
}

// ClaimShare says how often a claim holds.
type ClaimShare struct {
	Claim string  `json:"claim"` // "savings" or "payback"
	Low   float64 `json:"low"`   // a share of the internal cost, or months
	High  float64 `json:"high"`
	// Missed is the share of scenarios that are worse than the claim, Exceeded
	// of those that are better, Undefined of those without an internal cost to
	// save. They and Within add up to 1.
	Missed    float64 `json:"missed"`
	Within    float64 `json:"within"`
	Exceeded  float64 `json:"exceeded"`
	Undefined float64 `json:"undefined"`
}

// Bin is a column of a histogram: values from From, included, to To, excluded but
// for the last column.
type Bin struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int     `json:"count"`
}

// Driver is how a drawn input and the net present value go together.
type Driver struct {
	Path string `json:"path"`
	// Spearman is their rank correlation in the first [Ranked] scenarios; nil
	// where one of the two does not vary.
	Spearman *float64 `json:"spearman"`
}

// String is the result in a line.
func (f *Forecast) String() string {
	if f.NPV == nil {
		return fmt.Sprintf("no value in %d scenarios", f.Drawn)
	}
	precision := ""
	if f.NPV.StandardError != nil {
		precision = fmt.Sprintf(" ± %.2f", *f.NPV.StandardError)
	}
	return fmt.Sprintf("NPV %.2f%s (standard error, %d scenarios), P5 %.2f, P50 %.2f, P95 %.2f, loss in %.1f %%",
		f.NPV.Mean, precision, f.NPV.N, f.NPV.P5, f.NPV.P50, f.NPV.P95, f.Loss*100)
}

// forecast puts the sums together.
func (s *simulation) forecast() *Forecast {
	drawn := min(s.end*ChunkSize, s.scenarios)
	f := &Forecast{
		Currency: s.currency, Seed: s.options.Seed, Drawn: drawn, Valid: s.sum.n,
		Refused: []Refusal{}, Claims: []ClaimShare{}, Histogram: []Bin{}, Drivers: []Driver{},
	}
	for i, n := range s.sum.refused {
		if n == 0 {
			continue
		}
		r := Refusal{Scenarios: n}
		if i < len(s.paths) {
			r.Path = s.paths[i]
		}
		f.Refused = append(f.Refused, r)
	}
	if f.Valid == 0 {
		return f
	}
	f.Drivers = s.drivers(drawn)
	values := s.npv[:drawn]
	if f.Valid < drawn {
		values = slices.DeleteFunc(values, math.IsNaN)
	}
	f.NPV = summarise(values, &s.sum.moments)
	f.ValueAtRisk = 0 - f.NPV.P5
	tail, n := 0.0, 0
	for _, v := range values {
		if v <= f.NPV.P5 {
			tail += v
			n++
		}
	}
	f.ExpectedShortfall = 0 - tail/float64(n)
	f.Histogram = histogram(values, f.NPV.Min, f.NPV.Max, s.options.Bins)
	share := func(n int) float64 { return float64(n) / float64(f.Valid) }
	f.Loss, f.NoIRR, f.NoPayback = share(s.sum.loss), share(s.sum.noIRR), share(s.sum.noPayback)
	claim := func(name string, low, high float64, o *outcome) {
		f.Claims = append(f.Claims, ClaimShare{name, low, high, share(o.missed), share(o.within), share(o.exceeded), share(o.undefined)})
	}
	claim(ClaimSavings, SavingsLow, SavingsHigh, &s.sum.savings)
	claim(ClaimPayback, PaybackLow, PaybackHigh, &s.sum.payback)
	return f
}

// drivers correlates the first scenarios, the strongest input first.
func (s *simulation) drivers(drawn int) []Driver {
	npv := s.npv[:min(drawn, Ranked)]
	valid := make([]float64, 0, len(npv))
	for _, v := range npv {
		if !math.IsNaN(v) {
			valid = append(valid, v)
		}
	}
	out, ranked := []Driver{}, ranks(valid)
	column := make([]float64, 0, len(npv))
	for i, path := range s.paths {
		column = column[:0]
		for r, v := range npv {
			if !math.IsNaN(v) {
				column = append(column, s.ranked[i][r])
			}
		}
		out = append(out, Driver{path, spearman(ranks(column), ranked)})
	}
	strength := func(d Driver) float64 {
		if d.Spearman == nil {
			return -1
		}
		return math.Abs(*d.Spearman)
	}
	slices.SortStableFunc(out, func(a, b Driver) int { return cmp.Compare(strength(b), strength(a)) }) // paths are sorted
	return out
}

func summarise(values []float64, m *moments) *Summary {
	s := &Summary{N: m.n, Mean: m.mean, Min: m.least, Max: m.great}
	if m.n > 1 {
		sd, se := math.Sqrt(m.m2/float64(m.n-1)), m.standardError()
		s.SD, s.StandardError = &sd, &se
	}
	p := percentiles(values, m.least, m.great, 0.05, 0.5, 0.95)
	s.P5, s.P50, s.P95 = p[0], p[1], p[2]
	return s
}

// percentiles of type 7. Only the values near the wanted places are sorted: those
// in the same of many columns of equal width.
func percentiles(values []float64, least, great float64, ps ...float64) []float64 {
	out := make([]float64, len(ps))
	const columns = 1 << 12
	scale := columns / (great - least)
	column := func(v float64) int { return min(int((v-least)*scale), columns-1) }
	if !(scale > 0) || math.IsInf(scale, 0) { // all equal, or farther apart than float64 can tell
		column = func(float64) int { return 0 }
	}
	counts := make([]int, columns)
	for _, v := range values {
		counts[column(v)]++
	}
	at := func(rank int) float64 {
		before, c := 0, 0
		for before+counts[c] <= rank {
			before += counts[c]
			c++
		}
		members := make([]float64, 0, counts[c])
		for _, v := range values {
			if column(v) == c {
				members = append(members, v)
			}
		}
		slices.Sort(members)
		return members[rank-before]
	}
	for i, p := range ps {
		h := p * float64(len(values)-1)
		rank := int(h)
		lo := at(rank)
		out[i] = lo
		if part := h - float64(rank); part > 0 {
			hi := at(rank + 1)
			out[i] = lo + part*(hi-lo)
		}
	}
	return out
}

func histogram(values []float64, least, great float64, bins int) []Bin {
	if least == great {
		return []Bin{{least, great, len(values)}}
	}
	edge := func(i int) float64 {
		if i == bins {
			return great
		}
		part := float64(i) / float64(bins)
		return float64(least*(1-part)) + float64(great*part)
	}
	out := make([]Bin, bins)
	for i := range out {
		out[i] = Bin{From: edge(i), To: edge(i + 1)}
	}
	scale := float64(bins) / (great - least)
	for _, v := range values {
		i := min(int((v-least)*scale), bins-1)
		for i > 0 && v < out[i].From {
			i--
		}
		for i < bins-1 && v >= out[i].To {
			i++
		}
		out[i].Count++
	}
	return out
}
