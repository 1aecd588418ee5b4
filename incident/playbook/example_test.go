package playbook_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// A CPU that is hot for five minutes: the first stage runs at once, the second
// two minutes later, where the capacity is not enough to scale.
func Example() {
	engine, err := playbook.New(playbook.Config{
		Tenant:   "acme",
		Book:     playbook.DefaultBook(),
		Services: []playbook.Service{{ID: "api", Type: "compute", Zone: "Europe/Amsterdam"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)
	for m := range 8 {
		at := start.Add(time.Duration(m) * time.Minute)
		for fact, value := range map[string]playbook.Value{
			"cpu_utilization": playbook.Number(91), "auto_scaling_enabled": playbook.Bool(true), "load_balancer_healthy": playbook.Bool(true),
			"available_capacity": playbook.Number(4), "required_capacity": playbook.Number(4),
		} {
			if err := engine.Apply(playbook.Event{Kind: playbook.Observe, At: at, Service: "api", Fact: fact, Value: value}); err != nil {
				fmt.Println(err)
			}
		}
		for more := true; more; {
			more = false
			for _, intent := range engine.Step(at) {
				fmt.Println(at.Format("15:04"), intent.Kind, intent.Action, intent.Attempt)
				if intent.Kind == playbook.Do { // carry it out, then report
					more = true
					err := engine.Apply(playbook.Event{Kind: playbook.Report, At: at, Step: intent.Step, Attempt: intent.Attempt, Outcome: playbook.OK})
					if err != nil {
						fmt.Println(err)
					}
				}
			}
		}
	}
	for _, step := range engine.Runs()[0].Steps {
		if step.Decision == playbook.BlockIt {
			fmt.Println(step.Why)
		}
	}
	// Output:
	// 10:05 do capture_performance_snapshot 1
	// 10:05 do identify_top_processes 1
	// 10:05 do check_auto_scaling_status 1
	// 10:07 tell trigger_horizontal_scaling 0
	// 10:07 do alert_operations_team 1
	// resource_availability_check: available_capacity > required_capacity is false (available_capacity = 4, required_capacity = 4)
}

// Nothing holds of what nobody has observed.
func ExampleCondition_Eval() {
	vocabulary, err := playbook.NewVocabulary(playbook.DefaultFacts()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	condition, err := playbook.Compile("error_rate > 5% AND NOT recent_deployment < 2 hours", vocabulary)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)
	facts := vocabulary.NewFacts()
	fmt.Println(condition.Eval(facts, at))
	for fact, value := range map[string]playbook.Value{"error_rate": playbook.Number(7), "recent_deployment": playbook.Never()} {
		if err := facts.Set(fact, value, at); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(condition.Eval(facts, at))
	fmt.Println(condition.Eval(facts, at.Add(time.Hour)))
	_, err = playbook.Compile("error_rate > 5 ms", vocabulary)
	fmt.Println(err != nil)
	// Output:
	// unknown
	// true
	// unknown
	// true
}

// When would the playbook have begun yesterday?
func ExampleSimulate() {
	start := time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)
	recorded := func(yield func(playbook.Event) bool) {
		for m, load := range []float64{60, 88, 91, 93, 90, 92, 95, 94, 70} {
			event := playbook.Event{
				Kind: playbook.Observe, At: start.Add(time.Duration(m) * time.Minute), Service: "api", Fact: "cpu_utilization", Value: playbook.Number(load),
			}
			if !yield(event) {
				return
			}
		}
	}
	runs, err := playbook.Simulate(playbook.Config{
		Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "api", Type: "compute", Zone: "Europe/Amsterdam"}},
	}, recorded, start.Add(time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range runs {
		fmt.Println(r.Playbook, "from", r.TriggeredAt.Format("15:04"), "to", r.ClearedAt.Format("15:04"), "with", len(r.Steps), "actions")
	}
	// Output:
	// high_cpu_utilization from 08:06 to 08:08 with 3 actions
}

// What would become of each action now, and why?
func ExampleEngine_Explain() {
	engine, err := playbook.New(playbook.Config{
		Tenant: "acme", Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "db", Type: "database", Zone: "Europe/Amsterdam"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)
	if err := engine.Apply(playbook.Event{Kind: playbook.Observe, At: at, Service: "db", Fact: "idle_connections", Value: playbook.Number(12)}); err != nil {
		fmt.Println(err)
	}
	explained, err := engine.Explain("database_connection_exhaustion", "db", at)
	if err != nil {
		fmt.Println(err)
	}
	for _, x := range explained {
		if x.Decision != playbook.RunIt {
			fmt.Println(x.Action+":", x.Decision, x.Why)
		}
	}
	// Output:
	// kill_idle_connections: skip idle_connections > 20 is false (idle_connections = 12)
	// increase_connection_pool_size: block auto_scaling_enabled is unknown (auto_scaling_enabled was never observed); memory_available is unknown (memory_available was never observed)
	// enable_connection_throttling: approval business_hours_check: action.risk_level == 'high' and current_time in business_hours is true (action.risk_level = high, it is Mon 12:00 in Europe/Amsterdam)
}

// An action says what it did, that it did nothing, or fails, and so it is reported.
func ExampleActions_Carry() {
	actions := playbook.Actions{
		"kill_idle_connections": playbook.ActionFunc(func(_ context.Context, i playbook.Intent) (string, error) { return "killed 23 on " + i.Service, nil }),
		"rollback": playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) {
			return "", fmt.Errorf("another rollback is under way: %w", playbook.ErrNotDone)
		}),
	}
	for _, operation := range []string{"kill_idle_connections", "rollback", "dance"} {
		fmt.Println(actions.Carry(context.Background(), playbook.Intent{Service: "db", Operation: operation}))
	}
	// Output:
	// ok killed 23 on db
	// not_done another rollback is under way: nothing was done
	// not_done nobody carries out the operation "dance"
}
