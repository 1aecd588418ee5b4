package calendar_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

var epoch = time.Date(2026, 4, 7, 8, 0, 0, 0, time.UTC)

// hours returns the interval from epoch+from to epoch+to hours.
func hours(from, to int) calendar.Interval {
	return calendar.Interval{Start: epoch.Add(time.Duration(from) * time.Hour), End: epoch.Add(time.Duration(to) * time.Hour)}
}

func set(t *testing.T, intervals ...calendar.Interval) []calendar.Interval {
	t.Helper()
	out, err := calendar.Normalize(intervals)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func equal(a, b []calendar.Interval) bool {
	return slices.EqualFunc(a, b, calendar.Interval.Equal)
}

func TestIntervalEdges(t *testing.T) {
	i := hours(0, 2)
	for _, c := range []struct {
		name string
		got  bool
		want bool
	}{
		{"start is inside", i.Contains(i.Start), true},
		{"end is outside", i.Contains(i.End), false},
		{"touching does not overlap", i.Overlaps(hours(2, 3)), false},
		{"one hour overlaps", i.Overlaps(hours(1, 3)), true},
		{"empty overlaps nothing", i.Overlaps(hours(1, 1)), false},
		{"empty is empty", hours(1, 1).IsEmpty(), true},
		{"zero is empty", calendar.Interval{}.IsEmpty(), true},
		{"equal in another zone", i.Equal(calendar.Interval{Start: i.Start.In(time.FixedZone("", 3600)), End: i.End}), true},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	if got, ok := i.Clip(hours(1, 9)); !ok || !got.Equal(hours(1, 2)) {
		t.Errorf("Clip = %v, %v, want %v", got, ok, hours(1, 2))
	}
	if got, ok := i.Clip(hours(2, 9)); ok {
		t.Errorf("Clip of a touching interval = %v, want none", got)
	}
}

func TestIntervalValidate(t *testing.T) {
	var e *calendar.IntervalError
	if err := hours(2, 1).Validate(); !errors.Is(err, calendar.ErrInverted) || !errors.As(err, &e) || e.Index != -1 {
		t.Errorf("Validate of an inverted interval = %v, want ErrInverted without an index", err)
	}
	long := calendar.Interval{Start: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), End: epoch}
	if err := long.Validate(); !errors.Is(err, calendar.ErrTooLong) {
		t.Errorf("Validate of 426 years = %v, want ErrTooLong", err)
	}
	if err := hours(1, 1).Validate(); err != nil {
		t.Errorf("Validate of an empty interval = %v, want nil", err)
	}
	_, err := calendar.Normalize([]calendar.Interval{hours(0, 1), hours(3, 2)})
	if !errors.As(err, &e) || e.Index != 1 {
		t.Errorf("Normalize with the second inverted = %v, want an error with index 1", err)
	}
	const want = "interval 1 [2026-04-07T11:00:00Z, 2026-04-07T10:00:00Z): end before start"
	if err.Error() != want {
		t.Errorf("error text = %q, want %q", err, want)
	}
}

func TestNormalize(t *testing.T) {
	in := []calendar.Interval{hours(5, 6), hours(0, 2), hours(4, 4), hours(1, 3), hours(6, 7), hours(0, 1)}
	before := slices.Clone(in)
	if got, want := set(t, in...), []calendar.Interval{hours(0, 3), hours(5, 7)}; !equal(got, want) {
		t.Errorf("Normalize = %v, want %v", got, want)
	}
	if !equal(in, before) {
		t.Error("Normalize changed its argument")
	}
	zoned := calendar.Interval{Start: epoch.In(time.FixedZone("x", 7200)), End: epoch.Add(time.Hour)}
	if got := set(t, zoned)[0].Start.Location(); got != time.UTC {
		t.Errorf("Normalize keeps location %v, want UTC", got)
	}
}

// Sorted, unsorted and far-off lists take different ways to the same set.
func TestNormalizeWaysAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	zone := time.FixedZone("x", 7200)
	far := calendar.Interval{Start: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(3001, 1, 1, 0, 0, 0, 0, time.UTC)}
	for range 500 {
		list := make([]calendar.Interval, r.IntN(200))
		for i := range list {
			start := epoch.Add(time.Duration(r.Int64N(1e6)))
			list[i] = calendar.Interval{Start: start.In(zone), End: start.Add(time.Duration(r.Int64N(2) * r.Int64N(1e4)))}
		}
		unsorted := set(t, list...)
		slices.SortFunc(list, func(a, b calendar.Interval) int { return a.Start.Compare(b.Start) })
		sorted := set(t, list...)
		distant := set(t, append(list, far)...)
		if !slices.Equal(sorted, unsorted) || !slices.Equal(append(sorted, far), distant) {
			t.Fatalf("Normalize(%v):\nsorted   %v\nunsorted %v\nwith far %v", list, sorted, unsorted, distant)
		}
	}
}

