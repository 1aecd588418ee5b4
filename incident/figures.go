package incident

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// FiguresOptions choose what [Compute] counts.
type FiguresOptions struct {
	// Period selects the incidents: durations count where the incident was
	// resolved in it, counts and shares where it was declared in it. Defaults to
	// all of them.
	Period calendar.Interval
	// Resolution is the reading of MTTR. Defaults to [MTTR], detection to
	// resolution.
	Resolution Span
	// Targets are judged over Resolution. Defaults to none.
	Targets Targets
	// At is the instant at which open incidents are judged. Defaults to never:
	// they stay undecided.
	At time.Time
}

// Figures are the key figures of a set of incidents. Each says over how many it
// was taken; without data it is null. Cancelled and merged incidents are in
// FalseAlarms and Merged only.
type Figures struct {
	Period       calendar.Interval `json:"period,omitzero"`
	Volume       int               `json:"volume"`
	BySeverity   map[Severity]int  `json:"by_severity"`
	Undated      int               `json:"undated"` // never declared, so in no period; not in Volume
	Merged       int               `json:"merged"`  // counted with the incident that they are part of
	FalseAlarms  Share             `json:"false_alarm_rate"`
	MTTD         Durations         `json:"mttd"`
	MTTA         Durations         `json:"mtta"`
	MTTR         Durations         `json:"mttr"`
	FirstContact Share             `json:"first_contact_resolution"`
	Escalated    Share             `json:"escalation_rate"`
	Reopened     Share             `json:"reopen_rate"`
	SeenByUser   Share             `json:"detected_by_user_rate"`
	Kept         Share             `json:"target_compliance"`
	Cost         Cost              `json:"cost"`
}

// Compute returns the key figures in one pass over the records and one sort
// per duration. The error is that of [CostOf].
func Compute(records []Record, o FiguresOptions) (Figures, error) {
	if o.Resolution == 0 {
		o.Resolution = MTTR
	}
	f := Figures{
		Period: o.Period, BySeverity: map[Severity]int{},
		MTTD: Durations{Span: MTTD}, MTTA: Durations{Span: MTTA}, MTTR: Durations{Span: o.Resolution},
	}
	within := func(t time.Time) bool { return o.Period.IsEmpty() || o.Period.Contains(t) }
	var costs []money.Amount
	for i := range records {
		r := &records[i]
		switch created := within(r.Times.Created); {
		case r.Status == Merged && created:
			f.Merged++
		case r.Status == Cancelled && created:
			tally(&f.FalseAlarms, true, true)
		}
		if r.Status == Merged || r.Status == Cancelled {
			continue
		}
		if within(r.Times.Resolved) {
			for _, d := range []*Durations{&f.MTTD, &f.MTTA, &f.MTTR} {
				d.add(r)
			}
		}
		switch created := r.Times.Created; {
		case created.IsZero():
			f.Undated++
		case within(created):
			f.count(r, o)
			costs = append(costs, r.Cost)
		}
	}
	for _, d := range []*Durations{&f.MTTD, &f.MTTA, &f.MTTR} {
		d.finish()
	}
	var err error
	if f.Cost, err = CostOf(costs); err != nil {
		return Figures{}, fmt.Errorf("figures: %w", err)
	}
	return f, nil
}

// count adds one incident to the counts and shares.
func (f *Figures) count(r *Record, o FiguresOptions) {
	f.Volume++
	f.BySeverity[r.Severity]++
	tally(&f.FalseAlarms, true, false)
	tally(&f.Escalated, true, r.Escalations > 0)
	tally(&f.Reopened, true, r.Reopens > 0)
	tally(&f.FirstContact, !r.Times.Resolved.IsZero(), r.FirstContact)
	tally(&f.SeenByUser, r.DetectedBy != "", r.DetectedBy == ByUser)
	if target := o.Targets[r.Severity]; target.IsSet() {
		verdict := judge(*r, o.Resolution, target, o.At).Verdict
		tally(&f.Kept, verdict != Undecided, verdict == Met)
	}
}
