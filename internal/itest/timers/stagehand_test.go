package timers

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// stagehandEnv holds the cues of a stagehand; see cues.
const stagehandEnv = "EVENKEEL_STAGEHAND"

// cues are what a stagehand process is to do: run the playbooks of three services until all runs have ended, and kill itself
// at a boundary.
type cues struct {
	System, DSN string
	Journal     string // a file; each effect is a line before and one after, each call of a person and each boundary one
	Boundary    int    // to die at, from 1; 0: none
	At          string // only boundaries of this name count; empty: all
	Signal      syscall.Signal
	Takes       time.Duration // an action
	Lease       time.Duration
	Resume      bool // it is the only process
	Crowd       int  // not 0: begin so many runs instead, and die in the middle of the first action of each
}

// stages are the three playbooks and what they run on.
var stages = []struct{ playbook, service, kind string }{
	{"high_cpu_utilization", "api", "compute"}, {"database_connection_exhaustion", "db", "database"}, {"application_error_spike", "shop", "application"},
}

// newPlayer returns a player whose stages are all due at once, so that a run takes no minutes.
func newPlayer(store *sqlstore.Store, carry playbook.ActionFunc) (*sqlstore.Player, error) {
	book := playbook.DefaultBook()
	book.Delays = &playbook.LevelDelays{Level1: "1 ms", Level2: "2 ms"}
	c := sqlstore.PlayerConfig{Playbooks: playbook.Config{Tenant: "acme", Book: book}, Actions: playbook.Actions{}}
	for _, s := range stages {
		c.Playbooks.Services = append(c.Playbooks.Services, playbook.Service{ID: s.service, Type: s.kind, Zone: "UTC"})
	}
	for name, spec := range playbook.DefaultActions() {
		c.Actions[cmp.Or(spec.Operation, name)] = carry
	}
	return sqlstore.NewPlayer(store, c)
}

// favourable are observations with which nothing stands in the way of any action.
func favourable(at time.Time) []playbook.Event {
	var events []playbook.Event
	for fact, v := range map[string]playbook.Value{
		"auto_scaling_enabled": playbook.Bool(true), "load_balancer_healthy": playbook.Bool(true), "memory_available": playbook.Bool(true),
		"circuit_breaker_available": playbook.Bool(true), "idle_connections": playbook.Number(50), "healthy_instances": playbook.Number(3),
		"available_capacity": playbook.Number(8), "required_capacity": playbook.Number(4), "recent_deployment": playbook.Since(at.Add(-time.Hour)),
		"all_dependencies.health_status": playbook.Texts("healthy"),
	} {
		events = append(events, playbook.Event{Kind: playbook.Observe, At: at, Fact: fact, Value: v})
	}
	return events
}

// hand is a stagehand at work.
type hand struct {
	cues
	store   *sqlstore.Store
	player  *sqlstore.Player
	journal *os.File
	passed  int // boundaries
}

func (h *hand) boundary(what string) {
	if h.At != "" && h.At != what {
		return
	}
	h.note("passed", what)
	if h.passed++; h.passed == h.Boundary {
		h.die(what)
	}
}

// die sends the signal, after which it may go on.
func (h *hand) die(where string) {
	h.note("died", where)
	if err := syscall.Kill(os.Getpid(), h.Signal); err != nil {
		panic(err)
	}
	time.Sleep(50 * time.Millisecond) // a signal to oneself may come a moment later
}

// note appends a line; one write is one line, whoever else writes.
func (h *hand) note(what, key string) {
	fmt.Fprintf(h.journal, "%s %d %s\n", what, os.Getpid(), key)
}

