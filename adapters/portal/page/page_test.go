package page_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// rendered are all pages of a customer and the dashboard, by name.
func rendered(tb testing.TB, t *page.Tenant, ops *page.Ops, o page.Options) map[string]string {
	tb.Helper()
	all := map[string]string{}
	add := func(name string, write func(io.Writer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			tb.Fatalf("page %s: %v", name, err)
		}
		all[name] = b.String()
	}
	for _, n := range t.Pages(o) {
		add(string(n), func(w io.Writer) error { return t.Write(w, n, o) })
	}
	for _, m := range t.Months[max(0, len(t.Months)-2):] { // reports are much of the same
		label := m.Report.Statement.Period.Label
		if !o.Has(page.Reports) {
			break
		}
		add("report-"+label, func(w io.Writer) error { return t.Report(w, label, o) })
	}
	if ops != nil {
		add("ops", func(w io.Writer) error { return ops.Write(w, o) })
	}
	return all
}

// element is what the checks look at.
type element struct {
	name  string
	attrs map[string]string
	path  []string
	text  string // directly in it
}

// void are the elements of HTML that have no end.
var void = regexp.MustCompile(`<(meta|link|br|img|input)((?: [a-z-]+="[^"]*")*)>`)

// parse reads a page as strict XML, so every other element is closed and every value
// quoted.
func parse(tb testing.TB, name, text string) []*element {
	tb.Helper()
	d := xml.NewDecoder(strings.NewReader(void.ReplaceAllString(text, "<$1$2/>")))
	var all, open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatalf("page %s is not well-formed: %v", name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			for _, o := range open {
				e.path = append(e.path, o.name)
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		}
	}
}

// forbidden is what a strict content security policy would stop, or what would run.
var forbidden = regexp.MustCompile(`(?i)<script|<style|<iframe|<object|<embed|\sstyle=|\son[a-z]+=|javascript:|<[^>]*\ssrc="(?:https?:)?//|<link[^>]*href="(?:https?:)?//|url\((?:"|')?(?:https?:)?//`)

func check(tb testing.TB, name, text string) {
	tb.Helper()
	if found := forbidden.FindString(text); found != "" {
		tb.Errorf("page %s holds %q", name, found)
	}
	all := parse(tb, name, text)
	ids := map[string]bool{}
	for _, e := range all {
		if id := e.attrs["id"]; id != "" {
			if ids[id] || strings.ContainsAny(id, " \t\n") {
				tb.Errorf("page %s: id %q is there twice or no word", name, id)
			}
			ids[id] = true
		}
	}
	count := map[string]int{}
	for _, e := range all {
		count[e.name]++
		for _, attribute := range []string{"aria-labelledby", "for"} {
			for id := range strings.FieldsSeq(e.attrs[attribute]) {
				if !ids[id] {
					tb.Errorf("page %s: %s %s=%q points to nothing", name, e.name, attribute, id)
				}
			}
		}
		if to, ok := strings.CutPrefix(e.attrs["href"], "#"); ok && !ids[to] {
			tb.Errorf("page %s: link to #%s points to nothing", name, to)
		}
		switch e.name {
		case "th":
			if scope := e.attrs["scope"]; scope != "col" && scope != "row" {
				tb.Errorf("page %s: header %q has scope %q", name, e.text, scope)
			}
		case "time":
			if at := e.attrs["datetime"]; len(at) > len(time.DateOnly) && !strings.HasPrefix(name, "r") {
				instant, err := time.Parse(time.RFC3339, at)
				if err != nil || !strings.HasSuffix(e.text, " CET") && !strings.HasSuffix(e.text, " CEST") {
					tb.Errorf("page %s: time %q shown as %q, want RFC 3339 with an offset, and the zone: %v", name, at, e.text, err)
				}
				if _, offset := instant.Zone(); offset != 3600 && offset != 7200 {
					tb.Errorf("page %s: time %q is not in the zone of the customer", name, at)
				}
			}
		case "img":
			if _, ok := e.attrs["alt"]; !ok {
				tb.Errorf("page %s: image without alt", name)
			}
		case "svg":
			if e.attrs["role"] != "img" {
				tb.Errorf("page %s: drawing without a role", name)
			}
		}
	}
	for _, one := range []string{"h1", "main", "footer", "title"} {
		if n := count[one]; one != "title" && n != 1 || n == 0 {
			tb.Errorf("page %s has %d elements %s, want one", name, n, one)
		}
	}
	if strings.Count(text, "<table") != strings.Count(text, "<caption") {
		tb.Errorf("page %s: a table without caption", name)
	}
	if !strings.Contains(text, `<a class="skip" href="#main">`) {
		tb.Errorf("page %s has no skip link", name)
	}
}

