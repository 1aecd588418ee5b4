package program

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// Inputs are the files of a run: those that its flags name, or those of the sample
// that is embedded in the program.
type Inputs struct {
	Sample  bool // the embedded files are read
	Sources []Source
	Notices []Notice

	embedded fs.FS
}

// sampleDir is where every program has its sample.
const sampleDir = "testdata/sample"

// NewInputs returns the inputs of a run, for which sample chooses the embedded files.
func NewInputs(embedded fs.FS, sample bool) Inputs {
	return Inputs{Sample: sample, Notices: []Notice{}, embedded: embedded}
}

// Now is the present of a run: that of the sample, unless -now states another one.
func (in *Inputs) Now(env *Env, ofSample time.Time) time.Time {
	if in.Sample && !env.Stated {
		return ofSample
	}
	return env.Now
}

// Open opens a data file.
func (in *Inputs) Open(name string) (io.ReadCloser, error) {
	if in.Sample {
		return in.embedded.Open(path.Join(sampleDir, name))
	}
	return os.Open(name)
}

// Read reads the file that a flag names, - for stdin, and puts it among the sources.
// shown is what errors call it.
func (in *Inputs) Read(flag, name string) (shown string, data []byte, err error) {
	f := io.ReadCloser(os.Stdin)
	if shown = "stdin"; in.Sample || name != "-" {
		shown = name
		f, err = in.Open(name)
	}
	if err == nil {
		data, err = io.ReadAll(f)
		f.Close()
	}
	if err != nil {
		return "", nil, fmt.Errorf("-%s: %w", flag, err)
	}
	in.Sources = append(in.Sources, NewSource(filepath.Base(shown), data, -1))
	return shown, data, nil
}

// Note notes what a reader of a file found to tell.
func (in *Inputs) Note(d *config.Document) {
	for _, p := range d.Problems() {
		n := Notice{Code: p.Code, Message: p.String()}
		if p.Path != "" {
			n.Ref = &p.Path
		}
		in.Notices = append(in.Notices, n)
	}
}
