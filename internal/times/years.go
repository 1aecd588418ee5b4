package times

import "strconv"

// Years says a time in years as one says it: in hours below a day, in days below two
// months, in months below two years, with one decimal. A year has 365 days and 12 months.
func Years(years float64) string {
	const days, months = 365, 12
	n, unit := years, " years"
	switch {
	case n == 0:
		return "0 days"
	case n < 1.0/days:
		n, unit = n*days*24, " hours"
	case n < 2.0/months:
		n, unit = n*days, " days"
	case n < 2:
		n, unit = n*months, " months"
	}
	return strconv.FormatFloat(n, 'f', 1, 64) + unit
}
