package calendar_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A ticket that comes in on Thursday before Easter, with four working hours to
// go and one hour spent waiting for the customer.
func Example() {
	cal, err := calendar.New(calendar.Hours{
		Zone:     "Europe/Amsterdam",
		Week:     calendar.MondayToFriday("09:00", "18:00"),
		Holidays: []string{"2026-04-03", "2026-04-06"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	received := time.Date(2026, 4, 2, 14, 30, 0, 0, time.UTC) // 16:30 in Amsterdam
	pauses := []calendar.Interval{{Start: received, End: received.Add(time.Hour)}}

	due, err := cal.Due(received, 4*time.Hour, pauses)
	fmt.Println(due.In(cal.Location()).Format(time.RFC1123), err)
	// Output: Tue, 07 Apr 2026 12:30:00 CEST <nil>
}

// Two monitors saw the same outage; the announced window does not count.
func ExampleSubtract() {
	hour := func(h, m int) time.Time { return time.Date(2026, 4, 10, h, m, 0, 0, time.UTC) }
	outages, err := calendar.Normalize([]calendar.Interval{
		{Start: hour(2, 30), End: hour(5, 0)},
		{Start: hour(2, 0), End: hour(3, 0)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	maintenance := []calendar.Interval{{Start: hour(2, 0), End: hour(4, 0)}}
	down := calendar.Subtract(outages, maintenance)
	fmt.Println(down, calendar.Total(down))
	// Output: [[2026-04-10T04:00:00Z, 2026-04-10T05:00:00Z)] 1h0m0s
}

func ExampleCalendar_NextBusinessDay() {
	cal, err := calendar.New(calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")})
	if err != nil {
		fmt.Println(err)
		return
	}
	saturday := time.Date(2026, 4, 11, 8, 0, 0, 0, time.UTC)
	for _, mode := range []calendar.NextDayMode{calendar.AfterReceipt, calendar.AfterOpening} {
		day, err := cal.NextBusinessDay(saturday, calendar.NextDayRule{Mode: mode})
		fmt.Println(mode, day.Due.In(cal.Location()).Format(time.RFC1123), err)
	}
	// Output:
	// receipt_date Mon, 13 Apr 2026 18:00:00 CEST <nil>
	// effective_receipt Tue, 14 Apr 2026 18:00:00 CEST <nil>
}
