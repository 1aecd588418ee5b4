// Package incident keeps what happened in an incident, who did what, and how
// good the answer was.
//
// An [Incident] is a fold over its [Event] values: nothing is edited, every
// correction is one more event. [Incident.Apply] checks a command against the
// current state and refuses an illegal step with a [*TransitionError] that says
// what is missing; a fact that a vendor reports (Event.Imported) is kept and
// flagged in [State.Findings] instead. The state is the fold over the events
// ordered by instant, kind and key, so late and repeated facts lead to the same
// state in whatever order they arrive.
//
// Each accepted event becomes an [Entry] of the incident's [Timeline], an
// append-only chain of SHA-256 hashes. [Verify] names the first entry that was
// edited, removed, moved or smuggled in, [Incident.Redact] erases a text and
// leaves the chain intact, and a [SignedHead] makes a cut-off tail visible. A
// store commits the returned entries, together with its outbox, in one
// transaction; [Replay] builds the incident again from them. Package storetest tests a
// store.
//
//	inc, err := incident.New("acme", "INC-1", incident.Options{Salts: rand.Reader})
//	entries, err := inc.Apply(incident.Event{
//		Kind: incident.Declare, Key: "alert-17", At: at, Actor: "monitor",
//		Details: incident.Details{Severity: incident.P1, Title: "checkout is down"},
//	})
//	state := inc.State() // state.Status == incident.Open
//
// Nothing that is reported is lost: what Apply refuses is in [Incident.Rejected],
// [ReadLog] keeps the lines that it cannot take, [RecoverTimeline] those of a damaged
// export.
//
// The key figures work on [Record] values, which [State.Record] makes:
// [Durations] for the time to detect, acknowledge and resolve under a named
// definition, percentiles by a named [Method], [Share] for rates, [Target] for
// verdicts. They are exact fractions, and no data is null, never zero. [FiguresOf]
// takes those of a set of incidents, [FiguresBy] by severity, service or team, and a
// [Meter] follows them while they happen, as a [MeterOf] does with changes and
// problems. With [Change], [Problem], [Alert] and [Series] beside them, [Scorecard]
// has every key figure with its target, and [Basis.Review] what goes into a service
// review.
//
// Nothing here reads a clock, starts a goroutine or does I/O. An Incident is
// not safe for concurrent use, nor are meters; values such as [State], [Entry] and
// [Record] are.
package incident
