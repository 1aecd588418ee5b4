package recompute

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// terms is a contract as the script reads it.
type terms struct {
	Zone        string            `json:"zone"`
	Month       string            `json:"month"`
	Now         time.Time         `json:"now"`
	Fee         string            `json:"fee"`
	Services    []service         `json:"services"`
	Exclude     []string          `json:"exclude"`
	MinNotice   int               `json:"min_notice"` // seconds
	Response    map[string]int    `json:"response"`   // seconds
	Resolution  map[string]int    `json:"resolution"`
	Bands       []band            `json:"bands"`
	Late        map[string]string `json:"late"`
	Restoration int               `json:"restoration_percent"`
	Monitoring  int               `json:"monitoring_percent"`
	Cap         int               `json:"cap_percent"`
}

type service struct {
	ID     string `json:"id"`
	Target string `json:"target"`
}

type band struct {
	Below   string `json:"below"`
	Percent int    `json:"percent"`
}

func reference(zone, month string, now time.Time, target string) terms {
	return terms{
		Zone: zone, Month: month, Now: now, Fee: "42000.00",
		Services: []service{{"shop", target}, {"search", target}, {"stock", target}},
		Exclude:  []string{"customer"}, MinNotice: 72 * 3600,
		Response:   map[string]int{"p1": 300, "p2": 1800, "p3": 7200, "p4": 14400},
		Resolution: map[string]int{"p1": 7200, "p2": 28800, "p3": 86400, "p4": 259200},
		Bands:      []band{{"99.0", 10}, {"98.0", 25}, {"95.0", 50}},
		Late:       map[string]string{"p1": "500", "p2": "200", "p3": "100"}, Restoration: 5, Monitoring: 1, Cap: 50,
	}
}

// yaml writes the contract as the program reads it.
func (x terms) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nid: random\ncustomer: {id: c, name: C}\ntimezone: %s\ntier: none\nmonthly_fee: %q\nevidence_from: 2020-01-01T00:00:00Z\nservices:\n", x.Zone, x.Fee+" EUR")
	for _, s := range x.Services {
		fmt.Fprintf(&b, "  - {id: %s}\n", s.ID)
	}
	fmt.Fprintf(&b, "availability: {target_percent: %s, aggregate: worst, exclude: [maintenance, customer], min_notice: 72h, unmonitored: up}\n", x.Services[0].Target)
	b.WriteString(`response: {critical: 5m, high: 30m, medium: 2h, low: 4h}
resolution: {p1: "< 2h", p2: "< 8h", p3: "< 24h", p4: "< 72h"}
credits:
  availability: [{below: 99.0, percent: 10}, {below: 98.0, percent: 25}, {below: 95.0, percent: 50}]
  response: {critical: "500 EUR", high: "200 EUR", medium: "100 EUR"}
  mttr_breach_percent: 5
  monitoring_outage_percent_per_hour: 1
  cap_percent: 50
`)
	return b.String()
}

var program string // slareport, built once

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "recompute")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "slareport")
	build := exec.Command("go", "build", "-o", program, "./examples/slareport") //nolint:noctx // ends with the build
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	return m.Run()
}

// compare has the program report on the files of a folder and the script compute the
// same. It returns how many numbers were compared.
func compare(t *testing.T, dir string, x terms, flags ...string) int {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3: apt-get install -y --no-install-recommends python3")
	}
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "terms.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"-json", "-config", filepath.Join(dir, "contract.yaml"), "-month", x.Month, "-now", x.Now.Format(time.RFC3339), "-trend", "0",
		"-outages", filepath.Join(dir, "outages.csv"), "-incidents", filepath.Join(dir, "incidents.csv"),
		"-maintenance", filepath.Join(dir, "maintenance.csv"), "-changes", filepath.Join(dir, "changes.csv"),
	}, flags...)
	slareport := exec.CommandContext(t.Context(), program, args...)
	slareport.Stderr = t.Output()
	report, err := slareport.Output()
	if err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), "python3", "recompute.py", dir)
	script.Stdin = strings.NewReader(string(report))
	out, err := script.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var compared int
	if _, err := fmt.Sscanf(lines[len(lines)-1], "%d compared", &compared); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, line := range lines[:len(lines)-1] {
		t.Error(line)
	}
	return compared
}

// The sample of slareport, whose three services have targets of their own.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	sample := filepath.Join("..", "..", "..", "examples", "slareport", "testdata", "sample")
	if err := os.CopyFS(dir, os.DirFS(sample)); err != nil {
		t.Fatal(err)
	}
	x := reference("Europe/Lisbon", "2026-09", time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC), "99.5")
	x.Services[1].Target = "99.0"
	if n := compare(t, dir, x); n < 70 {
		t.Errorf("%d numbers compared", n)
	}
}

