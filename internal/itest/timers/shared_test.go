package timers

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// These tests are about what incidents share: each has a state of its own, and still they know of each other.

var opening = time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)

// equals is a configuration with engineers between whom nothing but their load decides.
func equals(t *testing.T, c escalation.Config, names ...string) escalation.Config {
	t.Helper()
	roster := escalation.Roster{LastResort: escalation.Contact{ID: "last", Name: "Last"}, Domains: escalation.SampleDomains()}
	for _, name := range names {
		roster.Engineers = append(roster.Engineers, escalation.Engineer{
			ID: name, Name: name, Level: escalation.Senior, Zone: "UTC", Primary: []string{escalation.Databases},
			Availability: escalation.Availability{{From: "00:00", To: "24:00"}}, InPool: true, MaxOpen: 3,
		})
	}
	var err error
	if c.Router, err = escalation.NewRouter(roster); err != nil {
		t.Fatal(err)
	}
	c.Tenant = "acme"
	return c
}

// node is one process of several at a store.
type node struct {
	*testing.T
	*sqlstore.Escalator
	store *sqlstore.Store
}

func newNode(t *testing.T, system, dsn string, c escalation.Config) node {
	t.Helper()
	store := openStore(t, system, quick(system, dsn), nil)
	desk, err := sqlstore.NewEscalator(store, c, "")
	if err != nil {
		t.Fatal(err)
	}
	return node{t, desk, store}
}

// apply applies an event so many minutes after the opening and returns who is told, as "page ann" or "notice ann".
func (n node) apply(minutes int, event escalation.Event) string {
	n.Helper()
	event.At, event.Domain = opening.Add(time.Duration(minutes)*time.Minute), escalation.Databases
	actions, err := n.Apply(n.Context(), event)
	if err != nil {
		n.Errorf("%v: %v", event.Kind, err)
	}
	var told []string
	for _, a := range actions {
		if a.Kind == escalation.Page || a.Kind == escalation.Notice {
			told = append(told, fmt.Sprintf("%v %s", a.Kind, a.Target))
		}
	}
	return strings.Join(told, ", ")
}

func (n node) open(minutes int, id string, severity incident.Severity) string {
	n.Helper()
	return n.apply(minutes, escalation.Event{Kind: escalation.Opened, Incident: id, Severity: severity, Service: "shop"})
}

func (n node) want(what, got, want string) {
	n.Helper()
	if got != want {
		n.Errorf("%s: told %q, want %q", what, got, want)
	}
}

// Incidents of one service within ten minutes are one page; when the first of them is over, the most severe of the others
// pages, and the rest goes under it.
func TestBundle(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		c := equals(t, escalation.Config{Bundle: 10 * time.Minute}, "ann")
		n, m := newNode(t, system, dsn, c), newNode(t, system, dsn, c)
		n.want("A", n.open(0, "A", incident.P2), "page ann")
		n.want("B", m.open(1, "B", incident.P3), "")
		n.want("C", n.open(2, "C", incident.P2), "")
		n.want("D, more severe", m.open(3, "D", incident.P1), "page ann")
		n.want("E, under D", n.open(4, "E", incident.P2), "")
		bundle := func(id, want string) {
			t.Helper()
			view, err := n.Incident(t.Context(), id)
			if got := strings.Join(view.Bundle, " "); err != nil || got != want {
				t.Errorf("under %s: %q, %v, want %q", id, got, err, want)
			}
		}
		bundle("A", "B C")
		bundle("D", "E")
		n.want("A resolved", m.apply(5, escalation.Event{Kind: escalation.Resolved, Incident: "A", By: "ann"}), "")
		bundle("A", "")
		bundle("D", "B C E") // D leads the service since
		n.want("B resolved", m.apply(6, escalation.Event{Kind: escalation.Resolved, Incident: "B", By: "ann"}), "")
		n.want("E raised", n.apply(7, escalation.Event{Kind: escalation.SeverityChanged, Incident: "E", Severity: incident.P1}), "")
		n.want("D merged", n.apply(8, escalation.Event{Kind: escalation.Merged, Incident: "D", Into: "X", By: "ann"}), "page ann")
		bundle("E", "C")
		n.want("F, too late", n.open(30, "F", incident.P2), "page ann")
	})
}

// The limit counts the pages of all incidents: the third in an hour is a notice.
func TestPageLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		c := equals(t, escalation.Config{PageLimit: escalation.PageLimit{Pages: 2, Per: time.Hour}}, "ann")
		n, m := newNode(t, system, dsn, c), newNode(t, system, dsn, c)
		for i, step := range []struct {
			minutes int
			want    string
		}{{0, "page ann"}, {10, "page ann"}, {59, "notice ann"}, {60, "page ann"}, {61, "notice ann"}} {
			at := []node{n, m}[i%2]
			id := fmt.Sprint("I", i)
			at.want(id, at.open(step.minutes, id, incident.P2), step.want)
			at.apply(step.minutes, escalation.Event{Kind: escalation.Resolved, Incident: id, By: "ann"})
		}
		n.want("P1", n.open(62, "P", incident.P1), "page ann") // whatever the limit
	})
}

