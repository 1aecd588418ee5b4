package incident_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func TestProblemValidate(t *testing.T) {
	known := incident.Problem{ID: "PRB-1", State: incident.KnownError, Cause: "pool too small", Opened: noon}
	if err := known.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*incident.Problem){
		"id":     func(p *incident.Problem) { p.ID = "" },
		"opened": func(p *incident.Problem) { p.Opened = time.Time{} },
		"state":  func(p *incident.Problem) { p.State = "hopeless" },
		"cause":  func(p *incident.Problem) { p.Cause = "" },
		"closed": func(p *incident.Problem) { p.State = incident.ProblemSolved },
		"reason": func(p *incident.Problem) { p.State, p.Closed = incident.ProblemClosed, minute(5) },
	} {
		p := known
		spoil(&p)
		var bad *incident.ProblemError
		if err := p.Validate(); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: Validate = %v, want a ProblemError for the field", field, err)
		}
	}
}

func TestProblemFigures(t *testing.T) {
	problem := func(opened, known, closed int) incident.Problem {
		p := incident.Problem{Opened: minute(opened)}
		if known > 0 {
			p.Known = minute(known)
		}
		if closed > 0 {
			p.Closed = minute(closed)
		}
		return p
	}
	period := calendar.Interval{Start: minute(100), End: minute(200)}
	f := incident.ProblemFiguresOf([]incident.Problem{
		problem(10, 20, 50),   // over before the period
		problem(10, 20, 0),    // a known error all along
		problem(110, 130, 0),  // found in it
		problem(90, 120, 150), // found and solved in it
		problem(150, 0, 0),
		problem(160, 190, 250), // solved after it
		problem(200, 0, 0),     // begins with the end
	}, period)
	if f.Resolution != (incident.Share{Hits: 1, Of: 5}) || f.Known != 3 || f.Find.N != 3 || f.Solve.N != 1 {
		t.Errorf("ProblemFiguresOf = %+v, want 1/5 resolved, 3 known errors, 3 found, 1 solved", f)
	}
	if longest, _ := f.Solve.Max(); longest != time.Hour {
		t.Errorf("Solve = %v, want 1h", longest)
	}
	if all := incident.ProblemFiguresOf([]incident.Problem{problem(10, 20, 50), problem(10, 0, 0)}, calendar.Interval{}); all.Resolution != (incident.Share{Hits: 1, Of: 2}) {
		t.Errorf("of all time: %v, want 1/2", all.Resolution)
	}
}

func TestRecurring(t *testing.T) {
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	rec := func(id, fingerprint, component string, at time.Time) incident.Record {
		return incident.Record{Tenant: "acme", ID: id, Fingerprint: fingerprint, Component: component, Times: incident.Times{Created: at}}
	}
	cancelled := rec("c", "f", "", day(1))
	cancelled.Status = incident.Cancelled
	foreign := rec("x", "f", "", day(2))
	foreign.Tenant = "globex"
	tests := []struct {
		name    string
		records []incident.Record
		options incident.RecurrenceOptions
		want    []string // by, value, ids, problem
	}{
		{"two are not enough", []incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1)), cancelled, foreign}, incident.RecurrenceOptions{}, nil},
		{"repetitions count once", []incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1)), rec("b", "f", "", day(1))}, incident.RecurrenceOptions{}, nil},
		{"30 days are within", []incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1)), rec("c", "f", "", day(30))}, incident.RecurrenceOptions{}, []string{"fingerprint f a,b,c "}},
		{"30 days and a moment are not", []incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1)), rec("c", "f", "", day(30).Add(1))}, incident.RecurrenceOptions{}, nil},
		{"a chain is one problem", []incident.Record{
			rec("a", "f", "", day(0)), rec("b", "f", "", day(20)), rec("c", "f", "", day(30)), rec("d", "f", "", day(45)), rec("e", "f", "", day(60)),
		}, incident.RecurrenceOptions{}, []string{"fingerprint f a,b,c,d,e "}},
		{"two runs are two", []incident.Record{
			rec("a", "f", "", day(0)), rec("b", "f", "", day(0)), rec("c", "f", "", day(0)), rec("d", "f", "", day(50)), rec("e", "f", "", day(90)), rec("g", "f", "", day(90)), rec("h", "f", "", day(90)),
		}, incident.RecurrenceOptions{}, []string{"fingerprint f a,b,c ", "fingerprint f e,g,h "}},
		{"the same incidents by both", []incident.Record{rec("a", "f", "db", day(0)), rec("b", "f", "db", day(1)), rec("c", "f", "db", day(2))}, incident.RecurrenceOptions{}, []string{"fingerprint f a,b,c "}},
		{"more of the component", []incident.Record{
			rec("a", "f", "db", day(0)), rec("b", "f", "db", day(1)), rec("c", "f", "db", day(2)), rec("d", "g", "db", day(3)),
		}, incident.RecurrenceOptions{}, []string{"fingerprint f a,b,c ", "component db a,b,c,d "}},
		{
			"a problem on record",
			[]incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1)), rec("c", "f", "", day(2))},
			incident.RecurrenceOptions{Problems: []incident.Problem{
				{Tenant: "acme", ID: "P0", State: incident.ProblemSolved, Fingerprint: "f"},
				{Tenant: "globex", ID: "P1", Fingerprint: "f"},
				{Tenant: "acme", ID: "P2", State: incident.KnownError, Incidents: []string{"b"}},
			}},
			[]string{"fingerprint f a,b,c P2"},
		},
		{"other limits", []incident.Record{rec("a", "f", "", day(0)), rec("b", "f", "", day(1))}, incident.RecurrenceOptions{Count: 2, Within: 24 * time.Hour}, []string{"fingerprint f a,b "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				got, err := incident.Recurring(tt.records, tt.options)
				if err != nil {
					t.Fatal(err)
				}
				var texts []string
				for _, s := range got {
					texts = append(texts, fmt.Sprint(s.By, " ", s.Value, " ", strings.Join(s.IDs, ","), " ", s.Problem))
				}
				if !reflect.DeepEqual(texts, tt.want) {
					t.Fatalf("Recurring = %q, want %q", texts, tt.want)
				}
				r.Shuffle(len(tt.records), func(i, j int) { tt.records[i], tt.records[j] = tt.records[j], tt.records[i] })
			}
		})
	}
	for _, o := range []incident.RecurrenceOptions{{Count: 1}, {Within: -1}} {
		if _, err := incident.Recurring(nil, o); err == nil {
			t.Errorf("Recurring with %+v = nil, want an error", o)
		}
	}
}

// TestRecurringAgainstPairs compares with the definition: an incident is suggested
// if it is among three of its fingerprint within the time.
func TestRecurringAgainstPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		var records []incident.Record
		for i := range r.IntN(15) {
			records = append(records, incident.Record{ID: strconv.Itoa(i), Fingerprint: "f", Times: incident.Times{Created: noon.AddDate(0, 0, r.IntN(200))}})
		}
		within := 30 * 24 * time.Hour
		var want []string
		for _, a := range records {
			for _, b := range records {
				for _, c := range records {
					times := []time.Time{a.Times.Created, b.Times.Created, c.Times.Created}
					slices.SortFunc(times, time.Time.Compare)
					if a.ID != b.ID && b.ID != c.ID && a.ID != c.ID && times[2].Sub(times[0]) <= within && !slices.Contains(want, a.ID) {
						want = append(want, a.ID)
					}
				}
			}
		}
		suggestions, err := incident.Recurring(records, incident.RecurrenceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range suggestions {
			got = append(got, s.IDs...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("Recurring suggests %v, want %v", got, want)
		}
	}
}
