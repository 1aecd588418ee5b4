package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// maxURL is what instances take of a URL without trouble.
// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
const maxURL = 2048

// request is one call of the API. It is repeatable unless it appends or creates.
type request struct {
	op, tenant  string
	method      string
	path        string // below the instance, "api/now/v2/table/incident"
	query       url.Values
	body        any // of JSON; []byte goes as it is
	contentType string
	once        bool
	ended       bool // what was done twice is found and ended afterwards, see create
}

// turnedAway repeats after a 503 that is not the instance's own: it is of a balancer,
// which mostly has no instance to pass a request to. Should one have made a row all
// the same, the look after the create finds it and ends all rows but one. An instance
// answers in the form of its API.
// https://www.rfc-editor.org/rfc/rfc9110.html#section-15.6.4
func turnedAway(status int, _ http.Header, body []byte, v resilience.Verdict) resilience.Verdict {
	if status == http.StatusServiceUnavailable && !json.Valid(body) {
		v.Repeat = resilience.Always
	}
	return v
}

// do sends a request and decodes the answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, r request, out any) (http.Header, error) {
	var body []byte
	switch b := r.body.(type) {
	case nil:
	case []byte:
		body = b
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			return nil, c.fail(r, adapters.Invalid, err)
		}
	}
	target := c.base.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	if len(target.String()) > maxURL {
		return nil, c.fail(r, adapters.TooLarge, fmt.Errorf("address of %d bytes, want at most %d", len(target.String()), maxURL))
	}
	op := resilience.Op{Name: r.op, Tenant: r.tenant, Repeatable: !r.once, Buckets: c.buckets}
	if r.ended {
		op.Judge = turnedAway
	}
	ctx, call := c.transport.Begin(ctx, op)
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, c.fail(r, adapters.Invalid, err)
	}
	req.Header.Set("Accept", "application/json")
	if r.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		if r.contentType != "" {
			req.Header.Set("Content-Type", r.contentType)
		}
	}
	resp, err := c.http.Do(req)
	if err == nil {
		_ = resp.Body.Close() // the transport has read it
	}
	if err := call.Err(err); err != nil {
		return nil, err
	}
	if out == nil {
		return call.Header, nil
	}
	if err := json.Unmarshal(call.Body, out); err != nil {
		return nil, c.fail(r, adapters.BadResponse, err)
	}
	return call.Header, nil
}

// fail is an error of the adapter's own.
func (c *Client) fail(r request, kind adapters.Kind, err error) error {
	return &adapters.Error{Provider: provider, Op: r.op, Tenant: r.tenant, Kind: kind, Message: err.Error(), Err: err}
}

// decode reads the two forms of errors: of the APIs and of the token endpoint.
func decode(e *adapters.Error, _ int, header http.Header, body []byte) {
	e.RequestID = header.Get("X-Transaction-ID")
	if rule := header.Get("X-RateLimit-Rule"); rule != "" {
		e.Details = append(e.Details, "rule "+rule)
	}
	var form struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(body, &form) != nil {
		return
	}
	var failure struct {
		Message string `json:"message"`
		Detail  string `json:"detail"`
	}
	if json.Unmarshal(form.Error, &failure) == nil {
		e.Message = failure.Message
		if failure.Detail != "" {
			e.Details = append(e.Details, failure.Detail)
		}
		return
	}
	if json.Unmarshal(form.Error, &e.Code) == nil {
		e.Message = form.Description
	}
}

func tablePath(table string, id ...string) string {
	return strings.Join(append([]string{"api/now/v2/table", table}, id...), "/")
}

// options are what every call of the Table API says: raw values in UTC, references
// as sys_ids, and no more columns than wanted.
func options(columns []string) url.Values {
	return url.Values{
		"sysparm_fields":                 {strings.Join(columns, ",")},
		"sysparm_display_value":          {"false"},
		"sysparm_exclude_reference_link": {"true"},
	}
}

// page lists rows. More tells whether the instance says that there are others
// behind them; as limits are applied before rights, a page may be short or empty
// all the same.
func (c *Client) page(ctx context.Context, r request, table string, q Query, columns []string, limit, offset int) (rows []Record, more bool, err error) {
	text, err := q.Encode()
	if err != nil {
		return nil, false, c.fail(r, adapters.Invalid, err)
	}
	r.method, r.path, r.query = http.MethodGet, tablePath(table), options(columns)
	r.query.Set("sysparm_query", text)
	r.query.Set("sysparm_limit", strconv.Itoa(limit))
	r.query.Set("sysparm_no_count", "true")
	if offset > 0 {
		r.query.Set("sysparm_offset", strconv.Itoa(offset))
	}
	var answer struct {
		Result *[]Record `json:"result"`
	}
	header, err := c.do(ctx, r, &answer)
	if err != nil {
		return nil, false, err
	}
	if answer.Result == nil {
		return nil, false, c.fail(r, adapters.BadResponse, errors.New("answer without a result"))
	}
	return *answer.Result, hasNext(header), nil
}

