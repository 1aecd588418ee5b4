package config_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func utc(text string) time.Time {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err) // a constant of a test
	}
	return at
}

func usd(text string) money.Amount { return money.Must(money.ParseDecimal(text, "USD")) }

// springLog is the one outage log that all terms are judged by: the second
// quarter of 2026 with two outages in April. The first takes four hours and half
// of the customers; the customer felt it after 6 minutes and reported it after
// 30. The second takes four minutes.
func springLog() sla.Evidence {
	half := money.WholePercent(50)
	return sla.Evidence{
		Observed: calendar.Interval{Start: utc("2026-04-01 00:00:00"), End: utc("2026-07-01 00:00:00")},
		Outages: []sla.Outage{
			{
				Ref: "A", Start: utc("2026-04-08 10:00:00"), End: utc("2026-04-08 14:00:00"), Affected: &half,
				Felt: utc("2026-04-08 10:06:00"), Reported: utc("2026-04-08 10:30:00"),
			},
			{Ref: "B", Start: utc("2026-04-10 22:00:00"), End: utc("2026-04-10 22:04:00")},
		},
	}
}

// judgement is what a log comes to under some terms; without a value every
// promise was kept.
type judgement struct{ value, payable, claimBefore, reportBefore string }

func judge(t *testing.T, p config.PublicSLA) judgement {
	t.Helper()
	claims, err := p.Claims(config.Subscription{Customer: "acme", Fee: usd("1000.00")}, springLog())
	if err != nil {
		t.Fatal(err)
	}
	if len(claims) == 0 {
		return judgement{}
	}
	if len(claims) > 1 {
		t.Errorf("%s: %d claims, want one", p.ID, len(claims))
	}
	date := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.DateOnly)
	}
	c := claims[0]
	return judgement{c.Statement.Availability[0].Value.Percent(6), c.Statement.Payable.Decimal(), date(c.Statement.ClaimBefore), date(c.ReportBefore)}
}

func publicSLAs(t *testing.T) map[string]config.PublicSLA {
	t.Helper()
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "sla", "public_slas.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := config.ParsePublicSLAs("public_slas.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]config.PublicSLA{}
	for _, p := range all {
		byID[p.ID] = p
	}
	return byID
}

// All terms of the file by one log, for a fee of 1000.00 by the period of the
// terms. April has 43 200 minutes, the quarter 131 040; down are 240 + 4.
//
//	(43200 − 244) / 43200   = 99.435185…    both outages
//	(43200 − 240) / 43200   = 99.444444…    the long one
//	(43200 − 124) / 43200   = 99.712962…    240 · ½ + 4
//	(43200 − 214) / 43200   = 99.504629…    from the report at 10:30: 210 + 4
//	(43200 − 234) / 43200   = 99.458333…    the long one, from the effect at 10:06
//	(131040 − 244) / 131040 = 99.813797…    the quarter
func TestPublicSLAs(t *testing.T) {
	slas := publicSLAs(t)
	if len(slas) != 33 {
		t.Errorf("%d entries, want 33", len(slas))
	}
	const both, long, quarter = "99.435185", "99.444444", "99.813797"
	want := map[string]judgement{
		"aws-ec2-region":           {both, "100.00", "2026-07-01", ""}, // 10 %; the end of the second cycle after April
		"aws-ec2-instance":         {both, "100.00", "", ""},           // below 99.5: 10 %
		"aws-s3-standard":          {both, "100.00", "", ""},           // 48 intervals and 4/5 of one, of 8640, failed: 10 %
		"aws-s3-ia":                {},                                 // the same above 99.0
		"aws-rds-multi-az":         {both, "100.00", "", ""},
		"aws-rds-single":           {both, "100.00", "", ""},
		"aws-lambda":               {both, "100.00", "", ""},
		"aws-dynamodb-standard":    {both, "100.00", "", ""},
		"azure-vm-zones":           {both, "100.00", "2026-07-01", ""}, // two months after 1 May
		"azure-sql-zone-redundant": {both, "100.00", "", ""},
		// 0.01 % of April are 4 min 19.2 s, used up on 8 April: 30 days more are 8 May.
		"gcp-compute-multizone": {both, "100.00", "2026-05-09", ""},
		"gcp-spanner-multi":     {long, "100.00", "", ""}, // the short one is no run of 5 minutes
		"gcp-cloudsql":          {both, "100.00", "", ""},
		"gcp-bigquery":          {both, "100.00", "", ""},
		"gcp-filestore":         {long, "100.00", "", ""},
		"gcp-interconnect-9999": {both, "100.00", "", ""},
		"google-workspace":      {both, "100.00", "2026-05-09", ""}, // 3 of 30 days
		// 124/43200 · 1000 = 2.870…; to the end of May, reported within 5 working
		// days after Wednesday 8 April: by the 15th.
		"cloudflare-enterprise": {"99.712962", "2.87", "2026-06-01", "2026-04-16"},
		"cloudflare-r2":         {both, "100.00", "", ""},           // the 30 days to 2 May
		"oracle-oci":            {both, "100.00", "2026-05-09", ""}, // (4 + 4/60)/720 of the hours failed; 30 days after 8 April
		// 240/43200 · 1000 = 5.555…; the short outage is not longer than 5 minutes.
		"digitalocean-droplet-2025a": {long, "5.56", "2026-08-01", ""},
		"hetzner-cloud":              {both, "0.00", "", ""},
		"ovh-dedicated-cloud":        {"99.504629", "1000.00", "", ""},          // 21 · 5 % = 105 %, capped
		"upcloud":                    {"99.458333", "270.83", "2026-04-24", ""}, // 234/43200 · 50 · 1000; 15 days after 8 April
		"arcustech-virtual":          {both, "450.00", "", ""},                  // 8 + 1 begun half hours, 5 % each
		"hostingking":                {"99.504629", "39.54", "", ""},            // (214 − 43.2)/43200 · 10 · 1000 = 39.537…
		"crucial-au":                 {both, "100.00", "", ""},                  // from 99.0 below 99.5: 10 %
		"github-enterprise-cloud":    {quarter, "100.00", "2026-07-31", ""},     // 30 days after the quarter
		"gitlab-com":                 {both, "0.00", "", ""},
		"atlassian-premium":          {both, "100.00", "2026-05-16", ""}, // 15 days after April
		"slack-2024":                 {quarter, "18.62", "", ""},         // 244/131040 · 10 · 1000 = 18.620…
		"twilio-api":                 {both, "100.00", "2026-05-31", ""},
		"zendesk-talk":               {both, "5.65", "", ""}, // no counts, so the share of the time: 244/43200 · 1000 = 5.648…
	}
	for _, p := range slas {
		c := p.Contract(config.Subscription{Fee: usd("1000.00")})
		var back sla.Contract
		data, err := json.Marshal(c)
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || !reflect.DeepEqual(c, back) {
			t.Errorf("%s changes on the way through JSON: %v\n%s", p.ID, err, data)
		}
	}
	var unknown []string
	for id, w := range want {
		p, ok := slas[id]
		if !ok {
			t.Errorf("no entry %s", id)
			continue
		}
		if got := judge(t, p); got != w {
			t.Errorf("%s = %+v, want %+v", id, got, w)
		}
		claims, err := p.Claims(config.Subscription{Fee: usd("1000.00")}, springLog())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			finds := func(code string) bool {
				return slices.ContainsFunc(c.Statement.Findings, func(f sla.Finding) bool { return f.Code == code })
			}
			if finds(sla.FindingRemedy) {
				unknown = append(unknown, id)
				if len(c.Statement.Lines) > 0 {
					t.Errorf("%s: lines %+v of an unknown remedy", id, c.Statement.Lines)
				}
			}
			// Who is owed something knows until when, or that nobody does.
			if due := c.Statement.Payable.Sign() > 0; due && c.Statement.ClaimBefore.IsZero() != finds(sla.FindingClaim) {
				t.Errorf("%s: claim before %v, findings %+v", id, c.Statement.ClaimBefore, c.Statement.Findings)
			}
		}
	}
	if slices.Sort(unknown); !slices.Equal(unknown, []string{"gitlab-com", "hetzner-cloud"}) {
		t.Errorf("unknown remedies of %q, want the two that nobody has read", unknown)
	}
}

