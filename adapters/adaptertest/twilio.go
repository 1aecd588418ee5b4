package adaptertest

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs by it
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
)

// TwilioOptions are what a fake account may be told. All have defaults.
type TwilioOptions struct {
	Account string            // defaults to "AC1"
	Token   adapters.Secret   // that it takes, with the account as the name; defaults to any
	Refused map[string]int    // codes of errors by number, such as 21610 for one that said STOP
	Busy    map[string]string // faults by number, as of Fault, the first time that it is sent to
	// Fault is asked of every POST, with its number from 1: "lost" carries it out and cuts
	// the answer off, a number is the code of an error, of four digits the status.
	Fault func(resource string, n int) string
	// Now defaults to time.Now.
	Now func() time.Time
}

// Twilio is an account in memory: messages and calls, and keys that are pressed in
// calls. It is an http.Handler, safe for concurrent use, and wrong in the ways of
// Twilio; each is named at its place.
type Twilio struct {
	o TwilioOptions

	mu       sync.Mutex // guards all below
	posts    int
	busy     map[string]bool // numbers that were busy already
	messages []TwilioMessage
	calls    []TwilioCall
}

// TwilioMessage is a message that was taken.
type TwilioMessage struct {
	SID      string `json:"sid"`
	To       string `json:"to"`
	From     string `json:"from"`
	Body     string `json:"body"`
	Status   string `json:"status"`
	Segments string `json:"num_segments"` // a text: "1"
	Created  string `json:"date_created"`
}

// TwilioCall is a call that was begun.
type TwilioCall struct {
	SID     string `json:"sid"`
	To      string `json:"to"`
	From    string `json:"from"`
	Status  string `json:"status"`
	Created string `json:"date_created"`
	Script  string `json:"-"` // the instructions, in XML
}

// NewTwilio returns an account without messages and calls.
func NewTwilio(o TwilioOptions) *Twilio {
	if o.Account == "" {
		o.Account = "AC1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Twilio{o: o, busy: map[string]bool{}}
}

// Messages returns what was taken, oldest first.
func (w *Twilio) Messages() []TwilioMessage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}

// Calls returns what was begun, oldest first.
func (w *Twilio) Calls() []TwilioCall {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// ServeHTTP answers one request.
func (w *Twilio) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if token := w.o.Token; !token.IsZero() {
		if name, password, _ := r.BasicAuth(); name != w.o.Account || password != token.Reveal() {
			twilioError(out, http.StatusUnauthorized, 20003, "Authenticate")
			return
		}
	}
	resource, ok := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/"+w.o.Account+"/")
	resource, json := strings.CutSuffix(resource, ".json") // without it the answers are XML
	switch {
	case !ok || !json || resource != "Messages" && resource != "Calls":
		twilioError(out, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	case r.Method == http.MethodGet:
		w.list(out, resource, r.URL)
	case r.Method == http.MethodPost:
		w.create(out, resource, r)
	default:
		twilioError(out, http.StatusMethodNotAllowed, 20004, "Method not allowed")
	}
}

// twilioError answers with code, words and a link.
// https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
func twilioError(out http.ResponseWriter, status, code int, message string) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	answer(out, map[string]any{"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
}

// list answers with a page of those to a number, newest first, and with where the next
// one is.
// https://www.twilio.com/docs/usage/twilios-response#pagination
// https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
func (w *Twilio) list(out http.ResponseWriter, resource string, u *url.URL) {
	to := u.Query().Get("To")
	if resource == "Calls" {
		all := slices.DeleteFunc(slices.Clone(w.calls), func(c TwilioCall) bool { return to != "" && c.To != to })
		slices.Reverse(all)
		page, next := twilioPage(all, u)
		answer(out, map[string]any{"calls": page, "next_page_uri": next})
		return
	}
	all := slices.DeleteFunc(slices.Clone(w.messages), func(m TwilioMessage) bool { return to != "" && m.To != to })
	slices.Reverse(all)
	page, next := twilioPage(all, u)
	answer(out, map[string]any{"messages": page, "next_page_uri": next})
}

// twilioPage returns a page, and where the next one is, nil behind the last.
func twilioPage[T any](all []T, u *url.URL) (page []T, next any) {
	query := u.Query()
	size, _ := strconv.Atoi(query.Get("PageSize"))
	size = min(cmp.Or(size, 50), 1000)
	n, _ := strconv.Atoi(query.Get("Page"))
	page = all[min(n*size, len(all)):]
	if len(page) <= size {
		return page, nil
	}
	query.Set("Page", strconv.Itoa(n+1))
	return page[:size], u.Path + "?" + query.Encode()
}

func (w *Twilio) create(out http.ResponseWriter, resource string, r *http.Request) {
	w.posts++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	// Parameters are a form; of a body of JSON nothing is read, so that the number is
	// missing. https://www.twilio.com/docs/usage/requests-to-twilio#post
	form := url.Values{}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		form, _ = url.ParseQuery(string(body))
	}
	to := form.Get("To")
	if w.refused(out, resource, form) {
		return
	}
	fault := ""
	if w.o.Fault != nil {
		fault = w.o.Fault(resource, w.posts)
	}
	if f := w.o.Busy[to]; f != "" && !w.busy[to] {
		fault, w.busy[to] = f, true
	}
	if code, err := strconv.Atoi(fault); err == nil {
		status := http.StatusBadRequest
		switch {
		case code == 20429:
			status = http.StatusTooManyRequests // https://www.twilio.com/docs/api/errors/20429
		case code < 1000:
			status, code = code, 20500
		}
		twilioError(out, status, code, "as asked")
		return
	}
	created := w.o.Now().UTC().Format(time.RFC1123Z) // https://www.twilio.com/docs/usage/twilios-response#dates-times
	var made any
	if resource == "Calls" {
		c := TwilioCall{SID: fmt.Sprintf("CA%d", w.posts), To: to, From: form.Get("From"), Status: "queued", Created: created, Script: form.Get("Twiml")}
		w.calls, made = append(w.calls, c), c
	} else {
		m := TwilioMessage{
			SID: fmt.Sprintf("SM%d", w.posts), To: to, From: form.Get("From"), Body: form.Get("Body"), Status: "queued", Segments: "1", Created: created,
		}
		// There is no key: the same form twice is two messages, on one phone.
		w.messages, made = append(w.messages, m), m
	}
	if fault == "lost" {
		panic(http.ErrAbortHandler)
	}
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusCreated) // and not 200
	answer(out, made)
}