// Every incident goes to the next in turn, whichever node opens it, also after a restart, and also when both open at once.
func TestRoundRobin(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		matrix := escalation.Matrix{}
		for _, s := range incident.Severities {
			matrix[s] = escalation.Policy{Steps: []escalation.Step{{
				Targets: []escalation.Target{{Engineer: "ann"}, {Engineer: "bob"}, {Engineer: "cat"}}, RoundRobin: true, StopOn: escalation.Acknowledged,
			}}}
		}
		c := equals(t, escalation.Config{Matrix: matrix}, "ann", "bob", "cat")
		n, m := newNode(t, system, dsn, c), newNode(t, system, dsn, c)
		n.want("1", n.open(0, "1", incident.P2), "page ann")
		n.want("2", m.open(1, "2", incident.P2), "page bob")
		n.want("3", n.open(2, "3", incident.P2), "page cat")
		n.want("4", m.open(3, "4", incident.P2), "page ann")
		again := newNode(t, system, dsn, c)
		n.want("5", again.open(4, "5", incident.P2), "page bob")

		const each = 30
		var both sync.WaitGroup
		var mu sync.Mutex
		turns := map[string]int{} // guarded by mu
		for i, at := range []node{n, m} {
			both.Go(func() {
				for j := range each {
					told := at.open(5, fmt.Sprintf("at once %d %d", i, j), incident.P2)
					mu.Lock()
					turns[told]++
					mu.Unlock()
				}
			})
		}
		both.Wait()
		for _, who := range []string{"page ann", "page bob", "page cat"} {
			if turns[who] != 2*each/3 {
				t.Errorf("turns %v, want %d of each", turns, 2*each/3)
				break
			}
		}
	})
}

// Between equals the one with fewer open incidents is chosen, then who was paged longest ago; nobody above the maximum while
// another is below.
func TestLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		c := equals(t, escalation.Config{}, "ann", "bob")
		n, m := newNode(t, system, dsn, c), newNode(t, system, dsn, c)
		resolve := func(at node, minutes int, id string) {
			at.apply(minutes, escalation.Event{Kind: escalation.Resolved, Incident: id, By: "ann"})
		}
		n.want("1", n.open(0, "1", incident.P2), "page ann") // by id
		n.want("2", m.open(1, "2", incident.P2), "page bob") // ann has one
		n.want("3", n.open(2, "3", incident.P2), "page ann") // both have one, and ann was paged before bob
		resolve(m, 3, "1")
		resolve(m, 3, "3")
		n.want("4", n.open(4, "4", incident.P2), "page ann") // bob has one
		n.want("5", m.open(5, "5", incident.P2), "page bob") // both have one
		// Bob has two, and takes that of ann: three, his maximum.
		m.apply(6, escalation.Event{Kind: escalation.Acknowledged, Incident: "4", By: "bob"})
		for i := range 4 {
			n.want("only ann is below her maximum", n.open(7+i, fmt.Sprint("a", i), incident.P2), []string{"page ann", "page ann", "page ann", "page bob"}[i])
		}
	})
}

// The load of people is right whoever changes it at the same time, and its ledger stays small.
func TestLoadAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		const nodes, each = 3, 100
		c := equals(t, escalation.Config{}, "ann", "bob")
		var all sync.WaitGroup
		for i := range nodes {
			n := newNode(t, system, dsn, c)
			all.Go(func() {
				for j := range each {
					id := fmt.Sprintf("%d-%d", i, j)
					n.open(j, id, incident.P2)
					n.apply(j, escalation.Event{Kind: escalation.Acknowledged, Incident: id, By: "bob"})
					if j > 0 { // one of each stays open
						n.apply(j, escalation.Event{Kind: escalation.Resolved, Incident: id})
					}
				}
			})
		}
		all.Wait()
		db := connect(t, system, dsn)
		var open, rows int
		if err := db.QueryRowContext(t.Context(), `SELECT CAST(sum(open) AS INTEGER), count(*) FROM load`).Scan(&open, &rows); err != nil {
			t.Fatal(err)
		}
		// A person has up to 64 rows before the next who reads takes them together; three may do so at once.
		if open != nodes || rows > 2*(64+3*nodes) {
			t.Errorf("%d open in %d rows, want %d in no more than a few beyond 64 for each person", open, rows, nodes)
		}
	})
}