func TestPublicVariants(t *testing.T) {
	slas := publicSLAs(t)
	const both = "99.435185"
	for id, want := range map[string]judgement{
		"azure-vm-zones/availability_set":          {both, "100.00", "2026-07-01", ""},
		"azure-vm-zones/single_premium_ssd":        {both, "100.00", "2026-07-01", ""},
		"azure-vm-zones/single_standard_hdd":       {}, // 95.0
		"gcp-compute-multizone/single_instance":    {both, "100.00", "2026-05-09", ""},
		"cloudflare-enterprise/enhanced":           {"99.712962", "71.76", "2026-06-01", "2026-04-16"}, // 124/43200 · 25 · 1000 = 71.759…
		"ovh-dedicated-cloud/internet":             {"99.504629", "150.00", "", ""},                    // 3 full hours from 10:30, below 99.95
		"ovh-dedicated-cloud/storage":              {"99.504629", "1000.00", "", ""},
		"arcustech-virtual/host_failure":           {both, "150.00", "", ""},      // 4 h less 1 h free
		"arcustech-virtual/restoration":            {both, "50.00", "", ""},       // 4 h less 3 h free
		"hostingking/without_1000_percent_sla":     {"99.504629", "3.95", "", ""}, // (214 − 43.2)/43200 · 1000
		"github-enterprise-cloud/published_bounds": {"99.813797", "100.00", "2026-07-31", ""},
		"atlassian-premium/enterprise":             {both, "100.00", "2026-05-16", ""},
		"twilio-api/enterprise_edition":            {both, "100.00", "2026-05-31", ""},
	} {
		entry, variant, _ := strings.Cut(id, "/")
		p, ok := slas[entry].Variants[variant]
		if !ok || p.ID != id {
			t.Errorf("%s: no such variant, or id %q", id, p.ID)
			continue
		}
		if got := judge(t, p); got != want {
			t.Errorf("%s = %+v, want %+v", id, got, want)
		}
	}
	if text := slas["ovh-dedicated-cloud"].Variants["storage"].Texts["remedy.base"]; text != "price of the storage" {
		t.Errorf("base of the variant %q", text)
	}
}

// The grades of the facts, their remarks, and the words that are no figures.
func TestPublicSLAWords(t *testing.T) {
	slas := publicSLAs(t)
	for _, c := range []struct {
		id, path string
		want     config.Provenance
	}{
		{"aws-s3-standard", "target", config.FactRead},
		{"aws-s3-standard", "measure.interval", config.FactRead},
		{"aws-s3-standard", "measure.empty_interval", config.FactUnverified},
		{"aws-ec2-region", "remedy.bands", config.FactUnverified}, // "10 read; 30 and 100 unverified"
		{"gcp-compute-multizone", "measure", config.FactRead},     // "read (2017 version)"
		{"hetzner-cloud", "remedy", config.FactUnverified},        // "not read"
		{"azure-vm-zones", "claim.months", config.FactSecondary},
		{"hetzner-cloud", "measure", ""},
	} {
		if got := slas[c.id].Provenance(c.path); got != c.want {
			t.Errorf("%s: grade of %s = %q, want %q", c.id, c.path, got, c.want)
		}
	}
	for _, c := range []struct{ id, path, want string }{
		{"aws-ec2-region", "evidence.remedy", "10 read; 30 and 100 unverified"},
		{"cloudflare-r2", "measure.statuses", "500, 502, 503, 504"},
		{"azure-vm-zones", "claim.processing_days", "45"},
		{"atlassian-premium", "worked_example.uptime_shown", "99.86"},
		{"github-enterprise-cloud", "also[0].measure.good", "executions"},
		{"slack-2024", "history", "earlier text: multiplier 100, and minutes weighted by the share of customers affected"},
	} {
		if got := slas[c.id].Texts[c.path]; got != c.want {
			t.Errorf("%s: %s = %q, want %q", c.id, c.path, got, c.want)
		}
	}
	if also := slas["azure-sql-zone-redundant"].Also; len(also) != 2 || also[0].Name != "rpo" || also[0].Measure != nil || also[0].Remedy == nil {
		t.Errorf("also = %+v, want rpo and rto without a measure", also)
	}
}

