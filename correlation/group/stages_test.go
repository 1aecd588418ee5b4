package group_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// Engine, silences and groups one behind the other, each stepped when it asks for it:
// what is told to fire was not told before, what is told to be over was, and in the end
// all that was told is over.
func TestBehindTheEngine(t *testing.T) {
	root := tree(t, route.Node{Receiver: "ops", GroupBy: []string{"host"}, RepeatInterval: new(10 * time.Minute)})
	rules := append(correlation.StarterRules(), correlation.Rule{
		Name: "loop", By: []string{"host"}, Logic: `IF infrastructure.cpu_high THEN suppress application.slow_response`, Linger: 30 * time.Second,
	})
	names := []string{"infrastructure.cpu_high", "infrastructure.memory_high", "platform.db_slow", "platform.database_down", "application.slow_response"}
	silenced, hiddenSeen := 0, 0
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		engine, err := correlation.New(rules, correlation.Options{Settle: time.Duration(rnd.IntN(20)) * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		silencer := silence.New(silence.Options{})
		grouper := grouper(t, root, group.Options{Quiet: silencer.Mutes})
		told := map[string]bool{}
		step := func(at time.Time, events ...correlation.Event) {
			transitions, err := engine.Apply(at, events...)
			if err != nil {
				t.Fatal(err)
			}
			rest, err := silencer.Apply(at, transitions...)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range apply(t, grouper, at, rest...) {
				for _, x := range n.Alerts {
					id := x.Alert.Tenant + "/" + x.Alert.String()
					if told[id] != (x.State != group.Begun) {
						t.Fatalf("seed %d: %s: %s is told as %s, told before: %v", seed, line(n), id, x.State, told[id])
					}
					if told[id] = x.State != group.Ended; !told[id] {
						delete(told, id)
					}
				}
			}
			for _, s := range silencer.List() {
				silenced += s.Muted
			}
			hiddenSeen += engine.Stats().Suppressed
		}
		run := func(until time.Time) {
			for {
				next := until
				for _, due := range []func() (time.Time, bool){engine.NextWake, silencer.NextWake, grouper.NextWake} {
					if at, ok := due(); ok && at.Before(next) {
						next = at
					}
				}
				step(next)
				if !next.Before(until) {
					return
				}
			}
		}
		now := 0
		for range 60 {
			now += 1 + rnd.IntN(60)
			run(sec(now))
			if rnd.IntN(6) == 0 {
				v := silence.Silence{ID: fmt.Sprint("s", now), Tenant: "m", Matchers: []string{`host="a"`}, End: sec(now + 1 + rnd.IntN(300)), CreatedBy: "ann", Comment: "upkeep"}
				if freed, err := silencer.Add(sec(now), v); err != nil || len(freed) > 0 {
					t.Fatalf("seed %d: Add frees %v, %v, want nothing at an instant that is over", seed, freed, err)
				}
			}
			ev := correlation.Event{
				Tenant: []string{"m", "k"}[rnd.IntN(2)], Alert: names[rnd.IntN(len(names))], Labels: map[string]string{"host": []string{"a", "b"}[rnd.IntN(2)]},
				Status: correlation.Status(1 + rnd.IntN(2)), Time: sec(now),
			}
			step(sec(now), ev)
		}
		var ends []correlation.Event
		for _, a := range engine.Alerts() {
			ends = append(ends, correlation.Event{Tenant: a.Tenant, Alert: a.Name, Labels: a.Labels.Map(), Status: correlation.Resolved, Time: sec(now + 1)})
		}
		step(sec(now+1), ends...)
		run(sec(now + 3600))
		if len(told) > 0 || len(grouper.Groups()) > 0 {
			t.Fatalf("seed %d: all is over and told are %v, in groups %v", seed, told, fmt.Sprint(grouper.Groups()))
		}
	}
	if silenced == 0 || hiddenSeen == 0 {
		t.Errorf("seen %d silenced and %d hidden alerts, want some of each", silenced, hiddenSeen)
	}
}
