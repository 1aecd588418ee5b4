package adaptertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type jiraSearch struct {
	JQL        string   `json:"jql"`
	Fields     []string `json:"fields"`
	Properties []string `json:"properties"`
	MaxResults int      `json:"maxResults"`
	StartAt    int      `json:"startAt"`
	Token      string   `json:"nextPageToken"`
	Reconcile  []int    `json:"reconcileIssues"`
}

// readSearch takes a search from the body or from the query. expand is a text on
// Cloud and a list on Data Center.
func (c *jiraCall) readSearch() (s jiraSearch, expand string, problem string) {
	if c.r.Method == http.MethodGet {
		q := c.r.URL.Query()
		s = jiraSearch{JQL: q.Get("jql"), Fields: jiraList(q.Get("fields")), Token: q.Get("nextPageToken"), StartAt: c.number("startAt", 0), MaxResults: c.number("maxResults", 50)}
		for _, id := range jiraList(q.Get("reconcileIssues")) {
			n, _ := strconv.Atoi(id)
			s.Reconcile = append(s.Reconcile, n)
		}
		return s, q.Get("expand"), ""
	}
	var keys map[string]json.RawMessage
	if !c.decode(&keys) || !c.decode(&s) {
		return s, "", "Invalid request payload. Refer to the REST API documentation and try again."
	}
	allowed := []string{"jql", "fields", "maxResults", "expand", "fieldsByKeys", "nextPageToken", "properties", "reconcileIssues"}
	if c.options.DataCenter {
		allowed = []string{"jql", "fields", "maxResults", "expand", "startAt", "validateQuery"}
	}
	for key := range keys {
		if !slices.Contains(allowed, key) {
			return s, "", "Unrecognized field \"" + key + "\""
		}
	}
	if _, given := keys["maxResults"]; !given {
		s.MaxResults = 50
	}
	if raw, ok := keys["expand"]; ok {
		var text string
		var list []string
		switch {
		case !c.options.DataCenter && json.Unmarshal(raw, &text) == nil:
			expand = text
		case c.options.DataCenter && json.Unmarshal(raw, &list) == nil:
			expand = strings.Join(list, ",")
		default:
			return s, "", "Can not deserialize expand"
		}
	}
	return s, expand, ""
}

// oldSearch is the search by numbers. Cloud has removed it and answers 410 since
// autumn 2025 (CHANGE-2046); Data Center has no other, gives fewer issues than are
// asked for where an administrator has said so, and is right at once.
func (c *jiraCall) oldSearch() jiraAnswer {
	if !c.options.DataCenter {
		return jiraFail(http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046")
	}
	s, expand, problem := c.readSearch()
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	found, problem := c.query(s, 0)
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	start := min(s.StartAt, len(found))
	page := found[start:]
	page = page[:min(len(page), s.MaxResults, c.options.MaxPage)]
	fields := s.Fields
	if len(fields) == 0 {
		fields = []string{"*navigable"}
	}
	list := make([]any, len(page))
	for n, i := range page {
		list[n] = c.view(i, fields, nil, expand)
	}
	return jiraOK(map[string]any{"startAt": start, "maxResults": len(page), "total": len(found), "issues": list})
}

// search is the one by tokens, on Cloud: bounded queries alone, no total, ids and
// keys alone unless fields are asked for, and eventually consistent but for the
// issues of reconcileIssues, of which there may be 50 (Jira Cloud platform, "Search
// for issues using JQL enhanced search"). A token goes on with the query it came
// from.
func (c *jiraCall) search() jiraAnswer {
	s, expand, problem := c.readSearch()
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	if len(s.Reconcile) > 50 {
		return jiraFail(http.StatusBadRequest, "The number of issues to reconcile is over the limit of 50.")
	}
	found, problem := c.query(s, c.options.Lag)
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	start := 0
	if s.Token != "" {
		text, err := base64.RawURLEncoding.DecodeString(s.Token)
		number, jql, ok := strings.Cut(string(text), " ")
		if start, _ = strconv.Atoi(number); err != nil || !ok || jql != s.JQL {
			return jiraFail(http.StatusBadRequest, "The provided next page token is invalid.")
		}
	}
	start = min(start, len(found))
	page := found[start:]
	page = page[:min(len(page), max(s.MaxResults, 1), c.options.MaxPage)]
	list := make([]any, len(page))
	for n, i := range page {
		list[n] = c.view(i, s.Fields, s.Properties, expand)
	}
	out := map[string]any{"issues": list, "isLast": start+len(page) >= len(found)}
	if start+len(page) < len(found) {
		out["nextPageToken"] = base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprint(start+len(page), " ", s.JQL)))
	}
	return jiraOK(out)
}

func (c *jiraCall) count() jiraAnswer {
	s, _, problem := c.readSearch()
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	found, problem := c.query(s, c.options.Lag)
	if problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	return jiraOK(map[string]any{"count": len(found)})
}

// query runs a query over the issues as they were a lag ago.
func (c *jiraCall) query(s jiraSearch, lag time.Duration) ([]*jiraIssue, string) {
	where, order, problem := c.parse(s.JQL)
	if problem != "" {
		return nil, problem
	}
	if len(where) == 0 && !c.options.DataCenter {
		return nil, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
	}
	var found []*jiraIssue
	for _, i := range c.issues {
		seen := i
		if lag > 0 && !slices.Contains(s.Reconcile, i.id) {
			if seen = i.before(c.now.Add(-lag)); seen == nil {
				continue
			}
		}
		fits := true
		for _, w := range where {
			fits = fits && w(seen)
		}
		if fits {
			found = append(found, seen)
		}
	}
	slices.SortStableFunc(found, func(a, b *jiraIssue) int {
		for _, by := range order {
			if n := by(a, b); n != 0 {
				return n
			}
		}
		return b.id - a.id // the youngest first, by default
	})
	return found, ""
}

