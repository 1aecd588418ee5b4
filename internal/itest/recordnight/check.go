package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Size limits of a recording in bytes.
const (
	maxFile  = 150 << 10
	maxTotal = 300 << 10
)

// slack allows for a busy machine in every comparison of instants.
const slack = 2 * time.Second

// Identity is what must not be found in a recording. Empty fields are not looked for.
type Identity struct {
	Host, User, Home string
}

// Check compares a recording with the faults that were injected and returns everything that does not fit, joined.
func Check(dir string, p pace, id Identity) error {
	c := &checker{pace: p, files: make(map[string][]byte)}
	if err := c.load(dir); err != nil {
		return err
	}
	c.sizes()
	c.words(id)
	c.outage()
	c.quietMinute()
	c.cascade()
	c.maintenance()
	c.later()
	c.resolved()
	c.tables()
	return errors.Join(c.misses...)
}

// alertRun is one firing of one alert, from the bodies.
type alertRun struct {
	labels           map[string]string
	starts, ends     time.Time // ends is zero while it fires
	notified, closed time.Time // arrival of the first firing and of the resolved body
}

type checker struct {
	pace   pace
	files  map[string][]byte
	faults []fault
	checks []map[string]string
	runs   []*alertRun
	misses []error
}

func (c *checker) miss(format string, args ...any) {
	c.misses = append(c.misses, fmt.Errorf(format, args...))
}

// names are the files of a recording.
var names = []string{"SOURCE.md", "checks.csv", "faults.csv", "maintenance.csv", "metrics.csv", "rules.yml", "sli.csv", "webhooks.jsonl"}

func (c *checker) load(dir string) error {
	var problems []error
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		problems = append(problems, err)
		c.files[name] = data
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	rows, err := c.rows("faults.csv")
	if err != nil {
		return err
	}
	for _, r := range rows {
		at, err1 := time.Parse(time.RFC3339, r["at"])
		end, err2 := time.Parse(time.RFC3339, r["end"])
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("faults.csv: %w", err)
		}
		c.faults = append(c.faults, fault{At: at, End: end, Kind: r["kind"], Target: r["target"], Detail: r["detail"]})
	}
	if c.checks, err = c.rows("checks.csv"); err != nil {
		return err
	}
	return c.webhooks()
}

// rows reads a CSV file as one map per row.
func (c *checker) rows(name string) ([]map[string]string, error) {
	all, err := csv.NewReader(bytes.NewReader(c.files[name])).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("%s: no rows", name)
	}
	var out []map[string]string
	for _, r := range all[1:] {
		m := make(map[string]string, len(r))
		for i, cell := range r {
			m[all[0][i]] = cell
		}
		out = append(out, m)
	}
	return out, nil
}

// webhooks turns the bodies into runs: one per fingerprint and start.
func (c *checker) webhooks() error {
	index := make(map[string]*alertRun)
	var order []string
	for i, line := range bytes.Split(bytes.TrimSpace(c.files["webhooks.jsonl"]), []byte("\n")) {
		var hook struct {
			At   time.Time
			Seq  int
			Body struct {
				Version string
				Alerts  []struct {
					Status           string
					Labels           map[string]string
					StartsAt, EndsAt time.Time
					Fingerprint      string
				}
			}
		}
		if err := json.Unmarshal(line, &hook); err != nil {
			return fmt.Errorf("webhooks.jsonl:%d: %w", i+1, err)
		}
		if hook.Seq != i+1 || hook.Body.Version != "4" {
			return fmt.Errorf("webhooks.jsonl:%d: seq %d, version %q: want %d, \"4\"", i+1, hook.Seq, hook.Body.Version, i+1)
		}
		for _, a := range hook.Body.Alerts {
			key := a.Fingerprint + " " + a.StartsAt.Format(time.RFC3339Nano)
			r := index[key]
			if r == nil {
				r = &alertRun{labels: a.Labels, starts: a.StartsAt}
				index[key] = r
				order = append(order, key)
			}
			switch a.Status {
			case "firing":
				if r.notified.IsZero() {
					r.notified = hook.At
				}
			case "resolved":
				r.ends, r.closed = a.EndsAt, hook.At
			}
		}
	}
	for _, key := range order {
		c.runs = append(c.runs, index[key])
	}
	return nil
}

func (c *checker) sizes() {
	total := 0
	for _, name := range names {
		total += len(c.files[name])
		if len(c.files[name]) > maxFile {
			c.miss("%s: %d bytes, want at most %d", name, len(c.files[name]), maxFile)
		}
	}
	if total > maxTotal {
		c.miss("all files: %d bytes, want at most %d", total, maxTotal)
	}
}

// localPath finds absolute paths of the usual folders.
var localPath = regexp.MustCompile(`(?m)(^|[\s"'=(,])/(home|root|tmp|work|usr|var|etc|opt|proc|Users)\b[^\s"]*`)

func (c *checker) words(id Identity) {
	for _, name := range names {
		text := c.files[name]
		if found := localPath.Find(text); found != nil {
			c.miss("%s: absolute path %q", name, found)
		}
		for _, word := range []string{id.Host, id.User, id.Home} {
			if word == "" {
				continue
			}
			if regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(word) + `(\W|$)`).Match(text) {
				c.miss("%s: holds %q, a name of this machine", name, word)
			}
		}
	}
}

