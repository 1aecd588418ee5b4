package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// direct is a transport without a network, for virtual time.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func unlimited() adaptertest.SlackOptions {
	return adaptertest.SlackOptions{Token: slackToken, Unlimited: true}
}

// lostOnce loses the answer to the n-th call of a method.
func lostOnce(method string, n int) func(string, int) string {
	seen := 0
	return func(m string, _ int) string {
		if m == method {
			if seen++; seen == n {
				return "lost"
			}
		}
		return ""
	}
}

// TestSlackThread: the messages of an incident stand below the first of them in each
// channel; those of another and those of none do not.
func TestSlackThread(t *testing.T) {
	workspace := adaptertest.NewSlack(unlimited())
	s := slackTo(t, workspace, nil)
	send := func(key, thread string) {
		t.Helper()
		m := to(comms.Slack, "C1", "C2")
		m.Key, m.Thread, m.Subject = key, thread, key
		for _, r := range s.Send(t.Context(), m) {
			if r.State != notify.Delivered {
				t.Fatalf("%s: %+v", key, r)
			}
		}
	}
	send("1", "A")
	send("2", "A")
	send("3", "B")
	send("4", "A")
	send("5", "")
	heads := map[string]string{} // subject of the head by channel and ts
	var got []string
	for _, m := range workspace.Messages() {
		subject := strings.Trim(strings.SplitN(m.Text, "\n", 2)[0], "*")
		heads[m.Channel+m.TS] = subject
		got = append(got, m.Channel+" "+subject+"<"+heads[m.Channel+m.Thread])
	}
	want := "C1 1<,C2 1<,C1 2<1,C2 2<1,C1 3<,C2 3<,C1 4<1,C2 4<1,C1 5<,C2 5<"
	if strings.Join(got, ",") != want {
		t.Errorf("messages %s, want %s", strings.Join(got, ","), want)
	}
}

// TestSlackThreadTogether: of many at the same time one begins the thread.
func TestSlackThreadTogether(t *testing.T) {
	workspace := adaptertest.NewSlack(unlimited())
	s := slackTo(t, workspace, nil)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			m := to(comms.Slack, "C1")
			m.Key = strconv.Itoa(i)
			if r := s.Send(t.Context(), m)[0]; r.State != notify.Delivered {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	heads := 0
	for _, m := range workspace.Messages() {
		if m.Thread == "" {
			heads++
		}
	}
	if n := len(workspace.Messages()); n != 10 || heads != 1 {
		t.Errorf("%d messages with %d heads, want 10 with one", n, heads)
	}
}

// TestSlackReplace: a message takes the place of another, also of one that was
// replaced before; where the other is gone it is one of its own.
func TestSlackReplace(t *testing.T) {
	fault := ""
	o := unlimited()
	o.Fault = func(method string, _ int) string {
		if method == "chat.update" {
			return fault
		}
		return ""
	}
	workspace := adaptertest.NewSlack(o)
	s := slackTo(t, workspace, nil)
	ids := map[string]string{}
	send := func(key, replaces string) {
		t.Helper()
		m := to(comms.Slack, "C1")
		m.Key, m.Replaces, m.Subject = key, replaces, key
		r := s.Send(t.Context(), m)[0]
		if r.State != notify.Delivered {
			t.Fatalf("%s: %+v", key, r)
		}
		ids[key] = r.ID
	}
	send("1", "")
	send("2", "1")
	send("3", "2")
	if all := workspace.Messages(); len(all) != 1 || all[0].Edited != 2 || !strings.HasPrefix(all[0].Text, "*3*") || ids["3"] != ids["1"] {
		t.Errorf("messages %+v, want one, edited twice", all)
	}
	send("4", "unknown")
	for i, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed"} {
		fault = code
		send(fmt.Sprint("5", i), "4")
	}
	if all := workspace.Messages(); len(all) != 5 || all[4].Edited != 0 {
		t.Errorf("%d messages, want four more", len(all))
	}
}

