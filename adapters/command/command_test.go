//go:build unix

package command_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/command"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// script returns a command that runs a text of the shell in a scratch folder.
func script(t *testing.T, text string) command.Command {
	t.Helper()
	return command.Command{Path: "/bin/sh", Args: []string{"-c", text}, Dir: t.TempDir(), Grace: 200 * time.Millisecond}
}

var intent = playbook.Intent{Key: "acme/run/level_1/kill", Service: "db", Operation: "kill", Attempt: 2, Parameters: []byte(`{"older_than":"5m"}`)}

func TestCommand(t *testing.T) {
	t.Setenv("SECRET", "s3cret")
	for _, tt := range []struct {
		name, script string
		out          string
		err          string
		notDone      bool
	}{
		{"output", "echo one; echo two >&2", "one\ntwo", "", false},
		{"folder", "pwd; ls", "{dir}", "", false},
		{"environment", "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^PATH= -e ^OLDPWD= | sort", "EVENKEEL_ATTEMPT=2\nEVENKEEL_KEY=acme/run/level_1/kill\nEVENKEEL_OPERATION=kill\nEVENKEEL_SERVICE=db\nMORE=x y", "", false},
		{"intent on stdin", "grep -o '\"older_than\":\"5m\"'", `"older_than":"5m"`, "", false},
		{"stdin not read", "exit 0", "", "", false},
		{"exit code", "echo no; exit 3", "", "/bin/sh: exit status 3: no", false},
		{"nothing done", "exit 75", "", "/bin/sh: exit status 75", true},
		{"killed", "kill -9 $$", "", "/bin/sh: signal: killed", false},
		{"cut", "printf 'aäb%.0s' 1 2 3 4 5 6 7 8 9 10 11 12; printf '%04095d' 0", "0", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := script(t, tt.script)
			c.NotDone, c.Env = []int{75}, []string{"MORE=x y"}
			out, err := c.Carry(t.Context(), intent)
			dir, dirErr := filepath.EvalSymlinks(c.Dir)
			if dirErr != nil {
				t.Fatal(dirErr)
			}
			switch {
			case tt.err == "" && err != nil, tt.err != "" && (err == nil || err.Error() != tt.err), errors.Is(err, playbook.ErrNotDone) != tt.notDone:
				t.Errorf("Carry = %q, %v, want %q", out, err, tt.err)
			case tt.name == "cut":
				if len(out) != 4096 || !strings.HasPrefix(out, "b0000") {
					t.Errorf("%d bytes from %.10q, want the last 4,096", len(out), out)
				}
			case out != strings.ReplaceAll(tt.out, "{dir}", dir):
				t.Errorf("out = %q, want %q", out, tt.out)
			}
		})
	}
	for name, c := range map[string]command.Command{
		"no folder":  {Path: "/bin/sh"},
		"no program": {Path: "/nowhere/at/all", Dir: t.TempDir()},
	} {
		if _, err := c.Carry(t.Context(), intent); !errors.Is(err, playbook.ErrNotDone) {
			t.Errorf("%s: %v, want ErrNotDone: nothing has run", name, err)
		}
	}
}

// TestWholeGroupEnds: a child starts a grandchild, both of which ignore that they are
// asked to end; when the time is over, none of them lives, and Carry does not wait for
// them.
func TestWholeGroupEnds(t *testing.T) {
	for name, text := range map[string]string{
		"waits":         `trap '' TERM; echo $$ > child; sh -c 'trap "" TERM; echo $$ > grandchild; while :; do sleep 1; done' & wait`,
		"leaves behind": `echo $$ > child; sh -c 'trap "" TERM; echo $$ > grandchild; while :; do sleep 1; done' & while [ ! -s grandchild ]; do sleep 0.01; done`,
	} {
		t.Run(name, func(t *testing.T) {
			c := script(t, text)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { // the time is over once the grandchild is there
				for ctx.Err() == nil {
					if data, err := os.ReadFile(filepath.Join(c.Dir, "grandchild")); err == nil && len(data) > 0 {
						cancel()
					}
					time.Sleep(time.Millisecond)
				}
			}()
			outcome, why := playbook.Actions{"kill": c}.Carry(ctx, intent)
			if outcome != playbook.Uncertain {
				t.Errorf("outcome %s (%s), want uncertain: it was ended in the middle", outcome, why)
			}
			for _, process := range []string{"child", "grandchild"} {
				data, err := os.ReadFile(filepath.Join(c.Dir, process))
				if err != nil {
					t.Fatal(err)
				}
				pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
				if err != nil {
					t.Fatal(err)
				}
				if !gone(pid) {
					t.Errorf("the %s, process %d, lives on", process, pid)
				}
			}
		})
	}
}

// A command that ends well while a child of it holds the output has done what it was
// asked to; the child does not live on.
func TestChildLeftBehind(t *testing.T) {
	c := script(t, `sleep 60 & echo $! > child; echo done`)
	out, err := c.Carry(t.Context(), intent)
	if err != nil || out != "done" {
		t.Errorf("Carry = %q, %v, want done", out, err)
	}
	data, err := os.ReadFile(filepath.Join(c.Dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	if !gone(pid) {
		t.Errorf("the child, process %d, lives on", pid)
	}
}

// gone waits for a killed process to be removed, which takes its new parent a moment.
func gone(pid int) bool {
	for range 500 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return true // dead, and nobody has asked how it ended
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
