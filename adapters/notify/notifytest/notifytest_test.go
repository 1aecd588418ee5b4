package notifytest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/notify/notifytest"
)

// loft sends pigeons to towers.
type loft struct {
	mu    sync.Mutex
	sent  int  // guarded by mu
	tired bool // guarded by mu: the first to the far tower comes back
}

func (l *loft) Send(ctx context.Context, m notify.Message) (out []notify.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range m.To {
		r := notify.Result{Target: t, ID: "pigeon " + m.Key, State: notify.Delivered}
		fail := func(s notify.State, err error) { r.State, r.Err, r.Reason = s, err, err.Error() }
		switch err := m.Validate(); {
		case ctx.Err() != nil:
			fail(notify.Temporary, ctx.Err())
		case err != nil:
			fail(notify.Permanent, err)
			r.Reason = "refused"
		case t.Channel != "pigeon" || t.Address == "":
			fail(notify.Skipped, notify.ErrSkipped)
		case t.Address == "no tower":
			fail(notify.Permanent, errors.New("no such tower"))
		case t.Address == "far tower" && !l.tired:
			l.tired = true
			fail(notify.Temporary, errors.New("tired"))
		default:
			l.sent++
		}
		out = append(out, r)
	}
	return out
}

// The suite passes a sender that does what it should, alone and behind Senders.
func TestPigeons(t *testing.T) {
	for name, wrap := range map[string]func(notify.Sender) notify.Sender{
		"alone":   func(s notify.Sender) notify.Sender { return s },
		"senders": func(s notify.Sender) notify.Sender { return notify.Senders{"pigeon": s} },
	} {
		t.Run(name, func(t *testing.T) {
			notifytest.Test(t, func(*testing.T) notifytest.Channel {
				l := &loft{}
				return notifytest.Channel{
					Sender: wrap(l), Name: "pigeon", Good: []string{"north tower", "south tower"}, Gone: "no tower", Busy: "far tower",
					Taken: func(*testing.T) int { return l.sent },
				}
			})
		})
	}
}
