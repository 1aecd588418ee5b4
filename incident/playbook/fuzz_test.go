package playbook_test

import (
	"errors"
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
	f.Fuzz(func(t *testing.T, data []byte) {
		book, err := playbook.ParseBook(data)
		if err != nil {
			return
		}
		e, err := playbook.New(playbook.Config{Book: book, Services: []playbook.Service{{ID: "db", Type: "database"}}})
		if err != nil {
			return
		}
		for name := range book.Playbooks {
			_ = e.Apply(playbook.Event{Kind: playbook.Start, At: noon, Playbook: name, Service: "db", By: "ann"})
		}
		e.Step(noon)
	})
}
