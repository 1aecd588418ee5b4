package sqlstore_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/timertest"
)

func TestTimers(t *testing.T) {
	for _, name := range []string{"timers", "outbox"} {
		t.Run(name, func(t *testing.T) {
			timertest.Test(t, func(t *testing.T) timertest.Store {
				t.Helper()
				s, c := open(t)
				queue := escalation.Timers(s.Timers())
				if name == "outbox" {
					queue = s.Outbox()
				}
				return timertest.Store{Timers: queue, Now: c.now, Advance: c.advance, Second: time.Second}
			})
		})
	}
}
