package adapters

import (
	"fmt"
	"slices"
)

// State is where a ticket stands, in words that every vendor's own are mapped to.
type State string

// The states, in the order in which a ticket usually has them. A late report of an
// earlier state never takes a ticket back; see [State.Rank].
const (
	StateNew          State = "new"
	StateAcknowledged State = "acknowledged" // somebody works on it
	StateOnHold       State = "on_hold"
	StateResolved     State = "resolved"
	StateClosed       State = "closed"
	StateCancelled    State = "canceled"
)

// States lists the states in their order.
var States = [...]State{StateNew, StateAcknowledged, StateOnHold, StateResolved, StateClosed, StateCancelled}

// Rank orders states by how far along a ticket is: new 0, acknowledged and on hold
// 1, resolved 2, closed and canceled 3; -1 for anything else. A change to a lower
// rank is a reopening, which a vendor has to say and which is never inferred from
// a message that is late.
func (s State) Rank() int {
	switch s {
	case StateNew:
		return 0
	case StateAcknowledged, StateOnHold:
		return 1
	case StateResolved:
		return 2
	case StateClosed, StateCancelled:
		return 3
	default:
		return -1
	}
}

// Ended reports whether nobody has to work on the ticket any more.
func (s State) Ended() bool { return s.Rank() >= StateResolved.Rank() }

// Names maps between our words and a vendor's: states, severities or anything
// else that is compared with ==. Several of the vendor's may read as one of ours;
// one of ours is written as the vendor's that is listed first for it. What is in
// no pair is an error, never a guess.
type Names[O, V comparable] []Name[O, V]

// Name is a pair of names.
type Name[O, V comparable] struct {
	Ours   O `json:"ours"`
	Theirs V `json:"theirs"`
}

// Theirs returns the vendor's name for ours.
func (n Names[O, V]) Theirs(ours O) (V, error) {
	if i := slices.IndexFunc(n, func(p Name[O, V]) bool { return p.Ours == ours }); i >= 0 {
		return n[i].Theirs, nil
	}
	var none V
	return none, fmt.Errorf("no name of the vendor for %v", ours)
}

// Ours returns our name for the vendor's.
func (n Names[O, V]) Ours(theirs V) (O, error) {
	if i := slices.IndexFunc(n, func(p Name[O, V]) bool { return p.Theirs == theirs }); i >= 0 {
		return n[i].Ours, nil
	}
	var none O
	return none, fmt.Errorf("no name of ours for %v of the vendor", theirs)
}
