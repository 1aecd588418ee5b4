package roi

import (
	"math"
	"slices"
)

// A series is the present value as a function of u = ln(1+rate),
//
//	f(u) = Σ a[i] · e^(−t[i]·u)
//
// with times t ascending and the first and the last amount not zero. t == nil
// stands for the times 0, 1, 2, … of periodic flows, which need one exponential
// per evaluation instead of one per flow. In u the whole range of rates above
// -1 is the real line, and nothing overflows near -1.
//
// The real roots of f are found by the argument with which Laguerre proved
// Descartes' rule of signs (Mémoire sur la théorie des équations numériques,
// 1883). Let the sign of the amounts change between t[k] and t[k+1] and c be a
// time between them. Then e^(cu)·f(u) has the roots of f, and its derivative is
// again a series, with amounts −(t[i]−c)·a[i]: one sign change fewer. Between
// two neighbouring roots of the derivative e^(cu)·f is monotone and has at most
// one root. So a series with s sign changes is solved in s steps, the innermost
// of which has one sign change and exactly one root. The factors t[i]−c are
// formed without cancellation, whatever the number of flows.
type series struct {
	a, t []float64
}

func (s series) at(i int) float64 {
	if s.t == nil {
		return float64(i)
	}
	return s.t[i]
}

// span is the time from the first flow to the last.
func (s series) span() float64 { return s.at(len(s.a)-1) - s.at(0) }

// eval returns f(u) multiplied by a positive number which keeps every term
// between its amount and zero, and the derivative of the scaled function.
func (s series) eval(u float64) (value, slope float64) {
	n := len(s.a)
	switch {
	case s.t == nil && u >= 0:
		x := math.Exp(-u)
		for i := n - 1; i >= 0; i-- {
			slope = float64(slope*x) + value
			value = float64(value*x) + s.a[i]
		}
		return value, -slope * x
	case s.t == nil:
		y := math.Exp(u)
		for _, a := range s.a {
			slope = float64(slope*y) + value
			value = float64(value*y) + a
		}
		return value, slope * y
	}
	ref := s.reference(u)
	for i, a := range s.a {
		d := s.t[i] - ref
		term := a * math.Exp(-d*u)
		value += term
		slope -= float64(d * term)
	}
	return value, slope
}

// sized returns f(u) as eval does, and the sum of the absolute scaled terms, against
// which rounding is judged.
func (s series) sized(u float64) (value, size float64) {
	n := len(s.a)
	switch {
	case s.t == nil && u >= 0:
		x := math.Exp(-u)
		for i := n - 1; i >= 0; i-- {
			value = float64(value*x) + s.a[i]
			size = float64(size*x) + math.Abs(s.a[i])
		}
		return value, size
	case s.t == nil:
		y := math.Exp(u)
		for _, a := range s.a {
			value = float64(value*y) + a
			size = float64(size*y) + math.Abs(a)
		}
		return value, size
	}
	ref := s.reference(u)
	for i, a := range s.a {
		term := a * math.Exp(-(s.t[i]-ref)*u)
		value += term
		size += math.Abs(term)
	}
	return value, size
}

// reference is the time at which amounts are not scaled.
func (s series) reference(u float64) float64 {
	if u < 0 {
		return s.t[len(s.t)-1]
	}
	return s.t[0]
}

// sign returns the sign of f(u), 0 when f(u) is zero to within rounding.
func (s series) sign(u float64) int {
	value, size := s.sized(u)
	const ulp = 0x1p-52
	// Each Horner step rounds twice; an exponential of a large argument has
	// the error of the argument.
	slack := 2 * ulp * float64(len(s.a)+2)
	if s.t != nil {
		slack += 2 * ulp * math.Abs(u) * s.span()
	}
	if math.Abs(value) <= slack*size {
		return 0
	}
	return signOf(value)
}

