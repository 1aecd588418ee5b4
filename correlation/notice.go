package correlation

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// NoticeKind says what a Notice tells. The zero value means "not set".
type NoticeKind uint8

// The kinds of notices.
const (
	Tell       NoticeKind = iota + 1 // a transition, as it came
	FlapStart                        // the alert flaps from now on
	FlapEnd                          // it does not any more
	StormStart                       // the digest of a storm
	StormRise                        // the storm holds back something more severe now
	StormEnd                         // the storm is over; its list names what still fires
)

var noticeTexts = [...]string{Tell: "tell", FlapStart: "flap_start", FlapEnd: "flap_end", StormStart: "storm_start", StormRise: "storm_rise", StormEnd: "storm_end"}

// String returns the kind, such as "flap_start".
func (k NoticeKind) String() string {
	if k == 0 || int(k) >= len(noticeTexts) {
		return fmt.Sprintf("NoticeKind(%d)", uint8(k))
	}
	return noticeTexts[k]
}

// MarshalText returns [NoticeKind.String]; the zero value is an error.
func (k NoticeKind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(noticeTexts) {
		return nil, fmt.Errorf("notice kind %d, want one of %q", uint8(k), noticeTexts[1:])
	}
	return []byte(noticeTexts[k]), nil
}

// UnmarshalText reads the texts of [NoticeKind.String].
func (k *NoticeKind) UnmarshalText(b []byte) error {
	n := slices.Index(noticeTexts[1:], string(b))
	if n < 0 {
		return fmt.Errorf("notice kind %q, want one of %q", b, noticeTexts[1:])
	}
	*k = NoticeKind(n + 1)
	return nil
}

// Notice is one item for people.
type Notice struct {
	At   time.Time  `json:"at"`
	Kind NoticeKind `json:"kind"`
	// Transition is what the engine reported, for Tell.
	Transition *Transition `json:"transition,omitempty"`
	// Alert is the alert that flaps, for FlapStart and FlapEnd. Active says
	// whether it fires now.
	Alert *Alert `json:"alert,omitempty"`
	// Storm is set for StormStart, StormRise and StormEnd.
	Storm *Storm `json:"storm,omitempty"`
}

// Storm is what is held back together.
type Storm struct {
	Tenant   string            `json:"tenant,omitempty"`
	Name     string            `json:"name,omitempty"` // of the alerts; empty for all of the tenant
	Since    time.Time         `json:"since"`
	Held     int               `json:"held"`            // notifications held back so far
	Names    map[string]int    `json:"names,omitempty"` // of them, by the name of the alert
	Severity incident.Severity `json:"severity,omitempty"`
	// Firing lists what was held back and still fires, by printed form. It is
	// set at the end of a storm and by [Damper.Storms].
	Firing []Alert `json:"firing,omitempty"`
}
