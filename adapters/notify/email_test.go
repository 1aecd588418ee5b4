package notify_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/notify/notifytest"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

// note is a message to addresses of e-mail.
func note(addresses ...string) notify.Message {
	m := notify.Message{Key: "k", Thread: "t", Subject: "s", Text: "b", At: start}
	for _, a := range addresses {
		m.To = append(m.To, notify.Target{Recipient: a, Channel: comms.Email, Address: a})
	}
	return m
}

// opportune is a server with TLS and both ways to log in.
func opportune() *fake {
	return &fake{before: []string{"STARTTLS", "8BITMIME"}, after: []string{"8BITMIME", "AUTH LOGIN PLAIN"}}
}

func states(results []notify.Result) (out []notify.State) {
	for _, r := range results {
		out = append(out, r.State)
	}
	return out
}

// TestP1 is the worked example of the operations guide, from the plan to the bytes.
func TestP1(t *testing.T) {
	plan, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{{
		Name: "Sarah Chen", Role: comms.TechnicalContact, Contact: map[string]string{"email": "sarah@example.com"}, Preferences: comms.Preferences{Immediate: true},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	thread := plan.Open("acme", "INC-2024-001")
	if err := thread.Apply(incident.State{
		Tenant: "acme", ID: "INC-2024-001", Status: incident.Open, Severity: incident.P1, Title: "user authentication is down",
		Services: []string{"user_api"}, Times: incident.Times{Created: start},
	}, start); err != nil {
		t.Fatal(err)
	}
	f := opportune()
	mailer := f.client(t, notify.EmailConfig{Username: "ops", Password: adapters.NewSecret("s3cret")})
	results := mailer.Send(t.Context(), notify.MessageOf(thread.Step(start)[0]))
	if r := results[0]; len(results) != 1 || r.State != notify.Delivered || r.Err != nil || r.Recipient != "Sarah Chen" || r.Outcome() != comms.Delivered {
		t.Fatalf("Send = %+v", results)
	}
	// printf 'message\0acme/INC-2024-001/1/initial/1/Sarah Chen/email' | sha256sum | cut -c1-32, and
	// printf 'thread\0"acme"/"INC-2024-001"' for the thread.
	const text = `Date: Mon, 02 Mar 2026 11:00:00 +0000
From: "Operations" <ops@example.com>
To: "Sarah Chen" <sarah@example.com>
Subject: [P1 CRITICAL] user_api - INC-2024-001
Message-ID: <39fa0926e8eac3d98ae42b53daa22610@example.com>
In-Reply-To: <d64c14974ca580d7b739c4a71711a78e@example.com>
References: <d64c14974ca580d7b739c4a71711a78e@example.com>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

user_api has a P1 incident, INC-2024-001, as of 2026-03-02 11:00:00 UTC.
user authentication is down
We report every 15 minutes; expect the next news by 2026-03-02 11:15:00 UTC=
.
`
	want := mailbox{"MAIL FROM:<ops@example.com>", []string{"RCPT TO:<sarah@example.com>"}, strings.ReplaceAll(text, "\n", "\r\n")}
	if got := f.mails; len(got) != 1 || got[0].from != want.from || !slices.Equal(got[0].to, want.to) || got[0].text != want.text {
		t.Errorf("mails = %q\nwant %q", got, want)
	}
	if results[0].ID != "<39fa0926e8eac3d98ae42b53daa22610@example.com>" {
		t.Errorf("ID = %s", results[0].ID)
	}
	if got := f.commands[:4]; !slices.Equal(got, []string{"EHLO example.com", "STARTTLS", "EHLO example.com", "AUTH PLAIN AG9wcwBzM2NyZXQ="}) {
		t.Errorf("commands = %q", got)
	}
}

func TestConformance(t *testing.T) {
	notifytest.Test(t, func(t *testing.T) notifytest.Channel {
		t.Helper()
		f := opportune()
		var mu sync.Mutex // guards asked
		asked := 0
		f.answer = func(line string) string {
			mu.Lock()
			defer mu.Unlock()
			switch line {
			case "RCPT TO:<gone@example.com>":
				return "550 no such user"
			case "RCPT TO:<busy@example.com>":
				if asked++; asked <= 2 { // it is asked twice for each command
					return "451 later"
				}
			}
			return ""
		}
		return notifytest.Channel{
			Sender: f.client(t, notify.EmailConfig{}), Name: comms.Email,
			Good: []string{"a@example.com", "b@example.com"}, Gone: "gone@example.com", Busy: "busy@example.com",
			Taken: func(*testing.T) (n int) {
				f.mu.Lock()
				defer f.mu.Unlock()
				for _, m := range f.mails {
					n += len(m.to)
				}
				return n
			},
		}
	})
}

// TestEachRecipient: what the server says of one does not touch the others.
func TestEachRecipient(t *testing.T) {
	f := opportune()
	f.answer = func(line string) string {
		switch line {
		case "RCPT TO:<gone@example.com>":
			return "550-5.1.1 no\r\n550 such user"
		case "RCPT TO:<busy@example.com>":
			return "451 4.3.0 later"
		case "RCPT TO:<much@example.com>":
			return "552 too many"
		}
		return ""
	}
	m := note("gone@example.com", "a@example.com", "busy@example.com", "much@example.com", "", "not an address", "x\r\nRCPT TO:<y@example.com>", "b@example.com", "a@example.com")
	m.To = append(m.To, notify.Target{Recipient: "sms", Channel: comms.SMS, Address: "+15550100"})
	results := f.client(t, notify.EmailConfig{}).Send(t.Context(), m)
	const d, p, l, s = notify.Delivered, notify.Permanent, notify.Temporary, notify.Skipped
	if got, want := states(results), []notify.State{p, d, l, l, s, p, p, d, d, s}; !slices.Equal(got, want) {
		t.Errorf("states = %v, want %v", got, want)
	}
	if got := f.mails; len(got) != 1 || !slices.Equal(got[0].to, []string{"RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>"}) || !strings.Contains(got[0].text, "To: undisclosed-recipients:;\r\n") {
		t.Errorf("mails = %q, want one to a and b that names neither", got)
	}
	if r := results[0].Reason; r != "notify: mail by smtp.example.com:587: to: 550 5.1.1 no such user" {
		t.Errorf("reason = %q", r)
	}
	if got := m.Remaining(results).To; len(got) != 2 || got[0].Address != "busy@example.com" || got[1].Address != "much@example.com" {
		t.Errorf("Remaining = %+v", got)
	}

	// Nobody accepted: no text is sent.
	results = f.client(t, notify.EmailConfig{}).Send(t.Context(), note("gone@example.com"))
	if results[0].State != p || len(f.mails) != 1 || results[0].Outcome() != comms.Failed {
		t.Errorf("Send = %+v, %d mails", results, len(f.mails))
	}
}

// TestAnswers: which answer at which step makes a message wait and which ends it.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		at, answer string
		op         notify.Op
		want       notify.State
	}{
		{"(greeting)", "554 no service", notify.Connect, notify.Temporary},
		{"(greeting)", hangUp, notify.Connect, notify.Temporary},
		{"STARTTLS", "454 not now", notify.TLS, notify.Temporary},
		{"AUTH", "535 5.7.8 wrong", notify.Auth, notify.Temporary},
		{"AUTH", "454 4.7.0 not now", notify.Auth, notify.Temporary},
		{"MAIL", "530 5.7.0 log in first", notify.From, notify.Temporary},
		{"MAIL", "550 5.7.1 sender refused", notify.From, notify.Permanent},
		{"MAIL", "552 5.3.4 too large", notify.From, notify.Permanent},
		{"MAIL", "421 4.3.2 closing", notify.From, notify.Temporary},
		{"RCPT", "550 5.1.1 unknown", notify.To, notify.Permanent},
		{"RCPT", "450 4.2.0 greylisted", notify.To, notify.Temporary},
		{"RCPT", "421 closing", notify.To, notify.Temporary},
		{"RCPT", hangUp, notify.To, notify.Temporary},
		{"DATA", "554 5.5.1 no valid recipients", notify.Data, notify.Permanent},
		{"DATA", "451 4.3.0 disk full", notify.Data, notify.Temporary},
		{"(text)", "552 5.3.4 too large", notify.Text, notify.Permanent},
		{"(text)", "452 4.3.1 disk full", notify.Text, notify.Temporary},
		{"(text)", hangUp, notify.Text, notify.Temporary},
	} {
		f := opportune()
		f.answer = func(line string) string {
			if strings.HasPrefix(line, tt.at) {
				return tt.answer
			}
			return ""
		}
		c := notify.EmailConfig{}
		if tt.at == "AUTH" {
			c.Username, c.Password = "ops", adapters.NewSecret("s3cret")
		}
		results := f.client(t, c).Send(t.Context(), note("a@example.com", "b@example.com"))
		for _, r := range results {
			var e *notify.Error
			if r.State != tt.want || !errors.As(r.Err, &e) || e.Op != tt.op || r.MayHaveArrived != (tt.at == "(text)" && tt.answer == hangUp) {
				t.Errorf("%s answered %q: %+v, want %s at %s", tt.at, tt.answer, r, tt.want, tt.op)
			}
		}
	}
}

