package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RecurrenceOptions say when incidents suggest a problem. The zero value is the
// default.
type RecurrenceOptions struct {
	// Count is how many incidents it takes. Defaults to 3; at least 2.
	Count int
	// Within is the longest time from the first to the last of them. Defaults to
	// 30 days of 24 hours.
	Within time.Duration
	// Problems are those on record. An incident that belongs to one which has not
	// ended is suggested for it. Defaults to none.
	Problems []Problem
}

// Suggestion is a problem that incidents suggest.
type Suggestion struct {
	Tenant string   `json:"tenant,omitempty"`
	By     string   `json:"by"`    // "fingerprint" or "component"
	Value  string   `json:"value"` // that they share
	IDs    []string `json:"incidents"`

	First time.Time `json:"first"` // when the first of them was noticed
	Last  time.Time `json:"last"`  // and the last

	// Problem is the id of the open problem on record to which they belong; ""
	// if there is none, so that one should be opened.
	Problem string `json:"problem,omitempty"`
	Why     string `json:"why"`
}

// Recurring returns the problems that the incidents suggest: enough of them with
// one fingerprint, or of one component, within the time. All incidents of a chain
// of such groups are one suggestion, and a component of whose incidents each is in
// a suggestion by fingerprint is not suggested again. Cancelled and merged
// incidents, and those of which no instant is known, do not count.
//
// The order of the records and repetitions of them do not matter; suggestions are
// ordered by tenant, then fingerprints before components, then by value and
// begin. The cost is that of sorting. The error says which option is out of range.
func Recurring(records []Record, o RecurrenceOptions) ([]Suggestion, error) {
	o.Count, o.Within = cmp.Or(o.Count, 3), cmp.Or(o.Within, 30*24*time.Hour)
	if o.Count < 2 || o.Within < 0 {
		return nil, fmt.Errorf("recurring incidents: %d within %v, want at least 2 within 0 or more", o.Count, o.Within)
	}
	suggested := map[name]bool{}
	var out []Suggestion
	for _, by := range []string{"fingerprint", "component"} {
		for _, s := range recurring(records, by, o) {
			if by == "component" && !slices.ContainsFunc(s.IDs, func(id string) bool { return !suggested[name{s.Tenant, id}] }) {
				continue
			}
			for _, id := range s.IDs {
				suggested[name{s.Tenant, id}] = true
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int { return strings.Compare(a.Tenant, b.Tenant) })
	return out, nil
}

// sighting is an incident that shares a trait with others.
type sighting struct {
	trait string
	at    time.Time
	*Record
}

func recurring(records []Record, by string, o RecurrenceOptions) []Suggestion {
	var all []sighting
	for i := range records {
		s := sighting{at: records[i].noticed(), trait: records[i].Fingerprint, Record: &records[i]}
		if by == "component" {
			s.trait = s.Component
		}
		if s.trait != "" && !s.at.IsZero() && s.Status != Cancelled && s.Status != Merged {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b sighting) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.trait, b.trait), a.at.Compare(b.at), strings.Compare(a.ID, b.ID))
	})
	all = slices.CompactFunc(all, func(a, b sighting) bool { return a.ID == b.ID && a.Tenant == b.Tenant })
	var out []Suggestion
	for len(all) > 0 {
		same := func(s sighting) bool { return s.Tenant == all[0].Tenant && s.trait == all[0].trait }
		end := slices.IndexFunc(all, func(s sighting) bool { return !same(s) })
		if end < 0 {
			end = len(all)
		}
		for _, chain := range chains(all[:end], o) {
			out = append(out, suggestion(chain, by, o))
		}
		all = all[end:]
	}
	return out
}

// chains returns the runs in which every incident is in a group of o.Count within
// the time, and neighbouring groups share an incident.
func chains(all []sighting, o RecurrenceOptions) [][]sighting {
	var out [][]sighting
	first, last := 0, -1 // of the run that is being built
	for i := range len(all) - o.Count + 1 {
		if all[i+o.Count-1].at.Sub(all[i].at) > o.Within {
			continue
		}
		if i > last {
			if last >= 0 {
				out = append(out, all[first:last+1])
			}
			first = i
		}
		last = i + o.Count - 1
	}
	if last >= 0 {
		out = append(out, all[first:last+1])
	}
	return out
}

func suggestion(chain []sighting, by string, o RecurrenceOptions) Suggestion {
	first, last := chain[0], chain[len(chain)-1]
	s := Suggestion{Tenant: first.Tenant, By: by, Value: first.trait, First: first.at, Last: last.at}
	for _, c := range chain {
		s.IDs = append(s.IDs, c.ID)
		if i := slices.IndexFunc(o.Problems, func(p Problem) bool { return !p.State.Ended() && p.covers(c.Record) }); i >= 0 && s.Problem == "" {
			s.Problem = o.Problems[i].ID
		}
	}
	s.Why = fmt.Sprintf("%d incidents with the %s %q from %s to %s, at least %d within %s",
		len(chain), by, s.Value, s.First.UTC().Format(time.DateOnly), s.Last.UTC().Format(time.DateOnly), o.Count, days(o.Within))
	if s.Problem != "" {
		s.Why += fmt.Sprintf("; they belong to problem %q", s.Problem)
	}
	return s
}

func days(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}
