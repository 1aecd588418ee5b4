package group

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// snapshotVersion is raised when the form changes.
const snapshotVersion = 1

// snapshot is the state of a Grouper.
type snapshot struct {
	Version int              `json:"version"`
	Now     time.Time        `json:"now,omitzero"`
	Groups  []bundleSnapshot `json:"groups"`
}

// bundleSnapshot is the state of one group.
type bundleSnapshot struct {
	Tenant   string            `json:"tenant,omitempty"`
	Route    string            `json:"route"`
	RouteKey string            `json:"route_key"`
	Key      string            `json:"key"`
	Options  route.Options     `json:"options"`
	Labels   map[string]string `json:"labels,omitempty"`
	Made     time.Time         `json:"made"`
	First    time.Time         `json:"first"`
	Base     time.Time         `json:"base,omitzero"`
	Looked   time.Time         `json:"looked,omitzero"`
	Last     time.Time         `json:"last,omitzero"`
	Alerts   []memberSnapshot  `json:"alerts"`
}

// memberSnapshot is one alert of a group.
type memberSnapshot struct {
	Alert correlation.Alert `json:"alert"`
	Fires bool              `json:"fires,omitempty"`
	Told  bool              `json:"told,omitempty"`
}

// Snapshot returns the whole state as JSON; equal states give equal bytes.
func (g *Grouper) Snapshot() ([]byte, error) {
	state := snapshot{Version: snapshotVersion, Now: g.now, Groups: []bundleSnapshot{}}
	for _, b := range g.sorted() {
		x := bundleSnapshot{
			Tenant: b.tenant, Route: b.path, RouteKey: b.routeKey, Key: b.key, Options: b.options, Labels: b.labels,
			Made: b.made, First: b.first, Base: b.base, Looked: b.looked, Last: b.last, Alerts: []memberSnapshot{},
		}
		for _, m := range b.sorted() {
			x.Alerts = append(x.Alerts, memberSnapshot{m.alert, m.firing, m.told})
		}
		state.Groups = append(state.Groups, x)
	}
	return json.Marshal(state)
}

// Restore makes a grouper from a snapshot, the routes and the options; with the same
// ones it goes on exactly where the other stopped. A group whose route is still there,
// at the same place with the same matchers and labels, goes on with its new options; one whose
// route is gone goes on with the old ones, and takes no new alerts.
func Restore(root *route.Route, o Options, data []byte) (*Grouper, error) {
	g, err := New(root, o)
	if err != nil {
		return nil, err
	}
	var state snapshot
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, fmt.Errorf("group: snapshot: %w", err)
	}
	if state.Version != snapshotVersion {
		return nil, fmt.Errorf("group: snapshot has version %d, want %d", state.Version, snapshotVersion)
	}
	g.now = state.Now
	byPath := map[string]*route.Route{}
	for r := range g.root.All() {
		byPath[r.Path()] = r
	}
	for n, x := range state.Groups {
		b := &bundle{
			tenant: x.Tenant, path: x.Route, routeKey: x.RouteKey, key: x.Key, options: x.Options, labels: x.Labels,
			made: x.Made, first: x.First, base: x.Base, looked: x.Looked, last: x.Last, members: map[string]*member{},
		}
		if r := byPath[x.Route]; r != nil && r.Key() == x.RouteKey && r.GroupKey(x.Labels) == x.Key {
			b.options = r.Options()
			// The labels of the group are those of its alerts, as far as they count.
			a := correlation.Alert{Tenant: x.Tenant, Name: x.Labels[correlation.NameLabel], Labels: correlation.LabelsOf(x.Labels)}
			b.identity = identity{r, string(appendGroup(nil, &b.options, &a))}
		} else {
			b.text = string(appendPart(appendPart(appendPart(nil, x.Tenant), x.Route), x.Key))
		}
		if g.bundles[b.identity] != nil {
			return nil, fmt.Errorf("group: snapshot: groups[%d]: %q of tenant %q stands twice", n, x.Key, x.Tenant)
		}
		for _, t := range []time.Time{b.made, b.base, b.looked, b.last} {
			if d := g.now.Sub(t); !t.IsZero() && (d < 0 || d > 1<<62) {
				return nil, fmt.Errorf("group: snapshot: groups[%d]: found %s, want an instant up to %s", n, t.Format(time.RFC3339), g.now.Format(time.RFC3339))
			}
		}
		if b.options.GroupInterval <= 0 {
			return nil, fmt.Errorf("group: snapshot: groups[%d]: interval is %s, want more", n, b.options.GroupInterval)
		}
		g.bundles[b.identity] = b
		for _, y := range x.Alerts {
			m := &member{alert: y.Alert, key: string(appendAlert(nil, &y.Alert)), firing: y.Fires, told: y.Told}
			if b.members[m.key] != nil || !m.firing && !m.told {
				return nil, fmt.Errorf("group: snapshot: groups[%d]: alert %s stands twice or was never told", n, y.Alert)
			}
			b.members[m.key] = m
			g.where[m.key] = append(g.where[m.key], b)
			if m.told {
				b.owed++
			}
			if m.firing {
				g.count(b, m, 1)
			}
		}
		g.schedule(b)
	}
	return g, nil
}
