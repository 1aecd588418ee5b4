package stream_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// A spike, a value that is stuck and samples that do not come each are one episode.
func TestSeries(t *testing.T) {
	s := must(stream.NewSeries(nil))
	values := day(3000)
	values[2000] += 80
	for i := 2500; i < 2520; i++ {
		values[i] = values[2500]
	}
	var got []string
	var at time.Time
	record := func(r stream.Report) {
		if r.Transition == stream.Raised {
			got = append(got, fmt.Sprintf("%d by %v", r.Verdict.At.Sub(start)/step, r.Verdict.Findings[0].Signal))
		}
	}
	for i, x := range values {
		at = start.Add(time.Duration(i) * step)
		if r := s.Update(at, x); i > 1500 {
			record(r)
		}
	}
	for i := range 10 {
		record(s.Check(at.Add(time.Duration(i) * step)))
	}
	for _, want := range []string{"2000 by time of day", "2506 by stuck", "3002 by silence"} {
		n := 0
		for _, g := range got {
			if g == want {
				n++
			}
		}
		if n != 1 {
			t.Errorf("episodes %q, want one %q", got, want)
		}
	}
}

// What happens in a maintenance is neither judged nor learnt, and the return to what is usual
// is no change.
func TestSeriesMaintenance(t *testing.T) {
	from, to := start.Add(2000*step), start.Add(2100*step)
	with := must(stream.NewSeries(&stream.SeriesOptions{
		Excluded: func(at time.Time) bool { return !at.Before(from) && at.Before(to) },
	}))
	without := must(stream.NewSeries(&stream.SeriesOptions{
		Excluded: func(at time.Time) bool { return !at.Before(from) && at.Before(to) },
	}))
	for i, x := range day(2200) {
		at := start.Add(time.Duration(i) * step)
		wild := x
		if i >= 2000 && i < 2100 {
			wild = float64(i%7) * 1000
		}
		r := with.Update(at, wild)
		if i >= 2000 && i < 2100 {
			if r.Verdict.State != stream.Paused || r.Transition != 0 {
				t.Fatalf("sample %d: %v, want maintenance", i, r.Verdict)
			}
		} else if i >= 2100 && r.Transition == stream.Raised {
			t.Errorf("sample %d after the maintenance: %v", i, r.Verdict)
		}
		want := without.Update(at, x)
		if i >= 2100 && !same(r.Verdict, want.Verdict) {
			t.Fatalf("sample %d: %v, want what calm values in the maintenance give: %v", i, r.Verdict, want.Verdict)
		}
	}
}

// A series that does not come back after a maintenance is missed, counted from its end.
func TestSeriesGoneAfterMaintenance(t *testing.T) {
	from, to := start.Add(100*step), start.Add(200*step)
	s := must(stream.NewSeries(&stream.SeriesOptions{
		Excluded: func(at time.Time) bool { return !at.Before(from) && at.Before(to) },
	}))
	for i, x := range day(100) {
		s.Update(start.Add(time.Duration(i)*step), x)
	}
	for i := 100; i < 210; i++ {
		r := s.Check(start.Add(time.Duration(i) * step))
		want := stream.Normal
		switch {
		case i < 200:
			want = stream.Paused
		case i >= 203:
			want = stream.Anomalous
		}
		if r.Verdict.State != want || (r.Transition == stream.Raised) != (i == 203) {
			t.Errorf("step %d: %v, %v, want %v and an alarm at 203", i, r.Verdict, r.Transition, want)
		}
	}
}

// A counter that is reset is no anomaly.
func TestSeriesOfCounter(t *testing.T) {
	s := must(stream.NewSeries(&stream.SeriesOptions{Counter: true}))
	total := 0.0
	for i, x := range day(2000) {
		if i == 1900 {
			total = 0
		}
		total += x * step.Seconds()
		r := s.Update(start.Add(time.Duration(i)*step), total)
		if i >= 1900 && i < 1905 && r.Verdict.State != stream.Normal {
			t.Errorf("sample %d after a reset: %v", i, r.Verdict)
		}
		if i > 0 && math.Abs(r.Verdict.Value-x) > 1e-6 {
			t.Fatalf("sample %d: rate %v, want %v", i, r.Verdict.Value, x)
		}
	}
}

