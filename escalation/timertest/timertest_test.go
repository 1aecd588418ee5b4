package timertest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/timertest"
)

func TestMemory(t *testing.T) {
	timertest.Test(t, func(*testing.T) timertest.Store {
		var mu sync.Mutex
		now := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC) // guarded by mu
		read := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		return timertest.Store{Timers: escalation.NewMemoryTimers(read), Now: read, Second: time.Second, Advance: func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
		}}
	})
}