// one returns the only fault of a kind and target.
func (c *checker) one(kind, target string) (fault, bool) {
	for _, f := range c.faults {
		if f.Kind == kind && f.Target == target {
			return f, true
		}
	}
	c.miss("faults.csv: no fault %s of %s", kind, target)
	return fault{}, false
}

// firing returns the runs of a signal.
func (c *checker) firing(signal string) []*alertRun {
	var out []*alertRun
	for _, r := range c.runs {
		if r.labels["signal"] == signal {
			out = append(out, r)
		}
	}
	return out
}

// outage holds the database's outage against checks.csv and the page for it.
func (c *checker) outage() {
	f, ok := c.one(kindKill, "db-1")
	if !ok {
		return
	}
	var down, up time.Time
	for _, r := range c.checks {
		if r["service"] != "shop-db" {
			continue
		}
		at, err := time.Parse(time.RFC3339, r["time"])
		if err != nil {
			c.miss("checks.csv: %v", err)
			continue
		}
		switch {
		case r["status"] == "down" && down.IsZero():
			down = at
		case r["status"] == "up" && !down.IsZero() && up.IsZero():
			up = at
		case r["status"] == "down" && !up.IsZero():
			c.miss("checks.csv: shop-db down a second time at %s", r["time"])
		}
	}
	c.near("checks.csv: shop-db down", down, f.At, c.pace.Scrape)
	c.near("checks.csv: shop-db up again", up, f.End, c.pace.Scrape)

	runs := c.firing("platform.database_down")
	if len(runs) != 1 {
		c.miss("webhooks.jsonl: %d runs of platform.database_down, want 1", len(runs))
		return
	}
	c.near("webhooks.jsonl: database_down", runs[0].notified, f.At, c.pace.ForPage+3*c.pace.Scrape+c.pace.GroupWait)
	if n := len(c.between("application.error_rate_high", f.At, f.End)); n < 8 {
		c.miss("webhooks.jsonl: %d runs of application.error_rate_high in the outage, want 8: the storm", n)
	}
}

// near wants got in [want, want + allowed + slack].
func (c *checker) near(what string, got, want time.Time, allowed time.Duration) {
	if got.Before(want.Add(-time.Second)) || got.After(want.Add(allowed+slack)) {
		c.miss("%s at %s, want within %s after %s", what, got.Format(exactTime), allowed, want.Format(exactTime))
	}
}

func (c *checker) between(signal string, from, to time.Time) []*alertRun {
	var out []*alertRun
	for _, r := range c.firing(signal) {
		if r.starts.After(from) && r.starts.Before(to) {
			out = append(out, r)
		}
	}
	return out
}

// quietMinute wants no page for one slow instance of four.
func (c *checker) quietMinute() {
	f, ok := c.one(kindSlow, "web-3")
	if !ok {
		return
	}
	until := f.At.Add(c.pace.minute(5))
	for _, r := range c.runs {
		sev := r.labels["severity"]
		if (sev == "p1" || sev == "p2") && r.starts.After(f.At) && r.starts.Before(until) {
			c.miss("webhooks.jsonl: %s (%s) at %s, although one slow instance of four must page nobody", r.labels["signal"], sev, r.starts.Format(exactTime))
		}
	}
}

// cascade wants the three causes of the infrastructure rule to hold together while all three faults are in place.
func (c *checker) cascade() {
	f, ok := c.one(kindCPU, "db-1")
	if !ok {
		return
	}
	var from, to time.Time
	for _, signal := range []string{"infrastructure.cpu_high", "infrastructure.memory_high", "platform.db_slow"} {
		var run *alertRun
		for _, r := range c.firing(signal) {
			if r.notified.Before(f.End) && r.closed.After(f.At) {
				run = r
			}
		}
		if run == nil {
			c.miss("webhooks.jsonl: %s does not fire between %s and %s", signal, f.At.Format(exactTime), f.End.Format(exactTime))
			return
		}
		if run.notified.After(from) {
			from = run.notified
		}
		if to.IsZero() || run.closed.Before(to) {
			to = run.closed
		}
	}
	if !from.Before(to) {
		c.miss("webhooks.jsonl: cpu_high, memory_high and db_slow never hold together")
		return
	}
	if n := len(c.firing("application.slow_response")); n < 8 {
		c.miss("webhooks.jsonl: %d runs of application.slow_response, want 8", n)
	}
}