// Every page is well-formed, holds nothing that a strict policy would stop, and has
// what readers who do not see it need, in all languages, live and static.
func TestPages(t *testing.T) {
	tenant, ops := sample(t, 4), operations(t)
	for _, lang := range []string{"en", "de", "nl", "fr"} {
		for _, static := range []bool{true, false} {
			for name, text := range rendered(t, tenant, ops, page.Options{Static: static, Locale: lang, Query: "disk"}) {
				check(t, name, text)
				if !strings.Contains(text, `<html lang="`+lang+`">`) {
					t.Errorf("page %s does not say that it is in %q", name, lang)
				}
				if n := strings.Count(text, `aria-current="page"`); n != 1 && name != "ops" && !strings.HasPrefix(name, "report") {
					t.Errorf("page %s: %d places in the navigation, want 1", name, n)
				}
			}
		}
	}
}

func TestDeterminism(t *testing.T) {
	a, b := rendered(t, sample(t, 4), operations(t), page.Options{}), rendered(t, sample(t, 4), operations(t), page.Options{})
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("page %s differs from one run to the next", name)
		}
	}
}

// have reports what a page lacks.
func have(t *testing.T, name, text string, wants ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")), " ")
	for _, want := range wants {
		if !strings.Contains(flat, want) {
			t.Errorf("page %s lacks %q:\n%s", name, want, flat)
		}
	}
}

// What each page must show, by hand from the sample.
func TestContents(t *testing.T) {
	all := rendered(t, sample(t, 4), nil, page.Options{Static: true})
	for name, wants := range map[string][]string{
		"index": {
			"✕ outage", "28 Oct 2026 09:05 CET", "INC-905", "28 Oct 2026 09:10 CET", "✕ overdue 28 Oct 2026 09:25 CET", "Payments s02 ✓ operational 25 Oct 2026 04:00 CET",
			"MW-8 New certificates", "– cancelled", "the last 90 days", "from 2 sources",
		},
		// October 2026 has 745 hours in Amsterdam; 0.5 % of them are 3 h 43 m 30 s, and of the
		// 658.5 until 28 October 9:30 they are 3 h 17 m 33 s.
		"slo": {
			"99.5 %", "3h17m33s is left", "-42m27s", "INC-901 4h", "calendar month", "checkout-success", "19755.00 events", "page-fast", "14.40", "✓ silent", "How computed", "sha256:",
			"MW-7 maintenance 1h30m ◷ excluded",
		},
		"incidents": {
			"INC-905", "P1 critical", "4m of 5m", "8h58m of 2h", "✕ missed", "▲ running", "We are looking into it.", "Read the post-mortem", "The journal filled its disk.", "Alert at 80 %", "✕ overdue",
		},
		"maintenance": {"✓ in time", "✕ too late", "16h of 72h", "announced too late", "– cancelled", "excluded"},
		"credits": {
			// 9 h of 658.5 h down are 98.63 %: the first band of 10 %.
			"98.633257 %", "10 % 4000.00 EUR", "no credit for this breach", "disk of the journal was full", "alert at 80 %", "16 Nov 2026 00:00 CET", "credits are an estimate",
			"Digest of the evidence sha256:", "September 2026 1 20 Oct 2026 10:00 CEST 0.00 EUR 400.00 EUR an outage was reported late",
			"15 Oct 2026 02:00 CEST to 16 Oct 2026 01:00 CEST",
		},
		"catalogue": {"Team Commerce", "✓ passed", "2h30m of 4h", "30m of 1h", "✕ never tested", "payroll", "30 Jun 2027", "Hoster BV", "RB-restore"},
		"journeys":  {"✕ fails", "99.895833 %", "8640 runs in 720h", "812 ms", "1630 ms", "status 503", "Check out – no data"},
		"help":      {"known error", "Orders are shown twice", "Reload the page.", "The order was placed once."},
	} {
		have(t, name, all[name], wants...)
	}
	if !strings.Contains(all["maintenance"], "<s>MW-10</s>") {
		t.Error("a cancelled window is not struck")
	}
}

