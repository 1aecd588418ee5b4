package sla_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// A ticket waits for the customer, is raised, and is due earlier for it: the wait
// still counts. The next transition is when to look again.
func ExampleTicket() {
	contract := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom)
	agreement, err := sla.Compile(contract)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := func(hour, minute int) time.Time { return time.Date(2026, 10, 14, hour, minute, 0, 0, time.UTC) }
	ticket := sla.NewTicket("INC-110")
	err = ticket.Replay(slices.Values([]sla.TicketEvent{
		{Kind: sla.TicketOpened, At: at(8, 0), Severity: incident.P2},
		{Kind: sla.TicketResponded, At: at(8, 10)},
		{Kind: sla.TicketPaused, At: at(8, 30)},
		{Kind: sla.TicketResumed, At: at(9, 30)},
		{Kind: sla.TicketSeverity, At: at(10, 0), Severity: incident.P1},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, now := range []time.Time{at(9, 45), at(10, 15)} {
		clocks, err := agreement.Clocks(ticket.Incident(), now)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, c := range clocks {
			fmt.Println(now.Format("15:04"), c.Severity, c.Clause, c.Outcome, "due", c.Due.Format("15:04"), "used", c.Elapsed)
			if !c.NextTransition.IsZero() {
				fmt.Println("      look again at", c.NextTransition.Format("15:04"))
			}
		}
	}
	fmt.Println(ticket.Apply(sla.TicketEvent{Kind: sla.TicketResumed, At: at(10, 30)}))
	// Output:
	// 09:45 P2 response met due 08:15 used 10m0s
	// 09:45 P2 resolution pending due 17:00 used 45m0s
	//       look again at 13:00
	// 10:15 P2 response met due 08:15 used 10m0s
	// 10:15 P1 resolution pending due 11:00 used 1h15m0s
	//       look again at 10:30
	// sla: ticket "INC-110" event 5 (resumed at 2026-10-14T10:30:00Z): open, want a waiting ticket
}