// Lengths near 292 years inside and outside the years of int64 nanoseconds.
// Whatever stands in dst stays, and behind it comes what Normalize returns: of
// lists in order and not, with empty and invalid members.
func TestAppendNormalize(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	before := []calendar.Interval{hours(50, 60), hours(0, 1)}
	buffer := make([]calendar.Interval, 0, 20)
	for n := range 2000 {
		list := make([]calendar.Interval, r.IntN(8))
		for i := range list {
			from := r.IntN(20)
			list[i] = hours(from, from+r.IntN(5)-n%7/6) // every seventh list may hold one that ends too early
		}
		if n%2 == 0 {
			slices.SortFunc(list, func(a, b calendar.Interval) int { return a.Start.Compare(b.Start) })
		}
		want, wantErr := calendar.Normalize(list)
		got, err := calendar.AppendNormalize(append(buffer[:0], before...), list)
		if (err == nil) != (wantErr == nil) || !equal(got, append(slices.Clone(before), want...)) {
			t.Fatalf("%v: AppendNormalize = %v, %v, want %v, %v behind %v", list, got, err, want, wantErr, before)
		}
	}
	sorted := set(t, hours(0, 1), hours(2, 3), hours(4, 5))
	if allocs := testing.AllocsPerRun(10, func() { buffer, _ = calendar.AppendNormalize(buffer[:0], sorted) }); allocs != 0 {
		t.Errorf("%v allocations with room, want none", allocs)
	}
}

func TestNormalizeLongest(t *testing.T) {
	start := time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		length time.Duration
		more   time.Duration
		want   error
	}{
		{1<<63 - 2, 0, nil},
		{1<<63 - 2, 1, calendar.ErrTooLong}, // the longest Duration is what Sub returns for all longer ones
		{1<<63 - 2, 200 * 365 * 24 * time.Hour, calendar.ErrTooLong},
	} {
		i := calendar.Interval{Start: start, End: start.Add(c.length).Add(c.more)}
		got, err := calendar.Normalize([]calendar.Interval{i})
		if !errors.Is(err, c.want) || err == nil && !equal(got, []calendar.Interval{i}) {
			t.Errorf("Normalize(%v) = %v, %v, want %v", i, got, err, c.want)
		}
	}
}

// A clock that was set between two readings makes them disagree with their
// monotonic parts; the set is one of wall-clock time.
func TestNormalizeIgnoresMonotonicReadings(t *testing.T) {
	now := time.Now()
	if got := set(t, calendar.Interval{Start: now, End: now.Add(time.Hour)})[0]; got.Start != now.Round(0).UTC() || got.End != now.Add(time.Hour).Round(0).UTC() {
		t.Errorf("Normalize = %#v, want the wall-clock readings of %v", got, now)
	}
}

func TestIntervalJSON(t *testing.T) {
	data, err := json.Marshal(hours(0, 1))
	const want = `{"start":"2026-04-07T08:00:00Z","end":"2026-04-07T09:00:00Z"}`
	if err != nil || string(data) != want {
		t.Errorf("Marshal = %s, %v, want %s", data, err, want)
	}
}

