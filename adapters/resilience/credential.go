package resilience

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Credential signs requests. Implementations are safe for concurrent use.
type Credential interface {
	// Apply signs a request, which is the caller's own copy.
	Apply(r *http.Request) error
	// Renew gets a new credential after the vendor has refused the one of r; false
	// if there is no other way to sign.
	Renew(ctx context.Context, r *http.Request) (bool, error)
	// ID tells credentials apart without giving them away; breakers and budgets go by it.
	// It stays the same as long as the credential lives.
	ID() string
}

// Basic returns a credential of user and password (RFC 7617).
func Basic(user string, password adapters.Secret) Credential {
	text := base64.StdEncoding.EncodeToString([]byte(user + ":" + password.Reveal()))
	return Header("Authorization", adapters.NewSecret("Basic "+text))
}

// Bearer returns a credential of one token (RFC 6750).
func Bearer(token adapters.Secret) Credential {
	return Header("Authorization", adapters.NewSecret("Bearer "+token.Reveal()))
}

// Header returns a credential that is the value of a header.
func Header(name string, value adapters.Secret) Credential {
	return &static{name: http.CanonicalHeaderKey(name), value: value, id: digest(name, value.Reveal())}
}

// static is a credential that stays as it is.
type static struct {
	name  string
	value adapters.Secret
	id    string
}

// Apply sets the header.
func (s *static) Apply(r *http.Request) error {
	r.Header[s.name] = []string{s.value.Reveal()}
	return nil
}

// Renew has nothing else to offer.
func (*static) Renew(context.Context, *http.Request) (bool, error) { return false, nil }

// ID returns a digest.
func (s *static) ID() string { return s.id }

// salt makes digests useless outside of the process, where passwords could be tried
// against them.
var salt = rand.Text()

// digest returns 12 characters that differ where a field does.
func digest(fields ...string) string {
	h := sha256.New()
	for _, field := range append([]string{salt}, fields...) {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
