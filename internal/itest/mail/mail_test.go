package mail

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/notify/notifytest"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

// people are the two of the operations guide, with reserved addresses.
func people() []comms.Stakeholder {
	return []comms.Stakeholder{
		{
			Service: "user_api", Name: "Sarah Chen", Role: comms.TechnicalContact,
			Contact:     map[string]string{"email": "sarah@example.com", "phone": "+15550100"},
			Preferences: comms.Preferences{Immediate: true, Updates: true}, EscalationDelayMinutes: 30,
		},
		{
			Service: "user_api", Name: "Mike Johnson", Role: comms.BusinessOwner, Contact: map[string]string{"email": "mike@example.com"},
			Preferences: comms.Preferences{Immediate: true}, EscalationDelayMinutes: 60, BusinessHoursOnly: true,
		},
	}
}

// outage is the incident of the operations guide.
func outage() incident.State {
	return incident.State{
		Tenant: "acme", ID: "INC-2024-001", Status: incident.Open, Severity: incident.P1, Title: "user authentication is down",
		Services: []string{"user_api"}, Times: incident.Times{Created: start}, Roles: map[incident.Role][]string{incident.Lead: {"lea"}},
	}
}

// step applies a state and puts what is to be said into the outbox, in one transaction with the thread.
func step(t *testing.T, s *sqlstore.Store, thread *comms.Thread, ledger *comms.Ledger, state incident.State, at time.Time) {
	t.Helper()
	if err := thread.Apply(state, at); err != nil {
		t.Fatal(err)
	}
	messages := thread.Step(at)
	ledger.Add(messages...)
	outbox, err := tasks(messages)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "acme", Outbox: outbox, At: at}); err != nil {
		t.Fatal(err)
	}
}

