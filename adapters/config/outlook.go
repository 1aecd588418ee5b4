package config

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// Outlook is what is known of the months ahead, for reviews.
type Outlook struct {
	At         time.Time // of which it speaks; zero for not said
	Components []Component
	Capacities []Capacity
}

// Component is something in use that its maker supports for a time. Dates are like
// "2027-06-30", "" for not known.
type Component struct {
	Name, Version, Service, EndOfSupport, Replacement, Planned string
}

// Capacity is a resource that fills up.
type Capacity struct {
	Name, Service, Unit string
	Limit               float64         // above 0
	Series              forecast.Series // of what was measured, empty for nothing
	Forecast            *forecast.ETA   // nil where the file has none
}

type outlookFile struct {
	Version    int             `yaml:"version"`
	AsOf       time.Time       `yaml:"as_of"`
	Components []componentFile `yaml:"components"`
	Capacities []capacityFile  `yaml:"capacities"`
}

type componentFile struct {
	Name         string `yaml:"name,required"`
	Version      string `yaml:"version"`
	Service      string `yaml:"service"`
	EndOfSupport string `yaml:"end_of_support"`
	Replacement  string `yaml:"replacement"`
	Planned      string `yaml:"planned"`
}

type capacityFile struct {
	Name     string            `yaml:"name,required"`
	Service  string            `yaml:"service"`
	Unit     string            `yaml:"unit"`
	Limit    float64           `yaml:"limit,required"`
	Step     time.Duration     `yaml:"step"`
	Points   []capacityPoint   `yaml:"points"`
	Forecast *capacityForecast `yaml:"forecast"`
}

type capacityPoint struct {
	At    time.Time `yaml:"at,required"`
	Value float64   `yaml:"value,required"`
}

type capacityForecast struct {
	Reached    time.Time `yaml:"reached,required"`
	Earliest   time.Time `yaml:"earliest,required"`
	Latest     time.Time `yaml:"latest,required"`
	Confidence float64   `yaml:"confidence_percent,required"`
}

// ParseOutlook reads what is known of the months ahead: how long components are
// supported, and what was measured of resources that fill up. Points stand in any order
// and are taken by steps, the last of each; a step is a day unless the file has another.
func ParseOutlook(name string, data []byte) (Outlook, *Document, error) {
	var file outlookFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	o := Outlook{At: file.AsOf}
	for i, f := range file.Components {
		path := fmt.Sprintf("components[%d]", i)
		d.text(path+".name", f.Name)
		d.date(path+".end_of_support", f.EndOfSupport)
		d.date(path+".planned", f.Planned)
		o.Components = append(o.Components, Component(f))
	}
	for i, f := range file.Capacities {
		o.Capacities = append(o.Capacities, d.capacity(fmt.Sprintf("capacities[%d]", i), f))
	}
	return o, d, d.Err()
}

func (d *Document) capacity(path string, f capacityFile) Capacity {
	c := Capacity{Name: f.Name, Service: f.Service, Unit: f.Unit, Limit: f.Limit}
	d.text(path+".name", f.Name)
	if at := path + ".limit"; d.has(at) && !d.failed(at) && (!(f.Limit > 0) || math.IsInf(f.Limit, 0)) {
		d.Fail(at, "out_of_range", "%v, want a number above 0", f.Limit)
	}
	if f.Step < 0 {
		d.Fail(path+".step", "out_of_range", "%v, want more than 0", f.Step)
	}
	points := make([]forecast.Point, len(f.Points))
	for i, p := range f.Points {
		at := fmt.Sprintf("%s.points[%d].value", path, i)
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			d.Fail(at, "out_of_range", "%v, want a number", p.Value)
		}
		points[i] = forecast.Point(p)
	}
	if len(points) > 0 && d.Err() == nil {
		series, err := forecast.Resample(points, cmp.Or(f.Step, 24*time.Hour), forecast.Last)
		if err != nil {
			d.Fail(path+".points", "out_of_range", "%v", err)
		}
		c.Series = series
	}
	if g := f.Forecast; g != nil {
		at := path + ".forecast"
		if g.Earliest.After(g.Reached) || g.Latest.Before(g.Reached) {
			d.Fail(at, "contradiction", "reached %s is not between earliest and latest", g.Reached.Format(time.RFC3339))
		}
		if !(g.Confidence >= 0 && g.Confidence <= 100) {
			d.Fail(at+".confidence_percent", "out_of_range", "%v, want 0 to 100", g.Confidence)
		}
		c.Forecast = &forecast.ETA{State: forecast.OK, Median: &g.Reached, Earliest: &g.Earliest, Latest: &g.Latest, Confidence: g.Confidence / 100}
	}
	return c
}

// text refuses an empty text.
func (d *Document) text(path, text string) {
	if text == "" && d.has(path) && !d.failed(path) {
		d.Fail(path, "missing_field", "empty, want a text")
	}
}

// date refuses what is no date.
func (d *Document) date(path, text string) {
	if _, err := time.Parse(time.DateOnly, text); text != "" && !d.failed(path) && err != nil {
		d.Fail(path, "bad_time", "%q, want a date like 2027-06-30", text)
	}
}