// TestProtection: nothing about the message or the login is said in the clear.
func TestProtection(t *testing.T) {
	login := notify.EmailConfig{Username: "ops", Password: adapters.NewSecret("s3cret")}
	with := func(change func(*notify.EmailConfig)) notify.EmailConfig {
		c := login
		change(&c)
		return c
	}
	for name, tt := range map[string]struct {
		fake   *fake
		config notify.EmailConfig
		want   notify.State
		reason string // in Reason; or the AUTH command
	}{
		"PLAIN before LOGIN": {opportune(), login, notify.Delivered, "AUTH PLAIN AG9wcwBzM2NyZXQ="},
		"LOGIN alone":        {&fake{before: []string{"STARTTLS"}, after: []string{"AUTH LOGIN"}}, login, notify.Delivered, "AUTH LOGIN"},
		"no mechanism":       {&fake{before: []string{"STARTTLS"}, after: []string{"AUTH CRAM-MD5"}}, login, notify.Temporary, `the server offers "CRAM-MD5", want PLAIN or LOGIN`},
		"wrong password":     {opportune(), with(func(c *notify.EmailConfig) { c.Password = adapters.NewSecret("other") }), notify.Temporary, "auth: 535 5.7.8 wrong"},
		"no TLS":             {&fake{before: []string{"AUTH PLAIN"}}, login, notify.Temporary, "does not offer STARTTLS"},
		"unknown authority":  {opportune(), with(func(c *notify.EmailConfig) { c.TLS = &tls.Config{} }), notify.Temporary, "certificate"},
		"other name":         {opportune(), with(func(c *notify.EmailConfig) { c.TLS = &tls.Config{RootCAs: trustedPool(), ServerName: "b.example"} }), notify.Temporary, "b.example"},
		"TLS at once":        {&fake{implicit: true, before: []string{"AUTH PLAIN"}}, with(func(c *notify.EmailConfig) { c.Security = notify.ImplicitTLS }), notify.Delivered, "AUTH PLAIN AG9wcwBzM2NyZXQ="},
		"in the clear":       {&fake{}, notify.EmailConfig{Security: notify.NoTLS}, notify.Delivered, ""},
	} {
		r := tt.fake.client(t, tt.config).Send(t.Context(), note("a@example.com"))[0]
		if r.State != tt.want {
			t.Errorf("%s: %+v, want %s", name, r, tt.want)
			continue
		}
		if tt.want == notify.Delivered {
			if tt.reason != "" && !slices.Contains(tt.fake.commands, tt.reason) {
				t.Errorf("%s: commands %q, want %q among them", name, tt.fake.commands, tt.reason)
			}
			continue
		}
		if !strings.Contains(r.Reason, tt.reason) || len(tt.fake.mails) > 0 {
			t.Errorf("%s: %+v, want %q", name, r, tt.reason)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", r, r.Err), "s3cret") {
			t.Errorf("%s: %+v shows the password", name, r)
		}
		for _, line := range tt.fake.commands {
			if !strings.HasPrefix(line, "EHLO") && line != "STARTTLS" && !strings.HasPrefix(line, "AUTH") && line != "*" && line != "QUIT" || name == "no TLS" && strings.HasPrefix(line, "AUTH") {
				t.Errorf("%s: the client said %q", name, line)
			}
		}
	}
}