func TestOperations(t *testing.T) {
	var b bytes.Buffer
	if err := operations(t).Write(&b, page.Options{}); err != nil {
		t.Fatal(err)
	}
	have(t, "ops", b.String(),
		"60.0 %", "3 of 5 availability targets met", "Overdue updates ✕ 1", "-173.35 %", "alice", "75.00 %", "120h of 160h", "whole line desk 1 30 – no data", "91.67 %", "11 of 12",
		"55.56 %", "▲ attention", "✕ too few on 1 day", "P1 2 2500.00 EUR 1250.00 EUR", "the cost of 2 incidents is not recorded", "5000.00 EUR", "12.50 %", "-200.00 EUR", "✕ loss", "outages.csv:12",
	)
	// The one with the least left comes first.
	if text := b.String(); strings.Index(text, "-173.35") > strings.Index(text, "57.99") {
		t.Error("the list of what is at risk is not sorted by what is left")
	}
}

// 5 h of 720 h miss 99.5 % and do not reach the first band, below 99 %: that has to be
// said as it is.
func TestMissedWithoutBand(t *testing.T) {
	c := sla.Preset("c-1", sla.Professional, "UTC", money.Must(money.Parse("40000.00 EUR")))
	c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}}
	first := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	e := sla.Evidence{
		Observed: calendar.Interval{Start: first, End: first.AddDate(0, 1, 0)},
		Outages:  []sla.Outage{{Ref: "I-1", Service: "api", Start: first.AddDate(0, 0, 2), End: first.AddDate(0, 0, 2).Add(5 * time.Hour)}},
	}
	a, err := sla.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Report(a.PeriodAt(first), e, sla.ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tenant := &page.Tenant{ID: "c", At: first.AddDate(0, 1, 0), Evidence: e, Services: []page.Service{{ID: "api"}}, Months: []report.ServiceReport{{Report: r, Contract: c}}}
	for _, name := range []page.Name{page.SLO, page.Credits} {
		var b bytes.Buffer
		if err := tenant.Write(&b, name, page.Options{}); err != nil {
			t.Fatal(err)
		}
		have(t, string(name), b.String(), "✕ target missed, no credit band reached")
	}
}

// A customer of whom nothing is known has pages that say so.
func TestNothing(t *testing.T) {
	tenant := &page.Tenant{ID: "new", At: time.Date(2026, 10, 28, 9, 30, 0, 0, amsterdam(t)), Zone: amsterdam(t), Budgets: &report.BudgetReport{}}
	all := rendered(t, tenant, &page.Ops{At: tenant.At, Zone: tenant.Zone, Tenants: []*page.Tenant{tenant}}, page.Options{})
	for name, text := range all {
		check(t, name, text)
	}
	have(t, "index", all["index"], "– no data", "No service is configured.", "No maintenance is planned", "No month has been reported yet")
	have(t, "incidents", all["incidents"], "There was no incident")
	have(t, "maintenance", all["maintenance"], "There is no such window.")
	have(t, "help", all["help"], "No article has been written yet.")
	have(t, "ops", all["ops"], "No roster is configured.", "No cost of incidents is recorded.", "– no data")
	for _, name := range []page.Name{page.Credits, page.Catalogue, page.Journeys, page.ReviewMonth, "nonsense"} {
		if err := tenant.Write(io.Discard, name, page.Options{}); !errors.Is(err, page.ErrNoPage) {
			t.Errorf("Write(%q) = %v, want ErrNoPage", name, err)
		}
	}
	if err := tenant.Report(io.Discard, "2026-10", page.Options{}); !errors.Is(err, page.ErrNoPage) {
		t.Errorf("Report = %v, want ErrNoPage", err)
	}
}

