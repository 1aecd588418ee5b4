package servicenow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

// provider is the name of the vendor in errors and references.
const provider = "servicenow"

// Config is what a Client needs.
type Config struct {
	// BaseURL of the instance, "https://acme.service-now.com". Required.
	BaseURL string
	// Credential signs requests. Required unless Transport does.
	Credential resilience.Credential
	// User is the user_name that the credential stands for; by it Ticket.ByUs and
	// Event.ByUs are told. Defaults to nobody.
	User string
	// Transport sends single requests, below resilience. If a tenant chose the address,
	// it should be a resilience.Base with a Guard. Defaults to one without.
	Transport http.RoundTripper
	// Policy says how often, how long and how fast. Zero fields take the defaults.
	Policy resilience.Policy
	// Observer is told of attempts. Defaults to nobody.
	Observer resilience.Observer
	// Ledger remembers what was opened, which saves the look-up. Defaults to none:
	// correlation_id on the instance is the truth.
	Ledger adapters.Ledger
	// Limits are the instance's limits of requests an hour. Defaults to none, which
	// leaves it to answers with status 429.
	Limits Limits

	// Table of tickets: incident or one that extends it. Defaults to "incident".
	Table string
	// Group is the assignment group of tickets without a Target, as name or sys_id.
	// Defaults to none.
	Group string
	// Levels are the assignment groups of the levels of escalation, the first for
	// level 1. Defaults to none, and then Escalate is unsupported.
	Levels []string
	// Severities are the impact and urgency of ours. Defaults to [DefaultSeverities].
	Severities adapters.Names[incident.Severity, Level]
	// Priorities are how the derived priority reads. Defaults to [DefaultPriorities].
	Priorities adapters.Names[incident.Severity, string]
	// DefaultSeverity is that of a ticket opened without one, and of a priority that is in no
	// pair. Defaults to none: then both are errors.
	DefaultSeverity incident.Severity
	// States are the numbers of ours. Defaults to [DefaultStates].
	States adapters.Names[adapters.State, string]
	// HoldReasons are the numbers of reasons to hold. Defaults to [DefaultHoldReasons].
	HoldReasons adapters.Names[string, string]
	// HoldReason is the reason, by our name, of a Hold whose own is in no pair; its
	// words become a work note. Defaults to "vendor".
	HoldReason string
	// CloseCode is that of a Resolution without one; instances have their own lists,
	// see [Client.Verify]. Defaults to "Solution provided".
	CloseCode string
	// DuplicateCode is the close code of duplicates. Defaults to "Duplicate".
	DuplicateCode string
	// LabelsColumn keeps Ticket.Labels, with commas between. Defaults to none, and then
	// tickets with labels are refused as unsupported.
	LabelsColumn string
	// Columns of tickets that are read beside the usual ones, into Ticket.Fields.
	Columns []string
	// Lengths are the longest texts of columns in characters; longer ones are cut and
	// attached as a whole. Defaults to [DefaultLengths]; see [Client.Verify].
	Lengths map[string]int
	// Staging is the staging table of an import set whose transform map coalesces on
	// correlation_id; its columns are named like their targets. Then tickets are
	// opened through it, in one request that is safe to repeat. Defaults to the Table
	// API, with a look-up before and after.
	Staging string
	// ReopenWindow is how long after its resolution a ticket is opened again rather
	// than followed by another. Defaults to 24 h.
	ReopenWindow time.Duration
	// Relations are the types of cmdb_rel_ci that are dependencies, with their
	// direction. Defaults to [DefaultRelations].
	Relations map[string]Direction
	// EntityColumn names configuration items in edges. Defaults to "name".
	EntityColumn string
	// PageSize is how many rows a page asks for, 1 to 1,000. Defaults to 1,000.
	PageSize int
	// Overlap is how far Changes goes back behind its cursor, for rows of a second that
	// were written after they were listed. Defaults to 1 s.
	Overlap time.Duration
	// OnNotice is told of what went well and yet not as asked. Defaults to nobody.
	OnNotice func(ctx context.Context, n Notice)
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// Level is what priority is derived from, "1" to "3" each.
type Level struct{ Impact, Urgency string }

// Limits are rules of the rate limits of an instance, in requests an hour; 0 is no
// rule. A rule for the user counts before those of roles, of several roles the
// lowest, and one for everybody last.
type Limits struct {
	User      int
	Roles     []int
	Everybody int
}

// PerHour is the limit that counts; 0 without one.
func (l Limits) PerHour() int {
	roles := slices.DeleteFunc(slices.Clone(l.Roles), func(n int) bool { return n <= 0 })
	switch {
	case l.User > 0:
		return l.User
	case len(roles) > 0:
		return slices.Min(roles)
	default:
		return max(l.Everybody, 0)
	}
}

// Notice is something that somebody should know although the call went well.
type Notice struct {
	Ref    adapters.Ref
	Kind   NoticeKind
	Column string // "priority", "description", …
	Value  string // what is there; for a duplicate its number
	Want   string // what was asked for
	Lost   int    // characters that were cut off
}

// NoticeKind says what a notice is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticePriority  NoticeKind = "priority"  // the instance derives another priority
	NoticeCut       NoticeKind = "cut"       // a text was longer than its column
	NoticeDuplicate NoticeKind = "duplicate" // a second ticket of one key was ended as a duplicate of Ref
)