// TestTalkativeServer: a server that never ends its answer, in lines or in one, is left
// after a megabyte, and the mail waits for a better one.
func TestTalkativeServer(t *testing.T) {
	for _, piece := range []string{"220-hello\r\n", "220 hello"} {
		said := make(chan int, 1)
		mailer, err := notify.NewEmail(notify.EmailConfig{Host: "mail.example.com", From: "ops@example.com", Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				for n := 0; ; n += len(piece) {
					if _, err := theirs.Write([]byte(piece)); err != nil || n > 8<<20 {
						said <- n
						return
					}
				}
			}()
			return ours, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		r := mailer.Send(t.Context(), note("ann@example.com"))[0]
		if r.State != notify.Temporary || r.Err == nil || !strings.Contains(r.Err.Error(), "1048576 bytes") {
			t.Errorf("%q: %v, %v, want temporary because it says too much", piece, r.State, r.Err)
		}
		if n := <-said; n > 1<<20 {
			t.Errorf("%q: read %d bytes, want at most 1 MiB", piece, n)
		}
	}
}

func TestInternationalAddress(t *testing.T) {
	m := note("jürgen@example.com", "a@example.com")
	for _, tt := range []struct {
		after []string
		to    string
		from  string
		want  []notify.State
	}{
		{nil, "RCPT TO:<a@example.com>", "MAIL FROM:<ops@example.com>", []notify.State{notify.Permanent, notify.Delivered}},
		{[]string{"SMTPUTF8"}, "RCPT TO:<jürgen@example.com> RCPT TO:<a@example.com>", "MAIL FROM:<ops@example.com> SMTPUTF8", []notify.State{notify.Delivered, notify.Delivered}},
	} {
		f := &fake{before: []string{"STARTTLS"}, after: tt.after}
		results := f.client(t, notify.EmailConfig{}).Send(t.Context(), m)
		if got := states(results); !slices.Equal(got, tt.want) || strings.Join(f.mails[0].to, " ") != tt.to || f.mails[0].from != tt.from {
			t.Errorf("with %q: %v %q, want %v", tt.after, got, f.mails, tt.want)
		}
	}
	// Not asked for where it is not needed; the size is told to who wants to know.
	f := &fake{before: []string{"STARTTLS"}, after: []string{"SMTPUTF8", "SIZE 1000000"}}
	f.client(t, notify.EmailConfig{}).Send(t.Context(), note("a@example.com"))
	if got, want := f.mails[0].from, fmt.Sprintf("MAIL FROM:<ops@example.com> SIZE=%d", len(f.mails[0].text)); got != want {
		t.Errorf("an ASCII mail begins with %q, want %q", got, want)
	}
}

// TestPatience runs in virtual time.
func TestPatience(t *testing.T) {
	for _, at := range []string{"(greeting)", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "(text)", "QUIT"} {
		synctest.Test(t, func(t *testing.T) {
			f := opportune()
			f.answer = func(line string) string {
				if strings.HasPrefix(line, at) {
					return sayNothing
				}
				return ""
			}
			mailer := f.client(t, notify.EmailConfig{})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			begin := time.Now()
			r := mailer.Send(ctx, note("a@example.com"))[0]
			took := time.Since(begin)
			if at == "QUIT" { // the mail is there already
				if r.State != notify.Delivered || took > 2*time.Second {
					t.Errorf("%s: %+v after %v, want it delivered within 2 s", at, r, took)
				}
				return
			}
			if r.State != notify.Temporary || !errors.Is(r.Err, context.DeadlineExceeded) || took != 300*time.Millisecond || r.MayHaveArrived != (at == "(text)") {
				t.Errorf("%s: %+v after %v, want it to wait after 300 ms", at, r, took)
			}
			begin = time.Now()
			mailer.Send(t.Context(), note("a@example.com"))
			if took := time.Since(begin); took != time.Minute {
				t.Errorf("%s: gave up after %v, want the default of a minute", at, took)
			}
		})
	}
}

// A mail whose answer was lost is sent again with the same Message-ID.
func TestAnswerLost(t *testing.T) {
	f, lost := opportune(), false
	f.answer = func(line string) string {
		if line == "(text)" && !lost {
			lost = true
			return hangUp
		}
		return ""
	}
	mailer := f.client(t, notify.EmailConfig{})
	first := mailer.Send(t.Context(), note("a@example.com"))[0]
	second := mailer.Send(t.Context(), note("a@example.com"))[0]
	if first.State != notify.Temporary || !first.MayHaveArrived || second.State != notify.Delivered {
		t.Errorf("results %+v and %+v", first, second)
	}
	if first.ID != second.ID || len(f.mails) != 2 || f.mails[0].text != f.mails[1].text {
		t.Errorf("the mails differ: %q", f.mails)
	}
}

func TestManyRecipients(t *testing.T) {
	f := opportune()
	results := f.client(t, notify.EmailConfig{Recipients: 2}).Send(t.Context(), note("a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"))
	for _, r := range results {
		if r.State != notify.Delivered {
			t.Errorf("%+v", r)
		}
	}
	if len(f.mails) != 3 || len(f.mails[0].to) != 2 || len(f.mails[2].to) != 1 || f.dialed != 1 {
		t.Errorf("%d mails over %d connections: %q, want 3 over 1", len(f.mails), f.dialed, f.mails)
	}
	// The second part is refused as a whole, the third is sent.
	f = opportune()
	n := 0
	f.answer = func(line string) string {
		if line == "DATA" {
			if n++; n == 3 || n == 4 { // it is asked twice for each DATA
				return "451 later"
			}
		}
		return ""
	}
	results = f.client(t, notify.EmailConfig{Recipients: 1}).Send(t.Context(), note("a@x.example", "b@x.example", "c@x.example"))
	if got := states(results); !slices.Equal(got, []notify.State{notify.Delivered, notify.Temporary, notify.Delivered}) {
		t.Errorf("states = %v: %+v", got, results)
	}
	if !slices.Contains(f.commands, "RSET") {
		t.Errorf("commands = %q, want RSET among them", f.commands)
	}
}

func TestConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := opportune()
		f.answer = func(line string) string {
			if line == "DATA" {
				time.Sleep(time.Second)
			}
			return ""
		}
		mailer := f.client(t, notify.EmailConfig{Connections: 2})
		done := make(chan notify.State)
		for i := range 6 {
			go func() {
				m := note("a@example.com")
				m.Key = strconv.Itoa(i)
				done <- mailer.Send(t.Context(), m)[0].State
			}()
		}
		for range 6 {
			if s := <-done; s != notify.Delivered {
				t.Errorf("state %s", s)
			}
		}
		if f.most != 2 || len(f.mails) != 6 {
			t.Errorf("%d mails over at most %d connections, want 6 over 2", len(f.mails), f.most)
		}
		// Who waits too long for a connection is told so.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		for range 2 {
			go func() { done <- mailer.Send(t.Context(), note("a@example.com"))[0].State }()
		}
		synctest.Wait()
		var e *notify.Error
		if r := mailer.Send(ctx, note("b@example.com"))[0]; r.State != notify.Temporary || !errors.As(r.Err, &e) || e.Op != notify.Wait {
			t.Errorf("while all connections are busy: %+v", r)
		}
		<-done
		<-done
	})
}