// The cases of package sla about public terms, by the terms of the file.
func TestPublicVectors(t *testing.T) {
	slas := publicSLAs(t)
	data, err := os.ReadFile(filepath.Join("..", "..", "sla", "testdata", "vectors", "credit.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []publicCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range file.Vectors {
		p, ok := slas[c.Input.SLA]
		if !ok {
			continue
		}
		if c.Input.Variant != "" {
			p = p.Variants[c.Input.Variant]
		}
		n++
		for _, e := range c.judge(t, p) {
			t.Errorf("%s (%s): %s", c.ID, p.ID, e)
		}
	}
	// 18 + 5 + 3 + 9 + 5 + 2 + 3 of the seven kinds; one band case is of nobody.
	if n != 45 {
		t.Errorf("%d cases judged, want 45", n)
	}
}

// publicCase is a case of any of the public kinds; fields that a kind has not are
// empty.
type publicCase struct {
	ID, Kind string
	Input    struct {
		SLA, Variant string
		Fee          string
		FeeQuarter   string `json:"fee_quarter"`
		MonthlyFee   string `json:"monthly_fee"`
		Metric       struct {
			Kind      string
			TotalS    int64         `json:"total_s"`
			DownS     int64         `json:"down_s"`
			Errors    [][3]uint64   `json:"errors_total_count_rle"`
			Runs      [][2]int      `json:"runs_minutes_rle"`
			Minutes   time.Duration `json:"total_minutes"`
			Intervals time.Duration `json:"intervals_total"`
		}
		DownMinutes  time.Duration `json:"down_minutes"`
		TotalMinutes time.Duration `json:"total_minutes"`
		DownS        json.Number   `json:"down_s"`
		TotalS       int64         `json:"total_s"`
		CapPct       int64         `json:"cap_pct"`
		Affected     string        `json:"affected_ratio"`
		Outage       json.Number   `json:"outage_minutes"`
		Total        time.Duration
		Unavailable  time.Duration
		Excluded     time.Duration
	}
	Expect struct {
		Fraction        string `json:"uptime_fraction"`
		Credit          string
		Uncapped        string
		Value           string `json:"monetary_equivalent"`
		Issued          string
		Intervals       int64
		CreditPublished string `json:"credit_published"`
		CreditHalfOpen  string `json:"credit_half_open"`
	}
}

func (c publicCase) judge(t *testing.T, p config.PublicSLA) (misses []string) {
	t.Helper()
	in := c.Input
	contract := p.Contract(config.Subscription{Fee: usd(in.Fee + in.FeeQuarter + in.MonthlyFee)})
	start := utc("2026-04-01 00:00:00")
	log := sla.Evidence{Invoice: contract.Fee}
	length := 30 * 24 * time.Hour
	down := func(d time.Duration) {
		if d > 0 {
			log.Outages = []sla.Outage{{Ref: "o", Start: start, End: start.Add(d)}}
		}
	}
	want := c.Expect.Credit
	switch c.Kind {
	case "public_band":
		slot := time.Minute
		switch in.Metric.Kind {
		case "uptime":
			length = time.Duration(in.Metric.TotalS) * time.Second
			down(time.Duration(in.Metric.DownS) * time.Second)
		case "interval_error_rate_mean":
			slot = 5 * time.Minute
			length = in.Metric.Intervals * slot
		default:
			length = in.Metric.Minutes * slot
		}
		at := start
		add := func(failed, total uint64) {
			log.Requests = append(log.Requests, sla.Requests{Start: at, Failed: failed, Total: total})
			at = at.Add(slot)
		}
		for _, row := range in.Metric.Errors {
			for range row[2] {
				add(row[0], row[1])
			}
		}
		for _, row := range in.Metric.Runs { // of minutes with enough requests for every terms
			for range row[1] {
				for range row[0] {
					add(60, 60)
				}
				add(0, 60)
			}
		}
	case "public_github", "public_days":
		length = in.TotalMinutes * time.Minute
		down(in.DownMinutes * time.Minute)
		want = c.Expect.CreditHalfOpen + c.Expect.Value
	case "public_proportional":
		length = time.Duration(in.TotalS) * time.Second
		seconds, _ := new(big.Rat).SetString(in.DownS.String())
		down(time.Duration(seconds.Num().Int64()) * time.Second)
		if share, _ := new(big.Rat).SetString(in.Affected); share.Cmp(big.NewRat(1, 1)) < 0 {
			affected := money.Percent(share.Mul(share, big.NewRat(1_000_000_000, 1)).Num().Int64())
			log.Outages[0].Affected = &affected
		}
		if contract.Terms[0].CapPercent == nil { // the cases cap where the terms have none
			limit := money.WholePercent(in.CapPct)
			contract.CapPercent = &limit
		}
	case "public_per_interval":
		minutes, _ := new(big.Rat).SetString(in.Outage.String())
		down(time.Duration(minutes.Mul(minutes, big.NewRat(int64(time.Minute), 1)).Num().Int64()))
	case "public_twilio":
		length = in.Total * time.Minute
		down(in.Unavailable * time.Minute)
		log.Maintenance = []sla.Maintenance{{Ref: "m", Start: start, End: start.Add(in.Excluded * time.Minute)}}
	case "public_min_credit":
		down(length / 200) // 99.5 %, in the band of 10 %
		want = c.Expect.Issued
	}
	period := sla.Period{Label: "case", Interval: calendar.Interval{Start: start, End: start.Add(length)}}
	log.Observed = period.Interval
	miss := func(what string, got, want any) {
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			misses = append(misses, fmt.Sprintf("%s = %s, want %s", what, g, w))
		}
	}
	s, err := sla.Evaluate(contract, period, log)
	if err != nil {
		t.Fatal(err)
	}
	miss("credit", s.Payable.Decimal(), want)
	if c.Expect.Fraction != "" {
		percent := s.Availability[0].Value.Rat()
		fraction, _ := new(big.Rat).SetString(c.Expect.Fraction)
		miss("value", percent.Mul(percent, big.NewRat(100, 1)), fraction)
	}
	if c.Expect.Uncapped != "" {
		miss("uncapped", s.Terms[0].Lines.Decimal(), c.Expect.Uncapped)
	}
	if c.Kind == "public_per_interval" {
		var intervals int64
		for _, l := range s.Lines {
			intervals += l.Intervals
		}
		miss("intervals", intervals, c.Expect.Intervals)
	}
	if c.Kind == "public_github" {
		published := p.Variants["published_bounds"].Contract(config.Subscription{Fee: contract.Fee})
		if s, err = sla.Evaluate(published, period, log); err != nil {
			t.Fatal(err)
		}
		miss("published wording", s.Payable.Decimal(), c.Expect.CreditPublished)
	}
	return misses
}

