package resilience

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Grant is a way to ask for a token (RFC 6749, section 4).
type Grant string

// The grants. Password is what ServiceNow calls a resource owner's; its
// client_credentials are off by default.
const (
	ClientCredentials Grant = "client_credentials"
	Password          Grant = "password"
	RefreshToken      Grant = "refresh_token"
)

// TokenSourceConfig says where tokens come from.
type TokenSourceConfig struct {
	// Provider names the vendor in errors. Required.
	Provider string
	// TokenURL is the address of the token endpoint. Required.
	TokenURL string
	// Grant says how to ask. Required.
	Grant        Grant
	ClientID     string
	ClientSecret adapters.Secret
	Username     string // of the grant password
	Password     adapters.Secret
	// Refresh is the first token of the grant refresh_token. The others use those
	// that the vendor gives them, and ask by their own grant again when one is refused.
	Refresh adapters.Secret
	// Scopes are asked for. Defaults to those of the vendor.
	Scopes []string
	// Basic sends id and secret of the client as user and password, not in the form.
	Basic bool
	// Base makes the requests. Defaults to NewBase(nil).
	Base http.RoundTripper
	// Timeout is for one request of a token. Defaults to 10 s.
	Timeout time.Duration
	// Margin is how long before its end a token is renewed. Defaults to 60 s, and is
	// at most half of the life of the token.
	Margin time.Duration
	// Save stores each new refresh token, before the access token that came with it is
	// used: the one before may be of no use any more (Jira Cloud). An error fails the
	// request. Defaults to not storing it.
	Save func(ctx context.Context, refresh adapters.Secret) error
}

// TokenSource signs requests with bearer tokens that it asks for when they are
// needed. However many requests need one, one asks and all take its answer. It is
// safe for concurrent use.
type TokenSource struct {
	config TokenSourceConfig
	id     string

	mu      sync.Mutex // guards all below
	token   adapters.Secret
	renewAt time.Time // zero if the vendor names no end
	refresh adapters.Secret
	asking  *login // nil if nobody asks
}

var _ Credential = (*TokenSource)(nil)

// login is a request of a token that runs.
type login struct {
	done  chan struct{} // closed when the rest is set
	token adapters.Secret
	err   error
}

// maxToken bounds the answer of a token endpoint in bytes.
const maxToken = 1 << 20

// NewTokenSource returns a token source.
func NewTokenSource(c TokenSourceConfig) (*TokenSource, error) {
	u, err := url.Parse(c.TokenURL)
	switch {
	case c.Provider == "":
		return nil, errors.New("resilience: TokenSourceConfig.Provider is empty, want the name of the vendor")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("resilience: TokenSourceConfig.TokenURL is not an absolute URL of https or http")
	case c.Grant == ClientCredentials && (c.ClientID == "" || c.ClientSecret.IsZero()):
		return nil, errors.New("resilience: TokenSourceConfig: the grant client_credentials wants ClientID and ClientSecret")
	case c.Grant == Password && (c.Username == "" || c.Password.IsZero()):
		return nil, errors.New("resilience: TokenSourceConfig: the grant password wants Username and Password")
	case c.Grant == RefreshToken && c.Refresh.IsZero():
		return nil, errors.New("resilience: TokenSourceConfig: the grant refresh_token wants Refresh")
	case c.Grant != ClientCredentials && c.Grant != Password && c.Grant != RefreshToken:
		return nil, fmt.Errorf("resilience: TokenSourceConfig.Grant: %q, want %q, %q or %q", c.Grant, ClientCredentials, Password, RefreshToken)
	}
	if c.Base == nil {
		c.Base = NewBase(nil)
	}
	c.Timeout, c.Margin = or(c.Timeout, 10*time.Second), or(c.Margin, time.Minute)
	return &TokenSource{
		config: c, refresh: c.Refresh,
		id: digest(c.TokenURL, c.ClientID, c.ClientSecret.Reveal(), c.Username, c.Password.Reveal(), c.Refresh.Reveal()),
	}, nil
}

// Apply sets the token, asking for one if there is none that lasts.
func (s *TokenSource) Apply(r *http.Request) error {
	token, err := s.Token(r.Context())
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	return nil
}

// Renew asks for another token, unless that has happened since r was signed.
func (s *TokenSource) Renew(ctx context.Context, r *http.Request) (bool, error) {
	s.mu.Lock()
	if !s.token.IsZero() && r.Header.Get("Authorization") == "Bearer "+s.token.Reveal() {
		s.token = adapters.Secret{}
	}
	s.mu.Unlock()
	_, err := s.Token(ctx)
	return err == nil, err
}

// secrets are what must not be shown.
func (s *TokenSource) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []string{s.token.Reveal(), s.refresh.Reveal(), s.config.ClientSecret.Reveal(), s.config.Password.Reveal()}
}

// ID returns a digest of what the tokens are asked for with.
func (s *TokenSource) ID() string { return s.id }

