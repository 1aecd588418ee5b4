package logs

import (
	"math"
	"slices"
	"time"
)

// Snapshot returns the state of the miner. A miner restored from it answers every
// further line as this one would, byte for byte in its own snapshots. It holds the
// constants of templates, and values if they are kept.
func (m *Miner) Snapshot() []byte {
	w := &writer{}
	w.options(&m.options)
	w.uint(uint64(m.next))
	w.uint(m.revision)
	w.uint(uint64(m.lines))
	w.uint(uint64(m.evicted))
	w.uint(uint64(m.lru.n))
	for c := m.lru.root.prev; c != &m.lru.root; c = c.prev {
		w.cluster(c)
	}
	w.uint(uint64(len(m.aliasOrder)))
	for _, id := range m.aliasOrder {
		w.uint(uint64(id))
		w.uint(uint64(m.aliases[id]))
	}
	if m.drain != nil {
		w.uint(uint64(len(m.drain.order)))
		for _, n := range m.drain.order {
			w.uint(uint64(n))
			w.node(m.drain.lengths[n])
		}
	}
	return seal(minerMagic, w.data)
}

// RestoreMiner returns the miner of a snapshot, options included. The error is a
// [*FormatError]. Damaged data costs no more memory than a few times its size.
func RestoreMiner(data []byte) (*Miner, error) {
	r, err := open(minerMagic, data)
	if err != nil {
		return nil, err
	}
	o := r.options()
	if r.err != nil {
		return nil, r.err
	}
	m, err := NewMiner(&o)
	if err != nil {
		r.fail(err.Error())
		return nil, r.err
	}
	m.next = ID(r.uint())
	m.revision = r.uint()
	m.lines = r.positive()
	m.evicted = r.positive()
	for n := r.count(); n > 0 && r.err == nil; n-- {
		c := r.cluster(m)
		if r.err == nil {
			m.clusters[c.id] = c
			m.lru.front(c)
		}
	}
	r.aliases(m)
	if m.drain != nil {
		for n := r.count(); n > 0 && r.err == nil; n-- {
			length := int(r.most(math.MaxInt32))
			r.check(m.drain.lengths[length] == nil, "a length comes twice")
			m.drain.lengths[length] = r.node(m, length, 0)
			m.drain.order = append(m.drain.order, length)
			r.check(length > 0 || len(m.drain.lengths[length].ids) > 0, "the empty line has no template")
		}
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	for _, c := range m.clusters {
		m.measure(c)
		if m.groups != nil {
			m.groups.insert(c) // by id, in whatever order
			if c.defined {
				m.groups.defined++
			}
		}
	}
	return m, nil
}

// options writes the options, defaults filled in.
func (w *writer) options(o *Options) {
	w.uint(uint64(o.Preset))
	w.float(o.Similarity)
	w.int(int64(o.MaxTemplates))
	w.int(o.MaxBytes)
	w.uint(uint64(o.MaxPerKey))
	w.uint(uint64(o.MaxLine))
	w.uint(uint64(o.MaxTokens))
	w.uint(uint64(o.Values))
	w.uint(uint64(o.Depth))
	w.uint(uint64(o.MaxChildren))
	w.uint(uint64(len(o.Delimiters)))
	for _, d := range o.Delimiters {
		w.text(d)
	}
	w.bool(o.KeepNumeric)
}

// options reads options, which are not checked.
func (r *reader) options() (o Options) {
	o.Preset = Preset(r.most(uint64(Drain)))
	o.Similarity = r.float()
	o.MaxTemplates = int(r.int())
	o.MaxBytes = r.int()
	o.MaxPerKey = int(r.most(math.MaxInt32))
	o.MaxLine = int(r.most(noLimit))
	o.MaxTokens = int(r.most(noLimit))
	o.Values = Values(r.most(uint64(AllValues)))
	o.Depth = int(r.most(math.MaxInt32))
	o.MaxChildren = int(r.most(math.MaxInt32))
	for n := r.count(); n > 0; n-- {
		o.Delimiters = append(o.Delimiters, r.text())
	}
	o.KeepNumeric = r.bool()
	return o
}

// cluster writes a template with what the miner knows of it.
func (w *writer) cluster(c *cluster) {
	w.uint(uint64(c.id))
	w.uint(uint64(c.form))
	w.bool(c.defined)
	w.int(int64(c.head))
	w.uint(uint64(c.minGap))
	w.uint(uint64(c.maxGap))
	w.uint(uint64(c.count))
	w.uint(uint64(c.used))
	w.time(c.first)
	w.time(c.last)
	w.uint(c.revision)
	w.time(c.since)
	w.uint(uint64(len(c.elements)))
	for _, e := range c.elements {
		kind := uint64(e.Kind) << 1
		if e.Glued {
			kind |= 1
		}
		if w.uint(kind); e.Kind.constant() {
			w.text(e.Text)
		}
	}
	w.uint(uint64(len(c.places)))
	for _, p := range c.places {
		if w.bool(p != nil); p != nil {
			w.place(p)
		}
	}
}

// cluster reads a cluster and checks all that its use relies on.
func (r *reader) cluster(m *Miner) *cluster {
	c := &cluster{id: ID(r.most(uint64(m.next)))}
	r.check(c.id > 0 && m.clusters[c.id] == nil, "template without an id of its own")
	c.form = form(r.most(uint64(forms - 1)))
	c.defined = r.bool()
	c.head = int(r.int())
	c.minGap = int(r.most(math.MaxInt32))
	c.maxGap = int(r.most(math.MaxInt32))
	c.count = r.positive()
	c.used = r.positive()
	c.first, c.last = r.time(), r.time()
	c.revision = r.most(m.revision)
	c.since = r.time()
	n := r.count()
	c.elements = make([]Element, 0, min(n, 1024))
	gaps := 0
	for ; n > 0 && r.err == nil; n-- {
		code := r.most(uint64(kinds)<<1 - 1)
		e := Element{Kind: Kind(code >> 1), Glued: code&1 == 1}
		if e.Kind.constant() {
			e.Text = r.text()
			r.check(e.Text != "", "a constant is empty")
		}
		if e.Kind == Gap {
			gaps++
		}
		r.check(m.drain == nil || e.Kind == Word || e.Kind == Any, "no kind of preset Drain")
		c.elements = append(c.elements, e)
	}
	r.check(c.head >= -1 && c.head < len(c.elements), "first word is out of range")
	r.check(c.minGap <= c.maxGap && (gaps == 1) == (c.maxGap > 0) && gaps <= 1, "gap does not fit")
	if r.err == nil {
		r.check(c.head < 0 || c.elements[c.head].Kind == Word || c.elements[c.head].Kind == Key, "first word is none")
		last := lastWord(c.elements)
		r.check(c.leafy() || c.headed() || last >= 0, "no word to find the template by")
	}
	if n := r.count(); n > 0 && r.err == nil {
		r.check(n == len(c.elements), "values do not fit")
		c.places = make([]*place, len(c.elements))
		for i := 0; i < n && r.err == nil; i++ {
			if r.bool() {
				c.places[i] = r.place()
			}
		}
	}
	return c
}

// aliases reads which ids go under which others.
func (r *reader) aliases(m *Miner) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		id, to := ID(r.most(uint64(m.next))), ID(r.most(uint64(m.next)))
		owner := m.clusters[to]
		r.check(id > 0 && owner != nil && m.clusters[id] == nil && m.aliases[id] == 0, "alias does not fit")
		if r.err == nil {
			m.aliases[id] = to
			m.aliasOrder = append(m.aliasOrder, id)
			owner.aliases = append(owner.aliases, id)
		}
	}
	for _, c := range m.clusters {
		slices.Sort(c.aliases)
	}
}

