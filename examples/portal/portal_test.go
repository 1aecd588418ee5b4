package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestReadme(t *testing.T) { programtest.Readme(t, 8) }

func TestGolden(t *testing.T) { programtest.Golden(t, "text", "txt") }

// The figures of the sample, by hand: from midnight of 1 October in Lisbon, 23:00 UTC the
// day before, to 09:30 on the 14th are 322.5 hours, 19,350 minutes, of which 25 are down
// and 30 more lie in maintenance that was announced in time: 1 - 25/19350 = 99.870801… %.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "sample", true)
	programtest.Equal(t, r, "schema", "portal-site/v1")
	programtest.Equal(t, r, "customers.0.id", "harbour")
	programtest.Equal(t, r, "customers.0.state", "outage")
	programtest.Equal(t, r, "customers.0.availability_percent", 99.870801)
	programtest.Equal(t, r, "customers.0.incidents_open", 1)
	programtest.Equal(t, r, "customers.1.state", "operational")
	programtest.Equal(t, r, "customers.1.availability_percent", 100)
	if problems := programtest.At(t, r, "problems").([]any); len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
}

// own are the files of a portal of one's own, with a customer of whom canary tells.
func own(canary string) map[string]string {
	contract := func(id string) string {
		return "version: 1\nid: c-" + id + "\ncustomer: {id: " + id + ", name: " + id + "}\ntimezone: UTC\ntier: enterprise\nmonthly_fee: \"1000.00 EUR\"\n" +
			"evidence_from: 2026-09-01T00:00:00Z\nservices: [{id: api-" + id + "}]\n"
	}
	return map[string]string{
		"portal.yaml": "version: 1\nlisten: 127.0.0.1:0\nbase_url: https://status.example.net\nbrand: {name: Us}\nops: {token_sha256: " + hash("ops") + "}\ntenants:\n" +
			"  - {id: first, name: First, token_sha256: " + hash("first") + ", write_token_sha256: " + hash("write") + ", contract: first.yaml, outages: first.csv, incidents: incidents.csv}\n" +
			"  - {id: second, name: " + canary + ", public: true, contract: second.yaml, outages: second.csv, articles: articles.yaml, journeys: journeys.jsonl}\n",
		"first.yaml":     contract("first"),
		"second.yaml":    contract(canary),
		"articles.yaml":  "version: 1\narticles: [{id: KB-1, title: About " + canary + ", text: " + canary + "}]\n",
		"journeys.jsonl": `{"journey": "buy ` + canary + `", "at": "2026-10-01T00:00:00Z", "state": "up"}` + "\n",
		"first.csv":      "service,start,end,kind\napi-first,2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,down\n",
		"second.csv":     "service,start,end,kind\napi-" + canary + ",2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,down\n",
		"incidents.csv":  "id,service,severity,opened,resolved,title\nI-1,api-first,p1,2026-10-01T00:01:00Z,2026-10-01T01:00:00Z,First of all\n",
	}
}

