package portal

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// maintenanceCalendar serves the maintenance windows as a calendar.
func (v *visit) maintenanceCalendar() {
	v.show(calendarType, "maintenance.ics", func() ([]byte, error) {
		return render(func(b *bytes.Buffer) error { return writeMaintenance(b, v.page, v.base) })
	})
}

func writeMaintenance(b *bytes.Buffer, t *page.Tenant, base site) error {
	c := ical.MaintenanceCalendar{Name: cmp.Or(t.Name, t.ID), Domain: base.domain(t.ID), Services: serviceNames(t)}
	windows := make([]sla.Maintenance, 0, len(t.Maintenance))
	for _, m := range t.Maintenance {
		if !m.End.After(m.Start) || m.Ref == "" {
			continue // no time at all or no name, which a calendar cannot hold
		}
		if m.Announced.IsZero() {
			m.Announced = m.Start // the stamp has to be some instant that stays
		}
		if strings.ContainsFunc(m.Ref, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			m.Ref = tagPart(m.Ref) // an identity has no blanks
		}
		windows = append(windows, m.Maintenance)
	}
	return c.Write(b, windows)
}

func serviceNames(t *page.Tenant) map[string]string {
	names := map[string]string{}
	for _, s := range t.Services {
		names[s.ID] = s.Name
	}
	return names
}

// ahead is how far calendars look: a year, and back a month for what is under way.
func ahead(now time.Time) calendar.Interval {
	return calendar.Interval{Start: now.AddDate(0, -1, 0), End: now.AddDate(1, 0, 0)}
}

// keyDateCalendar serves the key dates as a calendar.
func (v *visit) keyDateCalendar() {
	if len(v.tenant.KeyDates) == 0 {
		v.deny()
		return
	}
	v.show(calendarType, "key-dates.ics", func() ([]byte, error) {
		return render(func(b *bytes.Buffer) error { return writeKeyDates(b, v.page, v.tenant.KeyDates, v.base) })
	})
}

func writeKeyDates(b *bytes.Buffer, t *page.Tenant, dates []continuity.KeyDate, base site) error {
	c := ical.KeyDateCalendar{Name: cmp.Or(t.Name, t.ID), Domain: base.domain(t.ID), Stamp: t.At.UTC().Truncate(24 * time.Hour), Services: serviceNames(t)}
	return c.Write(b, dates, ahead(t.At))
}

// shifts serves who is on call, for the operations: names of engineers are nobody
// else's business.
func (p *snapshot) shifts(w http.ResponseWriter, r *http.Request) {
	now := p.config.Now()
	span := ahead(now)
	c := ical.DutyCalendar{Name: p.config.Brand.Name, Domain: p.base.host, Stamp: now.UTC().Truncate(24 * time.Hour)}
	body, err := render(func(b *bytes.Buffer) error {
		return c.Shifts(b, p.config.Roster, ical.ShiftQuery{From: span.Start, Until: span.End})
	})
	if err != nil {
		p.logged(r.Context(), "shifts", err)
		deny(w, r)
		return
	}
	w.Header().Set("Content-Type", calendarType)
	send(w, r, http.StatusOK, body)
}
