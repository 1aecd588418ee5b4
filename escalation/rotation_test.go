package escalation_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// allZones returns the names of the zone files of the machine, of links and
// copies only the first, and a fixed list where it has none.
func allZones(t *testing.T) []string {
	t.Helper()
	const root = "/usr/share/zoneinfo"
	var names []string
	seen := map[string]bool{"": true}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		if d.IsDir() {
			if name == "posix" || name == "right" {
				return filepath.SkipDir
			}
			return nil
		}
		if name == "localtime" || name == "posixrules" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if text := string(data); strings.HasPrefix(text, "TZif") && !seen[text] {
			seen[text] = true
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		t.Logf("no zone files in %s, so a short list", root)
		return []string{
			"Africa/Cairo", "Africa/Casablanca", "America/Chicago", "America/Havana", "America/Santiago", "America/St_Johns",
			"Antarctica/Troll", "Asia/Kathmandu", "Asia/Gaza", "Asia/Singapore", "Australia/Lord_Howe", "Europe/Amsterdam",
			"Europe/Dublin", "Pacific/Apia", "Pacific/Kwajalein", "UTC",
		}
	}
	return names
}

// Around the transitions of every zone from 1970 to 2037, turns follow each other
// without hole or overlap, in every unit, and each answer lies within its turn:
// around every transition with EVENKEEL_SOAK=1, else around one in ten, the
// first of them another one in each zone, so that every year and every rule has
// its turn.
func TestTurnsAroundAllTransitions(t *testing.T) {
	zones := allZones(t)
	every := 10
	if os.Getenv("EVENKEEL_SOAK") != "" {
		every = 1
	}
	transitions, walked := 0, 0
	for first, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		turns := map[escalation.Unit]*escalation.Turns{}
		for unit, start := range map[escalation.Unit]string{
			escalation.Days: "1969-12-01T02:30", escalation.Months: "1969-10-31T00:00", escalation.WallHours: "1969-12-01T00:45",
			escalation.Weeks: "1969-11-30T01:30",
		} {
			compiled, err := escalation.Rotation{Zone: zone, Start: start, Unit: unit, Length: 1, Users: []string{"a", "b", "c"}}.Compile()
			if err != nil {
				t.Fatalf("%s: %v", zone, err)
			}
			turns[unit] = compiled
		}
		_, offset := time.Unix(0, 0).In(loc).Zone()
		n := first
		for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2038; at = at.Add(7 * 24 * time.Hour) {
			_, next := at.In(loc).Zone()
			if next == offset {
				continue
			}
			offset = next
			transitions++
			if n++; n%every != 0 {
				continue
			}
			walked++
			for unit, turns := range turns {
				walkTurns(t, zone, unit, turns, transition(at.Add(-8*24*time.Hour), at, loc))
			}
		}
	}
	t.Logf("%d zones, %d of %d transitions", len(zones), walked, transitions)
	if walked == 0 || walked < transitions/every*9/10 {
		t.Errorf("walked around %d of %d transitions, want about one in %d", walked, transitions, every)
	}
}

// transition finds the change of offset between two instants to the second.
func transition(from, to time.Time, loc *time.Location) time.Time {
	_, before := from.In(loc).Zone()
	for to.Sub(from) > time.Second {
		middle := from.Add(to.Sub(from) / 2).Truncate(time.Second)
		if _, offset := middle.In(loc).Zone(); offset == before {
			from = middle
		} else {
			to = middle
		}
	}
	return to
}

