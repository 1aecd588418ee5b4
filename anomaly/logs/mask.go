package logs

import "strings"

// The functions of this file look at a value that may begin at a place of a line
// and return where it ends, 0 if it is none. Each looks at a bounded stretch or
// goes on no further than the value, so a scan is linear.

// farthest is how far a closing bracket or apostrophe is looked for.
const farthest = 256

// list is a bracketed list of items, each with a digit and without blanks inside.
func list(in string, i int) int {
	stop := min(len(in), i+4*farthest)
	item, gap := false, false // a digit in this item, a blank after its beginning
	begun := false
	for j := i + 1; j < stop; j++ {
		switch c := in[j]; {
		case c == ']':
			if !item {
				return 0
			}
			return j + 1
		case c == ',':
			if !item {
				return 0
			}
			item, gap, begun = false, false, false
		case c == ' ':
			gap = begun
		case c == '[' || gap:
			return 0
		default:
			begun = true
			item = item || is(c, digit)
		}
	}
	return 0
}

// quoted is a string in double quotes; a backslash takes the next byte along.
func quoted(in string, i int) int {
	for j := i + 1; j < len(in); j++ {
		switch in[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return 0
}

// apostrophes is a string in single quotes that ends before a boundary.
func apostrophes(in string, i int) int {
	for j := i + 1; j < min(len(in), i+farthest); j++ {
		if in[j] == '\'' && j > i+1 && boundary(in, j+1) {
			return j + 1
		}
	}
	return 0
}

// uuid looks at 36 bytes.
func uuid(s string) bool {
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !is(s[i], digit|hexLetter) {
			return false
		}
	}
	return true
}

// hexEnd returns the end of the run of hexadecimal digits.
func hexEnd(in string, i int) int {
	for i < len(in) && is(in[i], digit|hexLetter) {
		i++
	}
	return i
}

// digits returns the end of the run of digits.
func digits(in string, i int) int {
	for i < len(in) && is(in[i], digit) {
		i++
	}
	return i
}

// run returns i+n if exactly n digits stand at i, else 0.
func run(in string, i, n int) int {
	if digits(in, i) == i+n {
		return i + n
	}
	return 0
}

// at reports whether the byte c stands at i.
func at(in string, i int, c byte) bool { return i < len(in) && in[i] == c }

// timestamp is a date, a time of day, or a date and a time:
//
//	2026-11-10T09:51:45.123Z  2026/11/10 09:51:45,123  20:15:00.5
//	10/Oct/2000:13:55:36 -0700
func timestamp(in string, i int) int {
	d := digits(in, i)
	switch d - i {
	case 4:
		return isoDate(in, i)
	case 1, 2:
		if at(in, d, '/') {
			return commonDate(in, d)
		}
		if at(in, d, ':') {
			if e := clock(in, i); e > 0 && boundary(in, e) {
				return e
			}
		}
	}
	return 0
}

func isoDate(in string, i int) int {
	i += 4
	if !at(in, i, '-') && !at(in, i, '/') {
		return 0
	}
	separator := in[i]
	i = run(in, i+1, 2)
	if i == 0 || !at(in, i, separator) {
		return 0
	}
	i = run(in, i+1, 2)
	if i == 0 {
		return 0
	}
	if at(in, i, 'T') || at(in, i, ' ') || at(in, i, '_') {
		if e := clock(in, i+1); e > 0 && boundary(in, e) {
			return e
		}
	}
	if boundary(in, i) {
		return i
	}
	return 0
}

// clock is hh:mm:ss with fraction and zone.
func clock(in string, i int) int {
	i = digits(in, i)
	if !at(in, i, ':') {
		return 0
	}
	if i = run(in, i+1, 2); i == 0 || !at(in, i, ':') {
		return 0
	}
	if i = run(in, i+1, 2); i == 0 {
		return 0
	}
	if (at(in, i, '.') || at(in, i, ',')) && i+1 < len(in) && is(in[i+1], digit) {
		i = digits(in, i+1)
	}
	switch {
	case at(in, i, 'Z'):
		return i + 1
	case at(in, i, '+') || at(in, i, '-'):
		if e := run(in, i+1, 4); e > 0 {
			return e
		}
		if e := run(in, i+1, 2); e > 0 {
			if at(in, e, ':') {
				if e2 := run(in, e+1, 2); e2 > 0 {
					return e2
				}
			}
			return e
		}
	}
	return i
}

// commonDate is the rest of 10/Oct/2000:13:55:36 -0700 from the first slash, the
// time of the common log format.
func commonDate(in string, i int) int {
	if i+8 >= len(in) || month(in[i+1:i+4]) == 0 || in[i+4] != '/' {
		return 0
	}
	i = run(in, i+5, 4)
	if i == 0 || !at(in, i, ':') {
		return 0
	}
	if i = clock(in, i+1); i == 0 {
		return 0
	}
	if at(in, i, ' ') && (at(in, i+1, '+') || at(in, i+1, '-')) {
		if e := run(in, i+2, 4); e > 0 {
			i = e
		}
	}
	return i
}

// syslogTime is Nov 30 15:22:01, or Sun Nov 30 15:22:01 2026, at a word of three
// letters (RFC 3164, section 4.1.2; C's ctime).
func syslogTime(in string, i int) int {
	if len(in)-i < 15 || in[i+3] != ' ' {
		return 0
	}
	ctime := false
	if weekday(in[i : i+3]) {
		ctime = true
		i += 4
	}
	if len(in)-i < 15 || month(in[i:i+3]) == 0 || in[i+3] != ' ' {
		return 0
	}
	i += 4
	if in[i] == ' ' {
		i++
	}
	day := digits(in, i)
	if day == i || day > i+2 || !at(in, day, ' ') {
		return 0
	}
	e := clock(in, day+1)
	if e == 0 || !boundary(in, e) {
		return 0
	}
	if ctime && at(in, e, ' ') {
		if year := run(in, e+1, 4); year > 0 {
			return year
		}
	}
	return e
}

// names finds a word of three letters and returns its number from 1.
func names(all, s string) int {
	if i := strings.Index(all, s); i >= 0 && i%3 == 0 {
		return i/3 + 1
	}
	return 0
}

func month(s string) int { return names("JanFebMarAprMayJunJulAugSepOctNovDec", s) }

func weekday(s string) bool { return names("MonTueWedThuFriSatSun", s) > 0 }

// address4 is four numbers up to 255 with dots, and a port or a prefix length.
func address4(in string, i int) int {
	for part := range 4 {
		if part > 0 {
			if !at(in, i, '.') {
				return 0
			}
			i++
		}
		e, n := i, 0
		for ; e < len(in) && e < i+3 && is(in[e], digit); e++ {
			n = n*10 + int(in[e]-'0')
		}
		if e == i || n > 255 {
			return 0
		}
		i = e
	}
	if at(in, i, '/') || at(in, i, ':') {
		if e := digits(in, i+1); e > i+1 && boundary(in, e) {
			return e
		}
	}
	if !boundary(in, i) {
		return 0
	}
	return i
}

// address6 is an IPv6 address as of RFC 4291, section 2.2, without dotted part; a
// prefix length or a zone may follow. At least one group has to be there.
func address6(in string, i int) int {
	groups, short := 0, false
	if strings.HasPrefix(in[i:], "::") {
		short = true
		i += 2
	}
	for groups < 8 {
		e := i
		for e < len(in) && e < i+5 && is(in[e], digit|hexLetter) {
			e++
		}
		if e == i || e > i+4 {
			break
		}
		groups++
		i = e
		if !at(in, i, ':') {
			break
		}
		if at(in, i+1, ':') {
			if short {
				return 0
			}
			short = true
			i += 2
			continue
		}
		if groups == 8 {
			break
		}
		if i+1 >= len(in) || !is(in[i+1], digit|hexLetter) {
			break // the colon is not part of it
		}
		i++
	}
	if groups == 0 || short == (groups == 8) {
		return 0
	}
	if at(in, i, '/') || at(in, i, '%') {
		j := i + 1
		for j < len(in) && !is(in[j], blank|sign) {
			j++
		}
		i = j
	}
	if !boundary(in, i) {
		return 0
	}
	return i
}

// hardware is six groups of two hexadecimal digits with colons or hyphens.
func hardware(in string, i int) int {
	if i+17 > len(in) || in[i+2] != ':' && in[i+2] != '-' || !boundary(in, i+17) {
		return 0
	}
	for k := range 17 {
		c := in[i+k]
		if k%3 == 2 {
			if c != in[i+2] {
				return 0
			}
		} else if !is(c, digit|hexLetter) {
			return 0
		}
	}
	if at(in, i+17, ':') {
		return 0
	}
	return i + 17
}

// mostThousands is how many groups of three digits a number has: 10^48 and more is none.
// Without a bound a line of such groups would be looked at from each of them to its end.
const mostThousands = 16

// number is a number within in[i:end] that fills it but for a unit: 12, -1.5e3,
// 16MB/s, 53m1s, 1.16.20, 80%; then thousands behind commas, or a unit behind a
// blank.
func number(in string, i, end int) int {
	if c := in[i]; c == '-' || c == '+' {
		i++
	}
	j := i
	for j < end && is(in[j], digit|dot) {
		j++
	}
	switch {
	case j < end && !unit(in[j:end]):
		return 0
	case j < end:
		return end
	}
	for group := 0; group < mostThousands && at(in, j, ','); group++ {
		e := run(in, j+1, 3)
		if e == 0 {
			break
		}
		j = e
	}
	if at(in, j, '.') && j+1 < len(in) && is(in[j+1], digit) { // 1,234.5
		j = digits(in, j+1)
	}
	if j > end && !boundary(in, j) {
		return end
	}
	if at(in, j, ' ') {
		e := j + 1
		for e < len(in) && !is(in[e], blank|sign|digit) {
			e++
		}
		if word := in[j+1 : e]; e > j+1 && len(word) <= len("microseconds") && detached(word) && boundary(in, e) {
			return e
		}
	}
	return j
}

// unit is what may follow a number directly: up to four letters and signs, an
// exponent, or a duration such as m1s of 53m1s.
func unit(s string) bool {
	if len(s) > 16 {
		return false
	}
	letters := 0
	for i := range len(s) {
		switch c := s[i]; {
		case is(c, letter|hexLetter) || c == '%' || c == '/':
			if letters++; letters > 4 {
				return false
			}
		case c == '-' || c == '+':
			if s[0]|0x20 != 'e' || i != 1 {
				return false
			}
		case is(c, digit|dot):
			// A digit follows a unit of time, or is an exponent.
			if i == 0 || !is(s[i-1], digit|dot) && s[i-1] != '-' && s[i-1] != '+' && !timeUnit(s[i-1]) {
				return false
			}
			letters = 0
		default:
			return false
		}
	}
	return true
}

// timeUnit reports the letters a number in a duration may follow: hours to
// nanoseconds, days, and e for an exponent.
func timeUnit(c byte) bool {
	switch c | 0x20 {
	case 'h', 'm', 's', 'u', 'n', 'd', 'e':
		return true
	}
	return false
}

// detached are the units that may stand behind a blank.
func detached(s string) bool {
	switch s {
	case "ns", "us", "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "h", "hour", "hours",
		"day", "days", "week", "weeks", "millisecond", "milliseconds", "microseconds", "nanoseconds",
		"B", "byte", "bytes", "kB", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "bit", "bits",
		"bps", "kbps", "Kbps", "Mbps", "Gbps", "B/s", "kB/s", "KB/s", "MB/s", "GB/s", "Hz", "kHz", "MHz", "GHz",
		"%", "percent", "rpm", "C", "F", "V", "W":
		return true
	}
	return false
}

// path is a file name or a URL; end is the end of its first chunk.
func path(in string, i, end int, seen uint8) int {
	url := end+2 < len(in) && in[end:end+3] == "://"
	s := in[i:end]
	switch c := s[0]; {
	case url:
	case c == '/' && len(s) > 1:
	case strings.HasPrefix(s, "./"), strings.HasPrefix(s, "../"), strings.HasPrefix(s, "~/"):
	case seen&(digit|dot) != 0 && is(c, letter|hexLetter|digit):
	case strings.Count(s, "/") > 1 && is(c, letter|hexLetter):
	default:
		return 0
	}
	j := end
	if url {
		j += 3
	}
	for j < len(in) {
		c := in[j]
		if is(c, blank) || c == '"' || c == ')' || c == ']' || c == ',' && (j+1 >= len(in) || is(in[j+1], blank)) {
			break
		}
		if c == ':' && (j+1 >= len(in) || !is(in[j+1], digit|letter|hexLetter|slash)) {
			break
		}
		j++
	}
	for j > end && (ending(in[j-1]) || in[j-1] == ':' || in[j-1] == ',') {
		j--
	}
	return j
}

// host is two or more labels with dots and a letter among them. A last label that
// begins with a capital is the name of a class, and a word.
func host(s string) bool {
	letters, label, labels := false, 0, 1
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			labels++
		case is(c, letter|hexLetter):
			if label == 0 && c >= 'A' && c <= 'Z' && labels > 1 && strings.IndexByte(s[i:], '.') < 0 {
				return false
			}
			letters = true
			label++
		case is(c, digit) || c == '-' || c == '_':
			label++
		default:
			return false
		}
	}
	return letters && label > 0 && labels > 1
}

// port is the end of a port, or of a line number, behind a host.
func port(in string, i int) int {
	if at(in, i, ':') {
		if e := digits(in, i+1); e > i+1 && boundary(in, e) {
			return e
		}
	}
	return i
}

// level reports a severity in capitals.
func level(s string) bool {
	switch s {
	case "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "SEVERE", "CRITICAL", "CRIT", "ALERT", "FATAL",
		"PANIC", "EMERG", "EMERGENCY":
		return true
	}
	return false
}

// levelName reports a severity in small or mixed letters.
func levelName(s string) bool {
	if len(s) > len("emergency") {
		return false
	}
	var upper [len("emergency")]byte
	for i := range len(s) {
		upper[i] = s[i] &^ 0x20
	}
	switch string(upper[:len(s)]) {
	case "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "SEVERE", "CRITICAL", "CRIT", "ALERT", "FATAL",
		"PANIC", "EMERG", "EMERGENCY":
		return true
	}
	return false
}
