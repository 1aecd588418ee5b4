package alertmanager_test

import (
	"fmt"
	"os"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
)

func Example() {
	data, err := os.ReadFile("testdata/alertmanager.yml")
	if err != nil {
		panic(err)
	}
	c, err := alertmanager.ParseConfig("alertmanager.yml", data)
	if err != nil {
		panic(err)
	}
	labels := map[string]string{"alertname": "Slow", "service": "mysql", "cluster": "b", "region": "eu"}
	at := time.Date(2026, 3, 2, 22, 30, 0, 0, time.UTC)
	for _, r := range c.Route.Match(labels) {
		muting, err := r.Muting(c.Intervals, at)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: to %s, group %v, %s\n", r.Path(), r.Options().Receiver, r.GroupLabels(labels), muting)
	}
	fmt.Print(c.Route.Explain(labels))

	_, err = alertmanager.ParseConfig("broken.yml", []byte("route:\n  receivr: default\nreceivers: [{name: default}]\n"))
	fmt.Println(err)
	// Output:
	// route.routes[0]: to team-db, group map[alertname:Slow cluster:b], muted in backup
	// route.routes[1]: to team-db, group map[alertname:Slow cluster:b region:eu service:mysql], muted in backup
	// route: passed
	//   route.routes[0] {service=~"mysql|postgres",severity!="info"}: taken by "team-db", and goes on
	//   route.routes[1] {cluster="b",region="eu",service=~"mysql|postgres",severity!="info"}: taken by "team-db", and goes on
	//   route.routes[2] {service="nginx",severity=~"^(?:critical|page)$"}: unmatched, service="nginx" and the alert has "mysql"
	// broken.yml:2:3: route.receiver: missing, want the receiver of what no other route takes
	// broken.yml:2:3: route.receivr: unknown key "receivr", want one of active_time_intervals, continue, group_by, group_interval, group_wait, labels, match, match_re, matchers, mute_time_intervals, receiver, repeat_interval, routes (did you mean "receiver"?)
}