// TestP1 mails the worked example of the operations guide, from the first message to the resolution, and compares what arrives byte
// for byte.
func TestP1(t *testing.T) {
	mailbox := server(t, "")
	plan, err := comms.New(comms.Config{Stakeholders: people()})
	if err != nil {
		t.Fatal(err)
	}
	s, thread, ledger := store(t, path(t)), plan.Open("acme", "INC-2024-001"), &comms.Ledger{}
	senders := notify.Senders{comms.Email: client(t, mailbox, nil)} // none for SMS

	step(t, s, thread, ledger, outage(), start)
	emptied(t, s, senders, ledger)
	told := outage()
	told.Updates = []incident.Update{{Key: "u1", At: start.Add(10 * time.Minute), Text: "The pool of connections is full.\n.\nWe restart — ½ done."}}
	step(t, s, thread, ledger, told, start.Add(10*time.Minute))
	emptied(t, s, senders, ledger)
	told.Status, told.Resolution, told.Times.Resolved = incident.Resolved, "Restarted.", start.Add(25*time.Minute)
	step(t, s, thread, ledger, told, start.Add(25*time.Minute))
	emptied(t, s, senders, ledger)

	// Message-IDs: printf 'message\0KEY' | sha256sum | cut -c1-32, and printf 'thread\0"acme"/"INC-2024-001"'.
	const tail = `In-Reply-To: <d64c14974ca580d7b739c4a71711a78e@example.com>
References: <d64c14974ca580d7b739c4a71711a78e@example.com>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

`
	const first = `Subject: [P1 CRITICAL] user_api - INC-2024-001
Message-ID: <ID@example.com>
` + tail + `user_api has a P1 incident, INC-2024-001, as of 2026-03-02 11:00:00 UTC.
user authentication is down
We report every 15 minutes; expect the next news by 2026-03-02 11:15:00 UTC=
.
`
	const last = `Subject: [P1 resolved] user_api - INC-2024-001
Message-ID: <ID@example.com>
` + tail + `INC-2024-001 on user_api (P1) is over since 2026-03-02 11:25:00 UTC. It too=
k 25 minutes.
Restarted.
`
	head := func(at, to string) string {
		return "Date: Mon, 02 Mar 2026 " + at + " +0000\nFrom: \"Operations\" <ops@example.com>\nTo: " + to + "\n"
	}
	const sarah, mike = `"Sarah Chen" <sarah@example.com>`, `"Mike Johnson" <mike@example.com>`
	want := map[string]string{ // by recipient and time
		"sarah@example.com 11:00:00": head("11:00:00", sarah) + strings.Replace(first, "<ID@", "<39fa0926e8eac3d98ae42b53daa22610@", 1),
		"mike@example.com 11:00:00":  head("11:00:00", mike) + strings.Replace(first, "<ID@", "<2686e5eb8b558e8b27b2020cc3381106@", 1),
		"sarah@example.com 11:10:00": head("11:10:00", sarah) + `Subject: [P1 update] user_api - INC-2024-001
Message-ID: <3b34969ef82c920b1d44f000c68877a5@example.com>
` + tail + `INC-2024-001 on user_api (P1) after 10 minutes, 2026-03-02 11:10:00 UTC:
The pool of connections is full.
.
We restart =E2=80=94 =C2=BD done.
Expect the next news by 2026-03-02 11:25:00 UTC.
`,
		"sarah@example.com 11:25:00": head("11:25:00", sarah) + strings.Replace(last, "<ID@", "<c9ad2cd1f373e67bab4ea1ed56bf920e@", 1),
		"mike@example.com 11:25:00":  head("11:25:00", mike) + strings.Replace(last, "<ID@", "<c9e39ab8c639be0a01a04b4ae9e9c518@", 1),
	}
	exact := 0
	for _, r := range received(t, mailbox) {
		if len(r.To) != 1 || r.From != "ops@example.com" || !r.TLS || !r.Login || slices.Contains(r.Options, "SMTPUTF8") {
			t.Errorf("received %+v, want one recipient, TLS and a login", r)
			continue
		}
		key := r.To[0] + " " + strings.Fields(header(r, "Date"))[4]
		if string(r.Text) != strings.ReplaceAll(want[key], "\n", "\r\n") {
			t.Errorf("mail to %s:\n%s\nwant\n%s", key, r.Text, want[key])
		} else {
			exact++
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("no mail to %s", key)
	}

	// The record says who was told what, when, and on which channel.
	var record []string
	for _, d := range ledger.Deliveries("") {
		record = append(record, strings.Join([]string{d.At.Format("15:04"), string(d.Type), d.Recipient, string(d.Channel), string(d.Outcome)}, " "))
	}
	if wanted := []string{
		"11:00 initial Mike Johnson email delivered", "11:00 initial Sarah Chen email delivered", "11:00 initial Sarah Chen sms failed",
		"11:10 update Sarah Chen email delivered", "11:10 update Sarah Chen sms failed",
		"11:25 resolution Mike Johnson email delivered", "11:25 resolution Sarah Chen email delivered", "11:25 resolution Sarah Chen sms failed",
	}; !slices.Equal(record, wanted) {
		t.Errorf("record = %q, want %q", record, wanted)
	}
	counts, err := s.Outbox().Count(t.Context(), "acme")
	if err != nil || counts.Done != 5 || counts.Dead != 3 {
		t.Errorf("outbox %+v, %v, want 5 done and the 3 texts dead", counts, err)
	}
	t.Logf("mail: %d of 5 mails as expected, byte for byte", exact)
}

func TestConformance(t *testing.T) {
	notifytest.Test(t, func(t *testing.T) notifytest.Channel {
		t.Helper()
		mailbox := server(t, "")
		return notifytest.Channel{
			Sender: client(t, mailbox, nil), Name: comms.Email,
			Good: []string{"a@example.com", "b@example.com"}, Gone: "gone@example.com", Busy: "busy@example.com",
			Taken: func(t *testing.T) (n int) {
				t.Helper()
				for _, r := range received(t, mailbox) {
					n += len(r.To)
				}
				return n
			},
		}
	})
}

// TestRecipients: a refusal for good, a refusal for now and a delivery in one message; then only the one that waits.
func TestRecipients(t *testing.T) {
	mailbox := server(t, "")
	mailer := client(t, mailbox, nil)
	m := notify.Message{Key: "k", Subject: "s", Text: "b"}
	for _, a := range []string{"gone@example.com", "a@example.com", "busy@example.com", "b@example.com", "jürgen@example.com"} {
		m.To = append(m.To, notify.Target{Channel: comms.Email, Address: a})
	}
	results := mailer.Send(t.Context(), m)
	want := []notify.State{notify.Permanent, notify.Delivered, notify.Temporary, notify.Delivered, notify.Delivered}
	for i, r := range results {
		if r.State != want[i] {
			t.Errorf("%s: %+v, want %s", r.Address, r, want[i])
		}
	}
	results = mailer.Send(t.Context(), m.Remaining(results))
	if len(results) != 1 || results[0].State != notify.Delivered || results[0].Address != "busy@example.com" {
		t.Errorf("second attempt: %+v", results)
	}
	all := received(t, mailbox)
	if len(all) != 2 || !slices.Equal(all[0].To, []string{"a@example.com", "b@example.com", "jürgen@example.com"}) || !slices.Equal(all[1].To, []string{"busy@example.com"}) ||
		!slices.Contains(all[0].Options, "SMTPUTF8") || slices.Contains(all[1].Options, "SMTPUTF8") {
		t.Errorf("received %+v", all)
	}
	if header(all[0], "Message-ID") != header(all[1], "Message-ID") {
		t.Error("the second attempt has another Message-ID")
	}
}

// TestRetry: the outbox tries again what was refused for now, and gives up what was refused for good.
func TestRetry(t *testing.T) {
	mailbox := server(t, "")
	s, ledger := store(t, path(t)), &comms.Ledger{}
	var messages []comms.Message
	for _, who := range []string{"busy", "full", "gone", "fine"} {
		messages = append(messages, comms.Message{
			Key: "acme/INC-1/1/initial/1/" + who + "/email", Tenant: "acme", Incident: "INC-1", Recipient: who, Channel: comms.Email,
			Address: who + "@example.com", Subject: "s", Body: "b", Due: start, At: start,
		})
	}
	ledger.Add(messages...)
	outbox, err := tasks(messages)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Outbox().Schedule(t.Context(), outbox...); err != nil {
		t.Fatal(err)
	}
	emptied(t, s, notify.Senders{comms.Email: client(t, mailbox, nil)}, ledger)
	for who, want := range map[string]struct {
		outcome  comms.Outcome
		attempts int
		detail   string
	}{
		"busy": {comms.Delivered, 2, ""}, "full": {comms.Delivered, 2, ""}, "fine": {comms.Delivered, 1, ""}, "gone": {comms.Failed, 1, "550 5.1.1 no such user"},
	} {
		if d := ledger.Deliveries(who); len(d) != 1 || d[0].Outcome != want.outcome || d[0].Attempts != want.attempts || !strings.HasSuffix(d[0].Detail, want.detail) {
			t.Errorf("%s: %+v, want %+v", who, d, want)
		}
	}
	if got := ledger.Told(); !slices.Equal(got, []string{"busy", "fine", "full"}) || len(received(t, mailbox)) != 3 {
		t.Errorf("told %q by %d mails", got, len(received(t, mailbox)))
	}
}

// TestLogin: both mechanisms, a wrong password, and no login at all.
func TestLogin(t *testing.T) {
	m := notify.Message{Key: "k", Subject: "s", Text: "b", To: []notify.Target{{Channel: comms.Email, Address: "a@example.com"}}}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		mailbox := server(t, mechanism)
		if r := client(t, mailbox, nil).Send(t.Context(), m)[0]; r.State != notify.Delivered {
			t.Errorf("%s: %+v", mechanism, r)
		}
		for name, change := range map[string]struct {
			spoil func(*notify.EmailConfig)
			op    notify.Op
			code  int
		}{
			"wrong password": {func(c *notify.EmailConfig) { c.Password = adapters.NewSecret("other") }, notify.Auth, 535},
			"no login":       {func(c *notify.EmailConfig) { c.Username, c.Password = "", adapters.Secret{} }, notify.From, 530},
			"no TLS":         {func(c *notify.EmailConfig) { c.Security, c.Username, c.Password = notify.NoTLS, "", adapters.Secret{} }, notify.From, 530},
			"system roots":   {func(c *notify.EmailConfig) { c.TLS = nil }, notify.TLS, 0},
		} {
			var e *notify.Error
			r := client(t, mailbox, change.spoil).Send(t.Context(), m)[0]
			if r.State != notify.Temporary || !errors.As(r.Err, &e) || e.Op != change.op || e.Code != change.code || strings.Contains(r.Reason, "other") {
				t.Errorf("%s, %s: %+v, want it to wait after %s %d", mechanism, name, r, change.op, change.code)
			}
		}
		if n := len(received(t, mailbox)); n != 1 {
			t.Errorf("%s: %d mails, want 1", mechanism, n)
		}
	}
}

