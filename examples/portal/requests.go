package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/patience"
	"github.com/evenkeelops/evenkeel/examples/internal/ticketing"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// asked is the kind of task that a request of a customer is.
const asked = "customer_request"

// mostAsked is how many requests the dashboard shows.
const mostAsked = 50

// requests keeps what customers ask for in the outbox of a store: on disk before the
// customer gets a reference, until a worker has handed it on.
type requests struct {
	db    *sql.DB
	store *sqlstore.Store
	put   atomic.Bool // since the last look at those that wait

	worker *runner.Runner // that sends them on; nil where they wait for the operations
}

// taker takes a request to where people work. What nobody will ever take is an error that
// wraps [runner.ErrPermanent].
type taker func(ctx context.Context, ref string, r portal.Request) error

// sendOn has requests sent on as the configuration says. Each is tried for three days until
// somebody has taken it, also after a crash, under the same key: a webhook has it as a
// header and a mail as its Message-ID, by which a receiver knows what it has already, and
// of tickets there is one for a key. What nobody takes stays in the box of the operations.
func (q *requests) sendOn(to *config.RequestSink, log *slog.Logger) error {
	take, err := q.taker(to)
	if err != nil {
		return err
	}
	q.worker, err = runner.New(runner.Config{
		Timers: q.store.Outbox(), Workers: 2, Size: 20, Poll: poll, Attempts: patience.Attempts, Backoff: patience.Backoff, Lease: 30 * time.Second, Log: log,
		Handle: func(ctx context.Context, l escalation.Lease) error {
			if l.Kind != asked {
				return fmt.Errorf("%w: a task of kind %q", runner.ErrPermanent, l.Kind)
			}
			var r portal.Request
			if err := json.Unmarshal(l.Payload, &r); err != nil {
				return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
			}
			defer q.put.Store(true)
			return take(ctx, l.Key, r)
		},
		OnDead: func(l escalation.Lease, reason string) {
			log.Error("a request was not taken", "tenant", l.Tenant, "ref", l.Key, "reason", reason)
		},
	})
	return err
}

// taker is the system of the configuration.
func (q *requests) taker(to *config.RequestSink) (taker, error) {
	ledger := q.store.Ledger()
	switch {
	case to.PagerDuty != nil:
		events, err := ticketing.PagerDuty(to.PagerDuty, "evenkeel portal")
		return tickets("pagerduty", events, ledger), err
	case to.Jira != nil:
		client, err := ticketing.Jira(to.Jira, nil, ledger)
		return tickets("jira", client, ledger), err
	case to.ServiceNow != nil:
		client, err := ticketing.ServiceNow(to.ServiceNow, nil, ledger)
		return tickets("servicenow", client, ledger), err
	case to.SMTP != nil:
		c := to.SMTP
		mail, err := notify.NewEmail(notify.EmailConfig{Host: c.Host, Port: c.Port, From: c.From, Username: c.User, Password: c.Password, Security: notify.Security(c.Security)})
		var targets []notify.Target
		for _, address := range c.To {
			targets = append(targets, notify.Target{Recipient: address, Channel: comms.Email, Address: address})
		}
		return messages(mail, targets), err
	default:
		endpoint := notify.Endpoint{URL: adapters.NewSecret(to.Webhook.URL), Secret: to.Webhook.Secret}
		hook, err := notify.NewWebhook(notify.WebhookConfig{
			Endpoint:  func(context.Context, string, string) (notify.Endpoint, bool, error) { return endpoint, true, nil },
			Transport: resilience.NewBase(nil), // the URL is the operator's
		})
		return messages(hook, []notify.Target{{Recipient: "webhook", Channel: comms.Webhook, Address: "webhook"}}), err
	}
}

// messages tells people.
func messages(s notify.Sender, to []notify.Target) taker {
	return func(ctx context.Context, ref string, r portal.Request) error {
		return told(s.Send(ctx, notify.Message{
			Key: "request/" + r.Tenant + "/" + ref, Tenant: r.Tenant, Subject: titleOf(ref, r), Text: letter(ref, r), At: r.At, To: to,
		}))
	}
}

