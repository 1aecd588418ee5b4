package portal

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"time"
)

// attempts counts wrong tokens by address and tenant. Its memory is fixed: pairs share
// a counter by their hash, under a seed of the process, so that nobody can choose whom
// to share with. Sharing can only refuse sooner, one pair in counters/10,000 or so.
type attempts struct {
	limit int
	seed  maphash.Seed

	mu       sync.Mutex // guards counters
	counters [1 << 16]counter
}

type counter struct {
	minute int64 // since 1970, in which n is counted
	n      int32
}

func newAttempts(limit int) *attempts { return &attempts{limit: limit, seed: maphash.MakeSeed()} }

// at returns the counter of a pair for the present minute. The mutex is held.
func (a *attempts) at(address, tenant string, now time.Time) *counter {
	var h maphash.Hash
	h.SetSeed(a.seed)
	h.WriteString(address)
	h.WriteByte(0)
	h.WriteString(tenant)
	c := &a.counters[h.Sum64()%uint64(len(a.counters))]
	if minute := now.Unix() / 60; c.minute != minute {
		*c = counter{minute: minute}
	}
	return c
}

// begin counts an attempt and reports whether it may go on. It is counted before the
// token is looked at, so that many at once are not more than one after the other.
func (a *attempts) begin(address, tenant string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.at(address, tenant, now)
	if int(c.n) >= a.limit {
		return false
	}
	c.n++
	return true
}

// right takes an attempt back, because its token was right.
func (a *attempts) right(address, tenant string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.at(address, tenant, now); c.n > 0 {
		c.n--
	}
}

// origin is the part of a remote address that one party holds: all of IPv4, and the
// first 64 bits of IPv6, which is what a connection is given at least
// (RFC 6177, section 2).
func origin(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		prefix, err := ip.Prefix(64)
		if err != nil {
			return host
		}
		return prefix.Addr().String()
	}
	return ip.String()
}
