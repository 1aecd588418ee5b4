package resilience

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Guard keeps requests to URLs of tenants away from what is inside: the host
// itself, private and link-local networks, and the metadata services of clouds.
// It looks at the address that is about to be connected to, after the name was
// resolved, so a name that changes its mind between check and use does not help.
type Guard struct {
	// Allow are networks that may be reached all the same. Defaults to none.
	Allow []netip.Prefix
	// AllowHTTP lets http URLs pass. Defaults to https alone.
	AllowHTTP bool
}

// RefusedAddressError is the cause of a connection that a [Guard] has refused.
type RefusedAddressError struct{ Addr netip.Addr }

// Error names the address.
func (e *RefusedAddressError) Error() string {
	return fmt.Sprintf("resilience: address %s is not public", e.Addr)
}

// Special-purpose networks that are not globally reachable, and the metadata
// services that stand on addresses of their own:
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
var refused = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // with 100.100.100.200
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("169.254.0.0/16"), // with 169.254.169.254
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/3"), // multicast, reserved, broadcast
	netip.MustParsePrefix("::/96"),       // with ::1 and IPv4-compatible forms
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // with Teredo
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fc00::/7"), // with fd00:ec2::254
	netip.MustParsePrefix("fe80::/9"), // link-local and site-local
	netip.MustParsePrefix("ff00::/8"),
}

// nat64 embeds IPv4 addresses in its last 32 bits (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// Check returns a [*RefusedAddressError] for an address that may not be reached.
func (g *Guard) Check(addr netip.Addr) error {
	plain := addr.Unmap().WithZone("")
	if nat64.Contains(plain) {
		b := plain.As16()
		plain = netip.AddrFrom4([4]byte(b[12:]))
	}
	holds := func(p netip.Prefix) bool { return p.Contains(plain) }
	if !plain.IsValid() || slices.ContainsFunc(refused, holds) && !slices.ContainsFunc(g.Allow, holds) {
		return &RefusedAddressError{Addr: addr}
	}
	return nil
}

// control is called with the address of each connection before it is made.
func (g *Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &net.AddrError{Err: "unexpected address", Addr: address}
	}
	return g.Check(at.Addr())
}
