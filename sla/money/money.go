// Package money is exact money for contracts, credits and invoices: an int64
// count of minor units and an ISO 4217 currency.
//
// An [Amount] is a small immutable value, comparable with ==. Arithmetic is
// checked: overflow and mixed currencies are errors, never a wrong figure.
// Percentages and shares go through a 128-bit intermediate and round where,
// and how, the caller says:
//
//	fee, _ := money.Parse("100000.00 EUR")
//	credit, _ := fee.Percent(money.WholePercent(10), money.HalfUp) // 10000.00 EUR
//
// As JSON an amount is {"amount":"16666.67","currency":"EUR"}; as text it is
// "16666.67 EUR". There is no exchange, no locale and no float here.
package money

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Errors of the arithmetic.
var (
	// ErrCurrency means that amounts of two currencies met, or that an amount
	// has none.
	ErrCurrency = errors.New("currencies missing or different")
	// ErrOverflow means that a result does not fit the range of an Amount, that
	// of an int64 of minor units (about ±9.2·10^18).
	ErrOverflow = errors.New("amount out of range")
)

// Amount is an amount of money. The zero Amount has no currency and means "not
// set"; arithmetic on it is an error.
type Amount struct {
	minor    int64
	currency Currency
}

// New returns an amount of minor units (cents for EUR, yen for JPY) of a
// currency.
func New(minor int64, currency Currency) (Amount, error) {
	if !currency.Known() {
		return Amount{}, &CurrencyError{Code: string(currency)}
	}
	return Amount{minor, currency}, nil
}

// Must unwraps a constructor whose arguments are constants of the program; it
// panics on an error.
func Must(a Amount, err error) Amount {
	if err != nil {
		panic("money: " + err.Error())
	}
	return a
}

// Parse reads text such as "16666.67 EUR". No more decimals than the currency
// has are accepted, fewer are filled with zeros.
func Parse(text string) (Amount, error) {
	number, code, ok := strings.Cut(text, " ")
	if !ok {
		return Amount{}, &ParseError{Text: text}
	}
	return ParseDecimal(number, Currency(code))
}

// ParseDecimal reads the decimal text of an amount in a currency: "16666.67".
func ParseDecimal(number string, currency Currency) (Amount, error) {
	if !currency.Known() {
		return Amount{}, &CurrencyError{Code: string(currency)}
	}
	minor, err := fixed.ParseDecimal(number, currency.Digits())
	if err != nil {
		return Amount{}, &ParseError{Text: number, err: err}
	}
	return Amount{minor, currency}, nil
}

// ParseError reports text that is no amount of money.
type ParseError struct {
	Text string
	err  error
}

// Error says what was found and what is accepted.
func (e *ParseError) Error() string {
	if e.err != nil {
		return "parse money: " + e.err.Error()
	}
	return fmt.Sprintf("parse money %q: want an amount and a currency, like \"500.00 EUR\"", e.Text)
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.err }

// IsSet reports whether the amount has a currency, be it an amount of zero.
func (a Amount) IsSet() bool { return a.currency != "" }

// Minor returns the minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the ISO 4217 code, "" when not set.
func (a Amount) Currency() Currency { return a.currency }

// Sign returns -1, 0 or +1.
func (a Amount) Sign() int { return cmp.Compare(a.minor, 0) }

// Zero returns an amount of nothing in the currency of a.
func (a Amount) Zero() Amount { return Amount{0, a.currency} }

// Decimal returns the number alone, with all the digits of the currency:
// "16666.67".
func (a Amount) Decimal() string { return fixed.FormatDecimal(a.minor, a.currency.Digits()) }

// String returns "16666.67 EUR", and "" when not set.
func (a Amount) String() string {
	if !a.IsSet() {
		return ""
	}
	return a.Decimal() + " " + string(a.currency)
}

// Add returns a + b.
func (a Amount) Add(b Amount) (Amount, error) {
	if err := a.same(b); err != nil {
		return Amount{}, err
	}
	sum := a.minor + b.minor
	if (sum > a.minor) != (b.minor > 0) {
		return Amount{}, fmt.Errorf("%v + %v: %w", a, b, ErrOverflow)
	}
	return Amount{sum, a.currency}, nil
}

// Sub returns a − b.
func (a Amount) Sub(b Amount) (Amount, error) {
	if err := a.same(b); err != nil {
		return Amount{}, err
	}
	difference := a.minor - b.minor
	if (difference < a.minor) != (b.minor > 0) {
		return Amount{}, fmt.Errorf("%v − %v: %w", a, b, ErrOverflow)
	}
	return Amount{difference, a.currency}, nil
}

// Neg returns −a.
func (a Amount) Neg() (Amount, error) { return a.Zero().Sub(a) }

// Compare returns -1, 0 or +1 as a is less than, equal to or greater than b.
func (a Amount) Compare(b Amount) (int, error) {
	if err := a.same(b); err != nil {
		return 0, err
	}
	return cmp.Compare(a.minor, b.minor), nil
}

func (a Amount) same(b Amount) error {
	if a.currency == b.currency && a.IsSet() {
		return nil
	}
	return fmt.Errorf("%q and %q: %w", a.currency, b.currency, ErrCurrency)
}

