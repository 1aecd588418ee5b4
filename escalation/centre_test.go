package escalation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// The three centres leave no gap on any day of three years; on weekdays alone
// they would leave 156, of 46 or 47 hours, as counted with a brute-force program
// in another language.
func TestGapsOfTheSampleCentres(t *testing.T) {
	from, to := at("2025-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z")
	list := escalation.SampleCentres()
	centres, err := escalation.NewCentres(list)
	if err != nil {
		t.Fatal(err)
	}
	if gaps := centres.Gaps(from, to); len(gaps) != 0 {
		t.Errorf("gaps on seven days a week: %v, want none", gaps)
	}
	for i := range list {
		list[i].Coverage[0].Days = escalation.Weekdays
	}
	if centres, err = escalation.NewCentres(list); err != nil {
		t.Fatal(err)
	}
	lengths := map[time.Duration]int{}
	for _, gap := range centres.Gaps(from, to) {
		lengths[gap.Duration()]++
	}
	if len(lengths) != 2 || lengths[46*time.Hour] != 54 || lengths[47*time.Hour] != 102 {
		t.Errorf("gaps from Monday to Friday by length: %v, want 54 of 46 h and 102 of 47 h", lengths)
	}
}

func TestReceiversAreOpen(t *testing.T) {
	centres, err := escalation.NewCentres(escalation.SampleCentres())
	if err != nil {
		t.Fatal(err)
	}
	handoffs := centres.Handoffs(at("2025-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"))
	if len(handoffs) != 3*1095 {
		t.Errorf("%d handoffs in three years, want three a day", len(handoffs))
	}
	for i, h := range handoffs {
		if !h.ReceiverOpen || len(h.Agenda) != 4 || h.End.Sub(h.Start) != 30*time.Minute {
			t.Fatalf("handoff %+v, want an open receiver, four items, 30 min", h)
		}
		if i > 0 && (handoffs[i-1].To != h.From || !handoffs[i-1].Start.Before(h.Start)) {
			t.Fatalf("handoff %+v after %+v, want a ring", h, handoffs[i-1])
		}
		if before, after := centres.Owner(h.Start.Add(-1)), centres.Owner(h.Start); before != h.From || after != h.To {
			t.Fatalf("owner around %s: %s, %s, want %s, %s", h.Start, before, after, h.From, h.To)
		}
	}
}

// With the option responsibility passes at 18:00 by the clock of the sender: at
// 10:00Z in Singapore, at 17:00Z or 16:00Z in Amsterdam, and in Austin at 00:00Z or
// 23:00Z. Chicago puts its clocks forward on 8 March 2026 and back on 1 November,
// Amsterdam on 29 March and 25 October.
func TestOwnershipAtEnd(t *testing.T) {
	list := escalation.SampleCentres()
	for i := range list {
		list[i].Handoff.AtEnd = true
	}
	centres, err := escalation.NewCentres(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		want     []string // who begins, and when
	}{
		{"2026-03-07T10:00:00Z", "2026-03-09T10:00:00Z", []string{"amsterdam 07 10:00", "austin 07 17:00", "singapore 08 00:00", "amsterdam 08 10:00", "austin 08 17:00", "singapore 08 23:00"}},
		{"2026-03-28T10:00:00Z", "2026-03-30T10:00:00Z", []string{"amsterdam 28 10:00", "austin 28 17:00", "singapore 28 23:00", "amsterdam 29 10:00", "austin 29 16:00", "singapore 29 23:00"}},
		{"2026-10-24T10:00:00Z", "2026-10-26T10:00:00Z", []string{"amsterdam 24 10:00", "austin 24 16:00", "singapore 24 23:00", "amsterdam 25 10:00", "austin 25 17:00", "singapore 25 23:00"}},
		{"2026-10-31T10:00:00Z", "2026-11-02T10:00:00Z", []string{"amsterdam 31 10:00", "austin 31 17:00", "singapore 31 23:00", "amsterdam 01 10:00", "austin 01 17:00", "singapore 02 00:00"}},
	} {
		var got []string
		spans := centres.Ownership(at(c.from), at(c.to))
		for _, span := range spans {
			got = append(got, span.Owner+span.Start.Format(" 02 15:04"))
			for _, now := range []time.Time{span.Start, span.End.Add(-1)} {
				if owner := centres.Owner(now); owner != span.Owner {
					t.Errorf("Owner(%s) = %s, want %s as in Ownership", now, owner, span.Owner)
				}
			}
		}
		check(t, "from "+c.from, got, c.want)
	}
	// The handoffs themselves start when they did; one alone may pass at its end.
	list[1].Handoff.AtEnd, list[2].Handoff.AtEnd = false, false
	if centres, err = escalation.NewCentres(list); err != nil {
		t.Fatal(err)
	}
	planned := centres.Handoffs(at("2026-07-14T00:00:00Z"), at("2026-07-15T00:00:00Z"))
	for i, want := range []string{"singapore 09:30 singapore amsterdam", "amsterdam 15:30 amsterdam amsterdam", "austin 22:30 austin singapore"} {
		h := planned[i]
		if got := h.From + h.Start.Format(" 15:04 ") + centres.Owner(h.Start.Add(-1)) + " " + centres.Owner(h.Start); got != want {
			t.Errorf("handoff with the owners around its start: %s, want %s", got, want)
		}
	}
	list[2].Handoff = escalation.HandoffRule{AtEnd: true}
	_, err = escalation.NewCentres(list)
	fixture.Problems(t, "NewCentres", err, []string{`[2].handoff.to ""`, `[2].handoff.time ""`})
}

