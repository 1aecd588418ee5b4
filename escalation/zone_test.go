package escalation

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Beyond the last transition on file the standard library ends a stretch at the
// turn of the year, on 31 December of a leap year before the instant asked for.
// The table must not take that for a transition, nor wait for it.
func TestBoundsAtTheTurnOfTheYear(t *testing.T) {
	for _, name := range []string{"Europe/Amsterdam", "America/Chicago", "Australia/Sydney", "America/Santiago"} {
		z, err := zones{}.load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{2028, 2039, 2040, 2096, 2100, 2104} {
			start := time.Date(year, 12, 29, 0, 0, 0, 0, time.UTC).Unix()
			for at := start; at < start+5*secondsPerDay; at += 1800 {
				s := z.at(at)
				if at < s.from || at >= s.to || s.offset != offsetAt(at, z.loc) {
					t.Fatalf("%s: stretch at %s = %+v, want one that holds it", name, utc(at), s)
				}
				if offsetAt(s.from-1, z.loc) == s.offset || offsetAt(s.to, z.loc) == s.offset {
					t.Fatalf("%s: stretch at %s = %s to %s, want transitions at both ends", name, utc(at), utc(s.from), utc(s.to))
				}
				if got := z.resolve(at+s.offset, wallclock.First); got != at {
					t.Fatalf("%s: resolve(%s) = %s, want %s", name, utc(at+s.offset), utc(got), utc(at))
				}
			}
		}
	}
}

// The short cut of resolve gives what the resolver of the module gives.
func TestResolveAgreesWithWallclock(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Amsterdam", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "America/Havana", "Africa/Casablanca"} {
		z, err := zones{}.load(name)
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Date(2009, 1, 5, 0, 0, 0, 0, time.UTC), time.Date(2012, 12, 1, 0, 0, 0, 0, time.UTC)
		for wall := from; wall.Before(to); wall = wall.Add(47 * time.Minute) {
			for _, pick := range []wallclock.Occurrence{wallclock.First, wallclock.Last} {
				if got, want := z.resolve(wall.Unix(), pick), wallclock.Resolve(wall, z.loc, pick).Unix(); got != want {
					t.Fatalf("%s: resolve(%s, %d) = %s, want %s", name, wall, pick, utc(got), utc(want))
				}
			}
		}
	}
}
