package notify_test

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/gsm"
)

const phone = "+15005550001"

// TestSMSParts: texts are cut to four parts, and the link stays.
func TestSMSParts(t *testing.T) {
	const link = " https://ops.example.com/i/1" // 28 characters
	for name, tt := range map[string]struct {
		text, want string
		parts      int
	}{
		"short":            {"down", "down" + link, 1},
		"full":             {strings.Repeat("a", 132), strings.Repeat("a", 132) + link, 1},                // 160
		"two":              {strings.Repeat("a", 133), strings.Repeat("a", 133) + link, 2},                // 161
		"four":             {strings.Repeat("a", 584), strings.Repeat("a", 584) + link, 4},                // 4 × 153
		"cut":              {strings.Repeat("a", 585), strings.Repeat("a", 580) + " ..." + link, 4},       // 612 − 28 − 4
		"other characters": {strings.Repeat("ж", 300), strings.Repeat("ж", 4*67-28-4) + " ..." + link, 4}, // of 67
		"not UTF-8":        {"a\xff", "a?" + link, 1},
	} {
		account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: twilioToken})
		s := smsTo(t, account)
		m := to(comms.SMS, phone)
		m.Text, m.Link = tt.text, link[1:]
		if r := s.Send(t.Context(), m)[0]; r.State != notify.Delivered {
			t.Fatalf("%s: %+v", name, r)
		}
		if got := account.Messages()[0].Body; got != tt.want {
			t.Errorf("%s: sent %q, want %q", name, got, tt.want)
		}
		if _, parts := s.Text(m); parts != tt.parts || gsm.Parts(tt.want) != tt.parts {
			t.Errorf("%s: %d parts, want %d", name, parts, tt.parts)
		}
	}
	s := smsTo(t, adaptertest.NewTwilio(adaptertest.TwilioOptions{}))
	if text, _ := s.Text(notify.Message{Text: "down", Link: "https://x.example.com/" + strings.Repeat("a", 700)}); text != "down" {
		t.Errorf("a link over all parts: %q", text)
	}
}

// TestTwilioLostAnswer: what was taken without an answer is found and not sent again,
// for messages by the text, for calls by the number.
func TestTwilioLostAnswer(t *testing.T) {
	for _, channel := range []comms.Channel{comms.SMS, notify.Voice} {
		lost := true
		account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: twilioToken, Fault: func(string, int) string {
			if lost {
				lost = false
				return "lost"
			}
			return ""
		}})
		ledger := &adapters.MemoryLedger{}
		open := func() notify.Sender { // another process each time
			c := twilioTo(t, account)
			c.Ledger = ledger
			sms, err1 := notify.NewSMS(c)
			calls, err2 := notify.NewCalls(c)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			return notify.Senders{comms.SMS: sms, notify.Voice: calls}
		}
		m := to(channel, phone)
		r := open().Send(t.Context(), m)[0]
		if r.State != notify.Temporary || !r.MayHaveArrived || !errors.Is(r.Err, adapters.OutcomeUnknown) {
			t.Fatalf("%s: %+v, want it unknown", channel, r)
		}
		for range 2 {
			if r := open().Send(t.Context(), m)[0]; r.State != notify.Delivered || r.ID == "" {
				t.Fatalf("%s again: %+v", channel, r)
			}
		}
		if n := len(account.Messages()) + len(account.Calls()); n != 1 {
			t.Errorf("%s: %d, want one", channel, n)
		}
		m.Key, m.Text = "k2", "another"
		if r := open().Send(t.Context(), m)[0]; r.State != notify.Delivered || len(account.Messages())+len(account.Calls()) != 2 {
			t.Errorf("%s, another: %+v", channel, r)
		}
	}
}

