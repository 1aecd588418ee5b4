package adaptertest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SetAssets replaces the assets of the register.
func (j *Jira) SetAssets(assets ...JiraAsset) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.assets = slices.Clone(assets)
}

// workspaces lists them in pages, although a site has one. Without Premium the list
// is empty.
func (c *jiraCall) workspaces() jiraAnswer {
	all := c.options.Workspaces
	start := min(c.number("start", 0), len(all))
	page := all[start:]
	page = page[:min(len(page), c.number("limit", 50), c.options.MaxPage)]
	values := []any{}
	for _, id := range page {
		values = append(values, map[string]any{"workspaceId": id})
	}
	return jiraOK(map[string]any{"size": len(page), "start": start, "limit": len(page), "isLastPage": start+len(page) >= len(all), "values": values})
}

// assetTypes is the AQL that the fake knows.
var assetTypes = regexp.MustCompile(`^objectType (?:= |in )\(?((?:"[^"]*"(?:, *)?)+)\)?$`)

// found are the assets of a query. AQL tells upper from lower case on Data Center alone.
func (c *jiraCall) found(query string) ([]JiraAsset, bool) {
	types := assetTypes.FindStringSubmatch(query)
	if types == nil {
		return nil, false
	}
	written := func(text string) string {
		if c.options.DataCenter {
			return text
		}
		return strings.ToLower(text)
	}
	return slices.DeleteFunc(slices.Clone(c.assets), func(a JiraAsset) bool {
		return !strings.Contains(written(types[1]), written(`"`+a.Type+`"`))
	}), true
}

var assetsRefused = jiraFail(http.StatusBadRequest, "The AQL query is invalid.")

// assetQuery reads the query of a call of Cloud, whose body has nothing else: where a
// page begins and how long it is goes by the URL, and is not looked for in the body.
func (c *jiraCall) assetQuery() ([]JiraAsset, *jiraAnswer) {
	var in struct {
		Query string `json:"qlQuery"`
	}
	if !slices.Contains(c.options.Workspaces, c.args[0]) {
		answer := jiraFail(http.StatusNotFound, "Workspace not found.")
		return nil, &answer
	}
	if c.decode(&in) {
		if found, ok := c.found(in.Query); ok {
			return found, nil
		}
	}
	return nil, &assetsRefused
}

// assetsByStart is a page of Cloud. Ids are texts, attributes have the ids of their
// types alone, whose names are beside the assets, and the page may be shorter than
// was asked for without being the last. total is not documented; where it is seen it
// ends at 1,000.
func (c *jiraCall) assetsByStart() jiraAnswer {
	found, refused := c.assetQuery()
	if refused != nil {
		return *refused
	}
	start := min(c.number("startAt", 0), len(found))
	page := found[start:]
	page = page[:min(len(page), c.number("maxResults", 25), c.options.MaxPage)]
	values := []any{}
	for _, a := range page {
		values = append(values, c.asset(a, c.r.URL.Query().Get("includeAttributes") != "false", false, assetText))
	}
	last := start+len(page) >= len(found)
	return jiraOK(map[string]any{
		"startAt": start, "maxResults": len(page), "total": min(len(found), 1000), "values": values, "last": last, "isLast": last,
		"objectTypeAttributes": assetAttributes(page, assetText),
	})
}

func (c *jiraCall) countAssets() jiraAnswer {
	found, refused := c.assetQuery()
	if refused != nil {
		return *refused
	}
	return jiraOK(map[string]any{"totalCount": len(found)})
}

// assetsByPage is a page of Data Center, of which the first is 1. Ids are numbers, and
// attributes have no names unless types are asked for.
func (c *jiraCall) assetsByPage(language string) jiraAnswer {
	found, ok := c.found(c.r.URL.Query().Get(language))
	if !ok {
		return assetsRefused
	}
	size := max(1, min(c.number("resultPerPage", 25), c.options.MaxPage))
	start := min((max(1, c.number("page", 1))-1)*size, len(found))
	page := found[start:min(start+size, len(found))]
	entries := []any{}
	for _, a := range page {
		entries = append(entries, c.asset(a, true, c.r.URL.Query().Get("includeTypeAttributes") == "true", assetNumber))
	}
	return jiraOK(map[string]any{
		"objectEntries": entries, "totalFilterCount": len(found), "startIndex": start + 1, "toIndex": start + len(page), "pageObjectSize": size,
		"pageNumber": start/size + 1, "pageSize": (len(found) + size - 1) / size,
	})
}

// The forms of ids on Cloud and on Data Center.
func assetText(id int) any   { return strconv.Itoa(id) }
func assetNumber(id int) any { return id }

// asset writes an asset; deep is whether it has its attributes, typed whether those have
// their names. What it refers to comes without attributes, and not at all if it is not
// to be seen.
func (c *jiraCall) asset(a JiraAsset, deep, typed bool, id func(int) any) map[string]any {
	out := map[string]any{
		"id": id(a.ID), "label": a.Label, "objectKey": "ITSM-" + strconv.Itoa(a.ID), "objectType": map[string]any{"id": id(1), "name": a.Type},
	}
	if !deep {
		return out
	}
	attributes := []any{}
	for _, name := range assetNames([]JiraAsset{a}) {
		values := []any{}
		if text, ok := a.Texts[name]; ok {
			values = append(values, map[string]any{"value": text, "displayValue": text, "referencedType": false})
		}
		for _, to := range a.Refers[name] {
			value := map[string]any{"displayValue": "ITSM-" + strconv.Itoa(to), "searchValue": "ITSM-" + strconv.Itoa(to), "referencedType": true}
			if n := slices.IndexFunc(c.assets, func(a JiraAsset) bool { return a.ID == to }); n >= 0 {
				value["referencedObject"] = c.asset(c.assets[n], false, false, id)
			}
			values = append(values, value)
		}
		attribute := map[string]any{"objectTypeAttributeId": id(assetAttributeID(name)), "objectAttributeValues": values}
		if typed {
			attribute["objectTypeAttribute"] = map[string]any{"id": id(assetAttributeID(name)), "name": name}
		}
		attributes = append(attributes, attribute)
	}
	out["attributes"] = attributes
	return out
}

// assetNames are the attributes of assets, sorted.
func assetNames(all []JiraAsset) []string {
	var names []string
	for _, a := range all {
		for name := range a.Refers {
			names = append(names, name)
		}
		for name := range a.Texts {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// assetAttributes are the definitions of the attributes of a page.
func assetAttributes(page []JiraAsset, id func(int) any) []any {
	list := []any{}
	for _, name := range assetNames(page) {
		list = append(list, map[string]any{"id": id(assetAttributeID(name)), "name": name})
	}
	return list
}

// assetAttributeID is the same for a name wherever it stands.
func assetAttributeID(name string) int {
	sum := 0
	for _, r := range name {
		sum = (sum*31 + int(r)) % 1_000_003
	}
	return sum
}
