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
	march := incident.Month(2026, time.March, amsterdam)
	f := incident.ChangeFiguresOf(changes, march, incident.DefaultKPITargets(), march.End)
	if want := (incident.Changes{Succeeded: 2, CausedIncident: 1, Failed: 1, RolledBack: 1, Cancelled: 1, Emergency: 2}); f.Planned != want {
		t.Errorf("Planned = %+v, want %+v", f.Planned, want)
	}
	if want := (incident.Changes{Succeeded: 1, Failed: 1}); f.Emergencies != want {
		t.Errorf("Emergencies = %+v, want %+v", f.Emergencies, want)
	}
	if f.Success != (incident.Share{Hits: 2, Of: 5}) || f.NoticeKept != (incident.Share{Hits: 3, Of: 6}) || f.ApprovalKept != (incident.Share{Hits: 1, Of: 2}) {
		t.Errorf("success %v, notice %v, approval %v, want 2/5, 3/6, 1/2", f.Success, f.NoticeKept, f.ApprovalKept)
	}
	if f.Announced != (incident.Share{Hits: 4, Of: 6}) || f.Approved != (incident.Share{Hits: 2, Of: 2}) {
		t.Errorf("announced %v, approved %v, want 4/6, 2/2", f.Announced, f.Approved)
	}
	if f.Notice.N != 6 || f.Notice.Missing != 0 || f.Notice.Clamped != 1 || f.Approval.Mean().Cmp(big.NewRat(int64(8*time.Hour-1), 2*int64(time.Second))) != 0 {
		t.Errorf("Notice = %+v, Approval = %v", f.Notice, f.Approval.Mean())
	}
	other := incident.ChangeFiguresOf(changes, incident.Month(2026, time.April, amsterdam), incident.DefaultKPITargets(), march.End)
	if other.Success.Of != 0 || other.Approval.N != 0 || other.Notice.N != 0 {
		t.Errorf("April = %+v, want nothing", other)
	}
}

// TestWithoutNotice: a window that was not announced had no notice once it began, and
// has missed 72 hours as soon as fewer are left.
func TestWithoutNotice(t *testing.T) {
	window := calendar.Interval{Start: noon, End: minute(60)}
	for _, tt := range []struct {
		name            string
		change          incident.Change
		at              time.Time
		kept, announced incident.Share
		n, missing      int // notices, the shortest of which is 0 but for the first row
	}{
		{"announced in time", incident.Change{Announced: noon.Add(-72 * time.Hour)}, noon, incident.Share{Hits: 1, Of: 1}, incident.Share{Hits: 1, Of: 1}, 1, 0},
		{"announced when it had begun", incident.Change{Announced: minute(1)}, noon, incident.Share{Of: 1}, incident.Share{Of: 1}, 1, 0},
		{"no instant", incident.Change{}, time.Time{}, incident.Share{}, incident.Share{}, 0, 1},
		{"72 hours left", incident.Change{}, noon.Add(-72 * time.Hour), incident.Share{}, incident.Share{}, 0, 1},
		{"less left", incident.Change{}, noon.Add(-72*time.Hour + 1), incident.Share{Of: 1}, incident.Share{}, 0, 1},
		{"begun", incident.Change{}, noon, incident.Share{Of: 1}, incident.Share{Of: 1}, 1, 0},
		{"ended, no instant", incident.Change{Ended: minute(30), Result: incident.ChangeOK}, time.Time{}, incident.Share{Of: 1}, incident.Share{Of: 1}, 1, 0},
		{"cancelled", incident.Change{Ended: minute(30), Result: incident.ChangeCancelled}, minute(90), incident.Share{}, incident.Share{}, 0, 0},
	} {
		tt.change.Kind, tt.change.Window = incident.NormalChange, window
		f := incident.ChangeFiguresOf([]incident.Change{tt.change}, window, incident.DefaultKPITargets(), tt.at)
		if f.NoticeKept != tt.kept || f.Announced != tt.announced || f.Notice.N != tt.n || f.Notice.Missing != tt.missing {
			t.Errorf("%s: kept %v, announced %v, %d notices, %d missing, want %v, %v, %d, %d",
				tt.name, f.NoticeKept, f.Announced, f.Notice.N, f.Notice.Missing, tt.kept, tt.announced, tt.n, tt.missing)
		}
		if shortest, ok := f.Notice.Min(); ok && tt.kept.Hits == 0 && shortest != 0 {
			t.Errorf("%s: shortest notice %v, want none", tt.name, shortest)
		}
		if f.NoticeKept.Of == 0 && f.NoticeKept.Ratio() != nil || f.Announced.Of == 0 && f.Announced.Ratio() != nil {
			t.Errorf("%s: a share of nothing is a number", tt.name)
		}
		without := incident.ChangeFiguresOf([]incident.Change{tt.change}, window, nil, tt.at)
		if without.NoticeKept.Of != 0 || without.Announced != tt.announced {
			t.Errorf("%s, without a target: kept %v, announced %v", tt.name, without.NoticeKept, without.Announced)
		}
	}
}

