package inhibit_test

import (
	"fmt"
	"time"

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
