package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// SlackConfig says as whom to write in Slack. Token is required.
type SlackConfig struct {
	// Token is that of a bot with the scopes chat:write and, so that messages whose
	// answer was lost are found again, channels:history and groups:history.
	Token adapters.Secret
	// BaseURL defaults to "https://slack.com/api".
	BaseURL string
	// Ledger remembers what was posted where: a key that was posted is not posted again,
	// and a thread goes on below its first message. Defaults to one that ends with the
	// process.
	Ledger adapters.Ledger
	// PerSecond is how many messages a channel takes. Defaults to 1.
	PerSecond float64
	// Transport sends single requests. Defaults to that of adapters/resilience.
	Transport http.RoundTripper
	// Policy of requests; Attempts defaults to 1.
	Policy resilience.Policy
	// Now dates entries of the ledger. Defaults to time.Now.
	Now func() time.Time
}

// Slack writes in channels of Slack by chat.postMessage. The address of a target is
// the id of the channel, such as "C024BE91L"; by its name a message can be posted, but
// not found again. Texts are in Slack's mrkdwn, with &, < and > escaped, as package
// comms writes them. It is safe for concurrent use.
//
// Messages of one thread stand below the first of them in the channel. The key of a
// message is in its metadata, so that one whose answer was lost is looked for before
// it is posted again.
type Slack struct {
	api    *api
	base   string
	ledger adapters.Ledger
	rate   float64
	now    func() time.Time
	heads  [64]chan struct{} // one at a time begins a thread
}

var _ Sender = (*Slack)(nil)

// NewSlack checks the configuration; nothing is sent yet.
func NewSlack(c SlackConfig) (*Slack, error) {
	base, err := baseURL("base_url", c.BaseURL, "https://slack.com/api")
	switch {
	case err != nil:
		return nil, err
	case c.Token.IsZero():
		return nil, &InputError{"token", "", "the token of a bot"}
	case c.PerSecond < 0:
		return nil, &InputError{"per_second", fmt.Sprint(c.PerSecond), "more than 0"}
	}
	s := &Slack{base: base, ledger: c.Ledger, rate: cmp.Or(c.PerSecond, slackRate), now: c.Now}
	if s.ledger == nil {
		s.ledger = &adapters.MemoryLedger{}
	}
	if s.now == nil {
		s.now = time.Now
	}
	for i := range s.heads {
		s.heads[i] = make(chan struct{}, 1)
	}
	if s.api, err = newAPI("slack", c.Transport, c.Policy, resilience.Bearer(c.Token), nil); err != nil {
		return nil, err
	}
	return s, nil
}

// slackRate is how many messages a second a channel takes.
// https://docs.slack.dev/apis/web-api/rate-limits
const slackRate = 1

// Send posts a message once to each channel. What was posted is Delivered.
func (s *Slack) Send(ctx context.Context, m Message) []Result {
	return each(m, isSlack, func(t Target) (string, error) {
		p, err := newSlackPost(m)
		if err != nil {
			return "", err
		}
		p.Channel = t.Address
		ref, err := s.once(ctx, m, p)
		return ref.ID, err
	})
}

func isSlack(t Target) string {
	switch {
	case t.Channel != comms.Slack:
		return "not a target for Slack"
	case t.Address == "":
		return "no address"
	}
	return ""
}

// once posts what was not posted under the key of the message.
func (s *Slack) once(ctx context.Context, m Message, p *slackPost) (adapters.Ref, error) {
	key := digest("slack", m.Key+"\x00"+p.Channel)
	p.Metadata = slackMetadata{Type: slackEvent, Payload: slackPayload{Key: key}}
	op := s.op("post", m, p.Channel)
	entry, first, err := s.ledger.Intend(ctx, m.Tenant, key, s.now())
	if err != nil {
		return adapters.Ref{}, s.api.fail(op, adapters.Unavailable, "", err)
	}
	if entry.Settled() {
		return entry.Ref, nil
	}
	since := s.now()
	if !first {
		since = entry.Intended
	}
	if m.Replaces != "" {
		ref, err := s.replace(ctx, m, p)
		if err != nil || !ref.IsZero() {
			return s.settled(ctx, m.Tenant, key, first, ref, err)
		}
	}
	ref, err := s.inThread(ctx, m, p, func(thread string) (adapters.Ref, error) {
		if !first {
			if ref, err := s.find(ctx, m, p.Channel, thread, since, slackPayload{Key: key}); err != nil || !ref.IsZero() {
				return ref, err
			}
		}
		return s.post(ctx, op, p, thread)
	})
	return s.settled(ctx, m.Tenant, key, first, ref, err)
}

