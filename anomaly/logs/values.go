package logs

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Place is what was seen at one wildcard of a template since it became one; a
// merge begins anew.
type Place struct {
	// Element is its index in Template.Elements.
	Element int `json:"element"`
	// Seen is how many lines had a value there.
	Seen int64 `json:"seen"`
	// Distinct estimates how many values were different, by linear counting in 1024
	// bits (Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting
	// algorithm", TODS 1990): within about 5 % up to 2000, a lower bound from 7000.
	Distinct int64 `json:"distinct"`
	// Numbers is what the numbers among the values were, nil if there were none.
	Numbers *Numbers `json:"numbers"`
	// Top are the most frequent values with Options.Values at AllValues, at most 8,
	// the first 31 bytes of each.
	Top []TopValue `json:"top,omitempty"`
}

// Numbers are the numbers at one place.
type Numbers struct {
	// Count is how many there were. Others with a unit of another sort are left out.
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
	// Unit is s for durations, B for sizes, else empty; the first number decides.
	Unit string `json:"unit,omitempty"`
}

// TopValue is a frequent value. The true count lies in [Count-Error, Count]
// (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k
// elements in data streams", ICDT 2005).
type TopValue struct {
	Text  string `json:"text"`
	Count int64  `json:"count"`
	Error int64  `json:"error"`
}

// Values returns what was seen at the wildcards of a template, by place; nil
// without Options.Values, and for an unknown id. It resolves aliases.
func (m *Miner) Values(id ID) []Place {
	id, ok := m.Resolve(id)
	if !ok {
		return nil
	}
	var all []Place
	for i, p := range m.clusters[id].places {
		if p != nil && p.seen > 0 {
			all = append(all, p.export(i))
		}
	}
	return all
}

const (
	distinctBits = 1024
	topValues    = 8
	topBytes     = 31
)

// place is what was seen at one wildcard, of a fixed size.
type place struct {
	seen          int64
	bits          [distinctBits / 64]uint64
	numbers       int64
	min, max, sum float64
	unit          uint8
	top           [topValues]frequent
}

type frequent struct {
	count, error int64
	n            uint8
	text         [topBytes]byte
}

const placeSize = 600

// export is a copy for the caller.
func (p *place) export(element int) Place {
	e := Place{Element: element, Seen: p.seen}
	zeros := distinctBits
	for _, w := range p.bits {
		zeros -= bits.OnesCount64(w)
	}
	e.Distinct = int64(math.Round(distinctBits * math.Log(distinctBits/float64(max(zeros, 1)))))
	e.Distinct = min(e.Distinct, p.seen)
	if p.numbers > 0 {
		e.Numbers = &Numbers{Count: p.numbers, Min: p.min, Max: p.max, Mean: p.sum / float64(p.numbers), Unit: units[p.unit]}
	}
	for i := range p.top {
		if f := &p.top[i]; f.count > 0 {
			e.Top = append(e.Top, TopValue{Text: string(f.text[:f.n]), Count: f.count, Error: f.error})
		}
	}
	slices.SortFunc(e.Top, func(a, b TopValue) int {
		if a.Count != b.Count {
			return cmp(b.Count, a.Count)
		}
		return strings.Compare(a.Text, b.Text)
	})
	return e
}

// observe notes the values of the line at hand.
func (m *Miner) observe(c *cluster) {
	if m.options.Values == NoValues {
		return
	}
	if c.places == nil {
		c.places = make([]*place, len(c.elements))
	}
	tokens := m.scan.tokens
	added, shift := false, 0
	for i := range c.elements {
		e := &c.elements[i]
		if e.Kind.constant() {
			continue
		}
		p := c.places[i]
		if p == nil {
			p = &place{}
			c.places[i] = p
			added = true
		}
		t := token{}
		if e.Kind == Gap {
			shift = len(tokens) - len(c.elements)
			if n := shift + 1; n > 0 {
				last := &tokens[i+n-1]
				t = tokens[i]
				t.text = m.scan.input[t.start : last.start+len(last.text)]
				if n > 1 {
					t.kind = Any
				}
			}
		} else {
			t = tokens[i+shift]
		}
		p.add(&t, m.options.Values == AllValues)
	}
	if added {
		m.measure(c)
	}
}

