package comms_test

import (
	"bytes"
	"encoding/json"
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
	f.Add("s", "<!-- --><a b='{severity}' href=\"https://x/{severity}\"><style></style><{severity}")
	fuzzTemplate(f, comms.Braces)
}

// FuzzGoTemplate does the same for the other syntax.
func FuzzGoTemplate(f *testing.F) {
	f.Add("{{.service_name}}", `{{if eq .severity "P1"}}{{printf "%s" .description}}{{else if not .x}}{{end}}`)
	f.Add("s", "<a b='{{.severity}}' href=\"https://x/{{if .severity}}x\"{{else}}'{{end}}><script></script>")
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
		tpl.HTML = true
		if _, err := comms.New(comms.Config{Templates: []comms.Template{tpl}}); err != nil {
			if _, ok := errors.AsType[*comms.TemplateError](err); !ok {
				t.Fatalf("New with HTML = %v, want a TemplateError", err)
			}
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

// FuzzRestore: whatever a snapshot holds, a thread that goes on from it does not
// panic, and its own snapshot is read back as the same.
func FuzzRestore(f *testing.F) {
	plan, err := comms.New(german())
	if err != nil {
		f.Fatal(err)
	}
	thread := plan.Open("acme", "INC-2024-001")
	for i, s := range []incident.State{state(incident.P2), withNews(state(incident.P2), "a"), withNews(state(incident.P3), "a"), resolved(withNews(state(incident.P3), "a"))} {
		if err := thread.Apply(s, after(i)); err != nil {
			f.Fatal(err)
		}
		data, err := json.Marshal(thread.Snapshot())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		thread.Step(after(i))
	}
	f.Add([]byte(`{"version":1,"state":{"id":"i","severity":"P1","status":"open"},"round":1,"contacts":{"tec":{"since":"2026-01-01T00:00:00Z","left":"2026-01-01T00:00:00Z","told":"2026-01-01T00:00:00Z"},"anna":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s comms.Snapshot
		if json.Unmarshal(data, &s) != nil {
			return
		}
		thread, err := plan.Restore(s)
		if err != nil {
			return
		}
		for range 20 {
			at, ok := thread.NextWake()
			if !ok {
				break
			}
			thread.Step(at)
		}
		if err := thread.Apply(withNews(state(incident.P1), "b"), after(0)); err == nil {
			for _, m := range thread.Step(after(0)) {
				thread.Report(m.Key, comms.Failed)
			}
			thread.Planned()
		}
		one, err := json.Marshal(thread.Snapshot())
		if err != nil {
			t.Skip("an instant that JSON does not have")
		}
		again := comms.Snapshot{}
		if err := json.Unmarshal(one, &again); err != nil {
			t.Fatal(err)
		}
		if two, err := json.Marshal(again); err != nil || !bytes.Equal(one, two) {
			t.Errorf("snapshot %s is read back as %s, %v", one, two, err)
		}
	})
}
