package group

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// snapshotVersion is raised when the form changes.
const snapshotVersion = 2

// ErrSnapshot is wrapped by the errors of [Restore] about a snapshot: it was changed or cut
// after it was written, or another version wrote it. What it says is not to be used.
var ErrSnapshot = errors.New("group: snapshot")

// snapshot is the state of a Grouper.
type snapshot struct {
	Now    time.Time        `json:"now,omitzero"`
	Groups []bundleSnapshot `json:"groups"`
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

// Snapshot returns the whole state as JSON, with a checksum; equal states give equal bytes.
func (g *Grouper) Snapshot() ([]byte, error) {
	state := snapshot{Now: instant.Time(g.now), Groups: []bundleSnapshot{}}
	for _, b := range g.sorted() {
		x := bundleSnapshot{
			Tenant: b.tenant, Route: b.path, RouteKey: b.key, Key: b.groupKey(), Options: *b.options, Labels: b.labels(),
			Made: instant.Time(b.made), First: instant.Time(b.first), Base: instant.Time(b.base), Looked: instant.Time(b.looked), Last: instant.Time(b.last),
			Alerts: []memberSnapshot{},
		}
		for _, m := range b.sorted() {
			x.Alerts = append(x.Alerts, memberSnapshot{m.alert, m.firing, m.told})
		}
		state.Groups = append(state.Groups, x)
	}
	return sealed.Seal(snapshotVersion, state)
}

// Restore makes a grouper from a snapshot, the routes and the options; with the same
// ones it goes on exactly where the other stopped. A group whose route is still there,
// at the same place with the same matchers and labels, goes on with its new options; one whose
// route is gone goes on with the old ones, and takes no new alerts. An error about data wraps
// [ErrSnapshot].
func Restore(root *route.Route, o Options, data []byte) (*Grouper, error) {
	g, err := New(root, o)
	if err != nil {
		return nil, err
	}
	if err := g.read(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return g, nil
}

// read puts a snapshot into a new grouper.
func (g *Grouper) read(data []byte) error {
	data, err := sealed.Open(data, snapshotVersion)
	if err != nil {
		return err
	}
	var state snapshot
	if err := json.Unmarshal(data, &state); err != nil {
		return err
	}
	if !state.Now.IsZero() && !instant.InRange(state.Now) {
		return fmt.Errorf("now is %s, want an instant in the years 1897 to 2188", state.Now.Format(time.RFC3339))
	}
	g.now, g.restored = instant.Of(state.Now), map[owned][]within{}
	byPath := map[string]*route.Route{}
	for r := range g.root.All() {
		byPath[r.Path()] = r
	}
	for n, x := range state.Groups {
		for _, t := range []time.Time{x.Made, x.Base, x.Looked, x.Last} {
			if !t.IsZero() && (!instant.InRange(t) || instant.Of(t) > g.now) {
				return fmt.Errorf("groups[%d]: found %s, want an instant up to %s", n, t.Format(time.RFC3339), state.Now.Format(time.RFC3339))
			}
		}
		b := &bundle{
			written: &written{text: x.Key, set: x.Labels},
			made:    instant.Of(x.Made), first: instant.Nearest(x.First), base: instant.Of(x.Base), looked: instant.Of(x.Looked), last: instant.Of(x.Last),
		}
		if b.set == nil {
			b.set = map[string]string{}
		}
		var hash uint64
		if r := byPath[x.Route]; r != nil && r.Key() == x.RouteKey && r.GroupKey(x.Labels) == x.Key {
			// The labels of the group are those of its alerts, as far as they count.
			a := correlation.Alert{Tenant: x.Tenant, Name: x.Labels[correlation.NameLabel], Labels: correlation.LabelsOf(x.Labels)}
			b.ward = g.places[r].ward(x.Tenant)
			_, hash = g.find(b.ward, &a)
			b.name = string(g.key)
		} else {
			gone := &place{path: x.Route, key: x.RouteKey, options: &x.Options, seed: maphash.String(seed, x.Route)}
			b.ward, b.name = gone.ward(x.Tenant), x.Key
			hash = b.hash(x.Key)
		}
		if g.twin(hash, b) {
			return fmt.Errorf("groups[%d]: %q of tenant %q stands twice", n, x.Key, x.Tenant)
		}
		if b.options.GroupInterval <= 0 {
			return fmt.Errorf("groups[%d]: interval is %s, want more", n, b.options.GroupInterval)
		}
		g.insert(hash, b)
		for _, y := range x.Alerts {
			g.shapes.Ask(&g.labels, y.Alert.Labels)
			if g.member(b, y.Alert.Name) != nil || !y.Fires && !y.Told {
				return fmt.Errorf("groups[%d]: alert %s stands twice or was never told", n, y.Alert)
			}
			m := g.add(b, &y.Alert)
			m.firing, m.told = y.Fires, y.Told
			of := owned{b.tenant, m.identity}
			g.restored[of] = append(g.restored[of], within{b, m})
			if m.firing {
				g.tally(b, m, 1)
			}
		}
		g.schedule(b)
	}
	return nil
}

// twin reports whether a bundle of the same name is there already.
func (g *Grouper) twin(hash uint64, b *bundle) bool {
	return g.bundles.Find(hash, func(x *bundle) bool {
		return x.tenant == b.tenant && x.route == b.route && x.name == b.name && x.path == b.path
	}) != nil
}
