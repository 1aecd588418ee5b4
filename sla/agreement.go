package sla

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Agreement is a contract that has been checked, with its zone and calendars
// ready. It is safe for concurrent use.
type Agreement struct {
	contract  Contract
	loc       *time.Location
	calendars map[string]*calendar.Calendar
	digest    func() Digest // of the contract, computed once; zero if it has none
}

// Compile checks a contract; the error joins all problems as [Contract.Validate]
// does. The contract is kept and must not be changed afterwards.
func Compile(c Contract) (*Agreement, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	loc, err := loadZone(c.Zone)
	if err != nil {
		return nil, err
	}
	a := &Agreement{contract: c, loc: loc, calendars: make(map[string]*calendar.Calendar, len(c.Calendars))}
	for name, hours := range c.Calendars {
		if a.calendars[name], err = calendar.New(hours); err != nil {
			return nil, fmt.Errorf("sla: calendar %q: %w", name, err)
		}
	}
	a.calendars[""] = calendar.Always()
	a.digest = sync.OnceValue(func() Digest {
		d, _ := c.Digest() // without one, statements name no contract
		return d
	})
	return a, nil
}

// Contract returns the contract.
func (a *Agreement) Contract() Contract { return a.contract }

// Location returns the zone of the contract.
func (a *Agreement) Location() *time.Location { return a.loc }

// PeriodAt returns the billing period that contains at.
func (a *Agreement) PeriodAt(at time.Time) Period { return a.contract.Period.At(at, a.loc) }

// ErrPeriod means that a period is empty or ends before it starts.
var ErrPeriod = errors.New("sla: period without length")

// ErrNotInForce means that the contract does not hold at any time of the period.
var ErrNotInForce = errors.New("sla: contract not in force in the period")

// clip bounds a period by the life of the contract and gives the fee for what
// is left.
func (a *Agreement) clip(p Period) (Period, money.Amount, error) {
	if err := p.Validate(); err != nil {
		return Period{}, money.Amount{}, fmt.Errorf("%w: %q: %w", ErrPeriod, p.Label, err)
	}
	if p.IsEmpty() {
		return Period{}, money.Amount{}, fmt.Errorf("%w: %q %s", ErrPeriod, p.Label, p.Interval)
	}
	life := p.Interval
	if !a.contract.From.IsZero() {
		life.Start = a.contract.From
	}
	if !a.contract.Until.IsZero() {
		life.End = a.contract.Until
	}
	active, ok := p.Clip(life)
	if !ok {
		return Period{}, money.Amount{}, fmt.Errorf("%w: %q %s", ErrNotInForce, p.Label, p.Interval)
	}
	fee := a.contract.Fee
	if active.Duration() < p.Duration() && !a.contract.FullFee {
		var err error
		if fee, err = fee.Share(int64(active.Duration()), int64(p.Duration()), a.contract.Rounding); err != nil {
			return Period{}, money.Amount{}, err
		}
	}
	p.Interval = calendar.Interval{Start: active.Start.UTC(), End: active.End.UTC()}
	return p, fee, nil
}

// loadZone refuses "Local" and the empty name, which mean something else on
// every machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("no zone named")
	}
	return time.LoadLocation(name)
}
