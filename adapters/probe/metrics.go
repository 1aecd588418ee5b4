package probe

import (
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
)

// Metrics counts runs for a Prometheus server, of any number of journeys:
//
//	evenkeel_probe_runs_total{journey,state}           up, down and no_data
//	evenkeel_probe_step_runs_total{journey,step,state} likewise, and skipped
//	evenkeel_probe_up{journey}                         1 or 0; not there while there is no data
//	evenkeel_probe_step_seconds{journey,step,phase}    of the latest run; not there for what did not happen
//	evenkeel_probe_last_run_timestamp_seconds{journey}
//
// Counters begin at 0 for each state when a journey is seen for the first time, so that
// increase() sees the first failure. It is safe for concurrent use; a scrape in the
// middle of Observe may see a part of the run.
type Metrics struct {
	runs, stepRuns    metrics.Counter
	up, took, lastRun metrics.Gauge

	mu    sync.Mutex                    // guards times
	times map[string]map[[2]string]bool // by journey, the steps and phases that took is there for
}

// NewMetrics adds the metrics of journeys to a registry, once in each.
func NewMetrics(r *metrics.Registry) *Metrics {
	return &Metrics{
		runs:     r.Counter("evenkeel_probe_runs_total", "Runs of a journey by what came of them.", "journey", "state"),
		stepRuns: r.Counter("evenkeel_probe_step_runs_total", "Steps by what came of them.", "journey", "step", "state"),
		up:       r.Gauge("evenkeel_probe_up", "Whether the latest run of a journey was up.", "journey"),
		took:     r.Gauge("evenkeel_probe_step_seconds", "Time of the parts of a step in the latest run.", "journey", "step", "phase"),
		lastRun:  r.Gauge("evenkeel_probe_last_run_timestamp_seconds", "When the latest run of a journey began.", "journey"),
		times:    map[string]map[[2]string]bool{},
	}
}

// Observe counts a run. It fits [Config.OnResult].
func (m *Metrics) Observe(r Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range []State{Up, Down, NoData} {
		m.runs.Add(0, r.Journey, string(s))
	}
	m.runs.Add(1, r.Journey, string(r.State))
	switch r.State {
	case Up:
		m.up.Set(1, r.Journey)
	case Down:
		m.up.Set(0, r.Journey)
	default:
		m.up.Delete(r.Journey)
	}
	m.lastRun.Set(float64(r.At.UnixNano())/1e9, r.Journey)

	times := map[[2]string]bool{}
	for _, s := range r.Steps {
		for _, state := range []State{Up, Down, NoData, Skipped} {
			m.stepRuns.Add(0, r.Journey, s.Name, string(state))
		}
		m.stepRuns.Add(1, r.Journey, s.Name, string(s.State))
		for phase, took := range map[string]time.Duration{
			"connect": s.Timing.Connect, "dns": s.Timing.DNS, "first_byte": s.Timing.FirstByte, "tls": s.Timing.TLS, "total": s.Timing.Total,
		} {
			if took > 0 {
				m.took.Set(took.Seconds(), r.Journey, s.Name, phase)
				times[[2]string{s.Name, phase}] = true
			}
		}
	}
	for was := range m.times[r.Journey] {
		if !times[was] {
			m.took.Delete(r.Journey, was[0], was[1])
		}
	}
	m.times[r.Journey] = times
}
