package playbook_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

func TestCarry(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	boom := errors.New("boom")
	actions := playbook.Actions{}
	for name, err := range map[string]error{"ok": nil, "failed": boom, "not": fmt.Errorf("no such file: %w", playbook.ErrNotDone)} {
		actions[name] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) { return "done", err })
	}
	actions["panic"] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) { panic("nil map") })
	for _, tt := range []struct {
		ctx       context.Context
		operation string
		want      playbook.Outcome
		text      string
	}{
		{t.Context(), "ok", playbook.OK, "done"},
		{over, "ok", playbook.OK, "done"}, // it says that it worked
		{t.Context(), "failed", playbook.Failed, "boom"},
		{over, "failed", playbook.Uncertain, "boom"},
		{t.Context(), "not", playbook.NotDone, "no such file: nothing was done"},
		{over, "not", playbook.NotDone, "no such file: nothing was done"},
		{t.Context(), "panic", playbook.Uncertain, "panic: nil map"},
		{t.Context(), "nobody", playbook.NotDone, `nobody carries out the operation "nobody"`},
	} {
		outcome, text := actions.Carry(tt.ctx, playbook.Intent{Operation: tt.operation})
		if outcome != tt.want || text != tt.text {
			t.Errorf("%s: %s %q, want %s %q", tt.operation, outcome, text, tt.want, tt.text)
		}
	}
}
