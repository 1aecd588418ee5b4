package prometheus

import (
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

const (
	bufferSize = 64 << 10
	lookAhead  = 96      // bytes that hold any plain point
	maxText    = 1 << 20 // the longest single text
	maxDepth   = 64      // of values that are skipped
)

// envelope is what surrounds the data of an answer.
type envelope struct {
	status, errorType, message string
	warnings, infos            []string
}

// sink takes the data of an answer as it arrives. Any part may be nil. A sample
// goes to reading as its text, which is valid during the call only, or else to
// point as a number.
type sink struct {
	kind    func(ResultType) error
	open    func(Labels) error // a series begins
	reading func(milli int64, text []byte) error
	point   func(milli int64, value float64) error
	hist    func(Histogram) error
	text    func(string) // of a string
}

// answer reads a whole body.
func (d *decoder) answer(s sink) (envelope, error) {
	var e envelope
	seen := map[string]bool{}
	err := d.object(func(key string) error {
		if seen[key] {
			return d.fail("every key once, not " + strconv.Quote(key) + " again")
		}
		seen[key] = true
		var err error
		switch key {
		case "status":
			e.status, err = d.string()
		case "errorType":
			e.errorType, err = d.string()
		case "error":
			e.message, err = d.string()
		case "warnings":
			e.warnings, err = d.strings()
		case "infos":
			e.infos, err = d.strings()
		case "data":
			err = d.data(s)
		default:
			err = d.skip(0)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if d.next() != 0 || d.pos < d.end {
		return e, d.fail("the end of the body")
	}
	if !errors.Is(d.err, io.EOF) {
		return e, d.err
	}
	if e.status != "success" && e.status != "error" {
		return e, d.fail(`the status "success" or "error"`)
	}
	if e.status == "success" && !seen["data"] {
		return e, d.fail("data")
	}
	return e, nil
}

// data needs the type before the result, as the API writes them.
func (d *decoder) data(s sink) error {
	if d.next() == 'n' {
		return d.skip(0) // beside an error
	}
	var kind ResultType
	done := false
	err := d.object(func(key string) error {
		switch key {
		case "resultType":
			text, err := d.string()
			if err != nil {
				return err
			}
			kind = ResultType(text)
			if s.kind != nil {
				return s.kind(kind)
			}
			return nil
		case "result":
			if done {
				return d.fail("one result")
			}
			done = true
			return d.result(kind, s)
		}
		return d.skip(0)
	})
	if err == nil && !done {
		return d.fail("a result")
	}
	return err
}

func (d *decoder) result(kind ResultType, s sink) error {
	switch kind {
	case Vector, Matrix:
		return d.array(func() error { return d.series(s) })
	case Scalar:
		if s.open != nil {
			if err := s.open(nil); err != nil {
				return err
			}
		}
		return d.sample(s)
	case String:
		if err := d.take('['); err != nil {
			return err
		}
		if _, err := d.milli(); err != nil {
			return err
		}
		if err := d.take(','); err != nil {
			return err
		}
		text, err := d.string()
		if err != nil {
			return err
		}
		if s.text != nil {
			s.text(text)
		}
		return d.take(']')
	}
	return d.fail("a result type before the result: vector, matrix, scalar or string, not " + strconv.Quote(string(kind)))
}

func (d *decoder) series(s sink) error {
	named := false
	err := d.object(func(key string) error {
		if key == "metric" {
			if named {
				return d.fail("one metric")
			}
			named = true
			labels, err := d.labels()
			if err == nil && s.open != nil {
				err = s.open(labels)
			}
			return err
		}
		if !named {
			return d.fail("the metric before its values")
		}
		switch key {
		case "value":
			return d.sample(s)
		case "values":
			return d.samples(s)
		case "histogram":
			return d.histogram(s)
		case "histograms":
			return d.array(func() error { return d.histogram(s) })
		}
		return d.skip(0)
	})
	if err == nil && !named {
		return d.fail("a metric")
	}
	return err
}

func (d *decoder) labels() (Labels, error) {
	labels := Labels{}
	err := d.object(func(name string) error {
		if _, twice := labels[name]; twice {
			return d.fail("every label once, not " + strconv.Quote(name) + " again")
		}
		value, err := d.string()
		labels[name] = value
		return err
	})
	return labels, err
}

// samples reads the points of a series. Most have one form, which is read in
// place; the others go the long way.
func (d *decoder) samples(s sink) error {
	if err := d.take('['); err != nil {
		return err
	}
	if d.next() == ']' {
		d.pos++
		return nil
	}
	for {
		if d.end-d.pos < lookAhead {
			d.fill(lookAhead)
		}
		milli, text, n := plainSample(d.buf[d.pos:d.end])
		if n > 0 {
			d.pos += n
			if err := d.deliver(s, milli, text); err != nil {
				return err
			}
		} else if err := d.sample(s); err != nil {
			return err
		}
		var c byte
		if d.pos < d.end {
			c = d.buf[d.pos]
		}
		if c != ',' && c != ']' {
			c = d.next()
		}
		switch c {
		case ',':
			d.pos++
		case ']':
			d.pos++
			return nil
		default:
			return d.fail(`"," or "]"`)
		}
	}
}

// deliver passes a sample on, whose value is checked there or here.
func (d *decoder) deliver(s sink, milli int64, text []byte) error {
	if s.reading != nil {
		return s.reading(milli, text)
	}
	v, ok := plainFloat(text)
	if !ok {
		var err error
		if v, err = d.parseFloat(text); err != nil {
			return err
		}
	}
	if s.point == nil {
		return nil
	}
	return s.point(milli, v)
}

// plainSample reads `[1795326186.500,"1"]` at the start of b and returns its
// length, 0 for anything else. The value is not checked.
func plainSample(b []byte) (milli int64, text []byte, n int) {
	if len(b) < 8 || b[0] != '[' {
		return 0, nil, 0
	}
	i := 1
	for i < len(b) && b[i]-'0' <= 9 {
		milli = milli*10 + int64(b[i]-'0')
		i++
	}
	if i == 1 || i > 13 || b[1] == '0' && i > 2 { // 12 digits: the year 33658
		return 0, nil, 0
	}
	milli *= 1000
	if i+4 < len(b) && b[i] == '.' {
		x, y, z := b[i+1]-'0', b[i+2]-'0', b[i+3]-'0'
		if x > 9 || y > 9 || z > 9 {
			return 0, nil, 0
		}
		milli += int64(x)*100 + int64(y)*10 + int64(z)
		i += 4
	}
	if i+2 >= len(b) || b[i] != ',' || b[i+1] != '"' {
		return 0, nil, 0
	}
	i += 2
	from := i
	for i < len(b) && b[i] != '"' {
		if b[i] == '\\' || b[i] < ' ' || b[i] >= utf8.RuneSelf {
			return 0, nil, 0
		}
		i++
	}
	if i+1 >= len(b) || b[i+1] != ']' {
		return 0, nil, 0
	}
	return milli, b[from:i], i + 2
}

// beginPoint reads `[time,`, with which samples and histograms begin.
func (d *decoder) beginPoint() (milli int64, err error) {
	if err := d.take('['); err != nil {
		return 0, err
	}
	if milli, err = d.milli(); err != nil {
		return 0, err
	}
	return milli, d.take(',')
}

// sample reads any `[time, "value"]`.
func (d *decoder) sample(s sink) error {
	milli, err := d.beginPoint()
	if err != nil {
		return err
	}
	text, err := d.stringBytes()
	if err != nil {
		return err
	}
	if err := d.deliver(s, milli, text); err != nil {
		return err
	}
	return d.take(']')
}

func (d *decoder) histogram(s sink) error {
	milli, err := d.beginPoint()
	if err != nil {
		return err
	}
	h := Histogram{UnixMilli: milli}
	err = d.object(func(key string) (err error) {
		switch key {
		case "count":
			h.Count, err = d.quotedFloat()
		case "sum":
			h.Sum, err = d.quotedFloat()
		case "buckets":
			err = d.array(func() error {
				b, err := d.bucket()
				h.Buckets = append(h.Buckets, b)
				return err
			})
		default:
			err = d.skip(0)
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.hist != nil {
		if err := s.hist(h); err != nil {
			return err
		}
	}
	return d.take(']')
}

// bucket reads `[boundaries, "lower", "upper", "count"]`; boundaries are 0 for an
// open lower end, 1 for an open upper end, 2 for both open, 3 for both closed.
func (d *decoder) bucket() (Bucket, error) {
	var b Bucket
	if err := d.take('['); err != nil {
		return b, err
	}
	rule, err := d.numberText()
	if err != nil {
		return b, err
	}
	switch string(rule) {
	case "0":
		b.UpperInclusive = true
	case "1":
		b.LowerInclusive = true
	case "2":
	case "3":
		b.LowerInclusive, b.UpperInclusive = true, true
	default:
		return b, d.fail("a boundary rule from 0 to 3")
	}
	for _, v := range [...]*float64{&b.Lower, &b.Upper, &b.Count} {
		if err := d.take(','); err != nil {
			return b, err
		}
		if *v, err = d.quotedFloat(); err != nil {
			return b, err
		}
	}
	return b, d.take(']')
}
