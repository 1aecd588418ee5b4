package handoff_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation/handoff"
)

// A handoff that is accepted keeps its rules whatever is done to it: who sends does
// not accept, responsibility moves once and by the end of the window, the manager is
// told once, and its JSON is accepted again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"from":"a","to":"b","window":{"start":"2026-07-14T15:30:00Z","end":"2026-07-14T16:00:00Z"},"agenda":[{"topic":"x"}],"situation":{"at":"2026-07-14T15:20:00Z","incidents":[],"unanswered_pages":[],"maintenance":[]},"manager":"m"}`), []byte{0, 10, 1, 20, 2, 30, 3, 45})
	f.Add([]byte(`{"from":"a","to":"b","window":{"start":"2026-07-14T15:30:00+02:00","end":"2026-07-14T16:00:00+02:00"},"agenda":null,"situation":{"at":"2026-07-14T15:20:00Z","incidents":null,"unanswered_pages":null,"maintenance":null},"senders":["p"],"receivers":["q"],"manager":"m","sent":{"at":"2026-07-14T13:40:00Z","by":"p"}}`), []byte{3, 200, 2, 250})
	f.Fuzz(func(t *testing.T, data, steps []byte) {
		h, err := handoff.Parse(data)
		if err != nil || h.Window.Start.Year() < 1 || h.Window.End.Year() > 9990 || len(steps) > 50 {
			return
		}
		people := []string{"p", "q", "r", h.Sent.By}
		told := !h.Told.IsZero()
		now := h.Window.Start
		for i := 0; i+1 < len(steps); i += 2 {
			now = now.Add(time.Duration(steps[i+1]) * time.Minute)
			who := people[int(steps[i]/8)%len(people)]
			accepted := h.Accepted
			var err error
			switch steps[i] % 5 {
			case 0:
				err = h.Tick(int(steps[i]/8)%3, who, now)
			case 1:
				err = h.Note(int(steps[i]/8)%3, who, "x", now)
			case 2:
				err = h.SignOff(who, "", now)
			case 3:
				err = h.Accept(who, "", now)
			default:
				actions := h.Step(now)
				if len(actions) > 0 && (told || len(actions) != 1) {
					t.Fatalf("Step(%s) = %v, told before: %t", now, actions, told)
				}
				told = told || len(actions) > 0
			}
			if _, ok := errors.AsType[*handoff.StepError](err); err != nil && !ok {
				t.Fatalf("error %T, want a *StepError", err)
			}
			if accepted.IsSet() && h.Accepted != accepted {
				t.Fatalf("accepted %+v, then %+v", accepted, h.Accepted)
			}
			if h.Accepted.IsSet() && h.Accepted.By == h.Sent.By {
				t.Fatalf("%q accepts from himself", h.Sent.By)
			}
		}
		if moves := h.Moves(); moves.After(h.Window.End) || moves.Before(h.Window.Start) || h.Owner(moves) != h.To || h.Owner(moves.Add(-1)) != h.From {
			t.Fatalf("moves at %s in %s: %s, %s", moves, h.Window, h.Owner(moves.Add(-1)), h.Owner(moves))
		}
		text, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := handoff.Parse(text); err != nil {
			t.Fatalf("Parse(%s): %v", text, err)
		}
	})
}
