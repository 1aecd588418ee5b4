package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

type changeRead struct {
	ID        string          `json:"id"`
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Timestamp time.Time       `json:"timestamp"`
	Services  []sdk.APIObject `json:"services"`
	Details   json.RawMessage `json:"custom_details"`
	Links     []struct {
		Href string `json:"href"`
		Text string `json:"text"`
	} `json:"links"`
}

// ChangeEvents yields the changes that were reported in [from, until), in their
// order, each once: those of a service by its id, or of all services with "".
func (c *Client) ChangeEvents(ctx context.Context, service string, from, until time.Time) iter.Seq2[Change, error] {
	path := "/change_events"
	if service != "" {
		path = "/services/" + url.PathEscape(service) + "/change_events"
	}
	how := timed[changeRead]{
		at:   func(r changeRead) time.Time { return r.Timestamp },
		id:   func(r changeRead) string { return r.ID },
		less: func(a, b changeRead) int { return cmp.Compare(a.ID, b.ID) },
	}
	return func(yield func(Change, error) bool) {
		for r, err := range windows(ctx, c, request{op: "change events", path: path}, "change_events", span{from, until}, how) {
			if err != nil {
				yield(Change{}, err)
				return
			}
			change := Change{ID: r.ID, Summary: r.Summary, Source: r.Source, At: r.Timestamp}
			if json.Unmarshal(r.Details, &change.Details) != nil && len(r.Details) > 0 {
				change.Details = map[string]any{"text": string(r.Details)}
			}
			for _, s := range r.Services {
				change.Services = append(change.Services, s.ID)
			}
			for _, l := range r.Links {
				change.Links = append(change.Links, adapters.WebLink{Text: l.Text, URL: l.Href})
			}
			if !yield(change, nil) {
				return
			}
		}
	}
}
