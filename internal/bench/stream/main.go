// Command stream measures adapters/stream end to end: a producer, two nodes in processes of their own and a server, NATS with
// JetStream or PostgreSQL, on one machine.
//
// Alerts of a thousand tenants, twenty each with eight labels, are sent again and again, as from a monitoring system that
// re-sends what is active; each event is a record of its own, and one in a hundred begins or ends an alert, which is a
// notification that goes into the outbox of the store. A line has the time of one event in nanoseconds: on the wall, from the
// first append until the nodes have applied all and put all notifications, or, where the name ends in processor, of all
// processes and the server together. The run fails unless the outbox then has every notification once. See package measure.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/nats-io/nats.go"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/internal/itest/natsd"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

const (
	tenants = 1000
	alerts  = 20 // of each tenant
	events  = 200_000
	writers = 8
	burst   = 100 // records of one append
)

// nodeRole is the first argument of a program that is to be a node; the system, the address and the file for its count follow.
const nodeRole = "stream-node"

func main() {
	if natsd.Main() {
		return
	}
	if len(os.Args) == 5 && os.Args[1] == nodeRole {
		if err := node(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
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

func run(only string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{out: json.NewEncoder(os.Stdout), only: pattern}
	if b.dir, err = os.MkdirTemp("", "evenkeel-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := os.Chmod(b.dir, 0o755); err != nil { //nolint:gosec // the user postgres goes through it
		return err
	}
	return b.both(ctx)
}

// bench is a run of the program.
type bench struct {
	dir  string
	out  *json.Encoder
	only *regexp.Regexp
}

var names = []string{"stream/jetstream_event", "stream/jetstream_event_processor", "stream/postgres_event", "stream/postgres_event_processor"}

// figures are the times of an event.
type figures struct{ wall, busy time.Duration }

// both measures JetStream, which has the goals: 20,000 events a second at 45 us of processor time. PostgreSQL stands beside
// it and has no bar.
func (b *bench) both(ctx context.Context) error {
	if !slices.ContainsFunc(names, b.only.MatchString) {
		return nil
	}
	js, err := b.jetStream(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(
		b.line(names[0], "goal", js.wall, 50*time.Microsecond, 1),
		b.line(names[1], "goal", js.busy, 45*time.Microsecond, 1),
	); err != nil {
		return err
	}
	if missing := rig.LookPostgres(); missing != nil {
		fmt.Fprintln(os.Stderr, "bench: without PostgreSQL:", missing)
		return nil
	}
	pg, err := b.postgres(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		b.line(names[2], "JetStream 2.15.2", pg.wall, js.wall, 0),
		b.line(names[3], "JetStream 2.15.2", pg.busy, js.busy, 0),
	)
}

func (b *bench) jetStream(ctx context.Context) (figures, error) {
	dir := filepath.Join(b.dir, "nats")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return figures{}, err
	}
	server, err := natsd.Start(ctx, os.Stderr, dir)
	if err != nil {
		return figures{}, err
	}
	defer server.Stop()
	return b.measure(ctx, "jetstream", server.URL, server.ProcessorTime)
}

func (b *bench) postgres(ctx context.Context) (figures, error) {
	dir := filepath.Join(b.dir, "postgres")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return figures{}, err
	}
	port, err := rig.OddPort(ctx)
	if err != nil {
		return figures{}, err
	}
	server, err := rig.StartPostgres(ctx, dir, port, "max_connections=300")
	if err != nil {
		return figures{}, err
	}
	defer server.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // the figures are out
	return b.measure(ctx, "postgres", server.DSN("postgres"), server.ProcessorTime)
}

// line prints a pair; theirs over ours has to reach the bar.
func (b *bench) line(name, peer string, ours, theirs time.Duration, bar float64) error {
	if !b.only.MatchString(name) {
		return nil
	}
	r := measure.Result{Name: name, OursNS: float64(ours), Peer: peer, PeerNS: float64(theirs), Ratio: float64(theirs) / float64(ours), Bar: bar, Verdict: "met"}
	if r.Ratio < r.Bar {
		r.Verdict = "missed"
	}
	return b.out.Encode(r)
}

// measure lets two nodes handle the load.
func (b *bench) measure(ctx context.Context, system, address string, serverTime func() (time.Duration, error)) (figures, error) {
	store, end, err := open(ctx, system, address)
	if err != nil {
		return figures{}, err
	}
	defer end()
	program, err := os.Executable()
	if err != nil {
		return figures{}, err
	}
	f := &fleet{server: serverTime}
	for n := range 2 {
		file := filepath.Join(b.dir, fmt.Sprint(system, "-", n))
		p, err := rig.Start("node", os.Stderr, program, nodeRole, system, address, file)
		if err != nil {
			return figures{}, err
		}
		defer p.Stop()
		f.nodes, f.files = append(f.nodes, p), append(f.files, file)
	}
	if err := f.wait(ctx, func(all []counts) bool {
		return all[0].Owned == stream.Partitions/2 && all[1].Owned == stream.Partitions/2
	}); err != nil {
		return figures{}, err
	}
	all := load()
	// All alerts begin.
	if err := produce(ctx, store, all, 0, len(all)); err != nil {
		return figures{}, err
	}
	if err := f.settled(ctx, len(all)); err != nil {
		return figures{}, err
	}
	before, err := f.processorTime()
	if err != nil {
		return figures{}, err
	}
	start := time.Now()
	if err := produce(ctx, store, all, len(all), len(all)+events); err != nil {
		return figures{}, err
	}
	if err := f.settled(ctx, len(all)+events); err != nil {
		return figures{}, err
	}
	wall := time.Since(start)
	after, err := f.processorTime()
	if err != nil {
		return figures{}, err
	}
	return figures{wall / events, (after - before) / events}, once(ctx, store.outbox, notifications(len(all)+events))
}

// once reads an outbox and checks that it has so many keys, each once.
func once(ctx context.Context, box stream.Outbox, want int64) error {
	keys := map[string]bool{}
	after := int64(0)
	for {
		call, cancel := context.WithTimeout(ctx, time.Second)
		entries, err := box.Read(call, after)
		cancel()
		if len(entries) == 0 && call.Err() != nil && ctx.Err() == nil {
			break
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Err != nil {
				return e.Err
			}
			if keys[e.Key] {
				return fmt.Errorf("entry %d of the outbox has key %q again", e.Place, e.Key)
			}
			keys[e.Key], after = true, e.Place
		}
	}
	if got := int64(len(keys)); got != want {
		return fmt.Errorf("the outbox has %d notifications, want %d", got, want)
	}
	return nil
}

// opened is a store and its outbox.
type opened struct {
	stream.Store
	outbox stream.Outbox
}

// open connects to a store.
func open(ctx context.Context, system, address string) (opened, func(), error) {
	if system == "postgres" {
		db, err := sql.Open("pgx", address)
		if err != nil {
			return opened{}, nil, err
		}
		db.SetMaxOpenConns(20)
		db.SetMaxIdleConns(20)
		s, err := postgres.Open(ctx, db, nil)
		if err != nil {
			return opened{}, nil, err
		}
		return opened{s, s.Outbox()}, func() { db.Close() }, nil
	}
	nc, err := nats.Connect(address)
	if err != nil {
		return opened{}, nil, err
	}
	s, err := jetstream.Open(ctx, nc, nil)
	if err != nil {
		return opened{}, nil, err
	}
	return opened{s, s.Outbox()}, nc.Close, nil
}

// alert is one of the load, firing.
func alert(i int) correlation.Event {
	names := []string{"infrastructure.cpu_high", "platform.queue_depth", "application.slow_response", "business.revenue_drop"}
	return correlation.Event{
		Tenant: fmt.Sprint("customer-", i%tenants), Alert: names[i%len(names)], Status: correlation.Firing,
		Labels: map[string]string{
			"cluster": fmt.Sprint("c", i%7), "namespace": fmt.Sprint("ns", i%97), "instance": fmt.Sprintf("10.0.%d.%d:9100", i/250, i%250), "job": "node",
			"region": fmt.Sprint("r", i%5), "team": fmt.Sprint("t", i%31), "service": fmt.Sprint("service-", i/tenants), "severity": "warning",
		},
		Annotations: map[string]string{"summary": "the value has been above its threshold for five minutes"},
	}
}

// load is all alerts, made beforehand.
func load() []correlation.Event {
	all := make([]correlation.Event, tenants*alerts)
	for i := range all {
		all[i] = alert(i)
	}
	return all
}

// produce appends the events from number first up to but not including number end, each as a record of its own. A partition
// has one writer.
func produce(ctx context.Context, store stream.Store, all []correlation.Event, first, end int) error {
	errs := make(chan error, writers)
	for w := range writers {
		go func() { errs <- write(ctx, store, all, w, first, end) }()
	}
	var failed error
	for range writers {
		failed = errors.Join(failed, <-errs)
	}
	return failed
}

func write(ctx context.Context, store stream.Store, all []correlation.Event, writer, first, end int) error {
	var places [tenants]int
	for i := range places {
		places[i] = stream.Partition(all[i].Tenant)
	}
	parts := map[int][]stream.Batch{}
	for n := first; n < end; n++ {
		i, round := n%len(all), n/len(all)
		p := places[i%tenants]
		if p%writers != writer {
			continue
		}
		event := all[i]
		event.Time = time.Now()
		if i%100 == 0 && round%2 == 1 { // one in a hundred changes in each round
			event.Status = correlation.Resolved
		}
		parts[p] = append(parts[p], stream.Batch{ID: strconv.Itoa(n), At: event.Time, Events: []correlation.Event{event}})
		if len(parts[p]) == burst {
			if _, err := store.Append(ctx, p, parts[p]...); err != nil {
				return err
			}
			parts[p] = parts[p][:0]
		}
	}
	for p, rest := range parts {
		if _, err := store.Append(ctx, p, rest...); err != nil {
			return err
		}
	}
	return nil
}

// notifications is how many a number of events cause: all alerts begin in the first round, and one in a hundred ends or
// begins in each of the others.
func notifications(events int) int64 {
	return tenants*alerts + int64(events/(tenants*alerts)-1)*tenants*alerts/100
}

// fleet is the nodes and the server.
type fleet struct {
	nodes  []*rig.Process
	files  []string // where the nodes write their counts
	server func() (time.Duration, error)
}

// counts is what a node tells of itself.
type counts struct {
	Owned int
	stream.Stats
}

// counts reads the files; a node that has not written yet counts nothing.
func (f *fleet) counts() ([]counts, error) {
	all := make([]counts, len(f.files))
	for i, file := range f.files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, &all[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// wait polls until the counts are right.
func (f *fleet) wait(ctx context.Context, right func([]counts) bool) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := f.counts()
		if err != nil || right(all) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.nodes[0].Exited():
			return errors.New("a node ended")
		case <-f.nodes[1].Exited():
			return errors.New("a node ended")
		case <-tick.C:
		}
	}
}

// settled waits until so many events are applied and their notifications are in the outbox.
func (f *fleet) settled(ctx context.Context, events int) error {
	return f.wait(ctx, func(all []counts) bool {
		var applied, notified int64
		for _, c := range all {
			applied += c.Events
			notified += c.Notified
		}
		return applied >= int64(events) && notified >= notifications(events)
	})
}

// processorTime is that of all processes together.
func (f *fleet) processorTime() (time.Duration, error) {
	total, err := f.server()
	total += measure.ProcessorTime()
	for _, p := range f.nodes {
		used, failed := p.ProcessorTime()
		total, err = total+used, errors.Join(err, failed)
	}
	return total, err
}

// node is the program of a node: it owns its share and writes its counts into a file, until SIGTERM.
func node(system, address, file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	store, end, err := open(ctx, system, address)
	if err != nil {
		return err
	}
	defer end()
	n, err := stream.New(stream.Config{
		Store: store, Name: filepath.Base(file), Rules: correlation.StarterRules(), SnapshotEvery: 500,
		Notify: store.outbox.Put, Batch: 100,
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	tick := time.NewTicker(200 * time.Millisecond) // a new file is dear, and counts as the node's time
	defer tick.Stop()
	for told := (counts{Owned: -1}); ; {
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-tick.C:
			now := counts{len(n.Owned()), n.Stats()}
			if now == told {
				continue
			}
			told = now
			text, err := json.Marshal(now)
			if err == nil {
				err = os.WriteFile(file+".new", text, 0o600)
			}
			if err == nil {
				err = os.Rename(file+".new", file)
			}
			if err != nil {
				return err
			}
		}
	}
}
