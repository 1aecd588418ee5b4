package sample

import (
	"math"
	"math/rand/v2"
)

// betaSampler draws from the beta distribution with both shapes at least 1.
//
// The method is algorithm BB of R. C. H. Cheng, "Generating beta variates with
// nonintegral shape parameters", Communications of the ACM 21(4), 1978, pages
// 317-322: rejection from a log-logistic distribution, at most about 1.5 rounds
// per value. It needs shapes above 1; with a shape of exactly 1 the
// distribution function is a power and is inverted instead.
type betaSampler struct {
	small, large  float64 // the two shapes, ordered
	swapped       bool    // small is the second shape
	lambda, gamma float64
}

func newBetaSampler(a, b float64) betaSampler {
	s := betaSampler{small: a, large: b}
	if b < a {
		s = betaSampler{small: b, large: a, swapped: true}
	}
	sum := a + b
	if s.small > 1 {
		s.lambda = math.Sqrt((sum - 2) / (2*a*b - sum))
		s.gamma = s.small + 1/s.lambda
	}
	return s
}

func (s *betaSampler) draw(src rand.Source) float64 {
	x := 0.0
	if s.small > 1 {
		x = s.cheng(src)
	} else {
		// Shapes (1, b): 1-(1-x)^b inverted; with 1-u as good as u.
		x = -math.Expm1(math.Log(unit(src)) / s.large)
	}
	if s.swapped {
		return 1 - x
	}
	return x
}

func (s *betaSampler) cheng(src rand.Source) float64 {
	const log4, onePlusLog5 = 2 * math.Ln2, 2.6094379124341003 // 1 + ln 5
	sum := s.small + s.large
	for {
		u1, u2 := unit(src), unit(src)
		v := s.lambda * math.Log(u1/(1-u1))
		w := s.small * math.Exp(v)
		z := u1 * u1 * u2
		r := float64(s.gamma*v) - log4
		accept := s.small + r - w
		if accept+onePlusLog5 < float64(5*z) {
			t := math.Log(z)
			if accept < t && r+float64(sum*math.Log(sum/(s.large+w))) < t {
				continue
			}
		}
		return w / (s.large + w)
	}
}