// publicEntry is a file with one entry, which has an availability band unless the
// lines say otherwise; a line replaces the one of the same key.
func publicEntry(lines ...string) []byte {
	entry := map[string]string{
		"id": "id: a", "provider": "provider: P", "service": "service: S", "target": `target: "99.9"`, "period": "period: calendar_month",
		"measure": "measure: {kind: uptime}", "remedy": `remedy: {kind: percent_bands, bands: [["99.9", "99.0", 10], ["99.0", null, 25]]}`,
	}
	order := []string{"id", "provider", "service", "target", "period", "measure", "remedy"}
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		if _, ok := entry[key]; !ok {
			order = append(order, key)
		}
		entry[key] = line
	}
	const head = "schema: 2\nslas:\n- "
	for i, key := range order {
		order[i] = entry[key]
	}
	return []byte(head + strings.Join(order, "\n  ") + "\n")
}

func readPublic(t *testing.T, lines ...string) config.PublicSLA {
	t.Helper()
	all, _, err := config.ParsePublicSLAs("f.yaml", publicEntry(lines...))
	if err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return all[0]
}

func TestPublicMeasures(t *testing.T) {
	whole := money.WholePercent(100)
	for _, c := range []struct {
		measure string
		want    sla.Measure
	}{
		{"kind: uptime", sla.Uptime{}},
		{"kind: uptime, unit: 1m", sla.Uptime{Unit: time.Minute}},
		{"kind: uptime, unit: 1m, rounding: none", sla.Uptime{Unit: time.Minute}},
		{"kind: uptime, unit: 1m, rounding: up", sla.Uptime{Unit: time.Minute, Partial: sla.PartialUp}},
		{"kind: uptime, unit: 5m, rounding: down, starts: failure", sla.Uptime{Unit: 5 * time.Minute, Partial: sla.PartialDown}},
		{"kind: uptime, min_outage: 5m, min_outage_rule: longer_than, starts: ticket_created", sla.Uptime{MinOutage: 5 * time.Minute, FromReport: true}},
		{"kind: uptime, min_outage: 5m, min_outage_rule: at_least", sla.Uptime{MinOutage: 5 * time.Minute, AtLeast: true}},
		{"kind: outage_duration, starts: effect_on_customer", sla.Uptime{WholeOutages: true, FromEffect: true}},
		{"kind: bad_minutes", sla.BadSlots{Slot: time.Minute, ErrorRate: whole, AtLeast: true}},
		{`kind: bad_minutes, error_rate: "0.05", op: ">"`, sla.BadSlots{Slot: time.Minute, ErrorRate: money.WholePercent(5)}},
		{`kind: bad_minutes, error_rate: 0.125, op: ">=", unit: 2m, min_requests_per_minute: 60`, sla.BadSlots{Slot: 2 * time.Minute, ErrorRate: whole / 8, AtLeast: true, MinRequests: 120}},
		{"kind: downtime_runs", sla.BadSlots{Slot: time.Minute, ErrorRate: whole, AtLeast: true, MinRun: 1}},
		{"kind: downtime_runs, min_consecutive: 5m, rounding: down", sla.BadSlots{Slot: time.Minute, ErrorRate: whole, AtLeast: true, MinRun: 5, Partial: sla.PartialDown}},
		{"kind: interval_error_rate_mean, interval: 5m", sla.MeanErrorRate{Slot: 5 * time.Minute, DownFails: true}},
		{"kind: interval_error_rate_mean, interval: 1h, empty_interval: dropped", sla.MeanErrorRate{Slot: time.Hour, Empty: sla.EmptyDropped, DownFails: true}},
		{"kind: interval_availability_mean, interval: 5m, empty_interval: zero_errors", sla.MeanErrorRate{Slot: 5 * time.Minute, DownFails: true}},
		{"kind: good_over_total, good: executions", sla.Events{}},
		{"kind: affected_ratio", sla.AffectedRatio{}},
	} {
		p := readPublic(t, "measure: {"+c.measure+"}")
		if got := p.Template.Terms[0].Availability.Measure; got != c.want {
			t.Errorf("%s = %+v, want %+v", c.measure, got, c.want)
		}
		if p.ProrateLifetime {
			t.Errorf("%s: prorated", c.measure)
		}
	}
}

// What a measure says about the promised time.
func TestPublicPromisedTime(t *testing.T) {
	availability := func(lines ...string) sla.Availability { return *readPublic(t, lines...).Template.Terms[0].Availability }
	if a := availability("measure: {kind: uptime, aggregation: minutes summed over all databases of the subscription}"); a.Aggregate != sla.Mean {
		t.Errorf("aggregate %s, want the mean of databases that are promised the same time", a.Aggregate)
	}
	a := availability("measure: {kind: affected_ratio, denominator: minutes of the month minus downtime planned by the customer}")
	if a.ExcludeMode != sla.FromBoth || !slices.Equal(a.Exclude, []sla.Cause{sla.CauseCustomer}) {
		t.Errorf("excluded %v, %s", a.Exclude, a.ExcludeMode)
	}
	a = availability(`measure: {kind: uptime, formula: "(total - unavailable + excluded) / total"}`)
	if a.ExcludeMode != sla.FromDowntime || len(a.Exclude) != 3 {
		t.Errorf("excluded %v, %s, want all that is not the provider's from the downtime", a.Exclude, a.ExcludeMode)
	}
	a = availability("exclude: [scheduled_maintenance, customer]", "maintenance: {notice: 24h, cap_per_year: 10h, migration_notice: 168h, migration_max: 6h}")
	want := sla.Availability{
		Target: a.Target, Measure: a.Measure, Remedy: a.Remedy, Exclude: []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer}, MinNotice: 24 * time.Hour,
		MaintenancePerYear: 10 * time.Hour, MaintenanceKinds: map[string]sla.MaintenanceRule{config.Migration: {MinNotice: 168 * time.Hour, MaxLength: 6 * time.Hour}},
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("maintenance: %+v, want %+v", a, want)
	}

	// A resource that lived for the last ten days of April, down for one hour.
	// Prorated: 1 h of 240 h = 99.583…, else 1 h of 720 h = 99.861….
	life := config.Subscription{Fee: usd("1000.00"), From: utc("2026-04-21 00:00:00")}
	log := sla.Evidence{Observed: calendar.Interval{Start: utc("2026-04-01 00:00:00"), End: utc("2026-05-01 00:00:00")}, Outages: []sla.Outage{
		{Start: utc("2026-04-25 00:00:00"), End: utc("2026-04-25 01:00:00")},
	}}
	for measure, want := range map[string]string{
		"kind: uptime": "99.861111", "kind: uptime, prorate_lifetime: true": "99.583333", "kind: uptime, denominator: maximum available minutes": "99.583333",
	} {
		claims, err := readPublic(t, "measure: {"+measure+"}").Claims(life, log)
		if err != nil || len(claims) != 1 {
			t.Fatalf("%s: %d claims, %v", measure, len(claims), err)
		}
		if got := claims[0].Statement.Availability[0].Value.Percent(6); got != want {
			t.Errorf("%s: %s, want %s", measure, got, want)
		}
	}
}

