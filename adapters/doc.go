// Package adapters holds what the adapters to ticket systems, monitoring and
// people have in common: the error that all of them return, references to what
// they created, the abilities they may have, the states and severities of a
// ticket, and what has to survive a crash.
//
// An adapter is a concrete type of its own package (pagerduty.Client,
// jira.Client, servicenow.Client) that implements the small interfaces of this
// one, as many as its vendor can do. [Capabilities] says which; what an instance
// cannot do fails with [Unsupported] and is never left out in silence.
//
//	ref, err := client.Open(ctx, adapters.Ticket{
//		Key: adapters.Key{Tenant: "acme", Incident: "INC-1", Target: "servicenow"}.String(),
//		Title: "checkout is down", Severity: incident.P1,
//	})
//	switch {
//	case errors.Is(err, adapters.OutcomeUnknown):
//		ref, err = client.Find(ctx, "acme", key) // it may be there: look before another try
//	case adapters.Retryable(err):
//		at := adapters.RetryAt(err) // zero if the vendor did not say
//	}
//
// All errors are of type [*Error] and keep their chain of causes, so that
// errors.Is finds context.Canceled, a [Kind] or the error of a circuit breaker.
//
// The package links the standard library and package incident; transports are in
// adapters/resilience, receivers of webhooks in adapters/ingest.
package adapters
