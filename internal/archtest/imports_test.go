package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/evenkeelops/evenkeel"

// room is a part of the module and what its packages may import, apart from the
// standard library and the packages of the room itself. Tests may import any
// package of the module.
type room struct {
	path    string   // folder; "/..." for all below
	imports []string // our own packages, by folder; "/..." for all below
	modules []string // modules of others, by path prefix
	tests   []string // modules that only its tests may import
	apart   bool     // the packages below do not import each other
}

var (
	leaf = []string{"internal/fixed", "internal/wallclock", "internal/threshold", "internal/sample", "internal/spelling", "internal/diagnostic", "internal/key", "internal/times", "internal/heap", "internal/table", "internal/markdown", "internal/strictjson", "internal/gsm", "internal/color", "internal/sealed"}
	core = []string{"sla/...", "slo/...", "incident/...", "escalation/...", "correlation/...", "anomaly/...", "roi/..."}
)

// rooms is the import table. The first room that holds a package decides.
var rooms = []room{
	{path: "internal/fixed"},
	{path: "internal/wallclock"},
	{path: "internal/threshold", imports: []string{"internal/fixed"}},
	{path: "internal/sample", imports: []string{"internal/fixed"}},
	{path: "internal/span"},
	{path: "internal/spelling"},
	{path: "internal/diagnostic"},
	{path: "internal/key"},
	{path: "internal/times"},
	{path: "internal/heap"},
	{path: "internal/table"},
	{path: "internal/markdown"},
	{path: "internal/gsm"},
	{path: "internal/locale", imports: with("sla/money")},
	{path: "internal/color"},
	{path: "internal/sealed"},
	{path: "internal/strictjson", imports: []string{"internal/spelling"}},
	{path: "internal/archtest"},
	{path: "internal/testutil"},
	{path: "internal/nab"},

	{path: "sla/calendar", imports: with("internal/span")},
	{path: "sla/money", imports: leaf},
	{path: "anomaly/...", imports: leaf},
	{path: "incident", imports: with("sla/calendar", "sla/money")},
	{path: "incident/...", imports: with("incident", "sla/calendar"), apart: true},
	{path: "sla/...", imports: with("internal/span", "sla/calendar", "sla/money", "incident")},
	{path: "slo/openslo", imports: with("slo", "slo/promrules"), modules: []string{"go.yaml.in/yaml/v4"}},
	{path: "slo/promrules", imports: with("slo"), tests: []string{"go.yaml.in/yaml/v4"}},
	{path: "slo", imports: with("internal/span", "sla/calendar")},
	{path: "escalation", imports: with("incident", "sla/calendar")},
	{path: "escalation/...", imports: with("escalation", "escalation/internal/...", "incident", "sla/calendar"), apart: true},
	{path: "correlation/...", imports: with("incident", "sla/calendar")},
	{path: "roi/...", imports: with("sla/money")},

	{path: "adapters", imports: with("incident")},
	{path: "adapters/resilience", imports: with("adapters", "incident"), modules: []string{"golang.org/x/time", "github.com/sony/gobreaker/v2"}},
	{path: "adapters/ingest", imports: with("adapters", "incident")},
	{path: "adapters/adaptertest/...", imports: with("adapters", "adapters/ingest", "adapters/resilience", "incident")},
	{path: "adapters/report", imports: with(append(core, "adapters/ical", "internal/locale")...), modules: []string{"codeberg.org/go-pdf/fpdf"}},
	{path: "adapters/report/dispatch", imports: append(edge(), "adapters/report", "adapters/notify", "adapters/runner")},
	{path: "adapters/portal/...", imports: append(edge(), "adapters/report", "adapters/ical", "adapters/metrics", "internal/locale"), tests: []string{"github.com/arran4/golang-ical"}},
	{path: "adapters/config", imports: append(edge(), "adapters/probe"), modules: []string{"go.yaml.in/yaml/v4"}},
	{path: "adapters/sync/...", imports: edge()},
	{path: "adapters/sqlstore", imports: append(edge(), "adapters/sync"), tests: []string{"modernc.org/sqlite"}},
	{path: "adapters/runner", imports: edge()},
	{path: "adapters/notify/...", imports: edge()},
	{path: "adapters/command", imports: edge()},
	{path: "adapters/pagerduty", imports: edge(), modules: []string{"github.com/PagerDuty/go-pagerduty"}, tests: []string{"github.com/sony/gobreaker/v2"}},
	{path: "adapters/jira", imports: edge(), modules: []string{"github.com/andygrunwald/go-jira"}, tests: []string{"github.com/sony/gobreaker/v2"}},
	{path: "adapters/servicenow", imports: edge(), tests: []string{"github.com/sony/gobreaker/v2"}},
	{path: "adapters/prometheus", imports: edge(), modules: []string{"github.com/prometheus/common/model"}},
	{path: "adapters/alertmanager", imports: edge(), modules: []string{"go.yaml.in/yaml/v4"}},
	{path: "adapters/stream/...", imports: edge(), modules: []string{"github.com/nats-io/nats.go"}, tests: []string{"modernc.org/sqlite"}},
	{path: "adapters/ical", imports: edge(), modules: []string{"github.com/arran4/golang-ical", "github.com/teambition/rrule-go"}},
	{path: "adapters/probe", imports: append(edge(), "adapters/metrics")},
	{path: "adapters/...", imports: edge(), apart: true},

	{path: "examples/...", imports: with(append(core, "adapters/...", "examples/...", "internal/...")...), modules: []string{
		"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/nats-io/nats.go", "github.com/prometheus/common/expfmt",
	}},
}