// TestAnswerLost: the server takes a mail and never says so. It is sent again, with the same Message-ID.
func TestAnswerLost(t *testing.T) {
	mailbox := server(t, "")
	mailer := client(t, mailbox, nil)
	m := notify.Message{Key: "k", Subject: "s", Text: "b", To: []notify.Target{{Channel: comms.Email, Address: "slow@example.com"}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	first := mailer.Send(ctx, m)[0]
	if first.State != notify.Temporary || !first.MayHaveArrived || !errors.Is(first.Err, context.DeadlineExceeded) {
		t.Errorf("first = %+v, want it to wait and perhaps to have arrived", first)
	}
	if second := mailer.Send(t.Context(), m)[0]; second.State != notify.Delivered || second.ID != first.ID {
		t.Errorf("second = %+v, want it delivered as %s", second, first.ID)
	}
	all := received(t, mailbox)
	if len(all) != 2 || header(all[0], "Message-ID") != first.ID || header(all[1], "Message-ID") != first.ID {
		t.Errorf("received %+v, want two mails %s", all, first.ID)
	}
}

// TestInjection: what people write into an incident becomes neither a header, nor a command, nor a template, nor markup.
func TestInjection(t *testing.T) {
	mailbox := server(t, "")
	const evil = "down {incident_id} {{.secret}}\r\nBcc: evil@example.com\r\n\r\n.\r\nQUIT\r\n<script>alert(1)</script>"
	templates := map[string]comms.Template{
		"text": {Subject: "{service_name}: {description}", Body: "{description}"},
		"html": {Subject: "{description}", Body: "<p>{description}</p>", HTML: true},
		"go":   {Subject: "{{.description}}", Body: "{{.description}}", Syntax: comms.GoTemplate},
	}
	want := map[string]string{
		"text": evil, "go": evil,
		"html": "<p>down {incident_id} {{.secret}}\r\nBcc: evil@example.com\r\n\r\n.\r\nQUIT\r\n&lt;script&gt;alert(1)&lt;/script&gt;</p>",
	}
	for name, tpl := range templates {
		tpl.Severity, tpl.Type, tpl.Channels = incident.P1, comms.Initial, []comms.Channel{comms.Email}
		plan, err := comms.New(comms.Config{Stakeholders: people()[:1], Templates: []comms.Template{tpl}})
		if err != nil {
			t.Fatal(err)
		}
		state := outage()
		state.ID, state.Title = "INC-"+name, evil
		thread := plan.Open("acme", state.ID)
		if err := thread.Apply(state, start); err != nil {
			t.Fatal(err)
		}
		before := len(received(t, mailbox))
		r := client(t, mailbox, nil).Send(t.Context(), notify.MessageOf(thread.Step(start)[0]))[0]
		all := received(t, mailbox)
		if r.State != notify.Delivered || len(all) != before+1 {
			t.Fatalf("%s: %+v, %d mails", name, r, len(all)-before)
		}
		got := all[before]
		if !slices.Equal(got.To, []string{"sarah@example.com"}) || header(got, "Bcc") != "" || !strings.Contains(subject(t, got), "down {incident_id} {{.secret}} Bcc: evil@example.com") {
			t.Errorf("%s: received %q", name, got.Text)
		}
		if text := body(t, got); text != want[name]+"\r\n" {
			t.Errorf("%s: text %q, want %q", name, text, want[name])
		}
	}
	// The door of the adapter is closed, too.
	before := len(received(t, mailbox))
	for _, m := range []notify.Message{
		{Key: "k", Subject: "a\r\nBcc: evil@example.com", Text: "b", To: []notify.Target{{Channel: comms.Email, Address: "a@example.com"}}},
		{Key: "k", Subject: "a", Text: "b", To: []notify.Target{{Channel: comms.Email, Address: "a@example.com", Name: "a\r\nBcc: evil@example.com"}}},
		{Key: "k", Subject: "a", Text: "b", To: []notify.Target{{Channel: comms.Email, Address: "a@example.com>\r\nRCPT TO:<evil@example.com"}}},
	} {
		var bad *notify.InputError
		if r := client(t, mailbox, nil).Send(t.Context(), m)[0]; r.State != notify.Permanent || !errors.As(r.Err, &bad) {
			t.Errorf("%+v: %+v, want it refused", m, r)
		}
	}
	if n := len(received(t, mailbox)) - before; n != 0 {
		t.Errorf("%d mails of refused messages", n)
	}
}
