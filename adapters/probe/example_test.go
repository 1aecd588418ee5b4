package probe_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/evenkeelops/evenkeel/adapters/probe"
)

// A shop whose check out is broken: the steps before are up, and the cart that was made
// is deleted all the same.
func Example() {
	broken := newShop()
	broken.broken["check out"] = "500"
	server := httptest.NewServer(broken)
	defer server.Close()

	p, err := probe.New(probe.Config{Journey: buy(server.URL)})
	if err != nil {
		fmt.Println(err)
		return
	}
	result := p.Probe(context.Background()) // or Run, with an interval
	for _, step := range append(result.Steps, result.Cleanup...) {
		line := step.Name + ": " + string(step.State)
		if step.Reason != "" {
			line += ", " + step.Reason
		}
		fmt.Println(line)
	}
	sample := result.Sample() // for slo.Tracker.Observe, or Miss if it is missing
	fmt.Println(result.State, "at", result.Failed, "good", sample.Good, "of", sample.Total, "missing", sample.Missing)
	// Output:
	// home: up
	// log in: up
	// add: up
	// remove: up
	// add another: up
	// check out: down, status 500
	// delete cart: up
	// down at check out good 0 of 1 missing false
}
