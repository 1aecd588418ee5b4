package sketch

import (
	"math"
	"time"
)

// Decaying is a sketch that forgets: what a value weighs halves in every half-life.
// Time is that of the values; nothing fades while none arrives. Make it with
// [NewDecaying], or restore it into the zero value.
type Decaying struct {
	sketch   Sketch
	halfLife time.Duration
	at       time.Time // up to where the weights have faded; zero before the first
}

// steps is into how many parts a half-life is cut: weights fade in steps of 1.1 %
// instead of with every value, which would cost a merge each.
const steps = 64

// NewDecaying returns an empty sketch with a positive half-life. o may be nil. The
// error is an [*OptionError].
func NewDecaying(halfLife time.Duration, o *Options) (*Decaying, error) {
	if halfLife <= 0 {
		return nil, &OptionError{Option: "HalfLife", Value: halfLife, Want: "more than 0"}
	}
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	return &Decaying{sketch: *s, halfLife: halfLife}, nil
}

// Add adds a value of an instant and reports whether it did, as [Sketch.Add]. A value
// that comes late weighs as much as if it came now, for at most it is a little old;
// whoever minds leaves it out.
func (d *Decaying) Add(at time.Time, v float64) bool {
	if v-v != 0 {
		return false
	}
	d.advance(at)
	return d.sketch.Add(v)
}

// advance lets the weights fade up to an instant.
func (d *Decaying) advance(at time.Time) {
	if d.at.IsZero() {
		d.at = at
		return
	}
	if elapsed := at.Sub(d.at); elapsed >= max(d.halfLife/steps, 1) {
		d.sketch.Decay(math.Exp2(-float64(elapsed) / float64(d.halfLife)))
		d.at = at
	}
}

// HalfLife returns the time in which a weight halves.
func (d *Decaying) HalfLife() time.Duration { return d.halfLife }

// Sketch returns the distribution as of the last value. It is the one that goes on
// changing; [Sketch.Clone] keeps it.
func (d *Decaying) Sketch() *Sketch { return &d.sketch }

// AsOf returns a copy with the weights that are left at an instant. Before the last
// value it is as of that one.
func (d *Decaying) AsOf(at time.Time) *Sketch {
	c := d.sketch.Clone()
	if elapsed := at.Sub(d.at); !d.at.IsZero() && elapsed > 0 {
		c.Decay(math.Exp2(-float64(elapsed) / float64(d.halfLife)))
	}
	return c
}

// Merge adds what other holds; whichever of both is older fades to the instant of
// the other first. other stays as it is, d keeps its half-life.
func (d *Decaying) Merge(other *Decaying) {
	if other.at.IsZero() {
		return
	}
	add := other.AsOf(d.at)
	d.advance(other.at)
	d.sketch.Merge(add)
}