func TestStale(t *testing.T) {
	tenant := sample(t, 1)
	tenant.Stale = "outages.csv:12: end before start"
	for name, text := range rendered(t, tenant, nil, page.Options{Wall: 30 * time.Second}) {
		have(t, name, text, "▲ Newer data could not be read", "outages.csv:12: end before start")
		if !strings.Contains(text, `<meta http-equiv="refresh" content="30">`) {
			t.Errorf("page %s does not reload", name)
		}
	}
}

// What is wrong with files is for the operations: customers do not see their names.
func TestNotices(t *testing.T) {
	tenant := sample(t, 1)
	tenant.Notices = []report.Notice{{Code: "unknown_key", Message: "acme.yaml:2:1: unknown key"}}
	all := rendered(t, tenant, &page.Ops{At: tenant.At, Zone: tenant.Zone, Tenants: []*page.Tenant{tenant}}, page.Options{})
	have(t, "ops", all["ops"], "acme.yaml:2:1: unknown key")
	for name, text := range all {
		if name != "ops" && strings.Contains(text, "acme.yaml") {
			t.Errorf("page %s shows a notice of the operations", name)
		}
	}
}

// The dashboard links to no page that a customer does not have.
func TestOperationsLinks(t *testing.T) {
	links := func(s *page.Ops) map[string]int {
		var b bytes.Buffer
		if err := s.Write(&b, page.Options{}); err != nil {
			t.Fatal(err)
		}
		check(t, "ops", b.String())
		found := map[string]int{}
		for _, e := range parse(t, "ops", b.String()) {
			if href, _, _ := strings.Cut(e.attrs["href"], "#"); strings.HasPrefix(href, "../t/") {
				found[href]++
			}
		}
		return found
	}
	s := operations(t)
	const incidents, slo, status = "../t/acme/incidents", "../t/acme/slo", "../t/acme/"
	if all := links(s); all[incidents] == 0 || all[slo] == 0 || all[status] == 0 {
		t.Fatalf("links %v, want some to incidents, slo and status", all)
	}
	s.Without = map[string][]page.Name{"acme": {page.Incidents, page.SLO}}
	if all := links(s); all[incidents] > 0 || all[slo] > 0 || all[status] == 0 {
		t.Errorf("links %v, want none to what was switched off", all)
	}
}

var monthly = regexp.MustCompile(`^report-\d{4}-\d\d\.(html|pdf|csv|json)$`)

