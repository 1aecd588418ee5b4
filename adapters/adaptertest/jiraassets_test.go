package adaptertest

import (
	"fmt"
	"testing"
)

const (
	assetsPath   = "jsm/assets/workspace/" + JiraWorkspace + "/v1/object/aql"
	assetsServer = `{"qlQuery":"objectType = \"Server\""}`
)

// servers are n assets that run on the first.
func servers(n int) []JiraAsset {
	all := make([]JiraAsset, n)
	for i := range all {
		all[i] = JiraAsset{ID: i + 1, Type: "Server", Label: fmt.Sprint("srv-", i+1), Refers: map[string][]int{"Runs on": {1}}}
	}
	return all
}

func TestJiraAssetsPaging(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{Assets: servers(5), MaxPage: 2})}
	// Who writes the start into the body reads the first page for ever.
	for range 2 {
		_, _, answer := n.ask("POST", assetsPath, `{"qlQuery":"objectType = \"Server\"","startAt":2}`)
		if answer["startAt"] != 0.0 || answer["isLast"] != false {
			t.Errorf("%v, want the first page, which is not the last", answer)
		}
	}
	// Who adds what was asked for, and not what came, leaves some out.
	_, _, answer := n.ask("POST", assetsPath+"?startAt=0&maxResults=4", assetsServer)
	if got := len(answer["values"].([]any)); got != 2 { //nolint:forcetypeassert // a test
		t.Errorf("%d assets, want 2 of 4", got)
	}
	// Who goes by total stops at 1,000.
	n = naive{t, NewJira(JiraOptions{Assets: servers(1200)})}
	_, _, answer = n.ask("POST", assetsPath, assetsServer)
	_, _, counted := n.ask("POST", assetsPath+"/totalcount", assetsServer)
	if answer["total"] != 1000.0 || counted["totalCount"] != 1200.0 {
		t.Errorf("total %v and count %v, want 1000 and 1200", answer["total"], counted["totalCount"])
	}
}

// Who looks for names at the attributes finds none: on Cloud they are beside the assets,
// on Data Center they come if asked for.
func TestJiraAssetsNames(t *testing.T) {
	first := func(answer map[string]any, list string) map[string]any {
		a := answer[list].([]any)[0].(map[string]any)      //nolint:forcetypeassert // a test
		return a["attributes"].([]any)[0].(map[string]any) //nolint:forcetypeassert // a test
	}
	n := naive{t, NewJira(JiraOptions{Assets: servers(1)})}
	_, _, answer := n.ask("POST", assetsPath, assetsServer)
	if got := first(answer, "values"); got["objectTypeAttribute"] != nil || fmt.Sprintf("%T", got["objectTypeAttributeId"]) != "string" {
		t.Errorf("%v, want an id alone, a text", got)
	}
	n = naive{t, NewJira(JiraOptions{DataCenter: true, Assets: servers(1)})}
	path := "rest/assets/1.0/aql/objects?qlQuery=objectType+%3D+%22Server%22"
	_, _, answer = n.ask("GET", path, "")
	if got := first(answer, "objectEntries"); got["objectTypeAttribute"] != nil || fmt.Sprintf("%T", got["objectTypeAttributeId"]) != "float64" {
		t.Errorf("%v, want an id alone, a number", got)
	}
	if _, _, answer = n.ask("GET", path+"&includeTypeAttributes=true", ""); first(answer, "objectEntries")["objectTypeAttribute"] == nil {
		t.Error("no name, though it was asked for")
	}
}

// Who counts pages from 0 on Data Center reads the first twice and leaves the last out.
func TestJiraAssetsPages(t *testing.T) {
	n := naive{t, NewJira(JiraOptions{DataCenter: true, Assets: servers(4), MaxPage: 2})}
	var starts []any
	for page := range 2 {
		_, _, answer := n.ask("GET", fmt.Sprint("rest/assets/1.0/aql/objects?qlQuery=objectType+%3D+%22Server%22&page=", page), "")
		starts = append(starts, answer["startIndex"])
	}
	if starts[0] != 1.0 || starts[1] != 1.0 {
		t.Errorf("pages begin at %v, want the first twice", starts)
	}
}

// Each deployment has its own way in, and an instance without Premium has no workspace.
func TestJiraAssetsPlaces(t *testing.T) {
	cloud, center := naive{t, NewJira(JiraOptions{})}, naive{t, NewJira(JiraOptions{DataCenter: true})}
	for path, want := range map[string][2]int{assetsPath: {200, 404}, "ex/jira/c1/" + assetsPath: {200, 404}, "jsm/assets/workspace/other/v1/object/aql": {404, 404}} {
		one, _, _ := cloud.ask("POST", path, assetsServer)
		other, _, _ := center.ask("POST", path, assetsServer)
		if one != want[0] || other != want[1] {
			t.Errorf("%s: %d and %d, want %v", path, one, other, want)
		}
	}
	if code, _, _ := cloud.ask("POST", assetsPath, `{"qlQuery":"nonsense"}`); code != 400 {
		t.Errorf("nonsense: %d, want 400", code)
	}
	for _, n := range []naive{{t, NewJira(JiraOptions{Assets: servers(1)})}, {t, NewJira(JiraOptions{DataCenter: true, Assets: servers(1)})}} {
		_, _, answer := n.ask("POST", assetsPath, `{"qlQuery":"objectType = \"SERVER\""}`)
		count, want := answer["total"], 1.0
		if n.jira.options.DataCenter {
			_, _, answer = n.ask("GET", "rest/assets/1.0/aql/objects?qlQuery=objectType+%3D+%22SERVER%22", "")
			count, want = answer["totalFilterCount"], 0.0
		}
		if count != want {
			t.Errorf("in other letters %v assets, want %v", count, want)
		}
	}
	none := naive{t, NewJira(JiraOptions{Workspaces: []string{}})}
	if code, _, answer := none.ask("GET", "rest/servicedeskapi/assets/workspace", ""); code != 200 || answer["size"] != 0.0 {
		t.Errorf("%d %v, want an empty list", code, answer)
	}
}
