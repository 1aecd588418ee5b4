package page

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Tenant is all that the pages of one customer show, loaded once and then only
// read, by any number of goroutines.
type Tenant struct {
	ID     string // in addresses
	Name   string // of the customer. Defaults to the ID.
	Locale string // "en", "de", "nl" or "fr". Defaults to "en".
	Brand  Brand

	At   time.Time      // the instant for which the pages speak
	Zone *time.Location // of all times shown. Defaults to that of the last month, and without any to UTC.

	// Stale says why newer files are not shown, "" when the newest are.
	Stale   string
	Sources []report.Source // with digests, the same in every page's foot
	// Notices are about the files that were read, with their names and lines: for the
	// operations alone. What customers read of the quality of data is in Months.
	Notices []report.Notice

	// Evidence is what the figures come from: outages, windows, incidents, changes,
	// restores. Pages read the state of services from it.
	Evidence sla.Evidence
	Services []Service // in the order of the contract
	// Months are the contract with its reports, oldest month first; the last one is
	// that of the month of At, or the latest before it. At most 12 months.
	Months []report.ServiceReport

	// Budgets are the objectives with their history; nil where none are configured.
	Budgets *report.BudgetReport

	Incidents   []Incident // open ones first, then the latest; 12 months
	Maintenance []Maintenance

	// Revisions are statements that were corrected after they had been sent, in the
	// order in which they were.
	Revisions []Revision

	Catalogue *continuity.Register // nil where none is configured
	Plans     continuity.Plans     // against which its key dates are held
	Articles  []Article            // of the help page
	Journeys  []Journey            // of the page of probes, in the order shown

	// Weekly, Monthly and Quarterly are the packs of the next reviews, and Executive the
	// report to the management; nil where the contract has none.
	Weekly, Monthly, Quarterly, Executive *report.ReviewPack
}

// Brief returns what the dashboard shows of the customer, and what tells which of its
// pages there are: a small part, so that a provider with many customers has not all of
// them in memory at once. Of the months it has the last one, without its days.
func (t *Tenant) Brief() *Tenant {
	b := *t
	b.Evidence.Restores, b.Evidence.Incidents = nil, nil
	b.Articles, b.Maintenance, b.Revisions, b.Journeys = nil, nil, nil, nil
	b.Weekly, b.Monthly, b.Quarterly, b.Executive, b.Catalogue, b.Plans = nil, nil, nil, nil, nil, continuity.Plans{}
	if last := t.last(); last != nil {
		m := *last
		m.Report.Availability = slices.Clone(m.Report.Availability)
		for i := range m.Report.Availability {
			m.Report.Availability[i].Days, m.Report.Availability[i].Burn = nil, nil
		}
		b.Months = []report.ServiceReport{m}
	}
	if t.Budgets != nil {
		budgets := *t.Budgets
		budgets.Budgets = slices.Clone(budgets.Budgets)
		for i := range budgets.Budgets {
			budgets.Budgets[i].History = nil
		}
		b.Budgets = &budgets
	}
	b.Incidents = slices.Clone(t.Incidents)
	for i := range b.Incidents {
		b.Incidents[i].Updates = nil
	}
	return &b
}

// Brand is the look of the provider.
type Brand struct {
	Name string // Defaults to nothing.
	Logo string // address below assets/, "" for none

	// Color and ColorDark are for links and bars, on the light and the dark background.
	// Neither is checked here. The zero Color is the blue of the reports, and the zero
	// ColorDark a lighter tone of Color that reads on the dark background.
	Color, ColorDark report.Color
}

// Service is one that the customer has.
type Service struct {
	ID, Name, Tier, Owner, Window string // Window are its hours of support in words
}

// Incident is one with what the customer was told about it.
type Incident struct {
	sla.Incident
	Domain, Engineer string // Engineer is for the operations only
	Updates          []Update
	Stage            string               // "investigating", "identified" or "monitoring"; "" for not told, and once resolved
	NextUpdate       time.Time            // when the next one is due; zero once resolved
	Postmortem       string               // address; "" when there is none yet
	PostmortemDue    time.Time            // of P1 and P2; zero for none
	Document         *postmortem.Document // nil when there is none
	Excluded         string               // why it does not count; "" when it does
	Clocks           []sla.ClockState     // response and resolution, as they stand at At
}

// Update is a message to the customer.
type Update struct {
	At    time.Time
	Text  string
	Stage string    // that it tells, as of an incident; "" for none
	Next  time.Time // when it announces the next one; zero for not
}

// Maintenance is a window with what the contract says of it.
type Maintenance struct {
	sla.Maintenance
	Required time.Duration // notice that the contract asks for; 0 for none
	NoticeOK bool          // announced early enough
	Excluded bool          // from downtime
	Reason   string        // why it is excluded, or why not
}

// Revision is a correction of the statement of a month.
type Revision struct {
	Month         string // like "2026-10"
	Number        int    // from 1
	At            time.Time
	Before, After money.Amount // payable
	Reason        string
	Evidence      sla.Digest // of the evidence of the corrected statement
}

// Article is a piece of help: knowledge or a known error of a service.
type Article struct {
	ID, Service, Title, Text string // Text is plain, paragraphs apart by an empty line; Service "" is all
	KnownError               bool
	Changed                  time.Time
}

// Journey is what a probe that acts as a user found, such as "log in, fill the cart,
// check out".
type Journey struct {
	ID, Name, Service string
	At                time.Time // of the last run; zero for never
	State             report.State
	Since             time.Time     // of the state; zero if it is not known
	Share             sla.Fraction  // of runs that succeeded over Over; not set without data
	Over              time.Duration // such as 30 days
	Runs              int           // of the share
	P50, P95          time.Duration // of the runs that succeeded; 0 without data
	Steps             []JourneyStep // of the last run, in order
	History           []report.Bar  // earlier stretches, oldest first, at most 90: state and text of each
}

// JourneyStep is a step of the last run. One that was not reached has no data.
type JourneyStep struct {
	Name  string
	State report.State
	Took  time.Duration // 0 where it was not reached
	Text  string        // what went wrong, "" for nothing
}
