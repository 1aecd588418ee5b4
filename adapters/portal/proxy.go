package portal

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The headers in which proxies tell for whom they ask.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

// client is the address of the client of a request behind proxies: the last one that no
// trusted proxy has. What stands before it was written by somebody whom nobody trusts, so
// it is not looked at, and neither is the header of a request that comes from elsewhere.
// A hop that is no address ends the way at the proxy that told of it.
func client(r *http.Request, proxies []netip.Prefix, header string) string {
	at, ok := address(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	trusted := func(ip netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	for _, hop := range slices.Backward(hops(r.Header.Values(header), header)) {
		if !trusted(at) {
			break
		}
		next, ok := address(hop)
		if !ok {
			break
		}
		at = next
	}
	return at.String()
}

// address reads an address with or without a port: "192.0.2.1", "192.0.2.1:80",
// "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
func address(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if text, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}, false
		}
	}
	ip, err := netip.ParseAddr(text)
	return ip.Unmap().WithZone(""), err == nil
}

// hops are the addresses of a header in their order, the one that was added last at the
// end. An element of Forwarded without an address is the hop "".
func hops(lines []string, header string) []string {
	all := strings.Join(lines, ",") // RFC 9110, section 5.3
	if !strings.EqualFold(header, Forwarded) {
		list := strings.Split(all, ",")
		for i, hop := range list {
			list[i] = strings.Trim(hop, " \t")
		}
		if len(list) == 1 && list[0] == "" {
			return nil
		}
		return list
	}
	var list []string
	for _, element := range cutAll(all, ',') {
		hop := ""
		for _, pair := range cutAll(element, ';') {
			name, value, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.Trim(name, " \t"), "for") {
				hop = unquoted(strings.Trim(value, " \t"))
			}
		}
		list = append(list, hop)
	}
	return list
}

// cutAll cuts at a sign that stands in no quotes; nothing is no part. Quotes that do not
// end hold everything up to the end.
func cutAll(text string, sign byte) []string {
	var list []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == sign && !quoted:
			list = append(list, text[begin:i])
			begin = i + 1
		}
	}
	if begin == 0 && text == "" {
		return nil
	}
	return append(list, text[begin:])
}

// unquoted is the text of a quoted string, and another text as it is.
func unquoted(text string) string {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	var b strings.Builder
	for inner := text[1 : len(text)-1]; inner != ""; inner = inner[1:] {
		if inner[0] == '\\' && len(inner) > 1 {
			inner = inner[1:]
		}
		b.WriteByte(inner[0])
	}
	return b.String()
}
