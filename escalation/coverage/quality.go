package coverage

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// QualityQuery asks how good schedules are.
type QualityQuery struct {
	DutyQuery

	// Parts are what people are expected to take, as Weights of a [FairnessQuery].
	Parts map[string]int `json:"parts,omitempty"`

	// Weights of the parts of the score. Defaults to [DefaultQualityWeights].
	Weights QualityWeights `json:"weights,omitzero"`
}

// QualityWeights say how much each part of a score counts, 0 to 1,000 each. The zero
// value is not set.
type QualityWeights struct {
	Gaps     int `json:"gaps"`
	Overlaps int `json:"overlaps"`
	Hours    int `json:"hours"`
	Nights   int `json:"nights"`
	Weekends int `json:"weekends"`
}

// DefaultQualityWeights gives one half to whether somebody is on call and one half to
// balance, as the score of Grafana OnCall does.
func DefaultQualityWeights() QualityWeights {
	return QualityWeights{Gaps: 4, Overlaps: 1, Hours: 3, Nights: 1, Weekends: 1}
}

// Quality is a score of schedules in [From, Until), from 0 to 1, that says how it came
// about:
//
//	score = Σ weight · value / Σ weight
//
// over the parts that have a value. With overrides, swaps and absences applied it is
// about what will be, not about what the rotations alone would give.
//
// Grafana OnCall computes the mean of the part of the time that is covered and of the
// mean of min/max over all pairs of people; it leaves overrides and people without any
// duty out, counts hours in which several are on call several times, and rounds
// (engine/apps/schedules/quality_score.py).
type Quality struct {
	From  time.Time     `json:"from"`
	Until time.Time     `json:"to"`
	Score *big.Rat      `json:"score"` // nil where no part has a value
	Parts []QualityPart `json:"parts"` // gaps, overlaps, hours, nights, weekends
}

// QualityPart is a part of a score.
type QualityPart struct {
	Name   string `json:"name"`
	Weight int    `json:"weight"`

	// Value is 1 where there is nothing to improve; nil where there is nothing to
	// measure, such as the balance of nights where there are none. For gaps it is the
	// part of the time in which somebody is on call, for overlaps the part in which not
	// more than one is, schedules apart whose layers are on call together. For the
	// others it is the part of the duty that is with the people who are expected to
	// carry it:
	//
	//	value = 1 - Σ |duty of a person - expected| / (2 · duty of all)
	Value *big.Rat `json:"value"`

	Text string `json:"text"`
}

// QualityOf returns the score of the schedules of a query. Times and shares are exact.
// The error joins [*escalation.ConfigError]s, as that of [FairnessOf] does.
func QualityOf(r *escalation.Router, q QualityQuery) (Quality, error) {
	p := problem.New()
	q.Weights.check(p.At("weights"))
	d := q.compile(r, problem.New()) // its problems are those of the fairness
	fair, err := FairnessOf(r, FairnessQuery{DutyQuery: q.DutyQuery, Weights: q.Parts})
	p.Join(err)
	if err := p.Err(); err != nil {
		return Quality{}, err
	}
	w := q.Weights
	if w == (QualityWeights{}) {
		w = DefaultQualityWeights()
	}
	out := Quality{From: d.span.Start, Until: d.span.End, Parts: []QualityPart{
		d.gapPart(w.Gaps), d.overlapPart(w.Overlaps),
		fair.balance("hours", w.Hours, func(d Duty) time.Duration { return d.OnCall }),
		fair.balance("nights", w.Nights, func(d Duty) time.Duration { return d.Night }),
		fair.balance("weekends", w.Weekends, func(d Duty) time.Duration { return d.Weekend }),
	}}
	out.sum()
	return out, nil
}

func (w QualityWeights) check(p problem.List) {
	for _, part := range []struct {
		name   string
		weight int
	}{{"gaps", w.Gaps}, {"overlaps", w.Overlaps}, {"hours", w.Hours}, {"nights", w.Nights}, {"weekends", w.Weekends}} {
		if part.weight < 0 || part.weight > 1000 {
			p.At("%s", part.name).Add(strconv.Itoa(part.weight), "0 to 1000")
		}
	}
}

