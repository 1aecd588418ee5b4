package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// PublicSLA holds the published terms of one service of a provider, as facts. A
// file of them is read by [ParsePublicSLAs].
type PublicSLA struct {
	ID       string
	Provider string
	Service  string
	Scope    string // what is measured and credited as one, such as "region"
	Period   string // a word of the file, such as "billing_month"
	FeeBase  string // what the fee of a [Subscription] is to be, in words
	URL      string
	Note     string

	// Evidence grades the facts by their paths in the entry, such as "target" or
	// "measure.empty_interval"; "all" grades what is not named. See Provenance.
	Evidence map[string]Provenance

	// Texts holds what the file says in words, by path, such as
	// "measure.down_when". No figure hangs on it.
	Texts map[string]string

	// Template is the contract without what the customer brings to it. The first
	// term is the promise of the entry; further promises that can be measured
	// follow, each for a service of its own name.
	Template sla.Contract

	// Also lists all further promises.
	Also []Promise

	// Variants are the same terms with single fields overridden, by their names
	// in the file. "published_bounds" has the bands in the provider's own wording,
	// where that differs. A variant has no variants.
	Variants map[string]PublicSLA

	// ProrateLifetime shortens a period to the life of the resource.
	ProrateLifetime bool
}

// Promise is a further promise of public terms. Without a measure it is for
// readers alone.
type Promise struct {
	Name    string
	Note    string
	Measure sla.Measure
	Remedy  sla.Remedy
}

// Provenance says how well a fact is known.
type Provenance string

// The grades, best first. A fact that is graded in parts has the worst of them.
const (
	FactRead       Provenance = "read"       // on the provider's own page
	FactSecondary  Provenance = "secondary"  // on somebody else's page
	FactUnverified Provenance = "unverified" // not read anywhere: check before quoting it
)

