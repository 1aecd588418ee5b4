package portal

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// maxForm bounds the body of a form.
const maxForm = 16 << 10

var loginFields = []string{"tenant", "token"}

// loginForm shows the form. It is the same for everybody, whoever the customers are.
func (p *snapshot) loginForm(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", htmlType)
	send(w, r, http.StatusOK, loginPage(preferred(r)))
}

// login opens a session. Whatever is wrong, the answer is that of a page that is not
// there.
func (p *snapshot) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		deny(w, r)
		return
	}
	id, token := r.PostForm.Get("tenant"), r.PostForm.Get("token")
	want, at := p.config.Ops, opsPlace
	if id != "" {
		want, at = TokenHash{}, ""
		if t := p.tenants[id]; t != nil {
			want, at = t.Token, place(t.ID)
		}
	}
	now := p.config.Now()
	if token == "" || !p.try(p.config.Address(r), id, token, want, now) {
		deny(w, r)
		return
	}
	http.SetCookie(w, p.sessions.cookie(at, want, now))
	w.Header().Set("Location", at)
	send(w, r, http.StatusSeeOther, nil)
}

// index lists the public customers.
func (p *snapshot) index(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", htmlType)
	send(w, r, http.StatusOK, indexPage(p.config.Brand, p.public(), page.Options{Locale: preferred(r)}))
}

// public returns id and name of the public customers that have data, by name.
func (p *snapshot) public() []entry {
	var list []entry
	for _, t := range p.sorted {
		if v := t.view.Load(); t.Public && v != nil {
			list = append(list, entry{t.ID, v.page.Name})
		}
	}
	slices.SortFunc(list, entry.compare)
	return list
}

// operations shows the dashboard.
func (p *snapshot) operations(w http.ResponseWriter, r *http.Request) {
	o := p.dashboard()
	body, err := render(func(b *bytes.Buffer) error { return o.Write(b, page.Options{Locale: language(r.URL.Query(), "")}) })
	if err != nil {
		p.logged(r.Context(), "dashboard", err)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		send(w, r, http.StatusInternalServerError, []byte("This page cannot be made at the moment.\n"))
		return
	}
	w.Header().Set("Content-Type", htmlType)
	send(w, r, http.StatusOK, body)
}
