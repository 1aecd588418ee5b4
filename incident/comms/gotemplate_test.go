package comms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

func goTemplate(subject, body string) comms.Template {
	return comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: subject, Body: body, Channels: []comms.Channel{comms.Email, comms.Slack}, Syntax: comms.GoTemplate}
}

func TestGoTemplate(t *testing.T) {
	tpl := goTemplate(`{{.service_name}}{{"\n"}}x`, `{{if and (eq .severity "P1") (ne .service_name "")}}{{printf "%s!" .description}}{{else}}{{.timestamp}}{{end}}`)
	plan := newPlan(t, comms.Config{Templates: []comms.Template{tpl}, Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}, Rooms: []comms.Room{{Channel: comms.Slack, Address: "#ops"}}})
	s := state(incident.P1)
	s.Title = "{{.secret}} <down>" // a value is never a template
	got := apply(t, plan.Open("acme", "INC-2024-001"), s, start)
	want(t, "initial", got, "initial :slack:#ops slack", "initial tec email")
	if got[0].Body != "{{.secret}} &lt;down&gt;!" || got[1].Body != "{{.secret}} <down>!" || got[1].Subject != "user_api x" {
		t.Errorf("messages %q %q %q", got[0].Body, got[1].Body, got[1].Subject)
	}
}

func TestGoTemplateErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		column int
		want   string // in the error
	}{
		"unknown name":         {"é {{.incident}}", 5, ".incident_id"},
		"in a dead branch":     {`{{if eq .severity "P9"}}{{.secret}}{{end}}`, 27, "instead of .secret"},
		"in an else branch":    {`{{if .severity}}{{else}}{{.secret}}{{end}}`, 27, "instead of .secret"},
		"field of a value":     {"{{.severity.Word}}", 12, "instead of .severity.Word"},
		"syntax":               {"a\n{{", 0, "line 2"},
		"unknown function":     {"{{now}}", 0, `function "now" not defined`},
		"function of too much": {`{{html .severity}}`, 3, `instead of "html"`},
		"variable":             {`{{$x := .severity}}{{$x}}`, 3, "no variable"},
		"range":                {"{{range .severity}}x{{end}}", 9, "text, values and if"},
		"define":               {`{{define "a"}}x{{end}}y`, 0, "without define"},
		"the whole":            {"{{.}}", 3, "a value, a text"},
		"bad comparison":       {`{{if false}}{{eq .severity 1}}{{end}}`, 15, "incompatible types"},
		"not a text":           {`{{printf 1}}`, 3, "expected string"},
		"missing argument":     {`{{not}}`, 3, "wrong number of args"},
		"no function":          {`{{.severity 5}}`, 3, "a call that works"},
		"other interval":       {"every 20 minutes", 7, "the interval of the severity"},
	} {
		_, err := comms.New(comms.Config{Templates: []comms.Template{goTemplate("s", tt.body)}})
		var bad *comms.TemplateError
		if !errors.As(err, &bad) || bad.Part != "body" || bad.Column != tt.column || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, want column %d of the body and %q", name, err, tt.column, tt.want)
		}
	}
	other := goTemplate("s", "b")
	other.Syntax = "jinja"
	var bad *comms.TemplateError
	if _, err := comms.New(comms.Config{Templates: []comms.Template{other}}); !errors.As(err, &bad) || bad.Part != "syntax" {
		t.Errorf("New = %v, want an error in the syntax", err)
	}
}

// What the check cannot foresee ends in the default text, not in silence.
func TestGoTemplateThatFails(t *testing.T) {
	// or gives a text for the trial, which has no severity P1, and else a bool, which
	// cannot be compared with a text.
	tpl := goTemplate("s", `{{eq "x" (or (eq .severity "P1") "x")}}`)
	plan := newPlan(t, comms.Config{Templates: []comms.Template{tpl}, Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}})
	got := apply(t, plan.Open("acme", "INC-2024-001"), state(incident.P1), start)
	want(t, "initial", got, "initial tec email")
	if got[0].Subject != "[P1 CRITICAL] user_api - INC-2024-001" || !strings.Contains(got[0].Body, "user authentication is down") {
		t.Errorf("message %q %q, want the default text", got[0].Subject, got[0].Body)
	}
}
