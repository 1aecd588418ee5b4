package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/internal/locale"
)

// view is one customer as it is shown from one update to the next, with what was made
// of it so far. It knows nothing of any other.
type view struct {
	tenant *Tenant
	page   *page.Tenant
	base   site

	made  sync.Map    // of *document by key
	asked atomic.Bool // somebody was let in
}

// document is an answer that was made once.
type document struct {
	once sync.Once
	body []byte
	etag string
	err  error
}

// document returns what make makes for a key, once. Keys must be of a bounded number:
// names of files and languages, and nothing that a caller may choose freely.
func (v *view) document(key string, make func() ([]byte, error)) ([]byte, string, error) {
	found, ok := v.made.Load(key)
	if !ok {
		found, _ = v.made.LoadOrStore(key, &document{})
	}
	d, _ := found.(*document)
	d.once.Do(func() {
		d.err = errUnmade // for those who come after a panic
		if d.body, d.err = make(); d.err == nil {
			d.etag = etag(d.body)
		}
	})
	return d.body, d.etag, d.err
}

// errUnmade is that of a document whose making did not come to an end.
var errUnmade = errors.New("portal: the document could not be made")

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// visit is a request for one customer that was let in. Handlers are given this and
// nothing else, so there is nothing of others that they could show.
type visit struct {
	*view
	w http.ResponseWriter
	r *http.Request

	now      time.Time
	origin   string // of the caller, as wrong tokens are counted
	desk     Desk
	requests Outbox
	replays  *replays
	attempts *attempts
	log      *slog.Logger
}

// failed logs what could not be done; the caller sees nothing of it.
func (v *visit) failed(err error) {
	v.log.ErrorContext(v.r.Context(), "no answer", "tenant", v.tenant.ID, "path", v.r.URL.Path, "error", err)
}

// deny answers as if there was nothing.
func (v *visit) deny() { deny(v.w, v.r) }

// show answers with a document that is made once for its key.
func (v *visit) show(contentType, key string, make func() ([]byte, error)) {
	body, tag, err := v.document(key, make)
	v.answer(contentType, body, tag, err)
}

// answer answers with a document, or with what came of it.
func (v *visit) answer(contentType string, body []byte, tag string, err error) {
	switch {
	case errors.Is(err, page.ErrNoPage):
		v.deny()
		return
	case err != nil:
		v.failed(err)
		v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		send(v.w, v.r, http.StatusInternalServerError, []byte("This page cannot be made at the moment.\n"))
		return
	}
	h := v.w.Header()
	if v.tenant.Public && tag != "" {
		h.Set("Cache-Control", "no-cache") // kept, and asked for again
		h.Set("ETag", tag)
		if v.page.Locale == "" {
			h.Set("Vary", "Accept-Language")
		}
		if fresh(v.r.Header.Get("If-None-Match"), tag) {
			v.w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", contentType)
	send(v.w, v.r, http.StatusOK, body)
}

// fresh reports whether a list of tags has the tag (RFC 9110, section 13.1.2).
func fresh(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// options are those of the rendering that a request asks for: ?lang= counts most, then
// the customer's own language, then that of the reader.
func (v *visit) options() page.Options {
	o := page.Options{Locale: language(v.r.URL.Query(), ""), Without: v.tenant.Disabled}
	if v.requests == nil {
		o.Without = append(slices.Clip(o.Without), page.Request)
	}
	if o.Locale == "" && v.page.Locale == "" {
		o.Locale = locale.Match(v.r.Header.Get("Accept-Language"))
	}
	return o
}

// language is the one that a query asks for, if it is one that there is.
func language(query url.Values, otherwise string) string {
	if lang := query.Get("lang"); slices.Contains(languages, lang) {
		return lang
	}
	return otherwise
}

var languages = []string{"en", "de", "nl", "fr"}

// wall is the only interval at which pages load themselves again.
const wall = 30 * time.Second
