package table_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// A row that cannot be read is reported with its line, and the rows after it are
// read all the same.
func TestRowsAfterAWrongOne(t *testing.T) {
	text := "time,note\n2026-10-01T00:00:00Z,\"two\nlines\"\nshort\na,b,c\n2026-10-02T00:00:00Z,5\" disk\n2026-10-02T00:00:00Z,last\n"
	tab, _, err := table.Open("a.csv", strings.NewReader(text), []string{"time"}, []string{"note"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	var notes []string
	for tab.Next() {
		lines, notes = append(lines, tab.Line()), append(notes, tab.Text("note"))
	}
	if len(lines) != 2 || lines[0] != 2 || lines[1] != 7 || notes[0] != "two\nlines" || notes[1] != "last" {
		t.Errorf("rows at %v with %q, want those of the lines 2 and 7", lines, notes)
	}
	if err := tab.Err(); err == nil || !strings.HasPrefix(err.Error(), "a.csv:4: ") || !strings.Contains(err.Error(), "\na.csv:5: ") || !strings.Contains(err.Error(), "\na.csv:6: ") {
		t.Errorf("problems %v, want one each of the lines 4, 5 and 6", tab.Err())
	}
}

// A byte order mark may stand before a header in quotes, too.
func TestQuotedHeaderAfterByteOrderMark(t *testing.T) {
	tab, unknown, err := table.Open("a.csv", strings.NewReader("\ufeff\"n\",x\n1,2\n"), []string{"n", "x"}, nil)
	if err != nil || len(unknown) > 0 {
		t.Fatalf("Open: %v, unknown %q", err, unknown)
	}
	if !tab.Next() || tab.Count("n") != 1 || tab.Err() != nil {
		t.Errorf("the row is not read: %v", tab.Err())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no disk") }

// What goes wrong below is reported with the file, and ends it.
func TestReaderThatFails(t *testing.T) {
	if _, _, err := table.Open("a.csv", broken{}, nil, nil); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("Open: %v, want the cause", err)
	}
	tab, _, err := table.Open("a.csv", io.MultiReader(strings.NewReader("n\n1\n2\n"), broken{}), []string{"n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for tab.Next() {
	}
	if err := tab.Err(); err == nil || !strings.Contains(err.Error(), "a.csv: no disk") || tab.Rows() != 2 {
		t.Errorf("%d rows, %v, want 2 and the cause", tab.Rows(), err)
	}
}

func TestCells(t *testing.T) {
	const header = "time,n,x,sev,kind\n"
	for _, c := range []struct {
		row  string
		want string // "" for none, else a part of the only problem
	}{
		{"2026-10-01T00:00:00Z,0,0,p1,down", ""},
		{"2026-10-01T00:00:00+05:45,18446744073709551615,-1e308,P4,up", ""},
		{"2026-10-01T00:00:00.123456789Z,1,,critical,up", ""},
		{"2026-10-01T00:00:00Z,1,nan,,up", ""},
		{"2026-10-01 00:00:00Z,1,1,p1,up", `a.csv:2: time: found "2026-10-01 00:00:00Z"`},
		{"2026-02-30T00:00:00Z,1,1,p1,up", "a.csv:2: time: "},
		{"2026-10-01T24:00:00Z,1,1,p1,up", "a.csv:2: time: "},
		{"2026-10-01T00:00:00Z,,1,p1,up", "a.csv:2: n: "},
		{"2026-10-01T00:00:00Z,1.0,1,p1,up", `a.csv:2: n: found "1.0"`},
		{"2026-10-01T00:00:00Z,18446744073709551616,1,p1,up", "a.csv:2: n: "},
		{"2026-10-01T00:00:00Z,1_000,1,p1,up", "a.csv:2: n: "},
		{"2026-10-01T00:00:00Z,1,1e309,p1,up", `a.csv:2: x: found "1e309"`},
		{"2026-10-01T00:00:00Z,1,-inf,p1,up", `a.csv:2: x: found "-inf"`},
		{"2026-10-01T00:00:00Z,1,1 ms,p1,up", `a.csv:2: x: found "1 ms"`},
		{"2026-10-01T00:00:00Z,1,1,p5,up", "a.csv:2: sev: "},
		{"2026-10-01T00:00:00Z,1,1,p1,Up", `a.csv:2: kind: found "Up", want one of up, down`},
		{"2026-10-01T00:00:00Z,1,1,p1,", `a.csv:2: kind: found ""`},
	} {
		tab, _, err := table.Open("a.csv", strings.NewReader(header+c.row+"\n"), []string{"time", "n", "x", "sev", "kind"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for tab.Next() {
			if at := tab.Time("time"); at.Location() != time.UTC {
				t.Errorf("%s: time %v, want it in UTC", c.row, at)
			}
			tab.Count("n")
			tab.Number("x")
			tab.Severity("sev")
			tab.Word("kind", "up", "down")
		}
		err = tab.Err()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, want %q", c.row, err, c.want)
		}
	}
}

// Whatever stands in a file, it is read to its end, and every problem names the
// file and a line.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"", "time,n\n", "\ufefftime,n\n2026-10-01T00:00:00Z,1\n", "time,n\r\n2026-10-01T00:00:00Z,1\r\n", "time,n\nx\n\"\n", "time,time\n", "n\n\n\n1\n",
		"time,n\n\"a\"b,1\n2026-10-01T00:00:00Z,2\n", "time,n\n\x00,\xff\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tab, unknown, err := table.Open("a.csv", strings.NewReader(text), []string{"time", "n"}, []string{"x"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "a.csv:1: ") {
				t.Errorf("error %v, want the file and line 1", err)
			}
			return
		}
		for _, column := range unknown {
			if column == "time" || column == "n" || column == "x" {
				t.Errorf("column %q is unknown", column)
			}
		}
		rows := 0
		for tab.Next() {
			rows++
			tab.Time("time")
			tab.Count("n")
			tab.Number("x")
			if tab.Line() < 2 || tab.Line() > 1+strings.Count(text, "\n") {
				t.Errorf("row %d is at line %d of %q", rows, tab.Line(), text)
			}
		}
		if rows != tab.Rows() {
			t.Errorf("%d rows, want %d", tab.Rows(), rows)
		}
		if err := tab.Err(); err != nil && !strings.HasPrefix(err.Error(), "a.csv:") {
			t.Errorf("error %v, want the file", err)
		}
	})
}
