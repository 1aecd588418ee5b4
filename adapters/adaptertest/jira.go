package adaptertest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// JiraOptions say which Jira a fake is. The zero value is Cloud with one software
// project OPS, whose search is right at once and which knows no limits.
type JiraOptions struct {
	DataCenter  bool
	ServiceDesk bool          // the project is one of Jira Service Management
	Lag         time.Duration // by which the search of Cloud is behind
	MaxPage     int           // the most issues of a page; defaults to 50
	Burst       int           // calls a second of one method and route; 0 for no limit
	IssueWrites int           // writes to one issue within 2 s; 0 for no limit
	// NoPriority takes the priority off the form on which issues are created.
	NoPriority bool
	// NoResolutionScreen takes the resolution off the screen of transitions, so that
	// issues are done without one.
	NoResolutionScreen bool
	TimeZone           string // of the user who is signed in; defaults to "UTC"
	Now                func() time.Time
	// OnCall are the responders of on-call schedules, by the schedule's id.
	OnCall map[string][]JiraResponder
	// Assets of the register, in its order. Defaults to a register without any.
	Assets []JiraAsset
	// Workspaces of assets on Cloud. Defaults to [JiraWorkspace].
	Workspaces []string
	// Fault says what goes wrong with a request, of which n is its number from 1.
	// Defaults to nothing.
	Fault func(n int, r *http.Request) JiraFault
}

// JiraFault is what goes wrong with a request.
type JiraFault struct {
	Status int         // answered instead of doing anything; 0: does it
	Header http.Header // of that answer
	Body   string
	Lose   bool // does it, and closes the connection without an answer
}

// JiraBot is who the fake takes a caller for.
const JiraBot = "5b10ac8d82e05b22cc7d4ef5"

// JiraField is the id of the one custom field, "Affected service".
const JiraField = "customfield_10010"

// JiraWorkspace is the workspace of assets of a fake that has one.
const JiraWorkspace = "f1668d0c-828c-470c-b7d1-8c4f48cd345a"

// JiraAsset is an asset of the register. Its key is "ITSM-" and the id.
type JiraAsset struct {
	ID          int
	Type, Label string
	// Refers are the ids that an attribute refers to, by its name; one that the register
	// does not have is one that the user may not see.
	Refers map[string][]int
	// Texts are the values of attributes that refer to nothing, by name.
	Texts map[string]string
}

// Jira is a fake of Jira and Jira Service Management, Cloud or Data Center. It keeps
// what it is told, and is wrong in the ways of Jira. It is an http.Handler, and an
// http.RoundTripper without a socket, which works under testing/synctest; as such
// it answers whatever host is asked. It is safe for concurrent use.
type Jira struct {
	options JiraOptions
	zone    *time.Location

	mu       sync.Mutex // guards all below
	issues   []*jiraIssue
	next     int
	requests []string
	calls    map[string][]time.Time // by method and route, or by issue
	hooks    []jiraHook
	files    map[string][]byte
	failed   []map[string]any
	mails    int
	assets   []JiraAsset
}

// jiraIssue is an issue with all that hangs on it.
type jiraIssue struct {
	id               int
	key              string
	fields           map[string]any
	status           string
	properties       map[string]json.RawMessage
	comments         []*jiraComment
	links            map[string]map[string]any // remote links by global id
	related          []JiraLink
	history          []map[string]any
	created, updated time.Time
	versions         []jiraVersion
	clocks           []map[string]any
}

// jiraVersion is an issue as it was from an instant on, for a search that is late.
type jiraVersion struct {
	at    time.Time
	issue jiraIssue
}

type jiraComment struct {
	id         string
	body       string
	public     bool
	visibility any
	created    time.Time
	properties map[string]json.RawMessage
}

// JiraLink relates an issue to another by a type of link.
type JiraLink struct{ Type, From, To string }

