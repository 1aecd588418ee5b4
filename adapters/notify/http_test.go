package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/notify/notifytest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// serve returns the URL of a handler.
func serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	s := httptest.NewServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	tb.Cleanup(s.Close)
	return s.URL
}

// to is a message to addresses of a channel.
func to(channel comms.Channel, addresses ...string) notify.Message {
	m := note()
	for _, a := range addresses {
		m.To = append(m.To, notify.Target{Recipient: a, Channel: channel, Address: a})
	}
	return m
}

const fast = 1e6 // messages a second

var (
	slackToken  = adapters.NewSecret("xoxb-canary-1")
	twilioToken = adapters.NewSecret("canary-2")
	hookSecret  = adapters.NewSecret("canary-3")
)

func slackTo(tb testing.TB, workspace http.Handler, spoil func(*notify.SlackConfig)) *notify.Slack {
	tb.Helper()
	c := notify.SlackConfig{Token: slackToken, BaseURL: serve(tb, workspace) + "/api/", PerSecond: fast}
	if spoil != nil {
		spoil(&c)
	}
	s, err := notify.NewSlack(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func twilioTo(tb testing.TB, account http.Handler) notify.TwilioConfig {
	tb.Helper()
	return notify.TwilioConfig{
		Account: "AC1", Secret: twilioToken, From: "+15005550006", BaseURL: serve(tb, account), PerSecond: fast,
		Answer: "https://ops.example.com/answer",
	}
}

func smsTo(tb testing.TB, account http.Handler) *notify.SMS {
	tb.Helper()
	s, err := notify.NewSMS(twilioTo(tb, account))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func callsTo(tb testing.TB, account http.Handler) *notify.Calls {
	tb.Helper()
	s, err := notify.NewCalls(twilioTo(tb, account))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// hooks returns endpoints by name, below one URL.
func hooks(base string) func(context.Context, string, string) (notify.Endpoint, bool, error) {
	return func(_ context.Context, _, address string) (notify.Endpoint, bool, error) {
		return notify.Endpoint{URL: adapters.NewSecret(base + "/" + address), Secret: hookSecret}, address != "nowhere", nil
	}
}

func webhookTo(tb testing.TB, h http.Handler) *notify.Webhook {
	tb.Helper()
	w, err := notify.NewWebhook(notify.WebhookConfig{Endpoint: hooks(serve(tb, h)), Transport: http.DefaultTransport, Now: func() time.Time { return start }})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// receiver is what a customer has: a verified webhook that drops what it knows.
type receiver struct {
	http.Handler

	mu     sync.Mutex // guards all below
	taken  []notify.WebhookBody
	faults map[string]string // by path, the first time: a status, or "lost"
}

func newReceiver(tb testing.TB) *receiver {
	tb.Helper()
	r := &receiver{faults: map[string]string{}}
	h, err := ingest.New(ingest.Config{
		Name:   "customer",
		Verify: ingest.HMAC{Header: notify.SignatureHeader, Version: notify.SignatureVersion, Secrets: []adapters.Secret{hookSecret}}.Verify,
		Keys:   func(r *http.Request, _ []byte) ([]string, error) { return []string{r.Header.Get(notify.IDHeader)}, nil },
		Accept: func(_ context.Context, d ingest.Delivery) error {
			var b notify.WebhookBody
			if err := json.Unmarshal(d.Body, &b); err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.taken = append(r.taken, b)
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	r.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		fault := r.faults[q.URL.Path]
		if fault != "410" {
			delete(r.faults, q.URL.Path)
		}
		r.mu.Unlock()
		if status, err := strconv.Atoi(fault); err == nil {
			w.WriteHeader(status)
			return
		}
		h.ServeHTTP(w, q)
		if fault == "lost" {
			panic(http.ErrAbortHandler)
		}
	})
	return r
}

func (r *receiver) bodies() []notify.WebhookBody {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]notify.WebhookBody(nil), r.taken...)
}

// TestConformanceHTTP runs the suite for each sender over HTTP.
func TestConformanceHTTP(t *testing.T) {
	for name, open := range map[string]func(*testing.T) notifytest.Channel{
		"slack": func(t *testing.T) notifytest.Channel {
			t.Helper()
			busy := 0
			workspace := adaptertest.NewSlack(adaptertest.SlackOptions{
				Token: slackToken, Unlimited: true, Channels: map[string]string{"a": "C1", "b": "C2", "busy": "C3", "gone": "C4"}, Archived: []string{"C4"},
			})
			limit := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				if bytes.Contains(body, []byte(`"channel":"C3"`)) {
					if busy++; busy == 1 {
						w.Header().Set("Retry-After", "1")
						w.WriteHeader(http.StatusTooManyRequests)
						return
					}
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				workspace.ServeHTTP(w, r)
			})
			return notifytest.Channel{
				Sender: slackTo(t, limit, nil), Name: comms.Slack, Good: []string{"C1", "C2"}, Gone: "C4", Busy: "C3",
				Taken: func(*testing.T) int { return len(workspace.Messages()) },
			}
		},
		"slack webhook": func(t *testing.T) notifytest.Channel {
			t.Helper()
			workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Unlimited: true, Webhooks: map[string]string{"/services/1": "C1", "/services/2": "C2"}})
			base := serve(t, workspace)
			w, err := notify.NewSlackWebhook(notify.SlackWebhookConfig{PerSecond: fast, URLs: map[string]adapters.Secret{
				"#a": adapters.NewSecret(base + "/services/1"), "#b": adapters.NewSecret(base + "/services/2"), "#gone": adapters.NewSecret(base + "/services/removed"),
			}})
			if err != nil {
				t.Fatal(err)
			}
			return notifytest.Channel{
				Sender: w, Name: comms.Slack, Good: []string{"#a", "#b"}, Gone: "#gone",
				Taken: func(*testing.T) int { return len(workspace.Messages()) },
			}
		},
		"webhook": func(t *testing.T) notifytest.Channel {
			t.Helper()
			r := newReceiver(t)
			r.faults["/gone"], r.faults["/busy"] = "410", "503"
			return notifytest.Channel{
				Sender: webhookTo(t, r), Name: comms.Webhook, Good: []string{"a", "b"}, Gone: "gone", Busy: "busy",
				Taken: func(*testing.T) int { return len(r.bodies()) - twice(r.bodies()) },
			}
		},
		"sms": func(t *testing.T) notifytest.Channel {
			t.Helper()
			account := adaptertest.NewTwilio(phones)
			return notifytest.Channel{
				Sender: smsTo(t, account), Name: comms.SMS, Good: []string{"+15005550001", "+15005550002"}, Gone: "+15005550003", Busy: "+15005550004",
				Taken: func(*testing.T) int { return len(account.Messages()) },
			}
		},
		"calls": func(t *testing.T) notifytest.Channel {
			t.Helper()
			account := adaptertest.NewTwilio(phones)
			return notifytest.Channel{
				Sender: callsTo(t, account), Name: notify.Voice, Good: []string{"+15005550001", "+15005550002"}, Gone: "+15005550003", Busy: "+15005550004",
				Taken: func(*testing.T) int { return len(account.Calls()) },
			}
		},
	} {
		t.Run(name, func(t *testing.T) { notifytest.Test(t, open) })
	}
}

var phones = adaptertest.TwilioOptions{
	Token: twilioToken, Refused: map[string]int{"+15005550003": 21610}, Busy: map[string]string{"+15005550004": "20429"},
}

// twice counts the ids that are known already.
func twice(all []notify.WebhookBody) (n int) {
	seen := map[string]bool{}
	for _, b := range all {
		if seen[b.ID] {
			n++
		}
		seen[b.ID] = true
	}
	return n
}

// TestSecretsStayHidden: no error, log or print shows a token or a URL that is one,
// whatever goes wrong.
func TestSecretsStayHidden(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	html := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<html>%s %s", r.URL, r.Header.Get("Authorization"))
	})
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no "+r.URL.Path, http.StatusBadRequest) })
	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	redirect := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example.com"+r.URL.Path, http.StatusFound)
	})
	for name, base := range map[string]string{
		"closed": closed.URL, "html": serve(t, html), "refusing": serve(t, refusing), "silent": serve(t, silent), "redirect": serve(t, redirect),
	} {
		hook := adapters.NewSecret(base + "/services/canary-4")
		config := notify.TwilioConfig{Account: "AC1", Secret: twilioToken, From: "+15005550006", BaseURL: base, Answer: "https://ops.example.com/answer"}
		slackConfig := notify.SlackConfig{Token: slackToken, BaseURL: base}
		hookConfig := notify.SlackWebhookConfig{URLs: map[string]adapters.Secret{"C1": hook}}
		endpoint := notify.Endpoint{URL: hook, Secret: hookSecret}
		bot, err1 := notify.NewSlack(slackConfig)
		incoming, err2 := notify.NewSlackWebhook(hookConfig)
		sms, err3 := notify.NewSMS(config)
		calls, err4 := notify.NewCalls(config)
		webhook, err5 := notify.NewWebhook(notify.WebhookConfig{Transport: http.DefaultTransport, Endpoint: func(context.Context, string, string) (notify.Endpoint, bool, error) {
			return endpoint, true, nil
		}})
		handler, err6 := notify.NewCallHandler(notify.CallHandlerConfig{URL: "https://ops.example.com/answer", Tokens: []adapters.Secret{twilioToken}, Acknowledge: func(context.Context, notify.Answer) error { return nil }})
		if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&log, nil))
		plain := slog.New(slog.NewTextHandler(&log, nil))
		show := func(values ...any) {
			for _, v := range values {
				fmt.Fprintf(&log, "%v %+v %#v %s\n", v, v, v, v)
				logger.Info("x", "v", v)
				plain.Info("x", "v", v)
			}
		}
		show(config, slackConfig, hookConfig, endpoint, bot, *bot, incoming, *incoming, sms, *sms, calls, *calls, webhook, *webhook, handler, *handler)
		all := notify.Senders{comms.Slack: bot, comms.SMS: sms, comms.Webhook: webhook, notify.Voice: calls}
		m := note()
		m.To = []notify.Target{{Channel: comms.Slack, Address: "C1"}, {Channel: comms.SMS, Address: "+15005550001"}, {Channel: notify.Voice, Address: "+15005550001"}, {Channel: comms.Webhook, Address: "a"}}
		results := append(all.Send(t.Context(), m), incoming.Send(t.Context(), to(comms.Slack, "C1"))...)
		for _, r := range results {
			if r.State == notify.Delivered || r.Err == nil {
				t.Errorf("%s: %+v, want it to fail", name, r)
			}
			var e *adapters.Error
			if !errors.As(r.Err, &e) || e.Kind == 0 {
				t.Errorf("%s: error %v, want one of package adapters", name, r.Err)
			}
			show(r, r.Err)
			for err := r.Err; err != nil; err = errors.Unwrap(err) {
				show(err)
			}
		}
		if i := strings.Index(log.String(), "canary"); i >= 0 {
			t.Errorf("%s: shown: …%s…", name, log.String()[max(0, i-300):min(log.Len(), i+40)])
		}
		log.Reset()
	}
}

