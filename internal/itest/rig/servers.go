package rig

import (
	"context"
	"fmt"
	"io"
	"os/exec"
)

// External addresses given to the servers, so that no payload names the machine they ran on.
const (
	PrometheusURL   = "http://prometheus.example"
	AlertmanagerURL = "http://alertmanager.example"
)

// PrometheusArgs are the flags of a loopback Prometheus with configuration file config and database folder data, and more.
func PrometheusArgs(config, data string, port int, more ...string) []string {
	return append([]string{
		"--config.file=" + config,
		"--storage.tsdb.path=" + data,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
		"--web.external-url=" + PrometheusURL,
		"--log.level=warn",
	}, more...)
}

// AlertmanagerArgs are the flags of a loopback Alertmanager without clustering.
func AlertmanagerArgs(config, data string, port int) []string {
	return []string{
		"--config.file=" + config,
		"--storage.path=" + data,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
		"--cluster.listen-address=",
		"--web.external-url=" + AlertmanagerURL,
		"--log.level=warn",
	}
}

// NodeExporterArgs are the flags of a loopback node exporter that reports processor and memory only: the default collectors
// also publish the name of the machine.
func NodeExporterArgs(port int) []string {
	return []string{
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
		"--collector.disable-defaults", "--collector.cpu", "--collector.meminfo",
		"--log.level=warn",
	}
}

// StartPrometheus runs Prometheus, with more flags than it needs.
func (t Tools) StartPrometheus(log io.Writer, config, data string, port int, more ...string) (*Process, error) {
	return Start("prometheus", log, t.Prometheus, PrometheusArgs(config, data, port, more...)...)
}

// StartAlertmanager runs Alertmanager.
func (t Tools) StartAlertmanager(log io.Writer, config, data string, port int) (*Process, error) {
	return Start("alertmanager", log, t.Alertmanager, AlertmanagerArgs(config, data, port)...)
}

// StartNodeExporter runs the node exporter.
func (t Tools) StartNodeExporter(log io.Writer, port int) (*Process, error) {
	return Start("node exporter", log, t.NodeExporter, NodeExporterArgs(port)...)
}

// CheckPrometheusConfig runs `promtool check config`; the error carries its output.
func (t Tools) CheckPrometheusConfig(ctx context.Context, file string) error {
	return check(ctx, t.Promtool, "check", "config", file)
}

// CheckRules runs `promtool check rules`; the error carries its output.
func (t Tools) CheckRules(ctx context.Context, file string) error {
	return check(ctx, t.Promtool, "check", "rules", file)
}

// TestRules runs `promtool test rules`; the error carries its output, which says what was expected and what came.
func (t Tools) TestRules(ctx context.Context, file string) error {
	return check(ctx, t.Promtool, "test", "rules", file)
}

// CreateBlocks runs `promtool tsdb create-blocks-from openmetrics`: the samples of a file become a database folder.
func (t Tools) CreateBlocks(ctx context.Context, file, data string) error {
	return check(ctx, t.Promtool, "tsdb", "create-blocks-from", "openmetrics", file, data)
}

// CheckAlertmanagerConfig runs `amtool check-config`; the error carries its output.
func (t Tools) CheckAlertmanagerConfig(ctx context.Context, file string) error {
	return check(ctx, t.Amtool, "check-config", file)
}

func check(ctx context.Context, path string, args ...string) error {
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %q: %w: %s", path, args, err, out)
	}
	return nil
}
