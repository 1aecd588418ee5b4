package alertmanager

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// provider names the vendor in errors.
const provider = "alertmanager"

// ClientConfig is what a Client needs. Only BaseURL is required.
type ClientConfig struct {
	// BaseURL is the address with any path before /api/v2.
	BaseURL string
	// Credential signs requests: resilience.Basic, Bearer, Header, … Defaults to none.
	Credential resilience.Credential
	// Header is sent with every request, such as the tenant of a proxy.
	Header http.Header
	// Transport sends single requests. Defaults to resilience.NewBase(nil).
	Transport http.RoundTripper
	// Policy says how patiently. Zero fields take the defaults.
	Policy resilience.Policy
	// Observer is told of attempts. Defaults to nobody.
	Observer resilience.Observer
	// TenantLabel is the label by which silences are of a tenant. Defaults to "tenant".
	TenantLabel string
	// CreatedBy marks the silences of [Client.KeepSilences]. Defaults to "evenkeel".
	CreatedBy string
	// Now is the clock for silences that begin at once. Defaults to time.Now.
	Now func() time.Time
}

// Client speaks API v2 of an Alertmanager, 0.25 or later. It is safe for concurrent
// use. Errors are [*adapters.Error] unless a method says otherwise.
type Client struct {
	config    ClientConfig
	base      string
	transport *resilience.Transport
	http      http.Client
}

// NewClient checks the configuration; nothing is sent yet.
func NewClient(c ClientConfig) (*Client, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil { // its text would show the URL
		return nil, errors.New("alertmanager: BaseURL: want one that can be parsed")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf(`alertmanager: BaseURL %q: want one like "https://alertmanager.example"`, u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("alertmanager: BaseURL: want neither query nor fragment")
	case u.User != nil:
		return nil, errors.New("alertmanager: BaseURL: want user and password in Credential")
	}
	transport, err := resilience.New(resilience.Config{
		Provider: provider, Base: c.Transport, Policy: c.Policy, Credential: c.Credential, Observer: c.Observer, Decode: decodeError,
	})
	if err != nil {
		return nil, err
	}
	c.TenantLabel = cmp.Or(c.TenantLabel, "tenant")
	c.CreatedBy = cmp.Or(c.CreatedBy, "evenkeel")
	if c.Now == nil {
		c.Now = time.Now
	}
	client := &Client{config: c, base: strings.TrimRight(u.String(), "/") + "/api/v2", transport: transport}
	client.http = http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client, nil
}

// Provider returns "alertmanager".
func (*Client) Provider() string { return provider }

// Capabilities returns none of those of tickets: alerts and silences are no tickets.
func (*Client) Capabilities() adapters.Capabilities { return nil }

var _ adapters.Capable = (*Client)(nil)

// decodeError reads an error in either of its shapes: a text, or an object of code
// and message.
func decodeError(e *adapters.Error, _ int, _ http.Header, body []byte) {
	var text string
	if json.Unmarshal(body, &text) == nil {
		e.Message = text
		return
	}
	var object struct {
		Code    int
		Message string
	}
	if json.Unmarshal(body, &object) == nil {
		e.Message = object.Message
		if object.Code != 0 {
			e.Code = strconv.Itoa(object.Code)
		}
	}
}

// do makes one call; in and out are the bodies, nil for none.
func (c *Client) do(ctx context.Context, op resilience.Op, method, path string, query url.Values, in, out any) error {
	ctx, call := c.transport.Begin(ctx, op)
	return call.Err(c.send(ctx, method, path, query, in, out))
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values, in, out any) error {
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range c.config.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	r.Header.Set("Accept", "application/json")
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil || response.StatusCode >= http.StatusBadRequest {
		return nil // what is wrong is in the record of the call
	}
	return json.NewDecoder(response.Body).Decode(out)
}

// invalid is the error of a call that is not made.
func invalid(op string, err error) error {
	return &adapters.Error{Provider: provider, Op: op, Kind: adapters.Invalid, Message: err.Error(), Err: err}
}

// AlertFilter says which alerts to list. The zero value lists all.
type AlertFilter struct {
	// Matchers have to hold all together. Each text has any number of them, as
	// matcher.ParseList reads them, and is sent as it was understood: `sev==` as
	// `sev="="`, which is what Alertmanager would make of it without a word.
	Matchers []string
	Receiver string // the name; "" for any
	// Alerts that are not to be listed.
	NoActive, NoSilenced, NoInhibited, NoUnprocessed bool
}

// Alerts lists the alerts that fire now, sorted by fingerprint.
func (c *Client) Alerts(ctx context.Context, f AlertFilter) ([]Alert, error) {
	const op = "alerts"
	query := url.Values{}
	if err := addMatchers(query, f.Matchers); err != nil {
		return nil, invalid(op, err)
	}
	if f.Receiver != "" {
		query.Set("receiver", regexp.QuoteMeta(f.Receiver))
	}
	for name, set := range map[string]bool{"active": f.NoActive, "silenced": f.NoSilenced, "inhibited": f.NoInhibited, "unprocessed": f.NoUnprocessed} {
		if set {
			query.Set(name, "false")
		}
	}
	var listed []listedAlert
	if err := c.do(ctx, resilience.Op{Name: op, Repeatable: true}, http.MethodGet, "/alerts", query, nil, &listed); err != nil {
		return nil, err
	}
	alerts := make([]Alert, len(listed))
	for i, l := range listed {
		alerts[i] = l.alert()
	}
	slices.SortFunc(alerts, func(a, b Alert) int { return cmp.Compare(a.Fingerprint, b.Fingerprint) })
	return alerts, nil
}

// listedAlert is an alert as the API lists it.
type listedAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
	Receivers    []named           `json:"receivers"`
	Status       struct {
		State       string   `json:"state"`
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
		MutedBy     []string `json:"mutedBy"`
	} `json:"status"`
}

