package alertmanager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func client(t *testing.T, h http.Handler, change ...func(*alertmanager.ClientConfig)) *alertmanager.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := alertmanager.ClientConfig{BaseURL: server.URL + "/", Policy: resilience.Policy{Base: time.Nanosecond}}
	for _, f := range change {
		f(&c)
	}
	client, err := alertmanager.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestAPI makes every request of the recording and reads its answer.
func TestAPI(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "adapters", "alertmanager_api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Answers []struct {
			Version, Name, Method, Path string
			Request                     *string
			Status                      int
			Type                        string `json:"content_type"`
			Body                        string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Answers) != 48 {
		t.Fatalf("%d answers, want 48", len(file.Answers))
	}
	// What our calls make of the answers: an error by kind, code and the vendor's words.
	type failure struct {
		kind          adapters.Kind
		code, message string
	}
	failures := map[string]failure{
		"alerts_post_bad_label":        {adapters.Invalid, "", `invalid label set: invalid name "bad-name"`}, // 0.25 only
		"alerts_post_end_before_start": {adapters.Invalid, "", "start time must be before end time"},
		"alerts_post_no_labels":        {adapters.Invalid, "", "at least one label pair required"},
		"alerts_post_not_array":        {adapters.Invalid, "400", `parsing alerts body from "" failed, because json: cannot unmarshal object into Go value of type models.PostableAlerts`},
		"alerts_post_not_json":         {adapters.Invalid, "400", `parsing alerts body from "" failed, because invalid character 'o' in literal null (expecting 'u')`},
		"silence_get_bad_id":           {adapters.Invalid, "601", `silenceID in path must be of type uuid: "xyz"`},
		"silence_get_unknown":          {adapters.NotFound, "", ""},
		"silence_post_empty":           {adapters.Invalid, "602", "comment in body is required"},
		"silence_post_match_all":       {adapters.Invalid, "", "at least one matcher must not match the empty string"}, // worded in two ways
		"silence_post_no_matcher":      {adapters.Invalid, "612", "matchers in body should have at least 1 items"},
		"silence_post_past":            {adapters.Invalid, "", "Failed to create silence: start time must be before end time"},
	}
	for _, a := range file.Answers {
		t.Run(a.Version+"/"+a.Name, func(t *testing.T) {
			var method, path, sent string
			c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				method, path, sent = r.Method, r.URL.RequestURI(), string(body)
				if a.Type != "" {
					w.Header().Set("Content-Type", a.Type)
				}
				w.WriteHeader(a.Status)
				_, _ = io.WriteString(w, a.Body)
			}))
			result, same, err := call(t.Context(), c, a.Name, a.Path, a.Request)
			if wantPath := a.Path; same && (method != a.Method || path != asWritten(wantPath)) {
				t.Errorf("asked %s %s, want %s %s", method, path, a.Method, wantPath)
			}
			if same && a.Request != nil && !sameJSON(t, sent, *a.Request) {
				t.Errorf("sent %s, want %s", sent, *a.Request)
			}
			if a.Status == http.StatusOK {
				if err != nil {
					t.Fatalf("error %v, want none", err)
				}
				checkResult(t, a.Name, a.Version, a.Body, result)
				return
			}
			want, known := failures[a.Name]
			e, ok := errors.AsType[*adapters.Error](err)
			if !known || !ok || e.Kind != want.kind || e.Code != want.code || !strings.Contains(e.Message, want.message) || e.Status != a.Status || e.Provider != "alertmanager" || e.Attempts != 1 {
				t.Errorf("error %#v, want %+v", err, want)
			}
		})
	}
}

// asWritten is a path as url.Values writes its query.
func asWritten(path string) string {
	if strings.Contains(path, "silenced=false") {
		return "/api/v2/alerts?inhibited=false&silenced=false" // active=true is the default
	}
	return path
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Error(err)
	}
	return reflect.DeepEqual(normal(x), normal(y))
}

// normal writes instants in one way.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC().String()
		}
	}
	return v
}

