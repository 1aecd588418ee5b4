// Command quickstart replays a recorded night through every package: samples to
// anomaly scores and budget burn, alerts to incidents, pages and messages, and in
// the end the statement of the contract with its credits and the value of the
// service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "quickstart",
		Summary: "what happened in a recorded night, who was woken, and what it costs",
		Example: "quickstart -html report.html -db night.db",
		Formats: []string{"text", "json", "html"},
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	html, db, only string
	pace           time.Duration
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.html, "html", "", "also write the story as one self-contained HTML `file`")
	fs.StringVar(&o.db, "db", "", "keep the state in this SQLite `file`, and go on from it; default: in memory")
	fs.StringVar(&o.only, "only", "", "show one `stage` of the story: "+strings.Join(stages, ", "))
	fs.DurationVar(&o.pace, "pace", 0, "wait this long between two steps, to watch the night pass")
}

func (o *options) run(env *program.Env) error {
	if o.only != "" && !slices.Contains(stages, o.only) {
		return program.Exit(program.Usage, fmt.Errorf("-only %q: want one of %s", o.only, strings.Join(stages, ", ")))
	}
	if env.Config != "" {
		return program.Exit(program.Usage, errors.New("-config: quickstart replays its embedded recording only"))
	}
	rec, err := loadRecording(files)
	if err != nil {
		return err
	}
	in, err := loadInputs()
	if err != nil {
		return err
	}
	m, err := o.replay(env.Context, rec, in)
	if err != nil {
		return err
	}
	r, err := conclude(m)
	if err != nil {
		return err
	}
	if env.Stated {
		r.now = env.Now
	}
	if o.html != "" {
		page, err := r.html()
		if err != nil {
			return err
		}
		env.File(o.html, page)
	}
	switch env.Format {
	case "json":
		d := r.document(o.only)
		if env.Explain {
			d.Explain = r.explain()
		}
		return env.JSON(d)
	case "html":
		page, err := r.html()
		env.Out.Write(page)
		return err
	}
	r.text(env.Out, o.only)
	return nil
}

// replay runs the machine over the night, or over what an earlier run left of
// it. After every step that changed anything the state is committed before a
// message leaves.
func (o *options) replay(ctx context.Context, rec *recording, in *inputs) (*machine, error) {
	d, err := openDatabase(ctx, o.db, in.night.Tenant)
	if err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	defer d.close()
	m, err := newMachine(rec, in)
	if err != nil {
		return nil, err
	}
	if err := d.restore(ctx, m); err != nil {
		return nil, program.Exit(program.Usage, fmt.Errorf("-db %s: %w", o.db, err))
	}
	// A run that died may have left messages under a lease; in the time of the
	// recording nobody else holds them.
	if !m.mem.Now.IsZero() {
		if err := d.send(ctx, m.mem.Now.Add(2*lease)); err != nil {
			return nil, err
		}
	}
	for !m.done() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.step(); err != nil {
			return nil, err
		}
		if m.changed() {
			if err := d.commit(ctx, m); err != nil {
				return nil, err
			}
			if err := d.send(ctx, m.mem.Now); err != nil {
				return nil, err
			}
		}
		if o.pace > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(o.pace):
			}
		}
	}
	return m, nil
}
