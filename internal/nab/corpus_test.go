package nab_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/nab"
)

const rows = `timestamp,value
2014-04-01 00:00:00,1.5
2014-04-01 00:05:00,-2
2014-04-01 00:05:00,3e2
2014-04-01 00:10:00,4
`

// put writes a file below a folder, gzipped if its name says so.
func put(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !strings.HasSuffix(name, ".gz") {
		_, err = file.WriteString(text)
	} else {
		w := gzip.NewWriter(file)
		if _, err = w.Write([]byte(text)); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadCorpus(t *testing.T) {
	const windows = `{"b/two.csv":[["2014-04-01 00:05:00.000000","2014-04-01 00:10:00.000000"]],"a/one.csv":[],"a/absent.csv":[]}`
	ours, theirs := t.TempDir(), t.TempDir()
	put(t, ours, "windows.json", windows)
	put(t, ours, "a/one.csv.gz", rows)
	put(t, ours, "b/two.csv", rows)
	put(t, theirs, "labels/combined_windows.json", windows)
	put(t, theirs, "data/a/one.csv", rows)
	put(t, theirs, "data/b/two.csv", rows)
	for _, folder := range []string{ours, theirs} {
		corpus, err := nab.ReadCorpus(folder)
		if err != nil || len(corpus) != 2 {
			t.Fatalf("ReadCorpus = %d files, %v, want two", len(corpus), err)
		}
		s := corpus[1]
		if corpus[0].Name != "a/one.csv" || s.Name != "b/two.csv" || len(corpus[0].Windows) != 0 {
			t.Errorf("files %q and %q, want a/one.csv without windows and b/two.csv", corpus[0].Name, s.Name)
		}
		// A window begins at the first row of its instant.
		if !slices.Equal(s.Windows, [][2]int{{1, 3}}) || !slices.Equal(s.Values, []float64{1.5, -2, 300, 4}) ||
			!s.At[3].Equal(time.Date(2014, 4, 1, 0, 10, 0, 0, time.UTC)) {
			t.Errorf("b/two.csv = %+v", s)
		}
	}
}

func TestReadCorpusRefuses(t *testing.T) {
	for name, c := range map[string]struct{ windows, rows string }{
		"no labels":        {"", rows},
		"labels of a kind": {"[]", rows},
		"no file":          {`{"absent.csv":[]}`, rows},
		"no such instant":  {`{"f.csv":[["2014-04-02 00:00:00.000000","2014-04-01 00:10:00.000000"]]}`, rows},
		"no instant":       {`{"f.csv":[["noon","2014-04-01 00:10:00.000000"]]}`, rows},
		"a bad timestamp":  {`{"f.csv":[]}`, "timestamp,value\nnoon,1\n"},
		"a bad value":      {`{"f.csv":[]}`, "timestamp,value\n2014-04-01 00:00:00,x\n"},
		"ragged rows":      {`{"f.csv":[]}`, "timestamp,value\n2014-04-01 00:00:00\n"},
		"an empty file":    {`{"f.csv":[]}`, ""},
	} {
		folder := t.TempDir()
		if c.windows != "" {
			put(t, folder, "windows.json", c.windows)
		}
		put(t, folder, "f.csv", c.rows)
		if corpus, err := nab.ReadCorpus(folder); err == nil {
			t.Errorf("%s: read as %+v", name, corpus)
		}
	}
}
