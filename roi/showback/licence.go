package showback

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Metric is what a licence counts.
type Metric string

// The metrics. [Distinct], [Peak] and [Cores] count the use of each.
const (
	Named      Metric = "named"      // people who are assigned a licence
	Concurrent Metric = "concurrent" // sessions at the same time
	Core       Metric = "core"       // processor cores, weighted by factor
	Device     Metric = "device"     // devices on which it is installed
)

// Entitlement is what a contract allows, and the dates that matter.
type Entitlement struct {
	Product  string `json:"product"`
	Metric   Metric `json:"metric"`
	Quantity int64  `json:"quantity"` // units allowed, 0 or more
	// ListPrice of a unit is what a vendor asks for use beyond that; Paid is what a
	// unit cost in fact, by which unused ones are valued. Paid defaults to ListPrice.
	ListPrice money.Amount `json:"list_price"`
	Paid      money.Amount `json:"paid,omitzero"`
	// Dates of the contract and of the product's life, zero where not known.
	Renewal      time.Time `json:"renewal,omitzero"`
	EndOfSale    time.Time `json:"end_of_sale,omitzero"`
	EndOfSupport time.Time `json:"end_of_support,omitzero"`
	EndOfLife    time.Time `json:"end_of_life,omitzero"`
}

// Use is what was counted of a product.
type Use struct {
	Product string `json:"product"`
	Metric  Metric `json:"metric"`
	Units   int64  `json:"units"`
}

// FindingKind is what was found about a licence.
type FindingKind string

// The findings, in the order in which they are listed for a product.
const (
	Overuse     FindingKind = "overuse"    // used beyond what is allowed
	Unlicensed  FindingKind = "unlicensed" // used without an entitlement
	Unused      FindingKind = "unused"     // paid for and not used
	NoUse       FindingKind = "no_data"    // nobody has counted: neither kept nor broken
	RenewalDue  FindingKind = "renewal"
	SaleEnds    FindingKind = "end_of_sale"
	SupportEnds FindingKind = "end_of_support"
	LifeEnds    FindingKind = "end_of_life"
)

// Finding is something to do about a licence.
type Finding struct {
	Product string      `json:"product"`
	Metric  Metric      `json:"metric"`
	Kind    FindingKind `json:"kind"`
	// Units above or below the entitlement.
	Units int64 `json:"units,omitempty"`
	// Cost of the units used too many at list price; not set without a price.
	Cost money.Amount `json:"cost"`
	// Exposure is what an audit may claim: the cost with the surcharge of the options.
	Exposure money.Amount `json:"exposure"`
	// Waste is what was paid for units that nobody used, for as long as Paid is for.
	Waste money.Amount `json:"waste"`
	// Date of a roadmap finding; Passed says that it is not after the instant asked
	// about.
	Date   time.Time `json:"date,omitzero"`
	Passed bool      `json:"passed,omitempty"`
	Text   string    `json:"text"`
}

// LicenceOptions of [Licences]. The zero value is the default.
type LicenceOptions struct {
	// Ahead is how long before a date it is a finding. Defaults to 180 days of 24 h.
	Ahead time.Duration
	// AuditSurcharge is what a vendor adds to the list price after an audit, such as
	// support for the past. Defaults to nothing.
	AuditSurcharge money.Percent
}

