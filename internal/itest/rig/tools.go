package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
)

// Tools are the paths of the installed programs.
type Tools struct {
	Prometheus   string // prometheus
	Alertmanager string // prometheus-alertmanager
	NodeExporter string // prometheus-node-exporter
	Promtool     string // promtool
	Amtool       string // amtool
}

// Look finds all programs on the search path. The error names every one that is missing and joins them with errors.Join.
func Look() (Tools, error) {
	var t Tools
	var missing []error
	for _, p := range []struct {
		name string
		path *string
	}{
		{"prometheus", &t.Prometheus},
		{"prometheus-alertmanager", &t.Alertmanager},
		{"prometheus-node-exporter", &t.NodeExporter},
		{"promtool", &t.Promtool},
		{"amtool", &t.Amtool},
	} {
		path, err := exec.LookPath(p.name)
		if err != nil {
			missing = append(missing, fmt.Errorf("program %q: not installed: %w", p.name, err))
			continue
		}
		*p.path = path
	}
	return t, errors.Join(missing...)
}

var versionText = regexp.MustCompile(`version ([0-9][0-9A-Za-z.]*)`)

// Version asks a program for its version and returns the bare number, such as "2.42.0". The rest of the answer (branch,
// revision, the machine it was built on) is dropped.
func Version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s --version: no version in %q", path, out)
	}
	return string(m[1]), nil
}
