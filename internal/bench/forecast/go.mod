module github.com/evenkeelops/evenkeel/internal/bench/forecast

go 1.26.0

require (
	github.com/aouyang1/go-forecaster v0.3.15
	github.com/evenkeelops/evenkeel v0.0.0
	github.com/evenkeelops/evenkeel/internal/bench v0.0.0
)

require (
	github.com/go-echarts/go-echarts/v2 v2.4.1 // indirect
	github.com/goccy/go-json v0.10.5 // indirect
	github.com/rickar/cal/v2 v2.1.20 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	gonum.org/v1/gonum v0.15.1 // indirect
)

replace github.com/evenkeelops/evenkeel => ../../..

replace github.com/evenkeelops/evenkeel/internal/bench => ..

replace github.com/evenkeelops/evenkeel/internal/itest => ../../itest
