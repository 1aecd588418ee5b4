package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestChannelsOfP1 is the example of the operations guide: a P1 goes by e-mail, SMS and
// Slack; Sarah Chen has an e-mail address and a phone, Mike Johnson an e-mail address,
// nobody one in Slack. A channel without contact method is skipped and reported, and
// no error for the others.
func TestChannelsOfP1(t *testing.T) {
	people := []notify.Person{
		notify.PersonOf(comms.Stakeholder{Name: "Sarah Chen", Contact: map[string]string{"email": "sarah@example.com", "phone": "+15005550001"}}),
		notify.PersonOf(comms.Stakeholder{ID: "mike", Name: "Mike Johnson", Contact: map[string]string{"email": "mike@example.com"}}),
	}
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{})
	senders := notify.Senders{
		comms.Email: opportune().client(t, notify.EmailConfig{}), comms.SMS: smsTo(t, account),
		comms.Slack: slackTo(t, adaptertest.NewSlack(unlimited()), nil),
	}
	m := note()
	m.Subject, m.To = "[P1 CRITICAL] user_api - INC-2024-001", notify.Targets(people, comms.Email, comms.SMS, comms.Slack)
	var got []string
	for _, r := range senders.Send(t.Context(), m) {
		got = append(got, fmt.Sprintf("%s by %s: %s %s", r.Recipient, r.Channel, r.State, r.Reason))
	}
	want := []string{
		"Sarah Chen by email: delivered ",
		"Sarah Chen by sms: delivered ",
		"Sarah Chen by slack: skipped no address",
		"mike by email: delivered ",
		"mike by sms: skipped no address",
		"mike by slack: skipped no address",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("results\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPreferences: the order of the person counts, and what is not wanted is no target.
func TestPreferences(t *testing.T) {
	p := notify.Person{
		ID: "p", Name: "P", Contact: map[string]string{"email": "e", "phone": "f", "slack": "s", "pager": "g"},
		Channels: []comms.Channel{notify.Voice, comms.Slack, comms.Email, "pager"},
	}
	var got []string
	for _, target := range p.Targets(comms.Email, comms.SMS, comms.Slack, notify.Voice) {
		if target.Recipient != "p" || target.Name != "P" {
			t.Errorf("target %+v", target)
		}
		got = append(got, string(target.Channel)+" "+target.Address)
	}
	if want := "voice f,slack s,email e"; strings.Join(got, ",") != want {
		t.Errorf("targets %q, want %s", got, want)
	}
	if p.Channels = nil; len(p.Targets("pager")) != 1 || p.Targets("pager")[0].Address != "g" {
		t.Errorf("targets %+v", p.Targets("pager"))
	}
}
