package portal

import (
	"net/http"
	"path"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// asset is a file that all pages share.
type asset struct {
	contentType string
	body        []byte
	etag        string
}

// pictures are the endings of logos. An SVG runs no script as the picture of a page,
// and none by itself under the policy of the portal.
var pictures = map[string]string{".svg": svgType, ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}

// assets returns the shared files by name.
func assets(b page.Brand, logo []byte) (map[string]asset, error) {
	list := map[string]asset{}
	add := func(name, contentType string, body []byte) { list[name] = asset{contentType, body, etag(body)} }
	add(path.Base(page.Stylesheet), "text/css; charset=utf-8", page.Style(b))
	if b.Logo == "" {
		return list, nil
	}
	kind := pictures[strings.ToLower(path.Ext(b.Logo))]
	switch {
	case kind == "" || path.Base(b.Logo) != b.Logo || strings.ContainsAny(b.Logo, `\%?#`):
		return nil, &ConfigError{"brand.logo", "want the name of a picture, .svg, .png, .jpg or .webp, without a folder"}
	case len(logo) == 0:
		return nil, &ConfigError{"logo", "missing; brand.logo names one"}
	}
	add(b.Logo, kind, logo)
	return list, nil
}

// asset serves a shared file. What it is tells nobody who the customers are.
func (p *snapshot) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := p.assets[r.PathValue("name")]
	if !ok {
		deny(w, r)
		return
	}
	shared(w, r, a)
}

// shared answers with what everybody may see and keep.
func shared(w http.ResponseWriter, r *http.Request, a asset) {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", a.etag)
	if fresh(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", a.contentType)
	send(w, r, http.StatusOK, a.body)
}
