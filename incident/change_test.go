package incident_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func TestChangeValidate(t *testing.T) {
	good := incident.Change{
		ID: "CHG-1", Kind: incident.NormalChange, RequestedBy: "ann", ApprovedBy: "bob",
		Window: calendar.Interval{Start: noon, End: minute(60)}, Ended: minute(50), Result: incident.ChangeOK,
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*incident.Change){
		"id":          func(c *incident.Change) { c.ID = "" },
		"kind":        func(c *incident.Change) { c.Kind = "bold" },
		"result":      func(c *incident.Change) { c.Result = "so so" },
		"ended":       func(c *incident.Change) { c.Ended = time.Time{} },
		"approved_by": func(c *incident.Change) { c.ApprovedBy = "ann" }, // approved by herself
		"window":      func(c *incident.Change) { c.Window.End = minute(-1) },
	} {
		c := good
		spoil(&c)
		var bad *incident.ChangeError
		if err := c.Validate(); !errors.As(err, &bad) || bad.Field != field || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: Validate = %v, want a ChangeError for the field", field, err)
		}
	}
}

// TestChangeFigures: 72 hours of notice are enough and a nanosecond less is not,
// also over the night in which the clock is put forward; exactly 4 hours for an
// approval are too long.
func TestChangeFigures(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	// 28 March 2026, 00:30 to 31 March, 01:30: 73 hours on the wall and 72 elapsed.
	spring := time.Date(2026, 3, 28, 0, 30, 0, 0, amsterdam)
	window := time.Date(2026, 3, 31, 1, 30, 0, 0, amsterdam)
	change := func(kind incident.ChangeKind, result incident.ChangeResult, notice time.Duration, caused ...string) incident.Change {
		return incident.Change{
			ID: "c", Kind: kind, Result: result, Caused: caused, Ended: window.Add(time.Hour), Announced: window.Add(-notice),
			Window: calendar.Interval{Start: window, End: window.Add(2 * time.Hour)},
		}
	}
	emergency := func(result incident.ChangeResult, approval time.Duration) incident.Change {
		return incident.Change{ID: "e", Kind: incident.EmergencyChange, Result: result, Ended: window, Requested: spring, Approved: spring.Add(approval)}
	}
	silent := change(incident.NormalChange, "", 0)
	silent.Announced, silent.Ended = time.Time{}, time.Time{}
	changes := []incident.Change{
		change(incident.StandardChange, incident.ChangeOK, window.Sub(spring)),
		change(incident.NormalChange, incident.ChangeOK, 72*time.Hour-1),
		change(incident.NormalChange, incident.ChangeOK, 100*time.Hour, "INC-7"),
		change(incident.NormalChange, incident.ChangeFailed, 100*time.Hour),
		change(incident.NormalChange, incident.ChangeRolledBack, -time.Minute), // announced when it had begun
		change(incident.NormalChange, incident.ChangeCancelled, time.Hour),
		silent,
		emergency(incident.ChangeOK, 4*time.Hour),
		emergency(incident.ChangeFailed, 4*time.Hour-1),
	}
	f := incident.FiguresOfChanges(changes, incident.Month(2026, time.March, amsterdam), incident.DefaultKPITargets())
	if want := (incident.Changes{Succeeded: 2, CausedIncident: 1, Failed: 1, RolledBack: 1, Cancelled: 1, Emergency: 2}); f.Planned != want {
		t.Errorf("Planned = %+v, want %+v", f.Planned, want)
	}
	if want := (incident.Changes{Succeeded: 1, Failed: 1}); f.Emergencies != want {
		t.Errorf("Emergencies = %+v, want %+v", f.Emergencies, want)
	}
	if f.Success != (incident.Share{Hits: 2, Of: 5}) || f.NoticeKept != (incident.Share{Hits: 3, Of: 5}) || f.ApprovalKept != (incident.Share{Hits: 1, Of: 2}) {
		t.Errorf("success %v, notice %v, approval %v, want 2/5, 3/5, 1/2", f.Success, f.NoticeKept, f.ApprovalKept)
	}
	if f.Notice.N != 5 || f.Notice.Missing != 1 || f.Notice.Clamped != 1 || f.Approval.Mean().Cmp(big.NewRat(int64(8*time.Hour-1), 2*int64(time.Second))) != 0 {
		t.Errorf("Notice = %+v, Approval = %v", f.Notice, f.Approval.Mean())
	}
	other := incident.FiguresOfChanges(changes, incident.Month(2026, time.April, amsterdam), incident.DefaultKPITargets())
	if other.Success.Of != 0 || other.Approval.N != 0 || other.Notice.N != 0 {
		t.Errorf("April = %+v, want nothing", other)
	}
}

func TestChangeInFreeze(t *testing.T) {
	c := incident.Change{ID: "c", Window: calendar.Interval{Start: noon, End: minute(60)}}
	freeze := []calendar.Interval{{Start: minute(50), End: minute(90)}, {Start: minute(60), End: minute(70)}, {Start: minute(-9), End: noon}}
	got, err := c.In(freeze)
	if err != nil || len(got) != 1 || !got[0].Equal(calendar.Interval{Start: minute(50), End: minute(60)}) {
		t.Errorf("In = %v, %v, want the last ten minutes", got, err)
	}
	if _, err := c.In([]calendar.Interval{{Start: minute(2), End: minute(1)}}); err == nil {
		t.Error("In an inverted freeze = nil, want an error")
	}
}
