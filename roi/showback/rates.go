package showback

import (
	"fmt"
	"math/big"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Rate is what one unit of a currency costs in another during a month. The rate of
// the other direction is a rate of its own and never derived, because books with
// rounded inverse rates do not agree.
type Rate struct {
	From  money.Currency `json:"from"`
	To    money.Currency `json:"to"`
	Month Month          `json:"month"`
	// Rate is exact decimal text above 0 such as "1.0853".
	Rate string `json:"rate"`
}

// Rates are exchange rates by pair and month. They do not change, so they may be
// used concurrently.
type Rates struct {
	byPair map[pair]rate
}

type pair struct {
	from, to money.Currency
	month    Month
}

type rate struct {
	text  string
	ratio fixed.Ratio
}

// NewRates checks rates and indexes them. Two for one pair and month are an error.
// All problems come joined, as [*FieldError] values.
func NewRates(rates []Rate) (*Rates, error) {
	var bad problems
	r := &Rates{byPair: make(map[pair]rate, len(rates))}
	for i, in := range rates {
		path := fmt.Sprintf("rates[%d]", i)
		if !in.From.Known() {
			bad.add(path+".from", in.From, "an ISO 4217 code", nil)
		}
		if !in.To.Known() || in.To == in.From {
			bad.add(path+".to", in.To, "an ISO 4217 code other than that of from", nil)
		}
		if !in.Month.valid() {
			bad.add(path+".month", in.Month, `a month like "2026-03"`, nil)
		}
		ratio, err := fixed.ParseRatio(in.Rate)
		if err != nil || ratio.Num == 0 {
			bad.add(path+".rate", in.Rate, `a decimal number above 0 like "1.0853"`, nil)
		}
		p := pair{in.From, in.To, in.Month}
		if _, twice := r.byPair[p]; twice {
			bad.add(path, fmt.Sprintf("%s to %s in %s", in.From, in.To, in.Month), "one rate for a pair and month", nil)
		}
		r.byPair[p] = rate{in.Rate, ratio}
	}
	if err := bad.join(); err != nil {
		return nil, err
	}
	return r, nil
}

// Convert returns the amount in another currency at the rate of the month, rounded
// half up to its minor unit. An amount in that currency already is returned as it
// is. Errors are [ErrNoRate] and those of [money.Amount.ShareRat].
func (r *Rates) Convert(a money.Amount, to money.Currency, month Month) (money.Amount, error) {
	converted, _, err := r.convert(a, to, month)
	return converted, err
}

// convert also returns the text of the rate, "" if none was needed.
func (r *Rates) convert(a money.Amount, to money.Currency, month Month) (money.Amount, string, error) {
	if a.Currency() == to {
		return a, "", nil
	}
	var found rate
	if r != nil {
		found = r.byPair[pair{a.Currency(), to, month}]
	}
	if !found.ratio.IsSet() {
		return money.Amount{}, "", fmt.Errorf("%v to %s in %s: %w", a, to, month, ErrNoRate)
	}
	factor := new(big.Rat).SetFrac(new(big.Int).SetUint64(found.ratio.Num), new(big.Int).SetUint64(found.ratio.Den))
	factor.Mul(factor, decimals(to.Digits()-a.Currency().Digits()))
	scaled, err := a.ShareRat(factor, money.HalfUp)
	if err != nil {
		return money.Amount{}, "", err
	}
	converted, err := money.New(scaled.Minor(), to)
	return converted, found.text, err
}

// decimals returns ten to the power of n, which is small and may be negative.
func decimals(n int) *big.Rat {
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		power.Inv(power)
	}
	return power
}
