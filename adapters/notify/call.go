package notify

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs by it
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Calls calls phones, reads a message aloud and asks for a key by which whoever is
// called acknowledges it; a [CallHandler] hears that. It is safe for concurrent use.
//
// Twilio has no keys: a call whose answer was lost is taken to be made if there is one
// to the number since that the ledger does not know as that of another message.
// Delivered means that Twilio makes the call, not that somebody answers it.
type Calls struct{ twilio *twilio }

var _ Sender = (*Calls)(nil)

// NewCalls checks the configuration; nobody is called yet.
func NewCalls(c TwilioConfig) (*Calls, error) {
	c.Channel = cmp.Or(c.Channel, Voice)
	if _, err := answerURL(c.Answer); err != nil {
		return nil, err
	}
	c.Prompt, c.Language = cmp.Or(c.Prompt, "Press 1 to acknowledge."), cmp.Or(c.Language, "en-US")
	t, err := newTwilio(c, "Calls")
	if err != nil {
		return nil, err
	}
	return &Calls{t}, nil
}

// answerURL checks the URL at which keys are heard.
func answerURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &InputError{"answer", text, `a URL like "https://ops.example.com/answer", without a query`}
	}
	return u, nil
}

// Send begins a call to each number, once. The subject is said before the text.
func (c *Calls) Send(ctx context.Context, m Message) []Result {
	return each(m, c.twilio.skip, func(t Target) (string, error) {
		if m.Text == "" {
			return "", &InputError{"text", "", "a text that is not HTML"}
		}
		form := url.Values{"Twiml": {c.script(m, t)}}
		return c.twilio.send(ctx, m, t, form, func(twilioResource) bool { return true })
	})
}

// twimlMost is how long the instructions in a request may be.
// https://www.twilio.com/docs/voice/api/call-resource (parameter Twiml)
const twimlMost = 4_000

// script is what is said in a call, cut so that it can be sent.
func (c *Calls) script(m Message, t Target) string {
	to := c.twilio.config
	query := url.Values{"key": {m.Key}, "tenant": {m.Tenant}, "thread": {m.Thread}, "recipient": {t.Recipient}}
	text := []rune(strings.ToValidUTF8(m.Subject+". "+m.Text, "?"))
	for {
		script := gather(to.Answer+"?"+query.Encode(), to.Language, string(text), to.Prompt)
		over := len([]rune(script)) - twimlMost
		if over <= 0 || len(text) == 0 {
			return script
		}
		text = text[:max(0, len(text)-max(1, over/6))] // a character is at most six: &quot; or &#xFF;
	}
}

// gather is the instruction to say something and to wait for a key, twice.
// https://www.twilio.com/docs/voice/twiml/gather
func gather(action, language string, says ...string) string {
	var b strings.Builder
	ask := func() {
		fmt.Fprintf(&b, `<Gather numDigits="1" timeout="10" method="POST" action="%s">`, escapeXML(action))
		for _, text := range says {
			say(&b, language, text)
		}
		b.WriteString(`</Gather>`)
		says = says[len(says)-1:] // the second time the question alone
	}
	b.WriteString(`<Response>`)
	ask()
	ask()
	b.WriteString(`</Response>`)
	return b.String()
}

func say(b *strings.Builder, language, text string) {
	if text != "" {
		fmt.Fprintf(b, `<Say language="%s">%s</Say>`, escapeXML(language), escapeXML(text))
	}
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes it
	return b.String()
}

// Answer is a key that was pressed in a call.
type Answer struct {
	Key, Tenant, Thread, Recipient string // of the message that the call was for
	Number                         string // that was called
	Call                           string // id of the call
}

// CallHandlerConfig is what a [CallHandler] needs. All but the last three are required.
type CallHandlerConfig struct {
	// URL is that of the handler as Twilio knows it, the Answer of a TwilioConfig. The
	// signature is over it, so a proxy in between does no harm.
	URL string
	// Tokens are those of the account. Several may be valid, while one is replaced.
	Tokens []adapters.Secret
	// Acknowledge takes note of an answer. It may be told of one several times. Twilio
	// waits for 15 s.
	Acknowledge func(ctx context.Context, a Answer) error
	// Digit is the key that acknowledges. Defaults to "1".
	Digit string
	// Prompt, Thanks and Sorry are what is said: after another key, after the right one,
	// and if Acknowledge fails. Default to English sentences.
	Prompt, Thanks, Sorry string
	// Language is that of the three. Defaults to "en-US".
	Language string
}

