package interval

import (
	"errors"
	"fmt"
	"time"
)

// Set is named intervals. An instant lies in a name if it lies in one of its
// intervals.
type Set map[string][]Interval

// ErrUnknown is returned, wrapped, for a name that is not in a [Set].
var ErrUnknown = errors.New("no such time interval")

// Holding returns those of the names that hold the instant, in their order.
// Alertmanager names one as often as it has intervals that hold; here it is once.
func (s Set) Holding(names []string, at time.Time) ([]string, error) {
	var holding []string
	for _, name := range names {
		list, ok := s[name]
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
		}
		for i := range list {
			if list[i].Contains(at) {
				holding = append(holding, name)
				break
			}
		}
	}
	return holding, nil
}
