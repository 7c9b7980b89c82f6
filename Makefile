# Every target can be run by anybody who has Go, make and git.
export CGO_ENABLED ?= 0
BIN := bin/tranship
LAB := .cache/lab/bin/lab
TOOL = go tool -modfile=tools/go.mod
RACE ?=
# Under the race detector the tests that change every leaf of the corpus, which
# run pure code only, are left out by -short: they would take an hour.
RACEFLAG = $(if $(RACE),-race -short -timeout 30m,)
ESTATE ?= examples/telemetry/snapshot

.PHONY: help build check test demo update fuzz bench peers integration e2e
help: ## show this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/tranship
	go build -trimpath -o $(BIN) ./cmd/tranship

check: ## format, lint, layers, words, freshness of everything generated; changes nothing
	@test -z "$$(gofmt -l cmd internal docs examples lab bench)" || { gofmt -l cmd internal docs examples lab bench; echo "run gofmt -w on these"; exit 1; }
	go mod tidy -diff
	go vet ./...
	$(TOOL) golangci-lint run
	go test ./internal/archtest ./docs/...

test: ## every test (RACE=1 adds the race detector, which needs a C compiler)
	$(if $(RACE),CGO_ENABLED=1,) go test $(RACEFLAG) ./...

demo: build ## the whole way on the telemetry example: no account, no network
	@sh examples/telemetry/demo.sh $(BIN) $(ESTATE)

update: ## rewrite expected outputs and generated documents; read the diff before you commit it
	go test ./docs/... ./internal/render/... ./internal/ui/... -update

FUZZTIME ?= 20s
fuzz: ## run every fuzz target for FUZZTIME (20s)
	@for t in $$(grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' internal | sed 's/func //' | sort -u); do \
	  p=$$(grep -rlE --include='*_test.go' "^func $$t\(" internal | head -n 1 | xargs dirname); \
	  echo "$$p $$t"; go test "./$$p" -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) || exit 1; done

bench: ## speed and memory of the stages, distance of packings from their bounds, as docs/benchmarks.md tells
	go test ./internal/app -run '^$$' -bench . -benchtime 1x -timeout 30m
	go test ./internal/base/binpack/... -run '^$$' -bench . -benchtime 1x -timeout 30m

peers: build ## the same pods at the same prices through Karpenter's scheduler, side by side
	cd bench && go run . -tranship ../$(BIN) $(ARGS)

integration: ## real judges: kube-scheduler carries plans out, an integer solver checks packings, an API server takes the corpus
	sh lab/integration.sh $(ARGS)

e2e: ## as root: the lab's estate is moved for real, under load and faults; counts what was lost (FULL=1: the whole, an hour)
	sh lab/e2e/e2e.sh

lab: $(LAB) ## Kubernetes, front door, databases and an old world on this machine (root; ARGS="--nodes 3")
	$(LAB) up $(ARGS)

lab-down: $(LAB) ## remove all of it
	$(LAB) down

.PHONY: lab lab-down $(LAB)
$(LAB):
	go -C lab build -trimpath -o ../$(LAB) ./cmd/lab
