package config

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/roi"
)

type costsFile struct {
	Version int `yaml:"version"`
	roi.Model
	Example *roiExample `yaml:"roi_example"`
}

// roiExample is the same model under the names of a calculator.
type roiExample struct {
	Currency   string `yaml:"currency"`
	Calculator struct {
		Years             *int               `yaml:"calculation_period_years"`
		DiscountRate      *float64           `yaml:"discount_rate"`
		Staffing          map[string]float64 `yaml:"required_staffing"`
		AnnualTurnover    *float64           `yaml:"annual_turnover"`
		IncidentsPerMonth *float64           `yaml:"incidents_per_month"`
	} `yaml:"calculator"`
	Internal roi.Internal `yaml:"internal_cost_model"`
	Managed  roi.Managed  `yaml:"managed_service_cost_model"`
	Impact   roi.Impact   `yaml:"business_impact_model"`
}

// examplePaths are the places of the model's fields in a roi_example.
var examplePaths = map[string]string{
	"currency": "roi_example.currency", "internal": "roi_example.internal_cost_model", "managed": "roi_example.managed_service_cost_model",
	"impact": "roi_example.business_impact_model", "years": "roi_example.calculator.calculation_period_years",
	"discount_rate": "roi_example.calculator.discount_rate", "staffing": "roi_example.calculator.required_staffing",
	"annual_turnover": "roi_example.calculator.annual_turnover", "incidents_per_year": "roi_example.calculator.incidents_per_month",
}

// Costs reads a file with the cost model of an own team and of a managed
// service: the fields of [roi.Model], or the same under the names of a
// roi_example, not both.
func Costs(name string, data []byte) (roi.Model, *Document, error) {
	var file costsFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	model, paths := file.Model, map[string]string{}
	if e := file.Example; e != nil {
		model = roi.Model{
			Currency: e.Currency, Internal: e.Internal, Managed: e.Managed, Impact: e.Impact,
			Years: e.Calculator.Years, DiscountRate: e.Calculator.DiscountRate, Staffing: e.Calculator.Staffing, AnnualTurnover: e.Calculator.AnnualTurnover,
		}
		if perMonth := e.Calculator.IncidentsPerMonth; perMonth != nil {
			perYear := *perMonth * 12
			model.IncidentsPerYear = &perYear
		}
		paths = examplePaths
		for _, key := range slices.Sorted(maps.Keys(fieldsOf(reflect.TypeFor[roi.Model]()))) {
			if d.Has(key) {
				d.Fail(key, "out_of_range", "%s beside roi_example, want one of the two", key)
			}
		}
	}
	for _, block := range []string{"impact", "internal", "managed"} {
		d.Missing(placed(block, paths))
	}
	if d.Err() == nil {
		for _, e := range split(model.Validate()) {
			d.costError(e, paths)
		}
	}
	return model, d, d.Err()
}

// placed replaces the first key of a path by what stands for it in the file.
func placed(path string, paths map[string]string) string {
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	if head, ok := paths[path[:end]]; ok {
		return head + path[end:]
	}
	return path
}

func (d *Document) costError(err error, paths map[string]string) {
	bad := (*roi.FieldError)(nil)
	if !errors.As(err, &bad) {
		d.Fail("", "out_of_range", "%v", err)
		return
	}
	d.Fail(placed(bad.Path, paths), "out_of_range", "%s, want %s", bad.Value, bad.Want)
}
