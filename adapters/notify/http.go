package notify

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// api is the HTTP interface below a sender.
type api struct {
	provider  string
	transport *resilience.Transport
	client    *http.Client
}

// decoder adds what the body of an answer says to an error.
type decoder func(e *adapters.Error, status int, header http.Header, body []byte)

// newAPI returns an interface that tries once unless the policy says otherwise: an
// outbox tries again, and two layers of retries multiply.
func newAPI(provider string, base http.RoundTripper, p resilience.Policy, c resilience.Credential, decode decoder) (*api, error) {
	if p.Attempts == 0 {
		p.Attempts = 1
	}
	transport, err := resilience.New(resilience.Config{Provider: provider, Base: base, Policy: p, Credential: c, Decode: decode})
	if err != nil {
		return nil, err
	}
	return &api{provider, transport, &http.Client{Transport: transport}}, nil
}

// do makes a request and returns the body of a good answer. Errors are of type
// [*adapters.Error] and have no URL in them.
func (a *api) do(ctx context.Context, op resilience.Op, method, to string, header http.Header, body []byte) ([]byte, error) {
	ctx, call := a.transport.Begin(ctx, op)
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil { // which would show the URL
		return nil, a.fail(op, adapters.Invalid, "", errors.New("this is no URL"))
	}
	maps.Copy(r.Header, header)
	answer, err := a.client.Do(r)
	if err == nil {
		err = answer.Body.Close()
	}
	if err := call.Err(err); err != nil {
		return nil, err
	}
	return call.Body, nil
}

// fail makes an error of what was found out beside the network.
func (a *api) fail(op resilience.Op, kind adapters.Kind, code string, err error) *adapters.Error {
	e := &adapters.Error{Provider: a.provider, Op: op.Name, Tenant: op.Tenant, Kind: kind, Code: code, Err: err}
	if len(op.Buckets) > 0 {
		e.Bucket = op.Buckets[0].Name
	}
	return e
}

// secretsOf returns what lets whoever knows it in of a URL, the longest first.
func secretsOf(u *url.URL) []adapters.Secret {
	found := []adapters.Secret{adapters.NewSecret(u.String()), adapters.NewSecret(u.RequestURI()), adapters.NewSecret(u.Path), adapters.NewSecret(u.RawQuery)}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 16 { // a token, no word
			found = append(found, adapters.NewSecret(part))
		}
	}
	for _, values := range u.Query() {
		for _, value := range values {
			found = append(found, adapters.NewSecret(value))
		}
	}
	return found
}

// baseURL checks an address of a vendor and takes the last slash away.
func baseURL(field, text, fallback string) (string, error) {
	if text == "" {
		text = fallback
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", &InputError{field, "", `a URL like "` + fallback + `", without a query`}
	}
	for len(text) > 0 && text[len(text)-1] == '/' {
		text = text[:len(text)-1]
	}
	return text, nil
}

// each tries the targets of a channel one after the other, each address once, and
// gives the others that have the address the same result.
func each(m Message, channel func(Target) string, send func(Target) (id string, err error)) []Result {
	results := make([]Result, len(m.To))
	twins := map[string]int{}
	bad := m.Validate()
	for i, t := range m.To {
		if why := channel(t); why != "" {
			results[i] = skipped(t, why)
			continue
		}
		if first, ok := twins[t.Address]; ok {
			results[i] = results[first]
			results[i].Target = t
			continue
		}
		twins[t.Address] = i
		r := Result{Target: t}
		err := bad
		if err == nil {
			r.ID, err = send(t)
		}
		r.settle(err)
		results[i] = r
	}
	return results
}

// stateOf says what is made of an error for one target. What says nothing about the
// message waits: a credential is for the operator to repair. An outcome that is not
// known is tried again, because to be told twice is better than not to be told; who
// can look first does.
func stateOf(e *adapters.Error) State {
	if _, refused := errors.AsType[*resilience.RefusedAddressError](e); refused || errors.Is(e, resilience.ErrInsecure) {
		return Permanent
	}
	switch e.Kind {
	case adapters.Forbidden, adapters.NotFound, adapters.Conflict, adapters.Invalid, adapters.TooLarge, adapters.Unsupported:
		return Permanent
	default:
		return Temporary
	}
}
