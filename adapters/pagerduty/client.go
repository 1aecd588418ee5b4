package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

const provider = "pagerduty"

// The API of accounts in the US; those in the EU are at api.eu.pagerduty.com.
// https://developer.pagerduty.com/docs/rest-api-overview
const defaultBase = "https://api.pagerduty.com"

// The allowances. PagerDuty counts 960 requests in 60 s to a credential; a rate
// and a burst that add up to that over any 60 s are never over it. Creating
// incidents is limited far below that by a figure that is not published.
// https://developer.pagerduty.com/docs/rest-api-rate-limits
var (
	restBucket   = resilience.Bucket{Name: "rest", PerSecond: 15.2, Burst: 48}
	createBucket = resilience.Bucket{Name: "incident create", PerSecond: 1, Burst: 5}
)

// restLimit is what the header ratelimit-limit says of the first of them.
const restLimit = "960"

// Config is what a Client needs.
type Config struct {
	// Token is a REST API key, or a bearer token if OAuth is set. Required unless
	// Credential is.
	Token adapters.Secret
	OAuth bool
	// Credential signs requests instead of Token, for tokens that end. Defaults to none.
	Credential resilience.Credential
	// From is the e-mail address of the user who writes. Required by everything that
	// changes an incident. Use one that is nobody's: who assigns an incident to itself
	// has acknowledged it.
	From string
	// UserID is the id of that user, by which Ticket.ByUs is told. Defaults to what
	// Verify finds.
	UserID string
	// Tenant of incidents that are listed, as PagerDuty knows of none. Defaults to "".
	Tenant string
	// BaseURL of the API. Defaults to https://api.pagerduty.com.
	BaseURL string
	// Service is the id of the service that tickets without a target go to.
	Service string

	// Priorities are the names of the account's priorities. Defaults to P1 to P4 under
	// their own names.
	Priorities adapters.Names[incident.Severity, string]
	// Urgencies default to high for P1 and P2, low for P3 and P4.
	Urgencies adapters.Names[incident.Severity, string]
	// NoPriorities is for accounts that have none: severities are urgencies alone.
	NoPriorities bool
	// DefaultSeverity is what an incident reads as whose priority has no name of ours.
	// Defaults to an error. An incident without any priority reads as unset.
	DefaultSeverity incident.Severity
	// States default to triggered for new, acknowledged for acknowledged and on hold,
	// and resolved for resolved, closed and canceled.
	States adapters.Names[adapters.State, string]

	// ReopenWindow is how long after its end an incident is opened again rather than
	// followed by another. Defaults to 24 h; negative means never.
	ReopenWindow time.Duration
	// DetailsAsObject sends the text of an incident as {"text": …}, as the schema of
	// PagerDuty has it, rather than as a string, as its guides do. Both are read.
	DetailsAsObject bool
	// OnCut is told what did not fit. Defaults to nobody.
	OnCut func(ref adapters.Ref, cuts []Cut)

	// Transport sends single requests. Defaults to that of package resilience.
	Transport http.RoundTripper
	Policy    resilience.Policy
	Observer  resilience.Observer
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// Client speaks to the REST API. It is safe for concurrent use.
type Client struct {
	config    Config
	base      *url.URL
	transport *resilience.Transport
	sdk       *sdk.Client

	mu         sync.Mutex
	userID     string
	priorities []sdk.Priority // highest first
	loaded     time.Time      // when the priorities were read; zero if they were not
}

// New checks the configuration. It sends nothing; see [Client.Verify].
func New(c Config) (*Client, error) {
	if c.Token.IsZero() && c.Credential == nil {
		return nil, errors.New("pagerduty: Token missing")
	}
	base, err := baseURL(cmp.Or(c.BaseURL, defaultBase))
	if err != nil {
		return nil, err
	}
	if c.Priorities == nil {
		for _, s := range incident.Severities {
			c.Priorities = append(c.Priorities, adapters.Name[incident.Severity, string]{Ours: s, Theirs: s.String()})
		}
	}
	if c.Urgencies == nil {
		c.Urgencies = defaultUrgencies
	}
	if c.States == nil {
		c.States = defaultStates
	}
	if c.ReopenWindow == 0 {
		c.ReopenWindow = 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Credential == nil {
		c.Credential = resilience.Header("Authorization", adapters.NewSecret("Token token="+c.Token.Reveal()))
		if c.OAuth {
			c.Credential = resilience.Bearer(c.Token)
		}
	}
	transport, err := resilience.New(resilience.Config{
		Provider: provider, Base: c.Transport, Policy: c.Policy, Credential: c.Credential, Decode: decodeError, Observer: c.Observer,
	})
	if err != nil {
		return nil, err
	}
	client := sdk.NewClient("") // the transport signs
	client.HTTPClient = &http.Client{Transport: transport}
	return &Client{config: c, base: base, transport: transport, sdk: client, userID: c.UserID}, nil
}

// Provider returns "pagerduty".
func (c *Client) Provider() string { return provider }

// Capabilities lists what the REST API can do. A plan may allow less: then a call
// fails with [adapters.Unsupported]. Files are not among them, because the API has
// none: alerts show images and links of elsewhere ([Events.Open]), and a note can hold a link.
func (c *Client) Capabilities() adapters.Capabilities {
	all := adapters.Capabilities{adapters.CanExport, adapters.CanFind, adapters.CanOnCall, adapters.CanRead, adapters.CanReadNotes, adapters.CanReadClocks, adapters.CanTopology, adapters.CanWatch, adapters.CanWebhook}
	if c.config.From != "" {
		all = append(all, adapters.CanAcknowledge, adapters.CanAssign, adapters.CanEscalate, adapters.CanHold, adapters.CanMerge, adapters.CanNote,
			adapters.CanOpen, adapters.CanPublish, adapters.CanReopen, adapters.CanResolve, adapters.CanUpdate)
	}
	slices.Sort(all)
	return all
}

func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("pagerduty: BaseURL is none, want one like https://api.pagerduty.com") // the text may hold a password
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// request is one call of the REST API.
type request struct {
	op, tenant string
	method     string
	path       string
	query      url.Values
	body       any // encoded as JSON; nil for none
	from       bool
	fromWho    string // instead of Config.From
	once       bool   // carrying it out twice is not the same as once
	create     bool   // counts against the allowance of creates
}

// do makes a call and decodes its answer into out, which may be nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	op := resilience.Op{Name: r.op, Tenant: r.tenant, Repeatable: !r.once, Buckets: []resilience.Bucket{restBucket}}
	if r.create {
		op.Buckets = append(op.Buckets, createBucket)
	}
	if r.from {
		if err := c.writes(r.op, r.tenant); err != nil {
			return err
		}
	}
	u := *c.base
	u.Path += r.path
	u.RawQuery = r.query.Encode()
	ctx, call := c.transport.Begin(ctx, op)
	q, err := newRequest(ctx, r.method, &u, r.body)
	if err != nil {
		return refuse(r.op, r.tenant, adapters.Invalid, "%v", err)
	}
	if r.from {
		q.Header.Set("From", cmp.Or(r.fromWho, c.config.From))
	}
	return call.Err(roundTrip(q, out, func(q *http.Request) (*http.Response, error) { return c.sdk.Do(q, false) }))
}

// writes refuses what a client without Config.From cannot do, for operations that
// read before they write.
func (c *Client) writes(op, tenant string) error {
	if c.config.From == "" {
		return refuse(op, tenant, adapters.Unsupported, "writing needs Config.From, the address of a user")
	}
	return nil
}

func newRequest(ctx context.Context, method string, u *url.URL, body any) (*http.Request, error) {
	if body == nil {
		return http.NewRequestWithContext(ctx, method, u.String(), http.NoBody)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(data))
}

// errStatus stands for an answer that is an error, of which the record of the call
// knows more.
var errStatus = errors.New("no reason given")

// roundTrip sends a request, reads the answer to its end, so that its connection
// can be used again, and decodes it.
func roundTrip(q *http.Request, out any, send func(*http.Request) (*http.Response, error)) error {
	answer, err := send(q)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			return e.Err // without the address
		}
		return err
	}
	body, err := io.ReadAll(answer.Body)
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return err
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return errStatus
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// refuse is an error for something that is not sent.
func refuse(op, tenant string, kind adapters.Kind, format string, args ...any) error {
	return &adapters.Error{Provider: provider, Op: op, Tenant: tenant, Kind: kind, Err: fmt.Errorf(format, args...)}
}

