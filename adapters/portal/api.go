package portal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// envelope is the head of every answer of the API, the same as that of the results of
// the programs.
type envelope struct {
	Schema   string    `json:"schema"`
	Now      time.Time `json:"now"`
	Inputs   []source  `json:"inputs"`
	Warnings []warning `json:"warnings"`
}

type source struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Rows   *int   `json:"rows"` // null: pages keep no count of them
}

type warning struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Ref     *string `json:"ref"`
}

func head(schema string, now time.Time, sources []report.Source, notices []report.Notice) envelope {
	e := envelope{Schema: schema, Now: now.UTC(), Inputs: []source{}, Warnings: []warning{}}
	for _, s := range sources {
		e.Inputs = append(e.Inputs, source{Name: s.Name, SHA256: s.SHA256})
	}
	for _, n := range notices {
		e.Warnings = append(e.Warnings, warning{Code: n.Code, Message: n.Message})
	}
	return e
}

func headOf(schema string, t *page.Tenant) envelope {
	e := head(schema, t.At, t.Sources, nil) // notices are the operations'
	if t.Stale != "" {
		e.Warnings = append(e.Warnings, warning{Code: "stale", Message: t.Stale})
	}
	return e
}

// encode writes JSON as the programs do: two blanks of indent, texts as they are.
func encode(v any) ([]byte, error) {
	return render(func(b *bytes.Buffer) error {
		enc := json.NewEncoder(b)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	})
}

// data answers with a value of the API, made once for each view.
func (v *visit) data(key string, make func() (any, error)) {
	v.show(jsonType, "api "+key, func() ([]byte, error) {
		value, err := make()
		if err != nil {
			return nil, err
		}
		return encode(value)
	})
}

func (v *visit) apiStatus() {
	v.data("status", func() (any, error) { return statusDocument(v.page, v.tenant.Disabled), nil })
}

func statusDocument(t *page.Tenant, disabled []page.Name) any {
	return struct {
		envelope
		statusData
	}{headOf("status/v1", t), status(t, disabled)}
}

func (v *visit) apiBudgets() {
	v.data("slos", func() (any, error) {
		if v.page.Budgets == nil {
			return nil, page.ErrNoPage
		}
		return struct {
			envelope
			report.BudgetsData
		}{headOf(report.BudgetReportSchema, v.page), v.page.Budgets.Data()}, nil
	})
}

type incidentData struct {
	ID            string       `json:"id"`
	Severity      string       `json:"severity"`
	Service       *string      `json:"service"`
	Title         string       `json:"title"`
	State         string       `json:"state"` // "open", "resolved" or "cancelled"
	Started       *time.Time   `json:"started"`
	Detected      *time.Time   `json:"detected"`
	Opened        time.Time    `json:"opened"`
	Acknowledged  *time.Time   `json:"acknowledged"`
	Responded     *time.Time   `json:"responded"`
	Resolved      *time.Time   `json:"resolved"`
	Excluded      *string      `json:"excluded"`
	Stage         *string      `json:"stage"` // as the customer was told last: "investigating", "identified", "monitoring"
	NextUpdate    *time.Time   `json:"next_update_due"`
	Updates       []updateData `json:"updates"` // in order of time
	Clocks        []clockData  `json:"clocks"`
	Postmortem    *string      `json:"postmortem"`
	PostmortemDue *time.Time   `json:"postmortem_due"`
}