// DefaultSeverities are the documented sample of the priority lookup: impact 1 and
// urgency 1 make priority 1, and so on.
func DefaultSeverities() adapters.Names[incident.Severity, Level] {
	return adapters.Names[incident.Severity, Level]{
		{Ours: incident.P1, Theirs: Level{"1", "1"}},
		{Ours: incident.P2, Theirs: Level{"1", "2"}},
		{Ours: incident.P3, Theirs: Level{"2", "2"}},
		{Ours: incident.P4, Theirs: Level{"2", "3"}},
	}
}

// DefaultPriorities read 5, Planning, as P4.
func DefaultPriorities() adapters.Names[incident.Severity, string] {
	return adapters.Names[incident.Severity, string]{
		{Ours: incident.P1, Theirs: "1"},
		{Ours: incident.P2, Theirs: "2"},
		{Ours: incident.P3, Theirs: "3"},
		{Ours: incident.P4, Theirs: "4"},
		{Ours: incident.P4, Theirs: "5"},
	}
}

// DefaultStates are those of table incident.
func DefaultStates() adapters.Names[adapters.State, string] {
	return adapters.Names[adapters.State, string]{
		{Ours: adapters.StateNew, Theirs: "1"},
		{Ours: adapters.StateAcknowledged, Theirs: "2"},
		{Ours: adapters.StateOnHold, Theirs: "3"},
		{Ours: adapters.StateResolved, Theirs: "6"},
		{Ours: adapters.StateClosed, Theirs: "7"},
		{Ours: adapters.StateCancelled, Theirs: "8"},
	}
}

// DefaultHoldReasons are those of column hold_reason of table incident.
func DefaultHoldReasons() adapters.Names[string, string] {
	return adapters.Names[string, string]{
		{Ours: "caller", Theirs: "1"}, {Ours: "problem", Theirs: "3"}, {Ours: "vendor", Theirs: "4"}, {Ours: "change", Theirs: "5"},
	}
}

// DefaultLengths are those of table task.
func DefaultLengths() map[string]int {
	return map[string]int{"short_description": 160, "description": 4000, "close_notes": 4000}
}

// Client works with one instance. It is safe for concurrent use.
type Client struct {
	config    Config
	base      *url.URL
	transport *resilience.Transport
	http      *http.Client
	buckets   []resilience.Bucket
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
	_ adapters.Merger       = (*Client)(nil)
	_ adapters.Linker       = (*Client)(nil)
	_ adapters.Publisher    = (*Client)(nil)
	_ adapters.OnCaller     = (*Client)(nil)
	_ adapters.ClockReader  = (*Client)(nil)
	_ adapters.Topologist   = (*Client)(nil)
	_ adapters.Exporter     = (*Client)(nil)
	_ adapters.Watcher      = (*Client)(nil)
	_ adapters.Verifier     = (*Client)(nil)
)