func TestPublicRemedies(t *testing.T) {
	percent := money.WholePercent
	full := percent(100)
	for _, c := range []struct {
		remedy string
		want   sla.Remedy
		cap    *money.Percent
		days   int
	}{
		{`kind: percent_bands, bands: [["99.9", "99.0", 10], ["99.0", null, 12.5]]`, sla.Bands{Bands: []sla.Band{
			{Below: full - percent(1)/10, From: percent(99), Credit: percent(10)}, {Below: percent(99), Credit: percent(25) / 2},
		}}, nil, 0},
		{`kind: days_bands, bands: [["99.9", "99.0", 3], ["99.0", null, 15]], cap_days_per_month: 15, form: days added to the term`, sla.Bands{Bands: []sla.Band{
			{Below: full - percent(1)/10, From: percent(99), Days: 3}, {Below: percent(99), Days: 15},
		}}, nil, 15},
		{"kind: lost_time, multiplier: 10, rate: hourly charge", sla.LostTime{Times: 10}, nil, 0},
		{"kind: lost_time, multiplier: 1, cap_percent: 100", sla.LostTime{Times: 1}, &full, 0},
		{"kind: lost_time, multiplier: 50, cap_percent: 100, cap_per: incident", sla.LostTime{Times: 50, OutageCapPercent: &full}, nil, 0},
		{"kind: lost_time_beyond_target, multiplier: 10, cap_percent: 100", sla.LostTime{Times: 10, BeyondTarget: true}, &full, 0},
		{"kind: per_interval, percent: 5, interval: 10m, partial: full", sla.PerInterval{Percent: percent(5), Interval: 10 * time.Minute}, nil, 0},
		{
			"kind: per_interval, percent: 5, interval: 1h, partial: started, deductible: 1h, cap_percent: 100, base: next invoice",
			sla.PerInterval{Percent: percent(5), Interval: time.Hour, Started: true, Deductible: time.Hour},
			&full, 0,
		},
		{"kind: usage_share, of: average usage that was affected", sla.UsageShare{}, nil, 0},
		{"kind: unknown", sla.UnknownRemedy{}, nil, 0},
	} {
		template := readPublic(t, "remedy: {"+c.remedy+"}").Template
		if got := template.Terms[0].Availability.Remedy; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s = %+v, want %+v", c.remedy, got, c.want)
		}
		if got := template.Terms[0].CapPercent; !reflect.DeepEqual(got, c.cap) || template.CapDays != c.days {
			t.Errorf("%s: cap %v, %d days, want %v, %d", c.remedy, got, template.CapDays, c.cap, c.days)
		}
	}
}

func TestPublicClaimRules(t *testing.T) {
	for _, c := range []struct {
		line string
		want sla.ClaimRule
	}{
		{"note: nothing about claims", sla.ClaimRule{Kind: sla.ClaimUnknown}},
		{"claim: {kind: automatic}", sla.ClaimRule{}},
		{"claim: {kind: days_after_period_end, days: 30}", sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 30}},
		{"claim: {kind: months_after_period_end, months: 2, processing_days: 45}", sla.ClaimRule{Kind: sla.MonthsAfterPeriodEnd, Months: 2}},
		{"claim: {kind: end_of_billing_cycle_after, cycles: 1, notify_business_days: 5}", sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 1, NotifyBusinessDays: 5}},
		{"claim: {kind: days_after_incident, days: 15}", sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 15}},
		{"claim: {kind: days_after_eligible, days: 30}", sla.ClaimRule{Kind: sla.DaysAfterEligible, Days: 30}},
	} {
		if got := readPublic(t, c.line).Template.Claim; got != c.want {
			t.Errorf("%s = %+v, want %+v", c.line, got, c.want)
		}
	}
}

func TestPublicPeriods(t *testing.T) {
	sub := config.Subscription{Fee: usd("1.00"), Zone: "Asia/Tokyo", BillingDay: 15}
	for _, c := range []struct {
		lines []string
		want  sla.Billing
	}{
		{[]string{"period: calendar_month"}, sla.Billing{}},
		{[]string{"period: calendar_month_utc"}, sla.Billing{UTC: true}},
		{[]string{"period: billing_month"}, sla.Billing{AnchorDay: 15}},
		{[]string{"period: calendar_quarter"}, sla.Billing{Months: 3}},
		{[]string{"period: rolling_30d"}, sla.Billing{Days: 30, Rolling: true}},
		{[]string{"period: incident", "measure: {kind: outage_duration}"}, sla.Billing{}},
		{[]string{"period: incident", "measure: {kind: outage_duration}", "remedy: {kind: lost_time, multiplier: 1, base: charges of the 30 days before}"}, sla.Billing{Days: 30}},
	} {
		contract := readPublic(t, c.lines...).Contract(sub)
		if contract.Period != c.want || contract.Zone != "Asia/Tokyo" {
			t.Errorf("%q = %+v in %s, want %+v", c.lines, contract.Period, contract.Zone, c.want)
		}
	}
}

