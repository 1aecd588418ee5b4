package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// asker asks a Prometheus: every series that a query returns is an alert that fires, and
// one that it returns no more is over. What fires is kept, so that it ends though the
// process has died meanwhile.
//
// Of several bridges one asks: two that see a series begin and end at different instants
// would end each other's alerts. It is the one that owns the partition of links, which
// goes to another when it dies.
type asker struct {
	*server
	client *prometheus.Client
	owner  func() bool                  // whether it is this bridge that asks
	alerts map[string]map[string]*asked // by query and fingerprint; nil if it is not, or was not
}

// asked is an alert of a query.
type asked struct {
	alertmanager.Alert
	unsent bool // not in the log as it is
}

// askedName is under what name alerts are kept.
const askedName = "asked"

// maxEvents is how many events are a batch of the log at most. NATS takes messages of 1 MB,
// 2 KB for each of so many; a query may return any number of series.
// https://docs.nats.io/running-a-nats-service/configuration#limits
const maxEvents = 500

// ask asks at an interval until ctx is over, while the node owns the partition of links.
func (s *server) ask(ctx context.Context, node *stream.Node) error {
	source := s.bridge.Prometheus
	client, err := prometheus.New(prometheus.Config{BaseURL: source.URL, Token: source.Bearer, Timeout: source.Every})
	if err != nil {
		return fmt.Errorf("sources.prometheus: %w", err)
	}
	a := &asker{server: s, client: client, owner: func() bool { return slices.Contains(node.Owned(), stream.Partition(links)) }}
	every := time.NewTicker(source.Every)
	defer every.Stop()
	look := time.NewTicker(min(source.Every, time.Second)) // for whose turn it is
	defer look.Stop()
	for {
		next := every.C
		if err := a.turn(ctx); err != nil && ctx.Err() == nil {
			s.slog.WarnContext(ctx, "alerts of queries wait", "error", err)
		}
		if a.alerts == nil {
			next = look.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-next:
		}
	}
}

// turn asks if it is this bridge that asks, beginning with what the one before it kept.
func (a *asker) turn(ctx context.Context) error {
	if !a.owner() {
		a.alerts = nil
		return nil
	}
	if a.alerts == nil {
		if err := a.load(ctx); err != nil {
			return err
		}
	}
	return a.round(ctx)
}

// load reads what fired when the bridge that asked before ended. All of it is sent
// again, for its end may not have been.
func (a *asker) load(ctx context.Context) error {
	loaded := map[string]map[string]*asked{}
	data, _, err := a.store.Snapshot(ctx, links, askedName)
	switch {
	case errors.Is(err, sqlstore.ErrNotFound):
		a.alerts = loaded
		return nil
	case err != nil:
		return err
	}
	if err := json.Unmarshal(data, &loaded); err != nil {
		return fmt.Errorf("alerts of queries: %w", err)
	}
	a.alerts = loaded
	for name, alerts := range a.alerts {
		asked := slices.ContainsFunc(a.bridge.Prometheus.Queries, func(q config.BridgeQuery) bool { return q.Name == name })
		for _, alert := range alerts {
			if alert.unsent = true; !asked && !alert.Resolved() { // nobody asks any more
				alert.Status, alert.EndsAt = "resolved", time.Now()
			}
		}
	}
	return nil
}

