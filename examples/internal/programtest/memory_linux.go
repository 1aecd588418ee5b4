package programtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// peakFile is the variable that names the file into which a middleman writes.
const peakFile = "EVENKEEL_PEAK_FILE"

// init is the middleman of [RunMeasured]: the test program once more, before it has grown.
func init() {
	file := os.Getenv(peakFile)
	if file == "" {
		return
	}
	err := os.Unsetenv(peakFile)
	cmd := exec.Command(os.Args[1], os.Args[2:]...) //nolint:noctx // it ends as the test that runs it says
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if ran := cmd.Run(); ran != nil && !errors.As(ran, new(*exec.ExitError)) {
		err = errors.Join(err, ran)
	}
	if err == nil {
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		err = os.WriteFile(file, []byte(strconv.FormatInt(usage.Maxrss, 10)), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(-1)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// RunMeasured runs a program of [Command] and returns the most memory it had, in KiB. Linux
// counts a process as large as the one that starts it was, and a program that tests is
// large, so a small one is put in between.
func RunMeasured(t *testing.T, cmd *exec.Cmd) (peak int64, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "peak")
	cmd.Args = append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Env = self, append(cmd.Environ(), peakFile+"="+file)
	err = cmd.Run()
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatal(errors.Join(err, readErr))
	}
	if peak, readErr = strconv.ParseInt(string(text), 10, 64); readErr != nil {
		t.Fatal(readErr)
	}
	return peak, err
}