// Caps, minimum and further promises.
func TestPublicContract(t *testing.T) {
	full := money.WholePercent(100)
	c := readPublic(t, "cap: {percent: 100, of: monthly fee of that service resource}", `min_issued: {amount: "1.00", currency: USD, rule: greater_than}`).Template
	if c.CapPercent == nil || *c.CapPercent != full || c.Terms[0].MoreThan != usd("1.00") {
		t.Errorf("cap %v, minimum %s", c.CapPercent, c.Terms[0].MoreThan)
	}
	if c = readPublic(t, "cap: {percent: 100, of: invoice the credit is applied to}").Template; c.CapInvoicePercent == nil || c.CapPercent != nil {
		t.Errorf("cap of the fee %v, of the invoice %v", c.CapPercent, c.CapInvoicePercent)
	}
	p := readPublic(t, "period: calendar_quarter", "cap: {days_of_paid_service: 90, per: quarter}", "stacking: either_or",
		"also: [{name: actions, measure: {kind: good_over_total}}, {name: rpo, note: 5 s, remedy: {kind: percent_bands, bands: [[\"100\", null, 100]]}}]",
		`published_bounds: [["<= 99.9", "> 99.0", 10], ["< 99.0", null, 25]]`)
	c = p.Contract(config.Subscription{Fee: usd("9100.00")})
	if c.CapDays != 90 || c.Stack != sla.StackEither || len(c.Terms) != 2 || len(p.Also) != 2 {
		t.Errorf("contract %+v, also %+v", c, p.Also)
	}
	// 200 minutes of the quarter's 131 040 down: 99.847…, 10 %; 98 of 100
	// executions good: 25 %. The larger one pays.
	log := springLog()
	log.Outages = []sla.Outage{{Service: "web", Start: utc("2026-05-02 00:00:00"), End: utc("2026-05-02 03:20:00")}}
	log.Requests = []sla.Requests{{Service: "actions", Start: utc("2026-05-03 00:00:00"), Total: 100, Failed: 2}}
	period := sla.Billing{Months: 3}.At(log.Observed.Start, time.UTC)
	for _, contract := range []sla.Contract{c, p.Variants["published_bounds"].Contract(config.Subscription{Fee: usd("9100.00")})} {
		s, err := sla.Evaluate(contract, period, log)
		if err != nil || s.Gross != usd("3185.00") || s.Payable != usd("2275.00") {
			t.Errorf("%s: gross %s, payable %s, %v, want 910 + 2275 and the larger", contract.ID, s.Gross, s.Payable, err)
		}
	}
	if max := readPublic(t, "stacking: max").Template.Stack; max != sla.StackEither {
		t.Errorf("max = %s, want the largest promise alone", max)
	}

	// The values that are handed out are the caller's.
	c.Terms[0].Availability.Remedy.(sla.Bands).Bands[0].Credit = 0
	c.Terms[0].Availability.Target = 0
	if a := p.Template.Terms[0].Availability; a.Target == 0 || a.Remedy.(sla.Bands).Bands[0].Credit == 0 {
		t.Error("a change of a contract changes the template")
	}
}

func TestPublicClaimErrors(t *testing.T) {
	p := readPublic(t, `min_issued: {amount: "1.00", currency: USD, rule: greater_than}`)
	for _, c := range []struct {
		name string
		sub  config.Subscription
		log  sla.Evidence
		want string
	}{
		{"currency", config.Subscription{Fee: money.Must(money.Parse("10.00 EUR"))}, springLog(), "more_than"},
		{"zone", config.Subscription{Fee: usd("10.00"), Zone: "Nowhere"}, springLog(), "zone"},
		{"no time", config.Subscription{Fee: usd("10.00")}, sla.Evidence{}, "observed"},
		{"too much time", config.Subscription{Fee: usd("10.00")}, func() sla.Evidence { e := springLog(); e.Observed.Start = time.Time{}; return e }(), "292 years"},
		{"backwards", config.Subscription{Fee: usd("10.00")}, func() sla.Evidence { e := springLog(); e.Outages[0].End = utc("2020-01-01 00:00:00"); return e }(), "outages[0]"},
	} {
		if claims, err := p.Claims(c.sub, c.log); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "a: ") {
			t.Errorf("%s: %d claims, %v, want an error with %q", c.name, len(claims), err, c.want)
		}
	}
}

// A claim for every month with a miss, oldest first; none for the kept one between.
func TestPublicClaimsByPeriod(t *testing.T) {
	log := springLog()
	log.Outages = append(log.Outages, sla.Outage{Start: utc("2026-06-30 12:00:00"), End: utc("2026-07-02 00:00:00")})
	p := readPublic(t, "claim: {kind: days_after_period_end, days: 30}")
	claims, err := p.Claims(config.Subscription{Fee: usd("1000.00")}, log)
	if err != nil || len(claims) != 2 {
		t.Fatalf("%d claims, %v, want two", len(claims), err)
	}
	// 12 h of 720 h down in June: 98.333…, 25 %.
	for i, want := range []string{"2026-04 100.00 2026-05-31", "2026-06 250.00 2026-07-31"} {
		s := claims[i].Statement
		if got := s.Period.Label + " " + s.Payable.Decimal() + " " + s.ClaimBefore.Format(time.DateOnly); got != want {
			t.Errorf("claim %d: %s, want %s", i, got, want)
		}
	}
	// Rolling days end with the log: 2 June to 2 July holds both ends of June.
	log.Observed.End = utc("2026-07-02 00:00:00")
	if claims, err = readPublic(t, "period: rolling_30d").Claims(config.Subscription{Fee: usd("1000.00")}, log); err != nil || len(claims) != 2 {
		t.Fatalf("%d claims, %v, want two", len(claims), err)
	}
	// 36 h of 720 h are 5 %.
	if s := claims[1].Statement; s.Period.Label != "2026-06-02+30d" || s.Availability[0].Value.Percent(6) != "95.000000" {
		t.Errorf("the last 30 days: %s, %s", s.Period.Label, s.Availability[0].Value.Percent(6))
	}
}