// TestWithoutApproval: four hours are allowed, and an emergency change that ended
// without an approval has missed them.
func TestWithoutApproval(t *testing.T) {
	day := calendar.Interval{Start: noon, End: minute(1440)}
	asked := func(c incident.Change) incident.Change {
		c.Requested = noon
		return c
	}
	for _, tt := range []struct {
		name           string
		change         incident.Change
		at             time.Time
		kept, approved incident.Share
		waited         time.Duration // -1 if none is known to wait
	}{
		{"approved", asked(incident.Change{Approved: minute(120)}), minute(600), incident.Share{Hits: 1, Of: 1}, incident.Share{Hits: 1, Of: 1}, -1},
		{"approved after the end", asked(incident.Change{Ended: minute(60), Approved: minute(241)}), minute(600), incident.Share{Of: 1}, incident.Share{Hits: 1, Of: 1}, -1},
		{"waiting", asked(incident.Change{}), minute(240).Add(-1), incident.Share{}, incident.Share{}, 4*time.Hour - 1},
		{"waiting too long", asked(incident.Change{}), minute(240), incident.Share{Of: 1}, incident.Share{}, 4 * time.Hour},
		{"waiting, no instant", asked(incident.Change{}), time.Time{}, incident.Share{}, incident.Share{}, -1},
		{"before the request", asked(incident.Change{}), minute(-1), incident.Share{}, incident.Share{}, -1},
		{"ended without", asked(incident.Change{Ended: minute(60), Result: incident.ChangeOK}), time.Time{}, incident.Share{Of: 1}, incident.Share{Of: 1}, time.Hour},
		{"ended without a request", incident.Change{Ended: minute(60), Result: incident.ChangeFailed}, minute(90), incident.Share{Of: 1}, incident.Share{Of: 1}, -1},
		{"ended on another day", asked(incident.Change{Ended: minute(1440), Result: incident.ChangeOK}), minute(2000), incident.Share{}, incident.Share{}, -1},
		{"cancelled", asked(incident.Change{Ended: minute(60), Result: incident.ChangeCancelled}), minute(600), incident.Share{}, incident.Share{}, -1},
		{"planned", incident.Change{Kind: incident.NormalChange, Requested: noon, Ended: minute(60), Result: incident.ChangeOK}, minute(600), incident.Share{}, incident.Share{}, -1},
	} {
		if tt.change.Kind == "" {
			tt.change.Kind = incident.EmergencyChange
		}
		f := incident.ChangeFiguresOf([]incident.Change{tt.change}, day, incident.DefaultKPITargets(), tt.at)
		waited, ok := f.Unapproved.Max()
		if !ok {
			waited = -1
		}
		if f.ApprovalKept != tt.kept || f.Approved != tt.approved || waited != tt.waited {
			t.Errorf("%s: kept %v, approved %v, waited %v, want %v, %v, %v", tt.name, f.ApprovalKept, f.Approved, waited, tt.kept, tt.approved, tt.waited)
		}
		if f.Approved.Of == 0 && f.Approved.Ratio() != nil {
			t.Errorf("%s: a share of nothing is a number", tt.name)
		}
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
