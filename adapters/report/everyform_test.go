package report_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"math/big"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// spoken is how a language writes numbers, by a table of this test's own: the decimal
// sign, what parts thousands, the sign of hours, and whether the currency comes first.
// Blanks are left out everywhere, as every form breaks lines elsewhere.
type spoken struct {
	decimal, thousands, hours string
	currencyFirst             bool
}

var languages = map[string]spoken{"en": {".", "", "h", false}, "de": {",", ".", "h", false}, "nl": {",", ".", "u", true}, "fr": {",", "", "h", false}}

func (s spoken) number(text string) string {
	whole, rest, ok := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && s.thousands != ""; i -= 3 {
		whole = whole[:i] + s.thousands + whole[i:]
	}
	if ok {
		return whole + s.decimal + rest
	}
	return whole
}

// percent is a fraction in percent, cut at six decimals: 2572920/2592000 is 99.263888.
func (s spoken) percent(f sla.Fraction) string {
	r, ok := new(big.Rat).SetString(f.String())
	if !ok {
		return ""
	}
	millionths := new(big.Int).Quo(new(big.Int).Mul(r.Num(), big.NewInt(1e8)), r.Denom())
	digits := fmt.Sprintf("%07d", millionths.Int64())
	return s.number(digits[:len(digits)-6]+"."+digits[len(digits)-6:]) + "%"
}

func (s spoken) duration(d time.Duration, tag string) string {
	seconds := int64(d / time.Second)
	minutes := "min"
	if tag == "en" {
		minutes = "m"
	}
	var parts []string
	for _, u := range []struct {
		n    int64
		unit string
	}{{seconds / 3600, s.hours}, {seconds / 60 % 60, minutes}, {seconds % 60, "s"}} {
		if u.n > 0 {
			parts = append(parts, s.number(strconv.FormatInt(u.n, 10))+u.unit)
		}
	}
	return cmp.Or(strings.Join(parts, ""), "0s")
}

func (s spoken) amount(a money.Amount) string {
	digits, currency, _ := strings.Cut(a.String(), " ")
	if s.currencyFirst {
		return currency + s.number(digits)
	}
	return s.number(digits) + currency
}

// shown is what a report has to show of a period, by the kind of the document.
func (s spoken) shown(tag string, r report.ServiceReport, kind string) map[string]string {
	figures := map[string]string{}
	label := r.Report.Statement.Period.Label
	put := func(name, text string) { figures[label+" "+name] = text }
	for _, m := range r.Report.Availability {
		put("availability", s.percent(m.Value))
		put("down", s.duration(m.Down, tag))
		put("allowed", s.duration(m.Allowed, tag))
	}
	if kind != "weekly" {
		put("payable", s.amount(r.Report.Statement.Payable))
		put("fee", s.amount(r.Report.Statement.Fee))
	}
	if kind != "executive" && kind != "quarterly" {
		for _, c := range r.Report.Response {
			if c.Took.Mean.IsSet() {
				whole, _ := strconv.ParseInt(c.Took.Mean.Decimal(0), 10, 64)
				put(fmt.Sprint("mean of ", c.Clause, c.Severity), s.duration(time.Duration(whole)*time.Second, tag))
			}
		}
		for _, b := range r.Report.Breaches {
			if kind != "weekly" {
				put(fmt.Sprint("credit of ", b.Clause, b.Ref), s.amount(b.Credit))
			}
		}
	}
	return figures
}

