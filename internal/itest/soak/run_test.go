package soak

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// run is a month under way.
type run struct {
	*testing.T
	world    *world
	postgres *rig.Postgres // nil on SQLite
	url      string
	file     string
	db       *sql.DB // of the incidents

	nodes  []*process
	lines  chan line // of all nodes
	clock  time.Time
	at     map[int]int64  // by partition, up to where the log has been dealt with
	want   map[int]int64  // likewise, up to where it has to be
	told   map[string]int // by key, how often a message was sent
	taken  int            // slots
	closed int            // nodes that drew up their statements
	cost   cost
	memory memory
}

// cost is what a month took.
type cost struct {
	kills, ahead int
	waits        map[string]time.Duration // for what
	wall         time.Duration
	nodes        time.Duration // processor time
	server       time.Duration
	resident     [month]int64 // most KiB of a node, by day
	heap         [month]int64 // most bytes of a node after a collection, by day
}

// memory is what nodes were asked for and have not said yet.
type memory struct{ day, missing int }

// process is a node.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ready bool
}

type line struct {
	node int
	of   *process
	text string
	over bool // the process has ended
}

// start starts a node.
func (r *run) start(index int) {
	r.Helper()
	text, err := json.Marshal(order{
		Index: index, Seed: r.world.seed, Signals: len(r.world.outages) * perOutage, Days: r.world.days, URL: r.url, File: r.file,
		Clock: r.clock.UnixNano(), Ahead: time.Duration(r.cost.kills) * (ttl + time.Second),
	})
	if err != nil {
		r.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(r.Context(), os.Args[0], "-test.run=^$")} //nolint:gosec // this program
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), nodeEnv+"="+string(text)), os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		r.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		r.Fatal(err)
	}
	r.nodes[index] = p
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			r.lines <- line{node: index, of: p, text: s.Text()}
		}
		_ = p.cmd.Wait() // killed
		r.lines <- line{node: index, of: p, over: true}
	}()
	r.until("node ready", func() bool { return r.nodes[index].ready })
}

// tell writes a line to a node, which may be dying.
func (r *run) tell(node int, format string, args ...any) {
	_, _ = fmt.Fprintf(r.nodes[node].in, format+"\n", args...)
}

func (r *run) tellAll(format string, args ...any) {
	for i := range r.nodes {
		r.tell(i, format, args...)
	}
}

// until takes in what nodes say until something is so, and starts anew those that die.
func (r *run) until(what string, ok func() bool) {
	r.Helper()
	deadline, since := time.After(10*time.Minute), time.Now()
	defer func() { r.cost.waits[what] += time.Since(since) }()
	for !ok() {
		select {
		case l := <-r.lines:
			r.hear(l)
		case <-time.After(10 * time.Millisecond): // something in the database may have changed
		case <-deadline:
			r.Fatalf("%s: not within 10 minutes, at %v", what, r.clock)
		}
	}
}

// hear takes in one line.
func (r *run) hear(l line) {
	r.Helper()
	if l.over {
		r.cost.nodes += l.of.cmd.ProcessState.SystemTime() + l.of.cmd.ProcessState.UserTime()
		if l.of != r.nodes[l.node] {
			return
		}
		if status := l.of.cmd.ProcessState.String(); status != "signal: killed" {
			r.Fatalf("node %d ended by itself: %s", l.node, status)
		}
		r.cost.kills++
		if r.url != "" { // its clock cannot be put forward, so the lease of the dead is ended instead
			if _, err := r.db.ExecContext(r.Context(), `UPDATE stream_node SET until = clock_timestamp() WHERE name LIKE $1`, fmt.Sprintf("node%d/%%", l.node)); err != nil {
				r.Fatal(err)
			}
		}
		r.start(l.node)
		r.ahead()
		return
	}
	word, rest, _ := strings.Cut(l.text, " ")
	switch word {
	case "ready":
		l.of.ready = true
	case "at":
		var p int
		var offset int64
		r.scan(rest, &p, &offset)
		r.at[p] = max(r.at[p], offset)
	case "taken":
		fields := strings.Fields(rest)
		r.taken, _ = strconv.Atoi(fields[0])
		for _, f := range fields[1:] {
			var p int
			var offset int64
			if _, err := fmt.Sscanf(f, "%d:%d", &p, &offset); err != nil {
				r.Fatal(err)
			}
			r.want[p] = max(r.want[p], offset)
		}
	case "told":
		r.told[rest]++
	case "heap":
		var day int
		var bytes int64
		r.scan(rest, &day, &bytes)
		r.cost.heap[day] = max(r.cost.heap[day], bytes)
		r.memory.missing--
	case "closed":
		r.closed++
	default:
		r.Errorf("node %d: %s", l.node, l.text)
	}
}