func (q *Quality) sum() {
	total, weight := new(big.Rat), int64(0)
	for _, part := range q.Parts {
		if part.Value != nil {
			total.Add(total, new(big.Rat).Mul(part.Value, big.NewRat(int64(part.Weight), 1)))
			weight += int64(part.Weight)
		}
	}
	if weight > 0 {
		q.Score = total.Quo(total, big.NewRat(weight, 1))
	}
}

// String writes the score and a line for each part.
func (q Quality) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "score %s", percent(q.Score))
	for _, part := range q.Parts {
		fmt.Fprintf(&b, "\n  %s, weight %d: %s: %s", part.Name, part.Weight, percent(part.Value), part.Text)
	}
	return b.String()
}

// percent writes a part of 1 with one decimal, half rounded up.
func percent(r *big.Rat) string {
	if r == nil {
		return "n/a"
	}
	return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(1) + " %"
}

func (d *duty) gapPart(weight int) QualityPart {
	var gaps []calendar.Interval // by schedule
	for _, name := range d.schedules {
		gaps = append(gaps, d.router.Schedule(name).Gaps(d.span.Start, d.span.End)...)
	}
	part := QualityPart{Name: "gaps", Weight: weight}
	part.shareOf(gaps, len(d.schedules), d.span, "nobody is", "somebody is always on call")
	return part
}

func (d *duty) overlapPart(weight int) QualityPart {
	part := QualityPart{Name: "overlaps", Weight: weight}
	var overlaps []calendar.Interval
	alone, plans := 0, d.router.Roster().Schedules
	for _, name := range d.schedules {
		if plans[name].Together {
			continue
		}
		alone++
		for _, shift := range d.router.Schedule(name).Overlaps(d.span.Start, d.span.End) {
			overlaps = append(overlaps, calendar.Interval{Start: shift.Start, End: shift.End})
		}
	}
	part.shareOf(overlaps, alone, d.span, "several people are", "never more than one person is on call")
	return part
}

// shareOf takes as value the part of the time of a number of schedules that lies
// outside the given stretches.
func (part *QualityPart) shareOf(spans []calendar.Interval, schedules int, of calendar.Interval, who, none string) {
	if schedules == 0 {
		part.Text = "no schedule to look at"
		return
	}
	inside, all := new(big.Int), new(big.Int).Mul(big.NewInt(int64(of.Duration())), big.NewInt(int64(schedules)))
	var longest calendar.Interval
	for _, span := range spans {
		inside.Add(inside, big.NewInt(int64(span.Duration())))
		if span.Duration() > longest.Duration() {
			longest = span
		}
	}
	part.Value = new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).SetFrac(inside, all))
	part.Text = none
	if len(spans) > 0 {
		part.Text = fmt.Sprintf("%s on call in %s of the time, longest from %s for %s",
			who, percent(new(big.Rat).SetFrac(inside, all)), longest.Start.Format(time.RFC3339), longest.Duration())
	}
}

// balance compares what people carry with what is expected of them.
func (f *Fairness) balance(name string, weight int, of func(Duty) time.Duration) QualityPart {
	part := QualityPart{Name: name, Weight: weight, Text: "nobody carries any"}
	total := of(f.Total)
	if total == 0 {
		return part
	}
	all := big.NewRat(int64(total), 1)
	misplaced, worst, most := new(big.Rat), "", new(big.Rat)
	for _, p := range f.People {
		over := new(big.Rat).SetInt64(int64(of(p.Duty)))
		if p.Expected.IsSet() {
			over.Sub(over, new(big.Rat).Mul(all, big.NewRat(p.Expected.Num, p.Expected.Den)))
		}
		if over.Sign() <= 0 {
			continue
		}
		misplaced.Add(misplaced, over) // what some carry too much others carry too little
		if over.Cmp(most) > 0 {
			worst, most = p.Engineer, over
		}
	}
	misplaced.Quo(misplaced, all)
	part.Value = new(big.Rat).Sub(big.NewRat(1, 1), misplaced)
	part.Text = "everybody carries the expected part"
	if worst != "" {
		part.Text = fmt.Sprintf("%s of %s would have to go to others, most from %s", percent(misplaced), total, worst)
	}
	return part
}
