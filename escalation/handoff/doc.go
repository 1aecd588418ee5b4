// Package handoff is the record of handoffs that take place: what is gone through, who
// signed, and who is responsible meanwhile.
//
// [Open] begins a [Record] for a handoff that [escalation.Centres.Handoffs] has planned,
// with its agenda, the people of both sides and a [Situation]: what [SituationOf] finds
// open. The sender goes through the agenda and signs off; the receiver accepts, and
// nobody for both sides:
//
//	h, err := handoff.Open(router, "acme", planned, handoff.SituationOf(engine, now, nil))
//	if err != nil {
//		return err
//	}
//	for i := range h.Agenda {
//		err = errors.Join(err, h.Tick(i, "sarah", now))
//	}
//	err = errors.Join(err, h.SignOff("sarah", "all quiet", now))
//	err = errors.Join(err, h.Accept("marcus", "", now.Add(time.Minute)))
//	...
//	actions := h.Step(now) // when h.NextWake() has come: nobody has accepted
//
// [Owner] says who is responsible by a list of records; [escalation.Centres.Owner] says
// who is by plan.
//
// # Limits
//
// A record reads no clock and stores nothing. It knows people by their names alone: that
// a name stands for who signs is for the caller to see to.
package handoff
