package replay_test

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// list is a sink that keeps all, and checks the numbers of the alerts.
type list struct {
	t        *testing.T
	told     []replay.Told
	episodes []replay.Episode
	names    map[int]string
}

func (l *list) number(n int, tenant, alert string) {
	name := tenant + " " + alert
	if known, ok := l.names[n]; ok && known != name {
		l.t.Errorf("number %d is %q and %q", n, known, name)
	}
	l.names[n] = name
}

func (l *list) Told(n int, x replay.Told) {
	l.number(n, x.Tenant, x.Alert)
	l.told = append(l.told, x)
}

func (l *list) Episode(n int, e replay.Episode) {
	l.number(n, e.Tenant, e.Alert)
	l.episodes = append(l.episodes, e)
}

// storm is a random log in order, with several arrivals at an instant.
func storm(random *rand.Rand, rows int) (log []replay.Arrival) {
	at := start
	for range rows {
		at = at.Add(time.Duration(random.IntN(4)) * time.Second)
		a := replay.Arrival{At: at, Event: correlation.Event{
			Tenant: []string{"a", "b"}[random.IntN(2)], Alert: []string{"l.cause", "l.effect", "l.other"}[random.IntN(3)],
			Labels: map[string]string{"host": strconv.Itoa(random.IntN(5))}, Status: correlation.Status(1 + random.IntN(2)), Time: at.Add(-time.Duration(random.IntN(20)) * time.Second),
		}}
		if random.IntN(5) == 0 {
			a.Ends = at.Add(time.Duration(random.IntN(60)) * time.Second)
		}
		log = append(log, a)
	}
	return log
}

// setups hold what stands behind an engine in all combinations.
func setups() (all []replay.Setup) {
	rules := []correlation.Rule{{Name: "r", By: []string{"host"}, Logic: `IF l.cause THEN suppress l.effect CREATE composite_alert: "Cause on {{host}}"`, Linger: 5 * time.Second}}
	muting := []inhibit.Rule{{SourceMatchers: []string{`alertname="other"`}, TargetMatchers: []string{`alertname="cause"`}, Equal: []string{"host"}}}
	silences := []silence.Silence{{ID: "s", Matchers: []string{`host="1"`}, Start: sec(50), End: sec(200), CreatedBy: "ann", Comment: "upkeep"}}
	for n := range 8 {
		s := replay.Setup{Options: correlation.Options{Settle: time.Duration(n%3) * 3 * time.Second}}
		if n&1 == 0 {
			s.Rules = rules
		}
		if n&2 != 0 {
			s.Inhibit = muting
		}
		if n&4 != 0 {
			s.Silences = silences
		}
		all = append(all, s)
	}
	return all
}

func byEpisode(a, b replay.Episode) int {
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Tenant, b.Tenant))
}

// What a player hands over is what a record lists, whatever stands behind the engine, and
// two that are compared while they are fed differ as their records do.
func TestPlayer(t *testing.T) {
	for n, s := range setups() {
		log := storm(rand.New(rand.NewPCG(1, uint64(n))), 400)
		for _, until := range []time.Time{{}, log[300].At} {
			want, err := s.Run(log, until)
			if err != nil {
				t.Fatal(err)
			}
			other := setups()[(n+3)%8]
			changed, err := other.Run(log, until)
			if err != nil {
				t.Fatal(err)
			}
			got := &list{t: t, names: map[int]string{}}
			comparison := replay.NewComparison()
			var players []*replay.Player
			for _, side := range []struct {
				setup replay.Setup
				sink  replay.Sink
			}{{s, got}, {s, comparison.Before()}, {other, comparison.After()}} {
				p, err := side.setup.Play(until, side.sink)
				if err != nil {
					t.Fatal(err)
				}
				players = append(players, p)
			}
			var records []*replay.Record
			for _, p := range players {
				for _, a := range log {
					if err := p.Add(a); err != nil {
						t.Fatal(err)
					}
				}
				r, err := p.End()
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, r)
			}
			r := records[0]
			if r.Until != want.Until || !reflect.DeepEqual(r.Composites, want.Composites) || !reflect.DeepEqual(r.Alerts, want.Alerts) || r.Stats != want.Stats || r.Episodes != nil || r.Told != nil {
				t.Errorf("setup %d: record %+v, want %+v", n, r, want)
			}
			if !reflect.DeepEqual(got.told, want.Told) || len(got.told) == 0 {
				t.Errorf("setup %d: told %+v, want %+v", n, got.told, want.Told)
			}
			slices.SortFunc(got.episodes, byEpisode)
			if !reflect.DeepEqual(got.episodes, want.Episodes) {
				t.Errorf("setup %d: episodes %+v\nwant %+v", n, got.episodes, want.Episodes)
			}
			if got, want := comparison.Diff(records[1], records[2]), replay.Compare(want, changed); !reflect.DeepEqual(got, want) {
				t.Errorf("setup %d: differences %+v\nwant %+v", n, got, want)
			}
		}
	}
}

// An arrival that is too early is refused and changes nothing; Run sorts.
func TestPlayerOrder(t *testing.T) {
	log := arrivals(t, "0 +l.x a; 9 +l.x b; 5 +l.x c; 9 +l.x d")
	got := &list{t: t, names: map[int]string{}}
	p, err := replay.Setup{}.Play(sec(20), got)
	if err != nil {
		t.Fatal(err)
	}
	for n, a := range log {
		err := p.Add(a)
		if early := (*replay.OrderError)(nil); (n == 2) != errors.As(err, &early) {
			t.Errorf("row %d: %v", n, err)
		} else if early != nil && (!early.At.Equal(sec(5)) || !early.Before.Equal(sec(9))) {
			t.Errorf("row %d: %v, want 5 s after 9 s", n, err)
		}
	}
	if err := p.Add(replay.Arrival{At: sec(30)}); err != nil {
		t.Errorf("after the end: %v, want it left out", err)
	}
	r, err := p.End()
	if err != nil || r.Stats.Events != 3 || len(got.told) != 3 || !r.Until.Equal(sec(20)) {
		t.Errorf("End = %+v, %v, told %v, want three events until 20 s", r, err, got.told)
	}
	if r, err := (replay.Setup{}).Run(log, time.Time{}); err != nil || r.Stats.Events != 4 || r.Told[1].Alert != "l.x{host=c}" {
		t.Errorf("Run = %+v, %v, want the third row second", r, err)
	}
}

// An episode that is handed over again goes on with what was told of it.
func TestComparisonAgain(t *testing.T) {
	c := replay.NewComparison()
	told, more := replay.Episode{Alert: "l.x", Since: sec(0), Told: sec(1)}, replay.Episode{Alert: "l.x", Since: sec(0), HiddenBy: []string{"r"}}
	c.Before().Episode(0, told)
	c.Before().Episode(0, more)
	c.After().Episode(0, told)
	if d := c.Diff(&replay.Record{}, &replay.Record{}); len(d.Muted)+len(d.Unmuted)+len(d.Moved) > 0 {
		t.Errorf("differences %+v, want none", d)
	}
}
