// Command shop is the sample shop whose bad night is recorded for examples/quickstart.
//
// One binary plays all roles: a database (db) with a small connection pool, an application server (api) that asks the
// database, a web server (web) that asks one api, a batch worker (batch) with a queue, a driver that sends requests at a steady
// rate, and a sink that writes down every webhook it receives. All but driver and sink serve /metrics in the Prometheus text
// format and accept faults at /fault, for example
//
//	curl 'http://127.0.0.1:8081/fault?slow=700ms&burn=2'
//	curl 'http://127.0.0.1:8081/fault?slow=0s&burn=0'
//
// Parameters not named stay as they are. The shop listens on the loopback interface only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("shop", flag.ContinueOnError)
	role := fs.String("role", "", "db, api, web, batch, driver or sink")
	port := fs.Int("port", 0, "loopback port to listen on (not for driver)")
	next := fs.String("next", "", "address the api or web asks; comma list of addresses the driver sends to")
	rate := fs.Float64("rate", 10, "driver: requests per second and address")
	pool := fs.Int("pool", 30, "db: connections in the pool")
	limit := fs.Int("memory-limit", 256, "memory allotted to the process in MB, reported and not enforced")
	cache := fs.Int("cache", 0, "mean size of the cache in MB")
	cores := fs.Float64("cores", 1, "processors allotted to the process, reported and not enforced")
	flaky := fs.Float64("flaky", 0, "share of requests that fail on a good day, 0..1")
	file := fs.String("file", "", "sink: file to append to")
	if err := fs.Parse(args); err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	if *role == "driver" {
		drive(ctx, strings.Split(*next, ","), *rate)
		return nil
	}

	mux := http.NewServeMux()
	if *role == "sink" {
		s, err := openSink(*file)
		if err != nil {
			return err
		}
		defer s.close()
		mux.Handle("/", s)
		return serve(ctx, *port, mux)
	}

	m := newMetrics(*limit*megabyte, *cores)
	f := &faults{}
	mem := &memory{mean: float64(*cache), spread: float64(*cache) / 12, faults: f}
	go mem.run(ctx)
	switch *role {
	case "db":
		mux.Handle("/work", m.measured(newDatabase(*pool, f, m)))
	case "api":
		mux.Handle("/work", m.measured(newRelay(*next, 3*time.Millisecond, *flaky, f)))
	case "web":
		mux.Handle("/work", m.measured(newRelay(*next, 4*time.Millisecond, *flaky, f)))
	case "batch":
		go newBatch(f, m).run(ctx)
	default:
		return fmt.Errorf("role %q: want db, api, web, batch, driver or sink", *role)
	}
	mux.Handle("/metrics", m)
	mux.Handle("/fault", f)
	return serve(ctx, *port, mux)
}

func serve(ctx context.Context, port int, h http.Handler) error {
	srv := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
