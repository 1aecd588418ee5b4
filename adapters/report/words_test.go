package report_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/locale"
	"github.com/evenkeelops/evenkeel/sla"
)

func words(t *testing.T) locale.Catalogue {
	t.Helper()
	c, err := locale.Load(os.DirFS("."), "words")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestWords holds the catalogue and the code together: a key that the code names is
// there, and one that is there is named.
func TestWords(t *testing.T) {
	keys := words(t).Keys()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{} // by any text of the code, so that keys may stand in tables
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil {
					named[text] = true
				}
			case *ast.CallExpr:
				called, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || called.Sel.Name != "t" && called.Sel.Name != "Count" || len(n.Args) == 0 {
					break
				}
				if key, ok := n.Args[0].(*ast.BasicLit); ok && key.Kind == token.STRING {
					if text, _ := strconv.Unquote(key.Value); !slices.Contains(keys, text) {
						t.Errorf("%s: the catalogue has no %s", file, key.Value)
					}
				}
			}
			return true
		})
	}
	for _, key := range keys {
		group, _, grouped := strings.Cut(key, ".")
		if used := named[key] || grouped && (named[group] || named[group+"."]); !used {
			t.Errorf("nothing names %q", key)
		}
	}
}

// The catalogue has a word for every name that a report may have.
func TestNamesHaveWords(t *testing.T) {
	w := words(t).In("de")
	var want []string
	for _, k := range sla.KPIs {
		want = append(want, "kpi."+string(k))
	}
	for _, c := range sla.Clauses {
		want = append(want, "clause."+string(c))
	}
	for _, o := range []sla.Outcome{sla.Met, sla.Missed, sla.Pending, sla.Paused, sla.NoData, sla.Cancelled} {
		want = append(want, "outcome."+string(o))
	}
	for _, s := range []sla.State{sla.StateNone, sla.StateNoData, sla.StateBreachNoBand, sla.StateDue, sla.StateCapped} {
		want = append(want, "credit."+string(s))
	}
	for _, s := range []report.State{report.Good, report.Warning, report.Bad, report.Maintenance, report.NoData} {
		want = append(want, "state."+string(s))
	}
	for _, m := range []sla.Aggregate{sla.Worst, sla.PerService, sla.Mean, sla.Weighted} {
		want = append(want, "method."+m.String())
	}
	for _, g := range []sla.Grade{sla.GradeComplete, sla.GradePartial, sla.GradeNone} {
		want = append(want, "grade."+string(g))
	}
	for _, f := range []string{
		sla.FindingPartial, sla.FindingEstimate, sla.FindingNoData, sla.FindingUnknown, sla.FindingUnassigned, sla.FindingShared, sla.FindingLate, sla.FindingNoTerm,
		sla.FindingNoNotice, sla.FindingNoTarget, sla.FindingMeanMet, sla.FindingTermCap, sla.FindingMinimum, sla.FindingStacked, sla.FindingCapped, sla.FindingRemedy,
		sla.FindingFeeBase, sla.FindingClaim, sla.FindingNotCondensed, sla.CodeCreditGap,
	} {
		want = append(want, "finding."+f)
	}
	for _, r := range sla.Reviews(sla.Enterprise) {
		want = append(want, "review."+r.Name)
		for _, i := range slices.Concat(r.Participants, r.Agenda) {
			want = append(want, "item."+i.Key)
		}
	}
	for _, i := range sla.ReferenceReporting().Recipients {
		want = append(want, "recipient."+i.Key)
	}
	for _, key := range want {
		if !w.Has(key) {
			t.Errorf("no word for %q", key)
		}
	}
}

