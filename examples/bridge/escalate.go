package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
)

// pager has people paged about incidents until somebody takes them: who is on call
// first, and at the times of the matrix who comes next.
type pager struct {
	store  *sqlstore.Store
	config escalation.Config
	team   config.Organisation
	emails map[string]string // by person

	mu         sync.Mutex
	escalators map[string]*sqlstore.Escalator // by tenant
}

func newPager(store *sqlstore.Store, team config.Organisation, emails map[string]string) (*pager, error) {
	router, err := team.Router()
	if err != nil {
		return nil, err
	}
	return &pager{
		store: store, team: team, emails: emails, escalators: map[string]*sqlstore.Escalator{},
		config: escalation.Config{Router: router, Matrix: team.Matrix, Policies: team.Policies, DefaultSeverity: team.DefaultSeverity},
	}, nil
}

// of returns the escalator of a tenant.
func (p *pager) of(tenant string) (*sqlstore.Escalator, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.escalators[tenant]; e != nil {
		return e, nil
	}
	c := p.config
	c.Tenant = tenant
	e, err := sqlstore.NewEscalator(p.store, c, "escalation/")
	if err == nil {
		p.escalators[tenant] = e
	}
	return e, err
}

// hear begins or ends the escalation of an incident. What it hears again changes
// nothing.
func (p *pager) hear(ctx context.Context, n stream.Notification, r request) error {
	layer, _, _ := strings.Cut(n.Alert.Name, ".")
	event := escalation.Event{
		Kind: escalation.Opened, At: n.At, Incident: incidentOf(n), Severity: r.Ticket.Severity,
		Domain: cmp.Or(n.Alert.LabelSet()["domain"], layer), Service: n.Alert.LabelSet()["service"],
	}
	if n.Kind == correlation.Resolve {
		event = escalation.Event{Kind: escalation.Resolved, At: n.At, Incident: event.Incident}
	}
	return p.apply(ctx, n.Alert.Tenant, event)
}

func (p *pager) apply(ctx context.Context, tenant string, event escalation.Event) error {
	e, err := p.of(tenant)
	if err != nil {
		return err
	}
	_, err = e.Apply(ctx, event)
	if event.Kind == escalation.Opened && errors.Is(err, escalation.ErrNotPossible) { // it was over
		_, err = e.Apply(ctx, escalation.Event{Kind: escalation.Reopened, At: event.At, Incident: event.Incident})
	}
	if _, heard := errors.AsType[*escalation.EventError](err); heard {
		return nil // it has been opened, or was never: nothing is to be done
	}
	return err
}

// fire handles timers that are due.
func (p *pager) fire(ctx context.Context, leases []escalation.Lease) []error {
	return p.store.Fire(ctx, leases, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
		e, err := p.of(l.Tenant)
		if err != nil {
			return err
		}
		return e.Fire(ctx, tx, l)
	})
}

// page makes a request of a page: a mail to the person, and a note to a room if
// there is no address.
func (s *server) page(l escalation.Lease) (request, error) {
	var a escalation.Action
	if err := json.Unmarshal(l.Payload, &a); err != nil {
		return request{}, fmt.Errorf("%w: %w", runner.ErrPermanent, err)
	}
	name := a.Target
	if person, ok := s.pager.config.Router.Engineer(a.Target); ok {
		name = person.Name
	}
	r := request{At: a.At.UTC(), Tenant: l.Tenant, Action: "note", Ref: a.Incident, Key: a.Key, Person: a.Target}
	r.Ticket.Title = fmt.Sprintf("%s is asked to take %s", name, a.Incident)
	if a.Kind == escalation.Notice {
		r.Ticket.Title = fmt.Sprintf("%s is told of %s", name, a.Incident)
	}
	r.Ticket.Text = strings.Join(a.Why, "\n")
	for _, sink := range []string{"smtp", "slack", "webhook"} {
		if s.sinks[sink] != nil && (sink != "smtp" || s.pager.emails[a.Target] != "") {
			r.Sink = sink
			return r, nil
		}
	}
	return r, fmt.Errorf("%w: nobody can be told: want smtp with an address of %s in contacts, slack or webhook", runner.ErrPermanent, a.Target)
}