func hash(token string) string {
	h := portal.TokenHashOf(token)
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range h {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tree reads all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A site is the same on every machine, and what is of one customer is in no file of
// another.
func TestStatic(t *testing.T) {
	var sites []map[string]string
	for _, zone := range []string{"UTC", "Asia/Kathmandu"} {
		dir := t.TempDir()
		put(t, dir, own("canary7f3a"))
		out := filepath.Join(dir, "site")
		o := programtest.Run(t, []string{"TZ=" + zone}, nil, "-config", filepath.Join(dir, "portal.yaml"), "-static", out, "-month", "2026-10", "-now", "2026-11-02T08:00:00Z", "-public-index")
		if o.Exit != 0 || !strings.Contains(o.Stdout, "Problems: 0") {
			t.Fatalf("exit %d: %s%s", o.Exit, o.Stdout, o.Stderr)
		}
		sites = append(sites, tree(t, out))
	}
	for name, body := range sites[0] {
		if sites[1][name] != body {
			t.Errorf("%s differs", name)
		}
		if strings.HasPrefix(name, "t/first/") && strings.Contains(body, "canary7f3a") {
			t.Errorf("%s shows the other customer", name)
		}
	}
	if !strings.Contains(sites[0]["index.html"], "t/second/index.html") || strings.Contains(sites[0]["index.html"], "first") {
		t.Errorf("index: %s", sites[0]["index.html"])
	}
	for _, name := range []string{"status.json", "help.html", "journeys.html"} {
		if !strings.Contains(sites[0]["t/second/"+name], "canary7f3a") {
			t.Errorf("the canary is not on its own %s: the test proves nothing", name)
		}
	}
}

// Names of files and lines are for the operations, and on no page, report or feed of a
// customer.
func TestNotices(t *testing.T) {
	dir, files := t.TempDir(), own("x")
	files["first.csv"] = "service,start,end,kind,colour\napi-first,2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,down,red\n"
	put(t, dir, files)
	out := filepath.Join(dir, "site")
	if o := programtest.Run(t, nil, nil, "-config", filepath.Join(dir, "portal.yaml"), "-static", out, "-now", "2026-11-02T08:00:00Z"); o.Exit != 0 {
		t.Fatalf("exit %d: %s", o.Exit, o.Stderr)
	}
	place := regexp.MustCompile(`\w+\.(csv|yaml):\d+`)
	for name, body := range tree(t, out) {
		found := place.FindString(body)
		if strings.HasPrefix(name, "t/") && found != "" {
			t.Errorf("%s shows %s", name, found)
		}
		if name == "ops/index.html" && !strings.Contains(body, "first.csv:1") {
			t.Error("the dashboard does not say what is wrong with a file")
		}
	}
}

// Five hundred customers like that of the sample are a site within a minute and 200 MB.
// With EVENKEEL_SOAK only, as it is the time of the whole machine.
func TestManyCustomers(t *testing.T) {
	if os.Getenv("EVENKEEL_SOAK") == "" {
		t.Skip("EVENKEEL_SOAK is not set")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/sample")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "portal.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	head, list, _ := strings.Cut(string(text), "tenants:\n")
	one, _, ok := strings.Cut(list, "  - {id: orchard")
	if !ok {
		t.Fatal("the sample has another form")
	}
	var many strings.Builder
	many.WriteString(head + "tenants:\n")
	for i := range 500 {
		many.WriteString(strings.Replace(one, "id: harbour", "id: c"+strconv.Itoa(i), 1))
	}
	put(t, dir, map[string]string{"portal.yaml": many.String()})
	cmd := programtest.Command(t, "-config", filepath.Join(dir, "portal.yaml"), "-static", filepath.Join(dir, "site"), "-now", "2026-10-14T09:30:00Z")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Problems: 0") {
		t.Fatalf("%v: %.1000s", err, out)
	}
	took := time.Since(began)
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("this system does not tell of memory")
	}
	peak := usage.Maxrss << 10 // KiB on Linux
	t.Logf("500 customers in %v, %v of processor time, %d MB", took, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), peak>>20)
	if took > time.Minute || peak > 200<<20 {
		t.Errorf("500 customers took %v and %d MB, want a minute and 200 MB", took, peak>>20)
	}
}

