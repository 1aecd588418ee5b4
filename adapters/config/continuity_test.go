package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

var readAt = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func catalogueSample(t *testing.T) (config.Inventory, []byte) {
	t.Helper()
	data, err := os.ReadFile("testdata/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, d, err := config.ParseContinuity("catalogue.yaml", data, readAt)
	if err != nil || len(d.Problems()) > 0 {
		t.Fatalf("%v, %v", err, d.Problems())
	}
	return c, data
}

func TestContinuity(t *testing.T) {
	c, _ := catalogueSample(t)
	if p := c.Policy; p.RestoreEvery != 60*24*time.Hour || p.RehearseEvery != 182*24*time.Hour || p.DREvery != 0 || p.SuccessRate.String() != "> 98%" {
		t.Errorf("policy = %+v", p)
	}
	if r := c.Restores[0]; r.RTOTarget != 4*time.Hour || r.RPOTarget != time.Hour || r.Check != continuity.Passed || c.Runbooks[0].ReviewEvery != 180*24*time.Hour {
		t.Errorf("restore = %+v", r)
	}
	// By hand: the proof of 1 October, 09:20, is a month old, that of the disaster test
	// too; nobody tested the loss of a data centre, nor restored the ledger itself. T-1
	// was done in time. Key dates were never rehearsed, but the payroll by its runbook.
	var got []string
	for _, f := range c.Register.Findings(readAt) {
		got = append(got, f.Service+" "+string(f.Code)+" "+f.Subject)
	}
	want := []string{
		"ledger restore_never_tested ", "ledger dr_never_tested data_centre", "ledger runbook_missing close", "ledger rehearsal_overdue close",
		"ledger-db dr_never_tested data_centre", "ledger-db runbook_missing close", "ledger-db rehearsal_overdue close",
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings\n%q\nwant\n%q", got, want)
	}
	later := c.Register.Findings(time.Date(2026, 11, 30, 9, 20, 0, 0, time.UTC)) // 60 days after the proof
	if !slices.ContainsFunc(later, func(f continuity.Finding) bool {
		return f.Code == continuity.RestoreOverdue && f.Service == "ledger-db"
	}) {
		t.Errorf("60 days after the proof it is not overdue: %+v", later)
	}
	// Two of the tests were never run, the workflow was green for another artefact, and so
	// the approval came too early.
	decision, err := c.Gates[0].Judge(c.Updates[0], continuity.Production, readAt)
	if missing := decision.Missing(); err != nil || len(missing) != 7 || missing[0].Name != "integration" || missing[6].Kind != continuity.NeedsApproval {
		t.Errorf("missing %v, %v", missing, err)
	}
	december := calendar.Interval{Start: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 27, 0, 0, 0, 0, time.UTC)}
	dates, err := c.Register.KeyDates(december)
	if err != nil || len(dates) != 1 || dates[0].Days[0] != (continuity.Day{Date: "2026-12-24", Nominal: "2026-12-25"}) {
		t.Errorf("key dates of December = %+v, %v", dates, err)
	}
}

// What encoding/json writes of the core's values is read back as the same.
func TestContinuityJSON(t *testing.T) {
	c, _ := catalogueSample(t)
	text, err := json.Marshal(struct {
		continuity.Catalogue

		Restores []continuity.Restore `json:"restores"`
		Tests    []continuity.DRTest  `json:"dr_tests"`
		Gates    []continuity.Gate    `json:"gates"`
		Updates  []continuity.Update  `json:"updates"`
	}{c.Catalogue, c.Restores, c.Tests, c.Gates, c.Updates})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := config.ParseContinuity("catalogue.json", text, readAt)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	again.Register, c.Register = nil, nil
	if !reflect.DeepEqual(again, c) {
		t.Errorf("read\n%+v\nwant\n%+v", again, c)
	}
}