// With what is usual told, a series is judged like the one that is left without it, whatever
// the season; findings are in the unit of the values.
func TestSeriesExpected(t *testing.T) {
	usual := func(at time.Time) (float64, bool) { // quiet but for a backup on Sundays
		if at.Weekday() == time.Sunday && at.Hour() < 6 {
			return 900, true
		}
		return 100, at.Weekday() != time.Saturday
	}
	told := must(stream.NewSeries(&stream.SeriesOptions{Expected: usual}))
	bare := must(stream.NewSeries(nil))
	values := normals(11, 28*288)
	for i := range values {
		at := start.Add(time.Duration(i) * step)
		e, ok := usual(at)
		noise := values[i] - 100
		x := e + noise
		if i == 25*288 { // an ordinary level, at an hour that is another
			x += 400
		}
		got := told.Update(at, x).Verdict
		if !ok {
			if got.State != stream.Paused || got.Value != x {
				t.Fatalf("%v: %v of %v, want it not judged", at, got, x)
			}
			continue
		}
		want := bare.Update(at, x-e).Verdict
		if at.Weekday() == time.Friday && got.State == stream.Normal != (want.State == stream.Normal) {
			t.Fatalf("%v: %v, want as %v", at, got, want)
		}
		if got.Value != x {
			t.Fatalf("%v: value %v, want %v", at, got.Value, x)
		}
		for _, f := range got.Findings {
			if f.Signal == stream.Level && (f.Observed != x && math.Abs(f.Observed-x) > 1e-9 || math.Abs(f.Expected-e) > 20) {
				t.Fatalf("%v: %+v, want %v beside about %v", at, f, x, e)
			}
		}
		if i == 25*288 && got.State != stream.Anomalous {
			t.Errorf("%v: %v, want an anomaly", at, got)
		}
		if at.Weekday() == time.Sunday && at.Hour() == 0 && at.Minute() == 0 && i > 14*288 && got.State == stream.Anomalous {
			t.Errorf("%v: %v, want the backup to be usual", at, got)
		}
	}
	// A sample that is late stays late where nothing is usual.
	for _, late := range []time.Duration{26 * 24 * time.Hour, 27*24*time.Hour + 12*time.Hour} { // a Friday and a Saturday
		if got := told.Update(start.Add(late), 1).Verdict; got.State != stream.Late || got.Value != 1 || got.Late == 0 {
			t.Errorf("late: %v of %v, %d late", got, got.Value, got.Late)
		}
	}
}

func TestRegistry(t *testing.T) {
	r := must(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: 5, MaxPerTenant: 3}))
	names := func() (all []string) {
		for tenant, name := range r.All() {
			all = append(all, tenant+"/"+name)
		}
		return all
	}
	at := start
	update := func(tenant, name string) {
		at = at.Add(time.Second)
		r.Update(tenant, name, at, 1)
	}
	update("a", "1")
	update("a", "2")
	update("a", "3")
	update("a", "1")
	update("a", "4") // in the place of 2, the oldest
	if got, want := names(), []string{"a/1", "a/3", "a/4"}; !slices.Equal(got, want) {
		t.Errorf("series = %v, want %v", got, want)
	}
	update("b", "1")
	update("c", "1")
	update("d", "1") // in the place of a/3, of the tenant with the most
	if got, want := names(), []string{"a/1", "a/4", "b/1", "c/1", "d/1"}; !slices.Equal(got, want) || r.Len() != 5 || r.Evicted() != 2 {
		t.Errorf("series = %v, %d of them, %d evicted, want %v", got, r.Len(), r.Evicted(), want)
	}
	r.Remove("b", "1")
	r.Remove("b", "1")
	r.Remove("nobody", "1")
	if _, err := r.Check("b", "1", at); !errors.Is(err, stream.ErrUnknownSeries) {
		t.Errorf("Check of a removed series = %v, want ErrUnknownSeries", err)
	}
	if _, err := r.Snapshot("b", "1"); !errors.Is(err, stream.ErrUnknownSeries) {
		t.Errorf("State of a removed series = %v, want ErrUnknownSeries", err)
	}
	for tenant := range r.All() {
		if tenant != "a" {
			t.Errorf("the first tenant = %q, want a", tenant)
		}
		break
	}
}

// One tenant with one place keeps its latest series.
func TestRegistryOfOne(t *testing.T) {
	r := must(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: 1}))
	for _, tenant := range []string{"a", "b", "b"} {
		for _, name := range []string{"x", "y"} {
			r.Update(tenant, name, start, 1)
		}
	}
	if _, err := r.Check("b", "y", start); err != nil || r.Len() != 1 || r.Evicted() != 5 {
		t.Errorf("Check = %v with %d series, %d evicted, want the latest alone, 5", err, r.Len(), r.Evicted())
	}
}