// JiraIssue is what a test can see of an issue.
type JiraIssue struct {
	ID, Key     string
	Summary     string
	Description string
	Status      string
	Resolution  string
	Priority    string
	Assignee    string
	Labels      []string
	Comments    []string
	Public      []bool // by comment: whether customers see it
	Files       []string
	Links       []JiraLink
	RemoteLinks int
	Fields      map[string]any
	Properties  map[string]string
}

// JiraResponder is somebody who is on call: a "user" by account id, or a "team" or
// "escalation" with those who are on call in it.
type JiraResponder struct {
	ID, Type string
	Of       []JiraResponder
	From     time.Time // zero: always
}

// NewJira returns a fake without issues.
func NewJira(o JiraOptions) *Jira {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxPage == 0 {
		o.MaxPage = 50
	}
	if o.TimeZone == "" {
		o.TimeZone = "UTC"
	}
	zone, err := time.LoadLocation(o.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	if o.Workspaces == nil {
		o.Workspaces = []string{JiraWorkspace}
	}
	return &Jira{
		options: o, zone: zone, next: 10_000, calls: map[string][]time.Time{}, files: map[string][]byte{}, assets: slices.Clone(o.Assets),
	}
}

// Issues returns all issues, oldest first.
func (j *Jira) Issues() []JiraIssue {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]JiraIssue, len(j.issues))
	for n, i := range j.issues {
		o := JiraIssue{
			ID: strconv.Itoa(i.id), Key: i.key, Status: i.status, Links: slices.Clone(i.related), RemoteLinks: len(i.links),
			Fields: maps.Clone(i.fields), Properties: map[string]string{},
		}
		o.Summary, _ = i.fields["summary"].(string)
		o.Description = jiraText(i.fields["description"])
		o.Resolution, o.Priority = jiraName(i.fields["resolution"]), jiraName(i.fields["priority"])
		o.Assignee = jiraUserID(i.fields["assignee"])
		o.Labels = i.labels()
		for _, c := range i.comments {
			o.Comments, o.Public = append(o.Comments, c.body), append(o.Public, c.public)
		}
		files, _ := i.fields["attachment"].([]any)
		for _, f := range files {
			o.Files = append(o.Files, f.(map[string]any)["filename"].(string)) //nolint:forcetypeassert // made here
		}
		for key, value := range i.properties {
			o.Properties[key] = string(value)
		}
		out[n] = o
	}
	return out
}

// Requests returns the method and route of all requests, "POST /rest/api/2/issue".
func (j *Jira) Requests() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requests)
}

// File returns the content of a file by its name, nil if there is none.
func (j *Jira) File(name string) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.files[name]
}

// Mails returns how many mails were asked for.
func (j *Jira) Mails() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mails
}

// SetClocks gives an issue clocks, as the API of service management writes them.
func (j *Jira) SetClocks(id string, values ...map[string]any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := j.find(id); i != nil {
		i.clocks = values
	}
}

// FailWebhook remembers a delivery that was given up.
func (j *Jira) FailWebhook(id, url, body string, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = append(j.failed, map[string]any{"id": id, "url": url, "body": body, "failureTime": at.UnixMilli()})
}

// RoundTrip answers in memory. A reply that is lost is a connection that was reset.
func (j *Jira) RoundTrip(r *http.Request) (*http.Response, error) { return inMemory(j, r) }

// ServeHTTP answers as Jira does.
func (j *Jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	call := jiraCall{Jira: j, r: r, body: body, now: j.options.Now()}
	route, handle := call.route()
	j.requests = append(j.requests, r.Method+" "+route)
	var fault JiraFault
	if j.options.Fault != nil {
		fault = j.options.Fault(len(j.requests), r)
	}
	answer := jiraAnswer{status: fault.Status, header: fault.Header, body: json.RawMessage(fault.Body)}
	if fault.Status == 0 {
		answer = call.answer(route, handle)
	}
	if fault.Lose {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.header)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Atl-Traceid", "trace-"+strconv.Itoa(len(j.requests)))
	w.WriteHeader(answer.status)
	switch body := answer.body.(type) {
	case nil:
	case json.RawMessage:
		_, _ = w.Write(body)
	default:
		_ = json.NewEncoder(w).Encode(body)
	}
}

