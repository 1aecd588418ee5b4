package logs

import (
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// ID names a template of one [Miner]. IDs count from 1 and are never given
// twice; 0 is no template.
type ID uint64

// Kind is what one place of a template stands for.
type Kind uint8

const (
	// Word is a constant: a word or a sign.
	Word Kind = iota
	// Level is a constant too, a severity such as ERROR, and never becomes a
	// wildcard.
	Level
	// Key is a key of JSON or logfmt. It is a constant and never becomes a wildcard.
	Key
	// Code is a word with a digit, such as eth0 or x86_64: a constant until another
	// one is seen in its place.
	Code
	// Number is a number with sign, decimals and unit.
	Number
	// Address is an IPv4 or IPv6 address, with port or prefix length.
	Address
	// Hardware is an Ethernet address of 48 bits.
	Hardware
	// UUID is 8-4-4-4-12 hexadecimal digits.
	UUID
	// Time is a date, a time of day, or both.
	Time
	// Hex is 0x and digits, or eight and more hexadecimal digits, letters among them.
	Hex
	// Path is a file name with slashes or a URL.
	Path
	// Host is a dotted name.
	Host
	// List is a bracketed list with digits, or any list in JSON.
	List
	// Text is a quoted string, or a string value of JSON and logfmt.
	Text
	// Value is true, false or null in JSON.
	Value
	// Mixed is any token that varies by itself: a mask of any kind, a [Code].
	Mixed
	// Any is one token of whatever kind but a [Level] or [Key].
	Any
	// Gap is a run of tokens, none of them a [Level] or [Key].
	Gap

	kinds = iota
)

var kindNames = [kinds]string{
	"word", "level", "key", "code", "num", "ip", "mac", "uuid", "time", "hex", "path", "host", "list", "str", "val", "mixed", "any", "gap",
}

// String returns a short word: word, level, key, code, num, ip, mac, uuid, time, hex, path, host, list, str,
// val, mixed, any, gap.
func (k Kind) String() string { return enum.String(kindNames[:], "kind", uint8(k)) }

// MarshalText returns the text of String; a number without one is an error.
func (k Kind) MarshalText() ([]byte, error) { return enum.Text(kindNames[:], "logs", "kind", uint8(k)) }

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error {
	n, err := enum.Parse(kindNames[:], "logs", "kind", text)
	if err == nil {
		*k = Kind(n)
	}
	return err
}

var placeholders = func() (p [kinds]string) {
	for k, name := range kindNames {
		p[k] = "<" + name + ">"
	}
	p[Mixed], p[Any], p[Gap] = wildcard, wildcard, wildcard
	return p
}()

// wildcard is how a place without a kind is written.
const wildcard = "<*>"

// varies reports whether tokens of the kind are expected to differ from line to line.
func (k Kind) varies() bool { return k >= Code && k <= Mixed }

// constant reports whether places of the kind hold a text.
func (k Kind) constant() bool { return k <= Code }

// firm reports whether places of the kind never become wildcards.
func (k Kind) firm() bool { return k == Level || k == Key }

// Element is one place of a template.
type Element struct {
	Kind Kind `json:"kind"`
	// Text is the constant of a Word, Level, Key or Code, else empty.
	Text string `json:"text,omitempty"`
	// Glued says that nothing stood between this and the element before it in the
	// first line of the template, or only quotes.
	Glued bool `json:"glued,omitempty"`
}

// String returns the constant, or the kind in angle brackets; <*> for Mixed,
// Any and Gap.
func (e Element) String() string {
	if e.Kind.constant() {
		return e.Text
	}
	return placeholders[e.Kind]
}

// Template is a copy of what a [Miner] knows of one kind of line.
type Template struct {
	ID ID `json:"id"`
	// Text is the template for people, with masks such as <num> and <ip>, and <*>
	// for other wildcards. A line may hold such a text itself: Elements tell.
	Text     string    `json:"text"`
	Elements []Element `json:"elements"`
	// MinGap and MaxGap are how many tokens a Gap stands for, both included; 0 if
	// the template has none.
	MinGap int `json:"min_gap,omitempty"`
	MaxGap int `json:"max_gap,omitempty"`
	// Count is the number of lines learned.
	Count int64 `json:"count"`
	// First and Last are the earliest and the latest instant given with a line, UTC.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Revision is that of the miner when the template became what it is, and Since the
	// instant given with that line.
	Revision uint64    `json:"revision"`
	Since    time.Time `json:"since"`
	// Defined says that the template is one of [Miner.Define].
	Defined bool `json:"defined,omitempty"`
	// Aliases are the ids of templates that were merged into this one, ascending.
	Aliases []ID `json:"aliases,omitempty"`
}

// render writes elements with a blank wherever the first line had one.
func render(elements []Element) string {
	var b strings.Builder
	for i, e := range elements {
		if i > 0 && !e.Glued {
			b.WriteByte(' ')
		}
		b.WriteString(e.String())
	}
	return b.String()
}
