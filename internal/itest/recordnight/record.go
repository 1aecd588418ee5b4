package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// The shop. With 700 ms more on every query, 40 requests a second keep 29 of the 31 connections busy.
const (
	poolSize    = 31
	requestRate = 10 // per second and web instance
	flakyShare  = 0.0005
)

// allotted is what a role may use: memory and its cache in MB, and processors.
var allotted = map[string]struct {
	memory, cache int
	cores         float64
}{
	"db":    {256, 70, 1},
	"api":   {128, 25, 0.25},
	"web":   {128, 30, 0.25},
	"batch": {128, 35, 0.25},
}

// shopModule is the package of the shop's binary.
const shopModule = "github.com/evenkeelops/evenkeel/internal/itest/shop"

// night is a finished recording before it is written.
type night struct {
	pace       pace
	start, end time.Time
	faults     []fault
	versions   []string // "prometheus 2.42.0", …

	rules    []byte
	webhooks []byte
	series   map[string][]series // by metric name
}

// stage is the running rig.
type stage struct {
	tools rig.Tools
	pace  pace
	work  string
	shop  string // path of the binary
	log   io.Writer

	ports   map[string]int // by process name
	running map[string]*rig.Process
	order   []string
	faults  []fault
	start   time.Time
}

// record runs the rig and the script, and collects what the servers know at the end. Everything it started is stopped when it
// returns.
func record(ctx context.Context, tools rig.Tools, work string, p pace) (*night, error) {
	logFile, err := os.Create(filepath.Join(work, "servers.log"))
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	s := &stage{
		tools: tools, pace: p, work: work, shop: filepath.Join(work, "shop"), log: logFile,
		ports: make(map[string]int), running: make(map[string]*rig.Process),
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", s.shop, shopModule).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the shop: %w: %s", err, out)
	}
	defer s.stopAll()
	rules, err := s.open(ctx)
	if err != nil {
		return nil, err
	}

	s.start = firstInstant(time.Now().Add(p.WarmUp), p)
	slog.Info("everything runs", "recording starts", s.start.Format(time.TimeOnly), "ends", s.start.Add(p.minute(lastMinute)).Format(time.TimeOnly))
	for _, step := range script(s) {
		if err := s.until(ctx, s.start.Add(p.minute(step.minute))); err != nil {
			return nil, err
		}
		slog.Info("script", "minute", step.minute, "step", step.what)
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("minute %g, %s: %w", step.minute, step.what, err)
		}
	}
	end := s.start.Add(p.minute(lastMinute))
	if err := s.until(ctx, end); err != nil {
		return nil, err
	}
	n := &night{pace: p, start: s.start, end: end, faults: s.faults, rules: rules}
	if n.series, err = s.collect(ctx, end); err != nil {
		return nil, err
	}
	if n.webhooks, err = os.ReadFile(s.sinkFile()); err != nil {
		return nil, err
	}
	for _, t := range []struct{ name, path string }{
		{"prometheus", tools.Prometheus}, {"alertmanager", tools.Alertmanager}, {"node_exporter", tools.NodeExporter},
	} {
		v, err := rig.Version(ctx, t.path)
		if err != nil {
			return nil, err
		}
		n.versions = append(n.versions, t.name+" "+v)
	}
	n.versions = append(n.versions, "go "+strings.TrimPrefix(runtime.Version(), "go"))
	return n, nil
}

// firstInstant is the next whole minute of a full recording, the next whole row of a rehearsal.
func firstInstant(t time.Time, p pace) time.Time {
	step := time.Minute
	if p.Scale < 1 {
		step = p.Row
	}
	return t.UTC().Truncate(step).Add(step)
}

func (s *stage) sinkFile() string { return filepath.Join(s.work, "webhooks.jsonl") }

