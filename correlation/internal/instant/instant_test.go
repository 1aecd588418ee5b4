package instant

import (
	"math"
	"testing"
	"time"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		text    string
		inRange bool
		nearest int64
	}{
		{"0001-01-01T00:00:00Z", false, 0},
		{"1896-01-01T00:00:00Z", false, 0},
		{"1970-01-01T00:00:00Z", true, 1 << 61}, // 2^61 ns after the origin
		{"1970-01-01T02:00:00.000000007+02:00", true, 1<<61 + 7},
		{"2190-01-01T00:00:00Z", false, math.MaxInt64},
		{"9999-12-31T23:59:59Z", false, math.MaxInt64},
	} {
		at, err := time.Parse(time.RFC3339Nano, tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := InRange(at); got != tt.inRange {
			t.Errorf("InRange(%s) = %v", tt.text, got)
		}
		if got := Nearest(at); got != tt.nearest {
			t.Errorf("Nearest(%s) = %d, want %d", tt.text, got, tt.nearest)
		}
		if tt.inRange && (!Time(Of(at)).Equal(at) || Time(Of(at)).Location() != time.UTC) {
			t.Errorf("Time(Of(%s)) = %v, want the same in UTC", tt.text, Time(Of(at)))
		}
	}
	if Of(time.Time{}) != 0 || !Time(0).IsZero() {
		t.Error("the zero time is not 0 and back")
	}
	if got := After(math.MaxInt64-1, time.Second); got != math.MaxInt64 {
		t.Errorf("After beyond the last = %d, want the last", got)
	}
	if got := After(1, time.Second); got != 1_000_000_001 {
		t.Errorf("After(1, 1s) = %d", got)
	}
}