// Sum adds amounts of one currency. Of none it is the unset Amount.
func Sum(amounts ...Amount) (Amount, error) {
	if len(amounts) == 0 {
		return Amount{}, nil
	}
	total := amounts[0].Zero()
	for _, a := range amounts {
		var err error
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Share returns a·num/den, rounded; num may exceed den. Errors are [ErrCurrency]
// for an amount that is not set, [ErrOverflow], and plain ones for a negative
// num, a den that is not positive and an unknown rounding.
func (a Amount) Share(num, den int64, r Rounding) (Amount, error) {
	if !a.IsSet() {
		return Amount{}, fmt.Errorf("share of an amount that is not set: %w", ErrCurrency)
	}
	if num < 0 || den <= 0 {
		return Amount{}, fmt.Errorf("share %d/%d: want a numerator ≥ 0 and a denominator > 0", num, den)
	}
	if r > Up {
		return Amount{}, fmt.Errorf("share: %w", r.unknown())
	}
	quotient, remainder, ok := fixed.MulDiv(magnitude(a.minor), uint64(num), uint64(den))
	if ok {
		quotient, ok = r.apply(quotient, remainder, uint64(den))
	}
	minor := int64(quotient)
	if a.minor < 0 {
		minor = -minor
	}
	if !ok || magnitude(minor) != quotient || minor != 0 && minor < 0 != (a.minor < 0) {
		return Amount{}, fmt.Errorf("%v × %d/%d: %w", a, num, den, ErrOverflow)
	}
	return Amount{minor, a.currency}, nil
}

// ShareRat returns a·share, rounded once, for a share that is a product of
// several fractions and need not fit two int64:
//
//	lost := big.NewRat(int64(downtime), int64(month))
//	credit, err := fee.ShareRat(lost.Mul(lost, multiplier), money.HalfUp)
//
// Errors are those of [Amount.Share]; [ErrOverflow] only when the result does
// not fit. The share is not changed or kept.
func (a Amount) ShareRat(share *big.Rat, r Rounding) (Amount, error) {
	num, den := share.Num(), share.Denom()
	if num.IsInt64() && den.IsInt64() {
		return a.Share(num.Int64(), den.Int64(), r)
	}
	if !a.IsSet() || num.Sign() < 0 || r > Up {
		return a.Share(int64(num.Sign()), 1, r) // for its error
	}
	product := new(big.Int).Mul(big.NewInt(a.minor), num)
	quotient, remainder := product.QuoRem(product, den, new(big.Int))
	if r.away(quotient.Bit(0) == 1, remainder.Sign() != 0, remainder.Lsh(remainder, 1).CmpAbs(den)) {
		quotient.Add(quotient, big.NewInt(int64(a.Sign())))
	}
	if !quotient.IsInt64() {
		return Amount{}, fmt.Errorf("%v × %v: %w", a, share, ErrOverflow)
	}
	return Amount{quotient.Int64(), a.currency}, nil
}

// Percent returns p percent of a, rounded, with the errors of [Amount.Share].
func (a Amount) Percent(p Percent, r Rounding) (Amount, error) {
	return a.Share(int64(p), int64(100*percentUnit), r)
}

// Allocate splits a by weights so that the parts add up to a exactly: every part
// is first cut towards zero, then the minor units left over go one each to the
// largest remainders, ties to the earlier weight (the method of Hamilton). Weights
// must not be negative and not all zero, and their sum must fit 64 bits.
func (a Amount) Allocate(weights ...int64) ([]Amount, error) {
	if !a.IsSet() {
		return nil, fmt.Errorf("allocate an amount that is not set: %w", ErrCurrency)
	}
	var total uint64
	for i, w := range weights {
		if w < 0 {
			return nil, fmt.Errorf("allocate: weight %d is %d, want ≥ 0", i, w)
		}
		sum, carry := bits.Add64(total, uint64(w), 0)
		if carry != 0 {
			return nil, fmt.Errorf("allocate: sum of the weights: %w", ErrOverflow)
		}
		total = sum
	}
	if total == 0 {
		return nil, errors.New("allocate: the weights add up to zero")
	}
	units := make([]uint64, len(weights))
	remainders := make([]uint64, len(weights))
	order := make([]int, len(weights))
	left := magnitude(a.minor)
	for i, w := range weights {
		units[i], remainders[i], _ = fixed.MulDiv(magnitude(a.minor), uint64(w), total) // w ≤ total: always fits
		order[i] = i
		left -= units[i]
	}
	// What is left is the sum of the remainders over the total, so there are more
	// remainders above zero than units.
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(remainders[j], remainders[i]) })
	for _, i := range order[:left] {
		units[i]++
	}
	parts := make([]Amount, len(weights))
	for i, n := range units {
		parts[i] = Amount{int64(n), a.currency}
		if a.minor < 0 {
			parts[i].minor = int64(-n) // in two's complement, right for the smallest int64 too
		}
	}
	return parts, nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// MarshalText writes what String returns.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [Parse] reads, and the empty text as not set.
func (a *Amount) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Amount{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

type wire struct {
	Amount   string   `json:"amount"`
	Currency Currency `json:"currency"`
}

// MarshalJSON writes {"amount":"16666.67","currency":"EUR"}, and null when not
// set.
func (a Amount) MarshalJSON() ([]byte, error) {
	if !a.IsSet() {
		return []byte("null"), nil
	}
	return json.Marshal(wire{a.Decimal(), a.currency})
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown keys are errors.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*a = Amount{}
		return nil
	}
	var w wire
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return err
	}
	parsed, err := ParseDecimal(w.Amount, w.Currency)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
