package anomaly_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// every lists n instants from start.
func every(start time.Time, step time.Duration, n int) []time.Time {
	times := make([]time.Time, n)
	for i := range times {
		times[i] = start.Add(time.Duration(i) * step)
	}
	return times
}

func amsterdam(tb testing.TB) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

// series evaluates f at instants.
func series(times []time.Time, f func(time.Time) float64) []float64 {
	x := make([]float64, len(times))
	for i, t := range times {
		x[i] = f(t)
	}
	return x
}

// officeHours is 1000 from 09:00 to 17:00 on weekdays and 100 otherwise, on the clock of a
// place.
func officeHours(loc *time.Location) func(time.Time) float64 {
	return func(t time.Time) float64 {
		wall := t.In(loc)
		if day := wall.Weekday(); day == time.Saturday || day == time.Sunday || wall.Hour() < 9 || wall.Hour() >= 17 {
			return 100
		}
		return 1000
	}
}

// People live by the clock on the wall: what was learnt in winter holds in summer.
func TestSeasonFollowsTheWallClock(t *testing.T) {
	ams := amsterdam(t)
	for _, c := range []struct {
		name  string
		start time.Time
		ask   time.Time
		want  float64
	}{
		// The clock goes forward on 29 March 2026 and back on 25 October 2026.
		{"winter, asked in summer, at opening", time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 14, 9, 0, 0, 0, ams), 1000},
		{"winter, asked in summer, before opening", time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 14, 8, 59, 59, 0, ams), 100},
		{"over the spring gap", time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 14, 9, 0, 0, 0, ams), 1000},
		{"over the autumn fold", time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 10, 16, 59, 0, 0, ams), 1000},
		{"over the autumn fold, after closing", time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 10, 17, 0, 0, 0, ams), 100},
		{"leap day", time.Date(2028, 2, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 12, 0, 0, 0, ams), 1000}, // a Tuesday
		{"year end", time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 12, 0, 0, 0, ams), 1000}, // a Friday
		{"weekend", time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 18, 12, 0, 0, 0, ams), 100},
	} {
		times := every(c.start, 30*time.Minute, 4*7*48)
		p, err := anomaly.FindSeason(times, series(times, officeHours(ams)), &anomaly.Season{Zone: "Europe/Amsterdam"})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, ok := p.At(c.ask); p.Cycle != anomaly.WeekCycle || !ok || got.Center != c.want {
			t.Errorf("%s: cycle %v, at %v usual is %+v, %v, want %v", c.name, p.Cycle, c.ask, got, ok, c.want)
		}
		if p.Strength < 0.99 {
			t.Errorf("%s: strength %v of a series that is nothing but a season", c.name, p.Strength)
		}
	}
	// In UTC the same series of winter and summer is two, and half of the edges are wrong.
	times := every(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), 30*time.Minute, 6*7*48)
	p, err := anomaly.FindSeason(times, series(times, officeHours(ams)), nil)
	if err != nil || p.Strength > 0.97 {
		t.Errorf("in UTC: strength %v, %v, want less than on the wall clock", p, err)
	}
}

