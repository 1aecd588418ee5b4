package wallclock_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

func wall(t *testing.T, s string) time.Time {
	t.Helper()
	w, err := time.Parse("2006-01-02T15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The transitions are those of the IANA database; Lord Howe moves by half an
// hour, Apia skipped 30 December 2011, Cairo and Havana change at midnight.
func TestResolve(t *testing.T) {
	for _, c := range []struct{ zone, wall, first, last string }{
		{"Europe/Amsterdam", "2026-07-01T12:00", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z"},
		{"Europe/Amsterdam", "2026-03-29T02:30", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"Europe/Amsterdam", "2026-10-25T02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"America/Chicago", "2026-03-08T02:30", "2026-03-08T08:00:00Z", "2026-03-08T08:00:00Z"},
		{"America/Chicago", "2026-11-01T01:30", "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"Africa/Cairo", "2026-04-24T00:30", "2026-04-23T22:00:00Z", "2026-04-23T22:00:00Z"},
		{"America/Havana", "2026-11-01T00:00", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"},
		{"Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15:00Z", "2025-12-31T18:15:00Z"},
		{"America/Indiana/Winamac", "2007-03-11T03:45", "2007-03-11T08:00:00Z", "2007-03-11T08:00:00Z"},
		{"Europe/Amsterdam", "2028-12-31T07:00", "2028-12-31T06:00:00Z", "2028-12-31T06:00:00Z"},
		{"UTC", "2024-02-29T23:59", "2024-02-29T23:59:00Z", "2024-02-29T23:59:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		w := wall(t, c.wall)
		if got := wallclock.Resolve(w, loc, wallclock.First).Format(time.RFC3339); got != c.first {
			t.Errorf("Resolve(%s, %s, First) = %s, want %s", c.wall, c.zone, got, c.first)
		}
		if got := wallclock.Resolve(w, loc, wallclock.Last).Format(time.RFC3339); got != c.last {
			t.Errorf("Resolve(%s, %s, Last) = %s, want %s", c.wall, c.zone, got, c.last)
		}
	}
}

// Around every transition of many zones, Resolve must agree with a search that
// knows nothing of zones: scan the instants and compare the readings.
func TestResolveAgainstScan(t *testing.T) {
	zones := []string{
		"Europe/Amsterdam", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca",
		"Africa/Cairo", "America/Havana", "Asia/Gaza", "Pacific/Apia", "Antarctica/Troll", "America/Asuncion", "Europe/Dublin",
	}
	checked := 0
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		shift := func(at time.Time) time.Duration { return wallclock.At(at, loc).Sub(at) }
		for hour := time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC); hour.Year() < 2041; hour = hour.Add(time.Hour) {
			at := hour.Add(-time.Hour)
			if shift(at) == shift(hour) {
				continue
			}
			for old := shift(at); shift(at) == old; {
				at = at.Add(time.Minute)
			}
			for minutes := -180; minutes <= 180; minutes += 15 {
				w := wallclock.At(at, loc).Add(time.Duration(minutes) * time.Minute)
				first, last := scan(w, at, loc)
				if got := wallclock.Resolve(w, loc, wallclock.First); !got.Equal(first) {
					t.Fatalf("%s %s: first = %s, want %s", zone, w, got, first)
				}
				if got := wallclock.Resolve(w, loc, wallclock.Last); !got.Equal(last) {
					t.Fatalf("%s %s: last = %s, want %s", zone, w, got, last)
				}
				checked++
			}
		}
	}
	if checked < 10000 {
		t.Fatalf("only %d readings checked", checked)
	}
}

// scan looks at every quarter of an hour within 27 hours of a transition.
func scan(w, transition time.Time, loc *time.Location) (first, last time.Time) {
	for at := transition.Add(-27 * time.Hour); at.Before(transition.Add(27 * time.Hour)); at = at.Add(15 * time.Minute) {
		if wallclock.At(at, loc).Equal(w) {
			if first.IsZero() {
				first = at
			}
			last = at
		}
	}
	if first.IsZero() {
		return transition, transition
	}
	return first, last
}

func TestAddMonths(t *testing.T) {
	for _, c := range []struct {
		wall string
		n    int
		want string
	}{
		{"2026-01-31T09:30", 1, "2026-02-28T09:30"},
		{"2026-01-31T09:30", 2, "2026-03-31T09:30"},
		{"2024-02-29T00:00", 12, "2025-02-28T00:00"},
		{"2024-02-29T00:00", 48, "2028-02-29T00:00"},
		{"2026-01-15T00:00", -1, "2025-12-15T00:00"},
	} {
		if got := wallclock.AddMonths(wall(t, c.wall), c.n); !got.Equal(wall(t, c.want)) {
			t.Errorf("AddMonths(%s, %d) = %s, want %s", c.wall, c.n, got, c.want)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		b.Fatal(err)
	}
	w := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		wallclock.Resolve(w, loc, wallclock.First)
	}
}
