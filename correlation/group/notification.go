package group

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/key"
)

// Kind says why a group is told. The zero value means "not set".
type Kind string

// The kinds.
const (
	First    Kind = "first"    // the receiver knows nothing of the group
	Change   Kind = "change"   // alerts came, or some ended
	Repeat   Kind = "repeat"   // nothing changed for a repeat_interval
	Resolved Kind = "resolved" // all that was told is over
)

// State is what a notification says of one alert. The zero value means "not set".
type State string

// The states, in the order in which alerts are listed.
const (
	Begun State = "new"    // it fires and is told for the first time
	Ended State = "ended"  // it was told and is over
	Still State = "firing" // it was told and fires
)

// rank is the place of a state in a list.
type rank int8

const (
	begun rank = iota
	ended
	still
)

// states by rank.
var states = [...]State{begun: Begun, ended: Ended, still: Still}

// Item is one alert of a notification.
type Item struct {
	State State             `json:"state"`
	Alert correlation.Alert `json:"alert"` // as its last transition had it
}

// Notification is one message for one receiver.
type Notification struct {
	At       time.Time         `json:"at"`
	Kind     Kind              `json:"kind"`
	Tenant   string            `json:"tenant,omitempty"`
	Receiver string            `json:"receiver"`
	Route    string            `json:"route"` // Path of the route
	Key      string            `json:"key"`   // GroupKey of the route
	Labels   map[string]string `json:"labels,omitempty"`
	Since    time.Time         `json:"since"` // when the group was made
	// Alerts are sorted by state, severity, the most severe first, and printed form. With
	// [Options.MaxAlerts] the last ones are left out, which counts in Omitted; what is
	// left out is told all the same.
	Alerts  []Item `json:"alerts"`
	Omitted int    `json:"omitted,omitempty"`
	Firing  int    `json:"firing"` // Begun and Still, with those left out
	Ended   int    `json:"ended,omitempty"`
}

// ID returns a text that no other notification of the same routes has, the same after
// a restart or a replay: for use as an idempotency key.
func (n Notification) ID() string {
	return key.Join(n.Tenant, n.Route, n.Key, n.At.Format(time.RFC3339Nano), string(n.Kind))
}

// list writes the alerts of a notification.
func (n *Notification) list(tenant string, members []*member, limit int) {
	list := make([]listed, len(members))
	for i, m := range members {
		list[i] = m.listed(tenant)
	}
	slices.SortFunc(list, func(a, b listed) int {
		return cmp.Or(int(a.rank)-int(b.rank), b.severity.Compare(a.severity), compareListed(a, b))
	})
	if limit > 0 && len(list) > limit {
		n.Omitted = len(list) - limit
		list = list[:limit]
	}
	n.Alerts = make([]Item, len(list))
	for i := range list {
		n.Alerts[i] = Item{State: states[list[i].rank], Alert: list[i].alert}
	}
}
