package playbook

import (
	"context"
	"errors"
	"fmt"
)

// Action carries out one operation: a command, a call of an interface, a message.
type Action interface {
	// Carry does what a [Do] intent asks for and returns what to put on record; a
	// compensation is given that text. It stops when ctx is over. An error that
	// wraps [ErrNotDone] says that nothing happened. The key of the intent is the
	// same for all attempts, so that a receiver can drop repeated ones.
	Carry(ctx context.Context, i Intent) (text string, err error)
}

// ActionFunc is a function as an [Action].
type ActionFunc func(ctx context.Context, i Intent) (string, error)

// Carry calls f.
func (f ActionFunc) Carry(ctx context.Context, i Intent) (string, error) { return f(ctx, i) }

// ErrNotDone means that an action failed before it had any effect. It may then be
// tried again whether it is idempotent or not.
var ErrNotDone = errors.New("nothing was done")

// Actions are actions by operation; see Operation of [ActionSpec].
type Actions map[string]Action

// Carry has a [Do] intent carried out and returns what to report. The context
// should end at the deadline of the intent; whatever fails once it is over is
// [Uncertain], and so is a panic. An operation that nobody carries out is
// [NotDone].
func (a Actions) Carry(ctx context.Context, i Intent) (outcome Outcome, text string) {
	action := a[i.Operation]
	if action == nil {
		return NotDone, fmt.Sprintf("nobody carries out the operation %q", i.Operation)
	}
	defer func() {
		if p := recover(); p != nil {
			outcome, text = Uncertain, fmt.Sprintf("panic: %v", p)
		}
	}()
	text, err := action.Carry(ctx, i)
	switch {
	case err == nil:
		return OK, text
	case errors.Is(err, ErrNotDone):
		return NotDone, err.Error()
	case ctx.Err() != nil:
		return Uncertain, err.Error()
	}
	return Failed, err.Error()
}