// Licences compares what is allowed with what is used, and looks ahead from an instant
// for dates: those that are passed and those within [at, at+Ahead]. Uses of one product
// and metric are added up; entitlements must not share both. Findings are sorted by
// product, metric and kind. A product whose use nobody counted is a finding too, and no
// waste.
//
// All problems come joined, as [*FieldError] values.
func Licences(entitlements []Entitlement, uses []Use, at time.Time, o *LicenceOptions) ([]Finding, error) {
	if o == nil {
		o = &LicenceOptions{}
	}
	var bad problems
	if o.Ahead < 0 {
		bad.add("ahead", o.Ahead, "0 or more", nil)
	}
	if o.AuditSurcharge < 0 {
		bad.add("audit_surcharge", o.AuditSurcharge, "0% or more", nil)
	}
	type product struct {
		name   string
		metric Metric
	}
	used := map[product]int64{}
	for i, u := range uses {
		path := fmt.Sprintf("uses[%d]", i)
		if u.Units < 0 {
			bad.add(path+".units", u.Units, "0 or more", ErrNegativeUsage)
			continue
		}
		u.check(path, &bad)
		p := product{u.Product, u.Metric}
		if used[p] += u.Units; used[p] < 0 {
			bad.add(path+".units", u.Units, "a sum that fits 63 bits", money.ErrOverflow)
		}
	}
	var findings []Finding
	licensed := map[product]bool{}
	for i := range entitlements {
		e := &entitlements[i]
		path := fmt.Sprintf("entitlements[%d]", i)
		e.check(path, &bad)
		p := product{e.Product, e.Metric}
		if licensed[p] {
			bad.add(path, e.Product, "one entitlement for a product and metric", nil)
		}
		licensed[p] = true
		if len(bad) > 0 {
			continue
		}
		units, counted := used[p]
		found, err := e.compare(units, counted, o)
		if err != nil {
			bad.add(path, e.Product, "amounts that fit", err)
		}
		findings = append(append(findings, found...), e.roadmap(at, cmp.Or(o.Ahead, 180*24*time.Hour))...)
	}
	if len(bad) > 0 {
		return nil, bad.join()
	}
	for p, units := range used {
		if !licensed[p] && units > 0 {
			findings = append(findings, Finding{
				Product: p.name, Metric: p.metric, Kind: Unlicensed, Units: units,
				Text: fmt.Sprintf("%d units in use and no entitlement; no list price is known", units),
			})
		}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Kind.rank(), b.Kind.rank()))
	})
	return findings, nil
}

var findingKinds = []FindingKind{Overuse, Unlicensed, Unused, NoUse, RenewalDue, SaleEnds, SupportEnds, LifeEnds}

// rank is the place of a kind in a list.
func (k FindingKind) rank() int { return slices.Index(findingKinds, k) }

// check finds what is wrong with a count, apart from its units.
func (u *Use) check(path string, bad *problems) {
	if u.Product == "" {
		bad.add(path+".product", u.Product, "a product", nil)
	}
	u.Metric.check(path, bad)
}

// check finds a metric that does not exist.
func (m Metric) check(path string, bad *problems) {
	if m != Named && m != Concurrent && m != Core && m != Device {
		bad.add(path+".metric", m, "named, concurrent, core or device", nil)
	}
}

// check finds what is wrong with an entitlement by itself.
func (e *Entitlement) check(path string, bad *problems) {
	if e.Product == "" {
		bad.add(path+".product", e.Product, "a product", nil)
	}
	e.Metric.check(path, bad)
	if e.Quantity < 0 {
		bad.add(path+".quantity", e.Quantity, "0 or more", nil)
	}
	if e.ListPrice.Sign() < 0 || e.Paid.Sign() < 0 {
		bad.add(path+".list_price and paid", fmt.Sprintf("%v, %v", e.ListPrice, e.Paid), "0 or more", nil)
	}
}

// compare finds use beyond the entitlement, or less.
func (e *Entitlement) compare(used int64, counted bool, o *LicenceOptions) ([]Finding, error) {
	f := Finding{Product: e.Product, Metric: e.Metric}
	switch {
	case !counted:
		f.Kind, f.Text = NoUse, fmt.Sprintf("%d units allowed, and no count of what is used", e.Quantity)
	case used > e.Quantity:
		f.Kind, f.Units = Overuse, used-e.Quantity
		f.Text = fmt.Sprintf("%d used - %d allowed = %d too many", used, e.Quantity, f.Units)
		if !e.ListPrice.IsSet() {
			break
		}
		var err error
		if f.Cost, err = e.ListPrice.Share(f.Units, 1, money.HalfUp); err != nil {
			return nil, err
		}
		surcharge, err := f.Cost.Percent(o.AuditSurcharge, money.HalfUp)
		if err != nil {
			return nil, err
		}
		if f.Exposure, err = f.Cost.Add(surcharge); err != nil {
			return nil, err
		}
		f.Text += fmt.Sprintf(", x %v = %v, with %v surcharge %v", e.ListPrice, f.Cost, o.AuditSurcharge, f.Exposure)
	case used < e.Quantity:
		f.Kind, f.Units = Unused, e.Quantity-used
		f.Text = fmt.Sprintf("%d allowed - %d used = %d unused", e.Quantity, used, f.Units)
		price := cmp.Or(e.Paid, e.ListPrice)
		if !price.IsSet() {
			break
		}
		var err error
		if f.Waste, err = price.Share(f.Units, 1, money.HalfUp); err != nil {
			return nil, err
		}
		f.Text += fmt.Sprintf(", x %v = %v", price, f.Waste)
	default:
		return nil, nil
	}
	return []Finding{f}, nil
}

