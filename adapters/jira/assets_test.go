package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// landscape has references of both directions, a circle, an edge that is said twice
// over, one that leads out of the query, one to itself, and what is no dependency.
var landscape = []adaptertest.JiraAsset{
	{ID: 1, Type: "Service", Label: "checkout", Refers: map[string][]int{"Runs on": {3, 4, 3}, "Owner": {7}, "Uses": {2}}, Texts: map[string]string{"Note": "old"}},
	{ID: 2, Type: "Service", Label: "payment", Refers: map[string][]int{"Runs on": {2, 9}}, Texts: map[string]string{"Hosts": "none"}},
	{ID: 3, Type: "Server", Label: "srv-a", Refers: map[string][]int{"Hosts": {1}, "Runs on": {4, 8}}},
	{ID: 4, Type: "Server", Label: "srv-b", Refers: map[string][]int{"Runs on": {3}}},
	{ID: 5, Type: "Server", Label: "srv-b"},
	{ID: 7, Type: "Person", Label: "sarah"},
	{ID: 8, Type: "Rack", Label: "rack-1", Refers: map[string][]int{"Runs on": {9}}},
}

// landscapeEdges are what landscape says, by hand.
var landscapeEdges = []adapters.Edge{
	{Dependent: "checkout", Dependency: "srv-a", Type: "Runs on"},
	{Dependent: "checkout", Dependency: "srv-b", Type: "Runs on"},
	{Dependent: "payment", Dependency: "payment", Type: "Runs on"},
	{Dependent: "checkout", Dependency: "srv-a", Type: "Hosts"},
	{Dependent: "srv-a", Dependency: "srv-b", Type: "Runs on"},
	{Dependent: "srv-a", Dependency: "rack-1", Type: "Runs on"},
	{Dependent: "srv-b", Dependency: "srv-a", Type: "Runs on"},
}

// edges lists all of them, and the error.
func edges(t *testing.T, c *Client) (list []adapters.Edge, err error) {
	t.Helper()
	for e, err := range c.Edges(t.Context()) {
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}

func TestEdges(t *testing.T) {
	for name, tt := range map[string]struct {
		o   adaptertest.JiraOptions
		url string
	}{
		"cloud":               {},
		"cloud, OAuth 2":      {url: "https://api.atlassian.com/ex/jira/c1/jsm/assets/"},
		"cloud, small pages":  {o: adaptertest.JiraOptions{MaxPage: 2}},
		"center":              {o: adaptertest.JiraOptions{DataCenter: true}},
		"center, small pages": {o: adaptertest.JiraOptions{DataCenter: true, MaxPage: 2}},
		"insight":             {o: adaptertest.JiraOptions{DataCenter: true}, url: "https://jira.example/rest/insight/1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			var told []AssetsRead
			tt.o.Assets = landscape
			c, _ := with(t, tt.o, func(c *Config) {
				c.Assets.URL, c.Assets.OnRead = tt.url, func(r AssetsRead) { told = append(told, r) }
				c.Assets.References["Depends on"] = HolderDepends
			})
			for range 2 {
				got, err := edges(t, c)
				if err != nil || !reflect.DeepEqual(got, landscapeEdges) {
					t.Errorf("edges %v, %v; want %v", got, err, landscapeEdges)
				}
			}
			want := AssetsRead{
				Assets: 5, Edges: 7, Repeated: 1, Outside: 1, LeftOut: map[string]int{"Owner": 1, "Uses": 1},
				Unreferring: map[string]int{"Hosts": 1, "Runs on": 1}, Unused: []string{"Depends on"}, Shared: []string{"srv-b"}, Walks: 1,
			}
			if len(told) != 2 || !reflect.DeepEqual(told[0], want) || !reflect.DeepEqual(told[1], want) {
				t.Errorf("told %+v, want %+v twice", told, want)
			}
			c.config.Assets.ByKey = true
			got, err := edges(t, c)
			if err != nil || len(got) != 7 || (got[1] != adapters.Edge{Dependent: "ITSM-1", Dependency: "ITSM-4", Type: "Runs on"}) || told[2].Shared != nil {
				t.Errorf("by key %v, %v", got, err)
			}
		})
	}
}

