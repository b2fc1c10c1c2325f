# Everything that these commands install, start or write is in .local.

.DEFAULT_GOAL := help
SHELL := /bin/sh

GOLANGCI_LINT := .local/bin/golangci-lint

# Without the checkers that it finds on some machines only.
ACTIONLINT := .local/bin/actionlint -shellcheck= -pyflakes=
WORKFLOWS := .github/workflows/*.yml

# The longest package is the replicator: its model, and the mutants that must fail it.
TEST_TIMEOUT := 20m

# The race detector makes every test program wait at its exit, a second by default.
RACE := GORACE=atexit_sleep_ms=100

# make fuzz SEED=… STEPS=… starts with another history or makes more writes; SLOW=… is
# the number of writes on DynamoDB Local.
SEED := 1
STEPS := 1000000
SLOW := 2000

# make bench BENCH="-cases 1000x1KB -runs 15 -delay 2ms" measures something else, and so does
# make bench-backfill BENCH="-parts speed -items 100000".
BENCH :=

# make test-consumers CONSUMERS="-only vendored -keep" tries some situations.
CONSUMERS :=

.PHONY: help setup demo up down test test-consumers test-kills fuzz bench bench-cold bench-backfill lint fmt clean go

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: go ## Install the tools of the other commands into .local
	@go run ./internal/cmd/setup

demo: go ## Deploy the example to a local cloud, show it, stop everything
	@go run ./internal/cmd/demo demo

up: go ## Deploy the example to a local cloud, leave it running, print commands to try
	@go run ./internal/cmd/demo up

down: go ## Stop the local cloud of "make up"
	@go run ./internal/cmd/demo down

# The package that takes longest comes first: packages are tested in this order.
test: setup ## Check formatting, vet, lint, and run every test without skipping one
	@unformatted=$$(gofmt -l examples internal replicatedtable runtime) && \
	  if [ -n "$$unformatted" ]; then echo "these files are not formatted; run make fmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	$(ACTIONLINT) $(WORKFLOWS)
	REPLICATEDTABLE_ENGINES=required $(RACE) go test -race -timeout $(TEST_TIMEOUT) ./runtime/replicator ./...

test-consumers: go ## Use the last commit as apps do that go get it (ten minutes)
	@go run ./internal/cmd/consumers $(CONSUMERS)

test-kills: setup ## Kill a backfill of 20,000 items 20 times, under writers (ten minutes)
	REPLICATEDTABLE_ENGINES=required go test -count=1 -timeout 15m -v -run '^TestABackfillSurvivesKills' \
	  ./runtime/cmd/replicatedtable -kill.items=20000 -kill.kills=20 -kill.seed=$(SEED)

fuzz: setup ## Check random histories, faults and crashes against the contract
	REPLICATEDTABLE_ENGINES=required go test -count=1 -timeout 60m -v \
	  -run '^TestTheTargetIsTheOracleAfterAnyHistory' ./runtime/replicator \
	  -model.seed=$(SEED) -model.steps=$(STEPS) -model.slow-steps=$(SLOW)

bench: go ## Compare the cost of an invocation with the article's and a typed function
	@go run ./internal/cmd/bench $(BENCH)

bench-cold: go ## Compare the start time and the size of the function
	@go run ./internal/cmd/bench/coldstart

bench-backfill: go ## Compare ways to fill a table from a million items, also under writes
	@go run ./internal/cmd/bench/backfill $(BENCH)

lint: setup ## Run golangci-lint, and actionlint on the workflows
	$(GOLANGCI_LINT) run ./...
	$(ACTIONLINT) $(WORKFLOWS)

fmt: setup ## Format the Go files and sort their imports
	$(GOLANGCI_LINT) fmt ./...

clean: down ## Stop everything and remove all that the commands installed and wrote
	rm -rf .local examples/*/cdk.out

go:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed and not on PATH: https://go.dev/dl/"; exit 1; }
