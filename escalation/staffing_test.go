package escalation_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// A seat around the clock takes 168 h / 40 h = 4.2 people who are never away, and
// 8760 h / 1680 h = 5.2 who have leave. With the four people that the guide
// calculates with, each works 42 hours a week.
func TestSeats(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   escalation.SeatRule
		people int
		need   string
		want   escalation.Sufficiency
	}{
		{"four at 40 h", escalation.WeekOf40(), 4, "4.2", escalation.Sufficiency{People: 4, Need: escalation.Ratio{Num: 21, Den: 5}, NeedPeople: 5, Missing: 1, Each: 42 * hour}},
		{"the zero rule", escalation.SeatRule{}, 5, "4.2", escalation.Sufficiency{People: 5, Need: escalation.Ratio{Num: 21, Den: 5}, NeedPeople: 5, Each: 33*hour + 36*time.Minute}},
		{"four at 42 h", escalation.SeatRule{PerPerson: 42 * hour}, 4, "4.0", escalation.Sufficiency{People: 4, Need: escalation.Ratio{Num: 4, Den: 1}, NeedPeople: 4, Each: 42 * hour}},
		{"with leave", escalation.ProductiveYear(), 5, "5.2", escalation.Sufficiency{People: 5, Need: escalation.Ratio{Num: 73, Den: 14}, NeedPeople: 6, Missing: 1, Each: 1752 * hour}},
		{"two seats", escalation.SeatRule{Seats: 2}, 0, "8.4", escalation.Sufficiency{Need: escalation.Ratio{Num: 42, Den: 5}, NeedPeople: 9, Missing: 9}},
	} {
		got, err := c.rule.Assess(c.people)
		if err != nil || got != c.want || got.Need.Decimal(1) != c.need || got.Enough() != (c.want.Missing == 0) {
			t.Errorf("%s: %+v, %v, want %+v, %s people", c.name, got, err, c.want, c.need)
		}
	}
	_, err := escalation.SeatRule{Seats: -1, Covered: -1, PerPerson: time.Second}.Assess(-1)
	checkProblems(t, "Assess", err, []string{`seats "-1"`, `covered_ns "-1ns"`, `per_person_ns "1s"`, `people "-1"`})
}

// The three centres have 9 seniors, 12 specialists and 3 managers, against a
// minimum of 4, 6, 1 and a team lead: the lead is missing.
func TestMinimumStaffing(t *testing.T) {
	centres, err := escalation.NewCentres(escalation.SampleCentres())
	if err != nil {
		t.Fatal(err)
	}
	all, least := centres.Staffing(), escalation.MinimumStaffing()
	if want := (escalation.Staffing{SeniorEngineers: 9, OperationsSpecialists: 12, EscalationManagers: 3}); all != want || all.Total() != 24 {
		t.Errorf("all centres: %+v, want %+v", all, want)
	}
	if least.Total() != 12 {
		t.Errorf("minimum: %d people, want 12", least.Total())
	}
	if got := all.Missing(least); got != (escalation.Staffing{TeamLeads: 1}) {
		t.Errorf("missing: %+v, want a team lead", got)
	}
	if got := (escalation.Staffing{SeniorEngineers: 1}).Missing(least).Total(); got != 11 {
		t.Errorf("one senior misses %d, want 11", got)
	}
	list := escalation.SampleCentres()
	list[1].Staffing.TeamLeads = -1
	_, err = escalation.NewCentres(list)
	checkProblems(t, "NewCentres", err, []string{`[1].staffing.team_leads "-1"`})
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
	got, err := centres.Sufficiency(escalation.SeatRule{Seats: 3})
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
	_, err = centres.Sufficiency(escalation.SeatRule{Seats: 10_001})
	checkProblems(t, "Sufficiency", err, []string{`seats "10001"`})
}
