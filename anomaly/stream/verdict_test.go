package stream_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

func TestVerdictJSON(t *testing.T) {
	v := stream.Verdict{At: start, Value: math.NaN(), State: stream.Anomalous, Score: 2, Fresh: true, P: math.NaN(), Missing: 3}
	v.Findings[0] = stream.Finding{Signal: stream.Silence, Observed: 90, Expected: 30, P: math.NaN()}
	const want = `{"at":"2026-03-01T00:00:00Z","value":null,"state":"anomaly","score":2,"fresh":true,"p":null,` +
		`"findings":[{"signal":"silence","observed":90,"expected":30,"p":null}],"missing":3}`
	data, err := json.Marshal(v)
	if err != nil || string(data) != want {
		t.Fatalf("JSON = %s, %v, want %s", data, err, want)
	}
	var back stream.Verdict
	if err := json.Unmarshal(data, &back); err != nil || !same(back, v) {
		t.Errorf("back = %+v, %v, want %+v", back, err, v)
	}
	for _, bad := range []string{`{"state":"fine"}`, `{"findings":[{},{},{},{}]}`, `{"findings":[{"signal":"smell"}]}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if _, err := json.Marshal(stream.Verdict{State: 99}); err == nil {
		t.Error("a state that is none has a text")
	}
	data, err = json.Marshal(stream.Report{Verdict: v, Transition: stream.Raised, Episode: stream.Episode{Number: 1, Start: start, Peak: 2}})
	const tail = `"transition":"raised","episode":{"number":1,"start":"2026-03-01T00:00:00Z","peak":2}}`
	if err != nil || string(data) != `{"verdict":`+want+`,`+tail {
		t.Errorf("report = %s, %v, want it to end in %s", data, err, tail)
	}
}

// Every name is read back as what it is the name of.
func TestNames(t *testing.T) {
	for s := stream.Warming; s <= stream.Paused; s++ {
		var back stream.State
		if text, err := s.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != s || s.String() != string(text) {
			t.Errorf("state %d: %s, %v, back %d", s, text, err, back)
		}
	}
	for s := stream.Level; s <= stream.Silence; s++ {
		var back stream.Signal
		if text, err := s.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != s || s.String() != string(text) {
			t.Errorf("signal %d: %s, %v, back %d", s, text, err, back)
		}
	}
	for s := stream.Raised; s <= stream.Expired; s++ {
		var back stream.Transition
		if text, err := s.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != s || s.String() != string(text) {
			t.Errorf("transition %d: %s, %v, back %d", s, text, err, back)
		}
	}
	if got := stream.State(99).String(); got != "state(99)" {
		t.Errorf("State(99) = %q", got)
	}
	if _, err := stream.Transition(99).MarshalText(); err == nil {
		t.Error("transition 99 has a text")
	}
	if new(stream.Signal).UnmarshalText([]byte("smell")) == nil || new(stream.Transition).UnmarshalText(nil) == nil {
		t.Error("unknown names are read")
	}
}
