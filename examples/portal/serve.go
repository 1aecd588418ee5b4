package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// serve answers until the context is over, and then ends in order: what is being
// answered is finished, for ten seconds at most.
func (in *inputs) serve(env *program.Env) error {
	ctx := env.Context
	if in.requests != "" {
		var err error
		if in.asked, err = openRequests(ctx, in.requests); err != nil {
			return program.Exit(program.Usage, fmt.Errorf("-requests: %w", err))
		}
		if to := in.portal.Requests; to != nil {
			if err = in.asked.sendOn(to, env.Log); err != nil {
				return program.Exit(program.Usage, fmt.Errorf("requests: %w", err))
			}
		}
	}
	var mail *post
	if in.reports != "" {
		var err error
		if mail, err = in.openPost(ctx, env.Log); err != nil {
			return program.Exit(program.Usage, fmt.Errorf("-reports: %w", err))
		}
		defer mail.close()
	}
	before, err := in.glance(ctx)
	if err != nil {
		return err
	}
	customers, err := in.customers(ctx)
	if err != nil {
		return err
	}
	p, err := portal.New(in.configuration(env, customers))
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	w := newWatch(in, env, p, customers, before)
	if err := w.dashboard(ctx); err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	servers := []*http.Server{portal.Server(p)}
	addresses := []string{cmp.Or(in.listen, in.portal.Listen)}
	if in.portal.AdminListen != "" {
		servers, addresses = append(servers, portal.Server(p.Admin())), append(addresses, in.portal.AdminListen)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, len(servers)+3)
	for i, s := range servers {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addresses[i])
		if err != nil {
			return program.Exit(program.Usage, fmt.Errorf("listen: %w", err))
		}
		defer l.Close()
		fmt.Fprintf(os.Stderr, "listening on http://%s/\n", l.Addr())
		go func() { failed <- s.Serve(l) }()
	}
	var work sync.WaitGroup
	work.Go(func() { failed <- w.run(ctx, hangup) })
	if mail != nil {
		mail.in = w.latest.Load
		work.Go(func() { failed <- mail.run(ctx) })
	}
	if in.asked != nil && in.asked.worker != nil {
		work.Go(func() { failed <- in.asked.worker.Run(ctx) })
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	problems := []error{err}
	for _, s := range servers {
		problems = append(problems, s.Shutdown(patience))
	}
	work.Wait() // nobody reads files or reports what was sent after the stores are closed
	return errors.Join(problems...)
}