// jiraCall is a request that is being answered.
type jiraCall struct {
	*Jira
	r     *http.Request
	body  []byte
	now   time.Time
	v3    bool
	args  []string // of the route
	issue *jiraIssue
}

type jiraAnswer struct {
	status int
	header http.Header
	body   any // nil for none
}

func jiraOK(body any) jiraAnswer { return jiraAnswer{status: http.StatusOK, body: body} }

// jiraFail is an error in the form of the platform.
func jiraFail(status int, messages ...string) jiraAnswer {
	return jiraAnswer{status: status, body: map[string]any{"errorMessages": messages, "errors": map[string]string{}}}
}

// jiraInvalid is an error about fields.
func jiraInvalid(errors map[string]string) jiraAnswer {
	return jiraAnswer{status: http.StatusBadRequest, body: map[string]any{"errorMessages": []string{}, "errors": errors}}
}

// answer checks what is the same for all requests, and handles one.
func (c *jiraCall) answer(route string, handle func() jiraAnswer) jiraAnswer {
	switch {
	case c.r.Header.Get("Authorization") == "":
		return jiraFail(http.StatusUnauthorized, "Client must be authenticated to access this resource.")
	case handle == nil:
		return jiraFail(http.StatusNotFound, "dead link")
	}
	if limited, ok := c.limit(route); ok {
		return limited
	}
	if len(c.args) > 0 && strings.Contains(route, "{issue}") {
		if c.issue = c.find(c.args[0]); c.issue == nil {
			return jiraFail(http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		}
	}
	answer := handle()
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	return answer
}

// route finds what a path means. Version 2 and 3 of the API differ in texts alone.
func (c *jiraCall) route() (string, func() jiraAnswer) {
	path := strings.Trim(c.r.URL.Path, "/")
	c.v3 = strings.HasPrefix(path, "rest/api/3/") && !c.options.DataCenter
	steps := strings.Split(path, "/")
	plain := path
	if _, rest, ok := strings.Cut(path, "/jsm/assets/"); ok && strings.HasPrefix(path, "ex/jira/") {
		plain = "jsm/assets/" + rest // of OAuth 2
	}
	if c.v3 {
		plain = "rest/api/2/" + strings.TrimPrefix(path, "rest/api/3/")
	}
	for _, o := range c.routes() {
		method, pattern, _ := strings.Cut(o.name, " ")
		if args, ok := jiraMatch(pattern, plain); ok && method == c.r.Method {
			c.args = args
			return "/" + pattern, o.handle
		}
	}
	return "/" + strings.Join(steps, "/"), nil
}

// jiraMatch compares a path with a pattern that has {arguments}.
func jiraMatch(pattern, path string) (args []string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{"):
			args = append(args, got[i])
		case want[i] != got[i]:
			return nil, false
		}
	}
	return args, true
}

type jiraRoute struct {
	name   string
	handle func() jiraAnswer
}

