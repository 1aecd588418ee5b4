package escalation_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// apart keeps each incident by itself, as a store does, and decides with forks.
type apart struct {
	engine *escalation.Engine
	parts  map[string][]byte
	shared escalation.Shared
}

// fork returns an engine with the incidents that an event may touch, as
// [Engine.Fork] names them.
func (a *apart) fork(t *testing.T, event escalation.Event) *escalation.Engine {
	t.Helper()
	all, err := a.engine.Fork(escalation.Shared{}, inOrder(a.parts)...)
	if err != nil {
		t.Fatal(err)
	}
	need := map[string]bool{event.Incident: true}
	own, _ := all.Incident(event.Incident)
	switch event.Kind {
	case escalation.Opened:
		need[a.shared.Leaders[event.Service]] = true
	case escalation.Reopened:
		need[a.shared.Leaders[own.Service]] = true
	case escalation.SeverityChanged, escalation.Resolved, escalation.Merged:
		need[a.shared.Leaders[own.Service]], need[own.Bundled] = true, true
		for _, id := range all.Incidents() {
			if v, _ := all.Incident(id); v.Bundled == event.Incident {
				need[id] = true
			}
		}
	default:
	}
	var parts [][]byte
	for id := range need {
		if a.parts[id] != nil {
			parts = append(parts, a.parts[id])
		}
	}
	f, err := a.engine.Fork(a.shared, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// keep stores what a fork has decided. Loads survive; the rest goes through JSON.
func (a *apart) keep(t *testing.T, f *escalation.Engine) {
	t.Helper()
	for _, id := range f.Incidents() {
		part, err := f.Part(id)
		if err != nil {
			t.Fatal(err)
		}
		a.parts[id] = part
	}
	loads := f.Shared().Loads
	text, err := json.Marshal(f.Shared())
	a.shared = escalation.Shared{}
	if err == nil {
		err = json.Unmarshal(text, &a.shared)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.shared.Loads = loads
}

func inOrder(m map[string][]byte) [][]byte {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var out [][]byte
	for _, k := range keys {
		out = append(out, m[k])
	}
	return out
}

// Incidents that are kept apart get the same actions as those of one engine: with
// bundles, page limits, turns and loads, whatever happens to them in any order.
func TestForksDecideAsOneEngine(t *testing.T) {
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		t.Fatal(err)
	}
	turns := escalation.DefaultMatrix()
	for s, p := range turns {
		p.Steps[0] = escalation.Step{Minutes: p.Steps[0].Minutes, Targets: []escalation.Target{{Engineer: "sarah"}, {Engineer: "marcus"}}, RoundRobin: true, StopOn: escalation.Acknowledged}
		turns[s] = p
	}
	config := escalation.Config{
		Router: router, Matrix: turns, Policies: map[string]escalation.Matrix{"plain": escalation.DefaultMatrix()}, Bundle: 20 * time.Minute,
		PageLimit: escalation.PageLimit{Pages: 3, Per: time.Hour},
	}
	decided := 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 5))
		whole, err := escalation.NewEngine(config)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := escalation.NewEngine(config)
		if err != nil {
			t.Fatal(err)
		}
		store := &apart{engine: engine, parts: map[string][]byte{}}
		at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
		for range 40 {
			at = at.Add(time.Duration(random.IntN(20)) * time.Minute)
			for due, ok := whole.NextWake(); ok && !due.After(at); due, ok = whole.NextWake() {
				want := texts(t, whole.Step(due))
				var got []string
				for _, id := range whole.Incidents() {
					f := store.fork(t, escalation.Event{Incident: id})
					got = append(got, texts(t, f.Step(due))...)
					store.keep(t, f)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, step at %v:\n%q\none engine:\n%q", seed, due, got, want)
				}
				decided += len(want)
			}
			event := escalation.Event{
				Kind: escalation.EventKind(1 + random.IntN(8)), At: at, Incident: fmt.Sprint("I", random.IntN(8)), Severity: incident.Severities[random.IntN(4)],
				Domain: []string{escalation.Kubernetes, escalation.Databases}[random.IntN(2)], Service: []string{"shop", "bank"}[random.IntN(2)],
				Policy: []string{"", "plain"}[random.IntN(2)], By: []string{"", "sarah", "marcus"}[random.IntN(3)],
				Until: at.Add(time.Hour), Into: "I9",
			}
			f := store.fork(t, event)
			got, gotErr := f.Apply(event)
			want, wantErr := whole.Apply(event)
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("seed %d, %+v: %v, one engine: %v", seed, event, gotErr, wantErr)
			}
			if got, want := texts(t, got), texts(t, want); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %+v:\n%q\none engine:\n%q", seed, event, got, want)
			}
			decided += len(want)
			store.keep(t, f)
		}
	}
	if decided < 1500 {
		t.Errorf("%d actions were compared, want thousands", decided)
	}
}

func texts(t *testing.T, actions []escalation.Action) []string {
	t.Helper()
	var out []string
	for _, a := range actions {
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}
