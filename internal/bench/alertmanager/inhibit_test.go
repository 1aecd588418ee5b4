package alertmanager

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

var (
	inhibitNames  = []string{"a", "b", "c", "alertname"}
	inhibitValues = []string{"", "x", "y", "z"}
	inhibitTexts  = []string{`%s="x"`, `%s="y"`, `%s!="x"`, `%s=""`, `%s!=""`, `%s=~"x|y"`, `%s!~"y|z"`, `%s=~".*"`, `%s=~".+"`}
)

// inhibitRules draws rules for both, on few labels with few values, so that sides
// overlap, rules mute each other and labels are missing.
func inhibitRules(t *testing.T, rnd *rand.Rand) ([]inhibit.Rule, *amconfig.Config) {
	t.Helper()
	ours, theirs := make([]inhibit.Rule, 1+rnd.IntN(4)), &amconfig.Config{}
	for n := range ours {
		var peer common.InhibitRule
		for _, side := range []struct {
			own  *[]string
			peer *common.Matchers
		}{{&ours[n].SourceMatchers, &peer.SourceMatchers}, {&ours[n].TargetMatchers, &peer.TargetMatchers}} {
			for range rnd.IntN(3) {
				text := fmt.Sprintf(inhibitTexts[rnd.IntN(len(inhibitTexts))], inhibitNames[rnd.IntN(len(inhibitNames))])
				m, err := labels.ParseMatcher(text)
				if err != nil {
					t.Fatal(err)
				}
				*side.own, *side.peer = append(*side.own, text), append(*side.peer, m)
			}
		}
		for range rnd.IntN(3) {
			ours[n].Equal = append(ours[n].Equal, inhibitNames[rnd.IntN(len(inhibitNames))])
		}
		peer.Equal = ours[n].Equal
		theirs.InhibitRules = append(theirs.InhibitRules, peer)
	}
	return ours, theirs
}

// inhibitLabels draws the labels of an alert. Alertmanager drops empty values on intake,
// so a stored alert has none; a candidate may have some.
func inhibitLabels(rnd *rand.Rand, empty bool) map[string]string {
	l := map[string]string{}
	for _, name := range inhibitNames {
		if rnd.IntN(4) > 0 {
			l[name] = inhibitValues[rnd.IntN(len(inhibitValues))]
		}
	}
	if !empty {
		maps.DeleteFunc(l, func(_, v string) bool { return v == "" })
	}
	return l
}

// The inhibitor mutes what Alertmanager mutes, with random rules and alerts of which some
// are over: 20,000 checks, with EVENKEEL_SOAK=1 a million.
func TestInhibition(t *testing.T) {
	want := 20_000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		want = 1_000_000
	}
	checks, muted := 0, 0
	for seed := uint64(0); checks < want; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 31))
		rules, peer := inhibitRules(t, rnd)
		in, err := inhibit.New(rules)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		var held feed
		var candidates []map[string]string
		for range 2 + rnd.IntN(12) {
			l, ends := inhibitLabels(rnd, false), now.Add(time.Hour)
			if len(l) == 0 {
				continue
			}
			if rnd.IntN(4) == 0 {
				ends = now.Add(-time.Second)
			}
			held, candidates = append(held, newAlert(l, now.Add(-time.Hour), ends)), append(candidates, l)
			if err := in.Apply(now, inhibit.Alert{Labels: l, Ends: ends}); err != nil {
				t.Fatal(err)
			}
		}
		for range 40 {
			candidates = append(candidates, inhibitLabels(rnd, true))
		}
		for n, want := range inhibited(t, peer, held, candidates) {
			checks++
			_, got := in.Mutes(candidates[n])
			if got != want {
				t.Fatalf("seed %d: Mutes(%v) = %v, Alertmanager says %v\nrules %+v\nalerts %v", seed, candidates[n], got, want, rules, held)
			}
			if got {
				muted++
			}
		}
	}
	if muted < checks/10 || muted > checks*9/10 {
		t.Errorf("%d of %d muted, want some of each", muted, checks)
	}
	t.Logf("alertmanager inhibition: %d checks, %d muted, 0 differences", checks, muted)
}
