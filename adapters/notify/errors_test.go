package notify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
)

// TestMailKinds: errors of mail have the kinds that those of the other senders have.
func TestMailKinds(t *testing.T) {
	for _, tt := range []struct {
		err     notify.Error
		kind    adapters.Kind
		applied bool
	}{
		{notify.Error{Op: notify.Connect, Err: errors.New("refused")}, adapters.Unavailable, false},
		{notify.Error{Op: notify.Wait, Err: context.Canceled}, adapters.Canceled, false},
		{notify.Error{Op: notify.Text, Err: context.DeadlineExceeded}, adapters.Deadline, true},
		{notify.Error{Op: notify.Text, Err: errors.New("reset")}, adapters.OutcomeUnknown, true},
		{notify.Error{Op: notify.Auth, Code: 535}, adapters.Unauthorized, false},
		{notify.Error{Op: notify.From, Code: 530}, adapters.Unauthorized, false},
		{notify.Error{Op: notify.To, Code: 550}, adapters.NotFound, false},
		{notify.Error{Op: notify.To, Code: 451}, adapters.Unavailable, false},
		{notify.Error{Op: notify.To, Code: 552}, adapters.Unavailable, false},
		{notify.Error{Op: notify.From, Code: 552}, adapters.TooLarge, false},
		{notify.Error{Op: notify.Text, Code: 554}, adapters.Invalid, false},
	} {
		tt.err.Server, tt.err.Answer = "smtp.example.com:587", "words"
		var e *adapters.Error
		if !errors.As(&tt.err, &e) || e.Kind != tt.kind || e.MayHaveApplied != tt.applied || e.Provider != "smtp" || e.Message != "words" || adapters.KindOf(&tt.err) != tt.kind {
			t.Errorf("%v: %+v, want %v", &tt.err, e, tt.kind)
		}
		if !errors.Is(&tt.err, tt.kind) || errors.Is(&tt.err, adapters.Conflict) {
			t.Errorf("%v is not %v", &tt.err, tt.kind)
		}
	}
}
