package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
)

// sampleAccount stands for api.pagerduty.com and events.pagerduty.com.
func sampleAccount() *adaptertest.PagerDuty {
	return adaptertest.NewPagerDuty(account(func() time.Time { return noon }))
}

func ExampleClient() {
	client, err := pagerduty.New(pagerduty.Config{
		Token: adapters.NewSecret(apiToken), From: "bot@example.com", Service: "PSHOP",
		Transport: direct{sampleAccount()}, Now: func() time.Time { return noon },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	key := adapters.Key{Tenant: "acme", Incident: "INC-2024-001", Step: "open", Target: "pagerduty"}.String()
	ticket := adapters.Ticket{Key: key, Title: "user_api down", Severity: incident.P1}
	ref, err := client.Open(ctx, ticket)
	again, err2 := client.Open(ctx, ticket) // harmless
	fmt.Println("#"+ref.Number, ref == again, errors.Join(err, err2))

	err = errors.Join(
		client.Acknowledge(ctx, ref, "ann@example.com"),
		client.Publish(ctx, ref, "checkout", "We are working on it."),
		client.Resolve(ctx, ref, adapters.Resolution{Text: "rolled back"}),
	)
	now, err2 := client.Read(ctx, ref)
	fmt.Println(now.State, now.Severity, errors.Join(err, err2))
	// Output:
	// #1 true <nil>
	// resolved P1 <nil>
}

func ExampleEvents() {
	account := sampleAccount()
	events, err := pagerduty.NewEvents(pagerduty.EventsConfig{
		RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "evenkeel", Transport: direct{account},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	ref, err := events.Open(ctx, adapters.Ticket{Key: "disk-full/db-1", Title: "disk is full", Severity: incident.P2})
	fmt.Println(ref.ID, err)
	fmt.Println(events.Resolve(ctx, ref, adapters.Resolution{}), account.Alerts()[0].Open)
	// Output:
	// /disk-full/db-1 <nil>
	// <nil> false
}

func ExampleClient_Export() {
	account := sampleAccount()
	for i := range 3 {
		account.Add(adaptertest.PagerDutyIncident{Title: fmt.Sprint("incident ", i), Created: noon.Add(time.Duration(i-3) * time.Hour)})
	}
	client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), Transport: direct{account}})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor := ""
	for range 2 { // the first run is stopped behind one
		for e, err := range client.Export(context.Background(), noon.Add(-24*time.Hour), noon, cursor) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(e.Ticket.Title)
			if first := cursor == ""; first {
				cursor = e.Cursor
				break
			}
		}
	}
	// Output:
	// incident 0
	// incident 1
	// incident 2
}

func ExampleNewReceiver() {
	secret := adapters.NewSecret("secret of the subscription")
	handler, err := pagerduty.NewReceiver(pagerduty.ReceiverConfig{
		Secrets: []adapters.Secret{secret},
		Accept: func(_ context.Context, e pagerduty.Event) error {
			fmt.Println(e.Type, e.Ref.ID, e.Status)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("POST /hooks/pagerduty", handler)

	body := `{"event":{"id":"01E","event_type":"incident.resolved","data":{"id":"PGR0VU2","type":"incident","status":"resolved"}}}`
	signed := ingest.HMAC{Header: "X-PagerDuty-Signature", Version: "v1", Secrets: []adapters.Secret{secret}}.Sign([]byte(body))
	fmt.Println(deliver(handler, map[string]string{"X-PagerDuty-Signature": signed}, body).Code)
	fmt.Println(deliver(handler, map[string]string{"X-PagerDuty-Signature": signed}, body).Code) // sent again
	fmt.Println(deliver(handler, map[string]string{"X-PagerDuty-Signature": "v1=00"}, body).Code)
	// Output:
	// incident.resolved PGR0VU2 resolved
	// 202
	// 202
	// 401
}
