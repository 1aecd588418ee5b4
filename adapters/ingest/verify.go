package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Verifier checks who sent a body.
type Verifier interface {
	// Verify returns an error for a sender that is not who it should be.
	Verify(r *http.Request, body []byte, now time.Time) error
	// Check returns what is wrong with the settings, such as an empty secret. Verify
	// then has an error for everybody.
	Check() error
}

// The headers of the webhooks that evenkeel sends, and of senders without a scheme
// of their own, such as a business rule of ServiceNow.
const (
	SignatureHeader = "X-Evenkeel-Signature" // v1=hex(HMAC-SHA256(body)), see [Generic]
	IDHeader        = "X-Evenkeel-Id"        // the same on every attempt, see [HeaderKey]
)

// maxSignatures is how many signatures of a header are looked at, so that nobody
// makes a receiver compute without end.
const maxSignatures = 16

// HMAC verifies bodies by an HMAC-SHA256 over the raw body, in hexadecimal of
// either case, in a header. With several secrets any of them may have been used,
// which is how a secret is replaced.
type HMAC struct {
	Header string
	// Version is what stands before the = of a signature, "v1" or "sha256". A header
	// may list several, with commas; those of other versions are skipped.
	Version string
	Secrets []adapters.Secret // an empty one makes all invalid
}

// Generic returns the HMAC of [SignatureHeader].
func Generic(secrets ...adapters.Secret) HMAC {
	return HMAC{Header: SignatureHeader, Version: "v1", Secrets: secrets}
}

var (
	errUnsigned  = errors.New("ingest: no signature")
	errSignature = errors.New("ingest: no signature fits")
	errNoSecret  = errors.New("ingest: no secret")
	errNoHeader  = errors.New("ingest: no header or version of signatures")
	errInstant   = errors.New("ingest: signed at another time")
)

// Check reports what is wrong with the settings; a receiver should not start with
// an error.
func (v HMAC) Check() error {
	if v.Header == "" || v.Version == "" {
		return errNoHeader
	}
	return checkSecrets(v.Secrets)
}

// Verify has the form of [Config].Verify. Comparison takes the same time whatever
// differs.
func (v HMAC) Verify(r *http.Request, body []byte, _ time.Time) error {
	if err := v.Check(); err != nil {
		return err
	}
	return verify(r.Header.Values(v.Header), v.Version, v.Secrets, body)
}

// Sign returns the value of the header for a body, by the first secret; "" if
// Check has an error.
func (v HMAC) Sign(body []byte) string {
	if v.Check() != nil {
		return ""
	}
	return v.Version + "=" + hex.EncodeToString(digest(v.Secrets[0], body))
}

// Slack verifies requests of Slack: X-Slack-Signature is v0=hex(HMAC-SHA256 of
// "v0:<timestamp>:<body>"), X-Slack-Request-Timestamp the timestamp in unix seconds.
// Requests that were signed more than Tolerance before or after now are refused, so
// that what was overheard cannot be sent again later.
type Slack struct {
	Secrets   []adapters.Secret
	Tolerance time.Duration // defaults to 300 s
}

// slackTolerance is the age that Slack tells receivers to refuse.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const slackTolerance = 300 * time.Second

// Check reports what is wrong with the settings.
func (v Slack) Check() error {
	if v.Tolerance < 0 {
		return errors.New("ingest: Tolerance must not be negative")
	}
	return checkSecrets(v.Secrets)
}

// Verify has the form of [Config].Verify.
func (v Slack) Verify(r *http.Request, body []byte, now time.Time) error {
	if err := v.Check(); err != nil {
		return err
	}
	stamp := r.Header.Get("X-Slack-Request-Timestamp")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || unix < 0 || unix > 1<<40 { // the year 36812
		return errInstant
	}
	tolerance := v.Tolerance
	if tolerance == 0 {
		tolerance = slackTolerance
	}
	if now.Sub(time.Unix(unix, 0)).Abs() > tolerance {
		return errInstant
	}
	return verify(r.Header.Values("X-Slack-Signature"), "v0", v.Secrets, []byte("v0:"+stamp+":"), body)
}

