package jira_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/incident"
)

// A ticket from beginning to end. Opening it a second time opens nothing.
func Example() {
	fake := adaptertest.NewJira(adaptertest.JiraOptions{}) // in place of a Jira
	client, err := jira.New(jira.Config{
		BaseURL: "https://acme.atlassian.net", Deployment: jira.Cloud,
		Email: "bot@acme.example", Token: adapters.NewSecret("token"),
		Project: "OPS", IssueType: "Incident", Tenant: "acme",
		Ledger:    &adapters.MemoryLedger{}, // one that survives the process, in earnest
		Transport: fake,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := client.Verify(ctx); err != nil { // names and rights
		fmt.Println(err)
		return
	}
	ticket := adapters.Ticket{
		Key:   adapters.Key{Tenant: "acme", Incident: "INC-2024-001", Step: "open", Target: "jira"}.String(),
		Title: "user authentication is down", Severity: incident.P1,
	}
	var ref adapters.Ref
	for range 2 {
		if ref, err = client.Open(ctx, ticket); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ref.Number, ref.URL)
	}
	err = errors.Join(
		client.Acknowledge(ctx, ref, "Sarah Chen"),
		client.Resolve(ctx, ref, adapters.Resolution{Text: "certificate renewed"}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := client.Read(ctx, ref)
	fmt.Println(got.State, got.Severity, err)
	for note, err := range client.Notes(ctx, ref) {
		fmt.Println(note.Text, err)
	}
	// Output:
	// OPS-1 https://acme.atlassian.net/browse/OPS-1
	// OPS-1 https://acme.atlassian.net/browse/OPS-1
	// resolved P1 <nil>
	// Acknowledged by Sarah Chen <nil>
	// certificate renewed <nil>
}

// What is wrong with a configuration is found before anything is written.
func ExampleClient_Verify() {
	client, err := jira.New(jira.Config{
		BaseURL: "https://acme.atlassian.net", Email: "bot@acme.example", Token: adapters.NewSecret("token"), Project: "OPS", IssueType: "Task",
		Priorities: adapters.Names[incident.Severity, string]{{Ours: incident.P1, Theirs: "Urgent"}},
		Transport:  adaptertest.NewJira(adaptertest.JiraOptions{}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if e, ok := errors.AsType[*adapters.Error](client.Verify(context.Background())); ok {
		fmt.Println(e.Kind, e.Details)
	}
	// Output:
	// invalid [severity P1: no priority "Urgent", the instance has ["Highest" "High" "Medium" "Low" "Lowest"]]
}

// What runs on what, from the asset register: two attributes are dependencies, one of
// them read backwards, and the owner is none.
func ExampleClient_Edges() {
	fake := adaptertest.NewJira(adaptertest.JiraOptions{Assets: []adaptertest.JiraAsset{
		{ID: 1, Type: "Service", Label: "checkout", Refers: map[string][]int{"Runs on": {2}, "Owner": {4}}},
		{ID: 2, Type: "Server", Label: "srv-a"},
		{ID: 3, Type: "Server", Label: "cluster", Refers: map[string][]int{"Hosts": {2}}},
		{ID: 4, Type: "Person", Label: "Sarah Chen"},
	}})
	client, err := jira.New(jira.Config{
		BaseURL: "https://acme.atlassian.net", Deployment: jira.Cloud, Email: "bot@acme.example", Token: adapters.NewSecret("token"), Project: "OPS",
		Assets: jira.Assets{
			Query:      `objectType in ("Service", "Server")`,
			References: map[string]jira.Direction{"Runs on": jira.HolderDepends, "Hosts": jira.ReferredDepends},
			OnRead: func(r jira.AssetsRead) {
				fmt.Println(r.Assets, "assets,", r.Edges, "edges, left out:", r.LeftOut)
			},
		},
		Transport: fake,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range client.Edges(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Dependent, "depends on", e.Dependency, "by", e.Type)
	}
	// Output:
	// checkout depends on srv-a by Runs on
	// srv-a depends on cluster by Hosts
	// 3 assets, 2 edges, left out: map[Owner:1]
}

// Webhooks are verified and stored by the receiver, and read afterwards.
func ExampleNewReceiver() {
	secret := adapters.NewSecret("webhook secret")
	client, err := jira.New(jira.Config{BaseURL: "https://acme.atlassian.net", Token: adapters.NewSecret("token"), Project: "OPS"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var queue []ingest.Delivery // a store, in earnest
	receiver, err := jira.NewReceiver(ingest.Config{
		Verify: jira.Signature(secret).Verify,
		Accept: func(_ context.Context, d ingest.Delivery) error { queue = append(queue, d); return nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := json.Marshal(map[string]any{
		"webhookEvent": "jira:issue_updated", "user": map[string]any{"accountId": "sarah"},
		"issue":     map[string]any{"id": "10001", "key": "OPS-1"},
		"changelog": map[string]any{"id": "1", "items": []any{map[string]any{"field": "status", "fromString": "To Do", "toString": "Done"}}},
	})
	for range 2 { // Jira sends again what it believes to be lost
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/jira", strings.NewReader(string(body)))
		r.Header.Set("X-Hub-Signature", jira.Signature(secret).Sign(body))
		r.Header.Set("X-Atlassian-Webhook-Identifier", "7ba5")
		answer := httptest.NewRecorder()
		receiver.ServeHTTP(answer, r)
		fmt.Println(answer.Code)
	}
	for _, d := range queue {
		e, err := client.Event(d)
		fmt.Println(e.Type, e.Ref.Number, e.Actor, e.Changes[0].From, ">", e.Changes[0].To, err)
	}
	// Output:
	// 202
	// 202
	// jira:issue_updated OPS-1 sarah To Do > Done <nil>
}
