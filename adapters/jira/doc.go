// Package jira keeps tickets in Jira and Jira Service Management, Cloud and Data
// Center. A [Client] implements the abilities of package adapters that Jira has,
// and adds what only Jira has: searches, properties, histories, bulk creates,
// customer requests and the registration of webhooks. A [Receiver] takes what
// Jira sends. What depends on what is read from the asset register, see [Assets].
//
//	client, err := jira.New(jira.Config{
//		BaseURL: "https://acme.atlassian.net", Deployment: jira.Cloud,
//		Email: "bot@acme.example", Token: token,
//		Project: "OPS", IssueType: "Incident", Ledger: ledger,
//	})
//	if err := client.Verify(ctx); err != nil { … } // names and rights, before anything is written
//	ref, err := client.Open(ctx, adapters.Ticket{Key: key, Tenant: "acme", Title: "checkout is down", Severity: incident.P1})
//	err = client.Resolve(ctx, ref, adapters.Resolution{Text: "restarted"})
//
// Jira has no keys of its own for what is created, and its search lags behind. So
// an issue carries a label and a property made from tenant and key, a ledger
// remembers what became of each key, and after an answer that was lost the client
// searches until the index can be trusted, creates, looks for a twin, and closes
// the younger one as a duplicate. Everything else that is written is either a
// whole state, or is looked for before it is written a second time.
//
// Statuses differ per project and transitions per status. The client reads the
// transitions of an issue and takes the one that leads to the category, or to the
// named status, of the state that is wanted; see [Config].States. Names that an
// instance does not have are found by [Client.Verify], and are never guessed.
//
// Texts are written through version 2 of the API, which takes plain text where
// version 3 wants documents. What is longer than Jira takes is cut where a reader
// sees it, and the whole text is attached.
//
// Limits: no boards, sprints, worklogs or approvals; webhooks are registered on
// Cloud only, for apps, because that is where Jira lets a program do so. Of JSM,
// whose API has no published schema, and Data Center only the documents were at
// hand, no server.
package jira
