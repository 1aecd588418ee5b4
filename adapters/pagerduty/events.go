package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

// The address of the Events API in the US; in the EU it is events.eu.pagerduty.com.
// https://developer.pagerduty.com/docs/events-api-v2-overview
const defaultEvents = "https://events.pagerduty.com"

// About 120 events in 60 s are taken from an integration; a rate and a burst that
// add up to that over any 60 s are never over it.
// https://developer.pagerduty.com/docs/events-api-v2-rate-limits
const (
	eventsPerSecond = 1.9
	eventsBurst     = 6
)

// EventsConfig is what an Events needs.
type EventsConfig struct {
	// RoutingKeys are the integration keys, of 32 characters each, by target. The
	// target "" is for tickets without one. Required.
	RoutingKeys map[string]adapters.Secret
	// BaseURL of the API. Defaults to https://events.pagerduty.com.
	BaseURL string
	// Source says where events come from, if they do not. Required.
	Source string
	// Client and ClientURL say who sends and where people find more. Default to none.
	Client, ClientURL string
	// PerMinute is how many events an integration may take in a minute, where that was
	// raised. Defaults to 120.
	PerMinute int
	// OnCut is told what did not fit. Defaults to nobody.
	OnCut func(ref adapters.Ref, cuts []Cut)

	// Transport sends single requests. Defaults to that of package resilience.
	Transport http.RoundTripper
	Policy    resilience.Policy
	Observer  resilience.Observer
}

// Events sends alerts and changes over the Events API v2. It is safe for concurrent
// use.
//
// PagerDuty answers 202 to all that it can read. An acknowledge or resolve without
// an open alert, or by another routing key, comes to nothing without a word, and an
// alert that has ended is never opened again: see [Events.Reopen].
type Events struct {
	config    EventsConfig
	base      *url.URL
	transport *resilience.Transport
	client    *http.Client
	buckets   map[string]resilience.Bucket // by target
}

var (
	_ adapters.Capable      = (*Events)(nil)
	_ adapters.Opener       = (*Events)(nil)
	_ adapters.Acknowledger = (*Events)(nil)
	_ adapters.Resolver     = (*Events)(nil)
	_ adapters.Reopener     = (*Events)(nil)
)

// NewEvents checks the configuration. It sends nothing.
func NewEvents(c EventsConfig) (*Events, error) {
	if len(c.RoutingKeys) == 0 {
		return nil, errors.New("pagerduty: RoutingKeys missing")
	}
	perSecond, burst := eventsPerSecond, eventsBurst
	if c.PerMinute > 0 {
		burst = max(c.PerMinute/20, 1)
		perSecond = float64(c.PerMinute-burst) / 60
	}
	buckets := map[string]resilience.Bucket{}
	keys := make([]adapters.Secret, 0, len(c.RoutingKeys))
	for target, key := range c.RoutingKeys {
		if len(key.Reveal()) != 32 {
			return nil, fmt.Errorf("pagerduty: routing key of target %q has %d characters, want 32", target, len(key.Reveal()))
		}
		if strings.Contains(target, "/") {
			return nil, fmt.Errorf("pagerduty: target %q has a slash", target)
		}
		// Two targets with one key share an allowance; the digest does not give it away.
		id := adapters.Key{Step: "routing key", Target: key.Reveal()}.String()[:12]
		keys = append(keys, key)
		buckets[target] = resilience.Bucket{Name: "events " + id, PerSecond: perSecond, Burst: burst}
	}
	if c.Source == "" {
		return nil, errors.New("pagerduty: Source missing")
	}
	base, err := baseURL(cmp.Or(c.BaseURL, defaultEvents))
	if err != nil {
		return nil, err
	}
	transport, err := resilience.New(resilience.Config{
		Provider: provider, Base: c.Transport, Policy: c.Policy, Secrets: keys, Decode: decodeError, Observer: c.Observer,
	})
	if err != nil {
		return nil, err
	}
	return &Events{config: c, base: base, transport: transport, client: &http.Client{Transport: transport}, buckets: buckets}, nil
}

// Provider returns "pagerduty".
func (e *Events) Provider() string { return provider }

