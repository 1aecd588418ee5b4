package resilience

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxHint is the longest wait that is believed.
const maxHint = 24 * time.Hour

// Hint returns how long the vendor asks to wait, counted from now, the moment at
// which its answer came: from 0 to 24 hours. The first header that can be read
// counts:
//
//	Retry-After        seconds, whole or decimal, or an HTTP date (RFC 9110, section 10.2.3)
//	RateLimit-Reset    seconds (IETF draft-ietf-httpapi-ratelimit-headers; PagerDuty)
//	X-RateLimit-Reset  from 10^12 milliseconds and from 10^9 seconds since 1970, below that a
//	                   distance in seconds; RFC 3339, also without seconds (Jira)
//
// Instants are compared with the Date of the answer if there is one, as clocks
// differ. What is negative or unreadable is no hint; what is past is 0.
func Hint(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	date := dateOr(h, now)
	if wait, ok = retryAfter(h.Get("Retry-After"), date); ok {
		return wait, true
	}
	return reset(h, date)
}

func dateOf(h http.Header) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

func dateOr(h http.Header, now time.Time) time.Time {
	if date := dateOf(h); !date.IsZero() {
		return date
	}
	return now
}

func retryAfter(text string, date time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if wait, ok := seconds(text); ok {
		return wait, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return within(at.Sub(date)), true
}

// reset reads when an allowance begins anew.
func reset(h http.Header, date time.Time) (time.Duration, bool) {
	if wait, ok := seconds(strings.TrimSpace(h.Get("RateLimit-Reset"))); ok {
		return wait, true
	}
	text := strings.TrimSpace(h.Get("X-RateLimit-Reset"))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		switch {
		case n < 0:
			return 0, false
		case n >= 1e12:
			return within(time.UnixMilli(n).Sub(date)), true
		case n >= 1e9:
			return within(time.Unix(n, 0).Sub(date)), true
		}
	}
	if wait, ok := seconds(text); ok {
		return wait, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return within(at.Sub(date)), true
		}
	}
	return 0, false
}

// seconds reads digits with at most one point between them, rounded up to whole
// nanoseconds. Signs, exponents and names of numbers are none.
func seconds(text string) (time.Duration, bool) {
	whole, part, point := strings.Cut(text, ".")
	if !digits(whole) || point && !digits(part) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64(maxHint/time.Second) {
		return maxHint, true
	}
	wait := time.Duration(n) * time.Second
	if part != "" {
		f, _ := strconv.ParseFloat("0."+part, 64) // of digits only
		wait += time.Duration(f * float64(time.Second))
	}
	return within(wait), true
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func within(wait time.Duration) time.Duration { return min(max(wait, 0), maxHint) }

// remaining reads what is left of an allowance, and of how much; 0 if that is not said.
func remaining(h http.Header) (left, limit int, ok bool) {
	text, of := h["Ratelimit-Remaining"], "Ratelimit-Limit" // as net/http writes them
	if text == nil {
		text, of = h["X-Ratelimit-Remaining"], "X-Ratelimit-Limit"
	}
	if text == nil {
		return 0, 0, false
	}
	left, err := strconv.Atoi(strings.TrimSpace(text[0]))
	if err != nil || left < 0 {
		return 0, 0, false
	}
	if most := h[of]; most != nil {
		limit, _ = strconv.Atoi(strings.TrimSpace(most[0])) // 0 if unreadable
	}
	return left, limit, true
}
