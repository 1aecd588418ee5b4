package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// haste is by how much all times of vendors are shorter than they are, those of the
// vendors and the defaults of the adapters alike.
const haste = 20

// line carries requests to a fake in 50 ms and answers in 10 to 100 ms, both shortened.
// If it is bad, it answers a fifth with a 503 that has no Retry-After and loses a
// twentieth of the answers.
type line struct {
	vendor http.Handler
	bad    bool

	mu       sync.Mutex // guards all below
	draw     *rand.Rand
	requests int
}

// RoundTrip carries one request.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.requests++
	chance, back := l.draw.IntN(100), time.Duration(10+l.draw.IntN(90))*time.Millisecond/haste
	l.mu.Unlock()
	if !l.bad {
		chance = 100
	}
	time.Sleep(50 * time.Millisecond / haste)
	defer time.Sleep(back)
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	if chance < 20 {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	w := httptest.NewRecorder()
	l.vendor.ServeHTTP(w, served)
	if chance < 25 {
		return nil, syscall.ECONNRESET
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// vendor is a fake with a client of ours, which opens a ticket for a key.
type vendor struct {
	fake  http.Handler
	open  func(ctx context.Context, key string) error
	there func() map[string]int // tickets by what tells them apart
}

// vendors are the four whose fakes keep what they are told. Allowances are not what is
// measured, so there are none but that of Slack, without which a channel would have more
// messages in a minute than it can have.
func vendors(transport func(http.Handler) http.RoundTripper) ([]vendor, error) {
	const routingKey = "0123456789abcdef0123456789abcdef"
	start := time.Now()
	now := func() time.Time { return start.Add(haste * time.Since(start)) }
	// The defaults, shortened; nothing comes near to those that are left.
	policy := resilience.Policy{Base: time.Second / haste, Cap: 300 * time.Second / haste, Breaker: resilience.Breaker{Open: 30 * time.Second / haste, Window: 60 * time.Second / haste, Period: 5 * time.Second / haste}}
	alerts := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{routingKey: "shop"}})
	issues := adaptertest.NewJira(adaptertest.JiraOptions{Lag: 500 * time.Millisecond / haste})
	rows := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
	const channels = 8
	named := map[string]string{}
	for n := range channels {
		named["ops"+strconv.Itoa(n)] = "C" + strconv.Itoa(n)
	}
	posts := adaptertest.NewSlack(adaptertest.SlackOptions{Channels: named, Unlimited: true, Now: now})
	pd, err1 := pagerduty.NewEvents(pagerduty.EventsConfig{
		RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "shop", PerMinute: 1e6, Transport: transport(alerts), Policy: policy,
	})
	ji, err2 := jira.New(jira.Config{
		BaseURL: "https://jira.example", Deployment: jira.Cloud, Email: "bot@acme.example", Token: adapters.NewSecret("token"), Tenant: "acme", Project: "OPS",
		IssueType: "Incident", FindFor: 10 * time.Second / haste, Ledger: &adapters.MemoryLedger{}, Limits: &jira.Limits{}, Transport: transport(issues), Policy: policy,
	})
	sn, err3 := servicenow.New(servicenow.Config{BaseURL: "https://acme.service-now.com", User: "evenkeel", Transport: transport(rows), Policy: policy})
	sl, err4 := notify.NewSlack(notify.SlackConfig{Token: adapters.NewSecret("xoxb-1"), PerSecond: haste, Transport: transport(posts), Policy: policy, Now: now})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	opens := func(o adapters.Opener) func(context.Context, string) error {
		return func(ctx context.Context, key string) error {
			_, err := o.Open(ctx, adapters.Ticket{Key: key, Tenant: "acme", Title: "checkout is down, " + key, Severity: incident.P1})
			return err
		}
	}
	return []vendor{
		{alerts, opens(pd), func() map[string]int {
			return count(alerts.Alerts(), func(a adaptertest.PagerDutyAlert) string { return a.Key })
		}},
		{issues, opens(ji), func() map[string]int {
			return count(issues.Issues(), func(i adaptertest.JiraIssue) string { return i.Labels[0] })
		}},
		{rows, opens(sn), func() map[string]int {
			return count(rows.Records("incident", ""), func(row map[string]string) string { return row["correlation_id"] })
		}},
		{posts, func(ctx context.Context, key string) error {
			n, _ := strconv.Atoi(key)
			return sl.Send(ctx, notify.Message{
				Key: key, Tenant: "acme", Subject: "checkout is down", Text: key, At: now(), To: []notify.Target{{Recipient: "ops", Channel: comms.Slack, Address: "C" + strconv.Itoa(n%channels)}},
			})[0].Err
		}, func() map[string]int {
			return count(posts.Messages(), func(m adaptertest.SlackMessage) string { return m.Text })
		}},
	}, nil
}

func count[T any](list []T, key func(T) string) map[string]int {
	n := map[string]int{}
	for _, v := range list {
		n[key(v)]++
	}
	return n
}

// deliverVendors opens 1,000 tickets at each of the vendors, 16 at a time, each until it is
// there, over bad lines and over good ones. The adapters have their defaults, so no write
// whose outcome is unknown is repeated without looking for it. Twice is what is there more
// than once, or not at all.
func deliverVendors(side) (outcome, error) {
	const tickets, workers = 1000, 16
	start, twice := time.Now(), 0
	o := outcome{Twice: &twice}
	for _, bad := range []bool{false, true} {
		var lines []*line
		all, err := vendors(func(fake http.Handler) http.RoundTripper {
			l := &line{vendor: fake, bad: bad, draw: rand.New(rand.NewPCG(1, uint64(len(lines))))} //nolint:gosec // the same faults in each run
			lines = append(lines, l)
			return l
		})
		if err != nil {
			return outcome{}, err
		}
		var wg sync.WaitGroup
		ok := make([]int, len(all))
		for n, v := range all {
			wg.Go(func() {
				ok[n] = work(tickets, workers, func(i int) bool { return insist(v.open, strconv.Itoa(i)) })
			})
		}
		wg.Wait()
		for n, v := range all {
			requests := lines[n].requests
			if !bad {
				o.Least += requests
				continue
			}
			there := v.there()
			if len(there) != tickets {
				return outcome{}, fmt.Errorf("vendor %d has %d tickets, want %d", n, len(there), tickets)
			}
			for _, times := range there {
				twice += times - 1
			}
			o.Calls, o.OK, o.Requests = o.Calls+tickets, o.OK+ok[n], o.Requests+requests
		}
	}
	o.Seconds = time.Since(start).Seconds()
	return o, nil
}

// insist opens a ticket until it is there, and waits as an outbox does.
func insist(open func(context.Context, string) error, key string) bool {
	for n := range 30 {
		err := open(context.Background(), key)
		if err == nil {
			return true
		}
		if !adapters.Retryable(err) && !errors.Is(err, adapters.OutcomeUnknown) {
			return false
		}
		time.Sleep(max(min(time.Second<<n, 300*time.Second)/haste, time.Until(adapters.RetryAt(err))))
	}
	return false
}
