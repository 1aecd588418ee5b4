package stream

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// State is what a detector says of a sample.
type State uint8

// The states. Only Normal and Anomalous are judgements. The zero value is not set.
const (
	// Warming means that too little has been seen to judge.
	Warming State = iota + 1
	// Normal and Anomalous are judgements.
	Normal
	Anomalous
	// NoData is a sample without a value: NaN, an infinity, or a number beyond 1e150, which
	// nobody measured and which cannot be squared.
	NoData
	// Late is a sample older than one seen before. It is counted and not looked at.
	Late
	// Paused is a sample of a time that was excluded. It is neither judged nor learnt.
	Paused
)

var stateNames = []string{"unset", "warming", "normal", "anomaly", "no_data", "late", "maintenance"}

// String returns the state in lower case, as in documents.
func (s State) String() string { return nameOf(stateNames, "state", uint8(s)) }

// MarshalText returns the text of [State.String]. The error is that of a state that is none.
func (s State) MarshalText() ([]byte, error) { return textOf(stateNames, "state", uint8(s)) }

// UnmarshalText reads the text of a state. The error names those that there are.
func (s *State) UnmarshalText(text []byte) error {
	n, err := parse(stateNames, "state", text)
	*s = State(n)
	return err
}

// nameOf returns the name of a number; names are those of 0, 1, 2 and so on.
func nameOf(names []string, kind string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}

// textOf is nameOf of numbers that have one.
func textOf(names []string, kind string, n uint8) ([]byte, error) {
	if int(n) < len(names) {
		return []byte(names[n]), nil
	}
	return nil, fmt.Errorf("stream: %s(%d) has no text", kind, n)
}

// parse returns the number of a name.
func parse(names []string, kind string, text []byte) (int, error) {
	if i := slices.Index(names, string(text)); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("stream: unknown %s %q, want %s", kind, text, strings.Join(names, ", "))
}

// Signal is one way in which a sample can be odd. The zero value is none.
type Signal uint8

// The signals. In brackets what is compared with what.
const (
	// Level [the value with the rolling median].
	Level Signal = iota + 1
	// Change [the value with the one before].
	Change
	// ShortMean and LongMean [the mean of a window with the rolling median].
	ShortMean
	LongMean
	// ShortSpread and LongSpread [the standard deviation in a window with the usual one].
	ShortSpread
	LongSpread
	// TimeOfDay [the value with the mean at that time of the day].
	TimeOfDay
	// Drift [the level since a change began with the usual one], up or down.
	Drift
	// Stuck [how long the value has been the same with how long that lasts].
	Stuck
	// Silence [the time since the last sample with the usual step], both in seconds.
	Silence
)

var signalNames = []string{
	"none", "level", "change", "short mean", "long mean", "short spread", "long spread",
	"time of day", "drift", "stuck", "silence",
}

// String returns the signal in lower case words.
func (s Signal) String() string { return nameOf(signalNames, "signal", uint8(s)) }

// MarshalText returns the text of [Signal.String]. The error is that of a signal that is
// none.
func (s Signal) MarshalText() ([]byte, error) { return textOf(signalNames, "signal", uint8(s)) }

// UnmarshalText reads the text of a signal. The error names those that there are.
func (s *Signal) UnmarshalText(text []byte) error {
	n, err := parse(signalNames, "signal", text)
	*s = Signal(n)
	return err
}

// Finding is what one signal says.
type Finding struct {
	Signal Signal
	// Observed and Expected are in the unit of the values unless the signal says otherwise;
	// NaN is not known.
	Observed, Expected float64
	// P is the probability of a deviation at least as large, by what has been seen; NaN where
	// there is none.
	P float64
}

// Verdict is the answer to one sample. It is a value without pointers but that of the
// zone of At.
type Verdict struct {
	At    time.Time
	Value float64
	State State
	// Score is 1 at the boundary, and more is worse. It is NaN where nothing is judged.
	Score float64
	// Fresh means that the score exceeds those of the recent past by the margin of the detector.
	// An episode that lasts is not fresh, one that becomes worse is again.
	Fresh bool
	// P is the probability of the strongest finding, corrected for how many signals were
	// looked at; NaN where nothing is judged.
	P float64
	// Findings are the strongest first; behind the last there is none.
	Findings [3]Finding
	// Late, Repeated and Missing count the samples so far that were older than one before,
	// had the instant of the one before, or had no value.
	Late, Repeated, Missing uint64
}

