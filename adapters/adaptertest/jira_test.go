package adaptertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// naive is a client that believes that Jira is simple.
type naive struct {
	t    *testing.T
	jira *Jira
}

// ask makes one request and returns the answer.
func (n naive) ask(method, path, body string) (int, http.Header, map[string]any) {
	n.t.Helper()
	r := httptest.NewRequestWithContext(n.t.Context(), method, "https://jira.example/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	response, err := n.jira.RoundTrip(r)
	if err != nil {
		return 0, nil, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	var answer map[string]any
	_ = json.Unmarshal(text, &answer) // lists and empty bodies are none
	return response.StatusCode, response.Header, answer
}

// create makes an issue with a label and returns its id.
func (n naive) create(label string) string {
	n.t.Helper()
	status, _, answer := n.ask("POST", "rest/api/2/issue", `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"s","labels":["`+label+`"]}}`)
	if status != http.StatusCreated {
		n.t.Fatalf("create: %d %v", status, answer)
	}
	return answer["id"].(string) //nolint:forcetypeassert // a test
}

// issues are those of an answer.
func issues(answer map[string]any) []any {
	list, _ := answer["issues"].([]any)
	return list
}

func search(jql, more string) string { return fmt.Sprintf(`{"jql":%q,"maxResults":50%s}`, jql, more) }

// Each test is of a quirk: what a naive client does, and what goes wrong with it.

func TestJiraOldSearchIsGone(t *testing.T) {
	for _, path := range []string{"rest/api/2/search", "rest/api/3/search"} {
		n := naive{t, NewJira(JiraOptions{})}
		if status, _, _ := n.ask("POST", path, search("project = OPS", `,"startAt":0`)); status != http.StatusGone {
			t.Errorf("%s: %d, want 410 on Cloud", path, status)
		}
	}
	n := naive{t, NewJira(JiraOptions{DataCenter: true})}
	if status, _, _ := n.ask("POST", "rest/api/2/search/jql", search("project = OPS", "")); status != http.StatusNotFound {
		t.Errorf("search/jql: %d, want 404 on Data Center", status)
	}
	if status, _, _ := n.ask("POST", "rest/api/2/search", search("project = OPS", `,"nextPageToken":"x"`)); status != http.StatusBadRequest {
		t.Errorf("token: %d, want 400 on Data Center", status)
	}
}

func TestJiraSearchIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := naive{t, NewJira(JiraOptions{Lag: 3 * time.Second})}
		id := n.create("key-1")
		ask := func(more string) int {
			_, _, answer := n.ask("POST", "rest/api/2/search/jql", search(`labels = "key-1"`, more))
			return len(issues(answer))
		}
		// A client that looks before it creates makes a second one.
		if got := ask(""); got != 0 {
			t.Errorf("found %d issues at once, want none", got)
		}
		if got := ask(`,"reconcileIssues":[` + id + `]`); got != 1 {
			t.Errorf("found %d issues with the id, want 1", got)
		}
		time.Sleep(3 * time.Second)
		if got := ask(""); got != 1 {
			t.Errorf("found %d issues after the lag, want 1", got)
		}
		ids := strings.Repeat("1,", 50) + "1"
		if status, _, _ := n.ask("POST", "rest/api/2/search/jql", search(`labels = "key-1"`, `,"reconcileIssues":[`+ids+`]`)); status != http.StatusBadRequest {
			t.Errorf("51 ids: %d, want 400", status)
		}
	})
}

func TestJiraSearchGivesIDsAlone(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	n.create("a")
	_, _, answer := n.ask("POST", "rest/api/2/search/jql", search("project = OPS", ""))
	first, _ := issues(answer)[0].(map[string]any)
	if _, ok := first["fields"]; ok {
		t.Error("fields came unasked")
	}
	if _, ok := answer["total"]; ok {
		t.Error("there is a total")
	}
	if status, _, _ := n.ask("POST", "rest/api/2/search/jql", search("ORDER BY created", "")); status != http.StatusBadRequest {
		t.Error("an unbounded query was run")
	}
}

func TestJiraPages(t *testing.T) {
	cloud, dc := naive{t, NewJira(JiraOptions{MaxPage: 2})}, naive{t, NewJira(JiraOptions{MaxPage: 2, DataCenter: true})}
	for k := range 5 {
		cloud.create(strconv.Itoa(k))
		dc.create(strconv.Itoa(k))
	}
	// One page is not the list, whatever was asked for.
	_, _, answer := cloud.ask("POST", "rest/api/2/search/jql", search("project = OPS", ""))
	if len(issues(answer)) != 2 || answer["isLast"] != false || answer["nextPageToken"] == "" {
		t.Errorf("first page %v", answer)
	}
	if status, _, _ := cloud.ask("POST", "rest/api/2/search/jql", search("project = OPS", `,"startAt":2`)); status != http.StatusBadRequest {
		t.Errorf("startAt on Cloud: %d, want 400", status)
	}
	token := fmt.Sprintf(`,"nextPageToken":%q`, answer["nextPageToken"])
	if status, _, _ := cloud.ask("POST", "rest/api/2/search/jql", search("status = Done", token)); status != http.StatusBadRequest {
		t.Errorf("token of another query: %d, want 400", status)
	}
	// Who adds maxResults to startAt skips issues where a page is smaller.
	_, _, answer = dc.ask("POST", "rest/api/2/search", search("project = OPS", `,"startAt":0`))
	if len(issues(answer)) != 2 || answer["total"] != 5.0 || answer["maxResults"] != 2.0 {
		t.Errorf("page of Data Center %v", answer)
	}
}