func (c *jiraCall) routes() []jiraRoute {
	list := []jiraRoute{
		{"GET rest/api/2/serverInfo", c.serverInfo},
		{"GET rest/api/2/myself", c.myself},
		{"GET rest/api/2/mypermissions", c.permissions},
		{"GET rest/api/2/priority", func() jiraAnswer { return jiraOK(jiraNamed("Highest", "High", "Medium", "Low", "Lowest")) }},
		{"GET rest/api/2/resolution", func() jiraAnswer { return jiraOK(jiraNamed(jiraResolutions...)) }},
		{"GET rest/api/2/issueLinkType", func() jiraAnswer {
			return jiraOK(map[string]any{"issueLinkTypes": jiraNamed("Blocks", "Duplicate", "Relates")})
		}},
		{"GET rest/api/2/project/{project}/statuses", c.statuses},
		{"GET rest/api/2/issue/createmeta/{project}/issuetypes", c.issueTypes},
		{"GET rest/api/2/issue/createmeta/{project}/issuetypes/{type}", c.form},
		{"POST rest/api/2/issue", c.create},
		{"POST rest/api/2/issue/bulk", c.createBulk},
		{"GET rest/api/2/issue/{issue}", c.read},
		{"PUT rest/api/2/issue/{issue}", c.edit},
		{"PUT rest/api/2/issue/{issue}/assignee", c.assign},
		{"GET rest/api/2/issue/{issue}/transitions", c.transitions},
		{"POST rest/api/2/issue/{issue}/transitions", c.transition},
		{"GET rest/api/2/issue/{issue}/comment", c.comments},
		{"POST rest/api/2/issue/{issue}/comment", c.comment},
		{"PUT rest/api/2/comment/{comment}/properties/{key}", c.setCommentProperty},
		{"POST rest/api/2/issue/{issue}/attachments", c.attach},
		{"POST rest/api/2/issue/{issue}/remotelink", c.remoteLink},
		{"POST rest/api/2/issueLink", c.link},
		{"GET rest/api/2/issue/{issue}/properties/{key}", c.property},
		{"PUT rest/api/2/issue/{issue}/properties/{key}", c.setProperty},
		{"POST rest/api/2/issue/{issue}/notify", c.notify},
		{"GET rest/api/2/search", c.oldSearch},
		{"POST rest/api/2/search", c.oldSearch},
	}
	if !c.options.DataCenter {
		// Neither paged histories nor webhooks of apps nor the search by tokens are there
		// on Data Center.
		list = append(list,
			jiraRoute{"POST rest/api/2/search/jql", c.search},
			jiraRoute{"GET rest/api/2/search/jql", c.search},
			jiraRoute{"POST rest/api/2/search/approximate-count", c.count},
			jiraRoute{"GET rest/api/2/issue/{issue}/changelog", c.changelog},
			jiraRoute{"GET rest/api/2/webhook", c.webhooks},
			jiraRoute{"POST rest/api/2/webhook", c.registerWebhooks},
			jiraRoute{"DELETE rest/api/2/webhook", c.deleteWebhooks},
			jiraRoute{"PUT rest/api/2/webhook/refresh", c.refreshWebhooks},
			jiraRoute{"GET rest/api/2/webhook/failed", c.failedWebhooks},
			jiraRoute{"GET rest/servicedeskapi/assets/workspace", c.workspaces},
			jiraRoute{"POST jsm/assets/workspace/{workspace}/v1/object/aql", c.assetsByStart},
			jiraRoute{"POST jsm/assets/workspace/{workspace}/v1/object/aql/totalcount", c.countAssets},
			jiraRoute{"GET jsm/ops/api/{cloud}/v1/schedules/{schedule}/on-calls", c.onCall},
		)
	} else {
		list = append(list,
			jiraRoute{"GET rest/assets/1.0/aql/objects", func() jiraAnswer { return c.assetsByPage("qlQuery") }},
			jiraRoute{"GET rest/insight/1.0/iql/objects", func() jiraAnswer { return c.assetsByPage("iql") }},
		)
	}
	if c.options.ServiceDesk {
		list = append(list,
			jiraRoute{"POST rest/servicedeskapi/request", c.createRequest},
			jiraRoute{"GET rest/servicedeskapi/request/{issue}", c.request},
			jiraRoute{"GET rest/servicedeskapi/request/{issue}/sla", c.sla},
			jiraRoute{"POST rest/servicedeskapi/request/{issue}/comment", c.deskComment},
			jiraRoute{"GET rest/servicedeskapi/request/{issue}/transition", c.deskTransitions},
			jiraRoute{"POST rest/servicedeskapi/request/{issue}/transition", c.deskTransition},
		)
	}
	return list
}

