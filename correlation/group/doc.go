// Package group bundles notifications: what belongs together is told together, after a
// wait, then when it changes, and again while it lasts.
//
// A [Grouper] takes the Notify and Resolve transitions of a correlation.Engine, or of
// what stands behind it, and puts the alerts of one tenant into the groups of the
// routes that take them. Waits, intervals and labels are those of package route:
//
//	root, err := route.New(route.Node{Receiver: "ops", GroupBy: []string{"cluster"}})
//	grouper, err := group.New(root, group.Options{})
//	notifications, err := grouper.Apply(at, transitions...)
//
// A group is made by its first alert. It is told for the first time a group_wait after
// that, by default 30 seconds; from then on it is looked at every group_interval, 5
// minutes, and told if alerts came or ended, or, if nothing did, a repeat_interval, 4
// hours, after it was told last. Its end is told when its last alert ended. What ended
// before it was told is never told, and what was told is told to be over, once.
//
// Behind a correlation.Damper, [Transitions] makes items of its notices, so that flapping
// and storms are grouped with the rest.
//
// [Options.OpenAt] and [Options.OpenAtDifferent] keep a group quiet until there is
// enough in it: an incident for three of a kind, not for one.
//
// The package reads no clock and answers with the same bytes for the same input.
//
// # Limits
//
// Prometheus Alertmanager differs in five points. A new group is told at once there if
// its first alert is older than the wait ([Options.AtOnce] does that too). It stamps a
// group after sending, so that a repetition comes one interval later. It lists as
// resolved also what it never told to fire. A group that is over is found by a look
// every 30 seconds, here it ends with the telling. And a muted route tells no ends
// there.
package group