// A label that an asset of the query has, and another that only edges refer to.
func TestEdgesShareLabelOutside(t *testing.T) {
	for name, o := range both {
		var told AssetsRead
		o.Assets = []adaptertest.JiraAsset{
			{ID: 1, Type: "Server", Label: "srv-a", Refers: map[string][]int{"Runs on": {3, 4}}},
			{ID: 2, Type: "Server", Label: "zone-1", Refers: map[string][]int{"Runs on": {1}}},
			{ID: 3, Type: "Rack", Label: "zone-1"},
			{ID: 4, Type: "Rack", Label: "zone-2"},
		}
		c, _ := with(t, o, func(c *Config) { c.Assets.OnRead = func(r AssetsRead) { told = r } })
		if got, err := edges(t, c); err != nil || len(got) != 3 || told.Outside != 2 || !slices.Equal(told.Shared, []string{"zone-1"}) {
			t.Errorf("%s: %v, %v, told %+v; want three, two outside, and that zone-1 is shared", name, got, err, told)
		}
	}
}

// What it costs: on Cloud the workspace once, two counts, and a page for each 100.
func TestEdgesCost(t *testing.T) {
	assets := make([]adaptertest.JiraAsset, 250)
	for i := range assets {
		assets[i] = adaptertest.JiraAsset{ID: i + 1, Type: "Server", Label: fmt.Sprint("srv-", i), Refers: map[string][]int{"Runs on": {251}}}
	}
	for name, want := range map[string][2]int{"cloud": {5, 9}, "data center": {3, 6}} {
		o := both[name]
		o.Assets, o.MaxPage = assets, 100
		c, fake := with(t, o, func(c *Config) { c.Assets.References = map[string]Direction{"Runs on": HolderDepends} })
		for n := range want {
			if got, err := edges(t, c); err != nil || len(got) != 0 {
				t.Errorf("%s: %v, %v; want none, for nobody sees what they refer to", name, got, err)
			}
			if got := len(fake.Requests()); got != want[n] {
				t.Errorf("%s: %d requests, want %d", name, got, want[n])
			}
		}
		if err := drain(c.Edges(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// between does something after a request.
type between struct {
	http.RoundTripper
	n     int
	after func(n int, r *http.Request)
}

func (b *between) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	b.n++
	b.after(b.n, r)
	return response, err
}

// An asset goes while the register is read, and those behind it move up: one would be
// left out. Then one comes, and another is shown twice.
func TestEdgesOfWhatMoves(t *testing.T) {
	all := make([]adaptertest.JiraAsset, 6)
	for i := range all {
		all[i] = adaptertest.JiraAsset{ID: i + 1, Type: "Server", Label: fmt.Sprint("srv-", i+1), Refers: map[string][]int{"Runs on": {6}}}
	}
	for name, o := range both {
		for what, change := range map[string][2][]adaptertest.JiraAsset{"one goes": {all, all[1:]}, "one comes": {all[1:], all}, "one for another": {all[:5], all[1:]}} {
			if what == "one for another" && o.DataCenter {
				continue // is not noticed there
			}
			t.Run(name+", "+what, func(t *testing.T) {
				var told AssetsRead
				o.Assets, o.MaxPage = change[0], 2
				var fake *adaptertest.Jira
				moving := &between{after: func(_ int, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/aql") || strings.HasSuffix(r.URL.Path, "/objects") {
						fake.SetAssets(change[1]...)
					}
				}}
				c, f := with(t, o, func(c *Config) {
					c.Transport, c.Assets.OnRead = moving, func(r AssetsRead) { told = r }
					c.Assets.References = map[string]Direction{"Runs on": HolderDepends}
				})
				fake, moving.RoundTripper = f, f
				got, err := edges(t, c)
				must(t, err)
				for _, a := range change[1] {
					if e := (adapters.Edge{Dependent: a.Label, Dependency: "srv-6", Type: "Runs on"}); !slices.Contains(got, e) {
						t.Errorf("%v is missing in %v", e, got)
					}
				}
				if told.Walks != 2 || told.Assets != len(change[1]) || told.Edges != len(got) {
					t.Errorf("told %+v of %d edges", told, len(got))
				}
			})
		}
		t.Run(name+", always", func(t *testing.T) {
			o.Assets, o.MaxPage = all, 2
			var fake *adaptertest.Jira
			moving := &between{after: func(n int, _ *http.Request) { fake.SetAssets(all[n%2:]...) }}
			c, f := with(t, o, func(c *Config) { c.Transport = moving })
			fake, moving.RoundTripper = f, f
			if _, err := edges(t, c); adapters.KindOf(err) != adapters.Conflict || adapters.Retryable(err) {
				t.Errorf("error %v, want a conflict", err)
			}
		})
	}
}

// answers plays bodies, the last one again and again, by the end of the path.
type answers map[string][]string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	for end, bodies := range a {
		if strings.HasSuffix(r.URL.Path, end) {
			_, _ = io.WriteString(w, bodies[0])
			if len(bodies) > 1 {
				a[end] = bodies[1:]
			}
		}
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

const (
	counted   = `{"totalCount":2}`
	workspace = `{"isLastPage":true,"values":[{"workspaceId":"w-1"}]}`
)

func TestEdgesOfOddAnswers(t *testing.T) {
	one := `{"startAt":0,"isLast":false,"objectTypeAttributes":[{"id":"9","name":"Runs on"}],"values":[{"id":"1","label":"a","attributes":[{"objectTypeAttributeId":"9","objectAttributeValues":[{"referencedObject":{"id":2,"objectKey":"K-2"}}]}]}]}`
	two := `{"startAt":0,"isLast":true,"values":[{"id":"1"},{"id":2,"label":"","objectKey":"K-2","attributes":[{"objectTypeAttributeId":"9","objectTypeAttribute":null,"objectAttributeValues":[{"referencedObject":{"id":"1","label":"a"}}]},{"objectAttributeValues":null}]}]}`
	for name, tt := range map[string]struct {
		bodies answers
		kind   adapters.Kind
	}{
		"good":                    {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one, two}}, 0},
		"cut":                     {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one, two[:100]}}, adapters.BadResponse},
		"no page":                 {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {"null"}}, adapters.BadResponse},
		"a list":                  {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {"[]"}}, adapters.BadResponse},
		"no last":                 {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {`{"values":[{"id":"1","label":"a"}]}`}}, adapters.BadResponse},
		"nothing and more":        {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {`{"isLast":false,"values":[]}`}}, adapters.BadResponse},
		"begins elsewhere":        {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one, strings.Replace(two, `"startAt":0`, `"startAt":1`, 1)}}, adapters.BadResponse},
		"the same for ever":       {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one}}, adapters.BadResponse},
		"does not go on":          {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one, strings.Replace(two, `{"id":"1"},`, "", 1), one, `{"isLast":true}`, one, two}}, 0},
		"never goes on":           {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {one, `{"isLast":true}`, one, `{"isLast":true}`, one, `{"isLast":true}`}}, adapters.Conflict},
		"cut and called complete": {answers{"/workspace": {workspace}, "/totalcount": {`{"totalCount":3}`}, "/aql": {one, two, one, two, one, two}}, adapters.Conflict},
		"no count":                {answers{"/workspace": {workspace}, "/totalcount": {`{}`}, "/aql": {one, two}}, adapters.BadResponse},
		"no name of attribute":    {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {strings.Replace(two, `{"id":"1"},`, "", 1)}}, adapters.BadResponse},
		"no id":                   {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {`{"isLast":true,"values":[{"label":"a"}]}`}}, adapters.BadResponse},
		"id is an object":         {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {`{"isLast":true,"values":[{"id":{},"label":"a"}]}`}}, adapters.BadResponse},
		"refers to nobody":        {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {strings.Replace(one, `"id":2,"objectKey":"K-2"`, "", 1)}}, adapters.BadResponse},
		"deep":                    {answers{"/workspace": {workspace}, "/totalcount": {counted}, "/aql": {`{"isLast":true,"values":` + strings.Repeat("[", 20_000) + `]}`}}, adapters.BadResponse},
		"path for a workspace":    {answers{"/workspace": {strings.Replace(workspace, "w-1", "../../x", 1)}}, adapters.BadResponse},
		"several workspaces":      {answers{"/workspace": {strings.Replace(workspace, "}]", `},{"workspaceId":"w-2"}]`, 1)}}, adapters.Invalid},
		"no workspace":            {answers{"/workspace": {`{"isLastPage":true,"values":[]}`}}, adapters.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := with(t, adaptertest.JiraOptions{}, func(c *Config) { c.Transport = tt.bodies })
			got, err := edges(t, c)
			if adapters.KindOf(err) != tt.kind {
				t.Errorf("edges %v, %v; want %v", got, err, tt.kind)
			}
			if want := []adapters.Edge{{Dependent: "a", Dependency: "K-2", Type: "Runs on"}, {Dependent: "K-2", Dependency: "a", Type: "Runs on"}}; tt.kind == 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("edges %v, want %v", got, want)
			}
		})
	}
	center := `{"objectEntries":[{"id":1,"label":"a"}],"totalFilterCount":1000000}`
	for name, tt := range map[string]struct {
		bodies []string
		kind   adapters.Kind
	}{
		"the same for ever": {[]string{center}, adapters.Conflict},
		"no total":          {[]string{`{"objectEntries":[]}`}, adapters.BadResponse},
		"ends early":        {[]string{center, `{"objectEntries":[],"totalFilterCount":1000000}`}, adapters.Conflict},
	} {
		c, _ := with(t, both["data center"], func(c *Config) { c.Transport = answers{"/objects": tt.bodies} })
		if got, err := edges(t, c); adapters.KindOf(err) != tt.kind {
			t.Errorf("%s: edges %v, %v; want %v", name, got, err, tt.kind)
		}
	}
}

