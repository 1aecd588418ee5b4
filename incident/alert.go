package incident

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Alert is one alert on its way to a person. Alerts that are suppressed on
// purpose are told with the one that stands for them and do not belong here.
type Alert struct {
	Tenant  string       `json:"tenant,omitempty"`
	ID      string       `json:"id"`
	Fired   time.Time    `json:"fired"`            // the event
	Stored  time.Time    `json:"stored,omitzero"`  // it would survive a crash
	Told    time.Time    `json:"told,omitzero"`    // the first message about it was accepted
	Outcome AlertOutcome `json:"outcome,omitzero"` // empty while it is not known
}

// AlertOutcome says whether an alert was right.
type AlertOutcome string

// The outcomes.
const (
	AlertTrue  AlertOutcome = "true"
	AlertFalse AlertOutcome = "false" // nothing had to be done
)

// ProcessingTime runs from the event until the alert is both stored and told; ok
// is false until then.
func (a Alert) ProcessingTime() (l Lapse, ok bool) {
	if a.Stored.IsZero() {
		return Lapse{}, false
	}
	done := a.Told
	if !done.IsZero() && a.Stored.After(done) {
		done = a.Stored
	}
	return lapse(a.Fired, done)
}

// AlertFigures are the key figures of a set of alerts.
type AlertFigures struct {
	Storing        Durations `json:"alert_storing_time"`
	Processing     Durations `json:"alert_processing_time"`
	Untold         Durations `json:"alert_untold"` // how long those that are not told have waited at the instant
	Kept           Share     `json:"alert_processing_kept"`
	FalsePositives Share     `json:"false_positive_rate"` // of those whose outcome is known
}

// AlertFiguresOf returns the key figures of the alerts that fired in a period; an
// empty one is all time. The processing time is judged by [KPIAlertProcessing]; an
// alert that is not told has missed it as soon as it cannot be kept any more at the
// instant at, and is undecided before, and always for a zero at.
func AlertFiguresOf(alerts []Alert, period calendar.Interval, targets KPITargets, at time.Time) AlertFigures {
	f := AlertFigures{Storing: Durations{Of: "alert fired to stored"}, Processing: Durations{Of: "alert fired to stored and told"}, Untold: Durations{Of: "alert fired and not told"}}
	target := targets[KPIAlertProcessing]
	for _, a := range alerts {
		if !period.IsEmpty() && !period.Contains(a.Fired) {
			continue
		}
		f.Storing.addLapse(lapse(a.Fired, a.Stored))
		l, ok := a.ProcessingTime()
		f.Processing.addLapse(l, ok)
		verdict := target.JudgeDuration(l.Duration)
		if !ok {
			verdict = Undecided
			if !at.IsZero() && !a.Fired.IsZero() && !at.Before(a.Fired) {
				waits, _ := lapse(a.Fired, at)
				f.Untold.addLapse(waits, true)
				verdict = target.soFar(waits.Duration)
			}
		}
		tally(&f.Kept, verdict != Undecided, verdict == Met)
		tally(&f.FalsePositives, a.Outcome != "", a.Outcome == AlertFalse)
	}
	f.Storing.finish()
	f.Processing.finish()
	f.Untold.finish()
	return f
}
