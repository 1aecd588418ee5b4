package pagerduty

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

var _ adapters.ClockReader = (*Client)(nil)

// Analysis is what PagerDuty has measured of an incident. Seconds are nil where
// something did not happen.
type Analysis struct {
	ID                string     `json:"id"`
	Number            int64      `json:"incident_number"`
	Title             string     `json:"description"`
	Service           string     `json:"service_id"`
	ServiceName       string     `json:"service_name"`
	Team              *string    `json:"team_id"`
	Priority          *string    `json:"priority_name"`
	Urgency           string     `json:"urgency"`
	Status            string     `json:"status"`
	Major             bool       `json:"major"`
	AutoResolved      bool       `json:"auto_resolved"`
	Created           time.Time  `json:"created_at"`
	Resolved          *time.Time `json:"resolved_at"`
	ToAcknowledge     *int64     `json:"seconds_to_first_ack"` // s
	ToEngage          *int64     `json:"seconds_to_engage"`    // s
	ToMobilize        *int64     `json:"seconds_to_mobilize"`  // s
	ToResolve         *int64     `json:"seconds_to_resolve"`   // s
	Engaged           int64      `json:"engaged_seconds"`
	Snoozed           int64      `json:"snoozed_seconds"`
	Escalations       int64      `json:"escalation_count"`
	Assignments       int64      `json:"assignment_count"`
	InBusinessHours   int64      `json:"business_hour_interruptions"` // how often people were called
	InOffHours        int64      `json:"off_hour_interruptions"`
	InSleepHours      int64      `json:"sleep_hour_interruptions"`
	TotalInterruption int64      `json:"total_interruptions"`
}

// AnalysisFilter chooses incidents.
type AnalysisFilter struct {
	From, Until time.Time // of the creation, half-open
	// Services and Teams by their ids. The key of a user, rather than of an account,
	// needs one of them.
	Services, Teams []string
	Urgency         string // "high" or "low"; "" for both
}

// Analyzed is an analysis of a list, and the cursor from which the list goes on
// behind it.
type Analyzed struct {
	Analysis Analysis
	Cursor   string
}

// maxAnalyzed is the most that a page of analytics holds.
// https://developer.pagerduty.com/api-reference/b3A6MzU1OTM5NzY-get-raw-data-multiple-incidents
const maxAnalyzed = 1000

// Analyses yields what PagerDuty has measured of incidents, in the order of their
// creation, without an end at 10,000. It is up to a day behind. A cursor of ""
// begins.
func (c *Client) Analyses(ctx context.Context, f AnalysisFilter, cursor string) iter.Seq2[Analyzed, error] {
	return func(yield func(Analyzed, error) bool) {
		const op = "analyses"
		filters := map[string]any{"created_at_start": f.From.UTC().Format(time.RFC3339), "created_at_end": f.Until.UTC().Format(time.RFC3339)}
		for name, ids := range map[string][]string{"service_ids": f.Services, "team_ids": f.Teams} {
			if len(ids) > 0 {
				filters[name] = ids
			}
		}
		if f.Urgency != "" {
			filters["urgency"] = f.Urgency
		}
		page, skip, err := parsePage(cursor)
		if err != nil {
			yield(Analyzed{}, refuse(op, "", adapters.Invalid, "%w", err))
			return
		}
		for {
			body := map[string]any{"filters": filters, "limit": maxAnalyzed, "order": "asc", "order_by": "created_at"}
			if page != "" {
				body["starting_after"] = page
			}
			var answer struct {
				Data []Analysis `json:"data"`
				Last string     `json:"last"`
				More bool       `json:"more"`
			}
			if err := c.do(ctx, request{op: op, method: http.MethodPost, path: "/analytics/raw/incidents", body: body}, &answer); err != nil {
				yield(Analyzed{}, err)
				return
			}
			for i, a := range answer.Data {
				if i < skip {
					continue
				}
				at := fmt.Sprintf("%d/%s", i+1, page)
				if i == len(answer.Data)-1 && answer.More {
					at = "0/" + answer.Last
				}
				if !yield(Analyzed{a, at}, nil) {
					return
				}
			}
			if !answer.More || answer.Last == "" || answer.Last == page {
				return
			}
			page, skip = answer.Last, 0
		}
	}
}

// parsePage reads "<elements to skip>/<cursor of PagerDuty>".
func parsePage(cursor string) (page string, skip int, err error) {
	if cursor == "" {
		return "", 0, nil
	}
	number, page, ok := strings.Cut(cursor, "/")
	skip, err = strconv.Atoi(number)
	if err != nil || !ok || skip < 0 {
		return "", 0, fmt.Errorf("%w: %q", errCursor, cursor)
	}
	return page, skip, nil
}

// Clocks returns how long it took, or has taken until now, to acknowledge and to
// resolve an incident. PagerDuty has no goals: nothing is breached.
func (c *Client) Clocks(ctx context.Context, ref adapters.Ref) ([]adapters.Clock, error) {
	const op = "clocks"
	if err := isIncident(op, ref); err != nil {
		return nil, err
	}
	var a Analysis
	if err := c.do(ctx, request{op: op, tenant: ref.Tenant, method: http.MethodGet, path: "/analytics/raw/incidents/" + url.PathEscape(ref.ID)}, &a); err != nil {
		return nil, err
	}
	var clocks []adapters.Clock
	for _, k := range []struct {
		name    string
		seconds *int64
	}{{"time to acknowledge", a.ToAcknowledge}, {"time to resolve", a.ToResolve}} {
		clock := adapters.Clock{Name: k.name, Start: a.Created, Elapsed: c.config.Now().Sub(a.Created)}
		if k.seconds != nil {
			clock.Elapsed = time.Duration(*k.seconds) * time.Second
			clock.Stop = a.Created.Add(clock.Elapsed)
		}
		clocks = append(clocks, clock)
	}
	return clocks, nil
}