// settled notes what became of an intention. One whose outcome is not known stays, and
// so does one of an earlier try.
func (s *Slack) settled(ctx context.Context, tenant, key string, first bool, ref adapters.Ref, err error) (adapters.Ref, error) {
	ctx = context.WithoutCancel(ctx) // what is done is done
	switch {
	case err == nil:
		// A ledger that cannot be written costs a look, not a message.
		_ = s.ledger.Settle(ctx, tenant, key, ref)
	case first && !mayHaveArrived(err): // else the next try has to look
		_ = s.ledger.Forget(ctx, tenant, key)
	}
	return ref, err
}

func mayHaveArrived(err error) bool {
	e, ok := errors.AsType[*adapters.Error](err)
	return ok && (e.MayHaveApplied || e.Kind == adapters.OutcomeUnknown)
}

// inThread calls post with the first message of the thread, or with "" if it is the
// one that is posted.
func (s *Slack) inThread(ctx context.Context, m Message, p *slackPost, post func(thread string) (adapters.Ref, error)) (adapters.Ref, error) {
	if m.Thread == "" {
		return post("")
	}
	key := digest("slack thread", m.Thread+"\x00"+p.Channel)
	p.Metadata.Payload.Thread = key
	op := s.op("thread", m, p.Channel)
	entry, _, err := s.ledger.Look(ctx, m.Tenant, key)
	if err != nil {
		return adapters.Ref{}, s.api.fail(op, adapters.Unavailable, "", err)
	}
	if entry.Settled() {
		return post(entry.Ref.ID)
	}
	place := s.heads[key[0]&0x0f|key[1]&3<<4]
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
	case <-ctx.Done():
		kind := adapters.Canceled
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = adapters.Deadline
		}
		return adapters.Ref{}, s.api.fail(op, kind, "", ctx.Err())
	}
	entry, first, err := s.ledger.Intend(ctx, m.Tenant, key, s.now())
	switch {
	case err != nil:
		return adapters.Ref{}, s.api.fail(op, adapters.Unavailable, "", err)
	case entry.Settled():
		return post(entry.Ref.ID)
	case !first: // a process has died, or another one is beginning the thread
		ref, err := s.find(ctx, m, p.Channel, "", entry.Intended, slackPayload{Thread: key})
		if err != nil {
			return ref, err
		}
		if !ref.IsZero() {
			if ref, err = s.settled(ctx, m.Tenant, key, first, ref, nil); err == nil {
				return post(ref.ID)
			}
		}
	}
	ref, err := post("")
	return s.settled(ctx, m.Tenant, key, first, ref, err)
}

func (s *Slack) op(name string, m Message, channel string) resilience.Op {
	return resilience.Op{Name: name, Tenant: m.Tenant, Buckets: []resilience.Bucket{{Name: "slack " + channel, PerSecond: s.rate, Burst: 1}}}
}

// post writes a message below another, or in the channel.
func (s *Slack) post(ctx context.Context, op resilience.Op, p *slackPost, thread string) (adapters.Ref, error) {
	_, p.Thread, _ = strings.Cut(thread, "/")
	return s.write(ctx, op, "chat.postMessage", p)
}

// write calls a method that answers with the place of a message.
func (s *Slack) write(ctx context.Context, op resilience.Op, method string, p *slackPost) (adapters.Ref, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return adapters.Ref{}, s.api.fail(op, adapters.Invalid, "", err)
	}
	var a slackAnswer
	err = s.call(ctx, op, http.MethodPost, method, body, &a)
	if err == nil && (a.Channel == "" || a.TS == "") {
		e := s.api.fail(op, adapters.BadResponse, "", errors.New("no channel and no ts in the answer"))
		e.MayHaveApplied, err = true, e
	}
	if err != nil {
		return adapters.Ref{}, err
	}
	return adapters.Ref{Provider: "slack", Tenant: op.Tenant, Type: "message", ID: a.Channel + "/" + a.TS}, nil
}

