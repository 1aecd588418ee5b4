package adaptertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// naiveInstance is a client as one writes it who has read the first page of the manual:
// queries pasted together, what is found is taken, a short page is the last.
type naiveInstance struct {
	t    *testing.T
	fake http.Handler
	user string
	bare bool // without headers
}

func (n naiveInstance) do(method, path, body string) (int, http.Header, map[string]any) {
	n.t.Helper()
	r := httptest.NewRequestWithContext(n.t.Context(), method, path, strings.NewReader(body))
	if !n.bare {
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
	}
	if n.user != "" {
		r.SetBasicAuth(n.user, "pw")
	}
	w := httptest.NewRecorder()
	n.fake.ServeHTTP(w, r)
	var answer map[string]any
	if text, _ := io.ReadAll(w.Body); len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			n.t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	return w.Code, w.Header(), answer
}

func (n naiveInstance) list(query string, more ...string) []map[string]any {
	n.t.Helper()
	_, _, answer := n.do(http.MethodGet, "/api/now/v2/table/incident?sysparm_query="+url.QueryEscape(query)+strings.Join(more, ""), "")
	var out []map[string]any
	rows, _ := answer["result"].([]any)
	for _, row := range rows {
		out = append(out, row.(map[string]any))
	}
	return out
}

func (n naiveInstance) create(body string) map[string]any {
	n.t.Helper()
	_, _, answer := n.do(http.MethodPost, "/api/now/v2/table/incident", body)
	row, _ := answer["result"].(map[string]any)
	return row
}

// "An invalid part of a query is ignored and the rest runs": a mistyped column finds
// everybody's tickets.
func TestServiceNowIgnoresInvalidParts(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{})
	n := naiveInstance{t: t, fake: fake}
	for i := range 3 {
		n.create(fmt.Sprintf(`{"short_description":"somebody's %d"}`, i))
	}
	for _, query := range []string{"correlatoin_id=mine", "Correlation_ID=mine", "correlation_id~mine", "correlation_id.x=mine"} {
		if found := n.list(query); len(found) != 3 {
			t.Errorf("%s finds %d, want everybody's 3", query, len(found))
		}
	}
	if found := n.list("correlation_id=mine"); len(found) != 0 {
		t.Errorf("a right query finds %d", len(found))
	}
	// A value that is not escaped becomes a part of the query.
	title := "x^ORshort_descriptionISNOTEMPTY"
	if found := n.list("short_description=" + title); len(found) != 3 {
		t.Errorf("a caret finds %d, want everybody's 3", len(found))
	}
	if found := n.list("short_description=" + strings.ReplaceAll(title, "^", "^^")); len(found) != 0 {
		t.Errorf("an escaped caret finds %d", len(found))
	}
	// Unknown columns are left out of the answer.
	if row := n.list("", "&sysparm_fields=number,nmuber")[0]; len(row) != 1 {
		t.Errorf("row %v, want the known column alone", row)
	}
	// With glide.invalid_query.returns_no_rows nothing is found.
	strict := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{NoRowsOnInvalidQuery: true})}
	strict.create(`{"short_description":"x"}`)
	if found := strict.list("correlatoin_id=mine"); len(found) != 0 {
		t.Errorf("%d found with the property on", len(found))
	}
}

// "A value that begins with javascript: is evaluated on the server".
func TestServiceNowRunsScripts(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{})
	n := naiveInstance{t: t, fake: fake}
	n.list("short_description=javascript:gs.getUserID()")
	if got := fake.Scripts(); len(got) != 1 || got[0] != "javascript:gs.getUserID()" {
		t.Errorf("scripts %q", got)
	}
}

// Documented as case-sensitive, and often is not.
func TestServiceNowComparesWithoutCase(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{})}
	n.create(`{"correlation_id":"KEY"}`)
	if len(n.list("correlation_id=key")) != 1 {
		t.Error("another case is not found")
	}
}

