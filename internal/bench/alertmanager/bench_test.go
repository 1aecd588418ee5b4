package alertmanager

import (
	"fmt"
	"strings"
	"testing"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
)

// teams is a configuration with a route for each of n teams, two routes below each,
// and a route that is muted outside of office hours.
func teams(n int) string {
	var b strings.Builder
	b.WriteString(`
receivers: [{name: r}]
time_intervals: [{name: hours, time_intervals: [{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday'], days_of_month: ['1:-1'], location: Europe/Berlin}]}]
route:
  receiver: r
  group_by: [alertname, cluster]
  routes:
  - {matchers: [alertname="Watchdog"], active_time_intervals: [hours]}
`)
	for i := range n {
		fmt.Fprintf(&b, "  - matchers: [team=\"t%d\"]\n    routes: [{matchers: ['severity=~\"page|critical\"']}, {matchers: ['severity!=\"info\"']}]\n", i)
	}
	return b.String()
}

// BenchmarkMatch finds the route of an alert, BenchmarkContains asks an interval, and
// BenchmarkParse reads the file, in Alertmanager and here.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		theirs, ours := both(b, n)
		root := dispatch.NewRoute(theirs.Route, nil)
		labels := map[string]string{"alertname": "Slow", "team": fmt.Sprintf("t%d", n/2), "severity": "warning", "cluster": "c1", "instance": "10.0.0.1:9100"}
		set := labelSet(labels)
		b.Run(fmt.Sprintf("teams=%d/alertmanager", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				root.Match(set)
			}
		})
		b.Run(fmt.Sprintf("teams=%d/evenkeel", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ours.Route.Match(labels)
			}
		})
	}
}

func BenchmarkContains(b *testing.B) {
	theirs, ours := both(b, 1)
	at := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	muter := timeinterval.NewIntervener(named(theirs))
	b.Run("alertmanager", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if muted, _, err := muter.Mutes([]string{"hours"}, at); !muted || err != nil {
				b.Fatal(muted, err)
			}
		}
	})
	b.Run("evenkeel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if names, err := ours.Intervals.Holding([]string{"hours"}, at); len(names) != 1 || err != nil {
				b.Fatal(names, err)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := teams(1000)
	b.Run("alertmanager", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := load(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("evenkeel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := alertmanager.ParseConfig("am.yml", []byte(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func both(b *testing.B, n int) (theirs *amconfig.Config, ours *alertmanager.Config) {
	b.Helper()
	theirs, err := load(teams(n))
	if err != nil {
		b.Fatal(err)
	}
	if ours, err = alertmanager.ParseConfig("am.yml", []byte(teams(n))); err != nil {
		b.Fatal(err)
	}
	return theirs, ours
}