// limit applies the limits of calls.
//
// Three limits hold at once, each with its own scope: points of an app by the hour;
// calls by the second of one tenant, endpoint and method, reason jira-burst-based;
// and writes to one issue, reason jira-per-issue-on-write. A 429 says which in
// RateLimit-Reason; X-RateLimit-Reset has the precision of a minute, so that a
// client that goes by it alone waits too long or not at all (Jira Cloud platform,
// "Rate limiting", 2026).
func (c *jiraCall) limit(route string) (jiraAnswer, bool) {
	if c.over(c.r.Method+" "+route, time.Second, c.options.Burst) {
		return c.tooMany("jira-burst-based", time.Second), true
	}
	if c.r.Method != http.MethodGet && strings.Contains(route, "{issue}") && c.over("issue "+c.args[0], 2*time.Second, c.options.IssueWrites) {
		return c.tooMany("jira-per-issue-on-write", 2*time.Second), true
	}
	return jiraAnswer{}, false
}

// over counts a call, and reports whether it is one too many within a window.
func (c *jiraCall) over(what string, window time.Duration, most int) bool {
	if most == 0 {
		return false
	}
	recent := slices.DeleteFunc(c.calls[what], func(at time.Time) bool { return c.now.Sub(at) >= window })
	c.calls[what] = recent
	if len(recent) >= most {
		return true
	}
	c.calls[what] = append(recent, c.now)
	return false
}

func (c *jiraCall) tooMany(reason string, wait time.Duration) jiraAnswer {
	header := http.Header{}
	header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	header.Set("X-Ratelimit-Limit", strconv.Itoa(c.options.Burst))
	header.Set("X-Ratelimit-Remaining", "0")
	header.Set("X-Ratelimit-Reset", c.now.Add(wait).UTC().Format("2006-01-02T15:04Z"))
	header.Set("Ratelimit-Reason", reason)
	return jiraAnswer{status: http.StatusTooManyRequests, header: header, body: map[string]any{"errorMessages": []string{"Rate limit exceeded."}}}
}

// find returns an issue by id or key.
func (j *Jira) find(idOrKey string) *jiraIssue {
	for _, i := range j.issues {
		if strconv.Itoa(i.id) == idOrKey || strings.EqualFold(i.key, idOrKey) {
			return i
		}
	}
	return nil
}

// decode reads the body of a request.
func (c *jiraCall) decode(into any) bool {
	return json.NewDecoder(bytes.NewReader(c.body)).Decode(into) == nil
}

// number reads a number of the query.
func (c *jiraCall) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(c.r.URL.Query().Get(name)); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

func (c *jiraCall) serverInfo() jiraAnswer {
	kind := "Cloud"
	if c.options.DataCenter {
		kind = "Server"
	}
	return jiraOK(map[string]any{"deploymentType": kind, "version": "1001.0.0"})
}

func (c *jiraCall) myself() jiraAnswer {
	who := c.bot()
	who["timeZone"] = c.options.TimeZone
	return jiraOK(who)
}

// bot is who is signed in, by account id on Cloud and by name on Data Center.
func (j *Jira) bot() map[string]any {
	if j.options.DataCenter {
		return map[string]any{"name": JiraBot, "key": JiraBot, "displayName": "Bot"}
	}
	return map[string]any{"accountId": JiraBot, "displayName": "Bot"}
}

func (c *jiraCall) permissions() jiraAnswer {
	if c.r.URL.Query().Get("projectKey") != jiraProject {
		return jiraFail(http.StatusNotFound, "No project could be found with key '"+c.r.URL.Query().Get("projectKey")+"'.")
	}
	have := map[string]any{}
	for name := range strings.SplitSeq(c.r.URL.Query().Get("permissions"), ",") {
		have[name] = map[string]any{"key": name, "havePermission": true}
	}
	return jiraOK(map[string]any{"permissions": have})
}