// roadmap finds dates that are passed or come near.
func (e *Entitlement) roadmap(at time.Time, ahead time.Duration) []Finding {
	var findings []Finding
	for _, d := range []struct {
		kind FindingKind
		date time.Time
		what string
	}{
		{RenewalDue, e.Renewal, "renewal"},
		{SaleEnds, e.EndOfSale, "end of sale"},
		{SupportEnds, e.EndOfSupport, "end of support"},
		{LifeEnds, e.EndOfLife, "end of life"},
	} {
		if d.date.IsZero() || d.date.After(at.Add(ahead)) {
			continue
		}
		f := Finding{Product: e.Product, Metric: e.Metric, Kind: d.kind, Date: d.date, Passed: !d.date.After(at)}
		const day = 24 * time.Hour
		f.Text = fmt.Sprintf("%s on %s, in %d days", d.what, d.date.Format(time.DateOnly), d.date.Sub(at)/day)
		if f.Passed {
			f.Text = fmt.Sprintf("%s was on %s, %d days ago", d.what, d.date.Format(time.DateOnly), at.Sub(d.date)/day)
		}
		findings = append(findings, f)
	}
	return findings
}

// Distinct counts different names, for named users and devices.
func Distinct(names []string) int64 {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	return int64(len(seen))
}

// Session is a stretch of use, from Start up to and without End.
type Session struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Peak returns the largest number of sessions at the same time. One that begins when
// another ends is not at the same time. A session that ends before it starts is a
// [*FieldError]; one without length counts nothing. It takes n·log n steps.
func Peak(sessions []Session) (int64, error) {
	type edge struct {
		at   time.Time
		more int64
	}
	edges := make([]edge, 0, 2*len(sessions))
	for i, s := range sessions {
		if s.End.Before(s.Start) {
			return 0, &FieldError{Path: fmt.Sprintf("sessions[%d].end", i), Value: s.End.Format(time.RFC3339Nano), Want: "an instant from " + s.Start.Format(time.RFC3339Nano) + " on"}
		}
		if s.End.After(s.Start) {
			edges = append(edges, edge{s.Start, 1}, edge{s.End, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.more, b.more)) })
	var now, most int64
	for _, e := range edges {
		now += e.more
		most = max(most, now)
	}
	return most, nil
}

// Host is a machine with cores that need a licence.
type Host struct {
	Cores int64 `json:"cores"`
	// Factor weighs a core, by the table of the vendor. Defaults to 100%.
	Factor money.Percent `json:"factor,omitempty"`
	// Least is the number of weighted cores that count at least. Defaults to none.
	Least int64 `json:"least,omitempty"`
}

// Cores returns the licences that hosts take: cores by factor, but no fewer than Least,
// rounded up for each host. Problems come joined, as [*FieldError] values.
func Cores(hosts []Host) (int64, error) {
	var bad problems
	hundred := big.NewInt(int64(money.WholePercent(100)))
	sum := new(big.Int)
	for i, h := range hosts {
		if h.Cores < 0 || h.Factor < 0 || h.Least < 0 {
			bad.add(fmt.Sprintf("hosts[%d]", i), fmt.Sprintf("%d, %v, %d", h.Cores, h.Factor, h.Least), "0 or more", nil)
			continue
		}
		weighted := new(big.Int).Mul(big.NewInt(h.Cores), big.NewInt(int64(cmp.Or(h.Factor, money.WholePercent(100)))))
		weighted.Add(weighted, hundred).Sub(weighted, big.NewInt(1)).Quo(weighted, hundred)
		if least := big.NewInt(h.Least); weighted.Cmp(least) < 0 {
			weighted = least
		}
		sum.Add(sum, weighted)
	}
	if err := bad.join(); err != nil {
		return 0, err
	}
	if !sum.IsInt64() {
		return 0, errors.Join(fmt.Errorf("%v cores", sum), money.ErrOverflow)
	}
	return sum.Int64(), nil
}
