// Package times says which of two instants is the later one, and a time in years as one says it.
package times

import "time"

// Later returns the later of two instants, and a if they are the same one.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Earlier returns the earlier of two instants, and a if they are the same one.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
