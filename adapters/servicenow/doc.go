// Package servicenow opens, changes and reads tickets of a ServiceNow instance, by
// its Table API (v2) and the APIs beside it, without a library of the vendor's.
//
//	client, err := servicenow.New(servicenow.Config{
//		BaseURL: "https://acme.service-now.com", Credential: credential, Group: "Service Operations",
//	})
//	if err := client.Verify(ctx); err != nil { … } // columns, choices and groups are as configured
//	ref, err := client.Open(ctx, adapters.Ticket{Key: key.String(), Tenant: "acme", Title: "checkout is down", Severity: incident.P1})
//
// A [Client] has the abilities of package adapters: tickets from opening to closing,
// notes, files, clocks of task_sla, topology of cmdb_rel_ci, on call, exports and
// changes. Beyond them there are many tickets at once ([Client.OpenMany]), change
// requests and problems, events for Event Management, any table ([Client.Records]
// with a [Query]), and a receiver for business rules ([Client.NewReceiver]).
//
// What instances do and how the package goes about it:
//
//   - A part of a query that is not understood is ignored, so everybody's records
//     are found. [Query.Encode] refuses what is doubtful; look-ups ask for the keys
//     and compare them; lists stop at a row that they did not ask for.
//   - There is no key for creates. correlation_id is looked for before and after, or
//     an import set coalesces on it; see [Client.Open].
//   - Journals append. Notes with a key carry it and are looked for.
//   - Limits of lists are applied before rights. Lists end where there is no next
//     page, not where a page is short or empty.
//   - Priority is derived. Impact and urgency are written, and the priority that
//     comes of it is compared.
//   - The allowance is by hour and by user, role or everybody ([Limits]), and is
//     counted up to 30 s late.
//
// Nothing of it was run against an instance: it is built from the documents of the
// vendor and tested against a fake that is wrong in the same ways
// (adaptertest.ServiceNow). Fields of the On-Call Scheduling API are the least sure.
package servicenow
