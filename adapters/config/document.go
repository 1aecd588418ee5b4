package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
)

// Document is a file that was read: it knows where each value stands, so that a
// check of the values can say where a problem is.
type Document struct {
	name      string
	values    map[string]position // by path: where the value stands
	keys      map[string]position // by path: where its key stands
	firsts    map[string]position // by path of a mapping: where its first key stands
	problems  Errors
	suggested map[string]bool // paths that an unknown key probably means
	unread    bool            // the file could not be taken in; nothing else is said about it
}

// Diagnostic is one problem of a file: its path in keys joined by a point and list
// items as [n] from 0, and its Severity one of [Error] and [Warning].
type Diagnostic = diagnostic.Diagnostic

// Errors are all problems of a file, sorted by line, column and code.
type Errors = diagnostic.Errors //nolint:errname // a list, whose name it does not see through an alias

// The severities of a [Diagnostic].
const (
	Error   = diagnostic.Error
	Warning = diagnostic.Warning
)

type position struct{ line, col int }

// Parse decodes one strict YAML document into v, a pointer to a struct with yaml
// tags ("name" or "name,required"), or with json tags where there are none. name
// is the file's name in messages. The error is of type [Errors] and holds every
// problem of the file.
//
// Fields may be strings, booleans, int, int64, float64, the types of this
// package, [time.Time], [time.Duration], money.Amount, incident.Severity, any,
// types that unmarshal their own text or JSON, and structs, pointers, slices and
// maps of these; the keys of a map are strings, severities or of a type that
// unmarshals its own text. Parse panics for a
// field of another type. A list item that is null is an error; an entry of a map
// that is null is left out, or a nil pointer in a map of pointers.
func Parse(name string, data []byte, v any) (*Document, error) {
	d := read(name, data, v)
	return d, d.Err()
}

func read(name string, data []byte, v any) *Document {
	d := newDocument(name)
	if root := d.parse(data); root != nil {
		newDecoder(d).decode(root, v)
	}
	return d
}

func newDocument(name string) *Document {
	return &Document{name: name, values: map[string]position{}, keys: map[string]position{}, firsts: map[string]position{}, suggested: map[string]bool{}}
}

// Err returns the errors as [Errors], nil when there are only warnings or none.
func (d *Document) Err() error {
	var found Errors
	for _, p := range d.problems {
		if p.Severity == Error {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	found.Sort()
	return found
}

// Problems returns errors and warnings, sorted.
func (d *Document) Problems() Errors {
	d.problems.Sort()
	return d.problems
}

// Fail records an error about the value at a path of the file, such as
// "services[1].id". A path that is not in the file stands where the nearest
// part of it does.
func (d *Document) Fail(path, code, format string, args ...any) {
	d.report(path, code, "", fmt.Sprintf(format, args...))
}

// Warn records a warning. It stands at the key of the path where there is one.
func (d *Document) Warn(path, code, format string, args ...any) {
	d.atKey(Warning, path, code, fmt.Sprintf(format, args...))
}

// failKey records an error about a key instead of its value.
func (d *Document) failKey(path, code, format string, args ...any) {
	d.atKey(Error, path, code, fmt.Sprintf(format, args...))
}

func (d *Document) atKey(severity, path, code, message string) {
	at, ok := d.keys[path]
	if !ok {
		at = d.position(path)
	}
	d.add(Diagnostic{Line: at.line, Column: at.col, Severity: severity, Path: path, Code: code, Message: message})
}

// report records an error with a suggestion.
func (d *Document) report(path, code, suggestion, message string) {
	at := d.position(path)
	d.add(Diagnostic{Line: at.line, Column: at.col, Severity: Error, Path: path, Code: code, Message: message, Suggestion: suggestion})
}

func (d *Document) add(p Diagnostic) {
	if d.unread {
		return
	}
	p.File = d.name
	d.problems = append(d.problems, p)
}

// giveUp records the one problem of a file that could not be taken in.
func (d *Document) giveUp(p Diagnostic) {
	d.problems = nil
	d.add(p)
	d.unread = true
}

// position of the value at a path, or of the nearest value around it.
func (d *Document) position(path string) position {
	for {
		if at, ok := d.values[path]; ok {
			return at
		}
		if path == "" {
			return position{1, 1}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// has reports whether the file has a value at the path; null is none.
func (d *Document) has(path string) bool {
	_, ok := d.values[path]
	return ok
}

// states reports whether the file has the key of a path, be its value null or
// not.
func (d *Document) states(path string) bool {
	_, ok := d.keys[path]
	return ok
}

// checkVersion wants version 1, where the file states one.
func (d *Document) checkVersion(version int) {
	if d.has("version") && !d.failed("version") && version != 1 {
		d.Fail("version", "out_of_range", "version %d, want 1", version)
	}
}

// parse returns the root of the only document, or nil after reporting why there
// is none.
func (d *Document) parse(data []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.syntax(err, data)
		return nil
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case err != nil && !errors.Is(err, io.EOF):
		d.syntax(err, data)
		return nil
	case err != nil || len(document.Content) == 0 || isNull(document.Content[0]):
		d.giveUp(Diagnostic{Line: 1, Column: 1, Severity: Error, Code: "empty_document", Message: "the file is empty"})
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		d.add(Diagnostic{Line: second.Line, Column: second.Column, Severity: Error, Code: "second_document", Message: "a second document starts here; want one document in a file"})
	case !errors.Is(err, io.EOF):
		d.syntax(err, data)
		return nil
	}
	return document.Content[0]
}

// ruleOnOneLine finds a rule written as a plain text on the line of its key,
// where ": " inside it ends the text.
var ruleOnOneLine = regexp.MustCompile(`logic:\s+(?i:if)\s.*:\s`)

func (d *Document) syntax(err error, data []byte) {
	p := Diagnostic{Line: 1, Column: 1, Severity: Error, Code: "syntax", Message: "not valid YAML: " + err.Error()}
	if at := new(yaml.LoadError); errors.As(err, &at) {
		p.Line, p.Column, p.Message = max(1, at.Mark.Line), max(1, at.Mark.Column), "not valid YAML: "+at.Message
	}
	if strings.Contains(p.Message, "unknown anchor") {
		p.Message = "not valid YAML: no anchor of that name; quote a text that begins with *" // it may be a secret
	}
	if lines := bytes.Split(data, []byte("\n")); p.Line >= 1 && p.Line <= len(lines) {
		switch line := lines[p.Line-1]; {
		case ruleOnOneLine.Match(line):
			p.Message += `; a rule holds a colon, so it needs a block: put "|" after "logic:" and the rule on the lines below`
		case bytes.HasPrefix(line, []byte("\t")) || bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t")):
			p.Message += "; indent with blanks, not tabs"
		}
	}
	d.giveUp(p)
}

// isNull reports whether a node, or what it is an alias of, is null.
func isNull(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}
