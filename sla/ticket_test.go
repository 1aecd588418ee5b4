package sla_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func event(kind sla.TicketEventKind, at time.Time, s incident.Severity) sla.TicketEvent {
	return sla.TicketEvent{Kind: kind, At: at, Severity: s}
}

func replay(tb testing.TB, history ...sla.TicketEvent) *sla.Ticket {
	tb.Helper()
	ticket := sla.NewTicket("INC")
	noError(tb, ticket.Replay(slices.Values(history)))
	return ticket
}

func TestTicketFold(t *testing.T) {
	ticket := replay(t,
		event(sla.TicketOpened, hm(10, 0), incident.P3),
		event(sla.TicketUpdated, hm(10, 5), 0), // the first answer
		event(sla.TicketPaused, hm(11, 0), 0),
		event(sla.TicketResumed, hm(12, 0), 0),
		event(sla.TicketPaused, hm(12, 0), 0), // goes on with the pause
		event(sla.TicketSeverity, hm(12, 30), incident.P1),
		event(sla.TicketSeverity, hm(12, 40), incident.P1), // none
		event(sla.TicketResolved, hm(13, 0), 0),            // ends the pause
		event(sla.TicketReopened, hm(14, 0), 0),
		event(sla.TicketPaused, hm(14, 30), 0),
		event(sla.TicketResumed, hm(14, 30), 0), // an empty one
		event(sla.TicketReset, hm(15, 0), 0),
		event(sla.TicketResolved, hm(16, 0), 0),
		event(sla.TicketReopened, hm(16, 0), 0), // in the same instant
		event(sla.TicketCancelled, hm(17, 0), 0),
	)
	want := sla.Incident{
		ID: "INC", Severity: incident.P3, Opened: hm(10, 0), Responded: hm(10, 5), Updates: []time.Time{hm(10, 5)},
		Severities: []sla.SeverityChange{{At: hm(12, 30), Severity: incident.P1}},
		Pauses:     []calendar.Interval{between(11, 0, 13)}, Closed: []calendar.Interval{between(13, 0, 14)},
		Resets: []time.Time{hm(15, 0)}, Cancelled: hm(17, 0), Reopened: true,
	}
	if got := ticket.Incident(); !reflect.DeepEqual(got, want) {
		t.Errorf("Incident = %+v\nwant %+v", got, want)
	}
	if ticket.Status() != sla.TicketVoid || ticket.Severity() != incident.P1 || ticket.Events() != 15 {
		t.Errorf("ticket is %s, %s after %d events", ticket.Status(), ticket.Severity(), ticket.Events())
	}
	in := ticket.Incident()
	in.Pauses[0].End = hm(20, 0)
	if !reflect.DeepEqual(ticket.Incident(), want) {
		t.Error("Incident shares memory with the ticket")
	}
	ticket.Clear("NEXT")
	if got := ticket.Incident(); ticket.Status() != sla.TicketNew || !reflect.DeepEqual(got, sla.Incident{ID: "NEXT"}) {
		t.Errorf("after Clear: %s %+v", ticket.Status(), got)
	}
}

func TestTicketOrder(t *testing.T) {
	opened := event(sla.TicketOpened, hm(10, 0), incident.P2)
	waiting := []sla.TicketEvent{opened, event(sla.TicketPaused, hm(10, 0), 0)}
	resolved := []sla.TicketEvent{opened, event(sla.TicketResolved, hm(10, 0), 0)}
	void := []sla.TicketEvent{opened, event(sla.TicketCancelled, hm(10, 0), 0)}
	for _, c := range []struct {
		name   string
		before []sla.TicketEvent
		event  sla.TicketEvent
		want   string
	}{
		{"not opened", nil, event(sla.TicketPaused, hm(11, 0), 0), "an open ticket"},
		{"opened twice", []sla.TicketEvent{opened}, event(sla.TicketOpened, hm(11, 0), incident.P1), "a ticket that was not opened before"},
		{"no severity", nil, event(sla.TicketOpened, hm(11, 0), 0), "a severity P1 to P4"},
		{"no instant", nil, event(sla.TicketOpened, time.Time{}, incident.P1), "the instant of the event"},
		{"back in time", []sla.TicketEvent{opened}, event(sla.TicketPaused, hm(9, 0), 0), "no instant before that of the last event"},
		{"not waiting", []sla.TicketEvent{opened}, event(sla.TicketResumed, hm(11, 0), 0), "a waiting ticket"},
		{"waiting already", waiting, event(sla.TicketPaused, hm(11, 0), 0), "an open ticket"},
		{"answered already", []sla.TicketEvent{opened, event(sla.TicketUpdated, hm(10, 0), 0)}, event(sla.TicketResponded, hm(11, 0), 0), "an open ticket without an answer"},
		{"not resolved", []sla.TicketEvent{opened}, event(sla.TicketReopened, hm(11, 0), 0), "a resolved ticket"},
		{"resolved twice", resolved, event(sla.TicketResolved, hm(11, 0), 0), "an open or waiting ticket"},
		{"resolved and reset", resolved, event(sla.TicketReset, hm(11, 0), 0), "an open or waiting ticket"},
		{"cancelled twice", void, event(sla.TicketCancelled, hm(11, 0), 0), "an open or waiting ticket"},
		{"cancelled and told", void, event(sla.TicketUpdated, hm(11, 0), 0), "a ticket that was opened and not cancelled"},
		{"unknown kind", []sla.TicketEvent{opened}, event(99, hm(11, 0), 0), "a known kind of event"},
	} {
		ticket := replay(t, c.before...)
		before, status := ticket.Incident(), ticket.Status()
		err := ticket.Replay(slices.Values([]sla.TicketEvent{c.event, opened}))
		var e *sla.TicketError
		if !errors.As(err, &e) || e.Index != len(c.before) || e.Event != c.event || e.Want != c.want || e.Status != status || !strings.Contains(err.Error(), `ticket "INC"`) {
			t.Errorf("%s: %v, want a TicketError at %d that wants %s", c.name, err, len(c.before), c.want)
		}
		if !reflect.DeepEqual(ticket.Incident(), before) || ticket.Status() != status || ticket.Events() != len(c.before) {
			t.Errorf("%s: the refused event changed the ticket", c.name)
		}
	}
}