// node writes a node of the tree of preset Drain and all below.
func (w *writer) node(n *node) {
	w.uint(uint64(len(n.ids)))
	for _, id := range n.ids {
		w.uint(uint64(id))
	}
	w.uint(uint64(len(n.order)))
	for _, key := range n.order {
		w.text(key)
		w.node(n.children[key])
	}
}

// node reads a node below which lines of a length lie.
func (r *reader) node(m *Miner, length, depth int) *node {
	n := &node{}
	r.check(depth <= maxDepth, "tree is too deep")
	for k := r.count(); k > 0 && r.err == nil; k-- {
		id := ID(r.most(uint64(m.next)))
		c := m.clusters[id]
		r.check(c == nil || len(c.elements) == length, "template of another length")
		n.ids = append(n.ids, id)
	}
	for k := r.count(); k > 0 && r.err == nil; k-- {
		key := r.text()
		r.check(n.children[key] == nil, "a token comes twice")
		child := r.node(m, length, depth+1)
		if r.err == nil {
			*n.child(key) = *child
		}
	}
	return n
}

// place writes what was seen at a wildcard.
func (w *writer) place(p *place) {
	w.uint(uint64(p.seen))
	for _, b := range p.bits {
		w.uint(b)
	}
	w.uint(uint64(p.numbers))
	w.float(p.min)
	w.float(p.max)
	w.float(p.sum)
	w.uint(uint64(p.unit))
	for i := range p.top {
		f := &p.top[i]
		if w.uint(uint64(f.count)); f.count > 0 {
			w.uint(uint64(f.error))
			w.text(string(f.text[:f.n]))
		}
	}
}

