package route_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/correlation/route"
)

func Example() {
	root, err := route.New(route.Node{
		Receiver: "default", GroupBy: []string{"alertname"},
		Routes: []route.Node{
			{Receiver: "audit", Matchers: []string{`severity="critical"`}, Continue: true},
			{Receiver: "db", Matchers: []string{`service=~"mysql|postgres"`}, GroupBy: []string{"cluster"}},
			{Receiver: "web", Matchers: []string{`service="nginx"`}},
		},
	})
	if err != nil {
		panic(err)
	}
	labels := map[string]string{"alertname": "Down", "service": "mysql", "severity": "critical", "cluster": "a"}
	for _, r := range root.Match(labels) {
		fmt.Println(r.Options().Receiver, r.GroupKey(labels))
	}
	fmt.Print(root.Explain(labels))
	// Output:
	// audit {}/{severity="critical"}:{alertname="Down"}
	// db {}/{service=~"mysql|postgres"}:{cluster="a"}
	// route: passed
	//   route.routes[0] {severity="critical"}: taken by "audit", and goes on
	//   route.routes[1] {service=~"mysql|postgres"}: taken by "db"
	//   route.routes[2] {service="nginx"}: not tried, route.routes[1] took it and does not continue
}