// "The limit is applied before ACLs": short and empty pages are followed by others.
func TestServiceNowAppliesLimitsBeforeRights(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{Hidden: func(_ string, row map[string]string) bool {
		return row["short_description"] < "4"
	}})
	for i := range 9 {
		fake.Insert("incident", map[string]string{"short_description": strconv.Itoa(i)})
	}
	n := naiveInstance{t: t, fake: fake}
	var seen int
	for offset := 0; ; offset += 3 {
		page := n.list("ORDERBYshort_description", fmt.Sprintf("&sysparm_limit=3&sysparm_offset=%d", offset))
		seen += len(page)
		if len(page) < 3 { // "the last page"
			break
		}
	}
	if seen != 0 {
		t.Errorf("the naive client sees %d, want none: its first page is empty", seen)
	}
	var sizes strings.Builder
	for offset := 0; ; offset += 3 {
		_, header, answer := n.do(http.MethodGet, fmt.Sprintf("/api/now/v2/table/incident?sysparm_query=ORDERBYshort_description&sysparm_limit=3&sysparm_offset=%d", offset), "")
		fmt.Fprint(&sizes, len(answer["result"].([]any)))
		if header.Get("X-Total-Count") != "9" {
			t.Errorf("total %q, want the 9 of which some are hidden", header.Get("X-Total-Count"))
		}
		if !strings.Contains(header.Get("Link"), `rel="next"`) {
			break
		}
	}
	if sizes.String() != "023" {
		t.Errorf("pages of %q, want 0, 2 and 3", sizes.String())
	}
	if _, header, _ := n.do(http.MethodGet, "/api/now/v2/table/incident?sysparm_no_count=true", ""); header.Get("X-Total-Count") != "" {
		t.Error("a total without a count")
	}
}

// An offset over a table that changes loses rows.
func TestServiceNowOffsetsLoseRows(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	fake := NewServiceNow(ServiceNowOptions{Now: func() time.Time { return now }})
	for range 10 {
		fake.Insert("incident", nil)
	}
	n := naiveInstance{t: t, fake: fake}
	seen := map[any]bool{}
	for offset := 0; offset < 10; offset += 5 {
		for _, row := range n.list("ORDERBYsys_updated_on^ORDERBYnumber", fmt.Sprintf("&sysparm_limit=5&sysparm_offset=%d", offset)) {
			seen[row["number"]] = true
		}
		now = now.Add(time.Second)
		fake.Set("incident", n.list("numberENDSWITH1")[0]["sys_id"].(string), map[string]string{"impact": "1"})
	}
	if len(seen) == 10 {
		t.Error("the naive client has seen all, want one lost")
	}
}

// Version 1 "returns 404 when there are no records", later ones an empty list.
func TestServiceNowVersions(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{})}
	for path, want := range map[string]int{"now/table": http.StatusNotFound, "now/v1/table": http.StatusNotFound, "now/v2/table": http.StatusOK} {
		if code, _, _ := n.do(http.MethodGet, "/api/"+path+"/incident", ""); code != want {
			t.Errorf("%s: %d for an empty list, want %d", path, code, want)
		}
	}
}

// Accept and Content-Type are required to write.
func TestServiceNowWantsHeaders(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{}), bare: true}
	if code, _, _ := n.do(http.MethodPost, "/api/now/v2/table/incident", `{}`); code != http.StatusBadRequest {
		t.Errorf("%d without headers, want 400", code)
	}
	if code, _, _ := n.do(http.MethodGet, "/api/now/v2/table/incident", ""); code != http.StatusOK {
		t.Errorf("%d to read without headers, want 200", code)
	}
}

// Priority is "derived, read-only by default".
func TestServiceNowDerivesPriority(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{})}
	for want, level := range map[string]string{"1": "11", "2": "12", "3": "13", "4": "32", "5": "33"} {
		row := n.create(fmt.Sprintf(`{"priority":"1","impact":"%c","urgency":"%c"}`, level[0], level[1]))
		if row["priority"] != want {
			t.Errorf("priority %v of %s, want %s", row["priority"], level, want)
		}
	}
}

