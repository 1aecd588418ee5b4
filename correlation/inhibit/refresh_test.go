package inhibit

import (
	"strings"
	"testing"
	"time"
)

// An alert that is sent again every minute has one appointment, not one for each
// time.
func TestRefreshesDoNotPileUp(t *testing.T) {
	in, err := New([]Rule{{SourceMatchers: []string{`a="1"`}, TargetMatchers: []string{`b="1"`}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	for range 1000 {
		at = at.Add(time.Minute)
		if err := in.Apply(at, Alert{Labels: map[string]string{"a": "1"}, Ends: at.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(in.ends) != 1 {
		t.Errorf("%d appointments for one alert, want 1", len(in.ends))
	}
	target := map[string]string{"b": "1"}
	for _, c := range []struct {
		after time.Duration
		muted bool
	}{{time.Hour - 1, true}, {time.Hour, false}} {
		if err := in.Apply(at.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if _, muted := in.Mutes(target); muted != c.muted {
			t.Errorf("muted %v after the last refresh = %v, want %v", c.after, muted, c.muted)
		}
	}
	if in.Active() != 0 || len(in.ends) != 0 {
		t.Errorf("%d alerts and %d appointments left, want none", in.Active(), len(in.ends))
	}
}

// What is left over of alerts that came and went, or whose ends went to and fro, does not
// pile up until their ends of then.
func TestLeftoversDoNotPileUp(t *testing.T) {
	in, err := New([]Rule{{SourceMatchers: []string{`a="1"`}, TargetMatchers: []string{`b="1"`}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	far := at.Add(365 * 24 * time.Hour)
	gone, moved := map[string]string{"a": "1"}, map[string]string{"a": "1", "n": "1"}
	for range 5000 {
		at = at.Add(time.Second)
		if err := in.Apply(at, Alert{Labels: gone, Ends: far}, Alert{Labels: gone, Ends: at}, Alert{Labels: moved, Ends: at.Add(time.Second)}, Alert{Labels: moved, Ends: far}); err != nil {
			t.Fatal(err)
		}
	}
	if in.Active() != 1 || len(in.ends) > 100 {
		t.Errorf("%d alerts with %d appointments, want 1 with a hundred at most", in.Active(), len(in.ends))
	}
	for _, c := range []struct {
		at    time.Time
		muted bool
	}{{far.Add(-1), true}, {far, false}} {
		if err := in.Apply(c.at); err != nil {
			t.Fatal(err)
		}
		if _, muted := in.Mutes(map[string]string{"b": "1"}); muted != c.muted {
			t.Errorf("muted at %v = %v, want %v", c.at, muted, c.muted)
		}
	}
}

func TestAllProblems(t *testing.T) {
	_, err := New([]Rule{{
		SourceMatchers: []string{`a`, `="x"`}, SourceMatchRE: map[string]string{"c": "("}, TargetMatchers: []string{`b=~"["`},
	}})
	if err == nil {
		t.Fatal("New with four problems: no error")
	}
	for _, want := range []string{`source_matchers[0]: "a"`, `source_matchers[1]: "=\"x\""`, `source_match_re.c: "("`, `target_matchers[0]: "b=~\"[\""`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want %s in it", err, want)
		}
	}
}
