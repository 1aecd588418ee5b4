package alertmanager

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// size is the number of files: 2000, and 100,000 with EVENKEEL_SOAK=1.
func size() int {
	if os.Getenv("EVENKEEL_SOAK") != "" {
		return 100_000
	}
	return 2_000
}

// counts are what a run compared.
type counts struct{ files, taken, stricter, syntax, routes, groups, instants, inhibitions int }

// TestConfigurations compares answers on random files, a third of which has something
// wrong in a matcher.
func TestConfigurations(t *testing.T) {
	var c counts
	for n := range size() {
		mode := matcher.Mode(max(0, n%10-7)) // eight of ten as by default
		setMode(t, mode)
		w := &writer{Rand: rand.New(rand.NewPCG(uint64(n), 1))}
		m := w.config()
		c.compare(t, w, w.file(m), mode)
		if t.Failed() {
			t.Fatalf("file %d, mode %q", n, mode)
		}
	}
	if c.taken*2 < c.files {
		t.Errorf("only %d of %d files were taken: the files are too bad", c.taken, c.files)
	}
	t.Logf("alertmanager configurations: %d files, %d taken; %d routes, %d groups, %d instants, %d inhibitions, 0 differences", c.files, c.taken, c.routes, c.groups, c.instants, c.inhibitions)
}

// TestSpoiltConfigurations compares what is refused, on files that something was done
// to. Where both take a file, its answers are compared as well.
func TestSpoiltConfigurations(t *testing.T) {
	var c counts
	for n := range size() {
		mode := matcher.Mode(max(0, n%10-7))
		setMode(t, mode)
		w := &writer{Rand: rand.New(rand.NewPCG(uint64(n), 2)), clean: true}
		m := w.config()
		for range 1 + w.IntN(2) {
			m, _ = w.spoil(m).(mapping)
		}
		c.compare(t, w, w.file(m), mode)
		if t.Failed() {
			t.Fatalf("spoilt file %d, mode %q", n, mode)
		}
	}
	refused := c.files - c.taken - c.stricter
	if refused*2 < c.files || c.taken == 0 {
		t.Errorf("%d of %d files were refused: want most, not all", refused, c.files)
	}
	t.Logf("alertmanager spoilt: %d files, %d refused by both, %d by us alone for a null item, 0 differences", c.files, refused, c.stricter)
}

// TestGarbledConfigurations compares what is refused, on files with a line or a
// character that is missing, moved or too much.
func TestGarbledConfigurations(t *testing.T) {
	var c counts
	for n := range size() / 2 {
		mode := matcher.Mode(max(0, n%10-7))
		setMode(t, mode)
		w := &writer{Rand: rand.New(rand.NewPCG(uint64(n), 6)), clean: true}
		c.compare(t, w, w.garble(w.file(bare(w.config()))), mode)
		if t.Failed() {
			t.Fatalf("garbled file %d, mode %q", n, mode)
		}
	}
	refused := c.files - c.taken - c.stricter - c.syntax
	if refused*4 < c.files || c.taken*20 < c.files || c.syntax*100 > c.files {
		t.Errorf("of %d files %d were refused and %d taken, and %d were no YAML for one: want many of both and few of these", c.files, refused, c.taken, c.syntax)
	}
	t.Logf("alertmanager garbled: %d files, %d refused by both, %d taken by both, %d no YAML for one of the YAML modules, 0 differences", c.files, refused, c.taken, c.syntax)
}

