package correlation

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// accept checks an event and applies it, or holds it for the reorder window.
func (e *Engine) accept(ev *Event) *EventError {
	e.stats.Events++
	ev, err := e.opts.ignore(ev)
	if err == nil {
		err = ev.check(&e.opts)
	}
	if err == nil && e.opts.Reorder > 0 {
		err = ev.checkIdentity(&e.opts)
	}
	if err == nil && e.opts.MaxFuture > 0 && instant.Of(ev.Time)-e.now > int64(e.opts.MaxFuture) {
		err = ev.fail("Time", ev.Time.Format(time.RFC3339Nano), fmt.Sprintf("a time at most %v after the arrival", e.opts.MaxFuture))
	}
	if err == nil {
		switch due := instant.After(instant.Of(ev.Time), e.opts.Reorder); {
		case e.opts.Reorder == 0 || due == e.now:
			err = e.apply(ev)
		case due > e.now:
			e.hold(*ev)
		default:
			e.late(ev)
		}
	}
	return err
}

// hold keeps an event until its reorder window is over.
func (e *Engine) hold(ev Event) {
	e.arrivals++
	heap.Push(&e.held, heldEvent{ev, e.arrivals})
}

// reject counts and reports a refused event; index is its place in the call.
func (e *Engine) reject(err *EventError, index int) {
	err.Index = index
	e.stats.Rejected++
	e.problems = append(e.problems, err)
}

// late counts and reports an event that came after its reorder window.
func (e *Engine) late(ev *Event) {
	e.stats.Late++
	copied := *ev
	a := Alert{Tenant: ev.Tenant, Name: ev.Alert, Labels: LabelsOf(ev.Labels), Since: ev.Time, Severity: ev.Severity, Annotations: ev.Annotations}
	e.out = append(e.out, Transition{At: instant.Time(e.now), Kind: Late, Alert: a, Event: &copied})
}

// apply is last writer wins on (time, firing < resolved).
func (e *Engine) apply(ev *Event) *EventError {
	a, err := e.record(ev)
	if err != nil {
		return err
	}
	t, firing := instant.Of(ev.Time), ev.Status == Firing
	if ev.Again {
		t = a.again(t, firing)
	}
	if a.last != 0 {
		switch {
		case t < a.last || t == a.last && firing && !a.lastFiring:
			e.stats.Stale++
			return nil
		case t == a.last && firing == a.lastFiring:
			e.stats.Duplicates++
			return nil
		}
	}
	if !firing {
		a.last, a.lastFiring = t, false
		if a.active {
			e.deactivate(a, t)
		} else if a.ended == 0 {
			e.end(a)
		}
		return nil
	}
	var ends int64
	switch {
	case !ev.Ends.IsZero():
		ends = instant.Of(ev.Ends)
	case e.opts.ResolveTimeout > 0:
		ends = instant.After(e.now, e.opts.ResolveTimeout)
	}
	// An expiry is no event: what happened up to the end that was known still
	// belongs to the episode.
	same := a.lastFiring && (a.ends == 0 || t <= a.ends)
	if same {
		e.stats.Refreshes++
		if ends == 0 {
			ends = a.ends
		}
		if ev.Severity.IsSet() {
			a.severity = ev.Severity
		}
		if ev.Annotations != nil {
			a.annotate(ev.Annotations)
		}
	} else {
		if a.active { // ended and began again within one step
			e.leave(a, t)
		}
		if t == instant.Of(ev.Time) || !a.notified { // else it fires again before people were told of the end
			a.since = t
		}
		a.severity = ev.Severity
		a.annotate(ev.Annotations)
	}
	a.last, a.lastFiring, a.ends = t, true, ends
	active := ends == 0 || ends > e.now
	switch {
	case active && !a.active:
		e.activate(a, t)
	case !active && a.active:
		e.deactivate(a, t)
	case !active:
		e.end(a)
	}
	if active && ends != 0 && (a.expiryAt == 0 || ends < a.expiryAt) {
		a.expiryAt = ends
		heap.Push(&e.timers, timer{at: ends, kind: expiry, a: a})
	}
	return nil
}

// again returns the instant of an event that is marked as Again: a firing comes after
// the end that is known, and a resolve at that end comes after such a firing.
func (a *alert) again(t int64, firing bool) int64 {
	ended := a.last
	if a.lastFiring { // it has expired
		ended = max(ended, a.ends)
	}
	switch {
	case a.last == 0 || firing == a.active:
		return t
	case firing && t <= ended && ended < math.MaxInt64:
		return ended + 1
	case !firing && a.since == a.last && t == a.last-1:
		return a.last
	}
	return t
}

// record finds or makes the alert of an event. The identity of one that is known
// needs no check.
func (e *Engine) record(ev *Event) (*alert, *EventError) {
	x := e.atlas.identify(ev.Alert, ev.Labels)
	var a *alert
	sp := e.spaces[ev.Tenant]
	if sp != nil && x.known {
		a = sp.find(x)
	}
	if a == nil && !x.fits(ev, &e.opts) || x.count < len(ev.Labels) {
		if err := ev.checkIdentity(&e.opts); err != nil {
			return nil, err
		}
	}
	if a != nil {
		e.heat(sp)
		return a, nil
	}
	if sp != nil && sp.alerts.Len() >= e.opts.MaxAlerts {
		return nil, ev.fail("Tenant", ev.Tenant, fmt.Sprintf("at most %d remembered alerts of one tenant", e.opts.MaxAlerts))
	}
	sp = e.space(ev.Tenant)
	if x.name == nil {
		a = e.newAlert(sp, e.atlas.name(ev.Alert), x.compact(e.atlas))
	} else {
		x.name.refs++
		a = e.newAlert(sp, x.name, x.compact(e.atlas))
	}
	hash := x.hash
	if !x.known {
		hash = a.hash()
	}
	sp.alerts.Insert(hash, a)
	e.stats.Alerts++
	return a, nil
}

// fits reports whether nothing is wrong with the identity of an event. What it cannot
// tell from what is known of the names it denies.
func (x *identity) fits(ev *Event, o *Options) bool {
	if !x.known || x.name.layer == compositeLayer || x.count > o.MaxLabels || max(len(ev.Alert), len(ev.Tenant)) > o.MaxLabelBytes || !utf8.ValidString(ev.Tenant) {
		return false
	}
	if !isASCII(x.text) { // the values are in it
		for _, value := range ev.Labels {
			if !utf8.ValidString(value) {
				return false
			}
		}
	}
	size := len(x.text) // at least that of the values
	if x.names != nil {
		size += x.names.size
	}
	return size <= o.MaxLabelBytes
}

// isASCII reports whether all bytes are below 0x80.
func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
