package portal

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// Outbox takes what customers ask for by the form, to be handed on to where people
// work. It must be safe for concurrent use.
type Outbox interface {
	// Put keeps a request and returns the reference by which the customer can ask
	// about it.
	Put(ctx context.Context, r Request) (ref string, err error)
}

// Request is what a customer asks for. Nothing in it is to be trusted.
type Request struct {
	Tenant  string
	Service string // id of a service of the customer; "" for none
	Title   string
	Text    string
	Contact string
	At      time.Time
}

var requestFields = []string{page.FieldService, page.FieldTitle, page.FieldText, page.FieldContact}

// parseRequest reads the form. problem says what is wrong with it, "" for nothing.
func parseRequest(get func(string) string, services []page.Service) (r Request, problem string) {
	field := func(name string) string { return strings.ToValidUTF8(strings.TrimSpace(get(name)), "\ufffd") }
	r = Request{Service: field(page.FieldService), Title: field(page.FieldTitle), Text: field(page.FieldText), Contact: field(page.FieldContact)}
	known := r.Service == "" || slices.ContainsFunc(services, func(s page.Service) bool { return s.ID == r.Service })
	switch {
	case !known:
		return r, page.FieldService
	case r.Title == "" || len(r.Title) > maxTitle || strings.ContainsAny(r.Title, "\r\n"):
		return r, page.FieldTitle
	case len(r.Text) > maxForm:
		return r, page.FieldText
	case len(r.Contact) > maxTitle || strings.ContainsAny(r.Contact, "\r\n"):
		return r, page.FieldContact
	}
	return r, ""
}

// sendRequest takes the form and shows it again, with a reference or with what is
// wrong. As everybody may send it to a public customer, it is counted like attempts.
func (v *visit) sendRequest() {
	if !v.attempts.begin(v.origin, v.tenant.ID+" request", v.now) {
		v.deny()
		return
	}
	o := v.options()
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if v.r.ParseForm() != nil {
		v.deny()
		return
	}
	req, problem := parseRequest(v.r.PostForm.Get, v.page.Services)
	if o.Problem = problem; problem == "" {
		req.Tenant, req.At = v.tenant.ID, v.now
		ref, err := v.requests.Put(v.r.Context(), req)
		if err != nil {
			v.failed(err)
			o.Problem = "unavailable"
		}
		o.Sent = ref
	}
	body, err := render(func(b *bytes.Buffer) error { return v.page.Write(b, page.Request, o) })
	v.answer(htmlType, body, "", err)
}
