// Command playbook compares the conditions of package playbook with an expression
// engine, and holds the engine against fixed goals.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/expr-lang/expr"

	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main([]measure.Pair{conditions, observations})
}

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

// values make all four comparisons true, so that none is left out.
var values = map[string]float64{"cpu_utilization": 90, "error_rate": 7, "idle_connections": 25, "healthy_instances": 3}

// conditions evaluates four comparisons joined by AND. Ours also says unknown where a
// value is missing or old; the peer compares whatever is there.
var conditions = measure.Pair{
	Name: "playbook/condition_4_comparisons", Peer: "expr v1.17.8", Bar: 5, NoAllocs: true,
	Setup: func() (func(), func(), error) {
		v, err := playbook.NewVocabulary(playbook.DefaultFacts()...)
		if err != nil {
			return nil, nil, err
		}
		c, err := playbook.Compile("cpu_utilization > 85% AND error_rate > 5% AND idle_connections > 20 AND healthy_instances > 1", v)
		if err != nil {
			return nil, nil, err
		}
		facts, env := v.NewFacts(), map[string]any{}
		for name, x := range values {
			if err := facts.Set(name, playbook.Number(x), noon); err != nil {
				return nil, nil, err
			}
			env[name] = x
		}
		program, err := expr.Compile("cpu_utilization > 85 && error_rate > 5 && idle_connections > 20 && healthy_instances > 1", expr.Env(env), expr.AsBool())
		if err != nil {
			return nil, nil, err
		}
		for _, load := range []float64{90, 80} {
			if err := facts.Set("cpu_utilization", playbook.Number(load), noon); err != nil {
				return nil, nil, err
			}
			env["cpu_utilization"] = load
			theirs, err := expr.Run(program, env)
			if ours := c.Eval(facts, noon) == playbook.True; err != nil || theirs != ours || ours != (load > 85) {
				return nil, nil, fmt.Errorf("at a load of %v: %v, with expr %v, %w", load, ours, theirs, err)
			}
		}
		if err := facts.Set("cpu_utilization", playbook.Number(90), noon); err != nil {
			return nil, nil, err
		}
		env["cpu_utilization"] = 90.0
		return func() {
				if c.Eval(facts, noon) != playbook.True {
					panic("not true")
				}
			}, func() {
				if got, err := expr.Run(program, env); err != nil || got != true {
					panic("not true")
				}
			}, nil
	},
}

// observations takes a quiet sample and looks at the triggers, beside a thousand
// services.
var observations = measure.Pair{
	Name: "playbook/observe_of_1000_services", Peer: "goal", Bar: 1, Goal: 5 * time.Microsecond,
	Setup: func() (func(), func(), error) {
		c := playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}
		for i := range 1000 {
			c.Services = append(c.Services, playbook.Service{ID: fmt.Sprint("api-", i), Type: "compute", Zone: "UTC"})
		}
		e, err := playbook.New(c)
		if err != nil {
			return nil, nil, err
		}
		at, i := noon, 0
		observe := func() error {
			event := playbook.Event{Kind: playbook.Observe, At: at, Service: c.Services[i].ID, Fact: "cpu_utilization", Value: playbook.Number(40)}
			if i++; i == len(c.Services) {
				i, at = 0, at.Add(15*time.Second)
			}
			return e.Apply(event)
		}
		if err := observe(); err != nil || len(e.Runs()) != 0 {
			return nil, nil, errors.Join(err, errors.New("a quiet sample began a run"))
		}
		return func() {
			if err := observe(); err != nil {
				panic(err)
			}
		}, nil, nil
	},
}
