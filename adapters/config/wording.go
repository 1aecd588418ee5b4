package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// phraseError is a phrase that does not say what its place asks for.
type phraseError struct {
	text, want       string
	code, suggestion string
}

// Error gives the phrase and what was expected.
func (e *phraseError) Error() string { return fmt.Sprintf("%q, want %s", e.text, e.want) }

// textProblem is the code of a text that a type refused, and what it may have
// meant.
func textProblem(into any, text string, err error) (code, suggestion string) {
	if phrase := (*phraseError)(nil); errors.As(err, &phrase) {
		return phrase.code, phrase.suggestion
	}
	switch into.(type) {
	case *spokenSpan:
		return "bad_duration", nearDuration(text)
	case *spokenTarget:
		return "bad_duration", ""
	case *incident.Target:
		return "bad_threshold", ""
	}
	return "bad_enum", spelling.Nearest(strings.ToLower(text), wordsOf(into))
}

// wordsOf are the words of an enumeration: what its values are written as.
func wordsOf(into any) []string {
	value := reflect.ValueOf(into).Elem()
	if value.Kind() != reflect.Uint8 {
		return nil
	}
	var words []string
	for i := range uint64(32) {
		v := reflect.New(value.Type()).Elem()
		v.SetUint(i)
		m, ok := reflect.TypeAssert[encoding.TextMarshaler](v)
		if !ok {
			return nil
		}
		if word, err := m.MarshalText(); err == nil && len(word) > 0 {
			words = append(words, string(word))
		}
	}
	return words
}

// spokenSpan is a duration, a number of business days, or 0 for none.
type spokenSpan struct{ threshold.Span }

// UnmarshalText reads "15 minutes", "next business day" or "0".
func (s *spokenSpan) UnmarshalText(text []byte) (err error) {
	if string(text) == "0" {
		return nil
	}
	s.Span, err = threshold.ParseSpan(string(text))
	return err
}

// off reports whether the promise is not made: the value is null or 0.
func (s *spokenSpan) off() bool { return s == nil || s.Duration == 0 && s.BusinessDays == 0 }

// spokenTarget is an upper limit such as "< 2h", with its strictness, or 0 for
// none.
type spokenTarget struct {
	within time.Duration
	op     string // "<", "<=" or "" where the text has none
}

// UnmarshalText reads "< 2h", "<= 2h", "2h" or "0".
func (s *spokenTarget) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		return nil
	}
	t, err := threshold.ParseTarget(string(text))
	if err != nil {
		return err
	}
	d, ok := t.Duration()
	if !ok || t.Op != threshold.Less && t.Op != threshold.LessEqual {
		return fmt.Errorf("%q, want an upper limit like \"< 2h\"", text)
	}
	s.within = d
	if words := strings.ToLower(string(text)); strings.ContainsAny(words, "<≤") || strings.Contains(words, "maximum") {
		s.op = t.Op.String()
	}
	return nil
}

func (s *spokenTarget) off() bool { return s == nil || s.within == 0 }

// The phrases of a provider's framework: a figure, then the words that say what
// it is a figure of. Case and white space are free, and the words that the place
// in the file says already may be left out.
type (
	monthlyCredit    struct{ percent money.Percent } // "10% monthly credit"
	creditPerBreach  struct{ percent money.Percent } // "5% monthly credit per incident"
	creditPerHour    struct{ percent money.Percent } // "1% per hour of monitoring outage"
	amountPerBreach  struct{ amount money.Amount }   // "€500 per incident"
	liabilityInFees  struct{ fees int }              // "Up to 12 months of service fees"
	monthlyPriceSpan struct{ from, to money.Amount } // "€15K-25K/month"
)

// UnmarshalText reads a percentage of the monthly fee.
func (p *monthlyCredit) UnmarshalText(text []byte) (err error) {
	p.percent, err = shareOf(string(text), "monthly credit", "of the monthly fee", "of monthly fee", "")
	return err
}

