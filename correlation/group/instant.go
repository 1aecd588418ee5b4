package group

import (
	"math"
	"time"
)

// Inside a grouper an instant is a number of nanoseconds since origin, as in an engine:
// more than 0 for every instant that is accepted, so that 0 can mean "none". A group has
// six of them, which as time.Time are most of it.
const origin = -(1 << 61) // in Unix nanoseconds: December 1896

// inRange reports whether t is set and fits: years 1897 to 2188.
func inRange(t time.Time) bool {
	const first, last = origin / int64(time.Second), (math.MaxInt64 + origin) / int64(time.Second)
	s := t.Unix()
	return !t.IsZero() && s > first && s < last
}

// nanos converts an instant that is in range; the zero time gives 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano() - origin
}

// nearest is nanos for any instant: one before the range gives 0, one after it the last.
func nearest(t time.Time) int64 {
	switch {
	case inRange(t):
		return nanos(t)
	case t.Unix() > 0:
		return math.MaxInt64
	}
	return 0
}

// instant is the inverse of nanos in UTC.
func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n+origin).UTC()
}

// after returns n + d, or the last instant if that is beyond it.
func after(n int64, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-n {
		return math.MaxInt64
	}
	return n + int64(d)
}
