package report

import "time"

// Spark is a small line without axes, for a cell of a table or beside a number. Values
// are at equal distances; NaN is a gap.
type Spark struct {
	ID      string // unique on the page
	Title   string
	Summary string // the message in words, for those who do not see it
	Values  []float64
	Limit   float64 // drawn where it lies between the values; NaN for none
}

// The drawing of a spark, in user units.
const sparkWidth, sparkHeight, sparkEdge = 120.0, 28.0, 3.0

// SVG draws the spark as an inline SVG element. What does not vary is in the middle.
func (s Spark) SVG() string {
	var m markup
	beginDrawing(&m, "spark", s.ID, s.Title, s.Summary, sparkWidth, sparkHeight)
	points := make([]Point, len(s.Values))
	low, high, known := 0.0, 0.0, false
	for i, v := range s.Values {
		points[i] = Point{At: time.Unix(int64(i), 0), Value: v} // its place, which thinning keeps
		if !finite(v) {
			continue
		}
		if !known {
			low, high, known = v, v, true
		}
		low, high = min(low, v), max(high, v)
	}
	y := func(v float64) float64 {
		if high == low {
			return sparkHeight / 2
		}
		return sparkHeight - sparkEdge - (v-low)/(high-low)*(sparkHeight-2*sparkEdge)
	}
	if finite(s.Limit) && known && s.Limit >= low && s.Limit <= high {
		m.empty("path", "class", "limit", "d", "M0 "+coordinate(y(s.Limit))+"H"+coordinate(sparkWidth))
	}
	last := float64(max(len(points)-1, 1))
	points = thin(points)
	var path shape
	command := byte('M')
	for _, p := range points {
		if !finite(p.Value) {
			command = 'M'
			continue
		}
		path.move(command, sparkEdge+float64(p.At.Unix())/last*(sparkWidth-2*sparkEdge), y(p.Value))
		command = 'L'
	}
	if len(path) > 0 {
		m.empty("path", "d", path.String())
	}
	m.end()
	return m.String()
}
