package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// provider names the vendor in errors.
const provider = "prometheus"

// Config says which server is asked and how patiently. Only BaseURL is required.
type Config struct {
	// BaseURL is the address of the server with any path before /api/v1, such as
	// "https://thanos.example/tenant". A user and password in it are sent as
	// basic authentication and nowhere shown.
	BaseURL string

	// Token is sent as bearer token. Defaults to none.
	Token adapters.Secret

	// Credential signs requests in another way than by a user in the URL or a Token.
	// Defaults to none.
	Credential resilience.Credential

	// Header is sent with every request, such as the tenant of a proxy.
	Header http.Header

	// Transport sends single requests. Defaults to resilience.NewBase(nil).
	Transport http.RoundTripper

	// Policy says how often and how fast a request is repeated that fails for a reason
	// that may pass. Zero fields take the defaults, but that neither AttemptTimeout nor
	// Deadline bound a call: Timeout and the context do.
	Policy resilience.Policy

	// Observer is told of attempts, waits and breakers. Defaults to nobody.
	Observer resilience.Observer

	// Timeout is how long the next bytes of an answer may take, so that a long
	// answer may take longer in all. The context bounds the whole call. Defaults
	// to 30s.
	Timeout time.Duration

	// MaxPoints is how many points per series one request asks for; a longer
	// range is asked for in parts. Defaults to 11000, the limit of Prometheus.
	MaxPoints int

	// MaxRange is the longest range of raw samples that one request asks for.
	// Defaults to 24h.
	MaxRange time.Duration

	// MaxBytes is the largest answer to one request. Defaults to 256 MiB.
	MaxBytes int64

	// Scraped is a selector whose samples show that the server was scraping, for
	// [Client.Availability]. Defaults to "up", which every scrape writes.
	Scraped string

	// OnWarning is told the warnings and infos beside raw samples, which have no
	// result to carry them. Nil drops them.
	OnWarning func(text string)
}

// Client reads one Prometheus server. It is safe for concurrent use.
type Client struct {
	config    Config // without URL and credentials, which printing it would show
	base      string // without credentials
	transport *resilience.Transport
	http      http.Client
}

var _ adapters.Capable = (*Client)(nil)

// unbounded is longer than any call: other limits count.
const unbounded = 100 * 365 * 24 * time.Hour

// New returns a client; nothing is sent yet.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil { // its text would show the URL
		return nil, errors.New("prometheus: BaseURL: want one that can be parsed")
	}
	credential := c.Credential
	identities := 0
	if credential != nil {
		identities++
	}
	if u.User != nil {
		password, _ := u.User.Password()
		credential = resilience.Basic(u.User.Username(), adapters.NewSecret(password))
		identities++
	}
	if !c.Token.IsZero() {
		credential = resilience.Bearer(c.Token)
		identities++
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf(`prometheus: BaseURL %q: want one like "https://prometheus.example"`, u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("prometheus: BaseURL: want neither query nor fragment")
	case c.Timeout < 0 || c.MaxPoints < 0 || c.MaxRange < 0 || c.MaxBytes < 0:
		return nil, errors.New("prometheus: want no limit below 0")
	case c.MaxRange%time.Millisecond != 0:
		return nil, fmt.Errorf("prometheus: MaxRange %v: want whole milliseconds", c.MaxRange)
	case identities > 1:
		return nil, errors.New("prometheus: want one of a user in the URL, a token and a credential")
	}
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.MaxPoints = cmp.Or(c.MaxPoints, 11_000)
	c.MaxRange = cmp.Or(c.MaxRange, 24*time.Hour)
	c.MaxBytes = cmp.Or(c.MaxBytes, 256<<20)
	c.Scraped = cmp.Or(c.Scraped, "up")
	c.Policy.AttemptTimeout = cmp.Or(c.Policy.AttemptTimeout, unbounded)
	c.Policy.Deadline = cmp.Or(c.Policy.Deadline, unbounded)
	c.Policy.MaxBody = cmp.Or(c.Policy.MaxBody, c.MaxBytes)
	if c.Transport == nil {
		c.Transport = resilience.NewBase(nil)
	}
	transport, err := resilience.New(resilience.Config{
		Provider: provider, Policy: c.Policy, Credential: credential, Observer: c.Observer, Decode: decodeError,
		Base: &decoding{next: c.Transport, timeout: c.Timeout, maxBytes: c.MaxBytes},
	})
	if err != nil {
		return nil, err
	}
	u.User, c.BaseURL, c.Token, c.Credential = nil, "", adapters.Secret{}, nil
	client := &Client{config: c, base: strings.TrimRight(u.String(), "/"), transport: transport}
	client.http = http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client, nil
}

// Provider returns "prometheus".
func (*Client) Provider() string { return provider }

// Capabilities returns none of those of tickets: measurements are no tickets.
func (*Client) Capabilities() adapters.Capabilities { return nil }

// String names the server without credentials.
func (c *Client) String() string { return "prometheus at " + c.base }