type named struct {
	Name string `json:"name"`
}

func (l listedAlert) alert() Alert {
	a := Alert{
		Status: l.Status.State, Labels: l.Labels, Annotations: l.Annotations, StartsAt: l.StartsAt, EndsAt: l.EndsAt, UpdatedAt: l.UpdatedAt,
		GeneratorURL: l.GeneratorURL, Fingerprint: l.Fingerprint,
		SilencedBy: l.Status.SilencedBy, InhibitedBy: l.Status.InhibitedBy, MutedBy: l.Status.MutedBy,
	}
	for _, r := range l.Receivers {
		a.Receivers = append(a.Receivers, r.Name)
	}
	return a
}

// AlertGroup is a group of alerts under one receiver.
type AlertGroup struct {
	Labels   map[string]string
	Receiver string
	Alerts   []Alert
}

// AlertGroups lists the groups in the order of Alertmanager. Matchers are those of
// [AlertFilter].
func (c *Client) AlertGroups(ctx context.Context, matchers ...string) ([]AlertGroup, error) {
	const op = "alert groups"
	query := url.Values{}
	if err := addMatchers(query, matchers); err != nil {
		return nil, invalid(op, err)
	}
	var listed []struct {
		Labels   map[string]string `json:"labels"`
		Receiver named             `json:"receiver"`
		Alerts   []listedAlert     `json:"alerts"`
	}
	if err := c.do(ctx, resilience.Op{Name: op, Repeatable: true}, http.MethodGet, "/alerts/groups", query, nil, &listed); err != nil {
		return nil, err
	}
	groups := make([]AlertGroup, len(listed))
	for i, l := range listed {
		groups[i] = AlertGroup{Labels: l.Labels, Receiver: l.Receiver.Name}
		for _, a := range l.Alerts {
			groups[i].Alerts = append(groups[i].Alerts, a.alert())
		}
	}
	return groups, nil
}

// Post sends alerts. Of each Labels, Annotations, StartsAt, EndsAt and GeneratorURL
// count; one with EndsAt in the past is resolved. StartsAt should be set, or
// Alertmanager takes EndsAt for it. Sending the same again changes nothing. The whole
// list is refused if one of them is.
func (c *Client) Post(ctx context.Context, alerts ...Alert) error {
	type postable struct {
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations,omitempty"`
		StartsAt     time.Time         `json:"startsAt,omitzero"`
		EndsAt       time.Time         `json:"endsAt,omitzero"`
		GeneratorURL string            `json:"generatorURL,omitempty"`
	}
	list := make([]postable, len(alerts))
	for i, a := range alerts {
		list[i] = postable{a.Labels, a.Annotations, a.StartsAt, a.EndsAt, a.GeneratorURL}
	}
	return c.do(ctx, resilience.Op{Name: "post", Repeatable: true}, http.MethodPost, "/alerts", nil, list, nil)
}

// Receivers lists the names of receivers.
func (c *Client) Receivers(ctx context.Context) ([]string, error) {
	var listed []named
	if err := c.do(ctx, resilience.Op{Name: "receivers", Repeatable: true}, http.MethodGet, "/receivers", nil, nil, &listed); err != nil {
		return nil, err
	}
	names := make([]string, len(listed))
	for i, r := range listed {
		names[i] = r.Name
	}
	return names, nil
}

// Status is what an Alertmanager says of itself.
type Status struct {
	Version string
	Started time.Time
	Cluster string // "ready", "settling" or "disabled"
	Config  string // its configuration file, which may hold secrets
}

// Status reads it.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s struct {
		Uptime  time.Time `json:"uptime"`
		Cluster struct {
			Status string `json:"status"`
		} `json:"cluster"`
		VersionInfo struct {
			Version string `json:"version"`
		} `json:"versionInfo"`
		Config struct {
			Original string `json:"original"`
		} `json:"config"`
	}
	err := c.do(ctx, resilience.Op{Name: "status", Repeatable: true}, http.MethodGet, "/status", nil, nil, &s)
	return Status{Version: s.VersionInfo.Version, Started: s.Uptime, Cluster: s.Cluster.Status, Config: s.Config.Original}, err
}

// addMatchers adds each matcher as a filter of its own.
func addMatchers(query url.Values, texts []string) error {
	for _, text := range texts {
		list, err := matcher.ParseList(text)
		if err != nil {
			return err
		}
		for _, m := range list {
			query.Add("filter", m.String())
		}
	}
	return nil
}
