package servicenow

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestClocks(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	ref := open(t, c, "key-1")
	resolution := in.Insert("contract_sla", map[string]string{"name": "P1 resolution", "duration": "1970-01-01 04:00:00"})
	response := in.Insert("contract_sla", map[string]string{"name": "P1 response"})
	for i, row := range []map[string]string{
		{
			"sla": resolution, "stage": "in_progress", "has_breached": "false", "start_time": "2026-11-30 12:00:00", "planned_end_time": "2026-11-30 16:00:00",
			"business_duration": "1970-01-01 00:02:17", "business_time_left": "1970-01-01 03:57:43", "duration": "1970-01-01 00:02:17",
		},
		{
			"sla": resolution, "stage": "completed", "has_breached": "true", "start_time": "2026-11-30 06:00:00", "end_time": "2026-11-30 11:00:00",
			"planned_end_time": "2026-11-30 10:00:00", "business_duration": "1970-01-01 05:00:00", "business_time_left": "1970-01-01 00:00:00",
		},
		{
			"sla": response, "stage": "paused", "has_breached": "false", "start_time": "2026-11-30 12:00:00",
			"duration": "1970-01-01 00:05:00", "time_left": "1970-01-01 00:10:00",
		},
		{"sla": response, "stage": "cancelled", "has_breached": "false"},
	} {
		row["task"], row["sys_created_on"] = ref.ID, "2026-11-30 12:00:0"+string(rune('0'+i))
		in.Insert("task_sla", row)
	}
	in.Insert("task_sla", map[string]string{"task": "another", "sla": response})
	got, err := c.Clocks(t.Context(), ref)
	ok(t, err)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 30, hour, minute, 0, 0, time.UTC) }
	want := []adapters.Clock{
		{Name: "P1 resolution", Start: at(12, 0), Breach: at(16, 0), Goal: 4 * time.Hour, Elapsed: 137 * time.Second, Remaining: 4*time.Hour - 137*time.Second},
		{Name: "P1 resolution", Start: at(6, 0), Stop: at(11, 0), Breach: at(10, 0), Breached: true, Goal: 4 * time.Hour, Elapsed: 5 * time.Hour, Remaining: -time.Hour},
		{Name: "P1 response", Start: at(12, 0), Paused: true, Goal: 15 * time.Minute, Elapsed: 5 * time.Minute, Remaining: 10 * time.Minute},
	}
	if !slices.Equal(got, want) {
		t.Errorf("Clocks() = %+v, want %+v", got, want)
	}
	in.Insert("task_sla", map[string]string{"task": ref.ID, "sla": response, "business_duration": "137"})
	_, err = c.Clocks(t.Context(), ref)
	wantKind(t, err, adapters.BadResponse)
}

func TestEdges(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	item := func(name string) string { return in.Insert("cmdb_ci", map[string]string{"name": name}) }
	kind := func(name string) string { return in.Insert("cmdb_rel_type", map[string]string{"name": name}) }
	shop, db, rack, nameless := item("shop"), item("db-1"), item("rack-7"), item("")
	depends, contains, peers := kind("Depends on::Used by"), kind("Contains::Contained by"), kind("Exchanges data with::Exchanges data with")
	for _, r := range [][3]string{{shop, db, depends}, {rack, db, contains}, {shop, rack, peers}, {shop, nameless, depends}} {
		in.Insert("cmdb_rel_ci", map[string]string{"parent": r[0], "child": r[1], "type": r[2]})
	}
	c := in.client(t, func(c *Config) { c.PageSize = 2 })
	var got []adapters.Edge
	for e, err := range c.Edges(t.Context()) {
		ok(t, err)
		got = append(got, e)
	}
	slices.SortFunc(got, func(a, b adapters.Edge) int {
		return cmp.Or(strings.Compare(a.Dependent, b.Dependent), strings.Compare(a.Dependency, b.Dependency))
	})
	want := []adapters.Edge{
		{Dependent: "db-1", Dependency: "rack-7", Type: "Contains::Contained by"}, // what is contained depends
		{Dependent: "shop", Dependency: nameless, Type: "Depends on::Used by"},
		{Dependent: "shop", Dependency: "db-1", Type: "Depends on::Used by"},
	}
	slices.SortFunc(want, func(a, b adapters.Edge) int {
		return cmp.Or(strings.Compare(a.Dependent, b.Dependent), strings.Compare(a.Dependency, b.Dependency))
	})
	if !slices.Equal(got, want) {
		t.Errorf("Edges() = %+v, want %+v", got, want)
	}
}

