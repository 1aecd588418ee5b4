package escalation

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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

func (t Training) check(p problems) {
	if t.Topic == "" {
		p.at("topic").add("", "a topic")
	}
	if t.Held != "" {
		parseDate(t.Held, p.at("held"))
	}
	if t.EveryMonths < 1 || t.EveryMonths > 120 {
		p.at("every_months").add(strconv.Itoa(t.EveryMonths), "1 to 120")
	}
}

// due returns the date on which the training is to be refreshed, at the end of a
// month that does not have the day; ok is false for one that was never held.
func (t Training) due() (day int64, ok bool) {
	held, ok := dateNumber(t.Held)
	if !ok {
		return 0, false
	}
	day, _ = date(wallclock.AddMonths(utc(held*secondsPerDay), t.EveryMonths).Unix())
	return day, true
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
// is a [*ConfigError] for a date that cannot be read.
func (s *SupportLines) TrainingDue(on string) ([]TrainingDue, error) {
	p := newProblems()
	today := parseDate(on, p.at("on"))
	if err := p.err(); err != nil {
		return nil, err
	}
	out := []TrainingDue{}
	for _, l := range s.list {
		for _, t := range l.Training {
			item := TrainingDue{Line: l.Line, Name: l.Name, Training: t}
			if day, held := t.due(); held {
				item.Due, item.Days = dateText(day), int(today-day)
			}
			if item.Days >= 0 {
				out = append(out, item)
			}
		}
	}
	slices.SortFunc(out, func(a, b TrainingDue) int {
		return cmp.Or(compareBool(a.Due != "", b.Due != ""), cmp.Compare(b.Days, a.Days), cmp.Compare(a.Line, b.Line), strings.Compare(a.Topic, b.Topic))
	})
	return out, nil
}
