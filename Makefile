# What can be made; "make help" lists it.

GO      := $(or $(shell command -v go),/usr/local/go/bin/go)
VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)
BINARY  := bin/archibald-bridge
TAGS    :=
# Without it (TRIMPATH=) what go vet and the tests have compiled serves the program, too.
TRIMPATH := -trimpath

# A Go older than go.mod asks for fetches the newer one.
export GOTOOLCHAIN := auto
# github.com/hraban/opus without reading Opus files, which needs another library.
export GOFLAGS := $(filter-out -tags=nolibopusfile,$(GOFLAGS)) -tags=nolibopusfile

.PHONY: build check test soak mutants demo bench bench-peers lint cross deps clean help

build: ## the program, as bin/archibald-bridge; TAGS=portaudio for the backend of that name
	$(GO) build $(TRIMPATH) -tags "nolibopusfile $(TAGS)" -ldflags '-X archibald-bridge/bridge/status.Version=$(VERSION)' -o $(BINARY) .

check: ## before each commit: style, and all tests without audio servers
	scripts/check.sh

test: ## every kind of test, real audio servers included; installs what they need
	scripts/test.sh

soak: ## the same at full length, and all fuzz targets: hours
	ARCHIBALD_SOAK=1 scripts/test.sh

mutants: ## breaks named guarantees one at a time and says which test notices: a quarter of an hour
	$(GO) run ./testbed/mutants $(ARGS)

demo: ## a whole bridge on this machine, heard, measured and stopped again
	scripts/demo.sh $(ARGS)

bench: ## the benchmarks; installs what they need; ARGS="-seconds 60 roundtrip"
	scripts/bench.sh $(ARGS)

bench-peers: ## this bridge beside others, then latency over 2 hours, as root, for 15 hours; ARGS="-seconds 20 -systems jacktrip", ARGS="hours -length 3m"
	scripts/bench-peers.sh $(ARGS)

lint: ## gofmt, go vet, and golangci-lint where it is installed
	scripts/lint.sh

cross: ## go vet of what could run on macOS and Windows
	scripts/cross.sh

deps: ## the Debian packages that building and testing need
	scripts/deps.sh test $(ARGS)

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
