package report

import (
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// locale is how a language writes numbers, money and times.
type locale struct {
	decimal, group string // group separates thousands
	percent        string // between a number and its sign
	codeFirst      bool   // the currency stands before the amount
	layout         string // of an instant
}

// locales are the languages that differ from English, as the Unicode CLDR has
// them: cldr.unicode.org, "numbers" and the short date with the year in full.
var locales = map[string]locale{
	"de": {decimal: ",", group: ".", percent: "\u00a0", layout: "02.01.2006 15:04 MST"},
	"nl": {decimal: ",", group: ".", codeFirst: true, layout: "02-01-2006 15:04 MST"},
	"fr": {decimal: ",", group: "\u202f", percent: "\u202f", layout: "02/01/2006 15:04 MST"},
}

func (r ServiceReport) locale() locale {
	if l, ok := locales[r.Locale]; ok {
		return l
	}
	return locale{decimal: ".", percent: " ", layout: "2 Jan 2006 15:04 MST"}
}

// number writes a number in decimal digits.
func (l locale) number(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, rest, fraction := strings.Cut(text, ".")
	if l.group != "" {
		for at := len(whole) - 3; at > 0; at -= 3 {
			whole = whole[:at] + l.group + whole[at:]
		}
	}
	if fraction {
		whole += l.decimal + rest
	}
	return sign + whole
}

func (r ServiceReport) clock(t time.Time) string { return t.In(r.zone()).Format(r.locale().layout) }

func (r ServiceReport) percent(f sla.Fraction) string {
	if !f.IsSet() {
		return "no data"
	}
	return r.target(f.Percent(6))
}

// target writes a percentage that is given as a text such as "99.9%".
func (r ServiceReport) target(percent string) string {
	l := r.locale()
	return l.number(strings.TrimSuffix(percent, "%")) + l.percent + "%"
}

func (r ServiceReport) amount(a money.Amount) string {
	l := r.locale()
	switch {
	case l.group == "" || !a.IsSet():
		return a.String()
	case l.codeFirst:
		return string(a.Currency()) + "\u00a0" + l.number(a.Decimal())
	}
	return l.number(a.Decimal()) + "\u00a0" + string(a.Currency())
}
