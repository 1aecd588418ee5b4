package incident

import "slices"

// Rejection is an event that an incident did not take, and why.
type Rejection struct {
	Event  Event  `json:"event"`
	Reason string `json:"reason"` // text of the error

	// Text is the event as Go prints it, quoted, where JSON cannot hold it, such as an
	// instant of the year 10000. Event has then its key, kind, actor and instant alone.
	Text string `json:"text,omitempty"`
}

// Rejected returns the events that Apply refused and did not accept since, in the
// order in which they first came, so that nothing a system reports is lost. Of
// several with one key and kind it is the last. The list is part of a [Snapshot],
// but not of the timeline.
func (i *Incident) Rejected() []Rejection { return cloneRejections(i.rejected) }

// cloneRejections returns a copy that shares nothing with all.
func cloneRejections(all []Rejection) []Rejection {
	all = slices.Clone(all)
	for n := range all {
		all[n].Event = all[n].Event.clone()
	}
	return all
}

func (i *Incident) reject(e Event, err error) {
	r := newRejection(e.clone(), err)
	if at := i.rejection(e); at >= 0 {
		i.rejected[at] = r
		return
	}
	i.rejected = append(i.rejected, r)
}

// taken takes an event off the list.
func (i *Incident) taken(e Event) {
	if at := i.rejection(e); at >= 0 {
		i.rejected = slices.Delete(i.rejected, at, at+1)
	}
}

// rejection returns the place of an event, -1 if there is none. An event without a
// key is never the same as another.
func (i *Incident) rejection(e Event) int {
	return slices.IndexFunc(i.rejected, func(r Rejection) bool {
		return e.Key != "" && r.Event.Key == e.Key && r.Event.Kind == e.Kind
	})
}
