package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/gsm"
)

// TwilioConfig says by which account of Twilio, or of a provider with its interface,
// to reach phones. Account, Secret and From are required.
type TwilioConfig struct {
	Account string // AC…, in the path of all requests
	// Username and Secret log in: an API key and its secret, or the account and its token,
	// which is the default of Username.
	Username string
	Secret   adapters.Secret
	// From is the number that sends, as "+15005550006", or for SMS the id of a messaging
	// service, "MG…".
	From string
	// BaseURL defaults to "https://api.twilio.com".
	BaseURL string
	// Parts is the most an SMS may have; a longer text is cut. Defaults to 4. Twilio
	// takes 1,600 characters, which is ten.
	Parts int
	// Channel is whose targets are for the sender. Defaults to comms.SMS and [Voice].
	Channel comms.Channel
	// Answer is the URL at which a [CallHandler] hears the key that is pressed. Required
	// for calls.
	Answer string
	// Prompt is what a call says behind the text. Defaults to
	// "Press 1 to acknowledge." Language is that of both, as "en-US", the default.
	Prompt, Language string
	// Ledger remembers what was sent: a key that was sent is not sent again. Defaults to
	// one that ends with the process.
	Ledger adapters.Ledger
	// PerSecond is how many messages, or calls, the number sends. Defaults to 1.
	PerSecond float64
	// Transport sends single requests. Defaults to that of adapters/resilience.
	Transport http.RoundTripper
	// Policy of requests; Attempts defaults to 1.
	Policy resilience.Policy
	// Now dates entries of the ledger. Defaults to time.Now.
	Now func() time.Time
}

// Voice is the channel of calls; an address is a number, as that of an SMS.
const Voice comms.Channel = "voice"

// twilioRate is how many messages a long code of the USA sends a second, and how many
// calls an account begins. https://help.twilio.com/articles/115002943027,
// https://help.twilio.com/articles/223180028
const twilioRate = 1

// twilio is what SMS and Calls have in common.
type twilio struct {
	api      *api
	config   TwilioConfig // without Secret
	base     string       // of the account
	resource string       // "Messages" or "Calls"
}