func TestPublicDiagnostics(t *testing.T) {
	const bands = `remedy: {kind: percent_bands, bands: `
	for _, c := range []struct {
		line string
		want string
	}{
		{"id: ~", "f.yaml:3:3: slas[0].id: missing"},
		{"notes: x", `f.yaml:10:3: slas[0].notes: unknown key "notes", want one of `},
		{"period: calender_month", `f.yaml:7:11: slas[0].period: found "calender_month", want billing_month, `},
		{"period: calender_month", `(did you mean "calendar_month"?)`},
		{"target: 101", `f.yaml:6:11: slas[0].target: percentage "101", want at most 100`},
		{"measure: {unit: 1m}", "f.yaml:8:13: slas[0].measure.kind: missing"},
		{"measure: uptime", `f.yaml:8:12: slas[0].measure: found the text "uptime", want a mapping`},
		{"measure: {kind: uptme}", `f.yaml:8:19: slas[0].measure.kind: found "uptme", want affected_ratio, `},
		{"measure: {kind: uptime, min_outge: 5m}", `f.yaml:8:27: slas[0].measure.min_outge: unknown key "min_outge"`},
		{"measure: {kind: uptime, min_outage: 5m}", "slas[0].measure.min_outage_rule: missing"},
		{"measure: {kind: uptime, min_outage: soon, min_outage_rule: longer_than}", `f.yaml:8:39: slas[0].measure.min_outage: "soon"`},
		{"measure: {kind: uptime, min_outage: 5m, min_outage_rule: longer}", `f.yaml:8:60: slas[0].measure.min_outage_rule: found "longer", want longer_than, at_least`},
		{"measure: {kind: uptime, starts: report}", `f.yaml:8:35: slas[0].measure.starts: found "report", want failure, ticket_created, effect_on_customer`},
		{"measure: {kind: uptime, interval: 5m}", "f.yaml:8:37: slas[0].measure.interval: interval has no effect on uptime"},
		{"measure: {kind: uptime, rounding: up}", `slas[0].measure.unit: "0s", want a time above 0`},
		{"measure: {kind: uptime, rounding: half}", "f.yaml:8:37: slas[0].measure.rounding: "},
		{"measure: {kind: uptime, denominator: all minutes}", `f.yaml:8:40: slas[0].measure.denominator: found "all minutes", want maximum available minutes, `},
		{"measure: {kind: uptime, formula: outage minutes x affected customer ratio / scheduled availability minutes}", "f.yaml:8:36: slas[0].measure.formula: "},
		{"measure: {kind: bad_minutes, error_rate: 0.05}", "slas[0].measure.op: missing"},
		{`measure: {kind: bad_minutes, error_rate: 5, op: ">"}`, `f.yaml:8:44: slas[0].measure.error_rate: found "5", want a share from 0 to 1`},
		{`measure: {kind: bad_minutes, error_rate: 0.5, op: "<"}`, `f.yaml:8:53: slas[0].measure.op: found "<", want >, >=`},
		{"measure: {kind: downtime_runs, min_consecutive: 90s}", "f.yaml:8:51: slas[0].measure.min_consecutive: found 1m30s, want a multiple of 1m0s"},
		{"measure: {kind: downtime_runs, min_requests_per_minute: -1}", "f.yaml:8:59: slas[0].measure.min_requests_per_minute: found -1"},
		{"measure: {kind: interval_error_rate_mean}", "f.yaml:8:13: slas[0].measure.interval: missing"},
		{"measure: {kind: uptime, down_when: {a: b}}", "f.yaml:8:38: slas[0].measure.down_when: found a mapping, want text or a list of texts"},
		{"period: incident", "f.yaml:8:19: slas[0].measure.kind: uptime is measured over a period, want outage_duration"},
		{"remedy: {bands: []}", "f.yaml:9:12: slas[0].remedy.kind: missing"},
		{"remedy: {kind: percent_band, bands: []}", `(did you mean "percent_bands"?)`},
		{"remedy: {kind: percent_bands}", "slas[0].remedy.bands: missing"},
		{bands + `[["99.9", null]]}`, "f.yaml:9:41: slas[0].remedy.bands[0]: found a list, want a row [below, at least or null, percent or days]"},
		{bands + `[[~, null, 10]]}`, "f.yaml:9:42: slas[0].remedy.bands[0][0]: found nothing, want a value"},
		{bands + `[["99.9", null, ten]]}`, `f.yaml:9:56: slas[0].remedy.bands[0][2]: found the text "ten", want a number`},
		{bands + `[["99.9", null, -10]]}`, `f.yaml:9:56: slas[0].remedy.bands[0][2]: found "-10", want a percentage`},
		{bands + `[["99.9", "99.0", 10], ["98.0", null, 25]]}`, `f.yaml:9:63: slas[0].remedy.bands[1].below: "98%", want 99%, or there is a gap between the bands`},
		{"remedy: {kind: days_bands, bands: [[\"99.9\", null, 1.5]]}", `slas[0].remedy.bands[0][2]: found "1.5", want whole days`},
		{"remedy: {kind: lost_time}", "slas[0].remedy.multiplier: missing"},
		{"remedy: {kind: lost_time, multiplier: 0}", `f.yaml:9:41: slas[0].remedy.multiplier: "0", want 1 or more`},
		{"remedy: {kind: lost_time, multiplier: 1, cap_per: incident}", "slas[0].remedy.cap_percent: missing"},
		{"remedy: {kind: lost_time, multiplier: 1, cap_percent: 100, cap_per: month}", `f.yaml:9:71: slas[0].remedy.cap_per: found "month", want incident`},
		{"remedy: {kind: per_interval, percent: 5, interval: 10m}", "slas[0].remedy.partial: missing"},
		{"remedy: {kind: per_interval, percent: 5, interval: 10m, partial: half}", `f.yaml:9:68: slas[0].remedy.partial: found "half", want full, started`},
		{"remedy: {kind: unknown, percent: 5}", "f.yaml:9:36: slas[0].remedy.percent: percent has no effect on unknown"},
		{"remedy: {kind: unknown, sum: 5}", `f.yaml:9:27: slas[0].remedy.sum: unknown key "sum"`},
		{"claim: {kind: never}", `f.yaml:10:17: slas[0].claim.kind: found "never", want automatic, `},
		{"claim: {kind: days_after_incident}", `slas[0].claim.days: "0", want 1 to 3660`},
		{"claim: {kind: automatic, cycles: 2}", `f.yaml:10:36: slas[0].claim.cycles: "2", want 1 to 122 for the kinds that use it`},
		{"stacking: all", `f.yaml:10:13: slas[0].stacking: found "all", want either_or, max, sum`},
		{"exclude: [rain]", `f.yaml:10:13: slas[0].exclude[0]: found "rain", want customer, force_majeure, scheduled_maintenance`},
		{"cap: {}", "f.yaml:10:8: slas[0].cap: want percent or days_of_paid_service"},
		{"cap: {percent: 100, of: everything}", `f.yaml:10:27: slas[0].cap.of: found "everything"`},
		{"cap: {days_of_paid_service: 90, per: quarter}", "f.yaml:10:40: slas[0].cap.per: a cap by the quarter beside the period calendar_month"},
		{"cap: {days_of_paid_service: 0}", "slas[0].cap.days_of_paid_service: found 0, want 1 or more"},
		{`min_issued: {amount: "1.00", currency: USD, rule: at_least}`, `f.yaml:10:53: slas[0].min_issued.rule: found "at_least", want greater_than`},
		{`min_issued: {amount: "1.001", currency: USD, rule: greater_than}`, "f.yaml:10:24: slas[0].min_issued.amount: "},
		{"evidence: {traget: read}", `f.yaml:10:22: slas[0].evidence.traget: the entry has no "traget" to grade`},
		{"evidence: {target: reed}", `(did you mean "read"?)`},
		{"evidence: {target: hearsay}", `f.yaml:10:22: slas[0].evidence.target: found "hearsay", want read, secondary, unverified`},
		{"variants: {b: {target: [99]}}", "f.yaml:10:26: slas[0].variants.b.target: found a list"},
		{"variants: {b: {interval: 5m}}", `f.yaml:10:18: slas[0].variants.b.interval: unknown key "interval", want one of `},
		{"variants: {b: {kind: uptime}}", `f.yaml:10:18: slas[0].variants.b.kind: unknown key "kind"`},
		{"variants: {b: {target: ~}}", "f.yaml:10:26: slas[0].variants.b.target: found nothing, want a value"},
		{"variants: {b: {min_outage: 5m}}", "slas[0].measure.min_outage_rule: missing"},
		{"variants: {published_bounds: {target: 99}}\n  published_bounds: [[\"< 99.9\", ~, 10]]", "slas[0].variants.published_bounds: a variant of that name"},
		{`published_bounds: [["99.9", ~, 10]]`, `f.yaml:10:23: slas[0].published_bounds[0][0]: found "99.9", want < or <= and a percentage`},
		{"also: [{note: x}]", "f.yaml:10:11: slas[0].also[0].name: missing"},
		{"also: [{name: availability, measure: {kind: uptime}}]", `slas[0].also[0].name: "availability" is the promise of the entry itself`},
		{"also: [{name: b, measure: {kind: uptme}}]", "f.yaml:10:36: slas[0].also[0].measure.kind: "},
	} {
		_, d, err := config.ParsePublicSLAs("f.yaml", publicEntry(c.line))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.line, err, c.want)
		}
		if n := len(d.Problems()); n > 2 {
			t.Errorf("%s: %d problems of one mistake:\n%v", c.line, n, d.Problems())
		}
	}
	once := string(publicEntry())
	_, entry, _ := strings.Cut(once, "slas:\n")
	for text, want := range map[string]string{
		once + entry: `f.yaml:10:7: slas[1].id: id "a" stands twice`,
		strings.Replace(once, "schema: 2", "schema: 3", 1): "f.yaml:1:9: schema: schema 3, want 2",
		"schema: 2": "f.yaml:1:1: slas: missing",
	} {
		if _, _, err := config.ParsePublicSLAs("f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// What is doubtful about terms is said where it stands.
func TestPublicWarnings(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"measure: {kind: uptime, probes: [a, b]}", `f.yaml:8:27: slas[0].measure.probes: unknown key "probes" is kept as text, no figure comes from it; known are `},
		{"target: 99.95", `f.yaml:9:41: slas[0].remedy.bands[0].below: "99.9%", want the target 99.95%, or a miss down to there earns nothing`},
		{"variants: {b: {target: 99.95}}", `slas[0].variants.b.remedy.bands[0].below: "99.9%", want the target 99.95%`},
		{`published_bounds: [["<= 99.9", "> 99.0", 10], ["< 99.0", ~, 25]]`, "want one of the two bands to hold the bound"},
		{"exclude: [scheduled_maintenance]", "want a notice for excluded maintenance"},
	} {
		_, d, err := config.ParsePublicSLAs("f.yaml", publicEntry(c.line))
		problems := d.Problems()
		if err != nil || len(problems) != 1 || problems[0].Severity != config.Warning || !strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%s: %v, problems\n%v\nwant a warning\n%s", c.line, err, problems, c.want)
		}
	}
	if text := readPublic(t, "measure: {kind: uptime, probes: [a, b]}").Texts["measure.probes"]; text != "a, b" {
		t.Errorf("text of an unknown key %q", text)
	}
}