// Capabilities lists what the Events API can do.
func (e *Events) Capabilities() adapters.Capabilities {
	return adapters.Capabilities{adapters.CanAcknowledge, adapters.CanOpen, adapters.CanReopen, adapters.CanResolve}
}

// Alert is what a trigger says.
type Alert struct {
	// Key makes repeated triggers one alert while it is open; at most 255 characters.
	// Required: without one every trigger is an alert of its own.
	Key       string
	Target    string // of EventsConfig.RoutingKeys
	Tenant    string // for errors
	Summary   string // required; cut to 1,024 characters, the whole is then in Details
	Severity  incident.Severity
	Source    string    // defaults to EventsConfig.Source
	At        time.Time // defaults to the arrival
	Component string
	Group     string
	Class     string
	Details   map[string]any
	Links     []adapters.WebLink
	Images    []Image
}

// Image is a picture that PagerDuty shows; its address has to be https.
type Image struct {
	Source string `json:"src"`
	Link   string `json:"href,omitempty"`
	Text   string `json:"alt,omitempty"`
}

// Receipt is what became of an event.
type Receipt struct {
	Key  string // under which the alert is acknowledged and resolved
	Cuts []Cut  // what did not fit
}

// Trigger opens an alert, or adds to the open one of the same key.
func (e *Events) Trigger(ctx context.Context, a Alert) (Receipt, error) {
	const op = "trigger"
	severity, err := eventSeverities.Theirs(a.Severity)
	if err != nil {
		return Receipt{}, refuse(op, a.Tenant, adapters.Invalid, "severity: %w", err)
	}
	if a.Summary == "" {
		return Receipt{}, refuse(op, a.Tenant, adapters.Invalid, "summary missing")
	}
	if i := slices.IndexFunc(a.Images, func(i Image) bool { return !strings.HasPrefix(i.Source, "https://") }); i >= 0 {
		return Receipt{}, refuse(op, a.Tenant, adapters.Invalid, "address of image %d is not https", i)
	}
	summary, cuts := shortenTitle("summary", a.Summary)
	details := a.Details
	if len(cuts) > 0 {
		details = maps.Clone(details)
		if details == nil {
			details = map[string]any{}
		}
		details["summary"] = a.Summary
	}
	event := sdk.V2Event{
		Action: "trigger", DedupKey: a.Key, Client: e.config.Client, ClientURL: e.config.ClientURL,
		Payload: &sdk.V2Payload{
			Summary: summary, Source: cmp.Or(a.Source, e.config.Source), Severity: severity, Timestamp: timestamp(a.At),
			Component: a.Component, Group: a.Group, Class: a.Class,
		},
	}
	if len(details) > 0 {
		event.Payload.Details = details
	}
	for _, link := range a.Links {
		event.Links = append(event.Links, changeLink(link))
	}
	for _, image := range a.Images {
		event.Images = append(event.Images, image)
	}
	more, err := e.fit(&event)
	if err != nil {
		return Receipt{}, refuse(op, a.Tenant, adapters.Invalid, "%w", err)
	}
	cuts = append(cuts, more...)
	return e.send(ctx, op, a.Tenant, a.Target, event, cuts)
}

// fit takes custom details, then images and links, off an event that is too large.
func (e *Events) fit(event *sdk.V2Event) ([]Cut, error) {
	var cuts []Cut
	for _, part := range []struct {
		name string
		drop func() any
	}{
		{"custom_details", func() (was any) {
			was = event.Payload.Details
			if was != nil {
				event.Payload.Details = map[string]string{"evenkeel": "details left out: the event was over 512 KB"}
			}
			return was
		}},
		{"images", func() (was any) {
			was, event.Images = event.Images, nil
			return was
		}},
		{"links", func() (was any) {
			was, event.Links = event.Links, nil
			return was
		}},
	} {
		// The routing key comes later; its 32 characters are counted here.
		data, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		if len(data)+32 <= maxEvent {
			return cuts, nil
		}
		was, err := json.Marshal(part.drop())
		if err != nil {
			return nil, err
		}
		if text := string(was); text != "null" {
			cuts = append(cuts, Cut{Field: part.name, Had: len(was)})
		}
	}
	data, err := json.Marshal(event)
	if err == nil && len(data)+32 > maxEvent {
		err = fmt.Errorf("event has %d bytes without details, images and links, want at most %d", len(data), maxEvent)
	}
	return cuts, err
}

