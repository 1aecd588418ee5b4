package comms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// FuzzTemplate: every text is refused with a TemplateError or rendered without
// placeholders left, and nothing panics.
func FuzzTemplate(f *testing.F) {
	for _, t := range comms.DefaultTemplates() {
		f.Add(t.Subject, t.Body)
	}
	f.Add("{{}}", "}}{{")
	f.Add("{x", "every 5 minutes, every 1h every")
	fuzzTemplate(f, comms.Braces)
}

// FuzzGoTemplate does the same for the other syntax.
func FuzzGoTemplate(f *testing.F) {
	f.Add("{{.service_name}}", `{{if eq .severity "P1"}}{{printf "%s" .description}}{{else if not .x}}{{end}}`)
	f.Add(`{{"\n" | print}}`, `{{eq "x" (or (eq .severity "P1") "x")}}`)
	f.Add("{{/* a */}}x", `{{with .}}{{range .}}{{template "a"}}{{end}}{{define "a"}}{{end}}`)
	fuzzTemplate(f, comms.GoTemplate)
}

func fuzzTemplate(f *testing.F, syntax comms.Syntax) {
	f.Helper()
	f.Fuzz(func(t *testing.T, subject, body string) {
		tpl := comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: subject, Body: body, Channels: []comms.Channel{comms.Email}, Syntax: syntax}
		plan, err := comms.New(comms.Config{Templates: []comms.Template{tpl}, Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}})
		if err != nil {
			if _, ok := errors.AsType[*comms.TemplateError](err); !ok {
				t.Fatalf("New = %v, want a TemplateError", err)
			}
			return
		}
		m := apply(t, plan.Open("acme", "INC-2024-001"), state(incident.P1), start)
		if len(m) != 1 || strings.ContainsAny(m[0].Subject, "\r\n") {
			t.Fatalf("messages %+v, want one with a subject on one line", m)
		}
		// Text without braces comes through as it is.
		if !strings.ContainsAny(body, "{}") && m[0].Body != body {
			t.Fatalf("body %q became %q", body, m[0].Body)
		}
	})
}
