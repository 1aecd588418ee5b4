package support

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Training is something that the people of a support line have to learn again and
// again.
type Training struct {
	Topic string `json:"topic"`

	// Held is the date like "2026-04-27" of the last one; empty for never.
	Held string `json:"held,omitempty"`

	// EveryMonths is after how many calendar months it is to be refreshed, 1 to
	// 120.
	EveryMonths int `json:"every_months"`
}

func (t Training) check(p problem.List) {
	if t.Topic == "" {
		p.At("topic").Add("", "a topic")
	}
	if t.Held != "" {
		p.At("held").Date(t.Held)
	}
	if t.EveryMonths < 1 || t.EveryMonths > 120 {
		p.At("every_months").Add(strconv.Itoa(t.EveryMonths), "1 to 120")
	}
}

const secondsPerDay = 24 * 60 * 60

// due returns the date on which the training is to be refreshed, at the end of a
// month that does not have the day; ok is false for one that was never held.
func (t Training) due() (date time.Time, ok bool) {
	held, err := time.Parse(time.DateOnly, t.Held)
	if err != nil {
		return time.Time{}, false
	}
	return wallclock.AddMonths(held, t.EveryMonths), true
}

// TrainingDue is a training that is to be refreshed.
type TrainingDue struct {
	Line int    `json:"line"`
	Name string `json:"name"`
	Training

	// Due is the date on which it is to be refreshed, counted in calendar months
	// from the last one: from 31 January after one month on 28 February. It is empty
	// for a training that was never held, which is due at once. Days is how long it
	// is overdue, 0 on the date and for one never held.
	Due  string `json:"due,omitempty"`
	Days int    `json:"days_overdue"`
}

// TrainingDue returns what is to be refreshed on or before a date like
// "2026-10-01", those never held first, then by due date, line and topic. The error
// is a [*escalation.ConfigError] for a date that cannot be read.
func (s *Lines) TrainingDue(on string) ([]TrainingDue, error) {
	p := problem.New()
	today := p.At("on").Date(on)
	if err := p.Err(); err != nil {
		return nil, err
	}
	out := []TrainingDue{}
	for _, l := range s.list {
		for _, t := range l.Training {
			item := TrainingDue{Line: l.Number, Name: l.Name, Training: t}
			if date, held := t.due(); held {
				item.Due, item.Days = date.Format(time.DateOnly), int((today.Unix()-date.Unix())/secondsPerDay)
			}
			if item.Days >= 0 {
				out = append(out, item)
			}
		}
	}
	slices.SortFunc(out, func(a, b TrainingDue) int {
		return cmp.Or(cmp.Compare(min(len(a.Due), 1), min(len(b.Due), 1)), cmp.Compare(b.Days, a.Days), cmp.Compare(a.Line, b.Line), strings.Compare(a.Topic, b.Topic))
	})
	return out, nil
}