type updateData struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`

	Stage *string    `json:"stage"`
	Next  *time.Time `json:"next_update_due"` // as it announces the next one
}

type clockData struct {
	Clause  string    `json:"clause"`
	Outcome string    `json:"outcome"`
	Target  *float64  `json:"target_s"` // null for the next business day
	Elapsed float64   `json:"elapsed_s"`
	Due     time.Time `json:"due"`
}

func (v *visit) apiIncidents() {
	v.data("incidents", func() (any, error) {
		list := []incidentData{}
		for _, in := range v.page.Incidents {
			list = append(list, incidentOf(in, v.page.At))
		}
		return struct {
			envelope
			Incidents []incidentData `json:"incidents"` // open ones first, then the latest
		}{headOf("portal-incidents/v1", v.page), list}, nil
	})
}

func incidentOf(in page.Incident, now time.Time) incidentData {
	d := incidentData{
		ID: in.ID, Severity: in.CurrentSeverity().String(), Service: text(in.Service), Title: in.Title, State: "resolved",
		Started: instant(in.Started), Detected: instant(in.Detected), Opened: in.Opened.UTC(), Acknowledged: instant(in.Acknowledged),
		Responded: instant(in.Responded), Resolved: instant(in.Resolved), Excluded: text(in.Excluded), Stage: text(in.Stage), NextUpdate: instant(in.NextUpdate),
		Updates: []updateData{}, Clocks: []clockData{}, Postmortem: text(in.Postmortem), PostmortemDue: instant(in.PostmortemDue),
	}
	switch {
	case !in.Cancelled.IsZero():
		d.State = "cancelled"
	case in.OpenAt(now):
		d.State = "open"
	}
	for _, u := range in.Updates {
		d.Updates = append(d.Updates, updateData{u.At.UTC(), u.Text, text(u.Stage), instant(u.Next)})
	}
	for _, c := range in.Clocks {
		one := clockData{Clause: string(c.Clause), Outcome: fmt.Sprint(c.Outcome), Elapsed: c.Elapsed.Seconds(), Due: c.Due.UTC()}
		if seconds := c.Target.Seconds(); seconds > 0 {
			one.Target = &seconds
		}
		d.Clocks = append(d.Clocks, one)
	}
	return d
}

type windowData struct {
	ID        string     `json:"id"`
	Service   string     `json:"service"` // "*" for all
	Start     time.Time  `json:"start"`
	End       time.Time  `json:"end"`
	Announced *time.Time `json:"announced"`
	Title     string     `json:"title"`
	Emergency bool       `json:"emergency"`
	Cancelled bool       `json:"cancelled"`
	NoticeOK  bool       `json:"notice_ok"`
	Excluded  bool       `json:"excluded"`
	Reason    *string    `json:"reason"`
}

func (v *visit) apiMaintenance() {
	v.data("maintenance", func() (any, error) {
		list := []windowData{}
		for _, m := range v.page.Maintenance {
			list = append(list, windowData{
				ID: m.Ref, Service: cmp.Or(m.Service, "*"), Start: m.Start.UTC(), End: m.End.UTC(), Announced: instant(m.Announced), Title: m.Title,
				Emergency: m.Emergency, Cancelled: m.Cancelled, NoticeOK: m.NoticeOK, Excluded: m.Excluded, Reason: text(m.Reason),
			})
		}
		return struct {
			envelope
			Maintenance []windowData `json:"maintenance"`
		}{headOf("portal-maintenance/v1", v.page), list}, nil
	})
}

type monthData struct {
	Month    string              `json:"month"`
	Complete bool                `json:"complete"`
	Credits  report.CreditData   `json:"credits"`
	Breaches []report.BreachData `json:"breaches"`
}

type revisionData struct {
	Month    string       `json:"month"`
	Number   int          `json:"number"`
	At       time.Time    `json:"at"`
	Before   money.Amount `json:"before"`
	After    money.Amount `json:"after"`
	Reason   string       `json:"reason"`
	Evidence string       `json:"evidence_sha256"`
}

func (v *visit) apiCredits() {
	v.data("credits", func() (any, error) {
		months, revisions := []monthData{}, []revisionData{}
		for _, m := range v.page.Months {
			d := m.Data()
			months = append(months, monthData{d.Period.Label, d.Period.Complete, d.Credits, d.Breaches})
		}
		for _, r := range v.page.Revisions {
			revisions = append(revisions, revisionData{r.Month, r.Number, r.At.UTC(), r.Before, r.After, r.Reason, fmt.Sprint(r.Evidence)})
		}
		return struct {
			envelope
			Months    []monthData    `json:"months"` // oldest first
			Revisions []revisionData `json:"revisions"`
		}{headOf("portal-credits/v1", v.page), months, revisions}, nil
	})
}

func (v *visit) apiReport() { v.reportOf(v.r.PathValue("month"), "json") }

// reportFile serves the report of a month in the form that its name ends in.
func (v *visit) reportFile() {
	month, form, _ := strings.Cut(v.r.PathValue("file"), ".")
	v.reportOf(month, form)
}

func (v *visit) reportOf(month, form string) {
	if _, ok := monthOf(v.page, month); !ok || reportTypes[form] == "" {
		v.deny() // also what would make keys of any number
		return
	}
	o := v.options()
	if form != "html" {
		o = page.Options{Without: v.tenant.Disabled} // the other forms are the same for everybody
		v.w.Header().Set("Content-Disposition", `inline; filename="`+v.tenant.ID+"-"+month+"."+form+`"`)
	}
	v.show(reportTypes[form], "report "+month+" "+form+" "+o.Locale, func() ([]byte, error) { return reportIn(v.page, month, form, o) })
}

// reportTypes are the forms of a report.
var reportTypes = map[string]string{"html": htmlType, "pdf": pdfType, "csv": csvType, "json": jsonType}

// monthOf returns the report of a month.
func monthOf(t *page.Tenant, month string) (report.ServiceReport, bool) {
	for _, m := range t.Months {
		if m.Report.Statement.Period.Label == month {
			return m, true
		}
	}
	return report.ServiceReport{}, false
}

// reportIn writes the report of a month in one of its forms, all from one value.
func reportIn(t *page.Tenant, month, form string, o page.Options) ([]byte, error) {
	m, ok := monthOf(t, month)
	if !ok || !o.Has(page.Reports) {
		return nil, fmt.Errorf("report %q: %w", month, page.ErrNoPage)
	}
	switch form {
	case "html":
		return render(func(b *bytes.Buffer) error { return t.Report(b, month, o) })
	case "csv":
		return render(func(b *bytes.Buffer) error { return m.Breaches().CSV(b, report.CSVOptions{}) })
	case "pdf":
		return render(func(b *bytes.Buffer) error { return m.Document().PDF(b, report.PDFOptions{}) })
	}
	return encode(struct {
		envelope
		report.ServiceData
	}{head(report.ServiceReportSchema, m.Report.At, m.Sources, m.Notices), m.Data()})
}
