package contract

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// Options say how a document is to be read.
type Options struct {
	// Path turns the path of a request into one of the document: it takes away a
	// prefix of the server, or maps one version of an API to another. Defaults to the
	// path as it is.
	Path func(path string) string
	// ReadOnlyInRequests accepts properties that the document calls read-only.
	ReadOnlyInRequests bool
	// Except are JSON pointers into bodies at which the document contradicts the
	// vendor itself, "*" for any index or key. What stands there is not checked, and
	// [Contract.Needed] tells which of them still make a difference.
	Except []string
	// Patterns replaces patterns of the document that describe a form in words and are
	// no regular expressions, by some that are.
	Patterns map[string]string
	// IgnoreBody names operations, "PUT /issue/{id}", whose bodies are not compared.
	IgnoreBody []string
}

// Contract is an OpenAPI document against which requests are checked. It is safe
// for concurrent use.
type Contract struct {
	doc     *openapi3.T
	options Options
	routes  []route

	mu         sync.Mutex
	operations map[string]int // requests seen, by operation
	needed     map[string]int // requests that would be violations but for an exception, by exception
	violations []Violation
}

// Violation is a request that the document does not allow.
type Violation struct {
	Operation string // "PUT /incidents/{id}"; the method and path of the request if there is none
	Pointer   string // into the body; "" for other parts of the request
	Text      string
}

// String says what is wrong where.
func (v Violation) String() string {
	return strings.TrimRight(v.Operation+" "+v.Pointer, " ") + ": " + v.Text
}

type route struct {
	name      string // "PUT /incidents/{id}"
	method    string
	steps     []string
	item      *openapi3.PathItem
	operation *openapi3.Operation
}

// Open reads a document of the contracts. The test is skipped, by name, where it
// is not there, and fails if the folder is there, CI is set and the file is not.
func Open(tb testing.TB, name string, o Options) *Contract {
	tb.Helper()
	if _, err := os.Stat(testutil.Shared("contracts")); err == nil && os.Getenv("CI") != "" {
		if _, err := os.Stat(testutil.Shared("contracts", name)); err != nil {
			tb.Fatalf("contract %s is missing beside others: %v", name, err)
		}
	}
	data, err := os.ReadFile(testutil.SharedFile(tb, "contracts", name))
	if err != nil {
		tb.Fatal(err)
	}
	c, err := New(data, o)
	if err != nil {
		tb.Fatalf("contract %s: %v", name, err)
	}
	return c
}

// New reads a document.
func New(data []byte, o Options) (*Contract, error) {
	for words, pattern := range o.Patterns {
		data = bytes.ReplaceAll(data, quoted(words), quoted(pattern))
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	c := &Contract{doc: doc, options: o, operations: map[string]int{}, needed: map[string]int{}}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			c.routes = append(c.routes, route{
				name: method + " " + path, method: method, steps: strings.Split(path, "/"), item: item, operation: operation,
			})
		}
	}
	// Literal steps before parameters: /users/me is not a user of that id.
	slices.SortFunc(c.routes, func(a, b route) int {
		return cmp.Or(strings.Count(a.name, "{")-strings.Count(b.name, "{"), cmp.Compare(a.name, b.name))
	})
	return c, nil
}

// quoted returns a text as it stands in JSON.
func quoted(text string) []byte {
	data, err := json.Marshal(text)
	if err != nil {
		panic("contract: " + err.Error()) // texts have no errors
	}
	return data
}

// Transport checks every request and sends it through base, allowed or not.
func (c *Contract) Transport(base http.RoundTripper) http.RoundTripper {
	return checking{c, base}
}

type checking struct {
	contract *Contract
	base     http.RoundTripper
}

// RoundTrip checks and sends one request.
func (t checking) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	t.contract.Check(r, body)
	return t.base.RoundTrip(r)
}

// Violations returns what was not allowed so far.
func (c *Contract) Violations() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

// Operations returns the operations that were called so far, sorted.
func (c *Contract) Operations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.operations))
}

// Needed returns the exceptions without which requests so far would have been
// violations, sorted.
func (c *Contract) Needed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.needed))
}

