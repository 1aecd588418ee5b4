package adaptertest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Step is what a server does with one request.
type Step struct {
	Status int           // defaults to 200
	Header http.Header   // defaults to a Content-Type of JSON
	Body   string        // defaults to "{}"
	Delay  time.Duration // before the answer; of SlowDrip, before each byte
	Fault  Fault
	// Applied says that the request is carried out before the fault, for
	// [Script.Applied].
	Applied bool
}

// Fault is what goes wrong.
type Fault string

// The faults. None is an answer as it should be.
const (
	None           Fault = ""
	Refused        Fault = "refused"         // nobody listens: nothing is sent
	BadCertificate Fault = "bad_certificate" // the handshake fails: nothing is sent
	Reset          Fault = "reset"           // the connection is reset after the request was read
	Hang           Fault = "hang"            // no answer, ever
	CutBody        Fault = "cut_body"        // the body is shorter than announced
	SlowDrip       Fault = "slow_drip"       // a byte of the body at a time, without end
	HTML           Fault = "html"            // a page for people, with status 200
	BadJSON        Fault = "bad_json"        // JSON that ends too soon, with status 200
	Oversize       Fault = "oversize"        // a body without end
	Redirect       Fault = "redirect"        // 302 to the Location of Header, another host by default
)

// Request is a request that has reached the server.
type Request struct {
	At           time.Time
	Method, Path string
	Header       http.Header
	Body         string
}

// Script is a server that plays steps, one for each request, and then answers 501.
// In memory it is an http.RoundTripper, which runs under testing/synctest;
// [Script.Serve] plays the same on a socket. It is safe for concurrent use.
type Script struct {
	mu       sync.Mutex // guards all below
	steps    []Step
	next     int
	applied  int
	requests []Request
}

// NewScript returns a script of the steps.
func NewScript(steps ...Step) *Script { return &Script{steps: steps} }

// Applied returns how often a request was carried out.
func (s *Script) Applied() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied
}

// Requests returns what has reached the server, in order. Refused requests have not.
func (s *Script) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Attempts returns how many steps were played, those included that nothing was sent in.
func (s *Script) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// peek returns the fault of the next step.
func (s *Script) peek() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next < len(s.steps) {
		return s.steps[s.next].Fault
	}
	return None
}

// take begins the next step. r is nil if nothing is sent in it.
func (s *Script) take(r *http.Request) Step {
	var got *Request
	if r != nil {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body) // what arrives is what counts
		}
		got = &Request{At: time.Now(), Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: string(body)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	step := Step{Status: http.StatusNotImplemented, Body: `{"error":"the script is over"}`}
	if s.next < len(s.steps) {
		step = s.steps[s.next]
	}
	s.next++
	if got != nil {
		s.requests = append(s.requests, *got)
		if step.Applied {
			s.applied++
		}
	}
	return step.filled()
}

// filled returns the step with its defaults and with the answer of its fault.
func (s Step) filled() Step {
	header := s.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if s.Status == 0 {
		s.Status = http.StatusOK
	}
	if s.Body == "" {
		s.Body = "{}"
	}
	kind := "application/json"
	switch s.Fault {
	case HTML:
		s.Status, s.Body, kind = http.StatusOK, "<!doctype html><title>Sign in</title>", "text/html; charset=utf-8"
	case BadJSON:
		s.Status, s.Body = http.StatusOK, `{"result":[{"number":`
	case Redirect:
		s.Status = http.StatusFound
		if header.Get("Location") == "" {
			header.Set("Location", "https://elsewhere.invalid/")
		}
	default:
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", kind)
	}
	s.Header = header
	return s
}

// RoundTrip plays the next step in memory.
func (s *Script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	switch s.peek() {
	case Refused:
		s.take(nil)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case BadCertificate:
		s.take(nil)
		return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	default:
	}
	step := s.take(r)
	if step.Fault != SlowDrip {
		if err := pause(r, step.Delay); err != nil {
			return nil, err
		}
	}
	response := &http.Response{
		Status:     strconv.Itoa(step.Status) + " " + http.StatusText(step.Status),
		StatusCode: step.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: step.Header, Request: r, ContentLength: int64(len(step.Body)), Body: io.NopCloser(bytes.NewReader([]byte(step.Body))),
	}
	switch step.Fault {
	case Reset:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case Hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case CutBody:
		response.ContentLength = int64(len(step.Body)) * 2
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte(step.Body)), broken{}))
	case SlowDrip:
		response.ContentLength, response.Body = -1, io.NopCloser(&drip{r: r, delay: step.Delay})
	case Oversize:
		response.ContentLength, response.Body = -1, io.NopCloser(endless{})
	default:
	}
	return response, nil
}

// pause waits within the context of a request.
func pause(r *http.Request, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// broken is where a body ends too soon.
type broken struct{}

// Read fails as a connection does that is lost within a body.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// endless is a body without end.
type endless struct{}

// Read fills p with blanks.
func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// drip is a body that comes a byte at a time.
type drip struct {
	r     *http.Request
	delay time.Duration
}

// Read waits and gives one blank; it fails when the request is given up.
func (d *drip) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, errors.New("adaptertest: no room to read into")
	}
	if err := pause(d.r, max(d.delay, time.Millisecond)); err != nil {
		return 0, err
	}
	p[0] = ' '
	return 1, nil
}