// What would end a header and begin another is refused, and nobody is called.
func TestHeaderInjection(t *testing.T) {
	for name, spoil := range map[string]func(*notify.Message){
		"subject":            func(m *notify.Message) { m.Subject = "a\r\nBcc: x@example.com" },
		"newline":            func(m *notify.Message) { m.Subject = "a\nb" },
		"return":             func(m *notify.Message) { m.Subject = "a\rb" },
		"name":               func(m *notify.Message) { m.To[0].Name = "a\r\nBcc: x@example.com" },
		"address":            func(m *notify.Message) { m.To[0].Address = "a@example.com>\r\nRCPT TO:<x@example.com" },
		"bracket":            func(m *notify.Message) { m.To[0].Address = "a@example.com> SIZE=1" },
		"named":              func(m *notify.Message) { m.To[0].Address = "A <a@example.com>" },
		"list":               func(m *notify.Message) { m.To[0].Address = "a@example.com, b@example.com" },
		"quoted":             func(m *notify.Message) { m.To[0].Address = "\"a\r\nBcc: x\"@example.com" },
		"spaced":             func(m *notify.Message) { m.To[0].Address = `"a b"@example.com` },
		"tab":                func(m *notify.Message) { m.To[0].Address = "a@example.com\tSIZE=1" },
		"nul":                func(m *notify.Message) { m.To[0].Address = "a\x00@example.com" },
		"newline at the end": func(m *notify.Message) { m.To[0].Address = "a@example.com\n" },
		"comment":            func(m *notify.Message) { m.To[0].Address = "a@example.com (b)" },
		"route":              func(m *notify.Message) { m.To[0].Address = "@x.example:a@example.com" },
		"no host":            func(m *notify.Message) { m.To[0].Address = "postmaster" },
		"separator":          func(m *notify.Message) { m.To[0].Address = "a\u2028b@example.com" },
		"file":               func(m *notify.Message) { m.Attachments = []notify.Attachment{{Name: "a\r\nX: y"}} },
		"type":               func(m *notify.Message) { m.Attachments = []notify.Attachment{{Name: "a", Type: "text/csv\r\nX: y"}} },
		"too long":           func(m *notify.Message) { m.To[0].Address = strings.Repeat("a", 250) + "@example.com" },
		"no text":            func(m *notify.Message) { m.Text = "" },
		"no title":           func(m *notify.Message) { m.Subject = "" },
		"no key":             func(m *notify.Message) { m.Key = "" },
	} {
		f := opportune()
		m := note("a@example.com")
		spoil(&m)
		r := f.client(t, notify.EmailConfig{}).Send(t.Context(), m)[0]
		var bad *notify.InputError
		if r.State != notify.Permanent || !errors.As(r.Err, &bad) || f.dialed != 0 {
			t.Errorf("%s: %+v after %d connections, want it refused before the first", name, r, f.dialed)
		}
	}
}

