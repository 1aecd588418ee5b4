package sla

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// reckoning computes the key figures of what a statement covers. Of the
// statement it needs availability, overall and clocks.
type reckoning struct {
	agreement *Agreement
	evidence  Evidence
	covered   calendar.Interval
	statement *Statement
}

// figure computes a key figure and judges it by the target, if that is set.
func (r reckoning) figure(k KPI, target incident.Target) (KeyFigure, error) {
	f := KeyFigure{KPI: k, Unit: k.Unit(), Target: target}
	switch k {
	case KPIUptime:
		f.Value, f.N = r.uptime()
	case KPIMTTRP1, KPIMTTRP2, KPIMTTRP3, KPIMTTRP4:
		t := r.timing(restoreTime, k.severity())
		f.Value, f.N = t.Mean, t.N
	case KPIMTTD:
		t := r.timing(detectTime, 0)
		f.Value, f.N = t.Mean, t.N
	case KPIMTTA:
		t := r.timing(acknowledgeTime, 0)
		f.Value, f.N = t.Mean, t.N
	case KPIMTBF:
		f.Value, f.N = r.betweenFailures()
	case KPIVolume:
		f.N = r.opened(0)
		f.Value = FigureOf(int64(f.N), 1)
	case KPIFirstContact:
		f.Value, f.N = share(r.evidence.Incidents,
			func(in Incident) bool { return in.FirstContact != nil && r.covered.Contains(in.Resolved) },
			func(in Incident) bool { return *in.FirstContact })
	case KPIEscalation:
		f.Value, f.N = share(r.evidence.Incidents,
			func(in Incident) bool { return r.covered.Contains(in.Opened) },
			func(in Incident) bool { return in.Escalations != nil && *in.Escalations > 0 })
	case KPISatisfaction:
		f.Value, f.N = r.satisfaction()
	case KPIChanges:
		c := r.changes()
		f.Value, f.N = percentOf(c.SuccessShare), c.Total
	case KPIApproval:
		f.Value, f.N = longest(r.evidence.Changes, r.approval)
	case KPINotice:
		f.Value, f.N = r.notice()
	case KPICompliance:
		f.Value, f.N = r.compliance()
	case KPICoverage:
		f.Value, f.N = r.coverage()
	case KPIBackup:
		f.Value, f.N = share(r.evidence.Restores, func(p Restore) bool { return r.covered.Contains(p.Started) }, Restore.proven)
	case KPIRTO:
		f.Value, f.N = longest(r.evidence.Restores, r.recovery)
	case KPIRPO:
		f.Value, f.N = longest(r.evidence.Restores, r.dataLost)
	case KPICost:
		cost, err := r.cost()
		if err != nil {
			return KeyFigure{}, err
		}
		f.Value, f.N, f.Currency = figureOf(cost.Mean()), cost.N, r.agreement.contract.Fee.Currency()
		if cost.N > 0 {
			f.Currency = cost.Total.Currency()
		}
	case KPIProblems:
		f.Value, f.N = share(r.evidence.Problems,
			func(p Problem) bool {
				return p.Opened.Before(r.covered.End) && (r.openAtEnd(p) || r.covered.Contains(p.Closed))
			},
			func(p Problem) bool { return !r.openAtEnd(p) && p.Cause != "" })
	case KPIUtilisation:
		f.Value, f.N = r.utilisation()
	}
	f.judge()
	return f, nil
}

func (k *KeyFigure) judge() {
	switch {
	case !k.Target.IsSet():
	case !k.Value.IsSet():
		k.Outcome = NoData
	case k.Target.Judge(k.Value.Rat()) == incident.Met:
		k.Outcome = Met
	default:
		k.Outcome = Missed
	}
}

// given reports whether there is anything to compute an optional figure from.
func (r reckoning) given(k KPI) bool {
	switch k {
	case KPIBackup, KPIRTO, KPIRPO:
		return len(r.evidence.Restores) > 0
	case KPICost:
		return slices.ContainsFunc(r.evidence.Incidents, func(in Incident) bool { return in.Cost.IsSet() })
	case KPIProblems:
		return len(r.evidence.Problems) > 0
	case KPIUtilisation:
		return len(r.evidence.Capacity) > 0
	default:
		return true
	}
}

// severity returns that of a mean time to restore.
func (k KPI) severity() incident.Severity {
	return incident.Severities[slices.Index(restoreKPIs[:], k)]
}

// first returns the first availability term, nil if there is none, and its
// services in the statement.
func (r reckoning) first() (*Term, []Measured) {
	for i := range r.agreement.contract.Terms {
		t := &r.agreement.contract.Terms[i]
		if t.Availability == nil {
			continue
		}
		var measured []Measured
		for _, m := range r.statement.Availability {
			if m.Term == t.ID {
				measured = append(measured, m)
			}
		}
		return t, measured
	}
	return nil, nil
}

