//go:build unix

package correlation_test

import (
	"syscall"
	"time"
)

// cpuTime is the time that the process has used so far: on a machine that
// others use too it tells more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
