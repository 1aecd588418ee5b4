package interval_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/interval"
)

func Example() {
	var hours interval.Interval
	err := json.Unmarshal([]byte(`{
		"times": [{"start_time": "09:00", "end_time": "17:00"}],
		"weekdays": ["monday:friday"],
		"location": "Europe/Amsterdam"
	}`), &hours)
	if err != nil {
		panic(err)
	}
	set := interval.Set{"office hours": {hours}}
	for _, at := range []time.Time{
		time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), // a Monday
		time.Date(2026, 3, 2, 7, 59, 0, 0, time.UTC),
		time.Date(2026, 3, 7, 8, 0, 0, 0, time.UTC),
	} {
		names, err := set.Holding([]string{"office hours"}, at)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s %q excluded by %q\n", at.Format("Mon 15:04"), names, hours.Excludes(at))
	}
	// Output:
	// Mon 08:00 ["office hours"] excluded by ""
	// Mon 07:59 [] excluded by "times"
	// Sat 08:00 [] excluded by "weekdays"
}
