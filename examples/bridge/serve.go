package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
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
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
)

// server is the bridge as a service. A webhook is durable in the log before it is
// answered; a node correlates and puts what people should hear of into an outbox,
// each once; the teller makes incidents and requests of it; a runner sends them.
type server struct {
	*inputs
	*storage
	dry    bool
	sinks  map[string]sink
	slog   *slog.Logger
	lines  *json.Encoder // the log of requests; guarded by mu
	mu     sync.Mutex
	runner *runner.Runner
	pager  *pager // nil without a team
	told   metrics.Histogram
}

// serve listens until ctx is over, and then ends in order: no new webhooks, what was
// taken is kept, requests under way are finished.
func (in *inputs) serve(ctx context.Context, o *options, log *slog.Logger, out io.Writer) error {
	files, err := openStorage(ctx, in.bridge)
	if err != nil {
		return program.Exit(program.Usage, fmt.Errorf("storage: %w", err))
	}
	defer files.Close()
	s := &server{inputs: in, storage: files, dry: o.dry, slog: log, lines: json.NewEncoder(out)}
	s.lines.SetEscapeHTML(false)
	if s.sinks, err = newSinks(in.bridge, s.store.Ledger()); err != nil {
		return program.Exit(program.Usage, err)
	}
	node, err := stream.New(stream.Config{
		Store: s.log, Name: "bridge", Rules: in.rules, Notify: s.heard.Put, Batch: 100, Trim: true,
		TTL:    3 * time.Second, // how long alerts wait after a process died
		Logger: log,
	})
	if err != nil {
		return err
	}
	s.runner, err = runner.New(runner.Config{Timers: s.store.Outbox(), Handle: s.handle, OnDead: s.dead, Log: log, Attempts: 20})
	if err != nil {
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
	ops.HandleFunc("GET /healthz", s.health)
	ops.Handle("GET /metrics", s.figures(hooks))
	sites := []*site{{path: "sources.alertmanager.listen", address: in.bridge.Alertmanager.Listen, handler: mux}}
	if ops != mux {
		sites = append(sites, &site{path: "metrics", address: in.bridge.Metrics, handler: ops})
	}
	parts := []func(context.Context) error{node.Run, s.runner.Run, timers, s.tell, s.forget}
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

// receiver is under what name the deliveries are remembered.
const receiver = "alertmanager"

// forget drops the deliveries that nobody repeats any more, once an hour.
func (s *server) forget(ctx context.Context) error {
	const week = 7 * 24 * time.Hour
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if _, err := s.store.Seen(receiver).Prune(ctx, week); err != nil && ctx.Err() == nil {
			s.slog.WarnContext(ctx, "old deliveries are kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-hourly.C:
		}
	}
}

// hooks takes the webhooks of an Alertmanager.
func (s *server) hooks() (*alertmanager.Receiver, error) {
	c := alertmanager.ReceiverConfig{Verifier: anybody{}, Mapping: s.mapping(), Accept: s.accept, Seen: s.store.Seen(receiver)}
	if bearer := s.bridge.Alertmanager.Bearer; !bearer.IsZero() {
		c.Verifier = ingest.Bearer{bearer}
	}
	return alertmanager.NewReceiver(c)
}

// accept writes the alerts of a webhook into the log.
func (s *server) accept(ctx context.Context, n alertmanager.Notification) error {
	for _, refused := range n.Refused {
		s.slog.ErrorContext(ctx, "an alert is refused", "fingerprint", refused.Fingerprint, "error", refused)
	}
	id := ""
	if len(n.Keys) > 0 {
		id = adapters.Key{Step: strings.Join(n.Keys, "\n")}.String()
	}
	return stream.Send(ctx, s.log, stream.Batch{ID: id, At: n.Received, Events: n.Events})
}

// tell reads what people should hear of and makes incidents and requests of it, in
// one transaction with how far it came.
func (s *server) tell(ctx context.Context) error {
	const owner, name = "bridge", "told"
	place := int64(0)
	switch data, _, err := s.store.Snapshot(ctx, owner, name); {
	case err == nil:
		if place, err = strconv.ParseInt(string(data), 10, 64); err != nil {
			return fmt.Errorf("how far was told: %w", err)
		}
	case !errors.Is(err, sqlstore.ErrNotFound):
		return err
	}
	for {
		entries, err := s.heard.Read(ctx, place)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if s.pager == nil || e.Err != nil {
				continue
			}
			if err := s.pager.hear(ctx, e.Notification, s.follow(e.Notification, e.At)[0]); err != nil {
				return err
			}
		}
		last := entries[len(entries)-1].Place
		err = s.store.Do(ctx, func(tx *sqlstore.Tx) error {
			for _, e := range entries {
				if e.Err != nil {
					s.slog.ErrorContext(ctx, "a notification cannot be read", "place", e.Place, "error", e.Err)
				} else if err := s.open(ctx, tx, e.Notification); err != nil {
					return err
				}
			}
			return tx.Write(ctx, sqlstore.Change{
				Tenant: owner, Snapshots: map[string][]byte{name: strconv.AppendInt(nil, last, 10)}, At: time.Now(),
			})
		})
		if err != nil {
			return err
		}
		place = last
		s.runner.Wake()
	}
}

// open writes what follows from one notification: an event of an incident, and a
// request for each sink.
func (s *server) open(ctx context.Context, tx *sqlstore.Tx, n stream.Notification) error {
	now := time.Now()
	requests := s.follow(n, now)
	incidents, err := sqlstore.NewIncidents(s.store, n.Alert.Tenant, "incident/", incident.Options{})
	if err != nil {
		return err
	}
	_, err = incidents.ChangeIn(ctx, tx, incidentOf(n), func(inc *incident.Incident, c *sqlstore.Change) error {
		e := incident.Event{Key: n.Key, At: n.At, RecordedAt: now, Actor: "bridge"}
		switch state := inc.State(); {
		case n.Kind == correlation.Notify && state.Status == "":
			e.Kind = incident.Declare
			e.Details = incident.Details{Title: requests[0].Ticket.Title, Severity: requests[0].Ticket.Severity, Started: n.Alert.Since, DetectedBy: incident.ByMonitor}
		case n.Kind == correlation.Resolve && state.Status.Active():
			e.Kind = incident.Resolve
			e.Details = incident.Details{Text: "the alert is over"}
		}
		if e.Kind != "" {
			if _, err := inc.Apply(e); err != nil {
				return err
			}
		}
		for _, r := range requests {
			payload, err := json.Marshal(queued{r, r.Ticket, n.At})
			if err != nil {
				return err
			}
			c.Outbox = append(c.Outbox, escalation.Task{Tenant: r.Tenant, Key: n.Key + "/" + r.Sink, Kind: "request", Due: now, Payload: payload})
		}
		return nil
	})
	return err
}

// incidentOf names the incident of an alert: one for each time that it fires.
func incidentOf(n stream.Notification) string {
	return "alert-" + adapters.Key{Tenant: n.Alert.Tenant, Incident: n.Alert.Key(), Step: n.Alert.Since.UTC().Format(time.RFC3339Nano)}.String()[:16]
}

// queued is a request in the outbox.
type queued struct {
	Request request         `json:"request"`
	Ticket  adapters.Ticket `json:"ticket"`
	Since   time.Time       `json:"since"` // when the engine heard of it
}

// handle sends one request.
func (s *server) handle(ctx context.Context, l escalation.Lease) error {
	r, since, err := s.request(l)
	if err != nil {
		return err
	}
	if !s.dry {
		err = s.sinks[r.Sink].send(ctx, r)
	}
	r.Sent = err == nil && !s.dry
	if err != nil {
		text := err.Error()
		r.Error, r.Status = &text, statusOf(err)
	}
	s.mu.Lock()
	if r.Sent {
		s.told.Observe(time.Since(since).Seconds(), r.Sink)
	}
	logged := s.lines.Encode(r)
	s.mu.Unlock()
	if logged != nil {
		s.slog.ErrorContext(ctx, "the log of requests cannot be written", "error", logged)
	}
	switch kind := adapters.KindOf(err); {
	case err == nil:
		return nil
	case kind == 0, kind.Retryable(), kind == adapters.OutcomeUnknown, kind == adapters.Deadline, kind == adapters.Canceled,
		kind == adapters.NotFound && r.Action == "resolve": // its trigger may be on its way
		return err
	default:
		return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
	}
}

// request reads what is to be sent, and when the engine heard of it.
func (s *server) request(l escalation.Lease) (request, time.Time, error) {
	if l.Kind != "request" {
		r, err := s.page(l)
		return r, r.At, err
	}
	var q queued
	if err := json.Unmarshal(l.Payload, &q); err != nil {
		return request{}, time.Time{}, fmt.Errorf("%w: %w", runner.ErrPermanent, err)
	}
	q.Request.Ticket = q.Ticket
	return q.Request, q.Since, nil
}

func (s *server) dead(l escalation.Lease, reason string) {
	s.slog.Error("a request was given up", "tenant", l.Tenant, "key", l.Key, "reason", reason)
}

// health says whether the bridge does what it is for: 503 when the runner has not
// looked for work for a minute.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if silent := s.runner.Stats().Silent; silent > time.Minute {
		http.Error(w, fmt.Sprintf("no look at the outbox for %v", silent), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
