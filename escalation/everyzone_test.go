package escalation_test

import (
	"archive/zip"
	"fmt"
	"go/build"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// databaseZones returns the zones of the database that comes with Go, of copies only
// the first; without it those of the machine.
func databaseZones(t *testing.T) []string {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Log(err)
		return allZones(t)
	}
	defer archive.Close()
	var names []string
	seen := map[string]bool{}
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); strings.HasPrefix(text, "TZif") && !seen[text] {
			seen[text] = true
			names = append(names, file.Name)
		}
	}
	return names
}

// allOptions has a layer for every unit and option that goes by the clock, all on
// call at once, and each with people of its own. All but the last two are open at
// all hours.
func allOptions(zone string) escalation.Plan {
	layer := func(name, start string, unit escalation.Unit, length int) escalation.Layer {
		return escalation.Layer{Name: name, Rotation: escalation.Rotation{
			Zone: zone, Start: start, Unit: unit, Length: length, Users: []string{name + "1", name + "2", name + "3"},
		}}
	}
	hourly := layer("hourly", "1969-12-01T00:45", escalation.WallHours, 1)
	kept := layer("kept", "1969-12-01T00:00", escalation.WallHours, 1)
	kept.Rotation.KeepTurn = true
	daily := layer("daily", "1969-12-01T02:30", escalation.Days, 1)
	weekly := layer("weekly", "1969-11-30T01:30", escalation.Weeks, 1)
	for year := 1970; year < 2038; year += 4 { // on 29 March at 01:00Z, when many clocks change
		weekly.Rotation.Changes = append(weekly.Rotation.Changes, escalation.ListChange{
			From: time.Date(year, 3, 29, 1, 0, 0, 0, time.UTC), Users: []string{fmt.Sprint("weekly", year), "weekly2"},
		})
	}
	monthly := layer("monthly", "1969-10-31T00:00", escalation.Months, 1)
	skipping := layer("skipping", "1969-10-31T00:00", escalation.Months, 1)
	skipping.Rotation.MonthEnd = escalation.Skip
	elapsed := layer("elapsed", "1969-12-01T00:20", escalation.ElapsedHours, 7)
	night := layer("night", "1969-12-01T00:00", escalation.Days, 1)
	night.Windows = []escalation.Window{{From: "22:00", To: "00:30"}, {Days: escalation.Sunday, From: "01:15", To: "02:45"}}
	active := layer("active", "1969-12-01T01:00", escalation.WallHours, 5)
	active.ActiveOnly = true
	active.Windows = []escalation.Window{{Days: escalation.Weekdays, From: "20:00", To: "04:00"}}
	return escalation.Plan{Together: true, Layers: []escalation.Layer{hourly, kept, daily, weekly, monthly, skipping, elapsed, night, active}}
}

// alwaysOpen is how many layers of allOptions have somebody at every instant.
const alwaysOpen = 7

// Around the transitions of every zone in the database from 1970 to 2037 no layer
// leaves a hole, the shifts are whole, and WhoAt and NextChange say what they say:
// around every one, and one in twenty with -short or the race detector.
func TestEveryZoneAtItsTransitions(t *testing.T) {
	zones := databaseZones(t)
	every := 1
	if testing.Short() || raceEnabled {
		every = 20
	}
	start, n := time.Now(), 0
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		s := scheduleOf(t, allOptions(zone))
		_, offset := time.Unix(0, 0).In(loc).Zone()
		for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2038; at = at.Add(7 * 24 * time.Hour) {
			_, now := at.In(loc).Zone()
			if now == offset {
				continue
			}
			jump := time.Duration(now-offset) * time.Second
			offset = now
			if n++; n%every == 0 {
				checkAround(t, zone, s, transition(at.Add(-8*24*time.Hour), at, loc), jump.Abs()+2*time.Hour)
			}
		}
	}
	t.Logf("%d zones, %d transitions, one in %d checked, in %s", len(zones), n, every, time.Since(start))
}

func checkAround(t *testing.T, zone string, s *escalation.Schedule, around time.Time, reach time.Duration) {
	t.Helper()
	from, to := around.Add(-reach), around.Add(reach)
	shifts := s.Shifts(from, to)
	checkContiguous(t, shifts, from, to)
	probe := from
	for i, shift := range shifts {
		if 1+len(shift.Also) < alwaysOpen {
			t.Fatalf("%s: only %s and %v in %s to %s", zone, shift.User, shift.Also, shift.Start, shift.End)
		}
		if next, ok := s.NextChange(shift.Start); i+1 < len(shifts) && (!ok || !next.Equal(shift.End)) {
			t.Fatalf("%s: NextChange(%s) = %s, %t, want %s", zone, shift.Start, next, ok, shift.End)
		}
		for _, when := range []time.Time{shift.Start, shift.End.Add(-1)} {
			if got := s.WhoAt(when); !sameAnswer(got, shift.OnCall) {
				t.Fatalf("%s: WhoAt(%s) = %+v, want %+v", zone, when, got, shift.OnCall)
			}
		}
		for ; probe.Before(shift.End); probe = probe.Add(23 * time.Minute) {
			if got := s.WhoAt(probe); !sameAnswer(got, shift.OnCall) {
				t.Fatalf("%s: WhoAt(%s) = %+v, want %+v", zone, probe, got, shift.OnCall)
			}
		}
	}
}
