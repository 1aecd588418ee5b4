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

func ExampleGraph_Roots() {
	graph, err := correlation.NewGraph(&correlation.Topology{Edges: []correlation.Edge{{Dependent: "web", Dependency: "api"}, {Dependent: "api", Dependency: "db"}}})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	fmt.Println(graph.Roots(map[string]time.Time{"web": at, "db": at.Add(9 * time.Second)}, 0))
	// Output:
	// [{db [db web]}]
}

func ExampleGraph_Impact() {
	edges, err := correlation.ParseEdges(`
		shop -> checkout
		checkout -> payments   # not redundant`)
	if err != nil {
		panic(err)
	}
	graph, err := correlation.NewGraph(&correlation.Topology{
		Edges:     edges,
		Redundant: []correlation.Redundancy{{Dependent: "payments", Dependencies: []string{"db-1", "db-2", "db-3"}, Need: 2}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("one database:", graph.Impact("db-1"))
	impact := graph.Impact("db-1", "db-3")
	for i := range impact {
		fmt.Println("two databases:", impact.Path(i))
	}
	// Output:
	// one database: []
	// two databases: [payments db-3]
	// two databases: [checkout payments db-3]
	// two databases: [shop checkout payments db-3]
}

func ExampleDamper() {
	limits := correlation.Limits{Window: time.Minute, High: 3, Low: 0}
	damper, err := correlation.NewDamper(correlation.DamperOptions{Storm: limits})
	if err != nil {
		panic(err)
	}
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	show := func(notices []correlation.Notice) {
		for _, n := range notices {
			switch n.Kind {
			case correlation.Tell:
				fmt.Println(n.At.Format("15:04:05"), n.Transition.Kind, n.Transition.Alert)
			case correlation.StormStart, correlation.StormEnd:
				fmt.Println(n.At.Format("15:04:05"), n.Kind, n.Storm.Held, "held back", n.Storm.Firing)
			case correlation.FlapStart, correlation.FlapEnd, correlation.StormRise:
			}
		}
	}
	for n := range 5 {
		at := start.Add(time.Duration(n) * time.Second)
		transitions, err := engine.Apply(at, correlation.Event{
			Tenant: "acme", Alert: "application.error_rate", Labels: map[string]string{"service": fmt.Sprint("s", n)}, Status: correlation.Firing, Time: at,
		})
		if err != nil {
			panic(err)
		}
		show(damper.Filter(transitions))
	}
	show(damper.Step(start.Add(time.Hour)))
	// Output:
	// 02:00:00 notify application.error_rate{service=s0}
	// 02:00:01 notify application.error_rate{service=s1}
	// 02:00:02 storm_start 1 held back []
	// 02:01:04 storm_end 3 held back [application.error_rate{service=s2} application.error_rate{service=s3} application.error_rate{service=s4}]
}
