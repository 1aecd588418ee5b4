package table_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// Rows as objects give the cells that the same rows give as CSV.
func TestObjects(t *testing.T) {
	for name, text := range map[string]string{
		"a.jsonl": "\ufeff{\"id\": \"INC-1\", \"n\": 3, \"flag\": true, \"odd\": 1}\n\n{\"flag\": null, \"id\": \"INC-2\", \"odd\": 2, \"last\": 0.50}\r\n",
		"a.JSON":  "[{\"id\": \"INC-1\", \"n\": 3, \"flag\": true, \"odd\": 1},\n\n  {\"flag\": null,\n  \"id\": \"INC-2\", \"odd\": 2, \"last\": 0.50}\n]\n",
	} {
		t.Run(name, func(t *testing.T) {
			tab, unknown, err := table.Open(name, strings.NewReader(text), []string{"id"}, []string{"n", "flag", "last"})
			if err != nil || len(unknown) > 0 {
				t.Fatalf("Open: %v, unknown %q", err, unknown)
			}
			var rows []string
			for tab.Next() {
				rows = append(rows, fmt.Sprintf("%d: %s|%s|%s|%s", tab.Line(), tab.Text("id"), tab.Text("n"), tab.Text("flag"), tab.Text("last")))
			}
			if want := []string{"1: INC-1|3|true|", "3: INC-2|||0.50"}; !slices.Equal(rows, want) || tab.Err() != nil || tab.Rows() != 2 {
				t.Errorf("rows %q, %v, want %q", rows, tab.Err(), want)
			}
			if got := tab.Unknown(); !slices.Equal(got, []table.Key{{Name: "odd", Line: 1}}) {
				t.Errorf("unknown %v", got)
			}
		})
	}
}

// A line that cannot be read is told, and the lines after it are read.
func TestObjectsReportAll(t *testing.T) {
	text := `{"id": "1"}
[]
{"id": "2", "id": "3"}
{"id": {"a": 1}}
{"id": "4"
{"id": "5"} {"id": "6"}
{"id": ""}
{"id": "7"}`
	tab, _, err := table.Open("a.jsonl", strings.NewReader(text), []string{"id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for tab.Next() {
		read = append(read, tab.Required("id"))
	}
	if want := []string{"1", "", "7"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	for _, want := range []string{
		`a.jsonl:2: want an object`, `a.jsonl:3: id: the key stands twice`, `a.jsonl:4: id: want a text, a number, true, false or null`, `a.jsonl:5: `,
		`a.jsonl:6: want one object a line`, `a.jsonl:7: id: the cell is empty`,
	} {
		if !strings.Contains(tab.Err().Error(), want) {
			t.Errorf("problems lack %q:\n%v", want, tab.Err())
		}
	}
}

// What is no array, or broken in between, ends the file with one problem.
func TestArraysThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "a.json:1: want an array of objects",
		`{"id": "1"}`:                "a.json:1: want an array of objects",
		"[{\"id\": \"1\"},\n{\"id\"": "a.json:2: unexpected EOF",
		"[{\"id\": \"1\"}\n":         "a.json:2: want an array of objects",
		"[]\n[]":                     "a.json:2: want nothing after the array",
		"[\n7]":                      "a.json:2: want an object",
		"[\n{\"id\": tru}]":          "a.json:2: invalid character",
	} {
		tab, _, err := table.Open("a.json", strings.NewReader(text), []string{"id"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for tab.Next() {
		}
		if err := tab.Err(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: problems %v, want %q", text, err, want)
		}
	}
}

func TestObjectsOfAReaderThatFails(t *testing.T) {
	for _, name := range []string{"a.jsonl", "a.json"} {
		tab, _, err := table.Open(name, io.MultiReader(strings.NewReader("[{\"id\": 1},\n"), broken{}), []string{"id"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for tab.Next() {
		}
		if err := tab.Err(); err == nil || !strings.Contains(err.Error(), "no disk") {
			t.Errorf("%s: problems %v, want the cause", name, err)
		}
	}
	tab, _, err := table.Open("a.jsonl", strings.NewReader(`{"id": "`+strings.Repeat("x", 2<<20)+`"}`), []string{"id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tab.Next() || tab.Err() == nil || !strings.Contains(tab.Err().Error(), "a.jsonl:1: want lines of at most") {
		t.Errorf("a line of two megabytes: %v", tab.Err())
	}
	endless := io.MultiReader(strings.NewReader("[{\"id\": \"a\"},\n{\"id\": \""), io.LimitReader(letters{}, 64<<20))
	tab, _, err = table.Open("a.json", endless, []string{"id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var row *table.RowError
	if !tab.Next() || tab.Next() || !errors.As(tab.Err(), &row) || !strings.HasPrefix(tab.Err().Error(), "a.json:2: ") {
		t.Errorf("an object that does not end: %v", tab.Err())
	}
	if n, _ := io.Copy(io.Discard, endless); n < 60<<20 {
		t.Errorf("%d MiB of it are left, want nearly all", n>>20)
	}
	for size, want := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		for _, before := range []string{"[", "[{}, "} {
			text := before + `{"id":"` + strings.Repeat("x", size-len(`{"id":""}`)) + `"}]`
			if tab, _, err = table.Open("a.json", strings.NewReader(text), []string{"id"}, nil); err != nil {
				t.Fatal(err)
			}
			for tab.Next() {
			}
			if got := tab.Err() == nil; got != want {
				t.Errorf("an object of %d bytes after %q: %v", size, before, tab.Err())
			}
		}
	}
}

// letters never end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func FuzzObjects(f *testing.F) {
	f.Add("a.jsonl", "{\"time\":\"2026-10-01T00:00:00Z\",\"n\":1.5,\"x\":null}\n{}\n")
	f.Add("a.json", "[{\"time\":\"2026-10-01T00:00:00Z\"},\n{\"odd\":[]}]")
	f.Fuzz(func(t *testing.T, name, text string) {
		if name != "a.json" {
			name = "a.jsonl"
		}
		tab, _, err := table.Open(name, strings.NewReader(text), []string{"time"}, []string{"n", "x"})
		if err != nil {
			t.Fatal(err)
		}
		line := 0
		for tab.Next() {
			if tab.Line() < line || tab.Line() > strings.Count(text, "\n")+1 {
				t.Fatalf("line %d after %d", tab.Line(), line)
			}
			line = tab.Line()
			tab.Time("time")
			tab.Number("n")
		}
	})
}