// Static pages link to files, live ones to routes; nothing links to a page that is
// not there.
func TestLinks(t *testing.T) {
	tenant := sample(t, 4)
	static := rendered(t, tenant, nil, page.Options{Static: true})
	for name, text := range static {
		for _, e := range parse(t, name, text) {
			href, _, _ := strings.Cut(e.attrs["href"], "#")
			if e.name != "a" || href == "" || strings.HasPrefix(href, "https://wiki.example.com/") {
				continue
			}
			if _, ok := static[strings.TrimSuffix(href, ".html")]; !ok && !slices.Contains([]string{"feed.atom", "maintenance.ics", "status.json", "badge.svg"}, href) && !monthly.MatchString(href) {
				t.Errorf("page %s links to %q, which is not there", name, href)
			}
		}
		if strings.Contains(text, "<form") {
			t.Errorf("static page %s has a form", name)
		}
	}
	without := page.Options{Without: []page.Name{page.Incidents, page.Request}}
	for name, text := range rendered(t, tenant, nil, without) {
		for _, e := range parse(t, name, text) {
			if href, _, _ := strings.Cut(e.attrs["href"], "#"); href == "incidents" || href == "request" {
				t.Errorf("page %s links to %q, which was switched off", name, href)
			}
		}
	}
	report := rendered(t, tenant, nil, page.Options{})["report-2026-10"]
	for _, want := range []string{`href="../../../assets/portal.css"`, `href="../slo"`, `href="../report/2026-10.pdf"`} {
		if !strings.Contains(report, want) {
			t.Errorf("the live report lacks %s", want)
		}
	}
}

func TestSearch(t *testing.T) {
	tenant := sample(t, 4)
	for query, wants := range map[string][]string{
		"journal FULL": {"INC-902"},
		"orders twice": {"1 result", "Orders are shown twice", "known error"},
		"certificates": {"MW-8 New certificates"},
		"nothing-such": {"0 results"},
		"  ":           {"Enter one or more words."},
		"<script>":     {"0 results"},
	} {
		var b bytes.Buffer
		if err := tenant.Write(&b, page.Search, page.Options{Query: query}); err != nil {
			t.Fatal(err)
		}
		check(t, "search", b.String())
		have(t, "search", b.String(), wants...)
	}
}

func TestRequest(t *testing.T) {
	tenant := sample(t, 2)
	write := func(o page.Options) string {
		var b bytes.Buffer
		if err := tenant.Write(&b, page.Request, o); err != nil {
			t.Fatal(err)
		}
		check(t, "request", b.String())
		return b.String()
	}
	text := write(page.Options{})
	for _, field := range []string{page.FieldService, page.FieldTitle, page.FieldText, page.FieldContact} {
		if !strings.Contains(text, `name="`+field+`"`) || !strings.Contains(text, `<label for="`+field+`"`) {
			t.Errorf("the form has no field %q with a label", field)
		}
	}
	have(t, "request", write(page.Options{Sent: "REQ-7"}), "✓ Your request was taken as REQ-7.")
	have(t, "request", write(page.Options{Problem: page.FieldTitle}), "✕ The request was not taken: the subject is missing or too long")
}

func TestStyle(t *testing.T) {
	plain := string(page.Style(page.Brand{}))
	for _, never := range []string{"@import", "http", "url("} {
		if strings.Contains(plain, never) {
			t.Errorf("the style sheet holds %q, which would load something", never)
		}
	}
	if !strings.Contains(plain, "prefers-color-scheme:dark") || !strings.Contains(plain, "@media print") || !strings.Contains(plain, "--brand:#1d4ed8") {
		t.Error("the style sheet lacks the dark scheme, print or the default colour")
	}
	// #1d4ed8 has a luminance of 0.107 and needs 0.215 or more on #0f172a.
	dark := regexp.MustCompile(`prefers-color-scheme:dark\)\{:root\{--brand:(#[0-9a-f]{6})`).FindStringSubmatch(plain)
	if dark == nil {
		t.Fatal("the style sheet has no colour of the brand for the dark scheme")
	}
	c, err := report.ParseColor(dark[1])
	if err != nil || report.Contrast(c, report.DarkBackground) < report.TextContrast {
		t.Errorf("the derived colour %s has a contrast of %.2f, want %.1f: %v", dark[1], report.Contrast(c, report.DarkBackground), report.TextContrast, err)
	}
	branded := string(page.Style(page.Brand{Color: report.Color{R: 0x66, G: 0x22, B: 0x99}, ColorDark: report.Color{R: 0xcc, G: 0xaa, B: 0xff}}))
	if !strings.Contains(branded, "--brand:#662299") || !strings.Contains(branded, "--brand:#ccaaff") {
		t.Error("the colours of the brand are not in the style sheet")
	}
}

