// Package locale has what differs between the languages of documents and pages:
// the forms of numbers, money and times, and catalogues of messages.
//
// A [Locale] writes values; [Of] returns that of a language, [Match] chooses one by
// the Accept-Language header of a request. A [Catalogue] holds the words of all
// languages with one set of keys, which [Load] makes sure of; [Catalogue.In] returns
// those of one language.
//
// Forms are those of the Unicode CLDR, release 46 (cldr.unicode.org), where a
// comment does not say otherwise, and English numbers are written without
// separators of thousands, as in machine forms. Everything is safe for concurrent
// use.
package locale

import (
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Locale is how a language writes numbers, money and times. A nil Locale is
// English.
type Locale struct {
	tag            string
	decimal, group string // group separates thousands
	percent        string // between a number and its sign
	codeFirst      bool   // the currency stands before the amount
	date, day      string // layouts of time.Format; day has MMM for the short month
	until          string // between the ends of a range
	months, short  [12]string
	units          [3]string // hours, minutes, seconds; of English those of Go
	form           func(n int) form
}

// languages are those that there are, English first.
var languages = [...]*Locale{
	{
		tag: "en", decimal: ".", percent: " ", date: "2 Jan 2006", day: "2 MMM", until: " to ",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		short:  [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		form:   oneIsOne,
	},
	{
		tag: "de", decimal: ",", group: ".", percent: noBreak, date: "02.01.2006", day: "2. MMM", until: " bis ",
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		short:  [12]string{"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."},
		units:  [3]string{"h", "min", "s"},
		form:   oneIsOne,
	},
	{
		tag: "nl", decimal: ",", group: ".", codeFirst: true, date: "02-01-2006", day: "2 MMM", until: " tot ",
		months: [12]string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
		short:  [12]string{"jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"},
		units:  [3]string{"u", "min", "s"},
		form:   oneIsOne,
	},
	{
		tag: "fr", decimal: ",", group: narrowNoBreak, percent: narrowNoBreak, date: "02/01/2006", day: "2 MMM", until: " – ",
		months: [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		short:  [12]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
		units:  [3]string{"h", "min", "s"},
		form:   zeroIsOne,
	},
}

const noBreak, narrowNoBreak = "\u00a0", "\u202f"

// Of returns the locale of a language tag such as "de" or "de-AT", in any case:
// the language alone decides. It reports false for one that is not there, together
// with English, which can be used all the same.
func Of(tag string) (*Locale, bool) {
	language, _, _ := strings.Cut(tag, "-")
	for _, l := range languages {
		if strings.EqualFold(language, l.tag) {
			return l, true
		}
	}
	return languages[0], false
}

// Tags returns the tags of all languages, English first.
func Tags() []string {
	tags := make([]string, len(languages))
	for i, l := range languages {
		tags[i] = l.tag
	}
	return tags
}

func (l *Locale) or() *Locale {
	if l == nil {
		return languages[0]
	}
	return l
}

// Tag returns the language, for the lang attribute of HTML.
func (l *Locale) Tag() string { return l.or().tag }

// Number writes a number that is given in decimal digits, such as "-1234.5". A
// text that is no such number is returned as it is.
func (l *Locale) Number(text string) string {
	l = l.or()
	digits := strings.TrimPrefix(text, "-")
	whole, rest, fraction := strings.Cut(digits, ".")
	if l.group == "" || !isDigits(whole) || fraction && !isDigits(rest) {
		return text
	}
	var b strings.Builder
	b.Grow(2 * len(text))
	b.WriteString(text[:len(text)-len(digits)])
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.group)
		}
		b.WriteByte(whole[i])
	}
	if fraction {
		b.WriteString(l.decimal)
		b.WriteString(rest)
	}
	return b.String()
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// Percent writes a percentage that is given in decimal digits, with its sign or
// without: "99.9" and "99.9%".
func (l *Locale) Percent(text string) string {
	return l.Number(strings.TrimSuffix(text, "%")) + l.or().percent + "%"
}

// Amount writes an amount with the code of its currency, in English "1000.00 EUR".
// One that is not set is the text that [money.Amount.String] has for it.
func (l *Locale) Amount(a money.Amount) string {
	l = l.or()
	switch {
	case l.group == "" || !a.IsSet():
		return a.String()
	case l.codeFirst:
		return string(a.Currency()) + noBreak + l.Number(a.Decimal())
	}
	return l.Number(a.Decimal()) + noBreak + string(a.Currency())
}

// Time writes an instant in its own zone, to the minute, with the zone's
// abbreviation: "27 Oct 2026 01:00 CET".
func (l *Locale) Time(t time.Time) string { return t.Format(l.or().date + " 15:04 MST") }

// Second writes an instant as [Locale.Time] does, with seconds.
func (l *Locale) Second(t time.Time) string { return t.Format(l.or().date + " 15:04:05 MST") }

// Date writes the day of an instant in its own zone: "27 Oct 2026".
func (l *Locale) Date(t time.Time) string { return t.Format(l.or().date) }

// Day writes the day of an instant in its own zone, without the year: "27 Oct".
func (l *Locale) Day(t time.Time) string {
	l = l.or()
	return strings.Replace(t.Format(l.day), "MMM", l.short[t.Month()-1], 1)
}

// Month writes the month of an instant in its own zone: "October 2026".
func (l *Locale) Month(t time.Time) string {
	return l.or().months[t.Month()-1] + t.Format(" 2006")
}

// ShortMonth writes the month of an instant in its own zone where there is little
// room: "Oct 2026".
func (l *Locale) ShortMonth(t time.Time) string {
	return l.or().short[t.Month()-1] + t.Format(" 2006")
}

// Range writes two instants in the zone of the first: "27 Oct 2026 01:00 CET to 28 Oct
// 2026 02:00 CET". Within a day the second one is a time alone, "27 Oct 2026 01:00 to
// 02:00 CET", and the zone stands once, unless the clock changes between them.
func (l *Locale) Range(from, to time.Time) string {
	l = l.or()
	to = to.In(from.Location())
	_, before := from.Zone()
	_, after := to.Zone()
	switch {
	case from.Format(time.DateOnly) != to.Format(time.DateOnly):
		return l.Time(from) + l.until + l.Time(to)
	case before != after:
		return l.Time(from) + l.until + to.Format("15:04 MST")
	}
	return from.Format(l.date+" 15:04") + l.until + to.Format("15:04 MST")
}

// Duration writes a length of time: in English as Go does, but without units that
// are zero at the end, "8h10m"; elsewhere without any unit that is zero, "8 h 10 min",
// by the symbols of the SI brochure (9th edition, table 8) for German and by the
// narrow forms of the CLDR for Dutch and French.
func (l *Locale) Duration(d time.Duration) string {
	l = l.or()
	if l.units[0] == "" {
		return englishDuration(d)
	}
	sign := ""
	rest := uint64(d)
	if d < 0 {
		sign, rest = "-", -rest
	}
	var parts []string
	digits := func(n uint64) string { return strconv.FormatUint(n, 10) }
	for i, size := range [...]uint64{uint64(time.Hour), uint64(time.Minute)} {
		if rest >= size {
			parts = append(parts, l.Number(digits(rest/size))+noBreak+l.units[i])
			rest %= size
		}
	}
	if rest > 0 || len(parts) == 0 {
		text := digits(rest / uint64(time.Second))
		if fraction := rest % uint64(time.Second); fraction > 0 {
			text += "." + strings.TrimRight(digits(uint64(time.Second) + fraction)[1:], "0")
		}
		parts = append(parts, l.Number(text)+noBreak+l.units[2])
	}
	return sign + strings.Join(parts, noBreak)
}

// englishDuration writes "8h10m" instead of "8h10m0s".
func englishDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