// TestCallOfAnotherMessage: the call of one message is not taken for that of another one
// to the same number, of whatever tenant, which nobody would then hear.
func TestCallOfAnotherMessage(t *testing.T) {
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: twilioToken, Fault: func(_ string, n int) string {
		return map[int]string{1: "500"}[n] // the first comes to nothing, and nobody knows
	}})
	c := twilioTo(t, account)
	c.Ledger = &adapters.MemoryLedger{}
	calls, err := notify.NewCalls(c)
	if err != nil {
		t.Fatal(err)
	}
	m := to(notify.Voice, phone)
	if r := calls.Send(t.Context(), m)[0]; r.State != notify.Temporary || !r.MayHaveArrived {
		t.Fatalf("%+v, want it unknown", r)
	}
	other := m
	other.Key, other.Tenant = "k2", "another"
	if r := calls.Send(t.Context(), other)[0]; r.State != notify.Delivered {
		t.Fatalf("the other: %+v", r)
	}
	for range 2 {
		if r := calls.Send(t.Context(), m)[0]; r.State != notify.Delivered || r.ID != "CA3" || len(account.Calls()) != 2 {
			t.Errorf("again: %+v, %d calls, want a call of its own", r, len(account.Calls()))
		}
	}
}

func TestTwilioRefused(t *testing.T) {
	for code, want := range map[int]struct {
		kind  adapters.Kind
		state notify.State
	}{
		21211: {adapters.NotFound, notify.Permanent},
		21610: {adapters.Forbidden, notify.Permanent},
		21617: {adapters.TooLarge, notify.Permanent},
		21602: {adapters.Invalid, notify.Permanent},
		20003: {adapters.Unauthorized, notify.Temporary},
		20429: {adapters.RateLimited, notify.Temporary},
		500:   {adapters.OutcomeUnknown, notify.Temporary},
	} {
		account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Fault: func(string, int) string { return strconv.Itoa(code) }})
		r := smsTo(t, account).Send(t.Context(), to(comms.SMS, phone))[0]
		var e *adapters.Error
		if !errors.As(r.Err, &e) || e.Kind != want.kind || r.State != want.state || code > 1000 && (e.Code != strconv.Itoa(code) || e.Message != "as asked") {
			t.Errorf("%d: %+v, want %v, %s", code, r, want.kind, want.state)
		}
	}
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: adapters.NewSecret("another")})
	if r := smsTo(t, account).Send(t.Context(), to(comms.SMS, phone))[0]; r.State != notify.Temporary || !errors.Is(r.Err, adapters.Unauthorized) {
		t.Errorf("a wrong token: %+v, want it to wait for the operator", r)
	}
	var bad *notify.InputError
	for _, number := range []string{"15005550001", "+1 500 555 0001", "+0123", "+", "+1", "+1234567890123456", "sarah", "+1500\r\n"} {
		if r := smsTo(t, account).Send(t.Context(), to(comms.SMS, number))[0]; r.State != notify.Permanent || !errors.As(r.Err, &bad) {
			t.Errorf("%q: %+v, want an InputError", number, r)
		}
	}
}

// TestNaiveTwilio: what is written in the obvious way fails at the fake as it fails at
// Twilio.
func TestNaiveTwilio(t *testing.T) {
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{})
	base := serve(t, account) + "/2010-04-01/Accounts/AC1/"
	post := func(path, kind, body string) (int, string) {
		t.Helper()
		r, err := http.Post(base+path, kind, strings.NewReader(body)) //nolint:noctx // naive on purpose
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text := make([]byte, 1000)
		n, _ := r.Body.Read(text)
		return r.StatusCode, string(text[:n])
	}
	if status, text := post("Messages.json", "application/json", `{"To":"+15005550001","From":"+15005550006","Body":"x"}`); status != 400 || !strings.Contains(text, `"code":21604`) {
		t.Errorf("JSON: %d %s, want the number missing", status, text)
	}
	const form = "application/x-www-form-urlencoded"
	ok := url.Values{"To": {phone}, "From": {"+15005550006"}, "Body": {"x"}}
	for range 2 {
		if status, text := post("Messages.json", form, ok.Encode()); status != 201 || !strings.Contains(text, `"num_segments":"1"`) {
			t.Errorf("a message: %d %s, want 201", status, text)
		}
	}
	if n := len(account.Messages()); n != 2 {
		t.Errorf("the same twice: %d messages, want two", n)
	}
	ok.Set("Body", strings.Repeat("x", 1601))
	if status, text := post("Messages.json", form, ok.Encode()); status != 400 || !strings.Contains(text, `"code":21617`) {
		t.Errorf("a long text: %d %s", status, text)
	}
	if status, _ := post("Messages", form, ok.Encode()); status != 404 {
		t.Errorf("no .json: %d", status)
	}
}