func TestOnCall(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	group := in.Insert("sys_user_group", map[string]string{"name": "Database"})
	sarah := in.Insert("sys_user", map[string]string{"user_name": "sarah", "name": "Sarah Chen", "email": "sarah@acme.example"})
	mike := in.Insert("sys_user", map[string]string{"user_name": "mike", "name": "Mike Johnson"})
	in.Define("on_call", "group", "user", "rota", "order")
	in.Insert("on_call", map[string]string{"group": group, "user": mike, "rota": "r1", "order": "2"})
	in.Insert("on_call", map[string]string{"group": group, "user": sarah, "rota": "r1", "order": "1"})
	in.Insert("on_call", map[string]string{"group": group, "user": "", "rota": "r1", "order": "3"})
	in.Insert("on_call", map[string]string{"group": "other", "user": mike, "order": "1"})
	got, err := in.client(t, nil).OnCall(t.Context(), "Database", noon)
	ok(t, err)
	want := []adapters.Duty{
		{Person: sarah, Name: "Sarah Chen", Email: "sarah@acme.example", Level: 1, Plan: "r1"}, {Person: mike, Name: "Mike Johnson", Level: 2, Plan: "r1"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("OnCall() = %+v, want %+v", got, want)
	}
	_, err = in.client(t, nil).OnCall(t.Context(), "Nobody", noon)
	wantKind(t, err, adapters.Invalid)
}

// Rows of other tables than that of tickets are not ended, so a create is not repeated
// there without a look, whoever answered.
func TestChangeRequestIsMadeOnce(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	refused := false
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || refused {
			in.ServeHTTP(w, r)
			return
		}
		refused = true
		in.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html>no node</html>"))
	}), nil)
	_, err := c.PutChangeRequest(t.Context(), ChangeRequest{Key: "window-1", Tenant: "acme", Title: "upgrade", Start: noon, End: noon.Add(time.Hour)})
	ok(t, err)
	if rows := in.Records("change_request", ""); len(rows) != 1 || !refused {
		t.Errorf("%d change requests, want one", len(rows))
	}
}

func TestChangeRequests(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	group := in.Insert("sys_user_group", map[string]string{"name": "Database"})
	c := in.client(t, nil)
	window := ChangeRequest{
		Key: "window-1", Tenant: "acme", Title: "upgrade of db-1", Text: "minor release", Kind: "standard", Item: "item-1", Group: "Database",
		Start: noon.Add(time.Hour), End: noon.Add(3 * time.Hour),
	}
	ref, err := c.PutChangeRequest(t.Context(), window)
	ok(t, err)
	window.End = noon.Add(4 * time.Hour) // it moves, and stays one
	again, err := c.PutChangeRequest(t.Context(), window)
	ok(t, err)
	rows := in.Records("change_request", "")
	if !again.Same(ref) || ref.Number != "CHG0010001" || len(rows) != 1 || rows[0]["end_date"] != "2026-11-30 16:00:00" || rows[0]["assignment_group"] != group {
		t.Errorf("%+v, %+v: rows %v", ref, again, rows)
	}
	in.Insert("change_request", map[string]string{"short_description": "before", "start_date": "2026-11-30 08:00:00", "end_date": "2026-11-30 09:00:00"})
	in.Insert("change_request", map[string]string{"short_description": "worked on", "work_start": "2026-11-30 12:30:00"})
	in.Insert("change_request", map[string]string{"short_description": "made", "sys_created_on": "2026-11-30 12:45:00"})
	in.Insert("change_request", map[string]string{"short_description": "made before", "sys_created_on": "2026-11-30 11:45:00"})
	var got []string
	for ch, err := range c.ChangeRequests(t.Context(), noon, noon.Add(2*time.Hour)) {
		ok(t, err)
		got = append(got, ch.Title)
		if ch.Key == "window-1" && (!ch.Start.Equal(window.Start) || !ch.End.Equal(window.End) || ch.Tenant != "acme" || ch.Kind != "standard" || ch.Ref.Number != "CHG0010001") {
			t.Errorf("read as %+v", ch)
		}
	}
	slices.Sort(got)
	if strings.Join(got, ", ") != "made, upgrade of db-1, worked on" {
		t.Errorf("change requests %q", got)
	}
	// A window is half-open: what ends as another begins does not touch it.
	for ch, err := range c.ChangeRequests(t.Context(), noon.Add(-3*time.Hour), noon.Add(-150*time.Minute)) {
		t.Errorf("%v, %v, want none", ch.Title, err)
	}
	_, err = c.PutChangeRequest(t.Context(), ChangeRequest{Key: "x", Title: "x", Start: noon, End: noon})
	wantKind(t, err, adapters.Invalid)
	_, err = c.PutChangeRequest(t.Context(), ChangeRequest{Title: "x"})
	wantKind(t, err, adapters.Invalid)
}