// maintenance wants the restart inside its announced window, silent, and announced early enough.
func (c *checker) maintenance() {
	f, ok := c.one(kindRestart, "api-2")
	if !ok {
		return
	}
	rows, err := c.rows("maintenance.csv")
	if err != nil {
		c.miss("%v", err)
		return
	}
	for _, r := range rows {
		start, err1 := time.Parse(time.RFC3339, r["start"])
		end, err2 := time.Parse(time.RFC3339, r["end"])
		announced, err3 := time.Parse(time.RFC3339, r["announced"])
		if err := errors.Join(err1, err2, err3); err != nil {
			c.miss("maintenance.csv: %v", err)
			continue
		}
		if f.At.Before(start) || f.End.After(end) {
			c.miss("maintenance.csv: %s does not cover the restart of api-2", r["id"])
		}
		if start.Sub(announced) < 72*time.Hour {
			c.miss("maintenance.csv: %s announced %s ahead, want 72h at least", r["id"], start.Sub(announced))
		}
		for _, run := range c.runs {
			if in := run.labels["instance"]; (in == "api-2" || in == "web-2") && !run.notified.IsZero() && run.starts.After(start) && run.starts.Before(end) {
				c.miss("webhooks.jsonl: %s of %s in the silence", run.labels["signal"], in)
			}
		}
	}
	seen := false
	for _, r := range c.checks {
		at, _ := time.Parse(time.RFC3339, r["time"])
		seen = seen || r["service"] == "shop-api" && r["status"] == "degraded" && at.After(f.At) && at.Before(f.End.Add(slack))
	}
	if !seen {
		c.miss("checks.csv: shop-api not degraded during the restart of api-2")
	}
}

// later wants the two small faults of the end.
func (c *checker) later() {
	if f, ok := c.one(kindBacklog, "batch-1"); ok && len(c.between("platform.queue_depth", f.At, f.End.Add(c.pace.ForQueue))) == 0 {
		c.miss("webhooks.jsonl: no platform.queue_depth for the backlog")
	}
	if f, ok := c.one(kindErrors, "api-3"); ok {
		got := make(map[string]bool)
		for _, r := range c.between("application.error_rate_high", f.At, f.End.Add(c.pace.Rate)) {
			got[r.labels["instance"]] = true
		}
		if !got["api-3"] || !got["web-3"] || len(got) != 2 {
			c.miss("webhooks.jsonl: application.error_rate_high of %d instances for the second fault, want api-3 and web-3", len(got))
		}
	}
}

// resolved wants every alert that fired to end within the recording, with the labels that the examples read.
func (c *checker) resolved() {
	mute, silenced := c.one(kindSilence, "api-2|web-2")
	for _, r := range c.runs {
		// Alertmanager may report the end of an alert whose firing a silence kept back, with the next body of its group.
		if r.notified.IsZero() && (!silenced || !r.starts.After(mute.At) || !r.starts.Before(mute.End)) {
			c.miss("webhooks.jsonl: %s of %s resolved and never fired", r.labels["signal"], r.labels["instance"])
		}
		if r.closed.IsZero() {
			c.miss("webhooks.jsonl: %s of %s still fires at the end", r.labels["signal"], r.labels["instance"])
		}
		for _, key := range []string{"tenant", "service", "severity", "signal", "region", "cluster"} {
			if r.labels[key] == "" {
				c.miss("webhooks.jsonl: %s has no label %s", r.labels["alertname"], key)
			}
		}
	}
}

// tables looks at the numbers: every service has its rows, good never exceeds total, the web tier failed in the outage.
func (c *checker) tables() {
	sli, err := c.rows("sli.csv")
	if err != nil {
		c.miss("%v", err)
		return
	}
	f, _ := c.one(kindKill, "db-1")
	bad := 0
	for i, r := range sli {
		good, err1 := strconv.Atoi(r["good"])
		total, err2 := strconv.Atoi(r["total"])
		at, err3 := time.Parse(time.RFC3339, r["time"])
		if err := errors.Join(err1, err2, err3); err != nil || good > total || good < 0 {
			c.miss("sli.csv:%d: good %q, total %q (%v)", i+2, r["good"], r["total"], err)
			continue
		}
		if r["service"] == "shop-web" && at.After(f.At) && at.Before(f.End) {
			bad += total - good
		}
	}
	// Nine in ten of 40 requests a second, less a row at either end.
	if want := int(0.9 * 4 * requestRate * (f.End.Sub(f.At) - 2*c.pace.Row).Seconds()); bad < want {
		c.miss("sli.csv: %d failed requests of shop-web in the outage, want %d at least", bad, want)
	}

	metrics, err := c.rows("metrics.csv")
	if err != nil {
		c.miss("%v", err)
		return
	}
	want := int(c.pace.minute(lastMinute) / c.pace.Row)
	count, filled := make(map[string]int), make(map[string]int)
	for _, r := range metrics {
		count[r["service"]]++
		if r["cpu_utilization"] != "" && r["memory_usage"] != "" {
			filled[r["service"]]++
		}
	}
	var services []string
	for name := range count {
		services = append(services, name)
	}
	sort.Strings(services)
	if got := strings.Join(services, " "); got != "shop-api shop-batch shop-db shop-node shop-web" {
		c.miss("metrics.csv: services %s", got)
	}
	for _, name := range services {
		least := want - 2
		if name == "shop-db" {
			least -= int(f.End.Sub(f.At)/c.pace.Row) + 2
		}
		if count[name] != want || filled[name] < least {
			c.miss("metrics.csv: %s has %d rows, %d of them filled: want %d and %d", name, count[name], filled[name], want, least)
		}
	}
}