// A limit is waited for if it ends soon, and told if not; what may not be seen is told.
func TestEdgesRefused(t *testing.T) {
	limit := func(wait string) adaptertest.JiraFault {
		return adaptertest.JiraFault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {wait}}}
	}
	for name, tt := range map[string]struct {
		fault adaptertest.JiraFault
		kind  adapters.Kind
		took  time.Duration
	}{
		"limit, soon": {limit("7"), 0, 7 * time.Second},
		"limit, late": {limit("600"), adapters.RateLimited, 0},
		"no rights":   {adaptertest.JiraFault{Status: http.StatusForbidden, Body: `{"errorMessages":["no"]}`}, adapters.Forbidden, 0},
		"gone":        {adaptertest.JiraFault{Status: http.StatusNotFound}, adapters.NotFound, 0},
	} {
		for deployment, o := range both {
			synctest.Test(t, func(t *testing.T) {
				first := true
				o.Assets, o.MaxPage = landscape, 2
				o.Fault = func(_ int, r *http.Request) adaptertest.JiraFault {
					if first && (r.URL.Query().Get("startAt") == "2" || r.URL.Query().Get("page") == "2") {
						first = false
						return tt.fault
					}
					return adaptertest.JiraFault{}
				}
				c, _ := with(t, o, nil)
				start := time.Now()
				got, err := edges(t, c)
				if adapters.KindOf(err) != tt.kind || time.Since(start) != tt.took || tt.kind == 0 && !reflect.DeepEqual(got, landscapeEdges) {
					t.Errorf("%s, %s: %v, %v after %v; want %v after %v", deployment, name, got, err, time.Since(start), tt.kind, tt.took)
				}
			})
		}
	}
	for name, o := range both {
		c, _ := with(t, o, func(c *Config) { c.Assets.Query = "nonsense" })
		if _, err := edges(t, c); adapters.KindOf(err) != adapters.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
		e, ok := errors.AsType[*adapters.Error](c.Verify(t.Context()))
		if !ok || len(e.Details) != 1 || !strings.Contains(e.Details[0], "AQL") {
			t.Errorf("%s: verify %v, want what is wrong with the query", name, e)
		}
		plain, fake := with(t, o, func(c *Config) { c.Assets = Assets{} })
		if _, err := edges(t, plain); adapters.KindOf(err) != adapters.Unsupported || len(fake.Requests()) != 0 || plain.Capabilities().Has(adapters.CanTopology) {
			t.Errorf("%s: without assets: %v after %v", name, err, fake.Requests())
		}
		if !c.Capabilities().Has(adapters.CanTopology) {
			t.Errorf("%s: not among the capabilities", name)
		}
	}
}

