package alertmanager

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// Notification is a webhook that was verified, read and not seen before.
type Notification struct {
	Webhook *Webhook
	// Events are those of the alerts, in their order, and behind them those of alerts
	// that were cut and read from the API.
	Events []correlation.Event
	// Refused are alerts that are no events, such as one without a tenant.
	Refused []*AlertError
	// Complete: all alerts of the group that fire are among Events, because none was
	// cut, or because they were read from the API.
	Complete bool
	// Resolved: no alert of the group fires any more.
	Resolved bool
	// ReadErr is why what was cut could not be read; Complete is false then.
	ReadErr error

	ingest.Delivery
}

// ReceiverConfig is what a Receiver needs.
type ReceiverConfig struct {
	// Name of the receiver. Defaults to "alertmanager".
	Name string
	// Verifier checks the sender, which signs nothing: an [ingest.Basic],
	// [ingest.Bearer] or [ingest.Certificate]. Required.
	Verifier ingest.Verifier
	// Mapping makes events of alerts.
	Mapping Mapping
	// Accept takes a notification durably, see [ingest.Config]. Required.
	Accept func(ctx context.Context, n Notification) error
	// Reader reads the alerts of a group of which some were cut (max_alerts). Defaults
	// to nobody: such notifications are not Complete.
	Reader interface {
		Alerts(ctx context.Context, f AlertFilter) ([]Alert, error)
	}
	// Seen, MaxBody, Pending, RetryAfter and Now are those of [ingest.Config]. MaxBody
	// defaults to 1 MiB.
	Seen       ingest.Seen
	MaxBody    int64
	Pending    int
	RetryAfter time.Duration
	Now        func() time.Time
}

// Receiver is an http.Handler for the webhooks of an Alertmanager. It is safe for
// concurrent use.
//
// It answers as Alertmanager decides whether to send again: 503 for what should come
// once more, never 429. A body of which every alert is refused by the mapping is
// handed on, too, with nothing but Refused.
type Receiver struct {
	*ingest.Handler

	config ReceiverConfig
	mu     sync.Mutex
	// ahead holds the alerts that began in the future when they came first, and when
	// that was: their beginning stays there when they are repeated.
	ahead map[identity]time.Time
}

// identity is that of an alert: startsAt is not part of it.
type identity struct{ tenant, fingerprint string }

// NewReceiver checks the configuration.
func NewReceiver(c ReceiverConfig) (*Receiver, error) {
	if c.Accept == nil {
		return nil, errors.New("alertmanager: Accept missing")
	}
	if c.Name == "" {
		c.Name = "alertmanager"
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	r := &Receiver{config: c, ahead: map[identity]time.Time{}}
	handler, err := ingest.New(ingest.Config{
		Name: c.Name, Verifier: c.Verifier, Seen: c.Seen, MaxBody: c.MaxBody, Pending: c.Pending, RetryAfter: c.RetryAfter, Now: c.Now,
		Read: func(_ *http.Request, body []byte) ([]string, any, error) {
			w, err := ParseWebhook(body)
			if err != nil {
				return nil, nil, err
			}
			return w.Keys(), w, nil
		},
		Accept: r.accept,
	})
	if err != nil {
		return nil, err
	}
	r.Handler = handler
	return r, nil
}

func (r *Receiver) accept(ctx context.Context, d ingest.Delivery) error {
	w := d.Value.(*Webhook)
	n := Notification{Webhook: w, Complete: w.Complete(), Resolved: w.GroupResolved(), Delivery: d}
	r.add(&n, w.Alerts)
	if !n.Complete && r.config.Reader != nil {
		if firing, err := r.readGroup(ctx, w); err != nil {
			n.ReadErr = err
		} else {
			n.Complete, n.Resolved = true, len(firing) == 0
			listed := make(map[string]bool, len(w.Alerts))
			for _, a := range w.Alerts {
				if !a.Resolved() {
					listed[a.Fingerprint] = true
				}
			}
			var cut []Alert
			for _, a := range firing {
				if !listed[a.Fingerprint] {
					cut = append(cut, a)
				}
			}
			r.add(&n, cut)
		}
	}
	return r.config.Accept(ctx, n)
}

// add appends the events of alerts.
func (r *Receiver) add(n *Notification, alerts []Alert) {
	for _, a := range alerts {
		e, err := r.config.Mapping.Event(a, n.Received)
		if err != nil {
			if refused, ok := errors.AsType[*AlertError](err); ok {
				n.Refused = append(n.Refused, refused)
			}
			continue
		}
		r.order(&e, &a, n.Received)
		n.Events = append(n.Events, e)
	}
}

// order keeps the instants of an alert that began in the future in the order in which
// they were told: it begins when it first came, and ends no earlier than that.
func (r *Receiver) order(e *correlation.Event, a *Alert, received time.Time) {
	id := identity{e.Tenant, a.Fingerprint}
	r.mu.Lock()
	defer r.mu.Unlock()
	first, known := r.ahead[id]
	switch {
	case a.Resolved():
		if known && e.Time.Before(first) {
			e.Time = first
		}
		delete(r.ahead, id)
	case !a.StartsAt.After(received) && !known:
	case !known:
		r.ahead[id] = received
	case a.StartsAt.After(first):
		e.Time = first
	}
}

// readGroup returns the alerts of a group that fire now.
func (r *Receiver) readGroup(ctx context.Context, w *Webhook) ([]Alert, error) {
	f := AlertFilter{Receiver: w.Receiver}
	for name, value := range w.GroupLabels {
		m, err := matcher.New(name, matcher.Equal, value)
		if err != nil {
			return nil, err
		}
		f.Matchers = append(f.Matchers, m.String())
	}
	return r.config.Reader.Alerts(ctx, f)
}