// UnmarshalText reads a percentage of the monthly fee for each incident.
func (p *creditPerBreach) UnmarshalText(text []byte) (err error) {
	p.percent, err = shareOf(string(text), "monthly credit per incident", "of the monthly fee per incident", "per incident")
	return err
}

// UnmarshalText reads a percentage of the monthly fee for each hour.
func (p *creditPerHour) UnmarshalText(text []byte) (err error) {
	p.percent, err = shareOf(string(text), "per hour of monitoring outage", "monthly credit per hour of monitoring outage", "per hour")
	return err
}

// shareOf reads a percentage before one of several wordings; the first is the
// usual one.
func shareOf(text string, wordings ...string) (money.Percent, error) {
	figure, words := firstWord(text)
	if rest, ok := strings.CutPrefix(words, "%"); ok && !strings.HasSuffix(figure, "%") { // "10 % of the fee"
		figure, words = figure+"%", strings.TrimSpace(rest)
	}
	bad := &phraseError{text: text, want: fmt.Sprintf("a credit like \"5%% %s\"", wordings[0]), code: "bad_percent"}
	share, err := money.ParsePercent(figure)
	switch {
	case err != nil || !strings.HasSuffix(figure, "%"):
		return 0, bad
	case share > money.WholePercent(100):
		bad.code, bad.want = "out_of_range", "at most 100%"
		return 0, bad
	}
	if err := bad.words(figure, words, wordings); err != nil {
		return 0, err
	}
	return share, nil
}

// words wants the words after a figure to be one of the wordings.
func (e *phraseError) words(figure, words string, wordings []string) error {
	if slices.Contains(wordings, words) {
		return nil
	}
	if near := spelling.Nearest(words, wordings); near != "" {
		e.suggestion = figure + " " + near
	}
	return e
}

// firstWord splits a phrase at its first blank. The rest is in lower case with
// single blanks.
func firstWord(text string) (first, rest string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", ""
	}
	return words[0], strings.ToLower(strings.Join(words[1:], " "))
}

// UnmarshalText reads an amount for each incident.
func (a *amountPerBreach) UnmarshalText(text []byte) error {
	bad := &phraseError{text: string(text), want: `an amount like "€500 per incident"` + signHint(string(text)), code: "bad_money"}
	words := strings.Fields(string(text))
	n := len(words) - 2
	if n < 1 || !strings.EqualFold(strings.Join(words[n:], " "), "per incident") {
		if figure, rest := firstWord(string(text)); spelling.Nearest(rest, []string{"per incident"}) != "" {
			bad.suggestion = figure + " per incident"
		}
		return bad
	}
	price, ok := parsePrice(strings.Join(words[:n], " "))
	if !ok {
		return bad
	}
	amount, err := price.amount(price.currency)
	if err != nil {
		bad.want += ": " + err.Error()
		return bad
	}
	a.amount = amount
	return nil
}

// UnmarshalText reads how many monthly fees are paid at most.
func (l *liabilityInFees) UnmarshalText(text []byte) error {
	bad := &phraseError{text: string(text), want: `a limit like "Up to 12 months of service fees", with 1 month or more`, code: "out_of_range"}
	words := strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
	figure, rest := firstWord(strings.TrimPrefix(words, "up to "))
	fees, err := strconv.ParseUint(figure, 10, 16)
	if err != nil || fees == 0 {
		return bad
	}
	if err := bad.words("Up to "+figure, rest, []string{"months of service fees", "months service fees", "month of service fees", "months of fees"}); err != nil {
		return err
	}
	l.fees = int(fees)
	return nil
}