// Check compares a request with the document, and notes and returns what is not
// allowed: an operation, header, parameter or value against the schema, and a key
// of a body or query that the schema does not name.
func (c *Contract) Check(r *http.Request, body []byte) []Violation {
	path := r.URL.Path
	if c.options.Path != nil {
		path = c.options.Path(path)
	}
	found, params, ok := c.find(r.Method, path)
	if !ok {
		return c.note(route{name: r.Method + " " + path}, []Violation{{Text: "no such operation"}}, nil)
	}
	violations := c.checkParameters(r, found, params)
	var needed []string
	if !slices.Contains(c.options.IgnoreBody, found.name) {
		var wrong []Violation
		wrong, needed = c.checkBody(r, found.operation, body)
		violations = append(violations, wrong...)
	}
	return c.note(found, violations, needed)
}

func (c *Contract) note(at route, violations []Violation, needed []string) []Violation {
	for i := range violations {
		violations[i].Operation = at.name
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.operations[at.name]++
	for _, exception := range needed {
		c.needed[exception]++
	}
	c.violations = append(c.violations, violations...)
	return violations
}

// find returns the operation of a path, and its parameters by name.
func (c *Contract) find(method, path string) (route, map[string]string, bool) {
	steps := strings.Split(path, "/")
next:
	for _, r := range c.routes {
		if r.method != method || len(r.steps) != len(steps) {
			continue
		}
		params := map[string]string{}
		for i, step := range r.steps {
			name, isParam := strings.CutPrefix(step, "{")
			switch {
			case isParam && steps[i] != "":
				params[strings.TrimSuffix(name, "}")] = steps[i]
			case step != steps[i]:
				continue next
			}
		}
		return r, params, true
	}
	return route{}, nil, false
}

func (c *Contract) checkParameters(r *http.Request, at route, params map[string]string) []Violation {
	var violations []Violation
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{SkipSettingDefaults: true},
	}
	known := map[string]bool{}
	for _, list := range []openapi3.Parameters{at.item.Parameters, at.operation.Parameters} {
		for _, p := range list {
			if p.Value.In == openapi3.ParameterInQuery {
				known[p.Value.Name] = true
			}
			if err := openapi3filter.ValidateParameter(r.Context(), input, p.Value); err != nil {
				violations = append(violations, Violation{Text: err.Error()})
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.URL.Query())) {
		if !known[key] {
			violations = append(violations, Violation{Text: fmt.Sprintf("query parameter %q is not in the document", key)})
		}
	}
	return violations
}

// checkBody returns what is wrong with a body, and the exceptions without which more
// would be.
func (c *Contract) checkBody(r *http.Request, op *openapi3.Operation, body []byte) (violations []Violation, needed []string) {
	if op.RequestBody == nil {
		if len(body) > 0 {
			violations = append(violations, Violation{Text: "the operation takes no body"})
		}
		return violations, nil
	}
	if len(body) == 0 {
		if op.RequestBody.Value.Required {
			violations = append(violations, Violation{Text: "body missing"})
		}
		return violations, nil
	}
	media := op.RequestBody.Value.Content.Get(r.Header.Get("Content-Type"))
	if media == nil {
		return []Violation{{Text: fmt.Sprintf("Content-Type %q is not in the document", r.Header.Get("Content-Type"))}}, nil
	}
	if media.Schema == nil || !strings.Contains(r.Header.Get("Content-Type"), "json") {
		return nil, nil // files and forms
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []Violation{{Text: err.Error()}}, nil
	}
	violations = unknownKeys(media.Schema.Value, value, "")
	options := []openapi3.SchemaValidationOption{openapi3.VisitAsRequest(), openapi3.MultiErrors()}
	if c.options.ReadOnlyInRequests {
		options = append(options, openapi3.DisableReadOnlyValidation())
	}
	for _, err := range each(media.Schema.Value.VisitJSON(value, options...)) {
		wrong, excuses := c.judge(err)
		for _, v := range wrong {
			if !slices.Contains(violations, v) {
				violations = append(violations, v)
			}
		}
		needed = append(needed, excuses...)
	}
	return violations, needed
}

// judge takes an error of a schema apart into the deepest causes that know where
// they are, and the exceptions that excuse some of them. What fits none of its
// alternatives is excused where one of them would fit but for exceptions.
func (c *Contract) judge(err error) (violations []Violation, excuses []string) {
	at, ok := err.(*openapi3.SchemaError) //nolint:errorlint // a chain is taken apart here
	if !ok {
		return []Violation{{Text: err.Error()}}, nil
	}
	if i := slices.IndexFunc(c.options.Except, func(p string) bool { return under(p, at.JSONPointer()) }); i >= 0 {
		return nil, c.options.Except[i : i+1]
	}
	for _, cause := range each(at.Origin) {
		if _, ok := cause.(*openapi3.SchemaError); !ok { //nolint:errorlint // a chain is taken apart here
			continue // it says nothing that at does not say
		}
		wrong, below := c.judge(cause)
		if either := at.SchemaField == "oneOf" || at.SchemaField == "anyOf"; either && len(wrong) == 0 {
			return nil, below
		}
		violations = append(violations, wrong...)
		excuses = append(excuses, below...)
	}
	if len(violations) == 0 && len(excuses) == 0 {
		violations = []Violation{{Pointer: "/" + strings.Join(at.JSONPointer(), "/"), Text: at.Reason}}
	}
	return violations, excuses
}

// under reports whether steps lead to what a pattern names, or below it.
func under(pattern string, steps []string) bool {
	want := strings.Split(pattern, "/")[1:]
	if len(steps) < len(want) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != steps[i] {
			return false
		}
	}
	return true
}

