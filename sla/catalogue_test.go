package sla_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/sla"
)

// enterpriseOffering is the worked example of the tier table: comprehensive
// compute and database, advanced storage.
func enterpriseOffering() sla.Offering {
	return sla.Offering{Tier: sla.Enterprise, Services: []sla.ManagedService{
		{Component: sla.Compute, Monitoring: sla.ComprehensiveMonitoring, Remediation: true, Patching: true, Tuning: true},
		{Component: sla.Database, Monitoring: sla.ComprehensiveMonitoring, Remediation: true, Backup: true, Patching: true, Tuning: true},
		{Component: sla.Storage, Monitoring: sla.AdvancedMonitoring, Backup: true, Patching: true, Tuning: true},
	}}
}

func TestOfferingCapabilities(t *testing.T) {
	o := enterpriseOffering()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	want := sla.Capabilities{
		Monitoring: []sla.MonitoringLevel{sla.AdvancedMonitoring, sla.ComprehensiveMonitoring},
		Automation: []string{"compute_remediation", "database_remediation"},
		Management: []string{
			"compute_patching", "compute_optimization", "database_backup", "database_patching", "database_optimization",
			"storage_backup", "storage_patching", "storage_optimization",
		},
	}
	if got := o.Capabilities(); !reflect.DeepEqual(got, want) {
		t.Errorf("Capabilities = %+v, want %+v", got, want)
	}
	// Two of three services, 66.666… %.
	if level := o.AutomationLevel(); level.String() != "2/3" || level.RoundedPercent(1) != "66.7" || level.Percent(6) != "66.666666" {
		t.Errorf("AutomationLevel = %s, %s %%, want 2/3, 66.7 %%", level, level.RoundedPercent(1))
	}
	for _, line := range []string{"Enterprise tier capabilities:", "Automation level: 66.7%"} {
		if !slices.Contains(strings.Split(o.String(), "\n"), line) {
			t.Errorf("String has no line %q:\n%s", line, o)
		}
	}
}

// Of no services nothing is automated; that is a number.
func TestOfferingWithoutServices(t *testing.T) {
	o := sla.Offering{Tier: sla.Essential}
	if level := o.AutomationLevel(); !level.IsSet() || level.RoundedPercent(1) != "0.0" {
		t.Errorf("AutomationLevel = %s, want 0.0", level.RoundedPercent(1))
	}
	const want = "Essential tier capabilities:\nMonitoring: none\nAutomation: none\nManagement: none\nAutomation level: 0.0%\n"
	if o.String() != want {
		t.Errorf("String = %q, want %q", o, want)
	}
	if data, err := json.Marshal(o.Capabilities()); err != nil || string(data) != `{"monitoring":[],"automation":[],"management":[]}` {
		t.Errorf("Capabilities as JSON = %s, %v, want empty lists", data, err)
	}
}

func TestCatalogue(t *testing.T) {
	c := sla.Catalogue{{Tier: sla.Essential}, enterpriseOffering()}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if o, ok := c.Offering(sla.Enterprise); !ok || len(o.Services) != 3 {
		t.Errorf("Offering(enterprise) = %+v, %t", o, ok)
	}
	if o, ok := c.Offering(sla.Professional); ok {
		t.Errorf("Offering(professional) = %+v, want none", o)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back sla.Catalogue
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back[1], c[1]) {
		t.Errorf("catalogue changes on the way through JSON: %v\n%s", err, data)
	}

	bad := sla.Catalogue{
		{Services: []sla.ManagedService{{}, {Component: 9, Monitoring: 9}}},
		enterpriseOffering(),
		{Tier: sla.Enterprise, Services: append(enterpriseOffering().Services, sla.ManagedService{Component: sla.Compute, Monitoring: sla.BasicMonitoring})},
	}
	err = bad.Validate()
	for _, want := range []string{
		`catalogue [0].tier "none": want essential, professional or enterprise`,
		`[0].services[0].component "": want compute, storage,`, `[0].services[0].monitoring "": want basic, advanced, comprehensive`,
		`[0].services[1].component "sla.Component(9)"`, `[0].services[1].monitoring "sla.MonitoringLevel(9)"`,
		`[2].tier "enterprise": want each tier once`, `[2].services[3].component "compute": want each component once`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate does not report %s:\n%v", want, err)
		}
	}
	if e := (*sla.CatalogueError)(nil); !errors.As(err, &e) || e.Path != "[0].tier" {
		t.Errorf("Validate = %T, want a CatalogueError", err)
	}
}

