// Package sync keeps tickets of several systems that are about one incident the
// same: what somebody changes in one appears in the others, once, whoever else
// writes, whatever answer is lost, and wherever a process dies.
//
//	syncer, err := sync.New(sync.Config{
//		Store: store,
//		Sides: []sync.Side{
//			{Name: "incident", System: sync.Incidents(journal)},
//			{Name: "pagerduty", System: pager, Opens: true},
//			{Name: "jira", System: jira, Opens: true, Notes: true, States: adapters.States[:]},
//		},
//		Owners: map[sync.Field]string{sync.Severity: "incident"},
//	})
//	…
//	err = syncer.Run(ctx)
//
// # How it works
//
// A [Record] holds what all sides have agreed upon, and for each side what was last
// seen there. A reconciliation reads all sides, takes what differs from what was
// seen as a change by that side, decides between changes of several sides, and
// writes to each side what it has otherwise. A webhook only says that a record is
// due, so it does not matter what it says, how late it is and how often it comes.
//
// Echoes need no rule of their own: what we wrote is what we have seen. What is
// about to be written stands in the record before it is sent, so after a lost
// answer or a crash the next reading tells whether it arrived.
//
// A field that one side owns is written back where others change it; a field
// without an owner takes the latest of the changes that were made since the last
// reconciliation. States never go back, except when a side that had ended is active
// again, which begins a new round. Each change that is not kept is a [Conflict].
//
// What is lost: an edit that a vendor takes between our reading and our writing of
// the same field, because vendors have no conditional writes.
package sync
