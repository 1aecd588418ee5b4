package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// A write with a key is repeated after a 503; a note without one is not, and the
// error says that somebody has to look.
func ExampleTransport() {
	vendor := adaptertest.NewScript(
		adaptertest.Step{Status: 503}, adaptertest.Step{Status: 201}, // the ticket
		adaptertest.Step{Status: 503}, // the note
	)
	transport, err := resilience.New(resilience.Config{
		Provider: "jira", Base: vendor, Policy: resilience.Policy{Base: time.Millisecond},
		Credential: resilience.Basic("bot@example.com", adapters.NewSecret("token")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport}
	post := func(op resilience.Op, path string) (*resilience.Call, error) {
		ctx, call := transport.Begin(context.Background(), op)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://acme.example"+path, strings.NewReader("{}"))
		if err != nil {
			return call, err
		}
		response, err := client.Do(r)
		if err == nil {
			err = response.Body.Close()
		}
		return call, call.Err(err)
	}

	call, err := post(resilience.Op{Name: "open", Repeatable: true}, "/issue")
	fmt.Println(call.Status, call.Attempts, err)
	_, err = post(resilience.Op{Name: "comment"}, "/issue/EX-1/comment")
	fmt.Println(err)
	fmt.Println(errors.Is(err, adapters.OutcomeUnknown), adapters.Retryable(err))
	// Output:
	// 201 2 <nil>
	// jira comment outcome_unknown (status 503)
	// true false
}

// A queue that tries again waits by the same curve as calls.
func ExamplePolicy_Backoff() {
	policy := resilience.Policy{}
	for n := 1; n <= 4; n++ {
		fmt.Println(policy.Backoff(n))
	}
	// Output:
	// 1s
	// 2s
	// 4s
	// 8s
}

// Vendors say in several ways when they may be asked again.
func ExampleHint() {
	now := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	wait, ok := resilience.Hint(http.Header{"X-Ratelimit-Reset": {"2026-11-22T05:31Z"}}, now)
	fmt.Println(wait, ok)
	// Output: 1m0s true
}

// URLs that tenants wrote do not reach what is inside.
func ExampleGuard() {
	base := resilience.NewBase(&resilience.BaseOptions{Guard: &resilience.Guard{AllowHTTP: true}})
	transport, err := resilience.New(resilience.Config{Provider: "webhook", Base: base})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, call := transport.Begin(context.Background(), resilience.Op{Name: "post"})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://169.254.169.254/latest/meta-data", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	fmt.Println(call.Err(err))
	// Output: webhook post invalid: resilience: nothing was sent: dial tcp 169.254.169.254:80: resilience: address 169.254.169.254 is not public
}
