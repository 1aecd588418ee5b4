package comms_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestPreview shows everybody of a service, those who are told and those who are
// not; and what is shown is what is sent.
func TestPreview(t *testing.T) {
	nowhere := person("own", comms.BusinessOwner)
	nowhere.Contact = map[string]string{"phone": "+15550101"}
	plan := newPlan(t, comms.Config{
		Stakeholders: []comms.Stakeholder{sarah(), mike(), nowhere, person("spo", comms.ExecutiveSponsor)},
		Rooms:        []comms.Room{{Channel: comms.Slack, Address: "#ops"}, {Channel: comms.Webhook, Address: "https://hook.example"}},
	})
	night := time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC)
	list := func(s incident.State) (out []string) {
		for _, p := range plan.Preview(s, night) {
			for _, m := range p.Messages {
				out = append(out, fmt.Sprintf("%s %s %s %s", p.ID, m.Type, m.Channel, m.Due.Format("15:04")))
			}
			for _, q := range p.Silences {
				out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s no %s %s: %s", p.ID, q.Type, q.Channel, q.Why)), " "))
			}
		}
		return out
	}
	wanted := []string{
		":slack:#ops initial slack 22:00", ":slack:#ops update slack 22:00", ":slack:#ops resolution slack 22:00",
		":webhook:https://hook.example no initial : no template about P2 goes to the channel",
		"Mike Johnson initial email 09:00", "Mike Johnson resolution email 09:00", "Mike Johnson no update : updates are not wanted",
		"Sarah Chen initial email 22:00", "Sarah Chen update email 22:00", "Sarah Chen resolution email 22:00",
		"own no initial : no address on a channel of the template", "own no update : no address on a channel of the template",
		"own no resolution : no address on a channel of the template",
		"spo no initial : the role is not told about P2",
	}
	if got := list(state(incident.P2)); !slices.Equal(got, wanted) {
		t.Errorf("Preview of a P2 = %q\nwant %q", got, wanted)
	}
	got := list(state(incident.P1))
	if !slices.Contains(got, "own no initial email: no address") || !slices.Contains(got, "own initial sms 22:00") || !slices.Contains(got, "Mike Johnson initial email 22:00") {
		t.Errorf("Preview of a P1 = %q", got)
	}

	previews := plan.Preview(withNews(state(incident.P1), "we know why"), night)
	for _, sent := range apply(t, plan.Open("acme", "INC-2024-001"), withNews(state(incident.P1), "we know why"), night) {
		i := slices.IndexFunc(previews, func(p comms.Preview) bool { return p.ID == sent.Recipient })
		if !slices.ContainsFunc(previews[i].Messages, func(m comms.Message) bool { return reflect.DeepEqual(m, sent) }) {
			t.Errorf("sent %+v, previewed %+v", sent, previews[i].Messages)
		}
	}
}