func (r reckoning) uptime() (Figure, int) {
	t, measured := r.first()
	if t == nil {
		return Figure{}, 0
	}
	n := 0
	for _, m := range measured {
		if m.Value.IsSet() {
			n++
		}
	}
	for _, o := range r.statement.Overall {
		if o.Term == t.ID {
			return percentOf(o.Value), n
		}
	}
	return Figure{}, n
}

// betweenFailures returns the time up of all measured services together by the
// stretches of counted downtime.
func (r reckoning) betweenFailures() (Figure, int) {
	_, measured := r.first()
	up, failures := new(big.Int), 0
	for _, m := range measured {
		if m.Value.IsSet() {
			up.Add(up, big.NewInt(int64(m.Promised-m.Down)))
			failures += len(m.Downtime)
		}
	}
	if failures == 0 {
		return Figure{}, 0
	}
	return figureOf(new(big.Rat).SetFrac(up, big.NewInt(int64(failures)*int64(time.Second)))), failures
}

// coverage returns the watched part of the service hours of all services.
func (r reckoning) coverage() (Figure, int) {
	t, measured := r.first()
	if t == nil {
		return Figure{}, 0
	}
	hours := r.hours(t.Availability)
	if hours == 0 {
		return Figure{}, 0
	}
	of, watched := new(big.Int), new(big.Int)
	for _, m := range measured {
		of.Add(of, big.NewInt(int64(hours)))
		watched.Add(watched, big.NewInt(int64(hours-m.Unknown)))
	}
	share := new(big.Rat).SetFrac(watched, of)
	return figureOf(share.Mul(share, big.NewRat(100, 1))), len(measured)
}

func (r reckoning) hours(a *Availability) time.Duration {
	return calendar.Total(r.agreement.calendars[a.ServiceHours].Expand(r.covered.Start, r.covered.End))
}

// compliance returns the share of services and ended clocks that met their
// target.
func (r reckoning) compliance() (Figure, int) {
	met, all := 0, 0
	for _, m := range r.statement.Availability {
		switch m.Outcome {
		case Met:
			met, all = met+1, all+1
		case Missed:
			all++
		default: // nothing to judge
		}
	}
	for _, c := range r.statement.Clocks {
		met, all = met+c.Met, all+c.Met+c.Missed
	}
	return FigureOf(100*int64(met), int64(all)), all
}

// opened counts the incidents opened; the zero severity is all.
func (r reckoning) opened(s incident.Severity) int {
	n := 0
	for _, in := range r.evidence.Incidents {
		if (s == 0 || in.Severity == s) && r.covered.Contains(in.Opened) {
			n++
		}
	}
	return n
}

func (r reckoning) satisfaction() (Figure, int) {
	var scores []int
	for _, in := range r.evidence.Incidents {
		if in.Satisfaction > 0 && r.covered.Contains(in.Resolved) {
			scores = append(scores, in.Satisfaction)
		}
	}
	return figureOf(incident.MeanScore(scores)), len(scores)
}

func (r reckoning) cost() (incident.Cost, error) {
	var costs []money.Amount
	for _, in := range r.evidence.Incidents {
		if r.covered.Contains(in.Opened) {
			costs = append(costs, in.Cost)
		}
	}
	cost, err := incident.CostOf(costs)
	if err != nil {
		return incident.Cost{}, fmt.Errorf("%s: %w", KPICost, err)
	}
	return cost, nil
}

func (r reckoning) changes() ChangeStatistics {
	var s ChangeStatistics
	for _, c := range r.evidence.Changes {
		if c.End.IsZero() || !r.covered.Contains(c.End) {
			continue
		}
		switch {
		case c.Outcome == ChangeCancelled:
			s.Cancelled++
			continue
		case c.Outcome == ChangeSuccess && c.CausedIncident == "":
			s.Success++
		case c.Outcome == ChangeSuccess:
			s.CausedIncident++
		case c.Outcome == ChangeFailed:
			s.Failed++
		case c.Outcome == ChangeRolledBack:
			s.RolledBack++
		default:
			continue // not finished
		}
		s.Total++
		if c.Kind == EmergencyChange {
			s.Emergency++
		}
	}
	s.SuccessShare = fractionOfCounts(uint64(s.Success), uint64(s.Total))
	return s
}

// approval is the time that the approval of an emergency change took.
func (r reckoning) approval(c Change) (time.Duration, bool) {
	if c.Kind != EmergencyChange || c.Requested.IsZero() || !r.covered.Contains(c.Approved) {
		return 0, false
	}
	return max(c.Approved.Sub(c.Requested), 0), true
}

// notice returns the shortest notice of the planned windows that started. One
// that was not announced, or afterwards, had none.
func (r reckoning) notice() (Figure, int) {
	shortest, n := time.Duration(0), 0
	for _, m := range r.evidence.Maintenance {
		if m.Cancelled || m.Emergency || !r.covered.Contains(m.Start) {
			continue
		}
		given := time.Duration(0)
		if !m.Announced.IsZero() {
			given = max(m.Start.Sub(m.Announced), 0)
		}
		if n++; n == 1 || given < shortest {
			shortest = given
		}
	}
	if n == 0 {
		return Figure{}, 0
	}
	return secondsOf(shortest), n
}

