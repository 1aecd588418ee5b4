// Package key joins names to idempotency keys and takes keys apart again.
package key

import "strings"

var (
	escaper   = strings.NewReplacer("%", "%25", "/", "%2F")
	unescaper = strings.NewReplacer("%25", "%", "%2F", "/")
)

// Join returns the parts with "/" between them. Slashes and percent signs within a
// part become %2F and %25, so that lists of parts that differ, of one or more, have
// different keys.
func Join(parts ...string) string {
	size := len(parts)
	for _, p := range parts {
		size += len(p)
	}
	var b strings.Builder
	b.Grow(size)
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escaper.Replace(p))
	}
	return b.String()
}

// Split returns the parts of a key that Join made; of another text what is between
// its slashes.
func Split(key string) []string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = unescaper.Replace(p)
	}
	return parts
}
