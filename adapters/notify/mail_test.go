package notify_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

func TestTextAndHTML(t *testing.T) {
	m := notify.Message{Key: "k", Thread: "t", Subject: "Störung", Text: "a\nb", HTML: "<p>=</p>\n", At: start}
	got, err := notify.Write(m, `O'Neil "the" ü`, "a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	// printf 'alternative\0k' | sha256sum | cut -c1-32, and the same with message and
	// with thread\0t; printf 'Störung' | base64.
	const want = `Date: Mon, 02 Mar 2026 11:00:00 +0000
From: "Operations" <ops@example.com>
To: =?utf-8?b?TydOZWlsICJ0aGUiIMO8?= <a@example.com>
Subject: =?utf-8?b?U3TDtnJ1bmc=?=
Message-ID: <f7a14f475b3f1586b941b20bed7a9f96@example.com>
In-Reply-To: <69982b3560a48ab0d72c547cdd8a3d8f@example.com>
References: <69982b3560a48ab0d72c547cdd8a3d8f@example.com>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_224adb2335d2f2ec541c0e8d0845d9c1"

--=_224adb2335d2f2ec541c0e8d0845d9c1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

a
b
--=_224adb2335d2f2ec541c0e8d0845d9c1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>=3D</p>
--=_224adb2335d2f2ec541c0e8d0845d9c1--
`
	if string(got) != strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("mail = %s\nwant %s", got, want)
	}
}

func TestAttachments(t *testing.T) {
	m := notify.Message{Key: "k", Subject: "s", Text: "b", At: start, Attachments: []notify.Attachment{
		{Name: "credits.csv", Type: "text/csv; charset=utf-8", Data: []byte(strings.Repeat("x", 60))},
		{Name: `Bericht "Mörz".pdf`, Data: []byte{0}},
	}}
	got, err := notify.Write(m, "", "a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	// printf 'mixed\0k' | sha256sum | cut -c1-32; 57 times x are 19 times eHh4.
	want := `Content-Type: multipart/mixed; boundary="=_3b96e15347128671a68b5709fdc6bdfb"

--=_3b96e15347128671a68b5709fdc6bdfb
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

b
--=_3b96e15347128671a68b5709fdc6bdfb
Content-Type: text/csv; charset=utf-8
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=credits.csv

` + strings.Repeat("eHh4", 19) + `
eHh4
--=_3b96e15347128671a68b5709fdc6bdfb
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''Bericht%20%22M%C3%B6rz%22.pdf

AA==
--=_3b96e15347128671a68b5709fdc6bdfb--
`
	if _, tail, _ := strings.Cut(string(got), "MIME-Version: 1.0\r\n"); tail != strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("mail = %s\nwant %s", tail, want)
	}
	for _, bad := range []notify.Attachment{
		{Name: ""},
		{Name: "a/b"},
		{Name: "a\r\nBcc: b"},
		{Name: strings.Repeat("a", 256)},
		{Name: "a", Type: "text"},
		{Name: "a", Type: "text/csv\r\nBcc: b"},
		{Name: "a", Type: "text/csv; a=\"\x01\""},
	} {
		m.Attachments = []notify.Attachment{bad}
		if _, err := notify.Write(m, "", "a@example.com"); err == nil {
			t.Errorf("attachment %q of type %q: no error", bad.Name, bad.Type)
		}
	}
}

func TestMessageOf(t *testing.T) {
	in := comms.Message{Key: "k", Tenant: "acme", Incident: "INC-1", Subject: "s", Body: "<b>b</b>", HTML: true, At: start, Recipient: "r", Name: "R", Channel: comms.Email, Address: "r@example.com"}
	got := notify.MessageOf(in)
	if got.Text != "" || got.HTML != "<b>b</b>" || got.Thread == "" || got.Thread == notify.MessageOf(comms.Message{Tenant: "acme/INC", Incident: "-1"}).Thread {
		t.Errorf("FromComms = %+v", got)
	}
	in.Incident, in.HTML = "", false // a digest is of no incident
	if got := notify.MessageOf(in); got.Thread != "" || got.Text != "<b>b</b>" || got.To[0] != (notify.Target{Recipient: "r", Name: "R", Channel: comms.Email, Address: "r@example.com"}) {
		t.Errorf("FromComms = %+v", got)
	}
}

