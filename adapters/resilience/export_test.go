package resilience

// BucketCount returns how many buckets are remembered.
func (t *Transport) BucketCount() int { return len(t.buckets.all()) }
