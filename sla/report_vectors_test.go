package sla_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// reportCases is the file that the program slareport is tested with. Its figures
// were computed elsewhere with exact fractions.
const reportCases = "../examples/testdata/vectors/programs.json"

// contracts says how the contract of a case differs from that of the sample; the
// file of the program is read by the program.
var contracts = map[string]func(*sla.Contract){
	"sr-acme-oct": nil, "sr-acme-sep": nil, "sr-acme-jul": nil, "sr-acme-mid": nil, "sr-acme-nov": nil,
	"sr-exactly-on-target": nil, "sr-one-second-over": nil, "sr-empty-month": nil,
	"sr-utc":       func(c *sla.Contract) { c.Zone = "UTC" },
	"sr-mode-both": func(c *sla.Contract) { c.Terms[0].Availability.ExcludeMode = sla.FromBoth },
	"sr-no-exclusions": func(c *sla.Contract) {
		c.Terms[0].Availability.Exclude = nil
	},
	"sr-cap": func(c *sla.Contract) {
		fifteen := money.WholePercent(15)
		c.CapPercent = &fifteen
	},
	"sr-gap-extended": func(c *sla.Contract) {
		c.Terms[0].Availability.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true}
	},
	"sr-professional": func(c *sla.Contract) { *c = sampleContract(sla.Professional, "45000.00 EUR") },
	"sr-fee-cents":    func(c *sla.Contract) { *c = sampleContract(sla.Professional, "33333.33 EUR") },
}

func sampleContract(tier sla.Tier, fee string) sla.Contract {
	c := sla.Preset("acme-2026", tier, "Europe/Amsterdam", money.Must(money.Parse(fee)))
	a := c.Terms[0].Availability
	a.Services = []sla.Service{{ID: "api-gateway"}, {ID: "checkout"}}
	a.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure}
	c.Terms = slices.DeleteFunc(c.Terms, func(t sla.Term) bool { return t.DataLoss != nil })
	return c
}

