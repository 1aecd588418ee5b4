package main

import (
	"github.com/shopspring/decimal"

	"github.com/evenkeelops/evenkeel/sla/money"
)

var shopspring = peer{
	name:     "shopspring/decimal v1.4.0",
	rounding: money.HalfUp,
	read: func(amounts []string) (taker, error) {
		s := &shopspringAmounts{amounts: make([]decimal.Decimal, len(amounts)), rate: decimal.New(1, -1)}
		for i, text := range amounts {
			var err error
			if s.amounts[i], err = decimal.NewFromString(text); err != nil {
				return nil, err
			}
		}
		return s, nil
	},
}

type shopspringAmounts struct {
	amounts    []decimal.Decimal
	rate, last decimal.Decimal
}

func (s *shopspringAmounts) take(i int) error {
	s.last = s.amounts[i].Mul(s.rate).Round(2)
	return nil
}

func (s *shopspringAmounts) taken() string { return s.last.StringFixed(2) }