// replace changes the message that this one replaces; zero if that cannot be done.
func (s *Slack) replace(ctx context.Context, m Message, p *slackPost) (adapters.Ref, error) {
	op := s.op("update", m, p.Channel)
	op.Repeatable = true // the same text twice is the same text
	entry, _, err := s.ledger.Look(ctx, m.Tenant, digest("slack", m.Replaces+"\x00"+p.Channel))
	if err != nil {
		return adapters.Ref{}, s.api.fail(op, adapters.Unavailable, "", err)
	}
	channel, ts, ok := strings.Cut(entry.Ref.ID, "/")
	if !ok {
		return adapters.Ref{}, nil
	}
	change := *p
	change.Channel, change.TS = channel, ts
	ref, err := s.write(ctx, op, "chat.update", &change)
	switch adapters.KindOf(err) {
	case adapters.NotFound, adapters.Conflict, adapters.Forbidden: // gone, or too old to be changed
		return adapters.Ref{}, nil
	default:
		return ref, err
	}
}

// find looks for a message by the key, or the thread, in its metadata, in the channel
// or below another message. Zero is none.
func (s *Slack) find(ctx context.Context, m Message, channel, thread string, since time.Time, want slackPayload) (adapters.Ref, error) {
	const skew = time.Minute // between the clocks of ours and theirs
	query := url.Values{
		"channel": {channel}, "limit": {"200"}, "include_all_metadata": {"true"}, "inclusive": {"true"},
		"oldest": {fmt.Sprintf("%d.000000", since.Add(-skew).Unix())},
	}
	method := "conversations.history"
	if _, ts, ok := strings.Cut(thread, "/"); ok {
		method = "conversations.replies"
		query.Set("ts", ts)
	}
	op := resilience.Op{Name: "find", Tenant: m.Tenant, Repeatable: true, Buckets: []resilience.Bucket{{Name: "slack " + method}}}
	for {
		var page slackPage
		err := s.call(ctx, op, http.MethodGet, method+"?"+query.Encode(), nil, &page)
		if k := adapters.KindOf(err); k == adapters.NotFound || k == adapters.Forbidden {
			return adapters.Ref{}, nil // it may not look here, or by this name
		}
		if err != nil {
			return adapters.Ref{}, err
		}
		for _, found := range page.Messages {
			got := found.Metadata.Payload
			if found.Metadata.Type == slackEvent && (got.Key == want.Key || want.Key == "") && (got.Thread == want.Thread || want.Thread == "") {
				return adapters.Ref{Provider: "slack", Tenant: m.Tenant, Type: "message", ID: channel + "/" + found.TS}, nil
			}
		}
		if page.Next.Cursor == "" {
			return adapters.Ref{}, nil
		}
		if page.Next.Cursor == query.Get("cursor") {
			return adapters.Ref{}, s.api.fail(op, adapters.BadResponse, "", errors.New("the list goes on with the page it has given"))
		}
		query.Set("cursor", page.Next.Cursor)
	}
}