// Token returns a token that lasts. It waits for whoever is asking already; the
// request goes on for the others if its own caller gives up.
func (s *TokenSource) Token(ctx context.Context) (adapters.Secret, error) {
	s.mu.Lock()
	if !s.token.IsZero() && (s.renewAt.IsZero() || time.Now().Before(s.renewAt)) {
		token := s.token
		s.mu.Unlock()
		return token, nil
	}
	l := s.asking
	if l == nil {
		l = &login{done: make(chan struct{})}
		s.asking = l
		go s.ask(context.WithoutCancel(ctx), l) // ends within the timeout
	}
	s.mu.Unlock()
	select {
	case <-l.done:
		return l.token, l.err
	case <-ctx.Done():
		return adapters.Secret{}, causeOf(ctx)
	}
}

// ask gets a token for all who wait for l.
func (s *TokenSource) ask(ctx context.Context, l *login) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	s.mu.Lock()
	refresh := s.refresh
	s.mu.Unlock()

	answer, err := s.request(ctx, refresh)
	if err != nil && !refresh.IsZero() && s.config.Grant != RefreshToken && errors.Is(err, adapters.Unauthorized) {
		refresh = adapters.Secret{}
		answer, err = s.request(ctx, refresh)
	}
	now := time.Now()
	if err == nil && answer.Refresh != "" && answer.Refresh != refresh.Reveal() {
		refresh = adapters.NewSecret(answer.Refresh)
		if s.config.Save != nil {
			if err = s.config.Save(ctx, refresh); err != nil {
				err = s.fail(adapters.Unavailable, fmt.Errorf("resilience: new refresh token not stored: %w", err))
			}
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh, s.asking = refresh, nil
	if l.err = err; err == nil {
		l.token = adapters.NewSecret(answer.Token)
		s.token, s.renewAt = l.token, time.Time{}
		if life := answer.life(); life > 0 {
			s.renewAt = now.Add(life - min(s.config.Margin, life/2))
		}
	}
	close(l.done)
}

// tokenAnswer is what a token endpoint says (RFC 6749, sections 5.1 and 5.2).
type tokenAnswer struct {
	Token   string          `json:"access_token"`
	Type    string          `json:"token_type"`
	Expires json.RawMessage `json:"expires_in"` // a number; some vendors send a string
	Refresh string          `json:"refresh_token"`
	Code    string          `json:"error"`
	Text    string          `json:"error_description"`
}

// life returns how long the token lasts, at most a year; 0 if that is not said.
func (a *tokenAnswer) life() time.Duration {
	n, err := strconv.ParseFloat(strings.Trim(string(a.Expires), `"`), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n, 365*86400) * float64(time.Second))
}

// request asks once, by the refresh token if there is one.
func (s *TokenSource) request(ctx context.Context, refresh adapters.Secret) (*tokenAnswer, error) {
	c := &s.config
	form := url.Values{"grant_type": {string(c.Grant)}}
	switch {
	case !refresh.IsZero():
		form.Set("grant_type", string(RefreshToken))
		form.Set("refresh_token", refresh.Reveal())
	case c.Grant == Password:
		form.Set("username", c.Username)
		form.Set("password", c.Password.Reveal())
	}
	if len(c.Scopes) > 0 {
		form.Set("scope", strings.Join(c.Scopes, " "))
	}
	if !c.Basic && c.ClientID != "" {
		form.Set("client_id", c.ClientID)
		if !c.ClientSecret.IsZero() {
			form.Set("client_secret", c.ClientSecret.Reveal())
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, s.fail(adapters.Invalid, cleaned(err, nil))
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if c.Basic { // both are escaped first: RFC 6749, section 2.3.1
		r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret.Reveal()))
	}
	response, err := c.Base.RoundTrip(r)
	if err != nil {
		return nil, s.fail(adapters.Unavailable, cleaned(err, r.URL))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxToken))
	if err != nil {
		return nil, s.fail(adapters.Unavailable, cleaned(err, r.URL))
	}
	return s.read(response, body)
}

// read makes a token or an error of an answer.
func (s *TokenSource) read(response *http.Response, body []byte) (*tokenAnswer, error) {
	answer, now := &tokenAnswer{}, time.Now()
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	unreadable := json.Unmarshal(body, answer)
	status := response.StatusCode
	if status == http.StatusOK && unreadable == nil && answer.Token != "" && (answer.Type == "" || strings.EqualFold(answer.Type, "bearer")) {
		return answer, nil
	}
	e := s.fail(adapters.Unauthorized, nil)
	e.Status, e.Code, e.Message = status, hide(s, nil, answer.Code), hide(s, nil, answer.Text)
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "")
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind = adapters.RateLimited
	case status >= 500 || status == http.StatusRequestTimeout:
		e.Kind = adapters.Unavailable
	case status < 400:
		e.Kind, e.Err = adapters.BadResponse, unreadable
		if e.Message == "" && e.Err == nil {
			e.Message = fmt.Sprintf("no bearer token in an answer of type %q", kind)
		}
	}
	if wait, ok := Hint(response.Header, now); ok && e.Kind.Retryable() {
		e.RetryAt = now.Add(wait)
	}
	return nil, e
}

func (s *TokenSource) fail(kind adapters.Kind, err error) *adapters.Error {
	return &adapters.Error{Provider: s.config.Provider, Op: "login", Kind: kind, Err: err}
}
