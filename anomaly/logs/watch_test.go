package logs_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
)

const window = 5 * time.Minute

func newWatch(tb testing.TB, o *logs.WatchOptions) *logs.Watch {
	tb.Helper()
	w, err := logs.NewWatch(o)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// feed adds n lines of a template to the window with a number.
func feed(w *logs.Watch, number int, id logs.ID, n int) (findings []logs.Finding) {
	for range n {
		findings = append(findings, w.Add(start.Add(time.Duration(number)*window), logs.Result{ID: id})...)
	}
	return findings
}

// poisson draws a count.
func poisson(r *rand.Rand, mean float64) (n int) {
	for limit, p := math.Exp(-mean), r.Float64(); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

func TestFindings(t *testing.T) {
	w := newWatch(t, &logs.WatchOptions{Alpha: 0.002})
	r := rand.New(rand.NewPCG(1, 2))
	var found []logs.Finding
	for i := range 1000 {
		found = append(found, w.Step(start.Add(time.Duration(i)*window))...)
		found = append(found, feed(w, i, 1, poisson(r, 20))...)
		if i < 950 {
			found = append(found, feed(w, i, 2, poisson(r, 3))...)
		}
		if i == 0 || i == 980 {
			found = append(found, feed(w, i, 3, 1)...)
		}
		if i == 900 {
			found = append(found, feed(w, i, 1, 60)...)
		}
		if i == 920 {
			found = append(found, feed(w, i, 4, 5)...)
		}
	}
	found = append(found, w.Step(start.Add(1000*window))...)
	type short struct {
		kind  logs.FindingKind
		id    logs.ID
		start int
	}
	var got []short
	for _, f := range found {
		n := int(f.Start.Sub(start) / window)
		if f.Kind == logs.Gone {
			n = 0 // the first silent window is not sure
			if want := start.Add(950 * window); f.Start.Before(want) || f.Start.After(want.Add(2*window)) {
				t.Errorf("gone since %v, want %v", f.Start, want)
			}
		}
		got = append(got, short{f.Kind, f.ID, n})
		if !(f.P >= 0 && f.P <= 1) || f.Kind != logs.New && f.Kind != logs.Rare && f.Score < 1 {
			t.Errorf("finding %+v: a probability out of range, or a score below the boundary", f)
		}
	}
	want := []short{{logs.Surge, 1, 900}, {logs.New, 4, 920}, {logs.Gone, 2, 0}, {logs.Rare, 3, 980}}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v\n%+v", got, want, found)
	}
}

// A quiet stream gives as many windows with a finding as Alpha says, or fewer: the
// counts are whole numbers and the rates are not known exactly.
func TestFalseAlarms(t *testing.T) {
	for _, scatter := range []bool{false, true} {
		alarms, windows := 0, 0
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, 9))
			w := newWatch(t, &logs.WatchOptions{Alpha: 0.05, Warmup: 50})
			odd := map[time.Time]bool{}
			for i := range 2000 {
				for id := range 10 {
					mean := float64(id*id) / 4
					if scatter { // a gamma-like rate, from four equal parts
						mean *= -math.Log(r.Float64()*r.Float64()*r.Float64()*r.Float64()) / 4
					}
					for _, f := range feed(w, i, logs.ID(id+1), poisson(r, mean)) {
						if f.Score >= 1 {
							odd[f.End] = true
						}
					}
				}
			}
			alarms, windows = alarms+len(odd), windows+2000
		}
		if rate := float64(alarms) / float64(windows); rate > 0.05*1.2 {
			t.Errorf("scatter %v: %.4f of quiet windows have a finding, want at most 0.05 and a fifth", scatter, rate)
		} else {
			t.Logf("scatter %v: %.4f of quiet windows have a finding at alpha 0.05", scatter, rate)
		}
	}
}

