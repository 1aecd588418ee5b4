package coverage_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// A seat around the clock takes 168 h / 40 h = 4.2 people who are never away, and
// 8760 h / 1680 h = 5.2 who have leave. With the four people that the guide
// calculates with, each works 42 hours a week.
func TestSeats(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   coverage.SeatRule
		people int
		need   string
		want   coverage.Sufficiency
	}{
		{"four at 40 h", coverage.WeekOf40(), 4, "4.2", coverage.Sufficiency{People: 4, Need: coverage.Ratio{Num: 21, Den: 5}, NeedPeople: 5, Missing: 1, Each: 42 * hour}},
		{"the zero rule", coverage.SeatRule{}, 5, "4.2", coverage.Sufficiency{People: 5, Need: coverage.Ratio{Num: 21, Den: 5}, NeedPeople: 5, Each: 33*hour + 36*time.Minute}},
		{"four at 42 h", coverage.SeatRule{PerPerson: 42 * hour}, 4, "4.0", coverage.Sufficiency{People: 4, Need: coverage.Ratio{Num: 4, Den: 1}, NeedPeople: 4, Each: 42 * hour}},
		{"with leave", coverage.ProductiveYear(), 5, "5.2", coverage.Sufficiency{People: 5, Need: coverage.Ratio{Num: 73, Den: 14}, NeedPeople: 6, Missing: 1, Each: 1752 * hour}},
		{"two seats", coverage.SeatRule{Seats: 2}, 0, "8.4", coverage.Sufficiency{Need: coverage.Ratio{Num: 42, Den: 5}, NeedPeople: 9, Missing: 9}},
	} {
		got, err := c.rule.Assess(c.people)
		if err != nil || got != c.want || got.Need.Decimal(1) != c.need || got.Enough() != (c.want.Missing == 0) {
			t.Errorf("%s: %+v, %v, want %+v, %s people", c.name, got, err, c.want, c.need)
		}
	}
	_, err := coverage.SeatRule{Seats: -1, Covered: -1, PerPerson: time.Second}.Assess(-1)
	fixture.Problems(t, "Assess", err, []string{`seats "-1"`, `covered_ns "-1ns"`, `per_person_ns "1s"`, `people "-1"`})
}

// Twelve hours on seven days are 84 hours a week, 2.1 people a seat; a second
// seat takes 4.2, and a third 6.3, one more than Singapore has.
func TestSufficiencyOfCentres(t *testing.T) {
	list := escalation.SampleCentres()
	list[0].Coverage = []escalation.Window{ // 40 h on weekdays, an hour of each twice, and a night
		{Days: escalation.Weekdays, From: "08:00", To: "14:00", Except: []string{"1970-01-01"}},
		{Days: escalation.Weekdays, From: "13:00", To: "16:00"},
		{Days: escalation.Sunday, From: "22:00", To: "06:00"},
	}
	centres, err := escalation.NewCentres(list)
	if err != nil {
		t.Fatal(err)
	}
	got, err := coverage.SeatRule{Seats: 3}.AssessCentres(centres)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		open    time.Duration
		need    string
		missing int
	}{{48 * hour, "3.6", 0}, {84 * hour, "6.3", 0}, {84 * hour, "6.3", 1}} {
		if got[i].Open != want.open || got[i].Need.Decimal(1) != want.need || got[i].Missing != want.missing {
			t.Errorf("%s: open %s, %s, want %+v", got[i].Centre, got[i].Open, got[i].Sufficiency, want)
		}
	}
	_, err = coverage.SeatRule{Seats: 10_001}.AssessCentres(centres)
	fixture.Problems(t, "AssessCentres", err, []string{`seats "10001"`})
}
