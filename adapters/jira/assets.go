package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Direction says which end of a reference between two assets depends on the other.
type Direction bool

// The directions.
const (
	HolderDepends   Direction = false // the asset that has the attribute, "Runs on"
	ReferredDepends Direction = true  // the asset that the attribute refers to, "Hosts"
)

// Assets say what of the asset register of service management is topology.
type Assets struct {
	// Query is the AQL of the assets whose references are read, such as
	// `objectType in ("Service", "Server")`. Defaults to none, and then Edges is
	// unsupported.
	Query string
	// References are the attributes that are dependencies, by their exact names, with
	// their direction. What other attributes refer to is left out, see [AssetsRead].
	// Required with Query.
	References map[string]Direction
	// ByKey names entities by the keys of assets, "ITSM-88", which no two have.
	// Defaults to their labels.
	ByKey bool
	// URL is where the register is; the credential is sent there too. Defaults to
	// BaseURL + "/rest/assets/1.0" on Data Center (one that ends in
	// "/rest/insight/1.0" is asked as Insight was, by IQL), and on Cloud to
	// "https://api.atlassian.com/jsm/assets", or to BaseURL + "/jsm/assets" where
	// BaseURL is "https://api.atlassian.com/ex/jira/<cloud id>", as OAuth 2 needs it.
	URL string
	// Workspace is the id of the register on Cloud. Defaults to the only one of the
	// site, asked for once.
	Workspace string
	// OnRead is told what a list of edges was made of when it has come to its end.
	// Defaults to nobody.
	OnRead func(AssetsRead)
}

// AssetsRead is what a list of edges was made of, and what is not in it.
type AssetsRead struct {
	Assets   int // that the query has
	Edges    int // that were listed
	Repeated int // references that say what an edge of the list says
	Outside  int // entities of edges that the query does not have
	// LeftOut counts what attributes refer to that are not in References, by name.
	LeftOut map[string]int
	// Unreferring counts the values of attributes in References that refer to nothing:
	// the attribute is no reference, or the user may not see what it refers to.
	Unreferring map[string]int
	// Unused are the names in References that no asset had, sorted.
	Unused []string
	// Shared are the labels that several assets have, of the query or of edges, sorted;
	// edges take those assets for one. See [Assets].ByKey.
	Shared []string
	Walks  int // how often the register was read, as it changed meanwhile
}

// maxWalks is how often a register that changes while it is read is read anew.
const maxWalks = 3

// Edges lists what the assets of [Config].Assets refer to as dependencies, in the
// order of the register; the type is the attribute's name. What is referred to and
// not in the query is named by what the reference says of it. What several
// references say alike is listed once, circles are listed as they are.
//
// The register is read in pages, and one that changes meanwhile would show assets twice
// or never. So pages on Cloud overlap by an asset, those of Data Center have to count
// the same, and the list as much as it counts; else it is read anew, three times at
// most, and what was listed already is not listed again. Then the error is
// [adapters.Conflict], as it is where a list is cut. What is not noticed is an asset that
// goes while another comes, between two pages of Data Center. A list costs a request
// for each 100 assets, and on Cloud one more to count.
//
// A token of OAuth 2 needs the scopes read:servicedesk-request and
// read:cmdb-object:jira. Whether what a user may not see is counted on Cloud is not
// documented, nor is more than 1,000 assets of one query; neither was tried.
//
// https://developer.atlassian.com/cloud/assets/rest/api-group-object/
// https://docs.atlassian.com/assets/REST/10.8.0/
func (c *Client) Edges(ctx context.Context) iter.Seq2[adapters.Edge, error] {
	const op = "edges"
	return func(yield func(adapters.Edge, error) bool) {
		fail := func(err error) { yield(adapters.Edge{}, err) }
		if c.config.Assets.Query == "" {
			fail(c.fail(op, "", adapters.Unsupported, "topology needs Config.Assets", nil))
			return
		}
		at, err := c.register(ctx, op)
		if err != nil {
			fail(err)
			return
		}
		listed := map[adapters.Edge]bool{}
		var w *assetWalk
		for n := range maxWalks {
			w = newAssetWalk(&c.config.Assets, n+1)
			for page, err := range c.assetPages(ctx, op, at) {
				var edges []adapters.Edge
				if err == nil {
					if edges, err = w.take(page); err != nil {
						err = c.fail(op, "", adapters.BadResponse, err.Error(), err)
					}
				}
				if err != nil {
					fail(err)
					return
				}
				for _, e := range edges {
					if listed[e] {
						continue // of an earlier walk
					}
					listed[e] = true
					if !yield(e, nil) {
						return
					}
				}
				if w.moved {
					break
				}
			}
			if w.whole() {
				if c.config.Assets.OnRead != nil {
					c.config.Assets.OnRead(w.end(len(listed)))
				}
				return
			}
		}
		fail(c.fail(op, "", adapters.Conflict, fmt.Sprintf(
			"register changed while it was read, or its list is cut: %d assets where it counts %d, at %d tries", len(w.assets), w.total, maxWalks,
		), nil))
	}
}