// hasNext reports whether a Link header (RFC 8288) names a next page.
func hasNext(header http.Header) bool {
	for _, link := range header.Values("Link") {
		if strings.Contains(link, `rel="next"`) {
			return true
		}
	}
	return false
}

// key is a column with the value that a looked-up row must have.
type key struct{ column, value string }

// lookUp returns at most two rows that have all the keys. An instance that ignores a
// part of the query answers with rows of others; they differ in a key, which is asked
// for and compared, so they are an error and are never taken for the row.
func (c *Client) lookUp(ctx context.Context, r request, table string, keys []key, columns []string) ([]Record, error) {
	return c.lookUpFrom(ctx, r, 0, table, keys, columns)
}

// lookUpFrom is lookUp in an order, behind a number of rows.
func (c *Client) lookUpFrom(ctx context.Context, r request, offset int, table string, keys []key, columns []string, order ...string) ([]Record, error) {
	q := Query{}.OrderBy(order...)
	columns = slices.Clone(columns)
	for _, k := range keys {
		q = q.And(k.column, Equal, k.value)
		columns = append(columns, k.column)
	}
	rows, _, err := c.page(ctx, r, table, q, columns, 2, offset)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		for _, k := range keys {
			if row[k.column] != k.value {
				return nil, c.fail(r, adapters.BadResponse, fmt.Errorf("the instance ignored that %s.%s was asked for and answered with another row", table, k.column))
			}
		}
		if row["sys_id"] == "" {
			return nil, c.fail(r, adapters.BadResponse, errors.New("row without sys_id"))
		}
	}
	return rows, nil
}

// row reads one row by its sys_id.
func (c *Client) row(ctx context.Context, r request, table, id string, columns []string) (Record, error) {
	if err := checkID(id); err != nil {
		return nil, c.fail(r, adapters.Invalid, err)
	}
	r.method, r.path, r.query = http.MethodGet, tablePath(table, id), options(append(slices.Clone(columns), "sys_id"))
	return c.one(ctx, r, id)
}

// write creates a row, or changes the one of id, and returns the columns of it.
func (c *Client) write(ctx context.Context, r request, table, id string, values map[string]any, columns []string) (Record, error) {
	r.method, r.path = http.MethodPost, tablePath(table)
	if id != "" {
		if err := checkID(id); err != nil {
			return nil, c.fail(r, adapters.Invalid, err)
		}
		r.method, r.path = http.MethodPatch, tablePath(table, id)
	}
	r.query, r.body = options(append(slices.Clone(columns), "sys_id")), values
	return c.one(ctx, r, id)
}

func (c *Client) one(ctx context.Context, r request, id string) (Record, error) {
	var answer struct {
		Result Record `json:"result"`
	}
	if _, err := c.do(ctx, r, &answer); err != nil {
		return nil, err
	}
	if got := answer.Result["sys_id"]; got == "" || id != "" && got != id {
		return nil, c.fail(r, adapters.BadResponse, errors.New("answer without the row that was asked for"))
	}
	return answer.Result, nil
}

// checkID keeps what is no sys_id out of paths.
func checkID(id string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if id == "" || len(id) > 64 || strings.Trim(id, letters) != "" {
		return fmt.Errorf("sys_id %q: want 1 to 64 letters, digits, _ and -", id)
	}
	return nil
}

// isSysID reports whether a text has the form of the ids that instances make.
func isSysID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == ""
}

// settle makes an effect that must happen once: do tries it, and after an outcome
// that is not known done looks whether it has happened, before another try.
func (c *Client) settle(ctx context.Context, do func() error, done func() (bool, error)) error {
	attempts := c.config.Policy.Attempts
	setDefault(&attempts, 3)
	for n := 1; ; n++ {
		err := do()
		if !errors.Is(err, adapters.OutcomeUnknown) {
			return err
		}
		if pause(ctx, c.config.Policy.Backoff(n)) != nil {
			return err
		}
		happened, lookErr := done()
		switch {
		case lookErr != nil:
			return because(err, lookErr)
		case happened:
			return nil
		case n == attempts:
			return err
		}
	}
}

// because is err with another cause beside its own.
func because(err, cause error) error {
	e, ok := errors.AsType[*adapters.Error](err)
	if !ok {
		return err
	}
	copied := *e
	copied.Err = errors.Join(e.Err, cause)
	return &copied
}

// pause waits, but never into a deadline.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
