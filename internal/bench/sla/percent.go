package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla/money"
)

var percentages = []measure.Pair{
	tenPercent("sla/percent_bojanz", bojanz),
	tenPercent("sla/percent_shopspring", shopspring),
	tenPercent("sla/percent_govalues", govalues),
}

// peer is another library for decimal or money arithmetic.
type peer struct {
	// name and version for the output.
	name string
	// rounding is what it rounds by; ours is timed rounding half up.
	rounding money.Rounding
	// read makes the amounts its own.
	read func(amounts []string) (taker, error)
}

// taker takes 10 % of the amount at an index, rounded to the cent, and tells the
// figure that it took last.
type taker interface {
	take(i int) error
	taken() string
}

// tenPercent wants to be faster than the peer.
func tenPercent(name string, p peer) measure.Pair {
	return measure.Pair{
		Name: name, Peer: p.name, Bar: 1, Ops: amounts,
		Setup: func() (func(), func(), error) {
			fees := fees()
			texts := make([]string, amounts)
			for i, fee := range fees {
				texts[i] = fee.Decimal()
			}
			theirs, err := p.read(texts)
			if err != nil {
				return nil, nil, err
			}
			for i, fee := range fees {
				if err := theirs.take(i); err != nil {
					return nil, nil, err
				}
				want := must(fee.Percent(ten, p.rounding)).Decimal()
				if got := theirs.taken(); got != want {
					return nil, nil, fmt.Errorf("10 %% of %s: %s has %s, ours %s", fee, p.name, got, want)
				}
			}
			return func() { takeAll(fees) }, func() {
				for i := range amounts {
					if err := theirs.take(i); err != nil {
						panic(err) // each has been taken before
					}
				}
			}, nil
		},
	}
}

const amounts = 1000

var ten = money.WholePercent(10)

func takeAll(fees []money.Amount) {
	for _, fee := range fees {
		must(fee.Percent(ten, money.HalfUp))
	}
}

// fees are amounts up to 100 000.00 EUR; every tenth has a half cent in its
// tenth part.
func fees() []money.Amount {
	r := rand.New(rand.NewPCG(1, amounts))
	out := make([]money.Amount, amounts)
	for i := range out {
		cents := r.Int64N(10_000_000)
		if i%10 == 0 {
			cents += 5 - cents%10
		}
		out[i] = must(money.New(cents, "EUR"))
	}
	return out
}
