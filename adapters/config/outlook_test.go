package config_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

const outlookFile = `version: 1
as_of: 2026-10-01T00:00:00+02:00
components:
  - {name: PostgreSQL, version: "14", service: shop, end_of_support: 2026-11-12, replacement: PostgreSQL 18, planned: 2026-10-25}
  - name: Redis
capacities:
  - name: disk
    unit: GB
    limit: 500.5
    step: 12h
    points:
      - {at: 2026-10-02T00:00:00Z, value: 12}
      - {at: 2026-10-01T00:00:00Z, value: 10.5}
      - {at: 2026-10-01T06:00:00Z, value: 11}
  - {name: pool, limit: 40, forecast: {reached: 2027-03-01T00:00:00Z, earliest: 2027-02-01T00:00:00Z, latest: 2027-05-01T00:00:00Z, confidence_percent: 92.5}}
`

// Of the two points of the first half day the later counts, the second has none.
func TestOutlook(t *testing.T) {
	o, _, err := config.ParseOutlook("outlook.yaml", []byte(outlookFile))
	if err != nil {
		t.Fatal(err)
	}
	if want := (config.Component{Name: "PostgreSQL", Version: "14", Service: "shop", EndOfSupport: "2026-11-12", Replacement: "PostgreSQL 18", Planned: "2026-10-25"}); len(o.Components) != 2 || o.Components[0] != want || o.Components[1] != (config.Component{Name: "Redis"}) {
		t.Errorf("components %+v", o.Components)
	}
	disk, pool := o.Capacities[0], o.Capacities[1]
	if !o.At.Equal(time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC)) || disk.Limit != 500.5 || disk.Unit != "GB" || disk.Forecast != nil {
		t.Errorf("as of %v, disk %+v", o.At, disk)
	}
	s := disk.Series
	if s.Step != 12*time.Hour || !s.Start.Equal(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)) || len(s.Values) != 3 || s.Values[0] != 11 || !math.IsNaN(s.Values[1]) || s.Values[2] != 12 {
		t.Errorf("series %+v", s)
	}
	f := pool.Forecast
	if f == nil || f.State != forecast.OK || f.Confidence != 0.925 || !f.Median.Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) || len(pool.Series.Values) != 0 {
		t.Errorf("pool %+v", pool)
	}
}

func TestOutlookProblems(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"2026-11-12", "soon", "components[0].end_of_support"},
		{"2026-10-25", "2026-13-25", "components[0].planned"},
		{"name: Redis", `name: ""`, "components[1].name"},
		{"limit: 500.5", "limit: 0", "capacities[0].limit"},
		{"limit: 500.5", "limit: .inf", "capacities[0].limit"},
		{"limit: 500.5", "limits: 1", "capacities[0].limits"},
		{"step: 12h", "step: 12", "capacities[0].step"},
		{"value: 12}", "value: .nan}", "capacities[0].points[0].value"},
		{"2026-10-02T00:00:00Z, value", "2026-10-02, value", "capacities[0].points[0].at"},
		{"earliest: 2027-02-01", "earliest: 2027-04-01", "capacities[1].forecast"},
		{"92.5", "192.5", "capacities[1].forecast.confidence_percent"},
		{"step: 12h", "step: 1ns", "capacities[0].points"},
	} {
		if !strings.Contains(outlookFile, c.from) {
			t.Fatalf("no %q", c.from)
		}
		_, d, err := config.ParseOutlook("outlook.yaml", []byte(strings.Replace(outlookFile, c.from, c.to, 1)))
		if err == nil || !slices.ContainsFunc(d.Problems(), func(p config.Diagnostic) bool { return p.Path == c.path && p.Line > 0 && p.Column > 0 }) {
			t.Errorf("%q: %v, want a problem at %s", c.to, err, c.path)
		}
	}
}

func FuzzOutlook(f *testing.F) {
	f.Add([]byte(outlookFile))
	f.Add([]byte("capacities: [{name: a, limit: 1, step: 1h, points: [{at: 0001-01-01T00:00:00Z, value: 1}, {at: 9999-01-01T00:00:00Z, value: 2}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, d, err := config.ParseOutlook("outlook.yaml", data)
		if (err == nil) != (d.Err() == nil) {
			t.Errorf("error %v, document %v", err, d.Err())
		}
		if err == nil {
			for _, c := range o.Capacities {
				if !(c.Limit > 0) {
					t.Errorf("a limit of %v is taken", c.Limit)
				}
			}
		}
	})
}
