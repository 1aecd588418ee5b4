package portal

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/internal/locale"
)

// entry is a customer in the list of the public ones.
type entry struct{ ID, Name string }

func (e entry) compare(other entry) int {
	return cmp.Or(cmp.Compare(e.Name, other.Name), cmp.Compare(e.ID, other.ID))
}

// words are those of the pages that belong to no customer.
type words struct{ Status, SignIn, Customer, Token, Operations, None string }

var wordsOf = map[string]words{
	"en": {"Service status", "Sign in", "Customer", "Token", "leave empty for the operations", "No customer is public."},
	"de": {"Servicestatus", "Anmelden", "Kunde", "Token", "leer lassen für den Betrieb", "Kein Kunde ist öffentlich."},
	"nl": {"Servicestatus", "Aanmelden", "Klant", "Token", "leeg laten voor beheer", "Geen enkele klant is openbaar."},
	"fr": {"État des services", "Se connecter", "Client", "Jeton", "laisser vide pour l’exploitation", "Aucun client n’est public."},
}

// preferred is the language of a page that belongs to no customer.
func preferred(r *http.Request) string {
	return language(r.URL.Query(), cmp.Or(locale.Match(r.Header.Get("Accept-Language")), "en"))
}

const frame = `{{define "head"}}<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Root}}assets/portal.css">
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{end}}{{define "foot"}}</main>
</body>
</html>
{{end}}`

var (
	loginTemplate = template.Must(template.New("login").Parse(frame + `{{template "head" .}}<form method="post" action="/login">
<p><label for="tenant">{{.Words.Customer}} ({{.Words.Operations}})</label> <input id="tenant" name="tenant" autocomplete="username" maxlength="63"></p>
<p><label for="token">{{.Words.Token}}</label> <input id="token" name="token" type="password" autocomplete="current-password" required></p>
<p><button type="submit">{{.Words.SignIn}}</button></p>
</form>
{{template "foot" .}}`))

	indexTemplate = template.Must(template.New("index").Parse(frame + `{{template "head" .}}{{if .Entries}}<ul>
{{range .Entries}}<li><a href="t/{{.ID}}/{{$.File}}">{{.Name}}</a></li>
{{end}}</ul>
{{else}}<p>{{.Words.None}}</p>
{{end}}{{template "foot" .}}`))

	deniedTemplate = template.Must(template.New("denied").Parse(frame + `{{template "head" .}}<p>There is nothing here, or nothing for you. <a href="/login">Sign in</a></p>
{{template "foot" .}}`))
)

type frameData struct {
	Lang, Title, Root, File string
	Words                   words
	Entries                 []entry
}

func filled(t *template.Template, d frameData) []byte {
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		panic("portal: " + err.Error()) // the templates and what is put in are of this file
	}
	return b.Bytes()
}

// notFound is the body of every denial. Its language is nobody's, so that it is the
// same for all.
var notFound = filled(deniedTemplate, frameData{Lang: "en", Title: "Not found", Root: "/"})

func loginPage(lang string) []byte {
	return filled(loginTemplate, frameData{Lang: lang, Title: wordsOf[lang].SignIn, Root: "/", Words: wordsOf[lang]})
}

func indexPage(b page.Brand, list []entry, o page.Options) []byte {
	lang := cmp.Or(o.Locale, "en")
	d := frameData{Lang: lang, Title: strings.TrimSpace(b.Name + " " + wordsOf[lang].Status), Words: wordsOf[lang], Entries: list}
	if o.Static {
		d.File = "index.html"
	}
	return filled(indexTemplate, d)
}