// Provenance returns the grade of the fact at a path, else that of the part of
// the entry around it, else that of all; "" where the file grades none of them.
func (p PublicSLA) Provenance(path string) Provenance {
	for path != "" {
		if grade, ok := p.Evidence[path]; ok {
			return grade
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return p.Evidence["all"]
}

// Subscription is what a customer has with a provider.
type Subscription struct {
	Customer string

	// Fee is the price of one period of what the fee base says.
	Fee money.Amount

	// Zone is the IANA name of the zone whose midnights bound the periods.
	// Defaults to "UTC".
	Zone string

	// BillingDay is the day of the month on which a billing month begins.
	// Defaults to 1.
	BillingDay int

	// From and Until bound the life of the resource. They matter to terms that
	// prorate by it, and are zero for one that lives on.
	From, Until time.Time
}

// Contract returns the terms as a contract of the customer. Where the fee is in
// another currency than the least amount that the provider issues,
// [sla.Compile] refuses it.
func (p PublicSLA) Contract(s Subscription) sla.Contract {
	c := p.Template
	c.Customer, c.Fee, c.Zone = s.Customer, s.Fee, cmp.Or(s.Zone, "UTC")
	if p.Period == billingMonth {
		c.Period.AnchorDay = s.BillingDay
	}
	if p.ProrateLifetime {
		c.From, c.Until = s.From, s.Until
	}
	c.Terms = slices.Clone(c.Terms)
	for i := range c.Terms {
		a := *c.Terms[i].Availability
		a.Exclude, a.Services, a.MaintenanceKinds = slices.Clone(a.Exclude), slices.Clone(a.Services), maps.Clone(a.MaintenanceKinds)
		if b, ok := a.Remedy.(sla.Bands); ok {
			b.Bands = slices.Clone(b.Bands)
			a.Remedy = b
		}
		c.Terms[i].Availability = &a
	}
	return c
}

// ParsePublicSLAs reads a file of public terms, in the order of the file. Targets,
// bands and amounts are taken as they stand there; where the file leaves a choice
// open,
//
//   - a minute is bad by counted requests when more than the stated rate fail, and
//     without a stated rate when all do;
//   - an interval without requests has no errors, unless an outage was logged in
//     it: then it fails by the part that was down;
//   - an outage counts by the incident, as a whole, where its duration is the
//     measure; fee and cap of such terms are those of a calendar month, or of 30
//     days where the fee is;
//   - nothing is excluded that the terms do not name;
//   - without a word about claims, how long a credit can be claimed is not known.
//
// A remedy that nobody has read is [sla.UnknownRemedy]. Keys of a measure that the
// reader does not know are kept as text, with a warning.
func ParsePublicSLAs(name string, data []byte) ([]PublicSLA, *Document, error) {
	var file publicFile
	d := read(name, data, &file)
	if d.has("schema") && !d.failed("schema") && file.Schema != publicSchema {
		d.Fail("schema", "out_of_range", "schema %d, want %d", file.Schema, publicSchema)
	}
	var all []PublicSLA
	ids := map[string]bool{}
	for i := range file.SLAs {
		path := fmt.Sprintf("slas[%d]", i)
		d.unique(ids, path+".id", file.SLAs[i].ID)
		all = append(all, file.SLAs[i].terms(d, path))
	}
	return all, d, d.Err()
}

const (
	publicSchema = 2
	billingMonth = "billing_month"
	byIncident   = "incident"
	publishedKey = "published_bounds"
)

// The words of a file, and what they stand for.
var (
	publicPeriods = map[string]sla.Billing{
		"calendar_month": {}, "calendar_month_utc": {UTC: true}, billingMonth: {}, "calendar_quarter": {Months: 3},
		"rolling_30d": {Days: 30, Rolling: true}, byIncident: {},
	}
	publicStacks = map[string]sla.Stack{"sum": sla.StackSum, "either_or": sla.StackEither, "max": sla.StackEither} // each promise is a term
	publicCauses = map[string]sla.Cause{
		"scheduled_maintenance": sla.CauseMaintenance, "customer": sla.CauseCustomer, "force_majeure": sla.CauseForceMajeure,
	}
	publicClaims = map[string]sla.ClaimKind{
		"automatic": sla.ClaimAutomatic, "days_after_period_end": sla.DaysAfterPeriodEnd, "months_after_period_end": sla.MonthsAfterPeriodEnd,
		"end_of_billing_cycle_after": sla.PeriodsAfter, "days_after_incident": sla.DaysAfterIncident, "days_after_eligible": sla.DaysAfterEligible,
	}
	capPeriods = map[string][]string{"month": {"calendar_month", "calendar_month_utc", billingMonth}, "quarter": {"calendar_quarter"}}
)

// Migration is the kind of maintenance that [sla.Maintenance] is of when a
// customer is moved to another machine; some public terms have rules for it.
const Migration = "migration"

// The bases that a cap may refer to.
const (
	capOfFee     = "monthly fee of that service resource"
	capOfInvoice = "invoice the credit is applied to"
)

// thirtyDaysBefore is the base of a remedy that makes 30 days the period of the
// fee.
const thirtyDaysBefore = "charges of the 30 days before"

// lookup finds what a word stands for and reports one that stands for nothing.
func lookup[V any](d *Document, path, word string, words map[string]V) V {
	d.word(path, word, slices.Sorted(maps.Keys(words)))
	return words[word]
}

var (
	publicTerm   = regexp.MustCompile(`^terms\[(\d+)\](?:\.availability)?\.?`)
	publicPlaces = map[string]string{
		"more_than": "min_issued", "cap_percent": "cap", "cap_days": "cap", "cap_invoice_percent": "cap",
		"min_notice_ns": "maintenance.notice", "maintenance_per_year_ns": "maintenance.cap_per_year",
		"measure.slot_ns": "measure.interval", "measure.unit_ns": "measure.unit", "measure.min_outage_ns": "measure.min_outage",
		"measure.min_run": "measure.min_consecutive", "remedy.times": "remedy.multiplier", "remedy.interval_ns": "remedy.interval",
		"remedy.deductible_ns": "remedy.deductible", "remedy.outage_cap_percent": "remedy.cap_percent", "remedy.beyond_target": "remedy.kind",
		"claim.periods": "claim.cycles", "maintenance_kinds.migration": "maintenance.migration_notice",
	}
)

// publicPlace finds the part of an entry that a part of its contract came from.
func publicPlace(path string) string {
	if m := publicTerm.FindStringSubmatch(path); m != nil {
		path = path[len(m[0]):]
		if m[1] != "0" {
			return "also"
		}
	}
	return cmp.Or(publicPlaces[path], path)
}

// provenance grades the facts of an entry.
func (f *publicEntryFile) provenance(d *Document, path string) map[string]Provenance {
	grades := map[string]Provenance{}
	for _, key := range slices.Sorted(maps.Keys(f.Evidence)) {
		at := path + ".evidence." + key
		if key != "all" && !d.has(path+"."+key) {
			d.Fail(at, "bad_reference", "the entry has no %q to grade", key)
		}
		text := f.Evidence[key]
		if grades[key] = gradeOf(text); grades[key] == "" {
			words := []string{string(FactRead), string(FactSecondary), string(FactUnverified)}
			d.report(at, "bad_enum", spelling.Nearest(text, words), fmt.Sprintf("found %q, want %s", text, strings.Join(words, ", ")))
		}
	}
	return grades
}

// gradeOf finds the worst of the grades in a text such as "10 read; 30 and 100
// unverified".
func gradeOf(text string) (worst Provenance) {
	text = strings.ReplaceAll(text, "not read", string(FactUnverified))
	words := strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
	for _, grade := range []Provenance{FactRead, FactSecondary, FactUnverified} {
		if slices.Contains(words, string(grade)) {
			worst = grade
		}
	}
	return worst
}

// texts collects what is said in words.
func (f *publicEntryFile) texts(into map[string]string) {
	put := func(path, text string) {
		if text != "" {
			into[path] = text
		}
	}
	put("history", f.History)
	for key, text := range f.Example {
		put("worked_example."+key, text)
	}
	for key, text := range f.Evidence {
		if string(gradeOf(text)) != text {
			put("evidence."+key, text)
		}
	}
	if f.Cap != nil {
		put("cap.of", f.Cap.Of)
	}
	if f.Claim != nil && f.Claim.Processing != 0 {
		put("claim.processing_days", strconv.Itoa(f.Claim.Processing))
	}
	for key, text := range f.Measure.texts {
		put("measure."+key, text)
	}
	for key, text := range f.Remedy.texts {
		put("remedy."+key, text)
	}
	for i, a := range f.Also {
		if a.Measure != nil {
			for key, text := range a.Measure.texts {
				put(fmt.Sprintf("also[%d].measure.%s", i, key), text)
			}
		}
		if a.Remedy != nil {
			for key, text := range a.Remedy.texts {
				put(fmt.Sprintf("also[%d].remedy.%s", i, key), text)
			}
		}
	}
}
