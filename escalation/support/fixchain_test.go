package support_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/escalation/support"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestFixChain(t *testing.T) {
	chain := support.SampleFixChain()
	if err := chain.Validate(); err != nil {
		t.Fatal(err)
	}
	reported := fixture.At("2026-10-24T12:00:00Z")
	step := func(stage, when, back string) support.FixStep {
		return support.FixStep{Stage: stage, At: fixture.At(when), By: "x", BackTo: back}
	}
	steps := []support.FixStep{
		step("operations", "2026-10-24T13:00:00Z", ""), step("development", "2026-10-24T18:00:00Z", ""), step("devops", "2026-10-24T19:00:00Z", ""),
		step("qa", "2026-10-24T22:00:00Z", "development"), step("development", "2026-10-25T06:00:00Z", ""), step("devops", "2026-10-25T07:00:00Z", ""),
		step("qa", "2026-10-25T11:00:00Z", ""), step("production", "2026-10-25T12:00:00Z", ""),
	}
	for n, want := range []string{"operations", "development", "devops", "qa", "development", "devops", "qa", "production", ""} {
		state, err := chain.Track(incident.P1, reported, steps[:n])
		if err != nil || state.Stage != want || state.Done() != (want == "") || state.Returns != min(n/4, 1) {
			t.Errorf("after %d steps: %+v, %v, want %q", n, state, err, want)
		}
		// A day later is 24 hours later, though the clocks of Amsterdam were put back.
		if !state.Due.Equal(fixture.At("2026-10-25T12:00:00Z")) || state.Late(fixture.At("2026-10-25T12:00:00Z")) || state.Late(fixture.At("2026-10-25T12:00:01Z")) != (n < 8) {
			t.Errorf("after %d steps: due %s, want noon, and late after it unless done", n, state.Due)
		}
	}
	steps[7].At = fixture.At("2026-10-25T12:00:01Z")
	if state, err := chain.Track(incident.P1, reported, steps); err != nil || !state.Late(reported) {
		t.Errorf("done a second late: %+v, %v, want late", state, err)
	}
	if state, err := chain.Track(incident.P2, reported, nil); err != nil || !state.Due.IsZero() || state.Late(fixture.At("2027-01-01T00:00:00Z")) {
		t.Errorf("a P2: %+v, %v, want no limit", state, err)
	}
	for _, c := range []struct {
		step support.FixStep
		want []string
	}{
		{step("development", "2026-10-24T13:00:00Z", ""), []string{`steps[0].stage "development": want operations, where the fix is`}},
		{step("test", "2026-10-24T11:00:00Z", ""), []string{`steps[0].stage "test"`, `steps[0].at "2026-10-24T11:00:00Z"`}},
		{step("operations", "2026-10-24T13:00:00Z", "qa"), []string{`steps[0].back_to "qa"`}},
		{step("operations", "2026-10-24T13:00:00Z", "operations"), []string{`steps[0].back_to "operations"`}},
	} {
		_, err := chain.Track(incident.P1, reported, []support.FixStep{c.step})
		fixture.Problems(t, "Track", err, c.want)
	}
	_, err := chain.Track(incident.P1, reported, append(steps, step("production", "2026-10-26T00:00:00Z", "")))
	fixture.Problems(t, "Track", err, []string{`steps[8].stage "production": want no step: the fix is done`})

	bad := support.FixChain{Stages: []support.FixStage{{ID: "a"}}, WithinMinutes: -1}
	fixture.Problems(t, "Validate", bad.Validate(), []string{`stages "1"`, `stages[0].does ""`, `severe "unset"`, `within_minutes "-1"`})
	bad = support.FixChain{Stages: []support.FixStage{{ID: "a", Does: "x"}, {ID: "a", Does: "x"}}, Severe: incident.P1, WithinMinutes: 1}
	_, err = bad.Track(0, reported, nil)
	fixture.Problems(t, "Track", err, []string{`stages[1].id "a"`, `severity "unset"`})
}
