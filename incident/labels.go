package incident

import "slices"

// labels are the texts of a record by which figures are grouped.
type labels struct {
	tenant, team, centre string
	services             []string
}

func labelsOf(r *Record) labels { return labels{r.Tenant, r.Team, r.Centre, r.Services} }

// fit reports whether they are those of a record.
func (l *labels) fit(r *Record) bool {
	return l.tenant == r.Tenant && l.team == r.Team && l.centre == r.Centre && slices.Equal(l.services, r.Services)
}

// appendKey appends what no other labels have.
func (l *labels) appendKey(b []byte) []byte {
	for _, text := range [...]string{l.tenant, l.team, l.centre} {
		b = appendText(b, text)
	}
	for _, service := range l.services {
		b = appendText(b, service)
	}
	return b
}

// labelTable keeps labels once each, for as long as somebody holds them: incidents
// are many, and their labels few.
type labelTable struct {
	all    []heldLabels
	free   []uint32
	places map[string]uint32 // by key
}

type heldLabels struct {
	labels
	holders int
}

// take returns the place of the labels of a record.
func (t *labelTable) take(r *Record) uint32 {
	l := labelsOf(r)
	key := l.appendKey(make([]byte, 0, 128))
	i, known := t.places[string(key)]
	if !known {
		l.services = slices.Clone(l.services)
		if last := len(t.free) - 1; last >= 0 {
			i, t.free = t.free[last], t.free[:last]
			t.all[i] = heldLabels{labels: l}
		} else {
			i = uint32(len(t.all))
			t.all = append(t.all, heldLabels{labels: l})
		}
		if t.places == nil {
			t.places = map[string]uint32{}
		}
		t.places[string(key)] = i
	}
	t.all[i].holders++
	return i
}

// release gives a place back.
func (t *labelTable) release(i uint32) {
	l := &t.all[i]
	if l.holders--; l.holders == 0 {
		delete(t.places, string(l.appendKey(nil)))
		*l = heldLabels{}
		t.free = append(t.free, i)
	}
}
