// Package instant keeps instants as numbers of nanoseconds, a third of a time.Time: above 0 for
// every one that is in range, so that 0 can mean "none". An engine of a million alerts and a
// grouper, of whose groups each has six, are for a good part made of them.
package instant

import (
	"math"
	"time"
)

const origin = -(1 << 61) // in Unix nanoseconds: December 1896

// InRange reports whether t is set and fits: years 1897 to 2188.
func InRange(t time.Time) bool {
	const first, last = origin / int64(time.Second), (math.MaxInt64 + origin) / int64(time.Second)
	s := t.Unix()
	return !t.IsZero() && s > first && s < last
}

// Of converts an instant that is in range; the zero time gives 0.
func Of(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano() - origin
}

// Nearest is [Of] for any instant: one before the range gives 0, one after it the last.
func Nearest(t time.Time) int64 {
	switch {
	case InRange(t):
		return Of(t)
	case t.Unix() > 0:
		return math.MaxInt64
	}
	return 0
}

// Time is the inverse of [Of] in UTC; 0 gives the zero time.
func Time(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n+origin).UTC()
}

// After returns n + d, or the last instant if that is beyond it.
func After(n int64, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-n {
		return math.MaxInt64
	}
	return n + int64(d)
}
