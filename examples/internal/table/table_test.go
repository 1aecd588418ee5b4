package table_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

func TestTable(t *testing.T) {
	text := "\ufefftime,service,good,p1,odd\n2026-10-01T00:00:00Z,api,3,0.5,x\n2026-10-01T02:00:00+02:00,web,4,NaN,\n"
	tab, unknown, err := table.Open("sli.csv", strings.NewReader(text), []string{"time", "service"}, []string{"good", "p1", "none"})
	if err != nil || len(unknown) != 1 || unknown[0] != "odd" {
		t.Fatalf("Open: %v, unknown %v, want odd", err, unknown)
	}
	tab.Next()
	if x, ok := tab.Number("p1"); tab.Text("service") != "api" || tab.Count("good") != 3 || !ok || x != 0.5 || tab.Text("none") != "" {
		t.Errorf("first row read wrong: %v", tab.Err())
	}
	first := tab.Time("time")
	tab.Next()
	if _, ok := tab.Number("p1"); ok || !tab.Time("time").Equal(first) {
		t.Errorf("second row: NaN is absent, and the times are equal")
	}
	if tab.Next() || tab.Err() != nil || tab.Rows() != 2 {
		t.Errorf("end: %d rows, %v", tab.Rows(), tab.Err())
	}
}

func TestTableReportsAll(t *testing.T) {
	text := "time,service,good,sev\n2026-10-01,,x,urgent\n\"a\nb,c\n2026-10-01T00:00:00Z,api\n"
	tab, _, err := table.Open("a.csv", strings.NewReader(text), []string{"time", "service", "good", "sev"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for tab.Next() {
		tab.RequiredTime("time")
		tab.Required("service")
		tab.Count("good")
		tab.Severity("sev")
	}
	got := tab.Err().Error()
	for _, want := range []string{
		`a.csv:2: time: found "2026-10-01", want a time with a zone`, `a.csv:2: service: the cell is empty`, `a.csv:2: good: found "x", want a whole number`,
		`a.csv:2: sev: parse severity "urgent"`, "a.csv:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("errors lack %q:\n%s", want, got)
		}
	}
	if _, _, err := table.Open("b.csv", strings.NewReader("a,a\n"), []string{"c"}, nil); err == nil || !strings.Contains(err.Error(), "b.csv:1: c: the column is missing") || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("bad header: %v", err)
	}
	if _, _, err := table.Open("c.csv", strings.NewReader(""), nil, nil); err == nil {
		t.Error("empty file: want an error")
	}
}
