package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/patience"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
)

// post sends reports by mail, each once per period, from the outbox of a store.
type post struct {
	in         func() *inputs // by the file of the portal as it is now
	log        *slog.Logger
	db         *sql.DB
	dispatcher *dispatch.Dispatcher
	runner     *runner.Runner
}

// often is how often the post looks for what is due, at the least.
const often = time.Minute

func (in *inputs) openPost(ctx context.Context, log *slog.Logger) (*post, error) {
	if in.portal.Mail == nil {
		return nil, errors.New("the file of the portal has no mail, want the server that reports are sent by")
	}
	mailer, err := in.mailer(*in.portal.Mail)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	db, store, err := openStore(ctx, in.reports)
	if err != nil {
		return nil, err
	}
	p := &post{in: func() *inputs { return in }, log: log, db: db}
	if err := p.open(store, mailer); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

func (p *post) open(store *sqlstore.Store, mailer notify.Sender) (err error) {
	if p.dispatcher, err = dispatch.New(dispatch.Config{Outbox: store.Outbox(), Ledger: store.Ledger(), Make: func(ctx context.Context, due dispatch.Due) (report.Document, error) { return p.in().draw(ctx, due) }}); err != nil {
		return err
	}
	p.runner, err = runner.New(runner.Config{
		Timers: store.Outbox(), Handle: dispatch.Handle(notify.Senders{comms.Email: mailer}), Workers: 2, Attempts: patience.Attempts, Backoff: patience.Backoff, Lease: 15 * time.Second, Log: p.log,
		OnDead: func(l escalation.Lease, reason string) {
			p.log.Error("a report was not delivered", "tenant", l.Tenant, "key", l.Key, "reason", reason)
		},
	})
	return err
}

func (p *post) close() { p.db.Close() }

// mailer is the server of the file.
func (in *inputs) mailer(m config.Mail) (*notify.Email, error) {
	password, err := m.Password.Find(config.Secrets{Env: os.LookupEnv, File: func(name string) ([]byte, error) { return os.ReadFile(in.beside(name)) }})
	if err != nil {
		return nil, err
	}
	return notify.NewEmail(notify.EmailConfig{Host: m.Host, Port: m.Port, From: m.From, Username: m.User, Password: password, Security: notify.Security(m.Security)})
}

// run sends until the context is over. What cannot be drawn up or delivered is in the
// log, and tried again.
func (p *post) run(ctx context.Context) error {
	sent := make(chan error, 1)
	go func() { sent <- p.runner.Run(ctx) }()
	p.correct(ctx)
	for {
		customers := p.in().recipients(p.log)
		queued, err := p.dispatcher.Run(ctx, customers, p.in().now())
		for _, due := range queued {
			p.log.Info("report is sent", "tenant", due.Customer, "kind", string(due.Kind), "period", due.Period.Label, "late", due.Late(p.in().now()))
		}
		if err != nil && ctx.Err() == nil {
			p.log.Error("reports that were not sent", "error", err)
		}
		wait := often
		if next, ok := dispatch.Next(customers, p.in().now()); ok {
			wait = min(wait, max(next.Sub(p.in().now()), time.Second))
		}
		select {
		case <-ctx.Done():
			return <-sent
		case err := <-sent:
			return err
		case <-time.After(wait):
		}
	}
}

// recipients lists the customers who get reports. One whose contract cannot be read gets
// none until it can.
func (in *inputs) recipients(log *slog.Logger) []dispatch.Customer {
	var list []dispatch.Customer
	for _, t := range in.portal.Tenants {
		if t.Reports == nil {
			continue
		}
		r := in.reading(t)
		if err := r.agree(); err != nil {
			log.Error("no reports are sent", "tenant", t.ID, "error", err)
			continue
		}
		c := dispatch.Customer{ID: t.ID, Zone: r.contract.Location(), CutOff: t.Reports.CutOff, Since: t.Reports.Since, Kinds: dispatch.KindsOf(r.contract.Tier), To: map[string][]notify.Target{}}
		if t.Reports.Kinds != nil {
			c.Kinds = nil
			for _, k := range t.Reports.Kinds {
				c.Kinds = append(c.Kinds, dispatch.Kind(k))
			}
		}
		c.Kinds = slices.DeleteFunc(c.Kinds, func(k dispatch.Kind) bool { return !t.Sends(string(k)) })
		for role, addresses := range t.Reports.To {
			for _, a := range addresses {
				c.To[role] = append(c.To[role], notify.Target{Recipient: a, Channel: comms.Email, Address: a})
			}
		}
		list = append(list, c)
	}
	return list
}

// correct sends the correction of -correct, once for its number.
func (p *post) correct(ctx context.Context) {
	if p.in().correct == "" {
		return
	}
	part := strings.Split(p.in().correct, "/")
	revision, _ := strconv.Atoi(part[3]) // validate has looked
	for _, c := range p.in().recipients(p.log) {
		if c.ID != part[0] {
			continue
		}
		due, err := c.Correction(dispatch.Kind(part[1]), part[2], revision, p.in().now())
		if err == nil {
			var sent bool
			if sent, err = p.dispatcher.Correct(ctx, c, due, p.in().now()); err == nil {
				p.log.Info("correction", "of", p.in().correct, "sent", sent)
				return
			}
		}
		p.log.Error("the correction was not sent", "of", p.in().correct, "error", err)
		return
	}
	p.log.Error("the correction was not sent", "of", p.in().correct, "error", "no customer of that name gets reports")
}

// compared is how many periods before are shown beside that of a review.
var compared = map[dispatch.Kind]int{dispatch.WeeklyReview: 3, dispatch.MonthlyReview: 2, dispatch.ExecutiveReport: 2}

// draw draws up a report from the files of the customer, as they are now.
func (in *inputs) draw(_ context.Context, due dispatch.Due) (report.Document, error) {
	for _, t := range in.portal.Tenants {
		if t.ID == due.Customer {
			return in.reading(t).draw(due)
		}
	}
	return report.Document{}, fmt.Errorf("no customer %q", due.Customer)
}

func (r *reading) draw(due dispatch.Due) (report.Document, error) {
	if err := r.agree(); err != nil {
		return report.Document{}, err
	}
	return r.drawn(due)
}

// drawn draws up a report by a contract that was read.
func (r *reading) drawn(due dispatch.Due) (report.Document, error) {
	zone := r.contract.Location()
	// Reviews of a quarter have its months, the others their period and those before.
	periods := []sla.Period{due.Period}
	if due.Kind == dispatch.QuarterlyReview {
		periods = nil
		for at := due.Period.Start; at.Before(due.Period.End); at = periods[len(periods)-1].End {
			periods = append(periods, sla.Billing{}.At(at, zone))
		}
	}
	for range compared[due.Kind] {
		periods = append([]sla.Period{due.Kind.PeriodAt(periods[0].Start.Add(-1), zone)}, periods...)
	}
	if err := r.gather(periods[0], periods[len(periods)-1]); err != nil {
		return report.Document{}, err
	}
	last := -1 // of the periods on which there is something to report
	var reports []report.ServiceReport
	for i, p := range periods {
		if !p.End.After(r.evidence.Evidence.Observed.Start) && i < len(periods)-1 {
			continue // before anything was measured
		}
		made, err := r.contract.Report(p, r.evidence.Evidence, sla.ReportOptions{At: r.now, Trend: trend})
		switch {
		case errors.Is(err, sla.ErrNotInForce):
			continue
		case err != nil:
			return report.Document{}, err
		}
		last = i
		d := r.contract.Document(made, r.own.Sources, nil)
		d.Locale = cmp.Or(r.tenant.Locale, d.Locale)
		reports = append(reports, d)
	}
	// Of a quarter one of its months is enough: a contract that ends within it is reviewed too.
	if last < compared[due.Kind] {
		return report.Document{}, fmt.Errorf("%w: the contract was not in force in %s", dispatch.ErrNoReport, due.Period.Label)
	}
	review, ok := due.Kind.Review()
	if !ok {
		return reports[len(reports)-1].Document(), nil
	}
	ahead, err := r.outlook()
	if err != nil {
		return report.Document{}, err
	}
	return report.ReviewPack{Review: review, Reports: reports, Outlook: ahead}.Document()
}

// outlook reads what is known of the months ahead; nil without a file.
func (r *reading) outlook() (*report.Outlook, error) {
	if r.tenant.Outlook == "" {
		return nil, nil //nolint:nilnil // nothing known is no error
	}
	read, err := file(r, r.tenant.Outlook, config.ParseOutlook)
	if err != nil {
		return nil, err
	}
	o := &report.Outlook{At: read.At}
	for _, c := range read.Components {
		o.Components = append(o.Components, report.Component(c))
	}
	for _, c := range read.Capacities {
		o.Capacities = append(o.Capacities, report.Capacity(c))
	}
	return o, nil
}

// correction is what -correct takes.
func correction(text string) error {
	part := strings.Split(text, "/")
	if len(part) == 4 {
		if n, err := strconv.Atoi(part[3]); err == nil && n > 0 && dispatch.Kind(part[1]).Known() {
			return nil
		}
	}
	return fmt.Errorf("-correct %q: want customer, kind, period and number, like acme/monthly_report/2026-10/1", text)
}
