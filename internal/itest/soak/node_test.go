package soak

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
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
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
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

// tap tells which records of the log have been dealt with. Whoever asks for what comes after one has dealt with it, if it
// has begun to own the partition before.
type tap struct {
	stream.Store
	say func(format string, args ...any)

	mu          sync.Mutex // guards all below
	begun, told map[int]int64
}

// Append notes where an owner begins.
func (t *tap) Append(ctx context.Context, partition int, batches ...stream.Batch) (int64, error) {
	offset, err := t.Store.Append(ctx, partition, batches...)
	if err == nil && batches[0].Epoch > 0 {
		t.mu.Lock()
		t.begun[partition], t.told[partition] = offset, 0
		t.mu.Unlock()
	}
	return offset, err
}

// Read tells what came before.
func (t *tap) Read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	t.mu.Lock()
	begun := t.begun[partition]
	news := begun > 0 && after >= begun && after > t.told[partition]
	if news {
		t.told[partition] = after
	}
	t.mu.Unlock()
	if news {
		t.say("at %d %d", partition, after)
	}
	return t.Store.Read(ctx, partition, after)
}

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

// take is the webhook: what arrives in a slot is written to the log, a batch for every instant, and at the end of the slot
// every partition that may wait for something hears of the time.
func (n *node) take(ctx context.Context, slot int) error {
	parts := map[int][]stream.Batch{}
	for _, a := range n.world.slot(slot) {
		for _, s := range a.signals {
			e := correlation.Event{
				Tenant: tenantName(s.tenant), Alert: s.name, Status: correlation.Firing, Time: instant(s.at), Severity: s.signal.severity,
				Labels: map[string]string{"service": serviceName(s.service)},
			}
			if s.part != "" {
				e.Labels["pod"] = s.part
			}
			if !s.firing {
				e.Status = correlation.Resolved
			}
			p := stream.Partition(e.Tenant)
			if all := parts[p]; len(all) == 0 || !all[len(all)-1].At.Equal(e.Time) {
				parts[p] = append(all, stream.Batch{ID: fmt.Sprintf("at%d", a.at), At: e.Time})
			}
			last := &parts[p][len(parts[p])-1]
			last.Events = append(last.Events, e)
		}
	}
	ends := make([]string, stream.Partitions)
	failed := make(chan error, len(parts))
	for p, batches := range parts {
		go func() {
			offset, err := n.log.Append(ctx, p, append(batches, stream.Batch{ID: fmt.Sprintf("slot%d", slot), At: instant((slot + 1) * hour)})...)
			ends[p] = fmt.Sprintf("%d:%d", p, offset)
			failed <- err
		}()
	}
	var problems []error
	for range parts {
		problems = append(problems, <-failed)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	n.say("taken %d %s", slot, strings.Join(ends, " "))
	return nil
}

// idOf is the incident of a notification.
func idOf(x stream.Notification) string {
	labels := x.Alert.LabelSet()
	return incidentID(x.Alert.Name, labels["service"], labels["pod"], x.Alert.Since)
}

// hear makes of notifications what follows from them: escalations, incidents, and messages to stakeholders.
func (n *node) hear(ctx context.Context, all []stream.Notification) error {
	n.beat()
	heard := map[string][]stream.Notification{}
	threads := map[string]*comms.Thread{} // by tenant and incident
	for _, x := range all {
		tenant, id := x.Alert.Tenant, idOf(x)
		heard[tenant] = append(heard[tenant], x)
		event := escalation.Event{
			Kind: escalation.Opened, At: x.At, Incident: id, Severity: x.Alert.Severity, Domain: "any", Service: x.Alert.LabelSet()["service"],
		}
		if x.Kind == correlation.Resolve {
			event = escalation.Event{Kind: escalation.Resolved, At: x.At, Incident: id}
		}
		if err := n.escalate(ctx, tenant, event); err != nil {
			return err
		}
		if threads[tenant+id] == nil {
			var err error
			if threads[tenant+id], err = n.thread(ctx, tenant, id); err != nil {
				return err
			}
		}
	}
	n.beat()
	err := n.store.Do(ctx, func(tx *sqlstore.Tx) error {
		for _, tenant := range slices.Sorted(maps.Keys(heard)) {
			incidents, err := sqlstore.NewIncidents(n.store, tenant, incidentPrefix, incident.Options{})
			if err != nil {
				return err
			}
			if err := n.record(ctx, tx, incidents, heard[tenant], threads); err != nil {
				return err
			}
		}
		return nil
	})
	n.beat()
	return err
}

// escalate applies an event of an incident; what is heard again changes nothing.
func (n *node) escalate(ctx context.Context, tenant string, event escalation.Event) error {
	e, err := n.escalator(tenant)
	if err == nil {
		_, err = e.Apply(ctx, event)
	}
	if _, heard := errors.AsType[*escalation.EventError](err); heard {
		return nil
	}
	return err
}

// thread is the conversation about an incident as it is stored.
func (n *node) thread(ctx context.Context, tenant, id string) (*comms.Thread, error) {
	data, _, err := n.store.Snapshot(ctx, tenant, "comms/"+id)
	if errors.Is(err, sqlstore.ErrNotFound) {
		return n.plan.Open(tenant, id), nil
	}
	var s comms.Snapshot
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return nil, err
	}
	return n.plan.Restore(s)
}

