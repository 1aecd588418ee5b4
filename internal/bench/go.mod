module github.com/evenkeelops/evenkeel/internal/bench

go 1.26.0

require (
	github.com/e-XpertSolutions/go-iforest/v2 v2.0.0
	github.com/evenkeelops/evenkeel v0.0.0
	github.com/narumiruna/go-iforest v0.1.0
)

replace github.com/evenkeelops/evenkeel => ../..