// Acknowledge marks the open alert of a reference as being worked on. The Events API
// has no place for who it was: say that in a note.
func (e *Events) Acknowledge(ctx context.Context, ref adapters.Ref, _ string) error {
	return e.end(ctx, "acknowledge", ref)
}

// Resolve ends the open alert of a reference. The Events API has no place for what
// was done: say that in a note.
func (e *Events) Resolve(ctx context.Context, ref adapters.Ref, _ adapters.Resolution) error {
	return e.end(ctx, "resolve", ref)
}

func (e *Events) end(ctx context.Context, action string, ref adapters.Ref) error {
	target, key, err := alertOf(ref)
	if err != nil {
		return refuse(action, ref.Tenant, adapters.Invalid, "%w", err)
	}
	_, err = e.send(ctx, action, ref.Tenant, target, sdk.V2Event{Action: action, DedupKey: key}, nil)
	return err
}

// Open triggers an alert. Text, Labels, Assignee and those of Fields that are none
// of source, component, group and class stand in its details. State, if any, has to
// be new.
func (e *Events) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	if t.Key == "" {
		return adapters.Ref{}, refuse("open", t.Tenant, adapters.Invalid, "key missing")
	}
	if t.State != "" && t.State != adapters.StateNew {
		return adapters.Ref{}, refuse("open", t.Tenant, adapters.Unsupported, "an alert begins as new, not as %q", t.State)
	}
	a := Alert{Key: t.Key, Target: t.Target, Tenant: t.Tenant, Summary: t.Title, Severity: t.Severity, At: t.Created, Links: t.Links, Details: map[string]any{}}
	for name, value := range t.Fields {
		text, isText := value.(string)
		place, ok := map[string]*string{"source": &a.Source, "component": &a.Component, "group": &a.Group, "class": &a.Class}[name]
		if ok && isText {
			*place = text
		} else {
			a.Details[name] = value
		}
	}
	for name, text := range map[string]string{"text": t.Text, "labels": strings.Join(t.Labels, ", "), "assignee": t.Assignee} {
		if text != "" {
			a.Details[name] = text
		}
	}
	receipt, err := e.Trigger(ctx, a)
	if err != nil {
		return adapters.Ref{}, err
	}
	ref := AlertRef(t.Tenant, t.Target, receipt.Key)
	if len(receipt.Cuts) > 0 && e.config.OnCut != nil {
		e.config.OnCut(ref, receipt.Cuts)
	}
	return ref, nil
}

// Reopen triggers an alert that follows the one of a reference, which the Events API
// cannot open again: a new one, which says what it follows. Doing so twice is
// harmless while it is open.
func (e *Events) Reopen(ctx context.Context, ref adapters.Ref, reason string) (adapters.Ref, error) {
	target, key, err := alertOf(ref)
	if err != nil {
		return adapters.Ref{}, refuse("reopen", ref.Tenant, adapters.Invalid, "%w", err)
	}
	return e.Open(ctx, adapters.Ticket{
		Key: followKey(ref), Tenant: ref.Tenant, Target: target, Severity: incident.P2,
		Title: cmp.Or(reason, "opened again"), Fields: map[string]any{"follows": key},
	})
}

// followKey is the key of what follows a ticket that has ended.
func followKey(ref adapters.Ref) string {
	return adapters.Key{Tenant: ref.Tenant, Incident: ref.ID, Step: "follow", Target: provider}.String()
}

// Change is something that was done to a system, for those who look for a cause.
type Change struct {
	ID       string // of PagerDuty; only reading fills it
	Summary  string // required; cut to 1,024 characters
	Source   string
	At       time.Time
	Services []string // ids; only reading fills them
	Details  map[string]any
	Links    []adapters.WebLink
}

