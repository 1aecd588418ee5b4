package playbook_test

import (
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