func TestSeasonAcceptance(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 1))
	noise := func(time.Time) float64 { return r.NormFloat64() }
	day := func(sd float64) func(time.Time) float64 {
		return func(t time.Time) float64 {
			return math.Sin(2*math.Pi*float64(t.Unix()%86400)/86400) + sd*r.NormFloat64()
		}
	}
	week := func(t time.Time) float64 { return float64(t.Weekday()) + 0.1*r.NormFloat64() }
	jobs := func(t time.Time) float64 {
		if t.Minute() < 5 {
			return 10
		}
		return r.Float64()
	}
	for _, c := range []struct {
		name      string
		step      time.Duration
		n         int
		f         func(time.Time) float64
		want      anomaly.Cycle
		low, high float64 // strength
	}{
		{"noise of three weeks", time.Hour, 3 * 168, noise, anomaly.NoCycle, 0, 0},
		{"noise of a month by the minute", time.Minute, 28 * 1440, noise, anomaly.NoCycle, 0, 0},
		// A sine has the variance 1/2: 0.5/(0.5+sd^2).
		{"strong days", 30 * time.Minute, 14 * 48, day(0.2), anomaly.DayCycle, 0.88, 0.95}, // 0.926
		{"weak days", 30 * time.Minute, 28 * 48, day(0.9), anomaly.DayCycle, 0.3, 0.42},    // 0.382
		{"too weak", 30 * time.Minute, 28 * 48, day(1.5), anomaly.NoCycle, 0, 0},           // 0.182
		{"two days and a half", 30 * time.Minute, 120, day(0.1), anomaly.NoCycle, 0, 0},
		{"two weeks and a half", time.Hour, 420, week, anomaly.NoCycle, 0, 0},
		{"three weeks", time.Hour, 3 * 168, week, anomaly.WeekCycle, 0.98, 1},
		{"jobs on the hour", time.Minute, 600, jobs, anomaly.HourCycle, 0.9, 1},
		{"one value", time.Hour, 1000, func(time.Time) float64 { return 7 }, anomaly.NoCycle, 0, 0},
		{"a slope", time.Hour, 1000, func(t time.Time) float64 { return float64(t.Unix()) }, anomaly.NoCycle, 0, 0},
		{"days on a slope", time.Hour, 14 * 24, func(t time.Time) float64 { return day(0.1)(t) + 3*t.Sub(monday).Hours()/24 }, anomaly.DayCycle, 0.9, 1},
		{"no value", time.Hour, 1000, func(time.Time) float64 { return math.NaN() }, anomaly.NoCycle, 0, 0},
		{"none", time.Hour, 0, nil, anomaly.NoCycle, 0, 0},
	} {
		times := every(monday, c.step, c.n)
		if c.n == 0 {
			times = nil
		}
		p, err := anomaly.FindSeason(times, series(times, c.f), nil)
		switch {
		case c.want == anomaly.NoCycle:
			if !errors.Is(err, anomaly.ErrNoSeason) {
				t.Errorf("%s: %+v, %v, want ErrNoSeason", c.name, p, err)
			}
		case err != nil:
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		case p.Cycle != c.want || p.Strength < c.low || p.Strength > c.high:
			t.Errorf("%s: %v with strength %v, want %v, %v to %v", c.name, p.Cycle, p.Strength, c.want, c.low, c.high)
		}
	}
}

// A holiday is like a Sunday, and the day of the sale like none.
func TestSeasonExceptions(t *testing.T) {
	ams := amsterdam(t)
	holiday, sale := time.Date(2026, 4, 6, 0, 0, 0, 0, ams), time.Date(2026, 3, 10, 0, 0, 0, 0, ams)
	same := func(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }
	season := &anomaly.Season{Zone: "Europe/Amsterdam", Exception: func(date time.Time) (time.Weekday, bool) {
		switch {
		case same(date, holiday):
			return time.Sunday, true
		case same(date, sale):
			return anomaly.LikeNoDay, true
		}
		return 0, false
	}}
	usual := officeHours(ams)
	times := every(time.Date(2026, 3, 2, 0, 0, 0, 0, ams), time.Hour, 28*24)
	h := anomaly.History{Names: []string{"rps"}, Times: times}
	for _, at := range times {
		v := usual(at)
		if same(at.In(ams), sale) {
			v = 50_000
		}
		h.Rows = append(h.Rows, []float64{v})
	}
	b, err := anomaly.LearnBaselines(h, &anomaly.BaselineOptions{Season: season})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Time
		want float64
	}{
		{time.Date(2026, 4, 7, 12, 0, 0, 0, ams), 1000},  // a Tuesday as any other
		{time.Date(2026, 4, 6, 12, 0, 0, 0, ams), 100},   // Easter Monday
		{time.Date(2026, 4, 13, 12, 0, 0, 0, ams), 1000}, // a Monday
	} {
		if got, ok := b.Expected("rps", c.at); !ok || got != c.want {
			t.Errorf("Expected(rps, %v) = %v, %v, want %v", c.at, got, ok, c.want)
		}
	}
	if _, ok := b[0].Season.At(sale.Add(12 * time.Hour)); ok {
		t.Error("the sale has a bin")
	}
	if got, ok := b.Expected("rps", sale.Add(12*time.Hour)); !ok || got != 100 {
		t.Errorf("Expected on the sale = %v, %v, want the middle of the bins, 100", got, ok)
	}
	if b[0].Season.Cycle != anomaly.WeekCycle {
		t.Errorf("cycle = %v", b[0].Season.Cycle)
	}
	if _, ok := b.Expected("disk", sale); ok {
		t.Error("Expected(disk) is known")
	}
	d, err := anomaly.Fit("shop", h, &anomaly.Options{Season: season})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Baselines()[0]; got.N != 27*24 {
		t.Errorf("%d values learnt, want those of 27 days", got.N)
	}
}