// New checks the configuration and returns a client. Nothing is sent; see
// [Client.Verify].
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil || base.RawQuery != "" {
		return nil, errors.New("servicenow: field BaseURL: want like \"https://acme.service-now.com\", without credentials and query")
	}
	setDefault(&config.Table, "incident")
	setDefault(&config.HoldReason, "vendor")
	setDefault(&config.CloseCode, "Solution provided")
	setDefault(&config.DuplicateCode, "Duplicate")
	setDefault(&config.EntityColumn, "name")
	setDefault(&config.PageSize, 1000)
	setDefault(&config.ReopenWindow, 24*time.Hour)
	setDefault(&config.Overlap, time.Second)
	if config.Severities == nil {
		config.Severities = DefaultSeverities()
	}
	if config.Priorities == nil {
		config.Priorities = DefaultPriorities()
	}
	if config.States == nil {
		config.States = DefaultStates()
	}
	if config.HoldReasons == nil {
		config.HoldReasons = DefaultHoldReasons()
	}
	if config.Lengths == nil {
		config.Lengths = DefaultLengths()
	}
	if config.Relations == nil {
		config.Relations = DefaultRelations()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	transport, err := resilience.New(resilience.Config{
		Provider: provider, Base: config.Transport, Policy: config.Policy, Credential: config.Credential,
		Decode: decode, Observer: config.Observer,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{config: config, base: base, transport: transport, http: &http.Client{Transport: transport}}
	if perHour := config.Limits.PerHour(); perHour > 0 {
		name := provider + "/" + base.Host
		if config.Credential != nil {
			name += "/" + config.Credential.ID()
		}
		// A minute's worth at once, which is taken off the rate: whenever the hour of the
		// instance begins, it has no more than the limit.
		burst := max(perHour/60, 1)
		c.buckets = []resilience.Bucket{{Name: name, PerSecond: float64(max(perHour-burst, 1)) / 3600, Burst: burst}}
	}
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) check() error {
	var problems []error
	for _, s := range incident.Severities {
		if _, err := c.Severities.Theirs(s); err != nil {
			problems = append(problems, fmt.Errorf("field Severities: %w", err))
		}
	}
	for _, s := range adapters.States {
		if _, err := c.States.Theirs(s); err != nil {
			problems = append(problems, fmt.Errorf("field States: %w", err))
		}
	}
	if _, err := c.HoldReasons.Theirs(c.HoldReason); err != nil {
		problems = append(problems, fmt.Errorf("field HoldReason: %w", err))
	}
	if c.PageSize < 1 || c.PageSize > 1000 {
		problems = append(problems, fmt.Errorf("field PageSize: %d, want 1 to 1,000", c.PageSize))
	}
	if c.ReopenWindow < 0 || c.Overlap < 0 {
		problems = append(problems, errors.New("fields ReopenWindow and Overlap: want none below 0"))
	}
	columns := slices.Concat([]string{c.Table, c.EntityColumn}, c.Columns)
	for _, column := range append(columns, c.LabelsColumn, c.Staging) {
		if column != "" && !isColumn(column) {
			problems = append(problems, fmt.Errorf("%q: want a-z, 0-9, _ and dots between", column))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("servicenow: %w", err)
	}
	return nil
}

// Provider returns "servicenow".
func (*Client) Provider() string { return provider }

// Capabilities returns what this client can do with its instance.
func (c *Client) Capabilities() adapters.Capabilities {
	out := adapters.Capabilities{
		adapters.CanAcknowledge, adapters.CanAssign, adapters.CanAttach, adapters.CanExport, adapters.CanFind, adapters.CanHold,
		adapters.CanLink, adapters.CanMerge, adapters.CanNote, adapters.CanOnCall, adapters.CanOpen, adapters.CanPublish,
		adapters.CanRead, adapters.CanReadClocks, adapters.CanReadNotes, adapters.CanReopen, adapters.CanResolve,
		adapters.CanTopology, adapters.CanUpdate, adapters.CanWatch, adapters.CanWebhook,
	}
	if len(c.config.Levels) > 0 {
		out = append(out, adapters.CanEscalate)
	}
	slices.Sort(out)
	return out
}

func (c *Client) notice(ctx context.Context, n Notice) {
	if c.config.OnNotice != nil {
		c.config.OnNotice(ctx, n)
	}
}

// ref names a row of a table.
func (c *Client) ref(table string, row Record) adapters.Ref {
	return adapters.Ref{
		Provider: provider, Tenant: tenantOf(row["correlation_display"]), Type: table, ID: row["sys_id"], Number: row["number"],
		URL:     strings.TrimSuffix(c.base.String(), "/") + "/nav_to.do?uri=" + url.QueryEscape(table+".do?sys_id="+row["sys_id"]),
		Version: row["sys_mod_count"],
	}
}