// assetWalk is one reading of the register.
type assetWalk struct {
	config *Assets
	read   AssetsRead
	total  int  // what the register counts; -1 as long as it has not said
	moved  bool // an asset twice, another count, or pages that do not go on from one another

	assets   map[jsonID]string      // names, by id
	names    map[jsonID]string      // of attributes, by id
	used     map[string]bool        // attributes that are dependencies
	said     map[adapters.Edge]bool // by this walk
	referred map[jsonID]string      // names by id, of what edges refer to
}

func newAssetWalk(c *Assets, n int) *assetWalk {
	return &assetWalk{
		config: c, total: -1, assets: map[jsonID]string{}, names: map[jsonID]string{}, used: map[string]bool{}, said: map[adapters.Edge]bool{},
		referred: map[jsonID]string{}, read: AssetsRead{LeftOut: map[string]int{}, Unreferring: map[string]int{}, Walks: n},
	}
}

// take adds a page and returns the edges that it says first. Its errors are about what
// cannot be understood.
func (w *assetWalk) take(page assetPage) ([]adapters.Edge, error) {
	w.moved = w.moved || page.moved
	if page.count != nil {
		w.moved = w.moved || w.total >= 0 && *page.count != w.total
		w.total = *page.count
	}
	for _, a := range page.Attributes {
		if a.Name != "" {
			w.names[a.ID] = a.Name
		}
	}
	var edges []adapters.Edge
	for _, a := range page.assets() {
		name := w.entity(a.assetName)
		if a.ID == "" || name == "" {
			return nil, errors.New("asset without an id or a name")
		}
		if _, twice := w.assets[a.ID]; twice {
			w.moved = true
			continue
		}
		w.assets[a.ID] = name
		for _, attribute := range a.Attributes {
			of := w.names[attribute.ID]
			if attribute.Type != nil && attribute.Type.Name != "" {
				of = attribute.Type.Name
			}
			direction, depends := w.config.References[of]
			for _, value := range attribute.Values {
				to := value.Referred
				switch {
				case to == nil && depends:
					w.read.Unreferring[of]++
				case to == nil:
				case of == "":
					return nil, fmt.Errorf("asset %q: attribute %q refers to %q and has no name", clip(name, 100), clip(string(attribute.ID), 100), clip(w.entity(*to), 100))
				case !depends:
					w.read.LeftOut[of]++
				default:
					e := adapters.Edge{Dependent: name, Dependency: w.entity(*to), Type: of}
					if e.Dependency == "" {
						return nil, fmt.Errorf("asset %q: attribute %q refers to an asset without a name", clip(name, 100), clip(of, 100))
					}
					if direction == ReferredDepends {
						e.Dependent, e.Dependency = e.Dependency, e.Dependent
					}
					w.used[of] = true
					w.referred[to.ID] = w.entity(*to)
					if w.said[e] {
						w.read.Repeated++
						continue
					}
					w.said[e] = true
					edges = append(edges, e)
				}
			}
		}
	}
	return edges, nil
}

// entity names an asset.
func (w *assetWalk) entity(a assetName) string {
	if w.config.ByKey {
		return cmp.Or(a.Key, string(a.ID))
	}
	return cmp.Or(a.Label, a.Key, string(a.ID))
}

// whole reports whether nothing is known to be missing.
func (w *assetWalk) whole() bool { return !w.moved && len(w.assets) == w.total }

