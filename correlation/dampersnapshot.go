package correlation

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// damperVersion is raised when the form changes.
const damperVersion = 1

// damperState is the snapshot of a Damper.
type damperState struct {
	Alerts []dampedState `json:"alerts"`
	Storms []stormState  `json:"storms"`
}

// dampedState is the snapshot of one alert.
type dampedState struct {
	Alert    Alert       `json:"alert"`
	Firing   bool        `json:"firing,omitempty"`
	Flapping bool        `json:"flapping,omitempty"`
	Changes  []time.Time `json:"changes,omitempty"`
	Checks   []int       `json:"checks,omitempty"`
	ChecksOn bool        `json:"checks_on,omitempty"`
	ChangeOn bool        `json:"changes_on,omitempty"`
	Storm    *string     `json:"storm,omitempty"` // name of the storm of its tenant that holds it
}

// stormState is the snapshot of one counter.
type stormState struct {
	Tenant   string            `json:"tenant,omitempty"`
	Name     string            `json:"name,omitempty"`
	Onsets   []time.Time       `json:"onsets"`
	On       bool              `json:"on,omitempty"`
	Since    time.Time         `json:"since,omitzero"`
	Held     map[string]int    `json:"held,omitempty"` // by name of the alert
	Severity incident.Severity `json:"severity,omitempty"`
}

// Snapshot returns the state as JSON, with a checksum; equal states give equal bytes.
func (d *Damper) Snapshot() ([]byte, error) {
	state := damperState{Alerts: []dampedState{}, Storms: []stormState{}}
	for _, key := range sortedNames(d.alerts) {
		a := d.alerts[key]
		x := dampedState{Alert: a.alert, Firing: a.firing, Flapping: a.flapping}
		if a.f != nil {
			x.Changes, x.ChangeOn = a.f.f.times, a.f.f.on
		}
		if a.checks != nil {
			x.Checks, x.ChecksOn = a.checks.states, a.checks.on
		}
		if a.in != nil {
			x.Storm = &a.in.key.name
		}
		state.Alerts = append(state.Alerts, x)
	}
	for _, s := range d.sortedStorms() {
		state.Storms = append(state.Storms, stormState{
			Tenant: s.key.tenant, Name: s.key.name, Onsets: s.f.times, On: s.f.on, Since: s.since, Held: s.names, Severity: s.severity,
		})
	}
	return sealed.Seal(damperVersion, state)
}

// RestoreDamper makes a damper from a snapshot. With other limits than before,
// what flaps or storms goes on until it is calm by the new ones; where nothing
// is watched any more, it is let go at once, without a notice. An error about data wraps
// [ErrSnapshot].
func RestoreDamper(o DamperOptions, data []byte) (*Damper, error) {
	d, err := NewDamper(o)
	if err != nil {
		return nil, err
	}
	var state damperState
	if err := unseal(data, damperVersion, &state); err != nil {
		return nil, fmt.Errorf("%w of a damper: %w", ErrSnapshot, err)
	}
	for _, x := range state.Storms {
		if len(x.Onsets) == 0 {
			continue
		}
		s := d.counter(stormKey{x.Tenant, x.Name})
		if s == nil {
			continue
		}
		s.f.times, s.f.on = x.Onsets, x.On
		s.since, s.severity = x.Since, x.Severity
		for name, n := range x.Held {
			s.names[name] = n
			s.count += n
		}
		d.watchStorm(s)
	}
	for _, x := range state.Alerts {
		a := d.of(&Transition{Alert: x.Alert})
		a.firing = x.Firing
		if a.f != nil {
			a.f.f.times, a.f.f.on = x.Changes, x.ChangeOn && len(x.Changes) > 0
			if x.Firing {
				a.f.last = Firing
			}
			d.watch(a)
		}
		if a.checks != nil {
			a.checks.states, a.checks.on = x.Checks[max(0, len(x.Checks)-flapSamples):], x.ChecksOn
		}
		a.flapping = x.Flapping && a.flaps()
		if x.Storm != nil {
			if s := d.storms[stormKey{x.Alert.Tenant, *x.Storm}]; s != nil {
				a.in = s
				s.held[a] = true
			}
		}
		d.forget(a)
	}
	return d, nil
}

// unseal reads what [sealed.Seal] wrote.
func unseal(data []byte, version int, state any) error {
	body, err := sealed.Open(data, version)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, state)
}
