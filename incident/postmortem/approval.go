package postmortem

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// approval tells of a request or a decision, with what was to be done. A decision
// that did not count, such as that of whoever had asked, is told as one.
func approval(s incident.State, e incident.Event) string {
	a, asked := incident.Approval{}, false
	if i := slices.IndexFunc(s.Approvals, func(a incident.Approval) bool { return a.Ref == e.Ref }); i >= 0 {
		a, asked = s.Approvals[i], true
	}
	text := verbs[e.Kind] + ": " + cmp.Or(a.Text, e.Ref)
	if e.Kind == incident.AskApproval {
		return text
	}
	if e.Text != "" {
		text += ", because: " + e.Text
	}
	switch {
	case asked && e.Actor == a.AskedBy:
		text += " (did not count: by whoever had asked)"
	case a.DecidedBy == "":
		text += " (did not count: nobody had asked)"
	case a.DecidedBy != e.Actor || !a.Decided.Equal(e.At) || a.Granted != (e.Kind == incident.Approve):
		text += " (did not count: it was decided already)"
	}
	return text
}

var verbs = map[incident.Kind]string{incident.AskApproval: "approval asked for", incident.Approve: "approved", incident.Refuse: "refused"}

// resumed tells of the end of a hold, and how long it was.
func resumed(s incident.State, at time.Time) string {
	holds := slices.Clone(s.Waits)
	for _, h := range s.Holds {
		holds = append(holds, h.Interval)
	}
	for _, h := range holds {
		if h.End.Equal(at) {
			return "no longer on hold, after " + threshold.FormatDuration(h.Duration())
		}
	}
	return "not on hold"
}
