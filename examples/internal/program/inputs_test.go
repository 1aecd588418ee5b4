package program

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

var embedded = fstest.MapFS{"testdata/sample/a.yaml": {Data: []byte("name: embedded\n")}}

func TestInputs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte("name: own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sample     bool
		name, want string
	}{{true, "a.yaml", "name: embedded\n"}, {false, file, "name: own\n"}} {
		in := NewInputs(embedded, c.sample)
		shown, data, err := in.Read("config", c.name)
		if err != nil || shown != c.name || string(data) != c.want {
			t.Errorf("Read(%s) = %q, %q, %v, want %q", c.name, shown, data, err, c.want)
		}
		if len(in.Sources) != 1 || in.Sources[0].Name != "a.yaml" || in.Sources[0].Rows != nil || in.Notices == nil {
			t.Errorf("inputs = %+v", in)
		}
		r, err := in.Open(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || string(data) != c.want {
			t.Errorf("Open(%s) reads %q, %v", c.name, data, err)
		}
		r.Close()
	}
	for _, sample := range []bool{true, false} {
		in := NewInputs(embedded, sample)
		if _, _, err := in.Read("config", "b.yaml"); err == nil || len(in.Sources) != 0 {
			t.Errorf("Read of no file = %v, sources %+v", err, in.Sources)
		}
	}
}

func TestInputsNow(t *testing.T) {
	real, ofSample := time.Unix(2, 0), time.Unix(1, 0)
	for _, c := range []struct {
		sample, stated bool
		want           time.Time
	}{{false, false, real}, {false, true, real}, {true, false, ofSample}, {true, true, real}} {
		in := NewInputs(embedded, c.sample)
		if got := in.Now(&Env{Now: real, Stated: c.stated}, ofSample); !got.Equal(c.want) {
			t.Errorf("sample %v, stated %v: Now = %v, want %v", c.sample, c.stated, got, c.want)
		}
	}
}

func TestInputsNote(t *testing.T) {
	var file struct {
		Name string `yaml:"name"`
	}
	document, err := config.Parse("a.yaml", []byte("name: own\n"), &file)
	if err != nil {
		t.Fatal(err)
	}
	document.Warn("name", "odd_name", "an odd name")
	document.Warn("", "odd_file", "an odd file")
	in := NewInputs(embedded, true)
	in.Note(document)
	if len(in.Notices) != 2 {
		t.Fatalf("notices = %+v", in.Notices)
	}
	for _, n := range in.Notices {
		if n.Code == "odd_name" && (n.Ref == nil || *n.Ref != "name") || n.Code == "odd_file" && n.Ref != nil || n.Message == "" {
			t.Errorf("notice = %+v, ref %v", n, n.Ref)
		}
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadAllHasALimit(t *testing.T) {
	var large *SizeError
	if _, err := ReadAll("team.yaml", zeros{}); !errors.As(err, &large) || err.Error() != "team.yaml: want at most 16777216 bytes" {
		t.Errorf("a file without an end: %v", err)
	}
	if data, err := ReadAll("team.yaml", io.LimitReader(zeros{}, MaxFile)); err != nil || len(data) != MaxFile {
		t.Errorf("a file of just that size: %d bytes, %v", len(data), err)
	}
	var packed *table.FormatError
	if _, err := ReadAll("team.yaml", strings.NewReader("\x1f\x8b\x08")); !errors.As(err, &packed) {
		t.Errorf("a file that is packed: %v", err)
	}
}
