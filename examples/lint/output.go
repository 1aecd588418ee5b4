package main

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

func (r *result) write(env *program.Env) error {
	if env.Format == "json" {
		return env.JSON(r)
	}
	if r.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files as arguments.\n\n")
	}
	for _, f := range r.Files {
		for _, d := range f.Diagnostics {
			mark := "▲ warning"
			if d.Severity == config.Error {
				mark = "✕ error"
			}
			fmt.Fprintf(env.Out, "%-9s  %s [%s]\n", mark, d.text, d.Code)
			fmt.Fprint(env.Out, d.excerpt)
		}
		if len(f.Diagnostics) == 0 {
			fmt.Fprintf(env.Out, "%-9s  %s: %s\n", "✓ ok", f.Name, *f.Kind)
		}
	}
	fmt.Fprintf(env.Out, "\n%s, %s in %s\n", count(r.Errors, "error"), count(r.Warned, "warning"), count(len(r.Files), "file"))
	return nil
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
