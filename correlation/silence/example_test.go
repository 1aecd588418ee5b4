package silence_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

func Example() {
	engine, err := correlation.New(correlation.StarterRules(), correlation.Options{})
	if err != nil {
		panic(err)
	}
	silencer := silence.New(silence.Options{})
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	_, err = silencer.Add(at, silence.Silence{
		ID: "s1", Tenant: "acme", Matchers: []string{`cluster="eu"`}, End: at.Add(time.Hour), CreatedBy: "ann", Comment: "new switch",
	})
	if err != nil {
		panic(err)
	}
	alert := correlation.Event{Tenant: "acme", Alert: "platform.queue_full", Labels: map[string]string{"cluster": "eu"}, Status: correlation.Firing, Time: at}
	transitions, err := engine.Apply(at, alert)
	if err != nil {
		panic(err)
	}
	tell, err := silencer.Apply(at, transitions...)
	fmt.Println("told:", len(tell), err)
	for _, a := range silencer.Muted("acme", "s1") {
		why := silencer.Why(a)
		fmt.Println(a, "is silenced by", why.Silences[0].CreatedBy, "for a", why.Silences[0].Comment)
	}
	due, _ := silencer.NextWake()
	tell, err = silencer.Apply(due)
	for _, t := range tell {
		fmt.Println(t.At.Format("15:04"), t.Kind, t.Alert, err)
	}
	// Output:
	// told: 0 <nil>
	// platform.queue_full{cluster=eu} is silenced by ann for a new switch
	// 03:00 notify platform.queue_full{cluster=eu} <nil>
}
