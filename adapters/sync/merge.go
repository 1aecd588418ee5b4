package sync

import (
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// change is what one side did to a field since it was last seen.
type change struct {
	side     string
	from, to string
	at       time.Time // of the ticket, by the vendor's clock
}

// absorb takes what was read at the sides into the record: what is seen, what was
// changed, and what holds now. It returns the changes that were not kept.
func (r *Record) absorb(sides []Side, owners map[Field]string, reads map[string]adapters.Ticket, now time.Time) []Conflict {
	var lost []Conflict
	for _, f := range fields {
		var changes []change
		for i := range sides {
			side := &sides[i]
			t, ok := reads[side.Name]
			if !ok || !slices.Contains(side.Fields, f) {
				continue
			}
			st := r.Sides[side.Name]
			got := side.Shape(f, valueOf(t, f))
			pending, writing := st.Pending[f]
			delete(st.Pending, f)
			before, seen := st.Seen[f]
			if st.Seen == nil {
				st.Seen = map[Field]string{}
			}
			st.Seen[f] = got
			if agreed, ok := r.Values[f]; !ok {
				r.Values[f] = valueOf(t, f)
			} else if f == State && !seen && st.OpenKey == "" && len(st.Past) == 0 && adapters.State(got).Ended() && !adapters.State(agreed).Ended() {
				st.Over = true
				lost = append(lost, Conflict{At: now, Side: side.Name, Field: State, Value: got, Kept: agreed, Reason: Ended})
			}
			if writing && got == pending || !seen || got == before {
				continue
			}
			changes = append(changes, change{side.Name, before, got, t.Updated})
		}
		if f == State {
			lost = append(lost, r.decideState(changes, owners[f], now)...)
		} else {
			lost = append(lost, r.decide(f, changes, owners[f], now)...)
		}
	}
	r.heed(sides)
	for i := range sides {
		if t, ok := reads[sides[i].Name]; ok {
			st := r.Sides[sides[i].Name]
			st.Updated, st.Version = t.Updated, t.Ref.Version
			st.Over = st.Over && adapters.State(st.Seen[State]).Ended() && !adapters.State(r.Values[State]).Ended()
		}
	}
	return lost
}

// heed takes an incident that was opened again as new to the state of a side where
// somebody is still at work: no system takes an acknowledgement back.
func (r *Record) heed(sides []Side) {
	for i := range sides {
		st := r.Sides[sides[i].Name]
		if r.Values[State] != string(adapters.StateNew) || st == nil || st.Gone {
			continue
		}
		if there := adapters.State(st.Seen[State]); there.Rank() == adapters.StateAcknowledged.Rank() {
			r.Values[State] = string(there)
		}
	}
}

// decide settles a field for which the latest change holds, or that of the owner.
func (r *Record) decide(f Field, changes []change, owner string, now time.Time) (lost []Conflict) {
	kept := -1
	for i, c := range changes {
		if owner != "" && c.side != owner {
			continue
		}
		if kept < 0 || c.at.After(changes[kept].at) {
			kept = i
		}
	}
	if kept >= 0 {
		r.Values[f] = changes[kept].to
	}
	for i, c := range changes {
		if i == kept || c.to == r.Values[f] {
			continue
		}
		reason := Earlier
		if owner != "" && c.side != owner {
			reason = NotOwner
		}
		lost = append(lost, Conflict{At: now, Side: c.side, Field: f, Value: c.to, Kept: r.Values[f], Reason: reason})
	}
	return lost
}

// decideState settles the state. The furthest holds, and of those that are as far
// the latest; a side that had ended and is active again opens the incident again.
func (r *Record) decideState(changes []change, owner string, now time.Time) (lost []Conflict) {
	if len(changes) == 0 {
		return nil
	}
	var others, late []change
	if owner != "" {
		changes, others = split(changes, func(c change) bool { return c.side == owner })
	}
	slices.SortStableFunc(changes, func(a, b change) int { return a.at.Compare(b.at) })
	agreed := adapters.State(r.Values[State])
	if active := func(c change) bool { return !adapters.State(c.to).Ended() }; agreed.Ended() && slices.ContainsFunc(changes, func(c change) bool {
		return adapters.State(c.from).Ended() && active(c)
	}) {
		r.Round++
		changes, late = split(changes, active)
		agreed = adapters.StateNew
	}
	kept := -1
	var beaten []change
	for i, c := range changes {
		from, to := adapters.State(c.from), adapters.State(c.to)
		switch {
		case to.Rank() < agreed.Rank(), // it has not heard yet
			from.Ended() && to.Ended() && !agreed.Ended(): // of the round before
			late = append(late, c)
		default:
			if kept >= 0 && to.Rank() == agreed.Rank() {
				beaten = append(beaten, changes[kept])
			}
			agreed, kept = to, i
		}
	}
	r.Values[State] = string(agreed)
	for _, not := range []struct {
		kept []change
		why  Reason
	}{{others, NotOwner}, {late, Late}, {beaten, Earlier}} {
		for _, c := range not.kept {
			if c.to != string(agreed) {
				lost = append(lost, Conflict{At: now, Side: c.side, Field: State, Value: c.to, Kept: string(agreed), Reason: not.why})
			}
		}
	}
	return lost
}

// split parts a list in two, in order.
func split[T any](all []T, first func(T) bool) (yes, no []T) {
	for _, v := range all {
		if first(v) {
			yes = append(yes, v)
		} else {
			no = append(no, v)
		}
	}
	return yes, no
}

// missing returns the fields that a side has otherwise than agreed, with the
// values that it should have.
func (r *Record) missing(side *Side) map[Field]string {
	st := r.Sides[side.Name]
	var wanted map[Field]string
	for _, f := range side.Fields {
		value, ok := r.Values[f]
		if !ok || f == State && st.Over {
			continue
		}
		want := side.Shape(f, value)
		if refused, ok := st.Refused[f]; want == st.Seen[f] || ok && refused == want {
			continue
		}
		if wanted == nil {
			wanted = map[Field]string{}
		}
		wanted[f] = want
	}
	return wanted
}

// shaped returns what all values look like at a side.
func (r *Record) shaped(side *Side) map[Field]string {
	m := maps.Clone(r.Values)
	for f, v := range m {
		m[f] = side.Shape(f, v)
	}
	return m
}