// said returns all texts of a document: those of its model, and those that the
// Markdown form has besides.
func said(t *testing.T, d report.Document) []string {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var model any
	if err := json.Unmarshal(data, &model); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, v := range v {
				walk(k, v)
			}
		case []any:
			for _, v := range v {
				walk(key, v)
			}
		case string:
			if key != "id" && key != "kind" && key != "state" && key != "lang" && key != "sha256" {
				all = append(all, v)
			}
		}
	}
	walk("", model)
	var md strings.Builder
	if err := d.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(md.String()) {
		for cell := range strings.SplitSeq(line, "|") {
			all = append(all, strings.Trim(cell, " *#\n"))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// inLanguage is a report and two reviews with something of everything.
func inLanguage(t *testing.T, tag string) map[string]report.Document {
	t.Helper()
	months := quarter(t)
	for i := range months {
		months[i].Locale = tag
	}
	part, quarterPart := incidentPart(t, time.September), incidentPart(t, time.July)
	all := map[string]report.Document{"report": months[2].Document(), "first report": months[0].Document()}
	for name, k := range map[string]report.ReviewPack{
		"monthly":   {Review: sla.MonthlyReview(), Reports: months[2:], Incidents: &part},
		"quarterly": {Review: sla.QuarterlyReview(), Reports: months, Incidents: &quarterPart},
		"executive": {Review: sla.ExecutiveReport(), Reports: months, Outlook: ahead()},
		"weekly":    {Review: sla.WeeklyReview(), Reports: weeks(t, tag)},
	} {
		d, err := k.Document()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = d
	}
	capped := september(t, func(c *sla.Contract, e *sla.Evidence) {
		e.Observed.End = at(10, 0, 0)
		e.Outages = []sla.Outage{
			{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 8, 0)},
			{Ref: "I-2", Service: "api", Start: at(4, 0, 0), End: at(4, 8, 0), Cause: sla.CauseCustomer},
		}
	})
	capped.Locale, capped.Explained = tag, false
	all["unfinished"] = capped.Document()
	return all
}

// machine is what looks the same everywhere: targets such as "< 2h", instants of data,
// codes of findings, and texts of the caller's.
var machine = regexp.MustCompile(`^((<|>|&lt;|&gt;)=? [0-9]+[hd%]|[0-9-]+T[0-9:]+Z|credit\\?_gap|estimate|no\\?_data|Public &lt;API&gt;|(m1 )?alert at 80 %|C-9 new disks|amsterdam|blue|ops)$`)

// TestLanguages looks for what a document of another language says in the words of the
// English one. What both say alike has no letters, is a word that is the same in both
// languages, or is data.
func TestLanguages(t *testing.T) {
	data := []string{
		"Customer", "Public", "API", "c-1", "cust", "a.csv", "disk", "full", "alert", "New", "disks", "api", "SHA-256", "P1", "P2", "P3", "P4", "EUR", "UTC", "min", "h", "s", "d", "I-1", "I-2", "I-3", "O-3", "C-2", "MW-1",
		"2026-W36", "2026-W37", "GB", "TB", "PHP", "Ubuntu", "Redis", "nginx", "Kafka", "X-7", "disk-1", "pool", "queue", "index", "lake",
	}
	english := inLanguage(t, "en")
	catalogue := words(t)
	for _, tag := range []string{"de", "nl", "fr"} {
		w := catalogue.In(tag)
		var own []string
		for _, key := range catalogue.Keys() {
			own = append(own, w.Text(key))
		}
		for name, d := range inLanguage(t, tag) {
			if d.Locale != tag {
				t.Errorf("%s: lang %q, want %q", name, d.Locale, tag)
			}
			alike, here := said(t, english[name]), said(t, d)
			for _, text := range here {
				_, found := slices.BinarySearch(alike, text)
				letters := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '.' && !unicode.IsDigit(r) })
				letters = slices.DeleteFunc(letters, func(word string) bool {
					return !strings.ContainsFunc(word, unicode.IsLetter) || slices.Contains(data, word)
				})
				text = strings.TrimLeft(text, "✓✕–▲◷ ")
				if found && len(letters) > 0 && !machine.MatchString(text) && !slices.Contains(own, text) {
					t.Errorf("%s in %s says %q as the English one does", name, tag, text)
				}
			}
			for _, key := range catalogue.Keys() {
				english := catalogue.In("en").Text(key)
				if len(english) < 5 || !strings.Contains(english, " ") || strings.Contains(english, "{") || english == w.Text(key) {
					continue
				}
				if i := slices.IndexFunc(here, func(text string) bool { return strings.Contains(text, english) }); i >= 0 {
					t.Errorf("%s in %s says %q within %q", name, tag, english, here[i])
				}
			}
		}
	}
}

func TestDocumentOfAnotherLanguage(t *testing.T) {
	r := september(t, nil)
	r.Locale = "fr"
	var html strings.Builder
	if err := r.Document().HTML(&html); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="fr">`, "<h1>Rapport de service 2026-09</h1>", "Au <time", "d’après une source.", "<summary>Données en tableaux</summary>", "État\u00a0: aucun."} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
