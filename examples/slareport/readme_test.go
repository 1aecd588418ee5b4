package main

import (
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestReadme(t *testing.T) { programtest.Readme(t, 20) }
