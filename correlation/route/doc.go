// Package route answers as the routing tree of the Prometheus Alertmanager does: which
// receivers an alert goes to, with which options, in which group, and whether a
// route is muted at an instant.
//
// A [Node] is one entry of the file, a value; [New] checks a tree of them and makes a
// [Route] with the options that each inherits. [Route.Match] says where an alert goes
// and [Route.Explain] why:
//
//	root, err := route.New(route.Node{Receiver: "default", Routes: []route.Node{
//		{Receiver: "db", Matchers: []string{`team="db"`}, GroupBy: []string{"cluster"}},
//	}})
//	for _, r := range root.Match(labels) {
//		fmt.Println(r.Options().Receiver, r.GroupKey(labels))
//	}
//	fmt.Print(root.Explain(labels))
//
// The answers are those of version 0.34.2. A route passes on to those below it what
// it says of receiver, groups, waiting times and labels; the time intervals that mute
// a route or make it active are not inherited.
//
// # Limits
//
// The labels of a route may be templates there; here they stay as they are written.
// Groups are named and not kept: package group lets them wait and repeat.
package route
