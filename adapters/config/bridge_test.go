package config_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// noSecrets is an environment without variables and files.
var noSecrets = config.Secrets{
	Env:  func(string) (string, bool) { return "", false },
	File: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
}

// anySecret is one that has them all.
var anySecret = config.Secrets{
	Env:  func(string) (string, bool) { return "s", true },
	File: func(string) ([]byte, error) { return []byte("s\n"), nil },
}

const bridgeFile = `version: 1
tenant_label: tenant
sources: {alertmanager: {listen: "127.0.0.1:9095"}}
sinks: {webhook: {url: https://hooks.acme.example/ops, secret: inline}}
`

// What is written where a secret belongs is never shown, however wrong it stands.
func TestBridgeShowsNoSecret(t *testing.T) {
	for _, sinks := range []string{
		"slack: https://hooks.example/canary",
		"slack: [https://hooks.example/canary]",
		"pagerduty: canary",
		"pagerduty: {routing_key: [canary]}",
		"pagerduty: {routing_key: {value: canary}}",
		"pagerduty: {routing_key: *canary}",
		"webhook: {url: 'htps://user:canary@acme.example', secret: {env: A}}",
		"webhook: {url: 'https://user:canary@acme.example', secret: {env: A}}",
	} {
		text := strings.Replace(bridgeFile, "webhook: {url: https://hooks.acme.example/ops, secret: inline}", sinks, 1)
		_, d, err := config.ParseBridge("bridge.yaml", []byte(text), noSecrets)
		if err == nil {
			t.Errorf("%s: no error", sinks)
		}
		if shown := d.Problems().Error(); strings.Contains(shown, "canary") {
			t.Errorf("%s: shows the secret: %s", sinks, shown)
		}
	}
}

// Whoever listens to the network without a bearer is warned; an empty address, at
// which Go listens to all of it, is an error.
func TestBridgeListen(t *testing.T) {
	for listen, code := range map[string]string{
		"127.0.0.1:9095": "", "localhost:9095": "", "[::1]:9095": "",
		":9095": "open_listen", "0.0.0.0:9095": "open_listen", "[::]:9095": "open_listen", "10.0.0.1:9095": "open_listen",
		"": "bad_address", "9095": "bad_address",
	} {
		_, d, _ := config.ParseBridge("bridge.yaml", []byte(strings.Replace(bridgeFile, "127.0.0.1:9095", listen, 1)), noSecrets)
		got := ""
		for _, p := range d.Problems() {
			if p.Path == "sources.alertmanager.listen" {
				got = p.Code
			}
		}
		if got != code {
			t.Errorf("%q: %q, want %q", listen, got, code)
		}
	}
}

// The port and the protection of a mail server are checked where they stand.
func TestBridgeMail(t *testing.T) {
	for mail, want := range map[string]string{
		"":                            "",
		", port: 587":                 "",
		", security: tls, user: ann":  "",
		", security: none":            "",
		", port: 70000":               "sinks.smtp.port",
		", port: -1":                  "sinks.smtp.port",
		", security: ssl":             "sinks.smtp.security",
		", security: none, user: ann": "sinks.smtp.security",
	} {
		text := strings.Replace(bridgeFile, "webhook: {url: https://hooks.acme.example/ops, secret: inline}", "smtp: {host: mail.example, from: a@example.com, to: [b@example.com]"+mail+"}", 1)
		_, d, err := config.ParseBridge("bridge.yaml", []byte(text), anySecret)
		var got string
		line := 0
		for _, p := range d.Problems() {
			if strings.HasPrefix(p.Path, "sinks.smtp.") {
				got, line = p.Path, p.Line
			}
		}
		if got != want || want != "" && (err == nil || line != 4) {
			t.Errorf("%q: problem with %q in line %d, %v; want %q in line 4", mail, got, line, err, want)
		}
	}
}
