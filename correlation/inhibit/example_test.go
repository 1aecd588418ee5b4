package inhibit_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

func Example() {
	in, err := inhibit.New([]inhibit.Rule{{
		SourceMatchers: []string{`alertname="NodeDown"`},
		TargetMatchers: []string{`alertname="PodDown"`},
		Equal:          []string{"cluster"},
	}})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	err = in.Apply(now, inhibit.Alert{Labels: map[string]string{"alertname": "NodeDown", "cluster": "a"}, Ends: now.Add(time.Hour)})
	if err != nil {
		panic(err)
	}
	_, muted := in.Mutes(map[string]string{"alertname": "PodDown", "cluster": "a"})
	fmt.Println(muted)
	_, muted = in.Mutes(map[string]string{"alertname": "PodDown", "cluster": "b"})
	fmt.Println(muted)
	// Output:
	// true
	// false
}

// A rule of Alertmanager in an engine: the alerts keep all their labels.
func ExampleNative() {
	rules, differences, err := inhibit.Native([]inhibit.Rule{
		{
			Name:           "node-down",
			SourceMatchers: []string{`alertname="NodeDown"`},
			TargetMatchers: []string{`alertname=~"Pod.+"`},
			Equal:          []string{"cluster"},
		},
		{Name: "all", SourceMatchers: []string{`severity="critical"`}, TargetMatchers: []string{`"the team"="a"`}},
	})
	if err != nil {
		panic(err)
	}
	for _, r := range rules {
		fmt.Printf("%s by %q: %s\n", r.Name, r.By, r.Logic)
	}
	for _, d := range differences {
		fmt.Println(d)
	}
	engine, err := correlation.New(rules, correlation.Options{})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	firing := func(labels map[string]string) correlation.Event {
		return correlation.Event{Alert: "alertmanager.alert", Labels: labels, Status: correlation.Firing, Time: now}
	}
	_, err = engine.Apply(now,
		firing(map[string]string{"alertname": "NodeDown", "cluster": "a"}), firing(map[string]string{"alertname": "PodDown", "cluster": "a"}))
	if err != nil {
		panic(err)
	}
	for _, a := range engine.Alerts() {
		fmt.Println(a, a.SuppressedBy)
	}
	// Output:
	// inhibit-0-node-down by ["cluster"]: IF *.* WHERE alertname="NodeDown" THEN suppress *.* WHERE alertname=~"Pod.+"
	// inhibit rule 1 "all": label_name: "the team"; not converted
	// alertmanager.alert{alertname=NodeDown,cluster=a} []
	// alertmanager.alert{alertname=PodDown,cluster=a} [inhibit-0-node-down]
}