// forms renders a document in every form, without blanks.
func forms(t *testing.T, d report.Document) map[string]string {
	t.Helper()
	var page, md, js, table bytes.Buffer
	for _, err := range []error{d.HTML(&page), d.Markdown(&md), d.JSON(&js), d.CSV(&table, report.CSVOptions{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	dense := func(text string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, text)
	}
	body := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`).ReplaceAllString(page.String(), " ")
	var decoded bytes.Buffer // without escapes such as <
	decoder := json.NewDecoder(&js)
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		fmt.Fprintln(&decoded, token)
	}
	all := map[string]string{
		"html": dense(html.UnescapeString(body)), "md": dense(html.UnescapeString(strings.ReplaceAll(md.String(), `\`, ""))), "json": dense(decoded.String()), "csv": dense(table.String()),
	}
	if _, err := exec.LookPath("pdftotext"); err == nil {
		all["pdf"] = dense(pdfText(t, d, report.PDFOptions{}))
	} else {
		t.Log("without the PDF, as there is no pdftotext: apt-get install -y --no-install-recommends poppler-utils")
	}
	return all
}

// everyKind is a document of each kind, with the reports that it is about.
func everyKind(t *testing.T, tag string) map[string]struct {
	document report.Document
	reports  []report.ServiceReport
} {
	t.Helper()
	months := quarter(t)
	for i := range months {
		months[i].Locale = tag
	}
	part := incidentPart(t, time.July)
	months[2].Explained = true
	all := map[string]struct {
		document report.Document
		reports  []report.ServiceReport
	}{"report": {months[2].Document(), months[2:]}}
	for name, k := range map[string]report.ReviewPack{
		"weekly":    {Review: sla.WeeklyReview(), Reports: weeks(t, tag)},
		"monthly":   {Review: sla.MonthlyReview(), Reports: months, Incidents: &part, Outlook: ahead()},
		"quarterly": {Review: sla.QuarterlyReview(), Reports: months, Incidents: &part, Outlook: ahead()},
		"executive": {Review: sla.ExecutiveReport(), Reports: months, Outlook: ahead()},
	} {
		all[name] = struct {
			document report.Document
			reports  []report.ServiceReport
		}{packOf(t, k), k.Reports}
	}
	return all
}

// Every figure of the model, written by this test in the number format of the language,
// and every number of the document is in each of the five forms, of every kind of report
// and in every language.
func TestEveryFigureInEveryForm(t *testing.T) {
	for tag, s := range languages {
		for kind, k := range everyKind(t, tag) {
			t.Run(tag+"/"+kind, func(t *testing.T) {
				wanted := map[string]string{}
				for _, r := range k.reports {
					maps.Copy(wanted, s.shown(tag, r, kind))
				}
				numbers := 0
				for _, section := range k.document.Sections {
					for _, block := range section.Blocks {
						table, _ := block.(report.Table)
						for n, row := range table.Rows {
							for i, c := range row {
								if table.Columns[i].Numeric && c.Text != "" {
									wanted[fmt.Sprintf("%s, %s, row %d, %s", section.ID, table.Caption, n+1, table.Columns[i].Title)] = strings.Join(strings.Fields(c.Text), "")
									numbers++
								}
							}
						}
					}
				}
				if least := 4 * len(k.reports); len(wanted)-numbers < least || numbers < least {
					t.Fatalf("%d figures of the model and %d numbers of the document, want at least %d of each", len(wanted)-numbers, numbers, least)
				}
				for form, text := range forms(t, k.document) {
					for name, figure := range wanted {
						if figure == "" || !strings.Contains(text, figure) {
							t.Errorf("%s lacks %s: %q", form, name, figure)
						}
					}
				}
			})
		}
	}
}

// The CSV form has each cell of each table at its place, and nothing else in tables.
func TestDocumentCSV(t *testing.T) {
	for kind, k := range everyKind(t, "de") {
		var b bytes.Buffer
		if err := k.document.CSV(&b, report.CSVOptions{}); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(lines[0], ","); got != "section,block,row,column,value,state" {
			t.Errorf("%s: header %q", kind, got)
		}
		at := map[string]string{}
		for _, l := range lines[1:] {
			at[strings.Join(l[:4], "\x00")] = l[4]
		}
		for _, s := range k.document.Sections {
			for _, block := range s.Blocks {
				table, _ := block.(report.Table)
				for n, row := range table.Rows {
					for i, c := range row {
						place := strings.Join([]string{s.ID, table.Caption, strconv.Itoa(n + 1), table.Columns[i].Title}, "\x00")
						want := c.Text
						if want == "" && c.State == report.NoData {
							want = "keine Daten"
						}
						if got, ok := at[place]; !ok || strings.TrimPrefix(got, "'") != want {
							t.Errorf("%s: %q has %q, want %q", kind, place, got, want)
						}
					}
				}
			}
		}
	}
	d := report.Document{Title: "x", Sections: []report.Section{{ID: "s", Title: "s", Blocks: []report.Block{report.Text("=1+1"), report.Tiles{{Label: "a", Value: "-5", Note: "b", State: report.Bad}}}}}}
	var b bytes.Buffer
	if err := d.CSV(&b, report.CSVOptions{BOM: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "\ufeffsection,block,row,column,value,state\ns,,,,'=1+1,\ns,,1,a,-5,breached\ns,,1,Note,b,\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
