package incident_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// someTime is an instant around March 2026, or none.
func someTime(r *rand.Rand) time.Time {
	if r.IntN(5) == 0 {
		return time.Time{}
	}
	return time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(50 * 24 * time.Hour))))
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func variedChange(r *rand.Rand) incident.Change {
	window := someTime(r)
	return incident.Change{
		Tenant: pick(r, "acme", "globex"), ID: fmt.Sprint("CHG-", r.IntN(80)),
		Kind:      pick(r, incident.StandardChange, incident.NormalChange, incident.EmergencyChange),
		Result:    pick(r, "", incident.ChangeOK, incident.ChangeFailed, incident.ChangeRolledBack, incident.ChangeCancelled),
		Requested: someTime(r), Approved: someTime(r), Announced: someTime(r), Ended: someTime(r),
		RequestedBy: pick(r, "", "ann", "bob"), ApprovedBy: pick(r, "", "cy"),
		Window: calendar.Interval{Start: window, End: window.Add(time.Hour)}, Caused: pick(r, nil, []string{"INC-1"}),
	}
}

func variedProblem(r *rand.Rand) incident.Problem {
	return incident.Problem{
		Tenant: pick(r, "acme", "globex"), ID: fmt.Sprint("PRB-", r.IntN(80)), State: pick(r, incident.ProblemOpen, incident.KnownError, incident.ProblemSolved),
		Opened: someTime(r), Known: someTime(r), Closed: someTime(r),
	}
}

// checkStream is the law that streaming figures are those of the batch: for a random
// stream of records that replace each other, of removals, and of windows that move.
func checkStream[R, F any](t *testing.T, varied func(*rand.Rand) R, key func(R) [2]string, meter *incident.MeterOf[R, F], batch func([]R, calendar.Interval, time.Time) F) {
	t.Helper()
	r := rand.New(rand.NewPCG(17, 18))
	known, period := map[[2]string]R{}, calendar.Interval{}
	for i := range 4000 {
		record := varied(r)
		switch r.IntN(8) {
		case 0:
			meter.Remove(key(record)[0], key(record)[1])
			delete(known, key(record))
		default:
			meter.Update(record)
			known[key(record)] = record
		}
		if i%400 == 399 {
			start := time.Date(2026, 2, 20+r.IntN(40), 0, 0, 0, 0, time.UTC)
			period = pick(r, calendar.Interval{}, incident.Month(2026, time.March, time.UTC), calendar.Interval{Start: start, End: start.AddDate(0, 0, 7)})
			meter.Slide(period)
		}
		if i%50 != 0 {
			continue
		}
		at := someTime(r)
		var all []R
		for _, record := range known {
			all = append(all, record)
		}
		if got, want := asJSON(t, meter.Figures(at)), asJSON(t, batch(all, period, at)); got != want || meter.Len() != len(all) {
			t.Fatalf("after %d records, %d left: Figures = %s\nof %d, want %s", i+1, meter.Len(), got, len(all), want)
		}
	}
}

func TestChangeMeterAgreesWithBatch(t *testing.T) {
	targets := incident.DefaultKPITargets()
	checkStream(t, variedChange, func(c incident.Change) [2]string { return [2]string{c.Tenant, c.ID} },
		incident.NewChangeMeter(calendar.Interval{}, targets),
		func(changes []incident.Change, period calendar.Interval, at time.Time) incident.ChangeFigures {
			return incident.ChangeFiguresOf(changes, period, targets, at)
		})
}

func TestProblemMeterAgreesWithBatch(t *testing.T) {
	checkStream(t, variedProblem, func(p incident.Problem) [2]string { return [2]string{p.Tenant, p.ID} },
		incident.NewProblemMeter(calendar.Interval{}), func(problems []incident.Problem, period calendar.Interval, _ time.Time) incident.ProblemFigures {
			return incident.ProblemFiguresOf(problems, period)
		})
}
