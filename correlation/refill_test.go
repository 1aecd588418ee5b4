package correlation

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// Refill tells what Append tells, step by step, whatever stood in the list, and an engine that
// was refilled goes on as the other one does.
func TestRefill(t *testing.T) {
	rules := []Rule{{Name: "r", Logic: `IF l.a THEN suppress l.b CREATE composite_alert: "x"`, By: []string{"k"}}}
	one, err := New(rules, Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(rules, Options{})
	if err != nil {
		t.Fatal(err)
	}
	src := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var list []Transition
	told := 0
	for step := range 2000 {
		at = at.Add(time.Second)
		events := make([]Event, src.IntN(4))
		for n := range events {
			events[n] = Event{
				Alert: []string{"l.a", "l.b", "l.c"}[src.IntN(3)], Status: Status(1 + src.IntN(2)), Time: at,
				Labels: map[string]string{"k": strconv.Itoa(src.IntN(4)), "n" + strconv.Itoa(src.IntN(3)): strconv.Itoa(src.IntN(2))},
			}
		}
		want, err := one.Apply(at, events...)
		if err != nil {
			t.Fatal(err)
		}
		if list, err = other.Refill(list, at, events...); err != nil {
			t.Fatal(err)
		}
		if len(list) != len(want) || len(want) > 0 && !reflect.DeepEqual(list, want) {
			t.Fatalf("step %d: Refill tells %+v, want %+v", step, list, want)
		}
		told += len(want)
	}
	if told < 1000 {
		t.Errorf("%d transitions in all, want 1000 at least", told)
	}
	if list, err = other.Refill(list, at.Add(-time.Second)); err == nil || len(list) != 0 {
		t.Errorf("Refill at an instant before: %v, %v, want nothing and ErrTime", list, err)
	}
}

// What an engine tells of composites whose rules are gone has labels of its own for every
// transition: the next Refill writes over them.
func TestRefillOrphans(t *testing.T) {
	e, err := New([]Rule{{Name: "r", Logic: `IF l.a THEN CREATE composite_alert: "x"`, By: []string{"k"}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if _, err := e.Apply(at, Event{Alert: "l.a", Labels: map[string]string{"k": "v"}, Status: Firing, Time: at}); err != nil {
		t.Fatal(err)
	}
	state, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	e, err = Restore(nil, Options{}, state)
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Refill(nil, at.Add(time.Second))
	if err != nil || len(list) < 2 || list[0].Composite == nil || list[1].Composite == nil {
		t.Fatalf("%+v, %v, want the end of the composite twice", list, err)
	}
	gone := list[0].Composite
	at = at.Add(2 * time.Second)
	list, err = e.Refill(list, at,
		Event{Alert: "l.b", Labels: map[string]string{"n": "1"}, Status: Firing, Time: at},
		Event{Alert: "l.c", Labels: map[string]string{"n": "2"}, Status: Firing, Time: at})
	if err != nil || len(list) < 2 {
		t.Fatalf("%+v, %v, want two alerts", list, err)
	}
	for _, x := range list {
		if want := (Labels{{"n", map[string]string{"l.b": "1", "l.c": "2"}[x.Alert.Name]}}); !reflect.DeepEqual(x.Alert.Labels, want) {
			t.Errorf("%s of %s with %v, want %v", x.Kind, x.Alert.Name, x.Alert.Labels, want)
		}
	}
	if want := (Labels{{"k", "v"}}); !reflect.DeepEqual(gone.Labels, want) {
		t.Errorf("the composite that is gone has %v now, want %v", gone.Labels, want)
	}
}

// A list that is long enough is all that Refill needs for alerts that are known.
func TestRefillAllocations(t *testing.T) {
	e, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ev := Event{Alert: "l.a", Labels: map[string]string{"a": "b", "c": "d"}}
	var list []Transition
	n := 0
	turn := func() { // begins and ends in turn, a transition each
		at, n = at.Add(time.Second), n+1
		ev.Time, ev.Status = at, Status(1+n%2)
		if list, err = e.Refill(list, at, ev); err != nil || n > 1 && len(list) != 1 {
			t.Fatalf("turn %d: %v, %v, want one transition", n, list, err)
		}
	}
	ev.Status = Firing
	for range 4 {
		turn()
	}
	if got := testing.AllocsPerRun(1000, turn); got >= 1 { // but for a timer now and then
		t.Errorf("%v allocations for a transition, want less than one", got)
	}
}

// Labels are appended in order, without the empty ones, and what stands before stays.
func TestAppendLabels(t *testing.T) {
	list := AppendLabels(Labels{{"z", "0"}}, map[string]string{"c": "3", "a": "1", "b": ""})
	if want := (Labels{{"z", "0"}, {"a", "1"}, {"c", "3"}}); !reflect.DeepEqual(list, want) {
		t.Errorf("AppendLabels = %v, want %v", list, want)
	}
}

// Annotations are written as encoding/json writes them.
func TestAppendObject(t *testing.T) {
	for _, m := range []map[string]string{{}, {"b": "1", "a": "<&>\"\\\n\x7fü\u2028\xff"}, {"": "", "ü\xff": "x", "<": "y"}} {
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendObject(nil, m); string(got) != string(want) {
			t.Errorf("appendObject(%q) = %s, want %s", m, got, want)
		}
	}
}
