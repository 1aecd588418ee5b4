package adaptertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/evenkeelops/evenkeel/adapters"
)

// SlackOptions are what a fake workspace may be told. All have defaults.
type SlackOptions struct {
	Token    adapters.Secret   // that it takes; defaults to any
	Channels map[string]string // ids by name; defaults to C1 of "ops" and C2 of "dev"
	Archived []string          // ids of channels that take nothing
	Webhooks map[string]string // ids of channels by path; defaults to /services/T1/B1/x of C1
	// Unlimited lets through what is more than a message a second.
	Unlimited bool
	// Fault is asked of every call of a method, with its number from 1: "lost" carries it
	// out and cuts the answer off, a number is the status of the answer instead, anything
	// else the code of a refusal.
	Fault func(method string, n int) string
	// Now defaults to time.Now.
	Now func() time.Time
}

// Slack is a workspace in memory: chat.postMessage, chat.update,
// conversations.history, conversations.replies and incoming webhooks. It is an
// http.Handler, safe for concurrent use, and wrong in the ways of Slack; each is named
// at its place.
type Slack struct {
	o SlackOptions

	mu       sync.Mutex // guards all below
	calls    int
	messages []SlackMessage
	last     map[string]time.Time // when a channel took a message
	stamp    int64
}

// SlackMessage is a message in a channel.
type SlackMessage struct {
	Channel  string          `json:"-"`
	TS       string          `json:"ts"`
	Thread   string          `json:"thread_ts,omitempty"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Edited   int             `json:"-"` // how often it was changed
}

// NewSlack returns an empty workspace.
func NewSlack(o SlackOptions) *Slack {
	if o.Channels == nil {
		o.Channels = map[string]string{"ops": "C1", "dev": "C2"}
	}
	if o.Webhooks == nil {
		o.Webhooks = map[string]string{"/services/T1/B1/x": "C1"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Slack{o: o, last: map[string]time.Time{}}
}

// Messages returns what was posted, oldest first.
func (s *Slack) Messages() []SlackMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Calls returns how many requests came.
func (s *Slack) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// ServeHTTP answers one request.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	hook, isHook := s.o.Webhooks[r.URL.Path]
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case isHook:
		method = "webhook"
	case strings.HasPrefix(r.URL.Path, "/services/"):
		// Incoming webhooks answer in plain words, not in JSON: "no_service" for one that
		// was removed. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
		http.Error(w, "no_service", http.StatusNotFound)
		return
	}
	fault := ""
	if s.o.Fault != nil {
		fault = s.o.Fault(method, s.calls)
	}
	if status, err := strconv.Atoi(fault); err == nil {
		w.Header().Set("Retry-After", "30") // with a 429; https://docs.slack.dev/apis/web-api/rate-limits
		w.WriteHeader(status)
		return
	}
	if isHook {
		s.webhook(w, hook, body, fault)
		return
	}
	if token := s.o.Token; !token.IsZero() && r.Header.Get("Authorization") != "Bearer "+token.Reveal() {
		refuse(w, "invalid_auth")
		return
	}
	if fault != "" && fault != "lost" {
		refuse(w, fault)
		return
	}
	switch method {
	case "chat.postMessage", "chat.update":
		s.write(w, method, body, fault == "lost")
	case "conversations.history", "conversations.replies":
		s.list(w, method, r)
	default:
		refuse(w, "unknown_method")
	}
}

// refuse answers as Slack does: 200, whatever is wrong.
// https://docs.slack.dev/apis/web-api/#responses
func refuse(w http.ResponseWriter, code string) {
	answer(w, map[string]any{"ok": false, "error": code})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}

// slackWrite is what the writing methods are asked.
type slackWrite struct {
	SlackMessage
	Channel string `json:"channel"`
}

func (s *Slack) write(w http.ResponseWriter, method string, body []byte, lost bool) {
	var in slackWrite
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, "invalid_json")
		return
	}
	channel := s.channel(in.Channel)
	switch {
	case channel == "":
		refuse(w, "channel_not_found")
		return
	case slices.Contains(s.o.Archived, channel):
		refuse(w, "is_archived")
		return
	case in.Text == "" && len(in.Blocks) == 0:
		refuse(w, "no_text")
		return
	case !blocksFit(in.Blocks):
		refuse(w, "invalid_blocks")
		return
	}
	m := in.SlackMessage
	m.Channel, m.Text = channel, truncated(m.Text)
	if method == "chat.update" {
		i := slices.IndexFunc(s.messages, func(have SlackMessage) bool { return have.Channel == channel && have.TS == m.TS })
		if i < 0 {
			refuse(w, "message_not_found")
			return
		}
		m.Thread, m.Edited = s.messages[i].Thread, s.messages[i].Edited+1
		s.messages[i] = m
	} else {
		if !s.allowed(w, channel) {
			return
		}
		if m.Thread != "" && !slices.ContainsFunc(s.messages, func(have SlackMessage) bool { return have.Channel == channel && have.TS == m.Thread }) {
			refuse(w, "thread_not_found")
			return
		}
		m.TS = s.next()
		// Nothing keeps Slack from taking the same message twice.
		s.messages = append(s.messages, m)
	}
	if lost {
		panic(http.ErrAbortHandler) // the answer is cut off, the message stands
	}
	answer(w, map[string]any{"ok": true, "channel": channel, "ts": m.TS, "message": map[string]string{"text": m.Text}})
}

// channel returns the id of a channel by its id or name.
func (s *Slack) channel(text string) string {
	if id := s.o.Channels[strings.TrimPrefix(text, "#")]; id != "" {
		return id
	}
	for _, id := range s.o.Channels {
		if id == text {
			return id
		}
	}
	return ""
}

// allowed answers 429 to more than a message a second in a channel.
// https://docs.slack.dev/apis/web-api/rate-limits (posting messages)
func (s *Slack) allowed(w http.ResponseWriter, channel string) bool {
	now := s.o.Now()
	if last, ok := s.last[channel]; ok && now.Sub(last).Round(time.Millisecond) < time.Second && !s.o.Unlimited {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}
	s.last[channel] = now
	return true
}

func (s *Slack) next() string {
	s.stamp++
	return fmt.Sprintf("%d.%06d", s.o.Now().Unix(), s.stamp)
}

// truncated is a text as Slack keeps it: what is longer than 40,000 characters is cut
// without a word. https://docs.slack.dev/reference/methods/chat.postMessage (truncating content).
func truncated(text string) string {
	const most = 40_000
	if units := utf16.Encode([]rune(text)); len(units) > most {
		return string(utf16.Decode(units[:most]))
	}
	return text
}

// blocksFit reports whether there are at most 50 blocks, and no section has more than
// 3,000 characters. https://docs.slack.dev/reference/block-kit/blocks/section-block
func blocksFit(raw json.RawMessage) bool {
	if len(raw) == 0 {
		return true
	}
	var blocks []struct {
		Type string `json:"type"`
		Text struct {
			Text string `json:"text"`
		} `json:"text"`
	}
	if json.Unmarshal(raw, &blocks) != nil || len(blocks) > 50 {
		return false
	}
	for _, b := range blocks {
		if n := len(utf16.Encode([]rune(b.Text.Text))); b.Type == "section" && (n > 3000 || n == 0) {
			return false
		}
	}
	return true
}

// list answers from the newest to the oldest message of a channel, without those
// below others, or from the oldest to the newest of a thread with its head. Channels
// go by id alone, and there is no metadata unless it is asked for.
// https://docs.slack.dev/reference/methods/conversations.history,
// https://docs.slack.dev/reference/methods/conversations.replies
func (s *Slack) list(w http.ResponseWriter, method string, r *http.Request) {
	q := r.URL.Query()
	channel, ts := q.Get("channel"), q.Get("ts")
	if s.channel(channel) != channel || channel == "" {
		refuse(w, "channel_not_found")
		return
	}
	var found []SlackMessage
	for _, m := range s.messages {
		inThread := m.TS == ts || m.Thread == ts
		if m.Channel != channel || m.TS < q.Get("oldest") || method == "conversations.replies" && !inThread || method == "conversations.history" && m.Thread != "" {
			continue
		}
		if q.Get("include_all_metadata") != "true" {
			m.Metadata = nil
		}
		found = append(found, m)
	}
	if method == "conversations.history" {
		slices.Reverse(found)
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = 100
	}
	from, _ := strconv.Atoi(q.Get("cursor"))
	from = min(max(from, 0), len(found))
	next := ""
	if from+limit < len(found) {
		next = strconv.Itoa(from + limit)
	}
	answer(w, map[string]any{
		"ok": true, "messages": found[from:min(from+limit, len(found))], "has_more": next != "",
		"response_metadata": map[string]string{"next_cursor": next},
	})
}

// webhook takes a message by an incoming webhook: "ok", and nothing of what became of
// it. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func (s *Slack) webhook(w http.ResponseWriter, channel string, body []byte, fault string) {
	var m SlackMessage
	switch {
	case fault != "" && fault != "lost":
		http.Error(w, fault, http.StatusForbidden)
		return
	case json.Unmarshal(body, &m) != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	case slices.Contains(s.o.Archived, channel):
		http.Error(w, "channel_is_archived", http.StatusGone)
		return
	case m.Text == "" && len(m.Blocks) == 0:
		http.Error(w, "no_text", http.StatusBadRequest)
		return
	case !blocksFit(m.Blocks):
		http.Error(w, "invalid_blocks", http.StatusBadRequest)
		return
	case !s.allowed(w, channel):
		return
	}
	m.Channel, m.Text, m.TS, m.Thread = channel, truncated(m.Text), s.next(), ""
	s.messages = append(s.messages, m)
	if fault == "lost" {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "ok")
}
