package main

import (
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestReadme(t *testing.T) { programtest.Readme(t, 20) }

// The team of the README loads.
func TestReadmeTeam(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	if o, _, err := config.ParseTeam("team.yaml", []byte(block)); err != nil || len(o.Schedules) != 1 {
		t.Errorf("%d schedules, %v", len(o.Schedules), err)
	}
}