// Whatever comes and goes, the registry holds what a plain model of the rules holds, which
// looks at all tenants every time.
func TestRegistryModel(t *testing.T) {
	const most, each = 12, 5
	r := must(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: most, MaxPerTenant: each}))
	model := map[string][]string{} // names by tenant, the latest updated last
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 1500 {
		tenant, name := fmt.Sprint("t", rng.IntN(9)), fmt.Sprint("s", rng.IntN(7))
		held := slices.Index(model[tenant], name)
		if held >= 0 {
			model[tenant] = slices.Delete(model[tenant], held, held+1)
		}
		if rng.IntN(5) == 0 {
			r.Remove(tenant, name)
		} else {
			r.Update(tenant, name, start, 1)
			all := 0
			largest := ""
			for _, id := range slices.Sorted(maps.Keys(model)) {
				all += len(model[id])
				if largest == "" || len(model[id]) > len(model[largest]) {
					largest = id
				}
			}
			switch {
			case held >= 0:
			case len(model[tenant]) >= each:
				model[tenant] = model[tenant][1:]
			case all >= most:
				model[largest] = model[largest][1:]
			}
			model[tenant] = append(model[tenant], name)
		}
		var got, want []string
		for tenant, name := range r.All() {
			got = append(got, tenant+"/"+name)
		}
		for tenant, names := range model {
			for _, name := range names {
				want = append(want, tenant+"/"+name)
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) || r.Len() != len(want) {
			t.Fatalf("step %d: %d series %v, want %v", i, r.Len(), got, want)
		}
	}
}

// A registry that took over the states goes on like the one that had them.
func TestRegistryRestore(t *testing.T) {
	whole, other := must(stream.NewRegistry(nil)), must(stream.NewRegistry(nil))
	for i, x := range day(600) {
		whole.Update("t", "s", start.Add(time.Duration(i)*step), x)
	}
	if err := other.Restore("t", "s", must(whole.Snapshot("t", "s"))); err != nil {
		t.Fatal(err)
	}
	var e *stream.FormatError
	if err := other.Restore("t", "s", nil); !errors.As(err, &e) {
		t.Errorf("Restore of nothing = %v, want a FormatError", err)
	}
	at := start.Add(600 * step)
	if got, want := other.Update("t", "s", at, 500), whole.Update("t", "s", at, 500); !same(got.Verdict, want.Verdict) {
		t.Errorf("restored: %v, want %v", got.Verdict, want.Verdict)
	}
}

// Many at once give what one after another gives.
func TestRegistryConcurrent(t *testing.T) {
	const tenants = 8
	r := must(stream.NewRegistry(nil))
	values := day(400)
	var wg sync.WaitGroup
	for n := range tenants {
		wg.Go(func() {
			for i, x := range values {
				r.Update(fmt.Sprint("tenant ", n), "s", start.Add(time.Duration(i)*step), x)
				r.Update("shared", strconv.Itoa(n), start.Add(time.Duration(i)*step), x)
			}
		})
	}
	wg.Wait()
	want := must(stream.NewSeries(nil))
	for i, x := range values {
		want.Update(start.Add(time.Duration(i)*step), x)
	}
	state := string(must(want.MarshalBinary()))
	for tenant, name := range r.All() {
		if got := string(must(r.Snapshot(tenant, name))); got != state {
			t.Errorf("%s/%s differs from a series on its own", tenant, name)
		}
	}
	if r.Len() != 2*tenants {
		t.Errorf("%d series, want %d", r.Len(), 2*tenants)
	}
}

// Memory is what the options promise: 8.5 KB a series and the names.
func TestRegistryMemory(t *testing.T) {
	const n = 500
	values := day(500)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	r := must(stream.NewRegistry(nil))
	for s := range n {
		name := fmt.Sprint("series ", s)
		for i := range 500 {
			r.Update("t", name, start.Add(time.Duration(i)*step), values[i]*float64(1+s%3))
		}
	}
	each := float64(heap()-before) / n
	t.Logf("%.0f bytes a series", each)
	if each > 8704+400 {
		t.Errorf("%.0f bytes a series, want at most 8704 and 400 for its place", each)
	}
	runtime.KeepAlive(r)
}
