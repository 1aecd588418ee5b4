package slo_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/slo"
)

// roundTrip checks the names of an enumeration from its first value on, that
// every value is read back from its text, and that one beyond the last is no
// text.
func roundTrip[T ~uint8, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, first T, names ...string,
) {
	t.Helper()
	for i, name := range names {
		v := first + T(i)
		m, ok := any(v).(encoding.TextMarshaler)
		if !ok {
			t.Fatalf("%T is no TextMarshaler", v)
		}
		text, err := m.MarshalText()
		var back T
		if err != nil || string(text) != name || P(&back).UnmarshalText(text) != nil || back != v || fmt.Sprint(v) != name {
			t.Errorf("%T(%d) is %q, %q, %v, and back %d, want %q", v, uint8(v), v, text, err, uint8(back), name)
		}
	}
	beyond := first + T(len(names))
	m, _ := any(beyond).(encoding.TextMarshaler)
	if text, err := m.MarshalText(); err == nil {
		t.Errorf("%T(%d) is %q, want an error", beyond, uint8(beyond), text)
	}
	var v T
	if err := P(&v).UnmarshalText([]byte("nonsense")); err == nil {
		t.Errorf("%T reads nonsense", v)
	}
}

func TestEnumerations(t *testing.T) {
	roundTrip[slo.State](t, slo.NoData, "no_data", "ok", "at_risk", "exhausted")
	roundTrip[slo.Measure](t, slo.Events, "events", "slices", "nanoseconds")
	roundTrip[slo.Unit](t, slo.Day, "day", "week", "month", "quarter", "year")
	roundTrip[slo.Scheme](t, slo.ConstantBudget, "constant_budget", "scaled_windows")
	roundTrip[slo.Cause](t, slo.NoEvents, "no_events", "uncovered", "below", "few_events", "few_bad", "not_significant", "above", "some_events", "all_excluded")
	roundTrip[slo.RuleKind](t, slo.BurnRate, "burn_rate", "absolute_count", "silence")
	roundTrip[slo.Level](t, slo.Warning, "warning", "error")
	roundTrip[slo.NoDataPolicy](t, slo.ExcludeNoData, "exclude", "good", "bad")
	roundTrip[slo.Method](t, slo.Occurrences, "Occurrences", "Timeslices", "RatioTimeslices", "WeightedAverage", "SerialAvailability", "ParallelAvailability")
	if slo.State(0).String() != "unset" || slo.State(9).String() != "State(9)" {
		t.Errorf("State(0) and State(9) are %s and %s", slo.State(0), slo.State(9))
	}
}

func TestVerdictJSON(t *testing.T) {
	for v, want := range map[slo.Verdict]string{slo.Undecided: "null", slo.Met: "true", slo.Missed: "false"} {
		data, err := json.Marshal(v)
		back := slo.Verdict(9)
		if err != nil || string(data) != want || back.UnmarshalJSON(data) != nil || back != v {
			t.Errorf("%s is %s, %v, and back %s, want %s", v, data, err, back, want)
		}
	}
	if _, err := slo.Verdict(9).MarshalJSON(); err == nil {
		t.Error("Verdict(9) has a JSON form")
	}
	var v slo.Verdict
	if err := v.UnmarshalJSON([]byte(`"met"`)); err == nil {
		t.Error("a text is read as a verdict")
	}
}