// round asks every query. Alerts are kept before they are sent, so that none fires of
// which nobody knows that it has to end.
func (a *asker) round(ctx context.Context) error {
	for _, q := range a.bridge.Prometheus.Queries {
		now := time.Now()
		found, complete, err := a.query(ctx, q, now)
		if err != nil { // which says nothing about what fires
			a.slog.WarnContext(ctx, "a query has no answer", "query", q.Name, "error", err)
			continue
		}
		a.take(q.Name, found, complete, now)
	}
	var events []correlation.Event
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(a.alerts)) {
		for _, fingerprint := range slices.Sorted(maps.Keys(a.alerts[name])) {
			alert := a.alerts[name][fingerprint]
			if !alert.unsent {
				continue
			}
			e, err := a.mapping().Event(alert.Alert, now)
			if err != nil {
				a.slog.ErrorContext(ctx, "an alert is refused", "query", name, "fingerprint", fingerprint, "error", err)
				continue
			}
			events = append(events, e)
		}
	}
	if len(events) > 0 {
		if !a.owner() { // answers took so long that another asks now, and keeps what it hears
			a.alerts = nil
			return nil
		}
		if err := a.keep(ctx, now); err != nil {
			return err
		}
		for part := range slices.Chunk(events, maxEvents) {
			if err := stream.Send(ctx, a.log, stream.Batch{At: now, Events: part}); err != nil {
				return err
			}
		}
	}
	for _, alerts := range a.alerts {
		maps.DeleteFunc(alerts, func(_ string, alert *asked) bool {
			alert.unsent = false
			return alert.Resolved()
		})
	}
	return nil
}

func (a *asker) keep(ctx context.Context, now time.Time) error {
	data, err := json.Marshal(a.alerts)
	if err != nil {
		return err
	}
	return a.store.Commit(ctx, sqlstore.Change{Tenant: links, Snapshots: map[string][]byte{askedName: data}, At: now})
}

// take compares what a query returned with what fires.
func (a *asker) take(name string, found map[string]alertmanager.Alert, complete bool, now time.Time) {
	alerts := a.alerts[name]
	if alerts == nil {
		alerts = map[string]*asked{}
		a.alerts[name] = alerts
	}
	for fingerprint, alert := range found {
		if known := alerts[fingerprint]; known == nil || known.Resolved() {
			alerts[fingerprint] = &asked{Alert: alert, unsent: true}
		}
	}
	for fingerprint, known := range alerts {
		if _, fires := found[fingerprint]; !fires && complete && !known.Resolved() {
			known.Status, known.EndsAt, known.unsent = "resolved", now, true
		}
	}
}

// query returns the alerts of a query by fingerprint, and whether there are no others.
// A value that is no number is no data: such a series does not fire, and ends nothing.
func (a *asker) query(ctx context.Context, q config.BridgeQuery, now time.Time) (map[string]alertmanager.Alert, bool, error) {
	r, err := a.client.Query(ctx, q.Expr, time.Time{})
	if err != nil {
		return nil, false, err
	}
	if r.Type != prometheus.Vector {
		return nil, false, fmt.Errorf("a %s, want a vector", r.Type)
	}
	found, complete := map[string]alertmanager.Alert{}, len(r.Warnings) == 0
	for _, series := range r.Series {
		if len(series.Points) == 0 || math.IsNaN(series.Points[0].Value) {
			complete = false
			continue
		}
		point := series.Points[0]
		if age := now.Sub(time.UnixMilli(point.UnixMilli)); age > a.bridge.Prometheus.Every+time.Minute {
			return nil, false, fmt.Errorf("the answer is %v old", age.Round(time.Second))
		}
		labels := map[string]string{}
		maps.Copy(labels, series.Labels)
		delete(labels, "__name__")
		maps.Copy(labels, q.Labels)
		labels[correlation.NameLabel] = q.Name
		if q.Severity != "" {
			labels["severity"] = q.Severity
		}
		alert := alertmanager.Alert{
			Status: "firing", Labels: labels, StartsAt: now, Fingerprint: alertmanager.Fingerprint(labels),
			Annotations: map[string]string{"description": fmt.Sprintf("%s is %g", q.Expr, point.Value)},
		}
		if u, err := url.Parse(a.bridge.Prometheus.URL); err == nil && u.User == nil {
			alert.GeneratorURL = u.JoinPath("graph").String() + "?g0.expr=" + url.QueryEscape(q.Expr)
		}
		found[alert.Fingerprint] = alert
	}
	return found, complete, nil
}
