package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
)

var errCrash = errors.New("crash")

// world is what survives a crash, and a program that may crash before any of its steps.
type world struct {
	outbox *escalation.MemoryTimers
	ledger adapters.MemoryLedger
	mail   map[string][]notify.Message // by address, as the server took it

	steps, crash int // crash before step number crash; 0 for never
	availability string
	made         int
}

func newWorld() *world {
	return &world{outbox: escalation.NewMemoryTimers(func() time.Time { return now }), mail: map[string][]notify.Message{}, availability: "99.9 %"}
}

var now = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

func (w *world) step() error {
	w.steps++
	if w.steps == w.crash {
		return errCrash
	}
	return nil
}

func (w *world) Schedule(ctx context.Context, tasks ...escalation.Task) error {
	return errors.Join(w.then(func() error { return w.outbox.Schedule(ctx, tasks...) }))
}

// then crashes before a step, or after it and before anybody knows.
func (w *world) then(do func() error) error {
	if err := w.step(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return w.step()
}

func (w *world) Intend(ctx context.Context, tenant, key string, at time.Time) (e adapters.Entry, first bool, err error) {
	err = w.then(func() (err error) { e, first, err = w.ledger.Intend(ctx, tenant, key, at); return err })
	return e, first, err
}

func (w *world) Try(ctx context.Context, tenant, key string, at time.Time) error {
	return w.ledger.Try(ctx, tenant, key, at)
}

func (w *world) Settle(ctx context.Context, tenant, key string, ref adapters.Ref) error {
	return w.then(func() error { return w.ledger.Settle(ctx, tenant, key, ref) })
}

func (w *world) Forget(ctx context.Context, tenant, key string) error {
	return w.ledger.Forget(ctx, tenant, key)
}

func (w *world) Look(ctx context.Context, tenant, key string) (adapters.Entry, bool, error) {
	return w.ledger.Look(ctx, tenant, key)
}

// Make draws up a report of the figure that is known now.
func (w *world) Make(_ context.Context, d dispatch.Due) (report.Document, error) {
	w.made++
	doc := report.Document{Title: string(d.Kind) + " " + d.Period.Label, Generated: now, Sections: []report.Section{{ID: "a", Title: "A", Blocks: []report.Block{report.Text("availability " + w.availability)}}}}
	return doc, w.step()
}

// Send takes mail as a server that drops what it has by its key.
func (w *world) Send(_ context.Context, m notify.Message) []notify.Result {
	t := m.To[0]
	r := notify.Result{Target: t, State: notify.Delivered}
	err := w.then(func() error {
		if !slices.ContainsFunc(w.mail[t.Address], func(other notify.Message) bool { return other.Key == m.Key }) {
			w.mail[t.Address] = append(w.mail[t.Address], m)
		}
		return nil
	})
	if err != nil {
		r.State, r.Err = notify.Temporary, err
	}
	return []notify.Result{r}
}

func (w *world) dispatcher(t *testing.T) *dispatch.Dispatcher {
	t.Helper()
	d, err := dispatch.New(dispatch.Config{Outbox: w, Ledger: w, Make: w.Make})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// deliver sends what is in the outbox, as a runner does; it ends at a crash.
func (w *world) deliver(t *testing.T) bool {
	t.Helper()
	handle := dispatch.Handle(w)
	for {
		leases, err := w.outbox.Claim(t.Context(), 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(leases) == 0 {
			return true
		}
		if err := handle(t.Context(), leases[0]); err != nil {
			if !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			if err := w.outbox.Retry(t.Context(), leases[0], now, "died"); err != nil { // its lease ends
				t.Fatal(err)
			}
			return false
		}
		if _, err := w.outbox.Complete(t.Context(), leases[0]); err != nil {
			t.Fatal(err)
		}
	}
}

// A program that dies before or after any of its steps, and is started again, sends
// every report once to every recipient, and the same to all of them, although the
// figures change in between.
func TestCrashAnywhere(t *testing.T) {
	customer := acme(t)
	customer.Kinds = []dispatch.Kind{dispatch.MonthlyReport, dispatch.WeeklyReview}
	crashes := 0
	for crash := 1; ; crash++ {
		w := newWorld()
		w.crash = crash
		died := false
		_, err := w.dispatcher(t).Run(t.Context(), []dispatch.Customer{customer}, now)
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		died = err != nil
		if !died {
			died = !w.deliver(t)
		}
		w.availability = "98.1 %"
		if _, err := w.dispatcher(t).Run(t.Context(), []dispatch.Customer{customer}, now); err != nil {
			t.Fatal(err)
		}
		if !w.deliver(t) {
			t.Fatal("the second run died too")
		}
		for _, address := range []string{"it@acme.example", "board@acme.example", "am@msp.example", "sdm@msp.example"} {
			if got := w.mail[address]; len(got) != 2 {
				t.Errorf("crash before step %d: %s has %d messages, want 2", crash, address, len(got))
			}
		}
		for _, kind := range []string{"monthly_report", "weekly_service_review"} {
			texts := map[string]bool{}
			for _, all := range w.mail {
				for _, m := range all {
					if strings.HasPrefix(m.Subject, kind) {
						texts[m.Text] = true
					}
				}
			}
			if len(texts) != 1 {
				t.Errorf("crash before step %d: %d texts of the %s, want one", crash, len(texts), kind)
			}
		}
		if !died {
			break
		}
		crashes++
	}
	if crashes < 20 { // 2 reports of 7 steps, 8 messages of 2
		t.Errorf("%d places to die at, want at least 20", crashes)
	}
}

// Later evidence sends nothing; a correction is asked for by number, says so, and is sent
// once.
func TestCorrection(t *testing.T) {
	w, customer := newWorld(), acme(t)
	customer.Kinds = []dispatch.Kind{dispatch.MonthlyReport}
	d := w.dispatcher(t)
	first, err := customer.Correction(dispatch.MonthlyReport, "2026-10", 1, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Correct(t.Context(), customer, first, now); !errors.Is(err, dispatch.ErrNotSent) {
		t.Errorf("a correction of nothing: %v", err)
	}
	if queued, err := d.Run(t.Context(), []dispatch.Customer{customer}, now); err != nil || len(queued) != 1 {
		t.Fatalf("queued %v, %v", queued, err)
	}
	w.availability = "98.1 %"
	if queued, err := d.Run(t.Context(), []dispatch.Customer{customer}, now); err != nil || len(queued) != 0 || w.made != 1 {
		t.Fatalf("again: queued %v, drawn up %d times, %v", queued, w.made, err)
	}
	for i, want := range []bool{true, false} {
		if sent, err := d.Correct(t.Context(), customer, first, now); err != nil || sent != want {
			t.Errorf("correction 1, time %d: %v, %v", i+1, sent, err)
		}
	}
	third := first
	third.Revision = 3
	if _, err := d.Correct(t.Context(), customer, third, now); !errors.Is(err, dispatch.ErrNotSent) {
		t.Errorf("correction 3 without 2: %v", err)
	}
	if !w.deliver(t) {
		t.Fatal("died")
	}
	got := w.mail["am@msp.example"]
	if len(got) != 2 || got[0].Thread != got[1].Thread {
		t.Fatalf("%d messages, want two of a thread", len(got))
	}
	slices.SortFunc(got, func(a, b notify.Message) int { return strings.Compare(a.Key, b.Key) })
	if !strings.Contains(got[0].Text, "99.9 %") || got[1].Subject != "monthly_report 2026-10, correction 1" || !strings.Contains(got[1].Text, "98.1 %") || !strings.Contains(got[1].Text, "This replaces what was sent before as “monthly_report 2026-10”") {
		t.Errorf("first %q\nthen %q: %q", got[0].Text, got[1].Subject, got[1].Text)
	}
	if names := []string{got[0].Attachments[0].Name, got[1].Attachments[0].Name, got[1].Attachments[1].Name}; !slices.Equal(names, []string{"monthly_report-2026-10.pdf", "monthly_report-2026-10-1.pdf", "monthly_report-2026-10-1.csv"}) {
		t.Errorf("files %q", names)
	}
}

// Keys are those of customer, kind, period, revision, role and address, and messages of
// two customers never have the same one.
func TestKeys(t *testing.T) {
	w, one, other := newWorld(), acme(t), acme(t)
	one.Kinds, other.Kinds, other.ID = []dispatch.Kind{dispatch.MonthlyReport}, []dispatch.Kind{dispatch.MonthlyReport}, "acme/monthly_report"
	if _, err := w.dispatcher(t).Run(t.Context(), []dispatch.Customer{one, other}, now); err != nil {
		t.Fatal(err)
	}
	list, err := w.outbox.List(t.Context(), escalation.TaskFilter{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, task := range list {
		keys = append(keys, task.Key)
	}
	want := []string{
		"monthly_report/2026-10/0/account_manager/email/am@msp.example", "monthly_report/2026-10/0/customer_stakeholders/email/board@acme.example",
		"monthly_report/2026-10/0/customer_stakeholders/email/it@acme.example", "monthly_report/2026-10/0/service_delivery_manager/email/sdm@msp.example",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got  %q\nwant %q", keys, want)
	}
	if !w.deliver(t) {
		t.Fatal("died")
	}
	seen := map[string]bool{}
	for _, all := range w.mail {
		for _, m := range all {
			seen[m.Key] = true
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d keys of messages, want 8", len(seen))
	}
}

// A customer who cannot be sent anything does not hold up another one, and what has
// nothing to report is no error.
func TestOthersGoOn(t *testing.T) {
	w, good, bad, empty := newWorld(), acme(t), acme(t), acme(t)
	bad.ID, bad.To = "bad", nil
	empty.ID = "empty"
	d, err := dispatch.New(dispatch.Config{Outbox: w, Ledger: w, Make: func(ctx context.Context, due dispatch.Due) (report.Document, error) {
		switch {
		case due.Customer == "empty":
			return report.Document{}, fmt.Errorf("in 1999: %w", dispatch.ErrNoReport)
		case due.Kind == dispatch.ExecutiveReport:
			return report.Document{}, errors.New("no such file")
		}
		return w.Make(ctx, due)
	}})
	if err != nil {
		t.Fatal(err)
	}
	queued, err := d.Run(t.Context(), []dispatch.Customer{bad, empty, good}, now)
	if len(queued) != 4 || err == nil || !strings.Contains(err.Error(), `customer "bad"`) || !strings.Contains(err.Error(), `customer "acme": executive_report of 2026-10: no such file`) || strings.Contains(err.Error(), "1999") {
		t.Errorf("queued %d, error %v", len(queued), err)
	}
}

// Where there is nothing to report it is asked again less and less often: after 1, 2, 4, 8,
// 16 and 32 minutes, and then every hour. When there is something it is sent.
func TestNothingIsAskedForSeldom(t *testing.T) {
	w, c := newWorld(), acme(t)
	c.Kinds = []dispatch.Kind{dispatch.MonthlyReport}
	inForce := false
	var asked []int // in minutes
	minute := 0
	d, err := dispatch.New(dispatch.Config{Outbox: w, Ledger: w, Make: func(ctx context.Context, due dispatch.Due) (report.Document, error) {
		asked = append(asked, minute)
		if !inForce {
			return report.Document{}, dispatch.ErrNoReport
		}
		return w.Make(ctx, due)
	}})
	if err != nil {
		t.Fatal(err)
	}
	run := func() []dispatch.Due {
		queued, err := d.Run(t.Context(), []dispatch.Customer{c}, now.Add(time.Duration(minute)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		minute++
		return queued
	}
	for minute < 240 {
		run()
	}
	if want := []int{0, 1, 3, 7, 15, 31, 63, 123, 183}; !slices.Equal(asked, want) {
		t.Errorf("asked at minutes %v, want %v", asked, want)
	}
	for inForce = true; minute <= 243; {
		if queued := run(); (len(queued) == 1) != (minute-1 == 243) {
			t.Errorf("minute %d: %d reports queued", minute-1, len(queued))
		}
	}
}

// Many at once queue each message once.
func TestConcurrent(t *testing.T) {
	timers, ledger, w := escalation.NewMemoryTimers(func() time.Time { return now }), &adapters.MemoryLedger{}, newWorld()
	customer := acme(t)
	doc, err := w.Make(t.Context(), dispatch.Plan([]dispatch.Customer{customer}, now)[0])
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			d, err := dispatch.New(dispatch.Config{Outbox: timers, Ledger: ledger, Make: func(context.Context, dispatch.Due) (report.Document, error) { return doc, nil }})
			if err == nil {
				_, err = d.Run(t.Context(), []dispatch.Customer{customer}, now)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if c, err := timers.Count(t.Context(), "acme"); err != nil || c.Pending != 20 { // five kinds, four addresses
		t.Errorf("%+v, %v", c, err)
	}
}

// What a channel refuses for good is given up, what may come right is not.
func TestHandle(t *testing.T) {
	payload, err := json.Marshal(notify.Message{Key: "k", Subject: "s", Text: "t", To: to("a@b.example")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind, payload string
		state               notify.State
		permanent, fails    bool
	}{
		{"delivered", dispatch.TaskKind, string(payload), notify.Delivered, false, false},
		{"busy", dispatch.TaskKind, string(payload), notify.Temporary, false, true},
		{"refused", dispatch.TaskKind, string(payload), notify.Permanent, true, true},
		{"another kind", "message", string(payload), notify.Delivered, true, true},
		{"no message", dispatch.TaskKind, "[]", notify.Delivered, true, true},
	} {
		err := dispatch.Handle(answer(c.state))(t.Context(), escalation.Lease{Task: escalation.Task{Key: "k", Kind: c.kind, Payload: []byte(c.payload)}})
		if (err != nil) != c.fails || errors.Is(err, runner.ErrPermanent) != c.permanent {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// answer gives every target the same.
type answer notify.State

func (a answer) Send(_ context.Context, m notify.Message) []notify.Result {
	r := notify.Result{Target: m.To[0], State: notify.State(a)}
	if r.State != notify.Delivered {
		r.Err = errors.New("no")
	}
	return []notify.Result{r}
}
