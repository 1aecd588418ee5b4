package sqlstore

import (
	"cmp"
	"context"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// Resume is for the start of the only process that works on the store, after its
// predecessor has died: it need not wait for the end of leases. Attempts that had
// begun and have no result are in doubt and so repeated or left to a person; tasks
// that the dead process held are free. It returns how many attempts were in doubt.
// Where several processes share a store, leases do the same by themselves.
func (p *Player) Resume(ctx context.Context, at time.Time) (int, error) {
	found, err := p.store.db.QueryContext(ctx, p.sql.interrupted, p.tenant)
	if err != nil {
		return 0, err
	}
	all, err := scan(found, func(a *interrupted) []any { return []any{&a.service, &a.step, &a.number} })
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, func(a, b interrupted) int { // sorted by service, SQLite would read those that have ended, too
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.step, b.step), cmp.Compare(a.number, b.number))
	})
	size := 1000 // services in one transaction
	if p.config.Playbooks.Limits != (playbook.Limits{}) {
		size = 1 // each counts what those before it have begun
	}
	for group := range slices.Chunk(slices.Collect(chunkBy(all, func(a interrupted) string { return a.service })), size) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		ctx := context.WithoutCancel(ctx) // which each statement would watch
		err := p.store.Do(ctx, func(tx *Tx) error {
			b := p.batch(tx)
			services := make([]string, len(group))
			for i, attempts := range group {
				services[i] = attempts[0].service
			}
			rows, err := b.readAll(ctx, services)
			if err != nil {
				return err
			}
			if err := b.askHalt(ctx); err != nil {
				return err
			}
			for part, err := range onAllProcessors(group, func(attempts []interrupted) (*batch, error) {
				return b.resumeOne(ctx, rows[attempts[0].service], at, attempts)
			}) {
				if err == nil {
					err = b.writeStates(ctx, part) // while the others go on
				}
				if err != nil {
					return err
				}
				b.merge(part)
			}
			return b.write(ctx)
		})
		if err != nil {
			return 0, err
		}
	}
	for _, q := range []*Queue{p.store.timers, p.store.outbox} {
		free := p.store.dialect.text(`UPDATE ` + q.name + ` SET wake = {now} WHERE tenant = $2 AND state = 2 AND wake > {now} AND kind LIKE 'playbook%'`)
		if _, err := p.store.db.ExecContext(ctx, free, p.store.clock(), p.tenant); err != nil {
			return 0, q.wrap("free", err)
		}
		q.nudge()
	}
	return len(all), nil
}

// interrupted is an attempt that had begun and has no result.
type interrupted struct {
	service, step string
	number        int
}

// resumeOne has the interrupted attempts of a service in doubt. It may be called
// concurrently, but not where there are limits.
func (b *batch) resumeOne(ctx context.Context, row Incident, at time.Time, attempts []interrupted) (*batch, error) {
	part := b.player.batch(b.tx)
	part.mu, part.halt, part.asked, part.locked = b.mu, b.halt, true, b.locked
	r := b.player.revive(attempts[0].service, row)
	if r.engine == nil { // the service is not registered any more
		return part, part.giveUp(at, attempts)
	}
	_, err := part.play(ctx, r, at, func(e *playbook.Engine) error {
		for _, a := range attempts {
			report := playbook.Event{Kind: playbook.Report, At: at, Step: a.step, Attempt: a.number, Outcome: playbook.Uncertain, Text: interruptedText}
			if err := e.Apply(report); err != nil {
				return err
			}
		}
		return nil
	})
	return part, err
}

const interruptedText = "the process ended during the attempt"

// giveUp puts on record that nobody will hear of attempts any more.
func (b *batch) giveUp(at time.Time, attempts []interrupted) error {
	ended, err := nanos(at)
	for _, a := range attempts {
		b.ended = append(b.ended, attemptRow{Service: a.service, Step: a.step, Attempt: a.number, At: ended, Outcome: playbook.Uncertain, Text: interruptedText})
	}
	return err
}

// onAllProcessors maps a list, several elements at a time, and yields the results in
// order, each as soon as it is there. It ends when nothing goes on any more.
func onAllProcessors[T, U any](list []T, do func(T) (U, error)) iter.Seq2[U, error] {
	type result struct {
		value U
		err   error
	}
	return func(yield func(U, error) bool) {
		results := make([]chan result, len(list))
		for i := range results {
			results[i] = make(chan result, 1)
		}
		var workers sync.WaitGroup
		var next atomic.Int64
		for range runtime.GOMAXPROCS(0) {
			workers.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
					value, err := do(list[i])
					results[i] <- result{value, err}
				}
			})
		}
		defer workers.Wait()
		for _, r := range results {
			if x := <-r; !yield(x.value, x.err) {
				next.Store(int64(len(list)))
				return
			}
		}
	}
}

// chunkBy yields the stretches of a sorted list with the same key.
func chunkBy[T any, K comparable](all []T, key func(T) K) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for start, i := 0, 1; i <= len(all); i++ {
			if i == len(all) || key(all[i]) != key(all[start]) {
				if !yield(all[start:i]) {
					return
				}
				start = i
			}
		}
	}
}