// The credential goes to the site and to where the assets are by the configuration, and
// nowhere else, wherever the register points.
func TestEdgesHosts(t *testing.T) {
	for _, tt := range []struct {
		base, url string
		center    bool
		want      []string
	}{
		{"https://acme.atlassian.net", "", false, []string{"https://acme.atlassian.net/rest/servicedeskapi/assets/workspace", "https://api.atlassian.com/jsm/assets/workspace/" + adaptertest.JiraWorkspace + "/v1/object/aql"}},
		{"https://acme.atlassian.net", "https://gate.example/jsm/assets/", false, []string{"https://acme.atlassian.net/rest/servicedeskapi/assets/workspace", "https://gate.example/jsm/assets/workspace/" + adaptertest.JiraWorkspace + "/v1/object/aql"}},
		{"https://api.atlassian.com/ex/jira/c1", "", false, []string{"https://api.atlassian.com/ex/jira/c1/rest/servicedeskapi/assets/workspace", "https://api.atlassian.com/ex/jira/c1/jsm/assets/workspace/" + adaptertest.JiraWorkspace + "/v1/object/aql"}},
		{"https://jira.acme.example/jira/", "", true, []string{"https://jira.acme.example/jira/rest/assets/1.0/aql/objects"}},
	} {
		var asked []string
		o := adaptertest.JiraOptions{DataCenter: tt.center, Assets: landscape}
		c, _ := with(t, o, func(c *Config) {
			inner := c.Transport
			c.BaseURL, c.Assets.URL = tt.base, tt.url
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("Authorization") == "" {
					t.Errorf("%v without the credential", r.URL)
				}
				asked = append(asked, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
				r = r.Clone(r.Context())
				r.URL.Path = strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/ex/jira/c1"), "/jira")
				return inner.RoundTrip(r)
			})
		})
		if got, err := edges(t, c); err != nil || len(got) != 7 || !slices.Equal(asked[:len(tt.want)], tt.want) {
			t.Errorf("%v, %v after %q; want first %q", got, err, asked, tt.want)
		}
	}
	elsewhere := ""
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere = r.Header.Get("Authorization") + r.URL.Path }))
	defer other.Close()
	pointing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer pointing.Close()
	base := resilience.NewBase(nil)
	defer base.CloseIdleConnections()
	for _, center := range []bool{false, true} {
		c, _ := with(t, adaptertest.JiraOptions{DataCenter: center}, func(c *Config) {
			c.Transport, c.Assets.URL, c.Assets.Workspace = base, pointing.URL+"/jsm/assets", "w-1"
		})
		_, err := edges(t, c)
		if adapters.KindOf(err) != adapters.BadResponse || elsewhere != "" || strings.Contains(fmt.Sprintf("%+v", err), canary) {
			t.Errorf("redirected to %q, %v; want a bad response", elsewhere, err)
		}
	}
}