// verify reports whether one of the signatures is that of the parts by one of the
// secrets.
func verify(header []string, version string, secrets []adapters.Secret, parts ...[]byte) error {
	if len(strings.Join(header, "")) == 0 {
		return errUnsigned
	}
	var signatures [][]byte
	for _, line := range header {
		for part := range strings.SplitSeq(line, ",") {
			of, text, ok := strings.Cut(strings.TrimSpace(part), "=")
			if !ok || of != version {
				continue
			}
			if len(signatures) == maxSignatures {
				break
			}
			if signature, err := hex.DecodeString(text); err == nil && len(signature) == sha256.Size {
				signatures = append(signatures, signature)
			}
		}
	}
	valid := false
	for _, secret := range secrets {
		want := digest(secret, parts...)
		for _, signature := range signatures {
			valid = hmac.Equal(signature, want) || valid
		}
	}
	if !valid {
		return errSignature
	}
	return nil
}

func digest(secret adapters.Secret, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

func checkSecrets(secrets []adapters.Secret) error {
	if len(secrets) == 0 || slices.ContainsFunc(secrets, adapters.Secret.IsZero) {
		return errNoSecret
	}
	return nil
}

// Bearer verifies senders by a token in the Authorization header. With several
// tokens any is accepted.
type Bearer []adapters.Secret

// Check reports what is wrong with the tokens.
func (b Bearer) Check() error { return checkSecrets(b) }

// Verify has the form of [Config].Verify.
func (b Bearer) Verify(r *http.Request, _ []byte, _ time.Time) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errUnsigned
	}
	return oneOf(strings.TrimSpace(token), b)
}

// Basic verifies senders by a name and a password, of which any is accepted.
type Basic struct {
	Name      string
	Passwords []adapters.Secret
}

// Check reports what is wrong with the passwords.
func (b Basic) Check() error { return checkSecrets(b.Passwords) }

// Verify has the form of [Config].Verify.
func (b Basic) Verify(r *http.Request, _ []byte, _ time.Time) error {
	name, password, ok := r.BasicAuth()
	if !ok {
		return errUnsigned
	}
	err := oneOf(password, b.Passwords)
	if subtle.ConstantTimeCompare([]byte(name), []byte(b.Name)) != 1 {
		return errSignature
	}
	return err
}

// oneOf compares digests, so that the time tells nothing of the length either.
func oneOf(text string, secrets []adapters.Secret) error {
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	got := sha256.Sum256([]byte(text))
	valid := false
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret.Reveal()))
		valid = subtle.ConstantTimeCompare(got[:], want[:]) == 1 || valid
	}
	if !valid {
		return errSignature
	}
	return nil
}

// Certificate verifies senders by the client certificate of their connection,
// which the server has to verify (tls.Config.ClientAuth). One whose name is none
// of Names is forbidden.
type Certificate struct {
	Names []string // DNS names or common names; required
}

// Check reports what is wrong with the names.
func (c Certificate) Check() error {
	if len(c.Names) == 0 || slices.Contains(c.Names, "") {
		return errors.New("ingest: no name of a certificate")
	}
	return nil
}

// Verify has the form of [Config].Verify.
func (c Certificate) Verify(r *http.Request, _ []byte, _ time.Time) error {
	if err := c.Check(); err != nil {
		return err
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return errUnsigned
	}
	leaf := r.TLS.VerifiedChains[0][0]
	if slices.Contains(c.Names, leaf.Subject.CommonName) || slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return slices.Contains(c.Names, name) }) {
		return nil
	}
	return ErrForbidden
}

// HeaderKey returns a [Config].Keys that takes the key of a body from a header,
// and refuses bodies without.
func HeaderKey(name string) func(r *http.Request, body []byte) ([]string, error) {
	return func(r *http.Request, _ []byte) ([]string, error) {
		key := r.Header.Get(name)
		if key == "" {
			return nil, errors.New("want the header " + name)
		}
		return []string{key}, nil
	}
}
