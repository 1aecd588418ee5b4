package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// MaintenanceMode says what agreed maintenance does to an availability.
type MaintenanceMode uint8

// The modes.
const (
	MaintenanceIsUp       MaintenanceMode = iota // downtime inside it counts as up time
	MaintenanceNotCounted                        // it leaves the period: agreed service time only
)

// Uptime is what a service was available over a period.
type Uptime struct {
	Period   calendar.Interval `json:"period"`
	Counted  time.Duration     `json:"counted_ns"` // length of the period that counts
	Down     time.Duration     `json:"down_ns"`
	Failures int               `json:"failures"` // stretches of downtime that begin in the period, not all of it agreed
}

// UptimeOf computes the availability over a period from stretches of downtime
// and agreed maintenance, in any order. Overlapping stretches count once, what
// lies outside the period does not count. Errors are [*calendar.IntervalError]
// or say that the period is empty.
func UptimeOf(period calendar.Interval, downtime, maintenance []calendar.Interval, mode MaintenanceMode) (Uptime, error) {
	if err := period.Validate(); err != nil {
		return Uptime{}, fmt.Errorf("availability: period: %w", err)
	}
	if period.IsEmpty() {
		return Uptime{}, errors.New("availability: period is empty")
	}
	down, err := calendar.Normalize(downtime)
	if err != nil {
		return Uptime{}, fmt.Errorf("availability: downtime: %w", err)
	}
	agreed, err := calendar.Normalize(maintenance)
	if err != nil {
		return Uptime{}, fmt.Errorf("availability: maintenance: %w", err)
	}
	agreed = calendar.Clip(agreed, period)
	u := Uptime{Period: period, Counted: period.Duration()}
	if mode == MaintenanceNotCounted {
		u.Counted -= calendar.Total(agreed)
	}
	for _, d := range down {
		part, ok := d.Clip(period)
		if !ok {
			continue
		}
		hurt := calendar.Total(calendar.Subtract([]calendar.Interval{part}, agreed))
		u.Down += hurt
		if hurt > 0 && period.Contains(d.Start) {
			u.Failures++
		}
	}
	return u, nil
}

// ServiceUptime is the availability of one service.
type ServiceUptime struct {
	Service string `json:"service"`
	Uptime
}

// MarshalJSON writes the service beside the rest.
func (s ServiceUptime) MarshalJSON() ([]byte, error) {
	type plain Uptime
	return json.Marshal(struct {
		Service string `json:"service"`
		plain
		Ratio *big.Rat `json:"ratio"`
	}{s.Service, plain(s.Uptime), s.Ratio()})
}

// Uptimes returns the availability of services over a period, in their order, as
// the incidents have it: a service is down while an incident of it has an impact,
// one that is merged as well, one that is cancelled not. An impact that has not
// ended counts up to at. Errors are those of [UptimeOf].
func Uptimes(records []Record, services []string, period calendar.Interval, at time.Time, maintenance []calendar.Interval, mode MaintenanceMode) ([]ServiceUptime, error) {
	down := map[string][]calendar.Interval{}
	for i := range records {
		r := &records[i]
		if r.Status == Cancelled {
			continue
		}
		for _, stretch := range r.Impact {
			if stretch.End.IsZero() {
				stretch.End = times.Later(at, stretch.Start)
			}
			for _, service := range r.Services {
				down[service] = append(down[service], stretch)
			}
		}
	}
	out := make([]ServiceUptime, 0, len(services))
	for _, service := range services {
		u, err := UptimeOf(period, down[service], maintenance, mode)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", service, err)
		}
		out = append(out, ServiceUptime{Service: service, Uptime: u})
	}
	return out, nil
}

// Ratio returns up time over counted time, nil if nothing counts.
func (u Uptime) Ratio() *big.Rat {
	if u.Counted <= 0 {
		return nil
	}
	return big.NewRat(int64(u.Counted-u.Down), int64(u.Counted))
}

// MarshalJSON writes the fields and the ratio, as text of an exact fraction or
// null.
func (u Uptime) MarshalJSON() ([]byte, error) {
	type plain Uptime
	return json.Marshal(struct {
		plain
		Ratio *big.Rat `json:"ratio"`
	}{plain(u), u.Ratio()})
}

// AllowedDowntime returns how many seconds of a period may be down under a
// target in percent, such as "99.9": period * (100 - target) / 100.
func AllowedDowntime(period time.Duration, percent string) (*big.Rat, error) {
	target, err := ParseTarget(">= " + percent + "%")
	if err != nil {
		return nil, fmt.Errorf("allowed downtime: %w", err)
	}
	p := target.limit.Value.Rat()
	if p.Sign() < 0 || p.Cmp(big.NewRat(100, 1)) > 0 {
		return nil, fmt.Errorf("allowed downtime: %s percent, want 0 to 100", percent)
	}
	missing := p.Sub(big.NewRat(100, 1), p)
	missing.Quo(missing, big.NewRat(100, 1))
	return missing.Mul(missing, seconds(period)), nil
}

// Reliability is a mean time between events, in seconds.
type Reliability struct {
	N    int      `json:"n"`            // failures, or gaps between them
	Mean *big.Rat `json:"mean_seconds"` // nil without data
	// LowerBound is set where Mean is not because nothing failed: it is at
	// least this long.
	LowerBound *big.Rat `json:"lower_bound_seconds,omitempty"`
}

// MTBF returns the mean time between failures as up time over failures.
// Without a failure it is not defined; the lower bound is then the up time.
func MTBF(period calendar.Interval, failures []calendar.Interval) (Reliability, error) {
	u, err := UptimeOf(period, failures, nil, MaintenanceIsUp)
	if err != nil {
		return Reliability{}, err
	}
	up := seconds(u.Counted - u.Down)
	if u.Failures == 0 {
		return Reliability{LowerBound: up}, nil
	}
	return Reliability{N: u.Failures, Mean: up.Quo(up, big.NewRat(int64(u.Failures), 1))}, nil
}

// MTBFStarts returns the mean time from the start of one failure to the start
// of the next. n failures have n-1 gaps.
func MTBFStarts(failures []calendar.Interval) (Reliability, error) {
	return gaps(failures, func(before, after calendar.Interval) time.Duration { return after.Start.Sub(before.Start) })
}

// MTTF returns the mean time from the end of one failure to the start of the
// next.
func MTTF(failures []calendar.Interval) (Reliability, error) {
	return gaps(failures, func(before, after calendar.Interval) time.Duration { return after.Start.Sub(before.End) })
}

func gaps(failures []calendar.Interval, gap func(before, after calendar.Interval) time.Duration) (Reliability, error) {
	set, err := calendar.Normalize(failures)
	if err != nil {
		return Reliability{}, fmt.Errorf("failures: %w", err)
	}
	if len(set) < 2 {
		return Reliability{}, nil
	}
	sum := new(big.Rat)
	for i := range set[1:] {
		sum.Add(sum, seconds(gap(set[i], set[i+1])))
	}
	n := len(set) - 1
	return Reliability{N: n, Mean: sum.Quo(sum, big.NewRat(int64(n), 1))}, nil
}
