package main

import (
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
)

// figures are what a Prometheus may scrape of the bridge: what was received, what was
// sent, and how long alerts took, of which 60 s is the most that they should.
func (s *server) figures(hooks *alertmanager.Receiver) *metrics.Registry {
	r := metrics.New()
	s.told = r.Histogram("evenkeel_bridge_told_seconds", "From the arrival of an alert to the answer of a sink.",
		[]float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}, "sink")
	for _, c := range []struct {
		name, help string
		read       func() uint64
	}{
		{"evenkeel_bridge_webhooks_accepted_total", "Webhooks that were taken.", func() uint64 { return hooks.Stats().Accepted }},
		{"evenkeel_bridge_webhooks_repeated_total", "Webhooks that were known.", func() uint64 { return hooks.Stats().Repeated }},
		{"evenkeel_bridge_webhooks_unreadable_total", "Webhooks that could not be read.", func() uint64 { return hooks.Stats().Unreadable }},
		{"evenkeel_bridge_webhooks_unverified_total", "Webhooks of senders that may not send.", func() uint64 { return hooks.Stats().Unverified }},
		{"evenkeel_bridge_webhooks_refused_total", "Webhooks that should be sent again.", func() uint64 { return hooks.Stats().Refused }},
		{"evenkeel_bridge_requests_completed_total", "Requests that sinks have taken.", func() uint64 { return s.sent().Completed }},
		{"evenkeel_bridge_requests_retried_total", "Attempts that are to be made again.", func() uint64 { return s.sent().Retried }},
		{"evenkeel_bridge_requests_dead_total", "Requests that were given up.", func() uint64 { return s.sent().Dead }},
	} {
		r.CounterFunc(c.name, c.help, func() float64 { return float64(c.read()) })
	}
	r.GaugeFunc("evenkeel_bridge_requests_overdue_seconds", "How long the request waits that waits longest.", func() float64 {
		return s.sent().Overdue.Seconds()
	})
	return r
}
