package config

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// CostModel is a model with what is known of how sure its numbers are. Numbers are named
// as in [roi.Model.With].
type CostModel struct {
	roi.Model
	// Distributions are those of the numbers that are not certain, for [risk.Simulate],
	// and Correlations what ties them to each other.
	Distributions map[string]risk.Distribution `json:"distributions,omitempty"`
	Correlations  []risk.Correlation           `json:"correlations,omitempty"`
	// Scenarios and Alternatives are those of [risk.Compare], at most a hundred each.
	Scenarios    []risk.Scenario    `json:"scenarios,omitempty"`
	Alternatives []risk.Alternative `json:"alternatives,omitempty"`
}

type costsFile struct {
	Version int `yaml:"version"`
	CostModel
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

// ParseCosts reads a file with the cost model of an own team and of a managed
// service: the fields of [roi.Model], or the same under the names of a
// roi_example, not both; with either, distributions, correlations, scenarios and
// alternatives.
func ParseCosts(name string, data []byte) (CostModel, *Document, error) {
	var file costsFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	model, paths := file.CostModel, map[string]string{}
	if e := file.Example; e != nil {
		model.Model = roi.Model{
			Currency: e.Currency, Internal: e.Internal, Managed: e.Managed, Impact: e.Impact,
			Years: e.Calculator.Years, DiscountRate: e.Calculator.DiscountRate, Staffing: e.Calculator.Staffing, AnnualTurnover: e.Calculator.AnnualTurnover,
		}
		if perMonth := e.Calculator.IncidentsPerMonth; perMonth != nil {
			perYear := *perMonth * 12
			model.IncidentsPerYear = &perYear
		}
		paths = examplePaths
		for _, key := range slices.Sorted(maps.Keys(fieldsOf(reflect.TypeFor[roi.Model]()))) {
			if d.has(key) {
				d.Fail(key, "out_of_range", "%s beside roi_example, want one of the two", key)
			}
		}
	}
	for _, block := range []string{"impact", "internal", "managed"} {
		d.missing(placed(block, paths))
	}
	if d.Err() == nil {
		converted, err := model.Converted()
		if err == nil {
			model.Model = converted
			err = model.Validate()
		}
		for _, e := range split(err) {
			d.costError(e, paths)
		}
	}
	if d.Err() == nil {
		d.uncertain(&model)
	}
	return model, d, d.Err()
}

// maxScenarios bounds what is compared with each other.
const maxScenarios = 100

// uncertain checks what a file says of a valid model's uncertainty.
func (d *Document) uncertain(m *CostModel) {
	for _, name := range slices.Sorted(maps.Keys(m.Distributions)) {
		at := diagnostic.Join("distributions", name)
		if _, _, err := m.Input(name); err != nil {
			d.failKey(at, "unknown_field", "%q, want the name of a numeric field or a role of the team", name)
		}
		for _, e := range split(m.Distributions[name].Validate()) {
			d.inputError(at, e)
		}
	}
	if n := len(m.Scenarios); n > maxScenarios {
		d.Fail("scenarios", "out_of_range", "%d, want at most %d", n, maxScenarios)
	}
	if n := len(m.Alternatives); n > maxScenarios {
		d.Fail("alternatives", "out_of_range", "%d, want at most %d", n, maxScenarios)
	}
	if d.Err() != nil {
		return
	}
	// The names are known and each fits; what is left is how they go together.
	for _, e := range split(risk.Validate(m.Model, m.Distributions, &risk.Options{Correlations: m.Correlations})) {
		d.inputError("", e)
	}
	for i, s := range m.Scenarios {
		d.overrides(m, "scenarios["+strconv.Itoa(i)+"].overrides", s.Overrides)
	}
	for i, a := range m.Alternatives {
		d.overrides(m, "alternatives["+strconv.Itoa(i)+"].overrides", a.Overrides)
	}
	if len(m.Scenarios)+len(m.Alternatives) == 0 || d.Err() != nil {
		return
	}
	if _, err := risk.Compare(m.Model, m.Alternatives, m.Scenarios); err != nil {
		for _, e := range split(err) {
			d.inputError("", e)
		}
	}
}

// overrides checks the numbers that a scenario or an alternative replaces.
func (d *Document) overrides(m *CostModel, path string, overrides map[string]float64) {
	if _, err := m.With(overrides); err != nil {
		for _, e := range split(err) {
			bad := (*roi.FieldError)(nil)
			if errors.As(e, &bad) && d.has(diagnostic.Join(path, bad.Path)) {
				d.Fail(diagnostic.Join(path, bad.Path), "out_of_range", "%s, want %s", bad.Value, bad.Want)
				continue
			}
			d.Fail(path, "out_of_range", "%v", e)
		}
	}
}

// inputError places a problem of package risk below a path.
func (d *Document) inputError(path string, err error) {
	bad := (*risk.InputError)(nil)
	if !errors.As(err, &bad) {
		d.Fail(path, "out_of_range", "%v", err)
		return
	}
	cause := ""
	if bad.Err != nil {
		cause = ": " + bad.Err.Error()
	}
	d.Fail(diagnostic.Join(path, strings.TrimPrefix(bad.Path, "options.")), "out_of_range", "%q, want %s%s", bad.Value, bad.Want, cause)
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