// seasonal draws a service with a daily and weekly rhythm: by night and on weekends there is
// a tenth of the load, and its spread with it.
func seasonal(r *rand.Rand, loc *time.Location, start time.Time, n int) anomaly.History {
	h := anomaly.History{Names: []string{"latency_ms", "throughput_rps"}, Times: every(start, 15*time.Minute, n)}
	usual := officeHours(loc)
	for _, at := range h.Times {
		load := usual(at)
		h.Rows = append(h.Rows, []float64{100 + 10*r.NormFloat64(), load * (1 + 0.1*r.NormFloat64())})
	}
	return h
}

func TestDetectorWithSeason(t *testing.T) {
	ams := amsterdam(t)
	r := rand.New(rand.NewPCG(2, 2))
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, ams)
	h := seasonal(r, ams, start, 5*7*96)
	season, err := anomaly.Fit("shop", h, &anomaly.Options{Season: &anomaly.Season{Zone: "Europe/Amsterdam"}})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := anomaly.Fit("shop", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := season.Baselines(); b[0].Season != nil || b[1].Season == nil || b[1].Season.Cycle != anomaly.WeekCycle {
		t.Fatalf("seasons = %+v, %+v, want a week of the throughput only", b[0].Season, b[1].Season)
	}
	night, noonMay := time.Date(2026, 5, 5, 3, 0, 0, 0, ams), time.Date(2026, 5, 5, 12, 0, 0, 0, ams)
	for _, c := range []struct {
		name         string
		at           time.Time
		rps          float64
		want, before anomaly.State
	}{
		{"day", noonMay, 1000, anomaly.Normal, anomaly.Normal},
		{"the load of the night by day", noonMay, 100, anomaly.Anomaly, anomaly.Normal},
		{"night", night, 100, anomaly.Normal, anomaly.Normal},
		{"the load of the day by night", night, 1000, anomaly.Anomaly, anomaly.Normal},
	} {
		reading := map[string]float64{"latency_ms": 100, "throughput_rps": c.rps}
		v, err := season.Evaluate(c.at, reading)
		if err != nil || v.State != c.want {
			t.Errorf("%s: %v, %v, want %v", c.name, v.State, err, c.want)
		}
		if w, err := plain.Evaluate(c.at, reading); err != nil || w.State != c.before {
			t.Errorf("%s without a season: %v, %v, want %v", c.name, w.State, err, c.before)
		}
		for _, k := range v.Contributions {
			if k.Feature == "throughput_rps" && (k.Season != anomaly.WeekCycle || k.Expected.Q25 >= k.Expected.Q75 || math.Abs(k.Expected.Median-officeHours(ams)(c.at)) > 100) {
				t.Errorf("%s: contribution = %+v", c.name, k)
			}
		}
	}
	if got, ok := season.Expected("throughput_rps", night); !ok || math.Abs(got-100) > 15 {
		t.Errorf("Expected at night = %v, %v, want about 100", got, ok)
	}
	var bad *anomaly.OptionError
	if _, err := season.Evaluate(time.Time{}, map[string]float64{"latency_ms": 100}); !errors.As(err, &bad) || bad.Option != "at" {
		t.Errorf("no instant: %v, want an OptionError of at", err)
	}
	if v, err := season.Evaluate(time.Time{}, nil); err != nil || v.State != anomaly.NoData {
		t.Errorf("no instant and no value: %v, %v", v.State, err)
	}

	// Clean weeks of spring and summer raise alarms at the rate that was asked for.
	alarms, n := 0, 0
	fresh := seasonal(r, ams, start.AddDate(0, 0, 35), 8*7*96)
	for i, row := range fresh.Rows {
		score, err := season.Score(fresh.Times[i], row)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if score >= 1 {
			alarms++
		}
	}
	rate := float64(alarms) / float64(n)
	t.Logf("alpha 0.01 with a season: false alarm rate %.4f of %d", rate, n)
	if rate > 0.02 || rate < 0.005 {
		t.Errorf("false alarm rate %.4f, want about 0.01", rate)
	}
}