// TestSlackLostAnswer: what was posted without an answer is found by its metadata and
// not posted again: as the head of a thread, below one, and by another process with the
// same ledger.
func TestSlackLostAnswer(t *testing.T) {
	for _, which := range []int{1, 2} {
		for _, replies := range []int{0, 150} { // more than a page of others in between
			o := unlimited()
			o.Now = time.Now
			o.Fault = lostOnce("chat.postMessage", which)
			workspace := adaptertest.NewSlack(o)
			ledger := &adapters.MemoryLedger{}
			open := func() *notify.Slack {
				return slackTo(t, workspace, func(c *notify.SlackConfig) { c.Ledger = ledger })
			}
			var lost []notify.Message
			for key := range 3 {
				m := to(comms.Slack, "C1")
				m.Key = fmt.Sprint("message ", key)
				r := open().Send(t.Context(), m)[0]
				switch {
				case r.State == notify.Delivered:
				case r.State == notify.Temporary && r.MayHaveArrived && errors.Is(r.Err, adapters.OutcomeUnknown):
					lost = append(lost, m)
				default:
					t.Fatalf("%+v", r)
				}
			}
			if len(lost) != 1 {
				t.Fatalf("%d lost, want one", len(lost))
			}
			for i := range replies {
				m := to(comms.Slack, "C1")
				m.Key, m.Thread = fmt.Sprint("other ", i), map[int]string{1: "", 2: "t"}[which]
				if r := open().Send(t.Context(), m)[0]; r.State != notify.Delivered {
					t.Fatalf("%+v", r)
				}
			}
			for range 2 {
				if r := open().Send(t.Context(), lost[0])[0]; r.State != notify.Delivered || r.ID == "" {
					t.Fatalf("again: %+v", r)
				}
			}
			if n := len(workspace.Messages()); n != 3+replies {
				t.Errorf("call %d lost: %d messages, want %d", which, n, 3+replies)
			}
		}
	}
}

// TestSlackFailedLook: a look that fails does not make a message that may be there
// one that was never tried.
func TestSlackFailedLook(t *testing.T) {
	o := unlimited()
	lose, history := lostOnce("chat.postMessage", 1), 0
	o.Fault = func(method string, n int) string {
		if method == "conversations.history" {
			if history++; history <= 2 {
				return "500"
			}
		}
		return lose(method, n)
	}
	workspace := adaptertest.NewSlack(o)
	s := slackTo(t, workspace, nil)
	m := to(comms.Slack, "C1")
	m.Thread = ""
	var got []notify.State
	for range 4 {
		got = append(got, s.Send(t.Context(), m)[0].State)
	}
	if want := "[temporary temporary temporary delivered]"; fmt.Sprint(got) != want || len(workspace.Messages()) != 1 {
		t.Errorf("%v and %d messages, want %s and one", got, len(workspace.Messages()), want)
	}
}

// TestSlackRefused: the codes of a 200 that is none, and what becomes of the message.
func TestSlackRefused(t *testing.T) {
	for code, want := range map[string]struct {
		kind  adapters.Kind
		state notify.State
	}{
		"ratelimited":         {adapters.RateLimited, notify.Temporary},
		"invalid_auth":        {adapters.Unauthorized, notify.Temporary}, // the operator repairs it, the message waits
		"token_revoked":       {adapters.Unauthorized, notify.Temporary},
		"missing_scope":       {adapters.Forbidden, notify.Permanent},
		"channel_not_found":   {adapters.NotFound, notify.Permanent},
		"is_archived":         {adapters.Conflict, notify.Permanent},
		"not_in_channel":      {adapters.Conflict, notify.Permanent},
		"msg_too_long":        {adapters.TooLarge, notify.Permanent},
		"invalid_blocks":      {adapters.Invalid, notify.Permanent},
		"service_unavailable": {adapters.Unavailable, notify.Temporary},
		"fatal_error":         {adapters.OutcomeUnknown, notify.Temporary},
		"never_heard_of":      {adapters.Invalid, notify.Permanent},
		"429":                 {adapters.RateLimited, notify.Temporary},
		"500":                 {adapters.OutcomeUnknown, notify.Temporary},
		"503":                 {adapters.Unavailable, notify.Temporary}, // with Retry-After
		"404":                 {adapters.NotFound, notify.Permanent},
	} {
		o := unlimited()
		o.Fault = func(string, int) string { return code }
		r := slackTo(t, adaptertest.NewSlack(o), nil).Send(t.Context(), to(comms.Slack, "C1"))[0]
		var e *adapters.Error
		if r.State != want.state || !errors.As(r.Err, &e) || e.Kind != want.kind || e.Provider != "slack" || r.MayHaveArrived != (want.kind == adapters.OutcomeUnknown) {
			t.Errorf("%s: %+v, want %v, %s", code, r, want.kind, want.state)
			continue
		}
		if code[0] > '9' && (e.Code != code || e.Status != 200) {
			t.Errorf("%s: code %q, status %d", code, e.Code, e.Status)
		}
		if code == "429" && adapters.RetryAt(r.Err).IsZero() {
			t.Errorf("429: no RetryAt in %+v", e)
		}
	}
}