// What the host of the register limits, the site does not: tickets do not wait for it.
func TestEdgesLimitedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := with(t, adaptertest.JiraOptions{Assets: landscape, Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if strings.HasSuffix(r.URL.Path, "/aql") {
				return adaptertest.JiraFault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"600"}}}
			}
			return adaptertest.JiraFault{}
		}}, nil)
		if _, err := edges(t, c); adapters.KindOf(err) != adapters.RateLimited {
			t.Errorf("edges: %v, want a limit", err)
		}
		start := time.Now()
		mustOpen(t, c, "k")
		if took := time.Since(start); took != 0 {
			t.Errorf("opened after %v, want at once", took)
		}
	})
}

// Whoever stops early is left alone.
func TestEdgesStopped(t *testing.T) {
	for name, o := range both {
		o.Assets, o.MaxPage = landscape, 1
		c, fake := with(t, o, func(c *Config) { c.Assets.OnRead = func(AssetsRead) { t.Error("told of half a list") } })
		for _, err := range c.Edges(t.Context()) {
			must(t, err)
			break
		}
		if n := len(fake.Requests()); n > 3 {
			t.Errorf("%s: %d requests for one edge", name, n)
		}
	}
}

func FuzzAssets(f *testing.F) {
	f.Add([]byte(`{"startAt":0,"isLast":true,"objectTypeAttributes":[{"id":"9","name":"Runs on"}],"values":[{"id":"1","label":"a","attributes":[{"objectTypeAttributeId":"9","objectAttributeValues":[{"referencedObject":{"id":2,"objectKey":"K-2"}}]}]}]}`), true)
	f.Add([]byte(`{"objectEntries":[{"id":1,"label":"a","attributes":[{"objectTypeAttribute":{"id":1,"name":"Hosts"},"objectAttributeValues":[{"referencedObject":{"id":2}},{}]}]}],"totalFilterCount":1}`), false)
	f.Fuzz(func(t *testing.T, body []byte, byKey bool) {
		var page assetPage
		if json.Unmarshal(body, &page) != nil {
			return
		}
		w := newAssetWalk(&Assets{References: map[string]Direction{"Runs on": HolderDepends, "Hosts": ReferredDepends}, ByKey: byKey}, 1)
		first, err := w.take(page)
		if err != nil {
			return
		}
		for _, e := range first {
			if e.Dependent == "" || e.Dependency == "" || e.Type == "" {
				t.Errorf("edge %+v lacks a name", e)
			}
		}
		if again, err := w.take(page); err != nil || len(again) > 0 || len(page.assets()) > 0 && (w.whole() || !w.moved) {
			t.Errorf("the same page again: %v, %v", again, err)
		}
		read := w.end(len(first))
		if read.Assets > len(page.assets()) || read.Edges != len(first) || read.Outside > 2*len(first)+read.Repeated {
			t.Errorf("%+v of %d assets", read, len(page.assets()))
		}
	})
}
