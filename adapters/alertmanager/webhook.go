package alertmanager

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Webhook is a notification of Alertmanager, version "4" of its form, as releases
// 0.25 to 0.34 send it. Fields that are not here are ignored: newer releases add some.
type Webhook struct {
	Receiver string `json:"receiver"`
	// Status is "firing" while any of Alerts fires. With Truncated above 0 it says
	// nothing of the group: alerts are cut before it is computed.
	Status            string            `json:"status"`
	Alerts            []Alert           `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	RouteLabels       map[string]string `json:"routeLabels"`         // since 0.34
	Reason            string            `json:"notification_reason"` // since 0.34, such as "new alerts added"
	ExternalURL       string            `json:"externalURL"`
	Version           string            `json:"version"`
	// GroupKey names the group. It changes with the configuration and the release.
	GroupKey  string `json:"groupKey"`
	Truncated uint64 `json:"truncatedAlerts"` // alerts of the group that max_alerts has cut
}

// Alert is one alert of a [Webhook], or of [Client.Alerts].
type Alert struct {
	// Status is "firing" or "resolved" in a webhook; "active", "suppressed" or
	// "unprocessed" from the API.
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	// StartsAt is no identity. It may lie ahead, for an alert that was posted without
	// one, and be earlier in the resolve than it was before.
	StartsAt time.Time `json:"startsAt"`
	// EndsAt is when the alert was resolved. Of one that fires it is zero in a webhook,
	// and from the API the instant at which it is over unless it is posted again.
	EndsAt       time.Time `json:"endsAt"`
	GeneratorURL string    `json:"generatorURL"`
	// Fingerprint is [Fingerprint] of Labels: the identity within an Alertmanager.
	Fingerprint string `json:"fingerprint"`

	// From the API only.
	UpdatedAt   time.Time `json:"-"`
	Receivers   []string  `json:"-"`
	SilencedBy  []string  `json:"-"` // IDs of silences
	InhibitedBy []string  `json:"-"` // fingerprints
	MutedBy     []string  `json:"-"` // names of time intervals, since 0.31
}

// Resolved reports whether the alert is over.
func (a Alert) Resolved() bool { return a.Status == statusResolved }

const (
	statusFiring   = "firing"
	statusResolved = "resolved"
	webhookVersion = "4"
)

// WebhookError is the body of a webhook that is not one.
type WebhookError struct {
	Field string // path in the body, such as "alerts[2].status"; "" for the whole
	Value string
	Want  string
	Err   error // of encoding/json; mostly nil
}

// Error says which field holds what, and what was expected.
func (e *WebhookError) Error() string {
	text := "alertmanager webhook"
	if e.Field != "" {
		text += ": " + e.Field
	}
	if e.Value != "" {
		text += fmt.Sprintf(": found %q", e.Value)
	}
	text += ": want " + e.Want
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the error of encoding/json.
func (e *WebhookError) Unwrap() error { return e.Err }

// ParseWebhook reads the body of a webhook. The error is a [*WebhookError] about its
// first problem. A fingerprint that is missing is that of the labels; one that is
// another is kept, for not everything that sends such webhooks is an Alertmanager, and
// what is refused for it would be lost.
func ParseWebhook(body []byte) (*Webhook, error) {
	w := new(Webhook)
	if !scanWebhook(body, w) {
		*w = Webhook{}
		if err := json.Unmarshal(body, w); err != nil {
			return nil, &WebhookError{Want: "the JSON of a webhook", Err: err}
		}
	}
	if w.Version != webhookVersion {
		return nil, &WebhookError{Field: "version", Value: w.Version, Want: strconv.Quote(webhookVersion)}
	}
	if w.Alerts == nil {
		return nil, &WebhookError{Field: "alerts", Want: "a list"}
	}
	for i := range w.Alerts {
		a := &w.Alerts[i]
		fail := func(field, got, want string) error {
			return &WebhookError{Field: fmt.Sprintf("alerts[%d].%s", i, field), Value: got, Want: want}
		}
		switch {
		case a.Status != statusFiring && a.Status != statusResolved:
			return nil, fail("status", a.Status, `"firing" or "resolved"`)
		case len(a.Labels) == 0:
			return nil, fail("labels", "", "at least one")
		case a.StartsAt.IsZero():
			return nil, fail("startsAt", "", "an instant")
		case a.Resolved() && a.EndsAt.IsZero():
			return nil, fail("endsAt", "", "an instant, for the alert is resolved")
		}
		if a.Fingerprint == "" {
			a.Fingerprint = Fingerprint(a.Labels)
		}
	}
	return w, nil
}

// Complete reports whether all alerts of the group are listed that are to be told.
func (w *Webhook) Complete() bool { return w.Truncated == 0 }

// GroupResolved reports whether no alert of the group fires any more, which a cut
// webhook cannot say.
func (w *Webhook) GroupResolved() bool { return w.Complete() && w.Status == statusResolved }

// Keys returns one key for each alert: the same for all attempts to deliver the
// webhook and for repetitions of it (repeat_interval), another when an alert of it
// begins, ends or begins again, unless it begins at the instant at which it first did.
// Then only the end between the two tells them apart, so who drops what is known has to
// forget a key when the opposite is told, as [Receiver] does. A cut webhook has none,
// because what was cut may be other than before.
func (w *Webhook) Keys() []string {
	if !w.Complete() {
		return nil
	}
	return w.words()
}

// words is Keys of a cut webhook, too.
func (w *Webhook) words() []string {
	keys := make([]string, len(w.Alerts))
	var b []byte
	for i := range w.Alerts {
		b = w.appendWord(b[:0], w.Alerts[i].Status, &w.Alerts[i])
		keys[i] = string(b)
	}
	return keys
}

// appendWord appends the key that says the status of an alert of the group.
func (w *Webhook) appendWord(b []byte, status string, a *Alert) []byte {
	b = append(b, status...)
	b = a.StartsAt.UTC().AppendFormat(append(b, '/'), time.RFC3339Nano)
	b = append(append(b, '/'), a.Fingerprint...)
	return append(append(b, '/'), w.GroupKey...)
}

// Fingerprint returns 16 hexadecimal digits that stand for labels in Alertmanager:
// the 64-bit FNV-1a hash over names and values, each followed by a byte 255, sorted by
// name, as LabelSet.Fingerprint of github.com/prometheus/common/model computes it.
func Fingerprint(labels map[string]string) string {
	// http://www.isthe.com/chongo/tech/comp/fnv/#FNV-param
	const offset, prime uint64 = 14695981039346656037, 1099511628211
	var room [16]string // most alerts have fewer labels
	names := slices.AppendSeq(room[:0], maps.Keys(labels))
	slices.Sort(names)
	h := offset
	add := func(text string) {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * prime
		}
		h = (h ^ 255) * prime
	}
	for _, name := range names {
		add(name)
		add(labels[name])
	}
	const digits = "0123456789abcdef"
	var out [16]byte
	for i := range out {
		out[i] = digits[h>>(60-4*i)&15]
	}
	return string(out[:])
}
