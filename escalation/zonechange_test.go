package escalation_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// moving is a zone whose file the tests below replace: an hour ahead of UTC, and from
// 26 April 2026 on two hours, unless that change of clocks has been called off.
const moving = "Test/Moving"

// The time package reads ZONEINFO once, so each direction runs in a process of its own.
func TestZoneRulesChange(t *testing.T) {
	directions := map[string]func(*testing.T){"called off": changeCalledOff, "decided": changeDecided}
	if run := directions[os.Getenv("EVENKEEL_ZONE_RULES")]; run != nil {
		run(t)
		return
	}
	for name := range directions {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZoneRulesChange$", "-test.v")
		cmd.Env = append(os.Environ(), "ZONEINFO="+t.TempDir(), "EVENKEEL_ZONE_RULES="+name)
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS: TestZoneRulesChange")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// setRules writes the file of the zone: with the change of clocks or without.
func setRules(t *testing.T, change bool) {
	t.Helper()
	data := zoneFile(change)
	if loc, err := time.LoadLocationFromTZData(moving, data); err != nil || loc.String() != moving {
		t.Fatal(loc, err)
	}
	file := filepath.Join(os.Getenv("ZONEINFO"), filepath.FromSlash(moving))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// zoneFile is version 1 of RFC 8536: header, transitions, types of local time, names.
func zoneFile(change bool) []byte {
	var transitions []int32
	if change {
		transitions = append(transitions, int32(at("2026-04-26T00:00:00Z").Unix()))
	}
	var b bytes.Buffer
	b.WriteString("TZif")
	b.Write(make([]byte, 16))
	put := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) } // to a buffer: no error
	// The counts of UT and standard indicators, leap seconds, transitions, types, letters.
	put([]uint32{0, 0, 0, uint32(len(transitions)), 2, 8})
	put(transitions)
	for range transitions {
		put(uint8(1))
	}
	put(int32(3600))
	put([]uint8{0, 0})
	put(int32(7200))
	put([]uint8{1, 4})
	b.WriteString("ONE\x00TWO\x00")
	return b.Bytes()
}

func movingPlan() escalation.Plan {
	return single(escalation.Rotation{Zone: moving, Start: "2026-01-05T09:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob"}})
}

