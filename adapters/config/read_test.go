package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

type sample struct {
	Version int                                 `yaml:"version,required"`
	Name    string                              `yaml:"name"`
	On      bool                                `yaml:"on"`
	Zone    config.Zone                         `yaml:"zone"`
	Fee     money.Amount                        `yaml:"fee"`
	From    time.Time                           `yaml:"from"`
	Target  config.Percent                      `yaml:"target"`
	Rate    float64                             `yaml:"rate"`
	Reply   map[incident.Severity]time.Duration `yaml:"reply"`
	Items   []item                              `yaml:"items"`
}

type item struct {
	ID   string  `yaml:"id,required"`
	Part *string `yaml:"part"`
}

func TestRead(t *testing.T) {
	var s sample
	_, err := config.Parse("a.yaml", []byte(`
version: 1
name: "8"
on: true
zone: Europe/Amsterdam
fee: "100000.00 EUR"
from: 2026-10-01T00:00:00+02:00
target: 99.90%
rate: 1e-2
reply: {critical: 2m, P2: 15 minutes}
items: [{id: a, part: ~}, {id: b, part: x}]
`), &s)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "8" || !s.On || s.Zone.String() != "Europe/Amsterdam" || s.Fee.String() != "100000.00 EUR" || s.Target != "99.90" || s.Rate != 0.01 ||
		s.From.UTC().Hour() != 22 || s.Reply[incident.P1] != 2*time.Minute || s.Reply[incident.P2] != 15*time.Minute || s.Items[0].Part != nil || *s.Items[1].Part != "x" {
		t.Errorf("Read = %+v", s)
	}
}

// A contract in the words of package sla is the same from YAML as from JSON.
func TestReadWholeContract(t *testing.T) {
	yaml := `
id: acme
fee: "1000.00 EUR"
zone: Europe/Amsterdam
from: 2026-01-15T00:00:00+01:00
claim: {kind: days_after_period_end, days: 30}
calendars:
  office: {zone: Europe/Amsterdam, week: {monday: [{from: "09:00", to: "12:00"}, {from: "13:00", to: "18:00"}]}}
terms:
  - id: availability
    availability:
      target: 99.9%
      measure: {kind: uptime, unit_ns: 60000000000, partial: up}
      remedy: {kind: lost_time, times: 10, outage_cap_percent: 25%}
  - id: update
    update: {targets: [{severity: P1, within_ns: 3600000000000, calendar: office, credit: "50.00 EUR"}]}
`
	var read sla.Contract
	if _, err := config.Parse("acme.yaml", []byte(yaml), &read); err != nil {
		t.Fatal(err)
	}
	if err := read.Validate(); err != nil {
		t.Fatal(err)
	}
	text := []byte(`{"id": "acme", "fee": {"amount": "1000.00", "currency": "EUR"}, "zone": "Europe/Amsterdam",
		"from": "2026-01-14T23:00:00Z", "claim": {"kind": "days_after_period_end", "days": 30},
		"calendars": {"office": {"zone": "Europe/Amsterdam", "week": {"monday": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "18:00"}]}}},
		"terms": [{"id": "availability", "availability": {"target": "99.9%",
			"measure": {"kind": "uptime", "unit_ns": 60000000000, "partial": "up"},
			"remedy": {"kind": "lost_time", "times": 10, "outage_cap_percent": "25%"}}},
		{"id": "update", "update": {"targets": [{"severity": "P1", "within_ns": 3600000000000, "calendar": "office",
			"credit": {"amount": "50.00", "currency": "EUR"}}]}}]}`)
	parsed, err := sla.ParseContract(text)
	if err != nil {
		t.Fatal(err)
	}
	var same sla.Contract
	if _, err := config.Parse("acme.json", text, &same); err != nil {
		t.Fatal(err)
	}
	if changes := sla.Compare(same, parsed); len(changes) > 0 {
		t.Errorf("JSON by two readers differs: %v", changes)
	}
	if changes := sla.Compare(read, parsed); len(changes) > 0 {
		t.Errorf("YAML and JSON differ: %v", changes)
	}
	_, err = config.Parse("acme.yaml", []byte(strings.Replace(yaml, "times: 10", "time: 10", 1)), &read)
	if err == nil || !strings.HasPrefix(err.Error(), "acme.yaml:") || !strings.Contains(err.Error(), "time") {
		t.Errorf("an unknown key: %v, want its place", err)
	}
}

