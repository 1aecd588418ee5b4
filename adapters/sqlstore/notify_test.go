package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestOutboxOnce: messages go through the outbox to Slack and to phones that take a
// message and lose the answer, answer 5xx or are busy, with the ledger in the same
// database. Each message arrives once, and what is refused for good is tried once.
func TestOutboxOnce(t *testing.T) {
	const each = 6
	store, err := sqlstore.Open(t.Context(), database(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	// Every third call that writes loses its answer, and every fifth fails before.
	fault := func(_ string, n int) string {
		switch {
		case n%3 == 0:
			return "lost"
		case n%5 == 0:
			return "503"
		}
		return ""
	}
	workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Unlimited: true, Archived: []string{"C2"}, Fault: fault})
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Fault: fault, Refused: map[string]int{"+15005550003": 21610}})
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	slack, err1 := notify.NewSlack(notify.SlackConfig{Token: adapters.NewSecret("x"), BaseURL: serve(workspace), Ledger: store.Ledger(), PerSecond: 1e6})
	sms, err2 := notify.NewSMS(notify.TwilioConfig{Account: "AC1", Secret: adapters.NewSecret("x"), From: "+15005550006", BaseURL: serve(account), Ledger: store.Ledger(), PerSecond: 1e6})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	senders := notify.Senders{comms.Slack: slack, comms.SMS: sms}
	outbox := store.Outbox()
	put := func(channel comms.Channel, address string, n int) {
		t.Helper()
		m := notify.Message{
			Key: fmt.Sprintf("acme/INC-1/%d/%s", n, address), Tenant: "acme", Thread: "INC-1", Subject: "s", Text: fmt.Sprintf("text %d", n),
			To: []notify.Target{{Channel: channel, Address: address}},
		}
		payload, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		task := escalation.Task{Tenant: "acme", Key: m.Key, Kind: "message", Due: at, Payload: payload}
		for range 2 { // the decision is made twice, the task is one
			if err := outbox.Schedule(t.Context(), task); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range each {
		put(comms.Slack, "C1", n)
		put(comms.SMS, "+15005550001", n)
	}
	put(comms.Slack, "C2", 0) // archived
	put(comms.SMS, "+15005550003", 0)

	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	left := make(chan struct{}, 2*each+2)
	r, err := runner.New(runner.Config{
		Timers: outbox, Workers: 4, Poll: 5 * time.Millisecond, Attempts: 50, Backoff: func(int) time.Duration { return time.Millisecond },
		Handle: func(ctx context.Context, l escalation.Lease) error {
			var m notify.Message
			if err := json.Unmarshal(l.Payload, &m); err != nil {
				return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
			}
			result := senders.Send(ctx, m)[0]
			if result.State == notify.Temporary {
				return result.Err
			}
			left <- struct{}{}
			if result.State != notify.Delivered {
				return fmt.Errorf("%w: %w", runner.ErrPermanent, result.Err)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for range 2*each + 2 {
		select {
		case <-left:
		case <-ctx.Done():
			t.Fatal("not all were handled in time")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	heads := 0
	for _, m := range workspace.Messages() {
		got["slack "+m.Text[strings.IndexByte(m.Text, '\n')+1:]]++
		if m.Thread == "" {
			heads++
		}
	}
	for _, m := range account.Messages() {
		got["sms "+m.Body]++
	}
	if len(got) != 2*each || heads != 1 {
		t.Errorf("%d messages arrived in %d threads, want %d in one: %v", len(got), heads, 2*each, got)
	}
	for what, n := range got {
		if n != 1 {
			t.Errorf("%s arrived %d times", what, n)
		}
	}
	if counts, err := outbox.Count(t.Context(), "acme"); err != nil || counts.Done != 2*each || counts.Dead != 2 {
		t.Errorf("outbox %+v, %v, want %d done and 2 dead", counts, err, 2*each)
	}
}
