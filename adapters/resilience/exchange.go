package resilience

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/internal/times"
)

// exchange is one request with all its attempts. It is the largest piece of memory of a
// call, so its small fields stand together.
type exchange struct {
	t        *Transport
	op       *Op
	r        *http.Request
	deadline time.Time
	within   deadlineContext // of the first attempt
	request  http.Request    // of the first attempt

	buckets [2]*bucket // the first ones, to save an allocation
	more    []*bucket  // all, if there are more than two
	breaker *breaker

	n      int // attempts so far
	signed *http.Request
	sentBy *http.Request // as the base says that it sent it
	paid   int           // tokens of the budget for the attempt that runs

	// Of the last attempt.
	response *http.Response // with its body read; nil if there is nothing to hand on
	reader   buffer         // of the body, for whoever gets the answer
	status   int
	header   http.Header
	body     []byte
	cause    error // of an attempt without an answer
	sent     time.Time
	ended    time.Time
	hint     time.Duration
	vendor   *adapters.Error // what the vendor says; nil if there is nothing to say
	verdict  Verdict
	hinted   bool

	renewed bool            // whether there was a fresh login
	applied bool            // whether a write may have been carried out
	failure *adapters.Error // of the whole exchange
}

// run makes attempts until one is the last.
func (x *exchange) run(now time.Time) {
	x.find(now)
	for {
		ready, ok := x.admit(now)
		if !ok {
			break
		}
		x.n++
		x.sent = ready
		if _, err := x.breaker.Execute(x.attempt); errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			x.n--
			x.refuse(adapters.BreakerOpen, err, time.Time{})
			break
		}
		now = x.ended
		wait, again := x.next(now)
		if !again {
			x.end()
			break
		}
		if !x.sleep(wait, "", x.why(wait)) {
			break
		}
		if wait > 0 {
			now = time.Now()
		}
	}
	if x.n == 0 && x.r.Body != nil {
		_ = x.r.Body.Close()
	}
	x.breaker.tell(x.t.config.Observer)
}

// find looks up what the exchange counts against.
func (x *exchange) find(now time.Time) {
	at := place{host: x.r.URL.Host, credential: x.t.id}
	policy := &x.t.policy
	if policy.Breaker.ByHost {
		at.credential = ""
	}
	x.breaker = x.t.breakers.get(at, now, func() *breaker {
		return newBreaker(policy, at, x.t.config.Provider, x.t.config.Observer != nil)
	})
	if len(x.op.Buckets) == 0 {
		x.buckets[0] = x.breaker.bucket
		return
	}
	if len(x.op.Buckets) > len(x.buckets) {
		x.more = make([]*bucket, len(x.op.Buckets))
	}
	for i, d := range x.op.Buckets {
		b := x.t.buckets.get(allowance{x.t.config.Provider, x.t.id, d.Name}, now, func() *bucket { return newBucket(d, policy.RetryTokens) })
		b.declare(d, now)
		if x.more != nil {
			x.more[i] = b
		} else {
			x.buckets[i] = b
		}
	}
}

// all returns the buckets of the exchange, at least one.
func (x *exchange) all() []*bucket {
	switch {
	case x.more != nil:
		return x.more
	case x.buckets[1] != nil:
		return x.buckets[:]
	}
	return x.buckets[:1]
}

// admit waits until an attempt may be made, and returns when that is; false if it
// may not, which is the failure of the exchange.
func (x *exchange) admit(now time.Time) (ready time.Time, ok bool) {
	if err := x.r.Context().Err(); err != nil {
		return now, x.over()
	}
	if x.breaker.refuses() {
		x.refuse(adapters.BreakerOpen, gobreaker.ErrOpenState, time.Time{})
		return now, false
	}
	taken := uint64(0) // buckets that gave a place, by number; of more than 64 the rest give one each round
	for ; ; now = time.Now() {
		if held, until := x.held(now); held != nil {
			wait := until.Sub(now)
			if wait > x.t.policy.MaxServerWait || until.After(x.deadline) {
				x.refuse(adapters.RateLimited, errHeld, until)
				return now, false
			}
			if !x.sleep(wait, held.name, WaitPause) {
				return now, false
			}
			taken = 0 // after a pause places are taken anew, or all who wait would come at once
			continue
		}
		if wait := x.wanting(now); now.Add(wait).After(x.deadline) {
			x.refuse(adapters.RateLimited, errLimited, now.Add(wait))
			return now, false
		}
		var longest time.Duration
		var slowest *bucket
		due := true
		for i, b := range x.all() {
			if taken&(1<<i) != 0 {
				continue
			}
			wait, got := b.reserve(now, x.deadline)
			if !got && now.Add(wait).After(x.deadline) {
				x.refuse(adapters.RateLimited, errLimited, now.Add(wait))
				return now, false
			}
			if due = due && got; got {
				taken |= 1 << i
			}
			if wait > longest {
				longest, slowest = wait, b
			}
		}
		if longest > 0 && !x.sleep(longest, slowest.name, WaitLimit) {
			return now, false
		}
		if !due {
			continue
		}
		// A pause may have begun in the meantime.
		if longest > 0 {
			now = time.Now()
			if held, _ := x.held(now); held != nil {
				continue
			}
		}
		return now, true
	}
}

