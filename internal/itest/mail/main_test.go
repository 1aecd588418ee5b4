// Package mail tests adapters/notify against a real SMTP server, Debian's aiosmtpd, with messages that come out of a durable
// outbox and workers that are killed.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// TestMain runs the tests, or is a worker where a test has started this program again.
func TestMain(m *testing.M) {
	if text := os.Getenv(workerEnv); text != "" {
		if err := worker(text); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// server starts a mail server. It skips the test where aiosmtpd is not installed, and fails it in CI, where it must be.
func server(t *testing.T, mechanism string) *rig.Mail {
	t.Helper()
	if err := rig.LookMail(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("aiosmtpd: %v", err)
		}
		t.Skipf("aiosmtpd is not installed: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	m, err := rig.StartMail(ctx, io.Discard, t.TempDir(), mechanism)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m
}

// config is that of a client of the server.
func config(port int, certificate string) (notify.EmailConfig, error) {
	text, err := os.ReadFile(certificate)
	if err != nil {
		return notify.EmailConfig{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return notify.EmailConfig{}, errors.New("no certificate in the file")
	}
	return notify.EmailConfig{
		Host: "127.0.0.1", Port: port, From: "Operations <ops@example.com>", Username: "ops", Password: adapters.NewSecret("s3cret"),
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Timeout: 3 * time.Second,
	}, nil
}

// client returns a sender to the server; change may be nil.
func client(t *testing.T, m *rig.Mail, change func(*notify.EmailConfig)) *notify.Email {
	t.Helper()
	c, err := config(m.Port, m.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	e, err := notify.NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func received(t *testing.T, m *rig.Mail) []rig.Received {
	t.Helper()
	all, err := m.Received()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// dial opens a database that survives a crash.
func dial(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func store(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	db, err := dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := sqlstore.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tasks are messages as an outbox has them.
func tasks(messages []comms.Message) ([]escalation.Task, error) {
	var out []escalation.Task
	for _, m := range messages {
		payload, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		out = append(out, escalation.Task{Tenant: m.Tenant, Key: m.Key, Kind: "message", Due: m.Due, Payload: payload})
	}
	return out, nil
}

// handler sends the message of a task and tells of the result.
func handler(s notify.Sender, tell func(escalation.Lease, notify.Result)) func(context.Context, escalation.Lease) error {
	return func(ctx context.Context, l escalation.Lease) error {
		var m comms.Message
		if err := json.Unmarshal(l.Payload, &m); err != nil {
			return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
		}
		r := s.Send(ctx, notify.MessageOf(m))[0]
		tell(l, r)
		if r.State == notify.Permanent || r.State == notify.Skipped {
			return fmt.Errorf("%w: %w", runner.ErrPermanent, r.Err)
		}
		return r.Err
	}
}

// emptied runs the messages of an outbox until nothing is left to send, and keeps a record of them.
func emptied(t *testing.T, s *sqlstore.Store, sender notify.Sender, ledger *comms.Ledger) {
	t.Helper()
	var mu sync.Mutex // guards ledger
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := runner.New(runner.Config{
		Timers: s.Outbox(), Poll: 20 * time.Millisecond, Backoff: func(int) time.Duration { return 50 * time.Millisecond },
		Handle: handler(sender, func(l escalation.Lease, r notify.Result) {
			mu.Lock()
			defer mu.Unlock()
			ledger.Report(comms.Receipt{Key: l.Key, Outcome: r.Outcome(), At: time.Now(), Attempt: l.Attempt, Detail: r.Reason})
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	waitEmpty(t, s)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func waitEmpty(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	eventually(t, "an empty outbox", func() (bool, error) {
		c, err := s.Outbox().Count(t.Context(), "acme")
		return err == nil && c.Pending+c.Leased == 0, err
	})
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() (bool, error)) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := ok()
		if done {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("no %s within a minute: %v", what, err)
		case <-tick.C:
		}
	}
}

// header returns the value of a header of a mail as it stands there.
func header(r rig.Received, name string) string {
	head, _, _ := strings.Cut(string(r.Text), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+": ") })
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(lines[i], name+": ")
}

func path(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "x.db")
}
