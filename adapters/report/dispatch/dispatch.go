// Package dispatch sends each report once: to the customer's stakeholders, the account
// manager and the service delivery manager, when its period is over and the evidence had
// time to come in.
//
// [Plan] says what is due, as a function of customers and an instant. A [Dispatcher]
// has what is due and was not sent yet drawn up, and puts one message for each recipient
// into an outbox, all in one step; [Handle] is for the worker that sends what is there.
//
//	d, err := dispatch.New(dispatch.Config{Outbox: store.Outbox(), Ledger: store.Ledger(), Make: draw})
//	r, err := runner.New(runner.Config{Timers: store.Outbox(), Handle: dispatch.Handle(senders)})
//	go r.Run(ctx)
//	queued, err := d.Run(ctx, customers, time.Now()) // as often as you like
//
// What was put into the outbox is noted in a ledger, so a report is not drawn up again,
// whatever evidence arrives later; a correction is asked for by its number and is a
// report of its own. Keys are made of customer, kind, period, revision, role and
// address. Wherever a process dies, the next run goes on: before the outbox has the
// messages nothing was sent, and afterwards the same keys change nothing. A mail is sent
// twice, with the same Message-ID, only where its server took it and the answer was lost
// on the way, or with a process that died before it made a note.
//
// The outbox has to keep done tasks at least until the next run after a crash; the ledger
// keeps its entries for ever.
package dispatch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/sla"
)

// TaskKind is the kind of the tasks in the outbox.
const TaskKind = "report"

// ErrNoReport is what [Config].Make returns if there is nothing to report on, because the
// contract was not in force. It is asked again after a minute, and then after twice as
// long each time, up to an hour.
var ErrNoReport = errors.New("dispatch: nothing to report")

// ErrNotSent reports a correction of what was not sent: the report itself, or the
// correction before.
var ErrNotSent = errors.New("dispatch: the revision before was not sent")

// Outbox takes messages. Tasks of one call are stored together or not at all, and one
// whose tenant and key are known is left as it is, as by [escalation.Timers] and
// sqlstore.Queue.
type Outbox interface {
	Schedule(ctx context.Context, tasks ...escalation.Task) error
}

// Config is what a Dispatcher needs. All fields are required, unless they say otherwise.
type Config struct {
	Outbox Outbox
	Ledger adapters.Ledger

	// Make draws up a report. It is called when the report is due and was not sent yet.
	Make func(ctx context.Context, d Due) (report.Document, error)

	// PDF says how documents become PDFs. Defaults to the zero value.
	PDF report.PDFOptions
}

// Dispatcher puts what is due into an outbox. It is safe for concurrent use, also by
// several processes on the same outbox and ledger.
type Dispatcher struct {
	config Config

	mu    sync.Mutex // guards all below
	empty map[string]pause
}

// pause is how long a report is left alone on which there was nothing to report.
type pause struct {
	until  time.Time
	length time.Duration
}

const (
	firstPause   = time.Minute
	longestPause = time.Hour
)

// New returns a dispatcher.
func New(c Config) (*Dispatcher, error) {
	if c.Outbox == nil || c.Ledger == nil || c.Make == nil {
		return nil, errors.New("dispatch: want an outbox, a ledger and a function that draws up reports")
	}
	return &Dispatcher{config: c, empty: map[string]pause{}}, nil
}

// Run puts into the outbox what is due at an instant and was not put there before, and
// returns that. A customer who is not valid and a report that cannot be drawn up do not
// hold up the others; their errors are joined.
func (d *Dispatcher) Run(ctx context.Context, customers []Customer, at time.Time) ([]Due, error) {
	var queued []Due
	var problems []error
	for _, c := range customers {
		if err := c.Validate(); err != nil {
			problems = append(problems, err)
			continue
		}
		for _, due := range Plan([]Customer{c}, at) {
			if d.pauses(due, at) {
				continue
			}
			sent, err := d.queue(ctx, c, due, at)
			if errors.Is(err, ErrNoReport) {
				d.pause(due, at)
			} else if err != nil {
				problems = append(problems, fmt.Errorf("dispatch: customer %q: %s of %s: %w", c.ID, due.Kind, due.Period.Label, err))
			}
			if sent {
				queued = append(queued, due)
			}
			if err := ctx.Err(); err != nil {
				return queued, errors.Join(append(problems, err)...)
			}
		}
	}
	return queued, errors.Join(problems...)
}

// pauses reports whether it is too early to ask again for a report.
func (d *Dispatcher) pauses(due Due, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(d.empty[key.Join(due.Customer, due.Key())].until)
}

// pause notes that there was nothing to report on. What nobody asks for any more, as its
// period is no longer due, is forgotten.
func (d *Dispatcher) pause(due Due, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.empty, func(_ string, p pause) bool { return now.Sub(p.until) > longestPause })
	name := key.Join(due.Customer, due.Key())
	length := min(max(2*d.empty[name].length, firstPause), longestPause)
	d.empty[name] = pause{now.Add(length), length}
}

