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

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
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
}

// Key returns a text of 32 hexadecimal digits that names what the transition
// reports: the same after a restart or a replay, for use as an idempotency key.
func (t Transition) Key() string {
	var b []byte
	b = prefixed.Append(b, t.Kind.String())
	b = prefixed.Append(b, t.Alert.Tenant)
	b = appendKey(b, t.Alert.Name, t.Alert.Labels)
	b = prefixed.Append(b, strconv.FormatInt(t.Alert.Since.UnixNano(), 10))
	if t.Composite != nil {
		b = prefixed.Append(b, t.Composite.ID)
	} else {
		b = prefixed.Append(b, strconv.FormatInt(t.At.UnixNano(), 10))
	}
	return shortHash(b)
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// sortTransitions orders the transitions of one instant: by kind, tenant and printed
// form, else as they stand. They are large, so their places are sorted, and each is moved
// once.
func (e *Engine) sortTransitions(list []Transition) {
	if len(list) < 2 {
		return
	}
	// Most names begin alike; what tells them apart is compared as a number.
	common, tenants := len(list[0].Alert.Name), false
	for n := range list {
		name := list[n].Alert.Name
		common = min(common, len(name))
		for name[:common] != list[0].Alert.Name[:common] {
			common--
		}
		tenants = tenants || list[n].Alert.Tenant != list[0].Alert.Tenant
	}
	order := e.order[:0]
	for n := range list {
		order = append(order, standing{list[n].Kind, list[n].Alert.prefix(common), int32(n)})
	}
	slices.SortFunc(order, func(x, y standing) int {
		if x.kind != y.kind {
			return cmp.Compare(x.kind, y.kind)
		}
		a, b := &list[x.at], &list[y.at]
		if tenants && a.Alert.Tenant != b.Alert.Tenant {
			return strings.Compare(a.Alert.Tenant, b.Alert.Tenant)
		}
		if x.prefix != y.prefix {
			return cmp.Compare(x.prefix, y.prefix)
		}
		if c := comparePrinted(&a.Alert, &b.Alert); c != 0 {
			return c
		}
		return cmp.Compare(x.at, y.at)
	})
	e.order = order
	for n := range order { // along the cycles of the order
		if order[n].at < 0 || int(order[n].at) == n {
			continue
		}
		first := list[n]
		for k := n; ; {
			next := int(order[k].at)
			order[k].at = -1
			if next == n {
				list[k] = first
				break
			}
			list[k] = list[next]
			k = next
		}
	}
}

// standing is where a transition stands, and what decides where it is to stand.
type standing struct {
	kind   Kind
	prefix uint64
	at     int32
}

// prefix returns up to eight bytes of the name from a place on, with what follows it in
// the printed form, as a number that compares as they do.
func (a *Alert) prefix(from int) uint64 {
	rest, p := a.Name[from:], uint64(0)
	for n := range 8 {
		p <<= 8
		switch {
		case n < len(rest):
			p |= uint64(rest[n])
		case n == len(rest):
			p |= uint64(a.Labels.after(-1))
		default:
			// What comes next is not the name: 0 for all that have this one.
		}
	}
	return p
}

// comparePrinted compares the printed forms of two alerts, which are made only if they
// must be: most differ in their names, or in the first value that is not the same.
func comparePrinted(a, b *Alert) int {
	if c := compareParts(a.Name, b.Name, a.Labels.after(-1), b.Labels.after(-1)); c != 0 {
		return c
	}
	if a.Name == b.Name {
		for n := range min(len(a.Labels), len(b.Labels)) {
			x, y := &a.Labels[n], &b.Labels[n]
			if c := compareParts(x.Name, y.Name, '=', '='); c != 0 {
				return c
			}
			if x.Name != y.Name {
				break
			}
			if c := compareParts(x.Value, y.Value, a.Labels.after(n), b.Labels.after(n)); c != 0 {
				return c
			}
			if x.Value != y.Value {
				break
			}
		}
	}
	return strings.Compare(a.String(), b.String())
}

// after is what follows label n in the printed form, or the name for -1; 0 for nothing.
func (l Labels) after(n int) byte {
	switch {
	case len(l) == 0:
		return 0
	case n < 0:
		return '{'
	case n < len(l)-1:
		return ','
	}
	return '}'
}

// compareParts compares two texts with the byte that follows each. 0 means that what
// follows has to decide.
func compareParts(a, b string, afterA, afterB byte) int {
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	switch {
	case n < len(a):
		return cmp.Compare(a[n], afterB)
	case n < len(b):
		return cmp.Compare(afterA, b[n])
	}
	return cmp.Compare(afterA, afterB)
}
