package servicenow

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

func TestKeepBusinessRule(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	c := in.client(t, nil)
	rule := BusinessRule{URL: "https://ops.example/hooks/servicenow"}
	keep := func(want bool) {
		t.Helper()
		if changed, err := c.KeepBusinessRule(t.Context(), rule); err != nil || changed != want {
			t.Fatalf("changed %v, %v; want %v", changed, err, want)
		}
	}
	keep(true)
	keep(false)
	rows := in.Records("sys_script", "")
	if len(rows) != 1 {
		t.Fatalf("%d rules, want one", len(rows))
	}
	row := rows[0]
	for column, want := range map[string]string{"collection": "incident", "when": "async", "active": "true", "action_insert": "true", "action_update": "true", "action_delete": "true"} {
		if row[column] != want {
			t.Errorf("%s is %q, want %q", column, row[column], want)
		}
	}
	for _, want := range []string{`"https://ops.example/hooks/servicenow"`, `gs.getProperty("evenkeel.webhook.secret")`, `"sys_mod_count"`, `"X-Evenkeel-Signature"`} {
		if !strings.Contains(row["script"], want) {
			t.Errorf("the script lacks %s:\n%s", want, row["script"])
		}
	}
	// Somebody switches it off; the receiver moves.
	in.Set("sys_script", row["sys_id"], map[string]string{"active": "false"})
	keep(true)
	rule.URL = "https://ops.example/new"
	keep(true)
	if rows = in.Records("sys_script", ""); len(rows) != 1 || rows[0]["active"] != "true" || !strings.Contains(rows[0]["script"], "/new") {
		t.Errorf("rules %v, want the one repaired", rows)
	}
	in.Insert("sys_script", map[string]string{"name": "evenkeel events", "collection": "incident"})
	_, err := c.KeepBusinessRule(t.Context(), rule)
	wantKind(t, err, adapters.Conflict)
	for _, bad := range []BusinessRule{{}, {URL: "http://ops.example"}, {URL: "https://u:p@ops.example"}, {URL: "https://ops.example", SecretProperty: "x');"}} {
		_, err := c.KeepBusinessRule(t.Context(), bad)
		wantKind(t, err, adapters.Invalid)
	}
}
