package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// observations take a quiet sample and look at the triggers, beside a thousand
// services.
var observations = []measure.Pair{
	goal("incident/observe_of_1000_services", 5*time.Microsecond, 1, func() (func(), error) {
		c := playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}
		for i := range 1000 {
			c.Services = append(c.Services, playbook.Service{ID: fmt.Sprint("api-", i), Type: "compute", Zone: "UTC"})
		}
		e, err := playbook.New(c)
		if err != nil {
			return nil, err
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
			return nil, errors.Join(err, errors.New("a quiet sample began a run"))
		}
		return func() {
			if err := observe(); err != nil {
				panic(err)
			}
		}, nil
	}),
}