func walkTurns(t *testing.T, zone string, unit escalation.Unit, turns *escalation.Turns, around time.Time) {
	t.Helper()
	at := around.Add(-26 * time.Hour)
	last, ok := turns.At(at)
	if !ok {
		t.Fatalf("%s %s: nobody at %s", zone, unit, at)
	}
	for end := around.Add(26 * time.Hour); at.Before(end); at = at.Add(47 * time.Minute) {
		turn, ok := turns.At(at)
		switch {
		case !ok || at.Before(turn.Start) || !at.Before(turn.End):
			t.Fatalf("%s %s: turn at %s = %+v, want one that holds it", zone, unit, at, turn)
		case turn.Index < last.Index:
			t.Fatalf("%s %s: turn %d at %s after %d: flipped back", zone, unit, turn.Index, at, last.Index)
		case turn.Index > last.Index:
			if first, _ := turns.At(last.End); !first.Start.Equal(last.End) {
				t.Fatalf("%s %s: turn %+v follows %+v with a hole", zone, unit, first, last)
			}
		}
		last = turn
	}
}

// The oracle walks the handoffs one by one in local time.
func TestTurnsAgainstHandoffsOneByOne(t *testing.T) {
	for _, zone := range []string{"America/Chicago", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"} {
		turns, err := escalation.Rotation{Zone: zone, Start: "2011-12-01T09:00", Unit: escalation.Days, Length: 1, Users: []string{"a", "b", "c"}}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		// 09:00 exists once on every date but the one that Apia skipped.
		k := int64(-1)
		for at := time.Date(2011, 11, 30, 0, 0, 0, 0, time.UTC); at.Year() < 2013; at = at.Add(15 * time.Minute) {
			if local := at.In(loc).Format("2006-01-02 15:04"); strings.HasSuffix(local, " 09:00") && local >= "2011-12-01" {
				k++
				if zone == "Pacific/Apia" && strings.HasPrefix(local, "2011-12-31") {
					k++
				}
			}
			if turn, ok := turns.At(at); ok != (k >= 0) || ok && turn.Index != k {
				// On the skipped date the handoff is at the transition, 31 December
				// 00:00 local, 9 hours before the one of the 31st.
				if zone == "Pacific/Apia" && turn.Index == k+1 && at.In(loc).Format(time.DateOnly) == "2011-12-31" {
					continue
				}
				t.Fatalf("%s: turn at %s = %+v, want %d", zone, at, turn, k)
			}
		}
	}
}

func TestRotationProblems(t *testing.T) {
	good := escalation.Rotation{Zone: "UTC", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"a"}}
	for _, c := range []struct {
		name   string
		change func(*escalation.Rotation)
		path   string
	}{
		{"no zone", func(r *escalation.Rotation) { r.Zone = "" }, "tz"},
		{"machine's zone", func(r *escalation.Rotation) { r.Zone = "Local" }, "tz"},
		{"abbreviation", func(r *escalation.Rotation) { r.Zone = "SGT" }, "tz"},
		{"two zones", func(r *escalation.Rotation) { r.Zone = "CET/CEST" }, "tz"},
		{"date that does not exist", func(r *escalation.Rotation) { r.Start = "2026-02-29T09:00" }, "start_local"},
		{"date without time", func(r *escalation.Rotation) { r.Start = "2026-02-28" }, "start_local"},
		{"no unit", func(r *escalation.Rotation) { r.Unit = 0 }, "unit"},
		{"unknown unit", func(r *escalation.Rotation) { r.Unit = 17 }, "unit"},
		{"no length", func(r *escalation.Rotation) { r.Length = 0 }, "length"},
		{"endless", func(r *escalation.Rotation) { r.Length = 100_001 }, "length"},
		{"nobody", func(r *escalation.Rotation) { r.Users = nil }, "users"},
		{"nameless", func(r *escalation.Rotation) { r.Users = []string{"a", ""} }, "users[1]"},
	} {
		r := good
		c.change(&r)
		turns, err := r.Compile()
		if err == nil || turns != nil || !strings.Contains(err.Error(), "escalation: "+c.path+" ") {
			t.Errorf("%s: Compile() = %v, %v, want a problem at %s", c.name, turns, err, c.path)
		}
	}
	if _, err := good.Compile(); err != nil {
		t.Error(err)
	}
}