// What the reader accepts is a contract, and any log can be judged by it.
func FuzzPublicSLAs(f *testing.F) {
	f.Add(string(publicEntry()))
	f.Add(string(publicEntry("period: incident", "measure: {kind: outage_duration, min_outage: 5m, min_outage_rule: longer_than, starts: effect_on_customer}",
		"remedy: {kind: lost_time, multiplier: 50, cap_percent: 100, cap_per: incident, base: charges of the 30 days before}", "maintenance: {notice: 24h, migration_max: 6h}")))
	f.Add(string(publicEntry("period: calendar_quarter", `measure: {kind: bad_minutes, error_rate: "0.05", op: ">", or: unavailable}`, "stacking: either_or", "cap: {days_of_paid_service: 90, per: quarter}",
		`published_bounds: [["<= 99.9", "> 99.0", 10], ["< 99.0", null, 25]]`, "also: [{name: actions, measure: {kind: good_over_total}}]", "claim: {kind: days_after_eligible, days: 30}")))
	f.Add(string(publicEntry("period: rolling_30d", "measure: {kind: interval_error_rate_mean, interval: 5m, empty_interval: dropped}", "variants: {b: {target: 99.95, interval: 1h}}",
		`min_issued: {amount: "1.00", currency: JPY, rule: greater_than}`, "evidence: {all: read, remedy: 10 read; 25 unverified}")))
	f.Add(string(publicEntry("remedy: {kind: per_interval, percent: 5, interval: 10m, partial: started, deductible: 1h}", "variants: {b: {interval: *x}}", "claim: &x {kind: automatic}")))
	f.Add(string(publicEntry("measure: {kind: affected_ratio, denominator: minutes of the month minus downtime planned by the customer}", "remedy: {kind: days_bands, bands: [[100, ~, 3]], cap_days_per_month: 15}")))
	f.Fuzz(func(t *testing.T, text string) {
		all, d, err := config.ParsePublicSLAs("f.yaml", []byte(text))
		for _, p := range d.Problems() {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" || p.Severity != config.Error && p.Severity != config.Warning {
				t.Fatalf("%q: problem without a place, a code or a message: %+v", text, p)
			}
		}
		if err != nil {
			return
		}
		for _, p := range all {
			terms := []config.PublicSLA{p}
			for _, v := range p.Variants {
				terms = append(terms, v)
			}
			for _, v := range terms {
				sub := config.Subscription{Fee: usd("1000.00")}
				if least := v.Template.Terms[0].MoreThan; least.IsSet() {
					sub.Fee = least
				}
				if sub.Fee.Sign() <= 0 {
					continue
				}
				if _, err := sla.Compile(v.Contract(sub)); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				_, _ = v.Claims(sub, springLog()) // an amount may be out of range
			}
		}
	})
}