// stagehand is the program of a stagehand process.
func stagehand() error {
	h := &hand{}
	if err := json.Unmarshal([]byte(os.Getenv(stagehandEnv)), &h.cues); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := dial(h.System, h.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	if h.store, err = sqlstore.Open(ctx, db, nil); err != nil {
		return err
	}
	if h.journal, err = os.OpenFile(h.Journal, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return err
	}
	defer h.journal.Close()
	if h.Crowd > 0 {
		if err := beginCrowd(ctx, h.store, db, h.Crowd); err != nil {
			return err
		}
		h.die("crowd")
	}
	if h.player, err = newPlayer(h.store, h.carry); err != nil {
		return err
	}
	if h.Resume {
		if _, err := h.player.Resume(ctx, time.Now()); err != nil {
			return err
		}
	}
	for {
		if ended, err := h.ended(ctx); err != nil || ended {
			h.note("ended", strconv.Itoa(h.passed))
			return err
		}
		if err := h.work(ctx); err != nil {
			return err
		}
	}
}

// carry is what every action does: a line in the journal.
func (h *hand) carry(ctx context.Context, i playbook.Intent) (string, error) {
	h.boundary("begun")
	h.note("effect", i.Key)
	if h.Takes > 0 {
		select {
		case <-time.After(h.Takes):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	h.note("finished", i.Key)
	h.boundary("done")
	return "done", nil
}

func (h *hand) ended(ctx context.Context) (bool, error) {
	for _, s := range stages {
		runs, err := h.player.Runs(ctx, s.service)
		if err != nil || len(runs) == 0 || !runs[len(runs)-1].Ended() {
			return false, err
		}
	}
	n, err := h.store.Outbox().Count(ctx, "acme")
	return n.Pending+n.Leased == 0, err
}

// work does what is due, one after the other.
func (h *hand) work(ctx context.Context) error {
	timers, err := h.store.Timers().Claim(ctx, 10, h.Lease)
	if err != nil {
		return err
	}
	if len(timers) > 0 {
		h.boundary("timer claimed")
		for _, err := range h.store.Fire(ctx, timers, h.player.Fire) {
			if err != nil {
				return err
			}
		}
		h.boundary("timer fired")
	}
	tasks, err := h.store.Outbox().Claim(ctx, 1, h.Lease)
	if err != nil {
		return err
	}
	for _, l := range tasks {
		if err := h.handle(ctx, l); err != nil {
			return err
		}
	}
	if len(timers)+len(tasks) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func (h *hand) handle(ctx context.Context, l escalation.Lease) error {
	var i playbook.Intent
	if err := json.Unmarshal(l.Payload, &i); err != nil {
		return err
	}
	switch l.Kind {
	case sqlstore.PlaybookDo:
		h.boundary("decided")
		if err := h.player.Carry(ctx, l); err != nil {
			return err
		}
		h.boundary("reported")
	case sqlstore.PlaybookAsk:
		h.boundary("asked")
		yes := playbook.Event{Kind: playbook.Approve, At: time.Now(), Service: i.Service, Step: i.Step, Hash: i.Hash, By: "bob"}
		if _, err := h.player.Apply(ctx, yes); err != nil && !strings.Contains(err.Error(), "asks for an approval") {
			return err
		}
		h.boundary("approved")
	case sqlstore.PlaybookTell:
		h.note("told", i.Step)
	}
	_, err := h.store.Outbox().Complete(ctx, l)
	return err
}

// crowd is a player of one playbook on many services.
func crowd(count int) sqlstore.PlayerConfig {
	c := sqlstore.PlayerConfig{Playbooks: playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}}
	for i := range count {
		c.Playbooks.Services = append(c.Playbooks.Services, playbook.Service{ID: fmt.Sprintf("api-%05d", i), Type: "compute", Zone: "Europe/Amsterdam"})
	}
	return c
}

// beginCrowd leaves a store as it is while the first action of every run is carried out.
func beginCrowd(ctx context.Context, store *sqlstore.Store, db *sql.DB, count int) error {
	config := crowd(count)
	player, err := sqlstore.NewPlayer(store, config)
	if err != nil {
		return err
	}
	at := time.Now()
	for batch := range slices.Chunk(config.Playbooks.Services, 1000) {
		err := store.Do(ctx, func(tx *sqlstore.Tx) error {
			for _, s := range batch {
				events := append(favourable(at), playbook.Event{Kind: playbook.Start, At: at, Playbook: "high_cpu_utilization", By: "ann"})
				for i := range events {
					events[i].Service = s.ID
				}
				if _, err := player.ApplyIn(ctx, tx, events...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, `UPDATE playbook_attempt SET begun = decided`)
	return err
}

// begin has all three runs begin.
func begin(t *testing.T, player *sqlstore.Player) {
	t.Helper()
	for _, s := range stages {
		events := append(favourable(time.Now()), playbook.Event{Kind: playbook.Start, At: time.Now(), Playbook: s.playbook, By: "ann"})
		for i := range events {
			events[i].Service = s.service
		}
		if _, err := player.Apply(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
}

// deed is a line of a stagehand's journal.
type deed struct {
	what, key string
	pid       int
}

func readDeeds(t *testing.T, name string) []deed {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var all []deed
	for lines := bufio.NewScanner(strings.NewReader(string(data))); lines.Scan(); {
		var d deed
		parts := strings.SplitN(lines.Text(), " ", 3)
		if len(parts) != 3 {
			t.Fatalf("journal line %q", lines.Text())
		}
		d.what, d.key = parts[0], parts[2]
		if _, err := fmt.Sscan(parts[1], &d.pid); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}
