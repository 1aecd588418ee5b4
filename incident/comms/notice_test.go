package comms_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

func TestStatusPage(t *testing.T) {
	s := state(incident.P1)
	s.DetectedBy, s.Domain, s.Flags = incident.ByMonitor, "databases", []incident.Flag{incident.SecurityFlag}
	s.Updates = []incident.Update{{Key: "b", At: after(30), Text: "We go back to the version of yesterday."}, {Key: "a", At: after(10), Text: "Logins fail."}}
	s.Status, s.Resolution, s.Times.Resolved = incident.InReview, "Logins work again.", after(65)
	n, ok := comms.StatusPage(s)
	if !ok {
		t.Fatal("StatusPage = false")
	}
	const text = `user_api: user authentication is down (critical, resolved)
Since 2026-03-02 11:00:00 UTC, over 2026-03-02 12:05:00 UTC after 1 hour 5 minutes

2026-03-02 12:05:00 UTC
Logins work again.

2026-03-02 11:30:00 UTC
We go back to the version of yesterday.

2026-03-02 11:10:00 UTC
Logins fail.

2026-03-02 11:00:00 UTC
We are looking into it.
`
	if got := n.String(); got != text {
		t.Errorf("notice = %s\nwant %s", got, text)
	}
	for status, want := range map[incident.Status]comms.NoticeStatus{
		incident.Triage: "", incident.Open: comms.Investigating, incident.Acknowledged: comms.Investigating,
		incident.Mitigated: comms.Monitoring, incident.Resolved: comms.Over, incident.Closed: comms.Over, incident.Cancelled: comms.Over, incident.Merged: comms.Over,
	} {
		s.Status = status
		if n, ok := comms.StatusPage(s); n.Status != want || ok != (want != "") || n.Ended.IsZero() == (want == comms.Over) {
			t.Errorf("%s: StatusPage = %q until %v, %v, want %q", status, n.Status, n.Ended, ok, want)
		}
	}
}
