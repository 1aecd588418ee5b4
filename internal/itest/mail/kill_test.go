package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// workerEnv holds the orders of a worker, as JSON.
const workerEnv = "EVENKEEL_MAILER"

// orders is what a worker process is to do: send the messages of an outbox until it is ended.
type orders struct {
	Database    string
	Port        int
	Certificate string
	Lease       time.Duration
	Stop        string // key of the message after which the worker stands still, before it can say that it was sent
	Stopped     string // file that it makes then
}

// worker is the program of a worker process.
func worker(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := dial(o.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return err
	}
	c, err := config(o.Port, o.Certificate)
	if err != nil {
		return err
	}
	mailer, err := notify.NewEmail(c)
	if err != nil {
		return err
	}
	r, err := runner.New(runner.Config{
		Timers: s.Outbox(), Lease: o.Lease, Workers: 2,
		Handle: handler(notify.Senders{comms.Email: mailer}, func(l escalation.Lease, r notify.Result) {
			if l.Key == o.Stop && r.State == notify.Delivered {
				if err := os.WriteFile(o.Stopped, nil, 0o600); err != nil {
					panic(err)
				}
				select {}
			}
		}),
	})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// TestKill kills a worker after the server has taken a mail and before the outbox knows. Another worker sends the rest, and that mail
// again: each key at least once, with the same Message-ID.
func TestKill(t *testing.T) {
	mailbox := server(t, "")
	database := path(t)
	s := store(t, database)
	const n = 20
	ids := map[string]int{} // Message-ID: mails
	var messages []comms.Message
	for i := range n {
		who := strconv.Itoa(i)
		messages = append(messages, comms.Message{
			Key: "acme/INC-1/1/initial/1/" + who + "/email", Tenant: "acme", Incident: "INC-1", Recipient: who, Channel: comms.Email,
			Address: who + "@example.com", Subject: "s " + who, Body: "b", Due: start, At: start,
		})
	}
	outbox, err := tasks(messages)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Outbox().Schedule(t.Context(), outbox...); err != nil {
		t.Fatal(err)
	}
	o := orders{Database: database, Port: mailbox.Port, Certificate: mailbox.Certificate, Lease: 3 * time.Second, Stop: messages[7].Key, Stopped: filepath.Join(t.TempDir(), "stopped")}
	victim := rig.Again(t, workerEnv, o)
	eventually(t, "mail whose answer is kept back", func() (bool, error) {
		_, err := os.Stat(o.Stopped)
		return err == nil, err
	})
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	count := len(received(t, mailbox))
	o.Stop = ""
	rig.Again(t, workerEnv, o)
	waitEmpty(t, s)

	all := received(t, mailbox)
	twice := 0
	for _, r := range all {
		ids[r.To[0]+" "+header(r, "Message-ID")]++
	}
	for key, mails := range ids {
		if mails > 1 {
			twice++
		}
		if mails > 2 { // others may have been sent and not reported, too
			t.Errorf("%s came %d times", key, mails)
		}
	}
	if len(ids) != n {
		t.Errorf("%d different mails, want %d", len(ids), n)
	}
	if mails := ids["7@example.com "+header(find(t, all, "7@example.com"), "Message-ID")]; mails != 2 {
		t.Errorf("the mail before the kill came %d times, want 2 with one Message-ID", mails)
	}
	counts, err := s.Outbox().Count(t.Context(), "acme")
	if err != nil || counts.Done != n {
		t.Errorf("outbox %+v, %v, want %d done", counts, err, n)
	}
	t.Logf("mail kill -9: %d keys, %d before the kill, lost %d, sent twice with one Message-ID %d", n, count, n-len(ids), twice)
}

func find(t *testing.T, all []rig.Received, to string) rig.Received {
	t.Helper()
	for _, r := range all {
		if r.To[0] == to {
			return r
		}
	}
	t.Fatalf("no mail to %s", to)
	return rig.Received{}
}

// subject and body decode a mail with the standard library.
func subject(t *testing.T, r rig.Received) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(parse(t, r).Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func body(t *testing.T, r rig.Received) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(parse(t, r).Body))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, r rig.Received) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(r.Text))
	if err != nil {
		t.Fatal(fmt.Errorf("%w: %q", err, r.Text))
	}
	return m
}
