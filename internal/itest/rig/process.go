package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long Stop waits after SIGTERM before it kills.
const stopGrace = 10 * time.Second

// Process is one server that Start began. Its methods are not safe for concurrent use.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // set before done is closed
}

// Start runs the program at path and names it name in errors. Both output streams go to log, which may be nil. The process
// gets a group of its own, so a Ctrl-C on the terminal reaches the caller first. The caller must end it with Stop or Kill.
func Start(name string, log io.Writer, path string, args ...string) (*Process, error) {
	cmd := exec.Command(path, args...) //nolint:noctx // it lives until Stop or Kill, which ask it to end before they kill
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Name returns the name given to Start.
func (p *Process) Name() string { return p.name }

// Exited returns a channel that is closed when the process has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} { return p.done }

// Stop asks the process to end and waits; after ten seconds it kills. Calling it again, or after Kill, does nothing.
func (p *Process) Stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopGrace):
		p.Kill()
	}
}

// Kill ends the process with SIGKILL, as `kill -9` does, and waits until it is gone.
func (p *Process) Kill() {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return
	}
	<-p.done
}

// ProcessorTime is what the process has used so far, to a hundredth of a second.
func (p *Process) ProcessorTime() (time.Duration, error) {
	_, used, err := processorTime(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	return used, err
}

// processorTime reads the parent of a process, and what the process and its children that have ended have used.
func processorTime(stat string) (parent string, used time.Duration, err error) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return "", 0, err
	}
	// After the name in parentheses: state, parent, and from the twelfth on the ticks of its own and of its children that
	// have ended; proc(5).
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return "", 0, fmt.Errorf("%s has %d fields after the name, want 15 and more", stat, len(fields))
	}
	for _, field := range fields[11:15] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return "", 0, fmt.Errorf("%s: %w", stat, err)
		}
		used += time.Duration(n) * 10 * time.Millisecond
	}
	return fields[1], used, nil
}

// OddPort returns a loopback port with an odd number that was free a moment ago.
func OddPort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	for range 200 {
		l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port%2 == 1 {
			return port, nil
		}
	}
	return 0, errors.New("find a free port: no odd one in 200 attempts")
}

// WaitReady polls url until it answers 200, the process p ends, or ctx is over. A nil p is not watched.
func WaitReady(ctx context.Context, p *Process, url string) error {
	var exited <-chan struct{}
	if p != nil {
		exited = p.done
	}
	client := &http.Client{Timeout: 2 * time.Second}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", url, err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("answered %s", resp.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (last: %w)", url, ctx.Err(), err)
		case <-exited:
			return fmt.Errorf("wait for %s: %s ended: %w", url, p.name, p.err)
		case <-tick.C:
		}
	}
}