func (r *run) scan(text string, into ...any) {
	r.Helper()
	if _, err := fmt.Sscan(text, into...); err != nil {
		r.Fatalf("%q: %v", text, err)
	}
}

// ahead puts the virtual clock forward by so much that what a dead node has claimed can be claimed by others.
func (r *run) ahead() {
	r.cost.ahead++
	r.clock = r.clock.Add(lease + time.Second)
	r.tellAll("clock %d", r.clock.UnixNano())
}

// month runs all slots, and kills a node every so many days.
func (r *run) month(random *rand.Rand, every int) {
	r.Helper()
	since := time.Now()
	var server time.Duration
	if r.postgres != nil {
		server = r.processorTime()
	}
	scale := max(1, len(r.world.outages)/500)
	for day := range r.world.days {
		victim, kills, dies := r.victim(day, every), r.cost.kills, day%every == 0
		if dies {
			r.tell(victim, "die %d", 1+random.IntN(40*scale))
		}
		for slot := 24 * day; slot < 24*(day+1); slot++ {
			r.slot(slot)
		}
		if dies && r.cost.kills == kills { // it had too little to do
			_ = r.nodes[victim].cmd.Process.Kill()
			r.until("node killed", func() bool { return r.cost.kills > kills })
		}
		r.measure(day)
	}
	kills := r.cost.kills
	r.tell(0, "die %d", 1+random.IntN(100))
	r.close()
	if r.cost.kills == kills {
		r.Errorf("the node that drew up statements was not killed")
	}
	nodes := r.nodes
	r.nodes = make([]*process, len(nodes)) // so that none is started again
	for _, p := range nodes {
		p.in.Close()
	}
	for over := 0; over < len(nodes); {
		l := <-r.lines
		r.hear(l)
		if l.over {
			over++
			if !l.of.cmd.ProcessState.Success() {
				r.Errorf("node %d ended with %v", l.node, l.of.cmd.ProcessState)
			}
		}
	}
	r.cost.wall = time.Since(since)
	if r.postgres != nil {
		r.cost.server = r.processorTime() - server
	}
}

// victim is the node that is killed on a day: both in turn, and from the second third on the same one, so that the
// other one grows old.
func (r *run) victim(day, every int) int {
	if day >= r.world.days/3 {
		return len(r.nodes) - 1
	}
	return day / every % len(r.nodes)
}

// slot has an hour happen: what arrives is taken and dealt with, and then the clock is put to its end and what is due by
// then is done.
func (r *run) slot(slot int) {
	r.Helper()
	if len(r.world.slots[slot]) > 0 {
		to := slot % len(r.nodes)
		asked := r.nodes[to]
		r.tell(to, "take %d", slot)
		r.until("slot taken", func() bool {
			if asked != r.nodes[to] { // it died, and who sends tries the other one
				to = (to + 1) % len(r.nodes)
				asked = r.nodes[to]
				r.tell(to, "take %d", slot)
			}
			return r.taken == slot
		})
		r.until("log dealt with", func() bool {
			for p, offset := range r.want {
				if r.at[p] < offset {
					return false
				}
				delete(r.want, p)
			}
			return true
		})
	}
	r.clock = instant((slot + 1) * hour)
	if r.waiting() == 0 {
		return
	}
	r.tellAll("clock %d", r.clock.UnixNano())
	since, before := time.Now(), 0
	r.until("tasks done", func() bool {
		waiting := r.waiting()
		if waiting != before {
			since, before = time.Now(), waiting
		}
		if time.Since(since) > 20*time.Second { // a report that did not arrive
			since = time.Now()
			r.ahead()
		}
		return waiting == 0
	})
}

