package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Share is a count out of a count: resolved at first contact, changes that
// succeeded, backups, tickets inside the agreement. Of nothing it has no ratio;
// that is neither 0 nor 100 %.
type Share struct {
	Hits int `json:"hits"`
	Of   int `json:"of"`
}

// Ratio returns Hits/Of, nil if Of is 0.
func (s Share) Ratio() *big.Rat {
	if s.Of == 0 {
		return nil
	}
	return big.NewRat(int64(s.Hits), int64(s.Of))
}

// Judge compares the share in percent with a target such as "> 95%". A target
// of another unit is Undecided.
func (s Share) Judge(t Target) Verdict {
	r := s.Ratio()
	if r == nil || t.limit.Unit != threshold.Percent {
		return Undecided
	}
	return t.Judge(r.Mul(r, big.NewRat(100, 1)))
}

// String returns "3/4", and "no data" for a share of nothing.
func (s Share) String() string {
	if s.Of == 0 {
		return "no data"
	}
	return fmt.Sprintf("%d/%d", s.Hits, s.Of)
}

// MarshalJSON writes both counts and the ratio, as text of an exact fraction or
// null.
func (s Share) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Hits  int      `json:"hits"`
		Of    int      `json:"of"`
		Ratio *big.Rat `json:"ratio"`
	}{s.Hits, s.Of, s.Ratio()})
}

// Counted returns the share of the items for which is holds.
func Counted[T any](items []T, is func(T) bool) Share {
	var s Share
	for _, item := range items {
		tally(&s, true, is(item))
	}
	return s
}

func tally(s *Share, counts, hit bool) {
	if counts {
		s.Of++
		if hit {
			s.Hits++
		}
	}
}

// FirstContact returns the share of resolved incidents that the first person
// who took them resolved.
func FirstContact(records []Record) Share {
	var s Share
	for i := range records {
		tally(&s, !records[i].Times.Resolved.IsZero(), records[i].FirstContact)
	}
	return s
}

// Escalated returns the share of incidents that were escalated at least once.
func Escalated(records []Record) Share {
	return Counted(records, func(r Record) bool { return r.Escalations > 0 })
}

// Reopened returns the share of incidents that were reopened at least once.
func Reopened(records []Record) Share {
	return Counted(records, func(r Record) bool { return r.Reopens > 0 })
}

// SeenByUser returns the share of incidents that a user noticed before a
// monitor did, of those where this is known.
func SeenByUser(records []Record) Share {
	var s Share
	for i := range records {
		tally(&s, records[i].DetectedBy != "", records[i].DetectedBy == ByUser)
	}
	return s
}

// MeanScore returns the mean of satisfaction scores, nil without any.
func MeanScore(scores []int) *big.Rat {
	if len(scores) == 0 {
		return nil
	}
	var sum int64
	for _, s := range scores {
		sum += int64(s)
	}
	return big.NewRat(sum, int64(len(scores)))
}

// Utilisation returns used/capacity of decimal numbers such as "37.5", nil if
// the capacity is zero.
func Utilisation(used, capacity string) (*big.Rat, error) {
	u, err := threshold.ParseDecimal(used)
	if err != nil {
		return nil, fmt.Errorf("utilisation: used: %w", err)
	}
	c, err := threshold.ParseDecimal(capacity)
	if err != nil {
		return nil, fmt.Errorf("utilisation: capacity: %w", err)
	}
	if c.Sign() < 0 || u.Sign() < 0 {
		return nil, errors.New("utilisation: negative number")
	}
	if c.Sign() == 0 {
		return nil, nil
	}
	return u.Rat().Quo(u.Rat(), c.Rat()), nil
}

// Cost is what a number of incidents or tickets cost.
type Cost struct {
	N     int          `json:"n"`
	Total money.Amount `json:"total"` // not set without data
}

// CostOf adds up amounts of one currency; unset ones do not count.
func CostOf(amounts []money.Amount) (Cost, error) {
	var c Cost
	for i, a := range amounts {
		if !a.IsSet() {
			continue
		}
		if c.N++; c.N == 1 {
			c.Total = a
			continue
		}
		total, err := c.Total.Add(a)
		if err != nil {
			return Cost{}, fmt.Errorf("cost %d: %w", i, err)
		}
		c.Total = total
	}
	return c, nil
}

// Mean returns the exact mean in whole units of the currency, nil without
// data.
func (c Cost) Mean() *big.Rat {
	if c.N == 0 {
		return nil
	}
	per := big.NewInt(int64(c.N))
	for range c.Total.Currency().Digits() {
		per.Mul(per, big.NewInt(10))
	}
	return new(big.Rat).SetFrac(big.NewInt(c.Total.Minor()), per)
}

// Each returns the mean rounded to minor units, for display.
func (c Cost) Each(r money.Rounding) (money.Amount, error) {
	if c.N == 0 {
		return money.Amount{}, nil
	}
	return c.Total.Share(1, int64(c.N), r)
}