// TestHeaderInjectionHTTP: no field of a message becomes a header, or a second one.
func TestHeaderInjectionHTTP(t *testing.T) {
	const bad = "x\r\nX-Bad: y"
	r := newReceiver(t)
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{})
	workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Unlimited: true})
	check := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Header.Get("X-Bad") != "" || strings.Contains(q.URL.String(), "\n") {
				t.Errorf("%s: header %q", q.URL, q.Header)
			}
			h.ServeHTTP(w, q)
		})
	}
	senders := notify.Senders{
		comms.Slack: slackTo(t, check(workspace), nil), comms.SMS: smsTo(t, check(account)), notify.Voice: callsTo(t, check(account)), comms.Webhook: webhookTo(t, check(r)),
	}
	m := note()
	m.Key, m.Tenant, m.Thread, m.Text = bad, bad, bad, bad
	for _, channel := range []comms.Channel{comms.Slack, comms.SMS, notify.Voice, comms.Webhook} {
		m.To = append(m.To, notify.Target{Recipient: bad, Name: bad, Channel: channel, Address: bad})
		m.To = append(m.To, notify.Target{Recipient: bad, Name: bad, Channel: channel, Address: map[comms.Channel]string{comms.Slack: "C1", comms.Webhook: "a"}[channel] + map[bool]string{true: "+15005550001"}[channel == comms.SMS || channel == notify.Voice]})
	}
	for i, got := range senders.Send(t.Context(), m) {
		if want := map[bool]notify.State{true: notify.Delivered, false: notify.Permanent}[i%2 == 1]; got.State != want {
			t.Errorf("%s to %q: %s %s, want %s", got.Channel, got.Address, got.State, got.Reason, want)
		}
	}
	m.Subject = bad
	for _, got := range senders.Send(t.Context(), m) {
		if got.State != notify.Permanent {
			t.Errorf("%s: %s, want a subject of two lines refused", got.Channel, got.State)
		}
	}
	m.Subject, m.Link = "s", "https://x.example.com/> <!channel"
	for _, got := range senders.Send(t.Context(), m) {
		if got.State != notify.Permanent {
			t.Errorf("%s: %s, want the link refused", got.Channel, got.State)
		}
	}
}