func handler(tb testing.TB, acknowledge func(context.Context, notify.Answer) error) *notify.CallHandler {
	tb.Helper()
	h, err := notify.NewCallHandler(notify.CallHandlerConfig{
		URL: "https://ops.example.com/answer", Tokens: []adapters.Secret{adapters.NewSecret("old"), twilioToken}, Acknowledge: acknowledge,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// TestCall: from the message over the call and the key that is pressed to the
// acknowledgement, by the key of the incident's message.
func TestCall(t *testing.T) {
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: twilioToken})
	m := to(notify.Voice, phone)
	m.Key, m.Tenant, m.Thread = `acme/INC-1/1/initial/1/Sarah Chen/voice`, "acme", `"acme"/"INC-1"`
	m.Subject, m.Text = `[P1] "A" & <B>`, "user_api is down"
	m.To[0].Recipient = "Sarah Chen"
	if r := callsTo(t, account).Send(t.Context(), m)[0]; r.State != notify.Delivered {
		t.Fatalf("%+v", r)
	}
	call := account.Calls()[0]
	var script struct {
		Gather []struct {
			Digits string   `xml:"numDigits,attr"`
			Method string   `xml:"method,attr"`
			Say    []string `xml:"Say"`
		}
	}
	if err := xml.Unmarshal([]byte(call.Script), &script); err != nil {
		t.Fatalf("%v in %s", err, call.Script)
	}
	const prompt = "Press 1 to acknowledge."
	if g := script.Gather; len(g) != 2 || g[0].Digits != "1" || g[0].Method != "POST" || strings.Join(g[0].Say, "|") != `[P1] "A" & <B>. user_api is down|`+prompt || strings.Join(g[1].Say, "|") != prompt {
		t.Errorf("script %+v", script)
	}

	var got []notify.Answer
	fail := error(nil)
	h := handler(t, func(_ context.Context, a notify.Answer) error { got = append(got, a); return fail })
	if w := account.Press(t.Context(), h, call, "5"); w.Code != 200 || len(got) != 0 || !strings.Contains(w.Body.String(), prompt) || !strings.Contains(w.Body.String(), "<Gather") {
		t.Errorf("another key: %d %s", w.Code, w.Body)
	}
	if w := account.Press(t.Context(), h, call, "1"); w.Code != 200 || w.Header().Get("Content-Type") != "application/xml; charset=utf-8" || !strings.Contains(w.Body.String(), "Thank you") {
		t.Errorf("the key: %d %s", w.Code, w.Body)
	}
	want := notify.Answer{Key: m.Key, Tenant: "acme", Thread: m.Thread, Recipient: "Sarah Chen", Number: phone, Call: call.SID}
	if len(got) != 1 || got[0] != want {
		t.Errorf("answers %+v, want %+v", got, want)
	}
	fail = errors.New("the store is away")
	if w := account.Press(t.Context(), h, call, "1"); w.Code != 200 || !strings.Contains(w.Body.String(), "could not be recorded") || strings.Contains(w.Body.String(), "store") {
		t.Errorf("not recorded: %d %s", w.Code, w.Body)
	}
}

// TestCallLong: a text that is too long for a call is cut, whatever its characters become.
func TestCallLong(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 9000), strings.Repeat("&", 9000), strings.Repeat("🔥\n", 4000), "\xff\x00" + strings.Repeat("ü", 5000)} {
		account := adaptertest.NewTwilio(adaptertest.TwilioOptions{})
		m := to(notify.Voice, phone)
		m.Text = text
		if r := callsTo(t, account).Send(t.Context(), m)[0]; r.State != notify.Delivered {
			t.Errorf("%+v", r)
			continue
		}
		script := account.Calls()[0].Script
		if n := utf8.RuneCountInString(script); n > 4000 || n < 3900 || xml.Unmarshal([]byte(script), new(any)) != nil && !strings.HasSuffix(script, "</Response>") {
			t.Errorf("script of %d characters", n)
		}
	}
}

