package mining_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/mining"
)

func ExampleMine() {
	var events []correlation.Event
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	record := func(after time.Duration, service, alert string) {
		at = at.Add(after)
		events = append(events, correlation.Event{Alert: alert, Labels: map[string]string{"service": service}, Status: correlation.Firing, Time: at})
	}
	for range 5 {
		record(time.Hour, "db", "platform.disk_full")
		record(12*time.Second, "web", "application.slow_response")
		record(time.Hour, "web", "application.deployed")
	}
	topology := &correlation.Topology{Edges: []correlation.Edge{{Dependent: "web", Dependency: "db"}}}
	result, err := mining.Mine(events, topology, mining.Options{MinSupport: 3, MinZ: 3})
	if err != nil {
		panic(err)
	}
	for _, p := range result.Proposals {
		fmt.Println(p)
		fmt.Println(p.Rule().Logic)
	}
	// Output:
	// platform.disk_full before application.slow_response: 5 of 5 (confidence 1.00), lift 216.4, z 32.8, mean lag 12s
	// IF platform.disk_full AS cause THEN suppress application.slow_response WHERE near(cause, 1)
}
