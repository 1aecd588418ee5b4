// Package coverage measures what a roster and its schedules ask of people: whether
// a technology is known to enough of them, whether seats are staffed, whether duty is
// shared fairly, and whether it is bearable.
//
// [KnowledgeOf] counts who knows each technology on each date, absences taken off, and
// [KnowledgeByHour] who of them is at work. [CoverOf] says for stretches of time, such as
// key dates, whether the people whom they want are on duty, and who. A [SeatRule] says how many people it takes
// to keep a seat occupied. A [DutyQuery] chooses the stretch of time, the schedules and
// what is night and weekend for [FairnessOf], which sets hours, nights, weekends and
// pages of people and centres against their part, for [StrainOf], which finds short
// rests and long runs of nights, and for [Conflicts], which finds people who are on call
// while absent or twice at once. [QualityOf] sums up gaps, overlaps and balance in one
// score with its parts:
//
//	router, err := escalation.NewRouter(roster)
//	if err != nil {
//		return err
//	}
//	fair, err := coverage.FairnessOf(router, coverage.FairnessQuery{
//		DutyQuery: coverage.DutyQuery{From: from, Until: until},
//	})
//	if err != nil {
//		return err
//	}
//	for _, finding := range fair.Findings {
//		fmt.Println(finding) // who carries more than expected
//	}
//
// Everything is exact: elapsed time in durations, shares as a [Ratio] of whole numbers.
// Nothing here decides who is paged.
//
// # Limits
//
// A query is about ten years at most. Whether a policy reaches anybody at all is found
// by [escalation.Router.Unreached], which reads the steps of the policy.
package coverage