// verdictJSON is the form of a verdict in JSON; what is not known is null.
type verdictJSON struct {
	At       time.Time     `json:"at"`
	Value    *float64      `json:"value"`
	State    State         `json:"state"`
	Score    *float64      `json:"score"`
	Fresh    bool          `json:"fresh,omitempty"`
	P        *float64      `json:"p"`
	Findings []findingJSON `json:"findings,omitempty"`
	Late     uint64        `json:"late,omitempty"`
	Repeated uint64        `json:"repeated,omitempty"`
	Missing  uint64        `json:"missing,omitempty"`
}

// findingJSON is the form of a finding in JSON.
type findingJSON struct {
	Signal   Signal   `json:"signal"`
	Observed *float64 `json:"observed"`
	Expected *float64 `json:"expected"`
	P        *float64 `json:"p"`
}

// known is a number that JSON has, nil of any other.
func known(x float64) *float64 {
	if x-x != 0 {
		return nil
	}
	return &x
}

// number is NaN of nil.
func number(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// MarshalJSON writes the verdict with null for what is not known. The error is that of a
// state or signal that is none.
func (v Verdict) MarshalJSON() ([]byte, error) {
	j := verdictJSON{
		At: v.At, Value: known(v.Value), State: v.State, Score: known(v.Score), Fresh: v.Fresh, P: known(v.P),
		Late: v.Late, Repeated: v.Repeated, Missing: v.Missing,
	}
	for _, f := range v.Findings {
		if f.Signal != 0 {
			j.Findings = append(j.Findings, findingJSON{f.Signal, known(f.Observed), known(f.Expected), known(f.P)})
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes; null becomes NaN.
func (v *Verdict) UnmarshalJSON(data []byte) error {
	var j verdictJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	if len(j.Findings) > len(v.Findings) {
		return fmt.Errorf("stream: a verdict with %d findings, want at most %d", len(j.Findings), len(v.Findings))
	}
	*v = Verdict{
		At: j.At, Value: number(j.Value), State: j.State, Score: number(j.Score), Fresh: j.Fresh, P: number(j.P),
		Late: j.Late, Repeated: j.Repeated, Missing: j.Missing,
	}
	for i, f := range j.Findings {
		v.Findings[i] = Finding{f.Signal, number(f.Observed), number(f.Expected), number(f.P)}
	}
	return nil
}

// String explains the verdict in one line: state, score, and the findings with what was
// expected.
func (v Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.At.UTC().Format(time.RFC3339), v.State)
	if math.IsNaN(v.Score) || v.Score == 0 && v.Findings[0].Signal == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, ", score %.2f", v.Score)
	for _, f := range v.Findings {
		if f.Signal != 0 {
			fmt.Fprintf(&b, "; %s %.4g, expected %.4g", f.Signal, f.Observed, f.Expected)
			if !math.IsNaN(f.P) {
				fmt.Fprintf(&b, " (p %.1g)", f.P)
			}
		}
	}
	return b.String()
}

// maxValue is the greatest value that is one.
const maxValue = 1e150

// clock watches the instants of the samples of one series, in nanoseconds since 1970.
type clock struct {
	last                    int64
	started                 bool
	late, repeated, missing uint64
}

// nanos is an instant as a number. Instants outside of 1678 to 2262 are taken for the end
// that is nearer.
func nanos(at time.Time) int64 {
	switch year := at.Year(); {
	case year < 1678:
		return math.MinInt64
	case year >= 2262:
		return math.MaxInt64
	}
	return at.UnixNano()
}

// take counts a sample. Unless it is to be looked at, the state says why. elapsed is the
// time since the one before, 0 for the first.
func (c *clock) take(now int64, x float64) (elapsed int64, state State) {
	switch {
	case c.started && now < c.last:
		c.late++
		return 0, Late
	case !(math.Abs(x) <= maxValue):
		c.missing++
		return 0, NoData
	}
	if c.started {
		elapsed = now - c.last
		if elapsed < 0 { // from one end of time to the other
			elapsed = math.MaxInt64
		}
		if elapsed == 0 {
			c.repeated++
		}
	}
	c.last, c.started = now, true
	return elapsed, 0
}

// verdict begins a verdict.
func (c *clock) verdict(at time.Time, x float64, state State) Verdict {
	return Verdict{
		At: at, Value: x, State: state, Score: math.NaN(), P: math.NaN(),
		Late: c.late, Repeated: c.repeated, Missing: c.missing,
	}
}
