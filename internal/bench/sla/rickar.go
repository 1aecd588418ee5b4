package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rickar/cal/v2"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

const rickarName = "rickar/cal v2.1.13"

// newRickar sets its calendar to a schedule. The error says what its settings
// cannot express. It also takes functions that tell workday, start and end of
// any date; they are not used, because then the caller writes the schedule.
func newRickar(h calendar.Hours) (*cal.BusinessCalendar, error) {
	if len(h.Special) > 0 {
		return nil, inexpressible("special dates")
	}
	c := cal.NewBusinessCalendar()
	var hours calendar.Span
	for day := time.Sunday; day <= time.Saturday; day++ {
		spans := h.Week[day]
		c.SetWorkday(day, len(spans) > 0)
		if len(spans) == 0 {
			continue
		}
		if len(spans) > 1 {
			return nil, inexpressible("two spans a day")
		}
		if hours != (calendar.Span{}) && hours != spans[0] {
			return nil, inexpressible("other hours on other days")
		}
		hours = spans[0]
	}
	if hours == (calendar.Span{}) {
		return nil, inexpressible("no working time")
	}
	c.SetWorkHours(sinceMidnight(hours.From), sinceMidnight(hours.To))
	for _, text := range h.Holidays {
		date, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return nil, err
		}
		c.AddHoliday(&cal.Holiday{
			StartYear: date.Year(), EndYear: date.Year(), Month: date.Month(), Day: date.Day(), Func: cal.CalcDayOfMonth,
		})
	}
	return c, nil
}

// inexpressible names what a peer has no setting for.
type inexpressible string

// Error says what is missing.
func (i inexpressible) Error() string { return "not expressible: " + string(i) }

// sinceMidnight reads "HH:MM"; calendar.New has checked it.
func sinceMidnight(clock string) time.Duration {
	hours, minutes, _ := strings.Cut(clock, ":")
	return must(time.ParseDuration(fmt.Sprintf("%sh%sm", hours, minutes)))
}
