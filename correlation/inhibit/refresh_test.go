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
