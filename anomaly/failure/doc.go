// Package failure learns from histories of failures how likely the next one is:
// the predictive part of failure analysis.
//
// Units that are replaced when they fail (disks, power supplies, certificates that
// somebody forgets) have lives: [FitWeibull] takes those that ended and those that
// go on, and [Weibull.FailWithin] answers for a unit of a known age. A system that
// is repaired has a sequence of failures: [Repairable.Laplace] tests whether they
// come more often, and [Repairable.CrowAMSAA] says how often now.
//
//	w, err := failure.FitWeibull(daysOfFailedDisks, daysOfWorkingDisks)
//	if err != nil {
//		return err
//	}
//	risk := w.FailWithin(900, 30) // of a disk of 900 days, within 30 days
//
// Times are numbers in any one unit. Everything is a pure function, safe for
// concurrent use. Lives are taken as independent and of one kind; a batch of
// faulty disks among others is two kinds.
package failure