func TestReportCases(t *testing.T) {
	data, err := os.ReadFile(reportCases)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the programs are not there: no " + reportCases)
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Sets  map[string]map[string]string
		Cases []struct {
			ID     string
			Args   []string
			Files  map[string]string
			Expect struct{ JSON map[string]any }
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range file.Cases {
		change, ok := contracts[c.ID]
		if !ok {
			continue
		}
		ran++
		t.Run(c.ID, func(t *testing.T) {
			contract := sampleContract(sla.Enterprise, "100000.00 EUR")
			if change != nil {
				change(&contract)
			}
			a, err := sla.Compile(contract)
			if err != nil {
				t.Fatal(err)
			}
			files := maps.Clone(file.Sets["acme"])
			maps.Copy(files, c.Files)
			now := when(t, argument(t, c.Args, "-now"))
			r, err := a.Report(month(t, a, argument(t, c.Args, "-month")), caseEvidence(t, files, now), sla.ReportOptions{At: now})
			if err != nil {
				t.Fatal(err)
			}
			got := asJSON(t, caseReport(r))
			for _, key := range slices.Sorted(maps.Keys(got)) {
				if diff := unlike(key, got[key], c.Expect.JSON[key]); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if ran != len(contracts) {
		t.Errorf("%d cases ran, want %d", ran, len(contracts))
	}
}

func argument(t *testing.T, args []string, flag string) string {
	t.Helper()
	at := slices.Index(args, flag)
	if at < 0 || at+1 == len(args) {
		t.Fatalf("arguments %q without %s", args, flag)
	}
	return args[at+1]
}

func when(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// rows reads a CSV file with a header.
func rows(t *testing.T, text string) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		out = append(out, row)
	}
	return out
}

// caseEvidence reads the files of a case. Monitoring runs since August.
func caseEvidence(t *testing.T, files map[string]string, now time.Time) sla.Evidence {
	t.Helper()
	e := sla.Evidence{Observed: calendar.Interval{Start: when(t, "2026-08-01T00:00:00+02:00"), End: now}}
	for _, r := range rows(t, files["outages.csv"]) {
		start, end := when(t, r["start"]), when(t, r["end"])
		if r["kind"] == "unmonitored" {
			e.Gaps = append(e.Gaps, sla.Gap{Service: r["service"], Start: start, End: end})
			continue
		}
		e.Outages = append(e.Outages, sla.Outage{
			Ref: r["incident_id"], Service: r["service"], Start: start, End: end, Cause: sla.Cause(r["cause"]), Degraded: r["kind"] == "degraded",
		})
	}
	for _, r := range rows(t, files["incidents.csv"]) {
		in := sla.Incident{
			ID: r["id"], Service: r["service"], Started: when(t, r["started"]), Detected: when(t, r["detected"]), Opened: when(t, r["opened"]),
			Acknowledged: when(t, r["acknowledged"]), Responded: when(t, r["responded"]), Resolved: when(t, r["resolved"]),
		}
		var err error
		if in.Severity, err = incident.ParseSeverity(r["severity"]); err != nil {
			t.Fatal(err)
		}
		if first, err := strconv.ParseBool(r["first_contact"]); err == nil {
			in.FirstContact = &first
		}
		if n, err := strconv.Atoi(r["escalations"]); err == nil {
			in.Escalations = &n
		}
		in.Satisfaction, _ = strconv.Atoi(r["csat"]) // empty is none
		e.Incidents = append(e.Incidents, in)
	}
	for _, r := range rows(t, files["maintenance.csv"]) {
		e.Maintenance = append(e.Maintenance, sla.Maintenance{
			Ref: r["id"], Service: r["service"], Start: when(t, r["start"]), End: when(t, r["end"]), Announced: when(t, r["announced"]),
			Emergency: r["type"] == "emergency", Cancelled: r["status"] == "cancelled", Title: r["title"],
		})
	}
	for _, r := range rows(t, files["changes.csv"]) {
		e.Changes = append(e.Changes, sla.Change{
			Ref: r["id"], Service: r["service"], Start: when(t, r["start"]), End: when(t, r["end"]), Kind: sla.ChangeKind(r["type"]),
			Outcome: sla.ChangeOutcome(r["outcome"]), Requested: when(t, r["requested"]), Approved: when(t, r["approved"]),
			CausedIncident: r["caused_incident"],
		})
	}
	return e
}

type object = map[string]any

// caseReport writes a report in the form of the cases.
func caseReport(r sla.Report) object {
	s := r.Statement
	out := object{
		"period": object{
			"label": s.Period.Label, "start": s.Period.Start, "end": s.Period.End, "seconds": s.Period.Duration().Seconds(), "complete": s.Complete,
		},
		"changes": object{
			"total": r.Changes.Total, "success": r.Changes.Success, "success_percent": percentNumber(r.Changes.SuccessShare), "emergency": r.Changes.Emergency,
		},
		"maintenance":  object{"past": works(r.Maintenance.Past), "upcoming": works(r.Maintenance.Upcoming)},
		"data_quality": object{"unmonitored_s": r.Quality.Unknown.Seconds()},
		"report":       object{"recipients": r.Recipients, "sections": r.Sections},
	}
	list := func(key string, v object) {
		all, _ := out[key].([]object)
		out[key] = append(all, v)
	}
	for _, m := range r.Availability {
		row := object{
			"service": m.Service, "total_s": m.Total.Seconds(), "service_s": m.Promised.Seconds(), "raw_down_s": m.RawDown.Seconds(),
			"excluded_s": m.Excluded.Seconds(), "down_s": m.Down.Seconds(), "degraded_s": m.Degraded.Seconds(), "unmonitored_s": m.Unknown.Seconds(),
			"availability_percent": percentNumber(m.Value), "availability_fraction": nil, "met": verdict(m.Outcome),
			"budget_s": m.Allowed.Seconds(), "budget_left_s": m.Left.Seconds(), "excluded": exclusions(m.Exclusions), "rejected_exclusions": exclusions(m.Rejected),
		}
		if m.Value.IsSet() {
			row["availability_fraction"] = m.Value.Rat().String()
		}
		list("availability", row)
	}
	overall := s.Overall[0]
	out["overall"] = object{
		"method": overall.Method, "service": orNull(overall.Service), "availability_percent": percentNumber(overall.Value), "met": verdict(overall.Outcome),
	}
	var severities []object
	for _, x := range r.Incidents.BySeverity {
		severities = append(severities, object{
			"severity": strings.ToLower(x.Severity.String()), "count": x.Count, "open_at_end": x.OpenAtEnd,
			"mttd_s": number(x.Detect.Mean), "mtta_s": number(x.Acknowledge.Mean), "mttr_s": number(x.Restore.Mean), "p95_resolve_s": number(x.Restore.P95),
			"response_met": x.Response.Met, "response_missed": x.Response.Missed, "response_pending": x.Response.Pending,
			"resolution_met": x.Resolution.Met, "resolution_missed": x.Resolution.Missed, "resolution_pending": x.Resolution.Pending,
		})
	}
	out["incidents"] = object{"total": r.Incidents.Total, "mttr_from": r.Incidents.MTTRFrom, "by_severity": severities}
	out["breaches"] = []object{}
	for _, b := range r.Breaches {
		row := object{
			"clause": b.Clause, "ref": b.Ref, "service": orNull(b.Service), "severity": nil, "promised": b.Promised.Seconds(), "actual": b.Actual.Seconds(),
			"unit": "s", "at": b.At, "credit": b.Credit,
		}
		if b.Severity.IsSet() {
			row["severity"] = strings.ToLower(b.Severity.String())
		}
		if b.Clause == sla.ClauseAvailability {
			row["promised"], row["actual"], row["unit"] = percentOf(b.Target), percentNumber(b.Value), "percent"
		}
		list("breaches", row)
	}
	for _, m := range r.Trend {
		list("trend", object{"month": m.Month, "availability_percent": percentNumber(m.Value), "met": verdict(m.Outcome)})
	}
	for _, k := range r.KPIs {
		row := object{"name": k.KPI, "value": number(k.Value), "unit": k.Unit, "n": k.N, "target": orNull(k.Limit()), "met": verdict(k.Outcome)}
		if k.Unit == sla.UnitPercent && k.Value.IsSet() {
			row["value"] = json.Number(k.Value.Decimal(6))
		}
		list("kpis", row)
	}
	return out
}

func works(list []sla.PlannedWork) []object {
	out := []object{}
	for _, w := range list {
		out = append(out, object{"id": w.Ref, "service": w.Service, "start": w.Start, "end": w.End, "notice_s": w.Notice.Seconds(), "notice_ok": w.NoticeOK})
	}
	return out
}

func exclusions(list []sla.Exclusion) []object {
	out := []object{}
	for _, x := range list {
		out = append(out, object{"ref": x.Ref, "reason": x.Reason, "s": x.Down.Seconds()})
	}
	return out
}

func percentNumber(f sla.Fraction) any {
	if !f.IsSet() {
		return nil
	}
	return json.Number(f.Percent(6))
}

func percentOf(p money.Percent) any { return json.Number(strings.TrimSuffix(p.String(), "%")) }

func number(f sla.Figure) any {
	if !f.IsSet() {
		return nil
	}
	nearest, _ := f.Rat().Float64()
	return nearest
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func verdict(o sla.Outcome) any {
	switch o {
	case sla.Met:
		return true
	case sla.Missed:
		return false
	default:
		return nil
	}
}

func asJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// unlike says where got differs from a pattern: the listed keys must match.
func unlike(path string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s = %v, want an object", path, got)
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			w, ok := want[key]
			if !ok {
				return fmt.Sprintf("%s.%s is not in the case", path, key)
			}
			if diff := unlike(path+"."+key, g[key], w); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		g, _ := got.([]any)
		if len(g) != len(want) {
			return fmt.Sprintf("%s has %d elements, want %d", path, len(g), len(want))
		}
		for i := range g {
			if diff := unlike(fmt.Sprintf("%s[%d]", path, i), g[i], want[i]); diff != "" {
				return diff
			}
		}
		return ""
	case float64:
		if g, ok := got.(float64); ok && math.Abs(g-want) <= 1e-9*max(1, math.Abs(want)) {
			return ""
		}
	default:
		if got == want {
			return ""
		}
	}
	return fmt.Sprintf("%s = %v, want %v", path, got, want)
}
