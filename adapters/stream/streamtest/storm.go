package streamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// Storm is a load whose outcome is known: what one engine that gets all of it in
// order does. All its instants are in the past.
type Storm struct {
	Rules   []correlation.Rule
	Options correlation.Options
	Start   time.Time
	// Batches are in the order of their instants, each of one tenant, with IDs.
	Batches []stream.Batch
	// End is after everything that falls due.
	End time.Time
}

// NewStorm makes n batches of a number of tenants from a seed.
func NewStorm(seed uint64, n, tenants int) Storm {
	src := rand.New(rand.NewPCG(seed, 0))
	s := Storm{
		Rules: correlation.StarterRules(), Options: correlation.Options{Settle: 10 * time.Second, Retention: 10 * time.Minute}, Start: noon,
	}
	names := []string{
		"infrastructure.cpu_high", "infrastructure.memory_high", "infrastructure.network_issues", "platform.db_slow", "platform.database_down",
		"application.slow_response", "application.high_latency", "application.error_rate_high",
	}
	at := noon
	for i := range n {
		at = at.Add(time.Duration(src.IntN(20)) * time.Millisecond)
		tenant := fmt.Sprint("tenant-", src.IntN(tenants))
		b := stream.Batch{ID: fmt.Sprint("batch-", i), At: at}
		for range 1 + src.IntN(3) {
			e := correlation.Event{
				Tenant: tenant, Alert: names[src.IntN(len(names))], Status: correlation.Firing,
				Time:   at.Add(-time.Duration(src.IntN(5000)) * time.Millisecond),
				Labels: map[string]string{"host": fmt.Sprint("host-", src.IntN(3)), "region": []string{"us-east", "eu-west"}[src.IntN(2)]},
			}
			if src.IntN(2) == 0 {
				e.Labels["depends_on"] = "database"
			}
			switch src.IntN(5) {
			case 0, 1:
				e.Status = correlation.Resolved
			case 2:
				e.Ends = at.Add(time.Duration(1+src.IntN(60)) * time.Second)
			}
			b.Events = append(b.Events, e)
		}
		s.Batches = append(s.Batches, b)
	}
	s.End = at.Add(time.Hour)
	return s
}

// partitions groups the batches.
func (s Storm) partitions() map[int][]stream.Batch {
	parts := map[int][]stream.Batch{}
	for _, b := range s.Batches {
		p := stream.Partition(b.Events[0].Tenant)
		parts[p] = append(parts[p], b)
	}
	return parts
}

// Append writes the batches from number first up to but not including number end,
// those of one partition in order and the partitions side by side, so many at once.
func (s Storm) Append(ctx context.Context, log stream.Log, first, end int) error {
	part := s
	part.Batches = s.Batches[first:end]
	return s.appendAll(ctx, log, part.partitions())
}

// Finish moves the time of all partitions to the end.
func (s Storm) Finish(ctx context.Context, log stream.Log) error {
	parts := s.partitions()
	for p := range parts {
		parts[p] = []stream.Batch{{ID: "end", At: s.End}}
	}
	return s.appendAll(ctx, log, parts)
}

// appendAll appends to all partitions side by side and returns one of the errors.
func (s Storm) appendAll(ctx context.Context, log stream.Log, parts map[int][]stream.Batch) error {
	errs := make(chan error)
	for p, batches := range parts {
		go func() {
			_, err := log.Append(ctx, p, batches...)
			errs <- err
		}()
	}
	var failed error
	for range parts {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

// Keys are those of all notifications of the storm, sorted, by one engine for all
// partitions together.
func (s Storm) Keys() ([]string, error) {
	all, err := s.Notifications()
	keys := make([]string, len(all))
	for i, t := range all {
		keys[i] = t.Key()
	}
	slices.Sort(keys)
	return keys, err
}

// Notifications are the transitions that the keys name, in the order of that engine.
func (s Storm) Notifications() ([]correlation.Transition, error) {
	e, err := correlation.New(s.Rules, s.Options)
	if err != nil {
		return nil, err
	}
	var all []correlation.Transition
	for _, b := range slices.Concat(s.Batches, []stream.Batch{{At: s.End}}) {
		transitions, err := e.Apply(b.At, b.Events...)
		if err != nil {
			return nil, err
		}
		for _, t := range transitions {
			if t.Kind == correlation.Notify || t.Kind == correlation.Resolve {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// Once reads an outbox into which the nodes of the storm put and returns nil if every
// notification of the one engine stands in it once, with the same text and in the order
// of its tenant. It waits a minute for what is missing.
func (s Storm) Once(ctx context.Context, box stream.Outbox) error {
	want, err := s.Notifications()
	if err != nil {
		return err
	}
	texts := map[string][]string{} // by tenant, in order
	for _, t := range want {
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		texts[t.Alert.Tenant] = append(texts[t.Alert.Tenant], t.Key()+" "+string(text))
	}
	after := int64(0)
	for count := 0; ; {
		wait := time.Minute
		if count >= len(want) {
			wait = 100 * time.Millisecond // nothing should come
		}
		call, cancel := context.WithTimeout(ctx, wait)
		entries, err := box.Read(call, after)
		cancel()
		if len(entries) == 0 {
			if count < len(want) {
				return fmt.Errorf("the outbox has %d notifications, want %d: %w", count, len(want), err)
			}
			return nil
		}
		for _, e := range entries {
			text, err := json.Marshal(e.Transition)
			if err = errors.Join(err, e.Err); err != nil {
				return err
			}
			rest := texts[e.Alert.Tenant]
			if got := e.Key + " " + string(text); len(rest) == 0 || rest[0] != got {
				return fmt.Errorf("entry %d of %q is %s, want %q", e.Place, e.Alert.Tenant, got, rest[:min(1, len(rest))])
			}
			texts[e.Alert.Tenant] = rest[1:]
			after = e.Place
		}
		count += len(entries)
	}
}

// States are the engines at the end by partition, as snapshots, each fed with its
// part of the storm alone.
func (s Storm) States() (map[int][]byte, error) {
	states := map[int][]byte{}
	parts := s.partitions()
	for _, p := range slices.Sorted(maps.Keys(parts)) {
		e, err := correlation.New(s.Rules, s.Options)
		if err != nil {
			return nil, err
		}
		for _, b := range append(parts[p], stream.Batch{At: s.End}) {
			if _, err := e.Apply(b.At, b.Events...); err != nil {
				return nil, err
			}
		}
		if states[p], err = e.Snapshot(); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// Node is the configuration of a node that handles the storm. Its clock stands still
// at the start, so that time moves with the records alone.
func (s Storm) Node(store stream.Store, name string, notify func(context.Context, []stream.Notification) error) stream.Config {
	return stream.Config{
		Store: store, Name: name, Rules: s.Rules, Options: s.Options, Notify: notify,
		Now: func() time.Time { return s.Start },
	}
}
