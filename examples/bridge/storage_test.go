package main

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// A URL that cannot be read may hold a password, which no error shows.
func TestStorageHidesPasswords(t *testing.T) {
	for name, b := range map[string]config.Bridge{
		"database": {Database: "postgres://ops:" + canary + "@127.0.0.1:port/ops"},
		"stream":   {Stream: "nats://ops:" + canary + "@127.0.0.1:port"},
		"absent":   {Stream: "nats://ops:" + canary + "@127.0.0.1:1"},
	} {
		s, err := openStorage(t.Context(), b)
		if err == nil {
			s.Close()
			t.Fatalf("%s: no error", name)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}