// wanting says how long it is until the last of several allowances has a place. It is
// asked before any is taken, so that a call that has to be refused leaves those of
// the others to calls that need no more.
func (x *exchange) wanting(now time.Time) (wait time.Duration) {
	all := x.all()
	if len(all) == 1 {
		return 0 // reserve says it
	}
	for _, b := range all {
		wait = max(wait, b.due(now))
	}
	return wait
}

// Why there was no attempt.
var (
	errHeld    = errors.New("resilience: the allowance is used up")
	errLimited = errors.New("resilience: no place before the deadline")
)

// held returns the bucket that is paused for longest; nil if none is.
func (x *exchange) held(now time.Time) (held *bucket, until time.Time) {
	until = now
	for _, b := range x.all() {
		if p := b.pausedUntil(); p.After(until) {
			held, until = b, p
		}
	}
	return held, until
}

// sleep waits; false if the caller gives up, which is the failure of the exchange.
func (x *exchange) sleep(wait time.Duration, bucket string, why WaitReason) bool {
	if o, ok := x.t.config.Observer.(WaitObserver); ok {
		o.Wait(Wait{Provider: x.t.config.Provider, Op: x.op.Name, Tenant: x.op.Tenant, Bucket: bucket, Why: why, For: wait})
	}
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		return x.over()
	}
}

func (x *exchange) why(wait time.Duration) WaitReason {
	if x.hinted && wait == x.hint {
		return WaitHint
	}
	return WaitBackoff
}

// attempt makes one request and reads its answer; the error is for the breaker.
func (x *exchange) attempt() (struct{}, error) {
	within := &x.within
	if x.n > 1 { // what is left of the attempt before may still look at its own
		within = &deadlineContext{}
		x.response, x.status, x.header, x.body, x.cause, x.vendor, x.sentBy = nil, 0, nil, nil, nil, nil, nil
		x.hint, x.hinted = 0, false
	}
	within.alarms, within.parent, within.deadline = &x.t.alarms, x.r.Context(), times.Earlier(x.sent.Add(x.t.policy.AttemptTimeout), x.deadline)
	if by, ok := x.r.Context().Deadline(); ok && !by.After(within.deadline) {
		within.deadline = time.Time{} // it is the caller's that counts
	}
	if x.t.traces {
		within.trail.follow(x.r.Context())
	}
	response, err := x.send(within) //nolint:bodyclose // send has closed it
	now := time.Now()
	x.ended = now
	if by, ok := x.r.Context().Deadline(); ok && err != nil && within.Err() != nil && !now.Before(by) {
		<-x.r.Context().Done() // both are over at this instant; the caller's counts
	}
	switch {
	case err != nil && x.r.Context().Err() != nil:
		x.verdict = gaveUp(x.r.Context(), err)
		x.cause = causeOf(x.r.Context())
	case err != nil && within.Err() != nil && !unsent(err) && !errors.Is(err, ErrOversize):
		x.verdict = Verdict{Kind: adapters.Timeout, Repeat: IfRepeatable, Health: Failing, Applied: true}
		x.cause = x.cleaned(err)
	case err != nil && x.unsigned(err):
	case err != nil:
		x.verdict = classifyLost(err)
		x.cause = x.cleaned(err)
	default:
		x.judge(response, now)
	}
	within.end()
	x.applied = x.applied || x.verdict.Applied && !reads(x.r.Method)
	if o := x.t.config.Observer; o != nil {
		o.Attempt(Attempt{
			Provider: x.t.config.Provider, Op: x.op.Name, Tenant: x.op.Tenant,
			N: x.n, Status: x.status, Kind: x.verdict.Kind, Took: now.Sub(x.sent),
		})
	}
	switch x.verdict.Health {
	case Failing:
		return struct{}{}, errFailing
	case Unknown:
		return struct{}{}, errUnknown
	default:
		return struct{}{}, nil
	}
}

