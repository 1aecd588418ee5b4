// Package resilience is the one way of the adapters to the network: an
// http.RoundTripper that repeats what may be repeated, keeps to allowances,
// stops asking a vendor that is down, and tells what became of each call.
//
// An adapter declares what it is about to do, makes the call with any client, its
// SDK included, and takes the error from the record of the call, whatever the SDK
// has made of it:
//
//	transport, err := resilience.New(resilience.Config{Provider: "jira", Credential: token})
//	client := &http.Client{Transport: transport}
//	…
//	ctx, call := transport.Begin(ctx, resilience.Op{Name: "open", Tenant: "acme", Repeatable: true})
//	answer, err := sdk.Create(ctx, issue)
//	if err := call.Err(err); err != nil {
//		return err // an *adapters.Error
//	}
package resilience
