package ingest

import (
	"context"
	"errors"
)

// ErrFull is what [Queue.Put] returns when there is no place.
var ErrFull = errors.New("ingest: queue full")

// Queue holds deliveries in memory between a handler and who works on them. Put
// is an Accept that never waits. What is in it is lost with the process, though its
// sender was told that it arrived: where that must not happen, let Accept write to
// a store. It is safe for concurrent use.
type Queue struct{ deliveries chan Delivery }

// NewQueue returns a queue of so many places; 0 means 1,000.
func NewQueue(size int) *Queue {
	if size <= 0 {
		size = 1000
	}
	return &Queue{make(chan Delivery, size)}
}

// Put adds a delivery behind the others, or returns [ErrFull] at once.
func (q *Queue) Put(_ context.Context, d Delivery) error {
	select {
	case q.deliveries <- d:
		return nil
	default:
		return ErrFull
	}
}

// Take removes the oldest delivery and waits for one if there is none. The error
// is that of the context.
func (q *Queue) Take(ctx context.Context) (Delivery, error) {
	select {
	case d := <-q.deliveries: // also when the context has ended, so that a worker can empty it
		return d, nil
	default:
	}
	select {
	case d := <-q.deliveries:
		return d, nil
	case <-ctx.Done():
		return Delivery{}, ctx.Err()
	}
}

// Len returns how many deliveries are waiting.
func (q *Queue) Len() int { return len(q.deliveries) }
