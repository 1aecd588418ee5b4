package support

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/incident"
)

// Vendor is what has to be known of a supplier before its help is needed.
type Vendor struct {
	Name string `json:"name"`

	// Procedure is how an incident is raised there.
	Procedure string `json:"procedure"`

	// PriorityQueue is how a request gets into the queue of urgent ones.
	PriorityQueue string `json:"priority_queue"`

	// ResponseMinutes is what its contract promises, in elapsed minutes from the
	// raising of the incident, by severity. P1 is required.
	ResponseMinutes map[incident.Severity]int `json:"response_minutes"`

	// SupportEnds is the date like "2027-06-30" after which it does not help any
	// more. Defaults to none.
	SupportEnds string `json:"support_ends,omitempty"`
}

func (v Vendor) check(p problem.List) {
	for _, field := range []struct{ name, value, want string }{
		{"name", v.Name, "a name"},
		{"procedure", v.Procedure, "how an incident is raised"},
		{"priority_queue", v.PriorityQueue, "how a request gets into it"},
	} {
		if field.value == "" {
			p.At("%s", field.name).Add("", field.want)
		}
	}
	if _, ok := v.ResponseMinutes[incident.P1]; !ok {
		p.At(`response_minutes["P1"]`).Add("", "what the contract promises")
	}
	for _, s := range slices.Sorted(maps.Keys(v.ResponseMinutes)) {
		if n := v.ResponseMinutes[s]; !s.IsSet() || n < 1 || n > maxMinutes {
			p.At("response_minutes[%q]", s).Add(strconv.Itoa(n), "1 to 525600, for P1 to P4")
		}
	}
	if v.SupportEnds != "" {
		p.At("support_ends").Date(v.SupportEnds)
	}
}

// ResponseDue returns until when the vendor has promised to respond to an incident
// that is raised at an instant; ok is false where it has promised nothing.
func (v Vendor) ResponseDue(severity incident.Severity, raised time.Time) (due time.Time, ok bool) {
	minutes, ok := v.ResponseMinutes[severity]
	if !ok {
		return time.Time{}, false
	}
	return raised.Add(time.Duration(minutes) * time.Minute), true
}
