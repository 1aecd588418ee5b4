package stream_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// judged is a verdict with a score after some minutes.
func judged(minutes int, score float64) *stream.Verdict {
	v := &stream.Verdict{At: start.Add(time.Duration(minutes) * time.Minute), State: stream.Normal, Score: score, Fresh: true}
	if score >= 1 {
		v.State = stream.Anomalous
	}
	return v
}

func TestAlarm(t *testing.T) {
	const none, raised, cleared, expired = stream.Transition(0), stream.Raised, stream.Cleared, stream.Expired
	for _, c := range []struct {
		name    string
		options stream.AlarmOptions
		scores  []float64 // one a minute; below 0 is no data
		want    []stream.Transition
	}{
		{"one alarm an episode", stream.AlarmOptions{}, []float64{0, 1, 5, 2, 0.5, 0.1}, []stream.Transition{none, raised, none, none, cleared, none}},
		{"between leaving and entering", stream.AlarmOptions{}, []float64{0.9, 1, 0.8, 0.7, 0.9, 0.69, 0.9}, []stream.Transition{none, raised, none, none, none, cleared, none}},
		{"two of three", stream.AlarmOptions{Need: 2, Of: 3}, []float64{1, 0, 0, 1, 0, 1, 0}, []stream.Transition{none, none, none, none, none, raised, cleared}},
		{"no data decides nothing", stream.AlarmOptions{Need: 2, Of: 2}, []float64{1, -1, 1, -1, 0}, []stream.Transition{none, none, raised, none, cleared}},
		{"not above the last peak", stream.AlarmOptions{Refractory: 10 * time.Minute}, []float64{2, 0, 2.2, 2.3, 0}, []stream.Transition{raised, cleared, none, raised, cleared}},
		{"when the refractory time is over", stream.AlarmOptions{Refractory: 3 * time.Minute}, []float64{2, 0, 1, 1, 1, 0}, []stream.Transition{raised, cleared, none, none, raised, cleared}},
		{"held too long", stream.AlarmOptions{MaxHold: 2 * time.Minute}, []float64{2, 2, 2, 2, 2, 0, 2}, []stream.Transition{raised, none, expired, none, none, none, raised}},
		{"limits of one's own", stream.AlarmOptions{Enter: 3, Leave: 2}, []float64{2, 3, 2, 1.9}, []stream.Transition{none, raised, none, cleared}},
	} {
		a := must(stream.NewAlarm(&c.options))
		for i, score := range c.scores {
			// A restored alarm goes on like the one it was.
			state := must(a.MarshalBinary())
			a = must(stream.NewAlarm(&c.options))
			if err := a.UnmarshalBinary(state); err != nil || !bytes.Equal(state, must(a.MarshalBinary())) {
				t.Fatalf("%s: restored: %v", c.name, err)
			}
			v := judged(i, score)
			if score < 0 {
				v.State, v.Score = stream.NoData, 0
			}
			if got, _ := a.Update(v); got != c.want[i] {
				t.Errorf("%s: sample %d of %v = %v, want %v", c.name, i, c.scores, got, c.want[i])
			}
		}
	}
	var e *stream.FormatError
	if err := must(stream.NewAlarm(nil)).UnmarshalBinary([]byte("ekst")); !errors.As(err, &e) {
		t.Errorf("UnmarshalBinary of four bytes = %v, want a FormatError", err)
	}
}

func TestAlarmEpisode(t *testing.T) {
	a := must(stream.NewAlarm(nil))
	a.Update(judged(0, 1))
	a.Update(judged(1, 3))
	if got, want := a.Episode(), (stream.Episode{Number: 1, Start: start, Peak: 3}); got != want {
		t.Errorf("episode = %+v, want %+v", got, want)
	}
	tr, e := a.Update(judged(2, 0))
	if want := (stream.Episode{Number: 1, Start: start, End: start.Add(2 * time.Minute), Peak: 3}); tr != stream.Cleared || e != want {
		t.Errorf("%v of %+v, want cleared of %+v", tr, e, want)
	}
	if a.Episode().Number != 0 {
		t.Errorf("episode after the end = %+v", a.Episode())
	}
	a.Update(judged(3, 2))
	if a.Episode().Number != 2 {
		t.Errorf("the second episode has number %d", a.Episode().Number)
	}
	// What lasts and is not fresh begins nothing.
	b := must(stream.NewAlarm(nil))
	v := judged(0, 2)
	v.Fresh = false
	if tr, _ := b.Update(v); tr != 0 {
		t.Errorf("a stale score = %v, want no transition", tr)
	}
}

// A score without a number decides nothing, and one without a bound can be kept.
func TestAlarmOfOddScores(t *testing.T) {
	a := must(stream.NewAlarm(nil))
	a.Update(judged(0, 2))
	if got, e := a.Update(judged(1, math.NaN())); got != 0 || e.Peak != 2 {
		t.Errorf("NaN made %v of an episode with peak %v, want none and 2", got, e.Peak)
	}
	a.Update(judged(2, math.Inf(1)))
	state := must(a.MarshalBinary())
	if err := must(stream.NewAlarm(nil)).UnmarshalBinary(state); err != nil {
		t.Errorf("state after an infinite score: %v", err)
	}
	if got, _ := a.Update(judged(3, 0)); got != stream.Cleared {
		t.Errorf("afterwards 0 makes %v, want cleared", got)
	}
}

// The error of an alarm names the option that is wrong.
func TestAlarmOptionErrors(t *testing.T) {
	for _, c := range []struct {
		options stream.AlarmOptions
		want    string
	}{
		{stream.AlarmOptions{Of: -1}, "stream: option Of is -1, want 1 to 64"},
		{stream.AlarmOptions{Need: 65}, "stream: option Of is 65, want 1 to 64"},
		{stream.AlarmOptions{Need: 3, Of: 2}, "stream: option Need is 3, want 1 to 2, which is Of"},
	} {
		if _, err := stream.NewAlarm(&c.options); err == nil || err.Error() != c.want {
			t.Errorf("NewAlarm(%+v) = %v, want %s", c.options, err, c.want)
		}
	}
}
