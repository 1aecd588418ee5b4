package stream_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// detector is what all of them can do.
type detector interface {
	Update(at time.Time, x float64) stream.Verdict
	Pause()
	MarshalBinary() ([]byte, error)
	UnmarshalBinary(data []byte) error
}

// must is for options that are known to be good.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// seriesDetector makes a detector of a series.
type seriesDetector struct{ *stream.Series }

// Update returns the verdict alone.
func (s seriesDetector) Update(at time.Time, x float64) stream.Verdict {
	return s.Series.Update(at, x).Verdict
}

// Pause does nothing: a series pauses by itself.
func (s seriesDetector) Pause() {}

// rateDetector makes a detector of a counter's rate.
type rateDetector struct{ stream.Rate }

// Update returns the rate as a value.
func (r *rateDetector) Update(at time.Time, x float64) stream.Verdict {
	return stream.Verdict{Value: r.Of(at, x)}
}

// detectors makes one of each, with their bounds of memory in bytes.
var detectors = []struct {
	name string
	size uintptr
	make func() detector
}{
	{"bank", 0, func() detector { return must(stream.NewBank(nil)) }},
	{"bank in Tokyo", 0, func() detector {
		return must(stream.NewBank(&stream.BankOptions{Step: time.Minute, Zone: time.FixedZone("JST", 9*3600)}))
	}},
	{"EWMA by time", 200, func() detector { return must(stream.NewEWMA(nil)) }},
	{"EWMA by samples", 200, func() detector {
		return must(stream.NewEWMA(&stream.EWMAOptions{Alpha: 0.1, Recursive: true}))
	}},
	{"robust", 0, func() detector { return must(stream.NewRobust(nil)) }},
	{"shift", 400, func() detector { return must(stream.NewShift(nil)) }},
	{"spread", 600, func() detector { return must(stream.NewSpread(nil)) }},
	{"flatline", 200, func() detector { return must(stream.NewFlatline(nil)) }},
	{"gap", 300, func() detector { return must(stream.NewGap(nil)) }},
	{"rate", 200, func() detector { return &rateDetector{} }},
	{"consensus", 0, func() detector {
		return must(stream.NewConsensus(must(stream.NewRobust(nil)), must(stream.NewEWMA(&stream.EWMAOptions{HalfLife: 24 * time.Hour}))))
	}},
	{"series", 0, func() detector {
		return seriesDetector{must(stream.NewSeries(&stream.SeriesOptions{
			Excluded: func(at time.Time) bool { return at.Hour() == 3 },
		}))}
	}},
	{"series of a counter", 0, func() detector {
		return seriesDetector{must(stream.NewSeries(&stream.SeriesOptions{Counter: true}))}
	}},
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// sample is one of a series.
type sample struct {
	at    time.Time
	value float64
}

// troubled is a wave with whatever happens to series: outliers, steps, flat stretches, values
// and samples that are missing, late or repeated, and sizes beyond all reason.
func troubled(n int) []sample {
	r := rand.New(rand.NewPCG(5, 6))
	samples := make([]sample, n)
	at, level := start, 50.0
	for i := range samples {
		at = at.Add(time.Minute)
		s := sample{at, level + 10*math.Sin(float64(i)/200) + r.NormFloat64()}
		switch r.IntN(200) {
		case 0:
			s.value *= 10
		case 1:
			level += 5
		case 2:
			s.value = math.NaN()
		case 3:
			s.value = math.Inf(1)
		case 4:
			s.at = at.Add(-time.Hour)
		case 5:
			at = at.Add(-time.Minute)
			s.at = at
		case 6:
			at = at.Add(3 * time.Hour)
		case 7:
			s.value = math.MaxFloat64 * float64(r.IntN(3)-1)
		}
		if i%1000 > 950 {
			s.value = 7
		}
		samples[i] = s
	}
	return samples
}

// same compares verdicts; NaN is equal to NaN.
func same(a, b stream.Verdict) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }

// A detector that is kept and restored now and then answers like one that was not, and
// ends in the same bytes. 1500 samples, 4000 with EVENKEEL_SOAK=1.
func TestPrefixAndRestIsTheWhole(t *testing.T) {
	for _, d := range detectors {
		t.Run(d.name, func(t *testing.T) {
			whole, part := d.make(), d.make()
			for i, s := range troubled(prefixSamples()) {
				if i%131 == 0 {
					state := must(part.MarshalBinary())
					part = d.make()
					if err := part.UnmarshalBinary(state); err != nil {
						t.Fatalf("after %d samples: %v", i, err)
					}
				}
				if i%977 == 0 {
					whole.Pause()
					part.Pause()
				}
				want := whole.Update(s.at, s.value)
				if got := part.Update(s.at, s.value); !same(got, want) {
					t.Fatalf("sample %d restored: %+v, want %+v", i, got, want)
				}
			}
			if !bytes.Equal(must(whole.MarshalBinary()), must(part.MarshalBinary())) {
				t.Error("restored and whole end in different bytes")
			}
		})
	}
}

// prefixSamples is how long the series of TestPrefixAndRestIsTheWhole is.
func prefixSamples() int {
	if os.Getenv("EVENKEEL_SOAK") != "" {
		return 4000
	}
	return 1500
}

// What a detector saw before a state is restored into it leaves no trace, not even the step
// that it had learnt.
func TestRestoredForgetsItsOwn(t *testing.T) {
	for _, d := range detectors {
		t.Run(d.name, func(t *testing.T) {
			one, used := d.make(), d.make()
			for i := range 100 {
				one.Update(start.Add(time.Duration(i)*5*time.Minute), float64(i%7))
				used.Update(start.Add(time.Duration(i)*time.Minute), 50+float64(i%3))
			}
			state := must(one.MarshalBinary())
			if err := used.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(state, must(used.MarshalBinary())) {
				t.Error("the restored state is another one")
			}
			fresh := must(d.make().MarshalBinary())
			if err := used.UnmarshalBinary(fresh); err != nil || !bytes.Equal(fresh, must(used.MarshalBinary())) {
				t.Errorf("back to the beginning: %v, or another state", err)
			}
		})
	}
}

// The chance of a drift is that of its formula also where a slack next to nothing makes the
// difference of large numbers of it: then it is 2/b^2, with b at least 1.166.
func TestShiftChanceOfSmallSlack(t *testing.T) {
	s := must(stream.NewShift(&stream.ShiftOptions{Slack: 1e-200, Warmup: 1}))
	for i := range 50 {
		v := s.Update(start.Add(time.Duration(i)*time.Minute), float64(i%5))
		if v.State == stream.Warming {
			continue
		}
		b := 10*v.Score + 1.166 // Limit is 10
		if want := min(1, 2/(b*b)); math.Abs(v.P-want) > 1e-9 {
			t.Fatalf("sample %d: P = %v for a score of %v, want %v", i, v.P, v.Score, want)
		}
	}
}

// Verdicts are judgements or say why not, and nothing that happens makes a score of a
// judgement NaN or negative.
func TestVerdictsAreSound(t *testing.T) {
	for _, d := range detectors {
		if d.name == "rate" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			one := d.make()
			states := map[stream.State]int{}
			var last stream.Verdict
			var newest time.Time
			for i, s := range troubled(6000) {
				v := one.Update(s.at, s.value)
				states[v.State]++
				judged := v.State == stream.Normal || v.State == stream.Anomalous
				if judged && !(v.Score >= 0) || !judged && v.State != stream.Late && v.Fresh {
					t.Fatalf("sample %d: %+v", i, v)
				}
				if s.at.Before(newest) && v.State != stream.Late && v.State != stream.Paused {
					t.Fatalf("sample %d is older than one before, state %v", i, v.State)
				}
				if v.State != stream.Paused {
					newest = later(newest, s.at)
				}
				last = v
			}
			if last.Late == 0 || last.Repeated == 0 || last.Missing == 0 {
				t.Errorf("counts of late, repeated and missing samples = %d, %d, %d, want all", last.Late, last.Repeated, last.Missing)
			}
			for _, s := range []stream.State{stream.Warming, stream.Normal, stream.NoData, stream.Late} {
				if states[s] == 0 {
					t.Errorf("states %v, want some %v", states, s)
				}
			}
		})
	}
}

