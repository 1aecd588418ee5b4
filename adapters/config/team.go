package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

type teamFile struct {
	Version int `yaml:"version,required"`
	escalation.Roster
}

// Team reads a file of people, schedules and centres.
func Team(name string, data []byte) (escalation.Roster, *Document, error) {
	var file teamFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	if err := file.Validate(); err != nil {
		people := make([]string, len(file.Engineers))
		for i, e := range file.Engineers {
			people[i] = e.ID
		}
		for _, e := range split(err) {
			d.teamError(e, people)
		}
	}
	return file.Roster, d, d.Err()
}

// teamError places one problem of a roster in the file.
func (d *Document) teamError(err error, people []string) {
	bad := (*escalation.ConfigError)(nil)
	if !errors.As(err, &bad) {
		d.Fail("", "out_of_range", "%v", err)
		return
	}
	path := filePath(bad.Path)
	message := fmt.Sprintf("%q, want %s", bad.Value, bad.Want)
	key := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case d.failed(path): // the file said something that could not be read
	case !d.Has(path):
		d.Missing(d.outermostMissing(path))
	case key == "timezone" || key == "tz":
		suggestion := zoneAliases[strings.ToUpper(bad.Value)]
		if suggestion == "" {
			suggestion = spelling.Nearest(bad.Value, zoneNames())
		}
		d.report(path, "bad_zone", suggestion, message)
	case strings.HasPrefix(key, "users[") || key == "engineer" || key == "user" || key == "replaces" || key == "on_call" || key == "manager" || key == "location":
		d.report(path, "bad_reference", spelling.Nearest(bad.Value, people), message)
	case key == "id":
		d.report(path, "duplicate_id", "", message)
	default:
		d.report(path, "out_of_range", "", message)
	}
}

// filePath writes a path with quoted keys, schedules["night"].layers, as this
// package does: schedules.night.layers.
func filePath(path string) string {
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(path)
}

// outermostMissing shortens a path to its first part that is not in the file.
func (d *Document) outermostMissing(path string) string {
	for {
		cut := strings.LastIndexAny(path, ".[")
		if cut <= 0 || d.Has(path[:cut]) {
			return path
		}
		path = path[:cut]
	}
}

// failed reports whether there is an error at the path or below it already.
func (d *Document) failed(path string) bool {
	for _, p := range d.problems {
		if p.Severity == Error && (p.Path == path || strings.HasPrefix(p.Path, path+".") || strings.HasPrefix(p.Path, path+"[")) {
			return true
		}
	}
	return false
}

// split takes a joined error apart; nil has no parts.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	return []error{err}
}