func TestOfferingOver(t *testing.T) {
	basic := sla.Offering{Tier: sla.Essential, Services: []sla.ManagedService{
		{Component: sla.Compute, Monitoring: sla.BasicMonitoring, Patching: true},
		{Component: sla.Storage, Monitoring: sla.AdvancedMonitoring, Backup: true},
	}}
	want := []string{
		"monitoring compute: comprehensive, not basic",
		"automation compute: compute_remediation",
		"management compute: compute_optimization",
		"component: database",
		"monitoring database: comprehensive",
		"automation database: database_remediation",
		"management database: database_backup",
		"management database: database_patching",
		"management database: database_optimization",
		"management storage: storage_patching",
		"management storage: storage_optimization",
		"automation_level: 66.7%, not 0.0%",
	}
	if got := lines(enterpriseOffering().Over(basic)); !slices.Equal(got, want) {
		t.Errorf("Over =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := basic.Over(enterpriseOffering()); len(got) != 0 {
		t.Errorf("basic over enterprise = %v, want nothing", got)
	}
}

func lines(gains []sla.Gain) []string {
	out := make([]string, len(gains))
	for i, g := range gains {
		out[i] = g.String()
	}
	return out
}

func TestOfferOver(t *testing.T) {
	want := []string{
		"uptime: 99.9%, not 99%",
		"response P1: 2m, not 15m", "response P2: 15m, not 1h", "response P3: 1h, not 4h", "response P4: 2h, not next business day",
		"service: dedicated operations team", "service: custom automation", "service: capacity planning", "service: architecture consulting",
		"service: disaster recovery tests", "service: executive reporting",
		"fee: 75000.00 EUR to 150000.00 EUR, not 15000.00 EUR to 25000.00 EUR",
	}
	if got := lines(sla.Enterprise.Offer().Over(sla.Essential.Offer())); !slices.Equal(got, want) {
		t.Errorf("Over =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	cheap := lines(sla.Essential.Offer().Over(sla.Enterprise.Offer()))
	if cheap[len(cheap)-1] != "fee: 15000.00 EUR to 25000.00 EUR, not 75000.00 EUR to 150000.00 EUR" || slices.ContainsFunc(cheap, func(s string) bool { return strings.HasPrefix(s, "response") }) {
		t.Errorf("essential over enterprise = %q, want services and the fee", cheap)
	}
	if got := sla.Essential.Offer().Over(sla.Offer{}); len(got) != 1+4+4+1 || got[0].Than != "" {
		t.Errorf("essential over nothing = %v, want all of it", got)
	}
	slow := sla.Enterprise.Offer()
	slow.Response[3].Within = 25 * 60 * 60 * 1e9
	if got := lines(sla.Essential.Offer().Over(slow)); !slices.Contains(got, "response P4: next business day, not 1d1h") {
		t.Errorf("next business day against 25 hours: %q", got)
	}
}

// Nothing is above itself, and whatever one service adds is found.
func TestOfferingOverIsStrict(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var a sla.Offering
		for _, c := range sla.Components {
			if r.IntN(2) == 0 {
				continue
			}
			a.Services = append(a.Services, sla.ManagedService{
				Component: c, Monitoring: sla.MonitoringLevel(1 + r.IntN(3)), Remediation: r.IntN(2) == 0, Backup: r.IntN(2) == 0, Patching: r.IntN(2) == 0, Tuning: r.IntN(2) == 0,
			})
		}
		if got := a.Over(a); len(got) != 0 {
			t.Fatalf("%+v over itself = %v", a, got)
		}
		if len(a.Services) == 0 {
			continue
		}
		b := sla.Offering{Services: slices.Clone(a.Services)}
		last := b.Services[len(b.Services)-1]
		b.Services = b.Services[:len(b.Services)-1]
		if got := a.Over(b); len(got) == 0 || got[0].Aspect != sla.AspectComponent || got[0].Have != last.Component.String() {
			t.Fatalf("%+v over %+v = %v, want the component %s first", a, b, got, last.Component)
		}
	}
}
