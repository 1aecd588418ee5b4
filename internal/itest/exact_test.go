package itest_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// counter is a series of requests_total with a sample per scrape, from one on.
type counter struct {
	labels string
	first  int
	values []uint64
}

// counted makes a counter that begins with a value and then counts some events per
// scrape. It is reset before scrape number reset, if that is not 0.
func counted(labels string, first, until int, start uint64, reset int, events func(i int) uint64) counter {
	c := counter{labels: labels, first: first, values: []uint64{start}}
	for i := first + 1; i <= until; i++ {
		last := c.values[len(c.values)-1]
		if i == reset {
			last = 0
		}
		c.values = append(c.values, last+events(i))
	}
	return c
}

// counters are scraped every so often, the first time after shift.
type counters struct {
	all           []counter
	scrape, shift time.Duration
}

// in counts the events of the samples in (at−w, at]: a sample counts what it has
// more than the one before, all of it after a reset, and nothing as the first.
func (c counters) in(w, at time.Duration) (bad, total uint64) {
	for _, s := range c.all {
		for i := 1; i < len(s.values); i++ {
			when := c.shift + time.Duration(s.first+i)*c.scrape
			if when <= at-w || when > at {
				continue
			}
			n := s.values[i]
			if n >= s.values[i-1] {
				n -= s.values[i-1]
			}
			total += n
			if strings.Contains(s.labels, `code="500"`) {
				bad += n
			}
		}
	}
	return bad, total
}

// write writes the series as promtool reads them, every step.
func (c counters) write(b *strings.Builder, step time.Duration) {
	for _, s := range c.all {
		fmt.Fprintf(b, "      - series: 'requests_total{%s}'\n        values: '", s.labels)
		gap := func(d time.Duration) {
			for range d / step {
				b.WriteString("_ ")
			}
		}
		gap(c.shift + time.Duration(s.first)*c.scrape)
		for _, v := range s.values {
			fmt.Fprintf(b, "%d ", v)
			gap(c.scrape - step)
		}
		b.WriteString("'\n")
	}
}