// maxPage is the most that a page holds.
// https://developer.pagerduty.com/docs/pagination
const maxPage = 100

// list yields the elements of a list page by page, to its end. Lists end at 10,000;
// what may be longer is read with [windows].
func list[T any](ctx context.Context, c *Client, r request, key string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for offset := 0; ; offset += maxPage {
			page, more, _, err := readPage[T](ctx, c, r, key, offset, false)
			if err != nil {
				yield(none, err)
				return
			}
			for _, element := range page {
				if !yield(element, nil) {
					return
				}
			}
			if !more || len(page) == 0 {
				return
			}
		}
	}
}

// readPage reads one page of a list whose elements stand under a key.
func readPage[T any](ctx context.Context, c *Client, r request, key string, offset int, count bool) (page []T, more bool, total int, err error) {
	r.method = http.MethodGet
	query := url.Values{"limit": {strconv.Itoa(maxPage)}}
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	if count {
		query.Set("total", "true")
	}
	maps.Copy(query, r.query)
	r.query = query
	var answer map[string]json.RawMessage
	if err := c.do(ctx, r, &answer); err != nil {
		return nil, false, 0, err
	}
	for _, part := range []struct {
		key string
		to  any
	}{{key, &page}, {"more", &more}, {"total", &total}} {
		if raw, ok := answer[part.key]; ok {
			if err := json.Unmarshal(raw, part.to); err != nil {
				return nil, false, 0, &adapters.Error{Provider: provider, Op: r.op, Tenant: r.tenant, Kind: adapters.BadResponse, Err: fmt.Errorf("decode %s: %w", part.key, err)}
			}
		}
	}
	if _, told := answer["more"]; !told {
		more = len(page) == maxPage // some lists do not say
	}
	return page, more, total, nil
}

// collect reads a list to its end.
func collect[T any](all iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for element, err := range all {
		if err != nil {
			return nil, err
		}
		out = append(out, element)
	}
	return out, nil
}
