package jira

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// JWT verifies webhooks of apps, which carry a token in the Authorization header
// that is signed with the secret of the app by HS256. It says who sends and not
// what, so it has to come over TLS.
//
// Sources: https://developer.atlassian.com/cloud/jira/platform/webhooks/, RFC 7519
// sections 4.1 and 7.2, RFC 7515 section 5.2.
type JWT struct {
	// Secrets of the app; any may have been used. Empty ones are never valid.
	Secrets []adapters.Secret
	// Issuer that the token has to name. Defaults to any.
	Issuer string
	// Leeway for clocks that differ. Defaults to none.
	Leeway time.Duration
}

var (
	errToken   = errors.New("jira: no valid token")
	errExpired = errors.New("jira: token has expired")
	errNoKey   = errors.New("jira: no secret")
)

// Check reports what is wrong with the secrets; a receiver should not start with
// an error.
func (j JWT) Check() error {
	for _, s := range j.Secrets {
		if s.IsZero() {
			return errNoKey
		}
	}
	if len(j.Secrets) == 0 {
		return errNoKey
	}
	return nil
}

// Verify has the form of ingest.Config.Verify. A token without an expiry, one that
// is not yet valid, and any algorithm but HS256 are refused.
func (j JWT) Verify(r *http.Request, _ []byte, now time.Time) error {
	if err := j.Check(); err != nil {
		return err
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "JWT") {
		return errToken
	}
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return errToken
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != sha256.Size {
		return errToken
	}
	valid := false
	for _, secret := range j.Secrets {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write([]byte(parts[0] + "." + parts[1]))
		valid = hmac.Equal(mac.Sum(nil), signature) || valid
	}
	if !valid {
		return errToken
	}
	var header struct {
		Algorithm string   `json:"alg"`
		Critical  []string `json:"crit"`
	}
	var claims struct {
		Issuer    string   `json:"iss"`
		Expiry    *float64 `json:"exp"` // RFC 7519: seconds, possibly with a fraction
		NotBefore *float64 `json:"nbf"`
	}
	if err := errors.Join(decodePart(parts[0], &header), decodePart(parts[1], &claims)); err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	at := float64(now.UnixMilli()) / 1000
	leeway := j.Leeway.Seconds()
	switch {
	case header.Algorithm != "HS256" || len(header.Critical) > 0:
		return errToken
	case claims.Expiry == nil || at >= *claims.Expiry+leeway:
		return errExpired
	case claims.NotBefore != nil && at < *claims.NotBefore-leeway:
		return errToken
	case j.Issuer != "" && claims.Issuer != j.Issuer:
		return errToken
	}
	return nil
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