func TestUsage(t *testing.T) {
	files := own("x")
	with := func(name, text string) map[string]string {
		changed := maps.Clone(files)
		changed[name] = text
		return changed
	}
	static := []string{"-config", "portal.yaml", "-static", "site", "-now", "2026-11-02T08:00:00Z"}
	for _, c := range []struct {
		name   string
		files  map[string]string
		args   []string
		exit   int
		stderr string
	}{
		{"month", files, append(static, "-month", "2026-13"), 2, "-month"},
		{"month to come", files, append(static, "-month", "2026-12"), 2, "not before now"},
		{"both", files, append(static, "-listen", "127.0.0.1:0"), 2, "want one of the two"},
		{"no store", files, append(static, "-db", "none.db"), 2, "-db"},
		{"plain token", with("portal.yaml", strings.Replace(files["portal.yaml"], hash("first"), "secret", 1)), static, 2, "portal.yaml:7:"},
		{"contract", with("second.yaml", strings.Replace(files["second.yaml"], "UTC", "Europe/Amsterdm", 1)), static, 2, "second.yaml:4:11: timezone"},
		{"data of both", with("first.csv", "service,start,end,kind\napi-first,2026-10-01T00:00:00Z,2026-09-01T01:00:00Z,down\n"), static, 3, "first.csv:2: end"},
		{"missing file", with("portal.yaml", strings.Replace(files["portal.yaml"], "outages: second.csv", "outages: none.csv", 1)), static, 3, "none.csv"},
		{"form of a static site", files, append(static, "-requests", "r.db"), 2, "-requests and -static"},
		{"requests in the store of the bridge", files, []string{"-config", "portal.yaml", "-listen", "127.0.0.1:0", "-requests", "./portal.yaml", "-db", "portal.yaml"}, 2, "want another file than -db"},
		{"team", with("portal.yaml", strings.Replace(files["portal.yaml"], "ops: {", "ops: {team: first.csv, ", 1)), static, 2, "first.csv:1:"},
		{"no costs", with("portal.yaml", strings.Replace(files["portal.yaml"], "ops: {", "ops: {costs: none.yaml, ", 1)), static, 2, "none.yaml"},
		{"articles", with("portal.yaml", strings.Replace(files["portal.yaml"], "outages: second.csv, articles: articles.yaml", "articles: first.yaml", 1)), static, 2, "first.yaml:"},
		{"journeys", with("portal.yaml", strings.Replace(files["portal.yaml"], "journeys: journeys.jsonl", "journeys: first.csv", 1)), static, 3, "first.csv:1: want the result of a probe"},
		{"another program's file", map[string]string{"portal.yaml": files["first.yaml"]}, static, 2, "portal.yaml"},
	} {
		o := programtest.Run(t, nil, c.files, c.args...)
		if o.Exit != c.exit || o.Stdout != "" || !strings.Contains(o.Stderr, c.stderr) || strings.Contains(o.Stderr, "secret") {
			t.Errorf("%s: exit %d, %q, %s, want %d and %q", c.name, o.Exit, o.Stdout, o.Stderr, c.exit, c.stderr)
		}
	}
}

// pageOf reads a page of the site of the sample, as text.
func pageOf(t *testing.T, site map[string]string, name string) string {
	t.Helper()
	body, ok := site[name]
	if !ok {
		t.Fatalf("no %s", name)
	}
	return strings.Join(strings.Fields(regexp.MustCompile(`<svg.*?</svg>|<[^>]+>`).ReplaceAllString(strings.ReplaceAll(body, "\n", " "), " ")), " ")
}