func TestProblems(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	problem := Problem{Key: "problem-1", Tenant: "acme", Title: "disks fill", Cause: "no rotation"}
	ref, err := c.PutProblem(t.Context(), problem)
	ok(t, err)
	problem.Fix = "logrotate"
	again, err := c.PutProblem(t.Context(), problem)
	if err != nil || !again.Same(ref) {
		t.Fatalf("%+v, %v", again, err)
	}
	n := 0
	for p, err := range c.Problems(t.Context(), noon, noon.Add(time.Second)) {
		ok(t, err)
		n++
		if p.Title != "disks fill" || p.Cause != "no rotation" || p.Fix != "logrotate" || !p.Created.Equal(noon) || p.Ref.Number != "PRB0010001" {
			t.Errorf("problem %+v", p)
		}
	}
	if n != 1 {
		t.Errorf("%d problems, want 1", n)
	}
}

func TestSendEvents(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	event := EventRecord{
		Source: "evenkeel", Node: "db-1", Type: "disk", Metric: "used", MessageKey: "m1", Severity: incident.P2, Text: "95 %", At: noon,
		Info: map[string]string{"tenant": "acme"},
	}
	for range 2 {
		ok(t, c.SendEvents(t.Context(), event))
	}
	got := in.Events()
	if len(got) != 1 || got[0]["severity"] != "2" || got[0]["time_of_event"] != "2026-11-30 12:00:00" || got[0]["additional_info"] != `{"tenant":"acme"}` || got[0]["resolution_state"] != "New" {
		t.Errorf("events %v", got)
	}
	event.Closing = true
	ok(t, c.SendEvents(t.Context(), event))
	if got := in.Events(); len(got) != 1 || got[0]["resolution_state"] != "Closing" {
		t.Errorf("events %v", got)
	}
	event.MessageKey = ""
	wantKind(t, c.SendEvents(t.Context(), event), adapters.Invalid)
}

func TestVerify(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{Staging: map[string]string{"u_evenkeel_import": "incident"}})
	in.Insert("sys_user_group", map[string]string{"name": "Service Operations"})
	good := in.client(t, func(c *Config) {
		c.Group, c.Staging, c.LabelsColumn = "Service Operations", "u_evenkeel_import", "u_labels"
	})
	ok(t, good.Verify(t.Context()))
	for _, bad := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Columns = []string{"u_nothing"} }, `column incident.u_nothing: not there`},
		{func(c *Config) { c.CloseCode = "Solved (Permanently)" }, `column incident.close_code: no choice "Solved (Permanently)"`},
		{func(c *Config) { c.Lengths = map[string]int{"short_description": 200} }, `column incident.short_description: 160 characters long, Lengths says 200`},
		{func(c *Config) { c.Levels = []string{"Nobody"} }, `group "Nobody": 0 of the name, want 1`},
		{func(c *Config) { c.Staging = "u_other" }, `staging table u_other: no transform map into incident`},
		{func(c *Config) { c.Table = "u_ticket" }, `table u_ticket: not there`},
		{func(c *Config) {
			c.States = append(DefaultStates(), adapters.Name[adapters.State, string]{Ours: adapters.StateOnHold, Theirs: "-5"})
		}, `column incident.state: no choice "-5"`},
	} {
		err := in.client(t, bad.change).Verify(t.Context())
		if adapters.KindOf(err) != adapters.Invalid || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("Verify() = %v, want %q", err, bad.want)
		}
	}
	for _, request := range in.Requests() {
		if !strings.HasPrefix(request, "GET ") {
			t.Errorf("Verify has sent %s", request)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]Config{
		"no address":  {},
		"credentials": {BaseURL: "https://user:password@acme.service-now.com"},
		"scheme":      {BaseURL: "ftp://acme.service-now.com"},
		"page":        {BaseURL: "https://acme.service-now.com", PageSize: 1001},
		"column":      {BaseURL: "https://acme.service-now.com", Columns: []string{"a^b"}},
		"severities":  {BaseURL: "https://acme.service-now.com", Severities: adapters.Names[incident.Severity, Level]{}},
		"hold reason": {BaseURL: "https://acme.service-now.com", HoldReason: "lunch"},
		"window":      {BaseURL: "https://acme.service-now.com", ReopenWindow: -1},
	} {
		if _, err := New(config); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: New() = %v, want an error without secrets", name, err)
		}
	}
}

// A rule for the user counts before those of roles, of several roles the lowest,
// and one for everybody last.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		want   int
	}{
		{Limits{}, 0},
		{Limits{Everybody: 5000}, 5000},
		{Limits{Roles: []int{900, 300, 0}, Everybody: 100}, 300},
		{Limits{User: 1000, Roles: []int{300}, Everybody: 100}, 1000},
	} {
		if got := c.limits.PerHour(); got != c.want {
			t.Errorf("%+v.PerHour() = %d, want %d", c.limits, got, c.want)
		}
	}
}
