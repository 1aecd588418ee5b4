package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/probe"
)

type journeysFile struct {
	Version  int           `yaml:"version"`
	Journeys []journeyFile `yaml:"journeys,required"`
}

type journeyFile struct {
	Name           string               `yaml:"name,required"`
	Variables      map[string]string    `yaml:"variables"`
	Secrets        map[string]SecretRef `yaml:"secrets"`
	Steps          []stepFile           `yaml:"steps,required"`
	Cleanup        []stepFile           `yaml:"cleanup"`
	Timeout        time.Duration        `yaml:"timeout"`
	CleanupTimeout time.Duration        `yaml:"cleanup_timeout"`
}

type stepFile struct {
	Name    string            `yaml:"name,required"`
	Method  string            `yaml:"method"`
	URL     string            `yaml:"url,required"`
	Header  map[string]string `yaml:"header"`
	Body    string            `yaml:"body"`
	Timeout time.Duration     `yaml:"timeout"`
	Stay    bool              `yaml:"stay"`
	Status  []int             `yaml:"status"`
	Check   []checkFile       `yaml:"check"`
	Extract []extractFile     `yaml:"extract"`
}

type checkFile struct {
	JSON     string  `yaml:"json"`
	Header   string  `yaml:"header"`
	Equals   *string `yaml:"equals"`
	Contains string  `yaml:"contains"`
	Matches  string  `yaml:"matches"`
	AtLeast  string  `yaml:"at_least"`
	AtMost   string  `yaml:"at_most"`
	Absent   bool    `yaml:"absent"`
}

type extractFile struct {
	Name   string `yaml:"name,required"`
	JSON   string `yaml:"json"`
	Header string `yaml:"header"`
	Regexp string `yaml:"regexp"`
}

// ParseJourneys reads a file of what users do, for package probe:
//
//	version: 1
//	journeys:
//	  - name: buy
//	    variables: {shop: "https://shop.example"}
//	    secrets: {password: {env: SHOP_PASSWORD}}
//	    timeout: 20s
//	    steps:
//	      - name: log in
//	        method: POST
//	        url: ${shop}/login
//	        body: user=probe&password=${password}
//	        extract: [{name: token, json: /token}]
//
// Keys are those of [probe.Journey] and [probe.Step]. Secrets are variables whose values
// are not in the file. What [probe.Journey.Validate] finds is reported where it stands,
// without the value of a variable.
func ParseJourneys(name string, data []byte, secrets Secrets) ([]probe.Journey, *Document, error) {
	var file journeysFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	names := map[string]bool{}
	var list []probe.Journey
	for i, f := range file.Journeys {
		path := fmt.Sprintf("journeys[%d]", i)
		d.unique(names, path+".name", f.Name)
		j := f.journey(d, path, secrets)
		for _, e := range split(j.Validate()) {
			bad := (*probe.JourneyError)(nil)
			if !errors.As(e, &bad) {
				continue
			}
			if at := path + "." + bad.Path; !d.failed(at) {
				d.Fail(at, "out_of_range", "%q, want %s", bad.Value, bad.Want)
			}
		}
		list = append(list, j)
	}
	return list, d, d.Err()
}

func (f journeyFile) journey(d *Document, path string, secrets Secrets) probe.Journey {
	j := probe.Journey{Name: f.Name, Variables: maps.Clone(f.Variables), Timeout: f.Timeout, CleanupTimeout: f.CleanupTimeout}
	if j.Variables == nil && len(f.Secrets) > 0 {
		j.Variables = map[string]string{}
	}
	for name, ref := range f.Secrets {
		at := path + ".secrets." + name
		if _, twice := f.Variables[name]; twice {
			d.Fail(at, "duplicate", "a variable has this name, too")
		}
		// One that is missing is reported there, and may be used all the same.
		j.Variables[name] = cmp.Or(d.secret(at, ref, secrets).Reveal(), "-")
	}
	for _, s := range f.Steps {
		j.Steps = append(j.Steps, s.step())
	}
	for _, s := range f.Cleanup {
		j.Cleanup = append(j.Cleanup, s.step())
	}
	return j
}

func (f stepFile) step() probe.Step {
	s := probe.Step{
		Name: f.Name, Method: f.Method, URL: f.URL, Header: f.Header, Body: f.Body, Timeout: f.Timeout, Stay: f.Stay, Status: f.Status,
	}
	for _, c := range f.Check {
		s.Check = append(s.Check, probe.Check(c))
	}
	for _, e := range f.Extract {
		s.Extract = append(s.Extract, probe.Extract(e))
	}
	return s
}
