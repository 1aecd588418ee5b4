package incident

import (
	"slices"
	"time"
)

// cell is what one record has to say about one span.
type cell struct {
	lapse time.Duration
	state cellState
}

type cellState uint8

const (
	cellNone    cellState = iota // it does not count
	cellMissing                  // it has not both milestones
	cellTaken
	cellClamped // it was negative and is taken as 0
)

// cell returns what the parts p of a row say about span i.
func (r *row) cell(i int, p parts) cell {
	if p&itsTimes == 0 || r.states[i] == cellNone {
		return cell{}
	}
	return cell{r.lapses[i], r.states[i]}
}

// sample is a multiset of durations. What is added and taken out waits until
// somebody asks; then it is sorted and merged in.
type sample struct {
	missing, clamped int

	sorted  []time.Duration // never changed in place: a Durations may hold it
	in, out []time.Duration
}

// mostOut is how many removals may wait.
const mostOut = 1 << 16

// replace puts one cell in the place of another.
func (s *sample) replace(was, is cell) {
	if was == is {
		return
	}
	if was.state == cellMissing {
		s.missing--
	}
	if is.state == cellMissing {
		s.missing++
	}
	if was.state >= cellTaken {
		s.out = append(s.out, was.lapse)
	}
	if is.state >= cellTaken {
		s.in = append(s.in, is.lapse)
	}
	if was.state == cellClamped {
		s.clamped--
	}
	if is.state == cellClamped {
		s.clamped++
	}
	s.bound()
}

// add takes durations in, or out again if n is -1.
func (s *sample) add(d *Durations, n int) {
	s.missing += n * d.Missing
	s.clamped += n * d.Clamped
	if n > 0 {
		s.in = append(s.in, d.sorted...)
	} else {
		s.out = append(s.out, d.sorted...)
	}
	s.bound()
}

// bound keeps too many removals from waiting.
func (s *sample) bound() {
	if len(s.out) >= mostOut {
		s.settle()
	}
}

// settle merges what waits.
func (s *sample) settle() {
	if len(s.in)+len(s.out) == 0 {
		return
	}
	slices.Sort(s.in)
	slices.Sort(s.out)
	if len(s.sorted)+len(s.out) == 0 {
		s.sorted, s.in = s.in, nil
		return
	}
	merged := make([]time.Duration, 0, len(s.sorted)+len(s.in)-len(s.out))
	in, out := s.in, s.out
	keep := func(d time.Duration) {
		if len(out) > 0 && out[0] == d {
			out = out[1:]
			return
		}
		merged = append(merged, d)
	}
	for _, d := range s.sorted {
		for len(in) > 0 && in[0] < d {
			keep(in[0])
			in = in[1:]
		}
		keep(d)
	}
	for _, d := range in {
		keep(d)
	}
	s.sorted, s.in, s.out = merged, s.in[:0], s.out[:0]
}

// durations returns the sample as figures.
func (s *sample) durations() Durations {
	s.settle()
	d := Durations{Missing: s.missing, Clamped: s.clamped, sorted: s.sorted}
	d.sumUp()
	return d
}