// TestCallSignature checks the examples that Twilio publishes for its libraries (token
// 12345), then what must not pass.
func TestCallSignature(t *testing.T) {
	got := 0
	at := func(base string, tokens ...string) *notify.CallHandler {
		t.Helper()
		c := notify.CallHandlerConfig{URL: base, Digit: "1234", Acknowledge: func(context.Context, notify.Answer) error { got++; return nil }}
		for _, token := range tokens {
			c.Tokens = append(c.Tokens, adapters.NewSecret(token))
		}
		h, err := notify.NewCallHandler(c)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	call := func(h http.Handler, target string, form url.Values, signature ...string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
		for _, s := range signature {
			r.Header.Add("X-Twilio-Signature", s)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	const public = "https://mycompany.com/myapp.php"
	form := func(caller string) url.Values {
		return url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {caller}, "Digits": {"1234"}, "From": {caller}, "To": {"+18005551212"}}
	}
	// https://www.twilio.com/docs/usage/security#validating-requests, and the tests of twilio-python.
	for caller, signature := range map[string]string{
		"+14158675310": "GvWf1cFY/Q7PnoempGyD5oXAezc=",
		"+12349013030": "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
		"+14158675309": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
	} {
		// Their examples have no key, which is found out only after the signature is right.
		if status := call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller), signature); status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400: signed, without a key", caller, status)
		}
		for name, status := range map[string]int{
			"another token":   call(at(public, "12346"), "/myapp.php?foo=1&bar=2", form(caller), signature),
			"another query":   call(at(public, "12345"), "/myapp.php?foo=1&bar=3", form(caller), signature),
			"order of query":  call(at(public, "12345"), "/myapp.php?bar=2&foo=1", form(caller), signature),
			"another URL":     call(at("https://mycompany.com/other", "12345"), "/myapp.php?foo=1&bar=2", form(caller), signature),
			"another caller":  call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form("+1"), signature),
			"no signature":    call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller)),
			"empty":           call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller), ""),
			"short":           call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller), signature[:8]),
			"not base64":      call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller), "?"+signature[1:]),
			"letters swapped": call(at(public, "12345"), "/myapp.php?foo=1&bar=2", form(caller), strings.ToLower(signature)),
		} {
			if status != http.StatusForbidden {
				t.Errorf("%s, %s: %d, want 403", caller, name, status)
			}
		}
	}
	signed := form("+1")
	for name, tt := range map[string]struct{ base, signedURL string }{
		"port":               {"https://ops.example.com:8443/a", "https://ops.example.com:8443/a?key=k"},
		"port that is left":  {"https://ops.example.com:8443/a", "https://ops.example.com/a?key=k"},
		"behind a proxy":     {"https://ops.example.com/a", "https://ops.example.com/a?key=k"},
		"an IPv6 address":    {"https://[2001:db8::1]:8443/a", "https://[2001:db8::1]/a?key=k"},
		"rotation of tokens": {"https://ops.example.com/a", "https://ops.example.com/a?key=k"},
	} {
		got = 0
		status := call(at(tt.base, "new", "12345"), "http://10.0.0.7/internal?key=k", signed, adaptertest.SignTwilio(adapters.NewSecret("12345"), tt.signedURL, signed))
		if status != http.StatusOK || got != 1 {
			t.Errorf("%s: %d, %d acknowledged", name, status, got)
		}
	}
	h := at(public, "12345")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/myapp.php?key=k", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", w.Code)
	}
	for body, want := range map[string]int{"%zz": http.StatusBadRequest, strings.Repeat("a", 65<<10): http.StatusBadRequest} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/myapp.php?key=k", strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("body of %d bytes: %d, want %d", len(body), w.Code, want)
		}
	}
}

