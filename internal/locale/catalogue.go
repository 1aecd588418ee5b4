package locale

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Catalogue holds the messages of all languages. The zero Catalogue has none.
type Catalogue struct {
	words map[string]Words
}

// Words are the messages of one language. The zero Words has none and writes keys.
type Words struct {
	locale *Locale
	texts  map[string]message
}

// form is a plural category of the CLDR.
type form string

// The forms that the languages have for whole numbers. French has "many" besides, for
// millions: a count of a document does not reach them.
const (
	one   form = "one"
	other form = "other"
)

// oneIsOne is the plural of English, German and Dutch, zeroIsOne that of French. The
// sign does not count.
func oneIsOne(n int) form {
	if n == 1 || n == -1 {
		return one
	}
	return other
}

func zeroIsOne(n int) form {
	if n == 0 {
		return one
	}
	return oneIsOne(n)
}

// message is a text in pieces: literal ones, each followed by an argument.
type message []piece

type piece struct {
	literal  string
	argument int // number of the argument behind it, count or none
}

const (
	count = -1 // the {n} of a plural
	none  = -2
)

// Load reads the files <tag>.json of all languages from a folder. A file is an
// object of keys and texts. A text has places for arguments, {0}, {1} and so on. One
// that depends on a count is there once for each plural form of the language, under
// its key with "#one" and "#other" behind it, and has {n} for the count.
//
// A file that is missing, malformed or repeats a key, a key that another language
// does not have, a plural form that is missing, an empty text, and places that are not
// those of the English text are errors, all of them joined.
func Load(fsys fs.FS, dir string) (Catalogue, error) {
	c := Catalogue{words: make(map[string]Words, len(languages))}
	var problems []error
	for _, l := range languages {
		name := path.Join(dir, l.tag+".json")
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("locale: %w", err))
			continue
		}
		texts, err := parse(data)
		if err != nil {
			problems = append(problems, fmt.Errorf("locale: %s: %w", name, err))
		}
		c.words[l.tag] = Words{l, texts}
	}
	if len(problems) > 0 {
		return Catalogue{}, errors.Join(problems...)
	}
	keys := map[string]message{} // of all languages, as the first one has it
	for _, l := range languages {
		for key, text := range c.words[l.tag].texts {
			if _, ok := keys[key]; !ok {
				keys[key] = text
			}
		}
	}
	for _, l := range languages {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if err := c.words[l.tag].check(key, keys[key]); err != nil {
				problems = append(problems, fmt.Errorf("locale: %s: %q: %w", path.Join(dir, l.tag+".json"), key, err))
			}
		}
	}
	if len(problems) > 0 {
		return Catalogue{}, errors.Join(problems...)
	}
	return c, nil
}

// check compares the text of a key with that of another language.
func (w Words) check(key string, like message) error {
	text, ok := w.texts[key]
	if !ok {
		return errors.New("missing, want the key in all languages")
	}
	name, f, plural := strings.Cut(key, "#")
	if plural {
		if form(f) != one && form(f) != other {
			return fmt.Errorf("plural form %q, want one or other", f)
		}
		for _, want := range []form{one, other} {
			if _, ok := w.texts[name+"#"+string(want)]; !ok {
				return fmt.Errorf("plural form %q is missing", want)
			}
		}
		if _, ok := w.texts[name]; ok {
			return errors.New("there with plural forms and without")
		}
	}
	// The singular may leave the count to the word: "one day".
	have, want := text.places(), like.places()
	if form(f) == one {
		delete(have, count)
		delete(want, count)
	}
	if !plural && have[count] {
		return errors.New("{n} is for texts with plural forms")
	}
	if !maps.Equal(have, want) {
		return fmt.Errorf("places %v, want %v as in another language", placeNames(have), placeNames(want))
	}
	return nil
}

// parse reads an object of texts.
func parse(data []byte) (map[string]message, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("want an object of keys and texts")
	}
	texts := map[string]message{}
	var problems []error
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return texts, errors.Join(append(problems, err)...)
		}
		key := t.(string) // the decoder knows no other keys
		var text string
		if err := d.Decode(&text); err != nil {
			return texts, errors.Join(append(problems, fmt.Errorf("%q: %w", key, err))...)
		}
		m, err := newMessage(text)
		switch _, repeated := texts[key]; {
		case repeated:
			err = errors.New("key is repeated")
		case strings.TrimSpace(text) == "":
			err = errors.New("text is empty")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%q: %w", key, err))
		}
		texts[key] = m
	}
	if _, err := d.Token(); err != nil {
		return texts, errors.Join(append(problems, err)...)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		problems = append(problems, errors.New("text behind the object"))
	}
	return texts, errors.Join(problems...)
}

func newMessage(text string) (message, error) {
	var m message
	for {
		literal, rest, ok := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("} without {")
		}
		if !ok {
			return append(m, piece{literal, none}), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		number, err := strconv.Atoi(name)
		switch {
		case closed && name == "n":
			number = count
		case !closed || err != nil || number < 0 || number > 9 || len(name) != 1:
			return nil, fmt.Errorf("place {%s, want {n} or one of {0} to {9}", rest)
		}
		m = append(m, piece{literal, number})
		text = after
	}
}

func (m message) places() map[int]bool {
	places := map[int]bool{}
	for _, p := range m {
		if p.argument != none {
			places[p.argument] = true
		}
	}
	return places
}

func placeNames(places map[int]bool) []string {
	names := []string{}
	for _, p := range slices.Sorted(maps.Keys(places)) {
		if p == count {
			names = append(names, "{n}")
		} else {
			names = append(names, "{"+strconv.Itoa(p)+"}")
		}
	}
	return names
}

// Keys returns the keys of all messages, sorted; a plural has one key without the
// form behind it.
func (c Catalogue) Keys() []string {
	var keys []string
	for key := range c.words[languages[0].tag].texts {
		name, _, _ := strings.Cut(key, "#")
		keys = append(keys, name)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// In returns the messages in a language, and in English where it is not there.
func (c Catalogue) In(tag string) Words {
	l, _ := Of(tag)
	return c.words[l.tag]
}

// Locale returns how the language of the words writes values.
func (w Words) Locale() *Locale { return w.locale.or() }

// Has reports whether there is a message, without plural forms.
func (w Words) Has(key string) bool {
	_, ok := w.texts[key]
	return ok
}

// Text returns a message with its arguments: texts as they are, whole numbers as
// the language writes them, others as [fmt.Sprint] does. A key that is not there is
// returned itself and an argument that is missing leaves its place empty, so that a
// mistake is seen on the page and breaks none.
func (w Words) Text(key string, args ...any) string {
	return w.write(key, key, 0, args)
}

// Count returns the message of a count in the plural form of the language, with the
// count at {n} and the arguments as in [Words.Text].
func (w Words) Count(key string, n int, args ...any) string {
	return w.write(key, key+"#"+string(w.Locale().form(n)), n, args)
}

func (w Words) write(key, full string, n int, args []any) string {
	m, ok := w.texts[full]
	switch {
	case !ok:
		return key
	case len(m) == 1:
		return m[0].literal
	}
	var b strings.Builder
	for _, p := range m {
		b.WriteString(p.literal)
		switch {
		case p.argument == count:
			b.WriteString(w.value(n))
		case p.argument >= 0 && p.argument < len(args):
			b.WriteString(w.value(args[p.argument]))
		}
	}
	return b.String()
}

func (w Words) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return w.Locale().Number(strconv.Itoa(v))
	}
	return fmt.Sprint(v)
}
