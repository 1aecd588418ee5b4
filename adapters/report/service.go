package report

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// ServiceReport is the report of a contract for one period with what its readers
// need beside the figures. Everything that is made of it, be it a document, a
// table or the JSON of a program, takes its numbers from the same values.
type ServiceReport struct {
	Report   sla.Report
	Contract sla.Contract
	Zone     *time.Location // of the contract. Defaults to UTC.

	Customer string            // name. Defaults to the id of the contract's customer.
	Services map[string]string // names by id. Defaults to the ids.
	Sources  []Source
	Notices  []Notice

	// Locale is the language of the document: "en", "de", "nl" or "fr", with its forms
	// of numbers, money and times. Data of the caller's, such as notices, causes and
	// titles, stay as they are. Defaults to "en".
	Locale string

	// Explained lets the document end with how its headline numbers came about.
	Explained bool
}

// Notice is something about the input that a reader should know.
type Notice struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ServiceReportSchema names the form of [ServiceReport.Data].
const ServiceReportSchema = "sla-report/v1"

func (r ServiceReport) language() language { return languageOf(r.Locale, r.Zone) }

func (r ServiceReport) customer() string {
	if r.Customer != "" {
		return r.Customer
	}
	return r.Contract.Customer
}

// unpaid reports whether a service missed its target but fell into no band that
// earns a credit.
func (r ServiceReport) unpaid(service string) bool {
	for _, f := range r.Report.Statement.Findings {
		if f.Code == sla.CodeCreditGap && f.Ref == service {
			return true
		}
	}
	return false
}

// judged reports whether availability was measured at all, where it is promised.
func (r ServiceReport) judged() bool {
	for _, o := range r.Report.Statement.Overall {
		if o.Outcome != sla.NoData {
			return true
		}
	}
	return len(r.Report.Statement.Overall) == 0
}