// each takes joined errors apart.
func each(err error) []error {
	switch e := err.(type) { //nolint:errorlint // a chain is taken apart here; errors.As would look below the alternatives
	case nil:
		return nil
	case *openapi3.SchemaError:
		return []error{e}
	case openapi3.MultiError:
		var all []error
		for _, one := range e {
			all = append(all, each(one)...)
		}
		return all
	default:
		if below := errors.Unwrap(err); below != nil {
			return each(below)
		}
		return []error{err}
	}
}

// unknownKeys lists the keys of objects that their schema does not name although it
// names others: most schemas of vendors do not refuse those, so that a misspelt
// key would pass.
func unknownKeys(schema *openapi3.Schema, value any, pointer string) []Violation {
	var violations []Violation
	switch value := value.(type) {
	case map[string]any:
		known, free := properties(schema)
		if free {
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			below := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
			schemas, ok := known[key]
			if !ok {
				violations = append(violations, Violation{Pointer: below, Text: "the schema does not name this key"})
				continue
			}
			violations = append(violations, inEach(schemas, value[key], below)...)
		}
	case []any:
		for i, element := range value {
			violations = append(violations, inEach(items(schema), element, pointer+"/"+strconv.Itoa(i))...)
		}
	}
	return violations
}

// inEach returns the unknown keys of a value by that of its schemas which has the
// fewest: they are alternatives, or parts of one that name different keys.
func inEach(schemas []*openapi3.Schema, value any, pointer string) []Violation {
	if len(schemas) == 0 {
		return nil
	}
	return unknownKeys(&openapi3.Schema{AnyOf: refs(schemas)}, value, pointer)
}

func refs(schemas []*openapi3.Schema) openapi3.SchemaRefs {
	var out openapi3.SchemaRefs
	for _, s := range schemas {
		out = append(out, &openapi3.SchemaRef{Value: s})
	}
	return out
}

// parts returns a schema and all that it is composed of.
func parts(schema *openapi3.Schema) []*openapi3.Schema {
	all := []*openapi3.Schema{schema}
	for _, list := range []openapi3.SchemaRefs{schema.AllOf, schema.OneOf, schema.AnyOf} {
		for _, ref := range list {
			all = append(all, parts(ref.Value)...)
		}
	}
	return all
}

// properties returns what the parts of a schema say of each key, and whether any
// key may stand in its objects.
func properties(schema *openapi3.Schema) (known map[string][]*openapi3.Schema, free bool) {
	known = map[string][]*openapi3.Schema{}
	for _, part := range parts(schema) {
		if part.AdditionalProperties.Schema != nil || part.AdditionalProperties.Has != nil && *part.AdditionalProperties.Has {
			return nil, true
		}
		for name, ref := range part.Properties {
			known[name] = append(known[name], ref.Value)
		}
		for _, name := range part.Required {
			if _, ok := known[name]; !ok {
				known[name] = nil // named and not described
			}
		}
	}
	return known, len(known) == 0
}

func items(schema *openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, part := range parts(schema) {
		if part.Items != nil {
			all = append(all, part.Items.Value)
		}
	}
	return all
}
