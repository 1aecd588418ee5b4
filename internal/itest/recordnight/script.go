package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// Kinds of faults, as in faults.csv.
const (
	kindSlow    = "slow"
	kindMemory  = "memory"
	kindCPU     = "cpu"
	kindKill    = "kill"
	kindSilence = "silence"
	kindRestart = "restart"
	kindBacklog = "backlog"
	kindErrors  = "errors"
)

// fault is one row of faults.csv: what was broken, and from when to when.
type fault struct {
	At, End              time.Time
	Kind, Target, Detail string
}

// step is one act of the script.
type step struct {
	minute float64
	what   string
	do     func(context.Context) error
}

// script returns the acts in order of time.
func script(s *stage) []step {
	return []step{
		{6, "one web instance slow", s.breaks(kindSlow, "web-3", "slow=700ms", "700 ms on every request of one web instance of four; short, nobody must be paged")},
		{6 + 40.0/60, "web instance recovers", s.mends(kindSlow, "web-3", "slow=0s")},

		{12, "database slow", s.breaks(kindSlow, "db-1", "slow=700ms", "700 ms on every query")},
		{13, "database holds memory", s.breaks(kindMemory, "db-1", "hold=155", "155 MB held on top of the cache, of 256 MB")},
		{14, "busy loops", s.breaks(kindCPU, "db-1", "burn=2", "two busy loops beside the queries")},
		{17, "busy loops end", s.mends(kindCPU, "db-1", "burn=0")},
		{17, "memory released", s.mends(kindMemory, "db-1", "hold=0")},
		{17, "database fast again", s.mends(kindSlow, "db-1", "slow=0s")},

		{18, "kill -9 of the database", s.kill("db-1")},
		{23, "database restarted", s.revive(kindKill, "db-1")},

		{28, "silence for the announced restart", s.silence("api-2|web-2", 3)},
		{28 + 5.0/60, "api-2 stopped", s.shutDown("api-2")},
		{28 + 45.0/60, "api-2 started", s.revive(kindRestart, "api-2")},

		{34, "backlog grows", s.breaks(kindBacklog, "batch-1", "backlog=10", "ten more jobs a second than on a normal night")},
		{38, "errors on one api", s.breaks(kindErrors, "api-3", "errors=0.2", "20 % of the requests of one api instance fail")},
		{39.5, "errors end", s.mends(kindErrors, "api-3", "errors=0")},
		{40, "backlog drains", s.mends(kindBacklog, "batch-1", "backlog=0")},
	}
}

func (s *stage) note(kind, name, detail string) {
	s.faults = append(s.faults, fault{At: time.Now().UTC(), Kind: kind, Target: name, Detail: detail})
}

func (s *stage) noteEnd(kind, name string) error {
	for i := range s.faults {
		if f := &s.faults[i]; f.Kind == kind && f.Target == name && f.End.IsZero() {
			f.End = time.Now().UTC()
			return nil
		}
	}
	return fmt.Errorf("no open fault %s of %s", kind, name)
}

func (s *stage) breaks(kind, name, query, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		s.note(kind, name, detail)
		return s.inject(ctx, name, query)
	}
}

func (s *stage) mends(kind, name, query string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.inject(ctx, name, query); err != nil {
			return err
		}
		return s.noteEnd(kind, name)
	}
}

func (s *stage) kill(name string) func(context.Context) error {
	return func(context.Context) error {
		s.note(kindKill, name, "kill -9, restarted by hand")
		s.running[name].Kill()
		return nil
	}
}

func (s *stage) shutDown(name string) func(context.Context) error {
	return func(context.Context) error {
		s.note(kindRestart, name, "announced restart under a silence")
		s.running[name].Stop()
		return nil
	}
}

// revive starts a process again; the end of the fault is the instant at which it answers.
func (s *stage) revive(kind, name string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.startShop(ctx, name); err != nil {
			return err
		}
		return s.noteEnd(kind, name)
	}
}

// silence mutes the given instances, an alternation of names, for a number of script minutes.
func (s *stage) silence(instances string, minutes float64) func(context.Context) error {
	return func(ctx context.Context) error {
		length := s.pace.minute(minutes).Round(time.Second)
		s.note(kindSilence, instances, "amtool silence add")
		s.faults[len(s.faults)-1].End = time.Now().UTC().Add(length)
		out, err := exec.CommandContext(ctx, s.tools.Amtool, "--alertmanager.url=http://"+s.address("alertmanager"),
			"silence", "add", "--author=operations", "--comment=announced restart of api-2",
			"--duration="+seconds(length), "instance=~"+instances).CombinedOutput()
		if err != nil {
			return fmt.Errorf("amtool silence add: %w: %s", err, out)
		}
		return nil
	}
}
