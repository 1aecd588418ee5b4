// Package command carries out actions of playbooks as commands of the operating
// system.
//
//	actions := playbook.Actions{
//		"restart_worker": command.Command{Path: "/usr/local/bin/restart-worker", Dir: scratch},
//	}
//
// A command is a program with fixed arguments, never a line for a shell, and
// nothing of an intent becomes an argument. It finds the intent as JSON on its
// standard input, and its key, service, operation and attempt in the environment, as
// EVENKEEL_KEY, EVENKEEL_SERVICE, EVENKEEL_OPERATION and EVENKEEL_ATTEMPT. Of the
// environment of this process it gets the path alone.
//
// It runs in a process group of its own. When the time of the attempt is over, the
// whole group is asked to end and killed after [Command.Grace]: children that it left
// behind do not live on. A child that makes a group or session of its own is out of
// reach. Where there are no process groups, the command alone is killed.
package command

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// Command is a program that carries out an action. It does not change and is safe for
// concurrent use.
type Command struct {
	Path string   // absolute, or looked up on the path
	Args []string // without the name of the program
	Dir  string   // where it runs. Required: not by chance where this process does
	Env  []string // "NAME=value", added to what every command gets

	// NotDone are exit codes by which the command says that it has done nothing, so
	// that it may be tried again even if it is not idempotent.
	NotDone []int

	// Grace is how long the group has to end when it is asked to. Defaults to 2 s.
	Grace time.Duration

	// Output is how much of the end of its output, both streams together, is put on
	// record. Defaults to 4,096 bytes.
	Output int
}

var _ playbook.Action = Command{}

// ExitError says how a command failed, with the end of its output.
type ExitError struct {
	Path   string
	State  string // "exit status 3", "signal: killed"
	Output string
	Over   bool  // its time was over, so the group was ended
	Err    error // playbook.ErrNotDone if nothing was done, else nil
}

// Error names the program, how it ended and what it said.
func (e *ExitError) Error() string {
	text := e.Path + ": " + e.State
	if e.Over {
		text += ", its time was over"
	}
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

// Unwrap returns playbook.ErrNotDone or nil.
func (e *ExitError) Unwrap() error { return e.Err }

// Carry runs the command and returns the end of its output. It returns when the
// command and all that holds its output have ended, or a grace after the command has
// ended or ctx is over. The error is an [*ExitError], or wraps playbook.ErrNotDone if the command did not
// start.
func (c Command) Carry(ctx context.Context, i playbook.Intent) (string, error) {
	if c.Dir == "" {
		return "", fmt.Errorf("%s: want a folder to run in: %w", c.Path, playbook.ErrNotDone)
	}
	intent, err := json.Marshal(i)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", c.Path, err, playbook.ErrNotDone)
	}
	tail := &tail{most: cmp.Or(c.Output, 4096)}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // the path and the arguments are of the configuration
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, bytes.NewReader(intent), tail, tail
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "EVENKEEL_KEY=" + i.Key, "EVENKEEL_SERVICE=" + i.Service,
		"EVENKEEL_OPERATION=" + i.Operation, "EVENKEEL_ATTEMPT=" + strconv.Itoa(i.Attempt),
	}, c.Env...)
	grace := cmp.Or(c.Grace, 2*time.Second)
	group := newGroup(cmd)
	cmd.Cancel, cmd.WaitDelay = group.terminate, grace
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("%w: %w", err, playbook.ErrNotDone)
	}
	err = cmd.Wait()
	over := ctx.Err() != nil
	// Whoever is left of the group is ended, too: it would act when nobody looks.
	group.kill()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && !over { // it went well, and left something behind
		return tail.String(), nil
	}
	e := &ExitError{Path: c.Path, State: err.Error(), Output: tail.String(), Over: over}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() && !over && slices.Contains(c.NotDone, exit.ExitCode()) {
		e.Err = playbook.ErrNotDone
	}
	return "", e
}

// tail keeps the end of what is written to it.
type tail struct {
	most int
	data []byte
}

// Write keeps the end and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if extra := len(t.data) - t.most; extra > 0 {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

// String returns the text without what is no UTF-8, as where a character was cut.
func (t *tail) String() string {
	text := strings.TrimSpace(string(t.data))
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "")
	}
	return text
}
