// Package correlation finds out which of many alerts is the cause, who need
// not be told about the others, and why.
//
// An [Engine] holds the active alerts of many tenants and a set of rules. A
// [Rule] is a text such as
//
//	IF platform.database_down AS d
//	THEN suppress application.* WHERE depends_on = d.service
//	CREATE composite_alert: "{{d.service}} is down"
//
// that joins alerts of one tenant, hides the ones that follow from them and
// opens one [Composite] in their place:
//
//	engine, err := correlation.New(correlation.StarterRules(), correlation.Options{})
//	transitions, err := engine.Apply(at, correlation.Event{
//		Tenant: "acme", Alert: "platform.database_down", Status: correlation.Firing, Time: t,
//	})
//	for _, t := range transitions {
//		if t.Kind == correlation.Notify { ... } // tell somebody
//	}
//
// What is suppressed depends on nothing but the active alerts and the open
// composites, so events may arrive in any order. A suppressed alert still
// counts as evidence. Nothing disappears without a trace: every suppressed
// alert has a visible representative, and [Engine.Why] names it. Only the
// notification of a new alert is held back; the end of an alert that somebody
// was told about is always told.
//
// What the engine reports goes through the packages silence, which holds back what
// nobody wants to be told for a while, and group, which puts together what belongs
// together. With [Options.StrictSilence] the engine is told of silences, too, and what
// only silenced alerts stand for is told.
//
// Beside the rules a [Graph] answers what is the root of what and what breaks with
// it, a [Damper] behind the engine tells of flapping and storms once, and a
// [Monitor] before it makes events of measurements. The packages rootcause and
// mining rank causes and propose rules.
//
// The engine reads no clock, starts no goroutine and answers with the same
// bytes for the same input. It is not safe for concurrent use.
package correlation
