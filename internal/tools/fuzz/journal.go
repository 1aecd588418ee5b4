package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"
)

// journal keeps which targets ended well, and how long they ran.
type journal struct {
	file  *os.File
	times map[string]time.Duration
}

// entry is a line of a journal.
type entry struct {
	Target    string        `json:"target"`
	Time      time.Duration `json:"time"`      // by the clock
	Processor time.Duration `json:"processor"` // of the workers
	Inputs    int64         `json:"inputs"`
}

// openJournal begins a journal, or goes on with the one that is there. A line that was
// cut by the end of a process is none, with what was written behind it.
func openJournal(name string, goOn bool) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if !goOn {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{file, map[string]time.Duration{}}
	text, err := io.ReadAll(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var e entry
		if json.Unmarshal(line, &e) == nil {
			j.times[e.Target] = max(j.times[e.Target], e.Time)
		}
	}
	return j, nil
}

// add writes a line at once, so several processes may share a journal.
func (j *journal) add(e entry) error { return json.NewEncoder(j.file).Encode(e) }
