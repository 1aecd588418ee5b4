package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// RuleGroup is a group of rules as the server has loaded it.
type RuleGroup struct {
	Name, File string
	Interval   time.Duration
	Rules      []Rule
}

// RuleType is the type of a rule, by its name in the API.
type RuleType string

// The types of rules.
const (
	Recording RuleType = "recording"
	Alerting  RuleType = "alerting"
)

// Rule is a recording or alerting rule.
type Rule struct {
	Type           RuleType
	Name, Query    string
	Labels         Labels
	Health         string // "ok", "err" or "unknown"
	LastError      string
	LastEvaluation time.Time
	EvaluationTime time.Duration

	// Of alerting rules.
	State         string // "inactive", "pending" or "firing"
	For           time.Duration
	KeepFiringFor time.Duration
	Annotations   map[string]string
	Alerts        []Alert
}

// Alert is an alert that is pending or fires.
type Alert struct {
	Labels      Labels
	Annotations map[string]string
	State       string // "pending" or "firing"
	ActiveAt    time.Time
	Value       float64 // of the expression
}

// Target is something that is scraped.
type Target struct {
	Labels     Labels
	Discovered Labels // before relabelling
	Pool       string
	URL        string
	Health     string // "up", "down" or "unknown"
	LastError  string
	LastScrape time.Time // zero if there was none
	Took       time.Duration
	Interval   time.Duration // below a day
	Timeout    time.Duration
}

// BuildInfo says what a server is.
type BuildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

// get reads the data of an answer that is not the result of a query.
func (c *Client) get(ctx context.Context, op, path string, form url.Values, data any) error {
	ctx, call := c.transport.Begin(ctx, resilience.Op{Name: op, Repeatable: true, Judge: judge})
	var body bytes.Buffer
	if err := call.Err(c.send(ctx, http.MethodGet, path, form, &body)); err != nil {
		return err
	}
	var answer struct {
		Status    string
		ErrorType string
		Error     string
		Data      json.RawMessage
	}
	err := json.Unmarshal(body.Bytes(), &answer)
	if err == nil && answer.Status == "success" {
		if err = json.Unmarshal(answer.Data, data); err == nil {
			return nil
		}
	}
	return c.verdict(ctx, op, call, envelope{status: answer.Status, errorType: answer.ErrorType, message: answer.Error}, err)
}