// Every problem comes at once, with the place at which it stands.
func TestContinuityErrors(t *testing.T) {
	restore := "restores: [{service: a, backup_id: b, kind: side, started: 2026-10-01T00:00:00Z, rto_target: 4h, rpo_target: 1h"
	for _, c := range []struct{ name, text, want string }{
		{"no services", "version: 1", "f.yaml:1:1: services: missing"},
		{"version", "version: 2\nservices: []", "f.yaml:1:10: version: version 2, want 1"},
		{"unknown key", "services: [{service: a, ownr: b}]", `f.yaml:1:25: services[0].ownr: unknown key "ownr", want one of depends_on, end_of_life, end_of_sale, end_of_support, lines, owner, service, stateless, support_window, tier, vendors (did you mean "owner"?)`},
		{"ids", "services:\n  - service: a\n  - service: a\n  - owner: b", "f.yaml:3:14: services[1].service: \"a\", want each id once\nf.yaml:4:5: services[2].service: missing"},
		{"reference", "services: [{service: ledger, depends_on: [ledgr]}]", `f.yaml:1:43: services[0].depends_on[0]: "ledgr", want a service of the catalogue, perhaps "ledger"`},
		{"circle", "services: [{service: a, depends_on: [b]}, {service: b, depends_on: [a]}]", `f.yaml:1:69: services[1].depends_on[0]: "a", want no circle, not a on b on a`},
		{"dates", "services: [{service: a, end_of_life: 2026-02-30}]\ntasks: [{id: t, service: a, kind: k}]", "f.yaml:1:38: services[0].end_of_life: \"2026-02-30\", want a date like \"2026-10-21\"\nf.yaml:2:10: tasks[0].due: missing"},
		{"rule", "services: [{service: a}]\nkey_dates:\n  - {id: k, zone: UTC, rule: {day: 32, roll: up}}", "f.yaml:3:36: key_dates[0].rule.day: \"32\", want 1 to 31\nf.yaml:3:46: key_dates[0].rule.roll: \"up\", want preceding, following or modified_following"},
		{"zone", "services: [{service: a}]\nkey_dates: [{id: k, zone: Europe/Amsterdm, rule: {day: 1}}]", `f.yaml:2:27: key_dates[0].zone: unknown zone "Europe/Amsterdm" (did you mean "Europe/Amsterdam"?)`},
		{"cover", "services: [{service: a}]\nkey_dates: [{id: k, zone: UTC, rule: {day: 1}, extra_cover: {databases: 0}}]", `f.yaml:2:73: key_dates[0].extra_cover.databases: "0", want a domain, and 1 or more people`},
		{"runbook", "services: [{service: a}]\nrunbooks: [{id: r, services: [], steps: ['']}]", "f.yaml:2:13: runbooks[0].purpose: missing\nf.yaml:2:30: runbooks[0].services: \"\", want at least one service\nf.yaml:2:42: runbooks[0].steps[0]: \"\", want what to do"},
		{"durations", "services: []\npolicy: {dr_every: 1 month, restore_every: 3}", "f.yaml:2:20: policy.dr_every: "},
		{"twice", "services: []\npolicy: {dr_every: 1d, dr_every_ns: 5}", "f.yaml:2:37: policy.dr_every_ns: stands beside dr_every, want one of the two"},
		{"negative", "services: []\npolicy: {dr_every_ns: -5}", `f.yaml:2:23: policy.dr_every_ns: "-5ns", want 0 or more`},
		{"rate", "services: []\npolicy: {restore_success_rate: '< 2 hours'}", `f.yaml:2:32: policy.restore_success_rate: "< 2h", want a percentage like "> 99%"`},
		{"targets", "services: [{service: a}]\nrestores: [{service: a, backup_id: b, kind: side, started: 2026-10-01T00:00:00Z}]", "f.yaml:2:13: restores[0].rpo_target: missing\nf.yaml:2:13: restores[0].rto_target: missing"},
		{"restore", "services: [{service: a}]\n" + restore + ", data_check: good}]", "f.yaml:2:13: restores[0].by: missing\nf.yaml:2:13: restores[0].method: missing\nf.yaml:2:13: restores[0].verified: missing\nf.yaml:2:126: restores[0].data_check: \"good\", want passed or failed"},
		{"of whom", "services: [{service: b}]\n" + restore + "}]", `f.yaml:2:22: restores[0].service: "a", want a service of the catalogue`},
		{"hash", "services: [{service: a}]\n" + restore + ", artefact_sha256: abc}]", `f.yaml:2:131: restores[0].artefact_sha256: "abc", want a SHA-256 as 64 lower-case hexadecimal digits`},
		{"order", "services: [{service: a}]\n" + restore + ", restored: 2026-09-30T00:00:00Z}]", `f.yaml:2:124: restores[0].restored: "2026-09-30T00:00:00Z", want not before started, 2026-10-01T00:00:00Z`},
		{"from the future", "services: [{service: a}]\nrestores: [{service: a, backup_id: b, kind: side, started: 2026-11-01T00:00:01Z, rto_target: 4h, rpo_target: 1h}]", `f.yaml:2:60: restores[0].started: "2026-11-01T00:00:01Z", want not after the present, 2026-11-01T00:00:00Z`},
		{"test", "services: [{service: a}]\ndr_tests: [{id: x, scenario: staff, services: [a], started: 2026-10-01T00:00:00Z, ended: 2026-10-01T01:00:00Z, participants: [p], steps: [{text: s, result: failed}], result: passed}]", `f.yaml:2:175: dr_tests[0].result: "passed", want failed, as steps[0] did`},
		{"tests of one id", "services: [{service: a}]\ndr_tests:\n" + strings.Repeat("  - {id: x, scenario: staff, services: [a], started: 2026-10-01T00:00:00Z, ended: 2026-10-01T01:00:00Z, participants: [p], steps: [{text: s}], result: passed}\n", 2) + "  - {id: x, scenario: internet, services: [a], started: 2026-10-01T00:00:00Z, ended: 2026-10-01T01:00:00Z, participants: [p], steps: [{text: s}], result: passed}\n", `f.yaml:5:10: dr_tests[2].id: id belongs to another record`},
		{"gates", "services: [{service: a}]\ngates: [{service: a, core_workflows: [w, w], tests: {production: [unit]}}, {service: a}, {service: b, core_workflows: [x]}]", `f.yaml:2:42: gates[0].core_workflows[1]: "w", want each workflow once` + "\n" + `f.yaml:2:53: gates[0].tests: "production", want`},
		{"stage", "services: []\ngates: [{tests: {testign: []}}]", `f.yaml:2:18: gates[0].tests.testign: continuity: stage "testign": want development, testing, acceptance or production (did you mean "testing"?)`},
		{"updates", "services: []\nupdates: [{id: u, author: x, artefact_sha256: abc, runs: [{stage: testing, result: passed}]}, {id: u}]", `f.yaml:2:47: updates[0].artefact_sha256: "abc", want a SHA-256`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := config.ParseContinuity("f.yaml", []byte(c.text), readAt)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || got.Register != nil {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// A backup that came back, and what the catalogue still lacks.
func ExampleParseContinuity() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	inventory, _, err := config.ParseContinuity("catalogue.yaml", []byte(`
services: [{service: shop-db, owner: dba, tier: enterprise, lines: [dba], support_window: {zone: UTC, week: {sunday: [{from: "00:00", to: "24:00"}]}}}]
runbooks: [{id: restore, services: [shop-db], purpose: dr, owner: dba, steps: [restore, count], reviewed_at: 2026-10-01T00:00:00Z, rehearsed_at: 2026-10-01T00:00:00Z}]
policy: {dr_every: 180d}
restores:
  - {service: shop-db, backup_id: nightly, kind: side, newest: 2026-10-01T00:59:30Z, failed_at: 2026-10-01T01:30:00Z, declared_lost_at: 2026-10-01T08:00:00Z,
     started: 2026-10-01T08:10:00Z, restored: 2026-10-01T09:00:00Z, verified: 2026-10-01T12:30:00Z, by: dana, method: row counts, data_check: passed,
     artefact_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, rto_target: 4h, rpo_target: 1h}
`), at)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range inventory.Register.Findings(at) {
		fmt.Println(f.Service, f.Code, f.Text)
	}
	_, _, err = config.ParseContinuity("catalogue.yaml", []byte("services: [{service: shop}]\ntasks: [{id: T-1, service: shp, kind: certificate, due: 2026-12-01}]\n"), at)
	fmt.Println(err)
	// Output:
	// shop-db window_missed recovery time of the restore of backup nightly was 4h30m, less than 4h is agreed
	// shop-db dr_never_tested disaster recovery was never tested
	// catalogue.yaml:2:28: tasks[0].service: "shp", want a service of the catalogue, perhaps "shop"
}
