package escalation_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// 2026 at noon, one incident a day. Ann, bob, cas and dan take turns of a day from
// 1 January; ann is away from 1 to 14 March and eve stands in. On the first of each
// month nobody acknowledges until 12:20, so the lead is told at 12:15. Every incident
// is over at 12:40.
//
// Ann has days 0, 4, … 364, which are 92, the others 91 each. Of ann's 60, 64, 68 and
// 72 are 2, 6, 10 and 14 March: eve's.
func TestPagesOfAYear(t *testing.T) {
	year := at("2026-01-01T00:00:00Z")
	roster := escalation.Roster{
		Zone: "UTC", LastResort: escalation.Contact{ID: "boss"},
		Schedules: map[string]escalation.Plan{"all": {Layers: []escalation.Layer{
			{Name: "days", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas", "dan"}}},
			{Name: "backup", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"eve"}}},
		}}},
		Absences: []escalation.Absence{{Engineer: "ann", Start: at("2026-03-01T00:00:00Z"), End: at("2026-03-15T00:00:00Z")}},
	}
	for _, id := range []string{"ann", "bob", "cas", "dan", "eve", "lead"} {
		roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: id, Level: escalation.Senior, Primary: []string{"db"}})
	}
	e, err := escalation.NewEngine(escalation.Config{Router: newRouter(t, roster), Matrix: same(escalation.Policy{Steps: []escalation.Step{
		step(0, escalation.Acknowledged, escalation.Target{Schedule: "all"}),
		step(15, escalation.Acknowledged, escalation.Target{Engineer: "lead"}),
		step(60, escalation.Resolved, escalation.Target{Level: escalation.Management}),
	}})})
	if err != nil {
		t.Fatal(err)
	}
	var events []escalation.Event
	for day := range 365 {
		noon := year.AddDate(0, 0, day).Add(12 * time.Hour)
		id := noon.Format(time.DateOnly)
		ack := noon.Add(5 * time.Minute)
		if noon.Day() == 1 {
			ack = noon.Add(20 * time.Minute)
		}
		events = append(events,
			escalation.Event{Kind: escalation.Resolved, Incident: id, At: noon.Add(40 * time.Minute)},
			escalation.Event{Kind: escalation.Acknowledged, Incident: id, At: ack},
			escalation.Event{Kind: escalation.Opened, Incident: id, Severity: incident.P2, Domain: "db", At: noon})
	}
	actions, err := e.Replay(events, year.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]int{}
	for _, a := range actions {
		if a.Kind == escalation.Page {
			pages[a.Target]++
		}
	}
	if got, want := fmt.Sprint(pages), "map[ann:88 bob:91 cas:91 dan:91 eve:4 lead:12]"; got != want {
		t.Errorf("pages of the year: %s, want %s", got, want)
	}
	if left := e.Timers(); len(left) > 0 {
		t.Errorf("%d timers are left", len(left))
	}
}

// Ten thousand people, each with two absences, all on one rotation and its list
// changed to others: checked and laid out in seconds, kept in tens of megabytes.
func TestRosterOfTenThousand(t *testing.T) {
	const n = 10_000
	roster := escalation.Roster{Zone: "Europe/Amsterdam", LastResort: escalation.Contact{ID: "boss"}}
	rotation := escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Days, Length: 1}
	second := escalation.ListChange{From: at("2026-06-01T00:00:00Z")}
	for i := range n {
		id := fmt.Sprintf("e%05d", i)
		roster.Engineers = append(roster.Engineers, escalation.Engineer{
			ID: id, Level: escalation.Level(1 + i%3), Primary: []string{fmt.Sprintf("skill%d", i%8)},
			Availability: escalation.Availability{{From: "08:00", To: "18:00"}},
		})
		if i < n/2 {
			rotation.Users = append(rotation.Users, id)
		} else {
			second.Users = append(second.Users, id)
		}
		for _, from := range []string{"2026-02-01T00:00:00Z", "2026-08-01T00:00:00Z"} {
			roster.Absences = append(roster.Absences, escalation.Absence{Engineer: id, Start: at(from), End: at(from).AddDate(0, 0, 5)})
		}
	}
	for range 50 { // none is in the list before
		rotation.Changes = append(rotation.Changes, second)
		second = escalation.ListChange{From: second.From.AddDate(0, 0, 10), Users: second.Users}
		if len(rotation.Changes)%2 == 1 {
			second.Users = rotation.Users
		} else {
			second.Users = rotation.Changes[0].Users
		}
	}
	roster.Schedules = map[string]escalation.Plan{"all": {Layers: []escalation.Layer{{Name: "all", Rotation: rotation}}}}
	roster.OnCall = "all"
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	router := newRouter(t, roster)
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / (1 << 20)
	t.Logf("laid out in %s, %.1f MB kept", took, kept)
	if took > 20*time.Second || kept > 100 {
		t.Errorf("laid out in %s with %.1f MB kept, want 20 s and 100 MB at most", took, kept)
	}
	// Day 1 after the start is e00001's; on 1 June the list is another and begins anew.
	s := router.Schedule("all")
	if got := who(s, "2026-01-06T12:00:00Z", "2026-06-01T00:00:00Z"); got != "e00001 e05000" {
		t.Errorf("on call %s, want e00001 e05000", got)
	}
	got, err := router.Assign(escalation.Request{At: at("2026-01-06T12:00:00Z"), Severity: incident.P2, Domain: "skill1"})
	if err != nil || got.Assigned != "e00001" { // on call goes before the principals
		t.Errorf("Assign = %+v, %v", got, err)
	}
	runtime.KeepAlive(roster)
}