// The set algebra must agree with sets of single hours.
func TestAlgebraAgainstBitSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (intervals []calendar.Interval, bits uint64) {
		for range r.IntN(8) {
			from := r.IntN(60)
			to := from + r.IntN(64-from)
			intervals = append(intervals, hours(from, to))
			for i := from; i < to; i++ {
				bits |= 1 << i
			}
		}
		return intervals, bits
	}
	for range 3000 {
		ra, bitsA := random()
		rb, bitsB := random()
		a, b := set(t, ra...), set(t, rb...)
		bounds := hours(r.IntN(30), 30+r.IntN(34))
		_, window := []calendar.Interval{bounds}, uint64(0)
		for i := range 64 {
			if bounds.Contains(epoch.Add(time.Duration(i) * time.Hour)) {
				window |= 1 << i
			}
		}
		for _, c := range []struct {
			name string
			got  []calendar.Interval
			want uint64
		}{
			{"Normalize", a, bitsA},
			{"Union", calendar.Union(a, b), bitsA | bitsB},
			{"Intersect", calendar.Intersect(a, b), bitsA & bitsB},
			{"Subtract", calendar.Subtract(a, b), bitsA &^ bitsB},
			{"Clip", calendar.Clip(a, bounds), bitsA & window},
		} {
			if want := fromBits(c.want); !equal(c.got, want) {
				t.Fatalf("%s(%v, %v) = %v, want %v", c.name, a, b, c.got, want)
			}
			if again := set(t, c.got...); !equal(again, c.got) {
				t.Fatalf("%s is not normalised: %v", c.name, c.got)
			}
		}
		split := calendar.Total(calendar.Intersect(a, b)) + calendar.Total(calendar.Subtract(a, b))
		if split != calendar.Total(a) {
			t.Fatalf("parts of %v add up to %v, want %v", a, split, calendar.Total(a))
		}
	}
}

func fromBits(bits uint64) (out []calendar.Interval) {
	for i := 0; i < 64; i++ {
		if bits>>i&1 == 0 {
			continue
		}
		from := i
		for i < 64 && bits>>i&1 == 1 {
			i++
		}
		out = append(out, hours(from, i))
	}
	return out
}

func FuzzNormalize(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 2, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		var in []calendar.Interval
		for ; len(data) >= 2; data = data[2:] {
			in = append(in, hours(int(data[0]), int(data[1])))
		}
		out, err := calendar.Normalize(in)
		if err != nil {
			return
		}
		for i, o := range out {
			if o.IsEmpty() || i > 0 && !out[i-1].End.Before(o.Start) {
				t.Fatalf("Normalize(%v) = %v, not a set", in, out)
			}
		}
	})
}

// Every set of up to 64 hours is its bits.
func FuzzAlgebra(f *testing.F) {
	f.Add(uint64(0b1101), uint64(0b0110))
	f.Add(^uint64(0), uint64(1)<<63|1)
	f.Fuzz(func(t *testing.T, bitsA, bitsB uint64) {
		a, b := fromBits(bitsA), fromBits(bitsB)
		for name, c := range map[string]struct {
			got  []calendar.Interval
			want uint64
		}{
			"Union": {calendar.Union(a, b), bitsA | bitsB}, "Intersect": {calendar.Intersect(a, b), bitsA & bitsB}, "Subtract": {calendar.Subtract(a, b), bitsA &^ bitsB},
		} {
			if want := fromBits(c.want); !equal(c.got, want) {
				t.Errorf("%s(%v, %v) = %v, want %v", name, a, b, c.got, want)
			}
		}
		if !equal(a, fromBits(bitsA)) || !equal(b, fromBits(bitsB)) {
			t.Errorf("the arguments have changed to %v and %v", a, b)
		}
	})
}
