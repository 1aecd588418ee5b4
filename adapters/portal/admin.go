package portal

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Admin returns the handler of metrics and health, for an address that customers do
// not reach: the metrics name all of them.
func (p *Portal) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { p.now.Load().scrape(w, r) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { p.now.Load().health(w, r) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		mux.ServeHTTP(w, r)
	})
}

// scrape writes the metrics: those of the portal, and those of what it shows now.
func (p *snapshot) scrape(w http.ResponseWriter, r *http.Request) {
	body := p.registry.Append(p.figures().Append(nil))
	w.Header().Set("Content-Type", metrics.ContentType)
	send(w, r, http.StatusOK, body)
}

// figures are made anew for each scrape, so that nothing of what is gone stays.
func (p *snapshot) figures() *metrics.Registry {
	r := metrics.New()
	f := figures{
		availability: r.Gauge("evenkeel_availability_ratio", "Availability of the month so far.", "tenant", "service"),
		remaining:    r.Gauge("evenkeel_error_budget_remaining_ratio", "What is left of the error budget; below 0 when overspent.", "tenant", "slo"),
		burn:         r.Gauge("evenkeel_burn_rate", "Burn rate of the error budget.", "tenant", "slo", "window"),
		credit:       r.Gauge("evenkeel_credit_amount", "Credits payable for the month so far.", "tenant", "currency"),
		open:         r.Gauge("evenkeel_incidents_open", "Open incidents.", "tenant", "severity"),
		overdue:      r.Gauge("evenkeel_update_overdue", "Open incidents whose next update is overdue.", "tenant"),
		age:          r.Gauge("evenkeel_data_age_seconds", "Time since the instant for which the pages speak.", "tenant"),
	}
	now := p.config.Now()
	for _, t := range p.sorted {
		if v := t.view.Load(); v != nil {
			f.add(v.page, now)
			f.age.Set(now.Sub(v.page.At).Seconds(), t.ID)
		}
	}
	return r
}

type figures struct{ availability, remaining, burn, credit, open, overdue, age metrics.Gauge }

func (f figures) add(t *page.Tenant, now time.Time) {
	if len(t.Months) > 0 {
		s := t.Months[len(t.Months)-1].Report.Statement
		for _, m := range s.Availability {
			if m.Value.IsSet() {
				ratio, _ := m.Value.Rat().Float64()
				f.availability.Set(ratio, t.ID, m.Service)
			}
		}
		if s.Payable.IsSet() {
			f.credit.Set(units(s.Payable), t.ID, string(s.Payable.Currency()))
		}
	}
	if t.Budgets != nil {
		for _, b := range t.Budgets.Budgets {
			if b.Status.Remaining.IsSet() {
				f.remaining.Set(b.Status.Remaining.Float64(), t.ID, b.Objective.ID)
			}
			for _, w := range b.Burns {
				if w.Rate.IsSet() {
					f.burn.Set(w.Rate.Float64(), t.ID, b.Objective.ID, window(w.Window))
				}
			}
		}
	}
	for _, s := range severities {
		f.open.Set(0, t.ID, s)
	}
	f.overdue.Set(0, t.ID)
	for _, in := range t.Incidents {
		if !in.OpenAt(now) {
			continue
		}
		if s := in.CurrentSeverity(); s.IsSet() {
			f.open.Add(1, t.ID, severities[s-1])
		}
		if !in.NextUpdate.IsZero() && in.NextUpdate.Before(now) {
			f.overdue.Add(1, t.ID)
		}
	}
}

// units is an amount in units of its currency, as near as a float64 comes to it.
func units(a money.Amount) float64 {
	v, err := strconv.ParseFloat(a.Decimal(), 64)
	if err != nil {
		return 0 // a decimal number always reads
	}
	return v
}

// window names a window like Prometheus does: "1h", "30d".
func window(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%u.unit == 0 && d >= u.unit {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// Dashboard replaces what the dashboard of the operations shows beside the customers,
// which are those of the portal.
func (p *Portal) Dashboard(o page.Ops) { p.ops.Store(&o) }

// dashboard is what the dashboard shows now.
func (p *snapshot) dashboard() *page.Ops {
	o := page.Ops{At: p.config.Now(), Brand: p.config.Brand}
	if given := p.ops.Load(); given != nil {
		o = *given
	}
	if reason := p.unread.Load(); reason != nil {
		o.Stale = strings.TrimSpace(o.Stale + " configuration of " + p.since.UTC().Format(time.RFC3339) + ": " + *reason)
	}
	o.Tenants, o.Without = p.pages(), map[string][]page.Name{}
	for _, t := range p.sorted {
		o.Without[t.ID] = t.Disabled
	}
	return &o
}