// A PATCH of work_notes appends, so a repeated one is there twice; the column reads
// as empty.
func TestServiceNowAppendsToJournals(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{})
	n := naiveInstance{t: t, fake: fake}
	id := n.create(`{}`)["sys_id"].(string)
	for range 2 {
		_, _, answer := n.do(http.MethodPatch, "/api/now/v2/table/incident/"+id, `{"work_notes":"restarted"}`)
		if got := answer["result"].(map[string]any)["work_notes"]; got != "" {
			t.Errorf("work_notes reads as %v", got)
		}
	}
	if rows := fake.Records("sys_journal_field", "element_id="+id); len(rows) != 2 {
		t.Errorf("%d entries, want 2", len(rows))
	}
}

// Nothing but an import set keeps a key unique.
func TestServiceNowMakesTwins(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{Staging: map[string]string{"u_import": "incident"}})
	n := naiveInstance{t: t, fake: fake}
	for range 2 {
		n.create(`{"correlation_id":"k"}`)
	}
	if rows := fake.Records("incident", "correlation_id=k"); len(rows) != 2 {
		t.Errorf("%d tickets of one key, want 2", len(rows))
	}
	var statuses strings.Builder
	for range 2 {
		code, _, answer := n.do(http.MethodPost, "/api/now/import/u_import", `{"correlation_id":"j"}`)
		fmt.Fprint(&statuses, code, answer["result"].([]any)[0].(map[string]any)["status"], " ")
	}
	if rows := fake.Records("incident", "correlation_id=j"); len(rows) != 1 || statuses.String() != "201inserted 201updated " {
		t.Errorf("%d tickets by the import set, %s", len(rows), statuses.String())
	}
}

// Texts are cut, and what is no column is ignored, without a word.
func TestServiceNowDropsInSilence(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{})}
	row := n.create(`{"short_description":"` + strings.Repeat("x", 300) + `","nothing":"1"}`)
	if len(row["short_description"].(string)) != 160 || row["nothing"] != nil {
		t.Errorf("row %v", row)
	}
}

// References come as objects unless they are declined.
func TestServiceNowLinksReferences(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{})
	n := naiveInstance{t: t, fake: fake}
	group := fake.Insert("sys_user_group", map[string]string{"name": "Ops"})
	n.create(`{"assignment_group":"` + group + `"}`)
	if _, object := n.list("")[0]["assignment_group"].(map[string]any); !object {
		t.Error("reference is no object")
	}
	if got := n.list("assignment_group.name=Ops", "&sysparm_exclude_reference_link=true")[0]["assignment_group"]; got != group {
		t.Errorf("reference %v", got)
	}
}

// Counters are written every 30 s, so the limit bites late; X-RateLimit-Limit is by
// the hour and X-RateLimit-Reset an instant.
func TestServiceNowLimitsLate(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	fake := NewServiceNow(ServiceNowOptions{PerHour: 10, Rule: "all users", Now: func() time.Time { return now }})
	n := naiveInstance{t: t, fake: fake}
	through := 0
	for range 25 {
		if code, _, _ := n.do(http.MethodGet, "/api/now/v2/table/incident", ""); code == http.StatusOK {
			through++
		}
	}
	if through != 25 {
		t.Errorf("%d let through, want all 25 of an allowance of 10", through)
	}
	now = now.Add(30 * time.Second)
	code, header, _ := n.do(http.MethodGet, "/api/now/v2/table/incident", "")
	if code != http.StatusTooManyRequests || header.Get("X-RateLimit-Limit") != "10" || header.Get("X-RateLimit-Rule") != "all users" ||
		header.Get("X-RateLimit-Reset") != strconv.FormatInt(time.Date(2026, 11, 30, 13, 0, 0, 0, time.UTC).Unix(), 10) || header.Get("Retry-After") != "3571" {
		t.Errorf("%d %v", code, header)
	}
	now = now.Add(time.Hour)
	if code, _, _ := n.do(http.MethodGet, "/api/now/v2/table/incident", ""); code != http.StatusOK {
		t.Errorf("%d in the next hour", code)
	}
}

