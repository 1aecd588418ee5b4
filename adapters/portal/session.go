package portal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

const (
	sessionCookie = "evenkeel"
	sessionLength = 12 * time.Hour // a working day and its handoffs
	sessionBytes  = 8 + sha256.Size
)

// sessions makes and checks the cookies of those who signed in. What is signed is
// where the session is valid, the token that opened it, and when it ends: it opens
// nothing else, and ends at once when the token is replaced.
type sessions struct {
	key    []byte
	secure bool // the portal is reached by https
}

// cookie returns a session for a place, which is the path below which it is sent.
func (s sessions) cookie(place string, token TokenHash, now time.Time) *http.Cookie {
	end := now.Add(sessionLength)
	value := binary.BigEndian.AppendUint64(nil, uint64(end.Unix())) //nolint:gosec // after 1970
	value = append(value, s.sign(place, token, value)...)
	return &http.Cookie{
		Name: sessionCookie, Value: base64.RawURLEncoding.EncodeToString(value), Path: place,
		MaxAge:   int(sessionLength / time.Second), // a span, as the clock of the browser may be another
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	}
}

// valid reports whether the value of a cookie is a session for the place.
func (s sessions) valid(value, place string, token TokenHash, now time.Time) bool {
	// RawURLEncoding alone would take line breaks, and bits that stand for nothing.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != sessionBytes {
		return false
	}
	end := binary.BigEndian.Uint64(raw)
	// The signature is made without a token too, so that its time says nothing.
	return hmac.Equal(raw[8:], s.sign(place, token, raw[:8])) && token != (TokenHash{}) && now.Unix() >= 0 && uint64(now.Unix()) < end //nolint:gosec // not below 0
}

func (s sessions) sign(place string, token TokenHash, end []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(end)
	mac.Write(token[:])
	mac.Write([]byte(place)) // last, as it is the only one without a fixed length
	return mac.Sum(nil)
}

// opens reports whether a request carries a session for the place.
func (s sessions) opens(r *http.Request, place string, token TokenHash, now time.Time) bool {
	for _, c := range r.CookiesNamed(sessionCookie) {
		if s.valid(c.Value, place, token, now) {
			return true
		}
	}
	return false
}