// TestSlackRate: a message a second in a channel, whatever comes; no other channel
// waits for it. The workspace answers 429 to anything faster.
func TestSlackRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Token: slackToken})
		s, err := notify.NewSlack(notify.SlackConfig{Token: slackToken, Transport: direct{workspace}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		var all sync.WaitGroup
		for _, channel := range []string{"C1", "C2"} {
			for i := range 10 {
				all.Go(func() {
					m := to(comms.Slack, channel)
					m.Key, m.Thread = strconv.Itoa(i), ""
					if r := s.Send(t.Context(), m)[0]; r.State != notify.Delivered {
						t.Errorf("%+v", r)
					}
				})
			}
		}
		all.Wait()
		if took := time.Since(begin); took < 9*time.Second || took > 9*time.Second+100*time.Millisecond || workspace.Calls() != 20 {
			t.Errorf("20 messages in two channels took %v and %d calls, want 9 s and 20", took, workspace.Calls())
		}
	})
}

// sections returns the texts of the blocks.
func sections(t *testing.T, m adaptertest.SlackMessage) (all []string) {
	t.Helper()
	var blocks []struct{ Text struct{ Text string } }
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		all = append(all, b.Text.Text)
	}
	return all
}

// TestSlackLimits: texts at and over the limits of characters, on rune boundaries,
// never within an entity, with a mark, and with the link.
func TestSlackLimits(t *testing.T) {
	const link = "https://ops.example.com/i/1?a=b&c=d"
	for name, text := range map[string]string{
		"short":      "down",
		"at limit":   strings.Repeat("a", 40_000-len("*s*\n")-len("\n<https://ops.example.com/i/1?a=b&amp;c=d>")),
		"one more":   strings.Repeat("a", 40_001-len("*s*\n")-len("\n<https://ops.example.com/i/1?a=b&amp;c=d>")),
		"pairs":      strings.Repeat("🔥", 30_000),
		"lines":      strings.Repeat(strings.Repeat("ü", 99)+"\n", 500),
		"bad lines":  strings.Repeat("b\n"+strings.Repeat("ü", 2998)+"\n", 20),
		"entities":   strings.Repeat("&amp;", 20_000),
		"links":      strings.Repeat("<https://a.example.com/|name>", 3_000),
		"newlines":   "a" + strings.Repeat("\n", 50_000) + "b",
		"not UTF-8":  "a\xff\xfeb",
		"open angle": "<" + strings.Repeat("x", 50_000),
	} {
		workspace := adaptertest.NewSlack(unlimited())
		m := to(comms.Slack, "C1")
		m.Text, m.Link = text, link
		if r := slackTo(t, workspace, nil).Send(t.Context(), m)[0]; r.State != notify.Delivered {
			t.Errorf("%s: %s", name, r.Reason)
			continue
		}
		got := workspace.Messages()[0]
		blocks := sections(t, got)
		units := len(utf16.Encode([]rune(got.Text)))
		if units > 40_000 || !strings.HasSuffix(got.Text, "\n<https://ops.example.com/i/1?a=b&amp;c=d>") || len(blocks) > 50 || len(blocks) == 0 {
			t.Errorf("%s: %d characters in %d blocks, ending %q", name, units, len(blocks), got.Text[max(0, len(got.Text)-60):])
		}
		if cut := strings.Contains(got.Text, "_cut_"); cut != (name != "short" && name != "at limit" && name != "not UTF-8") {
			t.Errorf("%s: cut %v", name, cut)
		}
		if joined := strings.Join(blocks, ""); name != "newlines" && joined != got.Text {
			t.Errorf("%s: the blocks have %d bytes, the text %d", name, len(joined), len(got.Text))
		}
		for _, b := range blocks {
			if n := strings.Count(b, "&") - strings.Count(b, ";"); n != 0 || name == "links" && strings.Count(b, "<") != strings.Count(b, ">") || strings.Contains(b, "\uFFFD") && name != "not UTF-8" {
				t.Errorf("%s: block %q… is broken", name, b[:min(40, len(b))])
				break
			}
		}
	}
}