// span reads a duration in seconds.
func span(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// alertData is an alert as the API writes it.
type alertData struct {
	Labels      Labels            `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
	ActiveAt    time.Time         `json:"activeAt"`
	Value       string            `json:"value"`
}

func alertsOf(list []alertData) ([]Alert, error) {
	var alerts []Alert
	for _, a := range list {
		value, err := strconv.ParseFloat(a.Value, 64)
		if err != nil {
			return nil, err
		}
		alerts = append(alerts, Alert{a.Labels, a.Annotations, a.State, a.ActiveAt, value})
	}
	return alerts, nil
}

// Rules lists the rules that the server has loaded, in its order.
func (c *Client) Rules(ctx context.Context) ([]RuleGroup, error) {
	var data struct {
		Groups []struct {
			Name     string  `json:"name"`
			File     string  `json:"file"`
			Interval float64 `json:"interval"`
			Rules    []struct {
				Type           RuleType          `json:"type"`
				Name           string            `json:"name"`
				Query          string            `json:"query"`
				Labels         Labels            `json:"labels"`
				Health         string            `json:"health"`
				LastError      string            `json:"lastError"`
				LastEvaluation time.Time         `json:"lastEvaluation"`
				EvaluationTime float64           `json:"evaluationTime"`
				State          string            `json:"state"`
				Duration       float64           `json:"duration"`
				KeepFiringFor  float64           `json:"keepFiringFor"`
				Annotations    map[string]string `json:"annotations"`
				Alerts         []alertData       `json:"alerts"`
			} `json:"rules"`
		} `json:"groups"`
	}
	const op = "rules"
	if err := c.get(ctx, op, op, nil, &data); err != nil {
		return nil, err
	}
	groups := make([]RuleGroup, len(data.Groups))
	for i, g := range data.Groups {
		groups[i] = RuleGroup{Name: g.Name, File: g.File, Interval: span(g.Interval)}
		for _, r := range g.Rules {
			alerts, err := alertsOf(r.Alerts)
			if err != nil {
				return nil, unreadable(op, err)
			}
			groups[i].Rules = append(groups[i].Rules, Rule{
				Type: r.Type, Name: r.Name, Query: r.Query, Labels: r.Labels, Health: r.Health, LastError: r.LastError,
				LastEvaluation: r.LastEvaluation, EvaluationTime: span(r.EvaluationTime),
				State: r.State, For: span(r.Duration), KeepFiringFor: span(r.KeepFiringFor), Annotations: r.Annotations, Alerts: alerts,
			})
		}
	}
	return groups, nil
}

// Alerts lists the alerts of all rules that are pending or fire.
func (c *Client) Alerts(ctx context.Context) ([]Alert, error) {
	const op = "alerts"
	var data struct {
		Alerts []alertData `json:"alerts"`
	}
	if err := c.get(ctx, op, op, nil, &data); err != nil {
		return nil, err
	}
	alerts, err := alertsOf(data.Alerts)
	if err != nil {
		return nil, unreadable(op, err)
	}
	return alerts, nil
}

// Targets lists what is scraped, by pool.
func (c *Client) Targets(ctx context.Context) ([]Target, error) {
	const op = "targets"
	var data struct {
		Active []struct {
			Discovered Labels    `json:"discoveredLabels"`
			Labels     Labels    `json:"labels"`
			Pool       string    `json:"scrapePool"`
			URL        string    `json:"scrapeUrl"`
			LastError  string    `json:"lastError"`
			LastScrape time.Time `json:"lastScrape"`
			Took       float64   `json:"lastScrapeDuration"`
			Health     string    `json:"health"`
			Interval   string    `json:"scrapeInterval"`
			Timeout    string    `json:"scrapeTimeout"`
		} `json:"activeTargets"`
	}
	if err := c.get(ctx, op, op, url.Values{"state": {"active"}}, &data); err != nil {
		return nil, err
	}
	targets := make([]Target, len(data.Active))
	for i, t := range data.Active {
		targets[i] = Target{
			Labels: t.Labels, Discovered: t.Discovered, Pool: t.Pool, URL: t.URL, Health: t.Health, LastError: t.LastError,
			LastScrape: t.LastScrape, Took: span(t.Took),
		}
		// Intervals of whole days, "1d", stay 0.
		targets[i].Interval, _ = time.ParseDuration(t.Interval)
		targets[i].Timeout, _ = time.ParseDuration(t.Timeout)
	}
	return targets, nil
}

// Series lists the series that selectors find, by their labels, that have samples in
// from ≤ t ≤ until; zero instants do not bound.
func (c *Client) Series(ctx context.Context, from, until time.Time, selectors ...string) ([]Labels, error) {
	var data []Labels
	err := c.get(ctx, "series", "series", matching(from, until, selectors), &data)
	return data, err
}

// LabelNames lists the names of labels of the series that selectors find, of all
// series without one, sorted.
func (c *Client) LabelNames(ctx context.Context, from, until time.Time, selectors ...string) ([]string, error) {
	var data []string
	err := c.get(ctx, "labels", "labels", matching(from, until, selectors), &data)
	return data, err
}

// LabelValues lists the values of a label, sorted, of the series that selectors
// find, of all series without one.
func (c *Client) LabelValues(ctx context.Context, label string, from, until time.Time, selectors ...string) ([]string, error) {
	var data []string
	err := c.get(ctx, "label values", "label/"+url.PathEscape(label)+"/values", matching(from, until, selectors), &data)
	return data, err
}

// BuildInfo says what the server is.
func (c *Client) BuildInfo(ctx context.Context) (BuildInfo, error) {
	var data BuildInfo
	err := c.get(ctx, "buildinfo", "status/buildinfo", nil, &data)
	return data, err
}

func matching(from, until time.Time, selectors []string) url.Values {
	form := url.Values{"match[]": selectors}
	if !from.IsZero() {
		form.Set("start", seconds(from.UnixMilli()))
	}
	if !until.IsZero() {
		form.Set("end", seconds(until.UnixMilli()))
	}
	return form
}

func unreadable(op string, err error) error {
	return &adapters.Error{Provider: provider, Op: op, Kind: adapters.BadResponse, Status: http.StatusOK, Err: err}
}
