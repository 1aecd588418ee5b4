// Package patience says for how long the programs try to tell others what these do not
// take now: three days, so that what is away for a weekend is told on Monday. What is
// refused for good is given up at once.
package patience

import "time"

// Attempts are those of three days with [Backoff].
const Attempts = 3*24*60/2 + 7

// Backoff is 1 s after the first attempt, doubled, and 2 minutes at most.
func Backoff(attempt int) time.Duration {
	return min(time.Second<<min(attempt-1, 7), 2*time.Minute)
}
