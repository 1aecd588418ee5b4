package logs

import "slices"

// structured scans a line of JSON or logfmt: keys stay, values become masks, but
// for the level, which stays, and the message, which is scanned as text. It
// returns false if the line is neither, and has then left tokens behind.
func (s *scanner) structured() bool {
	start, end := 0, len(s.input)
	for start < end && is(s.input[start], blank) {
		start++
	}
	for end > start && is(s.input[end-1], blank) {
		end--
	}
	if end-start < 2 {
		return false
	}
	if s.input[start] == '{' {
		if s.input[end-1] != '}' {
			return false
		}
		j := &object{scanner: s, end: end}
		if !j.object(start, 0) || j.i != j.end {
			return false
		}
		s.form = jsonForm
		s.key()
		return true
	}
	return s.logfmt(start, end)
}

// key sets first to the first key if the line has no word. Words are in messages
// only.
func (s *scanner) key() {
	if s.first < 0 {
		s.first = slices.IndexFunc(s.tokens, func(t token) bool { return t.kind == Key })
	}
}

// isMessage reports the keys under which a line has its text.
func isMessage(key string) bool {
	switch key {
	case "msg", "message", "@message", "event", "log", "text":
		return true
	}
	return false
}

// isLevel reports the keys under which a line has its severity.
func isLevel(key string) bool {
	switch key {
	case "level", "lvl", "severity", "loglevel", "log.level", "@level":
		return true
	}
	return false
}

// value adds a value that stands at [start, end), quotes not included.
func (s *scanner) value(key string, kind Kind, start, end int) {
	switch {
	case isMessage(key) && end > start:
		s.text(start, end)
	case isLevel(key) && end > start && end-start <= 16 && kind == Text:
		s.put(Level, start, end)
	default:
		s.put(kind, start, end)
	}
}

// put adds a token unless the limit is reached.
func (s *scanner) put(kind Kind, start, end int) {
	if len(s.tokens) < s.limit {
		s.add(kind, start, end)
	}
}

// logfmt scans pairs of key=value, two or more and nothing else.
func (s *scanner) logfmt(i, end int) bool {
	in, pairs := s.input[:end], 0
	for i < end {
		if is(in[i], blank) {
			i++
			continue
		}
		start := i
		for i < end && (in[i] != '=' && in[i] != '"' && in[i] > ' ') {
			i++
		}
		if i == start || i >= end || in[i] != '=' {
			return false
		}
		key := in[start:i]
		s.put(Key, start, i)
		s.put(Word, i, i+1)
		i++
		if i < end && in[i] == '"' {
			stop := quoted(in, i)
			if stop == 0 || stop < end && in[stop] > ' ' {
				return false
			}
			s.value(key, Text, i+1, stop-1)
			i = stop
		} else {
			start, seen := i, uint8(0)
			for i < end && in[i] > ' ' {
				if in[i] == '"' {
					return false
				}
				seen |= class[in[i]]
				i++
			}
			s.value(key, s.bare(in, start, i, seen), start, i)
		}
		pairs++
	}
	if pairs < 2 {
		return false
	}
	s.form = logfmtForm
	s.key()
	return true
}

// bare is the kind of a value without quotes.
func (s *scanner) bare(in string, start, end int, seen uint8) Kind {
	if start == end {
		return Text
	}
	if seen&digit != 0 {
		if kind, stop := typed(in[:end], start, end, seen); stop == end && !kind.constant() {
			return kind
		}
	}
	return Text
}

// object scans JSON of one line.
type object struct {
	*scanner
	i, end int
}

// deepest is how deep objects and lists may be nested; deeper, a line is text.
const deepest = 16

// skip passes over blanks.
func (j *object) skip() {
	for j.i < j.end && is(j.input[j.i], blank) {
		j.i++
	}
}

// next skips blanks and reports whether c follows, which it takes.
func (j *object) next(c byte) bool {
	j.skip()
	if j.i < j.end && j.input[j.i] == c {
		j.i++
		return true
	}
	return false
}

// object scans an object at i. Keys of objects inside follow the key of the
// object and a sign.
func (j *object) object(i, depth int) bool {
	j.i = i
	if depth > deepest || !j.next('{') {
		return false
	}
	j.put(Word, i, i+1)
	if !j.next('}') {
		for {
			j.skip()
			start, stop := j.i, 0
			if j.i < j.end && j.input[j.i] == '"' {
				stop = quoted(j.input[:j.end], j.i)
			}
			if stop == 0 {
				return false
			}
			key := j.input[start+1 : stop-1]
			if key != "" {
				j.put(Key, start+1, stop-1)
			}
			j.i = stop
			if !j.next(':') {
				return false
			}
			j.put(Word, j.i-1, j.i)
			if !j.member(key, depth) {
				return false
			}
			if j.next(',') {
				continue
			}
			if j.next('}') {
				break
			}
			return false
		}
	}
	j.put(Word, j.i-1, j.i)
	return true
}

// member scans the value of a key.
func (j *object) member(key string, depth int) bool {
	j.skip()
	if j.i >= j.end {
		return false
	}
	start := j.i
	switch c := j.input[j.i]; c {
	case '{':
		return j.object(j.i, depth+1)
	case '[':
		if !j.list(depth + 1) {
			return false
		}
		j.put(List, start, j.i)
		return true
	case '"':
		stop := quoted(j.input[:j.end], j.i)
		if stop == 0 {
			return false
		}
		j.value(key, Text, start+1, stop-1)
		j.i = stop
		return true
	default:
		for j.i < j.end && !is(j.input[j.i], blank|sign) && j.input[j.i] != '}' {
			j.i++
		}
		if j.i == start {
			return false
		}
		kind := Value
		if is(c, digit) || c == '-' {
			kind = Number
		}
		j.put(kind, start, j.i)
		return true
	}
}

// list passes over a list by its brackets and strings.
func (j *object) list(depth int) bool {
	for open := 0; j.i < j.end; j.i++ {
		switch j.input[j.i] {
		case '"':
			stop := quoted(j.input[:j.end], j.i)
			if stop == 0 {
				return false
			}
			j.i = stop - 1
		case '[', '{':
			if open++; open+depth > deepest {
				return false
			}
		case ']', '}':
			if open--; open == 0 {
				j.i++
				return true
			}
		}
	}
	return false
}