// The figures of the operations, by hand. The team costs (2 · 70,000 + 0.5 · 60,000) · 1.3
// + 2.5 · 2,000 + 24,000 + 12,000 = 262,000 a year, 21,833.33 a month, two parts of three for
// the customer with two of the three services. Up to now 322.5 of the 745 hours of October
// in Lisbon are over, 9,451.34 for two incidents. Ines has worked since 09:12, rui from 11:10
// to 12:30 on the 8th, of nine working days of nine hours each and 1.5 on the tenth.
func TestSampleOperations(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	if o := programtest.Run(t, nil, nil, "-static", out); o.Exit != 0 {
		t.Fatalf("exit %d: %s", o.Exit, o.Stderr)
	}
	site := tree(t, out)
	ops := pageOf(t, site, "ops/index.html")
	for _, want := range []string{
		"Harbour Books Oct 2026 42000.00 EUR 14555.55 EUR 0.00 EUR 27444.45 EUR", "Orchard Cider Oct 2026 9000.00 EUR 7277.78 EUR 0.00 EUR 1722.22 EUR",
		"P1 1 4725.67 EUR 4725.67 EUR", "P2 1 4725.67 EUR 4725.67 EUR", "18m of 82h30m", "1h20m of 82h30m", "ines lisbon 1 0", "rui lisbon 0 1", "lena carries",
		"lisbon 45h 2 2 ✓ enough", "berlin 45h 1 2 ✕ 1 too few", "team.yaml", "costs.yaml", "commerce ines, lena, rui",
	} {
		if !strings.Contains(ops, want) {
			t.Errorf("no %q in %s", want, ops)
		}
	}
	if strings.Contains(ops, "Requests of customers") {
		t.Error("a static site has a box for requests")
	}
	// Of eight runs six worked, and what they took is 670 to 720 ms: the third and the last.
	journeys := pageOf(t, site, "t/harbour/journeys.html")
	for _, want := range []string{"buy a book", "14 Oct 2026 10:06", "75", "8 runs", "690 ms", "720 ms", "status 503, want 200", "find a book"} {
		if !strings.Contains(journeys, want) {
			t.Errorf("no %q in %s", want, journeys)
		}
	}
	help := pageOf(t, site, "t/harbour/help.html")
	known, knowledge := strings.Index(help, "The cart is empty"), strings.Index(help, "How to put a book on sale")
	if known < 0 || knowledge < known || !strings.Contains(help, "When to use the request form") {
		t.Errorf("help: %s", help)
	}
	for name, body := range site {
		if strings.HasPrefix(name, "t/orchard/") && (strings.Contains(body, "buy a book") || strings.Contains(body, "The cart is empty")) {
			t.Errorf("%s shows the other customer", name)
		}
	}
}

// served is a portal that runs.
type served struct {
	t    *testing.T
	base string
	log  *bytes.Buffer // read it after stop
	stop func() int
	kill func() // as a crash does

	hangup func() // asks it to read all files again
}

var listening = regexp.MustCompile(`listening on (http://\S+)/`)

func serve(t *testing.T, args ...string) *served {
	t.Helper()
	cmd := programtest.Command(t, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, log: &bytes.Buffer{}}
	lines, found := bufio.NewScanner(stderr), ""
	for found == "" && lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			found = m[1]
		}
		s.log.WriteString(lines.Text() + "\n")
	}
	if s.base = found; found == "" {
		t.Fatalf("it does not listen: %s", s.log)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines.Scan() {
			s.log.WriteString(lines.Text() + "\n")
		}
	}()
	s.hangup = func() {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Error(err)
		}
	}
	s.kill = func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-done
		_ = cmd.Wait() // killed
	}
	s.stop = func() int {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-done
		if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
			t.Error(err)
		}
		return cmd.ProcessState.ExitCode()
	}
	return s
}

func (s *served) ask(method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// until asks again until a text is there, for minutes: looks at the files are seconds apart.
func (s *served) until(path, want string, headers ...string) bool {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); <-tick.C {
		if _, text := s.ask("GET", path, "", headers...); strings.Contains(text, want) {
			return true
		}
	}
	return false
}

// Served without files of one's own, it shows the sample.
func TestServeSample(t *testing.T) {
	s := serve(t, "-listen", "127.0.0.1:0")
	if code, text := s.ask("GET", "/t/orchard/", ""); code != http.StatusOK || !strings.Contains(text, "Orchard Cider") {
		t.Errorf("%d %.300s", code, text)
	}
	if code, _ := s.ask("GET", "/t/harbour/", ""); code != http.StatusNotFound {
		t.Errorf("a private customer without a token: %d", code)
	}
	if code, text := s.ask("GET", "/t/harbour/badge.svg?k=harbour-feed-demo", ""); code != http.StatusOK || !strings.Contains(text, "99.870 %") {
		t.Errorf("badge: %d %s", code, text)
	}
	if code, text := s.ask("GET", "/ops/", "", "Authorization", "Bearer ops-demo"); code != http.StatusOK || !strings.Contains(text, "harbour") {
		t.Errorf("dashboard: %d", code)
	}
	if exit := s.stop(); exit != 0 {
		t.Errorf("exit %d: %s", exit, s.log)
	}
}