// A daily wave is no surge where the season is known, and one where it is not.
func TestSeason(t *testing.T) {
	count := func(o *logs.WatchOptions) (n int) {
		w := newWatch(t, o)
		r := rand.New(rand.NewPCG(5, 5))
		for i := range 24 * 30 {
			mean := 2.0
			if hour := i % 24; hour >= 9 && hour < 10 {
				mean = 60
			}
			at := start.Add(time.Duration(i) * time.Hour)
			found := w.Step(at)
			for range poisson(r, mean) {
				w.Add(at, logs.Result{ID: 1})
			}
			if i > 24*10 {
				n += len(found)
			}
		}
		return n
	}
	flat := count(&logs.WatchOptions{Window: time.Hour, HalfLife: 96 * time.Hour})
	seasonal := count(&logs.WatchOptions{Window: time.Hour, HalfLife: 96 * time.Hour, Season: 24 * time.Hour})
	if seasonal > 1 || flat < 10 {
		t.Errorf("%d findings with the season and %d without, want at most 1 and nearly one a day", seasonal, flat)
	}
}

// The tail is compared with the sum of the probabilities.
func TestUpperTail(t *testing.T) {
	for _, mean := range []float64{0.01, 0.5, 3, 40, 900} {
		for _, shape := range []float64{0.5, 1, 7.5, 300, 50_000} {
			below := 0.0
			for x := range 2000 {
				got, want := logs.UpperTail(float64(x), mean, shape), 1-below
				if math.Abs(got-want) > 1e-9 {
					t.Fatalf("P(X >= %d) of mean %v and shape %v = %v, the sum is %v", x, mean, shape, got, want)
				}
				a, _ := math.Lgamma(shape + float64(x))
				b, _ := math.Lgamma(shape)
				c, _ := math.Lgamma(float64(x) + 1)
				below += math.Exp(a - b - c + shape*math.Log(shape/(shape+mean)) + float64(x)*math.Log(mean/(shape+mean)))
			}
		}
	}
	// Far out the tail keeps its digits: with shape 1 it is q^x exactly.
	if got, want := logs.UpperTail(400, 1, 1), math.Exp2(-400); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("P(X >= 400) = %v, want %v", got, want)
	}
}

