package roi

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Swing is what one input does to the sound result while all others stay.
type Swing struct {
	Field     string  `json:"field"` // path in the model file
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	NPVAtLow  float64 `json:"npv_at_low"`
	NPVAtHigh float64 `json:"npv_at_high"`
	// The ROI in percent; nil when nothing is paid.
	ROIPercentAtLow  *float64 `json:"roi_percent_at_low"`
	ROIPercentAtHigh *float64 `json:"roi_percent_at_high"`
}

// Range is the distance between the two present values.
func (s Swing) Range() float64 { return math.Abs(s.NPVAtHigh - s.NPVAtLow) }

// Sensitivity sets each field named in [Model.Sensitivity] to its low and its
// high value, one field at a time, and values the sound model. The swings are
// sorted by their range, the widest first (a tornado), then by field. A field is
// named by its path in the model file ("managed.monthly_service_fee",
// "staffing.manager") or by the last part of it.
//
// The error is that of [Model.Validate] or [ErrOverflow].
func Sensitivity(m Model) ([]Swing, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	in := m.resolve()
	return in.sensitivity()
}

func (in *inputs) sensitivity() ([]Swing, error) {
	var swings []Swing
	for _, name := range slices.Sorted(maps.Keys(in.Sensitivity)) {
		values := in.Sensitivity[name]
		f, _ := in.field(name) // checked by Validate
		s := Swing{Field: f.path, Low: values[0], High: values[1]}
		low, err := in.with(f, s.Low)
		if err != nil {
			return nil, err
		}
		high, err := in.with(f, s.High)
		if err != nil {
			return nil, err
		}
		s.NPVAtLow, s.ROIPercentAtLow = low.NPV, low.ROIPercent
		s.NPVAtHigh, s.ROIPercentAtHigh = high.NPV, high.ROIPercent
		swings = append(swings, s)
	}
	slices.SortFunc(swings, func(a, b Swing) int {
		return cmp.Or(cmp.Compare(b.Range(), a.Range()), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High))
	})
	return swings, nil
}

// with values the sound model with one field changed.
func (in *inputs) with(f field, value float64) (Valuation, error) {
	m := *in.Model
	f.set(&m, value)
	changed := m.resolve()
	v, err := changed.ledger(changed.soundVariant()).value(changed.rate)
	if err != nil {
		return v, fmt.Errorf("%s = %v: %w", f.path, value, err)
	}
	return v, nil
}