// end is what is told of a walk.
func (w *assetWalk) end(edges int) AssetsRead {
	w.read.Assets, w.read.Edges = len(w.assets), edges
	having := map[string]int{}
	for _, name := range w.assets {
		having[name]++
	}
	for id, name := range w.referred {
		if _, within := w.assets[id]; !within {
			w.read.Outside++
			having[name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.config.References)) {
		if !w.used[name] {
			w.read.Unused = append(w.read.Unused, name)
		}
	}
	maps.DeleteFunc(having, func(_ string, n int) bool { return n == 1 })
	w.read.Shared = slices.Sorted(maps.Keys(having))
	return w.read
}

// register is where assets are asked for.
type register struct {
	cloud     bool
	url       string // without "/" at its end
	workspace string // of Cloud
}

// register finds out where the assets are.
func (c *Client) register(ctx context.Context, op string) (register, error) {
	cloud, err := c.cloud(ctx)
	if err != nil {
		return register{}, err
	}
	at := register{cloud: cloud, url: strings.TrimSuffix(c.config.Assets.URL, "/"), workspace: c.config.Assets.Workspace}
	switch {
	case !cloud:
		at.url = cmp.Or(at.url, c.config.BaseURL+"/rest/assets/1.0")
		return at, nil
	case at.url == "" && c.base.Host == "api.atlassian.com" && strings.HasPrefix(c.base.Path, "/ex/"):
		at.url = c.config.BaseURL + "/jsm/assets"
	default:
		at.url = cmp.Or(at.url, "https://api.atlassian.com/jsm/assets")
	}
	if at.workspace == "" {
		at.workspace, err = c.workspace(ctx, op)
	}
	return at, err
}

// workspace is the only workspace of the site, which is asked for once. The list has
// pages, although a site has one.
//
// https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-assets/
func (c *Client) workspace(ctx context.Context, op string) (string, error) {
	c.mu.Lock()
	known := c.assetsIn
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	var ids []string
	for last := false; !last; {
		var page struct {
			Values []struct {
				ID string `json:"workspaceId"`
			} `json:"values"`
			Last bool `json:"isLastPage"`
		}
		if _, err := c.do(ctx, request{
			op: op, method: http.MethodGet, route: "rest/servicedeskapi/assets/workspace", repeatable: true, into: &page,
			query: url.Values{"start": {strconv.Itoa(len(ids))}, "limit": {"50"}},
		}); err != nil {
			return "", err
		}
		for _, v := range page.Values {
			if !word(v.ID) {
				return "", c.fail(op, "", adapters.BadResponse, fmt.Sprintf("workspace %q: want an id", clip(v.ID, 100)), nil)
			}
			if ids = append(ids, v.ID); len(ids) > 1 {
				return "", c.fail(op, "", adapters.Invalid, fmt.Sprintf("several workspaces, %q and more: name one in Config.Assets.Workspace", ids), nil)
			}
		}
		last = page.Last || len(page.Values) == 0
	}
	if len(ids) == 0 {
		return "", c.fail(op, "", adapters.NotFound, "site has no workspace of assets, which come with Premium of service management, or it may not be seen", nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assetsIn = ids[0]
	return ids[0], nil
}

// assetPages yields the pages of the query. Those of Cloud begin with the last asset of
// the one before, which shows whether the list has moved between them. How many assets
// there are is on no page there, and asked for at the end.
func (c *Client) assetPages(ctx context.Context, op string, at register) iter.Seq2[assetPage, error] {
	if !at.cloud {
		return c.assetPagesByNumber(ctx, op, at)
	}
	return func(yield func(assetPage, error) bool) {
		ask := func(route string, query url.Values, into any) error {
			_, err := c.do(ctx, request{
				op: op, method: http.MethodPost, route: at.url + "/workspace/{workspace}/v1/object/" + route, args: []string{at.workspace}, query: query,
				body: map[string]any{"qlQuery": c.config.Assets.Query}, repeatable: true, into: into, // it reads, whatever its method says
			})
			return err
		}
		unread := func(format string, args ...any) {
			yield(assetPage{}, c.fail(op, "", adapters.BadResponse, fmt.Sprintf(format, args...), nil))
		}
		var before []asset // the last one so far
		for start := 0; ; {
			var page assetPage
			if err := ask("aql", url.Values{"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(pageSize)}, "includeAttributes": {"true"}}, &page); err != nil {
				yield(page, err)
				return
			}
			found := len(page.Values)
			if page.moved = found < len(before) || len(before) > 0 && page.Values[0].ID != before[0].ID; !page.moved {
				page.Values = page.Values[len(before):]
			}
			switch {
			case page.Last == nil:
				unread("page of assets does not say whether it is the last")
				return
			case page.Start != nil && *page.Start != start:
				unread("page of assets begins at %d, want %d", *page.Start, start)
				return
			case len(page.Values) == 0 && !page.moved && !*page.Last:
				unread("page of assets has nothing new and is not the last")
				return
			}
			if !yield(page, nil) {
				return
			}
			if *page.Last {
				break
			}
			before, start = page.Values[len(page.Values)-1:], start+found-1
		}
		var counted struct {
			Count *int `json:"totalCount"`
		}
		err := ask("aql/totalcount", nil, &counted)
		if err == nil && counted.Count == nil {
			unread("register does not say how many assets there are")
			return
		}
		yield(assetPage{count: counted.Count}, err)
	}
}

// assetPagesByNumber are those of Data Center, which count themselves.
func (c *Client) assetPagesByNumber(ctx context.Context, op string, at register) iter.Seq2[assetPage, error] {
	route, language := "/aql/objects", "qlQuery"
	if strings.HasSuffix(at.url, "/rest/insight/1.0") {
		route, language = "/iql/objects", "iql"
	}
	return func(yield func(assetPage, error) bool) {
		seen := 0
		for n := 1; ; n++ {
			var page assetPage
			_, err := c.do(ctx, request{
				op: op, method: http.MethodGet, route: at.url + route, repeatable: true, into: &page,
				query: url.Values{
					language: {c.config.Assets.Query}, "page": {strconv.Itoa(n)}, "resultPerPage": {strconv.Itoa(pageSize)},
					"includeAttributes": {"true"}, "includeAttributesDeep": {"1"}, "includeTypeAttributes": {"true"},
				},
			})
			if err == nil && page.Total == nil {
				err = c.fail(op, "", adapters.BadResponse, "page of assets does not say how many there are", nil)
			}
			page.count = page.Total
			if !yield(page, err) || err != nil {
				return
			}
			if seen += len(page.Entries); seen >= *page.Total || len(page.Entries) == 0 {
				return
			}
		}
	}
}

// assetPage is a page of either deployment.
type assetPage struct {
	Start   *int    `json:"startAt"`
	Last    *bool   `json:"isLast"`
	Values  []asset `json:"values"`           // of Cloud
	Entries []asset `json:"objectEntries"`    // of Data Center
	Total   *int    `json:"totalFilterCount"` // of Data Center
	// Attributes of all types of the page. On Cloud the attributes of assets may have no
	// more than their ids.
	Attributes []assetAttribute `json:"objectTypeAttributes"`

	count *int // of the register, nil if it has not said
	moved bool // the page does not go on where the one before has ended
}

func (p assetPage) assets() []asset {
	if len(p.Values) > 0 {
		return p.Values
	}
	return p.Entries
}

type assetName struct {
	ID    jsonID `json:"id"`
	Label string `json:"label"`
	Key   string `json:"objectKey"`
}

type asset struct {
	assetName
	Attributes []struct {
		ID     jsonID          `json:"objectTypeAttributeId"`
		Type   *assetAttribute `json:"objectTypeAttribute"`
		Values []struct {
			Referred *assetName `json:"referencedObject"`
		} `json:"objectAttributeValues"`
	} `json:"attributes"`
}

type assetAttribute struct {
	ID   jsonID `json:"id"`
	Name string `json:"name"`
}

// jsonID is an id that is a text on Cloud and a number on Data Center.
type jsonID string

// UnmarshalJSON takes either.
func (id *jsonID) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) == nil { // null too
		*id = jsonID(s)
		return nil
	}
	var n json.Number
	err := json.Unmarshal(text, &n)
	*id = jsonID(n)
	return err
}

// verifyAssets asks for the first page of the query.
func (c *Client) verifyAssets(ctx context.Context, report func(string, ...any)) error {
	if c.config.Assets.Query == "" {
		return nil
	}
	at, err := c.register(ctx, "verify")
	if err == nil {
		for _, err = range c.assetPages(ctx, "verify", at) {
			break
		}
	}
	switch adapters.KindOf(err) {
	case adapters.Invalid, adapters.Forbidden, adapters.NotFound:
		report("assets: %v", err)
		return nil
	default:
		return err
	}
}
