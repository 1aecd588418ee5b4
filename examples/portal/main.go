// Command portal shows customers how their services do: pages, reports, calendars,
// feeds and an API, live or as the files of a static site.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/evenkeelops/evenkeel/examples/internal/database"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "portal",
		Summary: "shows customers how their services do, live or as a static site",
		Example: "portal -config portal.yaml -static site -month 2026-10",
		Formats: []string{"text", "json"},
		FailOn:  []string{"outage"},
		Schema:  schema.Portal,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	listen, static, month, db, requests string
	reports, correct                    string

	index bool
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.listen, "listen", "", "serve at this `address`, such as 127.0.0.1:8080; instead of listen in -config. Port 0 is any")
	fs.StringVar(&o.static, "static", "", "write the pages into this `folder` and end")
	fs.StringVar(&o.month, "month", "", "the last `month` to report, like 2026-10; default: the present one")
	fs.BoolVar(&o.index, "public-index", false, "list the public customers at /")
	fs.StringVar(&o.db, "db", "", "SQLite `file` of a bridge or the URL of its PostgreSQL, of which open incidents are shown")
	fs.StringVar(&o.requests, "requests", "", "SQLite `file` that keeps what customers ask for by the form; made where there is none")
	fs.StringVar(&o.reports, "reports", "", "SQLite `file` of the reports that are sent by mail, each once per period; made where there is none")
	fs.StringVar(&o.correct, "correct", "", "send a `report` again as a correction of that number, like acme/monthly_report/2026-10/1")
}

var monthText = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`)

func (o *options) validate(env *program.Env) error {
	var problems []error
	if o.listen != "" && o.static != "" {
		problems = append(problems, errors.New("-listen and -static: want one of the two"))
	}
	if o.requests != "" && o.static != "" {
		problems = append(problems, errors.New("-requests and -static: want one of the two, as a static site has no form"))
	}
	if o.requests != "" && filepath.Clean(o.requests) == filepath.Clean(o.db) {
		problems = append(problems, errors.New("-requests: want another file than -db, of which a bridge sends all that is in the outbox"))
	}
	if o.reports != "" && o.static != "" {
		problems = append(problems, errors.New("-reports and -static: want one of the two, as a static site sends nothing"))
	}
	if o.reports != "" && (filepath.Clean(o.reports) == filepath.Clean(o.db) || filepath.Clean(o.reports) == filepath.Clean(o.requests)) {
		problems = append(problems, errors.New("-reports: want another file than -db and -requests, as all that is in its outbox is sent as reports"))
	}
	if o.correct != "" {
		problems = append(problems, correction(o.correct))
		if o.reports == "" {
			problems = append(problems, errors.New("-correct: want -reports, the file of what was sent"))
		}
	}
	if o.month != "" && !monthText.MatchString(o.month) {
		problems = append(problems, fmt.Errorf("-month %q: want one like 2026-10", o.month))
	}
	if year := env.Now.Year(); year < 1800 || year > 2150 {
		problems = append(problems, errors.New("-now: want a time between the years 1800 and 2150"))
	}
	if o.db != "" && !database.OnServer(o.db) {
		if _, err := os.Stat(o.db); err != nil {
			problems = append(problems, fmt.Errorf("-db: %w", err))
		}
	}
	return errors.Join(problems...)
}

// run serves when there is an address, writes files with -static, and without either
// says what the files of the sample would be, as a program without arguments ends.
func (o *options) run(env *program.Env) error {
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	defer in.close()
	if o.static == "" && (o.listen != "" || !in.Sample) {
		return in.serve(env)
	}
	r, err := in.site(env, o.static)
	if err != nil {
		return err
	}
	r.conditions(env)
	return r.write(env)
}
