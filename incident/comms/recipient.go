package comms

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Recipient is somebody who is told about an incident as it is now.
type Recipient struct {
	ID   string `json:"id"` // of a room it begins with a colon
	Name string `json:"name,omitempty"`
	Role Role   `json:"role,omitempty"` // empty for a room
	Why  Reason `json:"why"`
	// From is the first instant at which the hours and the quiet hours of the person
	// let a message through.
	From time.Time `json:"from"`
}

// Recipients yields who is told about an incident as it is at an instant, in the
// order of their ids. Nothing is remembered: ask again before each message. It
// looks at the stakeholders of the services of the incident, however many others
// there are.
func (p *Plan) Recipients(s incident.State, at time.Time) iter.Seq[Recipient] {
	return func(yield func(Recipient) bool) { p.eachRecipient(s, at.UTC(), yield) }
}

func (p *Plan) eachRecipient(s incident.State, at time.Time, yield func(Recipient) bool) {
	free := make([]time.Time, p.hours) // by r.hours; the zero time is not known yet
	invited, anyTime := p.invite(s), effective(s.Severity) == incident.P1
	for r := range p.audience(s.Services) {
		why, ok := invited.why(r)
		if !ok {
			continue
		}
		from := at
		if !anyTime && (r.officeBar || r.quiet != nil) {
			if free[r.hours].IsZero() {
				opens, _ := r.free(at)
				free[r.hours] = opens.UTC()
			}
			from = free[r.hours]
		}
		if !yield(Recipient{ID: r.id, Name: r.name, Role: r.role, Why: why, From: from}) {
			return
		}
	}
}

// audience yields the recipients of services, each id once, in the order of ids.
func (p *Plan) audience(services []string) iter.Seq[*recipient] {
	return func(yield func(*recipient) bool) {
		lists := [][]*recipient{p.byService[""]}
		for i, s := range services {
			if s != "" && !slices.Contains(services[:i], s) {
				lists = append(lists, p.byService[s])
			}
		}
		for last := ""; ; {
			first := -1
			for i, l := range lists {
				if len(l) > 0 && (first < 0 || l[0].order < lists[first][0].order) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			r := lists[first][0]
			lists[first] = lists[first][1:]
			if r.id == last {
				continue // for another of the services
			}
			last = r.id
			if !yield(r) {
				return
			}
		}
	}
}

// invitation says whom an incident concerns, and why.
type invitation struct {
	roles    []Reason  // one for each role
	room     Reason    //
	channels []Channel // of the first message
}

func (p *Plan) invite(state incident.State) invitation {
	s := effective(state.Severity)
	v := invitation{
		room:     Reason{Rule: ByRoom, Text: fmt.Sprintf("messages about %s go to the room", s)},
		channels: p.channels(s, Initial),
	}
	for _, role := range p.matrix[s] {
		v.roles = append(v.roles, Reason{Role: role, Rule: ByMatrix, Text: fmt.Sprintf("the role is told about %s", s)})
	}
	if flag, because := p.legal(state.Severity, state.Flags); because {
		v.roles = append(v.roles, Reason{Role: LegalCompliance, Rule: ByFlag, Text: fmt.Sprintf("a %s with the flag %q", s, flag)})
	}
	return v
}

// why reports whether a recipient is told, and why.
func (v invitation) why(r *recipient) (Reason, bool) {
	if r.isRoom() {
		return v.room, v.reaches(r)
	}
	for _, reason := range v.roles {
		if reason.Role == r.role {
			return reason, true
		}
	}
	return Reason{}, false
}

// reaches reports whether the first message would find an address.
func (v invitation) reaches(r *recipient) bool {
	return slices.ContainsFunc(v.channels, func(c Channel) bool { return r.addresses[c] != "" })
}
