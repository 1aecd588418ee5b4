package group_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// model is one receiver with one group for each tenant, written down a second time: it
// looks at everything every second.
type model struct {
	wait, interval, repeat  int
	openAt, openAtDifferent int
	groups                  map[string]*modelGroup
	mutedFrom, mutedTo      int // a minute each
}

type modelGroup struct {
	made, base, last int // base < 0: not opened
	alerts           map[string]*modelAlert
}

type modelAlert struct {
	firing, told bool
}

func (m *model) apply(list []correlation.Transition) {
	for _, t := range list {
		g := m.groups[t.Alert.Tenant]
		text := strings.TrimSuffix(strings.Replace(t.Alert.String(), "{host=", " ", 1), "}")
		switch {
		case t.Kind == correlation.Notify:
			if g == nil {
				g = &modelGroup{made: int(t.At.Sub(start).Seconds()), base: -1, alerts: map[string]*modelAlert{}}
				m.groups[t.Alert.Tenant] = g
			}
			if g.alerts[text] == nil {
				g.alerts[text] = &modelAlert{}
			}
			g.alerts[text].firing = true
		case g == nil || g.alerts[text] == nil:
		case g.alerts[text].told:
			g.alerts[text].firing = false
		default:
			delete(g.alerts, text)
		}
	}
}

// second looks at all groups.
func (m *model) second(now int) (out []string) {
	for _, tenant := range slices.Sorted(maps.Keys(m.groups)) {
		g := m.groups[tenant]
		if g.base < 0 && now < g.made+m.wait || g.base >= 0 && (now-g.base)%m.interval != 0 {
			continue
		}
		if g.base < 0 {
			names := map[string]bool{}
			firing := 0
			for text, a := range g.alerts {
				if a.firing {
					firing++
					names[strings.Fields(text)[0]] = true
				}
			}
			enough := m.openAt == 0 && m.openAtDifferent == 0 || m.openAt > 0 && firing >= m.openAt || m.openAtDifferent > 0 && len(names) >= m.openAtDifferent
			if enough && len(g.alerts) > 0 {
				g.base = now
			} else if len(g.alerts) > 0 {
				continue
			}
		}
		muted := m.mutedFrom <= now && now < m.mutedTo
		var news, ended, still []string
		for text, a := range g.alerts {
			switch {
			case a.told && a.firing:
				still = append(still, " ="+text)
			case a.told:
				ended = append(ended, " -"+text)
			case !muted:
				news = append(news, " +"+text)
			}
		}
		kind := group.Change
		switch {
		case len(news)+len(ended) == 0:
			kind = group.Repeat
			if len(still) == 0 || muted || now-g.last < m.repeat {
				kind = ""
			}
		case len(news) > 0 && len(ended)+len(still) == 0:
			kind = group.First
		case len(news)+len(still) == 0:
			kind = group.Resolved
		}
		if kind != "" {
			g.last = now
			slices.Sort(news)
			slices.Sort(ended)
			slices.Sort(still)
			out = append(out, fmt.Sprintf("%d %s %s/ops%s", now, kind, tenant, strings.Join(slices.Concat(news, ended, still), "")))
			for text, a := range g.alerts {
				if a.told && !a.firing {
					delete(g.alerts, text)
				}
				a.told = a.told || !muted
			}
		}
		if len(g.alerts) == 0 {
			delete(m.groups, tenant)
		}
	}
	return out
}

// The grouper tells what the model tells, with random alerts, times and conditions.
func TestModel(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 21))
		m := &model{wait: rnd.IntN(40), interval: 1 + rnd.IntN(90), repeat: 1 + rnd.IntN(400), openAt: rnd.IntN(4), openAtDifferent: rnd.IntN(3), groups: map[string]*modelGroup{}}
		m.mutedFrom = 60 * rnd.IntN(20)
		m.mutedTo = m.mutedFrom + 60*(1+rnd.IntN(20))
		node := route.Node{
			Receiver: "none", GroupWait: seconds(m.wait), GroupInterval: seconds(m.interval), RepeatInterval: seconds(m.repeat),
			Routes: []route.Node{{Receiver: "ops", Matchers: []string{`alertname=~".+"`}, MuteTimeIntervals: []string{"quiet"}}},
		}
		g := grouper(t, tree(t, node), group.Options{OpenAt: m.openAt, OpenAtDifferent: m.openAtDifferent, Intervals: minutes(m.mutedFrom/60, m.mutedTo/60)})
		now := 0
		for n, batch := range random(rnd, 40) {
			at := int(batch[0].At.Sub(start).Seconds())
			var want []string
			for ; now < at; now++ {
				want = append(want, m.second(now)...)
			}
			m.apply(batch)
			want = append(want, m.second(at)...)
			now = at + 1
			if got := lines(apply(t, g, sec(at), batch...)); !slices.Equal(got, want) {
				t.Fatalf("seed %d batch %d: told\n got %q\nwant %q\nmodel %+v", seed, n, got, want, m)
			}
		}
	}
}

func seconds(s int) *time.Duration { return new(time.Duration(s) * time.Second) }

// minutes is the time interval "quiet" from one minute of the day to another.
func minutes(from, to int) interval.Set {
	return interval.Set{"quiet": {{Times: []interval.Times{{Start: interval.Clock(from), End: interval.Clock(to)}}}}}
}
