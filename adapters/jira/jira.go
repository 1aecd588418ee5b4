package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

const provider = "jira"

// FindBy says by what issues are found again.
type FindBy string

// The ways. A property can be searched only where an app has declared it as
// indexed; a label can always be, and is seen and can be removed by people.
const (
	ByLabel    FindBy = "label" // the default
	ByProperty FindBy = "property"
)

// Config is what a Client needs. Empty maps take the defaults of Jira.
type Config struct {
	// BaseURL of the API, "https://acme.atlassian.net",
	// "https://jira.acme.example/jira" or "https://api.atlassian.com/ex/jira/<cloud id>".
	// Required.
	BaseURL string
	// SiteURL is what links for people start with. Defaults to BaseURL.
	SiteURL string
	// Deployment defaults to what the server says of itself, asked once.
	Deployment Deployment
	// Email and Token sign requests to Cloud; Token alone is a personal access token
	// of Data Center or an OAuth 2 access token.
	Email string
	Token adapters.Secret
	// Credential signs in another way, such as with tokens that are renewed. Defaults
	// to Email and Token; one of both is required.
	Credential resilience.Credential

	// Tenant of tickets that name none, and in errors of calls that concern no ticket.
	Tenant string
	// Project is the key of the project of tickets without a target. Required.
	Project string
	// IssueType of what is opened, by its name. Defaults to "Task".
	IssueType string
	// ServiceDesk says that the project is one of Jira Service Management: notes are
	// internal or public, and there are clocks.
	ServiceDesk bool
	// InternalRole is the project role that may read notes which are not public, where
	// there is no service desk. Defaults to none: then everybody who sees the issue may.
	InternalRole string
	// Levels are who gets the issues of a level of escalation, as Assign takes it, the
	// first for level 1. Defaults to none, and then Escalate is unsupported.
	Levels []string
	// OpsURL is where the on-call schedules of service management are on Cloud,
	// "https://api.atlassian.com/jsm/ops/api/<cloud id>"; the credential is sent there
	// too. Defaults to none, and then OnCall is unsupported.
	OpsURL string
	// Assets say what Edges lists. Default to none, and then Edges is unsupported.
	Assets Assets
	// Fields are custom fields to read, by id, "customfield_10010". Defaults to none.
	Fields []string

	// Priorities defaults to DefaultPriorities.
	Priorities adapters.Names[incident.Severity, string]
	// DefaultSeverity is what a priority reads as that is in no pair. Defaults to an error.
	DefaultSeverity incident.Severity
	// States defaults to DefaultStates.
	States adapters.Names[adapters.State, Status]
	// Resolutions of states that are ends. Defaults to DefaultResolutions.
	Resolutions adapters.Names[adapters.State, string]
	// DuplicateResolution of issues that are merged. Defaults to "Duplicate".
	DuplicateResolution string
	// DuplicateLink is the type of links of merged issues. Defaults to "Duplicate".
	DuplicateLink string
	// RelatedLink is the type of links without a relation. Defaults to "Relates".
	RelatedLink string

	// FindBy defaults to ByLabel.
	FindBy FindBy
	// Label makes the label of a key, the same one always and one without spaces.
	// Defaults to "evenkeel-" and a hash of tenant and key.
	Label func(tenant, key string) string
	// Property is the key of the issue property. Defaults to "evenkeel".
	Property string
	// FindFor is how long after an unknown outcome a search that finds nothing is not
	// believed. Defaults to 10 s.
	FindFor time.Duration
	// ReopenWindow is how long after its resolution an issue is reopened and not
	// followed by another. Defaults to 24 h.
	ReopenWindow time.Duration
	// Overlap is how far back before its cursor a watch looks, for what the search
	// shows late. Defaults to 2 min.
	Overlap time.Duration

	// Ledger remembers what was opened. Defaults to one in memory; then Open looks
	// before it creates, once for each key.
	Ledger adapters.Ledger
	// Limits of calls. Defaults to those of Cloud there, and none elsewhere.
	Limits *Limits
	// OnCut is told what was cut to fit. Defaults to nobody.
	OnCut func(ref adapters.Ref, cuts []Cut)
	// Transport is the base below resilience. Defaults to its own; where tenants choose
	// the URL it should be one with a guard, see [resilience.BaseOptions].
	Transport http.RoundTripper
	// Policy of repeats.
	Policy resilience.Policy
	// Observer of calls. Defaults to nobody.
	Observer resilience.Observer
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// Limits are the allowances that calls count against, beside what answers of Jira
// say. A bucket without a rate only pauses when it is told to.
type Limits struct {
	// Read is for GET and POST of one route, Write for PUT and DELETE. Name is ignored.
	Read, Write resilience.Bucket
	// Issue is for all writes to one issue.
	Issue resilience.Bucket
}

// CloudLimits stay below those of Cloud in every window: 100 calls a second of GET
// and POST and 50 of PUT and DELETE for each route, 20 writes in 2 s and 100 in
// 30 s for each issue. A bucket lets through its burst and its rate within a
// second, so both together are at most the allowance.
//
// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
func CloudLimits() Limits {
	return Limits{
		Read:  resilience.Bucket{PerSecond: 95, Burst: 5},
		Write: resilience.Bucket{PerSecond: 47, Burst: 3},
		Issue: resilience.Bucket{PerSecond: 2.8, Burst: 14}, // 14 + 2×2.8 < 20, 14 + 30×2.8 < 100
	}
}

// Client is one project of one Jira. It is safe for concurrent use.
type Client struct {
	config    Config
	base      *url.URL
	sdk       *sdk.Client
	transport *resilience.Transport
	lookFirst bool // the ledger may not know what was opened before this process
	looks     lookGroups

	mu         sync.Mutex
	deployment Deployment               // "" until it is known
	self       *user                    // nil until it is known
	opening    map[string]chan struct{} // by label: closed when the one that opens it is done
	forms      map[string]form          // by project and type
	assetsIn   string                   // workspace of assets, "" until it is known
	doubts     map[string]doubt         // by label, of the last FindFor at least
}

var (
	_ adapters.Capable      = (*Client)(nil)
	_ adapters.Opener       = (*Client)(nil)
	_ adapters.Finder       = (*Client)(nil)
	_ adapters.Reader       = (*Client)(nil)
	_ adapters.Updater      = (*Client)(nil)
	_ adapters.Acknowledger = (*Client)(nil)
	_ adapters.Resolver     = (*Client)(nil)
	_ adapters.Reopener     = (*Client)(nil)
	_ adapters.Holder       = (*Client)(nil)
	_ adapters.Noter        = (*Client)(nil)
	_ adapters.NoteReader   = (*Client)(nil)
	_ adapters.Attacher     = (*Client)(nil)
	_ adapters.Assigner     = (*Client)(nil)
	_ adapters.Escalator    = (*Client)(nil)
	_ adapters.OnCaller     = (*Client)(nil)
	_ adapters.Merger       = (*Client)(nil)
	_ adapters.Linker       = (*Client)(nil)
	_ adapters.Publisher    = (*Client)(nil)
	_ adapters.ClockReader  = (*Client)(nil)
	_ adapters.Topologist   = (*Client)(nil)
	_ adapters.Exporter     = (*Client)(nil)
	_ adapters.Watcher      = (*Client)(nil)
	_ adapters.Verifier     = (*Client)(nil)
)

// New checks the configuration; it sends nothing.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.BaseURL)
	var problems []error
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		problems = append(problems, errors.New("BaseURL: want an absolute URL")) // without the URL, which may hold a password
	} else if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		problems = append(problems, errors.New("BaseURL: want no user, query or fragment"))
	}
	if c.Project == "" || !word(c.Project) {
		problems = append(problems, fmt.Errorf("project %q: want the key of a project", c.Project))
	}
	if c.Credential == nil && c.Token.IsZero() {
		problems = append(problems, errors.New("no Token and no Credential"))
	}
	if !slices.Contains([]Deployment{"", Cloud, DataCenter}, c.Deployment) {
		problems = append(problems, fmt.Errorf("deployment %q: want %q, %q or none", c.Deployment, Cloud, DataCenter))
	}
	if !slices.Contains([]FindBy{"", ByLabel, ByProperty}, c.FindBy) {
		problems = append(problems, fmt.Errorf("find by %q: want %q or %q", c.FindBy, ByLabel, ByProperty))
	}
	for _, also := range [][2]string{{"OpsURL", c.OpsURL}, {"Assets.URL", c.Assets.URL}} {
		if u, err := url.Parse(also[1]); err != nil || also[1] != "" && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
			problems = append(problems, errors.New(also[0]+": want an absolute URL without user, query and fragment"))
		}
	}
	if _, unnamed := c.Assets.References[""]; unnamed || (c.Assets.Query == "") != (len(c.Assets.References) == 0) {
		problems = append(problems, errors.New("Assets: want Query and References, by names, or neither"))
	}
	if c.Assets.Workspace != "" && !word(c.Assets.Workspace) {
		problems = append(problems, fmt.Errorf("Assets.Workspace %q: want an id", c.Assets.Workspace))
	}
	if c.FindFor < 0 || c.ReopenWindow < 0 || c.Overlap < 0 {
		problems = append(problems, errors.New("FindFor, ReopenWindow and Overlap must not be negative"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("jira: %w", err)
	}
	client := &Client{
		base: base, lookFirst: c.Ledger == nil, deployment: c.Deployment,
		opening: map[string]chan struct{}{}, forms: map[string]form{}, doubts: map[string]doubt{},
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	c.SiteURL = cmp.Or(strings.TrimSuffix(c.SiteURL, "/"), c.BaseURL)
	c.IssueType = cmp.Or(c.IssueType, "Task")
	c.DuplicateResolution = cmp.Or(c.DuplicateResolution, "Duplicate")
	c.DuplicateLink = cmp.Or(c.DuplicateLink, "Duplicate")
	c.RelatedLink = cmp.Or(c.RelatedLink, "Relates")
	c.Property = cmp.Or(c.Property, "evenkeel")
	c.FindBy = cmp.Or(c.FindBy, ByLabel)
	c.FindFor = cmp.Or(c.FindFor, 10*time.Second)
	c.ReopenWindow = cmp.Or(c.ReopenWindow, 24*time.Hour)
	c.Overlap = cmp.Or(c.Overlap, 2*time.Minute)
	if len(c.Priorities) == 0 {
		c.Priorities = DefaultPriorities()
	}
	if len(c.States) == 0 {
		c.States = DefaultStates()
	}
	if len(c.Resolutions) == 0 {
		c.Resolutions = DefaultResolutions()
	}
	if c.Label == nil {
		c.Label = label
	}
	if c.Ledger == nil {
		c.Ledger = &adapters.MemoryLedger{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnCut == nil {
		c.OnCut = func(adapters.Ref, []Cut) {}
	}
	if c.Credential == nil {
		if c.Email != "" {
			c.Credential = resilience.Basic(c.Email, c.Token)
		} else {
			c.Credential = resilience.Bearer(c.Token)
		}
	}
	client.config = c
	if client.transport, err = resilience.New(resilience.Config{
		Provider: provider, Base: c.Transport, Policy: c.Policy, Credential: c.Credential, Decode: decodeError, Observer: c.Observer,
	}); err != nil {
		return nil, fmt.Errorf("jira: %w", err)
	}
	client.sdk, err = sdk.NewClient(&http.Client{
		Transport:     client.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, c.BaseURL)
	if err != nil {
		return nil, errors.New("jira: BaseURL: want an absolute URL")
	}
	return client, nil
}

// label is a hash of tenant and key, so that no tenant finds another's.
func label(tenant, key string) string {
	return "evenkeel-" + adapters.Key{Tenant: tenant, Incident: key, Target: provider}.String()
}

// Provider returns "jira".
func (*Client) Provider() string { return provider }

// Capabilities lists what the project can do as it is configured.
func (c *Client) Capabilities() adapters.Capabilities {
	can := adapters.Capabilities{
		adapters.CanOpen, adapters.CanFind, adapters.CanRead, adapters.CanUpdate, adapters.CanAcknowledge, adapters.CanResolve,
		adapters.CanReopen, adapters.CanNote, adapters.CanReadNotes, adapters.CanAttach, adapters.CanAssign, adapters.CanMerge,
		adapters.CanLink, adapters.CanExport, adapters.CanWatch, adapters.CanWebhook, adapters.CanPublish,
	}
	if _, err := c.config.States.Theirs(adapters.StateOnHold); err == nil {
		can = append(can, adapters.CanHold)
	}
	if c.config.ServiceDesk {
		can = append(can, adapters.CanReadClocks)
	}
	if len(c.config.Levels) > 0 {
		can = append(can, adapters.CanEscalate)
	}
	if c.config.OpsURL != "" {
		can = append(can, adapters.CanOnCall)
	}
	if c.config.Assets.Query != "" {
		can = append(can, adapters.CanTopology)
	}
	slices.Sort(can)
	return can
}

// Format prints the name and the site, whatever the verb, so that no secret of the
// configuration can get into a log.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "jira.Client("+c.base.Host+", "+c.config.Project+")")
}

// cloud reports whether the server is Jira Cloud, and asks it if that was not
// configured.
func (c *Client) cloud(ctx context.Context) (bool, error) {
	c.mu.Lock()
	known := c.deployment
	c.mu.Unlock()
	if known == "" {
		info, err := c.serverInfo(ctx)
		if err != nil {
			return false, err
		}
		known = info.deployment()
		c.mu.Lock()
		c.deployment = known
		c.mu.Unlock()
	}
	return known == Cloud, nil
}

// user is who is signed in.
type user struct {
	AccountID string `json:"accountId"`
	Name      string `json:"name"`
	TimeZone  string `json:"timeZone"`
}

// is reports whether somebody is the user.
func (u *user) is(o *sdk.User) bool {
	if u == nil || o == nil {
		return false
	}
	return u.AccountID != "" && u.AccountID == o.AccountID || u.AccountID == "" && u.Name != "" && u.Name == o.Name
}

// myself returns who is signed in, and asks once.
func (c *Client) myself(ctx context.Context) (*user, error) {
	if self := c.known(); self != nil {
		return self, nil
	}
	var self user
	if _, err := c.do(ctx, request{op: "myself", method: http.MethodGet, route: "rest/api/2/myself", into: &self, repeatable: true}); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = &self
	return &self, nil
}

// known returns who is signed in if that was asked before, else nil.
func (c *Client) known() *user {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}
