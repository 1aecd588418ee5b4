package portal

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Hash is the SHA-256 of a token. The zero value is no token, which nothing opens.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// matches reports whether a token is the one of the hash, in a time that depends on
// neither.
func (h Hash) matches(token string) bool {
	sum := HashOf(token)
	same := subtle.ConstantTimeCompare(sum[:], h[:])
	var none Hash
	set := 1 - subtle.ConstantTimeCompare(h[:], none[:])
	return same&set == 1
}
