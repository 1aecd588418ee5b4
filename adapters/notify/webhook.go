package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// The headers of a webhook. A receiver verifies the signature with
//
//	ingest.HMAC{Header: notify.SignatureHeader, Version: notify.SignatureVersion, Secrets: secrets}
//
// drops what has a known id, and may refuse what has an old sent_at.
const (
	SignatureHeader  = "X-Evenkeel-Signature" // v1=hex(HMAC-SHA256(secret, body)), the body as it is sent
	SignatureVersion = "v1"
	IDHeader         = "X-Evenkeel-Id" // of the message to the target, the same on every try
)

// WebhookBody is what a webhook posts, as JSON.
type WebhookBody struct {
	ID        string    `json:"id"`      // as in the header
	SentAt    time.Time `json:"sent_at"` // of this try
	Tenant    string    `json:"tenant,omitempty"`
	Thread    string    `json:"thread,omitempty"`
	Replaces  string    `json:"replaces,omitempty"` // the id of the message whose place this one takes
	Recipient string    `json:"recipient,omitempty"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text,omitempty"`
	HTML      string    `json:"html,omitempty"`
	Link      string    `json:"link,omitempty"`
	At        time.Time `json:"at,omitzero"` // when the message was written
}

// Endpoint is where a webhook goes.
type Endpoint struct {
	URL adapters.Secret // of https unless the transport allows http
	// Secret signs. Required.
	Secret adapters.Secret
	// Header is sent along, such as Authorization. Defaults to nothing.
	Header http.Header
}

// WebhookConfig says where webhooks go. Endpoint is required.
type WebhookConfig struct {
	// Endpoint returns where the address of a target leads; false if nowhere, which
	// skips the target. The address is a name and not the URL, which may be a secret.
	Endpoint func(ctx context.Context, tenant, address string) (Endpoint, bool, error)
	// PerSecond is how many messages an address takes. Defaults to no limit.
	PerSecond float64
	// Transport sends single requests. Defaults to one that reaches public addresses by
	// https alone, because URLs are what tenants wrote; see [resilience.Guard].
	Transport http.RoundTripper
	// Policy of requests; Attempts defaults to 1.
	Policy resilience.Policy
	// Now dates requests. Defaults to time.Now.
	Now func() time.Time
}

// Webhook posts messages as signed JSON. An answer of 2xx is Delivered, 408, 429 and
// 5xx are Temporary, and so is 401, for a secret is replaced on one side first; other
// answers are Permanent. It is safe for concurrent use.
type Webhook struct {
	api      *api
	endpoint func(ctx context.Context, tenant, address string) (Endpoint, bool, error)
	rate     float64
	now      func() time.Time
}

var _ Sender = (*Webhook)(nil)

// NewWebhook checks the configuration; nothing is sent yet.
func NewWebhook(c WebhookConfig) (*Webhook, error) {
	switch {
	case c.Endpoint == nil:
		return nil, &InputError{"endpoint", "", "a function that finds URLs"}
	case c.PerSecond < 0:
		return nil, &InputError{"per_second", "", "0 or more"}
	}
	if c.Transport == nil {
		c.Transport = resilience.NewBase(&resilience.BaseOptions{Guard: &resilience.Guard{}})
	}
	w := &Webhook{endpoint: c.Endpoint, rate: c.PerSecond, now: c.Now}
	if w.now == nil {
		w.now = time.Now
	}
	var err error
	w.api, err = newAPI("webhook", c.Transport, c.Policy, nil, nil)
	return w, err
}

// Send posts a message once to each address.
func (w *Webhook) Send(ctx context.Context, m Message) []Result {
	return each(m, func(t Target) string {
		switch {
		case t.Channel != comms.Webhook:
			return "not a target for a webhook"
		case t.Address == "":
			return "no address"
		}
		return ""
	}, func(t Target) (string, error) { return w.post(ctx, m, t) })
}

func (w *Webhook) post(ctx context.Context, m Message, t Target) (string, error) {
	id := webhookID(m.Key, t)
	op := resilience.Op{Name: "post", Tenant: m.Tenant, Repeatable: true}
	if w.rate > 0 {
		op.Buckets = []resilience.Bucket{{Name: "webhook " + t.Address, PerSecond: w.rate, Burst: 1}}
	}
	to, ok, err := w.endpoint(ctx, m.Tenant, t.Address)
	switch {
	case err != nil:
		return id, w.api.fail(op, adapters.Unavailable, "", err)
	case !ok:
		return id, errSkip("no endpoint of this name")
	}
	u, err := url.Parse(to.URL.Reveal())
	if err != nil || u.Host == "" || to.Secret.IsZero() {
		return id, &InputError{"endpoint", t.Address, "a URL and a secret for it"}
	}
	body := WebhookBody{
		ID: id, SentAt: w.now().UTC(), Tenant: m.Tenant, Thread: m.Thread, Recipient: t.Recipient, Subject: m.Subject,
		Text: m.Text, HTML: m.HTML, Link: m.Link, At: m.At,
	}
	if m.Replaces != "" {
		body.Replaces = webhookID(m.Replaces, t)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return id, w.api.fail(op, adapters.Invalid, "", err)
	}
	header := to.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	sign := ingest.HMAC{Header: SignatureHeader, Version: SignatureVersion, Secrets: []adapters.Secret{to.Secret}}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", cmp.Or(header.Get("User-Agent"), "evenkeel"))
	header.Set(IDHeader, id)
	header.Set(SignatureHeader, sign.Sign(raw))
	op.Secrets = append(secretsOf(u), to.Secret)
	for _, values := range to.Header {
		for _, value := range values {
			op.Secrets = append(op.Secrets, adapters.NewSecret(value))
		}
	}
	_, err = w.api.do(ctx, op, http.MethodPost, to.URL.Reveal(), header, raw)
	return id, err
}

func webhookID(key string, t Target) string { return digest("webhook", key+"\x00"+t.Address) }