// poison puts a text into every field that comes from outside.
func poison(t *page.Tenant, text string) {
	t.Name, t.Stale, t.Brand.Name, t.Brand.Logo = text, text, text, text
	t.Sources = []report.Source{{Name: text, SHA256: text}}
	t.Notices = []report.Notice{{Code: text, Message: text}}
	for i := range t.Services {
		s := &t.Services[i]
		s.Name, s.Tier, s.Owner, s.Window = text, text, text, text
	}
	for i := range t.Incidents {
		in := &t.Incidents[i]
		in.ID, in.Title, in.Cause, in.Action, in.Postmortem, in.Excluded, in.Domain, in.Engineer = text+strconv.Itoa(i), text, text, text, text, text, text, text
		for k := range in.Updates {
			in.Updates[k].Text = text
		}
		if d := in.Document; d != nil {
			d.Summary, d.RootCause, d.Impact = text, text, text
			for k := range d.Measures {
				m := &d.Measures[k]
				m.ID, m.Text, m.Owner, m.Ref, m.Due = text, text, text, text, text
			}
		}
	}
	for i := range t.Maintenance {
		m := &t.Maintenance[i]
		m.Ref, m.Title, m.Reason = text, text, text
	}
	for i := range t.Evidence.Outages {
		t.Evidence.Outages[i].Ref = text
	}
	for i := range t.Revisions {
		t.Revisions[i].Reason, t.Revisions[i].Month = text, text
	}
	for i := range t.Articles {
		a := &t.Articles[i]
		a.ID, a.Title, a.Text = text+strconv.Itoa(i), text, text
	}
	for i := range t.Journeys {
		j := &t.Journeys[i]
		j.ID, j.Name, j.State = text, text, report.State(text)
		for k := range j.Steps {
			j.Steps[k].Name, j.Steps[k].Text = text, text
		}
		for k := range j.History {
			j.History[k].Label, j.History[k].Text = text, text
		}
	}
	for i := range t.Budgets.Budgets {
		t.Budgets.Budgets[i].Objective.ID = text
	}
	for i := range t.Months {
		r := &t.Months[i]
		r.Customer = text
		names := map[string]string{}
		for id := range r.Services {
			names[id] = text
		}
		r.Services = names
	}
}

// Whatever stands in the input, it becomes a text and never markup, an attribute or an
// address that runs.
func TestInjection(t *testing.T) {
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "data:text/html,<script>", `//evil.example/x`, `///evil.example/x`, ` //evil.example/x`, ` javascript:alert(1)`,
		`\\evil.example\x`, "]]>", "<!--", "&amp;&lt;", "{{.}}", "a\x00b\x0b\xffc\ufffe", "\u202eright to left",
	} {
		tenant, ops := sample(t, 3), operations(t)
		poison(tenant, text)
		poison(ops.Tenants[0], text)
		ops.Load[0].Engineer, ops.Load[0].Line, ops.Margins[0].Tenant = text, text, text
		ops.Review.Teams[0].Team, ops.Fairness.People[0].Engineer, ops.Fairness.Findings[0] = text, text, text
		for name, out := range rendered(t, tenant, ops, page.Options{Query: text, Sent: text, Problem: text}) {
			elements := parse(t, name, out)
			for _, e := range elements {
				if slices.Contains([]string{"script", "style", "iframe", "object", "embed"}, e.name) || e.name == "img" && e.attrs["src"] == "x" {
					t.Errorf("%q: page %s has an element %s", text, name, e.name)
				}
				for attribute, value := range e.attrs {
					low := strings.ToLower(strings.TrimSpace(value))
					if strings.HasPrefix(attribute, "on") || attribute == "style" {
						t.Errorf("%q: page %s has an attribute %s=%q", text, name, attribute, value)
					}
					if (attribute == "href" || attribute == "src" || attribute == "action") && (strings.HasPrefix(low, "javascript:") || strings.HasPrefix(low, "data:") || strings.HasPrefix(low, "//") || strings.HasPrefix(low, `\\`)) {
						t.Errorf("%q: page %s has the address %s=%q", text, name, attribute, value)
					}
				}
			}
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add(`"><script>`)
	f.Add("a\x00\xff")
	f.Add("x\n\ny: {0}")
	f.Fuzz(func(t *testing.T, text string) {
		tenant := &page.Tenant{
			ID: "a", Name: text, At: time.Date(2026, 10, 28, 9, 30, 0, 0, time.UTC), Stale: text, Services: []page.Service{{ID: text, Name: text}},
			Incidents: []page.Incident{{Incident: sla.Incident{ID: text, Service: text, Title: text, Opened: time.Date(2026, 10, 28, 9, 0, 0, 0, time.UTC)}, Postmortem: text, Updates: []page.Update{{Text: text}}}},
			Articles:  []page.Article{{ID: text, Title: text, Text: text, KnownError: true}},
			Journeys:  []page.Journey{{ID: text, Name: text, Steps: []page.JourneyStep{{Name: text}}}},
		}
		for name, out := range rendered(t, tenant, nil, page.Options{Query: text}) {
			for _, e := range parse(t, name, out) {
				if e.name == "script" || e.attrs["style"] != "" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(e.attrs["href"])), "javascript:") {
					t.Errorf("page %s: %s %v", name, e.name, e.attrs)
				}
			}
		}
	})
}

