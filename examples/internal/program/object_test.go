package program

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An object that is written in parts has the bytes of one that is written as a whole.
func TestObject(t *testing.T) {
	type head struct {
		A string   `json:"a"`
		B []string `json:"b"`
	}
	type item struct {
		N int  `json:"n"`
		M *int `json:"m"`
	}
	type tail struct {
		C item `json:"c"`
		D *int `json:"d,omitempty"`
	}
	for _, list := range [][]item{{}, {{N: 1}}, {{N: 1}, {N: 2}}} {
		whole := struct {
			head
			List []item `json:"list"`
			tail
		}{head{"<&>", []string{"x"}}, list, tail{C: item{N: 3}}}
		env := Env{Out: &bytes.Buffer{}}
		if err := env.JSON(whole); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		o := NewObject(&b)
		o.Fields(whole.head)
		o.Fields(struct{}{})
		o.List("list", Elements(slices.Values(list)))
		o.Fields(whole.tail)
		if err := o.Close(); err != nil || b.String() != env.Out.String() {
			t.Errorf("%v\n%s\nwant\n%s", err, &b, env.Out)
		}
	}
	bad := errors.New("bad")
	o := NewObject(io.Discard)
	o.List("list", iter.Seq2[[]byte, error](func(yield func([]byte, error) bool) { yield(nil, bad) }))
	o.Fields(head{})
	if err := o.Close(); !errors.Is(err, bad) {
		t.Errorf("Close = %v, want the error of the list", err)
	}
}

// A result that is written as it is made takes the place of what was held, and one that
// cannot be written leaves no file behind.
func TestResultIsWritten(t *testing.T) {
	var fails error
	p := Program{Name: "p", Formats: []string{"text"}, Run: func(env *Env) error {
		env.Out.WriteString("held")
		env.Result = func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("written ", 1<<15))
			return errors.Join(err, fails)
		}
		return nil
	}}
	want := strings.Repeat("written ", 1<<15)
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr bytes.Buffer
	if code := p.run(nil, &stdout, &stderr); code != OK || stdout.String() != want {
		t.Errorf("exit %d, %d bytes, %s", code, stdout.Len(), &stderr)
	}
	fails = errors.New("no more")
	if code := p.run([]string{"-o", out}, io.Discard, &stderr); code == OK || !strings.Contains(stderr.String(), "no more") {
		t.Errorf("exit %d, %s", code, &stderr)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	fails = nil
	if code := p.run([]string{"-o", out}, io.Discard, &stderr); code != OK {
		t.Errorf("exit %d, %s", code, &stderr)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != want {
		t.Errorf("%d bytes in the file, %v", len(text), err)
	}
}
