package escalation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// desk is a line from Monday to Friday, 09:00 to 17:00 in Amsterdam: the team of the
// databases then, off hours who is on call by night, for a P1 only.
func desk(t *testing.T) *escalation.Router {
	t.Helper()
	r, err := newRouter(t, staffed()).WithLines([]escalation.Line{
		{Name: "call centre"},
		{
			Name:  "service desk",
			Hours: &escalation.OnlyIn{Zone: "Europe/Amsterdam", Windows: []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00"}}},
			Least: incident.P1,
			Pages: []escalation.Target{{Team: "db"}}, OffHours: []escalation.Target{{Schedule: "night"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Tuesday 6 October 2026: 15:00Z is 17:00 in Amsterdam, Sarah is on call from 20:00Z.
// Off hours the line is passed over for all but a P1, and the page says why.
func TestLineAsTarget(t *testing.T) {
	matrix := same(escalation.Policy{Steps: []escalation.Step{
		step(0, escalation.Acknowledged, escalation.Target{Line: "service desk"}), step(10, escalation.Resolved, escalation.Target{Engineer: "omar"}),
	}})
	for _, c := range []struct {
		severity incident.Severity
		when     string
		want     []string
		why      string
	}{
		{incident.P3, "2026-10-06T14:59:59Z", []string{"L1 marcus", "L1 nina"}, "line service desk: within hours"},
		{incident.P3, "2026-10-06T15:00:00Z", []string{"L2 omar"}, "line service desk: off hours, from P1 up only"},
		{incident.P1, "2026-10-06T21:00:00Z", []string{"L1 sarah"}, "line service desk: off hours, P1 is severe enough"},
		{incident.P1, "2026-10-06T15:00:00Z", []string{"L2 omar"}, "schedule night: nobody"},
	} {
		e := engineOf(t, escalation.Config{Router: desk(t), Matrix: matrix})
		got := mustApply(t, e, opened("A", c.severity, "databases", c.when))
		check(t, fmt.Sprint(c.severity, " at ", c.when), pages(got), c.want)
		if why := strings.Join(got[0].Why, "; "); !strings.Contains(why, c.why) {
			t.Errorf("%s at %s: why %q, want %q in it", c.severity, c.when, why, c.why)
		}
	}
}

// A step that waits for a line fires when it opens, at 07:00Z.
func TestWaitingForALine(t *testing.T) {
	hold := step(10, escalation.Acknowledged, escalation.Target{Line: "service desk"})
	hold.Wait = true
	e := engineOf(t, escalation.Config{Router: desk(t), Matrix: same(escalation.Policy{Steps: []escalation.Step{hold}})})
	mustApply(t, e, opened("A", incident.P3, "databases", "2026-10-05T16:00:00Z"))
	check(t, "paged", stepsTo(e, "2026-10-06T12:00:00Z"), []string{"07:00 marcus", "07:00 nina"})
}

func TestLineProblems(t *testing.T) {
	office := &escalation.OnlyIn{Zone: "UTC", Windows: []escalation.Window{{From: "09:00", To: "17:00"}}}
	db := []escalation.Target{{Team: "db"}}
	_, err := newRouter(t, staffed()).WithLines([]escalation.Line{
		{Name: "a", Pages: []escalation.Target{{Team: "web"}, {Level: escalation.Senior}, {Line: "a"}}},
		{Name: "a", Pages: db},
		{Name: "b", Pages: db, OffHours: db, Hours: office},
		{Name: "c", Pages: db, Least: 9, Hours: &escalation.OnlyIn{Zone: "CEST"}},
	})
	if _, ok := errors.AsType[*escalation.ConfigError](err); !ok {
		t.Fatalf("WithLines = %v, want config errors", err)
	}
	for _, want := range []string{
		`support_lines[0].pages[0].team "web": want one of db, net`, `support_lines[0].pages[1] "senior or above"`, `support_lines[0].pages[2] "line a"`,
		`support_lines[1].name "a"`, `support_lines[2].off_hours_pages`, `support_lines[3].off_hours_least`, `support_lines[3].timezone "CEST"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("WithLines does not report %s:\n%v", want, err)
		}
	}
	m := same(escalation.Policy{Steps: []escalation.Step{step(5, escalation.Resolved, escalation.Target{Line: "call centre"})}})
	_, err = escalation.NewEngine(escalation.Config{Router: desk(t), Matrix: m})
	if err == nil || !strings.Contains(err.Error(), `matrix[P1].steps[0].targets[0].line "call centre": want one of service desk`) {
		t.Errorf("a line that pages nobody: %v", err)
	}
}
