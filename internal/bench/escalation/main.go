// Command escalation measures the durable timers of adapters/sqlstore, by the clock on the wall: most of the time is waiting
// for a database. River stands beside them on the same PostgreSQL in the same run.
//
// A line has the time of one timer, or of the ninety-ninth of a hundred, in nanoseconds; see package measure. Names that end
// in processor have the processor time instead: of one timer, in this process and in PostgreSQL, or of this process while it idles. PostgreSQL is a
// cluster of its own, started from Debian's package; without it those pairs are left out and named.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

func main() {
	if os.Getenv(victimEnv) != "" {
		if err := victim(); err != nil {
			fmt.Fprintln(os.Stderr, "victim:", err)
			os.Exit(1)
		}
		return
	}
	only := flag.String("only", "", "measure the pairs whose name matches this regular expression")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is a run of the program.
type bench struct {
	dir       string
	postgres  *rig.Postgres // nil without
	databases int
	out       *json.Encoder
	only      *regexp.Regexp
}

func run(only string) (err error) {
	b := &bench{out: json.NewEncoder(os.Stdout)}
	if b.only, err = regexp.Compile(only); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "evenkeel-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if missing := rig.LookPostgres(); missing != nil {
		fmt.Fprintln(os.Stderr, "bench: without PostgreSQL:", missing)
	} else if err := b.startPostgres(ctx); err != nil {
		return err
	} else {
		defer b.postgres.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the figures are out
	}
	for _, scenario := range []func(*bench, context.Context) error{
		(*bench).bursts, (*bench).beside, (*bench).firings, (*bench).takeovers, (*bench).idle, (*bench).growth,
	} {
		if err := scenario(b, ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startPostgres(ctx context.Context) error {
	dir := filepath.Join(b.dir, "postgres")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // the user postgres goes through it
		return err
	}
	port, err := rig.OddPort(ctx)
	if err == nil {
		b.postgres, err = rig.StartPostgres(ctx, dir, port)
	}
	return err
}

func (b *bench) wants(name string) bool { return b.only.MatchString(name) }

// busy returns the processor time that a call takes, in this process and in PostgreSQL. On a machine with other work it shows
// what the clock on the wall does not.
func (b *bench) busy(call func() error) (time.Duration, error) {
	before, err := b.postgres.ProcessorTime()
	if err != nil {
		return 0, err
	}
	own := measure.ProcessorTime()
	if err := call(); err != nil {
		return 0, err
	}
	own = measure.ProcessorTime() - own
	after, err := b.postgres.ProcessorTime()
	return own + after - before, err
}

// goal prints a figure beside the one to reach.
func (b *bench) goal(name string, ours, goal time.Duration) error {
	return b.line(name, "goal", float64(ours), float64(goal), 1)
}

// line prints a pair; theirs over ours has to reach the bar.
func (b *bench) line(name, peer string, ours, theirs, bar float64) error {
	r := measure.Result{Name: name, OursNS: ours, Peer: peer, PeerNS: theirs, Ratio: theirs / ours, Bar: bar, Verdict: "met"}
	if r.Ratio < bar {
		r.Verdict = "missed"
	}
	return b.out.Encode(r)
}

func median[T float64 | time.Duration](all []T) T {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