// Tokens run out, and client_credentials are off as delivered.
func TestServiceNowTokens(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	fake := NewServiceNow(ServiceNowOptions{Users: map[string]string{"u": "pw"}, Clients: map[string]string{"id": "secret"}, Now: func() time.Time { return now }})
	ask := func(form string) (int, map[string]any) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth_token.do", strings.NewReader("client_id=id&client_secret=secret&"+form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		var answer map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		return w.Code, answer
	}
	if code, answer := ask("grant_type=client_credentials"); code != http.StatusUnauthorized {
		t.Errorf("%d %v", code, answer)
	}
	code, answer := ask("grant_type=password&username=u&password=pw")
	if code != http.StatusOK || answer["expires_in"] != 1799.0 {
		t.Fatalf("%d %v", code, answer)
	}
	use := func(token any) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/now/v2/table/incident", nil)
		r.Header.Set("Authorization", "Bearer "+token.(string))
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		return w.Code
	}
	if code := use(answer["access_token"]); code != http.StatusOK {
		t.Errorf("%d with a token", code)
	}
	now = now.Add(1799 * time.Second)
	if code := use(answer["access_token"]); code != http.StatusUnauthorized {
		t.Errorf("%d after half an hour, want 401", code)
	}
	if code, again := ask("grant_type=refresh_token&refresh_token=" + answer["refresh_token"].(string)); code != http.StatusOK || use(again["access_token"]) != http.StatusOK {
		t.Errorf("%d by the refresh token", code)
	}
	if code := use(answer["refresh_token"]); code != http.StatusUnauthorized {
		t.Errorf("%d with a refresh token as one of access, want 401", code)
	}
}

// A batch has a quota of time; what it did not get to is named, and not done.
func TestServiceNowBatchQuota(t *testing.T) {
	fake := NewServiceNow(ServiceNowOptions{BatchQuota: 2})
	n := naiveInstance{t: t, fake: fake}
	var items []string
	for i := range 5 {
		items = append(items, fmt.Sprintf(`{"id":"%d","method":"POST","url":"/api/now/v2/table/incident","headers":[{"name":"Accept","value":"application/json"},{"name":"Content-Type","value":"application/json"}],"body":"e30="}`, i))
	}
	code, _, answer := n.do(http.MethodPost, "/api/now/v1/batch", `{"batch_request_id":"1","rest_requests":[`+strings.Join(items, ",")+`]}`)
	if code != http.StatusOK || fmt.Sprint(answer["unserviced_requests"]) != "[2 3 4]" || len(answer["serviced_requests"].([]any)) != 2 || len(fake.Records("incident", "")) != 2 {
		t.Errorf("%d %v, %d tickets, want 200 and two", code, answer, len(fake.Records("incident", "")))
	}
}

// A data policy may refuse to resolve without close code and notes.
func TestServiceNowWantsCloseNotes(t *testing.T) {
	n := naiveInstance{t: t, fake: NewServiceNow(ServiceNowOptions{CloseNotesRequired: true})}
	id := n.create(`{}`)["sys_id"].(string)
	if code, _, _ := n.do(http.MethodPatch, "/api/now/v2/table/incident/"+id, `{"state":"6"}`); code != http.StatusForbidden {
		t.Errorf("%d without notes, want 403", code)
	}
	if code, _, _ := n.do(http.MethodPatch, "/api/now/v2/table/incident/"+id, `{"state":"6","close_code":"User error","close_notes":"x"}`); code != http.StatusOK {
		t.Errorf("%d with notes, want 200", code)
	}
}