// CallHandler is an http.Handler that hears the keys which are pressed in calls. What
// Twilio has not signed gets a 403. It is safe for concurrent use.
type CallHandler struct {
	config CallHandlerConfig // without Tokens
	tokens func() []adapters.Secret
	url    *url.URL
}

// NewCallHandler checks the configuration.
func NewCallHandler(c CallHandlerConfig) (*CallHandler, error) {
	u, err := answerURL(c.URL)
	if err != nil {
		return nil, err
	}
	if len(c.Tokens) == 0 || slices.ContainsFunc(c.Tokens, adapters.Secret.IsZero) {
		return nil, &InputError{"tokens", "", "the token of the account"}
	}
	if c.Acknowledge == nil {
		return nil, &InputError{"acknowledge", "", "a function"}
	}
	tokens := slices.Clone(c.Tokens)
	c.Tokens = nil
	c.Digit, c.Language = cmp.Or(c.Digit, "1"), cmp.Or(c.Language, "en-US")
	c.Prompt = cmp.Or(c.Prompt, "Press "+c.Digit+" to acknowledge.")
	c.Thanks = cmp.Or(c.Thanks, "Thank you. It is acknowledged.")
	c.Sorry = cmp.Or(c.Sorry, "This could not be recorded. Please acknowledge in another way.")
	return &CallHandler{config: c, url: u, tokens: func() []adapters.Secret { return tokens }}, nil
}

// ServeHTTP takes one answer.
func (h *CallHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "want POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		http.Error(w, "body unreadable", http.StatusBadRequest)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "want a form", http.StatusBadRequest)
		return
	}
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + r.URL.RawQuery
	}
	if !h.signed(query, form, r.Header.Get("X-Twilio-Signature")) {
		http.Error(w, "not verified", http.StatusForbidden)
		return
	}
	q := r.URL.Query()
	a := Answer{
		Key: q.Get("key"), Tenant: q.Get("tenant"), Thread: q.Get("thread"), Recipient: q.Get("recipient"),
		Number: form.Get("To"), Call: form.Get("CallSid"),
	}
	if a.Key == "" {
		http.Error(w, "no key", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	if form.Get("Digits") != h.config.Digit {
		_, _ = io.WriteString(w, gather(h.url.String()+query, h.config.Language, h.config.Prompt))
		return
	}
	text := h.config.Thanks
	if err := h.config.Acknowledge(r.Context(), a); err != nil {
		text = h.config.Sorry // and the alarm goes on
	}
	var b strings.Builder
	b.WriteString(`<Response>`)
	say(&b, h.config.Language, text)
	b.WriteString(`<Hangup/></Response>`)
	_, _ = io.WriteString(w, b.String())
}

// signed reports whether a signature is of one of the tokens, over the URL with or
// without its port, which Twilio may leave out.
func (h *CallHandler) signed(query string, form url.Values, signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(got) != sha1.Size {
		return false
	}
	bare := *h.url
	bare.Host = bare.Hostname()
	if strings.Contains(bare.Host, ":") { // IPv6
		bare.Host = "[" + bare.Host + "]"
	}
	valid := false
	for _, token := range h.tokens() {
		for _, base := range []string{h.url.String(), bare.String()} {
			valid = hmac.Equal(got, twilioSignature(token, base+query, form)) || valid
		}
	}
	return valid
}

// twilioSignature is the HMAC-SHA1 over the URL and the parameters, sorted by name, each
// name followed by its value. A name with several values has them sorted, each once.
// https://www.twilio.com/docs/usage/security#validating-requests
func twilioSignature(token adapters.Secret, to string, form url.Values) []byte {
	mac := hmac.New(sha1.New, []byte(token.Reveal()))
	_, _ = io.WriteString(mac, to)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return mac.Sum(nil)
}
