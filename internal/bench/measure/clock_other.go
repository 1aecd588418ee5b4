//go:build !unix

package measure

import "time"

var start = time.Now()

// processorTime falls back to elapsed time.
func processorTime() time.Duration { return time.Since(start) }
