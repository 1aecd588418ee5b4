package probe

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Journey is what a user does. It is data and can be read from JSON.
//
// Texts of steps may name variables as ${name}; $${ is written for ${ itself. In a URL
// a value is percent-encoded, unless the URL begins with it; in a body it is escaped as
// the Content-Type of the step wants it, within a string of JSON or as part of a form.
type Journey struct {
	Name      string            `json:"name"`
	Variables map[string]string `json:"variables,omitempty"` // known from the beginning
	Steps     []Step            `json:"steps"`
	// Cleanup runs after the steps, whatever became of them and also if the caller has
	// ended the run, each step whatever became of the one before. What it needs and was
	// never found out is left out. It says nothing about the service.
	Cleanup []Step `json:"cleanup,omitempty"`
	// Timeout is how long all steps together may take. Defaults to 1 min.
	Timeout time.Duration `json:"timeout_ns,omitzero"`
	// CleanupTimeout is likewise that of all of Cleanup. Defaults to 30 s.
	CleanupTimeout time.Duration `json:"cleanup_timeout_ns,omitzero"`
}

// Step is one request and what is made of its answer.
type Step struct {
	Name   string            `json:"name"`
	Method string            `json:"method,omitempty"` // defaults to GET
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// Timeout is how long the request may take with its redirects, until the last byte
	// of the answer. Later is down. Defaults to 10 s.
	Timeout time.Duration `json:"timeout_ns,omitzero"`
	// Stay has redirects not followed, so that they can be checked. Defaults to
	// following up to ten.
	Stay bool `json:"stay,omitempty"`
	// Status are those of which the answer has to have one. Defaults to 200 to 299.
	Status  []int     `json:"status,omitempty"`
	Check   []Check   `json:"check,omitempty"`
	Extract []Extract `json:"extract,omitempty"`
}

// Source is where a value of an answer is. With a JSON pointer and a header it is
// there, with neither it is the whole body.
type Source struct {
	JSON   string `json:"json,omitempty"`   // pointer of RFC 6901 such as "/items/0/sku"; "/" is that of a key ""
	Header string `json:"header,omitempty"` // the first of the name
}

// Extract takes a value into a variable. A value that is not there makes the step down.
type Extract struct {
	Name   string `json:"name"`
	JSON   string `json:"json,omitempty"`   // as in a Source
	Header string `json:"header,omitempty"` // likewise
	// Regexp finds a part of the value: its first group, or all that it matches.
	Regexp string `json:"regexp,omitempty"`
}

// Check is what has to hold of a value. All of its conditions have to; there is at
// least one. A number of JSON is compared as it is written, a string as what it says,
// an object or list as its JSON without spaces.
type Check struct {
	JSON   string `json:"json,omitempty"`   // as in a Source
	Header string `json:"header,omitempty"` // likewise

	Equals   *string `json:"equals,omitempty"` // may have variables
	Contains string  `json:"contains,omitempty"`
	Matches  string  `json:"matches,omitempty"`  // a regular expression
	AtLeast  string  `json:"at_least,omitempty"` // a decimal number, compared exactly
	AtMost   string  `json:"at_most,omitempty"`  // likewise
	Absent   bool    `json:"absent,omitempty"`   // there is no such value; alone
}

// JourneyError is a part of a journey that cannot be used.
type JourneyError struct {
	Path  string // such as "steps[1].check[0].matches"
	Value string
	Want  string
}

// Error names path, value and what was expected.
func (e *JourneyError) Error() string {
	return fmt.Sprintf("probe: %s %q: want %s", e.Path, e.Value, e.Want)
}

// Validate returns everything that is wrong with the journey, joined, each an [*Error].
// Variables are known from the beginning or extracted by a step before.
func (j Journey) Validate() error {
	var all []error
	bad := func(path, value, want string) { all = append(all, &JourneyError{path, value, want}) }
	if j.Name == "" {
		bad("name", "", "a name")
	}
	if len(j.Steps) == 0 {
		bad("steps", "", "one step at least")
	}
	if j.Timeout < 0 {
		bad("timeout", j.Timeout.String(), "more than 0")
	}
	if j.CleanupTimeout < 0 {
		bad("cleanup_timeout", j.CleanupTimeout.String(), "more than 0")
	}
	known := map[string]bool{}
	for name := range j.Variables {
		if !isName(name) {
			bad("variables", name, wantName)
		}
		known[name] = true
	}
	names := map[string]bool{}
	for i, s := range j.Steps {
		s.validate(fmt.Sprintf("steps[%d]", i), known, names, bad)
	}
	for i, s := range j.Cleanup {
		s.validate(fmt.Sprintf("cleanup[%d]", i), known, names, bad)
	}
	return errors.Join(all...)
}

