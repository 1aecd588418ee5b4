package config

import (
	"errors"
	"fmt"

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
	Internal roi.Internal `yaml:"internal_cost_model,required"`
	Managed  roi.Managed  `yaml:"managed_service_cost_model,required"`
	Impact   roi.Impact   `yaml:"business_impact_model,required"`
}

// Costs reads a file with the cost model of an own team and of a managed
// service.
func Costs(name string, data []byte) (roi.Model, *Document, error) {
	var file costsFile
	d := read(name, data, &file)
	model, prefix := file.Model, map[string]string{"internal": "internal", "managed": "managed", "impact": "impact"}
	if e := file.Example; e != nil {
		model = roi.Model{
			Currency: e.Currency, Internal: e.Internal, Managed: e.Managed, Impact: e.Impact,
			Years: e.Calculator.Years, DiscountRate: e.Calculator.DiscountRate, Staffing: e.Calculator.Staffing, AnnualTurnover: e.Calculator.AnnualTurnover,
		}
		if perMonth := e.Calculator.IncidentsPerMonth; perMonth != nil {
			perYear := *perMonth * 12
			model.IncidentsPerYear = &perYear
		}
		prefix = map[string]string{"internal": "roi_example.internal_cost_model", "managed": "roi_example.managed_service_cost_model", "impact": "roi_example.business_impact_model"}
	}
	for _, block := range sortedKeys(prefix) {
		d.Missing(prefix[block])
	}
	if d.Err() == nil {
		for _, e := range split(model.Validate()) {
			d.costError(e)
		}
	}
	return model, d, d.Err()
}

func (d *Document) costError(err error) {
	bad := (*roi.FieldError)(nil)
	if !errors.As(err, &bad) {
		d.Fail("", "out_of_range", "%v", err)
		return
	}
	d.Fail(bad.Path, "out_of_range", "%s", fmt.Sprintf("%s, want %s", bad.Value, bad.Want))
}
