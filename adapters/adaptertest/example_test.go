package adaptertest_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// A script plays faults in memory, in virtual time under testing/synctest, or on a
// socket by Serve.
func ExampleScript() {
	s := adaptertest.NewScript(
		adaptertest.Step{Fault: adaptertest.Refused},
		adaptertest.Step{Fault: adaptertest.Reset, Applied: true},
		adaptertest.Step{Status: http.StatusConflict},
	)
	for range 3 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://vendor.example/tickets", http.NoBody)
		if err != nil {
			fmt.Println(err)
			return
		}
		response, err := s.RoundTrip(r)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(response.StatusCode, response.Body.Close())
	}
	fmt.Println(len(s.Requests()), "requests,", s.Applied(), "carried out")
	// Output:
	// dial tcp: connection refused
	// read tcp: connection reset by peer
	// 409 <nil>
	// 2 requests, 1 carried out
}
