// Package pagerduty speaks to PagerDuty: incidents over the REST API, alerts and
// changes over the Events API v2, and webhooks v3 on the way back.
//
// [Events] is for machines: it has a routing key, is fast, and never fails because
// an alert is or is not there. [Client] is for tickets and people: it opens, reads
// and changes incidents, and lists everything else. Both carry the abilities of
// package adapters that they have.
//
//	client, err := pagerduty.New(pagerduty.Config{
//		Token: adapters.NewSecret(os.Getenv("PAGERDUTY_TOKEN")), From: "bot@example.com", Service: "PIJ90N7",
//	})
//	ref, err := client.Open(ctx, adapters.Ticket{Key: key, Title: "checkout is down", Severity: incident.P1})
//	err = client.Resolve(ctx, ref, adapters.Resolution{Text: "rolled back"})
//
// What PagerDuty does and this package does not pass on: a create whose key is
// taken is looked up and is a success, as is an acknowledge, resolve or merge that
// comes too late; an acknowledge never opens a resolved incident again; an export
// has no end at 10,000.
//
// What PagerDuty has no place for is kept elsewhere, and [Config].OnCut tells of
// it: links and labels of a ticket stand below its text, the full text of a title
// that was cut above it, a new text in a note, a close code before the resolution.
//
// Requests are made with go-pagerduty, whose types are used where they fit. Its
// methods are not: they lose the cause of every error and the vendor's message of
// some, and four of them send what PagerDuty's own schema refuses.
package pagerduty
