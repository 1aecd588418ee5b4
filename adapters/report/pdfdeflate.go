package report

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// packers are compressors that are used again: one takes more than a megabyte, and fpdf
// would make one for each page, which was two thirds of all memory that a site of many
// reports asks for.
var packers = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	return w
}}

// deflate writes a PDF as fpdf makes it without compression, with what is not compressed
// in it compressed: the bytes that fpdf makes with compression. Streams, which may hold
// any bytes, are passed over by their length.
func deflate(w io.Writer, raw []byte) error {
	var out bytes.Buffer
	out.Grow(len(raw)/2 + 1024)
	packer, _ := packers.Get().(*zlib.Writer)
	defer packers.Put(packer)
	type shift struct{ from, by int } // of everything from there on
	var shifts []shift
	moved := func(at int) int {
		by := 0
		for _, s := range shifts {
			if s.from > at {
				break
			}
			by = s.by
		}
		return at + by
	}
	begin, end, head := []byte("\nstream\n"), []byte("\nendstream\n"), []byte("<</Length ")
	rest := 0
	var packed bytes.Buffer
	for {
		at := bytes.Index(raw[rest:], begin)
		if at < 0 {
			break
		}
		at += rest
		line := raw[rest:at] // what is said of the stream
		if k := bytes.LastIndex(line, []byte(" obj\n")); k >= 0 {
			line = line[k+len(" obj\n"):]
		}
		_, digits, _ := bytes.Cut(line, []byte("/Length "))
		n, err := strconv.Atoi(string(digits[:max(0, bytes.IndexAny(digits, " />\n"))]))
		data := at + len(begin)
		if err != nil || n < 0 || data+n > len(raw) || !bytes.HasPrefix(raw[data+n:], end) {
			return fmt.Errorf("report: pdf: a stream of another length at %d", at)
		}
		if !bytes.HasPrefix(line, head) || !bytes.HasSuffix(line, []byte(strconv.Itoa(n)+">>")) { // compressed, as fonts are
			out.Write(raw[rest : data+n])
			rest = data + n
			continue
		}
		packed.Reset()
		packer.Reset(&packed)
		if _, err := packer.Write(raw[data : data+n]); err != nil {
			return err
		}
		if err := packer.Close(); err != nil {
			return err
		}
		out.Write(raw[rest : at-len(line)])
		fmt.Fprintf(&out, "<</Filter /FlateDecode /Length %d>>\nstream\n", packed.Len())
		out.Write(packed.Bytes())
		rest = data + n
		shifts = append(shifts, shift{rest, out.Len() - rest})
	}
	table := bytes.Index(raw[rest:], []byte("\nxref\n"))
	if table < 0 {
		return errors.New("report: pdf: no table of objects")
	}
	table += rest + 1
	out.Write(raw[rest:table])
	for line := range bytes.Lines(raw[table:]) {
		text := string(line)
		switch {
		case len(text) == 20 && text[10:] == " 00000 n \n": // an object, by its place
			at, err := strconv.Atoi(text[:10])
			if err != nil {
				return fmt.Errorf("report: pdf: an object at %q", text[:10])
			}
			fmt.Fprintf(&out, "%010d%s", moved(at), text[10:])
		case text == strconv.Itoa(table)+"\n": // the place of the table, after startxref
			fmt.Fprintln(&out, moved(table))
		default:
			out.WriteString(text)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
