// Package silence holds back the notifications that somebody does not want for a while:
// silences, and maintenance that comes back by a calendar.
//
// A [Silencer] stands between the transitions of a correlation.Engine and the people
// who are told. A [Silence] mutes the alerts of one tenant that its matchers hold for,
// from Start until before End, and where it has Hours, only while these are open:
//
//	silencer := silence.New(silence.Options{})
//	_, err := silencer.Add(at, silence.Silence{
//		ID: "s1", Tenant: "acme", Matchers: []string{`cluster="eu"`},
//		Start: at, End: at.Add(2 * time.Hour), CreatedBy: "ann", Comment: "new switch",
//	})
//	tell, err := silencer.Apply(at, transitions...)
//
// Silences are about telling, never about state: the engine need not know of them, so
// a silenced alert still is evidence and stands for the alerts that it explains. Where it
// shall stand for nobody, set correlation.Options.StrictSilence and tell the engine what
// is in force, before the events of each instant that NextWake names and after each Add:
//
//	transitions, err := engine.Silence(at, silencer.InForce(at)...)
//
// Only creation is muted. What somebody was told of is told to be over, also in a silence;
// what is over before anybody was told is never told; and what still fires when the
// last of its silences ends is told then.
//
// The package reads no clock and answers with the same bytes for the same input.
//
// # Limits
//
// The alert of a notification that was held back is the one of when it was held: the
// engine does not report refreshes. Hours repeat by the week, with dates of their own
// for what does not.
package silence
