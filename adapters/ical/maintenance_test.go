package ical_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/sla"
)

func at(day, hour int) time.Time { return time.Date(2026, 10, day, hour, 0, 0, 0, time.UTC) }

var windows = []sla.Maintenance{
	{Ref: "MW-2", Service: "checkout", Start: at(20, 2), End: at(20, 4), Announced: at(10, 9), Title: "Größere Platten; neue Datenbank, Umzug aller Bestände in das zweite Rechenzentrum über Nacht\nDanach: Prüfung"},
	{Ref: "MW-1", Service: "*", Start: at(12, 1).In(time.FixedZone("", 7200)), End: at(12, 3).Add(time.Millisecond), Announced: at(1, 8), Cancelled: true},
	{Ref: "MW-3", Start: at(20, 2), End: at(20, 3), Announced: at(19, 9), Emergency: true},
}

// The lines are those that RFC 5545 asks for, written out by hand. The long one is
// folded into lines of at most 75 octets.
func TestMaintenance(t *testing.T) {
	c := ical.MaintenanceCalendar{Name: "Acme, maintenance", Domain: "acme.example.net", Services: map[string]string{"checkout": "Checkout"}}
	var b bytes.Buffer
	ok(t, c.Write(&b, windows))
	text := b.String()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q: want at most 75 octets of UTF-8", line)
		}
	}
	want := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//evenkeel//maintenance//EN", "CALSCALE:GREGORIAN", `NAME:Acme\, maintenance`, `X-WR-CALNAME:Acme\, maintenance`,
		"REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
		"BEGIN:VEVENT", "UID:MW-1@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:1", "DTSTART:20261012T010000Z", "DTEND:20261012T030001Z",
		"SUMMARY:Maintenance of all services", "STATUS:CANCELLED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:MW-2@acme.example.net", "DTSTAMP:20261010T090000Z", "SEQUENCE:0", "DTSTART:20261020T020000Z", "DTEND:20261020T040000Z",
		`SUMMARY:Maintenance of Checkout: Größere Platten\; neue Datenbank\, Umzug aller Bestände in das zweite Rechenzentrum über Nacht\nDanach: Prüfung`,
		"STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:MW-3@acme.example.net", "DTSTAMP:20261019T090000Z", "SEQUENCE:0", "DTSTART:20261020T020000Z", "DTEND:20261020T030000Z",
		"SUMMARY:Emergency maintenance of all services", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"END:VCALENDAR", "",
	}
	same(t, want, strings.Split(strings.ReplaceAll(text, "\r\n ", ""), "\r\n"))

	var again bytes.Buffer
	ok(t, c.Write(&again, []sla.Maintenance{windows[2], windows[0], windows[1]}))
	same(t, text, again.String())

	c.Stamp = at(2, 0)
	again.Reset()
	ok(t, c.Write(&again, windows))
	same(t, 3, strings.Count(again.String(), "DTSTAMP:20261002T000000Z\r\n"))
}

// What is written can be read again, with the titles as they were.
func TestMaintenanceRoundTrip(t *testing.T) {
	var b bytes.Buffer
	ok(t, ical.MaintenanceCalendar{Domain: "acme.example.net"}.Write(&b, windows))
	got, err := ical.Holidays(&b, year(2026), year(2027), nil, ical.Options{})
	ok(t, err)
	same(t, "Maintenance of checkout: "+strings.ReplaceAll(windows[0].Title, "\n", " ")+" (02:00 to 04:00); Emergency maintenance of all services (02:00 to 03:00)", got.Why("2026-10-20"))
	same(t, "cancelled", got.Skipped[0].Reason)
}

func TestMaintenanceErrors(t *testing.T) {
	good := sla.Maintenance{Ref: "MW-1", Start: at(1, 1), End: at(1, 2), Announced: at(1, 0)}
	with := func(change func(m *sla.Maintenance)) sla.Maintenance {
		m := good
		change(&m)
		return m
	}
	for _, c := range []struct {
		name     string
		domain   string
		windows  []sla.Maintenance
		property string
	}{
		{"no domain", "", []sla.Maintenance{good}, "domain"},
		{"domain", "a\r\nb", []sla.Maintenance{good}, "domain"},
		{"no ref", "x", []sla.Maintenance{with(func(m *sla.Maintenance) { m.Ref = "" })}, "maintenance[0].ref"},
		{"ref twice", "x", []sla.Maintenance{good, good}, "maintenance[1].ref"},
		{"no length", "x", []sla.Maintenance{good, with(func(m *sla.Maintenance) { m.Ref, m.End = "MW-2", m.Start })}, "maintenance[1].end"},
		{"never announced", "x", []sla.Maintenance{with(func(m *sla.Maintenance) { m.Announced = time.Time{} })}, "maintenance[0].announced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			err := ical.MaintenanceCalendar{Domain: c.domain}.Write(&b, c.windows)
			same(t, c.property, refused(t, err).Property)
			same(t, 0, b.Len())
		})
	}
	broken := errors.New("broken")
	if err := (ical.MaintenanceCalendar{Domain: "x"}).Write(full{broken}, []sla.Maintenance{good}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }
