package sla_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// everyMeasure holds each measure with every field set at least once.
var everyMeasure = []sla.Measure{
	nil,
	sla.Uptime{},
	sla.Uptime{MinOutage: time.Minute, AtLeast: true, Unit: time.Minute, Partial: sla.PartialUp, Overlap: sla.OverlapSum, FromReport: true},
	sla.Uptime{Unit: time.Minute, Partial: sla.PartialDown},
	sla.Uptime{FromEffect: true, WholeOutages: true},
	sla.BadSlots{Slot: time.Minute},
	sla.BadSlots{Slot: time.Minute, ErrorRate: money.WholePercent(5), AtLeast: true, MinRun: 5, MinRequests: 100, Partial: sla.PartialUp},
	sla.MeanErrorRate{Slot: time.Hour},
	sla.MeanErrorRate{Slot: time.Hour, Empty: sla.EmptyDropped, DownFails: true},
	sla.Events{},
	sla.Events{SlowCredit: money.WholePercent(50)},
	sla.AffectedRatio{},
}

var everyRemedy = []sla.Remedy{
	nil,
	sla.Bands{Bands: sla.ReferenceBands()},
	sla.Bands{ExtendTop: true, Bands: []sla.Band{
		{Below: percent("99"), From: percent("98"), Days: 3, NotAtFrom: true}, {Below: percent("98"), Days: 10, AtBelow: true},
	}},
	sla.LostTime{Times: 10, BeyondTarget: true},
	sla.LostTime{Times: 1, OutageCapPercent: percentage("50")},
	sla.PerInterval{Percent: percent("5"), Interval: 30 * time.Minute},
	sla.PerInterval{Percent: percent("5"), Interval: time.Hour, Started: true, Deductible: time.Minute, OutageCapPercent: percentage("0")},
	sla.PerOutage{Percent: percent("2.5")},
	sla.PerOutage{Amount: eur("500.00")},
	sla.UsageShare{},
	sla.UnknownRemedy{},
}

// everyContract sets each field of a contract, and each value of an enumeration,
// at least once over all contracts.
func everyContract(tb testing.TB) []sla.Contract {
	tb.Helper()
	var all []sla.Contract
	for _, tier := range sla.Tiers {
		all = append(all, sla.Preset("preset", tier, "Europe/Amsterdam", tier.Offer().FeeFrom))
	}
	for i, m := range everyMeasure {
		c := uptime(percent("99.5"), "1000.00", nil)
		a := c.Terms[0].Availability
		a.Measure = m
		a.Remedy = everyRemedy[1]
		a.ExcludeMode, a.Unknown = sla.ExcludeMode(i%2), sla.Unknown(i%3)
		all = append(all, c)
	}
	for i, r := range everyRemedy {
		c := uptime(percent("99.5"), "1000.00", nil)
		a := c.Terms[0].Availability
		a.Remedy = r
		a.Aggregate = sla.Aggregate(i % 2)
		a.Services = []sla.Service{{ID: "a", Target: percentage("99")}, {ID: "b"}}
		c.Stack, c.Rounding = sla.Stack(i%3), money.Rounding(i%4)
		all = append(all, c)
	}
	for kind := sla.ClaimAutomatic; kind <= sla.ClaimUnknown; kind++ {
		c := a0(tb)
		c.Claim.Kind = kind
		switch kind {
		case sla.DaysAfterPeriodEnd, sla.DaysAfterIncident, sla.DaysAfterEligible:
			c.Claim.Days = 30
		case sla.MonthsAfterPeriodEnd:
			c.Claim.Months = 2
		case sla.PeriodsAfter:
			c.Claim.Periods = 2
		case sla.ClaimAutomatic:
			c.Claim.NotifyBusinessDays = 5
		case sla.ClaimUnknown:
		}
		all = append(all, c)
	}
	full := a0(tb)
	full.Customer, full.From, full.Until = "acme", instant(tb, "2026-01-01T00:00:00Z"), instant(tb, "2026-12-31T23:00:00.000000001Z")
	full.Period = sla.Billing{Months: 3, AnchorMonth: 2, AnchorDay: 31, UTC: true}
	full.CapDays, full.CapYearPercent, full.CapInvoicePercent = 30, percentage("20"), percentage("100")
	full.RoundOnce, full.FullFee = true, true
	full.ScopeIn, full.ScopeOut, full.Labels = []string{"web"}, []string{"<batch>"}, []string{"ISO 27001"}
	full.Calendars["shop"] = calendar.Hours{
		Zone: "Europe/Amsterdam", Week: calendar.EveryDay("22:00", "06:00"), Holidays: []string{"2026-12-25"}, HolidayRule: calendar.ShiftStart,
		Special: map[string][]calendar.Span{"2026-12-24": {{From: "08:00", To: "12:00:30"}}, "2026-12-31": {}},
	}
	a := full.Terms[0].Availability
	a.Strict, a.ServiceHours, a.MinNotice, a.NoticeLocal, a.MaintenancePerYear = true, "shop", time.Hour, true, 20*time.Hour
	a.MaintenanceKinds = map[string]sla.MaintenanceRule{"migration": {MinNotice: 24 * time.Hour, MaxLength: time.Hour}}
	a.Aggregate, a.Services = sla.Weighted, []sla.Service{{ID: "a", Weight: 1}, {ID: "b", Weight: 3}}
	full.Terms[0].FeeBase, full.Terms[0].CapPercent, full.Terms[0].MoreThan = "compute", percentage("75.5"), eur("1.00")
	full.Terms[2].Resolution.Start, full.Terms[2].Resolution.RestartOnSeverity, full.Terms[2].Resolution.CountIn = sla.FromDetected, true, sla.CountAtResponse
	full.Terms[2].Resolution.MeanToo, full.Terms[2].Resolution.Thresholds = true, []int{}
	full.Terms[3].Monitoring.Count, full.Terms[4].DataLoss.CurrentFee = sla.StartedPerOutage, true
	full.Terms = append(full.Terms,
		sla.Term{ID: "update", Update: &sla.Clock{CountIn: sla.CountAtCreation, Thresholds: []int{80}, Targets: []sla.Target{
			{Severity: incident.P2, Calendar: "shop", NextDay: &calendar.NextDayRule{Mode: calendar.AfterCutOff, CutOff: "16:00"}},
		}}},
		sla.Term{ID: "changes", Indicator: &sla.Indicator{KPI: sla.KPIChanges, Target: mustTarget(tb, "> 95%"), Credit: eur("10.00")}},
	)
	rolling, fixed := a0(tb), a0(tb)
	rolling.Period = sla.Billing{Days: 30, Rolling: true}
	fixed.Period = sla.Billing{Days: 30, First: instant(tb, "2026-01-01T00:00:00Z")}
	return append(all, full, rolling, fixed)
}

func mustTarget(tb testing.TB, text string) incident.Target {
	tb.Helper()
	target, err := incident.ParseTarget(text)
	if err != nil {
		tb.Fatal(err)
	}
	return target
}

func TestParseContractReadsWhatIsWritten(t *testing.T) {
	for i, c := range everyContract(t) {
		if err := c.Validate(); err != nil {
			t.Errorf("contract %d: %v", i, err)
		}
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, indent := range []string{"", "  "} {
			text := string(data)
			if indent != "" {
				pretty, err := json.MarshalIndent(c, "", indent)
				if err != nil {
					t.Fatal(err)
				}
				text = "\r\n\t " + string(pretty) + "\n"
			}
			back, err := sla.ParseContract([]byte(text))
			if err != nil || !reflect.DeepEqual(back, c) {
				t.Errorf("contract %d changes on the way through JSON: %v\n%s\n%+v", i, err, text, back)
			}
		}
		var loose sla.Contract
		if err := json.Unmarshal(data, &loose); err != nil || !reflect.DeepEqual(loose, c) {
			t.Errorf("contract %d changes on the way through json.Unmarshal: %v\n%s", i, err, data)
		}
	}
}

// Every field of a contract is set somewhere in everyContract, so that a new one
// without a test is found.
func TestEveryContractIsComplete(t *testing.T) {
	set := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			if v.Type().PkgPath() != reflect.TypeFor[sla.Contract]().PkgPath() {
				return
			}
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				set[name] = set[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		default:
		}
	}
	for _, c := range everyContract(t) {
		walk(reflect.ValueOf(c))
	}
	for name, ok := range set {
		if !ok && name != "Indicator.CreditPercent" { // not beside Credit
			t.Errorf("%s is set in no contract", name)
		}
	}
}

func TestParseContractErrors(t *testing.T) {
	const availability = `{"terms":[{"id":"a","availability":{"target":"99%",@}}]}`
	inside := func(text string) string { return strings.Replace(availability, "@", text, 1) }
	for _, c := range []struct {
		name, json string
		path, at   string // at is where in the text the offset points to
		want       string // in the error
	}{
		{"nothing", ``, "", "", "one JSON value"},
		{"blank", "\n ", "", "", "one JSON value"},
		{"cut off", `{"id":"x"`, "", "", "one JSON value"},
		{"no JSON", `{"id":x}`, "", `x}`, "one JSON value"},
		{"more after it", `{"id":"x"} {}`, "", `{}`, "one JSON value"},
		{"not UTF-8", "{\"id\":\"\xff\"}", "", "\xff", "UTF-8"},
		{"null", `null`, "", `null`, "a value"},
		{"a list", `[]`, "", `[]`, "an object"},
		{"a number", ` 12 `, "", `12`, "an object"},

		{"unknown key", `{"id":"x","terns":[]}`, "terns", `"terns"`, "one of the keys id, customer, tier, fee"},
		{"key in capitals", `{"ID":"x"}`, "ID", `"ID"`, "one of the keys"},
		{"key twice", `{"id":"x","zone":"UTC","id":"x"}`, "id", `"id":"x"}`, "each key once"},
		{"key twice, once escaped", `{"id":"x","\u0069d":"y"}`, "id", `"\u0069d"`, "each key once"},
		{"key of a map twice", `{"calendars":{"a":{"zone":"UTC"},"a":{"zone":"UTC"}}}`, "calendars.a", `"a":{"zone":"UTC"}}}`, "each key once"},
		{"key twice in an amount", `{"fee":{"amount":"1.00","amount":"2.00","currency":"EUR"}}`, "fee.amount", `"amount":"2.00"`, "each key once"},
		{"unknown key in an amount", `{"fee":{"amount":"1.00","unit":"EUR"}}`, "fee", `{"amount"`, `unknown field "unit"`},
		{"weekday twice", `{"calendars":{"a":{"zone":"UTC","week":{"monday":[],"monday":[]}}}}`, "calendars.a.week.monday", `"monday":[]}`, "each key once"},
		{"unknown key in a span", `{"calendars":{"a":{"zone":"UTC","week":{"monday":[{"from":"08:00","till":"09:00"}]}}}}`, "calendars.a.week", `{"monday"`, `unknown field "till"`},

		{"null for text", `{"id":null}`, "id", `null`, "a value"},
		{"null for an amount", `{"fee":null}`, "fee", `null`, "a value"},
		{"null for a number", `{"cap_days":null}`, "cap_days", `null`, "a value"},
		{"null for an enumeration", `{"stack":null}`, "stack", `null`, "a value"},
		{"null for an instant", `{"from":null}`, "from", `null`, "a value"},
		{"null in a list", `{"terms":[null]}`, "terms[0]", `null`, "a value"},
		{"null for the target", `{"terms":[{"id":"a","availability":{"target":null}}]}`, "terms[0].availability.target", `null`, "a value"},

		{"number for text", `{"id":7}`, "id", `7`, "text in quotes"},
		{"text for a number", `{"cap_days":"7"}`, "cap_days", `"7"`, "a whole number"},
		{"fraction for a number", `{"cap_days":7.0}`, "cap_days", `7.0`, "a whole number"},
		{"number too large", `{"cap_days":9223372036854775808}`, "cap_days", `922`, "a whole number of 64 bits"},
		{"text for a switch", `{"round_once":"yes"}`, "round_once", `"yes"`, "true or false"},
		{"number for a percentage", `{"cap_percent":100}`, "cap_percent", `100`, "text in quotes"},
		{"percentage with too many digits", `{"cap_percent":"0.00000001%"}`, "cap_percent", `"0.0`, `a percentage like "99.9%"`},
		{"number for an instant", `{"from":1767225600}`, "from", `17`, "an instant like"},
		{"instant without a zone", `{"from":"2026-01-01T00:00:00"}`, "from", `"2026`, "an instant like"},
		{"text for an amount", `{"fee":"500 EUR"}`, "fee", `"500`, "an amount like"},
		{"unknown currency", `{"fee":{"amount":"500.00","currency":"XYZ"}}`, "fee", `{"amount`, `XYZ`},
		{"unknown name", `{"stack":"most"}`, "stack", `"most"`, "sum, max, either"},
		{"name in capitals", `{"stack":"SUM"}`, "stack", `"SUM"`, "sum, max, either"},
		{"object for a list", `{"terms":{}}`, "terms", `{}}`, "a list"},
		{"list for an object", `{"period":[]}`, "period", `[]`, "an object"},
		{"list for a map", `{"calendars":[]}`, "calendars", `[]`, "an object"},
		{"text in a list of numbers", `{"terms":[{"id":"r","response":{"targets":[],"thresholds":[50,"75"]}}]}`, "terms[0].response.thresholds[1]", `"75"`, "a whole number"},

		{"measure by name alone", inside(`"measure":"uptime"`), "terms[0].availability.measure", `"uptime"`, "an object with a kind"},
		{"measure without a kind", inside(`"measure":{"slot_ns":1}`), "terms[0].availability.measure.kind", `{"slot_ns"`, "uptime, bad_slots, mean_error_rate, events, affected_ratio"},
		{"kind of null", inside(`"remedy":{"kind":null}`), "terms[0].availability.remedy.kind", `null`, "bands, lost_time, per_interval, per_outage, usage_share, unknown"},
		{"kind of a measure", inside(`"remedy":{"kind":"uptime"}`), "terms[0].availability.remedy.kind", `"uptime"`, "bands, lost_time"},
		{"kind twice", inside(`"remedy":{"kind":"bands","kind":"unknown"}`), "terms[0].availability.remedy.kind", `"kind":"unknown"`, "each key once"},
		{"key of another kind", inside(`"remedy":{"times":2,"kind":"bands"}`), "terms[0].availability.remedy.times", `"times"`, "one of the keys bands, extend_top"},
		{"key in a kind without fields", inside(`"remedy":{"kind":"usage_share","x":[{"a":"}"}]}`), "terms[0].availability.remedy.x", `"x"`, "no keys here"},
		{"text for time", inside(`"measure":{"kind":"bad_slots","slot_ns":"1m"}`), "terms[0].availability.measure.slot_ns", `"1m"`, "a whole number"},
		{"band without quotes", inside(`"remedy":{"kind":"bands","bands":[{"below":"99%"},{"below":98}]}`), "terms[0].availability.remedy.bands[1].below", `98`, "text in quotes"},
		{"negative count", inside(`"measure":{"kind":"bad_slots","min_requests":-1}`), "terms[0].availability.measure.min_requests", `-1`, "0 or more"},
	} {
		_, err := sla.ParseContract([]byte(c.json))
		e, ok := errors.AsType[*sla.DecodeError](err)
		if !ok {
			t.Errorf("%s: ParseContract = %v, want a DecodeError", c.name, err)
			continue
		}
		at := len(c.json)
		if c.at != "" {
			at = strings.Index(c.json, c.at)
		}
		if e.Path != c.path || e.Offset != int64(at) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s at %d: %s", c.name, err, c.path, at, c.want)
		}
	}
}

// All problems come at once, in the order of the text, each of its own type.
func TestParseContractJoinsAllProblems(t *testing.T) {
	_, err := sla.ParseContract([]byte(`{"id":1,"fee":{"amount":"1.001","currency":"EUR"},"x":0,"terms":[{"id":"a","id":2},{"availability":{"aggregate":"none","measure":{"kind":"y"}}}]}`))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("ParseContract = %v, want a list", err)
	}
	var paths []string
	for _, e := range joined.Unwrap() {
		d, ok := errors.AsType[*sla.DecodeError](e)
		if !ok {
			t.Fatalf("%v is no DecodeError", e)
		}
		paths = append(paths, d.Path)
	}
	equalText(t, "paths", paths, []string{"id", "fee", "x", "terms[0].id", "terms[1].availability.aggregate", "terms[1].availability.measure.kind"})
	if _, ok := errors.AsType[*money.ParseError](err); !ok {
		t.Errorf("the cause of the fee is lost: %v", err)
	}
}

// apdex is a measure of a program's own, perCall a remedy that reads itself.
type apdex struct {
	Limit time.Duration `json:"limit_ns"`
}

func (apdex) Kind() string                            { return "apdex" }
func (apdex) Measure(sla.Sample) (sla.Reading, error) { return sla.Reading{}, nil }

type perCall map[string]int64

func (perCall) Credits(sla.Miss) ([]sla.Line, error) { return nil, nil }

// misnamed claims the name of a kind of the package.
type misnamed struct{ apdex }

func (misnamed) Kind() string { return "uptime" }

func TestOwnKinds(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms[0].Availability.Measure, c.Terms[0].Availability.Remedy = apdex{Limit: time.Second}, perCall{"cents": 3}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"kind":"apdex","limit_ns":1000000000}`, `{"kind":"sla_test.perCall","cents":3}`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("JSON lacks %s:\n%s", want, data)
		}
	}
	kinds := sla.Kinds{Measures: []sla.Measure{apdex{}}, Remedies: []sla.Remedy{perCall{}}}
	if back, err := kinds.ParseContract(data); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("contract changes on the way through JSON: %v\n%+v", err, back)
	}
	_, err = sla.ParseContract(data)
	for _, want := range []string{"terms[0].availability.measure.kind", "terms[0].availability.remedy.kind"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseContract without the kinds = %v, want an error at %s", err, want)
		}
	}
	bad := strings.Replace(string(data), `"cents":3`, `"cents":"three"`, 1)
	if _, err := kinds.ParseContract([]byte(bad)); err == nil || !strings.Contains(err.Error(), "terms[0].availability.remedy") {
		t.Errorf("ParseContract of %s = %v, want an error at the remedy", bad, err)
	}
	for _, k := range []sla.Kinds{
		{Measures: []sla.Measure{&apdex{}}},
		{Measures: []sla.Measure{nil}},
		{Measures: []sla.Measure{apdex{}, apdex{}}},
		{Measures: []sla.Measure{misnamed{}}},
		{Remedies: []sla.Remedy{&sla.Bands{}}},
	} {
		if _, err := k.ParseContract(data); err == nil {
			t.Errorf("kinds %+v are accepted", k)
		}
	}
}

func FuzzParseContract(f *testing.F) {
	for _, c := range everyContract(f) {
		data, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"terms":null,"calendars":{"a":{"zone":"UTC","week":{}}},"labels":[]}`))
	f.Add([]byte(`{"id":"\ud800","from":"0001-01-01T01:00:00+01:00","terms":[{"id":"a","availability":{"target":"99","measure":null,"services":[]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := sla.ParseContract(data)
		if err != nil {
			if _, ok := errors.AsType[*sla.DecodeError](err); !ok {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("cannot be written: %v\n%+v", err, c)
		}
		again, err := sla.ParseContract(written)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("changes on the way: %v\n%+v\n%+v\n%s", err, c, again, written)
		}
		issues := fmt.Sprint(c.Issues())
		a, err := sla.Compile(c)
		if err != nil {
			return
		}
		p := a.PeriodAt(vectorStart)
		if !c.From.IsZero() {
			p = a.PeriodAt(c.From)
		}
		s, err := a.Evaluate(p, sla.Evidence{Observed: p.Interval, Invoice: c.Fee})
		switch {
		case errors.Is(err, sla.ErrNotInForce), errors.Is(err, money.ErrOverflow):
		case err != nil:
			t.Fatalf("Evaluate of an empty period: %v\nissues %s", err, issues)
		case s.Payable.Sign() != 0 && !hasIndicator(c):
			t.Fatalf("%s payable for nothing:\n%+v", s.Payable, s)
		}
	})
}

func hasIndicator(c sla.Contract) bool {
	for _, t := range c.Terms {
		if t.Indicator != nil {
			return true
		}
	}
	return false
}
