package silence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A silence is in force from its start until before its end and while its hours are open,
// and NextWake names each of these instants.
func TestInForce(t *testing.T) {
	s := silence.New(silence.Options{Retention: time.Hour})
	hours := upkeep("hours", 0, 100, `host="b"`)
	hours.Hours = &calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("00:00:30", "00:00:40")}
	add(t, s, upkeep("plain", 10, 20, `host="a"`, `alertname="l.x"`), hours)
	for _, c := range []struct {
		at   int
		want string
	}{{0, ""}, {9, ""}, {10, "plain"}, {19, "plain"}, {20, ""}, {30, "hours"}, {39, "hours"}, {40, ""}, {100, ""}} {
		var ids []string
		for _, x := range s.InForce(sec(c.at)) {
			ids = append(ids, x.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("InForce(%d) = %q, want %q", c.at, got, c.want)
		}
	}
	list := s.InForce(sec(10))
	if x := list[0]; x.Tenant != "m" || !slices.Equal(x.Matchers, []string{`host="a"`, `alertname="l.x"`}) {
		t.Errorf("InForce = %+v, want the matchers of the tenant", x)
	}
	var wakes []int
	for {
		due, ok := s.NextWake()
		if !ok || due.After(sec(100)) {
			break
		}
		wakes = append(wakes, int(due.Sub(start).Seconds()))
		if _, err := s.Apply(due); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{10, 20, 30, 40, 100}; !slices.Equal(wakes, want) {
		t.Errorf("NextWake wakes at %v, want %v", wakes, want)
	}
}

// Engine and silencer together, the silence beginning and ending by itself: what the cause
// explains is told while nobody is told of the cause, and hidden again after that.
func TestStrictChain(t *testing.T) {
	rules := []correlation.Rule{{Name: "bare", Logic: `IF l.cause THEN suppress l.effect`}}
	engine, err := correlation.New(rules, correlation.Options{StrictSilence: true})
	if err != nil {
		t.Fatal(err)
	}
	s := silence.New(silence.Options{})
	add(t, s, upkeep("s", 10, 20, `alertname="l.cause"`))
	var got []string
	step := func(at time.Time, events ...correlation.Event) {
		changed, err := engine.Silence(at, s.InForce(at)...)
		if err != nil {
			t.Fatal(err)
		}
		more, err := engine.Apply(at, events...)
		if err != nil {
			t.Fatal(err)
		}
		told, err := s.Apply(at, append(changed, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range told {
			got = append(got, fmt.Sprintf("%d %s %s", int(tr.At.Sub(start).Seconds()), tr.Kind, tr.Alert.Name))
		}
	}
	run := func(until int) {
		for {
			due, ok := s.NextWake()
			if !ok || due.After(sec(until)) {
				return
			}
			step(due)
		}
	}
	fire := func(at int, name string) correlation.Event {
		return correlation.Event{Tenant: "m", Alert: name, Status: correlation.Firing, Time: sec(at)}
	}
	step(sec(5), fire(5, "l.effect"))
	run(12)
	step(sec(12), fire(12, "l.cause")) // silenced: held, and stands for nobody
	run(30)
	step(sec(30))
	want := []string{"5 notify l.effect", "20 suppress l.effect", "20 notify l.cause"}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}
