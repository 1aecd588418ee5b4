package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// SecretRef says where a secret is: in a variable of the environment, {env: NAME},
// or in a file, {file: path}. A secret may also stand in its place, which is
// warned of. The zero value is no secret.
type SecretRef struct {
	Env  string
	File string // relative to the file that names it
	text adapters.Secret
}

// Secrets finds secrets.
type Secrets struct {
	Env  func(name string) (string, bool)
	File func(path string) ([]byte, error)
}

// UnmarshalJSON reads a text, {"env": NAME} or {"file": path}.
func (s *SecretRef) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		s.text = adapters.NewSecret(text)
		return nil
	}
	var place struct{ Env, File string }
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	// The text of an error might show the secret: say what is wanted instead.
	if err := decoder.Decode(&place); err != nil || (place.Env == "") == (place.File == "") {
		return errors.New("want {env: NAME} or {file: path}")
	}
	s.Env, s.File = place.Env, place.File
	return nil
}

// IsZero reports whether there is no secret.
func (s SecretRef) IsZero() bool { return s == SecretRef{} }

// holdsSecret reports whether a value of the type has a secret in it, be it further
// in.
func holdsSecret(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[SecretRef]() || t == reflect.TypeFor[TokenHash]() {
		return true
	}
	return t.Kind() == reflect.Struct && slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return f.IsExported() && f.Type != t && holdsSecret(f.Type)
	})
}

// Find returns the secret, which is none for the zero value. The error names the variable
// or the file, never what is in it.
func (s SecretRef) Find(from Secrets) (adapters.Secret, error) {
	switch {
	case s.Env != "":
		if text, ok := from.Env(s.Env); ok && text != "" {
			return adapters.NewSecret(text), nil
		}
		return adapters.Secret{}, fmt.Errorf("the variable %s is not set", s.Env)
	case s.File != "":
		data, err := from.File(s.File)
		if err != nil {
			return adapters.Secret{}, fmt.Errorf("file %q: %w", s.File, err)
		}
		text := strings.TrimRight(string(data), "\r\n")
		if text == "" {
			return adapters.Secret{}, fmt.Errorf("file %q is empty", s.File)
		}
		return adapters.NewSecret(text), nil
	default:
		return s.text, nil
	}
}

// secret resolves a reference, with what is wrong with it at its path.
func (d *Document) secret(path string, ref SecretRef, from Secrets) adapters.Secret {
	found, err := ref.Find(from)
	if err != nil {
		d.Fail(path, "missing_secret", "%v", err)
	}
	d.inline(path, ref)
	return found
}

// inline warns of a secret that stands in the file.
func (d *Document) inline(path string, ref SecretRef) {
	if !ref.text.IsZero() {
		d.Warn(path, "inline_secret", "the secret stands in the file, want {env: NAME} or {file: path}")
	}
}
