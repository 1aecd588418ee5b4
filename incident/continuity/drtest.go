package continuity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scenario is a disaster. Any text will do; these are the usual ones.
type Scenario string

// The disasters for which the operations guide wants procedures.
const (
	DataCentre Scenario = "data_centre" // a site is lost
	Internet   Scenario = "internet"    // so is the way to it
	Ransomware Scenario = "ransomware"  // data is encrypted or stolen
	Staff      Scenario = "staff"       // people fall ill, as in an epidemic
)

// DRTest is the record of a test of disaster recovery that has ended.
type DRTest struct {
	ID           string    `json:"id"`
	Scenario     Scenario  `json:"scenario"`
	Services     []string  `json:"services"`
	Started      time.Time `json:"started"`
	Ended        time.Time `json:"ended"`
	Participants []string  `json:"participants"`
	Steps        []Step    `json:"steps"`
	Result       Outcome   `json:"result"`
	Findings     []string  `json:"findings,omitempty"` // what was learnt
}

// Step is one step of a test.
type Step struct {
	Text   string  `json:"text"`
	Result Outcome `json:"result,omitempty"` // empty if it was left out
	Note   string  `json:"note,omitempty"`
}

// check reports what is wrong with a record that is made at an instant.
func (d DRTest) check(at time.Time, services map[string]bool, p problems) {
	p.required("id", d.ID, "an id")
	p.required("scenario", string(d.Scenario), `a disaster like "ransomware"`)
	checkServices(d.Services, services, p)
	moments := []moment{{"started", d.Started}, {"ended", d.Ended}}
	for _, m := range moments {
		if m.at.IsZero() {
			p.add(m.key, "", "an instant")
		}
	}
	p.past(at, moments...)
	p.inOrder(moments...)
	if len(d.Participants) == 0 {
		p.add("participants", "", "who took part")
	}
	if len(d.Steps) == 0 {
		p.add("steps", "", "at least one step")
	}
	for i, s := range d.Steps {
		step := p.at("steps[%d]", i)
		step.required("text", s.Text, "what was done")
		checkOutcome("result", s.Result, step)
		if s.Result == Failed && d.Result == Passed {
			p.add("result", string(d.Result), fmt.Sprintf("failed, as steps[%d] did", i))
		}
	}
	if d.Result != Passed && d.Result != Failed {
		p.add("result", string(d.Result), "passed or failed")
	}
}

func (d DRTest) clone() DRTest {
	d.Started, d.Ended = d.Started.Round(0).UTC(), d.Ended.Round(0).UTC()
	d.Services, d.Participants = slices.Clone(d.Services), slices.Clone(d.Participants)
	d.Steps, d.Findings = slices.Clone(d.Steps), slices.Clone(d.Findings)
	return d
}

func compareTests(a, b DRTest) int {
	return cmp.Or(a.Ended.Compare(b.Ended), strings.Compare(a.ID, b.ID))
}

// drFindings judges the tests of one service that are known at an instant, in their
// order. A failure stands until a test of the same scenario passes; how old a passed
// test may be is asked for each scenario of the policy, or for all tests together if
// it names none.
func (p Policy) drFindings(service string, known []DRTest, at time.Time) (out []Finding) {
	of := func(s Scenario) []DRTest {
		return slices.DeleteFunc(slices.Clone(known), func(d DRTest) bool { return d.Scenario != s })
	}
	seen := map[Scenario]bool{}
	for _, d := range known {
		if !seen[d.Scenario] {
			seen[d.Scenario] = true
			out = append(out, failedTests(service, of(d.Scenario))...)
		}
	}
	if len(p.Scenarios) == 0 {
		return append(out, p.lastTest(service, "", known, at)...)
	}
	for _, s := range p.Scenarios {
		out = append(out, p.lastTest(service, s, of(s), at)...)
	}
	return out
}

// failedTests reports the tests of one scenario that failed since one passed.
func failedTests(service string, tests []DRTest) []Finding {
	n := 0
	for n < len(tests) && tests[len(tests)-1-n].Result == Failed {
		n++
	}
	if n == 0 {
		return nil
	}
	latest, first := tests[len(tests)-1], tests[len(tests)-n]
	said := append([]Clause{clause("dr_failed", latest.Scenario, latest.ID, latest.Ended)}, inARow(n)...)
	return []Finding{Finding{Code: DRFailed, Service: service, Subject: latest.ID, Since: first.Ended}.saying(said...)}
}

// lastTest judges the age of the last test that passed; the scenario is empty for
// any.
func (p Policy) lastTest(service string, s Scenario, tests []DRTest, at time.Time) []Finding {
	say := func(form string, args ...any) Clause {
		if s == "" {
			return clause(form, args...)
		}
		return clause(form+"_of", append([]any{s}, args...)...)
	}
	if len(tests) == 0 {
		return []Finding{Finding{Code: DRNeverTested, Service: service, Subject: string(s)}.saying(say("dr_never_tested"))}
	}
	for _, d := range slices.Backward(tests) {
		lapse := d.Ended.Add(p.DREvery)
		switch {
		case d.Result != Passed:
			continue
		case at.Before(lapse):
			return nil
		}
		f := Finding{Code: DROverdue, Service: service, Subject: d.ID, Since: lapse}
		return []Finding{f.saying(say("dr_overdue", d.ID, d.Ended, at.Sub(d.Ended), p.DREvery))}
	}
	return nil // they failed, which is said already
}
