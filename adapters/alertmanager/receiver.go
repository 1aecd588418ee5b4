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
	// Repeats hands on what was told before, too. Set it where several receivers share
	// the webhooks of an Alertmanager: what one of them takes for a repeat may have ended
	// meanwhile at another. Defaults to false.
	Repeats bool
	// MaxBody, Pending, RetryAfter and Now are those of [ingest.Config]. MaxBody
	// defaults to 1 MiB.
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
//
// What was told last of an alert in its group is remembered, in memory, and a webhook
// that says nothing else is answered and not handed on: a repetition (repeat_interval),
// another attempt, the same from the other of a pair. What says the opposite of the last
// is news, also if it repeats what was said before that: an alert that Alertmanager ended
// because it heard no more of it, and hears of again, fires with the startsAt of the
// first time. Events are marked for that, see [correlation.Event] on Again, so that an
// engine begins a new episode, whatever this process remembers.
//
// A webhook has no time of its own. One whose request began before the opposite was
// taken is late and no news; but of two Alertmanagers that do not know of each other,
// one may tell the beginning after the other has told the end, and that cannot be told
// from an alert that fires again. It is taken for one, until the end comes from the
// second, too: a page too many rather than one too few.
type Receiver struct {
	*ingest.Handler

	config ReceiverConfig
	words  *lastWords
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
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Receiver{config: c, words: newLastWords(100_000), ahead: map[identity]time.Time{}}
	handler, err := ingest.New(ingest.Config{
		Name: c.Name, Verifier: c.Verifier, Seen: repeats{r.words, c.Repeats}, MaxBody: c.MaxBody, Pending: c.Pending, RetryAfter: c.RetryAfter, Now: c.Now,
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
	var told []string // what is the last word from now on
	for i, key := range w.words() {
		opposed, at := r.words.opposed(key)
		late := opposed && d.Started.Before(at)
		if !late {
			told = append(told, key)
		}
		// An end that comes after no beginning may be an old one, which comes again.
		r.add(&n, w.Alerts[i], !late && (opposed || !w.Alerts[i].Resolved()))
	}
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
			for _, a := range firing {
				if !listed[a.Fingerprint] {
					r.add(&n, a, true)
					told = append(told, string(w.appendWord(nil, statusFiring, &a)))
				}
			}
		}
	}
	err := r.config.Accept(ctx, n)
	if err == nil {
		r.words.tell(told, r.config.Now())
	}
	return err
}

// add appends the event of an alert, or why it is none.
func (r *Receiver) add(n *Notification, a Alert, again bool) {
	e, err := r.config.Mapping.Event(a, n.Received)
	if err != nil {
		if refused, ok := errors.AsType[*AlertError](err); ok {
			n.Refused = append(n.Refused, refused)
		}
		return
	}
	e.Again = again
	r.order(&e, &a, n.Received)
	n.Events = append(n.Events, e)
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