// UnmarshalText reads one monthly price or a range of them. In a range the
// currency may stand once; an upper end in thousands wants a lower one that is
// written so too, because "15-25K" can be read in two ways.
func (s *monthlyPriceSpan) UnmarshalText(text []byte) error {
	bad := &phraseError{text: string(text), want: `a monthly price or range like "€15K-25K/month"` + signHint(string(text)), code: "bad_money"}
	words := strings.ToUpper(strings.Join(strings.Fields(string(text)), " "))
	for _, month := range []string{"/MONTH", "/ MONTH", "PER MONTH"} {
		if figure, ok := strings.CutSuffix(words, month); ok {
			words = strings.TrimRight(figure, " ")
			break
		}
	}
	ends := betweenPrices.Split(words, -1)
	from, okFrom := parsePrice(ends[0])
	to, okTo := parsePrice(ends[len(ends)-1])
	if !okFrom || !okTo || len(ends) > 2 {
		return bad
	}
	if from.multiple == "" && to.multiple != "" {
		bad.want = to.multiple + " behind both numbers or none"
		return bad
	}
	currency := from.currency
	if currency == "" {
		currency = to.currency
	}
	if to.currency != "" && to.currency != currency {
		bad.want, bad.code = "one currency", "currency_mismatch"
		return bad
	}
	var err error
	if s.from, err = from.amount(currency); err == nil {
		s.to, err = to.amount(currency)
	}
	if err != nil {
		bad.want += ": " + err.Error()
		return bad
	}
	if order, err := s.from.Compare(s.to); err != nil || order > 0 || s.from.Sign() <= 0 {
		bad.want, bad.code = "a lower end above 0 and an upper one that is no less", "out_of_range"
		return bad
	}
	return nil
}

// price is an amount as people write it, taken apart.
type price struct {
	number   string // decimal text without separators
	multiple string // "K", "M" or ""
	currency money.Currency
}

var (
	// The sign of a currency stands before the number, a code on either side. A
	// comma only groups thousands.
	priceForm     = regexp.MustCompile(`^(?:([€£])|([A-Z]{3}))? ?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?([KM])?(?: ?([A-Z]{3}))?$`)
	betweenPrices = regexp.MustCompile(` ?[-–—] ?| TO `)
)

// signs are the currency signs that stand for one currency alone.
var signs = map[string]money.Currency{"€": "EUR", "£": "GBP"}

// signHint explains why a sign that many currencies share is refused.
func signHint(text string) string {
	if strings.ContainsAny(text, "$¥") {
		return ", with a code such as USD instead of a sign that several currencies share"
	}
	return ""
}

func parsePrice(text string) (price, bool) {
	m := priceForm.FindStringSubmatch(strings.ToUpper(text))
	if m == nil || m[6] != "" && m[1]+m[2] != "" {
		return price{}, false
	}
	p := price{number: strings.ReplaceAll(m[3], ",", "") + m[4], multiple: m[5], currency: money.Currency(m[2] + m[6])}
	if m[1] != "" {
		p.currency = signs[m[1]]
	}
	return p, true
}

func (p price) amount(currency money.Currency) (money.Amount, error) {
	a, err := money.ParseDecimal(p.number, currency)
	if err != nil {
		return money.Amount{}, err
	}
	switch p.multiple {
	case "K":
		return a.Share(1_000, 1, money.HalfUp)
	case "M":
		return a.Share(1_000_000, 1, money.HalfUp)
	}
	return a, nil
}

// bandForm is the key of a credit band: the availability between two bounds, or
// below one, although the word in it is downtime. "_" stands for the point.
var bandForm = regexp.MustCompile(`^downtime_(?:(\d+(?:_\d+)?)_to_|below_)(\d+(?:_\d+)?)_percent$`)

// bandBounds reads the key of a credit band: availability from from (inclusive)
// to below (exclusive).
func bandBounds(key string) (from, below money.Percent, ok bool) {
	m := bandForm.FindStringSubmatch(key)
	if m == nil {
		return 0, 0, false
	}
	bound := func(text string) money.Percent {
		p, err := money.ParsePercent(strings.Replace(text, "_", ".", 1))
		if err != nil || p > money.WholePercent(100) {
			ok = false
		}
		return p
	}
	ok = true
	if m[1] == "" {
		below = bound(m[2])
		return 0, below, ok && below > 0
	}
	from, below = bound(m[2]), bound(m[1])
	return from, below, ok && from < below
}
