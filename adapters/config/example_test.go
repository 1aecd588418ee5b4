package config_test

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/sla"
)

// A contract file names what it changes of its tier, and every mistake comes
// back with its place.
func Example() {
	contract, _, err := config.Contract("acme.yaml", []byte(`version: 1
id: acme-2026
customer: {id: acme, name: Acme Retail}
timezone: Europe/Amsterdam
tier: professional
monthly_fee: "42000.00 EUR"
services: [{id: checkout, name: Checkout}]
response: {low: next business day}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sla.Compile(contract.Contract)
	fmt.Println(contract.ServiceNames["checkout"], contract.Terms[0].Availability.Target, err)

	_, _, err = config.Contract("globex.yaml", []byte(`version: 1
id: globex-2026
customer: {id: globex}
timezone: Europe/Amsterdm
tier: professional
monthly_fee: 42000
services: [{id: kiosk, targt_percent: 99.9}]
`))
	fmt.Println(err)
	// Output:
	// Checkout 99.5% <nil>
	// globex.yaml:4:11: timezone: unknown zone "Europe/Amsterdm" (did you mean "Europe/Amsterdam"?)
	// globex.yaml:6:14: monthly_fee: parse money "42000": want an amount and a currency, like "500.00 EUR"
	// globex.yaml:7:24: services[0].targt_percent: unknown key "targt_percent", want one of id, name, target_percent, weight (did you mean "target_percent"?)
}

// Read takes any struct, by the same rules.
func ExampleRead() {
	var shop struct {
		Name  string         `yaml:"name,required"`
		Opens config.Zone    `yaml:"zone"`
		Share config.Percent `yaml:"share"`
	}
	_, err := config.Read("shop.yaml", []byte("name: Kiosk\nzone: Asia/Singapore\nshare: 99.90%\n"), &shop)
	fmt.Println(shop.Name, shop.Opens, shop.Share, err)

	_, err = config.Read("shop.yaml", []byte("zone: SGT\nshare: 101\n"), &shop)
	fmt.Println(err)
	// Output:
	// Kiosk Asia/Singapore 99.90 <nil>
	// shop.yaml:1:1: name: missing
	// shop.yaml:1:7: zone: "SGT" is an abbreviation, want an IANA name (did you mean "Asia/Singapore"?)
	// shop.yaml:2:8: share: percentage "101", want at most 100
}