func newTwilio(c TwilioConfig, resource string) (*twilio, error) {
	base, err := baseURL("base_url", c.BaseURL, "https://api.twilio.com")
	if err != nil {
		return nil, err
	}
	c.Parts, c.PerSecond = cmp.Or(c.Parts, 4), cmp.Or(c.PerSecond, twilioRate)
	for _, bad := range []struct {
		field, value, want string
		is                 bool
	}{
		{"account", c.Account, "an id like ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", c.Account == "" || url.PathEscape(c.Account) != c.Account},
		{"secret", "", "a token", c.Secret.IsZero()},
		{"from", c.From, "a number like +15005550006", !isPhone(c.From) && (resource != "Messages" || !strings.HasPrefix(c.From, "MG"))},
		{"parts", strconv.Itoa(c.Parts), "1 to 10", c.Parts < 1 || c.Parts > 10},
		{"per_second", fmt.Sprint(c.PerSecond), "more than 0", c.PerSecond < 0},
	} {
		if bad.is {
			return nil, &InputError{bad.field, bad.value, bad.want}
		}
	}
	if c.Ledger == nil {
		c.Ledger = &adapters.MemoryLedger{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &twilio{config: c, base: base + "/2010-04-01/Accounts/" + c.Account + "/", resource: resource}
	t.config.Secret = adapters.Secret{}
	t.api, err = newAPI("twilio", c.Transport, c.Policy, resilience.Basic(cmp.Or(c.Username, c.Account), c.Secret), decodeTwilio)
	return t, err
}

// isPhone reports whether a text is a number in E.164: a plus and at most 15 digits.
func isPhone(text string) bool {
	digits, plus := strings.CutPrefix(text, "+")
	return plus && len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// decodeTwilio reads errors such as {"code":21211,"message":"…","status":400}.
// https://www.twilio.com/docs/usage/twilios-response, https://www.twilio.com/docs/api/errors
func decodeTwilio(e *adapters.Error, _ int, header http.Header, body []byte) {
	var said struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil || said.Code == 0 {
		return
	}
	e.Code, e.Message, e.RequestID = strconv.Itoa(said.Code), said.Message, header.Get("Twilio-Request-Id")
	switch said.Code {
	case 20429, 14107, 21611: // too many requests, or messages that wait: 21611 comes as 429
		e.Kind = adapters.RateLimited
	case 20003, 20005: // wrong token; suspended account
		e.Kind = adapters.Unauthorized
	case 21211, 21214, 21217, 21401, 21614: // no number, not to be called, not to be texted
		e.Kind = adapters.NotFound
	case 21610, 21408, 21215, 21612: // unsubscribed by STOP; country not enabled; no route
		e.Kind = adapters.Forbidden
	case 21617, 21605: // over 1,600 characters
		e.Kind = adapters.TooLarge
	}
}

// send creates one resource for the key of a message, after looking whether it is
// there where that is in doubt. same reports whether a resource is the one.
func (w *twilio) send(ctx context.Context, m Message, t Target, form url.Values, same func(twilioResource) bool) (string, error) {
	c := w.config
	op := resilience.Op{Name: "send", Tenant: m.Tenant, Buckets: []resilience.Bucket{{Name: "twilio " + w.resource, PerSecond: c.PerSecond, Burst: 1}}}
	if !isPhone(t.Address) {
		return "", &InputError{"to", t.Address, "a number like +15005550006"}
	}
	key := digest("twilio "+w.resource, m.Key+"\x00"+t.Address)
	entry, first, err := c.Ledger.Intend(ctx, m.Tenant, key, c.Now())
	switch {
	case err != nil:
		return "", w.api.fail(op, adapters.Unavailable, "", err)
	case entry.Settled():
		return entry.Ref.ID, nil
	}
	form.Set("To", t.Address)
	if strings.HasPrefix(c.From, "MG") {
		form.Set("MessagingServiceSid", c.From)
	} else {
		form.Set("From", c.From)
	}
	var made twilioResource
	if !first {
		made, err = w.find(ctx, m, t, entry.Intended, key, same)
	}
	if err == nil && made.SID == "" {
		made, err = w.create(ctx, op, form)
	}
	ctx = context.WithoutCancel(ctx)
	switch {
	case err == nil:
		// A ledger that cannot be written costs a look, not a message.
		_ = c.Ledger.Settle(ctx, m.Tenant, key, adapters.Ref{Provider: "twilio", Tenant: m.Tenant, Type: w.resource, ID: made.SID})
		if _, _, err := c.Ledger.Intend(ctx, "", w.owner(made), c.Now()); err == nil {
			_ = c.Ledger.Settle(ctx, "", w.owner(made), adapters.Ref{Provider: "twilio", Type: "key", ID: key})
		}
	case first && !mayHaveArrived(err): // else the next try has to look
		_ = c.Ledger.Forget(ctx, m.Tenant, key)
	}
	return made.SID, err
}

func (w *twilio) create(ctx context.Context, op resilience.Op, form url.Values) (made twilioResource, err error) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	body, err := w.api.do(ctx, op, http.MethodPost, w.base+w.resource+".json", header, []byte(form.Encode()))
	if err != nil {
		return made, err
	}
	if json.Unmarshal(body, &made) != nil || made.SID == "" {
		e := w.api.fail(op, adapters.BadResponse, "", errors.New("no sid in the answer"))
		e.MayHaveApplied = true
		return twilioResource{}, e
	}
	return made, nil
}

// owner is under which key a ledger has whose a resource is, whatever the tenant.
func (w *twilio) owner(r twilioResource) string { return digest("twilio owner", r.SID) }

// find looks through the latest to the number, newest first, since an instant, for one
// that is not known to be of another key: a call does not tell what it says.
func (w *twilio) find(ctx context.Context, m Message, t Target, since time.Time, key string, same func(twilioResource) bool) (twilioResource, error) {
	const skew = time.Minute // between the clocks of ours and theirs
	op := resilience.Op{Name: "find", Tenant: m.Tenant, Repeatable: true, Buckets: []resilience.Bucket{{Name: "twilio find"}}}
	query := url.Values{"To": {t.Address}, "PageSize": {"100"}}
	for {
		body, err := w.api.do(ctx, op, http.MethodGet, w.base+w.resource+".json?"+query.Encode(), http.Header{"Accept": {"application/json"}}, nil)
		if err != nil {
			return twilioResource{}, err
		}
		var page struct {
			Messages []twilioResource `json:"messages"`
			Calls    []twilioResource `json:"calls"`
			Next     string           `json:"next_page_uri"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return twilioResource{}, w.api.fail(op, adapters.BadResponse, "", errors.New("the answer is no JSON"))
		}
		older := false
		for _, r := range append(page.Messages, page.Calls...) {
			at, err := time.Parse(time.RFC1123Z, r.Created) // "Thu, 24 Aug 2023 05:01:45 +0000"
			older = older || err == nil && at.Before(since.Add(-skew).Truncate(time.Second))
			if err != nil || r.To != t.Address || at.Before(since.Add(-skew).Truncate(time.Second)) || !same(r) {
				continue
			}
			entry, _, err := w.config.Ledger.Look(ctx, "", w.owner(r))
			if err != nil {
				return twilioResource{}, w.api.fail(op, adapters.Unavailable, "", err)
			}
			if !entry.Settled() || entry.Ref.ID == key {
				return r, nil
			}
		}
		// The next page goes on behind a token. Of the address only the query is taken, so
		// that the credential goes nowhere else.
		// https://www.twilio.com/docs/usage/twilios-response#pagination
		if page.Next == "" || older {
			return twilioResource{}, nil
		}
		_, more, _ := strings.Cut(page.Next, "?")
		if next, err := url.ParseQuery(more); err == nil && next.Encode() != query.Encode() {
			query = next
			continue
		}
		return twilioResource{}, w.api.fail(op, adapters.BadResponse, "", errors.New("the list goes on with the page it has given"))
	}
}

// twilioResource is a message or a call.
type twilioResource struct {
	SID     string `json:"sid"`
	To      string `json:"to"`
	Body    string `json:"body"`
	Created string `json:"date_created"`
}

// SMS sends text messages. It is safe for concurrent use.
//
// Twilio has no keys: a message whose answer was lost is looked for by number, text
// and time before it is sent again. Delivered means that Twilio took it.
type SMS struct{ twilio *twilio }

var _ Sender = (*SMS)(nil)

// NewSMS checks the configuration; nothing is sent yet.
func NewSMS(c TwilioConfig) (*SMS, error) {
	c.Channel = cmp.Or(c.Channel, comms.SMS)
	t, err := newTwilio(c, "Messages")
	if err != nil {
		return nil, err
	}
	return &SMS{t}, nil
}

// smsCut stands where a text was cut.
const smsCut = " ..."

// Text returns what is sent of a message, and in how many parts: its text, without the
// subject, cut so that it has no more parts than allowed, and its link. A link that
// alone is too long for them is left out.
func (s *SMS) Text(m Message) (text string, parts int) {
	tail := ""
	if m.Link != "" {
		tail = " " + m.Link
	}
	if gsm.Parts(smsCut+tail) > s.twilio.config.Parts {
		tail = ""
	}
	text = gsm.Cut(strings.ToValidUTF8(m.Text, "?"), smsCut, tail, s.twilio.config.Parts)
	return text, gsm.Parts(text)
}

// Send hands a message to Twilio once for each number.
func (s *SMS) Send(ctx context.Context, m Message) []Result {
	return each(m, s.twilio.skip, func(t Target) (string, error) {
		if m.Text == "" {
			return "", &InputError{"text", "", "a text that is not HTML"}
		}
		text, _ := s.Text(m)
		return s.twilio.send(ctx, m, t, url.Values{"Body": {text}}, func(r twilioResource) bool { return r.Body == text })
	})
}

func (w *twilio) skip(t Target) string {
	switch {
	case t.Channel != w.config.Channel:
		return "not a target for " + strings.ToLower(w.resource)
	case t.Address == "":
		return "no address"
	}
	return ""
}
