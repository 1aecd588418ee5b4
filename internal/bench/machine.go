package main

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine says where and when rows were measured.
type machine struct {
	At         string `json:"at"` // UTC, to the minute
	Go         string `json:"go"`
	System     string `json:"system"`
	Processors int    `json:"processors"`
	CPU        string `json:"cpu,omitempty"`  // its name, where the system tells it
	Load       string `json:"load,omitempty"` // of the last minute, likewise
}

var modelName = regexp.MustCompile(`(?m)^model name\s*: (.*)$`)

// busy reports whether other programs took more than a little of the processors.
func (m machine) busy() bool {
	load, err := strconv.ParseFloat(m.Load, 64)
	return err == nil && load > 0.25*float64(m.Processors)
}

func thisMachine() machine {
	m := machine{
		At: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Go: runtime.Version(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(),
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := modelName.FindSubmatch(text); name != nil {
			m.CPU = string(name[1])
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	return m
}