func movingEngine(t *testing.T, snapshot []byte) *escalation.Engine {
	t.Helper()
	day := escalation.Step{StopOn: escalation.Acknowledged, Targets: []escalation.Target{{Engineer: "ann"}}, Wait: true, Only: &escalation.OnlyIn{
		Zone: moving, Windows: []escalation.Window{{From: "09:00", To: "17:00"}},
	}}
	later := escalation.Step{Minutes: 600, Targets: []escalation.Target{{Engineer: "bob"}}, StopOn: escalation.Resolved}
	matrix := escalation.Matrix{}
	for _, s := range incident.Severities {
		matrix[s] = escalation.Policy{Steps: []escalation.Step{day, later}}
	}
	roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Zone: "UTC", Engineers: []escalation.Engineer{
		{ID: "ann", Level: escalation.Senior}, {ID: "bob", Level: escalation.Senior},
	}}
	config := escalation.Config{Tenant: "acme", Router: newRouter(t, roster), Matrix: matrix}
	var e *escalation.Engine
	var err error
	if snapshot == nil {
		e, err = escalation.NewEngine(config)
	} else {
		e, err = escalation.Restore(config, snapshot)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// planned opens an incident at 05:00Z on 4 May, stores the engine with its timer for
// 09:00 on the clock, and restores it under the rules that came in the meantime.
func planned(t *testing.T, change bool, wake string) *escalation.Engine {
	t.Helper()
	e := movingEngine(t, nil)
	if _, err := e.Apply(opened("A", incident.P3, "databases", "2026-05-04T05:00:00Z")); err != nil {
		t.Fatal(err)
	}
	if due, ok := e.NextWake(); !ok || !due.Equal(at(wake)) {
		t.Fatalf("planned for %s, want %s", due, wake)
	}
	snapshot, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	setRules(t, change)
	return movingEngine(t, snapshot)
}

func pagesAt(e *escalation.Engine, when string) string {
	var pages []string
	for _, a := range e.Step(at(when)) {
		if a.Kind == escalation.Page {
			pages = append(pages, a.Target)
		}
	}
	return strings.Join(pages, " ")
}

// Clocks were to be put forward and are not: what was at 07:00Z is at 08:00Z. A timer
// that was planned fires at the old instant and tells nobody, and the level is armed
// for the new one. Elapsed minutes stay what they were.
func changeCalledOff(t *testing.T) {
	t.Helper()
	setRules(t, true)
	before := scheduleOf(t, movingPlan())
	e := planned(t, false, "2026-05-04T07:00:00Z")
	checkMoved(t, before, scheduleOf(t, movingPlan()), 7, 8)
	if got := pagesAt(e, "2026-05-04T07:00:00Z"); got != "" {
		t.Errorf("paged %s at the old instant", got)
	}
	if due, ok := e.NextWake(); !ok || !due.Equal(at("2026-05-04T08:00:00Z")) {
		t.Errorf("armed for %s, want 08:00Z", due)
	}
	if got := pagesAt(e, "2026-05-04T08:00:00Z"); got != "ann" {
		t.Errorf("paged %q at the new instant, want ann", got)
	}
	if due, ok := e.NextWake(); !ok || !due.Equal(at("2026-05-04T15:00:00Z")) {
		t.Errorf("ten hours after 05:00Z is %s, want 15:00Z", due)
	}
}

// Clocks are put forward though they were not to be: what was at 08:00Z is at 07:00Z.
// The timer fires when it was planned to, an hour late by the new rules, and once.
func changeDecided(t *testing.T) {
	t.Helper()
	setRules(t, false)
	before := scheduleOf(t, movingPlan())
	e := planned(t, true, "2026-05-04T08:00:00Z")
	checkMoved(t, before, scheduleOf(t, movingPlan()), 8, 7)
	if due, ok := e.NextWake(); !ok || due.After(at("2026-05-04T08:00:00Z")) {
		t.Errorf("armed for %s, want 08:00Z at the latest", due)
	}
	if got := pagesAt(e, "2026-05-04T08:00:00Z"); got != "ann" {
		t.Errorf("paged %q, want ann", got)
	}
	if got := pagesAt(e, "2026-05-04T09:00:00Z"); got != "" {
		t.Errorf("paged %s again", got)
	}
}

// checkMoved expects the handoff of 4 May at 09:00 at one hour by the schedule as it was
// compiled and at another by the same data compiled anew, and so for centres and
// calendars.
func checkMoved(t *testing.T, before, after *escalation.Schedule, old, moved int) {
	t.Helper()
	hour := func(n int) time.Time { return at("2026-05-04T00:00:00Z").Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		name     string
		schedule *escalation.Schedule
		want     int
	}{{"compiled before", before, old}, {"compiled after", after, moved}} {
		if next, _ := c.schedule.NextChange(hour(0)); !next.Equal(hour(c.want)) {
			t.Errorf("%s: handoff at %s, want %02d:00Z", c.name, next, c.want)
		}
	}
	// A schedule that is kept compares with itself anew: who is affected, for an hour.
	preview, err := before.Preview(after, hour(0), hour(24))
	if err != nil || len(preview.Changes) != 1 || preview.Changes[0].End.Sub(preview.Changes[0].Start) != time.Hour {
		t.Errorf("Preview = %v, %v, want an hour", preview, err)
	}
	day := []escalation.Window{{From: "09:00", To: "17:00"}}
	centres, err := escalation.NewCentres([]escalation.Centre{
		{ID: "a", Zone: moving, Coverage: day, Handoff: escalation.HandoffRule{To: "b", At: "09:00", Minutes: 30}},
		{ID: "b", Zone: "UTC", Coverage: day},
	})
	if err != nil {
		t.Fatal(err)
	}
	if handoffs := centres.Handoffs(hour(0), hour(24)); len(handoffs) != 1 || !handoffs[0].Start.Equal(hour(moved)) {
		t.Errorf("handoffs of centres %v, want one at %02d:00Z", handoffs, moved)
	}
	c, err := calendar.New(calendar.Hours{Zone: moving, Week: calendar.EveryDay("09:00", "17:00")})
	if err != nil {
		t.Fatal(err)
	}
	if due, err := c.Due(hour(0), time.Hour, nil); err != nil || !due.Equal(hour(moved+1)) {
		t.Errorf("an hour of work is over at %s (%v), want %02d:00Z", due, err, moved+1)
	}
}
