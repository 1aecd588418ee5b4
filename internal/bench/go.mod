module github.com/evenkeelops/evenkeel/internal/bench

go 1.26.0

require (
	github.com/bojanz/currency v1.4.0
	github.com/e-XpertSolutions/go-iforest/v2 v2.0.0
	github.com/evenkeelops/evenkeel v0.0.0
	github.com/govalues/decimal v0.1.36
	github.com/narumiruna/go-iforest v0.1.0
	github.com/rickar/cal/v2 v2.1.13
	github.com/shopspring/decimal v1.4.0
)

require github.com/cockroachdb/apd/v3 v3.2.1 // indirect

replace github.com/evenkeelops/evenkeel => ../..
