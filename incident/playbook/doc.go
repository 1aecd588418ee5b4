// Package playbook decides which automated action runs on a service in trouble,
// when, whether a person has to agree first, and why.
//
// A [Book] holds playbooks: a trigger condition and actions in stages, the
// first at once, the next two and ten minutes later if the trigger still holds.
// [New] checks it against the facts that conditions may use and the properties
// of the actions, and returns an [Engine]. The engine is a state machine
// without clock and without I/O: [Engine.Apply] takes an observed fact, the
// result of an action or the decision of a person, [Engine.Step] returns the
// [Intent] values that are due (do this, ask for that, tell a person), and
// [Engine.NextWake] says when to ask again.
//
//	engine, err := playbook.New(playbook.Config{Tenant: "acme", Book: playbook.DefaultBook(), Services: services})
//	err = engine.Apply(playbook.Event{Kind: playbook.Observe, At: at, Service: "api",
//		Fact: "cpu_utilization", Value: playbook.Number(91)})
//	for _, intent := range engine.Step(at) { ... } // put into the outbox
//
// A condition is [True], [False] or [Unknown]: a fact that nobody reported, or
// not lately, is unknown, and nothing runs on an unknown. Before every attempt
// the conditions of the action and all safety checks are evaluated; the
// worst answer counts. Each action has one idempotency key for all attempts. A
// store commits the snapshot and the intents together before anything is done:
// after a crash, [Engine.Recover] repeats what may be repeated and hands the
// rest to a person.
//
// [Limits] bound what runs may change at once, a [Halt] stops all of them, and an
// [Undo] takes back what a run has done, action by action, the latest first; a
// [Definition] may have that done when a change has failed. All that
// is decided or learnt is an [Entry], for the timeline of an incident. [Simulate]
// answers when playbooks would have begun over recorded facts, and [Engine.Explain]
// what they would do now.
//
// What an intent asks for is carried out by an [Action]; [Actions.Carry] turns its end
// into the outcome to report. Package adapters/command runs programs, adapters/sqlstore
// keeps runs in a database.
//
// Conditions are a small language of their own; nothing of the host language is
// ever evaluated. An Engine is not safe for concurrent use.
package playbook