// TestNaiveSlack: what is written in the obvious way fails at the fake as it fails at
// Slack.
func TestNaiveSlack(t *testing.T) {
	base := serve(t, adaptertest.NewSlack(adaptertest.SlackOptions{Archived: []string{"C2"}}))
	post := func(path, body string) (int, string, map[string]any) {
		t.Helper()
		r, err := http.Post(base+path, "application/json", strings.NewReader(body)) //nolint:noctx // naive on purpose
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var into map[string]any
		err = json.NewDecoder(r.Body).Decode(&into)
		return r.StatusCode, fmt.Sprint(err), into
	}
	if status, _, said := post("/api/chat.postMessage", `{"channel":"C2","text":"x"}`); status != 200 || said["ok"] != false || said["error"] != "is_archived" {
		t.Errorf("an archived channel: %d %v, want 200 with ok false", status, said)
	}
	if status, _, _ := post("/api/chat.postMessage", `{"channel":"C1","text":"x"}`); status != 200 {
		t.Errorf("the first message: %d", status)
	}
	if status, _, _ := post("/api/chat.postMessage", `{"channel":"C1","text":"x"}`); status != 429 {
		t.Errorf("the second within a second: %d, want 429", status)
	}
	workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Unlimited: true})
	base = serve(t, workspace)
	if status, problem, _ := post("/services/removed", `{"text":"x"}`); status != 404 || problem == "<nil>" {
		t.Errorf("a removed webhook: %d, %s, want 404 and no JSON", status, problem)
	}
	for range 2 {
		post("/api/chat.postMessage", `{"channel":"#ops","text":"x","metadata":{"event_type":"e","event_payload":{}}}`)
	}
	if n := len(workspace.Messages()); n != 2 {
		t.Errorf("the same twice: %d messages, want two", n)
	}
	if _, _, said := post("/api/chat.postMessage", `{"channel":"C1","text":"`+strings.Repeat("x", 40_001)+`"}`); said["ok"] != true || len(workspace.Messages()[2].Text) != 40_000 {
		t.Errorf("a text that is too long: %v, want it cut without a word", said["error"])
	}
	long := `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", 3001) + `"}}`
	short := `{"type":"section","text":{"type":"mrkdwn","text":"x"}}`
	for _, blocks := range []string{long, strings.Repeat(short+",", 50) + short} {
		if _, _, said := post("/api/chat.postMessage", `{"channel":"C1","text":"x","blocks":[`+blocks+`]}`); said["error"] != "invalid_blocks" {
			t.Errorf("blocks over a limit: %v", said)
		}
	}
	list := func(query string) string {
		t.Helper()
		r, err := http.Get(base + "/api/conversations.history?" + query) //nolint:noctx // naive on purpose
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var raw json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if got := list("channel=%23ops"); !strings.Contains(got, "channel_not_found") {
		t.Errorf("history by name: %s", got)
	}
	if got := list("channel=C1"); strings.Contains(got, "event_type") {
		t.Errorf("history shows metadata that nobody asked for: %s", got)
	}
	ts := workspace.Messages()[0].TS
	post("/api/chat.postMessage", `{"channel":"C1","text":"below","thread_ts":"`+ts+`"}`)
	if got := list("channel=C1"); strings.Contains(got, "below") {
		t.Errorf("history shows what stands in a thread: %s", got)
	}
}

func TestSlackConfigErrors(t *testing.T) {
	for want, c := range map[string]notify.SlackConfig{
		"token":      {},
		"base_url":   {Token: slackToken, BaseURL: "slack.com"},
		"per_second": {Token: slackToken, PerSecond: -1},
	} {
		var bad *notify.InputError
		if _, err := notify.NewSlack(c); !errors.As(err, &bad) || bad.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	var bad *notify.InputError
	if _, err := notify.NewSlackWebhook(notify.SlackWebhookConfig{}); !errors.As(err, &bad) {
		t.Errorf("no webhooks: %v", err)
	}
	if _, err := notify.NewSlackWebhook(notify.SlackWebhookConfig{URLs: map[string]adapters.Secret{"#a": adapters.NewSecret("hooks/canary")}}); !errors.As(err, &bad) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a webhook that is no URL: %v", err)
	}
	s := slackTo(t, adaptertest.NewSlack(unlimited()), nil)
	m := to(comms.Slack, "C1")
	m.Text, m.HTML = "", "<p>x</p>"
	if r := s.Send(t.Context(), m)[0]; r.State != notify.Permanent || !errors.As(r.Err, &bad) {
		t.Errorf("HTML alone: %+v", r)
	}
}

// Bots of two workspaces that share Allowances have a message a second each.
func TestSlackBotsHaveTheirOwnAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := resilience.NewAllowances(0)
		start := time.Now()
		for _, token := range []string{"xoxb-1", "xoxb-2"} {
			workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Token: adapters.NewSecret(token)})
			s, err := notify.NewSlack(notify.SlackConfig{Token: adapters.NewSecret(token), Transport: direct{workspace}, Policy: resilience.Policy{Allowances: shared}})
			if err != nil {
				t.Fatal(err)
			}
			if r := s.Send(t.Context(), to(comms.Slack, "C1"))[0]; r.State != notify.Delivered {
				t.Fatalf("%s: %+v", token, r)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("two bots took %v, want no wait", took)
		}
	})
}
