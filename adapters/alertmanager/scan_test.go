package alertmanager

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// checkScan holds what scanWebhook reads against encoding/json.
func checkScan(t *testing.T, body []byte) (read bool) {
	t.Helper()
	var got, want Webhook
	if !scanWebhook(body, &got) {
		return false
	}
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatalf("%q is read, encoding/json says %v", body, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is read as\n%+v, by encoding/json as\n%+v", body, got, want)
	}
	return true
}

// TestScan: all captured webhooks have the form that is read fast.
func TestScan(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(testutil.SharedFile(t, "data", "adapters", "alertmanager", "index.json")), "*_*.json"))
	if err != nil || len(files) != 34 {
		t.Fatalf("%d files, %v, want 34", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !checkScan(t, body) {
			t.Errorf("%s is not read", filepath.Base(file))
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"receiver":"a","status":"firing","alerts":[{"status":"firing","labels":{"a":"\\u00e4\\n","b":""},"annotations":{},"startsAt":"2026-11-22T05:36:30.1Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"x"}],"groupLabels":{},"routeLabels":{"a":"b"},"notification_reason":"x","externalURL":"","version":"4","groupKey":"{}","truncatedAlerts":10}`))
	f.Add([]byte(` { "alerts" : [ ] , "truncatedAlerts" : 0 } `))
	f.Add([]byte(`{"alerts":null,"ALERTS":[],"status":1}`))
	f.Add([]byte(`{"groupLabels":{"a":"1","a":"2"}}`))
	f.Fuzz(func(t *testing.T, body []byte) { checkScan(t, body) })
}