// gaveUp is the verdict on an attempt that the caller did not wait for. A deadline
// is a failure, or impatient callers of a server that hangs never open the breaker.
func gaveUp(ctx context.Context, err error) Verdict {
	v := Verdict{Kind: adapters.Canceled, Health: Unknown, Applied: !unsent(err)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		v.Kind, v.Health = adapters.Deadline, Failing
	}
	return v
}

// signError is what a credential says.
type signError struct{ error }

// Unwrap returns what the credential said.
func (e signError) Unwrap() error { return e.error }

// unsigned judges an error of the credential: nothing was sent, and it says nothing
// of the vendor.
func (x *exchange) unsigned(err error) bool {
	refused, ok := errors.AsType[signError](err)
	if !ok {
		return false
	}
	x.verdict = Verdict{Kind: adapters.Unauthorized, Health: Unknown}
	x.cause = cleaned(refused.error, nil)
	if errors.Is(err, context.DeadlineExceeded) {
		x.verdict.Kind, x.verdict.Repeat = adapters.Timeout, Always
	}
	if e, ok := errors.AsType[*adapters.Error](err); ok {
		x.verdict.Kind = e.Kind
		x.hint, x.hinted = time.Until(e.RetryAt), !e.RetryAt.IsZero()
		if e.Kind.Retryable() {
			x.verdict.Repeat = Always
		}
	}
	return true
}

// send makes the request and reads the answer. An answer comes with an error only
// if it could not be read whole.
func (x *exchange) send(within *deadlineContext) (*http.Response, error) {
	r := &x.request
	if x.n > 1 { // as with its context
		r = &http.Request{}
	}
	*r = *x.r.WithContext(within)
	if x.n > 1 && r.Body != nil && r.Body != http.NoBody {
		body, err := x.r.GetBody()
		if err != nil {
			return nil, fmt.Errorf("%w: body: %w", errUnsent, err)
		}
		r.Body = body
	}
	if x.t.config.Credential != nil {
		r.Header = r.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		x.signed = r
		if err := x.t.config.Credential.Apply(r); err != nil {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, signError{err}
		}
		_ = within.Err()                    // if time is up by now, nothing is sent
		within.trail.connected.Store(false) // to where the token came from
	}
	response, err := x.t.config.Base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	x.status, x.header = response.StatusCode, response.Header
	x.body, err = readAll(response, x.t.policy.MaxBody)
	if err != nil && response.StatusCode >= 300 {
		err = nil // the status says enough
	}
	return response, err
}

// readAll reads the body up to a limit and closes it.
func readAll(r *http.Response, limit int64) (body []byte, err error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	if r.ContentLength == 0 {
		return nil, nil
	}
	size := int64(512)
	if r.ContentLength > 0 {
		size = min(r.ContentLength, limit, 1<<20) + 1
	}
	body = make([]byte, 0, size)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return body[:limit], fmt.Errorf("%w: %d", ErrOversize, limit)
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return body, err
		}
	}
}

// judge makes a verdict of an answer and keeps what it says.
func (x *exchange) judge(response *http.Response, now time.Time) {
	v := Classify(x.r, x.status, x.header, x.body)
	if x.op.Judge != nil {
		v = x.op.Judge(x.status, x.header, x.body, v)
	}
	x.verdict = v
	for _, b := range x.all() {
		b.heed(x.header, now, x.sent)
	}
	if v.Kind == adapters.NotFound && x.applied && x.r.Method == http.MethodDelete {
		x.verdict = Verdict{}
		x.status, x.body = http.StatusNoContent, nil
		response.StatusCode, response.Status = x.status, "204 No Content"
		response.Header.Del("Content-Type")
	}
	x.sentBy = response.Request
	x.reader.Reset(x.body)
	response.Body, response.ContentLength, response.Request = &x.reader, int64(len(x.body)), x.r
	x.response = response
	if x.verdict.Kind == 0 {
		return
	}
	x.vendor = x.describe(x.verdict.Kind, x.status, x.header, x.body)
	if x.status == http.StatusTooManyRequests {
		x.hint, x.hinted = Hint(x.header, now)
	} else {
		x.hint, x.hinted = retryAfter(x.header.Get("Retry-After"), dateOr(x.header, now))
	}
}

