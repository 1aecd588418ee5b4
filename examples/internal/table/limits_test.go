package table_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// endless repeats a text and never ends: what reads all of it does not come back.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.at]
		e.at = (e.at + 1) % len(e.text)
	}
	return len(p), nil
}

// A row that does not end is an error with its line, whatever is behind it.
func TestEndlessRows(t *testing.T) {
	for _, c := range []struct{ name, start, rest, want string }{
		{"a.csv", "id,n\n1,2\n\"3,", "x\n", "a.csv:3: want rows of at most 1048576 bytes"},
		{"a.csv", "id,n\n1,2\n", "x", "a.csv:3: want rows of at most 1048576 bytes"},
		{"a.jsonl", "{\"id\": 1}\n{\"id\": \"", "x", "a.jsonl:2: want lines of at most 1048576 bytes"},
	} {
		tab, _, err := table.Open(c.name, io.MultiReader(strings.NewReader(c.start), &endless{text: c.rest}), []string{"id"}, []string{"n"})
		if err != nil {
			t.Fatal(err)
		}
		for tab.Next() {
		}
		if err := tab.Err(); tab.Rows() != 1 || err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %d rows, %v, want 1 and %s", c.start, tab.Rows(), err, c.want)
		}
	}
	if _, _, err := table.Open("a.csv", &endless{text: "id,"}, []string{"id"}, nil); !errors.As(err, new(*table.RowError)) {
		t.Errorf("a header without an end: %v", err)
	}
}

// Rows that are long and many rows are no error: the limit is for each.
func TestManyLongRows(t *testing.T) {
	text := "id,n\n" + strings.Repeat(strings.Repeat("x", 1<<19)+",1\n", 8)
	tab, _, err := table.Open("a.csv", strings.NewReader(text), []string{"id"}, []string{"n"})
	if err != nil {
		t.Fatal(err)
	}
	for tab.Next() {
	}
	if tab.Err() != nil || tab.Rows() != 8 {
		t.Errorf("%d rows, %v, want 8", tab.Rows(), tab.Err())
	}
}

// A file that is packed is refused by its first bytes and never unpacked: this one would
// be four megabytes.
func TestPackedFiles(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, &endless{text: "\x00"}, 1<<22); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for format, data := range map[string]string{"gzip": bomb.String(), "zip": "PK\x03\x04\x14", "zstd": "\x28\xb5\x2f\xfd\x04"} {
		for _, name := range []string{"a.csv", "a.jsonl", "a.json"} {
			_, _, err := table.Open(name, strings.NewReader(data), []string{"id"}, nil)
			var wrong *table.FormatError
			if !errors.As(err, &wrong) || wrong.Format != format || wrong.Name != name {
				t.Errorf("%s as %s: %v", format, name, err)
			}
		}
	}
}

// A file with a problem in every line has a thousand told, and how many more there are.
func TestManyProblems(t *testing.T) {
	tab, _, err := table.Open("a.csv", strings.NewReader("id\n"+strings.Repeat("x\n", 5000)), []string{"id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for tab.Next() {
		tab.Count("id")
	}
	lines := strings.Split(tab.Err().Error(), "\n")
	if n := len(lines); n != 1001 || !strings.HasPrefix(lines[999], "a.csv:1001: ") || lines[1000] != "a.csv: 4000 further problems" {
		t.Errorf("%d lines, the last of which is %q", n, lines[n-1])
	}
}

// An object has at most a thousand keys, and a table of any columns as many of them.
func TestManyKeys(t *testing.T) {
	object := func(from, n int) string {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprintf(`"k%d":1`, from+i))
		}
		return "{" + strings.Join(keys, ",") + "}\n"
	}
	for _, c := range []struct {
		text     string
		optional []string
		rows     int
		want     string
	}{
		{object(0, 1000) + object(1000, 1000), nil, 2, ""},
		{object(0, 1001), nil, 0, "a.jsonl:1: want objects of at most 1000 keys"},
		{object(0, 999) + object(999, 2), []string{table.Any}, 1, "a.jsonl:2: k1000: want at most 1000 columns"},
	} {
		tab, _, err := table.Open("a.jsonl", strings.NewReader(c.text), nil, c.optional)
		if err != nil {
			t.Fatal(err)
		}
		for tab.Next() {
		}
		got := ""
		if err := tab.Err(); err != nil {
			got = err.Error()
		}
		if tab.Rows() != c.rows || got != c.want || len(tab.Unknown()) > 100 {
			t.Errorf("%d rows, %q, %d unknown keys, want %d, %q and at most 100", tab.Rows(), got, len(tab.Unknown()), c.rows, c.want)
		}
	}
}