// later is the later of two instants.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestUpdatesDoNotAllocate(t *testing.T) {
	for _, d := range detectors {
		one := d.make()
		samples := troubled(5000)
		for _, s := range samples {
			one.Update(s.at, s.value)
		}
		at, i := samples[len(samples)-1].at, 0
		if got := testing.AllocsPerRun(2000, func() {
			at = at.Add(time.Minute)
			one.Update(at, samples[i].value)
			i++
		}); got != 0 {
			t.Errorf("%s: %v allocations an update, want 0", d.name, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, most int
	}{
		{"EWMA", int(unsafe.Sizeof(stream.EWMA{})), 200},
		{"shift", int(unsafe.Sizeof(stream.Shift{})), 400},
		{"spread", int(unsafe.Sizeof(stream.Spread{})), 600},
		{"flatline", int(unsafe.Sizeof(stream.Flatline{})), 200},
		{"gap", int(unsafe.Sizeof(stream.Gap{})), 300},
		{"alarm", int(unsafe.Sizeof(stream.Alarm{})), 200},
	} {
		if c.got > c.most {
			t.Errorf("%s takes %d bytes, want at most %d", c.name, c.got, c.most)
		}
	}
	bank, robust, series := must(stream.NewBank(nil)), must(stream.NewRobust(nil)), must(stream.NewSeries(nil))
	for _, s := range troubled(20_000) {
		bank.Update(s.at, s.value)
		robust.Update(s.at, s.value)
		series.Update(s.at, s.value)
	}
	t.Logf("bank %d, robust %d, series %d bytes", bank.Size(), robust.Size(), series.Size())
	if bank.Size() > 8192 || robust.Size() > 2048 || series.Size() > 8704 {
		t.Errorf("bank %d, robust %d, series %d bytes, want at most 8192, 2048, 8704", bank.Size(), robust.Size(), series.Size())
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for i, d := range detectors {
		one := d.make()
		for _, s := range troubled(300) {
			one.Update(s.at, s.value)
		}
		good := must(one.MarshalBinary())
		other := must(detectors[(i+3)%len(detectors)].make().MarshalBinary())
		version := slices.Clone(good)
		version[4]++
		flipped := slices.Clone(good)
		flipped[len(flipped)/2] ^= 1
		for name, data := range map[string][]byte{
			"nothing": nil, "another detector": other, "another version": version, "a flipped bit": flipped,
			"cut short": reseal(good[:len(good)-5]), "too long": reseal(append(slices.Clone(good), 1)),
		} {
			before := must(one.MarshalBinary())
			var e *stream.FormatError
			if err := one.UnmarshalBinary(data); !errors.As(err, &e) {
				t.Errorf("%s, %s: %v, want a FormatError", d.name, name, err)
			}
			if !bytes.Equal(before, must(one.MarshalBinary())) {
				t.Errorf("%s, %s: the refused state left traces", d.name, name)
			}
		}
	}
}

func TestOptionErrors(t *testing.T) {
	nan := math.NaN()
	for name, err := range map[string]error{
		"bank step":         second(stream.NewBank(&stream.BankOptions{Step: -1})),
		"bank memory":       second(stream.NewBank(&stream.BankOptions{Memory: -1})),
		"bank threshold":    second(stream.NewBank(&stream.BankOptions{Threshold: nan})),
		"ewma half-life":    second(stream.NewEWMA(&stream.EWMAOptions{HalfLife: -1})),
		"ewma alpha":        second(stream.NewEWMA(&stream.EWMAOptions{Alpha: 1.5})),
		"ewma both":         second(stream.NewEWMA(&stream.EWMAOptions{Alpha: 0.5, HalfLife: 1})),
		"ewma threshold":    second(stream.NewEWMA(&stream.EWMAOptions{Threshold: -1})),
		"ewma warm-up":      second(stream.NewEWMA(&stream.EWMAOptions{Warmup: -1})),
		"robust half-life":  second(stream.NewRobust(&stream.RobustOptions{HalfLife: -1})),
		"robust threshold":  second(stream.NewRobust(&stream.RobustOptions{Threshold: nan})),
		"robust warm-up":    second(stream.NewRobust(&stream.RobustOptions{Warmup: -1})),
		"shift half-life":   second(stream.NewShift(&stream.ShiftOptions{HalfLife: -1})),
		"shift slack":       second(stream.NewShift(&stream.ShiftOptions{Slack: 5})),
		"shift limit":       second(stream.NewShift(&stream.ShiftOptions{Limit: nan})),
		"shift warm-up":     second(stream.NewShift(&stream.ShiftOptions{Warmup: -1})),
		"spread short":      second(stream.NewSpread(&stream.SpreadOptions{Short: time.Hour, Long: time.Minute})),
		"spread threshold":  second(stream.NewSpread(&stream.SpreadOptions{Threshold: nan})),
		"spread warm-up":    second(stream.NewSpread(&stream.SpreadOptions{Warmup: -1})),
		"flatline for":      second(stream.NewFlatline(&stream.FlatlineOptions{For: -1})),
		"flatline within":   second(stream.NewFlatline(&stream.FlatlineOptions{Within: nan})),
		"flatline evidence": second(stream.NewFlatline(&stream.FlatlineOptions{Evidence: nan})),
		"flatline life":     second(stream.NewFlatline(&stream.FlatlineOptions{HalfLife: -1})),
		"flatline warm-up":  second(stream.NewFlatline(&stream.FlatlineOptions{Warmup: -1})),
		"gap step":          second(stream.NewGap(&stream.GapOptions{Step: -1})),
		"gap steps":         second(stream.NewGap(&stream.GapOptions{Steps: nan})),
		"alarm need":        second(stream.NewAlarm(&stream.AlarmOptions{Need: 3, Of: 2})),
		"alarm of":          second(stream.NewAlarm(&stream.AlarmOptions{Of: 65})),
		"alarm enter":       second(stream.NewAlarm(&stream.AlarmOptions{Enter: -1})),
		"alarm leave":       second(stream.NewAlarm(&stream.AlarmOptions{Leave: 2})),
		"alarm refractory":  second(stream.NewAlarm(&stream.AlarmOptions{Refractory: -1})),
		"alarm margin":      second(stream.NewAlarm(&stream.AlarmOptions{Margin: nan})),
		"alarm hold":        second(stream.NewAlarm(&stream.AlarmOptions{MaxHold: -1})),
		"series gap":        second(stream.NewSeries(&stream.SeriesOptions{Gap: stream.GapOptions{Step: -1}})),
		"consensus":         second(stream.NewConsensus()),
		"consensus of none": second(stream.NewConsensus(must(stream.NewBank(nil)), nil)),
		"alarm of negative": second(stream.NewAlarm(&stream.AlarmOptions{Of: -1})),
		"registry series":   second(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: -1})),
		"registry tenant":   second(stream.NewRegistry(&stream.RegistryOptions{MaxPerTenant: -1})),
		"registry options":  second(stream.NewRegistry(&stream.RegistryOptions{Series: stream.SeriesOptions{Bank: stream.BankOptions{Recent: -1}}})),
	} {
		var e *stream.OptionError
		if !errors.As(err, &e) || e.Error() == "" {
			t.Errorf("%s: error = %v, want an OptionError", name, err)
		}
	}
}

// second is the error of a constructor.
func second[T any](_ T, err error) error { return err }
