package alertmanager

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/prometheus/alertmanager/alert"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

var (
	silent  = promslog.NewNopLogger()
	metrics = notify.NewMetrics(prometheus.NewRegistry(), featurecontrol.NoopFlags{})
)

// setMode puts Alertmanager into a mode; it is global there.
func setMode(t *testing.T, mode matcher.Mode) {
	t.Helper()
	flags, err := featurecontrol.NewFlags(silent, mode.String())
	if err != nil {
		t.Fatal(err)
	}
	compat.InitFromFlags(silent, flags)
}

// load reads a file as Alertmanager does. A panic is an error.
func load(text string) (c *amconfig.Config, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return amconfig.Load(text)
}

// feed is a provider with some alerts and none to come.
type feed []*alert.Alert

// SlurpAndSubscribe returns the alerts.
func (f feed) SlurpAndSubscribe(string) ([]*alert.Alert, provider.AlertIterator) {
	return f, provider.NewAlertIterator(make(chan *provider.Alert), make(chan struct{}), nil)
}

// Subscribe is not used.
func (f feed) Subscribe(string) provider.AlertIterator { panic("not used") }

// GetPending is not used.
func (f feed) GetPending() provider.AlertIterator { panic("not used") }

// Get is not used.
func (f feed) Get(model.Fingerprint) (*alert.Alert, error) { panic("not used") }

// Put is not used.
func (f feed) Put(context.Context, ...*alert.Alert) error { panic("not used") }

func labelSet(labels map[string]string) model.LabelSet {
	set := model.LabelSet{}
	for name, value := range labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}

func newAlert(labels map[string]string, starts, ends time.Time) *alert.Alert {
	return &alert.Alert{Alert: model.Alert{Labels: labelSet(labels), StartsAt: starts, EndsAt: ends}, UpdatedAt: starts}
}

// describe writes what a route of Alertmanager is.
func describe(r *dispatch.Route) string {
	o := r.RouteOpts
	by := slices.Sorted(maps.Keys(o.GroupBy))
	if o.GroupByAll {
		by = nil
	}
	return fmt.Sprintf("%s %s %q by=%q all=%v %s %s %s mute=%q active=%q labels=%s", r.ID(), r.Key(), o.Receiver, by, o.GroupByAll, o.GroupWait, o.GroupInterval, o.RepeatInterval,
		o.MuteTimeIntervals, o.ActiveTimeIntervals, o.Labels)
}

// groups lets a dispatcher put alerts into groups and writes what comes out.
func groups(t *testing.T, root *dispatch.Route, alerts feed) []string {
	t.Helper()
	nothing := notify.StageFunc(func(ctx context.Context, _ *slog.Logger, _ ...*alert.Alert) (context.Context, []*alert.Alert, error) {
		return ctx, nil, nil
	})
	d := dispatch.NewDispatcher(alerts, root, nothing, marker.NewGroupMarker(), nil, time.Hour, nil, silent, eventrecorder.NopRecorder(), nil, nil)
	go d.Run(time.Now())
	found, _, err := d.Groups(t.Context(), func(*dispatch.Route) bool { return true }, func(*alert.Alert, time.Time) bool { return true })
	d.Stop()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range found {
		for _, a := range g.Alerts {
			out = append(out, fmt.Sprintf("%s | %s | %s | %s | %s", g.RouteID, g.GroupKey, g.Receiver, g.Labels, a.Labels))
		}
	}
	slices.Sort(out)
	return out
}

// mutedAt lets the stages of a receiver decide whether a route is muted.
func mutedAt(t *testing.T, c *amconfig.Config, r *dispatch.Route, at time.Time) bool {
	t.Helper()
	muter := timeinterval.NewIntervener(named(c))
	ctx := notify.WithNow(notify.WithGroupKey(notify.WithRouteID(t.Context(), r.ID()), r.Key()), at)
	ctx = notify.WithActiveTimeIntervals(notify.WithMuteTimeIntervals(ctx, r.RouteOpts.MuteTimeIntervals), r.RouteOpts.ActiveTimeIntervals)
	stages := notify.MultiStage{notify.NewTimeActiveStage(muter, marker.NewGroupMarker(), metrics), notify.NewTimeMuteStage(muter, marker.NewGroupMarker(), metrics)}
	_, left, err := stages.Exec(ctx, silent, newAlert(nil, at, at))
	if err != nil {
		t.Fatal(err)
	}
	return len(left) == 0
}

// named puts the intervals of a file together as the program does.
func named(c *amconfig.Config) map[string][]timeinterval.TimeInterval {
	all := map[string][]timeinterval.TimeInterval{}
	for _, ti := range c.MuteTimeIntervals {
		all[ti.Name] = ti.TimeIntervals
	}
	for _, ti := range c.TimeIntervals {
		all[ti.Name] = ti.TimeIntervals
	}
	return all
}

// inhibited lets an inhibitor that has seen the alerts say which candidates it mutes.
func inhibited(t *testing.T, c *amconfig.Config, alerts feed, candidates []map[string]string) []bool {
	t.Helper()
	ih := inhibit.NewInhibitor(alerts, c.InhibitRules, silent, eventrecorder.NopRecorder())
	go ih.Run()
	ih.WaitForLoading()
	defer ih.Stop()
	out := make([]bool, len(candidates))
	for i, labels := range candidates {
		out[i] = ih.Mutes(t.Context(), labelSet(labels))
	}
	return out
}

// walk lists the routes of a tree by their ID.
func walk(root *dispatch.Route) []*dispatch.Route {
	var all []*dispatch.Route
	root.Walk(func(r *dispatch.Route) { all = append(all, r) })
	slices.SortFunc(all, func(a, b *dispatch.Route) int { return cmp.Compare(a.ID(), b.ID()) })
	return all
}

// differ reports the first line in which two lists differ.
func differ(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return strings.Join([]string{"ours:         ", g, "\nalertmanager: ", w}, "")
		}
	}
	return ""
}
