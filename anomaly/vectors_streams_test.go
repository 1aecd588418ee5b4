package anomaly_test

import "github.com/evenkeelops/evenkeel/internal/testutil"

// streamsNotYet are the kinds of streams that nothing computes yet.
var streamsNotYet = []string{"ewm", "ewm_time"}

// streams are the kinds of streams.
func (s *statistics) streams() testutil.Kinds { return testutil.Kinds{} }