// record writes notifications of a tenant as events of incidents, with the messages that follow.
func (n *node) record(ctx context.Context, tx *sqlstore.Tx, incidents *sqlstore.Incidents, heard []stream.Notification, threads map[string]*comms.Thread) error {
	ids := make([]string, len(heard))
	for i, x := range heard {
		ids[i] = idOf(x)
	}
	return incidents.ChangeAllIn(ctx, tx, ids, func(i int, inc *incident.Incident, c *sqlstore.Change) error {
		x := heard[i]
		e := incident.Event{Key: x.Key, Kind: incident.Declare, At: x.At, RecordedAt: n.now(), Actor: "bridge"}
		if x.Kind == correlation.Resolve {
			e.Kind, e.Details = incident.Resolve, incident.Details{Text: "the alert is over"}
		} else {
			service := x.Alert.LabelSet()["service"]
			e.Details = incident.Details{
				Title: x.Alert.Name + " of " + service, Services: []string{service}, Severity: x.Alert.Severity, Started: x.Alert.Since, DetectedBy: incident.ByMonitor,
			}
		}
		if _, err := inc.Apply(e); err != nil {
			return err
		}
		thread := threads[x.Alert.Tenant+ids[i]]
		if err := thread.Apply(inc.State(), x.At); err != nil {
			return err
		}
		for _, m := range thread.Step(x.At) {
			payload, err := json.Marshal(m)
			if err != nil {
				return err
			}
			c.Outbox = append(c.Outbox, escalation.Task{Key: m.Key, Kind: "comms", Due: x.At, Payload: payload})
		}
		state, err := json.Marshal(thread.Snapshot())
		if err != nil {
			return err
		}
		if c.Snapshots == nil {
			c.Snapshots = map[string][]byte{}
		}
		c.Snapshots["comms/"+ids[i]], c.At = state, x.At
		return nil
	})
}

// escalator is that of a tenant, which has people of its own.
func (n *node) escalator(tenant string) (*sqlstore.Escalator, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.escalators[tenant]; e != nil {
		return e, nil
	}
	var number int
	if _, err := fmt.Sscanf(tenant, "tenant%d", &number); err != nil {
		return nil, err
	}
	matrix := escalation.Matrix{}
	for severity, minutes := range ladder {
		var p escalation.Policy
		for step, m := range minutes {
			p.Steps = append(p.Steps, escalation.Step{Minutes: m, Targets: []escalation.Target{{Engineer: personOf(number, step)}}, StopOn: escalation.Acknowledged})
		}
		matrix[severity] = p
	}
	e, err := sqlstore.NewEscalator(n.store, escalation.Config{Tenant: tenant, Router: n.router, Matrix: matrix}, "escalation/")
	if err == nil {
		n.escalators[tenant] = e
	}
	return e, err
}

// fire handles timers that are due.
func (n *node) fire(ctx context.Context, leases []escalation.Lease) []error {
	n.beat()
	errs := n.store.Fire(ctx, leases, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
		e, err := n.escalator(l.Tenant)
		if err != nil {
			return err
		}
		return e.Fire(ctx, tx, l)
	})
	n.beat()
	return errs
}

// send tells somebody. Whoever is asked to take an incident for the second time may do so.
func (n *node) send(ctx context.Context, l escalation.Lease) error {
	n.beat()
	n.say("told %s", l.Key)
	n.beat()
	if l.Kind != escalation.Page.String() {
		return nil
	}
	var a escalation.Action
	if err := json.Unmarshal(l.Payload, &a); err != nil {
		return err
	}
	if a.Level != 2 || !takes(l.Tenant, a.Incident) {
		return nil
	}
	return n.escalate(ctx, l.Tenant, escalation.Event{Kind: escalation.Acknowledged, At: l.At, Incident: a.Incident, By: a.Target})
}

