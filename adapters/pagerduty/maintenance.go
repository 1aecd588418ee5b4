package pagerduty

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Maintenance is a window in which services open no incidents.
type Maintenance struct {
	ID          string // of PagerDuty
	Key         string // ours; it stands at the end of the description as it is kept
	Description string
	Services    []string // ids
	Start, End  time.Time
}

// keyMark stands before the key of a window in its description.
const keyMark = " [evenkeel "

func (m Maintenance) window() map[string]any {
	services := make([]reference, len(m.Services))
	for i, id := range m.Services {
		services[i] = reference{id, "service_reference"}
	}
	description := m.Description
	if m.Key != "" {
		description += keyMark + m.Key + "]"
	}
	w := map[string]any{
		"type": "maintenance_window", "start_time": m.Start.UTC().Format(time.RFC3339), "end_time": m.End.UTC().Format(time.RFC3339),
		"description": description, "services": services,
	}
	return map[string]any{"maintenance_window": w}
}

// same reports whether nothing would be written.
func (m Maintenance) same(o Maintenance) bool {
	return m.Description == o.Description && m.Start.Truncate(time.Second).Equal(o.Start) && m.End.Truncate(time.Second).Equal(o.End) &&
		slices.Equal(slices.Sorted(slices.Values(m.Services)), slices.Sorted(slices.Values(o.Services)))
}

// Maintenances yields the windows that have not ended.
func (c *Client) Maintenances(ctx context.Context) iter.Seq2[Maintenance, error] {
	return func(yield func(Maintenance, error) bool) {
		r := request{op: "maintenances", path: "/maintenance_windows", query: url.Values{"filter": {"open"}}}
		for w, err := range list[sdk.MaintenanceWindow](ctx, c, r, "maintenance_windows") {
			m := Maintenance{ID: w.ID, Description: w.Description}
			if err == nil {
				m.Start, err = time.Parse(time.RFC3339, w.StartTime)
			}
			if err == nil {
				m.End, err = time.Parse(time.RFC3339, w.EndTime)
			}
			if err != nil {
				if adapters.KindOf(err) == 0 {
					err = refuse("maintenances", "", adapters.BadResponse, "window %s: %w", w.ID, err)
				}
				yield(Maintenance{}, err)
				return
			}
			if text, key, ok := strings.Cut(w.Description, keyMark); ok && strings.HasSuffix(key, "]") {
				m.Description, m.Key = text, strings.TrimSuffix(key, "]")
			}
			for _, s := range w.Services {
				m.Services = append(m.Services, s.ID)
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// KeepMaintenances makes PagerDuty's windows equal to those that are wanted: it
// creates and changes windows by their keys, and ends those with a key that is
// wanted no more. Windows without a key are those of others and stay. What has ended
// is not created. It returns how many windows were written; repeating it is
// harmless.
func (c *Client) KeepMaintenances(ctx context.Context, wanted []Maintenance) (written int, err error) {
	const op = "keep maintenances"
	now, keys := c.config.Now(), map[string]bool{}
	for _, w := range wanted {
		if w.Key == "" || keys[w.Key] || strings.ContainsAny(w.Key, "[]") || len(w.Services) == 0 || !w.Start.Before(w.End) {
			return 0, refuse(op, "", adapters.Invalid, "window %q, want a key of its own without brackets, services, and an end behind the start", w.Key)
		}
		keys[w.Key] = true
	}
	present, err := collect(c.Maintenances(ctx))
	if err != nil {
		return 0, err
	}
	for _, w := range wanted {
		if !w.End.After(now) {
			continue
		}
		r := request{op: op, method: http.MethodPost, path: "/maintenance_windows", body: w.window(), from: true, once: true}
		if i := slices.IndexFunc(present, func(p Maintenance) bool { return p.Key == w.Key }); i >= 0 {
			if w.same(present[i]) {
				continue
			}
			r.method, r.path, r.once = http.MethodPut, "/maintenance_windows/"+url.PathEscape(present[i].ID), false
		}
		if err := c.do(ctx, r, nil); err != nil {
			return written, err
		}
		written++
	}
	for _, p := range present {
		if p.Key == "" || keys[p.Key] {
			continue
		}
		if err := c.do(ctx, request{op: op, method: http.MethodDelete, path: "/maintenance_windows/" + url.PathEscape(p.ID)}, nil); err != nil {
			return written, err
		}
		written++
	}
	return written, nil
}