// proven reports whether the data came back and was found to be right.
func (p Restore) proven() bool { return !p.Restored.IsZero() && !p.Verified.IsZero() }

// recovery is the time until the service was proven to be back, from its loss
// or, in a test, from the start of the restore.
func (r reckoning) recovery(p Restore) (time.Duration, bool) {
	if !p.proven() || !r.covered.Contains(p.Verified) {
		return 0, false
	}
	from := p.FailedAt
	if from.IsZero() {
		from = p.Started
	}
	return max(p.Verified.Sub(from), 0), true
}

// dataLost is the time between the newest data that came back and the loss.
func (r reckoning) dataLost(p Restore) (time.Duration, bool) {
	if !p.proven() || !r.covered.Contains(p.Verified) || p.FailedAt.IsZero() || p.Newest.IsZero() {
		return 0, false
	}
	return max(p.FailedAt.Sub(p.Newest), 0), true
}

// share returns the percentage of the items that count for which hit holds.
func share[T any](items []T, counts, hit func(T) bool) (Figure, int) {
	hits, n := 0, 0
	for _, item := range items {
		if !counts(item) {
			continue
		}
		n++
		if hit(item) {
			hits++
		}
	}
	return FigureOf(100*int64(hits), int64(n)), n
}

func (r reckoning) openAtEnd(p Problem) bool {
	return p.Closed.IsZero() || !p.Closed.Before(r.covered.End)
}

// utilisation returns the time used of the time available, of the stretches that
// begin in the covered time.
func (r reckoning) utilisation() (percent Figure, n int) {
	used, available := new(big.Int), new(big.Int)
	for _, c := range r.evidence.Capacity {
		if r.covered.Contains(c.Start) {
			n++
			used.Add(used, big.NewInt(int64(c.Used)))
			available.Add(available, big.NewInt(int64(c.Available)))
		}
	}
	if available.Sign() == 0 {
		return Figure{}, 0
	}
	return figureOf(new(big.Rat).SetFrac(used.Mul(used, big.NewInt(100)), available)), n
}

// longest returns the longest of the durations that there are.
func longest[T any](items []T, length func(T) (time.Duration, bool)) (Figure, int) {
	var most time.Duration
	n := 0
	for _, item := range items {
		if d, ok := length(item); ok {
			n++
			most = max(most, d)
		}
	}
	if n == 0 {
		return Figure{}, 0
	}
	return secondsOf(most), n
}

// lapse is a stretch in the life of an incident: how long it took and when it
// ended.
type lapse func(Incident) (took time.Duration, end time.Time, ok bool)

func detectTime(in Incident) (time.Duration, time.Time, bool) {
	return max(in.Detected.Sub(in.Started), 0), in.Detected, !in.Started.IsZero() && !in.Detected.IsZero()
}

func acknowledgeTime(in Incident) (time.Duration, time.Time, bool) {
	return max(in.Acknowledged.Sub(in.Opened), 0), in.Acknowledged, !in.Acknowledged.IsZero()
}

// restoreTime runs from the detection, or where that is not recorded from the
// opening, without the waits for the customer.
func restoreTime(in Incident) (time.Duration, time.Time, bool) {
	if in.Resolved.IsZero() {
		return 0, time.Time{}, false
	}
	from := in.Detected
	if from.IsZero() {
		from = in.Opened
	}
	var waits []calendar.Interval
	for _, p := range in.Pauses {
		if p.End.IsZero() || p.End.After(in.Resolved) {
			p.End = in.Resolved
		}
		if p.Start.Before(p.End) {
			waits = append(waits, p)
		}
	}
	set, err := calendar.Normalize(waits)
	if err != nil {
		return 0, time.Time{}, false // the evidence has been checked
	}
	return calendar.Always().Elapsed(from, in.Resolved, set), in.Resolved, true
}

// timing sums up a stretch over the incidents of a severity that ended it in the
// covered time; the zero severity is all.
func (r reckoning) timing(l lapse, s incident.Severity) Timing {
	var took []time.Duration
	for _, in := range r.evidence.Incidents {
		if s != 0 && in.Severity != s {
			continue
		}
		if d, end, ok := l(in); ok && r.covered.Contains(end) {
			took = append(took, d)
		}
	}
	return timingOf(took)
}

// timingOf sorts the durations.
func timingOf(took []time.Duration) Timing {
	if len(took) == 0 {
		return Timing{}
	}
	slices.Sort(took)
	sum := new(big.Int)
	for _, d := range took {
		sum.Add(sum, big.NewInt(int64(d)))
	}
	p95, _ := incident.Percentile(took, big.NewRat(19, 20), incident.Linear) // constants
	return Timing{
		N: len(took), Mean: figureOf(new(big.Rat).SetFrac(sum, big.NewInt(int64(len(took))*int64(time.Second)))), P95: figureOf(p95),
	}
}
