//go:build !unix

package measure

import "time"

var start = time.Now()

// ProcessorTime falls back to elapsed time.
func ProcessorTime() time.Duration { return time.Since(start) }
