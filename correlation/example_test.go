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

// Nobody is told of the database for a while, so its rule must not hide what follows.
func ExampleEngine_Silence() {
	rules := []correlation.Rule{{Name: "database", Logic: `IF platform.database_down THEN suppress application.*`}}
	engine, err := correlation.New(rules, correlation.Options{StrictSilence: true})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	silences := []correlation.Silence{{ID: "upkeep", Matchers: []string{`alertname="platform.database_down"`}}}
	if _, err := engine.Silence(at, silences...); err != nil {
		panic(err)
	}
	for _, name := range []string{"platform.database_down", "application.errors"} {
		if _, err := engine.Apply(at, correlation.Event{Alert: name, Status: correlation.Firing, Time: at}); err != nil {
			panic(err)
		}
	}
	show := func(name string) {
		x, _ := engine.Why("", name, nil)
		fmt.Println(name, "visible:", x.Visible, "silenced by", x.SilencedBy)
	}
	show("platform.database_down")
	show("application.errors")
	if _, err := engine.Silence(at.Add(time.Hour)); err != nil { // it is over
		panic(err)
	}
	show("application.errors")
	// Output:
	// platform.database_down visible: true silenced by [upkeep]
	// application.errors visible: true silenced by []
	// application.errors visible: false silenced by []
}

// A caller that hands transitions on at once uses one list for all of them.
func ExampleEngine_Append() {
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		panic(err)
	}
	var list []correlation.Transition
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for n, status := range []correlation.Status{correlation.Firing, correlation.Resolved} {
		at := start.Add(time.Duration(n) * time.Minute)
		list, err = engine.Append(list[:0], at, correlation.Event{Alert: "platform.db_slow", Status: status, Time: at})
		if err != nil {
			panic(err)
		}
		for _, t := range list {
			fmt.Println(t.At.Format("15:04:05"), t.Kind, t.Alert)
		}
	}
	// Output:
	// 02:00:00 notify platform.db_slow
	// 02:01:00 resolve platform.db_slow
}

// An alert of Alertmanager, which is labels alone.
func ExampleAlertOf() {
	a := correlation.AlertOf(map[string]string{"alertname": "NodeDown", "instance": "web-1"})
	fmt.Println(a.Name, a.Labels, a.LabelSet())
	// Output:
	// NodeDown {alertname=NodeDown,instance=web-1} map[alertname:NodeDown instance:web-1]
}

// Replicas are one alert, and the engine tells what its rules cost.
func ExampleEngine_RuleStats() {
	engine, err := correlation.New([]correlation.Rule{
		{Name: "db", Logic: `IF platform.database_down THEN suppress application.*`},
	}, correlation.Options{IgnoreLabels: []string{"pod"}})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for n, pod := range []string{"db-0", "db-1"} {
		_, err := engine.Apply(at, correlation.Event{
			Alert: "platform.database_down", Labels: map[string]string{"pod": pod}, Status: correlation.Firing, Time: at.Add(time.Duration(n) * time.Second),
		})
		if err != nil {
			panic(err)
		}
	}
	for _, a := range engine.Alerts() {
		fmt.Println(a, a.Annotations)
	}
	for _, s := range engine.RuleStats() {
		fmt.Printf("%s: %d evaluations, %d open, %d alerts\n", s.Rule, s.Evaluations, s.Open, s.Alerts)
	}
	// Output:
	// platform.database_down map[pod:db-1]
	// db: 1 evaluations, 1 open, 1 alerts
}

// A rule without a label in common hides the disk of any host behind the switch of another.
func ExampleLint() {
	for _, f := range correlation.Lint([]correlation.Rule{{Name: "switch", Logic: "IF network.down THEN suppress infrastructure.disk_full"}}) {
		fmt.Println(f.Rule, f.Code)
	}
	// Output: switch rule_without_join
}
