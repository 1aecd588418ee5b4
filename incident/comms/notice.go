package comms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Notice is what a status page may say in public about an incident: its title,
// the services, the news and the end. Persons, causes and flags are not in it.
type Notice struct {
	Incident string        `json:"incident"`
	Title    string        `json:"title"`
	Severity string        `json:"impact"` // "critical", "high", "medium" or "low"
	Status   NoticeStatus  `json:"status"`
	Services []string      `json:"services"`
	Started  time.Time     `json:"began"`
	Ended    time.Time     `json:"ended,omitzero"`
	Entries  []NoticeEntry `json:"entries"` // latest first
}

// NoticeStatus is where an incident stands for the public, in the usual words of
// status pages. "Identified" is not among them: that a cause was found is not in
// the lifecycle of an incident.
type NoticeStatus string

// The statuses of notices.
const (
	Investigating NoticeStatus = "investigating"
	Monitoring    NoticeStatus = "monitoring" // the impact is over, the cause is not removed
	Over          NoticeStatus = "resolved"
)

// NoticeEntry is one text of a notice.
type NoticeEntry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// StatusPage returns the notice about an incident. ok is false for one that is not
// declared, or was called off before it was.
func StatusPage(s incident.State) (n Notice, ok bool) {
	if s.Status == "" || s.Status == incident.Triage || s.Times.Created.IsZero() {
		return Notice{}, false
	}
	n = Notice{
		Incident: s.ID, Title: s.Title, Severity: effective(s.Severity).Word(), Status: Investigating,
		Services: slices.Clone(s.Services), Started: begun(s).UTC(),
	}
	switch {
	case s.Status == incident.Mitigated:
		n.Status = Monitoring
	case !s.Status.Active():
		n.Status, n.Ended = Over, ended(s).UTC()
	}
	n.Entries = append(n.Entries, NoticeEntry{At: s.Times.Created.UTC(), Text: "We are looking into it."})
	for _, u := range s.Updates {
		n.Entries = append(n.Entries, NoticeEntry{At: u.At.UTC(), Text: u.Text})
	}
	if text := english.ending(s); n.Status == Over && text != "" {
		n.Entries = append(n.Entries, NoticeEntry{At: n.Ended, Text: text})
	}
	slices.SortStableFunc(n.Entries, func(a, b NoticeEntry) int { return a.At.Compare(b.At) })
	slices.Reverse(n.Entries)
	return n, true
}

// String returns the notice as plain text, with instants in UTC. It escapes
// nothing.
func (n Notice) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s, %s)\n", english.services(n.Services), n.Title, n.Severity, n.Status)
	fmt.Fprintf(&b, "Since %s", english.stamp(n.Started, time.UTC))
	if !n.Ended.IsZero() {
		fmt.Fprintf(&b, ", over %s after %s", english.stamp(n.Ended, time.UTC), english.elapsed(n.Started, n.Ended))
	}
	b.WriteByte('\n')
	for _, e := range n.Entries {
		fmt.Fprintf(&b, "\n%s\n%s\n", english.stamp(e.At, time.UTC), e.Text)
	}
	return b.String()
}