// place reads what was seen at a wildcard.
func (r *reader) place() *place {
	p := &place{seen: r.positive()}
	for i := range p.bits {
		p.bits[i] = r.uint()
	}
	p.numbers = r.positive()
	p.min, p.max, p.sum = r.float(), r.float(), r.float()
	p.unit = uint8(r.most(unitCount - 1))
	for i := range p.top {
		f := &p.top[i]
		if f.count = r.positive(); f.count > 0 {
			f.error = r.positive()
			text := r.text()
			r.check(len(text) <= topBytes, "value is too long")
			f.n = uint8(copy(f.text[:], text))
		}
	}
	return p
}

// Snapshot returns the state of the watch. A watch restored from it answers as
// this one would, byte for byte in its own snapshots.
func (w *Watch) Snapshot() []byte {
	e := &writer{}
	o := &w.options
	e.int(int64(o.Window))
	e.float(o.Alpha)
	e.int(int64(o.HalfLife))
	e.int(int64(o.Season))
	for _, n := range []int{o.Parts, o.Warmup, o.Keep, o.MaxTemplates} {
		e.uint(uint64(n))
	}
	e.bool(w.begun)
	e.int(w.open)
	e.uint(uint64(w.passed))
	e.uint(uint64(w.late))
	e.history(&w.fresh)
	e.uint(uint64(w.births))
	e.uint(uint64(len(w.order)))
	for _, s := range w.order {
		e.uint(uint64(s.id))
		e.history(&s.all)
		for _, p := range s.parts {
			e.float(p.weight)
			e.float(p.sum)
		}
		e.uint(uint64(s.lines))
		e.int(s.seen)
		e.float(s.missed)
		e.bool(s.isNew)
		e.bool(s.gone)
	}
	e.int(w.first)
	e.uint(uint64(len(w.kept)))
	for _, window := range w.kept {
		e.uint(uint64(len(window)))
		for _, c := range window {
			e.uint(uint64(c.ID))
			e.uint(uint64(c.Lines))
		}
	}
	return seal(watchMagic, e.data)
}

// RestoreWatch returns the watch of a snapshot, options included. The error is a
// [*FormatError].
func RestoreWatch(data []byte) (*Watch, error) {
	r, err := open(watchMagic, data)
	if err != nil {
		return nil, err
	}
	var o WatchOptions
	o.Window = time.Duration(r.int())
	o.Alpha = r.float()
	o.HalfLife = time.Duration(r.int())
	o.Season = time.Duration(r.int())
	for _, n := range []*int{&o.Parts, &o.Warmup, &o.Keep, &o.MaxTemplates} {
		*n = int(r.most(math.MaxInt32))
	}
	if r.err != nil {
		return nil, r.err
	}
	w, err := NewWatch(&o)
	if err != nil {
		r.fail(err.Error())
		return nil, r.err
	}
	w.begun = r.bool()
	w.open = r.int()
	w.passed = r.positive()
	w.late = r.positive()
	w.fresh = r.history()
	w.births = r.positive()
	last := ID(0)
	for n := r.count(); n > 0 && r.err == nil; n-- {
		s := &series{id: ID(r.uint())}
		r.check(s.id > last, "templates are not in order")
		last = s.id
		s.all = r.history()
		if o.Season > 0 {
			r.check(w.options.Parts <= (len(r.data)-r.at)/16, "parts of a season are missing")
			if r.err != nil {
				break
			}
			s.parts = make([]part, w.options.Parts)
			for i := range s.parts {
				s.parts[i] = part{weight: r.float(), sum: r.float()}
			}
		}
		s.lines, s.seen, s.missed = r.positive(), r.int(), r.float()
		s.isNew, s.gone = r.bool(), r.bool()
		w.series[s.id] = s
		w.order = append(w.order, s)
	}
	w.first = r.int()
	for n := r.count(); n > 0 && r.err == nil; n-- {
		var window []Count
		last := ID(0)
		for k := r.count(); k > 0 && r.err == nil; k-- {
			c := Count{ID: ID(r.uint()), Lines: r.positive()}
			r.check(c.ID > last, "counts are not in order")
			last = c.ID
			window = append(window, c)
		}
		w.kept = append(w.kept, window)
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	return w, nil
}

// history writes three sums.
func (w *writer) history(h *history) {
	w.float(h.weight)
	w.float(h.sum)
	w.float(h.squares)
}

// history reads three sums, none of them negative.
func (r *reader) history() history {
	h := history{weight: r.float(), sum: r.float(), squares: r.float()}
	r.check(h.weight >= 0 && h.sum >= 0 && h.squares >= 0, "history is negative")
	return h
}
