package main

import (
	"github.com/bojanz/currency"

	"github.com/evenkeelops/evenkeel/sla/money"
)

var bojanz = peer{
	name:     "bojanz/currency v1.4.0",
	rounding: money.HalfUp,
	read: func(amounts []string) (taker, error) {
		b := &bojanzAmounts{amounts: make([]currency.Amount, len(amounts))}
		for i, text := range amounts {
			var err error
			if b.amounts[i], err = currency.NewAmount(text, "EUR"); err != nil {
				return nil, err
			}
		}
		return b, nil
	},
}

type bojanzAmounts struct {
	amounts []currency.Amount
	last    currency.Amount
}

func (b *bojanzAmounts) take(i int) error {
	part, err := b.amounts[i].Mul("0.1") // it takes factors as text only
	if err != nil {
		return err
	}
	b.last = part.Round()
	return nil
}

func (b *bojanzAmounts) taken() string { return b.last.Number() }
