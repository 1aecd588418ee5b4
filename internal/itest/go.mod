module github.com/evenkeelops/evenkeel/internal/itest

go 1.26.0

replace github.com/evenkeelops/evenkeel => ../..

require github.com/evenkeelops/evenkeel v0.0.0-00010101000000-000000000000