// Change reports a change to a target. Rulesets take none: their routing keys begin
// with an R.
func (e *Events) Change(ctx context.Context, tenant, target string, change Change) ([]Cut, error) {
	const op = "change"
	key, ok := e.config.RoutingKeys[target]
	if ok && strings.HasPrefix(key.Reveal(), "R") {
		return nil, refuse(op, tenant, adapters.Unsupported, "the routing key of target %q is that of a ruleset, which takes no changes", target)
	}
	if change.Summary == "" {
		return nil, refuse(op, tenant, adapters.Invalid, "summary missing")
	}
	summary, cuts := shortenTitle("summary", change.Summary)
	event := sdk.ChangeEvent{Payload: sdk.ChangeEventPayload{
		Summary: summary, Source: cmp.Or(change.Source, e.config.Source), Timestamp: timestamp(change.At), CustomDetails: change.Details,
	}}
	for _, link := range change.Links {
		event.Links = append(event.Links, changeLink(link))
	}
	for _, drop := range []func(){
		func() {
			cuts = append(cuts, Cut{Field: "custom_details", Had: sizeOf(event.Payload.CustomDetails)})
			event.Payload.CustomDetails = nil
		},
		func() { cuts, event.Links = append(cuts, Cut{Field: "links", Had: sizeOf(event.Links)}), nil },
	} {
		if sizeOf(event)+32 > maxEvent {
			drop()
		}
	}
	event.RoutingKey = key.Reveal()
	_, err := e.post(ctx, op, tenant, target, "/v2/change/enqueue", event)
	return cuts, err
}

func sizeOf(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0 // said when it is sent
	}
	return len(data)
}

func (e *Events) send(ctx context.Context, op, tenant, target string, event sdk.V2Event, cuts []Cut) (Receipt, error) {
	if n := utf8.RuneCountInString(event.DedupKey); n == 0 || n > maxDedupKey {
		return Receipt{}, refuse(op, tenant, adapters.Invalid, "key has %d characters, want 1 to %d", n, maxDedupKey)
	}
	event.RoutingKey = e.config.RoutingKeys[target].Reveal()
	answer, err := e.post(ctx, op, tenant, target, "/v2/enqueue", event)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Key: cmp.Or(answer.DedupKey, event.DedupKey), Cuts: cuts}, nil
}

func (e *Events) post(ctx context.Context, op, tenant, target, path string, body any) (sdk.V2EventResponse, error) {
	var answer sdk.V2EventResponse
	bucket, ok := e.buckets[target]
	if !ok {
		return answer, refuse(op, tenant, adapters.Invalid, "no routing key for target %q", target)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return answer, refuse(op, tenant, adapters.Invalid, "%w", err)
	}
	ctx, call := e.transport.Begin(ctx, resilience.Op{Name: op, Tenant: tenant, Repeatable: op != "change", Buckets: []resilience.Bucket{bucket}})
	u := *e.base
	u.Path += path
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(data))
	if err != nil {
		return answer, refuse(op, tenant, adapters.Invalid, "%w", err)
	}
	q.Header.Set("Content-Type", "application/json")
	err = call.Err(roundTrip(q, &answer, e.client.Do))
	return answer, err
}

// AlertRef names the alert of a key at a target, as Open returns it; the target, and
// with it the routing key, belongs to it because another one reaches nothing. Nothing
// is asked: the Events API has no way to look.
func AlertRef(tenant, target, key string) adapters.Ref {
	return adapters.Ref{Provider: provider, Tenant: tenant, Type: "alert", ID: target + "/" + key}
}

func alertOf(ref adapters.Ref) (target, key string, err error) {
	target, key, ok := strings.Cut(ref.ID, "/")
	if ref.Provider != provider || ref.Type != "alert" || !ok {
		return "", "", fmt.Errorf("reference to a %s %s, want one to an alert of PagerDuty", ref.Provider, ref.Type)
	}
	return target, key, nil
}

func changeLink(l adapters.WebLink) sdk.ChangeEventLink {
	return sdk.ChangeEventLink{Href: l.URL, Text: l.Text}
}

// timestamp writes an instant; "" for none.
func timestamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
