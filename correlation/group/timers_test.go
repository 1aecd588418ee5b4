package group

import (
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// Groups that are over are forgotten, and do not wait for when they would have been repeated.
func TestTimersDoNotPileUp(t *testing.T) {
	root, err := route.New(route.Node{
		Receiver: "r", GroupBy: []string{"..."}, GroupWait: new(time.Second), GroupInterval: new(time.Second), RepeatInterval: new(7 * 24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at, told := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 0
	stands := correlation.Alert{Name: "l.a", Labels: correlation.Labels{{Name: "stands", Value: "yes"}}}
	if _, err := g.Apply(at, correlation.Transition{At: at, Kind: correlation.Notify, Alert: stands}); err != nil {
		t.Fatal(err)
	}
	for n := range 2000 {
		a := correlation.Alert{Name: "l.a", Labels: correlation.Labels{{Name: "n", Value: strconv.Itoa(n)}}}
		for _, kind := range []correlation.Kind{correlation.Notify, correlation.Resolve} {
			out, err := g.Apply(at, correlation.Transition{At: at, Kind: kind, Alert: a})
			if err != nil {
				t.Fatal(err)
			}
			told += len(out)
			at = at.Add(2 * time.Second)
		}
	}
	out, err := g.Apply(at)
	if told += len(out); err != nil || told != 4001 {
		t.Errorf("%d notifications, %v, want 4001: two of each group that is over, one of the one that stands", told, err)
	}
	if g.Stats().Groups != 1 || len(g.timers) > 100 {
		t.Errorf("%d groups with %d timers, want 1 with a hundred at most", g.Stats().Groups, len(g.timers))
	}
	if next, ok := g.NextWake(); !ok || !next.Equal(time.Date(2026, 3, 8, 0, 0, 1, 0, time.UTC)) {
		t.Errorf("NextWake = %v, %v, want a week after the group that stands was told", next, ok)
	}
}
