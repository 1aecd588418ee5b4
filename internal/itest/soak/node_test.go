package soak

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/adapters/stream/sqlite"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// nodeEnv has the order of a node, as JSON, where the test has started this program again.
const nodeEnv = "EVENKEEL_SOAK_NODE"

// order is what a node is told at its start; the rest comes line by line.
type order struct {
	Index   int
	Seed    uint64
	Signals int
	Days    int
	URL     string        // of PostgreSQL, or else empty
	File    string        // of SQLite
	Clock   int64         // ns since 1970: the virtual clock
	Ahead   time.Duration // of the clock of leases on SQLite, so that those of the dead are over
}

// lease is how long a task that a dead node holds is kept from others, by the virtual clock.
const lease = 10 * time.Second

const incidentPrefix = "incident/"

// node is a process of the service: the composition of examples/bridge, with the rules, the people and the contracts of
// a world, and a clock that is set.
type node struct {
	order
	world   *world
	clock   atomic.Int64
	die     atomic.Int64 // when it comes to 0 the node is killed; below it is not to be
	store   *sqlstore.Store
	log     *tap
	senders [2]*runner.Runner // timers, and messages
	plan    *comms.Plan

	mu         sync.Mutex // guards escalators and standard output
	escalators map[string]*sqlstore.Escalator
	router     *escalation.Router
}

func (n *node) now() time.Time { return time.Unix(0, n.clock.Load()).UTC() }

// say writes a line in one piece, which is read even if the node is killed at once.
func (n *node) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...)
}

// beat is a place at which a node may be killed.
func (n *node) beat() {
	if n.die.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// runNode is a node until its input ends.
func runNode(text string) error {
	debug.SetGCPercent(100)
	n := &node{escalators: map[string]*sqlstore.Escalator{}}
	if err := json.Unmarshal([]byte(text), &n.order); err != nil {
		return err
	}
	n.clock.Store(n.Clock)
	n.die.Store(-1)
	n.world = newWorld(n.Seed, n.Signals, n.Days)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	parts, err := n.open(ctx)
	if err != nil {
		return err
	}
	failed := make(chan error, len(parts))
	for _, part := range parts {
		go func() { failed <- part(ctx) }()
	}
	n.say("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := n.obey(ctx, lines.Text()); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
	}
	stop()
	for range parts {
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// open opens the storage and makes all parts that run.
func (n *node) open(ctx context.Context) ([]func(context.Context) error, error) {
	db, logDB, err := openDatabases(n.URL, n.File)
	if err != nil {
		return nil, err
	}
	if n.store, err = sqlstore.Open(ctx, db, &sqlstore.Options{Now: n.now}); err != nil {
		return nil, err
	}
	n.log = &tap{begun: map[int]int64{}, told: map[int]int64{}, say: n.say}
	if n.URL != "" {
		n.log.Store, err = postgres.Open(ctx, logDB, nil)
	} else {
		n.log.Store, err = sqlite.Open(ctx, logDB, &sqlite.Options{Poll: 500 * time.Millisecond, Now: func() time.Time { return time.Now().Add(n.Ahead) }})
	}
	if err != nil {
		return nil, err
	}
	correlator, err := stream.New(stream.Config{
		Store: n.log, Name: fmt.Sprint("node", n.Index), Notify: n.hear, Batch: 100, TTL: ttl, Trim: true, SnapshotEvery: 500, Now: n.now,
		Rules:     []correlation.Rule{{Name: "down", Logic: "IF " + downAlert + " THEN suppress application.*", By: []string{"service"}}},
		Options:   correlation.Options{Settle: settle * time.Second},
		OnRefused: func(partition int, offset int64, err error) { n.say("refused %d %d %v", partition, offset, err) },
	})
	if err != nil {
		return nil, err
	}
	if n.router, err = escalation.NewRouter(roster()); err != nil {
		return nil, err
	}
	if n.plan, err = comms.New(communication()); err != nil {
		return nil, err
	}
	for i, c := range []runner.Config{
		{Timers: n.store.Timers(), Batch: n.fire, Size: 200},
		{Timers: n.store.Outbox(), Handle: n.send, Size: 200},
	} {
		c.Lease, c.Keep = lease, -1
		c.OnDead = func(l escalation.Lease, reason string) { n.say("refused %s %s", l.Key, reason) }
		if n.senders[i], err = runner.New(c); err != nil {
			return nil, err
		}
	}
	return []func(context.Context) error{correlator.Run, n.senders[0].Run, n.senders[1].Run}, nil
}

// openDatabases opens the one of incidents and the one of alerts, which on PostgreSQL are the same. No power fails, so
// that what a process has written outlives it without a wait for the disk.
func openDatabases(url, file string) (db, log *sql.DB, err error) {
	if url != "" {
		if db, err = sql.Open("pgx", url); err == nil {
			db.SetMaxOpenConns(20)
			db.SetMaxIdleConns(20)
		}
		return db, db, err
	}
	open := func(name string) *sql.DB {
		var db *sql.DB
		db, err = sql.Open("sqlite", "file:"+name+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(60000)&_pragma=wal_autocheckpoint(8000)&_txlock=immediate")
		if err == nil {
			db.SetMaxOpenConns(1)
		}
		return db
	}
	if db = open(file); err == nil {
		log = open(file + ".alerts")
	}
	return db, log, err
}

// settle is how long an alert waits for its cause, in seconds, and ttl how long the partitions of a node that is dead.
const (
	settle = 60
	ttl    = 2 * time.Second
)

// obey does what a line says.
func (n *node) obey(ctx context.Context, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	var number int64
	if _, err := fmt.Sscan(rest, &number); err != nil {
		return err
	}
	switch word {
	case "take":
		return n.take(ctx, int(number))
	case "clock":
		n.clock.Store(number)
		for _, r := range n.senders {
			r.Wake()
		}
	case "die":
		n.die.Store(number)
	case "heap":
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		n.say("heap %d %d", number, m.HeapAlloc)
	case "close":
		for tenant := range tenants {
			if tenant%2 == n.Index || number == 1 {
				if err := n.close(ctx, tenant); err != nil {
					return err
				}
			}
		}
		n.say("closed %d", n.Index)
	default:
		return errors.New("unknown")
	}
	return nil
}
