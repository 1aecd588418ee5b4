package program

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
)

// Object writes a JSON object with the bytes of [Env.JSON], one part after the other, for
// [Env.Result]. Make one with [NewObject] and end it with Close. The first error ends all
// writing.
type Object struct {
	w     io.Writer
	begun bool
	err   error
}

// NewObject begins an object.
func NewObject(w io.Writer) *Object { return &Object{w: w} }

func (o *Object) write(parts ...[]byte) {
	for _, p := range parts {
		if o.err == nil {
			_, o.err = o.w.Write(p)
		}
	}
}

// next begins a key.
func (o *Object) next() {
	if o.begun {
		o.write([]byte(",\n"))
	} else {
		o.write([]byte("{\n"))
	}
	o.begun = true
}

// Fields writes the keys of a struct.
func (o *Object) Fields(v any) {
	text, err := Indented("", v)
	if err != nil {
		o.err = err
		return
	}
	if text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("{")), []byte("}")); len(text) > 0 {
		o.next()
		o.write(bytes.Trim(text, "\n"))
	}
}

// List writes a key with a list of elements that are indented by four blanks, as those of
// [Elements] are. An element is not looked at after the next one.
func (o *Object) List(key string, elements iter.Seq2[[]byte, error]) {
	o.next()
	o.write([]byte(`  "` + key + `": [`))
	some := false
	for element, err := range elements {
		if o.err == nil {
			o.err = err
		}
		if o.err != nil {
			return
		}
		if some {
			o.write([]byte(","))
		}
		some = true
		o.write([]byte("\n    "), element)
	}
	if some {
		o.write([]byte("\n  "))
	}
	o.write([]byte("]"))
}

// Close ends the object.
func (o *Object) Close() error {
	o.write([]byte("\n}\n"))
	return o.err
}

// Elements are those of a list for [Object.List].
func Elements[T any](list iter.Seq[T]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for x := range list {
			if !yield(Indented("    ", x)) {
				return
			}
		}
	}
}

// Indented is a value as a JSON result shows it.
func Indented(prefix string, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent(prefix, "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
