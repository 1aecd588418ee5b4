package stream_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the states of this version anew")

// States that an earlier build wrote stay readable. The files are of version 1; a version 2
// gets files beside them.
func TestStatesOfVersion1(t *testing.T) {
	for _, d := range detectors {
		name := filepath.Join("testdata", "states_v1", strings.ReplaceAll(d.name, " ", "_")+".bin")
		written := d.make()
		for _, s := range troubled(400) {
			written.Update(s.at, s.value)
		}
		if *update {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, must(written.MarshalBinary()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		state, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read := d.make()
		if err := read.UnmarshalBinary(state); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(must(read.MarshalBinary()), state) {
			t.Errorf("%s: comes back as other bytes", name)
		}
	}
}
