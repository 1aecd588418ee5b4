package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// engine answers queries over a database in a temporary folder.
type engine struct {
	*promql.Engine
	db     *tsdb.DB
	folder string
}

// newEngine fills a database: write is called for every step with a function that
// appends a sample to a series. The folder goes when the process ends.
func newEngine(steps int, write func(i int, add func(series int, value float64)), series ...labels.Labels) (*engine, error) {
	folder, err := os.MkdirTemp("", "evenkeel-bench")
	if err != nil {
		return nil, err
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = (90 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(folder, slog.New(slog.DiscardHandler), nil, options, nil)
	if err != nil {
		return nil, err
	}
	db.DisableCompactions()
	refs := make([]storage.SeriesRef, len(series))
	var app storage.Appender
	for i := range steps {
		if i%2000 == 0 {
			if app != nil {
				if err := app.Commit(); err != nil {
					return nil, err
				}
			}
			app = db.Appender(context.Background())
		}
		write(i, func(n int, value float64) {
			if err == nil {
				refs[n], err = app.Append(refs[n], series[n], at(i).UnixMilli(), value)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if err := app.Commit(); err != nil {
		return nil, err
	}
	db.ForceHeadMMap()
	e := promql.NewEngine(promql.EngineOpts{Logger: slog.New(slog.DiscardHandler), MaxSamples: 5e8, Timeout: 10 * time.Minute})
	return &engine{Engine: e, db: db, folder: folder}, nil
}

func (e *engine) close() error {
	if err := e.db.Close(); err != nil {
		return err
	}
	return os.RemoveAll(e.folder)
}

// overRange evaluates an expression that gives one series at every step of a range.
func (e *engine) overRange(expr string, from, until int) ([]promql.FPoint, error) {
	q, err := e.NewRangeQuery(context.Background(), e.db, nil, expr, at(from), at(until), step)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	m, err := q.Exec(context.Background()).Matrix()
	if err != nil || len(m) != 1 {
		return nil, fmt.Errorf("%s: %d series, want 1: %w", expr, len(m), err)
	}
	return slices.Clone(m[0].Floats), nil // which the engine takes back
}

// atStep evaluates an expression once, as a rule is.
func (e *engine) atStep(expr string, i int) (promql.Vector, error) {
	q, err := e.NewInstantQuery(context.Background(), e.db, nil, expr, at(i))
	if err != nil {
		return nil, err
	}
	defer q.Close()
	return q.Exec(context.Background()).Vector()
}

// ratio is how a rule asks for the error ratio of a window. A range of one scrape
// more holds exactly the increments of the window, since ranges are open at the
// left.
func ratio(window time.Duration, exact bool) string {
	if exact {
		window += step
	}
	r := strconv.FormatInt(int64(window/time.Second), 10) + "s"
	return fmt.Sprintf(`sum(rate(http_total{code=~"5.."}[%s])) / sum(rate(http_total[%s]))`, r, r)
}

// counters writes the history as two counters that have run for long.
func counters(steps int) (*engine, error) {
	good, bad := 1e7, 1e6
	return newEngine(steps, func(i int, add func(int, float64)) {
		c := events(i)
		good += float64(c.Good)
		bad += float64(c.Bad())
		add(0, bad)
		add(1, good)
	}, labels.FromStrings("__name__", "http_total", "code", "500"), labels.FromStrings("__name__", "http_total", "code", "200"))
}