// TestTitleOfOthers: what stands in the title of an incident ends in the text of a
// mail and nowhere else, and is no markup there.
func TestTitleOfOthers(t *testing.T) {
	const title = "db down\r\nBcc: x@example.com\r\n\r\n<script>alert(1)</script>\r\n.\r\nMAIL FROM:<x@example.com>"
	plan, err := comms.New(comms.Config{
		Stakeholders: []comms.Stakeholder{{Name: "tec", Role: comms.TechnicalContact, Contact: map[string]string{"email": "tec@example.com"}, Preferences: comms.Preferences{Immediate: true}}},
		Templates: []comms.Template{{
			Severity: incident.P1, Type: comms.Initial, HTML: true, Channels: []comms.Channel{comms.Email},
			Subject: "{service_name}: {description}", Body: `<p title="{description}">{description}</p>`,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	thread := plan.Open("acme", "INC-1")
	if err := thread.Apply(incident.State{Tenant: "acme", ID: "INC-1", Status: incident.Open, Severity: incident.P1, Title: title, Services: []string{"a\r\nCc: y@example.com"}}, start); err != nil {
		t.Fatal(err)
	}
	f := opportune()
	for _, m := range thread.Step(start) {
		if r := f.client(t, notify.EmailConfig{}).Send(t.Context(), notify.MessageOf(m))[0]; r.State != notify.Delivered {
			t.Fatalf("Send = %+v", r)
		}
	}
	if len(f.mails) != 1 || len(f.mails[0].to) != 1 {
		t.Fatalf("mails %+v, want one to one reader", f.mails)
	}
	m, err := mail.ReadMessage(strings.NewReader(f.mails[0].text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Bcc", "Cc"} {
		if got := m.Header.Get(name); got != "" {
			t.Errorf("header %s is %q", name, got)
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	const written = "db down\r\nBcc: x@example.com\r\n\r\n&lt;script&gt;alert(1)&lt;/script&gt;\r\n.\r\nMAIL FROM:&lt;x@example.com&gt;"
	if want := `<p title="` + written + `">` + written + "</p>\r\n"; string(body) != want {
		t.Errorf("body %q, want %q", body, want)
	}
}

// TestReplyTo: the optional parts of a mail, and a date where the message has none.
func TestReplyTo(t *testing.T) {
	f := opportune()
	m := note("a@example.com")
	m.Thread, m.At = "", time.Time{}
	r := f.client(t, notify.EmailConfig{ReplyTo: "desk@example.com", Now: func() time.Time { return start }}).Send(t.Context(), m)[0]
	if r.State != notify.Delivered {
		t.Fatalf("Send = %+v", r)
	}
	text := f.mails[0].text
	for _, line := range []string{"Date: Mon, 02 Mar 2026 11:00:00 +0000\r\n", "Reply-To: desk@example.com\r\n", "To: a@example.com\r\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("mail %q, want %q in it", text, line)
		}
	}
	if strings.Contains(text, "References") {
		t.Errorf("a mail of no thread refers to one: %q", text)
	}
}

// FuzzMail: what a reader of mail gets out is what was put in, no header is added,
// and no line breaks the limits of RFC 5322.
func FuzzMail(f *testing.F) {
	f.Add("[P1 CRITICAL] user_api - INC-2024-001", "Sarah Chen", "down\n.\n..\nFrom here\n", "")
	f.Add("=?utf-8?q?spoof?=", "a\\\"b, c@d <e@f>", "--=_x\r\n\r\n\t \n", "<p>ä</p>")
	f.Add(strings.Repeat("a", 2000), strings.Repeat("ü ", 200), strings.Repeat("é", 500), "\x00\xff")
	f.Add(" a  b ", "\tx\x7f", "a\rb\r\n", "b")
	f.Add("x", "y", "a\rb\r\n\x10", "b")
	f.Add("a\r\nBcc: x@example.com", "x\nTo: y", "t", "")
	f.Fuzz(func(t *testing.T, subject, name, text, html string) {
		m := notify.Message{Key: "k", Subject: subject, Text: text, HTML: html, At: start}
		data, err := notify.Write(m, name, "a@example.com")
		bad := strings.ContainsAny(subject, "\r\n") || strings.ContainsAny(name, "\r\n") || subject == "" || text == "" && html == ""
		if bad != (err != nil) {
			t.Fatalf("Write(%q, %q) = %v, want an error: %v", subject, name, err, bad)
		}
		if err != nil {
			return
		}
		for line := range bytes.SplitSeq(data, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("line %q is too long or broken", line)
			}
			if i := bytes.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\t' }); i >= 0 {
				t.Fatalf("line %q is not plain ASCII", line)
			}
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("ReadMessage: %v of %q", err, data)
		}
		known := []string{"Date", "From", "To", "Subject", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type"}
		if text == "" || html == "" {
			known = append(known, "Content-Transfer-Encoding")
		}
		if len(parsed.Header) != len(known) {
			t.Fatalf("headers %v, want %v", parsed.Header, known)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if want := strings.ToValidUTF8(subject, "\uFFFD"); err != nil || got != want {
			t.Fatalf("subject %q, %v, want %q", got, err, want)
		}
		to, err := mail.ParseAddress(parsed.Header.Get("To"))
		if want := strings.ToValidUTF8(name, "\uFFFD"); err != nil || to.Name != want || to.Address != "a@example.com" {
			t.Fatalf("to %+v, %v, want %q", to, err, want)
		}
		kind, args, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "multipart/alternative" {
			sameText(t, quotedprintable.NewReader(parsed.Body), text+html)
			return
		}
		parts := multipart.NewReader(parsed.Body, args["boundary"])
		for _, want := range []string{text, html} {
			part, err := parts.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			// The line end before a boundary belongs to the boundary.
			sameText(t, io.MultiReader(quotedprintable.NewReader(part), strings.NewReader("\r\n")), want)
		}
	})
}

// sameText compares texts whose lines may end differently.
func sameText(t *testing.T, in io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	want = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(strings.ToValidUTF8(want, "\uFFFD"))
	if !strings.HasSuffix(want, "\r\n") {
		want += "\r\n"
	}
	if string(got) != want {
		t.Fatalf("text %q, want %q", got, want)
	}
}
