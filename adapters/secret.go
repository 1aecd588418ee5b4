package adapters

import (
	"fmt"
	"log/slog"
)

// Secret is a text that does not show itself when it is printed, logged or
// encoded, by any verb and as an unexported field of something else either. Reveal
// is the one way to its content. The zero value is no secret.
type Secret struct {
	text *string // fmt does not follow a pointer that is inside of something
}

const redacted = "[redacted]"

// NewSecret keeps a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == nil }

// Format hides the text from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String hides the text.
func (Secret) String() string { return redacted }

// LogValue hides the text.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the text.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