func signOf(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// trim drops zero amounts at both ends, which do not matter for the roots.
func (s series) trim() series {
	lo, hi := 0, len(s.a)
	for lo < hi && s.a[lo] == 0 {
		lo++
	}
	for hi > lo && s.a[hi-1] == 0 {
		hi--
	}
	s.a = s.a[lo:hi]
	if s.t != nil {
		s.t = s.t[lo:hi]
	}
	return s
}

// signChanges counts the changes of sign, zeros skipped, and returns the index
// of the last amount before the first change.
func (s series) signChanges() (count, last int) {
	prev, prevAt := 0, 0
	for i, a := range s.a {
		sg := signOf(a)
		if sg == 0 {
			continue
		}
		if prev != 0 && sg != prev {
			if count == 0 {
				last = prevAt
			}
			count++
		}
		prev, prevAt = sg, i
	}
	return count, last
}

// largestAmount is small enough that sums of any number of flows stay finite,
// smallestAmount large enough that nothing that matters beside it is lost.
const largestAmount, smallestAmount = 0x1p980, 0x1p-900

// scale multiplies the amounts by a power of two that brings the largest into
// the range above. ok is false when an amount is lost on the way. It copies.
func (s series) scale(largest float64) (out series, ok bool) {
	_, exp := math.Frexp(largest)
	if largest > largestAmount {
		exp -= 980
	}
	out = series{a: make([]float64, len(s.a)), t: s.t}
	for i, a := range s.a {
		out.a[i] = math.Ldexp(a, -exp)
		if a != 0 && out.a[i] == 0 {
			return s, false
		}
	}
	return out, true
}

// roots returns all real roots in u in ascending order. The series is trimmed
// and its amounts are finite and not so large that a sum overflows.
//
// Turning points only have to tell the monotone pieces apart, and need not be exact
// for that: f differs between the exact point and one at a distance d by at most
// (span·d)²/2 of its size, which for d = 2^-27/span is far below what rounding leaves
// of it. Where f is zero to within rounding at any of them, all is done again with
// exact ones, for then the point may be a root.
func (s series) roots(changes, last int) []float64 {
	if changes > 1 {
		if found, ok := s.pieces(changes, last, 0, 0x1p-27/max(1, s.span())); ok {
			return found
		}
	}
	found, _ := s.pieces(changes, last, 0, 0)
	return found
}

// pieces returns the roots to within near, and looks for them between turning points
// to within rough; 0 is as exact as can be. It returns false if rough is not 0 and a
// turning point may be a root.
func (s series) pieces(changes, last int, near, rough float64) (found []float64, ok bool) {
	switch changes {
	case 0:
		return nil, true
	case 1:
		return []float64{s.single(last, near)}, true
	}
	room := make([]float64, len(s.a)+changes) // of the derivative, and of the roots
	turns, ok := s.turningPoints(last, room[:len(s.a):len(s.a)], rough)
	if !ok {
		return nil, false
	}

	// Walk over the monotone pieces between the turning points. A zero at a
	// turning point is a root that touches (or, three-fold, touches and
	// crosses); zeros at neighbouring turning points mean that f is zero to
	// within rounding all the way between them, which is one root.
	n := len(s.a)
	found = room[len(s.a):len(s.a)]
	left, leftSign, leftEnd := 0.0, signOf(s.a[n-1]), true // u = −∞
	for i, p := range turns {
		sg := s.sign(p)
		switch {
		case sg == 0 && rough > 0:
			return nil, false
		case sg == 0:
			if i > 0 && leftSign == 0 {
				if math.Abs(s.relative(p)) < math.Abs(s.relative(found[len(found)-1])) {
					found[len(found)-1] = p
				}
			} else {
				found = append(found, p)
			}
		case leftSign != 0 && sg != leftSign:
			if leftEnd {
				found = append(found, s.outward(p, -1, leftSign, sg, near))
			} else {
				found = append(found, s.bracketed(left, p, leftSign, near))
			}
		}
		left, leftSign, leftEnd = p, sg, false
	}
	rightSign := signOf(s.a[0]) // u = +∞
	if leftSign != 0 && rightSign != leftSign {
		if leftEnd { // no turning point: monotone on the whole line
			at0 := s.sign(0)
			switch at0 {
			case 0:
				found = append(found, 0)
			case leftSign:
				found = append(found, s.outward(0, 1, rightSign, at0, near))
			default:
				found = append(found, s.outward(0, -1, leftSign, at0, near))
			}
		} else {
			found = append(found, s.outward(left, 1, rightSign, leftSign, near))
		}
	}
	return found, true
}

func (s series) relative(u float64) float64 {
	value, size := s.sized(u)
	return value / size
}

// turningPoints returns the roots of the twisted derivative, see [series], whose amounts
// it writes to room, as [series.pieces] does.
func (s series) turningPoints(last int, room []float64, rough float64) ([]float64, bool) {
	next := last + 1
	for s.a[next] == 0 {
		next++
	}
	c := (s.at(last) + s.at(next)) / 2
	largest := 0.0
	d := series{a: room, t: s.t}
	for i, a := range s.a {
		d.a[i] = (c - s.at(i)) * a
		largest = max(largest, math.Abs(d.a[i]))
	}
	// Keep the sizes near 1 over many steps; a power of two rounds nothing.
	_, exp := math.Frexp(largest)
	if f := math.Ldexp(1, -exp); f != 0 && !math.IsInf(f, 0) {
		for i := range d.a {
			d.a[i] *= f
		}
	}
	d = d.trim()
	changes, last := d.signChanges()
	return d.pieces(changes, last, rough, rough)
}

// outward finds the root between u, where the sign is at, and the infinite end
// in the given direction (±1), where the sign is end.
func (s series) outward(u, direction float64, end, at int, within float64) float64 {
	near := u
	for step := 1 / max(1, s.span()); ; step *= 2 {
		far := u + direction*step
		if sg := signOf(s.plain(far)); sg == end || sg == 0 || step > 1e300 {
			if direction > 0 {
				return s.bracketed(near, far, at, within)
			}
			return s.bracketed(far, near, end, within)
		}
		near = far
	}
}

func (s series) plain(u float64) float64 {
	value, _ := s.eval(u)
	return value
}

// bracketed finds the root in [lo, hi], where f has the sign loSign at lo and the
// opposite one at hi.
func (s series) bracketed(lo, hi float64, loSign int, within float64) float64 {
	u, _ := newton(s, lo, hi, lo+(hi-lo)/2, loSign, within)
	return u
}

// newton finds the root of f in [lo, hi] from u, where f has the sign loSign at lo and the
// opposite one at hi: Newton steps, halving where a step would leave the bracket or
// shrink it too slowly. Near a simple root each Newton step is a multiple of the square of
// the one before, which says how small the next one would be. The error is at most within,
// or rounding if that is 0. converged is false if the steps did not become that small.
func newton[F interface {
	eval(at float64) (value, slope float64)
}](f F, lo, hi, u float64, loSign int, within float64,
) (root float64, converged bool) {
	step, before := hi-lo, hi-lo
	halved := true
	for range 400 {
		value, slope := f.eval(u)
		sg := signOf(value)
		if sg == 0 {
			return u, true
		}
		if sg == loSign {
			lo = u
		} else {
			hi = u
		}
		next := u - value/slope
		halvedBefore := halved
		halved = !(next > lo && next < hi) || math.Abs(2*(next-u)) > math.Abs(before)
		if halved {
			next = lo + (hi-lo)/2
		}
		before, step = step, next-u
		smallest := max(0x1p-52*max(math.Abs(next), 0x1p-20), within)
		if ratio := step / before; math.Abs(step) <= smallest || lo == hi ||
			!halved && !halvedBefore && math.Abs(step)*ratio*ratio <= smallest/16 && math.Abs(ratio) < 0x1p-10 {
			return next, true
		}
		u = next
	}
	return u, false
}

// single solves a series with one sign change, after index k: the amounts up to
// k have one sign, the others the opposite one. With N and P the sums of their
// absolute values, g(u) = ln P(u) − ln N(u) falls with a slope between the longest and
// the shortest distance of two opposite flows, which puts bounds on the root from any
// point. Halley's method takes it there in a few steps, for g is close to a line.
//
// The error is at most within, or rounding if that is 0.
func (s series) single(k int, within float64) float64 {
	next := k + 1
	for s.a[next] == 0 {
		next++
	}
	longest := s.span()
	shortest := s.at(next) - s.at(k)
	lo, hi := math.Inf(-1), math.Inf(1)
	u := 0.0
	for range 200 {
		p, n := s.moments(next, len(s.a)-1, u), s.moments(0, k, u)
		value := logQuotient(p.value, n.value) - float64((p.from-n.from)*u)
		slope := (n.mean - p.mean) - (p.from - n.from)
		switch {
		case value == 0:
			return u
		case !isFinite(value) || !isFinite(slope):
			// One of the two sums has vanished: u is far on the side where
			// the other one prevails.
			if u > 0 {
				hi = min(hi, u)
			} else {
				lo = max(lo, u)
			}
			u = middle(lo, hi)
			continue
		case value > 0:
			lo = max(lo, u+value/longest)
			hi = min(hi, u+value/shortest)
		default:
			hi = min(hi, u+value/longest)
			lo = max(lo, u+value/shortest)
		}
		step := -value / slope
		if bend := step * (p.variance - n.variance) / (2 * slope); math.Abs(bend) < 0.5 {
			step /= 1 + bend
		}
		// Distances up to L have a variance of at most L times their mean, and a third
		// moment of at most L² times it. So the second derivative of g is at most L
		// times the first, the third L² times, and the error that this step leaves is
		// below L²/2 times its third power, once it is small.
		if math.Abs(step) <= 0x1p-52*math.Abs(u) || math.Abs(step*step*step)*longest*longest <= max(0x1p-54*max(math.Abs(u), 0x1p-30), within) {
			return u + step
		}
		u += step
		if !(u >= lo && u <= hi) {
			u = middle(lo, hi)
		}
	}
	return u
}

func middle(lo, hi float64) float64 {
	switch {
	case math.IsInf(lo, -1):
		return min(2*hi, hi/2) - 1
	case math.IsInf(hi, 1):
		return max(2*lo, lo/2) + 1
	}
	return lo + (hi-lo)/2
}

// The moments of some terms of a series at some u: their sum, multiplied by a power
// of e that leaves the amount at the time from as it is and makes the others smaller; mean
// and variance are those of the times, counted from there and weighted with the terms.
type moments struct{ value, from, mean, variance float64 }

// moments adds up the terms from index first to last, whose amounts have one sign.
func (s series) moments(first, last int, u float64) moments {
	from, direction := first, 1.0
	if u < 0 {
		from, direction = last, -1
	}
	if first == last {
		return moments{value: s.a[first], from: s.at(first)}
	}
	var value, d1, d2 float64 // Σ term, Σ distance·term, Σ distance²·term
	if s.t == nil {
		value, d1, d2 = periodicSums(s.a[first:last+1], u)
	} else {
		for i, a := range s.a[first : last+1] {
			d := s.t[first+i] - s.t[from]
			if u != 0 {
				a *= math.Exp(-d * u)
			}
			value += a
			d *= direction
			d1 += float64(d * a)
			d2 += float64(d * d * a)
		}
	}
	mean := d1 / value
	return moments{value, s.at(from), direction * mean, d2/value - float64(mean*mean)}
}

func periodicSums(a []float64, u float64) (value, d1, d2 float64) {
	z := 1.0
	if u != 0 {
		z = math.Exp(-math.Abs(u))
	}
	if u >= 0 {
		for _, v := range slices.Backward(a) {
			d2 = float64(d2*z) + d1
			d1 = float64(d1*z) + value
			value = float64(value*z) + v
		}
	} else {
		for _, v := range a {
			d2 = float64(d2*z) + d1
			d1 = float64(d1*z) + value
			value = float64(value*z) + v
		}
	}
	// From the derivatives by z to sums of distances.
	d1 *= z
	return value, d1, d1 + float64(2*d2*z*z)
}

// logQuotient returns ln|p/q|, also where the quotient itself is out of range.
func logQuotient(p, q float64) float64 {
	r := math.Abs(p / q)
	if r > 0 && !math.IsInf(r, 0) {
		return math.Log(r)
	}
	return math.Log(math.Abs(p)) - math.Log(math.Abs(q))
}

// rates finds the rates, by way of the roots in u where [isolate] does not. Nearer to
// -1 than float64 can tell they become the smallest rate above -1. overflow reports
// that a root is beyond the largest float64; such roots are left out.
func (s series) rates(changes, last int) (out []float64, overflow bool) {
	if s.t == nil && (changes > 1 && len(s.a) <= few || changes == 1 && len(s.a) <= few/2) {
		if out, ok := isolate(s.a, changes); ok {
			return slices.Compact(out), false
		}
	}
	out = s.roots(changes, last)
	for i, u := range out {
		out[i] = max(math.Expm1(u), lowestRate)
		if math.IsInf(out[i], 1) { // and with it all that follow
			return slices.Compact(out[:i]), true
		}
	}
	return slices.Compact(out), false
}

// lowestRate is the smallest float64 above -1.
const lowestRate = -1 + 0x1p-53
