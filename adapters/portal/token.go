package portal

import (
	"crypto/sha256"
	"crypto/subtle"
)

// TokenHash is the SHA-256 of a token. The zero value is no token, which nothing opens.
type TokenHash [sha256.Size]byte

// TokenHashOf returns the hash of a token.
func TokenHashOf(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// matches reports whether a token is the one of the hash, in a time that depends on
// neither.
func (h TokenHash) matches(token string) bool {
	sum := TokenHashOf(token)
	same := subtle.ConstantTimeCompare(sum[:], h[:])
	var none TokenHash
	set := 1 - subtle.ConstantTimeCompare(h[:], none[:])
	return same&set == 1
}
