package sqlstore

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// No statement of everyday work reads a whole table, or all of a tenant but its
// ledger of loads, whatever they hold: SQLite plans by the indexes alone.
func TestPlans(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	s, err := Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	statements := map[string]string{
		"lockIncident": s.lockIncident, "updateIncident": s.updateIncident, "appendEntry": s.appendEntry, "putSnapshot": s.putSnapshot,
		"timeline": s.timeline, "lockBundle": s.lockBundle, "bundleIDs": s.bundleIDs, "lockedSnapshot": s.lockedSnapshot,
		"sumLoads": s.sumLoads, "takeLoads": s.takeLoads,
		"lockAll": s.lockAll, "entriesOfAll": s.entriesOfAll, "insertAll": s.insertAll, "updateAll": s.updateAll, "appendAll": s.appendAll,
		"readWhole": s.readWhole, "eraseEntry": s.eraseEntry,
	}
	p := newPlayerStatements(s.dialect.text)
	for name, statement := range map[string]string{
		"decide": p.decide, "begin": p.begin, "end": p.end, "close": p.close, "reopen": p.reopen,
		"notBegun": p.notBegun, "interrupted": p.interrupted, "attempts": p.attempts, "prune": p.prune,
		"halt": p.halt, "halted": p.halted, "ensure": p.ensure, "lock": p.lock, "open": p.open, "recent": p.recent,
	} {
		statements["player "+name] = statement
	}
	for n, q := range []*Queue{s.timers, s.outbox, s.outbox.Only("a", "b"), s.outbox.Except("a")} {
		for name, statement := range map[string]string{
			"insert": q.insert, "cancel": q.cancel, "claim": q.claim, "renew": q.renew, "complete": q.complete, "completeOne": q.completeOne, "retry": q.retry,
			"dead": q.dead, "next": q.next, "list": q.list, "requeue": q.requeue, "prune": q.prune,
		} {
			statements[fmt.Sprint(n, " ", q.name, " ", name)] = statement
		}
	}
	for name, statement := range statements {
		var args []any
		for i := 1; strings.Contains(statement, fmt.Sprintf("?%d", i)); i++ {
			args = append(args, nil)
		}
		found, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		type step struct {
			id, parent, unused int
			text               string
		}
		plan, err := scan(found, func(s *step) []any { return []any{&s.id, &s.parent, &s.unused, &s.text} })
		if err != nil || len(plan) == 0 && !strings.Contains(statement, "VALUES") {
			t.Fatalf("%s: %d steps, %v", name, len(plan), err)
		}
		for _, step := range plan {
			for _, table := range []string{"timer", "outbox", "incident", "timeline", "snapshot", "load", "playbook_attempt"} {
				text := step.text + " "
				all := strings.HasPrefix(text, "SCAN "+table+" ") && !strings.Contains(text, "INDEX")
				tenant := strings.HasPrefix(text, "SEARCH "+table+" ") && strings.Contains(text, "(tenant=?)") && table != "load"
				if all || tenant {
					t.Errorf("%s: %s", name, step.text)
				}
			}
		}
	}
}
