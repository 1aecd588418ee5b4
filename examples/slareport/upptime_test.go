package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// Sixty days of checks of public sites, recorded by others. The figures are those
// that came with the recording.
func TestRecordedChecks(t *testing.T) {
	checks := testutil.SharedFile(t, "data/upptime/checks.csv")
	services := []string{
		"Electisec Main Site", "Electisec Blog Site", "Electisec Reports Site", "electisec.tech", "blog.electisec.tech", "reports.electisec.tech",
		"yacademy.dev", "blog.yacademy.dev", "reports.yacademy.dev", "proxies.yacademy.dev",
	}
	contract := func(unmonitored string) map[string]string {
		return map[string]string{"contract.yaml": "version: 1\nid: sites\ncustomer: {id: sites}\ntimezone: UTC\ntier: none\nmonthly_fee: \"1000.00 EUR\"\n" +
			"availability: {target_percent: 99.9, unmonitored: " + unmonitored + "}\nservices: [{id: \"" + strings.Join(services, "\"}, {id: \"") + "\"}]\n"}
	}
	args := []string{"-config", "contract.yaml", "-checks", checks, "-now", "2025-07-14T00:00:00Z", "-trend", "0"}
	type row struct {
		total, down int
		percent     any
	}
	gone := func(total int) row { return row{total, total, 0} }
	full := func(total int) row { return row{total, 0, 100} }
	const may, june, july = 1416000, 2592000, 1123200
	for _, c := range []struct {
		name, period, unmonitored string
		want                      []row
	}{
		{"May", "-month 2025-05", "exclude", []row{
			full(may), {may, 361, 99.974505}, {1415997, 0, 100}, gone(-1), gone(-1), gone(-1), full(-1), full(-1), full(-1), full(-1),
		}},
		{"June", "-month 2025-06", "up", []row{
			{june, 2077, 99.919868}, {june, 859, 99.966859}, {june, 848, 99.967283}, gone(june), gone(june), gone(june), full(june), full(june), full(june), full(june),
		}},
		{"1 to 13 July", "-from 2025-07-01T00:00:00Z -to 2025-07-14T00:00:00Z", "up", []row{
			{july, 1326, 99.881944}, full(july), full(july), gone(july), gone(july), gone(july), full(july), full(july), full(july), full(july),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := programtest.Result(t, contract(c.unmonitored), append(args, strings.Fields(c.period)...)...)
			for i, want := range c.want {
				path := fmt.Sprintf("availability.%d.", i)
				programtest.Equal(t, r, path+"service", services[i])
				programtest.Equal(t, r, path+"availability_percent", want.percent)
				if want.total > 0 {
					programtest.Equal(t, r, path+"service_s", want.total)
					programtest.Equal(t, r, path+"down_s", want.down)
				}
			}
			switch c.name {
			case "May":
				programtest.Equal(t, r, "availability.0.unmonitored_s", 1262400)
			case "June":
				programtest.Equal(t, r, "availability.0.met", true)
				programtest.Equal(t, r, "availability.0.budget_s", 2592)
				programtest.Equal(t, r, "availability.0.budget_left_s", 515)
			default:
				programtest.Equal(t, r, "availability.0.met", false)
				programtest.Equal(t, r, "availability.0.budget_s", 1123.2)
				programtest.Equal(t, r, "availability.0.budget_left_s", -202.8)
			}
		})
	}
	t.Run("gaps", func(t *testing.T) {
		june := slices.Concat(args, []string{"-month", "2025-06", "-max-gap"})
		r := programtest.Result(t, contract("up"), slices.Concat(june, []string{"24h"})...)
		for i, want := range map[int]int{0: 745, 1: 738, 6: 753} {
			programtest.Equal(t, r, fmt.Sprintf("availability.%d.unmonitored_s", i), want)
		}
		r = programtest.Result(t, contract("up"), slices.Concat(june, []string{"25h"})...)
		for i := range services {
			programtest.Equal(t, r, fmt.Sprintf("availability.%d.unmonitored_s", i), 0)
		}
	})
}