// Every problem of a file is reported, in order, with its place.
func TestReadReportsAll(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"many", "version: one\nnam: x\nzone: SGT\nfee: 100\nfrom: 2026-10-01\nreply: {urgent: 2m, low: soon}\nitems:\n  - {part: [x]}\n", strings.Join([]string{
			`f.yaml:1:10: version: found the text "one", want a whole number`,
			`f.yaml:2:1: nam: unknown key "nam", want one of fee, from, items, name, on, rate, reply, target, version, zone (did you mean "name"?)`,
			`f.yaml:3:7: zone: "SGT" is an abbreviation, want an IANA name (did you mean "Asia/Singapore"?)`,
			`f.yaml:4:6: fee: parse money "100": want an amount and a currency, like "500.00 EUR"`,
			`f.yaml:5:7: from: time "2026-10-01" has no zone, want one like 2026-10-01T00:00:00Z or +02:00`,
			`f.yaml:6:9: reply.urgent: parse severity "urgent": want P1 to P4, critical, high, medium or low`,
			`f.yaml:6:26: reply.low: "soon", column 1: want a number with a unit, such as "15m" or "2 hours"`,
			`f.yaml:8:6: items[0].id: missing`,
			`f.yaml:8:12: items[0].part: found a list, want text`,
		}, "\n")},
		{"empty", "# nothing\n", `f.yaml:1:1: the file is empty`},
		{"two documents", "version: 1\n---\nversion: 2\n", `f.yaml:2:1: a second document starts here; want one document in a file`},
		{"not a mapping", "[1, 2]", `f.yaml:1:1: found a list, want a mapping`},
		{"null is missing", "version: ~", `f.yaml:1:1: version: missing`},
		{"float for int", "version: 1.0", `f.yaml:1:10: version: found 1.0, want a whole number`},
		{"text for number", `{version: 1, rate: "8"}`, `f.yaml:1:20: rate: found the text "8", want a number`},
		{"not finite", "{version: 1, rate: .nan}", `f.yaml:1:20: rate: found .nan, want a number`},
		{"tabs", "version:\n\tx: 1", "f.yaml:2:1: not valid YAML: found character that cannot start any token; indent with blanks, not tabs"},
	} {
		var s sample
		_, err := config.Parse("f.yaml", []byte(c.text), &s)
		var all config.Errors
		if !errors.As(err, &all) || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, c.want)
		}
	}
}

// aliasBomb is nine levels of ten aliases each.
func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 8 {
		fmt.Fprintf(&b, "a%d: &a%[1]d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return b.String()
}

// nest is a list of lists of lists, as deep as the file has it.
type nest []nest

func TestReadBoundsAliases(t *testing.T) {
	var v map[string]nest
	_, err := config.Parse("f.yaml", []byte(strings.ReplaceAll(aliasBomb(), "x", "[]")), &v)
	var all config.Errors
	if !errors.As(err, &all) || len(all) != 1 || all[0].Code != "alias_limit" {
		t.Errorf("nine levels of ten aliases: %v, want alias_limit alone", err)
	}
	var deep struct {
		A0 []string   `yaml:"a0"`
		A1 [][]string `yaml:"a1"`
	}
	if _, err := config.Parse("f.yaml", []byte("a0: &x [a]\na1: [*x, *x]\n"), &deep); err != nil || len(deep.A1) != 2 {
		t.Errorf("harmless aliases: %v, %v", deep, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("version: 1\nitems: [{id: a}]\nreply: {critical: 2m}\n")
	f.Add("a: &a [*a]")
	f.Add("? {a: b}\n: c")
	f.Fuzz(func(t *testing.T, text string) {
		var s sample
		_, err := config.Parse("f.yaml", []byte(text), &s)
		var all config.Errors
		if err != nil && !errors.As(err, &all) {
			t.Fatalf("error of type %T", err)
		}
		for _, d := range all {
			if d.Line < 1 || d.Column < 1 || d.Code == "" || d.Message == "" {
				t.Fatalf("%q: problem without a place, a code or a message: %+v", text, d)
			}
		}
	})
}
