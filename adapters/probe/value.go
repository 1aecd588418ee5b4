package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// document is an answer that was read.
type document struct {
	header http.Header
	body   []byte
	tree   any // of the body, once it was asked for
	parsed bool
	broken error
}

// value returns what is at a place, as text. ok is false if there is nothing.
func (d *document) value(s Source) (text string, ok bool, err error) {
	switch {
	case s.Header != "":
		values := d.header.Values(s.Header)
		if len(values) == 0 {
			return "", false, nil
		}
		return values[0], true, nil
	case s.JSON == "":
		return string(d.body), true, nil
	}
	if !d.parsed {
		d.parsed = true
		decoder := json.NewDecoder(bytes.NewReader(d.body))
		decoder.UseNumber()
		if d.broken = decoder.Decode(&d.tree); d.broken == nil {
			if _, err := decoder.Token(); err != io.EOF {
				d.broken = errors.New("more than one value")
			}
		}
	}
	if d.broken != nil {
		return "", false, fmt.Errorf("the body is no JSON: %w", d.broken)
	}
	found, ok := at(d.tree, s.JSON)
	if !ok {
		return "", false, nil
	}
	switch v := found.(type) {
	case string:
		return v, true, nil
	case json.Number:
		return v.String(), true, nil
	case nil:
		return "null", true, nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(found); err != nil {
		return "", false, err
	}
	return strings.TrimSuffix(b.String(), "\n"), true, nil
}

// at follows a pointer of RFC 6901.
func at(tree any, pointer string) (any, bool) {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = unescape.Replace(token)
		switch node := tree.(type) {
		case map[string]any:
			next, ok := node[token]
			if !ok {
				return nil, false
			}
			tree = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) || strconv.Itoa(i) != token {
				return nil, false
			}
			tree = node[i]
		default:
			return nil, false
		}
	}
	return tree, true
}

// test returns why a check does not hold, "" if it does.
func (c Check) test(d *document, variables map[string]string) string {
	place := Source{c.JSON, c.Header}
	got, ok, err := d.value(place)
	switch {
	case err != nil:
		return err.Error()
	case c.Absent && ok:
		return fmt.Sprintf("%s is %s, want none", place, excerpt(got))
	case c.Absent:
		return ""
	case !ok:
		return fmt.Sprintf("%s is not there", place)
	}
	if c.Equals != nil {
		want, unknown := parse(*c.Equals).fill(variables, nil)
		if unknown != "" {
			return fmt.Sprintf("%s: nothing is known of %s", place, unknown)
		}
		if got != want {
			return fmt.Sprintf("%s is %s, want %s", place, excerpt(got), excerpt(want))
		}
	}
	if !strings.Contains(got, c.Contains) {
		return fmt.Sprintf("%s is %s, want %s in it", place, excerpt(got), excerpt(c.Contains))
	}
	if c.Matches != "" {
		if fit, err := regexp.MatchString(c.Matches, got); err != nil || !fit {
			return fmt.Sprintf("%s is %s, want a match of %s", place, excerpt(got), excerpt(c.Matches))
		}
	}
	for _, limit := range []struct {
		text, words string
		side        int
	}{{c.AtLeast, "at least", -1}, {c.AtMost, "at most", 1}} {
		if limit.text == "" {
			continue
		}
		bound, _ := decimal(limit.text)
		n, ok := decimal(strings.TrimSpace(got))
		if !ok || n.Cmp(bound) == limit.side {
			return fmt.Sprintf("%s is %s, want a number, %s %s", place, excerpt(got), limit.words, limit.text)
		}
	}
	return ""
}

// take returns the value of a variable, or why there is none.
func (e Extract) take(d *document) (value, why string) {
	place := Source{e.JSON, e.Header}
	got, ok, err := d.value(place)
	switch {
	case err != nil:
		return "", err.Error()
	case !ok:
		return "", fmt.Sprintf("%s is not there", place)
	case e.Regexp == "":
		return got, ""
	}
	found := regexp.MustCompile(e.Regexp).FindStringSubmatch(got) // checked by Validate
	if found == nil {
		return "", fmt.Sprintf("%s is %s, want a match of %s", place, excerpt(got), excerpt(e.Regexp))
	}
	return found[min(1, len(found)-1)], ""
}

// String names the place.
func (s Source) String() string {
	switch {
	case s.JSON != "":
		return s.JSON
	case s.Header != "":
		return "header " + s.Header
	}
	return "the body"
}

// decimal reads a number exactly. One with an exponent of more than three digits, or
// of more than 100 characters, is none: to compare it could take very long.
func decimal(text string) (*big.Rat, bool) {
	const longest, digits = 100, 3
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if len(text) > longest || len(strings.TrimLeft(exponent, "+-")) > digits || strings.Trim(mantissa, "+-.0123456789") != "" || strings.Contains(mantissa, "/") {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// excerpt quotes the beginning of a text.
func excerpt(text string) string {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(text)
}
