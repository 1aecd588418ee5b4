package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/database"
	"github.com/evenkeelops/evenkeel/examples/internal/patience"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/ticketing"
	"github.com/evenkeelops/evenkeel/incident"
)

// server is the bridge as a service. A webhook is durable in the log before it is
// answered; a node correlates, and of what people should hear of it makes incidents
// and requests in an outbox, each once; a runner sends them.
type server struct {
	*inputs
	*storage
	dry     bool
	sinks   map[string]sink
	slog    *slog.Logger
	lines   *json.Encoder // the log of requests; guarded by mu
	mu      sync.Mutex
	senders []*runner.Runner // one for each sink, and one for pages
	pager   *pager           // nil without a team
	told    metrics.Histogram
	node    *stream.Node
}

// serve listens until ctx is over, and then ends in order: no new webhooks, what was
// taken is kept, requests under way are finished.
func (in *inputs) serve(ctx context.Context, o *options, log *slog.Logger, out io.Writer) error {
	files, err := openStorage(ctx, in.bridge)
	if err != nil {
		return program.Exit(program.Usage, fmt.Errorf("storage: %w", err))
	}
	defer files.Close()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // a bridge holds little and makes much that is soon garbage
	}
	s := &server{inputs: in, storage: files, dry: o.dry, slog: log, lines: json.NewEncoder(out)}
	s.lines.SetEscapeHTML(false)
	if s.sinks, err = newSinks(in.bridge, s.store.Ledger()); err != nil {
		return program.Exit(program.Usage, err)
	}
	s.node, err = stream.New(stream.Config{
		Store: s.log, Name: "bridge", Rules: in.rules, Notify: s.hear, Batch: 2000, Trim: true,
		TTL: 3 * time.Second, // how long alerts wait after a process died
		Log: log,
	})
	if err != nil {
		return err
	}
	if err := s.makeSenders(); err != nil {
		return err
	}
	timers := func(context.Context) error { return nil }
	if in.team != nil {
		if s.pager, err = newPager(s.store, *in.team, in.bridge.Contacts); err != nil {
			return err
		}
		r, err := runner.New(runner.Config{Timers: s.store.Timers(), Batch: s.pager.fire, Log: log})
		if err != nil {
			return err
		}
		timers = r.Run
	}
	hooks, err := s.hooks()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	ops := mux
	if in.bridge.Metrics != "" {
		ops = http.NewServeMux()
	}
	mux.Handle("POST /alertmanager", hooks)
	answers, err := s.answers()
	if err != nil {
		return err
	}
	for path, handler := range answers {
		mux.Handle(path, handler)
	}
	ops.HandleFunc("GET /healthz", s.health)
	ops.Handle("GET /metrics", s.figures(hooks))
	var sites []*site
	if a := in.bridge.Alertmanager; a != nil {
		sites = append(sites, &site{path: "sources.alertmanager.listen", address: a.Listen, handler: mux})
	}
	if ops != mux {
		sites = append(sites, &site{path: "metrics", address: in.bridge.Metrics, handler: ops})
	}
	parts := []func(context.Context) error{s.node.Run, timers}
	for _, r := range s.senders {
		parts = append(parts, r.Run)
	}
	if in.bridge.Prometheus != nil {
		parts = append(parts, func(ctx context.Context) error { return s.ask(ctx, s.node) })
	}
	for _, site := range sites {
		if err := site.listen(ctx); err != nil {
			return err
		}
		defer site.listener.Close()
		log.InfoContext(ctx, "listening", "address", site.listener.Addr().String())
		parts = append(parts, site.serve)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			err := part(ctx)
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				err = nil
			}
			failed <- err
			if err != nil {
				stop()
			}
		}()
	}
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var problems []error
	for _, site := range sites {
		problems = append(problems, site.server.Shutdown(patience))
	}
	for range parts {
		problems = append(problems, <-failed)
	}
	return errors.Join(problems...)
}

// makeSenders makes a runner for each sink, so that one which is throttled or slow holds up
// nobody but itself, and one for pages.
func (s *server) makeSenders() error {
	sinks := s.bridge.SinkNames()
	queues := []*sqlstore.Queue{s.store.Outbox().Except(sinks...)}
	for _, name := range sinks {
		queues = append(queues, s.store.Outbox().Only(name))
	}
	for _, q := range queues {
		r, err := runner.New(runner.Config{Timers: q, Handle: s.handle, OnDead: s.dead, Log: s.slog, Attempts: patience.Attempts, Backoff: patience.Backoff})
		if err != nil {
			return err
		}
		s.senders = append(s.senders, r)
	}
	return nil
}

