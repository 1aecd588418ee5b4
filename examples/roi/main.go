// Command roi says whether a managed service is worth its price: as a published
// calculator has it, as an investment, and what lies between the two.
package main

import (
	"cmp"
	"embed"
	"flag"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "roi",
		Summary: "is the service worth its price",
		Example: "roi -config model.yaml -sensitivity -montecarlo 100000 -format html -o case.html",
		Formats: []string{"text", "json", "md", "html", "csv", "svg"},
		FailOn:  []string{"loss", "payback"},
		Schema:  schema.Costs,
		Flags:   o.register,
		Run:     o.run,
	})
}

// The embedded sample: the inputs that a published calculator comes with.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is the present of the sample.
var sampleNow = time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)

type options struct {
	sensitivity bool
	scenarios   int
	seed        uint64
}

func (o *options) register(fs *flag.FlagSet) {
	fs.BoolVar(&o.sensitivity, "sensitivity", false, "vary the main inputs by a fifth each way, beside what the file asks for")
	fs.IntVar(&o.scenarios, "montecarlo", 0, "draw so many scenarios from the distributions of the file, else from what -sensitivity varies")
	fs.Uint64Var(&o.seed, "seed", 1, "what is drawn: the same seed, the same scenarios")
}

// inputs are the model and what came of it.
type inputs struct {
	program.Inputs

	now    time.Time
	result *roi.Result

	forecast      *risk.Forecast // nil unless scenarios are drawn
	distributions map[string]risk.Distribution
	comparison    []risk.Row
}

func (o *options) run(env *program.Env) error {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == "")}
	in.now = in.Now(env, sampleNow)
	name, data, err := in.Read("config", cmp.Or(env.Config, "model.yaml"))
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	file, document, err := config.ParseCosts(name, data)
	in.Note(document)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	if err := in.assess(env.Context, o, &file); err != nil {
		return program.Exit(program.Usage, err)
	}
	model := file.Model
	if o.sensitivity {
		vary(&model)
	}
	if in.result, err = roi.Evaluate(model); err != nil {
		return program.Exit(program.Usage, err)
	}
	sound := in.result.Sound
	if sound == nil { // the file asks for the published result alone; conditions do not
		v, err := roi.Sound(model)
		if err != nil {
			return program.Exit(program.Usage, err)
		}
		sound = &v
	}
	if sound.NPV < 0 {
		env.Holds("loss")
	}
	if sound.PaybackYears == nil {
		env.Holds("payback")
	}
	return in.write(env)
}

// vary asks for the main inputs a fifth below and above what they are. An availability
// varies by a fifth of the outage that it leaves.
func vary(m *roi.Model) {
	ranges := map[string][]float64{}
	outage := func(availability float64) []float64 {
		return []float64{100 - (100-availability)*1.2, 100 - (100-availability)*0.8}
	}
	for name, v := range map[string]float64{
		"internal.overhead_multiplier":      m.Internal.OverheadMultiplier,
		"managed.monthly_service_fee":       m.Managed.MonthlyServiceFee,
		"managed.setup_costs":               m.Managed.SetupCosts,
		"impact.revenue_per_hour":           m.Impact.RevenuePerHour,
		"impact.downtime_cost_multiplier":   m.Impact.DowntimeCostMultiplier,
		"managed.additional_tool_costs":     m.Managed.AdditionalToolCosts,
		"internal.tool_licensing_costs":     m.Internal.ToolLicensingCosts,
		"internal.infrastructure_costs":     m.Internal.InfrastructureCosts,
		"internal.training_cost_per_person": m.Internal.TrainingCostPerPerson,
	} {
		if v != 0 {
			ranges[name] = []float64{v * 0.8, v * 1.2}
		}
	}
	if a := m.Impact.CurrentAvailabilityPercent; a > 100-100/1.2 {
		ranges["impact.current_availability_percent"] = outage(a)
	}
	if a := m.Impact.TargetAvailabilityPercent; a > 100-100/1.2 && a < 100 {
		ranges["impact.target_availability_percent"] = outage(a)
	}
	rate := roi.DefaultDiscountRate
	if m.DiscountRate != nil {
		rate = *m.DiscountRate
	}
	if rate > 0 {
		ranges["discount_rate"] = []float64{rate * 0.8, rate * 1.2}
	}
	for name, r := range m.Sensitivity { // those of the file stand, by whichever name
		for path := range ranges {
			if path == name || cutPath(path) == name {
				delete(ranges, path)
			}
		}
		ranges[name] = r
	}
	m.Sensitivity = ranges
}