func TestJiraTransitionsDependOnStatus(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	id := n.create("a")
	do := func(transition, more string) int {
		status, _, _ := n.ask("POST", "rest/api/2/issue/"+id+"/transitions", `{"transition":{"id":"`+transition+`"}`+more+`}`)
		return status
	}
	if got := do("11", ""); got != http.StatusNoContent {
		t.Fatalf("start: %d", got)
	}
	if got := do("11", ""); got != http.StatusBadRequest { // a repeat after a lost answer
		t.Errorf("start again: %d, want 400", got)
	}
	if got := do("31", ""); got != http.StatusBadRequest {
		t.Errorf("finish without a resolution: %d, want 400", got)
	}
	if got := do("31", `,"fields":{"resolution":{"name":"Fixed"}}`); got != http.StatusBadRequest {
		t.Errorf("finish with a resolution that is not there: %d, want 400", got)
	}
	if got := do("31", `,"fields":{"resolution":{"name":"Done"}}`); got != http.StatusNoContent {
		t.Errorf("finish: %d", got)
	}
	bare := naive{t, NewJira(JiraOptions{NoResolutionScreen: true})}
	id = bare.create("a")
	n = bare
	if got := do("31", `,"fields":{"resolution":{"name":"Done"}}`); got != http.StatusBadRequest {
		t.Errorf("resolution that is not on the screen: %d, want 400", got)
	}
	if do("31", ""); bare.jira.Issues()[0].Resolution != "" || bare.jira.Issues()[0].Status != "Done" {
		t.Error("want an issue that is done and has no resolution")
	}
}

func TestJiraBulkAnswersCreatedWithErrors(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	good := `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"s"}}`
	bad := `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"}}}`
	status, _, answer := n.ask("POST", "rest/api/2/issue/bulk", `{"issueUpdates":[`+bad+`,`+good+`]}`)
	errors, _ := answer["errors"].([]any)
	if status != http.StatusCreated || len(issues(answer)) != 1 || len(errors) != 1 {
		t.Errorf("%d %v, want 201 with one issue and one error", status, answer)
	}
	if status, _, answer = n.ask("POST", "rest/api/2/issue/bulk", `{"issueUpdates":[`+bad+`]}`); status != http.StatusBadRequest || answer["errors"] == nil {
		t.Errorf("all refused: %d %v, want 400 with the same form", status, answer)
	}
	if status, _, _ = n.ask("POST", "rest/api/2/issue/bulk", `{"issueUpdates":[`+strings.Repeat(good+",", 50)+good+`]}`); status != http.StatusBadRequest {
		t.Errorf("51 issues: %d, want 400", status)
	}
}

func TestJiraTextsByVersion(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	id := n.create("a")
	const document = `{"type":"doc","version":1,"content":[{"type":"paragraph","content":[{"type":"text","text":"hi"}]}]}`
	for _, tt := range []struct {
		path, text string
		want       int
	}{{"2", `"hi"`, 201}, {"2", document, 400}, {"3", `"hi"`, 400}, {"3", document, 201}} {
		if got, _, _ := n.ask("POST", "rest/api/"+tt.path+"/issue/"+id+"/comment", `{"body":`+tt.text+`}`); got != tt.want {
			t.Errorf("version %s with %s: %d, want %d", tt.path, tt.text, got, tt.want)
		}
	}
	long := strings.Repeat("ä", 32_768)
	if got, _, _ := n.ask("POST", "rest/api/2/issue/"+id+"/comment", `{"body":"`+long+`"}`); got != http.StatusBadRequest {
		t.Errorf("32,768 characters: %d, want 400", got)
	}
	for _, summary := range []string{strings.Repeat("ä", 256), `a\nb`} {
		if got, _, _ := n.ask("PUT", "rest/api/2/issue/"+id, `{"fields":{"summary":"`+summary+`"}}`); got != http.StatusBadRequest {
			t.Errorf("summary %.10q: %d, want 400", summary, got)
		}
	}
	if got, _, _ := n.ask("PUT", "rest/api/2/issue/"+id, `{"fields":{"labels":["a b"]}}`); got != http.StatusBadRequest {
		t.Errorf("label with a space: %d, want 400", got)
	}
	if got, _, _ := n.ask("PUT", "rest/api/2/issue/"+id, `{"fields":{"customfield_9":1}}`); got != http.StatusBadRequest {
		t.Errorf("field that is not there: %d, want 400", got)
	}
}

func TestJiraLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := naive{t, NewJira(JiraOptions{Burst: 3, IssueWrites: 2})}
		id := n.create("a")
		var last int
		var header http.Header
		for range 4 {
			last, header, _ = n.ask("GET", "rest/api/2/issue/"+id, "")
		}
		if last != http.StatusTooManyRequests || header.Get("RateLimit-Reason") != "jira-burst-based" || header.Get("Retry-After") != "1" {
			t.Errorf("fourth read: %d %v, want 429 of the burst", last, header)
		}
		// The reset has the precision of a minute: who goes by it alone asks at once.
		if reset, err := time.Parse("2006-01-02T15:04Z", header.Get("X-RateLimit-Reset")); err != nil || reset.After(time.Now()) {
			t.Errorf("reset %v, %v; want a minute that has begun", reset, err)
		}
		if got, _, _ := n.ask("GET", "rest/api/2/issue/"+id+"/comment", ""); got != http.StatusOK {
			t.Errorf("another route: %d, want 200", got)
		}
		for range 2 {
			last, _, _ = n.ask("PUT", "rest/api/2/issue/"+id, `{"fields":{"summary":"x"}}`)
		}
		if last != http.StatusNoContent {
			t.Fatalf("second write: %d", last)
		}
		last, header, _ = n.ask("POST", "rest/api/2/issue/"+id+"/comment", `{"body":"x"}`)
		if last != http.StatusTooManyRequests || header.Get("RateLimit-Reason") != "jira-per-issue-on-write" {
			t.Errorf("third write to the issue, by another route: %d %v, want 429 of the issue", last, header)
		}
		time.Sleep(2 * time.Second)
		if last, _, _ = n.ask("POST", "rest/api/2/issue/"+id+"/comment", `{"body":"x"}`); last != http.StatusCreated {
			t.Errorf("after 2 s: %d", last)
		}
	})
}

func TestJiraUsersByDeployment(t *testing.T) {
	for _, tt := range []struct {
		o         JiraOptions
		good, bad string
	}{{JiraOptions{}, "accountId", "name"}, {JiraOptions{DataCenter: true}, "name", "accountId"}} {
		n := naive{t, NewJira(tt.o)}
		id := n.create("a")
		if got, _, _ := n.ask("PUT", "rest/api/2/issue/"+id+"/assignee", `{"`+tt.bad+`":"x"}`); got != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", tt.bad, got)
		}
		if got, _, _ := n.ask("PUT", "rest/api/2/issue/"+id+"/assignee", `{"`+tt.good+`":"x"}`); got != http.StatusNoContent {
			t.Errorf("%s: %d, want 204", tt.good, got)
		}
	}
}

// A create whose answer is lost has made an issue: who repeats it has two.
func TestJiraLosesReplies(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{Fault: func(n int, _ *http.Request) JiraFault { return JiraFault{Lose: n == 1} }})}
	body := `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"s"}}`
	for status := 0; status == 0; {
		status, _, _ = n.ask("POST", "rest/api/2/issue", body)
	}
	if got := len(n.jira.Issues()); got != 2 {
		t.Errorf("%d issues, want the naive client to have made 2", got)
	}
}

func TestJiraAttachmentsNeedAToken(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	id := n.create("a")
	if got, _, _ := n.ask("POST", "rest/api/2/issue/"+id+"/attachments", "x"); got != http.StatusForbidden {
		t.Errorf("attachment without X-Atlassian-Token: %d, want 403", got)
	}
}

func TestJiraLabelsIgnoreCase(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{})}
	n.create("KEY-a")
	if _, _, answer := n.ask("POST", "rest/api/2/search/jql", search(`labels = "key-A"`, "")); len(issues(answer)) != 1 {
		t.Errorf("found %d issues, want the one of another spelling", len(issues(answer)))
	}
}

func TestJiraWebhooksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := naive{t, NewJira(JiraOptions{})}
		status, _, answer := n.ask("POST", "rest/api/2/webhook", `{"url":"https://we.example","webhooks":[{"events":["jira:issue_created"],"jqlFilter":"project = OPS"},{"events":["x"],"jqlFilter":"odd = 1"}]}`)
		results, _ := answer["webhookRegistrationResult"].([]any)
		if status != http.StatusOK || len(results) != 2 || results[1].(map[string]any)["errors"] == nil { //nolint:forcetypeassert // a test
			t.Errorf("%d %v, want 200 with an error in it", status, answer)
		}
		time.Sleep(30 * 24 * time.Hour)
		if _, _, answer = n.ask("GET", "rest/api/2/webhook", ""); answer["total"] != 0.0 {
			t.Errorf("%v webhooks after 30 days, want none", answer["total"])
		}
	})
}

func TestJiraRefusesStrangers(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "https://jira.example/rest/api/2/myself", nil)
	response, err := NewJira(JiraOptions{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without Authorization: %d, want 401", response.StatusCode)
	}
}
