package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// PostgresBin is where Debian's package postgresql-15 has its programs.
const PostgresBin = "/usr/lib/postgresql/15/bin"

// Postgres is a private cluster on the loopback interface. Its methods are not safe for concurrent use.
type Postgres struct {
	dir  string // holds the data, the socket and the log
	port int
	env  []string // of its programs, beside that of this one
}

// LookPostgres reports whether the programs of PostgreSQL are installed.
func LookPostgres() error {
	var missing []error
	for _, name := range []string{"initdb", "pg_ctl", "createdb", "dropdb", "pgbench", "pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(filepath.Join(PostgresBin, name)); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}

// StartPostgres makes a cluster in the folder dir, which must be empty, and starts it with the given settings, such as
// "max_connections=50". Every commit waits for the disk, as by default. Root starts it as the user postgres, because initdb
// refuses root. The caller must end it with Stop.
func StartPostgres(ctx context.Context, dir string, port int, settings ...string) (*Postgres, error) {
	return start(ctx, &Postgres{dir: dir, port: port}, settings)
}

// LookFaketime reports whether libfaketime is installed (Debian: faketime), and where.
func LookFaketime() (string, error) {
	found, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if err == nil && len(found) == 0 {
		err = errors.New("no /usr/lib/*/faketime/libfaketime.so.1")
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// StartPostgresClock is StartPostgres of a server with a clock of its own, which SetClock sets. It needs libfaketime.
func StartPostgresClock(ctx context.Context, dir string, port int, settings ...string) (*Postgres, error) {
	library, err := LookFaketime()
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir, port: port}
	p.env = []string{"LD_PRELOAD=" + library, "FAKETIME_TIMESTAMP_FILE=" + p.Path("clock"), "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"}
	if err := p.SetClock(0); err != nil {
		return nil, err
	}
	return start(ctx, p, settings)
}

// SetClock sets the clock of a server of StartPostgresClock to the time plus an offset, in whole seconds.
func (p *Postgres) SetClock(offset time.Duration) error {
	// In one step, as every reading of the clock reads the file.
	next := p.Path("clock.next")
	if err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int64(offset/time.Second)), 0o644); err != nil { //nolint:gosec // the user postgres reads it
		return err
	}
	return os.Rename(next, p.Path("clock"))
}

func start(ctx context.Context, p *Postgres, settings []string) (*Postgres, error) {
	if os.Geteuid() == 0 {
		if err := giveTo("postgres", p.dir); err != nil {
			return nil, err
		}
	}
	// --no-sync saves the wait while the cluster is made, not afterwards.
	if err := p.run(ctx, "initdb", "-D", p.data(), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"); err != nil {
		return nil, err
	}
	settings = append([]string{"listen_addresses=127.0.0.1"}, settings...)
	options := fmt.Sprintf("-p %d -k %s -c %s", p.port, p.dir, strings.Join(settings, " -c "))
	return p, p.run(ctx, "pg_ctl", "-D", p.data(), "-o", options, "-l", filepath.Join(p.dir, "log"), "-w", "start")
}

// DSN is the address of a database of the cluster.
func (p *Postgres) DSN(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s", p.port, database)
}

// Client runs one of the programs that talk to the server, such as createdb, pgbench, pg_dump or pg_restore. Files that it reads
// or writes are best in Path, where it may.
func (p *Postgres) Client(ctx context.Context, name string, args ...string) error {
	return p.run(ctx, name, append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "postgres"}, args...)...)
}

// Path is that of a file beside the data of the cluster.
func (p *Postgres) Path(name string) string { return filepath.Join(p.dir, name) }

// Restart ends the server at once, as a crash does, and starts it again with the same settings.
func (p *Postgres) Restart(ctx context.Context) error {
	return p.run(ctx, "pg_ctl", "-D", p.data(), "-m", "immediate", "-l", filepath.Join(p.dir, "log"), "-w", "restart")
}

// Stop ends the server and its connections.
func (p *Postgres) Stop(ctx context.Context) error {
	return p.run(ctx, "pg_ctl", "-D", p.data(), "-m", "fast", "-w", "stop")
}

// ProcessorTime is what the server and its connections have used so far, to a hundredth of a second.
func (p *Postgres) ProcessorTime() (time.Duration, error) {
	first, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	postmaster, _, _ := strings.Cut(string(first), "\n")
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, name := range stats {
		parent, used, err := processorTime(name)
		if pid := filepath.Base(filepath.Dir(name)); err == nil && (pid == postmaster || parent == postmaster) {
			total += used
		}
	}
	return total, nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) run(ctx context.Context, name string, args ...string) error {
	args = append([]string{filepath.Join(PostgresBin, name)}, args...)
	if os.Geteuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	// Output to a file: the server would keep a pipe open.
	out, err := os.CreateTemp(p.dir, name)
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = p.dir, out, out, append(os.Environ(), p.env...)
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", name, err, text)
	}
	return nil
}

// giveTo makes a folder that of a user.
func giveTo(name, dir string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, -1)
}
