package page_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A customer with two services, one of which is down.
func ExampleTenant_Write() {
	now := time.Date(2026, 10, 28, 9, 30, 0, 0, time.UTC)
	tenant := &page.Tenant{
		ID: "acme", Name: "Acme", At: now, Zone: time.UTC,
		Services: []page.Service{{ID: "shop", Name: "Web shop"}, {ID: "pay", Name: "Payments"}},
		Evidence: sla.Evidence{
			Observed: calendar.Interval{Start: now.AddDate(0, -1, 0), End: now},
			Outages:  []sla.Outage{{Ref: "INC-1", Service: "shop", Start: now.Add(-25 * time.Minute)}},
		},
	}
	fmt.Println(tenant.Pages(page.Options{Static: true}))
	for _, c := range tenant.Conditions() {
		fmt.Println(c.Service, c.State, c.Refs)
	}
	var b strings.Builder
	if err := tenant.Write(&b, page.Status, page.Options{Static: true, Locale: "nl"}); err != nil {
		fmt.Println(err)
	}
	_, rest, _ := strings.Cut(b.String(), `<p class="lead breached">`)
	lead, _, _ := strings.Cut(rest, "</p>")
	fmt.Println(lead)
	// Output:
	// [index incidents maintenance help]
	// shop breached [INC-1]
	// pay healthy []
	// <span class="state breached"><span aria-hidden="true">✕</span> storing</span>
}