// FuzzCallSignature: only what is signed by the token is acknowledged, and nothing panics.
func FuzzCallSignature(f *testing.F) {
	f.Add("key=k", "Digits=1&To=%2B1", "", "token")
	f.Add("key=k&a=b", "Digits=1&Digits=2", "GvWf1cFY/Q7PnoempGyD5oXAezc=", "12345")
	f.Add("", "%zz", "AAAA", "x")
	f.Fuzz(func(t *testing.T, query, body, signature, token string) {
		const base = "https://ops.example.com/answer"
		acknowledged := 0
		h := handler(t, func(context.Context, notify.Answer) error { acknowledged++; return nil })
		serve := func(signature string) int {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/answer", strings.NewReader(body))
			r.URL.RawQuery = query
			r.Header.Set("X-Twilio-Signature", signature)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		if status := serve(signature); status == http.StatusOK || acknowledged != 0 {
			t.Fatalf("signature %q passes", signature)
		}
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		single := true // the fake signs the first value alone
		for _, values := range form {
			single = single && len(values) == 1
		}
		text := base
		if query != "" {
			text += "?" + query
		}
		if token != "" && token != twilioToken.Reveal() && token != "old" {
			if status := serve(adaptertest.SignTwilio(adapters.NewSecret(token), text, form)); status == http.StatusOK {
				t.Fatalf("the token %q passes", token)
			}
		}
		acknowledged = 0
		if !single {
			return
		}
		status := serve(adaptertest.SignTwilio(twilioToken, text, form))
		q, _ := url.ParseQuery(query)
		if want := q.Get("key") != "" && form.Get("Digits") == "1"; status == http.StatusForbidden || (acknowledged == 1) != want {
			t.Fatalf("query %q, body %q: %d, acknowledged %d", query, body, status, acknowledged)
		}
	})
}

func TestTwilioConfigErrors(t *testing.T) {
	good := notify.TwilioConfig{Account: "AC1", Secret: twilioToken, From: "+15005550006", Answer: "https://ops.example.com/answer"}
	for field, spoil := range map[string]func(*notify.TwilioConfig){
		"account":    func(c *notify.TwilioConfig) { c.Account = "A/C" },
		"secret":     func(c *notify.TwilioConfig) { c.Secret = adapters.Secret{} },
		"from":       func(c *notify.TwilioConfig) { c.From = "ops" },
		"parts":      func(c *notify.TwilioConfig) { c.Parts = 11 },
		"per_second": func(c *notify.TwilioConfig) { c.PerSecond = -1 },
		"base_url":   func(c *notify.TwilioConfig) { c.BaseURL = "https://user:pw@api.example.com" },
		"answer":     func(c *notify.TwilioConfig) { c.Answer = "https://ops.example.com/answer?x=1" },
	} {
		c := good
		spoil(&c)
		var bad *notify.InputError
		if _, err := notify.NewCalls(c); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	good.From = "MG1"
	if _, err := notify.NewSMS(good); err != nil {
		t.Errorf("a messaging service: %v", err)
	}
	if _, err := notify.NewCalls(good); err == nil {
		t.Error("a messaging service calls: no error")
	}
	noop := func(context.Context, notify.Answer) error { return nil }
	for name, c := range map[string]notify.CallHandlerConfig{
		"url":         {Tokens: []adapters.Secret{twilioToken}, Acknowledge: noop},
		"no token":    {URL: "https://x.example.com", Acknowledge: noop},
		"empty token": {URL: "https://x.example.com", Tokens: []adapters.Secret{twilioToken, {}}, Acknowledge: noop},
		"acknowledge": {URL: "https://x.example.com", Tokens: []adapters.Secret{twilioToken}},
	} {
		if _, err := notify.NewCallHandler(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A message whose answer was lost is found behind more than a page of others to its
// number.
func TestTwilioLostBehindPages(t *testing.T) {
	lost := true
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: twilioToken, Fault: func(string, int) string {
		if lost {
			lost = false
			return "lost"
		}
		return ""
	}})
	open := func() notify.Sender {
		c := twilioTo(t, account)
		c.Ledger, c.PerSecond = &adapters.MemoryLedger{}, 1e6
		sms, err := notify.NewSMS(c)
		if err != nil {
			t.Fatal(err)
		}
		return sms
	}
	first, others := open(), open()
	m := to(comms.SMS, phone)
	if r := first.Send(t.Context(), m)[0]; r.State != notify.Temporary || !r.MayHaveArrived {
		t.Fatalf("%+v, want it unknown", r)
	}
	sid := account.Messages()[0].SID
	for i := range 250 {
		other := m
		other.Key, other.Text = "other "+strconv.Itoa(i), "another "+strconv.Itoa(i)
		if r := others.Send(t.Context(), other)[0]; r.State != notify.Delivered {
			t.Fatalf("%+v", r)
		}
	}
	if r := first.Send(t.Context(), m)[0]; r.State != notify.Delivered || r.ID != sid || len(account.Messages()) != 251 {
		t.Errorf("%+v of %d messages, want %s of 251", r, len(account.Messages()), sid)
	}
}