// Files are read again when they change; a broken one leaves the last good state, which
// says so.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, own("second"))
	s := serve(t, "-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z")
	token := []string{"Authorization", "Bearer first"}
	put(t, dir, map[string]string{"incidents.csv": own("second")["incidents.csv"] + "I-2,api-first,p2,2026-10-19T00:00:00Z,,Second of all\n"})
	if !s.until("/t/first/incidents", "Second of all", token...) {
		t.Error("a new incident is not shown")
	}
	put(t, dir, map[string]string{"incidents.csv": "id,service\nI-3,api-first\n"})
	if !s.until("/t/first/status.json", "data as of 2026-10-20T08:00:00Z", token...) {
		t.Error("a broken file is not told")
	}
	if code, text := s.ask("GET", "/t/first/incidents", "", token...); code != http.StatusOK || !strings.Contains(text, "Second of all") || !strings.Contains(text, "data as of") {
		t.Errorf("the last good state is gone: %d", code)
	}
	if _, text := s.ask("GET", "/metrics", "", "Authorization", "Bearer ops"); !strings.Contains(text, "evenkeel_config_reload_errors_total 1") {
		t.Errorf("metrics: %s", text)
	}
	if _, text := s.ask("GET", "/t/second/status.json", ""); strings.Contains(text, "data as of") {
		t.Error("another customer is stale too")
	}
	put(t, dir, map[string]string{"incidents.csv": own("second")["incidents.csv"] + "I-3,api-first,p3,2026-10-19T00:00:00Z,,Third of all\n"})
	if !s.until("/t/first/incidents", "Third of all", token...) {
		t.Error("a mended file is not read")
	}
	if _, text := s.ask("GET", "/t/first/status.json", "", token...); strings.Contains(text, "data as of") {
		t.Error("it is still told to be broken")
	}
	if exit := s.stop(); exit != 0 || !strings.Contains(s.log.String(), "incidents.csv:1") {
		t.Errorf("exit %d, want the file and line in %s", exit, s.log)
	}
}

