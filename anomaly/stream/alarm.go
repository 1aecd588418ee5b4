package stream

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// AlarmOptions are the choices of [NewAlarm]. The zero value is the default.
type AlarmOptions struct {
	// Need of the last Of judged samples have to reach Enter. Default to 1 and Need; Of is at
	// most 64.
	Need, Of int
	// Enter is the score at which an episode may begin. Defaults to 1.
	Enter float64
	// Leave is the score below which it ends, at most Enter. Defaults to 0.7 of Enter.
	Leave float64
	// Refractory is the time after the end of an episode in which another one begins only with
	// a score above the peak of that one by Margin. Defaults to 0, none.
	Refractory time.Duration
	// Margin is in scores. Defaults to 0.2.
	Margin float64
	// MaxHold is how long an episode lasts at most. One that would last longer has become the
	// new usual, or nobody cares; it ends, and the next begins after the score was below
	// Leave. Defaults to a week.
	MaxHold time.Duration
}

// Transition is what a verdict made of an alarm.
type Transition uint8

// The transitions. The zero value is none.
const (
	// Raised begins an episode; this is the time to tell somebody, once.
	Raised Transition = iota + 1
	// Cleared ends it because the score fell below Leave.
	Cleared
	// Expired ends it because of MaxHold.
	Expired
)

var transitionNames = []string{"none", "raised", "cleared", "expired"}

// String returns the transition in lower case.
func (t Transition) String() string { return nameOf(transitionNames, "transition", uint8(t)) }

// MarshalText returns the text of [Transition.String]. The error is that of a transition
// that is none.
func (t Transition) MarshalText() ([]byte, error) {
	return textOf(transitionNames, "transition", uint8(t))
}

// UnmarshalText reads the text of a transition. The error names those that there are.
func (t *Transition) UnmarshalText(text []byte) error {
	n, err := parse(transitionNames, "transition", text)
	*t = Transition(n)
	return err
}

// Episode is a stretch of time that is told about once.
type Episode struct {
	// Number counts the episodes of an alarm from 1; 0 is no episode.
	Number uint64 `json:"number"`
	// Start is the sample that began it, End the one that ended it, zero while it lasts; both
	// in UTC.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// Peak is the highest score so far.
	Peak float64 `json:"peak"`
}

// Alarm makes episodes of verdicts, whatever detector they are of. A sample that is not
// judged neither begins nor ends one. It takes about 200 bytes. It is not safe for
// concurrent use. Make it with [NewAlarm].
type Alarm struct {
	o AlarmOptions
	// hits and fresh are the last judged samples, the latest lowest.
	hits, fresh uint64
	active      bool
	spent       bool // expired, and the score has not been below Leave since
	number      uint64
	start, end  int64
	peak        float64
}

// NewAlarm returns an alarm without an episode. o may be nil. The error is an
// [*OptionError].
func NewAlarm(o *AlarmOptions) (*Alarm, error) {
	if o == nil {
		o = &AlarmOptions{}
	}
	a := &Alarm{o: *o}
	if o.Need == 0 {
		a.o.Need = 1
	}
	if o.Of == 0 {
		a.o.Of = a.o.Need
	}
	if o.Enter == 0 {
		a.o.Enter = 1
	}
	if o.Leave == 0 {
		a.o.Leave = 0.7 * a.o.Enter
	}
	if o.Margin == 0 {
		a.o.Margin = 0.2
	}
	if o.MaxHold == 0 {
		a.o.MaxHold = 7 * 24 * time.Hour
	}
	switch {
	case a.o.Of < 1 || a.o.Of > 64:
		return nil, &OptionError{Option: "Of", Value: a.o.Of, Want: "1 to 64"}
	case a.o.Need < 1 || a.o.Need > a.o.Of:
		return nil, &OptionError{Option: "Need", Value: a.o.Need, Want: fmt.Sprintf("1 to %d, which is Of", a.o.Of)}
	case !(a.o.Enter > 0) || math.IsInf(a.o.Enter, 1):
		return nil, &OptionError{Option: "Enter", Value: o.Enter, Want: "more than 0"}
	case !(a.o.Leave > 0 && a.o.Leave <= a.o.Enter):
		return nil, &OptionError{Option: "Leave", Value: o.Leave, Want: "more than 0, at most Enter"}
	case o.Refractory < 0:
		return nil, &OptionError{Option: "Refractory", Value: o.Refractory, Want: "at least 0"}
	case !(a.o.Margin >= 0):
		return nil, &OptionError{Option: "Margin", Value: o.Margin, Want: "at least 0"}
	case a.o.MaxHold < 0:
		return nil, &OptionError{Option: "MaxHold", Value: o.MaxHold, Want: "at least 0"}
	}
	return a, nil
}

// Update takes the verdict of a sample and returns what it changed, with the episode that it
// is about. With Enter at 1 an episode begins with a sample that is anomalous; of several
// that are needed one has to be fresh. A judgement whose score is NaN is none.
func (a *Alarm) Update(v *Verdict) (Transition, Episode) {
	if v.State != Normal && v.State != Anomalous || math.IsNaN(v.Score) {
		return 0, a.Episode()
	}
	now, score := nanos(v.At), min(v.Score, math.MaxFloat64) // a state holds finite peaks
	hit := score >= a.o.Enter
	a.hits, a.fresh = a.hits<<1, a.fresh<<1
	if hit {
		a.hits |= 1
		if v.Fresh {
			a.fresh |= 1
		}
	}
	switch {
	case a.active && score < a.o.Leave:
		return a.finish(now, Cleared)
	case a.active:
		a.peak = max(a.peak, score)
		if now-a.start >= int64(a.o.MaxHold) {
			a.spent = true
			return a.finish(now, Expired)
		}
		return 0, a.Episode()
	}
	a.spent = a.spent && score >= a.o.Leave
	last := uint64(math.MaxUint64) >> (64 - a.o.Of)
	if !hit || a.spent || bits.OnesCount64(a.hits&last) < a.o.Need || a.fresh&last == 0 {
		return 0, Episode{}
	}
	if a.number > 0 && now-a.end < int64(a.o.Refractory) && score <= a.peak+a.o.Margin {
		return 0, Episode{}
	}
	a.active, a.start, a.peak = true, now, score
	a.number++
	return Raised, a.Episode()
}

// finish ends the episode.
func (a *Alarm) finish(now int64, t Transition) (Transition, Episode) {
	e := a.Episode()
	e.End = time.Unix(0, now).UTC()
	a.active, a.end, a.hits, a.fresh = false, now, 0, 0
	return t, e
}

// Episode returns the one that lasts, the zero value if none does.
func (a *Alarm) Episode() Episode {
	if !a.active {
		return Episode{}
	}
	return Episode{Number: a.number, Start: time.Unix(0, a.start).UTC(), Peak: a.peak}
}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (a *Alarm) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindAlarm, a.fields) }

// MarshalBinary returns the state.
func (a *Alarm) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (a *Alarm) UnmarshalBinary(data []byte) error {
	restored := *a
	if err := decode(data, kindAlarm, restored.fields); err != nil {
		return err
	}
	*a = restored
	return nil
}

// fields lists the state.
func (a *Alarm) fields(c *coder) {
	c.uint64(&a.hits)
	c.uint64(&a.fresh)
	c.flag(&a.active)
	c.flag(&a.spent)
	c.uint64(&a.number)
	c.int64(&a.start)
	c.int64(&a.end)
	c.float(&a.peak)
}