// call makes the call of ours that corresponds to a recorded request. same is false
// where ours never sends such a request: it is refused before, or cannot be written.
func call(ctx context.Context, c *alertmanager.Client, name, path string, request *string) (result any, same bool, err error) {
	id := path[strings.LastIndex(path, "/")+1:]
	switch name {
	case "alert_groups":
		result, err = c.AlertGroups(ctx)
	case "alerts_list":
		result, err = c.Alerts(ctx, alertmanager.AlertFilter{})
	case "alerts_list_active":
		result, err = c.Alerts(ctx, alertmanager.AlertFilter{NoSilenced: true, NoInhibited: true})
	case "alerts_list_filter":
		result, err = c.Alerts(ctx, alertmanager.AlertFilter{Matchers: []string{`severity="critical"`}})
	case "alerts_list_bad_filter": // the value is "=", and sent as that
		result, err = c.Alerts(ctx, alertmanager.AlertFilter{Matchers: []string{"sev=="}})
		return result, false, err
	case "receivers":
		result, err = c.Receivers(ctx)
	case "silence_delete", "silence_delete_again":
		err = c.ExpireSilence(ctx, id)
	case "silence_get", "silence_get_after", "silence_get_bad_id", "silence_get_unknown":
		result, err = c.Silence(ctx, id)
	case "silences_list":
		result, err = c.Silences(ctx, `tenant="acme"`)
	case "silence_post":
		var in struct {
			StartsAt, EndsAt   time.Time
			CreatedBy, Comment string
		}
		if err := json.Unmarshal([]byte(*request), &in); err != nil {
			return nil, false, err
		}
		result, err = c.SetSilence(ctx, silence.Silence{
			Tenant: "acme", Matchers: []string{`service=~"led.*"`}, Start: in.StartsAt, End: in.EndsAt, CreatedBy: in.CreatedBy, Comment: in.Comment,
		})
	case "silence_post_empty", "silence_post_match_all", "silence_post_no_matcher", "silence_post_past":
		// Ours are refused before they are sent; these answers come to another one.
		_, err = c.SetSilence(ctx, silence.Silence{Tenant: "acme", Matchers: []string{`a="b"`}, End: time.Now().Add(time.Hour), CreatedBy: "x", Comment: "x"})
		return nil, false, err
	case "alerts_post_not_array", "alerts_post_not_json":
		return nil, false, c.Post(ctx)
	default: // alerts_post…
		var alerts []alertmanager.Alert
		if err := json.Unmarshal([]byte(*request), &alerts); err != nil {
			return nil, false, err
		}
		return nil, true, c.Post(ctx, alerts...)
	}
	return result, true, err
}

// checkResult compares with the text of the answer.
func checkResult(t *testing.T, name, version, body string, result any) {
	t.Helper()
	switch got := result.(type) {
	case []alertmanager.Alert:
		if n := strings.Count(body, `"fingerprint"`); len(got) != n {
			t.Errorf("%d alerts, want %d", len(got), n)
		}
		for _, a := range got {
			if a.Fingerprint != alertmanager.Fingerprint(a.Labels) || a.StartsAt.IsZero() || a.EndsAt.IsZero() || a.UpdatedAt.IsZero() || !slices.Equal(a.Receivers, []string{"plain"}) ||
				(a.Status == "suppressed") != (len(a.SilencedBy) == 1) || (version == "0.25.0") != (a.MutedBy == nil) {
				t.Errorf("alert %+v", a)
			}
		}
	case []alertmanager.AlertGroup:
		alerts := 0
		for _, g := range got {
			alerts += len(g.Alerts)
			if g.Receiver != "plain" || g.Labels == nil {
				t.Errorf("group %+v", g)
			}
		}
		if n := strings.Count(body, `"fingerprint"`); alerts != n {
			t.Errorf("%d alerts in groups, want %d", alerts, n)
		}
	case []string:
		if want := []string{"plain", "capped", "all", "one", "nested", "repeat"}; !slices.Equal(got, want) {
			t.Errorf("receivers %q, want %q", got, want)
		}
	case string: // of a new silence
		if want := fmt.Sprintf(`{"silenceID":%q}`, got); want != body {
			t.Errorf("id of %s, want that of %s", want, body)
		}
	case alertmanager.Silence:
		checkSilence(t, name, got)
	case []alertmanager.Silence:
		if len(got) != 1 {
			t.Fatalf("%d silences, want 1", len(got))
		}
		checkSilence(t, name, got[0])
	}
}

