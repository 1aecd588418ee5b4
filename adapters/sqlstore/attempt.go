package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// playbookTables hold the attempts of actions and the kill switch. An attempt is
// written when it is decided, again before it is begun, and when its result is
// known. open is 1 until its run has ended; the indexes on it and on begun serve
// what is under way, however much has been.
var playbookTables = []string{
	`CREATE TABLE playbook_attempt (
		tenant {text} NOT NULL, service {text} NOT NULL, step {text} NOT NULL, attempt {int} NOT NULL, run {text} NOT NULL, action {text} NOT NULL,
		changes {int} NOT NULL, open {int} NOT NULL, decided {int} NOT NULL, begun {int}, ended {int},
		outcome {text} NOT NULL DEFAULT '', result {text} NOT NULL DEFAULT '', PRIMARY KEY (tenant, service, step, attempt)){clustered}`,
	`CREATE INDEX playbook_attempt_open ON playbook_attempt (tenant, changes, service, ended) WHERE open = 1`,
	`CREATE INDEX playbook_attempt_begun ON playbook_attempt (tenant, begun) WHERE begun IS NOT NULL AND ended IS NULL`,
	`CREATE INDEX playbook_attempt_decided ON playbook_attempt (tenant, decided)`,
	`CREATE TABLE playbook_control (tenant {text} PRIMARY KEY, halted_by {text} NOT NULL, reason {text} NOT NULL){clustered}`,
}

type playerStatements struct {
	decide, begin, end, close, reopen, notBegun, interrupted, attempts, prune string // of attempts
	halt, halted, ensure, lock                                                string // of the kill switch and the lock of a tenant
	open, recent                                                              string // what counts for the limits
}

func newPlayerStatements(text func(string) string) playerStatements {
	// The rows carry the tenant, see [Open].
	return playerStatements{
		decide: text(`INSERT INTO playbook_attempt (tenant, service, step, attempt, run, action, changes, open, decided)
			SELECT of_tenant, of_service, of_step, of_attempt, of_run, of_action, of_changes, 1, of_at
			FROM {rows $1 of_tenant text, of_step text, of_attempt bigint, of_run text, of_service text, of_action text, of_changes bigint, of_at bigint}
			WHERE true ON CONFLICT DO NOTHING`),
		begin: text(`UPDATE playbook_attempt SET begun = $5
			WHERE tenant = $1 AND service = $2 AND step = $3 AND attempt = $4 AND begun IS NULL AND ended IS NULL`),
		end: text(`UPDATE playbook_attempt SET ended = coalesce(ended, of_at), outcome = of_outcome, result = of_text
			FROM {rows $1 of_tenant text, of_service text, of_step text, of_attempt bigint, of_at bigint, of_outcome text, of_text text}
			WHERE tenant = of_tenant AND service = of_service AND step = of_step AND attempt = of_attempt`),
		close: text(`UPDATE playbook_attempt SET open = 0
			FROM {rows $1 of_tenant text, of_service text, of_run text} WHERE tenant = of_tenant AND service = of_service AND run = of_run AND open = 1`),
		reopen: text(`UPDATE playbook_attempt SET open = 1
			FROM {rows $1 of_tenant text, of_service text, of_run text} WHERE tenant = of_tenant AND service = of_service AND run = of_run`),
		notBegun:    text(`SELECT count(*) FROM playbook_attempt WHERE tenant = $1 AND service = $2 AND step = $3 AND attempt = $4 AND begun IS NULL`),
		interrupted: text(`SELECT service, step, attempt FROM playbook_attempt WHERE tenant = $1 AND begun IS NOT NULL AND ended IS NULL ORDER BY begun`),
		attempts: text(`SELECT step, attempt, action, decided, begun, ended, outcome, result FROM playbook_attempt
			WHERE tenant = $1 AND service = $2 ORDER BY decided, step, attempt`),
		prune: text(`DELETE FROM playbook_attempt WHERE tenant = $1 AND decided < $2 AND open = 0`),

		halt: text(`INSERT INTO playbook_control (tenant, halted_by, reason) VALUES ($1, $2, $3)
			ON CONFLICT (tenant) DO UPDATE SET halted_by = excluded.halted_by, reason = excluded.reason`),
		halted: text(`SELECT halted_by, reason FROM playbook_control WHERE tenant IN ('', $1) AND halted_by <> '' ORDER BY tenant LIMIT 1`),
		ensure: text(`INSERT INTO playbook_control (tenant, halted_by, reason) VALUES ($1, '', '') ON CONFLICT DO NOTHING`),
		lock:   text(`SELECT tenant FROM playbook_control WHERE tenant = $1 {lock}`),

		open: text(`SELECT count(*) FILTER (WHERE ended IS NULL), count(DISTINCT service) FROM playbook_attempt
			WHERE tenant = $1 AND open = 1 AND changes = 1 AND service <> $2`),
		recent: text(`SELECT count(*) FROM playbook_attempt
			WHERE tenant = $1 AND decided > $3 AND attempt = 1 AND changes = 1 AND service <> $2`),
	}
}

// Attempt is one attempt of an action as it is on record.
type Attempt struct {
	Step    string
	Attempt int
	Action  string
	Decided time.Time
	Started time.Time // zero: nobody has
	Ended   time.Time // zero: no result
	Outcome playbook.Outcome
	Result  string
}

// Attempts returns the attempts of all actions on a service, in the order in which
// they were decided.
func (p *Player) Attempts(ctx context.Context, service string) ([]Attempt, error) {
	found, err := p.store.db.QueryContext(ctx, p.sql.attempts, p.tenant, service)
	if err != nil {
		return nil, err
	}
	type stored struct {
		Attempt
		decided      int64
		begun, ended sql.NullInt64
	}
	all, err := scan(found, func(s *stored) []any {
		return []any{&s.Step, &s.Attempt.Attempt, &s.Action, &s.decided, &s.begun, &s.ended, &s.Outcome, &s.Result}
	})
	out := make([]Attempt, len(all))
	for i, s := range all {
		if s.Decided = instant(s.decided); s.begun.Valid {
			s.Started = instant(s.begun.Int64)
		}
		if s.ended.Valid {
			s.Ended = instant(s.ended.Int64)
		}
		out[i] = s.Attempt
	}
	return out, err
}

// Prune forgets the attempts of runs that have ended and that were decided before an
// instant, and returns how many.
func (p *Player) Prune(ctx context.Context, before time.Time) (int, error) {
	n, err := nanos(before)
	if err != nil {
		return 0, err
	}
	return affected(p.store.db.ExecContext(ctx, p.sql.prune, p.tenant, n))
}

type attemptRow struct {
	Tenant  string           `json:"of_tenant"`
	Step    string           `json:"of_step,omitempty"`
	Attempt int              `json:"of_attempt,omitempty"`
	Run     string           `json:"of_run,omitempty"`
	Service string           `json:"of_service,omitempty"`
	Action  string           `json:"of_action,omitempty"`
	Changes int              `json:"of_changes"`
	At      int64            `json:"of_at"`
	Outcome playbook.Outcome `json:"of_outcome"`
	Text    string           `json:"of_text"`
}
