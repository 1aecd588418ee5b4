# Two commands to start with: make demo and make test. The others are for people
# who change the library; CONTRIBUTING.md says when.

.PHONY: demo test bench benchmarks api soak fuzz oracle record-night golden

demo: ## replay the recorded night through every package
	go run ./examples/quickstart -html evenkeel-report.html -db evenkeel-demo.db

test: ## formatting, vet, linters, tests with real servers; ends with "N passed, N failed"
	cd internal/tools && go run ./check

bench: ## measure beside the named peers, one JSON line a pair
	cd internal/bench && go run .

benchmarks: ## measure every pair on a quiet machine, and write docs/benchmarks.md; some hours
	cd internal/bench && go run . > ../../docs/benchmarks.jsonl.new && mv ../../docs/benchmarks.jsonl.new ../../docs/benchmarks.jsonl
	cd internal/bench && go run . -page < ../../docs/benchmarks.jsonl

api: ## write docs/api, the promise of a release, and docs/imports.md
	cd internal/tools && go run ./api -update

soak: ## crash, load and soak tests at full size
	EVENKEEL_SOAK=1 go test -count 1 -timeout 2h ./...
	cd internal/itest && EVENKEEL_SOAK=1 go test -count 1 -timeout 2h ./...
	cd internal/bench/alertmanager && EVENKEEL_SOAK=1 go test -count 1 -timeout 2h -v ./...

fuzz: ## every fuzz test for FUZZTIME (default 1m); FUZZ holds further flags, as in FUZZ='-outside 10m -only ^sla -resume'
	cd internal/tools && go run ./fuzz -time $(or $(FUZZTIME),1m) $(FUZZ)

oracle: ## compare with scikit-learn, numpy and LibreOffice on fresh inputs; installs them
	dpkg -s python3-sklearn libreoffice-calc >/dev/null 2>&1 || apt-get install -y -qq --no-install-recommends python3-sklearn libreoffice-calc
	cd internal/itest && EVENKEEL_ORACLE=1 go test -count 1 -v ./oracle ./spreadsheet

record-night: ## record examples/quickstart/testdata/night anew; about 45 minutes
	cd internal/itest && go run ./recordnight -out ../../examples/quickstart/testdata/night

golden: ## rewrite the golden files after a wanted change of output
	go test ./adapters/report -run Golden -update
