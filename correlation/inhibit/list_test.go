package inhibit_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

// An alert is the same with a list of its labels as with a map of them, and instants out of
// range end with the range.
func TestList(t *testing.T) {
	in, err := inhibit.New([]inhibit.Rule{{SourceMatchers: []string{`a="1"`}, TargetMatchers: []string{`b="2"`}, Equal: []string{"k"}}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	never := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	labels, target := map[string]string{"a": "1", "k": "x", "empty": ""}, map[string]string{"b": "2", "k": "x"}
	for n, c := range []struct {
		alert inhibit.Alert
		muted bool
	}{
		{inhibit.Alert{List: correlation.LabelsOf(labels), Ends: now.Add(time.Hour)}, true},
		{inhibit.Alert{Labels: labels, Ends: now}, false},
		{inhibit.Alert{Labels: labels, Ends: never}, true},
		{inhibit.Alert{List: correlation.LabelsOf(labels), Ends: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
	} {
		if err := in.Apply(now, c.alert); err != nil {
			t.Fatal(err)
		}
		held := 0
		if c.muted {
			held = 1
		}
		if _, muted := in.Mutes(target); muted != c.muted || in.Active() != held {
			t.Errorf("step %d: muted %v with %d alerts, want %v with %d", n, muted, in.Active(), c.muted, held)
		}
	}
	if err := in.Apply(now, inhibit.Alert{Labels: labels, Ends: never}); err != nil {
		t.Fatal(err)
	}
	if err := in.Apply(now.AddDate(200, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if in.Active() != 1 {
		t.Error("an alert without an end is over")
	}
}