// add notes a value, its text only if texts are kept.
func (p *place) add(t *token, texts bool) {
	p.seen++
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(t.text) {
		h = (h ^ uint64(t.text[i])) * 1099511628211
	}
	h ^= h >> 32 // its low bits alone are uneven for short texts
	h *= 0x9e3779b97f4a7c15
	h >>= 54
	p.bits[h/64] |= 1 << (h % 64)
	if t.kind == Number {
		if x, unit, ok := quantity(t.text); ok && (p.numbers == 0 || unit == p.unit) {
			if p.numbers == 0 {
				p.unit, p.min, p.max = unit, x, x
			}
			p.numbers++
			p.min, p.max = min(p.min, x), max(p.max, x)
			p.sum += x
		}
	}
	if texts {
		p.note(t.text)
	}
}

// note counts a text among the most frequent ones.
func (p *place) note(text string) {
	text = text[:min(len(text), topBytes)]
	least := 0
	for i := range p.top {
		f := &p.top[i]
		if f.count > 0 && string(f.text[:f.n]) == text {
			f.count++
			return
		}
		if f.count < p.top[least].count {
			least = i
		}
	}
	f := &p.top[least]
	*f = frequent{count: f.count + 1, error: f.count, n: uint8(len(text))}
	copy(f.text[:], text)
}

// Units of quantities.
const (
	noUnit = iota
	seconds
	bytes
	unitCount
)

var units = [unitCount]string{"", "s", "B"}

// quantity reads a number with its unit: durations in seconds, sizes in bytes,
// all else as it stands.
func quantity(s string) (x float64, unit uint8, ok bool) {
	if s == "" {
		return 0, 0, false
	}
	total, sign := 0.0, 1.0
	for part := 0; s != ""; part++ {
		i := 0
		for i < len(s) && (is(s[i], digit|dot) || i == 0 && part == 0 && (s[0] == '-' || s[0] == '+')) {
			i++
		}
		v, err := strconv.ParseFloat(s[:i], 64)
		if i == 0 || err != nil {
			return 0, 0, false
		}
		s = strings.TrimPrefix(s[i:], " ")
		j := 0
		for j < len(s) && !is(s[j], digit|dot) {
			j++
		}
		factor, u := scale(s[:j])
		if part > 0 && (u != seconds || unit != seconds) || part == 0 && j < len(s) && u != seconds {
			return 0, 0, false
		}
		if part == 0 && v < 0 {
			sign = -1
			v = -v
		}
		total, unit = total+v*factor, u
		s = s[j:]
	}
	return sign * total, unit, total-total == 0
}

// scale is what a unit stands for. Sizes with K, M, G and T count in thousands,
// with Ki and so on in 1024.
func scale(unit string) (factor float64, kind uint8) {
	switch unit {
	case "ns", "nanoseconds":
		return 1e-9, seconds
	case "us", "µs", "microseconds":
		return 1e-6, seconds
	case "ms", "millisecond", "milliseconds":
		return 1e-3, seconds
	case "s", "sec", "secs", "second", "seconds":
		return 1, seconds
	case "m", "min", "mins", "minute", "minutes":
		return 60, seconds
	case "h", "hour", "hours":
		return 3600, seconds
	case "day", "days":
		return 86400, seconds
	case "B", "byte", "bytes":
		return 1, bytes
	case "kB", "KB":
		return 1e3, bytes
	case "MB":
		return 1e6, bytes
	case "GB":
		return 1e9, bytes
	case "TB":
		return 1e12, bytes
	case "KiB":
		return 1 << 10, bytes
	case "MiB":
		return 1 << 20, bytes
	case "GiB":
		return 1 << 30, bytes
	case "TiB":
		return 1 << 40, bytes
	}
	return 1, noUnit
}
