// Package natsd runs a NATS server with JetStream on the loopback interface, in a process of its own: the program that calls
// Start runs once more, and its main, or TestMain, hands over to Main first of all.
package natsd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// role is the first argument of a program that is to be a server; the folder and the port follow.
const role = "evenkeel-natsd"

// ready is the file that a server makes when it answers.
const ready = "ready"

// Server is one that Start began.
type Server struct {
	*rig.Process
	URL  string
	log  io.Writer
	dir  string
	port int
}

// Main is the server, until SIGTERM, where Start has started this program, and returns at once elsewhere. It reports whether
// it was.
func Main() bool {
	if len(os.Args) != 4 || os.Args[1] != role {
		return false
	}
	if err := serve(os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "natsd:", err)
		os.Exit(1)
	}
	return true
}

func serve(dir, port string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: n, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		return errors.New("not ready within 20s")
	}
	if err := os.WriteFile(filepath.Join(dir, ready), nil, 0o600); err != nil {
		return err
	}
	<-ended
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// Start starts a server whose files are in the folder dir and waits until it answers. The caller must end it.
func Start(ctx context.Context, log io.Writer, dir string) (*Server, error) {
	port, err := rig.OddPort(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: fmt.Sprintf("nats://127.0.0.1:%d", port), log: log, dir: dir, port: port}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Restart ends the server with SIGKILL and starts it again with its files, at the same address.
func (s *Server) Restart(ctx context.Context) error {
	s.Kill()
	if err := os.Remove(filepath.Join(s.dir, ready)); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *Server) start(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if s.Process, err = rig.Start("NATS server", s.log, program, role, s.dir, strconv.Itoa(s.port)); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(filepath.Join(s.dir, ready)); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("wait for the NATS server: %w", ctx.Err())
		case <-s.Exited():
			return errors.New("wait for the NATS server: it ended")
		case <-tick.C:
		}
	}
}
