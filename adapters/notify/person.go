package notify

import (
	"maps"
	"slices"

	"github.com/evenkeelops/evenkeel/incident/comms"
)

// Person is somebody who can be told in several ways. When and of what is for package
// comms, quiet hours included; this is how.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Contact are addresses by contact method: "email", "phone" for SMS and calls,
	// "slack", "webhook". Others are methods of channels of the same name.
	Contact map[string]string `json:"contact_methods"`
	// Channels are those on which the person wants to be told, in their order. Defaults
	// to all that are asked for, in that order.
	Channels []comms.Channel `json:"channels,omitempty"`
}

// Targets returns how to tell a person on some channels, in the order that the person
// prefers. A channel without contact method is a target without address: a sender skips
// it and says so. A channel that the person does not want is no target.
func (p Person) Targets(channels ...comms.Channel) []Target {
	if len(p.Channels) > 0 {
		wanted := channels
		channels = nil
		for _, c := range p.Channels {
			if slices.Contains(wanted, c) {
				channels = append(channels, c)
			}
		}
	}
	var out []Target
	for _, c := range channels {
		out = append(out, Target{Recipient: p.ID, Name: p.Name, Channel: c, Address: p.Contact[method(c)]})
	}
	return out
}

// Targets returns how to tell several people, one after the other.
func Targets(people []Person, channels ...comms.Channel) []Target {
	var out []Target
	for _, p := range people {
		out = append(out, p.Targets(channels...)...)
	}
	return out
}

// method is the contact method of a channel.
func method(c comms.Channel) string {
	if c == comms.SMS || c == Voice {
		return "phone"
	}
	return string(c)
}

// PersonOf returns how a stakeholder can be told.
func PersonOf(s comms.Stakeholder) Person {
	id := s.ID
	if id == "" {
		id = s.Name
	}
	return Person{ID: id, Name: s.Name, Contact: maps.Clone(s.Contact)}
}
