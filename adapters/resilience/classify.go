package resilience

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Verdict is what is made of an attempt.
type Verdict struct {
	Kind    adapters.Kind // 0 if all is well
	Repeat  Repeat
	Health  Health
	Applied bool // whether a write may have been carried out although there is an error
}

// Repeat says which operations may be tried again.
type Repeat uint8

// Which operations may be tried again. For those that may not, an error of
// IfRepeatable is [adapters.OutcomeUnknown].
const (
	Never Repeat = iota
	IfRepeatable
	Always
)

// Health is what an attempt says of the vendor, for the breaker.
type Health uint8

// Any answer below 500 shows that the vendor is Alive, except 429, which shows
// nothing.
const (
	Alive Health = iota
	Failing
	Unknown
)

// ErrOversize is the cause of an error about an answer over Policy.MaxBody.
var ErrOversize = errors.New("resilience: answer over the limit of bytes")

// errUnsent marks errors of connections that were never made.
var errUnsent = errors.New("resilience: nothing was sent")

// Classify is the verdict on an answer. The body may be cut.
//
//	429                                  Always, RateLimited
//	503 with Retry-After                 Always, Unavailable
//	500, 502, 504, a bare 503, other 5xx IfRepeatable, Unavailable
//	501, 505                             Never, Unavailable
//	408                                  IfRepeatable, Timeout
//	401, 403, 404 and 410, 409, 413      Never, Unauthorized, Forbidden, NotFound, Conflict, TooLarge
//	other 4xx                            Never, Invalid
//	HTML with 2xx, a refused redirect    Never, BadResponse
//
// A 401 is tried once more if [Credential].Renew finds another way to sign. A
// redirect is refused on anything but GET and HEAD, to another host, and from
// https to http.
func Classify(r *http.Request, status int, header http.Header, body []byte) Verdict {
	switch {
	case status == http.StatusTooManyRequests:
		return Verdict{Kind: adapters.RateLimited, Repeat: Always, Health: Unknown}
	case status == http.StatusServiceUnavailable && hasRetryAfter(header):
		return Verdict{Kind: adapters.Unavailable, Repeat: Always, Health: Failing}
	case status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		return Verdict{Kind: adapters.Unavailable, Health: Failing}
	case status >= 500:
		return Verdict{Kind: adapters.Unavailable, Repeat: IfRepeatable, Health: Failing, Applied: true}
	case status == http.StatusRequestTimeout:
		return Verdict{Kind: adapters.Timeout, Repeat: IfRepeatable, Applied: true}
	case status == http.StatusUnauthorized:
		return Verdict{Kind: adapters.Unauthorized}
	case status == http.StatusForbidden:
		return Verdict{Kind: adapters.Forbidden}
	case status == http.StatusNotFound, status == http.StatusGone:
		return Verdict{Kind: adapters.NotFound}
	case status == http.StatusConflict:
		return Verdict{Kind: adapters.Conflict}
	case status == http.StatusRequestEntityTooLarge:
		return Verdict{Kind: adapters.TooLarge}
	case status >= 400:
		return Verdict{Kind: adapters.Invalid}
	case status >= 300 && !mayRedirect(r, status, header):
		return Verdict{Kind: adapters.BadResponse}
	case status < 200, status < 300 && isPage(header, body):
		return Verdict{Kind: adapters.BadResponse, Applied: true}
	}
	return Verdict{}
}

// classifyLost is the verdict on an attempt without an answer that is neither
// cancelled nor out of time.
func classifyLost(err error) Verdict {
	switch {
	case errors.Is(err, ErrOversize):
		return Verdict{Kind: adapters.BadResponse, Applied: true}
	case is[*RefusedAddressError](err), errors.Is(err, ErrInsecure):
		return Verdict{Kind: adapters.Invalid, Health: Unknown}
	case unsent(err):
		return Verdict{Kind: adapters.Unavailable, Repeat: Always, Health: Failing}
	}
	return Verdict{Kind: adapters.Unavailable, Repeat: IfRepeatable, Health: Failing, Applied: true}
}

// unsent reports whether there was no connection that a request could have been
// sent on. Doubtful errors count as sent.
func unsent(err error) bool {
	if errors.Is(err, errUnsent) || is[signError](err) {
		return true
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "dial" || e.Op == "proxyconnect") {
		return true
	}
	return is[*net.DNSError](err) || is[*net.AddrError](err) || is[*net.ParseError](err) ||
		is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) || is[*tls.ECHRejectionError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// reads reports whether a method changes nothing.
func reads(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

func hasRetryAfter(h http.Header) bool {
	_, ok := retryAfter(h.Get("Retry-After"), dateOf(h))
	return ok
}

// mayRedirect reports whether an answer of 3xx may be handed on: http.Client
// follows what has a Location.
func mayRedirect(r *http.Request, status int, h http.Header) bool {
	switch status {
	case http.StatusMultipleChoices, http.StatusNotModified:
		return true
	}
	to, err := url.Parse(h.Get("Location"))
	if err != nil || h.Get("Location") == "" || r.URL == nil || !reads(r.Method) {
		return false
	}
	to = r.URL.ResolveReference(to)
	return strings.EqualFold(to.Host, r.URL.Host) && (to.Scheme == r.URL.Scheme || to.Scheme == "https")
}

// isPage reports whether an answer is a page for people: of a proxy, a login or a
// maintenance notice.
func isPage(h http.Header, body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	kind := ""
	if kinds := h["Content-Type"]; len(kinds) > 0 { // as net/http writes it
		kind = kinds[0]
	}
	if len(body) == 0 || kind == "" || kind == "application/json" && body[0] != '<' {
		return false
	}
	kind, _, _ = mime.ParseMediaType(kind)
	switch {
	case kind == "text/html", kind == "application/xhtml+xml":
		return true
	case kind == "application/json", strings.HasSuffix(kind, "+json"):
		return body[0] == '<'
	}
	return false
}