// waiting counts tasks that are due, or held: a lease ends before it is as long after the clock, and nothing else falls
// due then.
func (r *run) waiting() (n int) {
	r.Helper()
	by := r.clock.Add(lease).UnixNano()
	if err := r.db.QueryRowContext(r.Context(), `SELECT (SELECT count(*) FROM timer WHERE wake <= $1) + (SELECT count(*) FROM outbox WHERE wake <= $1)`, by).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

// close has statements drawn up.
func (r *run) close() {
	r.Helper()
	for i := range r.nodes {
		asked, closed := r.nodes[i], r.closed
		r.tell(i, "close %d", len(r.nodes))
		r.until("statements", func() bool {
			if asked != r.nodes[i] {
				asked = r.nodes[i]
				r.tell(i, "close %d", len(r.nodes))
			}
			return r.closed > closed
		})
	}
}

// measure asks nodes how large they are.
func (r *run) measure(day int) {
	r.Helper()
	for _, p := range r.nodes {
		r.cost.resident[day] = max(r.cost.resident[day], r.most(p))
	}
	r.memory = memory{day, len(r.nodes)}
	r.tellAll("heap %d", day)
	r.until("sizes", func() bool { return r.memory.missing <= 0 })
}

// most is the most KiB that a process has had in memory.
func (r *run) most(p *process) (kib int64) {
	r.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		r.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	r.scan(rest, &kib)
	return kib
}

func (r *run) processorTime() time.Duration {
	r.Helper()
	used, err := r.postgres.ProcessorTime()
	if err != nil {
		r.Fatal(err)
	}
	return used
}

// newRun makes a month of so many signals on SQLite, with a node, or on PostgreSQL, with two.
func newRun(t *testing.T, seed uint64, signals, days int, system string) *run {
	t.Helper()
	r := &run{
		T: t, world: newWorld(seed, signals, days), lines: make(chan line, 1000), clock: begin,
		at: map[int]int64{}, want: map[int]int64{}, told: map[string]int{}, taken: -1, nodes: make([]*process, 1),
	}
	r.cost.waits = map[string]time.Duration{}
	if system == "postgres" {
		r.postgres = startPostgres(t)
		r.url, r.nodes = r.postgres.DSN("postgres"), make([]*process, 2)
	} else {
		r.file = t.TempDir() + "/soak.db"
	}
	var log *sql.DB
	var err error
	if r.db, log, err = openDatabases(r.url, r.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.db.Close(); log.Close() })
	return r
}

// startPostgres starts a cluster for a test, which is skipped where PostgreSQL is not installed and fails in CI, where it
// must be.
func startPostgres(t *testing.T) *rig.Postgres {
	t.Helper()
	if err := rig.LookPostgres(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL 15: %v", err)
		}
		t.Skipf("PostgreSQL 15 is not installed: %v", err)
	}
	ctx := context.WithoutCancel(t.Context())
	port, err := rig.OddPort(ctx)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "evenkeel-soak") //nolint:usetesting // the server writes to it until the end
	if err != nil {
		t.Fatal(err)
	}
	p, err := rig.StartPostgres(ctx, dir, port, "fsync=off", "synchronous_commit=off", "max_connections=80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return p
}

// size is that of the databases in bytes.
func (r *run) size() (bytes int64) {
	r.Helper()
	if r.url != "" {
		if err := r.db.QueryRowContext(r.Context(), `SELECT pg_database_size(current_database())`).Scan(&bytes); err != nil {
			r.Fatal(err)
		}
		return bytes
	}
	for _, suffix := range []string{"", "-wal", ".alerts", ".alerts-wal"} {
		if info, err := os.Stat(r.file + suffix); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}
