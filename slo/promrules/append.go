package promrules

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// AppendRules appends the rules of some objectives in the form that Prometheus
// reads, byte for byte what [Generate] and [File.AppendYAML] write, and returns the
// errors of Generate. The notes are not told.
//
// It is the faster way for many objectives of one shape, which differ in nothing
// but their id, service, owner, runbook and the values of labels, annotations and matchers
// like job="api", where these are printable ASCII without quotes, backslashes and
// opening braces. The rules are made once for a shape, and for every objective they
// are copied around its texts, at about a twentieth of the cost and without an
// allocation if dst has room. What shares its shape with none of the next few
// objectives costs what it costs Generate.
func AppendRules(dst []byte, slos []SLO, o Options) ([]byte, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	w := shapeWriter{o: o, out: append(dst, "groups:\n"...), seed: maphash.MakeSeed(), seen: make(map[uint64]struct{}, len(slos))}
	for i := range slos {
		if !w.isNew(&slos[i]) || !w.append(&slos[i], slos[i+1:]) {
			file, err := Generate(slos, o) // tells all that is wrong
			if err != nil {
				return nil, err
			}
			return file.AppendYAML(dst), nil
		}
	}
	return w.out, nil
}

// shapeWriter writes the rules of one objective after another.
type shapeWriter struct {
	o      Options
	out    []byte
	seed   maphash.Seed
	seen   map[uint64]struct{} // hashes of what tells the objectives so far apart
	shapes []*shape            // the last one used comes first

	texts, values []string // of the objective
	key, spans    []byte   // of the objective, its spans one behind another
	ends          []int    // of the spans
}

// maxShapes is how many shapes are remembered, and how many objectives ahead one is
// looked for.
const maxShapes = 8

// isNew reports whether no objective before has the same series. By a chance of
// 2^-64 it is false for one that is new.
func (w *shapeWriter) isNew(s *SLO) bool {
	w.key = w.key[:0]
	if w.o.Names == Sloth {
		w.key = append(append(w.key, cmp.Or(s.Service, s.ID)...), '-')
	}
	w.key = append(w.key, s.ID...)
	before := len(w.seen)
	w.seen[maphash.Bytes(w.seed, w.key)] = struct{}{}
	return len(w.seen) > before
}

// append writes the rules of an objective that others follow; it is false if there
// are none.
func (w *shapeWriter) append(s *SLO, others []SLO) bool {
	for i, h := range w.shapes {
		if w.match(h, s) {
			if i > 0 {
				copy(w.shapes[1:], w.shapes[:i])
				w.shapes[0] = h
			}
			w.fill(h)
			return true
		}
	}
	if h := newShape(s, w.o.Alert); h != nil && w.isShared(h, others) && h.learn(w.o, w.out) {
		w.shapes = slices.Insert(w.shapes[:min(len(w.shapes), maxShapes-1)], 0, h)
		w.match(h, s)
		w.fill(h)
		return true
	}
	file, err := Generate([]SLO{*s}, w.o)
	if err != nil {
		return false
	}
	w.out = file.appendGroups(w.out, "")
	return true
}

// isShared reports whether one of the next few objectives has the same shape.
func (w *shapeWriter) isShared(h *shape, others []SLO) bool {
	for i := range min(len(others), maxShapes) {
		if w.match(h, &others[i]) {
			return true
		}
	}
	return false
}

// match reports whether an objective has a shape, and gets its values.
func (w *shapeWriter) match(h *shape, s *SLO) (ok bool) {
	if !h.isLike(s) {
		return false
	}
	if w.texts, ok = h.texts(s, w.texts[:0]); !ok {
		return false
	}
	w.values = w.values[:0]
	for i, text := range w.texts {
		if w.values, ok = h.fixed[i].values(text, w.values); !ok {
			return false
		}
	}
	return true
}

// fill writes the rules of a shape with the values in its holes.
func (w *shapeWriter) fill(h *shape) {
	w.ends = append(w.ends[:0], 0)
	spans, out := w.spans[:0], w.out
	for _, span := range h.spans {
		for i := range span {
			spans = append(append(spans, span[i].before...), w.values[span[i].what]...)
		}
		w.ends = append(w.ends, len(spans))
	}
	for i, ends := 0, w.ends; i < len(h.body); i++ {
		p := &h.body[i]
		out = append(append(out, p.before...), spans[ends[p.what]:ends[p.what+1]]...)
	}
	out = append(out, h.tail...)
	w.spans, w.out = spans, out
}