// close draws up the statement of the month for a tenant, out of its incidents.
func (n *node) close(ctx context.Context, tenant int) error {
	n.beat()
	name := tenantName(tenant)
	ids, err := n.store.Incidents(ctx, name)
	if err != nil {
		return err
	}
	incidents, err := sqlstore.NewIncidents(n.store, name, incidentPrefix, incident.Options{})
	if err != nil {
		return err
	}
	agreement, err := sla.Compile(contract(tenant))
	if err != nil {
		return err
	}
	period := agreement.PeriodAt(begin)
	evidence := sla.Evidence{Observed: period.Interval}
	for _, id := range ids {
		id, own := strings.CutPrefix(id, incidentPrefix)
		if !own {
			continue
		}
		s, err := incidents.State(ctx, id)
		if err != nil {
			return err
		}
		if !s.Severity.AtLeast(incident.P2) {
			continue
		}
		evidence.Incidents = append(evidence.Incidents, sla.Incident{ID: id, Service: s.Services[0], Severity: s.Severity, Opened: s.Times.Created, Resolved: s.Times.Resolved})
		for _, down := range s.Impact {
			evidence.Outages = append(evidence.Outages, sla.Outage{Ref: id, Service: s.Services[0], Start: down.Start, End: down.End})
		}
	}
	statement, err := agreement.Evaluate(period, evidence)
	if err != nil {
		return err
	}
	text, err := json.Marshal(statement)
	if err != nil {
		return err
	}
	return n.store.Commit(ctx, sqlstore.Change{Tenant: name, Snapshots: map[string][]byte{"statement/2026-11": text}, At: period.End})
}

// roster are the people, who are there around the clock.
func roster() escalation.Roster {
	r := escalation.Roster{Zone: "UTC", LastResort: escalation.Contact{ID: "manager"}}
	for i := range people {
		r.Engineers = append(r.Engineers, escalation.Engineer{
			ID: fmt.Sprint("person", i), Level: escalation.Senior, Primary: []string{"any"}, InPool: true,
			Availability: escalation.Availability{{From: "00:00", To: "24:00"}},
		})
	}
	return r
}

// communication has one person more told by severity. Nobody is reminded within a day.
func communication() comms.Config {
	c := comms.Config{
		Matrix: map[incident.Severity][]comms.Role{
			incident.P1: {comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor},
			incident.P2: {comms.TechnicalContact, comms.BusinessOwner},
			incident.P3: {comms.TechnicalContact},
		},
		Cadence: map[incident.Severity]time.Duration{},
	}
	for _, s := range incident.Severities {
		c.Cadence[s] = 48 * time.Hour
	}
	for i, role := range []comms.Role{comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor} {
		c.Stakeholders = append(c.Stakeholders, comms.Stakeholder{
			ID: fmt.Sprint("reader", i), Name: fmt.Sprint("Reader ", i), Role: role, Contact: map[string]string{"email": fmt.Sprintf("reader%d@example.com", i)},
			Preferences: comms.Preferences{Immediate: true},
		})
	}
	return c
}

// The promises: 99.9 % of the month for every service, of which the worst counts, and P1 resolved within two hours.
func contract(tenant int) sla.Contract {
	percent := money.WholePercent
	all := percent(100)
	c := sla.Contract{
		ID: tenantName(tenant), Zone: "UTC", Fee: money.Must(money.New(fee(tenant), "EUR")), CapPercent: &all,
		Terms: []sla.Term{
			{ID: "availability", Availability: &sla.Availability{Target: percent(999) / 10, Remedy: sla.Bands{Bands: []sla.Band{
				{Below: percent(999) / 10, From: percent(995) / 10, Credit: percent(10)},
				{Below: percent(995) / 10, From: percent(99), Credit: percent(25)},
				{Below: percent(99), Credit: percent(50)},
			}}}},
			{ID: "resolution", Resolution: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: 2 * time.Hour, CreditPercent: percent(5)}}}},
		},
	}
	for i := range services {
		c.Terms[0].Availability.Services = append(c.Terms[0].Availability.Services, sla.Service{ID: serviceName(i)})
	}
	return c
}
