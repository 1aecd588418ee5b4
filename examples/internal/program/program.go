// Package program is what the example programs share: flags, exit codes, the
// envelope of JSON results, and writing a result in one piece.
//
// A program prints its result on stdout (or into -o) and nothing else there;
// errors go to stderr, one line each. When it fails, stdout stays empty and no
// output file is left behind.
package program

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the same zones on every machine
)

// The exit codes of all programs.
const (
	OK          = 0
	Condition   = 1 // a -fail-on condition holds, or what was to be verified is not so
	Usage       = 2 // wrong usage or configuration
	Input       = 3 // wrong input data
	Remote      = 4 // a remote system failed
	Interrupted = 130
)

// Program describes one of the programs.
type Program struct {
	Name    string
	Summary string                 // what it answers, one line
	Example string                 // one command with its flags
	Formats []string               // the first is the default
	FailOn  []string               // conditions that -fail-on may name
	Files   string                 // what its arguments are, like "FILE..."; "" if it takes flags alone
	Schema  []byte                 // JSON Schema of the main input file; nil if there is none
	Schemas func() ([]byte, error) // the same where a flag decides which file that is; instead of Schema
	Flags   func(fs *flag.FlagSet) // adds its own flags
	Run     func(env *Env) error   // writes the result to env.Out
	Now     func() time.Time       // the clock for a missing -now. Defaults to time.Now.
	context context.Context        //nolint:containedctx // lives as long as the process
}

// Env is what a run gets.
type Env struct {
	Context context.Context //nolint:containedctx // of this run; handed on by the program
	Now     time.Time
	Stated  bool // Now was given with -now
	Zone    *time.Location
	Format  string
	Config  string   // of -config, "" for the embedded sample
	Args    []string // what Program.Files announces
	Explain bool
	Out     *bytes.Buffer
	Log     *slog.Logger

	// Result writes the result, instead of Out, for one that is too large to be held. It is
	// called when nothing can go wrong any more but the writing. Defaults to none.
	Result func(w io.Writer) error

	holds []string
	exit  int // with a result all the same
	files []file
}

// file is a further file that a run writes beside its result.
type file struct {
	name string
	data []byte
}

// File adds a file that is written with the result, if the run succeeds.
func (e *Env) File(name string, data []byte) { e.files = append(e.files, file{name, data}) }

// Holds records that a -fail-on condition holds.
func (e *Env) Holds(condition string) { e.holds = append(e.holds, condition) }

// Fails records that the program exits with [Condition] whatever -fail-on names: the
// result itself says that something is wrong.
func (e *Env) Fails() { e.exit = Condition }

// Refuses is Fails with [Usage]: the result is what is wrong with the files.
func (e *Env) Refuses() { e.exit = Usage }

// ExitError is an error with the exit code that it stands for.
type ExitError struct {
	Code int
	Err  error
}

// Error returns the text of the cause.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// Exit wraps an error with an exit code; nil stays nil.
func Exit(code int, err error) error {
	if err == nil {
		return nil
	}
	return &ExitError{code, err}
}

