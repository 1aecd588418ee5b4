package page

import (
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// help has the articles by service, known errors first because whoever looks for help
// has one of them.
func (t *Tenant) help(v *view) {
	if v.has(Search) {
		v.Form = v.searchForm("")
	}
	if v.has(Request) {
		v.Intro = append(v.Intro, block{List: []cell{to(v.page(Request), v.t("help.ask"))}})
	}
	if len(t.Articles) == 0 {
		v.Intro = append(v.Intro, block{Text: v.t("help.none")})
		return
	}
	ids := []string{""}
	for _, s := range t.Services {
		ids = append(ids, s.ID)
	}
	for i, id := range ids {
		var errors, knowledge []block
		for _, a := range t.Articles {
			// What is of no service that there is stands with the general ones.
			if home := t.home(a); home != id {
				continue
			}
			if a.KnownError {
				errors = append(errors, v.article(a)...)
			} else {
				knowledge = append(knowledge, v.article(a)...)
			}
		}
		if list := slices.Concat(errors, knowledge); len(list) > 0 {
			name := t.service(v, id)
			if i == 0 {
				name = v.t("help.general")
			}
			v.add("help-"+id, name, list...)
		}
	}
}

// home is the service below which an article stands, "" for those of all.
func (t *Tenant) home(a Article) string {
	for _, s := range t.Services {
		if s.ID == a.Service {
			return s.ID
		}
	}
	return ""
}

// articleID is the anchor of an article.
func articleID(id string) string { return "article-" + (&view{ids: map[string]int{}}).id(id) }

func (v *view) article(a Article) []block {
	kind := v.mark("", v.t("help.article"))
	if a.KnownError {
		kind = v.mark(report.Warning, v.t("help.known_error"))
	}
	list := []block{{Head: &heading{v.id(articleID(a.ID)), a.Title}}, {Facts: []fact{
		{v.t("help.kind"), cell{Mark: kind}}, {v.t("ref"), text(a.ID)}, {v.t("help.changed"), cell{Times: []when{v.time(a.Changed)}}},
	}}}
	return append(list, paragraphs(a.Text)...)
}

// has reports whether the customer has a page.
func (v *view) has(n Name) bool {
	return slices.ContainsFunc(v.Nav, func(l link) bool { return l.Href == v.page(n) })
}

// anchor is the address of a place on a page of the customer, "" where there is no
// such page.
func (v *view) anchor(n Name, id string) string {
	if !v.has(n) {
		return ""
	}
	return v.page(n) + "#" + id
}

func (v *view) searchForm(query string) *form {
	return &form{Method: "get", Action: v.page(Search), Button: v.t("search.button"), Fields: []field{
		{Name: FieldQuery, Label: v.t("search.query"), Type: "search", Value: query},
	}}
}

// mostHits is how many results a search shows.
const mostHits = 50

// search finds what holds every word of the query, whatever the case, in the order
// of the pages.
func (t *Tenant) search(v *view, query string) {
	v.Form = v.searchForm(query)
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		v.Intro = append(v.Intro, block{Text: v.t("search.empty")})
		return
	}
	var hits []cell
	hit := func(href, title, kind string, texts ...string) {
		all := strings.ToLower(strings.Join(append(texts, title), "\n"))
		for _, w := range words {
			if !strings.Contains(all, w) {
				return
			}
		}
		if href != "" { // its page is there
			hits = append(hits, cell{Text: title, Href: href, Sub: kind})
		}
	}
	for _, s := range t.Services {
		hit(v.anchor(Status, "services"), t.service(v, s.ID), v.t("service"), s.ID, s.Tier, s.Owner)
	}
	for _, i := range t.Incidents {
		texts := []string{t.service(v, i.Service), i.Cause, i.Action}
		for _, u := range i.Updates {
			texts = append(texts, u.Text)
		}
		hit(v.anchor(Incidents, incidentID(i.ID)), incidentTitle(i), v.t("incident"), texts...)
	}
	for _, m := range t.Maintenance {
		hit(v.anchor(Maintain, "main"), strings.TrimSpace(m.Ref+" "+m.Title), v.t("window"), t.service(v, m.Service))
	}
	for _, a := range t.Articles {
		kind := v.t("help.article")
		if a.KnownError {
			kind = v.t("help.known_error")
		}
		hit(v.anchor(Help, articleID(a.ID)), a.Title, kind, a.ID, a.Text, t.service(v, a.Service))
	}
	found := []block{{Text: v.n("search.hits", len(hits))}}
	if len(hits) > 0 {
		found = append(found, block{List: hits[:min(len(hits), mostHits)]})
	}
	v.add("hits", v.t("search.results"), found...)
}

// request asks the provider for something, or says that it was taken.
func (t *Tenant) request(v *view, o Options) {
	if o.Sent != "" {
		v.Intro = append(v.Intro, block{Notice: v.mark(report.Good, v.t("request.sent", o.Sent))})
	}
	if o.Problem != "" {
		v.Intro = append(v.Intro, block{Notice: v.mark(report.Bad, v.t("request.problem", v.known("request.wrong", o.Problem)))})
	}
	services := []choice{{"", v.t("service.none")}}
	for _, s := range t.Services {
		services = append(services, choice{s.ID, t.service(v, s.ID)})
	}
	v.Intro = append(v.Intro, block{Text: v.t("request.lead")})
	v.Form = &form{Method: "post", Action: v.page(Request), Button: v.t("request.button"), Fields: []field{
		{Name: FieldService, Label: v.t("service"), Choices: services},
		{Name: FieldTitle, Label: v.t("request.title"), Type: "text", Required: true},
		{Name: FieldText, Label: v.t("request.text"), Long: true, Required: true},
		{Name: FieldContact, Label: v.t("request.contact"), Type: "text"},
	}}
}