// compare gives a file to both.
func (c *counts) compare(t *testing.T, w *writer, text string, mode matcher.Mode) {
	t.Helper()
	c.files++
	theirs, theirErr := load(text)
	ours, err := alertmanager.ParseConfigMode("am.yml", []byte(text), mode)
	if (err == nil) != (theirErr == nil) {
		switch {
		case theirErr == nil && strict(err):
			c.stricter++
			return
		case noYAML(err, theirErr):
			c.syntax++
			return
		}
		t.Errorf("ours: %v\nalertmanager: %v\n%s", err, theirErr, text)
		return
	}
	if err != nil {
		return
	}
	c.taken++
	labels := w.labelSets(12)
	root := dispatch.NewRoute(theirs.Route, nil)
	fail := func(what, text string) { t.Errorf("%s:\n%s", what, text) }

	// Trees and routes.
	all := slices.SortedFunc(ours.Route.All(), func(a, b *route.Route) int { return cmp.Compare(a.ID(), b.ID()) })
	peers := walk(root)
	if d := differ(each(all, ours1), each(peers, describe)); d != "" {
		fail("routes", d+"\n"+text)
		return
	}
	for _, l := range labels {
		c.routes++
		if d := differ(each(ours.Route.Match(l), ours1), each(root.Match(labelSet(l)), describe)); d != "" {
			fail(fmt.Sprintf("routes of %v", l), d+"\n"+text)
		}
		if !slices.Equal(ours.Route.Explain(l).Taken(), ours.Route.Match(l)) {
			fail(fmt.Sprintf("routes of %v", l), "Explain takes others than Match\n"+text)
		}
	}

	// Groups, of alerts as they are after ingestion: an alert is its labels.
	now := time.Now()
	var alerts feed
	var groupsOfOurs []string
	seen := map[string]bool{}
	for _, l := range labels {
		if printed := labelSet(l).String(); len(l) > 0 && !seen[printed] {
			seen[printed] = true
			alerts = append(alerts, newAlert(l, now, now.Add(time.Hour)))
			for _, r := range ours.Route.Match(l) {
				c.groups++
				groupsOfOurs = append(groupsOfOurs, fmt.Sprintf("%s | %s | %s | %s | %s", r.ID(), r.GroupKey(l), r.Options().Receiver, labelSet(r.GroupLabels(l)), printed))
			}
		}
	}
	slices.Sort(groupsOfOurs)
	if d := differ(groupsOfOurs, groups(t, root, alerts)); d != "" {
		fail("groups", d+"\n"+text)
	}

	// Time intervals, by name and by route.
	intervener := timeinterval.NewIntervener(named(theirs))
	names := slices.Sorted(maps.Keys(ours.Intervals))
	for range 8 {
		if len(names) == 0 {
			break
		}
		c.instants++
		at := w.instant()
		got, err := ours.Intervals.Holding(names, at)
		_, want, theirErr := intervener.Mutes(names, at)
		if want = slices.Compact(want); err != nil || theirErr != nil || !slices.Equal(got, want) {
			fail(fmt.Sprintf("intervals at %s", at), fmt.Sprintf("ours %q, %v, alertmanager %q, %v\n%s", got, err, want, theirErr, text))
		}
		i := w.IntN(len(all))
		muting, err := all[i].Muting(ours.Intervals, at)
		if want := mutedAt(t, theirs, peers[i], at); err != nil || muting.Muted != want {
			fail(fmt.Sprintf("route %s at %s", all[i].ID(), at), fmt.Sprintf("ours %v, %v, alertmanager %v\n%s", muting, err, want, text))
		}
	}

	// Inhibition, by alerts of which some are over.
	in, err := ours.Inhibitor()
	if err != nil {
		t.Fatal(err)
	}
	alerts = nil
	for range 10 {
		l, ends := w.labels(), now.Add(time.Duration(w.IntN(4)-1)*time.Hour+time.Minute)
		alerts = append(alerts, newAlert(l, now.Add(-2*time.Hour), ends))
		if err := in.Apply(now, inhibit.Alert{Labels: l, Ends: ends}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range inhibited(t, theirs, alerts, labels) {
		c.inhibitions++
		if _, got := in.Mutes(labels[i]); got != want {
			fail(fmt.Sprintf("inhibition of %v by %v", labels[i], alerts), fmt.Sprintf("ours %v, alertmanager %v\n%s", got, want, text))
		}
	}
}

// strict reports whether all that we refuse is what the limits of the adapter name
// and TestStricter shows.
func strict(err error) bool {
	problems, ok := errors.AsType[alertmanager.Errors](err)
	return ok && !slices.ContainsFunc(problems, func(p alertmanager.Diagnostic) bool { return p.Code != "null_item" })
}

// noYAML reports whether a file is no YAML for one of the two YAML modules, of which
// theirs reads version 1.1 and ours 1.2: a comment that begins right after a quote, a
// list in one line that ends in two commas.
func noYAML(ours, theirs error) bool {
	if problems, ok := errors.AsType[alertmanager.Errors](ours); ok {
		return !slices.ContainsFunc(problems, func(p alertmanager.Diagnostic) bool { return p.Code != "syntax" && p.Code != "tag" })
	}
	return theirs != nil && strings.HasPrefix(theirs.Error(), "yaml: ") && !strings.HasPrefix(theirs.Error(), "yaml: unmarshal errors")
}

func each[T any](from []T, describe func(T) string) []string {
	out := make([]string, len(from))
	for i, v := range from {
		out[i] = describe(v)
	}
	return out
}

// ours1 writes what a route of ours is, in the words of describe.
func ours1(r *route.Route) string {
	o := r.Options()
	by := o.GroupBy
	if o.GroupByAll {
		by = nil
	}
	return fmt.Sprintf("%s %s %q by=%q all=%v %s %s %s mute=%q active=%q labels=%s", r.ID(), r.Key(), o.Receiver, by, o.GroupByAll, o.GroupWait, o.GroupInterval, o.RepeatInterval,
		o.MuteTimeIntervals, o.ActiveTimeIntervals, labelSet(o.Labels))
}

// labels makes those of an alert, as they are after ingestion: none is empty.
func (w *writer) labels() map[string]string {
	l := map[string]string{}
	for _, name := range labelNames {
		if w.maybe(5) {
			l[name] = w.pick(labelValues...)
		}
	}
	return l
}

// labelSets makes those of n alerts.
func (w *writer) labelSets(n int) []map[string]string {
	all := make([]map[string]string, n)
	for i := range all {
		all[i] = w.labels()
	}
	return all
}

// instant makes one between 2000 and 2040, often near the end of a day, month or
// year of some zone, or near a change of its clock.
func (w *writer) instant() time.Time {
	at := time.Date(2000+w.IntN(40), time.Month(1+w.IntN(12)), 1+w.IntN(31), w.IntN(24), w.IntN(60), w.IntN(60), 0, time.UTC)
	zone, err := time.LoadLocation(w.pick(zones...))
	if err != nil {
		panic(err)
	}
	switch w.IntN(4) {
	case 0: // an end of a month on the clock of the zone
		at = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
	case 1: // a change of the clock
		if _, end := at.In(zone).ZoneBounds(); !end.IsZero() && end.Year() < 2100 {
			at = end
		}
	case 2: // a full minute
		return at.Truncate(time.Minute)
	default:
		return at
	}
	return at.Add(time.Duration(w.IntN(5)-2)*12*time.Hour + time.Duration(w.IntN(5)-2)*time.Second)
}

// Where we are stricter, with the reason in the package comment of the adapter.
func TestStricter(t *testing.T) {
	setMode(t, matcher.Fallback)
	const head = "receivers: [{name: a}]\nroute:\n  receiver: a\n  routes:\n  - receiver: a\n    "
	for _, c := range []struct{ name, text, code string }{
		{"second document is ignored", head + "\n---\nroute: {receiver: nobody}\n", "second_document"},
		{"null is a sunday", head + "\ntime_intervals: [{name: x, time_intervals: [{weekdays: [~]}]}]\n", "null_item"},
		{"null is always", head + "\ntime_intervals: [{name: x, time_intervals: [~]}]\n", "null_item"},
		{"null is a rule that mutes all", head + "\ninhibit_rules: [~]\n", "null_item"},
		{"tag", head + "labels: {x: !!binary YQ==}\n", "tag"},
		{"out of the anchors", head + "matchers: ['a=~\"b)|(c\"']\n", "bad_route"},
	} {
		_, theirErr := load(c.text)
		_, err := alertmanager.ParseConfig("am.yml", []byte(c.text))
		problems, _ := errors.AsType[alertmanager.Errors](err)
		if theirErr != nil || len(problems) != 1 || problems[0].Code != c.code {
			t.Errorf("%s: ours %v, want %s; alertmanager %v, want it taken", c.name, err, c.code, theirErr)
		}
	}
	// A null route ends the program there.
	const null = head + "routes: [~]\n"
	if _, err := load(null); err == nil || !strings.HasPrefix(err.Error(), "panic: ") {
		t.Errorf("a null route in Alertmanager: %v, want a panic", err)
	}
	if _, err := alertmanager.ParseConfig("am.yml", []byte(null)); err == nil {
		t.Error("a null route: no error, want one")
	}
}

// settings are how errors begin that are about a receiver or a global setting.
var settings = []string{"at most one of ", "no global ", "no Slack API URL ", "missing webhook_url ", "missing bot_token ", "update_message ", "must provide either a Target ARN"}

// The examples and test files of Alertmanager read alike, apart from what is wrong in
// settings that are not looked into.
func TestFilesOfAlertmanager(t *testing.T) {
	setMode(t, matcher.Fallback)
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/alertmanager").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(dir))
	var files []string
	for _, pattern := range []string{"config/testdata/*.yml", "doc/examples/*.yml", "cli/testdata/*.yml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	var c counts
	apart := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := load(string(data)); err != nil {
			if _, ours := alertmanager.ParseConfig(name, data); ours == nil {
				apart++
				if !slices.ContainsFunc(settings, func(start string) bool { return strings.HasPrefix(err.Error(), start) }) {
					t.Errorf("%s is taken, alertmanager: %v", filepath.Base(name), err)
				}
			}
			continue
		}
		w := &writer{Rand: rand.New(rand.NewPCG(3, 4))}
		c.compare(t, w, string(data), matcher.Fallback)
	}
	if c.taken < 15 {
		t.Errorf("%d files were taken by both, want more of %d", c.taken, len(files))
	}
	t.Logf("alertmanager examples: %d files of its own, %d taken by both, %d wrong in settings that are kept apart, 0 differences", len(files), c.taken, apart)
}
