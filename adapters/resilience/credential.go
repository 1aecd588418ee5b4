package resilience

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

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
	value := adapters.NewSecret("Basic " + text)
	return &static{name: "Authorization", value: value, part: password, id: digest("Authorization", value.Reveal())}
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
	part  adapters.Secret // that is a secret by itself; zero for none
	id    string
}

// secrets are what must not be shown: the value, and what is in it.
func (s *static) secrets() []string {
	all := []string{s.value.Reveal(), s.part.Reveal()}
	for _, before := range []string{" ", "token="} { // "Bearer …", "Token token=…"
		if _, after, ok := strings.Cut(s.value.Reveal(), before); ok {
			all = append(all, after)
		}
	}
	return all
}

// hide takes what a credential is made of, and other secrets, out of a text, for vendors
// that repeat what they were sent. A secret of less than 6 characters stays: it would be in words.
func hide(c Credential, more []adapters.Secret, text string) string {
	if text == "" {
		return text
	}
	take := func(secret string) {
		if len(secret) >= 6 {
			text = strings.ReplaceAll(text, secret, adapters.Secret{}.String())
		}
	}
	if keeper, ok := c.(interface{ secrets() []string }); ok {
		for _, secret := range keeper.secrets() {
			take(secret)
		}
	}
	for _, secret := range more {
		take(secret.Reveal())
	}
	return text
}

// hide takes all secrets out of a text that are known from the configuration, from
// the operation, or from requests as they were made and as they were sent: whatever
// has signed them, a credential of the caller's, a base of his, or the URL.
func (t *Transport) hide(op *Op, text string, requests ...*http.Request) string {
	if text == "" {
		return text
	}
	more := slices.Concat(t.config.Secrets, op.Secrets)
	for _, r := range requests {
		if r != nil {
			more = append(more, signatures(r)...)
		}
	}
	return hide(t.config.Credential, more, text)
}

// signatures returns what shows who sends a request, the longest of each first.
func signatures(r *http.Request) []adapters.Secret {
	var found []adapters.Secret
	add := func(text string) { found = append(found, adapters.NewSecret(text)) }
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Sn-Apikey"} {
		for _, value := range r.Header[name] {
			add(value)
			for _, before := range []string{" ", "token="} {
				if _, after, ok := strings.Cut(value, before); ok {
					add(after)
				}
			}
		}
	}
	if _, password, ok := r.BasicAuth(); ok {
		add(password)
	}
	if r.URL != nil && r.URL.User != nil {
		if password, ok := r.URL.User.Password(); ok {
			add(r.URL.User.String())
			add(password)
		}
	}
	return found
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