// testModules may be imported by tests anywhere.
var testModules = []string{"github.com/stretchr/testify", "go.uber.org/goleak"}

// with returns the leaves and more.
func with(more ...string) []string { return slices.Concat(leaf, more) }

// edge is what any adapter may import of ours: the core and the shared parts of
// the edge, but no other adapter.
func edge() []string {
	return with(append(core, "adapters", "adapters/resilience", "adapters/ingest")...)
}

func TestImports(t *testing.T) {
	seen := 0
	for file, imports := range sources(t) {
		folder := path.Dir(file)
		i := slices.IndexFunc(rooms, func(r room) bool { return holds(r.path, folder) })
		if i < 0 {
			t.Errorf("%s: folder %s is in no room of the import table", file, folder)
			continue
		}
		test := strings.HasSuffix(file, "_test.go")
		for _, imported := range imports {
			seen++
			if !allowed(rooms[i], folder, imported, test) {
				t.Errorf("%s imports %s, which the import table does not allow", file, imported)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no import was checked")
	}
}

func allowed(r room, folder, imported string, test bool) bool {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return test || own == folder || !r.apart && holds(r.path, own) ||
			slices.ContainsFunc(r.imports, func(p string) bool { return holds(p, own) })
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	under := func(prefix string) bool { return imported == prefix || strings.HasPrefix(imported, prefix+"/") }
	return slices.ContainsFunc(r.modules, under) || test && slices.ContainsFunc(append(r.tests, testModules...), under)
}

func holds(pattern, folder string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return folder == base || strings.HasPrefix(folder, base+"/")
	}
	return folder == pattern
}

// sources returns the imports of every Go file of the root module.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	root := rootDir(t)
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != root && (nested == nil || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, spec := range parsed.Imports {
			imports = append(imports, strings.Trim(spec.Path.Value, `"`))
		}
		files[filepath.ToSlash(relative)] = imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The table itself must catch what it is there to catch.
func TestTableRefuses(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		want           bool
	}{
		{"sla/credit.go", module + "/sla/money", true},
		{"sla/credit.go", module + "/incident", true},
		{"sla/credit.go", module + "/slo", false},
		{"sla/calendar/interval.go", module + "/internal/span", true},
		{"roi/roi.go", module + "/internal/span", false},
		{"sla/credit.go", module + "/adapters/config", false},
		{"sla/credit.go", "github.com/stretchr/testify/assert", false},
		{"sla/credit_test.go", "github.com/stretchr/testify/assert", true},
		{"sla/credit_test.go", "gopkg.in/yaml.v3", false},
		{"incident/comms/plan.go", module + "/incident/playbook", false},
		{"incident/comms/plan.go", module + "/incident", true},
		{"incident/incident.go", module + "/incident/comms", false},
		{"anomaly/detector.go", module + "/anomaly/iforest", true},
		{"anomaly/detector.go", module + "/sla/calendar", false},
		{"adapters/jira/jira.go", module + "/adapters/pagerduty", false},
		{"adapters/jira/jira.go", "github.com/PagerDuty/go-pagerduty", false},
		{"examples/quickstart/main.go", "modernc.org/sqlite", true},
		{"adapters/sqlstore/store.go", "modernc.org/sqlite", false},
		{"adapters/sqlstore/store_test.go", "github.com/jackc/pgx/v5/stdlib", false},
		{"adapters/runner/runner.go", module + "/adapters/sqlstore", false},
		{"escalation/timertest/timertest.go", module + "/escalation", true},
		{"escalation/coverage/duty.go", module + "/escalation", true},
		{"escalation/coverage/duty.go", module + "/escalation/support", false},
		{"escalation/engine.go", module + "/escalation/handoff", false},
		{"adapters/notify/notifytest/notifytest.go", module + "/adapters/notify", true},
		{"adapters/notify/notify.go", module + "/adapters/runner", false},
		{"adapters/probe/metrics.go", module + "/adapters/metrics", true},
		{"adapters/config/journeys.go", module + "/adapters/probe", true},
		{"adapters/probe/journey.go", module + "/adapters/config", false},
		{"adapters/metrics/metrics.go", module + "/adapters/probe", false},
		{"correlation/route/route.go", module + "/correlation/interval", true},
		{"correlation/route/route.go", "go.yaml.in/yaml/v4", false},
		{"adapters/alertmanager/config.go", "go.yaml.in/yaml/v4", true},
		{"adapters/alertmanager/config.go", module + "/adapters/config", false},
	} {
		folder := path.Dir(c.file)
		i := slices.IndexFunc(rooms, func(r room) bool { return holds(r.path, folder) })
		if got := allowed(rooms[i], folder, c.imported, strings.HasSuffix(c.file, "_test.go")); got != c.want {
			t.Errorf("%s may import %s = %v, want %v", c.file, c.imported, got, c.want)
		}
	}
}

// The top level is part of the promise: importers find the same folders in
// every version.
func TestTopLevel(t *testing.T) {
	want := []string{
		"sla", "slo", "incident", "escalation", "correlation", "anomaly", "roi", "adapters", "examples", "internal", "docs",
		"go.mod", "go.sum", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "DESIGN.md", "SECURITY.md", "Makefile",
	}
	found := map[string]bool{}
	entries, err := os.ReadDir(rootDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		switch name := entry.Name(); {
		case slices.Contains(want, name):
			found[name] = true
		case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "evenkeel-"): // tools' own, and what make demo writes
		default:
			t.Errorf("%s does not belong at the top level", name)
		}
	}
	for _, name := range want {
		if !found[name] {
			t.Errorf("%s is missing at the top level; there: %v", name, slices.Sorted(maps.Keys(found)))
		}
	}
}

func rootDir(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
