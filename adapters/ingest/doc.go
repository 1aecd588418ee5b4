// Package ingest receives webhooks: it caps and verifies the body, drops what it
// has had before, hands the rest on durably, and answers fast and in the terms by
// which senders decide whether to send again.
//
//	handler, err := ingest.New(ingest.Config{
//		Name:     "pagerduty",
//		Verifier: ingest.HMAC{Header: "X-PagerDuty-Signature", Version: "v1", Secrets: secrets},
//		Keys:     ingest.HeaderKey("X-Webhook-Id"),
//		Accept:   func(ctx context.Context, d ingest.Delivery) error { return store.Put(ctx, d) },
//	})
//	http.Handle("POST /hooks/pagerduty", handler)
//
// The answers: 202 once Accept has returned, and for what is known; 400 for what
// cannot be read, 401 for a signature that is missing or wrong, 405, 413; and 503
// with Retry-After when nobody can take it, because senders try again after a 503
// and drop after a 429 (Alertmanager) or any other 4xx (PagerDuty).
//
// A delivery reaches Accept once for all attempts that arrive while its keys are
// remembered, also for attempts at the same time. Several processes that receive
// for one sender have to share a [Seen], and may then still both accept what
// arrives at both within the time that Accept takes; Accept gets the keys for that.
package ingest