// Correct puts a correction into the outbox, see [Customer.Correction], and reports
// whether it was not there yet: asking again for the same number sends nothing. The error
// is ErrNotSent if the revision before was not sent.
func (d *Dispatcher) Correct(ctx context.Context, c Customer, due Due, at time.Time) (bool, error) {
	if err := c.Validate(); err != nil {
		return false, err
	}
	before := due
	before.Revision--
	sent, err := d.sent(ctx, before)
	if err != nil {
		return false, err
	}
	if due.Revision < 1 || !sent {
		return false, fmt.Errorf("dispatch: customer %q: %s of %s, correction %d: %w", c.ID, due.Kind, due.Period.Label, due.Revision, ErrNotSent)
	}
	return d.queue(ctx, c, due, at)
}

// sent reports whether a report was put into the outbox.
func (d *Dispatcher) sent(ctx context.Context, due Due) (bool, error) {
	e, _, err := d.config.Ledger.Look(ctx, due.Customer, ledgerKey(due))
	return e.Settled(), err
}

func ledgerKey(due Due) string { return "report/" + due.Key() }

// queue draws up a report and puts its messages into the outbox. Messages first, the
// note afterwards: a crash between the two leaves messages whose keys are known.
func (d *Dispatcher) queue(ctx context.Context, c Customer, due Due, now time.Time) (bool, error) {
	if sent, err := d.sent(ctx, due); sent || err != nil {
		return false, err
	}
	doc, err := d.config.Make(ctx, due)
	if err != nil {
		return false, err
	}
	message, err := d.message(doc, due)
	if err != nil {
		return false, err
	}
	tasks, err := tasksFor(c, due, message, now)
	if err != nil {
		return false, err
	}
	if _, _, err := d.config.Ledger.Intend(ctx, due.Customer, ledgerKey(due), now); err != nil {
		return false, err
	}
	if err := d.config.Outbox.Schedule(ctx, tasks...); err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(message.Text))
	return true, d.config.Ledger.Settle(ctx, due.Customer, ledgerKey(due), adapters.Ref{Provider: "report", Type: string(due.Kind), ID: hex.EncodeToString(sum[:])})
}

// message is the report as all of its recipients get it.
func (d *Dispatcher) message(doc report.Document, due Due) (notify.Message, error) {
	doc = doc.Corrected(due.Revision)
	var text, pdf, csv bytes.Buffer
	if err := errors.Join(doc.Text(&text), doc.PDF(&pdf, d.config.PDF), doc.CSV(&csv, report.CSVOptions{})); err != nil {
		return notify.Message{}, err
	}
	name := string(due.Kind) + "-" + due.Period.Label
	if due.Revision > 0 {
		name += "-" + strconv.Itoa(due.Revision)
	}
	return notify.Message{
		Tenant: due.Customer, Thread: key.Join(due.Customer, string(due.Kind), due.Period.Label), Subject: doc.Title, Text: text.String(),
		Attachments: []notify.Attachment{{Name: name + ".pdf", Type: "application/pdf", Data: pdf.Bytes()}, {Name: name + ".csv", Type: "text/csv", Data: csv.Bytes()}},
	}, nil
}

// tasksFor has a task for each recipient, by role in the order of the reference.
func tasksFor(c Customer, due Due, m notify.Message, now time.Time) ([]escalation.Task, error) {
	var tasks []escalation.Task
	m.At = now.UTC()
	for _, role := range sla.ReportRecipients {
		for _, to := range c.To[role] {
			name := key.Join(string(due.Kind), due.Period.Label, strconv.Itoa(due.Revision), role, string(to.Channel), to.Address)
			m.Key, m.To = key.Join(due.Customer)+"/"+name, []notify.Target{to}
			payload, err := json.Marshal(m)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, escalation.Task{Tenant: due.Customer, Key: name, Kind: TaskKind, Due: now, Payload: payload})
		}
	}
	return tasks, nil
}

// Handle returns the function that sends the tasks of a dispatcher, for the Handle of a
// runner. What a channel refuses for good, and a task of another kind, is an error that
// wraps [runner.ErrPermanent]; what may come right is tried again.
func Handle(sender notify.Sender) func(ctx context.Context, l escalation.Lease) error {
	return func(ctx context.Context, l escalation.Lease) error {
		if l.Kind != TaskKind {
			return fmt.Errorf("%w: dispatch: task %q is of kind %q, want %q", runner.ErrPermanent, l.Key, l.Kind, TaskKind)
		}
		var m notify.Message
		if err := json.Unmarshal(l.Payload, &m); err != nil {
			return fmt.Errorf("%w: dispatch: task %q: %w", runner.ErrPermanent, l.Key, err)
		}
		for _, r := range sender.Send(ctx, m) { // one: each task has one target
			switch {
			case r.Err == nil:
			case r.State == notify.Temporary:
				return r.Err
			default:
				return fmt.Errorf("%w: %w", runner.ErrPermanent, r.Err)
			}
		}
		return nil
	}
}
