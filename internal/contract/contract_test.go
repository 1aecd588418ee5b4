package contract

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const sample = `{"openapi":"3.0.2","info":{"title":"t","version":"1"},"paths":{
"/things/{id}":{"put":{"parameters":[
	{"name":"id","in":"path","required":true,"schema":{"type":"string"}},
	{"name":"From","in":"header","required":true,"schema":{"type":"string"}},
	{"name":"limit","in":"query","schema":{"type":"integer"}}],
 "requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["thing"],"properties":{"thing":{"allOf":[
	{"type":"object","properties":{"id":{"type":"string","readOnly":true}}},
	{"type":"object","required":["type"],"properties":{"name":{"type":"string"},"text":{"type":"object"},"any":{"type":"object"},
	 "list":{"type":"array","items":{"oneOf":[{"type":"object","properties":{"a":{"type":"object"}}},{"type":"string"}]}}}}]}}}}}},
 "responses":{"200":{"description":""}}}},
"/things/mine":{"put":{"responses":{"200":{"description":""}}}}}}`

func TestCheck(t *testing.T) {
	options := Options{
		Path:   func(path string) string { return strings.TrimPrefix(path, "/v2") },
		Except: []string{"/thing/text", "/thing/list/*/a"},
	}
	tests := []struct {
		name, path, header, body string
		readOnly                 bool
		want                     []string // parts of the violations, in order
		needed                   []string
	}{
		{name: "good", path: "/v2/things/7?limit=3", body: `{"thing":{"type":"x","name":"n"}}`},
		{name: "literal before parameter", path: "/things/mine"},
		{name: "no such operation", path: "/thing/7", want: []string{"no such operation"}},
		{name: "required key", path: "/things/7", body: `{"thing":{"name":"n"}}`, want: []string{"/thing"}},
		{name: "wrong type", path: "/things/7", body: `{"thing":{"type":"x","name":3}}`, want: []string{"/thing/name"}},
		{name: "null", path: "/things/7", body: `{"thing":{"type":"x","name":null}}`, want: []string{"/thing/name"}},
		{name: "unknown key", path: "/things/7", body: `{"thing":{"type":"x","namen":"n"}}`, want: []string{"/thing/namen"}},
		{name: "free object", path: "/things/7", body: `{"thing":{"type":"x","any":{"k":{"l":1}}}}`},
		{name: "unknown key in a list", path: "/things/7", body: `{"thing":{"type":"x","list":["s",{"b":1}]}}`, want: []string{"/thing/list/1/b"}},
		{name: "read only", path: "/things/7", body: `{"thing":{"type":"x","id":"7"}}`, want: []string{"readOnly"}},
		{name: "read only accepted", path: "/things/7", readOnly: true, body: `{"thing":{"type":"x","id":"7"}}`},
		{name: "unknown query", path: "/things/7?limti=3", body: `{"thing":{"type":"x"}}`, want: []string{`"limti"`}},
		{name: "wrong query", path: "/things/7?limit=x", body: `{"thing":{"type":"x"}}`, want: []string{"limit"}},
		{name: "header missing", path: "/things/7", header: "X-From", body: `{"thing":{"type":"x"}}`, want: []string{"From"}},
		{name: "exception", path: "/things/7", body: `{"thing":{"type":"x","text":"t"}}`, needed: []string{"/thing/text"}},
		{name: "exception not needed", path: "/things/7", body: `{"thing":{"type":"x","text":{}}}`},
		{name: "exception does not hide others", path: "/things/7", body: `{"thing":{"text":"t"}}`, want: []string{"/thing"}, needed: []string{"/thing/text"}},
		{name: "exception in a list", path: "/things/7", body: `{"thing":{"type":"x","list":[{"a":1}]}}`, needed: []string{"/thing/list/*/a"}},
		{name: "body not wanted", path: "/things/mine", body: `{}`, want: []string{"takes no body"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options.ReadOnlyInRequests = tt.readOnly
			c, err := New([]byte(sample), options)
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: c.Transport(answer(200))}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://host.example"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.header == "" {
				tt.header = "From"
			}
			r.Header.Set(tt.header, "me")
			r.Header.Set("Content-Type", "application/json")
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			got := c.Violations()
			if len(got) != len(tt.want) {
				t.Fatalf("violations %v, want %d", got, len(tt.want))
			}
			for i := range got {
				if !strings.Contains(got[i].String(), tt.want[i]) {
					t.Errorf("violation %q, want one with %q", got[i], tt.want[i])
				}
			}
			if needed := c.Needed(); !slices.Equal(needed, tt.needed) {
				t.Errorf("needed %q, want %q", needed, tt.needed)
			}
			if len(c.Operations()) != 1 {
				t.Errorf("operations %q, want one", c.Operations())
			}
		})
	}
}

// answer is a transport that answers every request with a status.
type answer int

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(a), Body: http.NoBody, Request: r}, nil
}

func TestDocuments(t *testing.T) {
	// Paths and operations by the note that comes with the documents.
	for name, want := range map[string]int{"pagerduty-rest.json": 204, "pagerduty-events.json": 2, "jira-cloud.json": 112} {
		if got := len(Open(t, name, Options{}).routes); got != want {
			t.Errorf("%s has %d operations, want %d", name, got, want)
		}
	}
}
