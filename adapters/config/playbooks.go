package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

type playbooksFile struct {
	Version int `yaml:"version"`
	playbook.Book
}

// ParsePlaybooks reads a file of playbooks and of the rules of their execution, the
// blocks incident_automation and response_engine. Conditions are checked against
// [playbook.DefaultFacts], actions against [playbook.DefaultActions]; a program
// with its own reads the [playbook.Book] by [Parse] and leaves the check to
// [playbook.New].
func ParsePlaybooks(name string, data []byte) (playbook.Book, *Document, error) {
	var file playbooksFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	if !d.states("response_engine") {
		d.missing("incident_automation")
	}
	if d.Err() == nil {
		_, err := playbook.New(playbook.Config{Book: file.Book})
		for _, e := range split(err) {
			d.playbookError(e)
		}
	}
	return file.Book, d, d.Err()
}

// playbookError places one problem of a book in the file.
func (d *Document) playbookError(err error) {
	bad := (*playbook.ConfigError)(nil)
	if !errors.As(err, &bad) {
		d.Fail("", "out_of_range", "%v", err)
		return
	}
	key := bad.Path[strings.LastIndexByte(bad.Path, '.')+1:]
	switch {
	case bad.Value == "" && !d.has(bad.Path):
		d.missing(bad.Path)
	case key == "condition" || strings.HasPrefix(key, "conditions[") || strings.HasPrefix(key, "checks["):
		d.Fail(bad.Path, "bad_threshold", "%s", bad.Want)
	case key == "timeout" || strings.HasPrefix(bad.Path, "level_delays."):
		d.Fail(bad.Path, "bad_duration", "%q, want %s", bad.Value, bad.Want)
	case key == "action" && strings.HasPrefix(bad.Path, "incident_automation."):
		d.report(bad.Path, "bad_reference", spelling.Nearest(bad.Value, slices.Sorted(maps.Keys(playbook.DefaultActions()))), fmt.Sprintf("unknown action %q", bad.Value))
	default:
		d.Fail(bad.Path, "out_of_range", "%q, want %s", bad.Value, bad.Want)
	}
}
