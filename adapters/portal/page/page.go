package page

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/locale"
)

// Name is a page of a customer, as it stands in addresses: "slo" is slo.html in a
// static site.
type Name string

// The pages of a customer.
const (
	Status      Name = "index"
	SLO         Name = "slo"
	Incidents   Name = "incidents"
	Maintain    Name = "maintenance"
	Credits     Name = "credits"
	Catalogue   Name = "catalogue"
	Help        Name = "help"
	Search      Name = "search" // of the live portal only
	Request     Name = "request"
	Journeys    Name = "journeys"
	ReviewMonth Name = "review-monthly"
	ReviewQuart Name = "review-quarterly"
	ReviewWeek  Name = "review-weekly"
	Executive   Name = "executive-report"
	Reports     Name = "report" // the monthly ones, which are not in the navigation
)

// Names returns all pages, in the order of the navigation.
func Names() []Name {
	return []Name{Status, SLO, Incidents, Maintain, Credits, Catalogue, Journeys, ReviewWeek, ReviewMonth, ReviewQuart, Executive, Help, Request, Search, Reports}
}

// Stylesheet is where pages look for [Style], from the root of the site.
const Stylesheet = "assets/portal.css"

// The fields of the form of [Request], which is sent to the page itself by POST, and
// the one of [Search], sent by GET.
const (
	FieldService = "service" // id of a service, "" for none
	FieldTitle   = "title"
	FieldText    = "text"
	FieldContact = "contact"
	FieldQuery   = "q"
)

// ErrNoPage means a page that the customer does not have, such as the catalogue
// of one for whom none is configured.
var ErrNoPage = errors.New("no such page")

// Options are of one rendering and not of the data.
type Options struct {
	Static  bool          // links end in .html, and forms are left out
	Locale  string        // instead of the tenant's; unknown ones are the tenant's
	Query   string        // of Search
	Sent    string        // reference of the request that was just taken, for Request
	Problem string        // the field for which the request was not taken, or "unavailable", for Request
	Wall    time.Duration // reload after this time, 0 for never: for a screen on a wall
	Without []Name        // pages that do not exist, to which nothing links
}

// Has reports whether the options leave a page in. Monthly reports and reviews hold what
// the pages of availability, incidents, maintenance and credits show, so they are there
// only where all of these are; a weekly review, which has no credits, also without them.
func (o Options) Has(n Name) bool {
	without := func(part Name) bool { return slices.Contains(o.Without, part) }
	var holds []Name
	if slices.Contains([]Name{Reports, ReviewMonth, ReviewQuart, Executive}, n) {
		holds = []Name{SLO, Incidents, Maintain, Credits}
	} else if n == ReviewWeek {
		holds = []Name{SLO, Incidents, Maintain}
	}
	return !without(n) && !slices.ContainsFunc(holds, without)
}

// Pages returns the pages that the customer has, in the order of the navigation.
func (t *Tenant) Pages(o Options) []Name {
	var list []Name
	for _, p := range []struct {
		name Name
		has  bool
	}{
		{Status, true},
		{SLO, len(t.Months) > 0 || t.Budgets != nil},
		{Incidents, true},
		{Maintain, true},
		{Credits, len(t.Months) > 0},
		{Catalogue, t.Catalogue != nil},
		{Journeys, len(t.Journeys) > 0},
		{ReviewWeek, t.Weekly != nil},
		{ReviewMonth, t.Monthly != nil},
		{ReviewQuart, t.Quarterly != nil},
		{Executive, t.Executive != nil},
		{Help, true},
		{Request, !o.Static},
		{Search, !o.Static},
	} {
		if p.has && o.Has(p.name) {
			list = append(list, p.name)
		}
	}
	return list
}

// Write renders a page. The same tenant, name and options give the same bytes. The
// errors are [ErrNoPage], those of w, and of a review whose reports do not belong
// together.
func (t *Tenant) Write(w io.Writer, n Name, o Options) error {
	if !slices.Contains(t.Pages(o), n) {
		return fmt.Errorf("page %q: %w", n, ErrNoPage)
	}
	v := t.view(n, o)
	v.Title = v.t("page." + string(n))
	switch n {
	case Status:
		t.status(v)
	case SLO:
		t.slo(v)
	case Incidents:
		t.incidents(v)
	case Maintain:
		t.maintenance(v)
	case Credits:
		t.credits(v)
	case Catalogue:
		t.catalogue(v)
	case Journeys:
		t.journeys(v)
	case Help:
		t.help(v)
	case Search:
		t.search(v, o.Query)
	case Request:
		t.request(v, o)
	case ReviewWeek:
		return t.review(w, v, t.Weekly)
	case ReviewMonth:
		return t.review(w, v, t.Monthly)
	case ReviewQuart:
		return t.review(w, v, t.Quarterly)
	case Executive:
		return t.review(w, v, t.Executive)
	case Reports: // has a month, see Report
	}
	return v.write(w)
}

