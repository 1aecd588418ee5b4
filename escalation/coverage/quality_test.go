package coverage_test

import (
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// fourDays has Ann and Bob in turns of a day in UTC from Friday 2 October 2026 on.
func fourDays(overrides ...escalation.Override) escalation.Roster {
	return escalation.Roster{
		LastResort: escalation.Contact{ID: "boss"}, Zone: "UTC",
		Engineers: []escalation.Engineer{{ID: "ann", Level: escalation.Senior}, {ID: "bob", Level: escalation.Senior}, {ID: "cem", Level: escalation.Senior}},
		Schedules: map[string]escalation.Plan{"s": {
			Layers: []escalation.Layer{{Name: "l", Rotation: escalation.Rotation{
				Zone: "UTC", Start: "2026-10-02T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob"},
			}}},
			Overrides: overrides,
		}},
	}
}

func quality(t *testing.T, roster escalation.Roster, q coverage.QualityQuery) coverage.Quality {
	t.Helper()
	q.From, q.Until = fixture.At("2026-10-02T00:00:00Z"), fixture.At("2026-10-06T00:00:00Z")
	got, err := coverage.QualityOf(fixture.Router(t, roster), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func values(q coverage.Quality) string {
	texts := []string{fmt.Sprint(q.Score)}
	for _, part := range q.Parts {
		texts = append(texts, fmt.Sprint(part.Value))
	}
	return strings.Join(texts, " ")
}

// Friday and Sunday are Ann's, Saturday and Monday Bob's: 48 hours each, of which 24
// in the weekend, and of the four nights of 22:00 to 06:00 16 hours each.
func TestQuality(t *testing.T) {
	o := func(id string, kind escalation.OverrideKind, user, from, to string) escalation.Override {
		return escalation.Override{ID: id, Kind: kind, User: user, Start: fixture.At("2026-10-" + from + ":00:00Z"), End: fixture.At("2026-10-" + to + ":00:00Z")}
	}
	together := fourDays()
	plan := together.Schedules["s"]
	plan.Together = true
	second := plan.Layers[0]
	second.Name, second.Rotation.Users = "second", []string{"bob", "ann"}
	plan.Layers = append(plan.Layers, second)
	together.Schedules["s"] = plan
	for _, c := range []struct {
		name   string
		roster escalation.Roster
		query  coverage.QualityQuery
		want   string // score, gaps, overlaps, hours, nights, weekends
	}{
		{"nothing to improve", fourDays(), coverage.QualityQuery{}, "1/1 1/1 1/1 1/1 1/1 1/1"},
		// 12 of 96 hours in which nobody is there, all of them Bob's by day and in the
		// weekend: of 84 he has 36, 6 too few; of 36 in the weekend 12, also 6 too few.
		// 4/10 · 7/8 + 1/10 + 3/10 · 78/84 + 1/10 + 1/10 · 30/36
		// = (147 + 42 + 117 + 42 + 35) / 420
		{"a gap", fourDays(o("gap", escalation.Remove, "", "03T06", "03T18")), coverage.QualityQuery{}, "383/420 7/8 1/1 13/14 1/1 5/6"},
		// Cem, of whom nothing is expected, helps Ann for 12 of 96 hours on Friday and
		// has 12 of 108, which are all misplaced: 8/9.
		// 4/10 + 1/10 · 7/8 + 3/10 · 8/9 + 2/10 = 229/240
		{"an overlap", fourDays(o("help", escalation.Add, "cem", "02T06", "02T18")), coverage.QualityQuery{}, "229/240 1/1 7/8 8/9 1/1 1/1"},
		// Everything is Ann's: half of it has to go.
		{"one for all", fourDays(o("all", escalation.Replace, "ann", "02T00", "06T00")), coverage.QualityQuery{}, "3/4 1/1 1/1 1/2 1/2 1/2"},
		{"as agreed", fourDays(o("all", escalation.Replace, "ann", "02T00", "06T00")), coverage.QualityQuery{Parts: map[string]int{"ann": 1}}, "1/1 1/1 1/1 1/1 1/1 1/1"},
		{"weights", fourDays(o("all", escalation.Replace, "ann", "02T00", "06T00")), coverage.QualityQuery{Weights: coverage.QualityWeights{Gaps: 1, Nights: 2}}, "2/3 1/1 1/1 1/2 1/2 1/2"},
		{"together by plan", together, coverage.QualityQuery{}, "1/1 1/1 <nil> 1/1 1/1 1/1"},
		// Nobody at all: of the parts only gaps and overlaps have a value.
		{"nobody", fourDays(o("off", escalation.Remove, "", "02T00", "06T00")), coverage.QualityQuery{}, "1/5 0/1 1/1 <nil> <nil> <nil>"},
	} {
		if got := values(quality(t, c.roster, c.query)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	text, err := json.Marshal(quality(t, fourDays(o("gap", escalation.Remove, "", "03T06", "03T18")), coverage.QualityQuery{}))
	if err != nil || !strings.Contains(string(text), `"score":"383/420"`) {
		t.Errorf("JSON %s, %v", text, err)
	}
	_, err = coverage.QualityOf(fixture.Router(t, fourDays()), coverage.QualityQuery{
		DutyQuery: coverage.DutyQuery{From: fixture.At("2026-10-02T00:00:00Z"), Until: fixture.At("2026-10-02T00:00:00Z"), Schedules: []string{"x"}},
		Parts:     map[string]int{"eve": 1}, Weights: coverage.QualityWeights{Gaps: -1, Nights: 1001},
	})
	fixture.Problems(t, "QualityOf", err, []string{`weights.gaps "-1"`, `weights.nights "1001"`, `to "`, `schedules[0] "x"`, `weights["eve"] "eve"`})
}

// A score lies between 0 and 1, is a mean of its parts, and does not depend on the
// names of people.
func TestQualityLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	around := fixture.At("2026-03-29T12:00:00Z")
	query := coverage.QualityQuery{DutyQuery: coverage.DutyQuery{From: around.Add(-4 * 24 * time.Hour), Until: around.Add(4 * 24 * time.Hour)}}
	rename := strings.NewReplacer(`"ann"`, `"dee"`, `"dee"`, `"ann"`, `"bob"`, `"cem"`, `"cem"`, `"bob"`)
	for range 60 {
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Zone: "Europe/Amsterdam", Schedules: map[string]escalation.Plan{
			"a": fixture.Plan(r, around), "b": fixture.Plan(r, around),
		}}
		for i, id := range []string{"ann", "bob", "cem", "dee"} {
			roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: id, Level: escalation.Senior, FTEPercent: 50 + 10*i})
		}
		var renamed escalation.Roster
		if err := json.Unmarshal([]byte(rename.Replace(fixture.JSON(t, roster))), &renamed); err != nil {
			t.Fatal(err)
		}
		got, err := coverage.QualityOf(fixture.Router(t, roster), query)
		if err != nil {
			t.Fatal(err)
		}
		again, err := coverage.QualityOf(fixture.Router(t, renamed), query)
		if err != nil || values(again) != values(got) {
			t.Fatalf("%s, with other names %s (%v)", got, again, err)
		}
		least, greatest := big.NewRat(1, 1), new(big.Rat)
		for _, part := range got.Parts {
			if part.Value == nil {
				continue
			}
			if part.Value.Cmp(least) < 0 {
				least = part.Value
			}
			if part.Value.Cmp(greatest) > 0 {
				greatest = part.Value
			}
		}
		if least.Sign() < 0 || greatest.Cmp(big.NewRat(1, 1)) > 0 || got.Score.Cmp(least) < 0 || got.Score.Cmp(greatest) > 0 {
			t.Fatalf("%s is no mean of parts between 0 and 1", got)
		}
	}
}

// What is good and what is not about the nights of two weeks.
func ExampleQualityOf() {
	router, err := escalation.NewRouter(nightTeam())
	if err != nil {
		log.Fatal(err)
	}
	query := coverage.QualityQuery{DutyQuery: twoWeeks()}
	query.Schedules = []string{"night"}
	q, err := coverage.QualityOf(router, query)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q)
	// Output:
	// score 69.8 %
	//   gaps, weight 4: 58.3 %: nobody is on call in 41.7 % of the time, longest from 2026-01-06T07:00:00Z for 10h0m0s
	//   overlaps, weight 1: 100.0 %: never more than one person is on call
	//   hours, weight 3: 78.6 %: 21.4 % of 196h0m0s would have to go to others, most from ann
	//   nights, weight 1: 78.6 %: 21.4 % of 112h0m0s would have to go to others, most from ann
	//   weekends, weight 1: 50.0 %: 50.0 % of 56h0m0s would have to go to others, most from ann
}
