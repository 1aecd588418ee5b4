package correlation

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what a Transition reports.
type Kind uint8

// The kinds, in the order in which transitions of one instant are listed.
const (
	Late     Kind = iota + 1 // an event came after the reorder window and was not applied
	Open                     // a composite opened
	Close                    // a composite closed, after its linger
	Suppress                 // an active alert became hidden
	Release                  // an active alert became visible again
	Notify                   // tell people: a visible alert or composite
	Resolve                  // tell people: what they were notified of is over
)

var kindTexts = [...]string{Late: "late", Open: "open", Close: "close", Suppress: "suppress", Release: "release", Notify: "notify", Resolve: "resolve"}

// String returns the kind in lower case, such as "notify".
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindTexts) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindTexts[k]
}

// MarshalText returns [Kind.String]; the zero value is an error.
func (k Kind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(kindTexts) {
		return nil, fmt.Errorf("kind %d, want one of %q", uint8(k), kindTexts[1:])
	}
	return []byte(kindTexts[k]), nil
}

// UnmarshalText reads the texts of [Kind.String].
func (k *Kind) UnmarshalText(b []byte) error {
	for n, t := range kindTexts {
		if n > 0 && t == string(b) {
			*k = Kind(n)
			return nil
		}
	}
	return fmt.Errorf("kind %q, want one of %q", b, kindTexts[1:])
}

// Transition is one change that the engine reports.
type Transition struct {
	At   time.Time `json:"at"` // engine time
	Kind Kind      `json:"kind"`
	// Alert is the alert concerned as it stands after the change, with its
	// reasons for Suppress. For Open and Close, and for Notify and Resolve of a
	// composite, it is the composite as an alert.
	Alert Alert `json:"alert"`
	// Composite is set for Open and Close, and for Notify and Resolve of a
	// composite. Lists of a closed composite are those of its last moment.
	Composite *Composite `json:"composite,omitempty"`
	// Event is set for Late.
	Event *Event `json:"event,omitempty"`

	order string // breaks ties between alerts that print alike
}

// Key returns a text of 32 hexadecimal digits that names what the transition
// reports: the same after a restart or a replay, for use as an idempotency key.
func (t Transition) Key() string {
	var b []byte
	b = appendPart(b, t.Kind.String())
	b = appendPart(b, t.Alert.Tenant)
	b = appendKey(b, t.Alert.Name, t.Alert.Labels)
	b = appendPart(b, strconv.FormatInt(t.Alert.Since.UnixNano(), 10))
	if t.Composite != nil {
		b = appendPart(b, t.Composite.ID)
	} else {
		b = appendPart(b, strconv.FormatInt(t.At.UnixNano(), 10))
	}
	return shortHash(b)
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// sortTransitions orders the transitions of one instant.
func sortTransitions(list []Transition) {
	if len(list) < 2 {
		return
	}
	for n := range list {
		list[n].order = list[n].Alert.String()
	}
	slices.SortStableFunc(list, func(a, b Transition) int {
		return cmp.Or(
			cmp.Compare(a.Kind, b.Kind),
			strings.Compare(a.Alert.Tenant, b.Alert.Tenant),
			strings.Compare(a.order, b.order),
		)
	})
}
