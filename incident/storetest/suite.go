package storetest

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

type suite struct {
	*testing.T
	Store
	open Opener
}

const tenant, id = "acme", "INC-1"

var at = time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)

// after is an instant so many minutes after the first.
func after(minutes int) time.Time { return at.Add(time.Duration(minutes) * time.Minute) }

func declare(key string) incident.Event {
	return incident.Event{
		Key: key, Kind: incident.Declare, At: at, Actor: "monitor",
		Details: incident.Details{Severity: incident.P1, Title: "checkout is down", Services: []string{"checkout"}},
	}
}

func note(key string, minutes int, text string) incident.Event {
	return incident.Event{Key: key, Kind: incident.Note, At: after(minutes), Actor: "ann", Details: incident.Details{Text: text}}
}

func (s *suite) load(tenant, id string) (*incident.Incident, int64) {
	s.Helper()
	i, version, err := s.Load(s.Context(), tenant, id)
	if err != nil {
		s.Fatalf("Load(%s, %s): %v", tenant, id, err)
	}
	return i, version
}

func (s *suite) apply(i *incident.Incident, events ...incident.Event) {
	s.Helper()
	for _, e := range events {
		if _, err := i.Apply(e); err != nil {
			s.Fatalf("Apply(%s): %v", e.Key, err)
		}
	}
}

func (s *suite) save(i *incident.Incident, version int64, messages ...Message) {
	s.Helper()
	if err := s.Save(s.Context(), Step{Incident: i, Version: version, Messages: messages}); err != nil {
		s.Fatalf("Save: %v", err)
	}
}

// step loads the incident of a tenant, applies events and saves it, with a message for each.
func (s *suite) step(tenant string, events ...incident.Event) {
	s.Helper()
	i, version := s.load(tenant, id)
	s.apply(i, events...)
	var messages []Message
	for _, e := range events {
		messages = append(messages, Message{Key: e.Key, Payload: `{"to":"lead"}`})
	}
	s.save(i, version, messages...)
}

// restart goes on with a store that was opened anew.
func (s *suite) restart() { s.Store = s.open(s.T) }

// sound verifies what is stored of an incident: chain, replay and state agree.
func (s *suite) sound(tenant, id string) *incident.Incident {
	s.Helper()
	i, _ := s.load(tenant, id)
	entries := i.Timeline().Entries()
	if err := incident.Verify(tenant, id, entries); err != nil {
		s.Errorf("Verify: %v", err)
	}
	again, err := incident.Replay(tenant, id, entries, incident.Options{})
	if err != nil {
		s.Fatalf("Replay: %v", err)
	}
	stored, err := s.State(s.Context(), tenant, id)
	if err != nil {
		s.Fatalf("State: %v", err)
	}
	s.equal("the state of the replay", again.State(), stored)
	s.equal("the state of what was loaded", i.State(), stored)
	return i
}

// equal compares two values by their JSON.
func (s *suite) equal(what string, got, want any) {
	s.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	if !bytes.Equal(g, w) {
		s.Errorf("%s is\n%s\nwant\n%s", what, g, w)
	}
}

// wantKeys compares the keys of the timeline, in order.
func (s *suite) wantKeys(i *incident.Incident, want ...string) {
	s.Helper()
	var got []string
	for _, e := range i.Timeline().Entries() {
		got = append(got, e.Key)
	}
	if !slices.Equal(got, want) {
		s.Errorf("the timeline has %q, want %q", got, want)
	}
}

func (s *suite) wantMessages(tenant string, want ...string) {
	s.Helper()
	all, err := s.Messages(s.Context(), tenant)
	if err != nil {
		s.Fatalf("Messages: %v", err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.Key)
	}
	if !slices.Equal(got, want) {
		s.Errorf("messages of %s are %q, want %q", tenant, got, want)
	}
}

func (s *suite) version(tenant, id string) int64 {
	s.Helper()
	_, version := s.load(tenant, id)
	return version
}