// open starts everything but the driver, waits until the servers are ready and ten seconds more (an alert that fires before
// Prometheus has found its Alertmanager waits a minute for the next attempt), then lets the driver loose.
func (s *stage) open(ctx context.Context) (rules []byte, err error) {
	names := []string{"prometheus", "alertmanager", "node-1", "sink", "db-1", "batch-1"}
	for i := 1; i <= 4; i++ {
		names = append(names, fmt.Sprintf("api-%d", i), fmt.Sprintf("web-%d", i))
	}
	taken := make(map[int]bool)
	for _, name := range names {
		for s.ports[name] == 0 {
			port, err := rig.OddPort(ctx)
			if err != nil {
				return nil, err
			}
			if !taken[port] {
				taken[port], s.ports[name] = true, port
			}
		}
	}

	shop := job{Name: "shop", Targets: []target{{Service: "shop-db", Instance: "db-1"}, {Service: "shop-batch", Instance: "batch-1"}}}
	for i := 1; i <= 4; i++ {
		shop.Targets = append(shop.Targets, target{Service: "shop-api", Instance: fmt.Sprintf("api-%d", i), DependsOn: "database"})
	}
	for i := 1; i <= 4; i++ {
		shop.Targets = append(shop.Targets, target{Service: "shop-web", Instance: fmt.Sprintf("web-%d", i), DependsOn: "api,database"})
	}
	for i := range shop.Targets {
		shop.Targets[i].Port = s.ports[shop.Targets[i].Instance]
	}
	node := job{Name: "node", Targets: []target{{Service: "shop-node", Instance: "node-1", Port: s.ports["node-1"]}}}
	set := setup{
		Pace: s.pace, Tenant: tenant, Cluster: cluster, Region: region, Jobs: []job{shop, node},
		AlertmanagerPort: s.ports["alertmanager"], SinkPort: s.ports["sink"],
	}
	for _, name := range []string{"prometheus.yml", "rules.yml", "alertmanager.yml"} {
		text, err := set.render(name)
		if err != nil {
			return nil, err
		}
		if name == "rules.yml" {
			rules = text
		}
		if err := write(s.work, name, text); err != nil {
			return nil, err
		}
	}
	if err := s.tools.CheckPrometheusConfig(ctx, filepath.Join(s.work, "prometheus.yml")); err != nil {
		return nil, err
	}
	if err := s.tools.CheckAlertmanagerConfig(ctx, filepath.Join(s.work, "alertmanager.yml")); err != nil {
		return nil, err
	}

	for _, name := range []string{"sink", "db-1", "batch-1", "api-1", "api-2", "api-3", "api-4", "web-1", "web-2", "web-3", "web-4"} {
		if err := s.startShop(ctx, name); err != nil {
			return nil, err
		}
	}
	am, err := s.tools.StartAlertmanager(s.log, filepath.Join(s.work, "alertmanager.yml"), filepath.Join(s.work, "alertmanager"), s.ports["alertmanager"])
	if err := s.add(ctx, "alertmanager", am, err, "/-/ready"); err != nil {
		return nil, err
	}
	ne, err := s.tools.StartNodeExporter(s.log, s.ports["node-1"])
	if err := s.add(ctx, "node-1", ne, err, "/metrics"); err != nil {
		return nil, err
	}
	prom, err := s.tools.StartPrometheus(s.log, filepath.Join(s.work, "prometheus.yml"), filepath.Join(s.work, "prometheus"), s.ports["prometheus"])
	if err := s.add(ctx, "prometheus", prom, err, "/-/ready"); err != nil {
		return nil, err
	}
	if err := s.until(ctx, time.Now().Add(10*time.Second)); err != nil {
		return nil, err
	}
	var webs []string
	for i := 1; i <= 4; i++ {
		webs = append(webs, s.address(fmt.Sprintf("web-%d", i)))
	}
	driver, err := rig.Start("driver", s.log, s.shop, "-role=driver", "-next="+strings.Join(webs, ","), "-rate="+strconv.Itoa(requestRate))
	if err != nil {
		return nil, err
	}
	s.keep("driver", driver)
	return rules, nil
}

func (s *stage) address(name string) string { return fmt.Sprintf("127.0.0.1:%d", s.ports[name]) }

// startShop starts one process of the shop, named role-number.
func (s *stage) startShop(ctx context.Context, name string) error {
	role, number, _ := strings.Cut(name, "-")
	args := []string{"-role=" + role, fmt.Sprintf("-port=%d", s.ports[name])}
	if a, ok := allotted[role]; ok {
		args = append(args, fmt.Sprintf("-memory-limit=%d", a.memory), fmt.Sprintf("-cache=%d", a.cache), fmt.Sprintf("-cores=%g", a.cores))
	}
	ready := "/metrics"
	switch role {
	case "sink":
		args, ready = append(args, "-file="+s.sinkFile()), "/"
	case "db":
		args = append(args, fmt.Sprintf("-pool=%d", poolSize))
	case "api":
		args = append(args, "-next="+s.address("db-1"))
	case "web":
		args = append(args, "-next="+s.address("api-"+number), fmt.Sprintf("-flaky=%g", s.pace.Flaky))
	}
	p, err := rig.Start(name, s.log, s.shop, args...)
	return s.add(ctx, name, p, err, ready)
}

// add keeps a started process and waits until it answers.
func (s *stage) add(ctx context.Context, name string, p *rig.Process, err error, ready string) error {
	if err != nil {
		return err
	}
	s.keep(name, p)
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return rig.WaitReady(wait, p, "http://"+s.address(name)+ready)
}

func (s *stage) keep(name string, p *rig.Process) {
	s.running[name] = p
	s.order = append(s.order, name)
}

// stopAll ends what runs, last started first.
func (s *stage) stopAll() {
	for _, name := range slices.Backward(s.order) {
		s.running[name].Stop()
	}
}

// until waits for an instant. It fails at once when ctx ends, and when a process ended that nobody stopped.
func (s *stage) until(ctx context.Context, at time.Time) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	done := time.NewTimer(time.Until(at))
	defer done.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-done.C:
			return nil
		case <-tick.C:
			for name, p := range s.running {
				select {
				case <-p.Exited():
					if !s.broken(name) {
						return fmt.Errorf("%s ended on its own", name)
					}
				default:
				}
			}
		}
	}
}

// broken reports whether the script has taken a process away and not yet brought it back.
func (s *stage) broken(name string) bool {
	for _, f := range s.faults {
		if f.Target == name && (f.Kind == kindKill || f.Kind == kindRestart) && f.End.IsZero() {
			return true
		}
	}
	return false
}

// inject sets a fault in one process of the shop.
func (s *stage) inject(ctx context.Context, name, query string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address(name)+"/fault?"+query, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("%s answered %s: %s", name, resp.Status, text)
	}
	return nil
}
