package slo

import (
	"errors"
	"fmt"
	"slices"
)

// Method says how the parts of a journey make one objective. The zero value
// means "not set".
type Method uint8

// The methods, named as OpenSLO names its budgeting methods where it has one.
const (
	Occurrences          Method = iota + 1 // burn rates, weighted: the largest, and the sum
	Timeslices                             // a slice is bad when it is bad in any part
	RatioTimeslices                        // 1 - Σ weight · (1 - sli), not below 0
	WeightedAverage                        // Σ weight · sli / Σ weight
	SerialAvailability                     // Π sli: all parts are needed
	ParallelAvailability                   // 1 - Π (1 - sli): one part is enough
)

var methodNames = [...]string{"", "Occurrences", "Timeslices", "RatioTimeslices", "WeightedAverage", "SerialAvailability", "ParallelAvailability"}

// String returns the name of the constant, or "unset".
func (m Method) String() string {
	switch {
	case m == 0:
		return "unset"
	case int(m) < len(methodNames):
		return methodNames[m]
	}
	return fmt.Sprintf("Method(%d)", uint8(m))
}

// MarshalText writes the name, and nothing for the zero value.
func (m Method) MarshalText() ([]byte, error) { return marshalName("method", methodNames[:], uint8(m)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (m *Method) UnmarshalText(text []byte) error {
	return unmarshalName("method", methodNames[:], text, (*uint8)(m))
}

// Part is one step of a journey. Each method reads some of the fields.
type Part struct {
	Name   string `json:"name"`
	SLI    Ratio  `json:"sli"`       // 0 to 1; all methods but Occurrences and Timeslices
	Burn   Ratio  `json:"burn_rate"` // Occurrences; +Inf at a target of 100 %
	Weight Ratio  `json:"weight"`    // Occurrences, RatioTimeslices, WeightedAverage; defaults to 1

	// BadSlices are the numbers of the bad slices of this part, each below the
	// total; for Timeslices.
	BadSlices []uint64 `json:"bad_slices,omitempty"`
}

// CompositeResult is the figure of a journey and what each part has to do with
// it.
type CompositeResult struct {
	Method Method `json:"method"`
	SLI    Ratio  `json:"sli"` // absent for Occurrences
	// BurnMax is the largest weighted burn rate and BurnSum the sum of them.
	// OpenSLO leaves open which is meant; BurnMax is the default here. Absent
	// for the other methods.
	BurnMax Ratio  `json:"burn_rate_max"`
	BurnSum Ratio  `json:"burn_rate_sum"`
	Losses  []Loss `json:"losses"`
}

// Loss is the share of a composite's failure that one part accounts for. The
// losses of a result add up to 1 - SLI, or to BurnSum.
type Loss struct {
	Part string `json:"part"`
	Loss Ratio  `json:"loss"`
}

// Composite combines the parts of a journey; total is the number of slices of
// the window and only read by Timeslices. The loss is attributed
//
//	Occurrences           weight · burn
//	Timeslices            each bad slice in equal shares to the parts bad in it
//	RatioTimeslices       weight · (1 - sli), scaled down where the floor cut it
//	WeightedAverage       weight · (1 - sli) / Σ weight
//	SerialAvailability    in proportion to 1 - sli
//	ParallelAvailability  in equal shares, as it takes all parts to fail
//
// Missing, negative or contradictory input is an error.
func Composite(method Method, parts []Part, total uint64) (CompositeResult, error) {
	if len(parts) == 0 {
		return CompositeResult{}, errors.New("composite without parts")
	}
	parts = slices.Clone(parts)
	var errs []error
	for i := range parts {
		if !parts[i].Weight.IsSet() {
			parts[i].Weight = NewRatio(1, 1)
		}
		if err := parts[i].check(method); err != nil {
			errs = append(errs, fmt.Errorf("parts[%d] %q: %w", i, parts[i].Name, err))
		}
	}
	if len(errs) > 0 {
		return CompositeResult{}, errors.Join(errs...)
	}
	switch method {
	case Occurrences:
		return compositeBurn(parts), nil
	case Timeslices:
		return compositeSlices(parts, total)
	case RatioTimeslices, WeightedAverage:
		return compositeWeighted(method, parts)
	case SerialAvailability, ParallelAvailability:
		return compositeAvailability(method, parts), nil
	}
	return CompositeResult{}, fmt.Errorf("composite method %s: want one of %q", method, methodNames[1:])
}

func (p Part) check(method Method) error {
	one := NewRatio(1, 1)
	switch {
	case !p.Weight.isFinite() || p.Weight.Sign() < 0:
		return fmt.Errorf("weight %s: want 0 or more", p.Weight)
	case method == Occurrences && (!p.Burn.IsSet() || p.Burn.Sign() < 0):
		return fmt.Errorf("burn rate %s: want 0 or more", p.Burn)
	case method >= RatioTimeslices && (!p.SLI.isFinite() || p.SLI.Sign() < 0 || p.SLI.Compare(one) > 0):
		return fmt.Errorf("sli %s: want 0 to 1", p.SLI)
	}
	return nil
}

func compositeBurn(parts []Part) CompositeResult {
	r := CompositeResult{Method: Occurrences, BurnMax: NewRatio(0, 1), BurnSum: NewRatio(0, 1)}
	for _, p := range parts {
		burn := p.Burn
		switch {
		case p.Weight.Sign() == 0:
			burn = NewRatio(0, 1)
		case burn.isFinite():
			burn = p.Weight.times(burn)
		}
		if burn.IsInf(1) || r.BurnSum.IsInf(1) {
			r.BurnSum = Inf(1)
		} else {
			r.BurnSum = r.BurnSum.plus(burn)
		}
		if burn.Compare(r.BurnMax) > 0 {
			r.BurnMax = burn
		}
		r.Losses = append(r.Losses, Loss{p.Name, burn})
	}
	return r
}

func compositeSlices(parts []Part, total uint64) (CompositeResult, error) {
	if total == 0 {
		return CompositeResult{}, errors.New("composite of 0 slices")
	}
	badIn := map[uint64][]int{} // slice -> parts
	for i, p := range parts {
		for _, n := range p.BadSlices {
			if n >= total {
				return CompositeResult{}, fmt.Errorf("parts[%d] %q: slice %d of %d", i, p.Name, n, total)
			}
			if !slices.Contains(badIn[n], i) {
				badIn[n] = append(badIn[n], i)
			}
		}
	}
	r := CompositeResult{Method: Timeslices, SLI: fraction(total-uint64(len(badIn)), total)}
	shares := make([]map[int]uint64, len(parts)) // how many bad slices each shares with how many
	for i := range shares {
		shares[i] = map[int]uint64{}
	}
	for _, who := range badIn {
		for _, i := range who {
			shares[i][len(who)]++
		}
	}
	for i, p := range parts {
		loss := NewRatio(0, 1)
		for among := 1; among <= len(parts); among++ {
			loss = loss.plus(whole(shares[i][among]).times(NewRatio(1, int64(among))))
		}
		r.Losses = append(r.Losses, Loss{p.Name, loss.times(fraction(1, total))})
	}
	return r, nil
}

func compositeWeighted(method Method, parts []Part) (CompositeResult, error) {
	lost, weights := NewRatio(0, 1), NewRatio(0, 1)
	losses := make([]Ratio, len(parts))
	for i, p := range parts {
		losses[i] = p.Weight.times(oneMinus(p.SLI))
		lost = lost.plus(losses[i])
		weights = weights.plus(p.Weight)
	}
	scale := NewRatio(1, 1)
	switch {
	case method == WeightedAverage && weights.Sign() == 0:
		return CompositeResult{}, errors.New("composite: all weights are 0")
	case method == WeightedAverage:
		scale = scale.over(weights)
	case lost.Compare(scale) > 0:
		scale = scale.over(lost)
	}
	r := CompositeResult{Method: method, SLI: oneMinus(lost.times(scale))}
	for i, p := range parts {
		r.Losses = append(r.Losses, Loss{p.Name, losses[i].times(scale)})
	}
	return r, nil
}

func compositeAvailability(method Method, parts []Part) CompositeResult {
	product, missing := NewRatio(1, 1), NewRatio(0, 1)
	for _, p := range parts {
		missing = missing.plus(oneMinus(p.SLI))
		if method == SerialAvailability {
			product = product.times(p.SLI)
		} else {
			product = product.times(oneMinus(p.SLI))
		}
	}
	r := CompositeResult{Method: method, SLI: product}
	if method == ParallelAvailability {
		r.SLI = oneMinus(product)
	}
	for _, p := range parts {
		loss := oneMinus(r.SLI)
		switch {
		case method == ParallelAvailability:
			loss = loss.times(NewRatio(1, int64(len(parts))))
		case missing.Sign() > 0:
			loss = loss.times(oneMinus(p.SLI)).over(missing)
		}
		r.Losses = append(r.Losses, Loss{p.Name, loss})
	}
	return r
}