// Incidents of a bridge's store are on the pages, and the API puts some there.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, own("second"))
	file := filepath.Join(dir, "bridge.db")
	l, err := openLive(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 20, 7, 0, 0, 0, time.UTC)
	id, err := l.Open(t.Context(), "first", "k", portal.NewIncident{Title: "Alert of the bridge", Service: "api-first", Severity: incident.P1, Text: "It is being looked at", At: at})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Open(t.Context(), "first", "k", portal.NewIncident{Title: "Alert of the bridge", Service: "api-first", Severity: incident.P1, Text: "It is being looked at", At: at}); err != nil || again != id {
		t.Errorf("the same key: %s, %v, want %s", again, err, id)
	}
	s := serve(t, "-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z", "-db", file)
	token := []string{"Authorization", "Bearer first"}
	if _, text := s.ask("GET", "/t/first/incidents", "", token...); !strings.Contains(text, "Alert of the bridge") || !strings.Contains(text, "It is being looked at") {
		t.Error("the incident of the bridge is not shown")
	}
	if _, text := s.ask("GET", "/t/first/status.json", "", token...); !strings.Contains(text, `"state": "outage"`) {
		t.Errorf("status: %s", text)
	}
	if _, text := s.ask("GET", "/t/second/incidents", ""); strings.Contains(text, "Alert of the bridge") {
		t.Error("another customer sees it")
	}
	// A stage and when the next update is due are kept with the update, and shown wherever
	// the incident is. The contract promises nothing sooner.
	news := portal.NewUpdate{Text: "A disk is full", State: "identified", NextUpdate: at.Add(65 * time.Minute), At: at.Add(30 * time.Second)}
	for range 2 { // the same key is one update
		if err := l.Update(t.Context(), "first", "news", id, news); err != nil {
			t.Fatal(err)
		}
	}
	if !s.until("/t/first/status.json", `"stage": "identified"`, token...) {
		t.Error("the stage is not shown")
	}
	for path, wants := range map[string][]string{
		"/t/first/status.json":      {`"next_update_due": "2026-10-20T08:05:00Z"`},
		"/t/first/":                 {"cause identified", `<time datetime="2026-10-20T08:05:00Z">`},
		"/t/first/?lang=de":         {"Ursache gefunden"},
		"/t/first/incidents":        {"cause identified: A disk is full (Next update due: "},
		"/t/first/api/v1/incidents": {`"stage": "identified"`, `"next_update_due": "2026-10-20T08:05:00Z"`, `"text": "A disk is full"`},
		"/t/first/feed.atom":        {"Stage: identified.", "A disk is full", "Next update due: 20 Oct 2026 08:05 UTC."},
	} {
		_, text := s.ask("GET", path, "", token...)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if n := strings.Count(text, "A disk is full"); path == "/t/first/api/v1/incidents" && n != 1 {
			t.Errorf("the update stands there %d times", n)
		}
	}
	if err := l.Update(context.Background(), "first", "u", id, portal.NewUpdate{Text: "All is well", State: "resolved", At: at.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := l.Update(context.Background(), "second", "u", id, portal.NewUpdate{Text: "x", At: at}); err == nil {
		t.Error("an incident of another customer is updated")
	}
	l.close()
	if !s.until("/t/first/status.json", `"state": "operational"`, token...) {
		t.Error("the end of the incident is not shown")
	}
	if _, text := s.ask("GET", "/t/first/incidents", "", token...); !strings.Contains(text, "cause identified: A disk is full") || strings.Contains(text, "<dt>Progress</dt>") {
		t.Error("the timeline of a resolved incident is another")
	}
	write := []string{"Authorization", "Bearer write", "Content-Type", "application/json", "Idempotency-Key", "a"}
	code, text := s.ask("POST", "/t/first/api/v1/incidents", `{"title": "By hand", "severity": "p2", "service": "api-first"}`, write...)
	if code != http.StatusCreated || !s.until("/t/first/incidents", "By hand", token...) {
		t.Errorf("a new incident: %d %s", code, text)
	}
	if exit := s.stop(); exit != 0 {
		t.Errorf("exit %d: %s", exit, s.log)
	}
}

// A request that was answered is there after the process was killed, once however often
// it was sent, and nobody but the operations sees it.
func TestRequests(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, own("second"))
	args := []string{"-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z", "-requests", filepath.Join(dir, "requests.db")}
	operations, form := []string{"Authorization", "Bearer ops"}, []string{"Authorization", "Bearer first", "Content-Type", "application/x-www-form-urlencoded"}
	reference := regexp.MustCompile(`RQ-[0-9a-f]{12}`)
	send := func(s *served, title string) string {
		t.Helper()
		code, text := s.ask("POST", "/t/first/request", "title="+title+"&text=please&contact=nina&service=api-first", form...)
		ref := reference.FindString(text)
		if code != http.StatusOK || ref == "" {
			t.Fatalf("%d %s", code, text)
		}
		return ref
	}
	s := serve(t, args...)
	if _, text := s.ask("GET", "/ops/", "", operations...); !strings.Contains(text, "No request waits.") {
		t.Error("the box of requests is not there")
	}
	ref := send(s, "More+disks")
	s.kill()
	s = serve(t, args...)
	if _, text := s.ask("GET", "/ops/", "", operations...); !strings.Contains(text, ref) || !strings.Contains(text, "More disks") || !strings.Contains(text, "nina") {
		t.Error("the request is gone")
	}
	if again := send(s, "More+disks"); again != ref {
		t.Errorf("sent again it is %s, want %s", again, ref)
	}
	other := send(s, "Less+disks")
	if other == ref || !s.until("/ops/", other, operations...) {
		t.Errorf("another request is %s", other)
	}
	_, text := s.ask("GET", "/ops/", "", operations...)
	if n := strings.Count(text, ref); n != 1 {
		t.Errorf("the request stands there %d times", n)
	}
	for _, path := range []string{"/t/second/", "/t/second/help", "/t/second/incidents", "/t/second/request"} {
		if code, text := s.ask("GET", path, ""); code != http.StatusOK || strings.Contains(text, "disks") {
			t.Errorf("%s: %d, or another customer sees it", path, code)
		}
	}
	if exit := s.stop(); exit != 0 {
		t.Errorf("exit %d: %s", exit, s.log)
	}
}