func (s Step) validate(path string, known, names map[string]bool, bad func(path, value, want string)) {
	if s.Name == "" || names[s.Name] {
		bad(path+".name", s.Name, "a name that no other step has")
	}
	names[s.Name] = true
	template := func(path, text string) {
		if unknown := parse(text).unknown(known); unknown != "" {
			bad(path, text, fmt.Sprintf("variables that are known here, not %q", unknown))
		}
	}
	template(path+".url", s.URL)
	if t := parse(s.URL); len(t) == 0 || t[0].name == "" && !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://") {
		bad(path+".url", s.URL, `a URL of http or https, or one that begins with a variable`)
	}
	if strings.ContainsFunc(s.Method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		bad(path+".method", s.Method, "a method such as POST")
	}
	for name, value := range s.Header {
		template(path+".header."+name, value)
		if !isToken(name) || strings.ContainsAny(value, "\r\n") {
			bad(path+".header."+name, value, "a name and a value on one line")
		}
	}
	template(path+".body", s.Body)
	if s.Timeout < 0 {
		bad(path+".timeout", s.Timeout.String(), "more than 0")
	}
	for _, code := range s.Status {
		if code < 200 || code > 599 {
			bad(path+".status", strconv.Itoa(code), "200 to 599")
		}
	}
	for i, c := range s.Check {
		c.validate(fmt.Sprintf("%s.check[%d]", path, i), template, bad)
	}
	for i, e := range s.Extract {
		at := fmt.Sprintf("%s.extract[%d]", path, i)
		if !isName(e.Name) {
			bad(at+".name", e.Name, wantName)
		}
		known[e.Name] = true
		Source{e.JSON, e.Header}.validate(at, bad)
		if _, err := regexp.Compile(e.Regexp); err != nil {
			bad(at+".regexp", e.Regexp, "a regular expression")
		}
	}
}

func (s Source) validate(path string, bad func(path, value, want string)) {
	if s.JSON != "" && s.Header != "" {
		bad(path+".header", s.Header, "a pointer or a header, not both")
	}
	if s.JSON != "" && !strings.HasPrefix(s.JSON, "/") {
		bad(path+".json", s.JSON, `a pointer like "/items/0"`)
	}
}

func (c Check) validate(path string, template func(path, text string), bad func(path, value, want string)) {
	Source{c.JSON, c.Header}.validate(path, bad)
	conditions := c.Equals != nil || c.Contains != "" || c.Matches != "" || c.AtLeast != "" || c.AtMost != ""
	switch {
	case c.Absent && (conditions || c.JSON == "" && c.Header == ""):
		bad(path+".absent", "true", "a pointer or a header, and no other condition")
	case !c.Absent && !conditions:
		bad(path, "", "a condition: equals, contains, matches, at_least, at_most or absent")
	}
	if c.Equals != nil {
		template(path+".equals", *c.Equals)
	}
	if _, err := regexp.Compile(c.Matches); err != nil {
		bad(path+".matches", c.Matches, "a regular expression")
	}
	for _, limit := range []struct{ key, text string }{{"at_least", c.AtLeast}, {"at_most", c.AtMost}} {
		if _, ok := decimal(limit.text); limit.text != "" && !ok {
			bad(path+"."+limit.key, limit.text, `a number like "0.95"`)
		}
	}
}

const wantName = "letters, digits and _, not beginning with a digit"

func isName(text string) bool {
	for i, r := range text {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9' || i == 0) {
			return false
		}
	}
	return text != ""
}

// isToken reports whether a text can be the name of a header (RFC 9110 section 5.6.2).
func isToken(text string) bool {
	odd := func(r rune) bool {
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return text != "" && !strings.ContainsFunc(text, odd)
}

// takes reports whether a status is one of those that are wanted.
func (s Step) takes(status int) bool {
	if len(s.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(s.Status, status)
}

func (s Step) method() string {
	if s.Method == "" {
		return http.MethodGet
	}
	return s.Method
}
