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
	"github.com/evenkeelops/evenkeel/examples/internal/table"
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
// flag is "" for an argument. shown is what errors call it.
func (in *Inputs) Read(flag, name string) (shown string, data []byte, err error) {
	f := io.ReadCloser(os.Stdin)
	if shown = "stdin"; in.Sample || name != "-" {
		shown = name
		f, err = in.Open(name)
	}
	if err == nil {
		data, err = ReadAll(shown, f)
		f.Close()
	}
	switch {
	case err != nil && flag == "":
		return "", nil, err
	case err != nil:
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

// MaxFile is how many bytes a file may have that is read as a whole: all but the tables,
// which are read row by row.
const MaxFile = 16 << 20

// SizeError says that a file is larger than those are that are read as a whole.
type SizeError struct {
	Name  string
	Limit int // bytes
}

// Error says how large it may be.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%s: want at most %d bytes", e.Name, e.Limit)
}

// ReadAll reads a file as a whole: one of more than [MaxFile] bytes is a [*SizeError], one
// that is packed a [*table.FormatError]. name is for the errors.
func ReadAll(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, &SizeError{name, MaxFile}
	}
	return data, table.Packed(name, data)
}

// ReadFile is [ReadAll] of the file of that name.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(name, f)
}