func TestCountsFollowMerges(t *testing.T) {
	w := newWatch(t, nil)
	feed(w, 0, 1, 3)
	feed(w, 0, 2, 4)
	feed(w, 1, 2, 5)
	feed(w, 2, 3, 1)
	w.Add(start.Add(2*window), logs.Result{ID: 1, Merged: []logs.ID{2}})
	w.Step(start.Add(3 * window))
	for _, tt := range []struct {
		from, to int
		want     []logs.Count
	}{
		{0, 3, []logs.Count{{1, 13}, {3, 1}}},
		{0, 1, []logs.Count{{1, 7}}},
		{1, 2, []logs.Count{{1, 5}}},
		{3, 9, []logs.Count{}},
	} {
		got := w.Counts(start.Add(time.Duration(tt.from)*window), start.Add(time.Duration(tt.to)*window))
		if !slices.Equal(got, tt.want) {
			t.Errorf("counts of windows [%d, %d) = %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestLateAndPauses(t *testing.T) {
	w := newWatch(t, &logs.WatchOptions{Keep: 10})
	feed(w, 5, 1, 2)
	feed(w, 3, 1, 1) // late: counts in window 5
	w.Step(start.Add(6 * window))
	if got := w.Counts(start, start.Add(6*window)); w.Late() != 1 || !slices.Equal(got, []logs.Count{{1, 3}}) {
		t.Errorf("%d late, counts %v, want 1 and 3 lines", w.Late(), got)
	}
	// Years later only the windows that are kept are gone through.
	later := start.AddDate(50, 0, 0)
	w.Step(later)
	w.Add(later, logs.Result{ID: 1})
	w.Step(later.Add(window))
	if got := w.Counts(start, later.Add(window)); !slices.Equal(got, []logs.Count{{1, 1}}) {
		t.Errorf("counts after a pause %v, want one line", got)
	}
	// The forgotten do not grow.
	small := newWatch(t, &logs.WatchOptions{MaxTemplates: 5, Keep: 2})
	for i := range 1000 {
		feed(small, i, logs.ID(i+1), 1)
	}
	if n := len(small.Snapshot()); n > 1000 {
		t.Errorf("a watch of 5 templates takes %d bytes", n)
	}
}

func TestWatchSnapshot(t *testing.T) {
	for _, o := range []logs.WatchOptions{{}, {Season: 6 * time.Hour, Parts: 6, Keep: 20, MaxTemplates: 6, Warmup: 3}} {
		type line struct {
			at time.Time
			r  logs.Result
		}
		r := rand.New(rand.NewPCG(4, 4))
		m := newMiner(t, nil)
		var all []line
		for i, text := range randomLines(7, 3000) {
			at := start.Add(time.Duration(i)*window/10 - time.Duration(r.IntN(600))*time.Second)
			all = append(all, line{at, m.Learn(at, text)})
		}
		run := func(w *logs.Watch, lines []line) (found []logs.Finding) {
			for _, l := range lines {
				found = append(found, w.Add(l.at, l.r)...)
			}
			return found
		}
		whole := newWatch(t, &o)
		want := run(whole, all)
		for _, cut := range []int{0, 1, 1000, 2999} {
			part := newWatch(t, &o)
			got := run(part, all[:cut])
			restored, err := logs.RestoreWatch(part.Snapshot())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, run(restored, all[cut:])...)
			if !slices.Equal(got, want) || !bytes.Equal(restored.Snapshot(), whole.Snapshot()) {
				t.Errorf("cut at %d, the rest goes another way", cut)
			}
		}
		data := whole.Snapshot()
		for i := range data {
			if _, err := logs.RestoreWatch(data[:i]); err == nil {
				t.Fatalf("the first %d bytes of %d restore", i, len(data))
			}
		}
	}
}

func TestWatchOptions(t *testing.T) {
	for want, o := range map[string]logs.WatchOptions{
		"Window":       {Window: time.Microsecond},
		"Alpha":        {Alpha: 1},
		"HalfLife":     {HalfLife: -1},
		"Season":       {Season: time.Minute},
		"Parts":        {Parts: 2000},
		"Warmup":       {Warmup: -1},
		"Keep":         {Keep: -1},
		"MaxTemplates": {MaxTemplates: -1},
	} {
		_, err := logs.NewWatch(&o)
		if option, ok := errors.AsType[*logs.OptionError](err); !ok || option.Option != want {
			t.Errorf("%+v: %v, want an OptionError for %s", o, err, want)
		}
	}
}

func TestSeparate(t *testing.T) {
	// By hand: 30 of 40 lines against 10 of 100.
	got := logs.Separate([]logs.Count{{7, 30}, {1, 10}}, []logs.Count{{7, 10}, {1, 90}})
	if len(got) != 2 || got[0].ID != 7 || got[1].ID != 1 {
		t.Fatalf("ranking %+v, want 7 and 1", got)
	}
	// Expected: 40*40/140 = 80/7, 200/7, 200/7, 500/7.
	want := 2 * (30*math.Log(30*7/80.0) + 10*math.Log(10*7/200.0) + 10*math.Log(10*7/200.0) + 90*math.Log(90*7/500.0))
	if math.Abs(got[0].G-want) > 1e-9 || math.Abs(got[1].G+want) > 1e-9 {
		t.Errorf("G = %v and %v, want %v and the negative", got[0].G, got[1].G, want)
	}
	if got[0].IncidentShare != 0.75 || got[0].BaselineShare != 0.1 || got[0].Lift < 7 || got[0].Lift > 7.6 || got[0].P > 1e-10 {
		t.Errorf("difference %+v", got[0])
	}
	// Equal shares are no difference.
	for _, d := range logs.Separate([]logs.Count{{1, 10}, {2, 20}}, []logs.Count{{1, 100}, {2, 200}}) {
		if d.G > 1e-9 || d.P != 1 {
			t.Errorf("equal shares give %+v", d)
		}
	}
	if got := logs.Separate(nil, []logs.Count{{1, 5}}); got != nil {
		t.Errorf("no incident gives %+v, want nil", got)
	}
	// What only the incident has comes before what is merely more frequent.
	ranked := logs.Separate([]logs.Count{{1, 50}, {2, 20}, {3, 12}, {4, 3}}, []logs.Count{{1, 500}, {2, 20}, {4, 300}})
	var ids []logs.ID
	for _, d := range ranked {
		ids = append(ids, d.ID)
	}
	if want := []logs.ID{3, 2, 1, 4}; !slices.Equal(ids, want) {
		t.Errorf("ranking %v, want %v", ids, want)
	}
}
