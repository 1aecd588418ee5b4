package stream

import (
	"math"
	"time"
)

// Rate makes a rate per second of a counter, which only rises but for resets to 0. The zero
// value is ready. It is not safe for concurrent use.
type Rate struct {
	// MaxGap is the longest time over which a rate is made; after a longer one the counter
	// may have been reset unseen. Defaults to no limit.
	MaxGap time.Duration

	clock
	prev   float64
	resets uint64
}

// Of takes a sample of the counter and returns the rate since the one before. It is NaN, a
// missing value, where there is none: at the first sample, at one that is late, repeats an
// instant or has no value or a negative one, and after a gap that is too long. A total that
// is less than the one before was reset to 0 in between: what it is now was counted since,
// so the rate is a lower bound.
func (r *Rate) Of(at time.Time, total float64) float64 {
	if total < 0 {
		total = math.NaN()
	}
	first := !r.started
	elapsed, state := r.take(nanos(at), total)
	if state != 0 {
		return math.NaN()
	}
	increase := total - r.prev
	if !first && increase < 0 {
		r.resets++
		increase = total
	}
	r.prev = total
	if first || elapsed == 0 || r.MaxGap > 0 && elapsed > int64(r.MaxGap) {
		return math.NaN()
	}
	return increase / time.Duration(elapsed).Seconds()
}

// Resets is how many times the counter was reset.
func (r *Rate) Resets() uint64 { return r.resets }

// Pause says that the next sample does not continue the last.
func (r *Rate) Pause() { r.started = false }

// AppendBinary appends the state, as [Bank.AppendBinary].
func (r *Rate) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindRate, r.fields) }

// MarshalBinary returns the state.
func (r *Rate) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// UnmarshalBinary restores a state, as [Bank.UnmarshalBinary].
func (r *Rate) UnmarshalBinary(data []byte) error {
	restored := *r
	if err := decode(data, kindRate, restored.fields); err != nil {
		return err
	}
	*r = restored
	return nil
}

// fields lists the state.
func (r *Rate) fields(c *coder) {
	r.clock.fields(c)
	c.float(&r.prev)
	c.uint64(&r.resets)
}