// GoString names the server without credentials.
func (c *Client) GoString() string { return c.String() }

// Query evaluates an expression at an instant, cut to milliseconds; the zero time
// is the server's now. Errors are [*adapters.Error].
func (c *Client) Query(ctx context.Context, expr string, at time.Time) (Result, error) {
	form := url.Values{"query": {expr}}
	if !at.IsZero() {
		form.Set("time", seconds(at.UnixMilli()))
	}
	var r Result
	return r, c.collect(ctx, "query", form, &r, map[string]int{})
}

// QueryRange evaluates an expression at from, from+step, … up to and including
// until, all in whole milliseconds. A range of more than [Config].MaxPoints is
// asked for in parts that share no point; the series stand in the order in which
// they first appear. Errors are [*adapters.Error] and [*RangeError]; one in a later part
// is within a [*PartialError] and returns what came before it, so that the rest can
// be asked for alone:
//
//	r, err := c.QueryRange(ctx, expr, from, until, step)
//	if partial, ok := errors.AsType[*prometheus.PartialError](err); ok {
//		… // later
//		rest, err := c.QueryRange(ctx, expr, partial.Until, until, step)
//		err = r.Append(rest)
//	}
func (c *Client) QueryRange(ctx context.Context, expr string, from, until time.Time, step time.Duration) (Result, error) {
	start, end, width := from.UnixMilli(), until.UnixMilli(), step.Milliseconds()
	switch {
	case step <= 0 || step%time.Millisecond != 0:
		return Result{}, &RangeError{From: from, Until: until, Step: step, Want: "a step of whole milliseconds above 0"}
	case start > end:
		return Result{}, &RangeError{From: from, Until: until, Step: step, Want: "an end that is not before the start"}
	}
	return c.queryRange(ctx, url.Values{"query": {expr}}, start, end, width)
}

// queryRange asks in parts of at most MaxPoints, in milliseconds.
func (c *Client) queryRange(ctx context.Context, form url.Values, start, end, width int64) (Result, error) {
	r := Result{Type: Matrix}
	index := map[string]int{}
	form.Set("step", seconds(width))
	first := start
	for steps := (end - start) / width; steps >= 0; {
		n := min(steps, int64(c.config.MaxPoints)-1)
		form.Set("start", seconds(start))
		form.Set("end", seconds(start+n*width))
		if err := c.collect(ctx, "query_range", form, &r, index); err != nil {
			return r, partial(first, start, err)
		}
		start += (n + 1) * width
		steps -= n + 1
	}
	return r, nil
}

// seconds writes milliseconds as seconds.
func seconds(milli int64) string { return strconv.FormatFloat(float64(milli)/1000, 'f', 3, 64) }

// collect adds an answer to the result. An attempt that fails leaves no trace.
func (c *Client) collect(ctx context.Context, op string, form url.Values, r *Result, index map[string]int) error {
	var part Result
	var keys map[string]int // of the series of the part
	begin := func() sink {
		part, keys = Result{}, map[string]int{}
		var now *Series
		size := 1
		return sink{
			kind: func(t ResultType) error {
				if r.Type != "" && t != r.Type {
					return fmt.Errorf("%w: a result of type %q, not %q", errUnwanted, r.Type, t)
				}
				part.Type = t
				return nil
			},
			open: func(l Labels) error {
				if now != nil {
					size = max(1, len(now.Points)) // series are mostly as long as the one before
				}
				key := l.key()
				if _, twice := keys[key]; twice {
					return fmt.Errorf("%w: %s once, not twice", errUnwanted, l)
				}
				keys[key] = len(part.Series)
				part.Series = append(part.Series, Series{Labels: l})
				now = &part.Series[len(part.Series)-1]
				return nil
			},
			point: func(milli int64, v float64) error {
				if n := len(now.Points); n == 0 {
					now.Points = make([]Point, 0, size)
				} else if milli <= now.Points[n-1].UnixMilli {
					return fmt.Errorf("%w: points in the order of time", errUnwanted)
				}
				now.Points = append(now.Points, Point{UnixMilli: milli, Value: v})
				return nil
			},
			hist: func(h Histogram) error {
				now.Histograms = append(now.Histograms, h)
				return nil
			},
			text: func(text string) { part.Text = text },
		}
	}
	e, err := c.ask(ctx, op, form, begin, nil)
	if err != nil {
		return err
	}
	r.Type, r.Text = part.Type, part.Text
	r.Warnings, r.Infos = union(r.Warnings, e.warnings), union(r.Infos, e.infos)
	if len(index) == 0 { // the first part
		maps.Copy(index, keys)
		r.Series = part.Series
		return nil
	}
	r.join(part.Series, index)
	return nil
}

// union appends what is not there yet.
func union(all, more []string) []string {
next:
	for _, m := range more {
		for _, a := range all {
			if a == m {
				continue next
			}
		}
		all = append(all, m)
	}
	return all
}
