//go:build !unix

package command

import "os/exec"

// group is a command alone: there are no process groups here.
type group struct{ cmd *exec.Cmd }

func newGroup(cmd *exec.Cmd) group { return group{cmd} }

func (g group) terminate() error { return g.cmd.Process.Kill() }

func (g group) kill() {}
