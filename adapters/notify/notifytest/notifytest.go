// Package notifytest tests implementations of [notify.Sender]: those of this module
// and those of others.
//
//	func TestPigeons(t *testing.T) {
//		notifytest.Test(t, func(t *testing.T) notifytest.Channel {
//			loft := newLoft(t)
//			return notifytest.Channel{
//				Sender: loft, Name: "pigeon", Good: []string{"north tower", "south tower"}, Gone: "no tower",
//				Taken: loft.count,
//			}
//		})
//	}
package notifytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// Channel is a sender under test and what is known of the other end, where nothing
// has arrived yet.
type Channel struct {
	notify.Sender
	Name comms.Channel // the one that it serves
	Good []string      // two addresses that take everything
	Gone string        // an address that is refused for good
	Busy string        // an address that is refused the first time and then takes everything; empty if there is none
	// Taken counts the messages that arrived, once for each address.
	Taken func(t *testing.T) int
}

// Test runs the suite. Every test opens a channel of its own.
func Test(t *testing.T, open func(*testing.T) Channel) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*suite)
	}{
		{"one result for each target, in their order", (*suite).order},
		{"who was told is not told again", (*suite).again},
		{"the same key is the same message", (*suite).key},
		{"what is not a message is refused", (*suite).refused},
		{"a context that is over sends nothing", (*suite).over},
		{"many send at the same time", (*suite).many},
	} {
		t.Run(c.name, func(t *testing.T) {
			channel := open(t)
			if channel.Sender == nil || channel.Name == "" || len(channel.Good) < 2 || channel.Gone == "" || channel.Taken == nil {
				t.Fatalf("channel %+v: want all but Busy", channel)
			}
			c.run(&suite{t, channel})
		})
	}
}

type suite struct {
	*testing.T
	Channel
}

// message is one to addresses of the channel.
func (s *suite) message(key string, addresses ...string) notify.Message {
	m := notify.Message{Key: key, Thread: "t", Subject: "subject", Text: "text", At: time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)}
	for i, a := range addresses {
		m.To = append(m.To, notify.Target{Recipient: fmt.Sprintf("r%d", i), Channel: s.Name, Address: a})
	}
	return m
}

// send sends and checks what holds of all results.
func (s *suite) send(ctx context.Context, m notify.Message) []notify.Result {
	s.Helper()
	results := s.Send(ctx, m)
	if len(results) != len(m.To) {
		s.Fatalf("%d results for %d targets", len(results), len(m.To))
	}
	for i, r := range results {
		if r.Target != m.To[i] {
			s.Errorf("result %d is of %+v, want %+v", i, r.Target, m.To[i])
		}
		if (r.Err == nil) != (r.State == notify.Delivered) || errors.Is(r.Err, notify.ErrSkipped) != (r.State == notify.Skipped) {
			s.Errorf("%s with the error %v", r.State, r.Err)
		}
		if r.State != notify.Delivered && r.Reason == "" || strings.ContainsAny(r.Reason, "\r\n") {
			s.Errorf("%s with the reason %q, want one line", r.State, r.Reason)
		}
		if r.MayHaveArrived && r.State != notify.Temporary {
			s.Errorf("%s that may have arrived", r.State)
		}
	}
	return results
}

func (s *suite) want(results []notify.Result, states ...notify.State) {
	s.Helper()
	for i, r := range results {
		if r.State != states[i] {
			s.Errorf("%+v, want %s", r, states[i])
		}
	}
}

func (s *suite) taken(want int) {
	s.Helper()
	if got := s.Taken(s.T); got != want {
		s.Errorf("%d arrived, want %d", got, want)
	}
}

func (s *suite) order() {
	m := s.message("k", s.Good[0], s.Gone, "", s.Good[1], "elsewhere")
	m.To[4].Channel = "other channel"
	s.want(s.send(s.Context(), m), notify.Delivered, notify.Permanent, notify.Skipped, notify.Delivered, notify.Skipped)
	s.taken(2)
	s.send(s.Context(), s.message("k2"))
	s.taken(2)
}

func (s *suite) again() {
	if s.Busy == "" {
		s.Skip("no address is busy at first")
	}
	m := s.message("k", s.Good[0], s.Busy, s.Gone)
	results := s.send(s.Context(), m)
	s.want(results, notify.Delivered, notify.Temporary, notify.Permanent)
	rest := m.Remaining(results)
	if len(rest.To) != 1 || rest.To[0] != m.To[1] {
		s.Fatalf("Remaining = %+v, want the busy one", rest.To)
	}
	s.want(s.send(s.Context(), rest), notify.Delivered)
	s.taken(2)
}

func (s *suite) key() {
	first := s.send(s.Context(), s.message("k", s.Good[0]))
	again := s.send(s.Context(), s.message("k", s.Good[0]))
	other := s.send(s.Context(), s.message("k/2", s.Good[0]))
	for _, results := range [][]notify.Result{first, again, other} {
		s.want(results, notify.Delivered)
	}
	if first[0].ID == "" || first[0].ID != again[0].ID || first[0].ID == other[0].ID {
		s.Errorf("IDs %q, again %q, of another key %q", first[0].ID, again[0].ID, other[0].ID)
	}
}

func (s *suite) refused() {
	for name, spoil := range map[string]func(*notify.Message){
		"no key":     func(m *notify.Message) { m.Key = "" },
		"no subject": func(m *notify.Message) { m.Subject = "" },
		"two lines":  func(m *notify.Message) { m.Subject = "a\r\nb" },
		"no text":    func(m *notify.Message) { m.Text = "" },
	} {
		m := s.message("k", s.Good...)
		spoil(&m)
		for _, r := range s.send(s.Context(), m) {
			var bad *notify.InputError
			if r.State != notify.Permanent || !errors.As(r.Err, &bad) {
				s.Errorf("%s: %+v, want an InputError", name, r)
			}
		}
	}
	s.taken(0)
}

func (s *suite) over() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for _, r := range s.send(ctx, s.message("k", s.Good...)) {
		if r.State != notify.Temporary || !errors.Is(r.Err, context.Canceled) || r.MayHaveArrived {
			s.Errorf("%+v, want it to wait", r)
		}
	}
	s.taken(0)
}

func (s *suite) many() {
	const n = 20
	done := make(chan []notify.Result)
	for i := range n {
		go func() { done <- s.Send(s.Context(), s.message(fmt.Sprintf("k%d", i), s.Good[0])) }()
	}
	for range n {
		s.want(<-done, notify.Delivered)
	}
	s.taken(n)
}
