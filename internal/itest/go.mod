module github.com/evenkeelops/evenkeel/internal/itest

go 1.26.0

replace github.com/evenkeelops/evenkeel => ../..
