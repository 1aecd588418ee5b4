package timers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
)

// workerEnv holds the orders of a worker; see orders.
const workerEnv = "EVENKEEL_WORKER"

// orders is what a worker process is to do: fire timers and send messages, until it is ended.
type orders struct {
	System, DSN string
	Journal     string        // a file; each send is a line before and one after
	Send        time.Duration // how long one takes
	Lease       time.Duration
}

// worker is the program of a worker process.
func worker() error {
	var o orders
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := dial(o.System, o.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return err
	}
	desk, err := newDesk(store)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(o.Journal, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	fire, err := runner.New(runner.Config{Timers: store.Timers(), Lease: o.Lease, Size: 20, Batch: func(ctx context.Context, l []escalation.Lease) []error {
		return store.Fire(ctx, l, desk.Fire)
	}})
	if err != nil {
		return err
	}
	send, err := runner.New(runner.Config{Timers: store.Outbox(), Lease: o.Lease, Size: 40, Handle: func(_ context.Context, l escalation.Lease) error {
		if err := note(journal, "start", l); err != nil {
			return err
		}
		time.Sleep(o.Send)
		return note(journal, "sent", l)
	}})
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- fire.Run(ctx) }()
	go func() { failed <- send.Run(ctx) }()
	if err := <-failed; err != nil {
		return err
	}
	return <-failed
}

// newDesk returns an escalator of the sample roster.
func newDesk(store *sqlstore.Store) (*sqlstore.Escalator, error) {
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		return nil, err
	}
	return sqlstore.NewEscalator(store, escalation.Config{Tenant: "acme", Router: router}, "")
}

// note appends a line; one write is one line, whoever else writes.
func note(journal *os.File, what string, l escalation.Lease) error {
	_, err := fmt.Fprintf(journal, "%s %d %d %d %d %s\n", what, os.Getpid(), time.Now().UnixNano(), l.At.UnixNano(), l.Attempt, l.Key)
	return err
}

// line is one of a journal.
type line struct {
	sent    bool
	pid     int
	at      time.Time
	claimed time.Time // by the clock of the store
	key     string
}

func readJournal(t *testing.T, name string) []line {
	t.Helper()
	file, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []line
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l line
		var what string
		var nanos, claimed int64
		var attempt int
		if _, err := fmt.Sscan(lines.Text(), &what, &l.pid, &nanos, &claimed, &attempt, &l.key); err != nil {
			if strings.HasSuffix(lines.Text(), l.key) {
				continue // the last line of a process that was killed may be cut short
			}
			t.Fatalf("journal line %q: %v", lines.Text(), err)
		}
		l.sent, l.at, l.claimed = what == "sent", time.Unix(0, nanos), time.Unix(0, claimed)
		all = append(all, l)
	}
	return all
}

// startWorker runs this program again as a worker.
func startWorker(t *testing.T, o orders) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}