// TestExactCounts gives counters of an hour and a half to promtool. Every error
// ratio must be that of the events in its window, and a burn of exactly 1 fires
// nothing at any time: with samples at the evaluations and beside them, counters
// that begin within the windows and such that are reset, and windows that are no
// whole number of scrapes.
func TestExactCounts(t *testing.T) {
	tools := tools(t)
	const end = 90 * time.Minute
	constant := func(n uint64) func(int) uint64 { return func(int) uint64 { return n } }
	// pair counts bad events, and 999 times as many good ones.
	pair := func(pod string, first, n int, start uint64, reset int, bad func(i int) uint64) []counter {
		good := func(i int) uint64 { return 999 * bad(i) }
		return []counter{
			counted(`code="200",pod="`+pod+`"`, first, n, 999*start, reset, good),
			counted(`code="500",pod="`+pod+`"`, first, n, start, reset, bad),
		}
	}
	// uneven counts bad events now and then, of a traffic that varies.
	uneven := func(pod string, first, n int, start uint64, reset int) []counter {
		return []counter{
			counted(`code="200",pod="`+pod+`"`, first, n, start, reset, func(i int) uint64 { return uint64(100 + 7919*i%101) }),
			counted(`code="500",pod="`+pod+`"`, first, n, start/10, reset, func(i int) uint64 { return uint64(i % 13 / 12 * 3) }),
		}
	}
	stories := []struct {
		name   string
		series func(n int) []counter // n is the number of the last scrape
		calm   bool                  // burns exactly 1 all the time
		at     []time.Duration
	}{
		{
			"a burn of exactly 1", func(n int) []counter { return pair("a", 0, n, 1000, 0, constant(1)) },
			true,
			[]time.Duration{10 * time.Minute, 40 * time.Minute, end},
		},
		{
			"one born in the window burns exactly 1", func(n int) []counter {
				return append(pair("a", 0, n, 1000, 0, constant(1)), pair("b", n/3, n, 17, 0, constant(3))...)
			},
			true,
			[]time.Duration{31 * time.Minute, 40 * time.Minute, end},
		},
		{
			// One of two is reset: the other one's count is not stretched, so both
			// must be of the same window.
			"a reset at a burn of exactly 1", func(n int) []counter {
				return append(pair("a", 0, n, 1000, n*5/9, constant(1)), pair("b", 0, n, 2000, 0, constant(3))...)
			},
			true,
			[]time.Duration{51 * time.Minute, 80 * time.Minute, end},
		},
		{
			// They count from 0 and begin with errors, as after a bad deployment.
			"a burst of a young counter", func(n int) []counter {
				return []counter{
					counted(`code="200"`, 0, n, 0, 0, constant(100)),
					counted(`code="500"`, 0, n, 0, 0, func(i int) uint64 { return uint64(max(0, 9-i)) }),
				}
			},
			false,
			[]time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 62 * time.Minute, end},
		},
		{
			"uneven, one born in the window", func(n int) []counter {
				return append(uneven("a", 0, n, 1e9, 0), uneven("b", n/2, n, 50, 0)...)
			},
			false,
			[]time.Duration{12 * time.Minute, 46 * time.Minute, 50 * time.Minute, 77 * time.Minute, end},
		},
	}
	// A reset of a counter that filled the range is exact too, where all windows
	// but the long ones are full.
	full := []string{"1m10s", "5m", "14m", "30m", "1h"}
	windows := map[string]time.Duration{
		"1m10s": 70 * time.Second, "5m": 5 * time.Minute, "14m": 14 * time.Minute, "30m": 30 * time.Minute, "1h": time.Hour,
		"2h": 2 * time.Hour, "6h": 6 * time.Hour, "1d": 24 * time.Hour, "3d": 72 * time.Hour,
	}
	events := promrules.Events{Bad: `requests_total{code="500"}`, Total: "requests_total"}
	what := objective(t, "exact", events)
	what.Policy.Rules = append(what.Policy.Rules, slo.Rule{
		Name: "tiny", Severity: slo.Page, Long: 14 * time.Minute, Short: 70 * time.Second, Factor: slo.NewRatio(1, 1),
	})
	for _, direct := range []bool{true, false} {
		for _, scrape := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute} {
			if !direct && scrape != 30*time.Second {
				continue // the windows that are not staged are those of before
			}
			for _, shift := range []time.Duration{0, 5 * time.Second} {
				t.Run(fmt.Sprintf("direct %t, every %v from %v", direct, scrape, shift), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					rules, name := writeRules(t, dir, []promrules.SLO{what}, promrules.Options{Scrape: scrape, Evaluation: time.Minute, Direct: direct})
					n := int((end - shift) / scrape)
					var b strings.Builder
					fmt.Fprintf(&b, "rule_files: [%s]\nevaluation_interval: 1m\ngroup_eval_order:\n", filepath.Base(name))
					for _, g := range rules.Groups {
						fmt.Fprintf(&b, "  - %q\n", g.Name)
					}
					b.WriteString("tests:\n")
					step := scrape
					if shift > 0 {
						step = shift
					}
					begin := func(title string, c counters) {
						fmt.Fprintf(&b, "  - name: %q\n    interval: %ds\n    input_series:\n", title, step/time.Second)
						c.write(&b, step)
						b.WriteString("    promql_expr_test:\n")
					}
					ask := func(at time.Duration, expr, samples string) {
						fmt.Fprintf(&b, "      - expr: %q\n        eval_time: %ds\n        exp_samples: [%s]\n", expr, at/time.Second, samples)
					}
					ratio := func(c counters, window string, at time.Duration) {
						end := at
						if !direct && windows[window] >= stagedFrom {
							end -= end % stage
						}
						series := "sum(slo:sli_error:ratio_rate" + window + ")"
						if bad, total := c.in(windows[window], end); total > 0 {
							ask(at, fmt.Sprintf("abs(%s - %d / %d) <= bool 1e-16", series, bad, total), "{labels: '{}', value: 1}")
						} else {
							ask(at, series, "")
						}
					}
					for _, story := range stories {
						c := counters{story.series(n), scrape, shift}
						begin(story.name, c)
						for _, at := range story.at {
							for _, window := range slices.Sorted(maps.Keys(windows)) {
								ratio(c, window, at)
							}
						}
						if story.calm {
							ask(end, `count(count_over_time(ALERTS{rule!=""}[1d]))`, "")
						}
					}
					c := counters{append(uneven("a", 0, n, 1e9, n*8/9), uneven("b", 0, n, 2e9, 0)...), scrape, shift}
					begin("uneven, one is reset", c)
					for _, window := range full {
						ratio(c, window, end)
						ratio(c, window, end-9*time.Minute)
					}
					unit := filepath.Join(dir, "tests.yml")
					writeFile(t, unit, b.String())
					if err := tools.TestRules(t.Context(), unit); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}