// A history in two parts gives the same ticket as in one; a clock at an instant
// knows no later events; and the short way to the elapsed time agrees with the
// long one.
func TestTicketLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 1000 {
		history := randomHistory(r, vectorStart, r.IntN(8))
		if r.IntN(4) == 0 {
			history = append(history[:1+r.IntN(len(history))], sla.TicketEvent{Kind: sla.TicketReset, At: history[len(history)-1].At})
			if err := sla.NewTicket("INC").Replay(slices.Values(history)); err != nil {
				history = history[:len(history)-1] // resolved
			}
		}
		keepsLaws(t, history, r.IntN(len(history)))
	}
}

func keepsLaws(t *testing.T, history []sla.TicketEvent, cut int) {
	t.Helper()
	whole := replay(t, history...)
	part := replay(t, history[:cut]...)
	if err := part.Replay(slices.Values(history[cut:])); err != nil || !reflect.DeepEqual(part.Incident(), whole.Incident()) || part.Status() != whole.Status() {
		t.Fatalf("replay in parts: %+v, %v\nwant %+v", part.Incident(), err, whole.Incident())
	}

	at := history[cut].At
	known := cut + 1
	for known < len(history) && !history[known].At.After(at) {
		known++
	}
	then := replay(t, history[:known]...)
	for _, a := range lawful {
		long, err := a.Clocks(whole.Incident(), at)
		if err != nil {
			t.Fatal(err)
		}
		if early, err := a.Clocks(then.Incident(), at); err != nil || !reflect.DeepEqual(long, early) {
			t.Fatalf("clocks at %s know what comes later:\n%+v\n%+v, %v\n%+v", at, long, early, err, history)
		}
		short, err := a.AppendElapsed(nil, whole, at)
		if err != nil || len(short) != len(long) {
			t.Fatalf("AppendElapsed = %v, %v, want %d clocks", short, err, len(long))
		}
		for i, s := range long {
			if want := (sla.ClockTime{Term: s.Term, Clause: s.Clause, Severity: s.Severity, Elapsed: s.Elapsed, Outcome: s.Outcome}); short[i] != want {
				t.Fatalf("AppendElapsed = %+v, want %+v", short[i], want)
			}
			if s.Elapsed < 0 || s.Elapsed+s.Remaining != s.Target {
				t.Fatalf("clock %+v does not add up", s)
			}
		}
	}
}

var lawful = func() (out []*sla.Agreement) {
	for _, restart := range []bool{false, true} {
		var targets []sla.Target
		for i, s := range incident.Severities {
			targets = append(targets, sla.Target{Severity: s, Within: time.Duration(1+3*i) * time.Hour})
		}
		clock := sla.Clock{Targets: targets, Pausable: true, RestartOnSeverity: restart}
		c := sla.Preset("x", sla.Essential, "Europe/Amsterdam", sla.Essential.Offer().FeeTo)
		c.Terms = []sla.Term{response(clock), update(clock), resolution(clock)}
		a, err := sla.Compile(c)
		if err != nil {
			panic(err)
		}
		out = append(out, a)
	}
	return out
}()

// Any sequence of events is folded or refused, and what was folded keeps the laws.
func FuzzTicket(f *testing.F) {
	f.Add([]byte{0x10, 0x24, 0x45, 0x50, 0x70}, uint8(2))
	f.Add([]byte{0x10, 0x40, 0x70, 0x80, 0x90, 0x61, 0xa0}, uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		ticket := sla.NewTicket("INC")
		var history []sla.TicketEvent
		at := vectorStart
		for _, b := range data {
			at = at.Add(time.Duration(b&3) * 47 * time.Minute)
			e := sla.TicketEvent{Kind: sla.TicketEventKind(b >> 4), At: at, Severity: incident.Severity(b>>2&3) + 1}
			if b == 0xff {
				e.At = time.Unix(-1<<62, 0)
			}
			var refused *sla.TicketError
			switch err := ticket.Apply(e); {
			case err == nil:
				history = append(history, e)
			case !errors.As(err, &refused) || refused.Index != len(history):
				t.Fatalf("Apply = %v, want a TicketError at %d", err, len(history))
			}
		}
		if len(history) > 0 {
			keepsLaws(t, history, int(cut)%len(history))
		}
	})
}

func TestTicketEventJSON(t *testing.T) {
	want := event(sla.TicketSeverity, hm(10, 0), incident.P1)
	data, err := json.Marshal(want)
	if err != nil || string(data) != `{"kind":"severity","at":"2026-04-07T10:00:00Z","severity":"P1"}` {
		t.Errorf("JSON = %s, %v", data, err)
	}
	var back sla.TicketEvent
	if err := json.Unmarshal(data, &back); err != nil || back != want {
		t.Errorf("back = %+v, %v", back, err)
	}
	for _, text := range []string{"", "unset", "closed"} {
		if err := new(sla.TicketEventKind).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a kind", text)
		}
	}
	if _, err := sla.TicketEventKind(0).MarshalText(); err == nil {
		t.Error("no kind is written")
	}
	if _, err := json.Marshal(sla.TicketVoid + 1); err == nil {
		t.Error("an unknown status is written")
	}
}