// next decides whether there is another attempt, and after how long.
func (x *exchange) next(now time.Time) (wait time.Duration, again bool) {
	if x.verdict.Kind == 0 {
		x.all()[0].budget.grant(max(x.paid, successGrant))
		return 0, false
	}
	if x.verdict.Kind == adapters.Unauthorized && x.status == http.StatusUnauthorized {
		return 0, x.renew()
	}
	wait = x.t.policy.jittered(x.n)
	if x.hinted {
		wait = max(wait, x.hint)
	}
	if x.status == http.StatusTooManyRequests {
		x.pause(now, now.Add(wait))
	}
	switch {
	case x.r.Context().Err() != nil, x.n >= x.t.policy.Attempts, !x.repeatable():
		return 0, false
	case x.hinted && x.hint > x.t.policy.MaxServerWait, !now.Add(wait).Before(x.deadline):
		return 0, false
	}
	x.paid = retryCost
	if x.verdict.Kind == adapters.Timeout {
		x.paid = timeoutCost
	}
	return wait, x.all()[0].budget.pay(x.paid)
}

// repeatable reports whether the request may be sent again after what has happened.
func (x *exchange) repeatable() bool {
	switch x.verdict.Repeat {
	case Never:
		return false
	case IfRepeatable:
		bare := x.status == http.StatusServiceUnavailable && x.t.policy.RepeatBare503
		if !bare && !x.op.Repeatable && !reads(x.r.Method) {
			return false
		}
	case Always:
	}
	return x.rewinds()
}

// rewinds reports whether there is a body to send again.
func (x *exchange) rewinds() bool {
	return x.r.Body == nil || x.r.Body == http.NoBody || x.r.GetBody != nil
}

// renew logs in once more; the attempt after it costs no token.
func (x *exchange) renew() bool {
	if x.renewed || x.signed == nil {
		return false
	}
	x.renewed = true
	ctx, cancel := context.WithDeadline(x.r.Context(), x.deadline)
	defer cancel()
	ok, err := x.t.config.Credential.Renew(ctx, x.signed)
	if err != nil && x.r.Context().Err() == nil {
		x.vendor.Err = cleaned(err, nil)
		if kind := adapters.KindOf(err); kind.Retryable() { // nobody has refused us for good
			x.vendor.Kind, x.vendor.RetryAt = kind, adapters.RetryAt(err)
		}
	}
	return err == nil && ok && x.n < x.t.policy.Attempts && x.rewinds()
}

// pause holds the bucket that the vendor names, or all of the operation.
func (x *exchange) pause(now, until time.Time) {
	named := func(b *bucket) bool { return b.name == x.vendor.Bucket }
	all := !slices.ContainsFunc(x.all(), named)
	for _, b := range x.all() {
		if all || named(b) {
			b.pause(now, until, x.sent)
		}
	}
}

// buffer is the body of an answer that has been read.
type buffer struct{ bytes.Reader }

// Close does nothing.
func (*buffer) Close() error { return nil }

// refuse ends the exchange without another attempt.
func (x *exchange) refuse(kind adapters.Kind, cause error, until time.Time) {
	x.response = nil
	x.failure = x.t.errorOf(x.op)
	x.failure.Kind, x.failure.Status, x.failure.Err = kind, x.status, cause
	x.failure.RetryAt, x.failure.MayHaveApplied = until, x.applied
}

// over ends the exchange because its caller has given up.
func (x *exchange) over() bool {
	kind := adapters.Canceled
	if errors.Is(x.r.Context().Err(), context.DeadlineExceeded) {
		kind = adapters.Deadline
	}
	x.refuse(kind, causeOf(x.r.Context()), time.Time{})
	return false
}

// end makes the failure of the last attempt that of the exchange.
func (x *exchange) end() {
	if x.verdict.Kind == 0 {
		return
	}
	e := x.vendor
	if e == nil {
		e = x.t.errorOf(x.op)
		e.Kind, e.Status, e.Err = x.verdict.Kind, x.status, x.cause
	}
	if e.Bucket == "" && len(x.op.Buckets) > 0 {
		e.Bucket = x.op.Buckets[0].Name
	}
	if e.Kind == 0 {
		return // all is well after all
	}
	if e.Kind == x.verdict.Kind && x.verdict.Repeat == IfRepeatable && !x.op.Repeatable && !reads(x.r.Method) {
		e.Kind = adapters.OutcomeUnknown
	}
	if x.hinted && e.RetryAt.IsZero() {
		e.RetryAt = x.ended.Add(x.hint)
	}
	e.MayHaveApplied = e.MayHaveApplied || x.applied
	if e.Kind == adapters.BadResponse {
		x.response = nil // nobody is to read on, or to follow
	}
	x.failure = e
}