func checkSilence(t *testing.T, name string, s alertmanager.Silence) {
	t.Helper()
	state := silence.Active
	if name == "silence_get_after" {
		state = silence.Expired
	}
	if s.State != state || s.Tenant != "acme" || !slices.Equal(s.Matchers, []string{`service=~"led.*"`}) || s.ID == "" ||
		s.CreatedBy != "evenkeel" || s.Comment != "maintenance window MW-7" || s.Updated.IsZero() || s.Validate() != nil {
		t.Errorf("silence %+v, %v, want %s of acme for service=~led.*", s, s.Validate(), state)
	}
}

// server keeps silences as Alertmanager does: a change gives a new ID, unless it is
// of what may change, and a start in the past becomes the present.
type server struct {
	mu       sync.Mutex
	now      time.Time
	silences []map[string]any
	posts    int
	lose     bool // the answer to the next post
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	expire := func(id string) {
		for _, one := range s.silences {
			if one["id"] == id {
				one["status"] = map[string]any{"state": "expired"}
			}
		}
	}
	switch r.Method {
	case http.MethodGet:
		_ = json.NewEncoder(w).Encode(s.silences)
	case http.MethodDelete:
		expire(id)
	case http.MethodPost:
		var one map[string]any
		if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if before, ok := one["id"].(string); ok {
			expire(before)
		}
		s.posts++
		one["id"] = fmt.Sprint("am-", s.posts)
		state := "active"
		if start, _ := time.Parse(time.RFC3339Nano, one["startsAt"].(string)); start.After(s.now) {
			state = "pending"
		} else {
			one["startsAt"] = s.now
		}
		one["status"] = map[string]any{"state": state}
		s.silences = append(s.silences, one)
		if s.lose {
			s.lose = false
			panic(http.ErrAbortHandler)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"silenceID": one["id"]})
	}
}

func TestKeepSilences(t *testing.T) {
	now := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	s := &server{now: now}
	c := client(t, s, func(c *alertmanager.ClientConfig) { c.Now = func() time.Time { return s.now } })
	window := func(id string, from, until int, matchers ...string) silence.Silence {
		return silence.Silence{ID: id, Tenant: "acme", Matchers: matchers, Start: now.Add(time.Duration(from) * time.Hour), End: now.Add(time.Duration(until) * time.Hour), CreatedBy: "calendar", Comment: "window"}
	}
	foreign := silence.Silence{Tenant: "acme", Matchers: []string{`a="b"`}, End: now.Add(time.Hour), CreatedBy: "ann", Comment: "mine (evenkeel X)"}
	if _, err := c.SetSilence(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		hour int
		lose bool
		want []silence.Silence
		done alertmanager.SilenceChanges
		err  error
	}{
		{
			"two windows, one of them over", 0, false,
			[]silence.Silence{window("A", -1, 2, `service="x"`, `db=~"a|b"`), window("B", 3, 4, `service="y"`), window("old", -2, 0, `a="b"`)},
			alertmanager.SilenceChanges{Created: []string{"A", "B"}},
			nil,
		},
		{
			"the same again, in another order", 0, false,
			[]silence.Silence{window("B", 3, 4, `service="y"`), window("A", -1, 2, `{db=~"a|b",service="x"}`)},
			alertmanager.SilenceChanges{Kept: []string{"A", "B"}},
			nil,
		},
		{
			"one is moved, one goes", 1, false,
			[]silence.Silence{window("B", 3, 5, `service="y"`)},
			alertmanager.SilenceChanges{Changed: []string{"B"}, Expired: []string{"A"}},
			nil,
		},
		{
			"an answer is lost", 1, true,
			[]silence.Silence{window("B", 3, 5, `service="y"`), window("C", 2, 3, `service="z"`, `db!="q"`)},
			alertmanager.SilenceChanges{Kept: []string{"B"}},
			adapters.OutcomeUnknown,
		},
		{
			"it was there", 1, false,
			[]silence.Silence{window("B", 3, 5, `service="y"`), window("C", 2, 3, `service="z"`, `db!="q"`)},
			alertmanager.SilenceChanges{Kept: []string{"C", "B"}},
			nil,
		},
		{"none", 1, false, nil, alertmanager.SilenceChanges{Expired: []string{"C", "B"}}, nil},
		{"none again", 1, false, nil, alertmanager.SilenceChanges{}, nil},
	}
	for _, tt := range steps {
		s.mu.Lock()
		s.now, s.lose = now.Add(time.Duration(tt.hour)*time.Hour), tt.lose
		s.mu.Unlock()
		done, err := c.KeepSilences(t.Context(), "acme", tt.want)
		if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Fatalf("%s: %v, want %v", tt.name, err, tt.err)
		}
		slices.Sort(done.Expired)
		slices.Sort(tt.done.Expired)
		slices.Sort(done.Kept)
		slices.Sort(tt.done.Kept)
		if !reflect.DeepEqual(done, tt.done) {
			t.Errorf("%s: %+v, want %+v", tt.name, done, tt.done)
		}
	}
	if all, err := c.Silences(t.Context()); err != nil || slices.ContainsFunc(all, func(s alertmanager.Silence) bool { return s.CreatedBy == "ann" && s.State != silence.Active }) {
		t.Errorf("the silence of another: %+v, %v", all, err)
	}
}