// before returns an issue as it was at an instant; nil if it was not there.
func (i *jiraIssue) before(at time.Time) *jiraIssue {
	for n := len(i.versions) - 1; n >= 0; n-- {
		if !i.versions[n].at.After(at) {
			return &i.versions[n].issue
		}
	}
	return nil
}

type (
	jiraWhere func(*jiraIssue) bool
	jiraOrder func(a, b *jiraIssue) int
)

// parse reads the JQL that is needed here: conditions that are joined by AND, and
// an order. Times are of whole minutes in the zone of the user who is signed in;
// labels are compared without regard to case.
func (c *jiraCall) parse(jql string) (where []jiraWhere, order []jiraOrder, problem string) {
	tokens, ok := jiraTokens(jql)
	if !ok {
		return nil, nil, "Error in the JQL Query."
	}
	for len(tokens) > 0 && !strings.EqualFold(tokens[0], "ORDER") {
		if len(where) > 0 {
			if !strings.EqualFold(tokens[0], "AND") {
				return nil, nil, "Error in the JQL Query: Expecting either 'OR' or 'AND' but got '" + tokens[0] + "'."
			}
			tokens = tokens[1:]
		}
		if len(tokens) < 3 {
			return nil, nil, "Error in the JQL Query: it ends too soon."
		}
		w, problem := c.condition(tokens[0], tokens[1], jiraUnquote(tokens[2]))
		if problem != "" {
			return nil, nil, problem
		}
		where = append(where, w)
		tokens = tokens[3:]
	}
	if len(tokens) == 0 {
		return where, nil, ""
	}
	for field := range strings.SplitSeq(strings.Join(tokens[2:], " "), ",") {
		name, direction, _ := strings.Cut(strings.TrimSpace(field), " ")
		sign := 1
		if strings.EqualFold(strings.TrimSpace(direction), "DESC") {
			sign = -1
		}
		switch strings.ToLower(name) {
		case "created":
			order = append(order, func(a, b *jiraIssue) int { return sign * a.created.Compare(b.created) })
		case "updated":
			order = append(order, func(a, b *jiraIssue) int { return sign * a.updated.Compare(b.updated) })
		case "key", "id":
			order = append(order, func(a, b *jiraIssue) int { return sign * (a.id - b.id) })
		default:
			return nil, nil, "Field '" + name + "' does not exist or you do not have permission to view it."
		}
	}
	return where, order, ""
}

func (c *jiraCall) condition(field, operator, value string) (jiraWhere, string) {
	if property, ok := strings.CutPrefix(field, "issue.property["); ok && (operator == "=" || operator == "in") {
		key, path, _ := strings.Cut(property, "]")
		key, path = jiraUnquote(key), strings.TrimPrefix(path, ".")
		values := jiraValues(operator, value)
		return func(i *jiraIssue) bool {
			var m map[string]any
			return json.Unmarshal(i.properties[key], &m) == nil && slices.ContainsFunc(values, func(v string) bool { return m[path] == v })
		}, ""
	}
	switch name := strings.ToLower(field); {
	case name == "labels" && (operator == "=" || operator == "in"):
		values := jiraValues(operator, value)
		return func(i *jiraIssue) bool {
			return slices.ContainsFunc(i.labels(), func(l string) bool {
				return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(l, v) })
			})
		}, ""
	case name == "project" && operator == "=":
		return func(*jiraIssue) bool { return strings.EqualFold(value, jiraProject) }, ""
	case name == "key" && operator == "=":
		return func(i *jiraIssue) bool { return strings.EqualFold(i.key, value) }, ""
	case name == "status" && operator == "=":
		return func(i *jiraIssue) bool { return strings.EqualFold(i.status, value) }, ""
	case name == "created" || name == "updated":
		at, err := time.ParseInLocation("2006/01/02 15:04", value, c.zone)
		if err != nil {
			return nil, "Date value '" + value + "' for field '" + field + "' is invalid."
		}
		return func(i *jiraIssue) bool {
			is := i.created
			if name == "updated" {
				is = i.updated
			}
			switch operator {
			case ">=":
				return !is.Before(at)
			case "<=":
				return !is.After(at)
			case "<":
				return is.Before(at)
			default:
				return is.After(at)
			}
		}, ""
	}
	return nil, "Field '" + field + "' does not exist or you do not have permission to view it."
}

// jiraTokens takes JQL apart; quoted texts stay quoted.
func jiraTokens(jql string) (tokens []string, ok bool) {
	for jql = strings.TrimSpace(jql); jql != ""; jql = strings.TrimSpace(jql) {
		end := 0
		for end < len(jql) && jql[end] != ' ' {
			if jql[end] == '"' {
				for end++; end < len(jql) && jql[end] != '"'; end++ {
					if jql[end] == '\\' {
						end++
					}
				}
				if end >= len(jql) {
					return nil, false
				}
			}
			end++
		}
		tokens, jql = append(tokens, jql[:end]), jql[end:]
	}
	return tokens, true
}

// jiraValues are what a field is compared with: one value, or those of a list.
func jiraValues(operator, value string) []string {
	if operator != "in" {
		return []string{value}
	}
	values := strings.Split(strings.Trim(value, "()"), ",")
	for i, v := range values {
		values[i] = jiraUnquote(v)
	}
	return values
}

func jiraUnquote(text string) string {
	if s, err := strconv.Unquote(text); err == nil {
		return s
	}
	return text
}