// refused answers if the parameters are wrong.
func (w *Twilio) refused(out http.ResponseWriter, resource string, form url.Values) bool {
	to, text := form.Get("To"), form.Get("Body")
	code, message := 0, ""
	switch {
	case to == "" && resource == "Calls":
		code, message = 21201, "No 'To' number is specified" // https://www.twilio.com/docs/api/errors/21201
	case to == "":
		code, message = 21604, "A 'To' phone number is required." // https://www.twilio.com/docs/api/errors/21604
	case !strings.HasPrefix(to, "+"):
		code, message = 21211, "The 'To' number "+to+" is not a valid phone number." // https://www.twilio.com/docs/api/errors/21211
	case w.o.Refused[to] != 0:
		code, message = w.o.Refused[to], "The number "+to+" is refused"
	case form.Get("From") == "" && form.Get("MessagingServiceSid") == "":
		code, message = 21603, "A 'From' phone number is required." // https://www.twilio.com/docs/api/errors/21603
	case resource == "Messages" && text == "":
		code, message = 21602, "Message body is required." // https://www.twilio.com/docs/api/errors/21602
	case utf8.RuneCountInString(text) > 1600:
		code, message = 21617, "The concatenated message body exceeds the 1600 character limit" // https://www.twilio.com/docs/api/errors/21617
	case resource == "Calls" && utf8.RuneCountInString(form.Get("Twiml")) > 4000:
		code, message = 21627, "Max length of Twiml exceeded" // https://www.twilio.com/docs/voice/api/call-resource (Twiml: at most 4,000 characters)
	case resource == "Calls" && form.Get("Twiml") == "" && form.Get("Url") == "":
		code, message = 21205, "Url is not a valid URL" // https://www.twilio.com/docs/api/errors/21205
	default:
		return false
	}
	twilioError(out, http.StatusBadRequest, code, message)
	return true
}

// Press presses keys in a call: it follows the first <Gather> of the instructions, as
// Twilio would, with a signature by the token, and returns what the handler answers.
// https://www.twilio.com/docs/voice/twiml/gather#action
func (w *Twilio) Press(ctx context.Context, handler http.Handler, c TwilioCall, digits string) *httptest.ResponseRecorder {
	var script struct {
		Gather []struct {
			Action string `xml:"action,attr"`
		} `xml:"Gather"`
	}
	out := httptest.NewRecorder()
	if err := xml.Unmarshal([]byte(c.Script), &script); err != nil || len(script.Gather) == 0 {
		http.Error(out, fmt.Sprintf("no <Gather> in %q: %v", c.Script, err), http.StatusTeapot)
		return out
	}
	action := script.Gather[0].Action
	form := url.Values{"CallSid": {c.SID}, "AccountSid": {w.o.Account}, "From": {c.From}, "To": {c.To}, "Digits": {digits}, "CallStatus": {"in-progress"}, "FinishedOnKey": {""}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, action, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", SignTwilio(w.o.Token, action, form))
	handler.ServeHTTP(out, r)
	return out
}

// SignTwilio returns the signature of a request: over the whole URL, query included,
// and the parameters of the form by name.
// https://www.twilio.com/docs/usage/security#validating-requests
func SignTwilio(token adapters.Secret, to string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token.Reveal()))
	mac.Write([]byte(to))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
