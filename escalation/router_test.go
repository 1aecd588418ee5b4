package escalation_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

func newRouter(tb testing.TB, roster escalation.Roster) *escalation.Router {
	tb.Helper()
	router, err := escalation.NewRouter(roster)
	if err != nil {
		tb.Fatal(err)
	}
	return router
}

func route(t *testing.T, router *escalation.Router, s incident.Severity, domain, when string) escalation.Routing {
	t.Helper()
	r, err := router.Candidates(escalation.Request{At: at(when), Severity: s, Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The guide prints a sketch of a matcher; these are its outcomes when run, with
// the hour of a server for everybody's hour. Ours agree but for the two it gives
// because it counts the end hour as available.
func TestSampleRosterAgainstTheSketch(t *testing.T) {
	roster := escalation.SampleRoster()
	for i := range roster.Engineers {
		roster.Engineers[i].Zone = "UTC"
	}
	router := newRouter(t, roster)
	for _, c := range []struct {
		severity incident.Severity
		domain   string
		hour     int
		sketch   string
		endHour  bool
	}{
		{incident.P1, "kubernetes", 3, "sarah", false},
		{incident.P1, "databases", 3, "marcus", false},
		{incident.P1, "networking", 3, "sarah", false},
		{incident.P1, "security", 10, "", false},
		{incident.P2, "kubernetes", 7, "", false},
		{incident.P2, "kubernetes", 8, "sarah", false},
		{incident.P2, "kubernetes", 18, "sarah", true},
		{incident.P2, "kubernetes", 19, "", false},
		{incident.P2, "databases", 19, "marcus", true},
		{incident.P2, "databases", 20, "", false},
		{incident.P3, "networking", 12, "sarah", false},
		{incident.P3, "application", 12, "marcus", false},
		{incident.P4, "cloud_azure", 12, "", false},
	} {
		want := c.sketch
		if c.endHour {
			want = ""
		}
		got := route(t, router, c.severity, c.domain, fmt.Sprintf("2026-01-14T%02d:00:00Z", c.hour))
		if got.Assigned != want {
			t.Errorf("%s %s at %d: assigned %q, want %q", c.severity, c.domain, c.hour, got.Assigned, want)
		}
	}
}

func TestEverybodyIsExplained(t *testing.T) {
	router := newRouter(t, team())
	for _, c := range []struct {
		severity     incident.Severity
		domain, when string
		want         string
	}{
		{incident.P1, "kubernetes", "2026-10-05T03:00:00Z", `assigned sarah (on_call_pool)
  search: has kubernetes and is available: nobody
  search: on-call pool with kubernetes, off hours: 2
  1. sarah: principal, primary skill kubernetes, in the on-call pool, off hours 08:00-18:00 (05:00 in Europe/Amsterdam)
  2. nina: senior, secondary skill kubernetes, in the on-call pool, off hours 08:00-18:00 (05:00 in Europe/Amsterdam)
  not marcus: no skill kubernetes, off hours 07:00-19:00 (22:00 in America/Chicago)
  not omar: no skill kubernetes`},
		{incident.P3, "kubernetes", "2026-10-05T16:00:00Z", `escalation_required (no_available_engineer)
  search: has kubernetes and is available: nobody
  not marcus: no skill kubernetes
  not nina: off hours 08:00-18:00 (18:00 in Europe/Amsterdam)
  not omar: no skill kubernetes, off hours 08:00-18:00 (00:00 in Asia/Singapore)
  not sarah: off hours 08:00-18:00 (18:00 in Europe/Amsterdam)`},
		{incident.P2, "databases", "2026-10-07T09:00:00Z", `escalation_required (no_available_engineer)
  search: has databases and is available: nobody
  not marcus: off hours 07:00-19:00 (04:00 in America/Chicago)
  not nina: absent until 2026-10-08T00:00:00Z
  not omar: no skill databases
  not sarah: no skill databases`},
		{incident.P1, "cobol", "2026-10-05T16:30:00Z", `escalation_required (no_available_engineer)
  search: has cobol and is available: nobody
  search: on-call pool with cobol, off hours: nobody
  not marcus: no skill cobol
  not nina: no skill cobol, off hours 08:00-18:00 (18:30 in Europe/Amsterdam)
  not omar: no skill cobol, off hours 08:00-18:00 (00:30 in Asia/Singapore), not in the on-call pool
  not sarah: no skill cobol, off hours 08:00-18:00 (18:30 in Europe/Amsterdam)`},
	} {
		diff(t, c.severity.String()+" "+c.domain, route(t, router, c.severity, c.domain, c.when).String(), c.want)
	}
}

// order is a roster of equals, who differ in one thing at a time.
func TestOrder(t *testing.T) {
	base := escalation.Engineer{Level: escalation.Senior, Zone: "UTC", Primary: []string{"x"}, Availability: escalation.Availability{{From: "00:00", To: "24:00"}}}
	pair := func(change func(a, b *escalation.Engineer)) escalation.Roster {
		a, b := base, base
		a.ID, b.ID = "a", "b"
		change(&a, &b)
		return escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Engineers: []escalation.Engineer{b, a}}
	}
	equal := pair(func(a, b *escalation.Engineer) {})
	skill := pair(func(a, b *escalation.Engineer) {
		a.Primary, a.Secondary = nil, []string{"x"}
		a.Level, b.Level = escalation.Principal, escalation.Junior
	})
	level := pair(func(a, b *escalation.Engineer) { a.Level = escalation.Junior })
	onCall := pair(func(a, b *escalation.Engineer) { a.Level = escalation.Principal })
	onCall.OnCall = "rota"
	onCall.Schedules = map[string]escalation.Plan{"rota": {Layers: []escalation.Layer{{
		Name:     "all",
		Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.Weeks, Length: 1, Users: []string{"b"}},
	}}}}
	centre := pair(func(a, b *escalation.Engineer) { a.Centre, b.Centre = "austin", "amsterdam" })
	centre.Centres = escalation.SampleCentres()
	both := pair(func(a, b *escalation.Engineer) { a.Secondary = []string{"x"} })

	for _, c := range []struct {
		name   string
		roster escalation.Roster
		load   map[string]escalation.Load
		want   string
	}{
		{"id", equal, nil, "a"},
		{"primary before seniority", skill, nil, "b"},
		{"seniority", level, nil, "b"},
		{"on call before seniority", onCall, nil, "b"},
		{"owning centre", centre, nil, "b"}, // Amsterdam took over at 09:30Z
		{"open incidents", equal, map[string]escalation.Load{"a": {Open: 1}}, "b"},
		{"least recently paged", equal, map[string]escalation.Load{"a": {Paged: at("2026-10-05T11:00:00Z")}, "b": {Paged: at("2026-10-05T10:00:00Z")}}, "b"},
		{"never paged", equal, map[string]escalation.Load{"a": {Paged: at("2026-10-05T11:00:00Z")}}, "b"},
		{"skill in both lists is primary", both, nil, "a"},
	} {
		got, err := newRouter(t, c.roster).Candidates(escalation.Request{At: at("2026-10-05T12:00:00Z"), Severity: incident.P2, Domain: "x", Load: c.load})
		if err != nil {
			t.Fatal(err)
		}
		if got.Assigned != c.want || len(got.Candidates) != 2 {
			t.Errorf("%s: %s, want %s first of two", c.name, got, c.want)
		}
	}
}

func TestWideningWithCentres(t *testing.T) {
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	roster.Centres[0].Manager = "mia"
	roster.Engineers = append(roster.Engineers,
		escalation.Engineer{ID: "mia", Level: escalation.Management, Centre: "amsterdam"},
		escalation.Engineer{ID: "joe", Level: escalation.Junior, Centre: "amsterdam", Primary: []string{"application"}},
	)
	router := newRouter(t, roster)
	for _, c := range []struct {
		severity incident.Severity
		domain   string
		when     string
		want     string
		reason   escalation.Reason
	}{
		// 12:00 in Amsterdam, which owns the day since 09:30Z.
		{incident.P1, "kubernetes", "2026-01-14T11:00:00Z", "sarah", ""},
		{incident.P1, "databases", "2026-01-14T11:00:00Z", "marcus", escalation.OnCallPool},
		{incident.P2, "security", "2026-01-14T11:00:00Z", "sarah", escalation.OwningCentre},
		{incident.P3, "security", "2026-01-14T11:00:00Z", "mia", escalation.CentreManager},
		// 06:30 in Amsterdam, where Sarah works from 08:00; Singapore owns.
		{incident.P3, "application", "2026-01-14T05:30:00Z", "joe", ""},
		{incident.P2, "security", "2026-01-14T05:30:00Z", "", escalation.NoAvailableEngineer},
	} {
		got := route(t, router, c.severity, c.domain, c.when)
		if got.Assigned != c.want || got.Reason != c.reason {
			t.Errorf("%s %s at %s: %s, want %q (%s)", c.severity, c.domain, c.when, got, c.want, c.reason)
		}
	}
}

// Whoever is on call but absent is passed over for the layer below.
func TestAbsentOnCall(t *testing.T) {
	roster := team()
	layer := func(name, user string) escalation.Layer {
		return escalation.Layer{Name: name, Rotation: escalation.Rotation{
			Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{user},
		}}
	}
	roster.OnCall = "db"
	roster.Schedules = map[string]escalation.Plan{"db": {Layers: []escalation.Layer{layer("first", "nina"), layer("second", "marcus")}}}
	router := newRouter(t, roster)
	if got := route(t, router, incident.P2, "databases", "2026-10-06T02:00:00Z"); got.Assigned != "nina" {
		t.Errorf("at night: %s, want nina, who is on call", got)
	}
	if got := route(t, router, incident.P2, "databases", "2026-10-07T02:00:00Z"); got.Assigned != "marcus" {
		t.Errorf("while nina is absent: %s, want marcus of the second layer", got)
	}
	if got := router.Schedule("db").WhoAt(at("2026-10-07T02:00:00Z")); got.User != "nina" {
		t.Errorf("WhoAt = %v, want nina still: an absence does not change the schedule", got)
	}
}

func TestValidateReportsAllProblems(t *testing.T) {
	roster := escalation.Roster{
		Domains: []string{"databases"},
		OnCall:  "nights",
		Engineers: []escalation.Engineer{
			{ID: "a", Level: escalation.Senior, Zone: "CEST", Primary: []string{"databses"}},
			{ID: "a", Zone: "UTC", Availability: escalation.Availability{{From: "8", To: "25:00", Except: []string{"2026-02-30"}}}},
			{ID: "b", Level: escalation.Senior},
		},
		Absences: []escalation.Absence{{Engineer: "z", Start: at("2026-10-07T00:00:00Z"), End: at("2026-10-07T00:00:00Z")}},
		Schedules: map[string]escalation.Plan{"night": {
			Layers: []escalation.Layer{
				{Name: "l", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-32T09:00", Unit: escalation.Weeks, Length: 0, Users: []string{"q"}}},
				{Name: "l", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-05T09:00", Length: 1}},
			},
			Overrides: []escalation.Override{
				{ID: "o", Start: at("2026-10-07T00:00:00Z"), End: at("2026-10-06T00:00:00Z")},
				{ID: "o", Start: at("2026-10-06T00:00:00Z"), End: at("2026-10-07T00:00:00Z"), Kind: escalation.Remove, User: "b"},
				{ID: "p", Start: at("2026-10-06T00:00:00Z"), End: at("2026-10-07T00:00:00Z"), Kind: escalation.Add, User: "b", Replaces: "a"},
			},
		}},
	}
	err := roster.Validate()
	if err == nil {
		t.Fatal("Validate() = nil, want errors")
	}
	for _, want := range []string{
		`last_resort.id ""`,
		`engineers[0].timezone "CEST": want an IANA zone like "Europe/Amsterdam"`,
		`engineers[0].primary_skills[0] "databses"`,
		`engineers[1].id "a"`,
		`engineers[1].level "unset"`,
		`engineers[1].availability_hours[0].from "8"`,
		`engineers[1].availability_hours[0].to "25:00"`,
		`engineers[1].availability_hours[0].except_dates[0] "2026-02-30"`,
		`engineers[2].timezone ""`,
		`absences[0].engineer "z"`,
		`absences[0].to "2026-10-07T00:00:00Z"`,
		`schedules["night"].layers[0].rotation.start_local "2026-01-32T09:00"`,
		`schedules["night"].layers[0].rotation.length "0"`,
		`schedules["night"].layers[0].rotation.users[0] "q"`,
		`schedules["night"].layers[1].name "l"`,
		`schedules["night"].layers[1].rotation.unit "unset"`,
		`schedules["night"].layers[1].rotation.users ""`,
		`schedules["night"].overrides[0].to "2026-10-06T00:00:00Z"`,
		`schedules["night"].overrides[0].user ""`,
		`schedules["night"].overrides[1].id "o"`,
		`schedules["night"].overrides[1].user "b"`,
		`schedules["night"].overrides[2].replaces "a"`,
		`on_call "nights"`,
	} {
		if !strings.Contains(err.Error(), "escalation: "+want) {
			t.Errorf("Validate() does not report %s", want)
		}
	}
	if got := len(strings.Split(err.Error(), "\n")); got != 23 {
		t.Errorf("Validate() reports %d problems, want those above and no others:\n%v", got, err)
	}
	if _, ok := errors.AsType[*escalation.ConfigError](err); !ok {
		t.Errorf("Validate() = %T, want ConfigErrors", err)
	}
}

func TestParseRoster(t *testing.T) {
	roster, err := escalation.ParseRoster([]byte(`{
		"timezone": "Europe/Amsterdam",
		"last_resort": {"id": "duty-manager", "name": "Duty manager"},
		"engineers": [
			{"id": "ann", "level": "senior", "primary_skills": ["databases"], "availability_hours": [22, 6], "on_call_rotation": true},
			{"id": "bob", "level": "Principal", "timezone": "Asia/Kolkata", "availability_hours": [{"days": ["Mon", "friday"], "from": "09:30", "to": "18:00"}]}
		],
		"absences": [{"engineer": "ann", "from": "2026-10-07T00:00:00Z", "to": "2026-10-08T00:00:00Z"}],
		"schedules": {"night": {
			"layers": [{"name": "night", "rotation": {"tz": "Europe/Amsterdam", "start_local": "2026-03-23T09:00", "unit": "weeks", "length": 1, "users": ["ann", "bob"]},
				"windows": [{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "22:00", "to": "06:00", "except_dates": ["2026-04-27"]}]}],
			"overrides": [{"id": "o1", "from": "2026-03-31T10:00:00Z", "to": "2026-03-31T14:00:00Z", "user": "bob", "replaces": "ann"}]
		}},
		"on_call": "night"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	router := newRouter(t, roster)
	for _, c := range []struct {
		id, when string
		want     bool
	}{
		{"ann", "2026-07-01T19:59:59Z", false}, // 21:59:59 in Amsterdam
		{"ann", "2026-07-01T20:00:00Z", true},
		{"ann", "2026-07-02T03:59:59Z", true},
		{"ann", "2026-07-02T04:00:00Z", false},
		{"ann", "2026-10-07T21:00:00Z", false}, // absent
		{"bob", "2026-07-03T04:00:00Z", true},  // Friday, 09:30 in Kolkata
		{"bob", "2026-07-02T04:00:00Z", false},
		{"nobody", "2026-07-02T04:00:00Z", false},
	} {
		if got := router.Available(c.id, at(c.when)); got != c.want {
			t.Errorf("Available(%s, %s) = %t, want %t", c.id, c.when, got, c.want)
		}
	}
	for _, bad := range []string{
		``, `{`, `[]`, `{"last_resort":{"id":"x"}} {}`, `{"last_resort":{"id":"x"},"enginers":[]}`,
		`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"boss","timezone":"UTC"}]}`,
		`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"senior","timezone":"UTC","availability_hours":[8]}]}`,
		`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"senior","timezone":"Local"}]}`,
		`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"senior","timezone":"UTC","availability_hours":[{"days":["Moonday"],"from":"09:00","to":"10:00"}]}]}`,
	} {
		if _, err := escalation.ParseRoster([]byte(bad)); err == nil {
			t.Errorf("ParseRoster(%s) = nil, want an error", bad)
		}
	}
}

func TestRegisterReplaces(t *testing.T) {
	roster := team()
	roster.Register(escalation.Engineer{ID: "omar", Level: escalation.Senior, Zone: "Asia/Singapore"})
	roster.Register(escalation.Engineer{ID: "zoe", Level: escalation.Senior, Zone: "UTC"})
	router := newRouter(t, roster)
	if e, ok := router.Engineer("omar"); !ok || e.Level != escalation.Senior || len(roster.Engineers) != 5 {
		t.Errorf("after Register: %+v of %d, want omar as a senior among 5", e, len(roster.Engineers))
	}
}

// Local hours follow the clock of the person through winter and summer.
func TestHoursFollowTheClock(t *testing.T) {
	router := newRouter(t, escalation.SampleRoster())
	for _, c := range []struct {
		id, day    string
		start, end int // hours in UTC
	}{
		{"sarah", "2026-01-14", 7, 17},
		{"sarah", "2026-07-14", 6, 16},
		{"marcus", "2026-01-14", 13, 25},
		{"marcus", "2026-07-14", 12, 24},
	} {
		midnight := at(c.day + "T00:00:00Z")
		start, end := midnight.Add(time.Duration(c.start)*time.Hour), midnight.Add(time.Duration(c.end)*time.Hour)
		got := []bool{
			router.Available(c.id, start.Add(-1)), router.Available(c.id, start),
			router.Available(c.id, end.Add(-1)), router.Available(c.id, end),
		}
		check(t, c.id+" around "+c.day, got, []bool{false, true, true, false})
	}
}

// Assign is Candidates without the rest, at any hour, for any skill and load.
func TestAssignIsTheFirstCandidate(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		roster := staffed()
		roster.Centres = escalation.SampleCentres()
		roster.Schedules, roster.OnCall = nil, ""
		roster.Latency = map[string]map[string]int{"moon": {"austin": 1300, "singapore": 1290}}
		for i := range roster.Engineers {
			roster.Engineers[i].Centre = roster.Centres[rnd.IntN(3)].ID
			roster.Engineers[i].MaxOpen = rnd.IntN(3)
			roster.Engineers[i].InPool = rnd.IntN(2) == 0
		}
		roster.Centres[rnd.IntN(3)].Manager = roster.Engineers[rnd.IntN(4)].ID
		roster.Ranking.Published = rnd.IntN(5) == 0
		if rnd.IntN(2) == 0 {
			roster.Ranking.JuniorFirst = []incident.Severity{incident.P3}
		}
		q := escalation.Request{
			At:       at("2026-10-05T00:00:00Z").Add(time.Duration(rnd.IntN(72*60)) * time.Minute),
			Severity: incident.Severity(1 + rnd.IntN(4)), Region: []string{"", "moon", "mars"}[rnd.IntN(3)],
			Domain: []string{"databases", "kubernetes", "networking", "application", "security"}[rnd.IntN(5)],
			Load:   map[string]escalation.Load{"nina": {Open: rnd.IntN(3)}, "sarah": {Open: rnd.IntN(3)}},
		}
		r := newRouter(t, roster)
		all, err := r.Candidates(q)
		if err != nil {
			t.Fatal(err)
		}
		first, err := r.Assign(q)
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Candidates) > 1 {
			all.Candidates = all.Candidates[:1]
		}
		all.Refused, first.Refused = nil, nil
		if a, b := all.String(), first.String(); a != b || all.Reason != first.Reason || all.Status != first.Status || all.Action != first.Action {
			t.Fatalf("seed %d: %+v\nAssign\n%s\nCandidates\n%s", seed, q, b, a)
		}
	}
}

// Marcus is asked before Nina by id when both are equal; from the moon Austin is
// nearer by the table, and for a region of its own Amsterdam is at 0.
func TestRegion(t *testing.T) {
	roster := team()
	roster.Centres = escalation.SampleCentres()
	roster.Centres[0].Regions = []string{"eu-west-1"}
	for i, centre := range []string{"amsterdam", "austin", "amsterdam", "singapore"} {
		roster.Engineers[i].Centre = centre
	}
	roster.Latency = map[string]map[string]int{"us-east-1": {"austin": 30, "amsterdam": 80}, "eu-west-1": {"austin": 110}}
	r := newRouter(t, roster)
	for region, want := range map[string]string{"us-east-1": "marcus nina", "eu-west-1": "nina marcus", "": "nina marcus"} {
		// 14:00Z on a Monday: 16:00 in Amsterdam, 09:00 in Austin; Amsterdam owns the day.
		routing, err := r.Candidates(escalation.Request{At: at("2026-10-05T14:00:00Z"), Severity: incident.P2, Domain: "databases", Region: region})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range routing.Candidates {
			got = append(got, c.Engineer)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s\n%s", region, got, want, routing)
		}
		open := opened("A", incident.P2, "databases", "2026-10-05T14:00:00Z")
		open.Region = region
		check(t, "paged for "+region, pages(mustApply(t, newEngine(t, roster), open)), []string{"L0 " + got[0]})
	}
	roster.Latency = map[string]map[string]int{"x": {"oslo": 1, "austin": -1}}
	_, err := escalation.NewRouter(roster)
	for _, want := range []string{`latency_ms["x"]["oslo"]`, `latency_ms["x"]["austin"]`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewRouter does not report %s: %v", want, err)
		}
	}
}

func TestRankings(t *testing.T) {
	roster := team()
	roster.Engineers = append(roster.Engineers, escalation.Engineer{
		ID: "abe", Level: escalation.Junior, Zone: "Europe/Amsterdam", Primary: []string{"databases"}, Availability: escalation.Availability{{From: "08:00", To: "18:00"}},
	})
	list := func(s incident.Severity, when string) string {
		routing, err := newRouter(t, roster).Candidates(escalation.Request{At: at(when), Severity: s, Domain: "databases"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range routing.Candidates {
			got = append(got, c.Engineer)
		}
		return strings.Join(got, " ")
	}
	const afternoon, night = "2026-10-05T14:00:00Z", "2026-10-05T23:59:00Z"
	if got := list(incident.P3, afternoon); got != "marcus nina abe" {
		t.Errorf("default: %s", got)
	}
	roster.Ranking.JuniorFirst = []incident.Severity{incident.P3, incident.P4}
	if got := list(incident.P3, afternoon) + ", " + list(incident.P2, afternoon); got != "abe marcus nina, marcus nina abe" {
		t.Errorf("junior first: %s", got)
	}
	// As published: equals in the order of the roster, Marcus before Nina; for a
	// P1 the pool alone, whether it is night or not.
	roster.Ranking = escalation.Ranking{Published: true}
	if got := list(incident.P2, afternoon) + ", " + list(incident.P1, afternoon) + ", " + list(incident.P1, night); got != "marcus nina abe, marcus nina, marcus nina" {
		t.Errorf("published: %s", got)
	}
	roster.Ranking.JuniorFirst = []incident.Severity{9}
	if _, err := escalation.NewRouter(roster); err == nil || !strings.Contains(err.Error(), "ranking.junior_first[0]") {
		t.Errorf("NewRouter = %v", err)
	}
}
