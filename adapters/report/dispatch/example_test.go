package dispatch_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
)

// postbox stands for a mail server.
type postbox struct{ got chan string }

func (p postbox) Send(_ context.Context, m notify.Message) []notify.Result {
	p.got <- m.Subject + " to " + m.To[0].Address
	return []notify.Result{{Target: m.To[0], State: notify.Delivered}}
}

// The report of October is due a day after the month is over, is put into the outbox
// once, however often one looks, and sent from there.
func Example() {
	mailbox := func(address string) []notify.Target {
		return []notify.Target{{Recipient: address, Channel: comms.Email, Address: address}}
	}
	customers := []dispatch.Customer{{
		ID: "acme", Kinds: []dispatch.Kind{dispatch.MonthlyReport},
		To: map[string][]notify.Target{
			"customer_stakeholders": mailbox("it@acme.example"), "account_manager": mailbox("am@msp.example"), "service_delivery_manager": mailbox("sdm@msp.example"),
		},
	}}
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	outbox := escalation.NewMemoryTimers(func() time.Time { return now }) // in earnest: store.Outbox() and store.Ledger()
	d, err := dispatch.New(dispatch.Config{Outbox: outbox, Ledger: &adapters.MemoryLedger{}, Make: func(_ context.Context, due dispatch.Due) (report.Document, error) {
		// In earnest: sla.Agreement.Report of due.Period as a report.ServiceReport.
		return report.Document{Title: "Service report " + due.Period.Label, Generated: now}, nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		queued, err := d.Run(context.Background(), customers, now)
		fmt.Println(len(queued), "queued", err)
	}

	box := postbox{make(chan string)}
	r, err := runner.New(runner.Config{Timers: outbox, Workers: 1, Handle: dispatch.Handle(notify.Senders{comms.Email: box})})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	for range sla.ReportRecipients {
		fmt.Println(<-box.got)
	}
	stop()
	fmt.Println(<-done)
	// Unordered output:
	// 1 queued <nil>
	// 0 queued <nil>
	// Service report 2026-10 to it@acme.example
	// Service report 2026-10 to am@msp.example
	// Service report 2026-10 to sdm@msp.example
	// <nil>
}

// What is due is a function of customers and an instant: here the report of October and
// its last week, in Amsterdam, where October ended at 23:00 UTC.
func ExamplePlan() {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		fmt.Println(err)
		return
	}
	customers := []dispatch.Customer{{ID: "acme", Zone: amsterdam, Kinds: []dispatch.Kind{dispatch.MonthlyReport, dispatch.WeeklyReview}, CutOff: new(48 * time.Hour)}}
	for _, d := range dispatch.Plan(customers, time.Date(2026, 11, 3, 23, 0, 0, 0, time.UTC)) {
		fmt.Println(d.Key(), "since", d.At.Format(time.RFC3339), d.Late(d.At))
	}
	// Output:
	// monthly_report/2026-10/0 since 2026-11-02T23:00:00Z false
	// weekly_service_review/2026-W44/0 since 2026-11-03T23:00:00Z false
}
