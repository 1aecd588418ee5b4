package group_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

func Example() {
	root, err := route.New(route.Node{Receiver: "ops", GroupBy: []string{"cluster"}})
	if err != nil {
		panic(err)
	}
	grouper, err := group.New(root, group.Options{OpenAt: 2})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	tell := func(at time.Time, transitions ...correlation.Transition) {
		list, err := grouper.Apply(at, transitions...)
		if err != nil {
			panic(err)
		}
		for _, n := range list {
			fmt.Println(n.At.Format("15:04:05"), n.Kind, "to", n.Receiver, n.Labels)
			for _, x := range n.Alerts {
				fmt.Println("  ", x.State, x.Alert.Name)
			}
		}
	}
	alert := func(kind correlation.Kind, at time.Time, name string) correlation.Transition {
		return correlation.Transition{At: at, Kind: kind, Alert: correlation.Alert{
			Tenant: "acme", Name: name, Labels: correlation.LabelsOf(map[string]string{"cluster": "eu"}), Since: at,
		}}
	}
	tell(at, alert(correlation.Notify, at, "platform.db_slow"))
	at = at.Add(10 * time.Second)
	tell(at, alert(correlation.Notify, at, "application.slow_response"))
	at, _ = grouper.NextWake()
	tell(at)
	at = at.Add(time.Minute)
	tell(at, alert(correlation.Resolve, at, "platform.db_slow"))
	at, _ = grouper.NextWake()
	tell(at)
	// Output:
	// 02:00:30 first to ops map[cluster:eu]
	//    new application.slow_response
	//    new platform.db_slow
	// 02:05:30 change to ops map[cluster:eu]
	//    ended platform.db_slow
	//    firing application.slow_response
}

// Behind a Damper, an alert that flaps is one item until it is calm.
func ExampleTransitions() {
	damper, err := correlation.NewDamper(correlation.DamperOptions{Flap: correlation.Limits{Window: 10 * time.Minute, High: 3, Low: 1}})
	if err != nil {
		panic(err)
	}
	grouper, err := group.New(nil, group.Options{})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	a := correlation.Alert{Tenant: "acme", Name: "platform.db_slow", Labels: correlation.LabelsOf(map[string]string{"host": "a"}), Since: at}
	for _, kind := range []correlation.Kind{correlation.Notify, correlation.Resolve, correlation.Notify} {
		notices := damper.Filter([]correlation.Transition{{At: at, Kind: kind, Alert: a}})
		if _, err := grouper.Apply(at, group.Transitions(notices...)...); err != nil {
			panic(err)
		}
		at = at.Add(time.Second)
	}
	at, _ = grouper.NextWake()
	told, err := grouper.Apply(at)
	for _, n := range told {
		fmt.Println(n.At.Format("15:04:05"), n.Kind, n.Alerts[0].Alert, err)
	}
	// Output:
	// 02:00:30 first platform.db_slow{flapping=true,host=a} <nil>
}
