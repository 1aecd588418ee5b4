package roi

import (
	"fmt"
	"math"
)

// EffectiveRate is the annual rate that a nominal annual rate with the given
// number of compounding periods per year amounts to,
//
//	(1 + nominal/periods)^periods − 1
//
// Errors: [ErrBadPeriods], and [ErrBadRate] when nominal/periods is not above -1.
func EffectiveRate(nominal float64, periods int) (float64, error) {
	if err := checkPeriods(periods); err != nil {
		return 0, err
	}
	m := float64(periods)
	if err := checkRate(nominal / m); err != nil {
		return 0, err
	}
	return representable(math.Expm1(m * math.Log1p(nominal/m)))
}

// PeriodicRate is the rate per period that compounds to an effective annual rate,
//
//	(1 + effective)^(1/periods) − 1
//
// It is less than effective/periods for a positive rate: dividing instead
// discounts too much. Errors: [ErrBadPeriods], [ErrBadRate].
func PeriodicRate(effective float64, periods int) (float64, error) {
	if err := checkPeriods(periods); err != nil {
		return 0, err
	}
	if err := checkRate(effective); err != nil {
		return 0, err
	}
	return math.Expm1(math.Log1p(effective) / float64(periods)), nil
}

// NominalRate is the nominal annual rate of an effective one, [PeriodicRate]
// times the number of periods: the inverse of [EffectiveRate].
func NominalRate(effective float64, periods int) (float64, error) {
	r, err := PeriodicRate(effective, periods)
	return r * float64(periods), err
}

// Due says when within its period a payment is made. The numbers are those of
// the type argument of spreadsheets.
type Due int

const (
	// EndOfPeriod is a payment in arrears. It is the default.
	EndOfPeriod Due = 0
	// StartOfPeriod is a payment in advance.
	StartOfPeriod Due = 1
)

// PMT is the level payment per period that turns a present value pv into a
// future value fv after the given number of periods. It solves
//
//	pv·(1+rate)^n + PMT·(1 + rate·due)·((1+rate)^n − 1)/rate + fv = 0
//
// with the signs of spreadsheets: money received is positive, so a loan (pv > 0)
// has a negative payment. At rate 0 the payment is −(pv+fv)/n.
//
// Errors: [ErrBadPeriods], [ErrBadRate], [ErrBadFlow] for pv or fv not finite,
// [ErrOverflow].
func PMT(rate float64, periods int, pv, fv float64, due Due) (float64, error) {
	if err := checkPeriods(periods); err != nil {
		return 0, err
	}
	if err := checkRate(rate); err != nil {
		return 0, err
	}
	if !isFinite(pv) || !isFinite(fv) {
		return 0, fmt.Errorf("%w: present value %v, future value %v, want finite numbers", ErrBadFlow, pv, fv)
	}
	if due != EndOfPeriod && due != StartOfPeriod {
		return 0, fmt.Errorf("%w: payment due %d, want 0 (end of period) or 1 (start)", ErrBadPeriods, int(due))
	}
	n := float64(periods)
	if rate == 0 {
		return representable(-(pv + fv) / n)
	}
	// Numerator and denominator divided by (1+rate)^n, which may overflow.
	log := n * math.Log1p(rate)
	present := pv
	if fv != 0 {
		present += float64(fv * math.Exp(-log))
	}
	annuity := -math.Expm1(-log) / rate
	if due == StartOfPeriod {
		annuity *= 1 + rate
	}
	return representable(-present / annuity)
}

func checkPeriods(periods int) error {
	if periods <= 0 {
		return fmt.Errorf("%w: %d, want > 0", ErrBadPeriods, periods)
	}
	return nil
}

func representable(v float64) (float64, error) {
	if !isFinite(v) {
		return 0, ErrOverflow
	}
	return v, nil
}
