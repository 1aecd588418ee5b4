package postmortem

import (
	"encoding/json"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// plain has the fields of a document and not its methods.
type plain Document

// Data is a document as JSON: null for what nobody knows or wrote yet, lists that
// are never null, and what is still missing. It can be embedded.
type Data struct {
	plain

	Tenant    *string            `json:"tenant"`
	Title     *string            `json:"title"`
	Severity  *incident.Severity `json:"severity"`
	Moderator *string            `json:"moderator"`
	Due       *time.Time         `json:"due"`
	Summary   *string            `json:"summary"`
	Impact    *string            `json:"impact"`
	RootCause *string            `json:"root_cause"`
	Detection *string            `json:"detection"`
	Missing   []string           `json:"missing"`
	Head      *incident.Head     `json:"timeline_head"`
}

// Data returns the document as JSON has it.
func (d Document) Data() Data {
	d.Services, d.Contributing, d.Helped = list(d.Services), list(d.Contributing), list(d.Helped)
	d.Timeline, d.Recurrence, d.Measures = list(d.Timeline), list(d.Recurrence), list(d.Measures)
	return Data{
		plain: plain(d), Tenant: orNull(d.Tenant), Title: orNull(d.Title), Severity: orNull(d.Severity), Moderator: orNull(d.Moderator), Due: orNull(d.Due),
		Summary: orNull(d.Summary), Impact: orNull(d.Impact), RootCause: orNull(d.RootCause), Detection: orNull(d.Detection),
		Missing: list(d.Missing()), Head: orNull(d.Head),
	}
}

// MarshalJSON writes [Document.Data].
func (d Document) MarshalJSON() ([]byte, error) { return json.Marshal(d.Data()) }

// orNull is nil for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