// TestSilenceRefused: what Alertmanager has not is refused before it is sent.
func TestSilenceRefused(t *testing.T) {
	c := client(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	good := silence.Silence{ID: "s", Matchers: []string{`a="b"`}, End: time.Now().Add(time.Hour), CreatedBy: "ann", Comment: "c"}
	for name, change := range map[string]func(*silence.Silence){
		"hours":          func(s *silence.Silence) { s.Hours = &calendar.Hours{} },
		"no end":         func(s *silence.Silence) { s.End = time.Time{} },
		"no comment":     func(s *silence.Silence) { s.Comment = "" },
		"no matcher":     func(s *silence.Silence) { s.Matchers = nil },
		"for everything": func(s *silence.Silence) { s.Matchers = []string{`a=~".*"`} },
		"unreadable":     func(s *silence.Silence) { s.Matchers = []string{`a=~"("`} },
	} {
		s := good
		change(&s)
		if _, err := c.SetSilence(t.Context(), s); !errors.Is(err, adapters.Invalid) {
			t.Errorf("SetSilence with %s: %v, want invalid", name, err)
		}
	}
	twice := []silence.Silence{good, good}
	if _, err := c.KeepSilences(t.Context(), "", twice); !errors.Is(err, adapters.Invalid) {
		t.Errorf("two of one ID: %v, want invalid", err)
	}
	if _, err := c.KeepSilences(t.Context(), "acme", twice[:1]); !errors.Is(err, adapters.Invalid) {
		t.Errorf("of another tenant: %v, want invalid", err)
	}
}

// TestClientFaults: reading and posting alerts is repeated, creating a silence is
// not.
func TestClientFaults(t *testing.T) {
	requests := 0
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(http.StatusBadGateway)
	}), func(c *alertmanager.ClientConfig) { c.Policy.Breaker.Consecutive = 1000 })
	for _, tt := range []struct {
		name     string
		call     func() error
		requests int
		kind     adapters.Kind
	}{
		{"list", func() error { _, err := c.Alerts(t.Context(), alertmanager.AlertFilter{}); return err }, 3, adapters.Unavailable},
		{"post", func() error { return c.Post(t.Context(), listed("a")) }, 3, adapters.Unavailable},
		{"expire", func() error { return c.ExpireSilence(t.Context(), "x") }, 3, adapters.Unavailable},
		{"status", func() error { _, err := c.Status(t.Context()); return err }, 3, adapters.Unavailable},
		{"create", func() error {
			_, err := c.SetSilence(t.Context(), silence.Silence{Matchers: []string{`a="b"`}, End: time.Now().Add(time.Hour), CreatedBy: "x", Comment: "x"})
			return err
		}, 1, adapters.OutcomeUnknown},
	} {
		requests = 0
		if err := tt.call(); !errors.Is(err, tt.kind) || requests != tt.requests {
			t.Errorf("%s: %v in %d requests, want %v in %d", tt.name, err, requests, tt.kind, tt.requests)
		}
	}
	html := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>login</html>") }))
	if _, err := html.Receivers(t.Context()); !errors.Is(err, adapters.BadResponse) {
		t.Errorf("a page of a proxy: %v, want bad_response", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{"", "ftp://x", "http://", "http://x?q=1", "http://user:" + secret + "@x", "http://user:" + secret + "@x:port", "http://x#f"} {
		if _, err := alertmanager.NewClient(alertmanager.ClientConfig{BaseURL: url}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("NewClient(%q): %v, want an error without the password", url, err)
		}
	}
}
