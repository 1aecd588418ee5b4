//go:build unix

package command

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// group is the process group of a command.
type group struct{ cmd *exec.Cmd }

func newGroup(cmd *exec.Cmd) group {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return group{cmd}
}

// terminate asks all processes of the group to end.
func (g group) terminate() error { return g.signal(syscall.SIGTERM) }

// kill ends what is left of the group.
func (g group) kill() { _ = g.signal(syscall.SIGKILL) }

func (g group) signal(s syscall.Signal) error {
	// The number of the group is that of its first process; it is not given to
	// another process while one of the group lives.
	err := syscall.Kill(-g.cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
