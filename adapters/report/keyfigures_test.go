package report_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func keyFigures(t *testing.T, figures []incident.KeyFigure) (rows [][]string, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := report.KeyFigures(figures).CSV(&out, report.CSVOptions{}); err != nil {
		t.Fatal(err)
	}
	text = out.String()
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows, text
}

func TestKeyFigures(t *testing.T) {
	limit := func(text string) incident.Target {
		l, err := incident.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for name, tt := range map[string]struct {
		figure incident.KeyFigure
		want   []string
	}{
		"whole": {
			incident.KeyFigure{KPI: incident.KPIMTTRP1, Definition: "detected to resolved, mean", Value: big.NewRat(7200, 1), Unit: incident.UnitSeconds, N: 2, Target: limit("< 2 hours"), Verdict: incident.Missed},
			[]string{"mttr_p1", "7200", "", "s", "< 2h", "no", "2", "detected to resolved, mean"},
		},
		"without end, up": {
			incident.KeyFigure{KPI: incident.KPIFirstContact, Definition: "of 3", Value: big.NewRat(200, 3), Unit: incident.UnitPercent, N: 3, Target: limit("> 60%"), Verdict: incident.Met},
			[]string{"first_contact_resolution", "66.666667", "", "percent", "> 60%", "yes", "3", "of 3"},
		},
		"half of a millionth": {
			incident.KeyFigure{KPI: "x", Value: big.NewRat(5, 10_000_000), Unit: incident.UnitScore, N: 1},
			[]string{"x", "0.000001", "", "score", "", "", "1", ""},
		},
		"money": {
			incident.KeyFigure{KPI: incident.KPITicketCost, Definition: "mean", Value: big.NewRat(3001, 200), Unit: incident.UnitMoney, Currency: "EUR", N: 2},
			[]string{"cost_per_ticket", "15.005", "", "EUR", "", "", "2", "mean"},
		},
		"no data": {
			incident.KeyFigure{KPI: incident.KPIBackup, Definition: "proven", Unit: incident.UnitPercent, Target: limit("> 99%")},
			[]string{"backup_success_rate", "", "", "percent", "> 99%", "", "0", "proven"},
		},
		"zero": {
			incident.KeyFigure{KPI: incident.KPINotice, Definition: "shortest", Value: new(big.Rat), Unit: incident.UnitSeconds, N: 4, Target: limit("72 hours minimum"), Verdict: incident.Missed},
			[]string{"maintenance_notice", "0", "", "s", ">= 3d", "no", "4", "shortest"},
		},
		"bound": {
			incident.KeyFigure{KPI: incident.KPIMTBF, Definition: "time up by failure", AtLeast: big.NewRat(2678400, 1), Unit: incident.UnitSeconds},
			[]string{"mtbf", "", "2678400", "s", "", "", "0", "time up by failure"},
		},
		"formulas": {
			incident.KeyFigure{KPI: "@SUM(1)", Definition: "=HYPERLINK(\"http://x\"),\n+1", Value: big.NewRat(-1, 2), Unit: "-2+3", N: 1},
			[]string{"'@SUM(1)", "-0.5", "", "'-2+3", "", "", "1", "'=HYPERLINK(\"http://x\"),\n+1"},
		},
	} {
		rows, text := keyFigures(t, []incident.KeyFigure{tt.figure})
		header := []string{"figure", "value", "at_least", "unit", "target", "met", "count", "definition"}
		if len(rows) != 2 || !slices.Equal(rows[0], header) || !slices.Equal(rows[1], tt.want) {
			t.Errorf("%s: %q, want the header and %q", name, rows, tt.want)
		}
		if _, again := keyFigures(t, []incident.KeyFigure{tt.figure}); again != text {
			t.Errorf("%s: %q and then %q", name, text, again)
		}
	}
}

// TestKeyFiguresOfNothing: all figures of a scorecard are there, and none is a number.
func TestKeyFiguresOfNothing(t *testing.T) {
	figures, err := incident.Scorecard(incident.Basis{}, incident.ScorecardOptions{Targets: incident.DefaultKPITargets()})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := keyFigures(t, figures)
	if len(rows) != 1+len(figures) || len(figures) == 0 {
		t.Fatalf("%d rows of %d figures, want one more", len(rows), len(figures))
	}
	for i, row := range rows[1:] {
		if row[0] != string(figures[i].KPI) || row[1] != "" || row[2] != "" || row[5] != "" || row[6] != "0" {
			t.Errorf("row %q, want %s without a number", row, figures[i].KPI)
		}
	}
}

// The key figures of a day as CSV.
func ExampleKeyFigures() {
	day := calendar.Interval{Start: time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC)}
	figures, err := incident.Scorecard(
		incident.Basis{Services: []string{"checkout"}, Backups: incident.Share{Hits: 199, Of: 200}},
		incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: day, At: day.End}, Targets: incident.DefaultKPITargets()})
	if err != nil {
		fmt.Println(err)
		return
	}
	figures = slices.DeleteFunc(figures, func(k incident.KeyFigure) bool { return k.Value == nil && k.AtLeast == nil })
	if err := report.KeyFigures(figures).CSV(os.Stdout, report.CSVOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// figure,value,at_least,unit,target,met,count,definition
	// mtbf,,86400,s,,,0,time up of all services by failure
	// uptime,100,,percent,,,1,time up of all services together
	// backup_success_rate,99.5,,percent,> 99%,yes,200,restores proven of those tried
}
