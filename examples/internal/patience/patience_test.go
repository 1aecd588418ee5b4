package patience

import (
	"testing"
	"time"
)

// All attempts together take three days, and no pause is longer than two minutes.
func TestThreeDays(t *testing.T) {
	var all time.Duration
	for attempt := 1; attempt < Attempts; attempt++ {
		pause := Backoff(attempt)
		if pause < time.Second || pause > 2*time.Minute {
			t.Errorf("Backoff(%d) = %v, want 1 s to 2 minutes", attempt, pause)
		}
		all += pause
	}
	if want := 72 * time.Hour; all < want || all > want+time.Hour {
		t.Errorf("the attempts take %v, want three days", all)
	}
}
