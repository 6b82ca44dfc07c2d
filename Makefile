# waptwua: the commands that people use. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
PROGRAMS := waptserver wapt-get waptsim
PLATFORMS := linux/amd64 linux/arm64 windows/amd64 windows/arm64
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

# Settings of `make run`.
HOSTS ?= 25
ARCHIVE ?=
ONCE ?=
SEED ?= 1
DIR ?= run

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: build
build: ## the programs, into bin/
	@mkdir -p bin
	@for p in $(PROGRAMS); do $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/$$p ./cmd/$$p; done

.PHONY: build-all
build-all: ## every program for every platform, into bin/OS-ARCH/
	@for t in $(PLATFORMS); do \
	  os=$${t%/*}; arch=$${t#*/}; ext=; [ $$os = windows ] && ext=.exe; mkdir -p bin/$$os-$$arch; \
	  for p in $(PROGRAMS); do echo "$$t $$p"; GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/$$os-$$arch/$$p$$ext ./cmd/$$p; done; \
	done

.PHONY: run
run: build ## a server, Microsoft's place taken by a local origin, and a simulated fleet (HOSTS= ARCHIVE= ONCE=1 SEED= DIR=)
	@exec bin/waptsim run --server bin/waptserver --dir '$(DIR)' --hosts '$(HOSTS)' --seed '$(SEED)' $(if $(ARCHIVE),--archive '$(ARCHIVE)') $(if $(ONCE),--once)

.PHONY: test-deps
test-deps: ## the Debian packages that the tests need, installed when that is allowed
	@scripts/test-deps

.PHONY: test
test: test-deps build test-windows ## every test, with the race detector, and the Windows programs under Wine
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

.PHONY: test-windows
test-windows: ## the Windows programs and the Windows-only code under Wine, against a double of the update agent
	@scripts/test-deps wine || [ "$${CI:-}" != true ]
	@scripts/test-windows

.PHONY: check
check: ## formatting, vet for Linux and Windows, lint with the import rules, generated pages up to date, every platform compiles
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$unformatted" ] || { echo "gofmt -w these:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	$(LINT) run ./...
	@scripts/check-generated
	@for t in $(PLATFORMS); do echo "compile $$t"; GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build ./... ; done
	$(GO) test ./test/archtest

.PHONY: generate
generate: ## the pages' Go code from their templ sources
	$(GO) tool templ generate -path console

.PHONY: bench bench-engine
bench: ## every benchmark, with peers measured in the same run; writes bench/latest.json
	@scripts/bench

bench-engine: ## decoding beside cabextract and 7z
	@$(GO) run ./test/bench -only engine

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@scripts/fuzz '$(FUZZTIME)'

.PHONY: clean
clean: ## what make made
	@if [ -e '$(DIR)' ]; then \
	  [ -e '$(DIR)/.waptsim' ] || { echo "$(DIR) was not made by make run and stays; remove it yourself"; exit 1; }; \
	  ! command -v flock >/dev/null || flock -n '$(DIR)/.waptsim' true || { echo "a demonstration runs in $(DIR); stop it first"; exit 1; }; \
	fi
	rm -rf bin '$(DIR)' bench/latest.json
