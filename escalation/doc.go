// Package escalation computes who is told of an incident, when, and who next.
//
// A [Roster] describes an organisation as data: engineers with skills, hours and
// absences, operations centres, on-call schedules, a last resort. [NewRouter]
// checks it and reports all problems at once. [Router.Candidates] orders the
// people who can take an incident and says of everybody else why not.
//
// A [Rotation] hands over by a rule in days, weeks, months, hours of the clock
// or elapsed hours. A [Plan] stacks rotations with windows and overrides into a
// [Schedule], which answers [Schedule.WhoAt] for any instant, and
// [Schedule.Shifts], [Schedule.Gaps] and [Schedule.NextChange] for a stretch of
// time. [Schedule.Preview] shows what an edit changes, and a [Swap] exchanges shifts
// between two people; [Router.ShiftsOf], [Router.ShiftChanges] and
// [Router.ShiftNotices] are what people are to be told. [Centres] follow the sun: who
// is staffed, who is responsible, when responsibility is handed over.
//
// A [Policy] says who is told when nobody takes an incident on or ends it: steps
// with their minutes, their targets (a seniority, a schedule, a team, …) and the
// event that stops them. A [Matrix] has one per severity; [DefaultMatrix] is that
// of a published guide. [Router.Unreached] finds the times in which a policy tells
// nobody before they come.
//
// What builds on that has packages of its own: coverage measures whether a roster is
// staffed, fair and bearable, support says who may do what on which support line, and
// handoff is the record of handoffs that take place. They use what is exported here:
// [Router.Roster], and [Hours] for windows of the clock.
//
// An [Engine] is the state of open incidents. Events and the passing of time go
// in; pages, notices and timers come out, each page with its reasons and an
// idempotency key:
//
//	router, err := escalation.NewRouter(roster)
//	if err != nil {
//		return err
//	}
//	engine, err := escalation.NewEngine(escalation.Config{Router: router})
//	if err != nil {
//		return err
//	}
//	actions, err := engine.Apply(escalation.Event{
//		Kind: escalation.Opened, Incident: "INC-7", Severity: incident.P1, Domain: "databases", At: now,
//	})
//	...
//	actions = engine.Step(now) // whenever engine.NextWake() has come
//
// The engine reads no clock, so a past night is replayed and a future one
// simulated by [Engine.Replay]; its state is stored and read back as JSON with
// [Engine.Snapshot] and [Restore]. [SetTimer] and [CancelTimer] are what is to be
// done with the timers it asks for, and [Action.Task] makes them fit a store.
//
// [Timers] is such a store: it keeps tasks over a restart and hands each that is
// due to one of many workers, under a lease. [MemoryTimers] is one for tests and
// simulations; adapters/sqlstore has one in a database, and adapters/runner the
// loop that claims. Package timertest tests those of others.
//
// # Time
//
// All stretches of time are half-open. Windows, hours and handoffs are read on
// the wall clock of their zone, by the rules of package internal/wallclock: the
// first occurrence of an ambiguous reading for a start or a handoff, the last
// for the end of a window, and the instant of the transition for a reading that
// the zone skips. Levels are due after elapsed minutes, whatever clocks do.
//
// Plans, windows and centres are rules and not instants. [NewSchedule], [NewRouter]
// and [NewCentres] read the zone data of the machine, so build them anew when that is
// updated, or once a day. A timer that waits for an instant on the clock, that of a
// [Step] with Wait, keeps the one it was planned for. Where the new rules put it later
// the timer fires, tells nobody, and is set for the new instant; where they put it
// earlier, the level fires when it was planned to: late by the difference, and once.
//
// # Limits
//
// A turn is at most 100,000 units long; a search for the next change of who is
// on call ends after ten years. Reading zone data is left to the standard
// library: import time/tzdata where the machine may have none.
package escalation