// site is an address with what is served there.
type site struct {
	path, address string // of the configuration
	handler       http.Handler
	listener      net.Listener
	server        *http.Server
}

func (s *site) listen(ctx context.Context) (err error) {
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.address); err != nil {
		return program.Exit(program.Usage, fmt.Errorf("%s: %w", s.path, err))
	}
	s.server = &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	return nil
}

// serve answers until the server is shut down.
func (s *site) serve(context.Context) error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// anybody is the sender where the address is all that keeps others out.
type anybody struct{}

// Verify takes everybody.
func (anybody) Verify(*http.Request, []byte, time.Time) error { return nil }

// Check finds nothing wrong.
func (anybody) Check() error { return nil }

// hooks takes the webhooks of an Alertmanager. What was told is forgotten when the
// process ends: what comes again then changes nothing in the engine, unless the alert was
// over. Of several bridges none knows what the others were told, so the engine hears all.
func (s *server) hooks() (*alertmanager.Receiver, error) {
	c := alertmanager.ReceiverConfig{Verifier: anybody{}, Mapping: s.mapping(), Accept: s.accept, Repeats: database.OnServer(s.bridge.Database) || s.bridge.Stream != ""}
	if a := s.bridge.Alertmanager; a != nil && !a.Bearer.IsZero() {
		c.Verifier = ingest.Bearer{a.Bearer}
	}
	return alertmanager.NewReceiver(c)
}

// accept writes the alerts of a webhook into the log. It gives the batch no ID: one that
// fires again with the same start looks as it did before, and must not be taken for known.
func (s *server) accept(ctx context.Context, n alertmanager.Notification) error {
	for _, refused := range n.Refused {
		s.slog.ErrorContext(ctx, "an alert is refused", "fingerprint", refused.Fingerprint, "error", refused)
	}
	ctx, cancel := context.WithTimeout(ctx, takes)
	defer cancel()
	err := stream.Send(ctx, s.log, stream.Batch{At: n.Received, Events: n.Events})
	if err != nil {
		s.slog.WarnContext(ctx, "alerts are not taken, and the sender is asked to send them again", "error", err)
	}
	return err
}

// takes is how long the log may take to keep a webhook. A network that says nothing would
// else keep every sender waiting for as long as that lasts.
const takes = 8 * time.Second

// hear takes what people should hear of, once: incidents and the outbox know the keys
// of what they have, so that a batch which comes again, because the process died before
// the log had it, changes nothing.
func (s *server) hear(ctx context.Context, all []stream.Notification) error {
	heard := map[string][]stream.Notification{} // by tenant
	for _, n := range all {
		heard[n.Alert.Tenant] = append(heard[n.Alert.Tenant], n)
		if s.pager == nil {
			continue
		}
		if err := s.pager.hear(ctx, n, s.follow(n, n.At)[0]); err != nil {
			return err
		}
	}
	return s.store.Do(ctx, func(tx *sqlstore.Tx) error {
		for _, tenant := range slices.Sorted(maps.Keys(heard)) { // in one order, so that nobody waits for each other
			if err := s.open(ctx, tx, tenant, heard[tenant]); err != nil {
				return err
			}
		}
		return nil
	})
}