// Random months, among them those in which the clocks change and one that is not
// over: every headline number is the same.
func TestRandomMonths(t *testing.T) {
	zones := []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore", "Australia/Lord_Howe"}
	months := []string{"2026-10", "2026-03", "2026-02", "2026-11"}
	total := 0
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 11))
		zone, month := zones[r.IntN(len(zones))], months[r.IntN(len(months))]
		t.Run(fmt.Sprintf("%d-%s-%s", seed, month, filepath.Base(zone)), func(t *testing.T) {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			begin, err := time.ParseInLocation("2006-01", month, loc)
			if err != nil {
				t.Fatal(err)
			}
			now := begin.AddDate(0, 1, 2)
			if r.IntN(4) == 0 {
				now = begin.AddDate(0, 0, 10).Add(time.Duration(r.IntN(86_400)) * time.Second)
			}
			dir := t.TempDir()
			x := reference(zone, month, now.UTC(), []string{"99.9", "99.5", "98.0"}[r.IntN(3)])
			if err := os.WriteFile(filepath.Join(dir, "contract.yaml"), []byte(x.yaml()), 0o600); err != nil {
				t.Fatal(err)
			}
			draw(t, r, dir, begin, now)
			total += compare(t, dir, x)
		})
	}
	if t.Logf("%d numbers compared", total); total < 24*70 {
		t.Error("too few to say anything")
	}
}

// draw writes tables of what may have happened from a week before the month on.
func draw(t *testing.T, r *rand.Rand, dir string, begin, now time.Time) {
	t.Helper()
	from := begin.AddDate(0, 0, -7)
	span := int(now.Sub(from) / time.Second)
	at := func() time.Time { return from.Add(time.Duration(r.IntN(span)) * time.Second) }
	text := func(t time.Time) string {
		if t.After(now) {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	after := func(t time.Time, most int) time.Time { return t.Add(time.Duration(1+r.IntN(most)) * time.Second) }

	outages := [][]string{{"service", "start", "end", "kind", "cause", "incident_id"}}
	for range r.IntN(16) {
		start := at()
		outages = append(outages, []string{pick("shop", "search", "stock"), text(start), text(after(start, 20_000)), pick("down", "down", "down", "degraded", "unmonitored"), pick("", "provider", "customer", "force_majeure"), ""})
	}
	write(t, dir, "outages.csv", outages)

	incidents := [][]string{{"id", "service", "severity", "opened", "started", "detected", "acknowledged", "responded", "resolved"}}
	for i := range r.IntN(25) {
		started := at()
		detected := after(started, 600)
		opened := after(detected, 300)
		if opened.After(now) {
			continue
		}
		acknowledged := after(opened, []int{200, 2000, 20_000}[r.IntN(3)])
		resolved := after(acknowledged, []int{5000, 40_000, 400_000}[r.IntN(3)])
		row := []string{"I-" + strconv.Itoa(i), pick("shop", "search", "stock"), pick("p1", "p2", "p3", "p4"), text(opened), text(started), text(detected), text(acknowledged), "", text(resolved)}
		if r.IntN(5) == 0 {
			row[4], row[5] = "", ""
		}
		incidents = append(incidents, row)
	}
	write(t, dir, "incidents.csv", incidents)

	windows := [][]string{{"id", "service", "start", "end", "announced", "type", "status"}}
	for i := range r.IntN(8) {
		start := at()
		announced := start.Add(-time.Duration(r.IntN(6*24)) * time.Hour)
		windows = append(windows, []string{"W-" + strconv.Itoa(i), pick("shop", "search", "*"), text(start), after(start, 30_000).UTC().Format(time.RFC3339), text(announced), pick("planned", "planned", "emergency"), pick("done", "done", "cancelled")})
	}
	write(t, dir, "maintenance.csv", windows)

	changes := [][]string{{"id", "service", "start", "end", "type", "outcome", "caused_incident"}}
	for i := range r.IntN(12) {
		start := at()
		end := text(after(start, 9000))
		outcome := pick("success", "success", "failed", "rolled_back", "cancelled")
		if end == "" {
			outcome = ""
		}
		changes = append(changes, []string{"C-" + strconv.Itoa(i), "shop", text(start), end, pick("standard", "normal", "emergency"), outcome, pick("", "", "I-1")})
	}
	write(t, dir, "changes.csv", changes)
}

func write(t *testing.T, dir, name string, rows [][]string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := csv.NewWriter(file).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
}