// call calls a method. Slack answers 200 to what it refuses.
func (s *Slack) call(ctx context.Context, op resilience.Op, method, path string, body []byte, into interface{ problem() (bool, string) }) error {
	header := http.Header{}
	if body != nil {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	answer, err := s.api.do(ctx, op, method, s.base+"/"+path, header, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		e := s.api.fail(op, adapters.BadResponse, "", errors.New("the answer is no JSON"))
		e.MayHaveApplied = method == http.MethodPost
		return e
	}
	ok, code := into.problem()
	if ok {
		return nil
	}
	e := s.api.fail(op, slackKind(code), code, nil)
	e.Status, e.Message, e.Attempts = http.StatusOK, strings.ReplaceAll(code, "_", " "), 1
	e.MayHaveApplied = e.Kind == adapters.OutcomeUnknown
	return e
}

// slackKind sorts the codes of Slack.
// https://docs.slack.dev/reference/methods/chat.postMessage (errors)
func slackKind(code string) adapters.Kind {
	switch code {
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return adapters.RateLimited
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "two_factor_setup_required":
		return adapters.Unauthorized
	case "missing_scope", "no_permission", "access_denied", "org_login_required", "ekm_access_denied", "not_allowed_token_type",
		"restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
		"restricted_action_non_threadable_channel", "restricted_action_thread_locked", "team_access_not_granted":
		return adapters.Forbidden
	case "channel_not_found", "user_not_found", "message_not_found", "thread_not_found":
		return adapters.NotFound
	case "is_archived", "not_in_channel", "cant_update_message", "edit_window_closed", "is_inactive":
		return adapters.Conflict
	case "msg_too_long", "msg_blocks_too_long", "metadata_too_large":
		return adapters.TooLarge
	case "service_unavailable", "team_added_to_org", "accesslimited":
		return adapters.Unavailable
	case "internal_error", "fatal_error", "request_timeout": // "some aspect of the operation" may have succeeded
		return adapters.OutcomeUnknown
	}
	return adapters.Invalid
}

// slackPost is a message as chat.postMessage and chat.update take it.
type slackPost struct {
	Channel  string        `json:"channel,omitempty"`
	TS       string        `json:"ts,omitempty"`
	Thread   string        `json:"thread_ts,omitempty"`
	Text     string        `json:"text"`
	Blocks   []slackBlock  `json:"blocks"`
	Metadata slackMetadata `json:"metadata,omitzero"`
	Unfurl   bool          `json:"unfurl_links"` // false: an incident needs no previews
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackEvent is the type of the metadata of our messages.
// https://docs.slack.dev/messaging/message-metadata
const slackEvent = "evenkeel_message"

type slackMetadata struct {
	Type    string       `json:"event_type,omitempty"`
	Payload slackPayload `json:"event_payload,omitzero"`
}

type slackPayload struct {
	Key    string `json:"key,omitempty"`
	Thread string `json:"thread,omitempty"`
}

type slackVerdict struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

func (v *slackVerdict) problem() (ok bool, code string) {
	return v.OK, cmp.Or(v.Error, "no error named")
}

type slackAnswer struct {
	slackVerdict
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

type slackPage struct {
	slackVerdict
	Messages []struct {
		TS       string        `json:"ts"`
		Metadata slackMetadata `json:"metadata"`
	} `json:"messages"`
	Next struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// The limits of a message.
// https://docs.slack.dev/reference/methods/chat.postMessage (truncating content),
// https://docs.slack.dev/reference/block-kit/blocks/section-block
const (
	slackMostText    = 40_000
	slackMostBlocks  = 50
	slackMostSection = 3_000
)

// slackCut stands where a text was cut.
const slackCut = "\n… _cut_"

// newSlackPost writes a message as text and as blocks. Both are cut by the limits, and
// the link is kept.
func newSlackPost(m Message) (*slackPost, error) {
	if m.Text == "" {
		return nil, &InputError{"text", "", "a text that is not HTML"}
	}
	text, tail := "*"+m.Subject+"*\n"+strings.ToValidUTF8(m.Text, "\uFFFD"), ""
	if m.Link != "" {
		tail = "\n<" + strings.ReplaceAll(m.Link, "&", "&amp;") + ">"
	}
	if head := slackHead(text, slackMostText-slackUnits(tail)); head != text {
		text = slackHead(text, slackMostText-slackUnits(slackCut+tail)) + slackCut
	}
	p := &slackPost{Text: text + tail}
	for rest := p.Text; rest != ""; {
		head := slackHead(rest, slackMostSection)
		if head != rest {
			if at := strings.LastIndexByte(head, '\n'); at > len(head)/2 { // no block is less than half full, so they are not too many
				head = head[:at+1]
			}
			if len(p.Blocks) == slackMostBlocks-1 {
				head, rest = slackHead(rest, slackMostSection-slackUnits(slackCut))+slackCut, ""
			}
		}
		rest = strings.TrimPrefix(rest, head)
		if section := strings.TrimSpace(head); section != "" {
			p.Blocks = append(p.Blocks, slackBlock{"section", slackText{"mrkdwn", head}})
		}
		if len(p.Blocks) == slackMostBlocks {
			break
		}
	}
	return p, nil
}

// slackHead is the longest beginning of a text that has at most so many characters,
// as JavaScript counts them, and ends in no entity such as "&amp;" and no link.
func slackHead(text string, most int) string {
	n := 0
	for i, r := range text {
		if n += utf16Units(r); n > most {
			head := text[:i]
			if at := strings.LastIndexByte(head, '&'); at >= 0 && len(head)-at < len("&amp;") && !strings.Contains(head[at:], ";") {
				head = head[:at]
			}
			if at := strings.LastIndexByte(head, '<'); at > 0 && !strings.Contains(head[at:], ">") {
				head = head[:at]
			}
			return head
		}
	}
	return text
}

func slackUnits(text string) (n int) {
	for _, r := range text {
		n += utf16Units(r)
	}
	return n
}

func utf16Units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// SlackWebhookConfig says by which incoming webhooks to write. URLs is required.
type SlackWebhookConfig struct {
	// URLs are the webhooks by the address of a target, such as "#ops". A webhook
	// belongs to one channel, and whoever knows its URL may write there.
	URLs map[string]adapters.Secret
	// PerSecond is how many messages a channel takes. Defaults to 1.
	PerSecond float64
	// Transport sends single requests. Defaults to that of adapters/resilience.
	Transport http.RoundTripper
	// Policy of requests; Attempts defaults to 1.
	Policy resilience.Policy
}

// SlackWebhook writes in channels of Slack by incoming webhooks. They tell nothing of
// the message that they made, so there are no threads, nothing is changed in place, and
// a message whose answer was lost is posted again. It is safe for concurrent use.
type SlackWebhook struct {
	api  *api
	url  func(address string) adapters.Secret
	rate float64
}

var _ Sender = (*SlackWebhook)(nil)

// NewSlackWebhook checks the configuration; nothing is sent yet.
func NewSlackWebhook(c SlackWebhookConfig) (*SlackWebhook, error) {
	if len(c.URLs) == 0 {
		return nil, &InputError{"urls", "", "the URL of a webhook"}
	}
	for address, to := range c.URLs {
		if u, err := url.Parse(to.Reveal()); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, &InputError{"urls", address, "a URL of https for it"}
		}
	}
	if c.PerSecond < 0 {
		return nil, &InputError{"per_second", fmt.Sprint(c.PerSecond), "more than 0"}
	}
	urls := c.URLs
	w := &SlackWebhook{rate: cmp.Or(c.PerSecond, slackRate), url: func(address string) adapters.Secret { return urls[address] }}
	var err error
	w.api, err = newAPI("slack", c.Transport, c.Policy, nil, decodeSlackWebhook)
	return w, err
}

// decodeSlackWebhook reads answers such as "no_service": a word, as text.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (handling errors)
func decodeSlackWebhook(e *adapters.Error, status int, _ http.Header, body []byte) {
	const longest = 64
	word := strings.TrimSpace(string(body))
	if len(word) == 0 || len(word) > longest || strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) {
		return
	}
	e.Code, e.Message = word, strings.ReplaceAll(word, "_", " ")
	if status >= 400 && status < 500 && status != http.StatusTooManyRequests {
		if word == "channel_is_archived" || word == "channel_not_found" || word == "no_service" || word == "no_team" || word == "user_not_found" {
			e.Kind = adapters.NotFound
		}
	}
}

// Send posts a message once to each channel.
func (w *SlackWebhook) Send(ctx context.Context, m Message) []Result {
	way := func(t Target) string {
		why := isSlack(t)
		if why == "" && w.url(t.Address).IsZero() {
			why = "no webhook for this channel"
		}
		return why
	}
	return each(m, way, func(t Target) (string, error) {
		p, err := newSlackPost(m)
		if err != nil {
			return "", err
		}
		id := digest("slack", m.Key+"\x00"+t.Address)
		op := resilience.Op{Name: "post", Tenant: m.Tenant, Buckets: []resilience.Bucket{{Name: "slack " + t.Address, PerSecond: w.rate, Burst: 1}}}
		body, err := json.Marshal(p)
		if err != nil {
			return id, w.api.fail(op, adapters.Invalid, "", err)
		}
		if u, err := url.Parse(w.url(t.Address).Reveal()); err == nil {
			op.Secrets = secretsOf(u)
		}
		_, err = w.api.do(ctx, op, http.MethodPost, w.url(t.Address).Reveal(), http.Header{"Content-Type": {"application/json"}}, body)
		return id, err
	})
}
