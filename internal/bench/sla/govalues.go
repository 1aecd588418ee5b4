package main

import (
	"github.com/govalues/decimal"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// It only rounds half to even and is not made to pay for another way.
var govalues = peer{
	name:     "govalues/decimal v0.1.36",
	rounding: money.HalfEven,
	read: func(amounts []string) (taker, error) {
		g := &govaluesAmounts{amounts: make([]decimal.Decimal, len(amounts)), rate: decimal.MustNew(1, 1)}
		for i, text := range amounts {
			var err error
			if g.amounts[i], err = decimal.Parse(text); err != nil {
				return nil, err
			}
		}
		return g, nil
	},
}

type govaluesAmounts struct {
	amounts    []decimal.Decimal
	rate, last decimal.Decimal
}

func (g *govaluesAmounts) take(i int) error {
	part, err := g.amounts[i].Mul(g.rate)
	if err != nil {
		return err
	}
	g.last = part.Round(2)
	return nil
}

func (g *govaluesAmounts) taken() string { return g.last.String() }
