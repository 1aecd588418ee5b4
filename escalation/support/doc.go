// Package support says who may do what on which support line, and who takes a request
// when.
//
// [Lines] are the desks and teams through which a request goes up, each a [Line]: what it
// knows and does, which actions were agreed beforehand, its hours, and what is taken off
// hours. The line of a supplier has a [Vendor]. [Lines.MayRun] and [Lines.MayDo] answer
// with a [Verdict], [Lines.Receptions] and [Lines.Next] with who takes a request of a
// severity, [Lines.TrainingDue] with what is to be learnt again:
//
//	lines, err := support.NewLines(support.SampleLines("Europe/Amsterdam"))
//	if err != nil {
//		return err
//	}
//	verdict := lines.MayRun(2, "restart", "shop", now)
//	fmt.Println(verdict.Allowed, verdict.Why)
//
// A [FixChain] is the way of a fix from the people who find the fault to production.
//
// # Limits
//
// A line knows no people: who stands behind it is a matter of the roster and its
// schedules. Nothing here pages anybody.
package support
