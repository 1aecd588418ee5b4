package main

import (
	"embed"
	"errors"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// The embedded sample: files of a bookshop that load, with what is doubtful in them.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is the instant from which on the sample is looked at.
var sampleNow = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// sampleFiles are those of the sample.
var sampleFiles = []string{"contract.yaml", "slo.yaml", "bridge.yaml"}

// result is the JSON result.
type result struct {
	program.Envelope
	Errors int    `json:"errors"`
	Warned int    `json:"warnings_count"`
	Files  []file `json:"files"` // in the order of the arguments

	Explain []explanation `json:"explain,omitempty"`
}

// explanation says how a number came about.
type explanation struct {
	Field   string         `json:"field"`
	Formula string         `json:"formula"`
	Values  map[string]int `json:"values"` // by file
	Source  string         `json:"source"`
}

type file struct {
	Name        string       `json:"name"`
	Kind        *string      `json:"kind"`        // null: no kind has its keys
	Diagnostics []diagnostic `json:"diagnostics"` // by line, column and code
}

type diagnostic struct {
	Line       int     `json:"line"`
	Col        int     `json:"col"`
	Severity   string  `json:"severity"`
	Path       string  `json:"path"`
	Code       string  `json:"code"`
	Message    string  `json:"message"`
	Suggestion *string `json:"suggestion"`

	text    string // as people read it
	excerpt string // the line in the file and a caret, if it can be shown
}

// check reads all files before it says anything.
func (o *options) check(env *program.Env) (*result, error) {
	in := program.NewInputs(sample, len(env.Args) == 0)
	names := env.Args
	if in.Sample {
		names = sampleFiles
	}
	now := in.Now(env, sampleNow)
	r := &result{Files: []file{}}
	var unread []error
	for _, name := range names {
		shown, data, err := in.Read("", name)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		kind, found := config.Check(o.kind, shown, data, now)
		looks := kind // where -kind is wrong, the file may be one with secrets
		if o.kind != "" {
			looks, _ = config.Check("", shown, data, now)
		}
		text := newSource(looks, data)
		f := file{Name: shown, Diagnostics: []diagnostic{}}
		if kind != "" {
			f.Kind = &kind
		}
		for _, p := range found {
			if p.Severity == config.Error {
				r.Errors++
			} else {
				r.Warned++
			}
			d := newDiagnostic(p)
			d.excerpt = text.excerpt(d.Line, d.Col)
			f.Diagnostics = append(f.Diagnostics, d)
		}
		r.Files = append(r.Files, f)
	}
	r.Envelope = program.Envelope{Schema: "lint/v1", Now: now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices}
	if env.Explain {
		r.Explain = r.explain()
	}
	return r, errors.Join(unread...)
}

// explain counts the findings of both severities, file by file.
func (r *result) explain() []explanation {
	var all []explanation
	for _, c := range []struct{ field, severity string }{{"errors", config.Error}, {"warnings_count", config.Warning}} {
		e := explanation{
			Field: c.field, Formula: "diagnostics of severity " + c.severity + ", summed over the files", Values: map[string]int{}, Source: "files[].diagnostics[].severity",
		}
		for _, f := range r.Files {
			for _, d := range f.Diagnostics {
				if d.Severity == c.severity {
					e.Values[f.Name]++
				}
			}
		}
		all = append(all, e)
	}
	return all
}

func newDiagnostic(p config.Diagnostic) diagnostic {
	d := diagnostic{Line: p.Line, Col: p.Column, Severity: p.Severity, Path: p.Path, Code: p.Code, Message: p.Message, text: p.String()}
	if p.Suggestion != "" {
		d.Suggestion = &p.Suggestion
	}
	return d
}
