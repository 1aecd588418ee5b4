//go:build unix

package measure

import (
	"syscall"
	"time"
)

// ProcessorTime is what the process has used of all processors so far.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for an unknown argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
