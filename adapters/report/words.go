package report

import (
	"embed"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/internal/locale"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

//go:embed words/*.json
var wordFiles embed.FS

// catalogue is what documents say, in all languages. A test makes sure that it loads.
var catalogue = sync.OnceValue(func() locale.Catalogue {
	c, _ := locale.Load(wordFiles, "words")
	return c
})

// language is how a document speaks: its words, its forms of numbers, and the zone
// of its times.
type language struct {
	locale.Words
	zone *time.Location
}

func languageOf(tag string, zone *time.Location) language {
	if zone == nil {
		zone = time.UTC
	}
	return language{catalogue().In(tag), zone}
}

func (d Document) language() language { return languageOf(d.Locale, d.Zone) }

// t returns a text of the catalogue.
func (l language) t(key string, args ...any) string { return l.Text(key, args...) }

// name is the word for a name such as "no_data" of a group such as "outcome". One that
// the catalogue does not have, such as a key figure of the caller's own, is written
// with blanks.
func (l language) name(group, name string) string {
	if key := group + "." + name; l.Has(key) {
		return l.Text(key)
	}
	return words(name)
}

// words writes a name as words: "no_data" as "no data".
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

func (l language) outcome(o sla.Outcome) string {
	if o == "" {
		o = sla.NoData
	}
	return l.name("outcome", string(o))
}

// word is the word of a state.
func (l language) word(s State) string { return l.name("state", string(s)) }

// label joins the glyph of a state with a text; an empty text becomes the word
// of the state.
func (l language) label(s State, text string) string {
	switch {
	case s == "":
		return text
	case text == "":
		text = l.word(s)
	}
	return s.Glyph() + " " + text
}

// clock writes an instant to the minute, second to the second.
func (l language) clock(t time.Time) string  { return l.Locale().Time(t.In(l.zone)) }
func (l language) second(t time.Time) string { return l.Locale().Second(t.In(l.zone)) }

func (l language) span(from, to time.Time) string { return l.t("from_to", l.clock(from), l.clock(to)) }

func (l language) number(text string) string       { return l.Locale().Number(text) }
func (l language) count(n int) string              { return l.Locale().Number(strconv.Itoa(n)) }
func (l language) duration(d time.Duration) string { return l.Locale().Duration(d) }
func (l language) amount(a money.Amount) string    { return l.Locale().Amount(a) }

func (l language) percent(f sla.Fraction) string {
	if !f.IsSet() {
		return l.t("no_data")
	}
	return l.target(f.Percent(6))
}

// target writes a percentage that is given as a text such as "99.9%".
func (l language) target(percent string) string { return l.Locale().Percent(percent) }

// limit writes a limit such as "> 99.5%" or "> 4.5/5", whose numbers have decimals.
func (l language) limit(text string) string {
	if l.Locale().Tag() == "en" {
		return text
	}
	fields := strings.Fields(text)
	for i, field := range fields {
		number, of, share := strings.Cut(field, "/")
		switch {
		case strings.HasSuffix(field, "%"):
			fields[i] = l.target(field)
		case share:
			fields[i] = l.number(number) + "/" + of
		default:
			fields[i] = l.number(field)
		}
	}
	return strings.Join(fields, " ")
}

// mean writes a mean of durations in whole seconds, cut off.
func (l language) mean(f sla.Figure) string {
	if !f.IsSet() {
		return l.t("no_data")
	}
	whole, err := strconv.ParseInt(f.Decimal(0), 10, 64)
	if err != nil || whole > math.MaxInt64/int64(time.Second) {
		return l.number(f.Decimal(0)) + " s"
	}
	return l.duration(time.Duration(whole) * time.Second)
}

// asOf says for which instant a document speaks, and from how many sources.
func (l language) asOf(d Document) string {
	return l.Count("as_of", len(d.Sources), l.second(d.Generated))
}