func TestNewEmailErrors(t *testing.T) {
	good := notify.EmailConfig{Host: "smtp.example.com", From: "ops@example.com"}
	for field, spoil := range map[string]func(*notify.EmailConfig){
		"host":        func(c *notify.EmailConfig) { c.Host = "" },
		"from":        func(c *notify.EmailConfig) { c.From = "ops" },
		"reply_to":    func(c *notify.EmailConfig) { c.ReplyTo = "a@example.com\r\nBcc: b@example.com" },
		"hello":       func(c *notify.EmailConfig) { c.Hello = "a\r\nMAIL" },
		"port":        func(c *notify.EmailConfig) { c.Port = 70000 },
		"timeout":     func(c *notify.EmailConfig) { c.Timeout = -1 },
		"connections": func(c *notify.EmailConfig) { c.Connections = -1 },
		"recipients":  func(c *notify.EmailConfig) { c.Recipients = -1 },
		"username":    func(c *notify.EmailConfig) { c.Password = adapters.NewSecret("x") },
		"security":    func(c *notify.EmailConfig) { c.Security, c.Username = notify.NoTLS, "ops" },
	} {
		c := good
		spoil(&c)
		var bad *notify.InputError
		if _, err := notify.NewEmail(c); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: NewEmail = %v, want an error there", field, err)
		}
	}
	good.Security = "maybe"
	if _, err := notify.NewEmail(good); err == nil {
		t.Error("NewEmail with an unknown security = nil")
	}
}

