package correlation_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

func Example() {
	engine, err := correlation.New(correlation.StarterRules(), correlation.Options{})
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for n, alert := range []string{"infrastructure.cpu_high", "infrastructure.memory_high", "platform.db_slow", "application.slow_response"} {
		at := start.Add(time.Duration(n) * 10 * time.Second)
		transitions, err := engine.Apply(at, correlation.Event{Tenant: "acme", Alert: alert, Status: correlation.Firing, Time: at})
		if err != nil {
			panic(err)
		}
		for _, t := range transitions {
			fmt.Println(t.At.Format("15:04:05"), t.Kind, t.Alert)
		}
	}
	why, _ := engine.Why("acme", "application.slow_response", nil)
	fmt.Println(why.Path)
	// Output:
	// 02:00:00 notify infrastructure.cpu_high
	// 02:00:10 notify infrastructure.memory_high
	// 02:00:20 open composite.infrastructure_cascade
	// 02:00:20 suppress platform.db_slow
	// 02:00:20 notify composite.infrastructure_cascade
	// 02:00:30 suppress application.slow_response
	// [application.slow_response composite.infrastructure_cascade]
}

func ExampleParse() {
	logic, err := correlation.Parse(`
		if platform.database_down as d        # the one that is down
		then suppress application.* where depends_on = d.service`)
	fmt.Println(logic, err)
	_, err = correlation.Parse("IF platform.database_down\nTHEN supprss application.*")
	fmt.Println(err)
	// Output:
	// IF platform.database_down AS d THEN suppress application.* WHERE depends_on=d.service <nil>
	// 2:6: "supprss": want "suppress" or "CREATE"; did you mean "suppress"?
}

func ExampleMonitor() {
	monitor, err := correlation.NewMonitor(correlation.Layers(), correlation.MonitorOptions{Units: map[string]string{"cpu_utilization": "ratio"}})
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for minute, load := range []float64{0.80, 0.81, 0.93, 0.95, 0.94, 0.91, 0.88} {
		events, err := monitor.Observe(correlation.Measurement{
			Layer: "infrastructure", Metric: "cpu_utilization", Labels: map[string]string{"host": "web-1"},
			Time: start.Add(time.Duration(minute) * time.Minute), Value: load,
		})
		if err != nil {
			panic(err)
		}
		for _, ev := range events {
			fmt.Println(ev.Time.Format("15:04"), ev.Status, ev.Alert, ev.Labels["host"])
		}
	}
	// Output:
	// 02:06 firing infrastructure.cpu_high web-1
}

func ExampleTopology_Roots() {
	topology := &correlation.Topology{Edges: []correlation.Edge{{Dependent: "web", Dependency: "api"}, {Dependent: "api", Dependency: "db"}}}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	groups, err := topology.Roots(map[string]time.Time{"web": at, "db": at.Add(9 * time.Second)}, 0)
	fmt.Println(groups, err)
	// Output:
	// [{db [db web]}] <nil>
}
