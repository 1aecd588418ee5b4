package alertmanager

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// scanWebhook reads a webhook in the form in which Alertmanager writes it, several
// times as fast as encoding/json and to the same result. It reports false for all
// else: other fields, null, fields twice, invalid text. Its strings are parts of one.
func scanWebhook(body []byte, w *Webhook) bool {
	if !utf8.Valid(body) {
		return false
	}
	s := scanner{text: string(body), ok: true}
	s.object(func(key string) uint {
		switch key {
		case "receiver":
			w.Receiver = s.string()
			return 1
		case "status":
			w.Status = s.string()
			return 2
		case "alerts":
			w.Alerts = []Alert{}
			s.array(func() {
				w.Alerts = append(w.Alerts, Alert{})
				s.alert(&w.Alerts[len(w.Alerts)-1])
			})
			return 3
		case "groupLabels":
			w.GroupLabels = s.labels()
			return 4
		case "commonLabels":
			w.CommonLabels = s.labels()
			return 5
		case "commonAnnotations":
			w.CommonAnnotations = s.labels()
			return 6
		case "routeLabels":
			w.RouteLabels = s.labels()
			return 7
		case "notification_reason":
			w.Reason = s.string()
			return 8
		case "externalURL":
			w.ExternalURL = s.string()
			return 9
		case "version":
			w.Version = s.string()
			return 10
		case "groupKey":
			w.GroupKey = s.string()
			return 11
		case "truncatedAlerts":
			w.Truncated = s.count()
			return 12
		}
		return unknown
	})
	s.space()
	return s.ok && s.at == len(s.text)
}

func (s *scanner) alert(a *Alert) {
	s.object(func(key string) uint {
		switch key {
		case "status":
			a.Status = s.string()
			return 1
		case "labels":
			a.Labels = s.labels()
			return 2
		case "annotations":
			a.Annotations = s.labels()
			return 3
		case "startsAt":
			a.StartsAt = s.time()
			return 4
		case "endsAt":
			a.EndsAt = s.time()
			return 5
		case "generatorURL":
			a.GeneratorURL = s.string()
			return 6
		case "fingerprint":
			a.Fingerprint = s.string()
			return 7
		}
		return unknown
	})
}

// scanner reads JSON. Once ok is false nothing it returns counts.
type scanner struct {
	text string
	at   int
	ok   bool
}

// unknown is what stands for a field that is not known.
const unknown uint = 0

// space skips blanks and returns the next byte, 0 at the end.
func (s *scanner) space() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) {
	if s.space() != c {
		s.ok = false
		return
	}
	s.at++
}

// more reports whether another element follows, after the first.
func (s *scanner) more(first bool, end byte) bool {
	switch c := s.space(); {
	case !s.ok:
		return false
	case c == end:
		s.at++
		return false
	case first:
		return true
	}
	s.take(',')
	return s.ok
}

// object reads the members of an object; field reads a value and returns the number
// of its field.
func (s *scanner) object(field func(key string) uint) {
	var seen uint
	s.take('{')
	for first := true; s.more(first, '}'); first = false {
		key := s.string()
		s.take(':')
		if !s.ok {
			return
		}
		n := field(key)
		if n == unknown || seen&(1<<n) != 0 {
			s.ok = false
		}
		seen |= 1 << n
	}
}

func (s *scanner) array(element func()) {
	s.take('[')
	for first := true; s.more(first, ']'); first = false {
		element()
	}
}

// labels reads an object of texts.
func (s *scanner) labels() map[string]string {
	labels := make(map[string]string, 8)
	s.take('{')
	for first := true; s.more(first, '}'); first = false {
		key := s.string()
		s.take(':')
		labels[key] = s.string()
	}
	return labels
}

// string reads a text.
func (s *scanner) string() string {
	s.take('"')
	if !s.ok {
		return ""
	}
	start, escaped := s.at, false
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			text := s.text[start:s.at]
			s.at++
			if escaped {
				var plain string
				s.ok = json.Unmarshal([]byte(s.text[start-1:s.at]), &plain) == nil
				return plain
			}
			return text
		case c == '\\':
			escaped = true
			s.at++
		case c < ' ':
			s.ok = false
			return ""
		}
	}
	s.ok = false
	return ""
}

// time reads an instant.
func (s *scanner) time() time.Time {
	var at time.Time
	text := s.string()
	if s.ok {
		s.ok = at.UnmarshalText([]byte(text)) == nil
	}
	return at
}

// count reads a whole number without sign, point and exponent.
func (s *scanner) count() uint64 {
	s.space()
	digits := s.text[s.at:]
	digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
	s.at += len(digits)
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(digits) > 1 && digits[0] == '0' {
		s.ok = false
	}
	return n
}