// tickets opens a ticket for each request, of the least severity: a request wakes nobody.
// What was opened stands in the ledger, so a ticket that has ended is not opened anew.
func tickets(sink string, system adapters.Opener, ledger adapters.Ledger) taker {
	return func(ctx context.Context, ref string, r portal.Request) error {
		key := adapters.Key{Tenant: r.Tenant, Incident: ref, Step: "request", Target: sink}.String()
		if e, _, err := ledger.Look(ctx, r.Tenant, key); err != nil || e.Settled() {
			return err
		}
		opened, err := system.Open(ctx, adapters.Ticket{Key: key, Tenant: r.Tenant, Title: titleOf(ref, r), Text: letter(ref, r), Severity: incident.P4, State: adapters.StateNew})
		if err != nil {
			return ticketing.Outcome(err)
		}
		return ledger.Settle(ctx, r.Tenant, key, opened)
	}
}

func titleOf(ref string, r portal.Request) string { return "[" + ref + "] " + r.Title }

// letter is a request as people read it.
func letter(ref string, r portal.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Reference: %s\nCustomer: %s\nService: %s\nContact: %s\nAsked: %s\n\n%s\n", ref, r.Tenant, cmp.Or(r.Service, "none"), cmp.Or(r.Contact, "none"), r.At.UTC().Format(time.RFC3339), r.Text)
	return b.String()
}

// told is nil when everybody has the message. What is refused for good is permanent.
func told(results []notify.Result) error {
	var problems []error
	for _, r := range results {
		if r.Err != nil && r.State != notify.Temporary {
			problems = append(problems, fmt.Errorf("%w: %w", runner.ErrPermanent, r.Err))
		} else if r.Err != nil {
			return r.Err
		}
	}
	return errors.Join(problems...)
}

func openRequests(ctx context.Context, file string) (*requests, error) {
	db, store, err := openStore(ctx, file)
	return &requests{db: db, store: store}, err
}

func (q *requests) close() { q.db.Close() }

// news reports whether something was asked for since the last call.
func (in *inputs) news() bool { return in.asked != nil && in.asked.put.Swap(false) }

// Put keeps a request. The same one of a customer on the same day, in UTC, is one: whoever
// sends the form again because no answer came gets the same reference.
func (q *requests) Put(ctx context.Context, r portal.Request) (string, error) {
	step := strings.Join([]string{r.At.UTC().Format(time.DateOnly), r.Service, r.Title, r.Text, r.Contact}, "\x00")
	ref := "RQ-" + adapters.Key{Tenant: r.Tenant, Step: step}.String()[:12]
	payload, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	err = q.store.Outbox().Schedule(ctx, escalation.Task{Tenant: r.Tenant, Key: ref, Kind: asked, Due: r.At, Payload: payload})
	q.put.Store(true)
	if err == nil && q.worker != nil {
		q.worker.Wake()
	}
	return ref, err
}

// waiting returns the requests of customers that nobody has taken yet, those that nobody
// would take among them, the latest first.
func (q *requests) waiting(ctx context.Context, customers []customer) ([]page.Inquiry, error) {
	list := []page.Inquiry{}
	for i := range 2 * len(customers) {
		filter := escalation.TaskFilter{Tenant: customers[i/2].rules.ID, State: []escalation.TaskState{escalation.TaskPending, escalation.TaskDead}[i%2]}
		for {
			tasks, err := q.store.Outbox().List(ctx, filter)
			if err != nil {
				return nil, err
			}
			if len(tasks) == 0 {
				break
			}
			for _, t := range tasks {
				filter.After = t.Key
				var r portal.Request
				if t.Kind != asked {
					continue
				}
				if err := json.Unmarshal(t.Payload, &r); err != nil {
					return nil, err
				}
				list = append(list, page.Inquiry{Tenant: t.Tenant, Ref: t.Key, Service: r.Service, Title: r.Title, Text: r.Text, Contact: r.Contact, At: r.At})
			}
		}
	}
	slices.SortFunc(list, func(a, b page.Inquiry) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Ref, b.Ref)) })
	return list[:min(len(list), mostAsked)], nil
}

var _ portal.Outbox = (*requests)(nil)