// TestOnceDefault: a sender tries once, for trying again is the outbox's.
func TestOnceDefault(t *testing.T) {
	calls := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(http.StatusServiceUnavailable) })
	if r := webhookTo(t, h).Send(t.Context(), to(comms.Webhook, "a"))[0]; r.State != notify.Temporary || calls != 1 {
		t.Errorf("%+v after %d calls, want one", r, calls)
	}
	calls = 0
	w, err := notify.NewWebhook(notify.WebhookConfig{
		Endpoint: hooks(serve(t, h)), Transport: http.DefaultTransport, Policy: resilience.Policy{Attempts: 3, Base: time.Microsecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := w.Send(t.Context(), to(comms.Webhook, "a"))[0]; r.State != notify.Temporary || calls != 3 {
		t.Errorf("%+v after %d calls, want three: the id lets it be repeated", r, calls)
	}
}

// What a vendor says may hold the token that it was sent, which no result does.
func TestEchoedToken(t *testing.T) {
	sms := smsTo(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":20003,"message":"no account with the token canary-2","status":401}`)
	}))
	r := sms.Send(t.Context(), to(comms.SMS, phone))[0]
	if text := fmt.Sprintf("%+v %v", r, r.Err); r.Err == nil || strings.Contains(text, twilioToken.Reveal()) || !strings.Contains(text, "no account with") {
		t.Errorf("%s, want the words of the vendor without the token", text)
	}
}