// Report renders the monthly report with the style of the pages: the document of
// the month in the navigation of the customer. The errors are [ErrNoPage] for a month
// without a report and where [Options.Has] says that there are none, and those of [report.Document.Validate] and of w.
func (t *Tenant) Report(w io.Writer, month string, o Options) error {
	i := slices.IndexFunc(t.Months, func(r report.ServiceReport) bool { return r.Report.Statement.Period.Label == month })
	if i < 0 || !o.Has(Reports) {
		return fmt.Errorf("report %q: %w", month, ErrNoPage)
	}
	v := t.view(Reports, o)
	v.Title = v.t("page.report", v.month(month))
	r := t.Months[i]
	r.Explained, r.Locale = true, v.Lang
	v.Intro = []block{{List: v.downloads(month)}}
	return v.document(w, r.Document())
}

// view is the page before its content.
func (t *Tenant) view(n Name, o Options) *view {
	v := newView(t.Locale, t.zone(), t.At, o)
	v.options = o
	v.Root, v.home = "../../", ""
	if n == Reports && !o.Static {
		v.Root, v.home = "../../../", "../"
	}
	v.Owner, v.Brand, v.Stale, v.Sources = cmp.Or(t.Name, t.ID), t.Brand.Name, t.Stale, t.Sources
	if t.Brand.Logo != "" {
		v.Logo = v.Root + "assets/" + t.Brand.Logo
	}
	for _, p := range t.Pages(o) {
		v.Nav = append(v.Nav, link{v.page(p), v.t("page." + string(p)), p == n})
	}
	if v.has(Incidents) {
		v.Feed = v.home + "feed.atom"
	}
	v.Digest = digest(t.Sources)
	if !o.Static {
		v.languages()
	}
	return v
}

// languages links the page to itself in the other languages.
func (v *view) languages() {
	for _, tag := range locale.Tags() {
		v.Languages = append(v.Languages, language{tag, catalogue().In(tag).Text("language"), "?lang=" + tag, tag == v.Lang})
	}
}

// digest is one for all sources, by their names and digests in their order.
func digest(sources []report.Source) string {
	if len(sources) == 0 {
		return ""
	}
	h := sha256.New()
	for _, s := range sources {
		_, _ = fmt.Fprintf(h, "%s  %s\n", s.SHA256, s.Name)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// zone is that of all times shown.
func (t *Tenant) zone() *time.Location {
	if t.Zone != nil {
		return t.Zone
	}
	if last := t.last(); last != nil && last.Zone != nil {
		return last.Zone
	}
	return time.UTC
}

// last is the report of the month of At, nil for none.
func (t *Tenant) last() *report.ServiceReport {
	if len(t.Months) == 0 {
		return nil
	}
	return &t.Months[len(t.Months)-1]
}

// service is the name of a service; "" and "*" are all.
func (t *Tenant) service(v *view, id string) string {
	if id == "" || id == "*" {
		return v.t("service.all")
	}
	if v.of != t { // the dashboard goes from customer to customer
		v.of, v.names = t, make(map[string]string, len(t.Services))
		for _, s := range slices.Backward(t.Services) {
			v.names[s.ID] = cmp.Or(s.Name, s.ID)
		}
	}
	return cmp.Or(v.names[id], id)
}

// page is the address of a page of the customer.
func (v *view) page(n Name) string {
	switch {
	case v.static:
		return v.home + string(n) + ".html"
	case n == Status:
		return cmp.Or(v.home, "./")
	}
	return v.home + string(n)
}

// report is the address of a monthly report in a format.
func (v *view) report(month, extension string) string {
	if v.static {
		return v.home + "report-" + month + "." + extension
	}
	return v.home + "report/" + month + "." + extension
}

// downloads are the other formats of a monthly report.
func (v *view) downloads(month string) []cell {
	var list []cell
	for _, extension := range []string{"pdf", "csv", "json"} {
		list = append(list, to(v.report(month, extension), v.t("download."+extension)))
	}
	return list
}

// document writes a document of package report in the place of sections.
func (v *view) document(w io.Writer, d report.Document) error {
	var b strings.Builder
	if err := d.Fragment(&b); err != nil {
		return err
	}
	v.Body = svg(b.String())
	return v.write(w)
}
