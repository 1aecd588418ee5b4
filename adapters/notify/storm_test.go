package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func newStorm(tb testing.TB, c notify.StormConfig) *notify.Storm {
	tb.Helper()
	s, err := notify.NewStorm(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// numbered is message n to addresses of e-mail.
func numbered(n int, addresses ...string) notify.Message {
	m := note(addresses...)
	m.Key, m.Subject, m.Tenant = strconv.Itoa(n), fmt.Sprint("incident ", n), "acme"
	return m
}

func TestStorm(t *testing.T) {
	s := newStorm(t, notify.StormConfig{Limit: 3, Window: 5 * time.Minute, Lines: 4})
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	for n := range 10 {
		m := numbered(n, "a")
		if n == 5 {
			m.To = append(m.To, notify.Target{Channel: comms.Email, Address: "b"})
		}
		now, ok := s.Take(at(n/5), m)
		if want := n < 3; n != 5 && ok != want || n == 5 && (len(now.To) != 1 || now.To[0].Address != "b") {
			t.Errorf("message %d: %v, %+v", n, ok, now.To)
		}
	}
	if now, ok := s.Take(at(1), numbered(9, "a")); ok {
		t.Errorf("again: %+v", now)
	}
	other := numbered(11, "a")
	other.Tenant = "globex"
	if _, ok := s.Take(at(1), other); !ok {
		t.Error("the storm of one tenant holds back what is of another")
	}
	if due, ok := s.NextWake(); !ok || !due.Equal(at(5)) {
		t.Errorf("NextWake = %v, %v", due, ok)
	}
	if early := s.Due(at(5).Add(-1)); len(early) != 0 {
		t.Errorf("early: %+v", early)
	}
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again := newStorm(t, notify.StormConfig{Limit: 3, Window: 5 * time.Minute, Lines: 4})
	if err := again.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	due, twin := s.Due(at(6)), again.Due(at(6))
	if len(due) != 1 || len(twin) != 1 || due[0].Key != twin[0].Key {
		t.Fatalf("Due = %+v and, restored, %+v, want the same one", due, twin)
	}
	const text = "incident 3\nincident 4\nincident 5\nincident 6\nand 3 more\n"
	if d := due[0]; d.Subject != "7 messages in 5m0s" || d.Text != text || d.Tenant != "acme" || len(d.To) != 1 || d.To[0].Address != "a" || d.Validate() != nil || !d.At.Equal(at(5)) {
		t.Errorf("digest %+v", d)
	}
	// It is still a storm: the next one waits for the end of the window, alone, so as it is.
	if _, ok := s.Take(at(7), numbered(12, "a")); ok {
		t.Error("the first after a digest is sent")
	}
	if due := s.Due(at(11)); len(due) != 1 || due[0].Key != "12" || len(due[0].To) != 1 {
		t.Errorf("Due = %+v, want 12 as it is", due)
	}
	if due := s.Due(at(16)); len(due) != 0 {
		t.Errorf("Due = %+v, want nothing", due)
	}
	if _, ok := s.NextWake(); ok {
		t.Error("the storm is over, and there is something to do")
	}
	if _, ok := s.Take(at(17), numbered(13, "a")); !ok {
		t.Error("the first after the storm is held")
	}
}

// A long storm of long messages is kept as its headings.
func TestStormKeepsHeadings(t *testing.T) {
	s := newStorm(t, notify.StormConfig{Limit: 1})
	for n := range 100 {
		m := numbered(n, "a")
		m.Text, m.HTML, m.Thread = strings.Repeat("x", 10_000), strings.Repeat("y", 10_000), "t"
		s.Take(start, m)
	}
	snapshot, err := s.Snapshot()
	if err != nil || len(snapshot) > 100*200 {
		t.Errorf("%d bytes, %v, want at most 200 for each of 100 messages", len(snapshot), err)
	}
	if due := s.Due(start.Add(5 * time.Minute)); len(due) != 1 || due[0].Subject != "99 messages in 5m0s" || strings.Count(due[0].Text, "incident") != 50 {
		t.Errorf("Due = %+v", due)
	}
}

func TestStormUrgent(t *testing.T) {
	s := newStorm(t, notify.StormConfig{Limit: 1, Urgent: func(m notify.Message) bool { return m.Key == "2" }})
	for n, want := range []bool{true, false, true, false} {
		if _, ok := s.Take(start, numbered(n, "a")); ok != want {
			t.Errorf("message %d: %v, want %v", n, ok, want)
		}
	}
}

// TestStormLosesNothing: every message to every address is sent at once, in a digest or
// alone, once.
func TestStormLosesNothing(t *testing.T) {
	s := newStorm(t, notify.StormConfig{Limit: 2, Window: time.Minute, Lines: 1000})
	got := map[string]int{}
	count := func(m notify.Message) {
		for _, to := range m.To {
			if strings.HasPrefix(m.Key, "digest/") {
				for line := range strings.Lines(m.Text) {
					got[to.Address+" "+strings.TrimSpace(line)]++
				}
				continue
			}
			got[to.Address+" "+m.Subject]++
		}
	}
	const messages = 500
	at := start
	for n := range messages {
		at = at.Add(time.Duration(n*n%37) * time.Second)
		for _, m := range s.Due(at) {
			count(m)
		}
		if now, ok := s.Take(at, numbered(n, "a", []string{"b", "c", "d"}[n%3])); ok {
			count(now)
		}
	}
	for due, ok := s.NextWake(); ok; due, ok = s.NextWake() {
		for _, m := range s.Due(due) {
			count(m)
		}
	}
	if len(got) != 2*messages {
		t.Errorf("%d told, want %d", len(got), 2*messages)
	}
	for what, n := range got {
		if n != 1 {
			t.Errorf("%s: told %d times", what, n)
		}
	}
}

func TestStormErrors(t *testing.T) {
	var bad *notify.InputError
	if _, err := notify.NewStorm(notify.StormConfig{Limit: -1}); !errors.As(err, &bad) || bad.Field != "limit" {
		t.Errorf("a limit below 0: %v", err)
	}
	s := newStorm(t, notify.StormConfig{})
	for _, state := range []string{"[]", "null", `{"x":null}`, `{"x":{"sent":-1}}`, `{"x":{"held":[{"key":"k","to":[]}]}}`, `{"\u0000email\u0000a":{"held":[{"key":"k","to":[{"channel":"sms","address":"a"}]}]}}`} {
		snapshot, err := sealed.Seal(1, json.RawMessage(state))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Restore(snapshot); !errors.Is(err, notify.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", state, err)
		}
	}
	s.Take(start, numbered(1, "a"))
	good, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range testutil.Damaged(good) {
		if err := s.Restore(bad); err != nil && !errors.Is(err, notify.ErrSnapshot) {
			t.Fatalf("%s: %v, want ErrSnapshot", what, err)
		}
		if data, _ := s.Snapshot(); !bytes.Equal(data, good) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, good)
		}
	}
}
