// Package comms decides which stakeholder of an incident is told what, when, on
// which channel and why.
//
// A [Plan] is the configuration, checked and compiled once: stakeholders with
// their role, hours and preferences, shared rooms, the roles per severity, the
// time between updates and the templates. A [Thread] is the conversation about
// one incident. It is a state machine without clock and without I/O:
// [Thread.Apply] takes the state of the incident after each change,
// [Thread.Step] returns the messages that are due at an instant, and
// [Thread.NextWake] says when to ask again.
//
//	plan, err := comms.New(comms.Config{Stakeholders: stakeholders})
//	thread := plan.Open("acme", "INC-1")
//	err = thread.Apply(inc.State(), at)
//	for _, m := range thread.Step(at) { ... } // put into the outbox
//
// Who gets a message is worked out anew for each one, from the roles of the
// severity, the preferences and the hours of the person as they are then. A raised severity
// adds roles, a lowered one takes its leave of those it drops. Whoever wants
// business hours only is told at the next opening, except about a P1, and then
// hears the latest state, once. Every message carries a [Reason] and a key that
// is the same however often it is computed, so a store that commits the
// snapshot of the thread and the messages in one transaction loses nothing and
// tells nobody twice.
//
// Templates may be in several languages, of which that of the reader is taken. What
// others write into an incident is escaped for the channel and calls nobody there.
//
// [Plan.Recipients] says who would be told now, [Plan.Preview] what each would
// read, and why others would not. [Ledger] is the record of who was told what, when,
// on which channel, and what became of it. [Plan.Digests] are summaries for those
// who want one a day or a week, [StatusPage] what may be said in public.
//
// A Plan is safe for concurrent use, a Thread and a Ledger are not.
package comms
