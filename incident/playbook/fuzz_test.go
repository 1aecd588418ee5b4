package playbook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// FuzzCompile: every text is refused with a position inside it, or compiles to
// a condition that is unknown or decided over nothing, and nothing panics.
func FuzzCompile(f *testing.F) {
	for _, text := range guideConditions {
		f.Add(text)
	}
	f.Add("NOT (a AND b) OR c == 'd' for 5m")
	f.Add("db_connections > 9e9 % of max pool for 1h30m AND ((")
	v, err := playbook.NewVocabulary(playbook.DefaultFacts()...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := playbook.Compile(text, v)
		if err != nil {
			var bad *playbook.ConditionError
			if !errors.As(err, &bad) || bad.Column < 1 || bad.Column > len([]rune(text))+1 || bad.Want == "" {
				t.Fatalf("Compile(%q) = %v, want an error with a position", text, err)
			}
			return
		}
		// Facts are unknown, so the condition is: there are no constants in it.
		if got := c.Eval(v.NewFacts(), noon); got != playbook.Unknown {
			t.Fatalf("%q over nothing = %v", text, got)
		}
		again, err := playbook.Compile(c.String(), v)
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q compiles once only: %v", text, err)
		}
	})
}

// FuzzParseBook: whatever is read can be refused or compiled, never panics.
func FuzzParseBook(f *testing.F) {
	f.Add([]byte(`{"incident_automation":{"a":{"trigger":{"condition":"pool > 1","service_type":"database"},"automated_actions":{"immediate":[{"action":"page_senior_engineer"}]}}}}`))
	f.Add([]byte(`{"response_engine":{"retry_policy":{"max_attempts":3}},"level_delays":{"level_1":"2 minutes"}}`))
	whole, err := json.Marshal(playbook.DefaultBook())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		book, err := playbook.ParseBook(data)
		if err != nil {
			return
		}
		e, err := playbook.New(playbook.Config{Book: book, Services: []playbook.Service{{ID: "db", Type: "database"}, {ID: "api", Type: "compute"}, {ID: "shop", Type: "application"}}})
		if err != nil {
			return
		}
		for name, d := range book.Playbooks {
			for _, service := range []string{"db", "api", "shop"} { // two of them are refused
				_ = e.Apply(playbook.Event{Kind: playbook.Start, At: noon, Playbook: name, Service: service, By: "ann"})
			}
			for _, call := range slices.Concat(d.Actions.Immediate, d.Actions.Level1, d.Actions.Level2) {
				if call.Action == "" {
					t.Fatalf("playbook %q has a call of nothing", name)
				}
			}
		}
		e.Step(noon)
		e.Step(minute(60))
	})
}

// FuzzSnapshot: whatever is restored goes on without a panic, tells the same state
// again when it is asked again, and asks for nothing at an instant that is past.
func FuzzSnapshot(f *testing.F) {
	book := playbook.DefaultBook()
	config := playbook.Config{Tenant: "acme", Book: book, Limits: playbook.Limits{Running: 1}, Services: []playbook.Service{
		{ID: "api", Type: "compute", Zone: "UTC"}, {ID: "shop", Type: "application"},
	}}
	seed, err := playbook.New(config)
	if err != nil {
		f.Fatal(err)
	}
	for m := range 16 {
		for _, event := range []playbook.Event{
			{Kind: playbook.Observe, At: minute(float64(m)), Service: "api", Fact: "cpu_utilization", Value: playbook.Number(90)},
			{Kind: playbook.Start, At: minute(float64(m)), Service: "shop", Playbook: "application_error_spike", By: "ann"},
		} {
			if err := seed.Apply(event); err != nil {
				f.Fatal(err)
			}
		}
		for _, i := range seed.Step(minute(float64(m))) {
			if i.Kind == playbook.Do && m%2 == 0 {
				if err := seed.Apply(playbook.Event{Kind: playbook.Report, At: i.At, Step: i.Step, Attempt: i.Attempt, Outcome: playbook.OK}); err != nil {
					f.Fatal(err)
				}
			}
		}
		data, err := json.Marshal(seed.Snapshot())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s playbook.Snapshot
		if json.Unmarshal(data, &s) != nil {
			return
		}
		e, err := playbook.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if e.Restore(s) != nil {
			return
		}
		first, err := json.Marshal(e.Snapshot())
		if err != nil {
			return // an instant that JSON cannot say
		}
		var again playbook.Snapshot
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("its own snapshot cannot be read: %v", err)
		}
		e2, err := playbook.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := e2.Restore(again); err != nil {
			t.Fatalf("its own snapshot cannot be restored: %v", err)
		}
		second, err := json.Marshal(e2.Snapshot())
		if err != nil || string(second) != string(first) {
			t.Fatalf("restored twice (%v):\n%s\n%s", err, first, second)
		}
		e.Recover(minute(20))
		for _, r := range e.Runs() {
			if e.Apply(playbook.Event{Kind: playbook.Undo, At: minute(20), Run: r.ID, By: "bob"}) != nil {
				t.Fatalf("run %q cannot be undone", r.ID)
			}
		}
		for m := range 3 {
			e.Step(minute(float64(20 + m)))
			e.NextWake()
		}
	})
}
