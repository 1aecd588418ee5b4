package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

const (
	rows    = 1_000_000
	centres = 10_000
)

// allocations divide rows of usage over cost centres by five keys.
var allocations = append([]measure.Pair{{
	Name: "roi/allocate_1m_rows_10k_centres_5_keys", Peer: "goal", Bar: 1, Goal: 150 * time.Millisecond,
	Setup: func() (func(), func(), error) {
		run, err := allocated(rows, centres)
		return run, nil, err
	},
}}, measure.Growth("roi/allocate", "rows", 10_000, func(n int) (func(), error) { return allocated(n, 100) })...)

func allocated(rows, centres int) (func(), error) {
	b, err := newBooks(rows, centres)
	if err != nil {
		return nil, err
	}
	a, err := b.allocate()
	if err == nil {
		err = b.check(a)
	}
	return func() {
		if _, err := b.allocate(); err != nil {
			panic(err) // it has been allocated before
		}
	}, err
}

// books have three keys by usage, one by tiered usage and one by weight; the rows are in
// no order.
type books struct {
	costs []showback.Cost
	usage []showback.Usage
	keys  []showback.Key
}

func newBooks(rows, centres int) (*books, error) {
	r := rand.New(rand.NewPCG(1, 2))
	b := &books{usage: make([]showback.Usage, rows)}
	targets := make([]showback.Target, centres)
	for i := range targets {
		targets[i] = showback.Target{ID: fmt.Sprintf("cost-centre-%05d", i), Weight: 1 + r.Int64N(1000)}
	}
	b.keys = []showback.Key{
		{Pool: "mail", Method: showback.ByUsage, Metric: "mailboxes"},
		{Pool: "storage", Method: showback.TieredUsage, Metric: "gigabytes", Bands: []showback.Band{{UpTo: 1_000_000, Weight: 10}, {Weight: 7}}},
		{Pool: "compute", Method: showback.ByUsage, Metric: "core_seconds"},
		{Pool: "network", Method: showback.ByUsage, Metric: "packets"},
		{Pool: "office", Method: showback.Weight, Targets: targets},
	}
	metrics := []string{"mailboxes", "gigabytes", "core_seconds", "packets"}
	for i := range b.usage {
		b.usage[i] = showback.Usage{Metric: metrics[r.IntN(len(metrics))], Centre: targets[r.IntN(centres)].ID, Units: r.Int64N(100_000)}
	}
	for _, k := range b.keys {
		amount, err := money.New(1_000_000_00+r.Int64N(1_000_000), "EUR")
		if err != nil {
			return nil, err
		}
		b.costs = append(b.costs, showback.Cost{Item: "all of " + k.Pool, Pool: k.Pool, Amount: amount})
	}
	return b, nil
}

func (b *books) allocate() (*showback.Allocation, error) {
	return showback.Allocate(b.costs, b.usage, b.keys, nil)
}

// check wants every cent of every cost to be borne.
func (b *books) check(a *showback.Allocation) error {
	left := map[string]int64{}
	for _, c := range b.costs {
		left[c.Item] += c.Amount.Minor()
	}
	for i := range a.Lines {
		left[a.Lines[i].Item] -= a.Lines[i].Amount.Minor()
	}
	for item, cents := range left {
		if cents != 0 {
			return fmt.Errorf("%q: %d cents are not borne", item, cents)
		}
	}
	if a.Unallocated.Minor() != 0 {
		return fmt.Errorf("%v are unallocated, want nothing", a.Unallocated)
	}
	return nil
}