// With three weeks a bin has been seen three times, and the rate of false alarms still holds.
func TestFalseAlarmsOfShortSeasons(t *testing.T) {
	ams := amsterdam(t)
	draws := 6
	if testing.Short() || raceEnabled {
		draws = 1
	}
	alarms, n := 0, 0
	for k := range draws {
		r := rand.New(rand.NewPCG(uint64(k), 91))
		start := time.Date(2026, 3, 2, 0, 0, 0, 0, ams)
		h := seasonal(r, ams, start, 3*7*96)
		d, err := anomaly.Fit("shop", h, &anomaly.Options{Season: &anomaly.Season{Zone: "Europe/Amsterdam"}})
		if err != nil {
			t.Fatal(err)
		}
		if d.Baselines()[1].Season == nil {
			t.Fatal("no season in three weeks")
		}
		fresh := seasonal(r, ams, start.AddDate(0, 0, 21), 3000)
		for i, row := range fresh.Rows {
			score, err := d.Score(fresh.Times[i], row)
			if err != nil {
				t.Fatal(err)
			}
			n++
			if score >= 1 {
				alarms++
			}
		}
	}
	rate := float64(alarms) / float64(n)
	t.Logf("alpha 0.01, three weeks: false alarm rate %.4f", rate)
	if rate > 0.02 || rate < 0.003 {
		t.Errorf("false alarm rate %.4f, want about 0.01", rate)
	}
}

func TestSeasonErrors(t *testing.T) {
	times := every(noon, time.Hour, 10)
	rows := make([][]float64, 10)
	for i := range rows {
		rows[i] = []float64{float64(i)}
	}
	values := make([]float64, 10)
	fit := func(h anomaly.History, s *anomaly.Season) error {
		h.Names, h.Rows = []string{"a"}, rows
		_, err := anomaly.Fit("x", h, &anomaly.Options{Season: s})
		return err
	}
	find := func(times []time.Time, v float64, s *anomaly.Season) error {
		values[3] = v
		_, err := anomaly.FindSeason(times, values, s)
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no times", fit(anomaly.History{}, &anomaly.Season{}), "anomaly: option times is 0, want as many instants as there are rows: 10"},
		{"no instant", fit(anomaly.History{Times: make([]time.Time, 10)}, &anomaly.Season{}), "anomaly: option times[0] is 0001-01-01 00:00:00 +0000 UTC, want an instant"},
		{"zone", find(times, 0, &anomaly.Season{Zone: "Amsterdam"}), `anomaly: option Season.Zone is "Amsterdam", want a name of the IANA time zone database, such as "Europe/Amsterdam"`},
		{"local", find(times, 0, &anomaly.Season{Zone: "Local"}), `anomaly: option Season.Zone is "Local", want a name of the IANA time zone database, such as "Europe/Amsterdam"`},
		{"cycle", find(times, 0, &anomaly.Season{Cycles: []anomaly.Cycle{anomaly.DayCycle, 9}}), "anomaly: option Season.Cycles[1] is Cycle(9), want HourCycle, DayCycle or WeekCycle"},
		{"infinite", find(times, math.Inf(1), nil), "anomaly: option values[3] is +Inf, want a number of at most 1e150, or NaN"},
		{"few times", find(times[:9], 0, nil), "anomaly: option times is 9, want as many instants as there are rows: 10"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, c.err, c.want)
		}
	}
}

func TestProfileJSON(t *testing.T) {
	ams := amsterdam(t)
	times := every(time.Date(2026, 3, 2, 0, 0, 0, 0, ams), time.Hour, 28*24)
	p, err := anomaly.FindSeason(times, series(times, officeHours(ams)), &anomaly.Season{Zone: "Europe/Amsterdam"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back anomaly.Profile
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back.Bins, p.Bins) {
		t.Fatalf("profile differs after JSON: %v", err)
	}
	for _, at := range every(noon, 7*time.Hour, 100) {
		a, _ := p.At(at)
		if b, ok := back.At(at); a != b || !ok {
			t.Errorf("at %v: %v, after JSON %v", at, a, b)
		}
	}
	for _, bad := range []string{
		`{"cycle":"none","bins":[]}`, `{"cycle":"hour","bins":[]}`, `{"cycle":"hour","zone":"Nowhere","bins":[]}`, `[]`,
		`{"cycle":"hour","bins":[{},{},{},{},{},{},{},{},{},{},{},{}]}`,
	} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}
