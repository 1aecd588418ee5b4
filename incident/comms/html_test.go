package comms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestPlacesInHTML: a value may not stand where its escaped form is more than text: as
// a part of a tag, in an attribute without quotes, a link, a style or a script. # is
// the value in both syntaxes.
func TestPlacesInHTML(t *testing.T) {
	for body, ok := range map[string]bool{
		"#": true, "<p>#</p>": true, "<p\ntitle = '#' class=\"a #\">#": true, "a < # & b": true, "1 <2 #": true,
		"<!-- <a -->#": true, "<style>p > a {{ color: red }}</style><b>#": true, "<br/>#": true, "<A HREF='HTTPS://x.example/#'>": true,
		`<a href="https://x.example/i/#?q=#">#</a>`: true, `<a href=mailto:x@example.com title="#">`: true, `<a href="mailto:#">`: true, `<i data-id="#">`: true,
		"<script>a</script >#": true, "<!doctype html><html lang='#'>": true, `<a b = c d title="#">`: true, `<img alt="#" src="https://x.example/#.png">`: true,

		"<#": false, "<b #>": false, "<b#>": false, "</#>": false, "<a title=#>": false, "<a title=x#>": false, `<a title="a" #>`: false, "<a title= #>": false,
		`<a href="#">`: false, `<a href='#/x'>`: false, `<a href="https://#/">`: false, `<a href="https://x.example#">`: false, `<a href=" javascript:#">`: false,
		`<a onclick="f('#')">`: false, `<p style="color: #">`: false, `<iframe srcdoc="#">`: false, "<style>#</style>": false, "<SCRIPT>#": false,
		"<script>a</scrip>#": false, "<!-- # -->": false, "<p title='a\" #": true, "<p title='a' \"#\">": false, `<form action="#">`: false, `<a/href="#">`: false,
	} {
		for syntax, value := range map[comms.Syntax]string{comms.Braces: "{description}", comms.GoTemplate: "{{.description}}"} {
			text := strings.ReplaceAll(body, "#", value)
			if syntax == comms.GoTemplate {
				text = strings.NewReplacer("{{ color", "{ color", "red }}", "red }").Replace(text)
			}
			tpl := comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: "s", Body: text, HTML: true, Channels: []comms.Channel{comms.Email}, Syntax: syntax}
			_, err := comms.New(comms.Config{Templates: []comms.Template{tpl}})
			bad, refused := errors.AsType[*comms.TemplateError](err)
			if refused == ok || refused && (bad.Part != "body" || bad.Column == 0) {
				t.Errorf("%s: New = %v, want an error: %v", text, err, !ok)
			}
			tpl.HTML = false
			if _, err := comms.New(comms.Config{Templates: []comms.Template{tpl}}); err != nil {
				t.Errorf("%s as plain text: %v", text, err)
			}
		}
	}
}

func TestBranchesInHTML(t *testing.T) {
	for body, column := range map[string]int{
		`<a title="{{if .severity}}a{{else}}b{{end}}{{.description}}">`:                         0,
		`{{if .severity}}<b>{{else}}<i>{{end}}{{.description}}`:                                 0,
		`<a {{if .severity}}title="{{end}}{{.description}}">`:                                   9, // of the condition
		`{{if .severity}}<a href="https://x.example/{{else}}<a href="{{end}}{{.description}}">`: 6,
		`{{if .severity}}{{else}}<b {{.description}}>{{end}}`:                                   30,
	} {
		tpl := goTemplate("s", body)
		tpl.HTML = true
		_, err := comms.New(comms.Config{Templates: []comms.Template{tpl}})
		bad, refused := errors.AsType[*comms.TemplateError](err)
		if refused != (column > 0) || refused && bad.Column != column {
			t.Errorf("%s: New = %v, want an error at column %d", body, err, column)
		}
	}
}