// Main runs the program with the arguments of the process and ends it.
func Main(p Program) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p.context = ctx
	code := p.run(os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

type common struct {
	config, format, out, now, zone, failOn  string
	json, explain, schema, version, verbose bool
}

func (p Program) run(args []string, stdout, stderr io.Writer) int {
	var c common
	fs := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.register(fs, p)
	if p.Flags != nil {
		p.Flags(fs)
	}
	files, err := p.parse(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.usage(stdout, fs)
		return OK
	case err != nil:
		return complain(stderr, Exit(Usage, err))
	case len(files) > 0 && p.Files == "":
		return complain(stderr, Exit(Usage, fmt.Errorf("unexpected argument %q", files[0])))
	case c.version:
		fmt.Fprintf(stdout, "evenkeel %s %s\n", version(), p.Name)
		return OK
	case c.schema:
		if err := p.writeSchema(stdout); err != nil {
			return complain(stderr, err)
		}
		return OK
	}
	env, err := c.env(p, stderr)
	if err != nil {
		return complain(stderr, Exit(Usage, err))
	}
	env.Args = files
	if err := p.Run(env); err != nil {
		if env.Context.Err() != nil {
			return Interrupted
		}
		return complain(stderr, err)
	}
	if err := env.write(c.out, stdout); err != nil {
		return complain(stderr, err)
	}
	if env.exit != OK {
		return env.exit
	}
	for condition := range strings.SplitSeq(c.failOn, ",") {
		if slices.Contains(env.holds, condition) {
			return Condition
		}
	}
	return OK
}

// parse reads flags before, between and after the arguments of a program that has some;
// behind "--" everything is an argument.
func (p Program) parse(fs *flag.FlagSet, args []string) (files []string, err error) {
	for err = fs.Parse(args); err == nil && p.Files != "" && fs.NArg() > 0; err = fs.Parse(args) {
		if read := len(args) - fs.NArg(); read > 0 && args[read-1] == "--" {
			break
		}
		files, args = append(files, fs.Arg(0)), fs.Args()[1:]
	}
	return append(files, fs.Args()...), err
}

func (p Program) writeSchema(stdout io.Writer) (err error) {
	schema := p.Schema
	if p.Schemas != nil {
		if schema, err = p.Schemas(); err != nil {
			return Exit(Usage, err)
		}
	}
	if schema == nil {
		return Exit(Usage, errors.New("this program has no input file"))
	}
	_, err = stdout.Write(schema)
	return err
}

func (c *common) register(fs *flag.FlagSet, p Program) {
	fs.StringVar(&c.config, "config", "", "the YAML or JSON `file` of the program, - for stdin; without it the embedded sample is used")
	fs.StringVar(&c.format, "format", p.Formats[0], "output format: "+strings.Join(p.Formats, ", "))
	fs.BoolVar(&c.json, "json", false, "the same as -format json")
	fs.StringVar(&c.out, "o", "-", "write the result to a `file`, - for stdout")
	fs.StringVar(&c.now, "now", "", "the present `time`, RFC 3339 with zone; default: the clock, read once")
	fs.StringVar(&c.zone, "tz", "UTC", "IANA `zone` for calendar periods and times shown where no file states one")
	fs.StringVar(&c.failOn, "fail-on", "", "exit 1 when one of these `conditions` holds: "+p.conditions())
	fs.BoolVar(&c.explain, "explain", false, "say how the headline numbers came about")
	fs.BoolVar(&c.schema, "schema", false, "print the JSON Schema of the main input file")
	fs.BoolVar(&c.version, "version", false, "print the version")
	fs.BoolVar(&c.verbose, "v", false, "log more to stderr")
}

func (c *common) env(p Program, stderr io.Writer) (*Env, error) {
	level := slog.LevelWarn
	if c.verbose {
		level = slog.LevelDebug
	}
	env := &Env{Context: p.context, Format: c.format, Config: c.config, Explain: c.explain, Out: &bytes.Buffer{}, Log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))}
	if env.Context == nil {
		env.Context = context.Background()
	}
	if c.json {
		env.Format = "json"
	}
	var problems []error
	if !slices.Contains(p.Formats, env.Format) {
		problems = append(problems, fmt.Errorf("-format %q: want one of %s", env.Format, strings.Join(p.Formats, ", ")))
	}
	for condition := range strings.SplitSeq(c.failOn, ",") {
		if condition != "" && !slices.Contains(p.FailOn, condition) {
			problems = append(problems, fmt.Errorf("-fail-on %q: want some of %s", condition, p.conditions()))
		}
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil || c.zone == "" || c.zone == "Local" {
		problems = append(problems, fmt.Errorf("-tz %q: want an IANA zone like Europe/Amsterdam", c.zone))
	}
	env.Zone = zone
	switch {
	case c.now != "":
		env.Stated = true
		if env.Now, err = time.Parse(time.RFC3339, c.now); err != nil {
			problems = append(problems, fmt.Errorf("-now %q: want a time with a zone, like 2026-10-01T00:00:00Z", c.now))
		}
	case p.Now != nil:
		env.Now = p.Now()
	default:
		env.Now = time.Now()
	}
	env.Now = env.Now.UTC()
	return env, errors.Join(problems...)
}

func (p Program) conditions() string {
	if len(p.FailOn) == 0 {
		return "(this program has none)"
	}
	return strings.Join(p.FailOn, ", ")
}

func (p Program) usage(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintf(w, "%s: %s\n\nExample:\n  %s\n\nFlags:\n", p.Name, p.Summary, p.Example)
	fs.SetOutput(w)
	fs.PrintDefaults()
}

// complain prints an error, one line each for what it joins, and returns its
// exit code.
func complain(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, strings.TrimRight(err.Error(), "\n"))
	if exit := (*ExitError)(nil); errors.As(err, &exit) {
		return exit.Code
	}
	return Input
}

// write writes the further files and then the result; where one cannot be
// written, none is left behind.
func (e *Env) write(out string, stdout io.Writer) error {
	for i, f := range e.files {
		if err := WriteFile(f.name, f.data); err != nil {
			return errors.Join(err, remove(e.files[:i]))
		}
	}
	result := e.Result
	if result == nil {
		result = func(w io.Writer) error {
			_, err := w.Write(e.Out.Bytes())
			return err
		}
	}
	if err := deliver(out, result, stdout); err != nil {
		return errors.Join(err, remove(e.files))
	}
	return nil
}

func remove(files []file) error {
	var problems []error
	for _, f := range files {
		if info, err := os.Stat(f.name); err == nil && info.Mode().IsRegular() {
			problems = append(problems, os.Remove(f.name))
		}
	}
	return errors.Join(problems...)
}

// deliver writes the result: to stdout, or into a file that appears whole or not at all.
func deliver(name string, result func(w io.Writer) error, stdout io.Writer) error {
	if name == "-" {
		return buffered(stdout, result)
	}
	return writeFile(name, result)
}

// buffered lets write write in large pieces.
func buffered(w io.Writer, write func(w io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// WriteFile writes a file through a temporary one beside it, so that a reader
// never sees a part. What is no ordinary file, such as a pipe or a device, is
// written to and stays what it is.
func WriteFile(name string, data []byte) error {
	return writeFile(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func writeFile(name string, write func(w io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return Exit(Usage, err)
		}
		return Exit(Usage, errors.Join(buffered(f, write), f.Close()))
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".evenkeel-*")
	if err != nil {
		return Exit(Usage, err)
	}
	err = errors.Join(buffered(f, write), f.Chmod(0o644), f.Sync(), f.Close()) // on disk before it has its name, or a crash leaves an empty file there
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return Exit(Usage, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
