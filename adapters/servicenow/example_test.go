package servicenow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
	"github.com/evenkeelops/evenkeel/incident"
)

// A ticket from opening to its end; opening the same key again changes nothing.
func ExampleClient() {
	instance := httptest.NewServer(adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{}))
	defer instance.Close()
	ctx := context.Background()
	client, err := servicenow.New(servicenow.Config{BaseURL: instance.URL, User: "evenkeel"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Verify(ctx); err != nil {
		fmt.Println(err)
		return
	}
	key := adapters.Key{Tenant: "acme", Incident: "INC-1", Step: "open", Target: "servicenow"}.String()
	ticket := adapters.Ticket{Key: key, Tenant: "acme", Title: "checkout is down", Severity: incident.P1}
	for range 2 {
		ref, err := client.Open(ctx, ticket)
		fmt.Println(ref.Number, err)
	}
	ref, _ := client.Find(ctx, "acme", key)
	for _, err := range []error{
		client.Acknowledge(ctx, ref, ""),
		client.Note(ctx, ref, adapters.Note{Text: "restarting the pool", Key: "note-1"}),
		client.Resolve(ctx, ref, adapters.Resolution{Text: "pool restarted"}),
	} {
		if err != nil {
			fmt.Println(err)
		}
	}
	got, err := client.Read(ctx, ref)
	fmt.Println(got.Severity, got.State, err)
	err = client.Acknowledge(ctx, ref, "")
	fmt.Println(errors.Is(err, adapters.Conflict), err)
	// Output:
	// INC0010001 <nil>
	// INC0010001 <nil>
	// P1 resolved <nil>
	// true servicenow acknowledge conflict: the ticket is resolved
}

// A query is data; what an instance would ignore is refused.
func ExampleQuery() {
	q := servicenow.Where("assignment_group.name", servicenow.Equal, "Database").
		And("state", servicenow.OneOf, "1", "2").
		And("short_description", servicenow.Contains, "a^b").Or("priority", servicenow.Equal, "1").
		OrderBy("sys_updated_on", "sys_id")
	fmt.Println(q.Encode())
	fmt.Println(servicenow.Where("number", servicenow.Equal, "javascript:gs.getUserID()").Encode())
	// Output:
	// assignment_group.name=Database^stateIN1,2^short_descriptionLIKEa^^b^ORpriority=1^ORDERBYsys_updated_on^ORDERBYsys_id <nil>
	//  servicenow: query on "number" =: value that begins with javascript:, which the instance would run
}

// Changes are polled with the cursor of the last one that came.
func ExampleClient_Changes() {
	fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
	instance := httptest.NewServer(fake)
	defer instance.Close()
	client, _ := servicenow.New(servicenow.Config{BaseURL: instance.URL})
	cursor := servicenow.CursorAt(time.Now().Add(-time.Minute))
	fake.Insert("incident", map[string]string{"short_description": "from somebody else", "impact": "2", "urgency": "2"})
	for change, err := range client.Changes(context.Background(), cursor) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change.Ticket.Ref.Number, change.Ticket.Title, change.Ticket.Severity, change.Ticket.State)
		cursor = change.Cursor
	}
	fmt.Println(cursor != "")
	// Output:
	// INC0010001 from somebody else P3 new
	// true
}

// A business rule of the customer's posts changes, signed, and each is taken once.
func ExampleClient_NewReceiver() {
	client, _ := servicenow.New(servicenow.Config{BaseURL: "https://acme.service-now.com", User: "evenkeel"})
	secret := adapters.NewSecret("shared with the business rule")
	handler, err := client.NewReceiver(servicenow.ReceiverConfig{
		Secrets: []adapters.Secret{secret},
		Accept: func(_ context.Context, e servicenow.Event) error {
			fmt.Println(e.Operation, e.Ticket.Ref.Number, e.Ticket.State, "by us:", e.Ticket.ByUs)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := `{"table":"incident","operation":"update","record":{"sys_id":"9d385017c611228701d22104cc95c371","sys_mod_count":"4",` +
		`"number":"INC0010001","state":"6","priority":"1","sys_updated_by":"mike"}}`
	for range 2 {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/servicenow", strings.NewReader(body))
		r.Header.Set(ingest.SignatureHeader, ingest.Generic(secret).Sign([]byte(body)))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// update INC0010001 resolved by us: false
	// 202
	// 202
}