// The dashboard of briefs is that of the customers in full.
func TestBrief(t *testing.T) {
	ops := operations(t)
	write := func() string {
		var b bytes.Buffer
		if err := ops.Write(&b, page.Options{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := write()
	for i, tenant := range ops.Tenants {
		ops.Tenants[i] = tenant.Brief()
	}
	if got := write(); got != want || len(want) < 5000 {
		t.Errorf("the dashboard of briefs differs, of %d bytes", len(want))
	}
}

// No page holds English in another language: no words of the table, and no formulas,
// findings of the catalogue or sentences about the roster.
func TestLanguages(t *testing.T) {
	texts := page.English()
	if len(texts) < 100 {
		t.Fatalf("%d texts to look for, want hundreds", len(texts))
	}
	tenant, ops := sample(t, 4), operations(t)
	seen := 0
	for _, body := range rendered(t, tenant, ops, page.Options{Locale: "en"}) {
		for _, text := range texts {
			if strings.Contains(body, html.EscapeString(text)) {
				seen++
			}
		}
	}
	if seen < 100 {
		t.Errorf("the English pages hold %d of the texts: the test looks at nothing", seen)
	}
	for _, lang := range []string{"de", "nl", "fr"} {
		for name, body := range rendered(t, tenant, ops, page.Options{Locale: lang}) {
			if strings.HasPrefix(name, "review-") {
				continue // topics of the contract, which are data
			}
			for _, text := range texts {
				if strings.Contains(body, html.EscapeString(text)) {
					t.Errorf("%s: page %s holds %q", lang, name, text)
				}
			}
		}
	}
}

// Runbooks with an address are links.
func TestRunbooks(t *testing.T) {
	if body := rendered(t, sample(t, 3), nil, page.Options{})["catalogue"]; !strings.Contains(body, `<a href="https://wiki.example.com/rb/restore">RB-restore</a>`) {
		t.Error("the runbook is no link")
	}
}

// A brief holds on to no review pack, each of which has months in full.
func TestBriefHoldsNoPacks(t *testing.T) {
	full := sample(t, 1)
	if full.Weekly == nil || full.Executive == nil {
		t.Fatal("the sample has no packs")
	}
	b := full.Brief()
	for i, pack := range []*report.ReviewPack{b.Weekly, b.Monthly, b.Quarterly, b.Executive} {
		if pack != nil {
			t.Errorf("a brief holds pack %d", i)
		}
	}
}
