package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// printer stands for a mail server that is busy at first.
type printer struct{ busy bool }

func (p *printer) Send(_ context.Context, m notify.Message) []notify.Result {
	r := notify.Result{Target: m.To[0], State: notify.Delivered}
	if p.busy {
		p.busy = false
		r.State, r.Err = notify.Temporary, &notify.Error{Server: "smtp.example.com:587", Op: notify.To, Code: 451, Answer: "later"}
	}
	fmt.Println(m.Subject, "->", r.Address, r.State)
	return []notify.Result{r}
}

// From the decision to the mail: what a thread wants to be said goes through an
// outbox, from which a runner sends it until it is delivered or refused. The thread
// and the ledger learn what became of it.
func Example() {
	plan, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{{
		Name: "Sarah Chen", Role: comms.TechnicalContact, Contact: map[string]string{"email": "sarah@example.com"},
		Preferences: comms.Preferences{Immediate: true},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	thread, ledger, outbox := plan.Open("acme", "INC-2024-001"), comms.Ledger{}, escalation.NewMemoryTimers(time.Now)
	if err := thread.Apply(incident.State{
		Tenant: "acme", ID: "INC-2024-001", Status: incident.Open, Severity: incident.P1, Title: "user authentication is down",
		Services: []string{"user_api"}, Times: incident.Times{Created: at},
	}, at); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for _, m := range thread.Step(at) { // with a store: in one transaction with the snapshot of the thread
		ledger.Add(m)
		payload, err := json.Marshal(m)
		if err == nil {
			err = outbox.Schedule(ctx, escalation.Task{Tenant: m.Tenant, Key: m.Key, Kind: "message", Due: m.Due, Payload: payload})
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}

	senders := notify.Senders{comms.Email: &printer{busy: true}} // in earnest: notify.NewEmail
	r, err := runner.New(runner.Config{
		Timers: outbox, Workers: 1, Poll: time.Millisecond,
		Backoff: func(int) time.Duration { return time.Millisecond },
		Handle: func(ctx context.Context, l escalation.Lease) error {
			var m comms.Message
			if err := json.Unmarshal(l.Payload, &m); err != nil {
				return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
			}
			result := senders.Send(ctx, notify.MessageOf(m))[0]
			thread.Report(m.Key, result.Outcome())
			ledger.Report(comms.Receipt{Key: m.Key, Outcome: result.Outcome(), At: at.Add(time.Second), Attempt: l.Attempt, Detail: result.Reason})
			if result.State == notify.Delivered {
				stop()
			}
			if result.State == notify.Permanent || result.State == notify.Skipped {
				return fmt.Errorf("%w: %w", runner.ErrPermanent, result.Err)
			}
			return result.Err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range ledger.Deliveries("") {
		fmt.Println(d, "after", d.Attempts, "attempts")
	}
	// Output:
	// [P1 CRITICAL] user_api - INC-2024-001 -> sarah@example.com temporary
	// [P1 CRITICAL] user_api - INC-2024-001 -> sarah@example.com delivered
	// 2026-03-02T11:00:00Z initial to Sarah Chen by email at sarah@example.com: delivered 2026-03-02T11:00:01Z after 2 attempts
}
