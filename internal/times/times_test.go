package times

import (
	"testing"
	"time"
)

func TestLater(t *testing.T) {
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	elsewhere := noon.In(time.FixedZone("", 3600)) // the same instant, on a clock that shows a later hour
	next := noon.Add(1)
	for _, tt := range []struct{ a, b, later, earlier time.Time }{
		{noon, next, next, noon},
		{next, noon, next, noon},
		{elsewhere, next, next, elsewhere},
		{noon, elsewhere, noon, noon}, // a of the same two
		{elsewhere, noon, elsewhere, elsewhere},
		{time.Time{}, noon, noon, time.Time{}}, // zero is the first instant
	} {
		if got := Later(tt.a, tt.b); got != tt.later {
			t.Errorf("Later(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.later)
		}
		if got := Earlier(tt.a, tt.b); got != tt.earlier {
			t.Errorf("Earlier(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.earlier)
		}
	}
}
