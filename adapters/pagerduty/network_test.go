package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

// pipes is a network in memory, so that real HTTP runs in virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// Writes one after the other use one connection.
func TestConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := adaptertest.NewPagerDuty(account(nil))
		listener := &pipes{make(chan net.Conn), make(chan struct{})}
		var opened atomic.Int64
		server := &http.Server{Handler: fake, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				opened.Add(1)
			}
		}}
		served := make(chan struct{})
		go func() {
			_ = server.Serve(listener)
			close(served)
		}()
		transport := &http.Transport{DialContext: listener.dial}
		client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), From: bot, Service: "PSHOP", BaseURL: "http://pagerduty.example", Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		ref := open(t, client, down("k"))
		const writes = 1000
		for i := range writes {
			title := fmt.Sprint("title ", i)
			// Answers that are read, that are not, and that are errors.
			var err error
			switch i % 3 {
			case 0:
				err = client.Update(t.Context(), ref, adapters.Patch{Title: &title})
			case 1:
				err = client.Note(t.Context(), ref, adapters.Note{Text: title})
			default:
				err = client.Escalate(t.Context(), ref, 9) // 1006
				if errors.Is(err, adapters.Conflict) {
					err = nil
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := opened.Load(); n != 1 {
			t.Errorf("%d connections for %d writes, want 1", n, writes)
		}
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
}

// Sixteen workers never see a 429 although they use what there is.
func TestAllowanceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := account(nil)
		o.PerMinute = 960
		fake := adaptertest.NewPagerDuty(o)
		client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), From: bot, Transport: direct{fake}})
		if err != nil {
			t.Fatal(err)
		}
		fake.Add(adaptertest.PagerDutyIncident{ID: "QONE", Created: time.Now()})
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		var (
			wg   sync.WaitGroup
			done atomic.Int64
		)
		for range 16 {
			wg.Go(func() {
				for {
					if _, err := client.Read(ctx, one); err != nil {
						return
					}
					done.Add(1)
				}
			})
		}
		wg.Wait()
		// 960 a minute for 10 minutes.
		if n := done.Load(); n < 9600*95/100 || fake.Throttled() != 0 {
			t.Errorf("%d calls, %d of them refused; want at least 95%% of 9600 and 0", n, fake.Throttled())
		}
		t.Logf("%d of 9600 calls, %d times 429", done.Load(), fake.Throttled())
	})
}

// A 429 is waited for as long as it says, and without a word by the backoff.
func TestThrottledCallsWait(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := account(nil)
			o.PerMinute, o.NoHeaders = 1, silent
			fake := adaptertest.NewPagerDuty(o)
			client, err := pagerduty.New(pagerduty.Config{
				Token: adapters.NewSecret(apiToken), Transport: direct{fake}, Policy: resilience.Policy{Attempts: 9, NoJitter: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			fake.Add(adaptertest.PagerDutyIncident{ID: "QONE", Created: time.Now()})
			ask(t, fake, "GET", "/priorities", "") // somebody else uses the allowance
			started := time.Now()
			if _, err := client.Read(t.Context(), one); err != nil {
				t.Fatal(err)
			}
			took := time.Since(started)
			// The window is 60 s: the refusal says so. Without a word 1 + 2 + 4 + … s of
			// backoff reach it with 63 s.
			want, refused := 60*time.Second, 1
			if silent {
				want, refused = 63*time.Second, 6
			}
			if took != want || fake.Throttled() != refused {
				t.Errorf("silent %v: took %v with %d refusals, want %v with %d", silent, took, fake.Throttled(), want, refused)
			}
		})
	}
}

// flaky loses a share of requests before they are carried out, and another after.
type flaky struct {
	http.RoundTripper
	random *rand.Rand
	mu     *sync.Mutex
	n      *int
}

func (f flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	*f.n++
	dice := f.random.Float64()
	f.mu.Unlock()
	if dice < 0.20 {
		return answering(503, ``, "Retry-After", "1").RoundTrip(r)
	}
	answer, err := f.RoundTripper.RoundTrip(r)
	if dice < 0.25 && err == nil {
		_ = answer.Body.Close()
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	}
	return answer, err
}

// A fifth of requests is refused and a twentieth is carried out without an answer:
// all is delivered and nothing twice.
func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := adaptertest.NewPagerDuty(account(nil))
		requests := 0
		base := flaky{direct{fake}, rand.New(rand.NewPCG(7, 8)), &sync.Mutex{}, &requests}
		policy := resilience.Policy{Attempts: 8, Breaker: resilience.Breaker{Consecutive: 1000, FailureRatio: 1}}
		client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), From: bot, Service: "PSHOP", Transport: base, Policy: policy, NoPriorities: true})
		if err != nil {
			t.Fatal(err)
		}
		events, err := pagerduty.NewEvents(pagerduty.EventsConfig{RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "s", Transport: base, Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		const tickets = 300
		for i := range tickets {
			ticket := adapters.Ticket{Key: fmt.Sprint("rest-", i), Title: "x", Severity: incident.P2}
			if _, err := client.Open(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
			ticket.Key = fmt.Sprint("event-", i)
			if _, err := events.Open(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
		}
		keys := map[string]int{}
		for _, i := range fake.Incidents() {
			keys[i.Key]++
		}
		for key, n := range keys {
			if n != 1 {
				t.Errorf("%s was opened %d times", key, n)
			}
		}
		// Open is a look-up and a create, an event is one request.
		if least := 3 * tickets; len(keys) != 2*tickets || float64(requests) > 1.4*float64(least) {
			t.Errorf("%d of %d delivered with %d requests, want all with at most 1.4 x %d", len(keys), 2*tickets, requests, least)
		}
		t.Logf("%d delivered with %d requests, %.2f times the least", len(keys), requests, float64(requests)/(3*tickets))
	})
}
