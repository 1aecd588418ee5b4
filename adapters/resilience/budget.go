package resilience

import "sync"

// What a retry costs, and how much there is of it, as in the AWS SDK for Go:
// https://docs.aws.amazon.com/sdk-for-go/v2/developer-guide/configure-retries-timeouts.html
// https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/retry#pkg-constants
const (
	retryTokens  = 500
	retryCost    = 5
	timeoutCost  = 10
	successGrant = 1
)

// budget bounds the retries of all calls of a bucket: a vendor in trouble gets
// little more than its usual load. What a retry has paid is given back if it
// succeeds, and each success on the first attempt adds one token.
type budget struct {
	mu     sync.Mutex // guards tokens
	tokens int
	most   int
}

// pay takes tokens for a retry; false if there are too few.
func (b *budget) pay(cost int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < cost {
		return false
	}
	b.tokens -= cost
	return true
}

func (b *budget) grant(tokens int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+tokens, b.most)
}
