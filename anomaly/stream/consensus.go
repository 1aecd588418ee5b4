package stream

import (
	"encoding"
	"fmt"
	"math"
	"slices"
	"time"
)

// Detector is what all detectors have in common.
type Detector interface {
	// Update judges a sample and learns from it.
	Update(at time.Time, x float64) Verdict
	// Pause says that the next sample does not continue the ones before.
	Pause()
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

var _ = []Detector{(*Bank)(nil), (*EWMA)(nil), (*Robust)(nil), (*Shift)(nil), (*Spread)(nil), (*Flatline)(nil), (*Gap)(nil), (*Consensus)(nil)}

// Consensus asks several detectors and finds anomalous only what all of them do. With banks
// of different memories, a job that runs once a week is no news to the one that remembers
// weeks, and a level that lasts is none to the one that remembers hours. It costs what all
// cost together. It is not safe for concurrent use. Make it with [NewConsensus].
type Consensus struct{ members []Detector }

// NewConsensus returns the consensus of detectors, at least one, which it takes over. The
// error is an [*OptionError].
func NewConsensus(members ...Detector) (*Consensus, error) {
	if len(members) == 0 || len(members) > math.MaxUint8 {
		return nil, &OptionError{Option: "members", Value: len(members), Want: "1 to 255"}
	}
	if i := slices.Index(members, nil); i >= 0 {
		return nil, &OptionError{Option: fmt.Sprintf("members[%d]", i), Value: nil, Want: "a detector"}
	}
	return &Consensus{members: members}, nil
}

// Update returns the verdict of the one with the lowest score. While one does not judge, none
// does. It is fresh if it is to any.
func (c *Consensus) Update(at time.Time, x float64) Verdict {
	lowest := c.members[0].Update(at, x)
	fresh := lowest.Fresh
	for _, m := range c.members[1:] {
		v := m.Update(at, x)
		fresh = fresh || v.Fresh
		judges := lowest.State == Normal || lowest.State == Anomalous
		if judges && (v.State != Normal && v.State != Anomalous || v.Score < lowest.Score) {
			lowest = v
		}
	}
	if lowest.State != Normal && lowest.State != Anomalous {
		return lowest
	}
	lowest.State, lowest.Fresh = Normal, fresh
	if fresh && lowest.Score >= 1 {
		lowest.State = Anomalous
	}
	return lowest
}

// Pause pauses all.
func (c *Consensus) Pause() {
	for _, m := range c.members {
		m.Pause()
	}
}

// AppendBinary appends the state, as [Bank.AppendBinary].
func (c *Consensus) AppendBinary(data []byte) ([]byte, error) {
	return encode(data, kindConsensus, func(k *coder) { c.fields(k, nil) })
}

// MarshalBinary returns the state.
func (c *Consensus) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary], into the consensus of detectors
// of the same kinds and options in the same order. A state that is refused leaves all of
// them as they were.
func (c *Consensus) UnmarshalBinary(data []byte) error {
	var states [][]byte
	err := decode(data, kindConsensus, func(k *coder) {
		c.fields(k, func(state []byte) { states = append(states, state) })
	})
	if err != nil {
		return err
	}
	var before [][]byte
	for _, m := range c.members {
		state, err := m.AppendBinary(nil)
		if err != nil {
			return err
		}
		before = append(before, state)
	}
	for i, m := range c.members {
		if err := m.UnmarshalBinary(states[i]); err != nil {
			for j := range i {
				if undo := c.members[j].UnmarshalBinary(before[j]); undo != nil {
					return undo
				}
			}
			return err
		}
	}
	return nil
}

// fields lists the states of all; take gets each that is read.
func (c *Consensus) fields(k *coder, take func(state []byte)) {
	n := uint8(len(c.members))
	k.byte(&n, math.MaxUint8)
	k.require(int(n) == len(c.members), "as many as there are", "%d detectors", n)
	for _, m := range c.members {
		var state []byte
		if !k.reading {
			if state, k.err = m.AppendBinary(nil); k.err != nil {
				return
			}
		}
		k.bytes(&state)
		if k.reading && k.err == nil {
			take(state)
		}
	}
}