func TestCentresWithoutHandoffs(t *testing.T) {
	none, err := escalation.NewCentres(nil)
	if err != nil {
		t.Fatal(err)
	}
	noon := at("2026-07-14T12:00:00Z")
	if owner, open := none.Owner(noon), none.ActiveAt(noon); owner != "" || open != nil {
		t.Errorf("without centres: owner %q, open %v, want nobody", owner, open)
	}
	list := escalation.SampleCentres()
	for i := range list {
		list[i].Handoff = escalation.HandoffRule{}
	}
	centres, err := escalation.NewCentres(list)
	if err != nil {
		t.Fatal(err)
	}
	// 04:00 to 16:00 and 11:00 to 23:00 in UTC, then Singapore.
	for hour, want := range map[int]string{3: "singapore", 4: "amsterdam", 15: "amsterdam", 16: "austin", 22: "austin", 23: "singapore"} {
		if got := centres.Owner(noon.Add(time.Duration(hour-12) * time.Hour)); got != want {
			t.Errorf("owner at %d h = %q, want %q, the first that is open", hour, got, want)
		}
	}
	if spans := centres.Ownership(at("2026-07-14T00:00:00Z"), at("2026-07-15T00:00:00Z")); len(spans) != 4 {
		t.Errorf("ownership of a day: %v, want four spans", spans)
	}
}

func TestCentreProblems(t *testing.T) {
	_, err := escalation.NewCentres([]escalation.Centre{
		{ID: "a", Zone: "CST", Coverage: []escalation.Window{{From: "06:00", To: "18:00"}}, Handoff: escalation.HandoffRule{To: "a", At: "17:30"}},
		{ID: "a", Zone: "UTC", Handoff: escalation.HandoffRule{To: "b", At: "1730", Minutes: -1}},
	})
	if err == nil {
		t.Fatal("NewCentres = nil, want errors")
	}
	for _, want := range []string{
		`[0].timezone "CST"`, `[0].handoff.to "a"`, `[1].id "a"`, `[1].coverage ""`, `[1].handoff.to "b"`, `[1].handoff.time "1730"`, `[1].handoff.minutes "-1"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("NewCentres does not report %s:\n%v", want, err)
		}
	}
}

func TestMatrixProblems(t *testing.T) {
	if err := escalation.DefaultMatrix().Validate(); err != nil {
		t.Error(err)
	}
	m := escalation.DefaultMatrix()
	delete(m, 4)
	m[1].Steps[1].Minutes = 15
	m[2].Steps[2].Targets[0].Level = escalation.Senior
	m[3].Steps[0].StopOn = escalation.Merged
	m[0] = escalation.Policy{}
	err := m.Validate()
	if err == nil {
		t.Fatal("Validate() = nil, want errors")
	}
	for _, want := range []string{
		`matrix[unset]`, `matrix[P4] ""`, `matrix[P1].steps[1].minutes "15": want 16 to`, `matrix[P2].steps[2].targets[0].level "senior"`, `matrix[P3].steps[0].stop_on "merged"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() does not report %s:\n%v", want, err)
		}
	}
}