// open writes what follows from notifications of a tenant: events of incidents, and a
// request for each sink.
func (s *server) open(ctx context.Context, tx *sqlstore.Tx, tenant string, heard []stream.Notification) error {
	incidents, err := sqlstore.NewIncidents(s.store, tenant, incidentPrefix, incident.Options{})
	if err != nil {
		return err
	}
	ids := make([]string, len(heard))
	for i, n := range heard {
		ids[i] = incidentOf(n)
	}
	now := time.Now()
	known := sqlstore.Change{Tenant: links, Snapshots: map[string][]byte{}, At: now}
	err = incidents.ChangeAllIn(ctx, tx, ids, func(i int, inc *incident.Incident, c *sqlstore.Change) error {
		n, state := heard[i], inc.State()
		if n.Kind == correlation.Resolve && state.Status != "" && !state.Status.Active() {
			return nil // people have resolved it before its alert ended, and all were told
		}
		if state.Fingerprint != "" && n.Composite == nil { // its annotations are those of the latest alert that is the same to the engine
			annotations := map[string]string{}
			maps.Copy(annotations, n.Alert.Annotations)
			annotations[fingerprint] = state.Fingerprint
			n.Alert.Annotations = annotations
		}
		requests := s.follow(n, now)
		if e, ok := s.event(n, inc, state, requests[0], now); ok {
			if _, err := inc.Apply(e); err != nil { // it is on record there, and people are told all the same
				s.slog.ErrorContext(ctx, "an incident refuses its alert", "tenant", tenant, "incident", ids[i], "error", err)
			}
		}
		for _, r := range requests {
			if err := s.put(c, n.Key, ids[i], r, n.At); err != nil {
				return err
			}
			if n.Kind == correlation.Resolve || !keepsTickets(r.Sink) {
				continue
			}
			if known.Snapshots[linkName(r.Key)], err = json.Marshal(link{tenant, ids[i], r, r.Ticket}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(known.Snapshots) == 0 {
		return err
	}
	return tx.Write(ctx, known)
}

// put puts a request about an incident into the outbox. Key names what it is asked for,
// once at each sink; since is when the engine heard of it.
func (s *server) put(c *sqlstore.Change, key, about string, r request, since time.Time) error {
	t := r.Ticket
	t.Key, t.Tenant = "", ""
	payload, err := json.Marshal(queued{At: r.At, Action: r.Action, Ref: r.Ref, Ticket: t, Since: since, Incident: about})
	if err == nil {
		c.Outbox = append(c.Outbox, escalation.Task{Tenant: r.Tenant, Key: key + "/" + r.Sink, Kind: r.Sink, Due: r.At, Payload: payload})
	}
	return err
}

// event is what a notification means for its incident, if anything.
//
// An alert whose end the engine has forgotten, an hour after it, may fire again with the
// same start. Then it is the same incident, which is opened again.
func (s *server) event(n stream.Notification, inc *incident.Incident, state incident.State, r request, now time.Time) (e incident.Event, ok bool) {
	e = incident.Event{Key: n.Key, At: n.At, RecordedAt: now, Actor: "bridge"}
	switch {
	case n.Kind == correlation.Notify && state.Status == "":
		e.Kind = incident.Declare
		e.Details = incident.Details{Title: r.Ticket.Title, Fingerprint: r.Ref, Severity: r.Ticket.Severity, Started: n.Alert.Since, DetectedBy: incident.ByMonitor}
	case n.Kind == correlation.Resolve && state.Status.Active():
		e.Kind = incident.Resolve
		e.Details = incident.Details{Text: "the alert is over"}
	case n.Kind == correlation.Notify && (state.Status == incident.Resolved || state.Status == incident.InReview) && !recorded(inc, n.Key):
		e.Kind = incident.Reopen
		e.Details = incident.Details{Text: "the alert fires again"}
	}
	return e, e.Kind != ""
}

// recorded reports whether an event stands in the timeline.
func recorded(inc *incident.Incident, key string) bool {
	return slices.ContainsFunc(inc.Timeline().Entries(), func(e incident.Entry) bool { return e.Key == key })
}

// incidentPrefix begins the rows of incidents in the database.
const incidentPrefix = "incident/"

// incidentOf names the incident of an alert: one for each time that it fires.
func incidentOf(n stream.Notification) string {
	return "alert-" + adapters.Key{Tenant: n.Alert.Tenant, Incident: n.Alert.Key(), Step: n.Alert.Since.UTC().Format(time.RFC3339Nano)}.String()[:16]
}

// queued is a request in the outbox, as a task of the kind that its sink is. It has
// nothing that follows from the rest, for SQLite writes the whole row at each step.
type queued struct {
	At       time.Time       `json:"at"`
	Action   string          `json:"action"`
	Ref      string          `json:"ref"`
	Ticket   adapters.Ticket `json:"ticket"`   // without key and tenant
	Since    time.Time       `json:"since"`    // when the engine heard of it
	Incident string          `json:"incident"` // that it is about; "" for a page
}

// handle sends one request.
func (s *server) handle(ctx context.Context, l escalation.Lease) error {
	r, q, err := s.request(l)
	if err != nil {
		return err
	}
	if !s.dry {
		err = s.send(ctx, r, q.Incident)
	}
	r.Sent = err == nil && !s.dry
	if err != nil {
		text := err.Error()
		r.Error, r.Status = &text, statusOf(err)
	}
	s.mu.Lock()
	if r.Sent {
		s.told.Observe(time.Since(q.Since).Seconds(), r.Sink)
	}
	logged := s.lines.Encode(r)
	s.mu.Unlock()
	if logged != nil {
		s.slog.ErrorContext(ctx, "the log of requests cannot be written", "error", logged)
	}
	switch {
	case errors.Is(err, errSuperseded):
		return nil
	case adapters.KindOf(err) == adapters.NotFound && r.Action != "trigger": // its trigger may be on its way
		return err
	}
	return ticketing.Outcome(err)
}

// errSuperseded is why a request about a ticket is not sent any more.
var errSuperseded = errors.New("superseded: the alert has fired again")

// send sends one request. Requests come in any order, because each is tried again by
// itself, but a ticket has to end as its alert did: one that belongs to a later time at
// which the alert fires is left alone, and one that is opened after its end is resolved.
func (s *server) send(ctx context.Context, r request, about string) error {
	if about == "" || !keepsTickets(r.Sink) {
		return s.sinks[r.Sink].send(ctx, r)
	}
	l, err := s.link(ctx, r.Key)
	switch {
	case errors.Is(err, sqlstore.ErrNotFound): // of an earlier version, which kept none
	case err != nil:
		return err
	case l.Incident != about:
		return errSuperseded
	}
	if err := s.sinks[r.Sink].send(ctx, r); err != nil || r.Action != "trigger" {
		return err
	}
	incidents, err := sqlstore.NewIncidents(s.store, r.Tenant, incidentPrefix, incident.Options{})
	if err != nil {
		return err
	}
	state, err := incidents.State(ctx, about)
	switch {
	case errors.Is(err, sqlstore.ErrNotFound): // it has refused its alert
		return nil
	case err != nil, state.Status == "", state.Status.Active():
		return err
	}
	r.Action = "resolve"
	return s.sinks[r.Sink].send(ctx, r)
}

// request reads what is to be sent.
func (s *server) request(l escalation.Lease) (request, queued, error) {
	switch {
	case l.Kind == escalation.Page.String() || l.Kind == escalation.Notice.String():
		r, err := s.page(l)
		return r, queued{Since: r.At}, err
	case s.sinks[l.Kind] == nil:
		return request{}, queued{}, fmt.Errorf("%w: %q is no sink of the configuration any more", runner.ErrPermanent, l.Kind)
	}
	var q queued
	if err := json.Unmarshal(l.Payload, &q); err != nil {
		return request{}, queued{}, fmt.Errorf("%w: %w", runner.ErrPermanent, err)
	}
	r := request{
		At: q.At, Sink: l.Kind, Tenant: l.Tenant, Action: q.Action, Severity: strings.ToLower(q.Ticket.Severity.String()),
		Ref: q.Ref, Key: ticketKey(l.Tenant, q.Ref, l.Kind), Ticket: q.Ticket,
	}
	r.Ticket.Key, r.Ticket.Tenant = r.Key, r.Tenant
	return r, q, nil
}

func (s *server) dead(l escalation.Lease, reason string) {
	s.slog.Error("a request was given up", "tenant", l.Tenant, "key", l.Key, "reason", reason)
}

// sent are the figures of all senders together, and the worst of them.
func (s *server) sent() (all runner.Stats) {
	for _, r := range s.senders {
		x := r.Stats()
		all.Completed, all.Retried, all.Dead = all.Completed+x.Completed, all.Retried+x.Retried, all.Dead+x.Dead
		all.Silent, all.Overdue = max(all.Silent, x.Silent), max(all.Overdue, x.Overdue)
	}
	return all
}

// health says whether the bridge does what it is for: 503 when a sender has not
// looked for work for a minute, or alerts of some tenants wait for so long.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if silent := s.sent().Silent; silent > time.Minute {
		http.Error(w, fmt.Sprintf("no look at the outbox for %v", silent), http.StatusServiceUnavailable)
		return
	}
	if stuck := s.node.Stats().Stuck; stuck > time.Minute {
		http.Error(w, fmt.Sprintf("alerts wait for %v: the log on stderr says why", stuck), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
