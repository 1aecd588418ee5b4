// Command slareport says whether a service contract was kept in a month, and what
// a miss costs.
package main

import (
	"errors"
	"flag"
	"runtime/debug"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "slareport",
		Summary: "is the contract kept, and what does a miss cost",
		Example: "slareport -config contract.yaml -outages outages.csv -incidents incidents.csv -month 2026-10",
		Formats: []string{"text", "json", "html", "md", "csv", "pdf"},
		FailOn:  []string{"breach", "credit", "no-data"},
		Schema:  schema.Contract,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	outages, checks, incidents, maintenance, changes, restores string

	maxGap  time.Duration
	period  periodFlags
	trend   int
	csvMark bool
	font    string
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.outages, "outages", "", "`file` of outages, degradations and gaps in the monitoring")
	fs.StringVar(&o.checks, "checks", "", "`file` of checks; a status holds until the next row of its service")
	fs.Func("max-gap", "the longest `time` that a row of -checks speaks for, such as 25h; the rest is unmonitored. Default: no limit", func(text string) (err error) {
		if o.maxGap, err = threshold.ParseDuration(text); err == nil && o.maxGap <= 0 {
			err = errors.New("want a time above 0")
		}
		return err
	})
	fs.StringVar(&o.incidents, "incidents", "", "`file` of incidents")
	fs.StringVar(&o.maintenance, "maintenance", "", "`file` of maintenance windows")
	fs.StringVar(&o.changes, "changes", "", "`file` of changes")
	fs.StringVar(&o.restores, "restores", "", "`file` of restore proofs")
	fs.StringVar(&o.period.month, "month", "", "the `month` to report, like 2026-10; default: the last one that is over")
	fs.StringVar(&o.period.quarter, "quarter", "", "the `quarter` to report instead, like 2026-Q4")
	fs.StringVar(&o.period.from, "from", "", "report from this `time` on instead, RFC 3339 with zone; with -to")
	fs.StringVar(&o.period.to, "to", "", "report up to this `time`, exclusive")
	fs.IntVar(&o.trend, "trend", 3, "`months` in the trend, 0 for none")
	fs.BoolVar(&o.csvMark, "csv-bom", false, "begin CSV with a byte order mark")
	fs.StringVar(&o.font, "pdf-font", "", "TrueType `file` to embed into a PDF, for scripts that its own font does not have")
}

// named lists the data files by their flags.
func (o *options) named() map[string]string {
	return map[string]string{
		"outages": o.outages, "checks": o.checks, "incidents": o.incidents, "maintenance": o.maintenance, "changes": o.changes, "restores": o.restores,
	}
}

func (o *options) validate(env *program.Env) error {
	var problems []error
	if year := env.Now.Year(); year < 1800 || year > 2150 {
		problems = append(problems, errors.New("-now: want a time between the years 1800 and 2150"))
	}
	if o.trend < 0 || o.trend > maxTrend {
		problems = append(problems, errors.New("-trend: want 0 to 120 months"))
	}
	if o.maxGap > 0 && o.checks == "" {
		problems = append(problems, errors.New("-max-gap: wants -checks"))
	}
	if env.Config == "" {
		for _, name := range []string{"outages", "checks", "incidents", "maintenance", "changes", "restores"} {
			if o.named()[name] != "" {
				problems = append(problems, errors.New("-"+name+": wants -config; without it the embedded sample is used"))
			}
		}
	}
	if o.csvMark && env.Format != "csv" {
		problems = append(problems, errors.New("-csv-bom: wants -format csv"))
	}
	if o.font != "" && env.Format != "pdf" {
		problems = append(problems, errors.New("-pdf-font: wants -format pdf"))
	}
	return errors.Join(append(problems, o.period.validate())...)
}

const (
	maxTrend  = 120
	gcPercent = 20
)

func (o *options) run(env *program.Env) error {
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	// Nearly all memory is outages, if there are many: looking for garbage often
	// costs little and keeps it small.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	in, err := o.load(env)
	if err != nil {
		return err
	}
	r, err := in.report()
	if err != nil {
		return err
	}
	r.conditions(env)
	return r.write(env, o)
}
