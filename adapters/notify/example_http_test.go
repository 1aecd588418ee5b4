package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// The messages of an incident are a thread, and a key is posted once however often it
// is sent.
func ExampleNewSlack() {
	workspace := adaptertest.NewSlack(adaptertest.SlackOptions{Unlimited: true}) // in earnest Slack itself
	server := httptest.NewServer(workspace)
	defer server.Close()

	slack, err := notify.NewSlack(notify.SlackConfig{
		BaseURL: server.URL, Token: adapters.NewSecret("xoxb-…"), PerSecond: 100, Ledger: &adapters.MemoryLedger{}, // in earnest that of sqlstore
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := notify.Message{Key: "INC-1/initial", Thread: "INC-1", Subject: "[P1] user_api", Text: "Logins fail.", To: []notify.Target{{Channel: comms.Slack, Address: "C1"}}}
	slack.Send(context.Background(), m)
	slack.Send(context.Background(), m) // again
	m.Key, m.Text = "INC-1/update/1", "We have found the cause."
	result := slack.Send(context.Background(), m)[0]
	fmt.Println(result.State)
	for _, posted := range workspace.Messages() {
		fmt.Printf("%q in a thread: %v\n", posted.Text, posted.Thread != "")
	}
	// Output:
	// delivered
	// "*[P1] user_api*\nLogins fail." in a thread: false
	// "*[P1] user_api*\nWe have found the cause." in a thread: true
}

// A webhook, and how its receiver verifies it.
func ExampleNewWebhook() {
	secret := adapters.NewSecret("shared with the customer")
	receiver, err := ingest.New(ingest.Config{
		Name:   "evenkeel",
		Verify: ingest.HMAC{Header: notify.SignatureHeader, Version: notify.SignatureVersion, Secrets: []adapters.Secret{secret}}.Verify,
		Keys:   func(r *http.Request, _ []byte) ([]string, error) { return []string{r.Header.Get(notify.IDHeader)}, nil },
		Accept: func(_ context.Context, d ingest.Delivery) error {
			var body notify.WebhookBody
			if err := json.Unmarshal(d.Body, &body); err != nil {
				return err
			}
			fmt.Println(body.SentAt.Format(time.RFC3339), body.Subject, body.Text)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(receiver)
	defer server.Close()

	webhook, err := notify.NewWebhook(notify.WebhookConfig{
		Endpoint: func(context.Context, string, string) (notify.Endpoint, bool, error) {
			return notify.Endpoint{URL: adapters.NewSecret(server.URL), Secret: secret}, true, nil
		},
		Transport: http.DefaultTransport, // without it, addresses of this machine are refused
		Now:       func() time.Time { return time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := notify.Message{Key: "k", Subject: "[P1] user_api", Text: "Logins fail.", To: []notify.Target{{Channel: comms.Webhook, Address: "customer"}}}
	fmt.Println(webhook.Send(context.Background(), m)[0].State)
	fmt.Println(webhook.Send(context.Background(), m)[0].State) // the receiver knows it
	// Output:
	// 2026-03-02T11:00:00Z [P1] user_api Logins fail.
	// delivered
	// delivered
}

// A call that is acknowledged by pressing 1.
func ExampleNewCalls() {
	token := adapters.NewSecret("token of the account")
	account := adaptertest.NewTwilio(adaptertest.TwilioOptions{Token: token}) // in earnest Twilio itself
	server := httptest.NewServer(account)
	defer server.Close()

	calls, err := notify.NewCalls(notify.TwilioConfig{Account: "AC1", Secret: token, From: "+15005550006", BaseURL: server.URL, Answer: "https://ops.example.com/answer"})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := notify.NewCallHandler(notify.CallHandlerConfig{
		URL: "https://ops.example.com/answer", Tokens: []adapters.Secret{token},
		Acknowledge: func(_ context.Context, a notify.Answer) error {
			fmt.Println("acknowledged", a.Key, "by", a.Recipient)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := notify.Message{
		Key: "acme/INC-1/1/initial/1/sarah/voice", Subject: "P1", Text: "Logins fail.",
		To: []notify.Target{{Recipient: "sarah", Channel: notify.Voice, Address: "+15005550001"}},
	}
	fmt.Println(calls.Send(context.Background(), m)[0].State)
	account.Press(context.Background(), handler, account.Calls()[0], "1") // what she does
	// Output:
	// delivered
	// acknowledged acme/INC-1/1/initial/1/sarah/voice by sarah
}

// A text message that is cut to one part keeps its link.
func ExampleSMS_Text() {
	sms, err := notify.NewSMS(notify.TwilioConfig{Account: "AC1", Secret: adapters.NewSecret("…"), From: "+15005550006", Parts: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sms.Text(notify.Message{
		Text: "user_api: logins fail for all customers since 11:00 UTC. The team is on the call and looks at the database, whose connections are used up. We report every 15 minutes.",
		Link: "https://ops.example.com/i/1",
	}))
	// Output:
	// user_api: logins fail for all customers since 11:00 UTC. The team is on the call and looks at the database, whose connections ar ... https://ops.example.com/i/1 1
}

// Of a storm one message is sent, and then a digest.
func ExampleStorm() {
	storm, err := notify.NewStorm(notify.StormConfig{Limit: 1, Window: 5 * time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	for _, service := range []string{"user_api", "shop", "search"} {
		m := notify.Message{Key: service, Subject: "[P3] " + service, Text: "…", To: []notify.Target{{Channel: comms.Email, Address: "sarah@example.com"}}}
		if now, ok := storm.Take(at, m); ok {
			fmt.Println("now:", now.Subject)
		}
	}
	due, _ := storm.NextWake()
	for _, m := range storm.Due(due) {
		fmt.Printf("%s: %s\n%s", due.Format(time.TimeOnly), m.Subject, m.Text)
	}
	// Output:
	// now: [P3] user_api
	// 11:05:00: 2 messages in 5m0s
	// [P3] shop
	// [P3] search
}