func TestSecret(t *testing.T) {
	c := notify.EmailConfig{Username: "ops", Password: adapters.NewSecret("s3cret")}
	data, err := json.Marshal(map[string]adapters.Secret{"p": c.Password})
	if err != nil {
		t.Fatal(err)
	}
	mailer := opportune().client(t, c)
	if shown := fmt.Sprintf("%v %+v %#v %s %+v %#v %+v", c.Password, c, c, data, mailer, mailer, *mailer); strings.Contains(shown, "s3cret") {
		t.Errorf("shown: %s", shown)
	}
}

// A server that cannot be reached makes the message wait.
func TestUnreachable(t *testing.T) {
	mailer, err := notify.NewEmail(notify.EmailConfig{
		Host: "smtp.example.com", From: "ops@example.com",
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := mailer.Send(t.Context(), note("a@example.com"))[0]
	if r.State != notify.Temporary || r.Reason != "notify: mail by smtp.example.com:587: connect: refused" {
		t.Errorf("Send = %+v", r)
	}
}

// pigeons takes everything.
type pigeons struct{ sent []notify.Target }

func (p *pigeons) Send(_ context.Context, m notify.Message) (out []notify.Result) {
	for _, t := range m.To {
		p.sent = append(p.sent, t)
		out = append(out, notify.Result{Target: t, State: notify.Delivered})
	}
	return out
}

func TestSenders(t *testing.T) {
	mails, texts := &pigeons{}, &pigeons{}
	all := notify.Senders{comms.Email: mails, comms.SMS: texts}
	m := note("a", "b")
	m.To[1].Channel = comms.SMS
	m.To = append(m.To, notify.Target{Recipient: "c", Channel: comms.Slack, Address: "#ops"}, notify.Target{Recipient: "d", Channel: comms.Email, Address: "d"})
	results := all.Send(t.Context(), m)
	for i, r := range results {
		if r.Target != m.To[i] || (r.State == notify.Skipped) != (i == 2) {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if !errors.Is(results[2].Err, notify.ErrSkipped) || results[2].Outcome() != comms.Failed || len(mails.sent) != 2 || len(texts.sent) != 1 {
		t.Errorf("results %+v, %d mails, %d texts", results, len(mails.sent), len(texts.sent))
	}
}