// What a customer asks for is sent on once it is on disk: again when the answer was lost
// or the portal was killed meanwhile, always under the same key, and never again once it
// was taken. What is refused for good stays with the operations.
func TestRequestsSentOn(t *testing.T) {
	type call struct{ key, body string }
	calls, answers := make(chan call, 100), make(chan int, 100)
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var message struct{ ID string }
		_ = json.Unmarshal(body, &message) // "" is seen below
		calls <- call{message.ID, string(body)}
		w.WriteHeader(<-answers)
	}))
	defer desk.Close()
	dir := t.TempDir()
	files := own("second")
	files["portal.yaml"] = strings.Replace(files["portal.yaml"], "tenants:\n", "requests: {webhook: {url: \""+desk.URL+"/\", secret: {file: secret.txt}}}\ntenants:\n", 1)
	files["secret.txt"] = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	put(t, dir, files)
	args := []string{"-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z", "-requests", filepath.Join(dir, "requests.db")}
	form := []string{"Authorization", "Bearer first", "Content-Type", "application/x-www-form-urlencoded"}
	send := func(s *served, title string) string {
		t.Helper()
		code, text := s.ask("POST", "/t/first/request", "title="+title+"&text=please&contact=nina&service=api-first", form...)
		ref := regexp.MustCompile(`RQ-[0-9a-f]{12}`).FindString(text)
		if code != http.StatusOK || ref == "" {
			t.Fatalf("%d %s", code, text)
		}
		return ref
	}
	s := serve(t, args...)
	ref := send(s, "More+disks")
	first := <-calls
	if first.key == "" || !strings.Contains(first.body, ref) || !strings.Contains(first.body, "More disks") || !strings.Contains(first.body, "nina") {
		t.Errorf("sent on: %+v", first)
	}
	s.kill() // before the answer
	answers <- http.StatusOK
	s = serve(t, args...)
	again := <-calls // when the lease of the dead one is over
	if again.key != first.key {
		t.Errorf("after a crash it has the key %q, want %q", again.key, first.key)
	}
	answers <- http.StatusServiceUnavailable
	if third := <-calls; third.key != first.key {
		t.Errorf("tried again it has the key %q, want %q", third.key, first.key)
	}
	answers <- http.StatusOK
	operations := []string{"Authorization", "Bearer ops"}
	if !s.until("/ops/", "No request waits.", operations...) {
		t.Error("what was taken still waits")
	}
	if send(s, "More+disks") != ref { // taken already
		t.Error("the same request has another reference")
	}
	refused := send(s, "Less+disks")
	if next := <-calls; !strings.Contains(next.body, refused) {
		t.Errorf("what was taken is sent again: %+v", next)
	}
	answers <- http.StatusBadRequest
	if !s.until("/ops/", refused, operations...) {
		t.Error("what was refused is not with the operations")
	}
	if exit := s.stop(); exit != 0 || !strings.Contains(s.log.String(), "a request was not taken") {
		t.Errorf("exit %d: %s", exit, s.log)
	}
	if len(calls) != 0 {
		t.Errorf("sent once more: %+v", <-calls)
	}
}

// Every page but the first can be switched off in the file.
func TestEveryPageCanBeDisabled(t *testing.T) {
	text := own("second")["portal.yaml"]
	for _, name := range page.Names()[1:] {
		with := strings.Replace(text, "articles: articles.yaml", "disabled: ["+string(name)+"], articles: articles.yaml", 1)
		if _, _, err := config.ParsePortal("portal.yaml", []byte(with), config.Secrets{}); err != nil || with == text {
			t.Errorf("disabled: [%s]: %v", name, err)
		}
	}
}
